/* conv_first.c: the first layer, whose input is the planar picture of 3 channels: a product of depth 27 read
 * straight from rows of the picture, and its gradient. */
#include "ops/conv_first.h"
#include "ops/gram.h"

#include <math.h>
#include <string.h>

#define COLS 56  /* columns at a time: whole tiles of 14 */
#define TAPS 27
#define BACK 32  /* columns of the gradient's product: 27 and padding */
#define ROWS 16  /* rows of the gradient a worker takes at once; two more are computed twice */

static size_t forward_floats(const nst_kernels *k, int out)
{
    return (size_t)(nst_blocks(out) * NST_LANES + k->nr - 1) / (size_t)k->nr * (size_t)k->nr * TAPS;
}

static size_t backward_floats(int out)
{
    return (size_t)nst_blocks(out) * NST_LANES * BACK;
}

/* Forward panels [panel][27][nr], then gradient panels [BACK / nr][out][nr]. */
size_t nst_first_pack_floats(const nst_kernels *k, int out)
{
    return (forward_floats(k, out) + 15) / 16 * 16 + backward_floats(out);
}

void nst_first_pack(const nst_kernels *k, const float *w, int out, float *packed)
{
    size_t nr = (size_t)k->nr, rows = (size_t)nst_blocks(out) * NST_LANES;
    float *back = packed + (forward_floats(k, out) + 15) / 16 * 16;

    memset(packed, 0, nst_first_pack_floats(k, out) * sizeof *packed);
    for (size_t j = 0; j < (size_t)out; j++)
        for (size_t i = 0; i < TAPS; i++) {
            packed[(j / nr * TAPS + i) * nr + j % nr] = w[j * TAPS + i];
            back[(i / nr * rows + j) * nr + i % nr] = w[j * TAPS + i];
        }
}

struct job {
    const nst_cpu *cpu;
    const nst_first *f;
    const float *x, *dy;
    const uint16_t *pass;
    float *y, *dx;
    uint16_t *bits;
    float *scratch;
    const float *a, *b; /* of the loss gradient, packed and padded */
    size_t each, line, wide;
};

/* Floats of a plane of y or dy, and masks of one of pass. */
static size_t plane_of(const nst_first *f)
{
    return (size_t)(f->rows ? f->rows : f->h) * (size_t)f->w;
}

static size_t bits_plane_of(const nst_first *f)
{
    return (size_t)(f->pass_rows ? f->pass_rows : f->h) * (size_t)f->w;
}

/* ---- forward ---- */

static size_t line_floats(const nst_first *f)
{
    return ((size_t)f->w + 2 + COLS + 15) / 16 * 16;
}

/* One row of one plane with its border: out [w + 2], and zeros behind it for the last tile. */
static void padded(const nst_first *f, const float *x, int plane, int y, float *out, size_t line)
{
    const float *row = x + (size_t)f->order[plane] * f->plane;
    float a = f->scale[plane], b = f->shift[plane];

    memset(out, 0, line * sizeof *out);
    bool inside = (y >= 0 || f->above) && (y < f->h || f->below);

    if (!inside && f->replicate)
        y = y < 0 ? 0 : f->h - 1;
    else if (!inside)
        return;
    row += y * (ptrdiff_t)f->ldx;
    for (int i = 0; i < f->w; i++)
        out[i + 1] = a * row[i] + b;
    if (f->replicate)
        out[0] = out[1], out[f->w + 1] = out[f->w];
}

