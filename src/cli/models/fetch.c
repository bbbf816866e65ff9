/* fetch.c: one file over the network: the only file that knows libcurl.  What has come stays in a part (part.c) for the
 * next time. */
#include "cli/models/fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/clock.h"
#include "cli/fail.h"
#include "cli/models/part.h"

#ifdef HAVE_LIBCURL

#define CURL_DISABLE_TYPECHECK /* by macros that call the function by its bare name */
#include <curl/curl.h>
#include <strings.h>

#include "base/lazy.h"
#include "cli/models/download_line.h"

#define SYMBOLS(X)                                                                                                   \
    X(curl_easy_cleanup) X(curl_easy_getinfo) X(curl_easy_init) X(curl_easy_perform) X(curl_easy_setopt)             \
    X(curl_easy_strerror) X(curl_global_init) X(curl_slist_append) X(curl_slist_free_all)
NST_LAZY(LIBCURL, SYMBOLS)

/* More than any file of weights that we read has. */
#define BYTES_MAX ((long long)4 << 30)
#define REDIRECTS 5
#define ATTEMPTS 8
/* A connection that brings less a second for NST_FETCH_PATIENCE seconds (30) is given up. */
#define SLOW 1000
#define TEXT NST_PART_TEXT

struct download {
    const nst_fetch *f;
    nst_error *e;
    CURL *curl;
    nst_part part;
    nst_download_line line;
    long long asked_from;                   /* bytes that this request begins after */
    long long total;                        /* bytes of the whole file, as far as is known; 0: it is not */
    /* of the answer at hand */
    char tag[TEXT], date[TEXT], type[TEXT];
    long long range_from, range_total;      /* of a Content-Range; -1 without */
    bool writing, another;                  /* its body goes into the part; it is not the file that was begun */
    nst_status failed;
};

static int show(void *arg, curl_off_t total, curl_off_t got, curl_off_t up_total, curl_off_t up)
{
    struct download *d = arg;

    (void)total, (void)got, (void)up_total, (void)up;
    if (!d->f->quiet && d->writing)
        nst_download_line_show(&d->line, d->part.have, d->total);
    return 0;
}

/* ---- an answer --------------------------------------------------------------------------------------------------- */

static void take(const char *line, size_t n, const char *name, char text[TEXT])
{
    size_t key = strlen(name);

    if (n <= key || strncasecmp(line, name, key))
        return;
    line += key;
    n -= key;
    while (n && (*line == ' ' || *line == '\t'))
        line++, n--;
    while (n && (unsigned char)line[n - 1] <= ' ')
        n--;
    snprintf(text, TEXT, "%.*s", n < TEXT ? (int)n : 0, line);
}

static size_t take_header(char *line, size_t one, size_t n, void *arg)
{
    struct download *d = arg;
    char range[TEXT] = "";

    (void)one;
    if (n > 5 && !strncmp(line, "HTTP/", 5)) { /* the next answer, after a redirect */
        *d->tag = *d->date = *d->type = 0;
        d->range_from = d->range_total = -1;
    }
    take(line, n, "ETag:", d->tag);
    take(line, n, "Last-Modified:", d->date);
    take(line, n, "Content-Type:", d->type);
    take(line, n, "Content-Range:", range);
    if (*range && sscanf(range, "bytes %lld-%*d/%lld", &d->range_from, &d->range_total) < 2)
        sscanf(range, "bytes */%lld", &d->range_total);
    if (!strncmp(d->tag, "W/", 2)) /* a weak one may not be asked for in an If-Range */
        *d->tag = 0;
    return n;
}

/* Before the first byte of a body: is it what was asked for, and how long will it be? */
static nst_status begin(struct download *d)
{
    const char *url = d->f->url;
    curl_off_t length = -1;
    long status = 0;

    lib.curl_easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, &status);
    lib.curl_easy_getinfo(d->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (status != 200 && status != 206)
        return fail(d->e, NST_EIO, "%s: the server answers %ld, expected 200", url, status);
    if (!strncasecmp(d->type, "text/html", 9))
        return fail(d->e, NST_EFORMAT, "%s: the server sent a web page, not a file of weights", url);
    if (status == 206 && d->range_from != d->asked_from) {
        d->another = true;
        return fail(d->e, NST_EIO, "%s: the server sent byte %lld and on, expected %lld; the partial download is "
                    "discarded", url, d->range_from, d->asked_from);
    }
    d->total = status == 206 ? d->range_total : length;
    if (status == 206 && d->range_total >= 0 && d->range_total <= d->asked_from) {
        d->another = true;
        return fail(d->e, NST_EIO, "%s: the server says that the whole file has %lld bytes after %lld of it came; "
                    "the part is given up", url, d->range_total, d->asked_from);
    }
    d->total = d->total > 0 ? d->total : d->f->bytes;
    if (d->f->bytes && d->total != d->f->bytes) {
        d->another = true;
        return fail(d->e, NST_EFORMAT, "%s: has %lld bytes, expected %lld: it is another file", url, d->total,
                    d->f->bytes);
    }
    if (d->total > BYTES_MAX)
        return fail(d->e, NST_EFORMAT, "%s: has %lld bytes, expected at most %lld", url, d->total, BYTES_MAX);
    if (status == 200) {
        nst_status s = nst_part_empty(&d->part, d->e);

        if (s)
            return s;
        d->line.from = 0;
    }
    d->writing = true;
    return nst_part_note(&d->part, url, *d->tag ? d->tag : d->date, d->e);
}

