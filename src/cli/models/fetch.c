/* fetch.c: one file over the network: the only file that knows libcurl.  What has come stays in a part for the next
 * time. */
#include "cli/models/fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/fail.h"

#define FROM_BYTES 4200

static const char *from_path(const char *part, char path[FROM_BYTES])
{
    snprintf(path, FROM_BYTES, "%s.from", part);
    return path;
}

void nst_fetch_forget(const char *part)
{
    char path[FROM_BYTES];

    unlink(part);
    unlink(from_path(part, path));
}

#ifdef HAVE_LIBCURL

#define CURL_DISABLE_TYPECHECK /* by macros that call the function by its bare name */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

#include "base/lazy.h"

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
#define TEXT 512

struct download {
    const nst_fetch *f;
    nst_error *e;
    CURL *curl;
    int fd;
    long long have, asked_from, began_from; /* bytes in the part; of this request; of the whole call */
    long long total;                        /* bytes of the whole file, as far as is known; 0: it is not */
    char validator[TEXT];                   /* ETag or date of what the part is a part of, "" without */
    /* of the answer at hand */
    char tag[TEXT], date[TEXT], type[TEXT];
    long long range_from, range_total;      /* of a Content-Range; -1 without */
    bool writing, another;                  /* its body goes into the part; it is not the file that was begun */
    nst_status failed;
    double began, shown;
    int tenths;
    bool line_open;
};

/* ---- what it says ------------------------------------------------------------------------------------------------ */

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void show_line(struct download *d, double seconds)
{
    double speed = (double)(d->have - d->began_from) / (seconds > .01 ? seconds : .01), left;
    char bar[21] = "....................";

    if (!d->total) {
        fprintf(stderr, "\rnst: %.1f MB  %.1f MB/s\033[K", (double)d->have / 1e6, speed / 1e6);
        return;
    }
    memset(bar, '#', d->have < d->total ? (size_t)(20 * d->have / d->total) : 20);
    left = speed > 0 ? (double)(d->total - d->have) / speed : 0;
    left = left < 359999 ? left : 359999;
    fprintf(stderr, "\rnst: [%s] %.1f of %.1f MB  %.1f MB/s  %d:%02d left\033[K", bar, (double)d->have / 1e6,
            (double)d->total / 1e6, speed / 1e6, (int)left / 60, (int)left % 60);
}

/* A line that renews itself on a terminal; elsewhere one for each tenth. */
static int show(void *arg, curl_off_t total, curl_off_t got, curl_off_t up_total, curl_off_t up)
{
    struct download *d = arg;
    double t = now();

    (void)total, (void)got, (void)up_total, (void)up;
    if (d->f->quiet || !d->writing)
        return 0;
    if (isatty(STDERR_FILENO)) {
        if (t - d->shown < .2)
            return 0;
        d->shown = t;
        d->line_open = true;
        show_line(d, t - d->began);
    } else if (d->total && (int)(10 * d->have / d->total) > d->tenths) {
        d->tenths = (int)(10 * d->have / d->total);
        fprintf(stderr, "nst: %.1f of %.1f MB\n", (double)d->have / 1e6, (double)d->total / 1e6);
    }
    return 0;
}

static void end_line(struct download *d)
{
    if (d->line_open)
        fputs("\r\033[K", stderr);
    d->line_open = false;
}

/* ---- the part, and what it is a part of -------------------------------------------------------------------------- */

/* One nst at a time: two that write into one part would spoil it. */
static nst_status open_part(struct download *d)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    struct stat st;

    d->fd = open(d->f->part, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (d->fd < 0 || fstat(d->fd, &st))
        return fail(d->e, NST_EIO, "%s: cannot be written: %s", d->f->part, strerror(errno));
    if (fcntl(d->fd, F_SETLK, &lock))
        return fail(d->e, NST_EIO, "%s: another nst is fetching it", d->f->part);
    d->have = (long long)st.st_size;
    return NST_OK;
}

static nst_status empty(struct download *d)
{
    if (ftruncate(d->fd, 0))
        return fail(d->e, NST_EIO, "%s: cannot be written: %s", d->f->part, strerror(errno));
    d->have = 0;
    *d->validator = 0;
    return NST_OK;
}

/* What was begun is gone on with when the server can be asked whether it is still the same, or the checksum will
 * tell. */
static nst_status remember(struct download *d)
{
    char path[FROM_BYTES], url[4096] = "";
    FILE *f = fopen(from_path(d->f->part, path), "r");
    bool same = false;

    if (f) {
        if (fgets(url, sizeof url, f) && fgets(d->validator, sizeof d->validator, f))
            d->validator[strcspn(d->validator, "\n")] = 0;
        url[strcspn(url, "\n")] = 0;
        same = !strcmp(url, d->f->url);
        fclose(f);
    }
    if (!same)
        *d->validator = 0;
    return (!*d->validator && !d->f->checked) || d->have > (d->f->bytes ? d->f->bytes : BYTES_MAX) ? empty(d) : NST_OK;
}

static nst_status note(struct download *d)
{
    char path[FROM_BYTES];
    FILE *f = fopen(from_path(d->f->part, path), "w");

    snprintf(d->validator, sizeof d->validator, "%s", *d->tag ? d->tag : d->date);
    if (f)
        fprintf(f, "%s\n%s\n", d->f->url, d->validator);
    return f && !fclose(f) ? NST_OK : fail(d->e, NST_EIO, "%s: cannot be written: %s", path, strerror(errno));
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
        nst_status s = empty(d);

        if (s)
            return s;
        d->began_from = 0;
    }
    d->writing = true;
    return note(d);
}

