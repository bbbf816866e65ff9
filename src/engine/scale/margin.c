/* margin.c: pictures continued by reflection beyond their sides, so that what the zero padding of the convolutions does
 * there is done outside of what is kept. */
#include "engine/scale/scale.h"

#include <string.h>

/* The place in 0..n-1 that i lies on when the sides are mirrors, the outermost pixel not doubled. */
static int mirror(int i, int n)
{
    int period = n > 1 ? 2 * (n - 1) : 1;

    i %= period;
    if (i < 0)
        i += period;
    return i < n ? i : period - i;
}

int nst_margin_mirrored(int y, int h, int margin)
{
    return margin + mirror(y - margin, h - 2 * margin);
}

void nst_margin_fill_row(float *row, int w, int margin)
{
    for (int x = 0; x < w; x++)
        if (x < margin || x >= w - margin)
            row[x] = row[nst_margin_mirrored(x, w, margin)];
}

void nst_margin_fill(float *plane, int w, int h, int margin)
{
    int iw = w - 2 * margin, ih = h - 2 * margin;

    for (int y = 0; y < h; y++) {
        const float *from = plane + (size_t)(margin + mirror(y - margin, ih)) * (size_t)w + margin;
        float *to = plane + (size_t)y * (size_t)w;
        bool inside = y >= margin && y < margin + ih;

        for (int x = 0; x < w; x++)
            if (!inside || x < margin || x >= margin + iw)
                to[x] = from[mirror(x - margin, iw)];
    }
}

/* Copies the picture into one whose sides lie `by` farther out (by < 0: in). */
static nst_status move(nst_image **image, int by, nst_error *e)
{
    const nst_image *in = *image;
    int w = in->width + 2 * by, h = in->height + 2 * by, skip = by < 0 ? -by : 0, at = by > 0 ? by : 0;
    int cw = w < in->width ? w : in->width, ch = h < in->height ? h : in->height;
    nst_image *out;
    nst_status s = nst_image_create(&out, w, h, in->channels, e);

    if (s)
        return s;
    for (int c = 0; c < in->channels; c++) {
        for (int y = 0; y < ch; y++)
            memcpy(out->plane[c] + (size_t)(at + y) * (size_t)w + at,
                   in->plane[c] + (size_t)(skip + y) * (size_t)in->width + skip, (size_t)cw * sizeof(float));
        if (by > 0)
            nst_margin_fill(out->plane[c], w, h, by);
    }
    nst_image_destroy(image);
    *image = out;
    return NST_OK;
}

nst_status nst_margin_add(nst_image **image, int margin, nst_error *e)
{
    return margin ? move(image, margin, e) : NST_OK;
}

nst_status nst_margin_cut(nst_image **image, int margin, nst_error *e)
{
    return margin ? move(image, -margin, e) : NST_OK;
}
