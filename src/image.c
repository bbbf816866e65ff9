/* image.c: pictures in memory, told apart by their first bytes and written so that no half file ever shows. */
#include "image.h"

#include <errno.h>
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

struct job {
    const nst_image *image;
    write_fn *write;
    const nst_write_options *o;
    const char *path;
};

static nst_status write_job(void *arg, FILE *f, nst_error *e)
{
    const struct job *j = arg;

    return j->write(j->image, f, j->path, j->o, e);
}

nst_status nst_image_write(const nst_image *image, const char *path, const nst_write_options *o, nst_error *e)
{
    static const nst_write_options plain = { 0 };
    write_fn *write = writer(path);
    struct stat st;

    if (!o)
        o = &plain;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return nst_fail(e, NST_EIO, "%s: is a directory, expected the name of a picture", path);
    if (!write)
        return nst_fail(e, NST_EARG, "%s: unknown kind of picture, expected a name that ends in .png, .jpg or .jpeg",
                        path);
    if ((o->bits != 0 && o->bits != 8 && o->bits != 16) || o->jpeg_quality < 0 || o->jpeg_quality > 100)
        return nst_fail(e, NST_EARG, "%s: %d bits and JPEG quality %d, expected 8 or 16 and 1 to 100", path, o->bits,
                        o->jpeg_quality);
    return nst_whole_write(path, write_job, &(struct job){ image, write, o, path }, e);
}
