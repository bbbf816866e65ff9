/* http.c: a small web server for pages of this machine, by libmicrohttpd.  Only pages that came from here are answered;
 * a request's body goes into a file without a name, since the program has no heap. */
#include "cli/http.h"

#include <stdio.h>
#include <string.h>

#include "cli/fail.h"
#include "cli/http_socket.h"
#include "cli/password.h"

#ifdef HAVE_LIBMICROHTTPD

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/lazy.h"
#include "cli/clock.h"

#define SYMBOLS(X)                                                                                                   \
    X(MHD_add_response_header) X(MHD_basic_auth_get_username_password) X(MHD_create_response_from_buffer)            \
    X(MHD_create_response_from_fd_at_offset64) X(MHD_destroy_response) X(MHD_free) X(MHD_get_connection_values)      \
    X(MHD_lookup_connection_value) X(MHD_queue_response) X(MHD_start_daemon) X(MHD_stop_daemon)
NST_LAZY(LIBMICROHTTPD, SYMBOLS)

#define BODIES 8 /* that come in at the same time */

static nst_http_server server;
static struct MHD_Daemon *mhd;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of what follows */
/* Bodies on their way in. */
static struct body {
    FILE *file; /* NULL: free */
    size_t bytes, most;
} bodies[BODIES];
static char started; /* its address marks a request without one */
static int open_requests; /* whose answers are not sent yet */

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static int answer(const nst_http_request *q, unsigned status, const char *type, bool kept, struct MHD_Response *r)
{
    enum MHD_Result queued;

    if (!r)
        return MHD_NO;
    lib.MHD_add_response_header(r, "Content-Type", type);
    lib.MHD_add_response_header(r, "Cache-Control", kept ? "private, max-age=86400, immutable" : "no-store");
    lib.MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    lib.MHD_add_response_header(r, "Referrer-Policy", "no-referrer");
    lib.MHD_add_response_header(r, "Cross-Origin-Resource-Policy", "same-origin");
    lib.MHD_add_response_header(r, "Cross-Origin-Opener-Policy", "same-origin");
    lib.MHD_add_response_header(r, "Content-Security-Policy",
                                "default-src 'self'; img-src 'self' data: blob:; frame-ancestors 'none'; "
                                "base-uri 'none'; form-action 'none'");
    queued = lib.MHD_queue_response(q->connection, status, r);
    lib.MHD_destroy_response(r);
    return (int)queued;
}

int nst_http_text(const nst_http_request *r, nst_http_status status, const char *type, const char *data, size_t bytes)
{
    return answer(r, status, type, false,
                  lib.MHD_create_response_from_buffer(bytes, (void *)data, MHD_RESPMEM_MUST_COPY));
}

int nst_http_plain(const nst_http_request *r, nst_http_status status, const char *sentence)
{
    return nst_http_text(r, status, "text/plain; charset=utf-8", sentence, strlen(sentence));
}

int nst_http_redirect(const nst_http_request *r, const char *path)
{
    struct MHD_Response *empty = lib.MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);

    if (empty)
        lib.MHD_add_response_header(empty, "Location", path);
    return answer(r, MHD_HTTP_FOUND, "text/plain; charset=utf-8", false, empty);
}

int nst_http_file(const nst_http_request *r, int fd, const char *type, bool kept, const char *name)
{
    off_t bytes = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    struct MHD_Response *file;
    char saved[128];

    if (bytes < 0) {
        if (fd >= 0)
            close(fd);
        return nst_http_plain(r, NST_HTTP_MISSING, "no picture yet\n");
    }
    file = lib.MHD_create_response_from_fd_at_offset64((uint64_t)bytes, fd, 0);
    if (!file)
        close(fd);
    if (file && name) {
        snprintf(saved, sizeof saved, "attachment; filename=\"%s\"", name);
        lib.MHD_add_response_header(file, "Content-Disposition", saved);
    }
    return answer(r, MHD_HTTP_OK, type, kept, file);
}

/* ---- who asks ---------------------------------------------------------------------------------------------------- */

