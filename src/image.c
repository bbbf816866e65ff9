/* image.c: pictures in memory, told apart by their first bytes and written so that no half file ever shows. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

typedef nst_status read_fn(nst_image **out, FILE *f, const char *path, nst_error *e);
typedef nst_status write_fn(const nst_image *image, FILE *f, const char *path, const nst_write_options *o,
                            nst_error *e);

/* ---- in memory -------------------------------------------------------------- */

/* A picture that cannot fit the machine is refused before the kernel ends the process for touching it. */
static bool fits(size_t bytes)
{
#ifdef _SC_PHYS_PAGES
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);

    return pages <= 0 || page <= 0 || bytes / (size_t)page < (size_t)pages;
#else
    (void)bytes;
    return true;
#endif
}

nst_status nst_image_alloc(nst_image **out, int width, int height, int channels, const char *label, nst_error *e)
{
    nst_image *image;
    size_t n, bytes;

    *out = NULL;
    if (width < 1 || height < 1 || channels < 3 || channels > 4)
        return nst_fail(e, NST_EARG, "%s: %d x %d pixels in %d channels, expected at least 1 x 1 in 3 or 4",
                        label, width, height, channels);
    n = (size_t)width * (size_t)height;
    if (width > NST_MAX_SIDE || height > NST_MAX_SIDE || n > NST_MAX_PIXELS)
        return nst_fail(e, NST_EFORMAT, "%s: %d x %d pixels, expected sides up to %d and at most %zu pixels", label,
                        width, height, NST_MAX_SIDE, NST_MAX_PIXELS);
    if (!nst_mul(n, (size_t)channels * sizeof(float), &bytes) || !fits(bytes))
        return nst_fail(e, NST_EMEM, "%s: %d x %d pixels need %.1f GB, more than this machine has", label, width,
                        height, (double)n * channels * sizeof(float) / 1e9);
    image = nst_calloc(1, sizeof *image);
    if (!image || !(image->plane[0] = nst_alloc(bytes))) {
        nst_free(image);
        return nst_fail(e, NST_EMEM, "%s: out of memory for %d x %d pixels", label, width, height);
    }
    image->width = width;
    image->height = height;
    image->channels = channels;
    for (int c = 1; c < channels; c++)
        image->plane[c] = image->plane[c - 1] + n;
    *out = image;
    return NST_OK;
}

nst_status nst_image_create(nst_image **out, int width, int height, int channels, nst_error *e)
{
    nst_status s = nst_image_alloc(out, width, height, channels, "picture", e);

    if (!s)
        memset((*out)->plane[0], 0, (size_t)width * (size_t)height * (size_t)channels * sizeof(float));
    return s;
}

nst_image *nst_image_copy(const nst_image *in)
{
    nst_image *out;

    if (nst_image_alloc(&out, in->width, in->height, in->channels, "picture", NULL))
        return NULL;
    memcpy(out->plane[0], in->plane[0],
           (size_t)in->width * (size_t)in->height * (size_t)in->channels * sizeof(float));
    return out;
}

void nst_image_destroy(nst_image **image)
{
    if (!image || !*image)
        return;
    nst_free((*image)->plane[0]);
    nst_free(*image);
    *image = NULL;
}

int nst_image_width(const nst_image *image)
{
    return image->width;
}

int nst_image_height(const nst_image *image)
{
    return image->height;
}

int nst_image_channels(const nst_image *image)
{
    return image->channels;
}

float *nst_image_plane(nst_image *image, int c)
{
    return c >= 0 && c < image->channels ? image->plane[c] : NULL;
}

unsigned nst_image_quantise(float v, unsigned max)
{
    return (unsigned)((v > 0 ? v < 1 ? v : 1 : 0) * (float)max + 0.5f);
}

nst_status nst_image_orient(nst_image **image, int orientation, const char *label, nst_error *e)
{
    /* which source coordinates run backwards, and whether rows become columns; EXIF 2.3, table 4.6.4 A */
    static const struct { bool flip_x, flip_y, swap; } turn[9] = {
        [2] = { true, false, false },  [3] = { true, true, false },  [4] = { false, true, false },
        [5] = { false, false, true },  [6] = { false, true, true },  [7] = { true, true, true },
        [8] = { true, false, true },
    };
    const nst_image *in = *image;
    nst_image *out;
    nst_status s;

    if (orientation < 2 || orientation > 8)
        return NST_OK;
    bool swap = turn[orientation].swap, flip_x = turn[orientation].flip_x, flip_y = turn[orientation].flip_y;
    if ((s = nst_image_alloc(&out, swap ? in->height : in->width, swap ? in->width : in->height, in->channels,
                             label, e)))
        return s;
    ptrdiff_t along_x = flip_x ? -1 : 1, along_y = flip_y ? -(ptrdiff_t)in->width : in->width;
    ptrdiff_t start = (flip_x ? in->width - 1 : 0) + (flip_y ? (ptrdiff_t)(in->height - 1) * in->width : 0);
    ptrdiff_t dx = swap ? along_y : along_x, dy = swap ? along_x : along_y;
    for (int c = 0; c < in->channels; c++)
        for (int y = 0; y < out->height; y++) {
            const float *from = in->plane[c] + start + y * dy;
            float *to = out->plane[c] + (size_t)y * (size_t)out->width;

            for (int x = 0; x < out->width; x++)
                to[x] = from[x * dx];
        }
    nst_image_destroy(image);
    *image = out;
    return NST_OK;
}