static size_t take_body(char *p, size_t one, size_t n, void *arg)
{
    struct download *d = arg;
    long long most = d->total ? d->total : BYTES_MAX;

    (void)one;
    if (!d->writing && (d->failed = begin(d)))
        return 0;
    most = d->total ? d->total : BYTES_MAX;
    if (d->have + (long long)n > most) {
        d->another = true;
        d->failed = fail(d->e, NST_EFORMAT, "%s: sends more than %lld bytes: it is not a file of weights", d->f->url,
                         most);
        return 0;
    }
    for (size_t done = 0; done < n;) {
        ssize_t k = pwrite(d->fd, p + done, n - done, (off_t)(d->have + (long long)done));

        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0) {
            d->failed = fail(d->e, NST_EIO, "%s: cannot be written: %s", d->f->part, strerror(errno));
            return 0;
        }
        done += (size_t)k;
    }
    d->have += (long long)n;
    return n;
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
    lib.curl_easy_setopt(curl, CURLOPT_PROTOCOLS,
                     (long)(strchr(first, ',') ? CURLPROTO_HTTP | CURLPROTO_HTTPS : CURLPROTO_HTTPS));
    lib.curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS, (long)(strchr(redirected, ',') ? CURLPROTO_HTTP | CURLPROTO_HTTPS
                                                                                   : CURLPROTO_HTTPS));
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

    d->asked_from = d->have;
    d->writing = false;
    snprintf(range, sizeof range, "%lld-", d->have);
    snprintf(condition, sizeof condition, "If-Range: %s", d->validator);
    if (d->have && *d->validator && !(headers = lib.curl_slist_append(NULL, condition)))
        return CURLE_OUT_OF_MEMORY;
    lib.curl_easy_setopt(d->curl, CURLOPT_RANGE, d->have ? range : NULL);
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
                    d->have ? "; run the same command again to resume" : "");
    }
}

/* Is the whole file there?  Where nobody says how long it is, the end of the answer is its end. */
static bool complete(const struct download *d, CURLcode code)
{
    long status = 0;

    lib.curl_easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_HTTP_RETURNED_ERROR && status == 416) /* nothing lies behind what we have */
        return d->have && d->range_total == d->have && (!d->f->bytes || d->f->bytes == d->have);
    return code == CURLE_OK && d->have && (!d->total || d->have == d->total);
}

/* Again from where it broke, as long as each time something more comes. */
static nst_status collect(struct download *d)
{
    char reason[CURL_ERROR_SIZE];

    set_up(d, reason);
    d->began = now();
    d->began_from = d->have;
    for (int i = 0;; i++) {
        long long before = d->have;
        CURLcode code = ask(d);
        long status = 0;

        if (d->failed)
            return d->failed;
        if (complete(d, code))
            return NST_OK;
        lib.curl_easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, &status);
        if (code == CURLE_HTTP_RETURNED_ERROR && status == 416 && before) { /* what we have is of another file */
            nst_status s = empty(d);

            if (s)
                return s;
            continue;
        }
        if (code == CURLE_OK && !d->have)
            return fail(d->e, NST_EFORMAT, "%s: the server sent nothing", d->f->url);
        if (i == ATTEMPTS || d->have <= before || code == CURLE_HTTP_RETURNED_ERROR)
            return code ? explain(d, code, reason)
                        : fail(d->e, NST_EIO, "%s: ends after %lld of %lld bytes; run the same command again to resume",
                               d->f->url, d->have, d->total);
        end_line(d);
        if (!d->f->quiet)
            fprintf(stderr, "nst: the connection broke after %.1f MB; resuming\n", (double)d->have / 1e6);
        nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
    }
}

nst_status nst_fetch_file(const nst_fetch *f, nst_error *e)
{
    struct download d = { .f = f, .e = e, .fd = -1, .range_from = -1, .range_total = -1 };
    nst_status s;

    if (!begins(f->url, "https://") && !(f->plain && begins(f->url, "http://")))
        return fail(e, NST_EARG, "%.200s: expected an address that begins with https://%s", f->url,
                    f->plain ? " or http://" : "");
    s = load(e);
    if (s)
        return s;
    if (!(s = open_part(&d)) && !(s = remember(&d)) && !(f->bytes && d.have == f->bytes)) {
        if (lib.curl_global_init(CURL_GLOBAL_DEFAULT) || !(d.curl = lib.curl_easy_init())) {
            s = fail(e, NST_EIO, "%s: libcurl cannot be started", f->url);
        } else {
            s = collect(&d);
            end_line(&d);
            lib.curl_easy_cleanup(d.curl);
        }
    }
    if (!s && fsync(d.fd))
        s = fail(e, NST_EIO, "%s: cannot be written: %s", f->part, strerror(errno));
    if (s && d.fd >= 0 && (d.another || !d.have)) /* nothing that could be gone on with */
        nst_fetch_forget(f->part);
    if (d.fd >= 0)
        close(d.fd);
    return s;
}

#else

nst_status nst_fetch_file(const nst_fetch *f, nst_error *e)
{
    return fail(e, NST_EUNSUPPORTED,
                "%s: this build of nst lacks libcurl, which downloads; download it yourself, then: "
                "nst model import FILE", f->url);
}

#endif
