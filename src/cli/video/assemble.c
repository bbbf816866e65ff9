/* assemble.c: the output, made of the pictures that are kept.  A film is read once more: for the times of its pictures,
 * for sound and subtitles. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/fail.h"
#include "cli/files.h"
#include "cli/video/job.h"

/* The picture of the latest pass; NST_OK with *out NULL: there is none. */
static nst_status find(const nst_video *v, long number, nst_image **out, nst_error *e)
{
    *out = NULL;
    for (int pass = v->passes; pass >= 1; pass--)
        if (nst_kept_has(&v->kept, 'p', pass, number))
            return nst_kept_read(&v->kept, 'p', pass, number, out, e);
    return NST_OK;
}

/* ---- a folder or a pattern --------------------------------------------------------------------------------------- */

/* out-%04d.png, 7 -> out-0007.png; out/, 7 -> out/000007.png */
static nst_status picture_name(const nst_video *v, long number, char *out, size_t bytes, nst_error *e)
{
    const char *at = strchr(v->output, '%');
    size_t n = strlen(v->output);
    char suffix[16];
    int width = 0, used;

    if (!at) {
        used = snprintf(out, bytes, "%s%s%06ld%s", v->output, v->output[n - 1] == '/' ? "" : "/", number,
                        nst_paths_suffix(&v->c, suffix));
    } else {
        sscanf(at + 1, "%2d", &width);
        used = snprintf(out, bytes, "%.*s%0*ld%s", (int)(at - v->output), v->output, width, number,
                        at + 2 + strspn(at + 1, "0123456789"));
    }
    return used > 0 && (size_t)used < bytes ? NST_OK : fail(e, NST_EARG, "%.60s...: the name is too long", v->output);
}

/* Names of numbered pictures: the folder, and what stands before and behind the number. */
struct names {
    char folder[NST_PATH_BYTES], before[NST_PATH_BYTES];
    const char *behind;
};

static void take_apart(const char *pattern, struct names *out)
{
    const char *at = strchr(pattern, '%'), *base = at;

    while (base > pattern && base[-1] != '/')
        base--;
    snprintf(out->folder, sizeof out->folder, "%.*s", (int)(base - pattern), base > pattern ? pattern : "");
    snprintf(out->before, sizeof out->before, "%.*s", (int)(at - base), base);
    out->behind = at + 2 + strspn(at + 1, "0123456789");
}

static bool same_folder(const char *a, const char *b)
{
    struct stat s, t;

    return stat(*a ? a : ".", &s) == 0 && stat(*b ? b : ".", &t) == 0 && s.st_dev == t.st_dev && s.st_ino == t.st_ino;
}

nst_status nst_video_check_apart(const nst_video *v, nst_error *e)
{
    static struct names own, theirs;
    char suffix[16];

    if (strchr(v->output, '%')) {
        take_apart(v->output, &own);
    } else {
        snprintf(own.folder, sizeof own.folder, "%s", v->output);
        *own.before = 0;
        own.behind = nst_paths_suffix(&v->c, suffix);
    }
    for (int i = 0; i <= v->c.content_mask.n; i++) {
        const char *from = i ? v->c.content_mask.name[i - 1] : v->c.content;

        if (!nst_film_is_pattern(from))
            continue;
        take_apart(from, &theirs);
        if (!strcmp(own.before, theirs.before) && !strcmp(own.behind, theirs.behind) &&
            same_folder(own.folder, theirs.folder))
            return fail(e, NST_EARG, "%s: its pictures would have the names of %s, and inputs are never overwritten",
                        v->output, from);
    }
    return NST_OK;
}

static nst_status check_left(const nst_video *v, const char *name, nst_error *e)
{
    if (!v->resumed || v->resumed->own.output || nst_kept_left(&v->kept, name))
        return NST_OK;
    return fail(e, NST_EIO, "resume: %s is there already and not what this painting left; move it away, or name the "
                "output with --output", name);
}

nst_status nst_video_check_left(const nst_video *v, nst_error *e)
{
    char name[NST_PATH_BYTES];
    struct stat st;
    nst_status s;

    if (!v->resumed || v->to_film)
        return check_left(v, v->output, e);
    for (long n = 1;; n++) {
        s = picture_name(v, n, name, sizeof name, e);
        if (!s && lstat(name, &st))
            return NST_OK;
        if (!s)
            s = check_left(v, name, e);
        if (s)
            return s;
    }
}

static nst_status write_pictures(const nst_video *v, long *n, nst_error *e)
{
    char name[NST_PATH_BYTES];
    nst_image *picture = NULL;
    struct stat st;
    nst_status s;

    if (!strchr(v->output, '%') && mkdir(v->output, 0777) && (errno != EEXIST || stat(v->output, &st)))
        return fail(e, NST_EIO, "%s: this folder cannot be made: %s", v->output, strerror(errno));
    for (;;) {
        s = find(v, *n + 1, &picture, e);
        if (s || !picture)
            return s;
        ++*n;
        s = picture_name(v, *n, name, sizeof name, e);
        if (!s)
            s = check_left(v, name, e);
        if (!s)
            s = nst_files_write(&v->c, picture, name, v->comment, e);
        nst_image_destroy(&picture);
        if (s)
            return s;
        nst_kept_note(&v->kept, name);
    }
}

/* ---- a film ------------------------------------------------------------------------------------------------------ */

static nst_status add_all(const nst_video *v, nst_source *source, nst_film_writer *w, long *n, nst_error *e)
{
    nst_image *picture = NULL;
    nst_status s;

    for (;;) {
        s = nst_source_step(source, e);
        if (s || source->at_end)
            break;
        s = find(v, source->number, &picture, e);
        if (s || !picture)
            break;
        s = nst_film_add(w, picture, e);
        nst_image_destroy(&picture);
        if (s)
            break;
        ++*n;
    }
    if (!s && source->at_end && !source->photo)
        nst_film_rest(&source->film);
    return s;
}

static nst_status write_film(const nst_video *v, long *n, nst_error *e)
{
    const nst_source *theirs = &v->source;
    nst_film_writer w;
    nst_source source;
    nst_status s = nst_source_open(&source, theirs->path, &v->range, v->c.frames,
                                   theirs->width > theirs->height ? theirs->width : theirs->height, e);

    if (!s)
        s = nst_film_create(&w, v->output, source.photo ? NULL : &source.film, source.rate, theirs->width,
                            theirs->height, e);
    if (!s) {
        source.film.other = nst_film_add_packet;
        source.film.arg = &w;
        s = add_all(v, &source, &w, n, e);
        if (!s && *n)
            s = nst_film_finish(&w, e);
        else
            nst_film_abandon(&w);
    }
    nst_source_close(&source);
    if (!s && *n)
        nst_kept_note(&v->kept, v->output);
    return s;
}

nst_status nst_video_assemble(const nst_video *v, long *n, nst_error *e)
{
    *n = 0;
    return v->to_film ? write_film(v, n, e) : write_pictures(v, n, e);
}
