/* web.c: a web page that shows the painting as it forms.  The server's threads see a snapshot only, made by the
 * painting's own thread; they never touch the run.  Only pages that came from here may press anything. */
#include "cli/web.h"

#include <string.h>

#ifdef HAVE_LIBMICROHTTPD

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/lazy.h"
/* index_html, nst_css, nst_js */
#include "web_files.inc"

#define SYMBOLS(X)                                                                                                   \
    X(MHD_add_response_header) X(MHD_create_response_from_buffer) X(MHD_create_response_from_fd_at_offset64)         \
    X(MHD_destroy_response) X(MHD_get_connection_values) X(MHD_lookup_connection_value) X(MHD_queue_response)        \
    X(MHD_start_daemon) X(MHD_stop_daemon)
NST_LAZY(LIBMICROHTTPD, SYMBOLS)

#define CLIENTS 128
#define POINTS 300       /* of the curve: when they are full, every second one goes */
#define WATCHED 5        /* seconds after which a page that asks nothing is gone */
#define SHARE 20         /* pictures take at most one second in so many */

struct point {
    int done;
    double total, content, style;
};

static struct nst_web {
    pthread_mutex_t lock; /* of what follows */
    char json[40000];
    int content, picture; /* open files, -1: none yet */
    int number;           /* of the picture, from 1 */
    double asked, seen;   /* when the state was last asked for; the last picture that was */
    bool paused, stop;
    double strength;      /* wanted */
    /* of the painting's thread alone */
    struct MHD_Daemon *daemon;
    struct point curve[POINTS];
    int points, every;
    double in_force, drawn, took, described;
    char what[200], token[33], host[64];
    int port;
    nst_progress last;
} web;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void pause_for(double seconds)
{
    struct timespec t = { .tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9) };

    nanosleep(&t, NULL);
}

/* ---- the server's threads --------------------------------------------------------------------------------------- */

static enum MHD_Result answer(struct MHD_Connection *c, unsigned status, const char *type, struct MHD_Response *r)
{
    enum MHD_Result queued;

    if (!r)
        return MHD_NO;
    lib.MHD_add_response_header(r, "Content-Type", type);
    lib.MHD_add_response_header(r, "Cache-Control", "no-store");
    lib.MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    lib.MHD_add_response_header(r, "Referrer-Policy", "no-referrer");
    lib.MHD_add_response_header(r, "Cross-Origin-Resource-Policy", "same-origin");
    lib.MHD_add_response_header(r, "Content-Security-Policy",
                            "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'");
    queued = lib.MHD_queue_response(c, status, r);
    lib.MHD_destroy_response(r);
    return queued;
}

static enum MHD_Result text(struct MHD_Connection *c, unsigned status, const char *type, const char *data, size_t bytes)
{
    return answer(c, status, type, lib.MHD_create_response_from_buffer(bytes, (void *)data, MHD_RESPMEM_MUST_COPY));
}

static enum MHD_Result plain(struct MHD_Connection *c, unsigned status, const char *sentence)
{
    return text(c, status, "text/plain", sentence, strlen(sentence));
}

/* The page with the token that its own requests must carry. */
static enum MHD_Result page(struct MHD_Connection *c)
{
    static const char mark[] = "@TOKEN@";
    char out[sizeof index_html + sizeof web.token];
    const char *at = strstr(index_html, mark);
    int n = snprintf(out, sizeof out, "%.*s%s%s", (int)(at - index_html), index_html, web.token, at + sizeof mark - 1);

    return text(c, MHD_HTTP_OK, "text/html; charset=utf-8", out, (size_t)n);
}

static enum MHD_Result state(struct MHD_Connection *c)
{
    enum MHD_Result r;

    pthread_mutex_lock(&web.lock);
    web.asked = now();
    r = text(c, MHD_HTTP_OK, "application/json", web.json, strlen(web.json));
    pthread_mutex_unlock(&web.lock);
    return r;
}

/* A file of its own for each answer: the painting may put another picture in its place meanwhile. */
static enum MHD_Result picture(struct MHD_Connection *c, const int *file)
{
    off_t bytes = 0;
    int fd;

