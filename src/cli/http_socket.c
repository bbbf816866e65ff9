/* http_socket.c: the socket that a server listens at, and whether only this machine reaches it. */
#include "cli/http_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/fail.h"

nst_status nst_http_refuse(const nst_http_server *server, nst_error *e, const char *why)
{
    bool another = errno == EADDRINUSE || errno == EACCES;

    return fail(e, NST_EIO, "%s: port %d of %.100s cannot be served: %s%s%s%s", server->name, server->port,
                server->host, why, another ? "; " : "", another ? server->port_option : "",
                another ? " names another" : "");
}

/* Whether only this machine reaches the address. */
static bool is_loopback(const struct sockaddr_storage *a)
{
    if (a->ss_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)a)->sin6_addr);
    return a->ss_family == AF_INET && ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr) >> 24 == 127;
}

nst_status nst_http_listen(nst_http_server *server, int *fd, nst_error *e)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *found;
    union {
        struct sockaddr any;
        struct sockaddr_storage room;
    } got;
    socklen_t bytes = sizeof got;
    char service[16], number[16];
    int one = 1, code;

    snprintf(service, sizeof service, "%d", server->port);
    code = getaddrinfo(server->host, service, &hints, &found);
    if (code)
        return fail(e, NST_EIO, "%s: \"%.100s\" is no address of this machine's: %s", server->host_option, server->host,
                    gai_strerror(code));
    *fd = socket(found->ai_family, SOCK_STREAM, 0);
    if (*fd >= 0) {
        fcntl(*fd, F_SETFD, FD_CLOEXEC);
        setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    }
    if (*fd < 0 || bind(*fd, found->ai_addr, found->ai_addrlen) || listen(*fd, NST_HTTP_CLIENTS) ||
        getsockname(*fd, &got.any, &bytes) ||
        getnameinfo(&got.any, bytes, NULL, 0, number, sizeof number, NI_NUMERICSERV)) {
        nst_status s = nst_http_refuse(server, e, strerror(errno));

        if (*fd >= 0)
            close(*fd);
        freeaddrinfo(found);
        return s;
    }
    freeaddrinfo(found);
    server->guarded = server->password && !is_loopback(&got.room);
    server->port = (int)strtol(number, NULL, 10);
    return NST_OK;
}
