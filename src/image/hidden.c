/* hidden.c: the colours of transparent pixels, which nobody sees: replaced by what is visible around them. */
#include "image/image.h"

#include <math.h>

#define SURE 16 /* from an alpha of 1 / SURE on a colour is taken as it is */

/* How much a pixel's own colour counts: not at all where alpha is so small that it says nothing about a colour. */
static float trust(float alpha)
{
    return alpha > NST_FAINT ? fminf(1, SURE * alpha) : 0; /* NaN: 0 */
}

/* Half the size: means of 2x2, of what is there, each pixel as much as it counts; how much the mean counts is their
 * sum. */
static void shrink(float *const rgb[3], const float *own, int w, int h, float *const out[4], int ow, int oh)
{
    for (int y = 0; y < oh; y++)
        for (int x = 0; x < ow; x++) {
            size_t to = (size_t)y * (size_t)ow + (size_t)x;
            float sum[3] = { 0 }, all = 0;

            for (int j = 2 * y; j < 2 * y + 2 && j < h; j++)
                for (int i = 2 * x; i < 2 * x + 2 && i < w; i++) {
                    size_t from = (size_t)j * (size_t)w + (size_t)i;

                    for (int c = 0; c < 3 && own[from] > 0; c++)
                        sum[c] += own[from] * rgb[c][from];
                    all += own[from];
                }
            for (int c = 0; c < 3; c++)
                out[c][to] = all > 0 ? sum[c] / all : 0.5f;
            out[3][to] = fminf(all, 1);
        }
}

static bool all_sure(const float *own, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (own[i] < 1)
            return false;
    return true;
}

/* What does not count takes the colours of the picture of half the size, in which the same is done first. */
static bool fill(float *const rgb[3], const float *own, int w, int h)
{
    int ow = (w + 1) / 2, oh = (h + 1) / 2;
    size_t n = (size_t)w * (size_t)h, half = (size_t)ow * (size_t)oh;
    float *room, *line = NULL;
    bool good;

    if (n == 1 || all_sure(own, n))
        return true;
    room = nst_alloc(4 * half * sizeof *room);
    if (!room)
        return false;
    float *const small[4] = { room, room + half, room + 2 * half, room + 3 * half };
    shrink(rgb, own, w, h, small, ow, oh);
    if (fill(small, small[3], ow, oh))
        line = nst_alloc((size_t)w * sizeof *line);
    good = line != NULL;
    for (int c = 0; c < 3 && good; c++)
        for (int y = 0; y < h; y++) {
            const nst_band band = { small[c], (size_t)ow, 0, ow, oh };
            float *to = rgb[c] + (size_t)y * (size_t)w;
            const float *mine = own + (size_t)y * (size_t)w;

            nst_plane_bilinear_row(&band, y, line, w, h);
            for (int x = 0; x < w; x++)
                if (mine[x] < 1)
                    to[x] = mine[x] > 0 ? line[x] + mine[x] * (to[x] - line[x]) : line[x];
        }
    nst_free(line);
    nst_free(room);
    return good;
}

nst_status nst_image_fill_hidden(nst_image *image, nst_error *e)
{
    size_t n = (size_t)image->width * (size_t)image->height;
    float *own;
    bool good;

    if (!nst_image_see_through(image))
        return NST_OK;
    own = nst_alloc(n * sizeof *own);
    for (size_t i = 0; own && i < n; i++)
        own[i] = trust(image->plane[3][i]);
    good = own && fill(image->plane, own, image->width, image->height);
    nst_free(own);
    return good ? NST_OK
                : nst_fail(e, NST_EMEM, "alpha: out of memory for %d x %d pixels", image->width, image->height);
}

nst_status nst_image_resize_seen(nst_image **out, const nst_image *in, int width, int height, nst_error *e)
{
    nst_status s = nst_image_resize(out, in, width, height, e);

    if (!s) {
        s = nst_image_fill_hidden(*out, e);
        if (s)
            nst_image_destroy(out);
    }
    return s;
}

bool nst_image_see_through(const nst_image *image)
{
    size_t n = (size_t)image->width * (size_t)image->height;

    for (size_t i = 0; image->channels == 4 && i < n; i++)
        if (!(image->plane[3][i] >= 1))
            return true;
    return false;
}

bool nst_image_invisible(const nst_image *image)
{
    size_t n = (size_t)image->width * (size_t)image->height;

    for (size_t i = 0; i < n; i++)
        if (image->channels < 4 || image->plane[3][i] > NST_FAINT)
            return false;
    return true;
}