    pthread_mutex_lock(&web.lock);
    fd = *file < 0 ? -1 : fcntl(*file, F_DUPFD_CLOEXEC, 0);
    if (file == &web.picture)
        web.seen = web.number;
    pthread_mutex_unlock(&web.lock);
    if (fd < 0 || (bytes = lseek(fd, 0, SEEK_END)) < 0) {
        if (fd >= 0)
            close(fd);
        return plain(c, MHD_HTTP_NOT_FOUND, "no picture yet\n");
    }
    return answer(c, MHD_HTTP_OK, "image/jpeg",
                  lib.MHD_create_response_from_fd_at_offset64((uint64_t)bytes, fd, 0));
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
    return !strcmp(name, "localhost") || !strcmp(name, web.host) || strspn(name, "0123456789.") == strlen(name) ||
           (*name == '[' && strspn(name, "[]0123456789abcdefABCDEF:.") == strlen(name));
}

/* A page from elsewhere may neither look nor press: a name that was bent to this address has a foreign Host, a script
 * of another page a foreign Origin. */
static bool is_trusted(struct MHD_Connection *c)
{
    const char *host = lib.MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Host");
    const char *origin = lib.MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Origin");

    return is_ours(host) && (!origin || (!strncmp(origin, "http://", 7) && !strcmp(origin + 7, host)));
}

/* strength?60 has a key without a value. */
static enum MHD_Result first_argument(void *arg, enum MHD_ValueKind kind, const char *key, const char *value)
{
    (void)kind, (void)value;
    *(const char **)arg = key;
    return MHD_NO;
}

static enum MHD_Result press(struct MHD_Connection *c, const char *url)
{
    const char *token = lib.MHD_lookup_connection_value(c, MHD_HEADER_KIND, "X-Nst-Token"), *value = NULL;
    bool good = true;
    char *end;
    double v;

    if (!token || strcmp(token, web.token))
        return plain(c, MHD_HTTP_FORBIDDEN, "the page's token is missing\n");
    lib.MHD_get_connection_values(c, MHD_GET_ARGUMENT_KIND, first_argument, &value);
    v = value ? strtod(value, &end) : -1;
    pthread_mutex_lock(&web.lock);
    if (!strcmp(url, "/pause"))
        web.paused = true;
    else if (!strcmp(url, "/go"))
        web.paused = false;
    else if (!strcmp(url, "/stop"))
        web.stop = true;
    else if (!strcmp(url, "/strength") && value && end != value && !*end && v >= 0 && v <= 100)
        web.strength = v;
    else
        good = false;
    pthread_mutex_unlock(&web.lock);
    return good ? plain(c, MHD_HTTP_OK, "done\n") : plain(c, MHD_HTTP_BAD_REQUEST, "unknown, or out of range\n");
}

static enum MHD_Result serve(void *arg, struct MHD_Connection *c, const char *url, const char *method,
                             const char *version,
                             const char *data, size_t *bytes, void **seen)
{
    static int started;

    (void)arg, (void)version, (void)data;
    if (!*seen) { /* the headers; the body, of which nothing is wanted, follows */
        *seen = &started;
        return MHD_YES;
    }
    if (*bytes) {
        *bytes = 0;
        return MHD_YES;
    }
    if (!is_trusted(c))
        return plain(c, MHD_HTTP_FORBIDDEN, "only pages of this server are answered\n");
    if (!strcmp(method, "POST"))
        return press(c, url);
    if (strcmp(method, "GET") && strcmp(method, "HEAD"))
        return plain(c, MHD_HTTP_METHOD_NOT_ALLOWED, "GET or POST\n");
    if (!strcmp(url, "/"))
        return page(c);
    if (!strcmp(url, "/nst.js"))
        return text(c, MHD_HTTP_OK, "text/javascript; charset=utf-8", nst_js, sizeof nst_js - 1);
    if (!strcmp(url, "/nst.css"))
        return text(c, MHD_HTTP_OK, "text/css; charset=utf-8", nst_css, sizeof nst_css - 1);
    if (!strcmp(url, "/state.json"))
        return state(c);
    if (!strcmp(url, "/picture.jpg"))
        return picture(c, &web.picture);
    if (!strcmp(url, "/content.jpg"))
        return picture(c, &web.content);
    return plain(c, MHD_HTTP_NOT_FOUND, "not here\n");
}

/* ---- the painting's thread --------------------------------------------------------------------------------------- */

/* The picture as a JPEG in a file without a name; -1 where that fails: the page then keeps what it has. */
static int draw(const nst_image *image)
{
    nst_write_options o = { .jpeg_quality = 88, .format = "jpeg" };
    FILE *f = tmpfile();
    int fd = -1;

    if (f && nst_image_write_fd(image, fileno(f), "picture", &o, NULL) == NST_OK)
        fd = fcntl(fileno(f), F_DUPFD_CLOEXEC, 0);
    if (f)
        fclose(f);
    return fd;
}