static size_t take_body(char *p, size_t one, size_t n, void *arg)
{
    struct download *d = arg;
    long long most;

    (void)one;
    if (!d->writing) {
        d->failed = begin(d);
        if (d->failed)
            return 0;
    }
    most = d->total ? d->total : BYTES_MAX;
    if (d->part.have + (long long)n > most) {
        d->another = true;
        d->failed = fail(d->e, NST_EFORMAT, "%s: sends more than %lld bytes: it is not a file of weights", d->f->url,
                         most);
        return 0;
    }
    d->failed = nst_part_add(&d->part, p, n, d->e);
    return d->failed ? 0 : n;
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

static bool begins(const char *text, const char *with)
{
    return !strncasecmp(text, with, strlen(with));
}

static void allow(CURL *curl, const char *first, const char *redirected)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    lib.curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, first);
    lib.curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, redirected);
#else
    const long https = CURLPROTO_HTTPS, both = CURLPROTO_HTTP | CURLPROTO_HTTPS;

    lib.curl_easy_setopt(curl, CURLOPT_PROTOCOLS, strchr(first, ',') ? both : https);
    lib.curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS, strchr(redirected, ',') ? both : https);
#endif
}

static void set_up(struct download *d, char reason[CURL_ERROR_SIZE])
{
    const char *patience = getenv("NST_FETCH_PATIENCE");
    long seconds = patience ? strtol(patience, NULL, 10) : 0;
    static char agent[32];

    seconds = seconds >= 1 && seconds <= 3600 ? seconds : 30;
    snprintf(agent, sizeof agent, "nst/%.20s", nst_version());
    *reason = 0;
    lib.curl_easy_setopt(d->curl, CURLOPT_ERRORBUFFER, reason);
    lib.curl_easy_setopt(d->curl, CURLOPT_URL, d->f->url);
    lib.curl_easy_setopt(d->curl, CURLOPT_USERAGENT, agent);
    /* from https never back to http, where anybody on the way could change what comes */
    allow(d->curl, d->f->plain ? "http,https" : "https", begins(d->f->url, "http:") ? "http,https" : "https");
    lib.curl_easy_setopt(d->curl, CURLOPT_FOLLOWLOCATION, 1L);
    lib.curl_easy_setopt(d->curl, CURLOPT_MAXREDIRS, (long)REDIRECTS);
    lib.curl_easy_setopt(d->curl, CURLOPT_FAILONERROR, 1L);
    lib.curl_easy_setopt(d->curl, CURLOPT_NOSIGNAL, 1L);
    lib.curl_easy_setopt(d->curl, CURLOPT_CONNECTTIMEOUT, seconds);
    lib.curl_easy_setopt(d->curl, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW);
    lib.curl_easy_setopt(d->curl, CURLOPT_LOW_SPEED_TIME, seconds);
    lib.curl_easy_setopt(d->curl, CURLOPT_HEADERFUNCTION, take_header);
    lib.curl_easy_setopt(d->curl, CURLOPT_HEADERDATA, d);
    lib.curl_easy_setopt(d->curl, CURLOPT_WRITEFUNCTION, take_body);
    lib.curl_easy_setopt(d->curl, CURLOPT_WRITEDATA, d);
    lib.curl_easy_setopt(d->curl, CURLOPT_XFERINFOFUNCTION, show);
    lib.curl_easy_setopt(d->curl, CURLOPT_XFERINFODATA, d);
    lib.curl_easy_setopt(d->curl, CURLOPT_NOPROGRESS, 0L);
}

/* One request, from where the part ends. */
static CURLcode ask(struct download *d)
{
    char range[32], condition[TEXT + 16];
    struct curl_slist *headers = NULL;
    CURLcode code;

    d->asked_from = d->part.have;
    d->writing = false;
    snprintf(range, sizeof range, "%lld-", d->part.have);
    snprintf(condition, sizeof condition, "If-Range: %s", d->part.validator);
    if (d->part.have && *d->part.validator) {
        headers = lib.curl_slist_append(NULL, condition);
        if (!headers)
            return CURLE_OUT_OF_MEMORY;
    }
    lib.curl_easy_setopt(d->curl, CURLOPT_RANGE, d->part.have ? range : NULL);
    lib.curl_easy_setopt(d->curl, CURLOPT_HTTPHEADER, headers);
    code = lib.curl_easy_perform(d->curl);
    lib.curl_easy_setopt(d->curl, CURLOPT_HTTPHEADER, NULL);
    lib.curl_slist_free_all(headers);
    return code;
}