/* Tiles of one row from column x on: `count` columns, all output blocks. */
static void row_tiles(const struct job *j, const float *const *lines, int row, int x, int count, float *tile)
{
    const nst_kernels *k = j->cpu->k;
    const nst_first *f = j->f;
    int blocks = nst_blocks(f->out), across = k->nr / NST_LANES;
    size_t block = plane_of(f) * NST_LANES;

    for (int c = 0; c < count; c += k->mr)
        for (int b = 0; b < blocks; b += across) {
            const float *p[TAPS], *w = f->weight + (size_t)(b / across) * TAPS * (size_t)k->nr;
            float *to = j->y + (size_t)b * block + ((size_t)row * (size_t)f->w + (size_t)(x + c)) * NST_LANES;
            bool whole = c + k->mr <= count && b + across <= blocks;
            int n = count - c < k->mr ? count - c : k->mr;

            for (int i = 0; i < TAPS; i++)
                p[i] = lines[i / 3] + x + c + i % 3;
            k->first_tile(p, w, whole ? to : tile, whole ? block : NST_MR_MAX * NST_LANES);
            for (int q = 0; !whole && q < across && b + q < blocks; q++)
                memcpy(to + (size_t)q * block, tile + q * NST_MR_MAX * NST_LANES,
                       (size_t)n * NST_LANES * sizeof *to);
        }
}

static void forward_rows(void *arg, int worker, int begin, int end)
{
    const struct job *j = arg;
    const nst_first *f = j->f;
    const nst_kernels *k = j->cpu->k;
    float *lines = j->scratch + j->each * (size_t)worker, *tile = lines + 9 * j->line;
    const float *row[9];

    for (int y = begin; y < end; y++) {
        /* each row of the picture is read by three of the result */
        for (int i = 0; i < 9; i++) {
            float *to = lines + (size_t)(i / 3 * 3 + (y + i % 3 + 2) % 3) * j->line;

            if (y == begin || i % 3 == 2)
                padded(f, j->x, i / 3, y + i % 3 - 1, to, j->line);
            row[i] = to;
        }
        for (int x = 0; x < f->w; x += COLS) {
            int count = f->w - x < COLS ? f->w - x : COLS;

            row_tiles(j, row, y, x, count, tile);
            for (int b = 0; b < nst_blocks(f->out); b++) {
                size_t at = (size_t)y * (size_t)f->w + (size_t)x;
                float *to = j->y + ((size_t)b * plane_of(f) + at) * NST_LANES;

                k->bias((size_t)count, f->bias + b * NST_LANES, 0, to);
                if (j->bits)
                    k->mask((size_t)count, to, j->bits + (size_t)b * bits_plane_of(f) + at);
            }
        }
    }
}

void nst_first_forward(const nst_cpu *cpu, const nst_first *f, const float *x, float *y, uint16_t *pass,
                       float *scratch)
{
    struct job j = { .cpu = cpu, .f = f, .x = x, .y = y, .bits = pass, .scratch = scratch, .line = line_floats(f) };

    j.each = 9 * j.line + NST_NR_MAX / NST_LANES * NST_MR_MAX * NST_LANES;
    nst_par_for(cpu->threads, f->h, forward_rows, &j);
}

/* ---- backward ---- */

static size_t wide_floats(const nst_first *f)
{
    return ((size_t)f->w + COLS) * NST_LANES; /* one block of a row, whole tiles */
}

/* Prefetches a tile of dy: nr channels from block `first` on, mr columns from `at` floats into each plane on. */
static void fetch_ahead(const struct job *j, int first, size_t at)
{
    const nst_kernels *k = j->cpu->k;
    int blocks = nst_blocks(j->f->out), end = first + k->nr / NST_LANES;

    for (int b = first; b < end && b < blocks; b++)
        for (int i = 0; i < k->mr; i++)
            __builtin_prefetch(j->dy + ((size_t)b * plane_of(j->f) + (size_t)i) * NST_LANES + at);
}

/* dy + a f + b of n columns: out [blocks][lda].  A tile may read up to mr - 1 columns beyond n: those are the
 * next rows' features, or past the last what the arena holds next, and their results are not used. */