static void put(const nst_image *image)
{
    int fd = draw(image), old;

    if (fd < 0)
        return;
    pthread_mutex_lock(&web.lock);
    old = web.picture;
    web.picture = fd;
    web.number++;
    pthread_mutex_unlock(&web.lock);
    if (old >= 0)
        close(old);
}

/* A text within quotes. */
static size_t quote(const char *from, char *to, size_t room)
{
    size_t n = 0;

    for (; *from && n + 7 < room; from++)
        if ((unsigned char)*from < 32 || *from == '"' || *from == '\\')
            n += (size_t)snprintf(to + n, room - n, "\\u%04x", (unsigned char)*from);
        else
            to[n++] = *from;
    to[n] = 0;
    return n;
}

static void describe(const char *how)
{
    const nst_progress *p = &web.last;
    char out[sizeof web.json], what[6 * sizeof web.what];
    size_t n;

    quote(web.what, what, sizeof what);
    n = (size_t)snprintf(out, sizeof out,
        "{\"what\":\"%s\",\"state\":\"%s\",\"scale\":%d,\"scales\":%d,\"width\":%d,"
        "\"height\":%d,\"done\":%d,\"total\":%d,\"left\":%.1f,\"strength\":%g,\"picture\":%d,\"curve\":[",
        what, how, p->scale, p->scales, p->width, p->height, p->done, p->total_iterations, p->remaining, web.in_force,
        web.number);
    for (int i = 0; i < web.points; i++)
        n += (size_t)snprintf(out + n, sizeof out - n, "%s[%d,%.4g,%.4g,%.4g]", i ? "," : "", web.curve[i].done,
                              web.curve[i].total, web.curve[i].content, web.curve[i].style);
    snprintf(out + n, sizeof out - n, "]}\n");
    pthread_mutex_lock(&web.lock);
    memcpy(web.json, out, n + 4);
    pthread_mutex_unlock(&web.lock);
    web.described = now();
}

static void remember(const nst_progress *p)
{
    struct point *at = &web.curve[web.points];

    if (p->done % web.every)
        return;
    if (web.points == POINTS) {
        web.every *= 2;
        for (int i = 0; i < POINTS / 2; i++)
            web.curve[i] = web.curve[2 * i + 1];
        at = &web.curve[web.points = POINTS / 2];
    }
    *at = (struct point){ .done = p->done, .total = p->total, .content = p->content };
    for (int i = 0; i < p->style_layers; i++)
        at->style += p->style[i];
    web.points++;
}

void nst_web_progress(nst_web *w, const nst_progress *p, int (*pending)(void), bool *stop)
{
    nst_image *image = NULL;
    bool paused, watched, said = false;
    double wanted, at = now();

    w->last = *p;
    remember(p);
    for (;;) {
        pthread_mutex_lock(&w->lock);
        paused = w->paused;
        *stop = w->stop;
        watched = w->number == 0 || now() - w->asked < WATCHED;
        wanted = w->strength;
        pthread_mutex_unlock(&w->lock);
        if ((wanted < w->in_force || wanted > w->in_force) && nst_progress_strength(p, wanted, NULL) == NST_OK)
            w->in_force = wanted;
        if (watched && at - w->drawn > 1 && at - w->drawn > SHARE * w->took && !said &&
            nst_progress_image(p, &image, NULL) == NST_OK) {
            put(image);
            nst_image_destroy(&image);
            w->drawn = now();
            w->took = w->drawn - at;
        }
        if (!said || now() - w->described > .5)
            if (said || now() - w->described > .2 || paused)
                describe(paused ? "paused" : "painting");
        said = true;
        if (!paused || *stop || pending())
            return;
        pause_for(.05);
    }
}

void nst_web_close(nst_web **p, const nst_image *result, bool stopped)
{
    nst_web *w = *p;
    double until = now() + 3;
    int last;

    *p = NULL;
    if (!w)
        return;
    if (result)
        put(result);
    w->last.remaining = 0;
    describe(stopped ? "stopped" : "done");
    last = w->number;
    for (bool there = true; there && now() < until; pause_for(.05)) { /* who looks on sees the end */
        pthread_mutex_lock(&w->lock);
        there = now() - w->asked < WATCHED && w->seen < last;
        pthread_mutex_unlock(&w->lock);
    }
    lib.MHD_stop_daemon(w->daemon);
    if (w->content >= 0)
        close(w->content);
    if (w->picture >= 0)
        close(w->picture);
    pthread_mutex_destroy(&w->lock);
}

