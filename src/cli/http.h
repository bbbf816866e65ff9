/* http.h: a small web server for pages of this machine: who may ask, what may be sent, how an answer is given. */
#ifndef NST_HTTP_H
#define NST_HTTP_H

#include <stdbool.h>

#include "nst.h"

/* A request, for the function that answers it. */
typedef struct nst_http_request {
    const char *path;  /* of the address, from its first slash on, decoded; without ?... */
    bool post;         /* else GET or HEAD */
    int body;          /* what was sent, a file without a name; -1: nothing */
    size_t bytes;      /* of the body */
    bool known;        /* it came with the server's password */
    void *connection;
} nst_http_request;

/* Called in threads of the server, several at a time; returns what an answer function returned. */
typedef int nst_http_fn(const nst_http_request *r);
/* Asked before a body is taken: how many bytes of it are; 0: it is read and dropped. */
typedef size_t nst_http_room_fn(const nst_http_request *r);

typedef struct nst_http_server {
    const char *name;         /* whom failures name: "--web" */
    const char *port_option, *host_option;
    const char *host;         /* NULL: 127.0.0.1 */
    const char *password;     /* asked of everybody where the host is not loopback; NULL: nothing is asked */
    bool guarded;             /* it is asked */
    int port;                 /* 0: a free one; the one that was got */
    unsigned threads;
    nst_http_fn *answer;
    nst_http_room_fn *room;   /* NULL: bodies are read and dropped */
} nst_http_server;

/* Serves until the close; one server a process.  *url [128] is its address, with a slash at its end.  NST_EIO,
 * NST_EUNSUPPORTED. */
nst_status nst_http_open(nst_http_server *s, char *url, nst_error *e);
void nst_http_close(void);

/* A header's value, or NULL. */
const char *nst_http_header(const nst_http_request *r, const char *name);
/* The first argument of ?KEY=VALUE or ?KEY; NULL where there is none. */
const char *nst_http_argument(const nst_http_request *r, const char **value);

typedef enum nst_http_status {
    NST_HTTP_OK = 200, NST_HTTP_BAD = 400, NST_HTTP_FORBIDDEN = 403, NST_HTTP_MISSING = 404, NST_HTTP_METHOD = 405,
    NST_HTTP_CONFLICT = 409, NST_HTTP_LARGE = 413, NST_HTTP_BUSY = 503
} nst_http_status;

/* Answers with these bytes, which are copied. */
int nst_http_text(const nst_http_request *r, nst_http_status status, const char *type, const char *data, size_t bytes);
/* With a sentence. */
int nst_http_plain(const nst_http_request *r, nst_http_status status, const char *sentence);
/* Sends the browser to another path of this server. */
int nst_http_redirect(const nst_http_request *r, const char *path);
/* With an open file, which is closed; -1 is answered as missing.  kept: the browser may keep it.  name: it is saved
 * under that name; NULL: it is shown. */
int nst_http_file(const nst_http_request *r, int fd, const char *type, bool kept, const char *name);

#endif
