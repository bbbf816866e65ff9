/* read.c: picture files, told apart by their first bytes, from names and from pipes. */
#include "image/format.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIST 128              /* room for the formats' names */
#define PIPE_MAX (1LL << 32)  /* bytes that are taken from a pipe */

static const nst_codec *sniff(const uint8_t *head, size_t bytes)
{
    int i = 0;
    const nst_codec *c = nst_codec_at(i);

    while (c && !c->is(head, bytes))
        c = nst_codec_at(++i);
    return c;
}

static nst_status refuse(const uint8_t *head, size_t bytes, const char *label, nst_error *e)
{
    const nst_codec *c = sniff(head, bytes);
    const char *advice = "", *kind;
    char list[LIST];

    nst_format_list(0, list, sizeof list);
    if (c) /* known, but its library is not in this build */
        return nst_fail(e, NST_EUNSUPPORTED, "%s: a %s file, which this build cannot read, expected %s", label,
                        c->format.label, list);
    kind = nst_other_kind(head, bytes, &advice);
    return nst_fail(e, NST_EFORMAT, "%s: %s, expected %s%s", label, kind ? kind : "no known kind of picture", list,
                    advice);
}

/* A pipe cannot go back to its start: what came and what follows goes to a nameless file that can. */
static nst_status spool(FILE **f, const uint8_t *head, size_t bytes, const char *label, nst_error *e)
{
    FILE *copy = tmpfile();
    char block[1 << 14];
    long long total = (long long)bytes;

    if (!copy)
        return nst_fail(e, NST_EIO, "%s: cannot make a temporary file for a pipe: %s", label, strerror(errno));
    fwrite(head, 1, bytes, copy);
    for (bytes = fread(block, 1, sizeof block, *f); bytes > 0; bytes = fread(block, 1, sizeof block, *f)) {
        total += (long long)bytes;
        if (total > PIPE_MAX || fwrite(block, 1, bytes, copy) < bytes)
            break;
    }
    if (total > PIPE_MAX || ferror(*f) || ferror(copy) || fflush(copy) || !feof(*f)) {
        fclose(copy);
        return total > PIPE_MAX ? nst_fail(e, NST_EIO, "%s: more than 4 GiB from a pipe, expected a picture", label)
                                : nst_fail(e, NST_EIO, "%s: cannot be read to its end: %s", label, strerror(errno));
    }
    rewind(copy);
    fclose(*f);
    *f = copy;
    return NST_OK;
}

/* Whether what is there of a damaged file can be read: only that tells whether there is anything. */
static bool has_something(const nst_codec *c, FILE *f, const nst_fit *fit, const char *label)
{
    nst_fit again = fit ? *fit : (nst_fit){ 0 };
    nst_image *image = NULL;
    bool good;

    again.damaged = 1;
    good = c->heeds_damaged && !(fit && fit->damaged) && !fseeko(f, 0, SEEK_SET) &&
           !c->read(&image, f, &again, label, NULL);
    nst_image_destroy(&image);
    return good;
}

static nst_status decode(nst_image **out, const nst_codec *c, FILE *f, const nst_fit *fit, const char *label,
                         nst_error *e)
{
    nst_status s = c->read(out, f, fit, label, e);
    size_t n;

    if (s == NST_REFUSED)
        return NST_EFORMAT;
    if (s == NST_EFORMAT && e && has_something(c, f, fit, label)) {
        n = strlen(e->text);
        snprintf(e->text + n, sizeof e->text - n, "; --damaged reads what is there");
    }
    return s;
}

/* Reads from f, which it closes. */
static nst_status read_file(nst_image **out, FILE *f, const char *label, const nst_fit *fit, nst_error *e)
{
    uint8_t head[NST_HEAD];
    const nst_codec *c;
    struct stat st;
    char list[LIST];
    size_t bytes;
    nst_status s = NST_OK;

    if (fstat(fileno(f), &st) == 0 && S_ISDIR(st.st_mode)) {
        fclose(f);
        return nst_fail(e, NST_EIO, "%s: is a directory, expected a file: %s", label,
                        nst_format_list(0, list, sizeof list));
    }
    bytes = fread(head, 1, sizeof head, f);
    c = sniff(head, bytes);
    if (ferror(f))
        s = nst_fail(e, NST_EIO, "%s: cannot read: %s", label, strerror(errno));
    else if (!bytes)
        s = nst_fail(e, NST_EFORMAT, "%s: empty file, expected %s", label, nst_format_list(0, list, sizeof list));
    else if (!c || !c->read)
        s = refuse(head, bytes, label, e);
    else if (fseeko(f, 0, SEEK_SET))
        s = spool(&f, head, bytes, label, e);
    if (!s)
        s = decode(out, c, f, fit, label, e);
    fclose(f);
    return s;
}

nst_status nst_image_read_fit(nst_image **out, const char *path, const nst_fit *fit, nst_error *e)
{
    FILE *f = fopen(path, "rb");

    *out = NULL;
    if (!f)
        return nst_fail(e, NST_EIO, "%s: cannot open: %s", path, strerror(errno));
    return read_file(out, f, path, fit, e);
}

nst_status nst_image_read(nst_image **out, const char *path, nst_error *e)
{
    return nst_image_read_fit(out, path, NULL, e);
}

nst_status nst_image_read_fd(nst_image **out, int fd, const char *label, const nst_fit *fit, nst_error *e)
{
    int own = dup(fd);
    FILE *f = own >= 0 ? fdopen(own, "rb") : NULL;

    *out = NULL;
    if (!f) {
        nst_status s = nst_fail(e, NST_EIO, "%s: cannot read: %s", label, strerror(errno));

        if (own >= 0)
            close(own);
        return s;
    }
    return read_file(out, f, label, fit, e);
}