static void loss_gradient(const struct job *j, int y, int x, int n, size_t lda, float *out)
{
    const nst_kernels *k = j->cpu->k;
    const nst_first *f = j->f;
    int blocks = nst_blocks(f->out), across = k->nr / NST_LANES;
    size_t block = plane_of(f) * NST_LANES, at = ((size_t)y * (size_t)f->w + (size_t)x) * NST_LANES;
    size_t panel = (size_t)blocks * NST_LANES * (size_t)k->nr;

    for (int b = 0; b < blocks; b++) {
        memcpy(out + (size_t)b * lda, j->dy + (size_t)b * block + at, (size_t)n * NST_LANES * sizeof *out);
        if (j->b)
            k->bias((size_t)n, j->b + b * NST_LANES, -INFINITY, out + (size_t)b * lda);
    }
    for (int b = 0; b < blocks; b += across)
        for (int r = 0; r < n; r += k->mr) {
            fetch_ahead(j, b, at + (size_t)(COLS + r) * NST_LANES); /* for the next call */
            k->gemm_tile(nst_tile_rows(k, n - r), (size_t)blocks, f->features + at + (size_t)r * NST_LANES, block,
                         j->a + (size_t)(b / across) * panel, out + (size_t)b * lda + (size_t)r * NST_LANES, lda, 1);
        }
}

/* Each position's products with the 27 filter taps: out [BACK / 16][wide] of row y. */
static void products(const struct job *j, int y, float *out, float *gated)
{
    const nst_kernels *k = j->cpu->k;
    const nst_first *f = j->f;
    int blocks = nst_blocks(f->out), cols = (COLS + k->mr - 1) / k->mr * k->mr;
    size_t lda = (size_t)cols * NST_LANES, rows = (size_t)blocks * NST_LANES;
    const float *w = f->weight + (forward_floats(k, f->out) + 15) / 16 * 16;

    for (int x = 0; x < f->w; x += COLS) {
        int n = f->w - x < COLS ? f->w - x : COLS;

        if (f->features)
            loss_gradient(j, y, x, n, lda, gated);
        for (int b = 0; b < blocks; b++) {
            size_t row = (size_t)y * (size_t)f->w;
            const uint16_t *bits = j->pass + (size_t)b * bits_plane_of(f) + row;
            float *g = gated + (size_t)b * lda;

            if (f->features)
                k->gate(0, (size_t)n, 0, 1, g, bits + x, g);
            else
                k->gate((size_t)x, (size_t)n, 0, 1, j->dy + ((size_t)b * plane_of(f) + row) * NST_LANES, bits, g);
        }
        for (int r = 0; r < n; r += k->mr)
            for (int i = 0; i < BACK; i += k->nr)
                k->gemm_tile(nst_tile_rows(k, n - r), (size_t)blocks, gated + r * NST_LANES, lda, w + (size_t)i * rows,
                             out + (size_t)(i / NST_LANES) * j->wide + (size_t)(x + r) * NST_LANES, j->wide, 0);
    }
}

/* Adds to line [3][w + 2] what row `from` of the result gives to the picture's row behind filter row `dy`: position x
 * gives to x, x + 1 and x + 2. */
static void gather(const struct job *j, const float *p, int dy, float *line)
{
    const float *tap[9];
    float next[3] = { 0 }, second[3] = { 0 };
    size_t w = (size_t)j->f->w;

    for (int i = 0; i < 9; i++) {
        int col = i / 3 * 9 + dy * 3 + i % 3;

        tap[i] = p + (size_t)(col / NST_LANES) * j->wide + col % NST_LANES;
    }
    for (size_t x = 0; x < w; x++)
        for (int c = 0; c < 3; c++) {
            line[(size_t)c * j->line + x] += tap[3 * c][x * NST_LANES] + next[c];
            next[c] = tap[3 * c + 1][x * NST_LANES] + second[c];
            second[c] = tap[3 * c + 2][x * NST_LANES];
        }
    for (int c = 0; c < 3; c++) {
        line[(size_t)c * j->line + w] += next[c];
        line[(size_t)c * j->line + w + 1] += second[c];
    }
}

