/* web.c: a web page that shows the painting as it forms.  The server's threads see a snapshot only, made by the
 * painting's own thread; they never touch the run.  Only pages that came from here may press anything. */
#include "cli/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/clock.h"
#include "cli/fail.h"
#include "cli/http.h"
#include "cli/password.h"
#include "cli/snapshot.h"
/* index_html, nst_css, nst_js */
#include "web_files.inc"

#define POINTS 300       /* of the curve: when they are full, every second one goes */
#define WATCHED 5        /* seconds after which a page that asks nothing is gone */

struct point {
    int done;
    double total, content, style;
};

static struct nst_web {
    pthread_mutex_t lock; /* of what follows */
    char json[40000];
    double asked;         /* when the state was last asked for */
    int seen;             /* the last picture that was */
    bool paused, stop;
    double strength;      /* wanted */
    nst_snapshot content, picture;
    /* of the painting's thread alone */
    struct point curve[POINTS];
    int points, every;
    double in_force, described;
    char what[200], token[33];
    nst_progress last;
} web;

/* ---- the server's threads --------------------------------------------------------------------------------------- */

/* The page with the token that its own requests must carry. */
static int page(const nst_http_request *r)
{
    static const char mark[] = "@TOKEN@";
    char out[sizeof index_html + sizeof web.token];
    const char *at = strstr(index_html, mark);
    int n = snprintf(out, sizeof out, "%.*s%s%s", (int)(at - index_html), index_html, web.token, at + sizeof mark - 1);

    return nst_http_text(r, NST_HTTP_OK, "text/html; charset=utf-8", out, (size_t)n);
}

static int state(const nst_http_request *r)
{
    int answer;

    pthread_mutex_lock(&web.lock);
    web.asked = nst_clock_now();
    answer = nst_http_text(r, NST_HTTP_OK, "application/json", web.json, strlen(web.json));
    pthread_mutex_unlock(&web.lock);
    return answer;
}

static int painting(const nst_http_request *r)
{
    int number, fd = nst_snapshot_file(&web.picture, &number);

    pthread_mutex_lock(&web.lock);
    web.seen = number;
    pthread_mutex_unlock(&web.lock);
    return nst_http_file(r, fd, "image/jpeg", false, NULL);
}

static int press(const nst_http_request *r)
{
    const char *token = nst_http_header(r, "X-Nst-Token"), *rest, *value = nst_http_argument(r, &rest);
    bool good = true;
    char *end;
    double v;

    if (!token || strcmp(token, web.token))
        return nst_http_plain(r, NST_HTTP_FORBIDDEN, "the page's token is missing\n");
    v = value ? strtod(value, &end) : -1; /* strength?60 has a key without a value */
    pthread_mutex_lock(&web.lock);
    if (!strcmp(r->path, "/pause"))
        web.paused = true;
    else if (!strcmp(r->path, "/go"))
        web.paused = false;
    else if (!strcmp(r->path, "/stop"))
        web.stop = true;
    else if (!strcmp(r->path, "/strength") && value && end != value && !*end && v >= 0 && v <= 100)
        web.strength = v;
    else
        good = false;
    pthread_mutex_unlock(&web.lock);
    return good ? nst_http_plain(r, NST_HTTP_OK, "done\n")
                : nst_http_plain(r, NST_HTTP_BAD, "unknown, or out of range\n");
}

static int serve(const nst_http_request *r)
{
    if (r->post)
        return press(r);
    if (!strcmp(r->path, "/"))
        return page(r);
    if (!strcmp(r->path, "/nst.js"))
        return nst_http_text(r, NST_HTTP_OK, "text/javascript; charset=utf-8", nst_js, sizeof nst_js - 1);
    if (!strcmp(r->path, "/nst.css"))
        return nst_http_text(r, NST_HTTP_OK, "text/css; charset=utf-8", nst_css, sizeof nst_css - 1);
    if (!strcmp(r->path, "/state.json"))
        return state(r);
    if (!strcmp(r->path, "/picture.jpg"))
        return painting(r);
    if (!strcmp(r->path, "/content.jpg"))
        return nst_http_file(r, nst_snapshot_file(&web.content, NULL), "image/jpeg", false, NULL);
    return nst_http_plain(r, NST_HTTP_MISSING, "not here\n");
}

