/* resize.c: other sizes of pictures (Lanczos, in linear light) and of plain planes (bicubic, bilinear). */
#include "image.h"

#include <math.h>
#include <string.h>

#define ORDER 3.0          /* Lanczos: lobes on each side */
#define FAINT (1.0f / 512) /* alpha below which a colour divided by it would be noise */
#define STEPS 4096         /* of the table of linear light: interpolated, its error is below 5e-8 */

/* Where the samples of one side come from: item i is the sum over k < count[i] of
 * weight[i * most + k] * in[first[i] + k]. */
struct taps {
    int most;
    int *first, *count;
    float *weight;
};

struct job {
    const nst_image *in;
    nst_image *out;
    struct taps x, y;
    float *light; /* [STEPS + 2] nst_srgb_to_linear(i / STEPS) */
    float *row;   /* [in->width] one row of linear light */
    float *tall;  /* [out->height][in->width] already resampled from top to bottom */
    float *alpha; /* [out->height][out->width] resampled alpha, or NULL */
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
    if (!nst_mul((size_t)to, (size_t)t->most, &n) || !(t->weight = nst_calloc(n, sizeof *t->weight))
        || !(t->first = nst_calloc((size_t)to, sizeof *t->first))
        || !(t->count = nst_calloc((size_t)to, sizeof *t->count)))
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

static float clip(float v)
{
    return v > 0 ? v < 1 ? v : 1 : 0;
}

/* One row in linear light (plain: as it is, for alpha), times alpha where it is given. */
static void lighten(const struct job *j, const float *in, const float *alpha, bool plain)
{
    for (int x = 0; x < j->in->width; x++) {
        float v = clip(in[x]);

        if (!plain) {
            float at = v * STEPS;
            int i = (int)at;

            v = j->light[i] + (at - (float)i) * (j->light[i + 1] - j->light[i]);
        }
        j->row[x] = alpha ? v * clip(alpha[x]) : v;
    }
}

/* Top to bottom.  Each row of the input is made light once and added to every row of the output that it
 * reaches: those are consecutive, begin..end-1, because taps only move down. */
static void resample_columns(struct job *j, int plane, bool weigh)
{
    int w = j->in->width, begin = 0, end = 0, oh = j->out->height;
    const struct taps *t = &j->y;

    for (int y = 0; y < j->in->height; y++) {
        size_t at = (size_t)y * (size_t)w;

        lighten(j, j->in->plane[plane] + at, weigh ? j->in->plane[3] + at : NULL, plane == 3);
        for (; end < oh && t->first[end] <= y; end++)
            memset(j->tall + (size_t)end * (size_t)w, 0, (size_t)w * sizeof *j->tall);
        while (begin < end && t->first[begin] + t->count[begin] <= y)
            begin++;
        for (int i = begin; i < end; i++) {
            float *to = j->tall + (size_t)i * (size_t)w, *row = j->row;
            float weight = y - t->first[i] < t->count[i]
                               ? t->weight[(size_t)i * (size_t)t->most + (size_t)(y - t->first[i])] : 0;

            for (int x = 0; x < w; x++)
                to[x] += weight * row[x];
        }
    }
}

/* Left to right. */
static void resample_rows(const struct job *j, float *out)
{
    int ow = j->out->width;
    const struct taps *t = &j->x;

    for (int y = 0; y < j->out->height; y++)
        for (int x = 0; x < ow; x++) {
            const float *w = t->weight + (size_t)x * (size_t)t->most;
            const float *from = j->tall + (size_t)y * (size_t)j->in->width + t->first[x];
            float sum = 0;

            for (int k = 0; k < t->count[x]; k++)
                sum += w[k] * from[k];
            out[(size_t)y * (size_t)ow + (size_t)x] = sum;
        }
}

static void resample_plane(struct job *j, int plane, bool weigh, float *out)
{
    resample_columns(j, plane, weigh);
    resample_rows(j, out);
}

/* With alpha, a pixel counts as much as it covers; where nothing is covered, the colours beneath are
 * resampled as if they were seen, because the network sees them. */
static void resample_color(struct job *j, int plane, float *scratch)
{
    float *out = j->out->plane[plane];
    size_t n = (size_t)j->out->width * (size_t)j->out->height;

    resample_plane(j, plane, false, out);
    if (j->alpha) {
        resample_plane(j, plane, true, scratch);
        for (size_t i = 0; i < n; i++)
            if (j->alpha[i] > FAINT)
                out[i] = scratch[i] / j->alpha[i];
    }
    for (size_t i = 0; i < n; i++)
        out[i] = clip(nst_linear_to_srgb(clip(out[i])));
}

static bool opaque(const nst_image *in)
{
    size_t n = (size_t)in->width * (size_t)in->height;

    if (in->channels == 4)
        for (size_t i = 0; i < n; i++)
            if (in->plane[3][i] < 1)
                return false;
    return true;
}

static bool job_make(struct job *j)
{
    size_t w = (size_t)j->in->width, oh = (size_t)j->out->height, n;

    if (!taps_make(&j->x, j->in->width, j->out->width) || !taps_make(&j->y, j->in->height, j->out->height)
        || !nst_mul(w * oh, sizeof(float), &n) || !(j->tall = nst_alloc(n))
        || !(j->row = nst_alloc(w * sizeof(float))) || !(j->light = nst_alloc((STEPS + 2) * sizeof(float))))
        return false;
    for (int i = 0; i < STEPS + 2; i++)
        j->light[i] = nst_srgb_to_linear((float)i / STEPS);
    return true;
}

nst_status nst_image_resize(nst_image **out, const nst_image *in, int width, int height, nst_error *e)
{
    struct job j = { .in = in };
    size_t n = (size_t)width * (size_t)height;
    float *scratch = NULL;
    nst_status s;

    *out = NULL;
    if (width == in->width && height == in->height) {
        if ((*out = nst_image_copy(in)))
            return NST_OK;
        return nst_fail(e, NST_EMEM, "resize: out of memory for %d x %d pixels", width, height);
    }
    if ((s = nst_image_alloc(&j.out, width, height, in->channels, "resize", e)))
        return s;
    if (!job_make(&j) || (!opaque(in) && !(scratch = nst_alloc(n * sizeof *scratch)))) {
        s = nst_fail(e, NST_EMEM, "resize: out of memory for %d x %d pixels", width, height);
        goto end;
    }
    if (in->channels == 4)
        resample_plane(&j, 3, false, j.out->plane[3]);
    j.alpha = scratch ? j.out->plane[3] : NULL;
    for (int c = 0; c < 3; c++)
        resample_color(&j, c, scratch);
    if (in->channels == 4)
        for (size_t i = 0; i < n; i++)
            j.out->plane[3][i] = clip(j.out->plane[3][i]);
    *out = j.out;
    j.out = NULL;

end:
    taps_free(&j.x);
    taps_free(&j.y);
    nst_free(j.tall);
    nst_free(j.row);
    nst_free(j.light);
    nst_free(scratch);
    nst_image_destroy(&j.out);
    return s;
}

/* ---- plain planes ------------------------------------------------------------ */

/* The four neighbours of item i of `to` in `from`, clamped to the border, and their cubic weights (Keys,
 * a = -0.75). */
static void cubic(int i, int from, int to, int at[4], float w[4])
{
    const double a = -0.75;
    double x = (i + 0.5) * from / to - 0.5, base = floor(x), t = x - base;

    for (int k = 0; k < 4; k++) {
        double d = fabs(t - (k - 1)), v;
        int p = (int)base + k - 1;

        v = d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
        w[k] = (float)v;
        at[k] = p < 0 ? 0 : p < from ? p : from - 1;
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

void nst_plane_bicubic(const float *in, int w, int h, float *out, int ow, int oh)
{
    for (int y = 0; y < oh; y++) {
        const float *row[4];
        float wy[4];
        int ay[4];

        cubic(y, h, oh, ay, wy);
        for (int k = 0; k < 4; k++)
            row[k] = in + (size_t)ay[k] * (size_t)w;
        for (int x = 0; x < ow; x++) {
            float wx[4], sum = 0;
            int ax[4];

            cubic(x, w, ow, ax, wx);
            for (int k = 0; k < 4; k++)
                sum += wy[k] * (wx[0] * row[k][ax[0]] + wx[1] * row[k][ax[1]] + wx[2] * row[k][ax[2]]
                                + wx[3] * row[k][ax[3]]);
            out[(size_t)y * (size_t)ow + (size_t)x] = sum;
        }
    }
}

void nst_plane_bilinear(const float *in, int w, int h, float *out, int ow, int oh)
{
    for (int y = 0; y < oh; y++) {
        float wy, wx;
        int ay[2], ax[2];

        linear(y, h, oh, ay, &wy);
        for (int x = 0; x < ow; x++) {
            const float *a = in + (size_t)ay[0] * (size_t)w, *b = in + (size_t)ay[1] * (size_t)w;

            linear(x, w, ow, ax, &wx);
            out[(size_t)y * (size_t)ow + (size_t)x] = (1 - wy) * ((1 - wx) * a[ax[0]] + wx * a[ax[1]])
                                                      + wy * ((1 - wx) * b[ax[0]] + wx * b[ax[1]]);
        }
    }
}
