/* pages.c: what the studio's server answers.  Every address begins with the token, so that other users of the machine,
 * who reach the port, too, see nothing; what follows is a word, and often a number. */
#include "cli/studio/studio.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/http.h"
#include "cli/password.h"
/* studio_index_html and so on */
#include "studio_files.inc"

#define S (&nst_the_studio)
#define PICTURE ((size_t)64 << 20) /* bytes of an upload */
#define MASK ((size_t)8 << 20)

static const struct page {
    const char *name, *type, *data;
    size_t bytes;
} pages[] = {
#define PAGE(name, type, data) { name, type "; charset=utf-8", data, sizeof data - 1 }
    PAGE("", "text/html", studio_index_html),
    PAGE("studio.css", "text/css", studio_studio_css),
    PAGE("drop.js", "text/javascript", studio_drop_js),
    PAGE("words.js", "text/javascript", studio_words_js),
    PAGE("studio.js", "text/javascript", studio_studio_js),
    PAGE("brush.js", "text/javascript", studio_brush_js),
    PAGE("gallery.js", "text/javascript", studio_gallery_js),
    PAGE("icon.svg", "image/svg+xml", studio_org_nst_nst_svg),
};

/* What comes after the token; NULL: there is none, or a wrong one.  It takes the same time for each wrong one. */
static const char *within(const char *path)
{
    size_t n = strlen(S->start.token);

    if (n == 0 || strlen(path) < n + 2 || path[0] != '/' || path[n + 1] != '/')
        return NULL;
    return nst_password_same(path + 1, S->start.token, n) ? path + n + 2 : NULL;
}

/* "view/12" is view with 12; false: another word, or no number. */
static bool is(const char *path, const char *word, int *number)
{
    size_t n = strlen(word);
    char *end;
    long v;

    if (strncmp(path, word, n) || path[n] != '/' || strspn(path + n + 1, "0123456789") != strlen(path + n + 1) ||
        !path[n + 1] || strlen(path + n + 1) > 6)
        return false;
    v = strtol(path + n + 1, &end, 10);
    *number = (int)v;
    return true;
}

/* ---- what is looked at ------------------------------------------------------------------------------------------- */

static int json(const nst_http_request *r, size_t (*make)(char *out, size_t bytes))
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static char out[1 << 20]; /* all jobs, with long sentences */
    int answer;

    pthread_mutex_lock(&lock);
    answer = nst_http_text(r, NST_HTTP_OK, "application/json", out, make(out, sizeof out));
    pthread_mutex_unlock(&lock);
    return answer;
}

static pthread_mutex_t large = PTHREAD_MUTEX_INITIALIZER; /* of command_line, and one large picture at a time */

/* The command line that paints a job, or what is chosen: into the folder where the user types it.  Until the next one
 * is asked for. */
static const char *command_line(const nst_job *job)
{
    static nst_line line;
    static char text[2 * NST_LINE_TEXT];
    char output[32];

    snprintf(output, sizeof output, job->number ? "nst-%04d.png" : "painting.png", job->number);
    *text = 0;
    if (nst_words_make(&line, job, output))
        nst_words_quote(&line, text, sizeof text);
    return text;
}

static int command(const nst_http_request *r, int number)
{
    nst_job job;
    int answer;

    if (!nst_jobs_get(number, &job))
        return nst_http_plain(r, NST_HTTP_MISSING, "there is no such painting\n");
    pthread_mutex_lock(&large);
    answer = nst_http_plain(r, NST_HTTP_OK, command_line(&job));
    pthread_mutex_unlock(&large);
    return answer;
}

/* The result as TIFF or JPEG, with its command line inside, made now, in a file without a name; -1. */
static int convert(const nst_job *job, const char *format)
{
    nst_write_options o = { .bits = strcmp(format, "jpeg") ? 16 : 8, .format = format };
    char path[NST_PATH_BYTES];
    nst_image *image = NULL;
    FILE *f = tmpfile();
    int fd = -1;

    pthread_mutex_lock(&large);
    o.comment = command_line(job);
    if (f && !nst_image_read(&image, nst_folder_path(NST_FILE_RESULT, job->number, path), NULL) &&
        !nst_image_write_fd(image, fileno(f), "picture", &o, NULL))
        fd = fcntl(fileno(f), F_DUPFD_CLOEXEC, 0);
    nst_image_destroy(&image);
    pthread_mutex_unlock(&large);
    if (f)
        fclose(f);
    return fd;
}

static int save(const nst_http_request *r, int number, const char *format, const char *suffix)
{
    char name[32], type[32];
    nst_job job;

    if (!number || !nst_jobs_get(number, &job) || (job.state != NST_JOB_DONE && job.state != NST_JOB_STOPPED))
        return nst_http_plain(r, NST_HTTP_MISSING, "there is no such painting\n");
    snprintf(name, sizeof name, "nst-%04d.%s", number, suffix);
    snprintf(type, sizeof type, "image/%s", format);
    return nst_http_file(r, !strcmp(format, "png") ? nst_folder_open(NST_FILE_RESULT, number) : convert(&job, format),
                         type, false, name);
}

