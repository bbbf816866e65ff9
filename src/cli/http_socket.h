/* http_socket.h: the socket that a server listens at. */
#ifndef NST_HTTP_SOCKET_H
#define NST_HTTP_SOCKET_H

#include "cli/http.h"

#define NST_HTTP_CLIENTS 128

/* Opens *fd at the server's host and port, and says in it which port that is and whether the password is asked for. */
nst_status nst_http_listen(nst_http_server *server, int *fd, nst_error *e);
/* Why it cannot be served, with what to do by errno; returns NST_EIO. */
nst_status nst_http_refuse(const nst_http_server *server, nst_error *e, const char *why);

#endif