/* ---- reading ------------------------------------------------------------------ */

static read_fn *sniff(const uint8_t *head, size_t bytes)
{
    static const uint8_t png[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' }, jpeg[] = { 0xff, 0xd8, 0xff };

    if (bytes >= sizeof png && !memcmp(head, png, sizeof png))
        return nst_png_read;
    if (bytes >= sizeof jpeg && !memcmp(head, jpeg, sizeof jpeg))
        return nst_jpeg_read;
    return NULL;
}

/* Other formats that people have, by what stands at `at` in their first bytes: the sentence can name them. */
static nst_status refuse(const uint8_t *head, size_t bytes, const char *path, nst_error *e)
{
    static const struct { const char *name; size_t at, n; const char *mark; } formats[] = {
        { "a GIF", 0, 4, "GIF8" },
        { "a WebP", 8, 4, "WEBP" },
        { "an AVIF", 4, 8, "ftypavif" },
        { "a HEIF", 4, 7, "ftyphei" },
        { "a HEIF", 4, 8, "ftypmif1" },
        { "a TIFF", 0, 4, "MM\0*" },
        { "a TIFF", 0, 4, "II*\0" },
        { "a JPEG XL", 0, 2, "\xff\x0a" },
        { "a JPEG XL", 4, 4, "JXL " },
        { "a JPEG 2000", 4, 4, "jP  " },
        { "a PDF", 0, 4, "%PDF" },
        { "a Photoshop", 0, 4, "8BPS" },
        { "an XCF", 0, 8, "gimp xcf" },
    };

    for (size_t i = 0; i < NST_COUNT(formats); i++)
        if (formats[i].at + formats[i].n <= bytes && !memcmp(head + formats[i].at, formats[i].mark, formats[i].n))
            return nst_fail(e, NST_EFORMAT, "%s: %s file, expected a PNG or JPEG file", path, formats[i].name);
    return nst_fail(e, NST_EFORMAT, "%s: not a PNG or JPEG file", path);
}

/* A pipe cannot go back to its start: what came and what follows goes to a nameless file that can. */
static nst_status spool(FILE **f, const uint8_t *head, size_t bytes, const char *path, nst_error *e)
{
    FILE *copy = tmpfile();
    char block[1 << 14];
    size_t total = 0;

    if (!copy)
        return nst_fail(e, NST_EIO, "%s: cannot make a temporary file for a pipe: %s", path, strerror(errno));
    fwrite(head, 1, bytes, copy);
    while ((bytes = fread(block, 1, sizeof block, *f)) > 0 && (total += bytes) < (size_t)1 << 32)
        if (fwrite(block, 1, bytes, copy) < bytes)
            break;
    if (ferror(*f) || ferror(copy) || fflush(copy) || !feof(*f)) {
        fclose(copy);
        return nst_fail(e, NST_EIO, "%s: cannot be read to its end, expected a PNG or JPEG file", path);
    }
    rewind(copy);
    fclose(*f);
    *f = copy;
    return NST_OK;
}

nst_status nst_image_read(nst_image **out, const char *path, nst_error *e)
{
    uint8_t head[12];
    struct stat st;
    read_fn *read;
    size_t bytes;
    nst_status s = NST_OK;
    FILE *f = fopen(path, "rb");

    *out = NULL;
    if (!f)
        return nst_fail(e, NST_EIO, "%s: cannot open: %s", path, strerror(errno));
    if (fstat(fileno(f), &st) == 0 && S_ISDIR(st.st_mode)) {
        fclose(f);
        return nst_fail(e, NST_EIO, "%s: is a directory, expected a PNG or JPEG file", path);
    }
    bytes = fread(head, 1, sizeof head, f);
    read = sniff(head, bytes);
    if (ferror(f))
        s = nst_fail(e, NST_EIO, "%s: cannot read: %s", path, strerror(errno));
    else if (!bytes)
        s = nst_fail(e, NST_EFORMAT, "%s: empty file, expected a PNG or JPEG file", path);
    else if (!read)
        s = refuse(head, bytes, path, e);
    else if (fseeko(f, 0, SEEK_SET))
        s = spool(&f, head, bytes, path, e);
    if (!s)
        s = read(out, f, path, e);
    fclose(f);
    return s;
}

/* ---- writing ------------------------------------------------------------------ */

static write_fn *writer(const char *path)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');

    if (dot && !strcasecmp(dot, ".png"))
        return nst_png_write;
    if (dot && (!strcasecmp(dot, ".jpg") || !strcasecmp(dot, ".jpeg")))
        return nst_jpeg_write;
    return NULL;
}