static int look(const nst_http_request *r, const char *path)
{
    static const struct {
        const char *word;
        nst_studio_file kind;
    } shown[] = { { "view", NST_FILE_VIEW }, { "thumb", NST_FILE_THUMB }, { "painted", NST_FILE_RESULT_VIEW },
                  { "small", NST_FILE_RESULT_THUMB } };
    static const struct {
        const char *name, *suffix;
    } formats[] = { { "png", "png" }, { "tiff", "tif" }, { "jpeg", "jpg" } };
    int number;

    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        if (!strcmp(path, pages[i].name))
            return nst_http_text(r, NST_HTTP_OK, pages[i].type, pages[i].data, pages[i].bytes);
    if (!strcmp(path, "state"))
        return json(r, nst_state_json);
    if (!strcmp(path, "lists"))
        return json(r, nst_state_lists);
    if (is(path, "live", &number))
        return nst_http_file(r, nst_snapshot_file(&S->live, NULL), "image/jpeg", false, NULL);
    if (is(path, "preview", &number))
        return nst_http_file(r, nst_snapshot_file(&S->preview, NULL), "image/jpeg", false, NULL);
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        if (is(path, shown[i].word, &number))
            return nst_http_file(r, nst_folder_open(shown[i].kind, number), "image/jpeg", true, NULL);
    if (is(path, "mask", &number))
        return nst_http_file(r, nst_folder_open(NST_FILE_MASK, number), "image/png", true, NULL);
    if (is(path, "command", &number))
        return command(r, number);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (is(path, formats[i].name, &number))
            return save(r, number, formats[i].name, formats[i].suffix);
    return nst_http_plain(r, NST_HTTP_MISSING, "not here\n");
}

/* ---- what is changed --------------------------------------------------------------------------------------------- */

static int done(const nst_http_request *r, bool good)
{
    return good ? nst_http_plain(r, NST_HTTP_OK, "done\n")
                : nst_http_plain(r, NST_HTTP_BAD, "unknown, or out of range\n");
}

/* The number of what was made, or the sentence why not. */
static int made(const nst_http_request *r, int number, const nst_error *e)
{
    char text[600];

    if (number)
        snprintf(text, sizeof text, "%d\n", number);
    else
        snprintf(text, sizeof text, "%s\n", e->text);
    return nst_http_plain(r, number ? NST_HTTP_OK : NST_HTTP_CONFLICT, text);
}

static int upload(const nst_http_request *r, bool photo)
{
    nst_error e = { "no file was sent" };
    int number = r->body < 0 ? 0 : nst_sources_add(r->body, photo, &e);

    if (number)
        nst_choice_add(number);
    return made(r, number, &e);
}

static int mask(const nst_http_request *r, int style)
{
    nst_error e = { "no file was sent" };
    int number = r->body < 0 ? 0 : nst_sources_mask(r->body, &e);

    if (number && !nst_choice_mask(style, number)) {
        strcpy(e.text, "there is no such style");
        number = 0;
    }
    return made(r, number, &e);
}

static bool wish(const char *path)
{
    bool good = true;

    pthread_mutex_lock(&S->lock);
    if (!strcmp(path, "pause"))
        S->wanted.paused = S->pace.job != 0;
    else if (!strcmp(path, "go"))
        S->wanted.paused = false;
    else if (!strcmp(path, "stop"))
        S->wanted.stop = S->pace.job != 0;
    else if (!strcmp(path, "discard"))
        S->wanted.discard = S->pace.job != 0;
    else if (!strcmp(path, "quit"))
        S->wanted.quit = true;
    else
        good = false;
    pthread_mutex_unlock(&S->lock);
    nst_wake();
    return good;
}

static int change(const nst_http_request *r, const char *path)
{
    const char *value, *key = nst_http_argument(r, &value);
    nst_error e;
    int number;

    if (!strcmp(path, "photo") || !strcmp(path, "style"))
        return upload(r, *path == 'p');
    if (is(path, "mask", &number))
        return mask(r, number);
    if (!strcmp(path, "choice"))
        return done(r, key && nst_choice_set(key, value));
    if (!strcmp(path, "paint")) {
        number = nst_jobs_add(&e);
        return made(r, number, &e);
    }
    if (is(path, "again", &number))
        return done(r, nst_jobs_again(number));
    if (is(path, "remove", &number))
        return done(r, nst_jobs_remove(number));
    if (is(path, "forget", &number))
        return made(r, nst_sources_remove(number, &e) ? 0 : number, &e);
    return done(r, wish(path));
}

size_t nst_pages_room(const nst_http_request *r)
{
    const char *path = within(r->path);
    int number;

    if (!path)
        return 0;
    if (!strcmp(path, "photo") || !strcmp(path, "style"))
        return PICTURE;
    return is(path, "mask", &number) ? MASK : 0;
}

static int to_page(const nst_http_request *r)
{
    char page[sizeof S->start.token + 2];

    snprintf(page, sizeof page, "/%s/", S->start.token);
    return nst_http_redirect(r, page);
}

int nst_pages_answer(const nst_http_request *r)
{
    const char *path = within(r->path);

    if (!path && r->known && !r->post && !strcmp(r->path, "/")) /* who has the password need not know the token */
        return to_page(r);
    if (!path)
        return nst_http_plain(r, NST_HTTP_FORBIDDEN, "this page is reached by the address that nst studio printed\n");
    return r->post ? change(r, path) : look(r, path);
}
