/* image.c: pictures in memory. */
#include "image/image.h"

#include <string.h>
#include <unistd.h>

/* False for more than this machine has altogether. */
static bool machine_has(size_t bytes)
{
#ifdef _SC_PHYS_PAGES
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);

    return pages <= 0 || page <= 0 || bytes / (size_t)page < (size_t)pages;
#else
    (void)bytes;
    return true;
#endif
}

#define SMALL (1 << 20) /* bytes that are not worth the question, for which up to eight files are read */

bool nst_memory_fits(size_t bytes)
{
    size_t available;

    if (bytes <= SMALL)
        return true;
    available = nst_memory_available();
    return machine_has(bytes) && (!available || bytes < available);
}

nst_status nst_image_check(size_t width, size_t height, const char *label, nst_error *e)
{
    if (width < 1 || height < 1)
        return nst_fail(e, NST_EFORMAT, "%s: %zu x %zu pixels, expected at least 1 x 1", label, width, height);
    if (width > NST_MAX_SIDE || height > NST_MAX_SIDE || width * height > NST_MAX_PIXELS)
        return nst_fail(e, NST_EFORMAT, "%s: %zu x %zu pixels, expected sides up to %d and at most %zu pixels", label,
                        width, height, NST_MAX_SIDE, NST_MAX_PIXELS);
    return NST_OK;
}

nst_status nst_image_alloc(nst_image **out, int width, int height, int channels, const char *label, nst_error *e)
{
    nst_image *image;
    size_t n, bytes;
    nst_status s;

    *out = NULL;
    if (width < 1 || height < 1 || channels < 3 || channels > 4)
        return nst_fail(e, NST_EARG, "%s: %d x %d pixels in %d channels, expected at least 1 x 1 in 3 or 4",
                        label, width, height, channels);
    s = nst_image_check((size_t)width, (size_t)height, label, e);
    if (s)
        return s;
    n = (size_t)width * (size_t)height;
    if (!nst_mul(n, (size_t)channels * sizeof(float), &bytes) || !machine_has(bytes))
        return nst_fail(e, NST_EMEM, "%s: %d x %d pixels need %.1f GB, more than this machine has", label, width,
                        height, (double)n * channels * sizeof(float) / 1e9);
    image = nst_calloc(1, sizeof *image);
    if (image)
        image->plane[0] = nst_alloc(bytes);
    if (!image || !image->plane[0]) {
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
    nst_free((*image)->place.weight);
    nst_free((*image)->part.weight);
    nst_free(*image);
    *image = NULL;
}

void nst_image_allow_discard(nst_image *content)
{
    content->discardable = true;
}

void nst_image_file_size(const nst_image *image, int *width, int *height)
{
    bool smaller = image->file_width > 0;

    *width = smaller ? image->file_width : image->width;
    *height = smaller ? image->file_height : image->height;
}

nst_status nst_image_check_there(const nst_image *image, const char *label, nst_error *e)
{
    if (image->plane[0])
        return NST_OK;
    return nst_fail(e, NST_EARG,
                    "%s: its pixels were given back by a painting that it was lent to (nst_image_allow_discard), "
                    "expected a picture that has them", label);
}

/* A mask's weights: its luminance as it is stored, so that a grey of 128 is a half, times its alpha. */
static nst_status read_mask(nst_mask *out, const nst_image *in, nst_error *e)
{
    size_t n;
    nst_status s;

    if (!in)
        return NST_OK;
    s = nst_image_check_there(in, "mask", e);
    if (s)
        return s;
    n = (size_t)in->width * (size_t)in->height;
    *out = (nst_mask){ in->width, in->height, nst_alloc(n * sizeof(float)), 0, 0 };
    nst_image_file_size(in, &out->file_w, &out->file_h);
    if (!out->weight)
        return nst_fail(e, NST_EMEM, "mask: out of memory");
    for (size_t i = 0; i < n; i++) {
        float v = .2126f * in->plane[0][i] + .7152f * in->plane[1][i] + .0722f * in->plane[2][i];

        if (in->channels == 4)
            v *= in->plane[3][i];
        out->weight[i] = nst_clamp(v, 0, 1);
    }
    return NST_OK;
}

nst_status nst_image_set_region(nst_image *style, const nst_image *content_mask, const nst_image *style_mask,
                                nst_error *e)
{
    nst_mask place = { 0 }, part = { 0 };
    nst_status s = read_mask(&place, content_mask, e);

    if (!s)
        s = read_mask(&part, style_mask, e);
    if (s) {
        nst_free(place.weight);
        return s;
    }
    nst_free(style->place.weight);
    nst_free(style->part.weight);
    style->place = place;
    style->part = part;
    return NST_OK;
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
    return (unsigned)(nst_clamp(v, 0, 1) * (float)max + 0.5f);
}

float nst_image_flat(const nst_image *image, int c, size_t i)
{
    float v = image->plane[c][i], a = image->channels == 4 ? nst_clamp(image->plane[3][i], 0, 1) : 1;

    return a < 1 ? 1 + (v - 1) * a : v;
}

nst_status nst_image_orient(nst_image *p, int orientation, const char *label, nst_error *e)
{
    /* which source coordinates run backwards, and whether rows become columns; EXIF 2.3, table 4.6.4 A */
    static const struct { bool flip_x, flip_y, swap; } turn[9] = {
        [2] = { true, false, false },  [3] = { true, true, false },  [4] = { false, true, false },
        [5] = { false, false, true },  [6] = { false, true, true },  [7] = { true, true, true },
        [8] = { true, false, true },
    };
    size_t n = (size_t)p->width * (size_t)p->height;
    float *from;

    if (orientation < 2 || orientation > 8)
        return NST_OK;
    bool swap = turn[orientation].swap, flip_x = turn[orientation].flip_x, flip_y = turn[orientation].flip_y;
    from = nst_alloc(n * sizeof *from);
    if (!from)
        return nst_fail(e, NST_EMEM, "%s: out of memory for turning %d x %d pixels", label, p->width, p->height);
    ptrdiff_t along_x = flip_x ? -1 : 1, along_y = flip_y ? -(ptrdiff_t)p->width : p->width;
    ptrdiff_t start = (flip_x ? p->width - 1 : 0) + (flip_y ? (ptrdiff_t)(p->height - 1) * p->width : 0);
    ptrdiff_t dx = swap ? along_y : along_x, dy = swap ? along_x : along_y;
    int w = swap ? p->height : p->width, h = swap ? p->width : p->height;
    for (int c = 0; c < p->channels; c++) {
        memcpy(from, p->plane[c], n * sizeof *from);
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
                p->plane[c][(size_t)y * (size_t)w + (size_t)x] = from[start + y * dy + x * dx];
    }
    nst_free(from);
    p->width = w;
    p->height = h;
    if (swap) {
        w = p->file_width;
        p->file_width = p->file_height;
        p->file_height = w;
    }
    return NST_OK;
}
