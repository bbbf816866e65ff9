/* resize.c: other sizes of pictures (Lanczos, in linear light) and of plain planes (bicubic, bilinear). */
#include "image/image.h"

#include <math.h>
#include <string.h>

#define ORDER 3.0          /* Lanczos: lobes on each side */
#define STEPS 4096         /* of the table of linear light: interpolated, its error is below 5e-8 */

/* Where the samples of one side come from: item i is the sum over k < count[i] of
 * weight[i * most + k] * in[first[i] + k]. */
struct taps {
    int most;
    int *first, *count;
    float *weight;
};

/* Rows come in at the top and leave resampled.  Top to bottom first: each row is made light once and added to every row
 * of the output that it reaches.  Those are consecutive, begin..end-1, because taps only move down, and few: a ring of
 * `lanes` holds them. */
struct nst_resampler {
    nst_image *out;
    int width, height; /* of what comes in */
    struct taps x, y;
    int row, begin, end; /* the next row that comes; rows of the output that are under way */
    int lanes, planes;   /* planes: 3, or 7 with alpha: R G B, A, R G B weighed by A */
    bool *clear;         /* [lanes] a row was not opaque */
    float *ring;         /* [lanes][planes][width] */
    float *light;        /* [planes][width] the row in linear light */
    float *table;        /* [STEPS + 2] nst_srgb_to_linear(i / STEPS) */
};

static double lanczos(double x)
{
    const double pi = 3.14159265358979323846;

    if (fabs(x) < 1e-9)
        return 1;
    if (fabs(x) >= ORDER)
        return 0;
    return ORDER * sin(pi * x) * sin(pi * x / ORDER) / (pi * pi * x * x);
}

static void taps_free(struct taps *t)
{
    nst_free(t->first);
    nst_free(t->count);
    nst_free(t->weight);
}

/* Shrinking stretches the filter by the ratio, so that it takes out what the smaller side cannot show.  At the
 * border the weights inside are scaled to the sum of one. */
static bool taps_make(struct taps *t, int from, int to)
{
    double ratio = (double)from / to, stretch = ratio > 1 ? ratio : 1, reach = ORDER * stretch;
    size_t n;

    t->most = (int)ceil(2 * reach) + 2;
    if (t->most > from)
        t->most = from;
    if (nst_mul((size_t)to, (size_t)t->most, &n))
        t->weight = nst_calloc(n, sizeof *t->weight);
    if (t->weight)
        t->first = nst_calloc((size_t)to, sizeof *t->first);
    if (t->first)
        t->count = nst_calloc((size_t)to, sizeof *t->count);
    if (!t->count)
        return false;
    for (int i = 0; i < to; i++) {
        double centre = (i + 0.5) * ratio - 0.5, sum = 0;
        int first = (int)fmax(ceil(centre - reach), 0), last = (int)fmin(floor(centre + reach), from - 1);
        float *w = t->weight + (size_t)i * (size_t)t->most;

        for (int k = first; k <= last; k++)
            sum += lanczos((k - centre) / stretch);
        for (int k = first; k <= last; k++)
            w[k - first] = (float)(lanczos((k - centre) / stretch) / sum);
        t->first[i] = first;
        t->count[i] = last - first + 1;
    }
    return true;
}

/* One row in linear light. */
static void lighten(const float *table, const float *in, int n, float *out)
{
    for (int x = 0; x < n; x++) {
        float at = nst_clamp(in[x], 0, 1) * STEPS;
        int i = (int)at;

        out[x] = table[i] + (at - (float)i) * (table[i + 1] - table[i]);
    }
}

/* The next row into r->light.  With alpha, a pixel counts as much as it covers; where nothing is covered, the colours
 * beneath are resampled as if they were seen, so that something is there.  True when all of it is opaque. */
static bool take(nst_resampler *r, const float *const rgba[4])
{
    size_t w = (size_t)r->width;
    const float *alpha = r->light + 3 * w;
    bool opaque = true;

    for (size_t c = 0; c < 3; c++)
        lighten(r->table, rgba[c], r->width, r->light + c * w);
    if (r->planes == 3)
        return true;
    for (size_t x = 0; x < w; x++) {
        r->light[3 * w + x] = nst_clamp(rgba[3][x], 0, 1);
        opaque &= rgba[3][x] >= 1;
    }
    for (size_t c = 0; c < 3; c++)
        for (size_t x = 0; x < w; x++)
            r->light[(4 + c) * w + x] = r->light[c * w + x] * alpha[x];
    return opaque;
}

