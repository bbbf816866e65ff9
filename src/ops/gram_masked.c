/* gram_masked.c: statistics and gradients of features that count by a map of weights: guided Gram matrices (Gatys et
 * al. 2017, "Controlling Perceptual Factors in Neural Style Transfer", with guidance channels T = sqrt(map)).
 *
 * Features are taken a band of rows at a time, times sqrt(map), into scratch, where gram.c's products find them. */
#include "ops/gram_masked.h"

#include <math.h>
#include <string.h>

#define BAND ((size_t)1 << 20) /* floats of a band: 4 MiB, at least one row */

struct band {
    const nst_cpu *cpu;
    const float *f;    /* [blocks][fh][fw][16], at the rectangle's first position of this band */
    float *df;         /* the same place */
    size_t block, row; /* floats between blocks and rows of f */
    const float *map;  /* [rows][ldm] */
    size_t ldm;
    int w, rows;
    float *copy, *product; /* [blocks][rows][w][16] */
    const float *b;        /* [c] or NULL */
    int c;
    double *sum; /* [c] */
};

static int band_rows(int blocks, const nst_rect *r)
{
    size_t row = (size_t)blocks * NST_LANES * (size_t)r->w;

    return (int)nst_clamp_size(BAND / row, 1, (size_t)r->h);
}

size_t nst_guided_scratch(const nst_cpu *cpu, int blocks, int w, int h)
{
    size_t row = (size_t)blocks * NST_LANES * (size_t)w, most = row > BAND ? row : BAND;

    /* a rectangle that is less wide has more rows in a band, up to BAND */
    return nst_gram_scratch(cpu, blocks) + 2 * (most < row * (size_t)h ? most : row * (size_t)h);
}

static struct band begin(const nst_cpu *cpu, const float *f, int c, int fw, int fh, const nst_rect *r, const float *map,
                         size_t ldm, int y, float *scratch)
{
    int blocks = nst_blocks(c), rows = band_rows(blocks, r);
    struct band b = { .cpu = cpu, .f = f + ((size_t)(r->y + y) * (size_t)fw + (size_t)r->x) * NST_LANES,
                      .block = (size_t)fw * (size_t)fh * NST_LANES, .row = (size_t)fw * NST_LANES,
                      .map = map + (size_t)y * ldm, .ldm = ldm, .w = r->w, .rows = r->h - y < rows ? r->h - y : rows,
                      .c = c, .copy = scratch + nst_gram_scratch(cpu, blocks) };

    b.product = b.copy + (size_t)blocks * NST_LANES * (size_t)r->w * (size_t)rows;
    return b;
}

/* copy = sqrt(map) f of some blocks, sum += map f. */
static void take(void *arg, int worker, int from, int to)
{
    const struct band *g = arg;
    size_t block = (size_t)g->rows * (size_t)g->w * NST_LANES;

    (void)worker;
    for (int b = from; b < to; b++) {
        double sum[NST_LANES] = { 0 };

        for (int y = 0; y < g->rows; y++) {
            const float *f = g->f + (size_t)b * g->block + (size_t)y * g->row, *map = g->map + (size_t)y * g->ldm;
            float *out = g->copy + (size_t)b * block + (size_t)y * (size_t)g->w * NST_LANES;

            for (int x = 0; x < g->w; x++, f += NST_LANES, out += NST_LANES) {
                float root = sqrtf(map[x]);

                for (int l = 0; l < NST_LANES; l++) {
                    out[l] = root * f[l];
                    sum[l] += (double)(root * out[l]);
                }
            }
        }
        for (int l = 0; g->sum && l < NST_LANES && b * NST_LANES + l < g->c; l++)
            g->sum[b * NST_LANES + l] += sum[l];
    }
}

/* df += sqrt(map) product + map b of some blocks. */
static void give(void *arg, int worker, int from, int to)
{
    const struct band *g = arg;
    size_t block = (size_t)g->rows * (size_t)g->w * NST_LANES;

    (void)worker;
    for (int b = from; b < to; b++) {
        float bias[NST_LANES] = { 0 };

        for (int l = 0; g->b && l < NST_LANES && b * NST_LANES + l < g->c; l++)
            bias[l] = g->b[b * NST_LANES + l];
        for (int y = 0; y < g->rows; y++) {
            const float *p = g->product + (size_t)b * block + (size_t)y * (size_t)g->w * NST_LANES;
            const float *map = g->map + (size_t)y * g->ldm;
            float *df = g->df + (size_t)b * g->block + (size_t)y * g->row;

            for (int x = 0; x < g->w; x++, p += NST_LANES, df += NST_LANES) {
                float root = sqrtf(map[x]);

                for (int l = 0; l < NST_LANES; l++)
                    df[l] += root * (p[l] + root * bias[l]);
            }
        }
    }
}

void nst_guided_add(const nst_cpu *cpu, const float *f, int c, int fw, int fh, const nst_rect *r, const float *map,
                    size_t ldm, double *gram, double *sum, float *scratch)
{
    for (int y = 0; y < r->h;) {
        struct band g = begin(cpu, f, c, fw, fh, r, map, ldm, y, scratch);
        const nst_rect all = { 0, 0, g.w, g.rows };

        g.sum = sum;
        nst_par_for(cpu->threads, nst_blocks(c), take, &g);
        nst_gram_add(cpu, g.copy, c, g.w, g.rows, &all, gram, NULL, scratch);
        y += g.rows;
    }
}

void nst_guided_gradient(const nst_cpu *cpu, const float *f, int c, int fw, int fh, const nst_rect *r, const float *map,
                         size_t ldm, const float *a, const float *b, float *df, float *scratch)
{
    for (int y = 0; y < r->h;) {
        struct band g = begin(cpu, f, c, fw, fh, r, map, ldm, y, scratch);
        const nst_rect all = { 0, 0, g.w, g.rows };

        g.df = df + (g.f - f);
        g.b = b;
        nst_par_for(cpu->threads, nst_blocks(c), take, &g);
        nst_gram_gradient(cpu, g.copy, c, g.w, g.rows, &all, a, NULL, false, g.product, scratch);
        nst_par_for(cpu->threads, nst_blocks(c), give, &g);
        y += g.rows;
    }
}
