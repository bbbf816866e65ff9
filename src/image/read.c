/* read.c: picture files, told apart by their first bytes, from names and from pipes. */
#include "image/format.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIST 64               /* room for the formats' names */
#define PIPE_MAX (1LL << 32)  /* bytes that are taken from a pipe */

static const nst_codec *sniff(const uint8_t *head, size_t bytes)
{
    const nst_codec *c;

    for (int i = 0; (c = nst_codec_at(i)); i++)
        if (c->is(head, bytes))
            return c;
    return NULL;
}

/* Whether a text begins with a word, whatever the case of its letters, behind blanks and UTF-8's mark. */
static bool begins(const uint8_t *head, size_t bytes, const char *word)
{
    size_t n = strlen(word), at = bytes >= 3 && !memcmp(head, "\xef\xbb\xbf", 3) ? 3 : 0;

    while (at < bytes && strchr(" \t\r\n", head[at]) && head[at])
        at++;
    return at + n <= bytes && nst_plain_alike((const char *)head + at, word, n);
}

static bool contains(const uint8_t *head, size_t bytes, const char *word)
{
    size_t n = strlen(word);

    for (size_t i = 0; i + n <= bytes; i++)
        if (!memcmp(head + i, word, n))
            return true;
    return false;
}

/* Files that are no picture, or one in another sense; NULL for others. */
static const char *text_kind(const uint8_t *head, size_t bytes, const char **advice)
{
    if (begins(head, bytes, "<svg") || (begins(head, bytes, "<?xml") && contains(head, bytes, "<svg"))) {
        *advice = "; a program for drawings, such as Inkscape, exports it as PNG";
        return "an SVG drawing";
    }
    if (begins(head, bytes, "<!doctype html") || begins(head, bytes, "<html")) {
        *advice = "; what was downloaded is the page around the picture or a refusal";
        return "a web page";
    }
    if (begins(head, bytes, "version https://git-lfs")) {
        *advice = "; \"git lfs pull\" brings the picture in its place";
        return "a Git LFS pointer";
    }
    return NULL;
}

/* Other formats that people have, by what stands at `at` in their first bytes, and what to do with them. */
static const char *binary_kind(const uint8_t *head, size_t bytes, const char **advice)
{
    static const char developer[] = "; a raw developer, such as darktable or RawTherapee, makes a TIFF or JPEG of it";
    static const char convert[] = "; most picture programs export it as PNG or JPEG";
    static const struct { const char *name, *advice; size_t at, n; const char *mark; } formats[] = {
        { "a GIF file", convert, 0, 4, "GIF8" },
        { "a BMP file", convert, 0, 2, "BM" },
        { "an AVIF file", convert, 4, 8, "ftypavif" },
        { "an AVIF file", convert, 4, 8, "ftypavis" },
        { "a HEIF file", convert, 4, 7, "ftyphei" },
        { "a HEIF file", convert, 4, 7, "ftyphev" },
        { "a HEIF file", convert, 4, 8, "ftypmif1" },
        { "a JPEG XL file", convert, 0, 2, "\xff\x0a" },
        { "a JPEG XL file", convert, 4, 4, "JXL " },
        { "a JPEG 2000 file", convert, 4, 4, "jP  " },
        { "a PDF file", convert, 0, 4, "%PDF" },
        { "a Photoshop file", convert, 0, 4, "8BPS" },
        { "an XCF file", convert, 0, 8, "gimp xcf" },
        { "an iOS PNG file, which is none for other systems", "; on a Mac \"pngcrush -revert-iphone-optimizations\" makes a "
          "PNG of it", 12, 4, "CgBI" },
        { "a camera's raw file", developer, 8, 3, "CR\2" },      /* Canon */
        { "a camera's raw file", developer, 4, 7, "ftypcrx" },
        { "a camera's raw file", developer, 0, 8, "FUJIFILM" },
        { "a camera's raw file", developer, 0, 4, "IIU\0" },      /* Panasonic */
        { "a camera's raw file", developer, 0, 3, "IIR" },        /* Olympus */
        { "a camera's raw file", developer, 0, 4, "MMOR" },
        { "a camera's raw file", developer, 0, 4, "FOVb" },       /* Sigma */
        { "a camera's raw file", developer, 0, 4, "\0MRM" },      /* Minolta */
    };

    for (size_t i = 0; i < NST_COUNT(formats); i++)
        if (formats[i].at + formats[i].n <= bytes && !memcmp(head + formats[i].at, formats[i].mark, formats[i].n)) {
            *advice = formats[i].advice;
            return formats[i].name;
        }
    return NULL;
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
    kind = binary_kind(head, bytes, &advice);
    if (!kind)
        kind = text_kind(head, bytes, &advice);
    return nst_fail(e, NST_EFORMAT, "%s: %s, expected %s%s", label, kind ? kind : "no known kind of picture", list, advice);
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
    while ((bytes = fread(block, 1, sizeof block, *f)) > 0 && (total += (long long)bytes) <= PIPE_MAX)
        if (fwrite(block, 1, bytes, copy) < bytes)
            break;
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
        s = c->read(out, f, fit, label, e);
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