/* One plane of a lane, left to right. */
static void resample_row(const nst_resampler *r, const float *in, float *out)
{
    const struct taps *t = &r->x;

    for (int x = 0; x < r->out->width; x++) {
        const float *w = t->weight + (size_t)x * (size_t)t->most, *from = in + t->first[x];
        float sum = 0;

        for (int k = 0; k < t->count[x]; k++)
            sum += w[k] * from[k];
        out[x] = sum;
    }
}

/* Row i of the output has got all of its rows. */
static void finish_row(nst_resampler *r, int i)
{
    size_t w = (size_t)r->width, ow = (size_t)r->out->width, at = (size_t)i * ow;
    const float *lane = r->ring + (size_t)(i % r->lanes) * (size_t)r->planes * w;
    float *alpha = r->planes == 7 ? r->out->plane[3] + at : NULL;

    if (alpha)
        resample_row(r, lane + 3 * w, alpha);
    for (size_t c = 0; c < 3; c++) {
        float *out = r->out->plane[c] + at;

        resample_row(r, lane + c * w, out);
        if (alpha && r->clear[i % r->lanes]) {
            float *weighed = r->light; /* free until the next row comes, and as wide as it must be */

            resample_row(r, lane + (4 + c) * w, weighed);
            for (size_t x = 0; x < ow; x++)
                if (alpha[x] > NST_FAINT)
                    out[x] = weighed[x] / alpha[x];
        }
        for (size_t x = 0; x < ow; x++)
            out[x] = nst_clamp(nst_linear_to_srgb(nst_clamp(out[x], 0, 1)), 0, 1);
    }
    for (size_t x = 0; alpha && x < ow; x++)
        alpha[x] = nst_clamp(alpha[x], 0, 1);
}

void nst_resampler_row(nst_resampler *r, const float *const rgba[4])
{
    size_t n = (size_t)r->planes * (size_t)r->width;
    const struct taps *t = &r->y;
    int y = r->row++;
    bool opaque = take(r, rgba);

    for (; r->end < r->out->height && t->first[r->end] <= y; r->end++) {
        memset(r->ring + (size_t)(r->end % r->lanes) * n, 0, n * sizeof *r->ring);
        r->clear[r->end % r->lanes] = false;
    }
    for (int i = r->begin; i < r->end; i++) {
        float weight = t->weight[(size_t)i * (size_t)t->most + (size_t)(y - t->first[i])];
        float *to = r->ring + (size_t)(i % r->lanes) * n;

        r->clear[i % r->lanes] |= !opaque;
        for (size_t x = 0; x < n; x++)
            to[x] += weight * r->light[x];
    }
    for (; r->begin < r->end && t->first[r->begin] + t->count[r->begin] <= y + 1; r->begin++)
        finish_row(r, r->begin);
}

/* The most rows of the output that one row reaches. */
static int overlap(const struct taps *t, int rows)
{
    int most = 1;

    for (int i = 0, last = 0; i < rows; i++) {
        while (last + 1 < rows && t->first[last + 1] < t->first[i] + t->count[i])
            last++;
        if (last - i + 1 > most)
            most = last - i + 1;
    }
    return most;
}

nst_status nst_resampler_open(nst_resampler **out, int width, int height, nst_image *to, const char *label,
                              nst_error *e)
{
    nst_resampler *r = nst_calloc(1, sizeof *r);
    size_t row, n, wide = (size_t)(width > to->width ? width : to->width);

    *out = NULL;
    if (!r)
        goto fail;
    r->out = to;
    r->width = width;
    r->height = height;
    r->planes = to->channels == 4 ? 7 : 3;
    if (!taps_make(&r->x, width, to->width) || !taps_make(&r->y, height, to->height))
        goto fail;
    r->lanes = overlap(&r->y, to->height);
    row = (size_t)r->planes * (size_t)width * sizeof(float);
    if (nst_mul(row, (size_t)r->lanes, &n))
        r->ring = nst_alloc(n);
    if (r->ring)
        r->clear = nst_calloc((size_t)r->lanes, sizeof *r->clear);
    if (r->clear)
        r->light = nst_alloc(row > wide * sizeof(float) ? row : wide * sizeof(float));
    if (r->light)
        r->table = nst_alloc((STEPS + 2) * sizeof(float));
    if (!r->table)
        goto fail;
    for (int i = 0; i < STEPS + 2; i++)
        r->table[i] = nst_srgb_to_linear((float)i / STEPS);
    *out = r;
    return NST_OK;

fail:
    nst_resampler_close(&r);
    return nst_fail(e, NST_EMEM, "%s: out of memory for %d x %d pixels", label, to->width, to->height);
}

