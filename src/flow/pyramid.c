/* pyramid.c: a picture's brightness at sizes that halve. */
#include "flow/flow.h"

#include <string.h>

#include "image/image.h"

#define LEAST 12 /* pixels of the smallest level's shorter side: more than a patch */

static nst_status create_level(nst_level *l, int w, int h, nst_error *e)
{
    size_t rows = (size_t)h + 2 * NST_LEVEL_PAD;

    l->w = w, l->h = h;
    l->ld = (size_t)w + 2 * NST_LEVEL_PAD;
    l->memory = nst_calloc(rows, l->ld * sizeof *l->memory);
    if (!l->memory)
        return nst_fail(e, NST_EMEM, "flow of %d x %d pixels: out of memory", w, h);
    l->grey = l->memory + NST_LEVEL_PAD * l->ld + NST_LEVEL_PAD;
    return NST_OK;
}

/* The border continues the edges. */
static void pad(nst_level *l)
{
    for (int y = 0; y < l->h; y++) {
        float *row = l->grey + (size_t)y * l->ld;

        for (int k = 1; k <= NST_LEVEL_PAD; k++) {
            row[-k] = row[0];
            row[l->w - 1 + k] = row[l->w - 1];
        }
    }
    for (int k = 1; k <= NST_LEVEL_PAD; k++) {
        const float *first = l->grey - NST_LEVEL_PAD, *last = first + (size_t)(l->h - 1) * l->ld;

        memcpy(l->memory + (size_t)(NST_LEVEL_PAD - k) * l->ld, first, l->ld * sizeof *first);
        memcpy(l->memory + (size_t)(NST_LEVEL_PAD + l->h - 1 + k) * l->ld, last, l->ld * sizeof *last);
    }
}

static void make_grey(nst_level *l, const nst_image *image)
{
    for (int y = 0; y < l->h; y++) {
        size_t at = (size_t)y * (size_t)image->width;
        const float *r = image->plane[0] + at, *g = image->plane[1] + at, *b = image->plane[2] + at;
        float *row = l->grey + (size_t)y * l->ld;

        for (int x = 0; x < l->w; x++)
            row[x] = 255 * (.299f * r[x] + .587f * g[x] + .114f * b[x]);
    }
    pad(l);
}

/* Means of four; an odd side's last one is continued by the border. */
static nst_status halve(nst_level *out, const nst_level *in, nst_error *e)
{
    nst_status s = create_level(out, (in->w + 1) / 2, (in->h + 1) / 2, e);

    if (s)
        return s;
    for (int y = 0; y < out->h; y++) {
        const float *a = in->grey + 2 * (size_t)y * in->ld, *b = a + in->ld;
        float *row = out->grey + (size_t)y * out->ld;

        for (int x = 0; x < out->w; x++)
            row[x] = .25f * (a[2 * x] + a[2 * x + 1] + b[2 * x] + b[2 * x + 1]);
    }
    pad(out);
    return NST_OK;
}

nst_status nst_pyramid_create(nst_pyramid *p, const nst_image *image, bool half, nst_error *e)
{
    nst_level whole = { .w = 0 };
    nst_status s = create_level(&whole, image->width, image->height, e);

    *p = (nst_pyramid){ .levels = 0 };
    if (s)
        return s;
    make_grey(&whole, image);
    if (half) {
        s = halve(&p->level[0], &whole, e);
        nst_free(whole.memory);
    } else {
        p->level[0] = whole;
    }
    p->levels = 1;
    while (!s && p->levels < NST_LEVELS && p->level[p->levels - 1].w >= 2 * LEAST &&
           p->level[p->levels - 1].h >= 2 * LEAST) {
        s = halve(&p->level[p->levels], &p->level[p->levels - 1], e);
        p->levels++;
    }
    if (s)
        nst_pyramid_free(p);
    return s;
}

void nst_pyramid_free(nst_pyramid *p)
{
    for (int i = 0; i < p->levels; i++)
        nst_free(p->level[i].memory);
    p->levels = 0;
}
