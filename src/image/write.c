/* write.c: pictures to files, whole or not at all, and to pipes. */
#include "image/format.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIST 128 /* room for the formats' suffixes */

struct job {
    const nst_image *image;
    const nst_codec *codec;
    const nst_write_options *o;
    const char *label;
};

static nst_status cannot(const struct job *j, nst_error *e)
{
    return nst_fail(e, NST_EIO, "%s: cannot write: %s", j->label, strerror(errno));
}

/* A format that goes back while it is written is made in a nameless file when it goes to a pipe. */
static nst_status through_file(const struct job *j, FILE *f, nst_error *e)
{
    FILE *whole = tmpfile();
    char block[1 << 14];
    nst_status s;
    size_t n;

    if (!whole)
        return nst_fail(e, NST_EIO, "%s: cannot make a temporary file for a pipe: %s", j->label, strerror(errno));
    s = j->codec->write(j->image, whole, j->label, j->o, e);
    if (!s && (fflush(whole) || fseeko(whole, 0, SEEK_SET)))
        s = cannot(j, e);
    while (!s) {
        n = fread(block, 1, sizeof block, whole);
        if (!n)
            break;
        if (fwrite(block, 1, n, f) < n)
            s = cannot(j, e);
    }
    fclose(whole);
    return s;
}

static nst_status write_job(void *arg, FILE *f, nst_error *e)
{
    const struct job *j = arg;

    if (j->codec->seeks && fseeko(f, 0, SEEK_CUR))
        return through_file(j, f, e);
    return j->codec->write(j->image, f, j->label, j->o, e);
}

/* j->codec by o's name of a format or, without that, by the suffix of path (NULL: there is none); o's numbers are
 * checked. */
static nst_status choose(struct job *j, const char *path, nst_error *e)
{
    const nst_format *want = path ? nst_format_of(path) : NULL;
    const nst_write_options *o = j->o;
    const nst_codec *c = nst_codec_at(0);
    char list[LIST];

    for (int i = 0; c; c = nst_codec_at(++i))
        if (o->format ? !strcmp(o->format, c->format.name) : &c->format == want)
            break;
    if (!c && o->format)
        return nst_fail(e, NST_EARG, "%s: \"%s\" is no format of pictures, expected one as \"png\"", j->label,
                        o->format);
    if (!c)
        return nst_fail(e, NST_EARG, "%s: unknown kind of picture, expected a name that ends in %s", j->label,
                        nst_format_list(1, list, sizeof list));
    if (!c->write)
        return nst_fail(e, NST_EUNSUPPORTED, "%s: %s %s, expected one of %s", j->label,
                        c->read ? "nst reads but does not write" : "this build does not write", c->format.label,
                        nst_format_list(1, list, sizeof list));
    if ((o->bits != 0 && o->bits != 8 && o->bits != 16) || o->jpeg_quality < 0 || o->jpeg_quality > 100)
        return nst_fail(e, NST_EARG, "%s: %d bits and quality %d, expected 8 or 16 and 1 to 100", j->label, o->bits,
                        o->jpeg_quality);
    j->codec = c;
    return NST_OK;
}

nst_status nst_image_write(const nst_image *image, const char *path, const nst_write_options *o, nst_error *e)
{
    static const nst_write_options plain = { 0 };
    struct job j = { .image = image, .o = o ? o : &plain, .label = path };
    struct stat st;
    nst_status s;

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return nst_fail(e, NST_EIO, "%s: is a directory, expected the name of a picture", path);
    s = nst_image_check_there(image, path, e);
    if (!s)
        s = choose(&j, path, e);
    if (s)
        return s;
    return nst_whole_write(path, write_job, &j, e);
}

nst_status nst_image_write_fd(const nst_image *image, int fd, const char *label, const nst_write_options *o,
                              nst_error *e)
{
    static const nst_write_options png = { .format = "png" };
    struct job j = { .image = image, .o = o ? o : &png, .label = label };
    nst_status s;
    FILE *f;
    int own;

    s = nst_image_check_there(image, label, e);
    if (!s)
        s = choose(&j, NULL, e);
    if (s)
        return s;
    own = dup(fd);
    f = own >= 0 ? fdopen(own, "wb") : NULL;
    if (!f) {
        s = cannot(&j, e);
        if (own >= 0)
            close(own);
        return s;
    }
    s = write_job(&j, f, e);
    if (!s && (fflush(f) || ferror(f)))
        s = cannot(&j, e);
    if (fclose(f) && !s)
        s = cannot(&j, e);
    return s;
}