void nst_resampler_close(nst_resampler **r)
{
    if (!*r)
        return;
    taps_free(&(*r)->x);
    taps_free(&(*r)->y);
    nst_free((*r)->ring);
    nst_free((*r)->clear);
    nst_free((*r)->light);
    nst_free((*r)->table);
    nst_free(*r);
    *r = NULL;
}

nst_status nst_image_resize(nst_image **out, const nst_image *in, int width, int height, nst_error *e)
{
    nst_resampler *r = NULL;
    nst_status s;

    *out = NULL;
    if (width == in->width && height == in->height) {
        *out = nst_image_copy(in);
        if (*out)
            return NST_OK;
        return nst_fail(e, NST_EMEM, "resize: out of memory for %d x %d pixels", width, height);
    }
    s = nst_image_alloc(out, width, height, in->channels, "resize", e);
    if (s)
        return s;
    s = nst_resampler_open(&r, in->width, in->height, *out, "resize", e);
    if (s) {
        nst_image_destroy(out);
        return s;
    }
    for (int y = 0; y < in->height; y++) {
        const float *row[4] = { NULL };

        for (int c = 0; c < in->channels; c++)
            row[c] = in->plane[c] + (size_t)y * (size_t)in->width;
        nst_resampler_row(r, row);
    }
    nst_resampler_close(&r);
    return NST_OK;
}

/* ---- plain planes ------------------------------------------------------------ */

/* The four neighbours of item i of `to` in `from`, clamped to the border, and their cubic weights (Keys,
 * a = -0.75). */
static void cubic(int i, int from, int to, int at[4], float w[4])
{
    const double a = -0.75;
    double x = (i + 0.5) * from / to - 0.5, base = floor(x), t = x - base;

    for (int k = 0; k < 4; k++) {
        double d = fabs(t - (k - 1));
        double v = d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;

        w[k] = (float)v;
        at[k] = nst_clamp_int((int)base + k - 1, 0, from - 1);
    }
}

/* The two neighbours and the second one's weight. */
static void linear(int i, int from, int to, int at[2], float *w)
{
    double x = fmax((i + 0.5) * from / to - 0.5, 0);
    int p = (int)x;

    at[0] = p < from ? p : from - 1;
    at[1] = p + 1 < from ? p + 1 : from - 1;
    *w = (float)(x - p);
}

void nst_plane_needs(int y, int h, int oh, int *from, int *to)
{
    float weight[4];
    int at[4];

    cubic(y, h, oh, at, weight);
    *from = at[0];
    *to = at[3] + 1;
}

static const float *row_at(const nst_band *in, int y)
{
    return in->rows + (size_t)(y - in->first) * in->ld;
}

void nst_plane_bicubic_row(const nst_band *in, int y, float *out, int ow, int oh)
{
    const float *row[4];
    float wy[4];
    int ay[4];

    cubic(y, in->h, oh, ay, wy);
    for (int k = 0; k < 4; k++)
        row[k] = row_at(in, ay[k]);
    for (int x = 0; x < ow; x++) {
        float wx[4], sum = 0;
        int ax[4];

        cubic(x, in->w, ow, ax, wx);
        for (int k = 0; k < 4; k++)
            sum += wy[k] * (wx[0] * row[k][ax[0]] + wx[1] * row[k][ax[1]] + wx[2] * row[k][ax[2]]
                            + wx[3] * row[k][ax[3]]);
        out[x] = sum;
    }
}

void nst_plane_bilinear_row(const nst_band *in, int y, float *out, int ow, int oh)
{
    const float *a, *b;
    float wy, wx;
    int ay[2], ax[2];

    linear(y, in->h, oh, ay, &wy);
    a = row_at(in, ay[0]);
    b = row_at(in, ay[1]);
    for (int x = 0; x < ow; x++) {
        linear(x, in->w, ow, ax, &wx);
        out[x] = (1 - wy) * ((1 - wx) * a[ax[0]] + wx * a[ax[1]]) + wy * ((1 - wx) * b[ax[0]] + wx * b[ax[1]]);
    }
}

void nst_plane_bicubic(const float *in, int w, int h, float *out, int ow, int oh)
{
    for (int y = 0; y < oh; y++)
        nst_plane_bicubic_row(&(nst_band){ in, (size_t)w, 0, w, h }, y, out + (size_t)y * (size_t)ow, ow, oh);
}

void nst_plane_bilinear(const float *in, int w, int h, float *out, int ow, int oh)
{
    for (int y = 0; y < oh; y++)
        nst_plane_bilinear_row(&(nst_band){ in, (size_t)w, 0, w, h }, y, out + (size_t)y * (size_t)ow, ow, oh);
}
