/* conv.c: 3x3 convolutions: packing, the product of patches (im2col), and the call of whichever algorithm is asked
 * for. */
#include "ops/conv.h"
#include "ops/conv_parts.h"

#include <string.h>

static int panels(const nst_kernels *k, int blocks)
{
    return (blocks * NST_LANES + k->nr - 1) / k->nr;
}

size_t nst_conv_pack_floats(const nst_kernels *k, int out, int in)
{
    return (size_t)panels(k, nst_blocks(out)) * (size_t)k->nr * (size_t)nst_blocks(in) * NST_LANES * 9;
}

void nst_conv_pack(const nst_kernels *k, const float *w, int out, int in, bool backward, float *packed)
{
    int rows = backward ? out : in, cols = backward ? in : out;

    memset(packed, 0, (backward ? nst_conv_pack_floats(k, in, out) : nst_conv_pack_floats(k, out, in)) *
                          sizeof *packed);
    /* by blocks of what is written, which stay in L1 */
    for (int first = 0; first < cols; first += k->nr)
        for (int i = 0; i < rows; i += NST_LANES, packed += 9 * NST_LANES * k->nr)
            for (int j = 0; j < k->nr && first + j < cols; j++)
                for (int l = 0; l < NST_LANES && i + l < rows; l++) {
                    int o = backward ? i + l : first + j, n = backward ? first + j : i + l;
                    const float *taps = w + ((size_t)o * (size_t)in + (size_t)n) * 9;

                    for (int tap = 0; tap < 9; tap++)
                        packed[(tap * NST_LANES + l) * k->nr + j] = taps[backward ? 8 - tap : tap];
                }
}

/* ---- im2col: blocks of 2 rows, so that pooling can ride along ---- */

struct im2col {
    const nst_cpu *cpu;
    const nst_conv *c;
    int cols;        /* columns of a block, even */
    int t;           /* positions of a block, rounded up to whole tiles */
    int across;      /* blocks in a row */
    size_t each;     /* scratch floats a worker */
    float *scratch;
};

static void im2col_plan(struct im2col *j, const nst_cpu *cpu, const nst_conv *c)
{
    int mr = cpu->k->mr;

    j->cpu = cpu, j->c = c;
    j->cols = c->w < NST_PATCH_COLS ? (c->w + 1) / 2 * 2 : NST_PATCH_COLS;
    j->t = (2 * j->cols + mr - 1) / mr * mr;
    j->across = (c->w + j->cols - 1) / j->cols;
    j->each = (size_t)c->in * 9 * (size_t)j->t * NST_LANES     /* patches */
            + (size_t)cpu->k->nr * (size_t)j->t                /* products of one panel */
            + 4 * (size_t)(j->cols + 2) * NST_LANES;           /* one block's neighbourhood */
}

/* a [in][9][t][16] from the source around rows y, y+1 and columns x.. */
static void patches(const struct im2col *j, int y, int x, float *a, float *near)
{
    const nst_conv *c = j->c;
    size_t tap = (size_t)j->t * NST_LANES, row = (size_t)j->cols * NST_LANES;

    for (int b = 0; b < c->in; b++) {
        nst_conv_read(j->cpu->k, c, b, y - 1, x - 1, 4, j->cols + 2, near);
        for (int i = 0; i < 9; i++, a += tap) {
            for (int r = 0; r < 2; r++)
                memcpy(a + (size_t)r * row, near + ((r + i / 3) * (j->cols + 2) + i % 3) * NST_LANES,
                       row * sizeof *a);
            memset(a + 2 * row, 0, (tap - 2 * row) * sizeof *a);
        }
    }
}

static void im2col_blocks(void *arg, int worker, int begin, int end)
{
    const struct im2col *j = arg;
    const nst_conv *c = j->c;
    const nst_kernels *k = j->cpu->k;
    size_t lda = (size_t)j->t * NST_LANES, panel = (size_t)c->in * 9 * NST_LANES * (size_t)k->nr;
    float *a = j->scratch + j->each * (size_t)worker, *s = a + (size_t)c->in * 9 * lda;
    float *near = s + (size_t)k->nr * (size_t)j->t;

    for (int i = begin; i < end; i++) {
        int y = i / j->across * 2, x = i % j->across * j->cols;

        patches(j, y, x, a, near);
        for (int b = 0; b < c->out; b += k->nr / NST_LANES) {
            const float *w = c->weight + (size_t)(b * NST_LANES / k->nr) * panel;

            for (int r = 0; r < j->t; r += k->mr)
                k->gemm_tile(nst_tile_rows(k, 2 * j->cols - r), (size_t)c->in * 9, a + r * NST_LANES, lda, w,
                             s + r * NST_LANES, lda, 0);
            for (int n = 0; n < k->nr / NST_LANES && b + n < c->out; n++) {
                k->bias(2 * (size_t)j->cols, c->bias + (b + n) * NST_LANES, c->floor, s + (size_t)n * lda);
                nst_conv_write(k, c, b + n, y, x, 2, j->cols, s + (size_t)n * lda);
            }
        }
    }
}

static void im2col_run(const nst_cpu *cpu, const nst_conv *c, float *scratch)
{
    struct im2col j;

    im2col_plan(&j, cpu, c);
    j.scratch = scratch;
    nst_par_for(cpu->threads, j.across * ((c->h + 1) / 2), im2col_blocks, &j);
}

/* ---- the call ---- */

size_t nst_conv_scratch(const nst_cpu *cpu, const nst_conv *c)
{
    struct im2col j;

    if (c->algorithm != NST_CONV_IM2COL)
        return nst_winograd_scratch(cpu, c);
    im2col_plan(&j, cpu, c);
    return j.each * (size_t)cpu->threads;
}

void nst_conv_run(const nst_cpu *cpu, const nst_conv *c, float *scratch)
{
    if (c->algorithm == NST_CONV_IM2COL)
        im2col_run(cpu, c, scratch);
    else
        nst_winograd_run(cpu, c, scratch);
}