/* ---- the painting's thread --------------------------------------------------------------------------------------- */

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
    static char out[sizeof web.json]; /* too much for a small stack; there is one such thread */
    char what[6 * sizeof web.what];
    size_t n;

    quote(web.what, what, sizeof what);
    n = (size_t)snprintf(out, sizeof out,
        "{\"what\":\"%s\",\"state\":\"%s\",\"scale\":%d,\"scales\":%d,\"width\":%d,"
        "\"height\":%d,\"done\":%d,\"total\":%d,\"left\":%.1f,\"strength\":%g,\"picture\":%d,\"curve\":[",
        what, how, p->scale, p->scales, p->width, p->height, p->done, p->total_iterations, p->remaining, web.in_force,
        nst_snapshot_number(&web.picture));
    for (int i = 0; i < web.points; i++)
        n += (size_t)snprintf(out + n, sizeof out - n, "%s[%d,%.4g,%.4g,%.4g]", i ? "," : "", web.curve[i].done,
                              web.curve[i].total, web.curve[i].content, web.curve[i].style);
    snprintf(out + n, sizeof out - n, "]}\n");
    pthread_mutex_lock(&web.lock);
    memcpy(web.json, out, n + 4);
    pthread_mutex_unlock(&web.lock);
    web.described = nst_clock_now();
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
    bool paused, watched, said = false;
    double wanted;

    w->last = *p;
    remember(p);
    for (;;) {
        int pictures = nst_snapshot_number(&w->picture);

        pthread_mutex_lock(&w->lock);
        paused = w->paused;
        *stop = w->stop;
        watched = pictures == 0 || nst_clock_now() - w->asked < WATCHED;
        wanted = w->strength;
        pthread_mutex_unlock(&w->lock);
        if ((wanted < w->in_force || wanted > w->in_force) && nst_progress_strength(p, wanted, NULL) == NST_OK)
            w->in_force = wanted;
        if (watched && !said && nst_snapshot_due(&w->picture))
            nst_snapshot_renew(&w->picture, p);
        if (!said || nst_clock_now() - w->described > .5)
            if (said || nst_clock_now() - w->described > .2 || paused)
                describe(paused ? "paused" : "painting");
        said = true;
        if (!paused || *stop || pending())
            return;
        nst_clock_rest(.05);
    }
}

void nst_web_close(nst_web **p, const nst_image *result, bool stopped)
{
    nst_web *w = *p;
    double until = nst_clock_now() + 3;
    int last;

    *p = NULL;
    if (!w)
        return;
    if (result)
        nst_snapshot_put(&w->picture, result);
    w->last.remaining = 0;
    describe(stopped ? "stopped" : "done");
    last = nst_snapshot_number(&w->picture);
    for (bool there = true; there && nst_clock_now() < until; nst_clock_rest(.05)) { /* who looks sees the end */
        pthread_mutex_lock(&w->lock);
        there = nst_clock_now() - w->asked < WATCHED && w->seen < last;
        pthread_mutex_unlock(&w->lock);
    }
    nst_http_close();
    nst_snapshot_put(&w->content, NULL);
    nst_snapshot_put(&w->picture, NULL);
    pthread_mutex_destroy(&w->lock);
}

nst_status nst_web_open(nst_web **w, const char *host, int port, const char *what, const nst_image *content,
                        double strength, char *url, nst_error *e)
{
    nst_http_server server = { .name = "--web", .port_option = "--web-port", .host_option = "--web-host", .host = host,
                               .port = port, .answer = serve };
    nst_status s;

    *w = NULL;
    web = (struct nst_web){ .content = NST_SNAPSHOT, .picture = NST_SNAPSHOT, .every = 1, .strength = strength,
                            .in_force = strength };
    pthread_mutex_init(&web.lock, NULL);
    if (!nst_password_make(web.token))
        return fail(e, NST_EIO, "--web: /dev/urandom gives no numbers for the page's token");
    snprintf(web.what, sizeof web.what, "%s", what);
    nst_snapshot_put(&web.content, content);
    describe("painting");
    web.described = 0;
    s = nst_http_open(&server, url, e);
    if (s) {
        nst_snapshot_put(&web.content, NULL);
        return s;
    }
    *w = &web;
    return NST_OK;
}