static nst_status explain(struct download *d, CURLcode code, const char *reason)
{
    const char *url = d->f->url;
    long status = 0;

    lib.curl_easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, &status);
    switch (code) {
    case CURLE_HTTP_RETURNED_ERROR:
        return fail(d->e, NST_EIO, "%s: the server answers %ld%s", url, status,
                    status == 404 ? ": it has no such file" : "");
    case CURLE_TOO_MANY_REDIRECTS:
        return fail(d->e, NST_EIO, "%s: is redirected more than %d times", url, REDIRECTS);
    case CURLE_UNSUPPORTED_PROTOCOL:
        return fail(d->e, NST_EIO, "%s: redirects away from https, which nst does not follow", url);
    case CURLE_OUT_OF_MEMORY:
        return fail(d->e, NST_EMEM, "%s: out of memory", url);
    default:
        return fail(d->e, NST_EIO, "%s: %s%s", url, *reason ? reason : lib.curl_easy_strerror(code),
                    d->part.have ? "; run the same command again to resume" : "");
    }
}

/* Is the whole file there?  Where nobody says how long it is, the end of the answer is its end. */
static bool complete(const struct download *d, CURLcode code)
{
    long status = 0;

    lib.curl_easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_HTTP_RETURNED_ERROR && status == 416) /* nothing lies behind what we have */
        return d->part.have && d->range_total == d->part.have && (!d->f->bytes || d->f->bytes == d->part.have);
    return code == CURLE_OK && d->part.have && (!d->total || d->part.have == d->total);
}

/* Again from where it broke, as long as each time something more comes. */
static nst_status collect(struct download *d)
{
    char reason[CURL_ERROR_SIZE];

    set_up(d, reason);
    nst_download_line_begin(&d->line, d->part.have);
    for (int i = 0;; i++) {
        long long before = d->part.have;
        CURLcode code = ask(d);
        long status = 0;

        if (d->failed)
            return d->failed;
        if (complete(d, code))
            return NST_OK;
        lib.curl_easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, &status);
        if (code == CURLE_HTTP_RETURNED_ERROR && status == 416 && before) { /* what we have is of another file */
            nst_status s = nst_part_empty(&d->part, d->e);

            if (s)
                return s;
            continue;
        }
        if (code == CURLE_OK && !d->part.have)
            return fail(d->e, NST_EFORMAT, "%s: the server sent nothing", d->f->url);
        if (i == ATTEMPTS || d->part.have <= before || code == CURLE_HTTP_RETURNED_ERROR)
            return code ? explain(d, code, reason)
                        : fail(d->e, NST_EIO, "%s: ends after %lld of %lld bytes; run the same command again to resume",
                               d->f->url, d->part.have, d->total);
        nst_download_line_end(&d->line);
        if (!d->f->quiet)
            fprintf(stderr, "nst: the connection broke after %.1f MB; resuming\n", (double)d->part.have / 1e6);
        nst_clock_rest(1);
    }
}

nst_status nst_fetch_file(const nst_fetch *f, nst_error *e)
{
    struct download d = { .f = f, .e = e, .range_from = -1, .range_total = -1 };
    nst_status s;

    if (!begins(f->url, "https://") && !(f->plain && begins(f->url, "http://")))
        return fail(e, NST_EARG, "%.200s: expected an address that begins with https://%s", f->url,
                    f->plain ? " or http://" : "");
    s = load(e);
    if (s)
        return s;
    s = nst_part_open(&d.part, f->part, f->url, f->checked, f->bytes ? f->bytes : BYTES_MAX, e);
    if (!s && !(f->bytes && d.part.have == f->bytes)) {
        if (!lib.curl_global_init(CURL_GLOBAL_DEFAULT))
            d.curl = lib.curl_easy_init();
        if (!d.curl) {
            s = fail(e, NST_EIO, "%s: libcurl cannot be started", f->url);
        } else {
            s = collect(&d);
            nst_download_line_end(&d.line);
            lib.curl_easy_cleanup(d.curl);
        }
    }
    return nst_part_close(&d.part, s, d.another, e);
}

#else

nst_status nst_fetch_file(const nst_fetch *f, nst_error *e)
{
    return fail(e, NST_EUNSUPPORTED,
                "%s: this build of nst lacks libcurl, which downloads; download it yourself, then: "
                "nst model import FILE", f->url);
}

#endif