/* Length of the folder's part of path, the slash included; 0 where there is none. */
static size_t folder(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* A new file beside path, with the rights of the one that it will replace. temp has room for 64 bytes more than path. */
static FILE *open_beside(const char *path, const struct stat *old, char *temp)
{
    static const int tries = 100;
    size_t n = folder(path);
    FILE *f;
    int fd = -1;

    memcpy(temp, path, n);
    for (int i = 0; i < tries && fd < 0; i++) {
        snprintf(temp + n, 64, ".nst-%ld-%d.tmp", (long)getpid(), i);
        fd = open(temp, O_WRONLY | O_CREAT | O_EXCL, 0666);
        if (fd < 0 && errno != EEXIST)
            return NULL;
    }
    if (fd < 0)
        return NULL;
    if ((!old || !fchmod(fd, old->st_mode & 0777)) && (f = fdopen(fd, "wb")))
        return f;
    close(fd);
    unlink(temp);
    return NULL;
}

/* The new name reaches the disk when its folder does.  Some file systems cannot: the file itself is safe. */
static void sync_folder(const char *path, char *scratch)
{
    size_t n = folder(path);
    int fd;

    memcpy(scratch, path, n);
    strcpy(scratch + n, ".");
    fd = open(scratch, O_RDONLY);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

static nst_status replace(const nst_image *image, const char *path, const struct stat *old, write_fn *write,
                          const nst_write_options *o, const char *label, nst_error *e)
{
    char *temp = nst_alloc(strlen(path) + 64);
    nst_status s;
    FILE *f;

    if (!temp)
        return nst_fail(e, NST_EMEM, "%s: out of memory", label);
    if (!(f = open_beside(path, old, temp))) {
        s = nst_fail(e, NST_EIO, "%s: cannot write: %s", label, strerror(errno));
        nst_free(temp);
        return s;
    }
    s = write(image, f, label, o, e);
    if (!s && (fflush(f) || fsync(fileno(f))))
        s = nst_fail(e, NST_EIO, "%s: cannot write: %s", label, strerror(errno));
    if (fclose(f) && !s)
        s = nst_fail(e, NST_EIO, "%s: cannot write: %s", label, strerror(errno));
    if (!s && rename(temp, path))
        s = nst_fail(e, NST_EIO, "%s: cannot be put in place: %s", label, strerror(errno));
    if (s)
        unlink(temp);
    else
        sync_folder(path, temp);
    nst_free(temp);
    return s;
}

/* A pipe or a device is written in place: there is no old content to protect. */
static nst_status stream(const nst_image *image, const char *path, write_fn *write, const nst_write_options *o,
                         nst_error *e)
{
    FILE *f = fopen(path, "wb");
    nst_status s;

    if (!f)
        return nst_fail(e, NST_EIO, "%s: cannot write: %s", path, strerror(errno));
    s = write(image, f, path, o, e);
    if (fclose(f) && !s)
        s = nst_fail(e, NST_EIO, "%s: cannot write: %s", path, strerror(errno));
    return s;
}

nst_status nst_image_write(const nst_image *image, const char *path, const nst_write_options *o, nst_error *e)
{
    static const nst_write_options plain = { 0 };
    write_fn *write = writer(path);
    struct stat st;
    bool old = stat(path, &st) == 0;
    char *real;
    nst_status s;

    if (!o)
        o = &plain;
    if (old && S_ISDIR(st.st_mode))
        return nst_fail(e, NST_EIO, "%s: is a directory, expected the name of a picture", path);
    if (!write)
        return nst_fail(e, NST_EARG, "%s: unknown kind of picture, expected a name that ends in .png, .jpg or .jpeg",
                        path);
    if ((o->bits != 0 && o->bits != 8 && o->bits != 16) || o->jpeg_quality < 0 || o->jpeg_quality > 100)
        return nst_fail(e, NST_EARG, "%s: %d bits and JPEG quality %d, expected 8 or 16 and 1 to 100", path, o->bits,
                        o->jpeg_quality);
    if (old && faccessat(AT_FDCWD, path, W_OK, AT_EACCESS)) /* renaming would get around a file that is marked read-only */
        return nst_fail(e, NST_EIO, "%s: cannot write: %s", path, strerror(errno));
    if (old && !S_ISREG(st.st_mode))
        return stream(image, path, write, o, e);
    real = old ? realpath(path, NULL) : NULL; /* a symbolic link stays one */
    s = replace(image, real ? real : path, old ? &st : NULL, write, o, path, e);
    nst_free(real);
    return s;
}