/* ---- starting ---------------------------------------------------------------------------------------------------- */

static nst_status fail(nst_error *e, const char *host, int port, const char *why)
{
    bool another = errno == EADDRINUSE || errno == EACCES;

    snprintf(e->text, sizeof e->text, "--web: port %d of %.100s cannot be served: %s%s", port, host, why,
             another ? "; --web-port names another" : "");
    return NST_EIO;
}

/* A socket that listens, and the port that it got. */
static nst_status listen_at(const char *host, int *port, int *fd, nst_error *e)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *found;
    union {
        struct sockaddr any;
        struct sockaddr_storage room;
    } got;
    socklen_t bytes = sizeof got;
    char service[16], number[16];
    int one = 1, code;

    snprintf(service, sizeof service, "%d", *port);
    if ((code = getaddrinfo(host, service, &hints, &found))) {
        snprintf(e->text, sizeof e->text, "--web-host: \"%.100s\" is no address of this machine's: %s", host,
                 gai_strerror(code));
        return NST_EIO;
    }
    *fd = socket(found->ai_family, SOCK_STREAM, 0);
    if (*fd >= 0) {
        fcntl(*fd, F_SETFD, FD_CLOEXEC);
        setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    }
    if (*fd < 0 || bind(*fd, found->ai_addr, found->ai_addrlen) || listen(*fd, CLIENTS) ||
        getsockname(*fd, &got.any, &bytes) ||
        getnameinfo(&got.any, bytes, NULL, 0, number, sizeof number, NI_NUMERICSERV)) {
        nst_status s = fail(e, host, *port, strerror(errno));

        if (*fd >= 0)
            close(*fd);
        freeaddrinfo(found);
        return s;
    }
    freeaddrinfo(found);
    *port = (int)strtol(number, NULL, 10);
    return NST_OK;
}

static bool make_token(char out[33])
{
    unsigned char b[16];
    FILE *f = fopen("/dev/urandom", "rb");
    bool good = f && fread(b, 1, sizeof b, f) == sizeof b;

    if (f)
        fclose(f);
    for (size_t i = 0; i < sizeof b && good; i++)
        snprintf(out + 2 * i, 3, "%02x", b[i]);
    return good;
}

nst_status nst_web_open(nst_web **w, const char *host, int port, const char *what, const nst_image *content,
                        double strength, char *url, nst_error *e)
{
    nst_status s;
    int fd;

    *w = NULL;
    host = host ? host : "127.0.0.1";
    s = load(e);
    if (s)
        return s;
    if ((s = listen_at(host, &port, &fd, e)))
        return s;
    web = (nst_web){ .content = -1, .picture = -1, .every = 1, .strength = strength, .in_force = strength,
                     .port = port };
    pthread_mutex_init(&web.lock, NULL);
    snprintf(web.what, sizeof web.what, "%s", what);
    snprintf(web.host, sizeof web.host, "%s", host);
    web.content = draw(content);
    describe("painting");
    web.described = 0;
    if (!make_token(web.token) ||
        !(web.daemon = lib.MHD_start_daemon(MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, serve, NULL,
                                        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CLIENTS,
                                        MHD_OPTION_CONNECTION_TIMEOUT, 15u, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                                        (size_t)16384, MHD_OPTION_END))) {
        close(fd);
        if (web.content >= 0)
            close(web.content);
        errno = 0;
        return fail(e, host, port, "the server does not start");
    }
    snprintf(url, 128, strchr(host, ':') ? "http://[%s]:%d/" : "http://%s:%d/", host, port);
    *w = &web;
    return NST_OK;
}

#else

nst_status nst_web_open(nst_web **w, const char *host, int port, const char *what, const nst_image *content,
                        double strength, char *url, nst_error *e)
{
    (void)host, (void)port, (void)what, (void)content, (void)strength, (void)url;
    *w = NULL;
    strcpy(e->text, "--web: this build has no libmicrohttpd");
    return NST_EUNSUPPORTED;
}

void nst_web_progress(nst_web *w, const nst_progress *p, int (*pending)(void), bool *stop)
{
    (void)w, (void)p, (void)pending;
    *stop = false;
}

void nst_web_close(nst_web **w, const nst_image *result, bool stopped)
{
    (void)result, (void)stopped;
    *w = NULL;
}

#endif