const char *nst_http_header(const nst_http_request *r, const char *name)
{
    return lib.MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

/* Numbers and colons are an address, which no foreign name stands for; a name is ours or this machine's. */
static bool is_ours(const char *host)
{
    char name[128], *colon;

    if (!host || (size_t)snprintf(name, sizeof name, "%s", host) >= sizeof name)
        return false;
    colon = strrchr(name, ':');
    if (colon && !strchr(colon, ']'))
        *colon = 0;
    return !strcmp(name, "localhost") || !strcmp(name, server.host) || strspn(name, "0123456789.") == strlen(name) ||
           (*name == '[' && strspn(name, "[]0123456789abcdefABCDEF:.") == strlen(name));
}

/* A page from elsewhere may neither look nor press: a name that was bent to this address has a foreign Host, a script
 * of another page a foreign Origin. */
static bool is_trusted(const nst_http_request *r)
{
    const char *host = nst_http_header(r, "Host"), *origin = nst_http_header(r, "Origin");

    return is_ours(host) && (!origin || (!strncmp(origin, "http://", 7) && !strcmp(origin + 7, host)));
}

/* Whoever comes from elsewhere has the password, with any user. */
static bool is_known(const nst_http_request *r)
{
    char *given = NULL, *user;
    bool right;

    if (!server.guarded)
        return true;
    user = lib.MHD_basic_auth_get_username_password(r->connection, &given);
    right = given && strlen(given) == strlen(server.password) &&
            nst_password_same(given, server.password, strlen(server.password));
    lib.MHD_free(user);
    lib.MHD_free(given);
    return right;
}

static int ask_password(const nst_http_request *r)
{
    static const char text[] = "the password is the one that nst printed\n";
    struct MHD_Response *asks = lib.MHD_create_response_from_buffer(sizeof text - 1, (void *)text,
                                                                    MHD_RESPMEM_PERSISTENT);

    if (asks)
        lib.MHD_add_response_header(asks, "WWW-Authenticate", "Basic realm=\"nst\", charset=\"UTF-8\"");
    return answer(r, MHD_HTTP_UNAUTHORIZED, "text/plain; charset=utf-8", false, asks);
}

struct pair {
    const char *key, *value;
};

static enum MHD_Result first_argument(void *arg, enum MHD_ValueKind kind, const char *key, const char *value)
{
    (void)kind;
    *(struct pair *)arg = (struct pair){ key, value };
    return MHD_NO;
}

const char *nst_http_argument(const nst_http_request *r, const char **value)
{
    struct pair first = { NULL, NULL };

    lib.MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, first_argument, &first);
    *value = first.value;
    return first.key;
}

/* ---- bodies ------------------------------------------------------------------------------------------------------ */

static struct body *take_body(size_t most)
{
    FILE *f = tmpfile();
    struct body *b = NULL;

    pthread_mutex_lock(&lock);
    for (int i = 0; f && !b && i < BODIES; i++)
        if (!bodies[i].file) {
            b = &bodies[i];
            *b = (struct body){ .file = f, .most = most };
        }
    pthread_mutex_unlock(&lock);
    if (f && !b)
        fclose(f);
    return b;
}

static void give_body_back(struct body *b)
{
    FILE *f = b->file;

    pthread_mutex_lock(&lock);
    b->file = NULL;
    pthread_mutex_unlock(&lock);
    fclose(f);
}

static int count_requests(int change)
{
    int now;

    pthread_mutex_lock(&lock);
    now = open_requests += change;
    pthread_mutex_unlock(&lock);
    return now;
}

/* However a request ends. */
static void completed(void *arg, struct MHD_Connection *c, void **seen, enum MHD_RequestTerminationCode how)
{
    (void)arg, (void)c, (void)how;
    if (*seen)
        count_requests(-1);
    if (*seen && *seen != &started)
        give_body_back(*seen);
    *seen = NULL;
}

/* The headers have come: what is too long is refused before it is sent. */
static int begin(const nst_http_request *r, void **seen)
{
    const char *length = nst_http_header(r, "Content-Length");
    size_t most = r->post && server.room && is_trusted(r) && is_known(r) ? server.room(r) : 0;
    struct body *body;

    *seen = &started;
    count_requests(1);
    if (!most)
        return MHD_YES;
    if (length && (strspn(length, "0123456789") != strlen(length) || strtoull(length, NULL, 10) > most))
        return nst_http_plain(r, NST_HTTP_LARGE, "the file is too large\n");
    body = take_body(most);
    if (!body)
        return nst_http_plain(r, NST_HTTP_BUSY, "too many files come at the same time\n");
    *seen = body;
    return MHD_YES;
}

static enum MHD_Result more(struct body *b, const char *data, size_t *bytes)
{
    bool fits = *bytes <= b->most - b->bytes;

    if (!fits || fwrite(data, 1, *bytes, b->file) != *bytes)
        return MHD_NO;
    b->bytes += *bytes;
    *bytes = 0;
    return MHD_YES;
}