static void backward_rows(void *arg, int worker, int begin, int end)
{
    const struct job *j = arg;
    const nst_first *f = j->f;
    float *ring = j->scratch + j->each * (size_t)worker, *line = ring + 3 * (BACK / NST_LANES) * j->wide;
    float *gated = line + 3 * j->line;
    size_t row = BACK / NST_LANES * j->wide;

    for (int i = begin; i < end; i++) {
        int top = i * ROWS, bottom = top + ROWS < f->h ? top + ROWS : f->h, have = top - 1;

        if (top > 0)
            products(j, top - 1, ring + (size_t)((top - 1) % 3) * row, gated);
        /* what the first and the last row give to rows beyond */
        top -= top == 0 && f->above;
        bottom += bottom == f->h && f->below;
        for (int y = top; y < bottom; y++) {
            for (; have < y + 1 && have + 1 < f->h; have++)
                products(j, have + 1, ring + (size_t)((have + 1) % 3) * row, gated);
            memset(line, 0, 3 * j->line * sizeof *line);
            /* picture row y is read by result row y - dy + 1 through filter row dy */
            for (int dy = 0; dy < 3; dy++)
                if (y - dy + 1 >= 0 && y - dy + 1 < f->h)
                    gather(j, ring + (size_t)((y - dy + 1) % 3) * row, dy, line);
            if (f->replicate && y == 0 && !f->above)
                gather(j, ring, 0, line);
            if (f->replicate && y == f->h - 1 && !f->below)
                gather(j, ring + (size_t)(y % 3) * row, 2, line);
            for (int c = 0; c < 3; c++) {
                float *l = line + (size_t)c * j->line, a = f->scale[c];
                float *to = j->dx + (size_t)f->order[c] * f->plane + y * (ptrdiff_t)f->ldx;

                if (f->replicate)
                    l[1] += l[0], l[f->w] += l[f->w + 1];
                for (int x = 0; x < f->w; x++)
                    to[x] += a * l[x + 1];
            }
        }
    }
}

static size_t backward_each(const nst_cpu *cpu, const nst_first *f)
{
    int cols = (COLS + cpu->k->mr - 1) / cpu->k->mr * cpu->k->mr;

    /* whole panels of blocks, which is what the loss gradient's product writes */
    return 3 * (BACK / NST_LANES) * wide_floats(f) + 3 * line_floats(f) +
           (size_t)(nst_blocks(f->out) + NST_NR_MAX / NST_LANES) * (size_t)cols * NST_LANES;
}

static size_t gradient_floats(const nst_cpu *cpu, const nst_first *f)
{
    return nst_gram_pack_floats(cpu->k, f->out) + (size_t)nst_blocks(f->out) * NST_LANES;
}

void nst_first_backward(const nst_cpu *cpu, const nst_first *f, const float *dy, const uint16_t *pass, float *dx,
                        float *scratch)
{
    struct job j = { .cpu = cpu, .f = f, .dy = dy, .pass = pass, .dx = dx, .scratch = scratch,
                     .line = line_floats(f), .wide = wide_floats(f) };

    j.each = backward_each(cpu, f);
    if (f->features) {
        float *a = scratch, *b = a + nst_gram_pack_floats(cpu->k, f->out);

        nst_gram_pack(cpu->k, f->a, f->out, a);
        memset(b, 0, (size_t)nst_blocks(f->out) * NST_LANES * sizeof *b);
        if (f->b)
            memcpy(b, f->b, (size_t)f->out * sizeof *b);
        j.a = a, j.b = f->b ? b : NULL;
        j.scratch = scratch + gradient_floats(cpu, f);
    }
    nst_par_for(cpu->threads, (f->h + ROWS - 1) / ROWS, backward_rows, &j);
}

size_t nst_first_scratch(const nst_cpu *cpu, const nst_first *f)
{
    size_t forward = 9 * line_floats(f) + NST_NR_MAX / NST_LANES * NST_MR_MAX * NST_LANES;
    size_t backward = backward_each(cpu, f);

    return (forward > backward ? forward : backward) * (size_t)cpu->threads + gradient_floats(cpu, f);
}
