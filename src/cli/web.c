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
#include "cli/paths.h"
#include "cli/snapshot.h"
#include "cli/strip.h"
/* index_html, nst_css, nst_js */
#include "web_files.inc"

#define POINTS 300       /* of the curve: when they are full, every second one goes */
#define WATCHED 5        /* seconds after which a page that asks nothing is gone */
#define PORT 8642        /* where nobody names one */

struct point {
    int done;
    double total, content, style;
};

static struct nst_web {
    pthread_mutex_t lock; /* of what follows */
    char json[40000];
    double asked;         /* when the state was last asked for */
    int seen;             /* the last picture that was */
    bool ended, told;     /* json says that it has ended; that was asked for */
    bool paused, stop;
    double strength;      /* wanted */
    nst_snapshot content, picture;
    nst_strip strip;      /* a film's */
    /* of the painting's thread alone */
    struct point curve[POINTS];
    int points, every;
    double in_force, described;
    char what[440], token[33];
    nst_progress last;
    bool is_film;         /* since the beginning */
    nst_web_film film;
    long finished;        /* pictures of the film, by this process */
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
    web.told = web.ended;
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

/* strip.jpg?NUMBER */
static int of_strip(const nst_http_request *r)
{
    const char *value, *number = nst_http_argument(r, &value);

    return nst_http_file(r, number ? nst_strip_file(&web.strip, strtol(number, NULL, 10)) : -1, "image/jpeg", false,
                         NULL);
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
    else if (!strcmp(r->path, "/strength") && !web.is_film && value && end != value && !*end && v >= 0 && v <= 100)
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
    if (!strcmp(r->path, "/strip.jpg"))
        return of_strip(r);
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

/* What the page knows of a film. */
static size_t describe_film(char *out, size_t room)
{
    const nst_web_film *f = &web.film;
    char numbers[NST_STRIP * 24];

    nst_strip_numbers(&web.strip, numbers, sizeof numbers);
    return (size_t)snprintf(out, room, "\"film\":{\"number\":%ld,\"pass\":%d,\"done\":%.0f,\"total\":%.0f,"
                            "\"strip\":[%s]},", f->number, f->pass, f->done, f->total, numbers);
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
        "\"height\":%d,\"done\":%d,\"total\":%d,\"left\":%.1f,\"strength\":%g,\"picture\":%d,",
        what, how, p->scale, p->scales, p->width, p->height, p->done, p->total_iterations,
        web.is_film ? web.film.left : p->remaining, web.in_force, nst_snapshot_number(&web.picture));
    if (web.is_film)
        n += describe_film(out + n, sizeof out - n);
    n += (size_t)snprintf(out + n, sizeof out - n, "\"curve\":[");
    for (int i = 0; i < web.points; i++)
        n += (size_t)snprintf(out + n, sizeof out - n, "%s[%d,%.4g,%.4g,%.4g]", i ? "," : "", web.curve[i].done,
                              web.curve[i].total, web.curve[i].content, web.curve[i].style);
    snprintf(out + n, sizeof out - n, "]}\n");
    pthread_mutex_lock(&web.lock);
    memcpy(web.json, out, n + 4);
    pthread_mutex_unlock(&web.lock);
    web.described = nst_clock_now();
}

/* The losses of the iteration done, or of a film's picture of that number. */
static void remember(const nst_progress *p, int done)
{
    struct point *at = &web.curve[web.points];

    if (done % web.every)
        return;
    if (web.points == POINTS) {
        web.every *= 2;
        for (int i = 0; i < POINTS / 2; i++)
            web.curve[i] = web.curve[2 * i + 1];
        at = &web.curve[web.points = POINTS / 2];
    }
    *at = (struct point){ .done = done, .total = p->total, .content = p->content };
    for (int i = 0; i < p->style_layers; i++)
        at->style += p->style[i];
    web.points++;
}

void nst_web_progress(nst_web *w, const nst_progress *p, int (*pending)(void), bool *stop)
{
    bool paused, watched, said = false;
    double wanted;

    w->last = *p;
    if (!w->is_film)
        remember(p, p->done);
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
        if (watched && !said && !w->finished && nst_snapshot_due(&w->picture))
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

/* ---- a film ------------------------------------------------------------------------------------------------------ */

void nst_web_begin_picture(nst_web *w, const nst_web_film *at, const nst_image *film)
{
    if (at->pass != w->film.pass)
        nst_strip_clear(&w->strip);
    w->film = *at;
    if (!w->finished) /* the first one is shown as it forms */
        nst_snapshot_put(&w->content, film);
}

void nst_web_end_picture(nst_web *w, long number, const nst_image *film, const nst_image *painted)
{
    bool watched;

    pthread_mutex_lock(&w->lock);
    watched = nst_clock_now() - w->asked < WATCHED;
    pthread_mutex_unlock(&w->lock);
    w->finished++;
    w->film.done++;
    if (w->last.iteration)
        remember(&w->last, (int)w->finished);
    nst_strip_add(&w->strip, number, painted);
    if (!watched && w->finished > 1)
        return;
    nst_snapshot_put(&w->content, film);
    nst_snapshot_put(&w->picture, painted);
}

/* ---- beginning and end ------------------------------------------------------------------------------------------- */

void nst_web_close(nst_web **p, const nst_image *result, bool stopped)
{
    nst_web *w = *p;
    double until = nst_clock_now() + WATCHED;
    int last;

    *p = NULL;
    if (!w)
        return;
    if (result)
        nst_snapshot_put(&w->picture, result);
    w->last.remaining = 0;
    describe(stopped ? "stopped" : "done");
    pthread_mutex_lock(&w->lock);
    w->ended = true;
    pthread_mutex_unlock(&w->lock);
    last = nst_snapshot_number(&w->picture);
    for (bool there = true; there && nst_clock_now() < until; nst_clock_rest(.05)) { /* who looks sees the end */
        pthread_mutex_lock(&w->lock);
        there = nst_clock_now() - w->asked < WATCHED && (!w->told || w->seen < last);
        pthread_mutex_unlock(&w->lock);
    }
    nst_http_close();
    nst_snapshot_put(&w->content, NULL);
    nst_snapshot_put(&w->picture, NULL);
    nst_strip_clear(&w->strip);
    pthread_mutex_destroy(&w->lock);
}

static nst_status serve_at(const nst_command *c, bool quiet, nst_error *e)
{
    nst_http_server server = { .name = "--web", .port_option = "--web-port", .host_option = "--web-host",
                               .host = c->web_host, .port = c->web_port ? c->web_port : PORT, .answer = serve };
    bool far = c->web_host && strncmp(c->web_host, "127.", 4);
    char url[128];
    nst_status s;

    if (!nst_password_make(web.token))
        return fail(e, NST_EIO, "--web: /dev/urandom gives no numbers for the page's token");
    s = nst_http_open(&server, url, e);
    if (!s && !quiet)
        nst_say(stderr, "nst: %s shows the painting as it forms%s%s%s", url,
                far ? "; whoever reaches it can watch the painting" : "", far && !web.is_film ? ", change" : "",
                far ? " and stop it" : "");
    return s;
}

nst_status nst_web_open(nst_web **w, const nst_command *c, bool quiet, const nst_image *content, double strength,
                        nst_error *e)
{
    nst_status s;

    *w = NULL;
    if (!c->web && !c->web_port && !c->web_host)
        return NST_OK;
    web = (struct nst_web){ .content = NST_SNAPSHOT, .picture = NST_SNAPSHOT, .strip = NST_STRIP_EMPTY,
                            .every = 1, .strength = strength, .in_force = strength, .is_film = !content };
    pthread_mutex_init(&web.lock, NULL);
    snprintf(web.what, sizeof web.what, "%.200s in the style of %.200s", nst_paths_base(c->content),
             nst_paths_base(c->style[0]));
    web.film = (nst_web_film){ .left = -1 };
    nst_snapshot_put(&web.content, content);
    describe("painting");
    web.described = 0;
    s = serve_at(c, quiet, e);
    if (s)
        nst_snapshot_put(&web.content, NULL);
    else
        *w = &web;
    return s;
}

nst_status nst_web_open_film(nst_web **w, const nst_command *c, bool quiet, nst_error *e)
{
    return nst_web_open(w, c, quiet, NULL, 0, e);
}