static enum MHD_Result serve(void *arg, struct MHD_Connection *c, const char *url, const char *method,
                             const char *version, const char *data, size_t *bytes, void **seen)
{
    nst_http_request r = { .path = url, .post = !strcmp(method, "POST"), .body = -1, .connection = c };
    struct body *body = *seen == &started ? NULL : *seen;

    (void)arg, (void)version;
    if (!*seen)
        return (enum MHD_Result)begin(&r, seen);
    if (*bytes) {
        if (body)
            return more(body, data, bytes);
        *bytes = 0;
        return MHD_YES;
    }
    if (!is_trusted(&r))
        return (enum MHD_Result)nst_http_plain(&r, NST_HTTP_FORBIDDEN, "only pages of this server are answered\n");
    if (!is_known(&r))
        return (enum MHD_Result)ask_password(&r);
    r.known = server.guarded;
    if (!r.post && strcmp(method, "GET") && strcmp(method, "HEAD"))
        return (enum MHD_Result)nst_http_plain(&r, NST_HTTP_METHOD, "GET or POST\n");
    if (body && (fflush(body->file) || fseek(body->file, 0, SEEK_SET)))
        return (enum MHD_Result)nst_http_plain(&r, NST_HTTP_BUSY, "the file cannot be kept: is the disk full?\n");
    if (body) {
        r.body = fileno(body->file);
        r.bytes = body->bytes;
    }
    return (enum MHD_Result)server.answer(&r);
}

/* ---- starting ---------------------------------------------------------------------------------------------------- */

/* lazy.c says what --web needs. */
static nst_status lacking(const char *name, nst_error *e)
{
    static const char web[] = "--web ";
    nst_error said = *e;

    if (!strncmp(said.text, web, sizeof web - 1))
        fail(e, NST_EUNSUPPORTED, "%s %s", name, said.text + sizeof web - 1);
    return NST_EUNSUPPORTED;
}

nst_status nst_http_open(nst_http_server *s, char *url, nst_error *e)
{
    nst_status status = load(e);
    int fd = -1;

    if (status)
        return lacking(s->name, e);
    server = *s;
    server.host = s->host ? s->host : "127.0.0.1";
    status = nst_http_listen(&server, &fd, e);
    if (status)
        return status;
    s->port = server.port;
    s->guarded = server.guarded;
    mhd = lib.MHD_start_daemon(MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, serve, NULL,
                               MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)NST_HTTP_CLIENTS,
                               MHD_OPTION_CONNECTION_TIMEOUT, 15u, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)16384,
                               MHD_OPTION_NOTIFY_COMPLETED, completed, NULL,
                               MHD_OPTION_THREAD_POOL_SIZE, s->threads > 1 ? s->threads : 0u, MHD_OPTION_END);
    if (!mhd) {
        close(fd);
        errno = 0;
        return nst_http_refuse(&server, e, "the server does not start");
    }
    snprintf(url, 128, strchr(server.host, ':') ? "http://[%s]:%d/" : "http://%s:%d/", server.host, server.port);
    return NST_OK;
}

void nst_http_close(void)
{
    double until = nst_clock_now() + 1;

    if (!mhd)
        return;
    while (count_requests(0) && nst_clock_now() < until) /* else an answer on its way is cut off */
        nst_clock_rest(.01);
    lib.MHD_stop_daemon(mhd);
    mhd = NULL;
}

#else

nst_status nst_http_open(nst_http_server *s, char *url, nst_error *e)
{
    (void)url;
    return fail(e, NST_EUNSUPPORTED, "%s: this build has no libmicrohttpd", s->name);
}

void nst_http_close(void)
{
}

const char *nst_http_header(const nst_http_request *r, const char *name)
{
    (void)r, (void)name;
    return NULL;
}

const char *nst_http_argument(const nst_http_request *r, const char **value)
{
    (void)r;
    *value = NULL;
    return NULL;
}

int nst_http_text(const nst_http_request *r, nst_http_status status, const char *type, const char *data, size_t bytes)
{
    (void)r, (void)status, (void)type, (void)data, (void)bytes;
    return 0;
}

int nst_http_plain(const nst_http_request *r, nst_http_status status, const char *sentence)
{
    (void)r, (void)status, (void)sentence;
    return 0;
}

int nst_http_redirect(const nst_http_request *r, const char *path)
{
    (void)r, (void)path;
    return 0;
}

int nst_http_file(const nst_http_request *r, int fd, const char *type, bool kept, const char *name)
{
    (void)r, (void)fd, (void)type, (void)kept, (void)name;
    return 0;
}

#endif
