/* gram.c: what the losses need of blocked features: Gram matrix, sums, and the gradient a f + b. */
#include "ops/gram.h"

#include <math.h>
#include <string.h>

/* Positions of a product, summed in float, before it joins the sums in double: a Gram matrix is compared with
 * another one that is nearly the same, so its rounding decides the gradient's.  More for wide layers, whose
 * sums do not fit a cache. */
#define PIECE 64
#define PIECE_WIDE 256
#define CHUNKS 16  /* partial sums over positions at most; fixed, so the same bits for any number of threads */
#define NARROW 8   /* channel blocks up to which one worker does all pairs of a chunk and reads it once */
#define EVEN 4     /* shares a thread from which they are even enough */
#define FEW_SUMS 50000 /* numbers in all chunks up to which one thread adds them */
#define TOGETHER 4 /* rows of block pairs of wider layers that a worker does at a time, at most: it reads blocks once */

/* The rectangle as runs of positions: row by row, or one run when rows join. */
struct runs {
    size_t first, step, length; /* positions */
    int count;
};

static struct runs runs_of(int fw, const nst_rect *r)
{
    struct runs s = { (size_t)r->y * (size_t)fw + (size_t)r->x, (size_t)fw, (size_t)r->w, r->h };

    if (r->w == fw) {
        /* cut again, so that there are shares to hand out */
        size_t n = s.length * (size_t)s.count;

        s.length = PIECE_WIDE, s.step = PIECE_WIDE, s.count = (int)((n + PIECE_WIDE - 1) / PIECE_WIDE);
    }
    return s;
}

/* Length of run i of a rectangle of n positions. */
static size_t run_length(const struct runs *s, size_t n, int i)
{
    size_t before = (size_t)i * s->length;

    return n - before < s->length ? n - before : s->length;
}

struct gram {
    const nst_cpu *cpu;
    const float *f;
    size_t block;     /* floats of a channel block */
    size_t n;         /* positions */
    int blocks, chunks;
    int rows;         /* of block pairs that are done together */
    struct runs runs;
    double *part;     /* [chunks][blocks * 16][blocks * 16] */
    double *sums;     /* [chunks][blocks * 16] */
    int c;
    double *gram, *sum; /* of all: [c][c], [c] or NULL */
};

static int chunk_count(int blocks, int count)
{
    int most = 1;

    if (blocks <= NARROW)
        most = CHUNKS;
    else if (blocks <= 2 * NARROW)
        most = 4;
    return count < most ? count : most;
}

/* As many as leave each thread a few shares. */
static int rows_together(const struct gram *g)
{
    int rows = g->blocks * g->chunks / (EVEN * g->cpu->threads);

    if (rows < 1)
        return 1;
    return rows < TOGETHER ? rows : TOGETHER;
}

size_t nst_gram_scratch(const nst_cpu *cpu, int blocks)
{
    size_t c = (size_t)blocks * NST_LANES;
    size_t chunks = (size_t)chunk_count(blocks, CHUNKS);
    size_t gradient = (c + NST_NR_MAX) * c + NST_NR_MAX + c +
                      (size_t)cpu->threads * NST_MR_MAX * (c + NST_NR_MAX);
    size_t sums = 2 * chunks * (c * c + c);

    return gradient > sums ? gradient : sums;
}

static void add_pieces(const struct gram *g, int chunk, int from, int to)
{
    size_t c = (size_t)g->blocks * NST_LANES;
    double *part = g->part + (size_t)chunk * c * c;
    double *sums = g->sums + (size_t)chunk * c;
    size_t piece = g->blocks <= NARROW ? PIECE : PIECE_WIDE;
    int begin = (int)((long long)g->runs.count * chunk / g->chunks);
    int end = (int)((long long)g->runs.count * (chunk + 1) / g->chunks);

    for (int i = from; i < to; i++) {
        memset(part + (size_t)i * NST_LANES * c, 0, NST_LANES * c * sizeof *part);
        memset(sums + (size_t)i * NST_LANES, 0, NST_LANES * sizeof *sums);
    }
    for (int r = begin; r < end; r++) {
        size_t length = run_length(&g->runs, g->n, r);

        for (size_t at = 0; at < length; at += piece) {
            size_t n = length - at < piece ? length - at : piece;
            const float *f = g->f + (g->runs.first + (size_t)r * g->runs.step + at) * NST_LANES;

            for (int i = from; i < to; i++) {
                const float *a = f + (size_t)i * g->block;
                float sum[NST_LANES] = { 0 };

                g->cpu->k->gram_tile(n, a, f, g->block, i + 1, part + (size_t)i * NST_LANES * c, c);
                g->cpu->k->sums(n, a, sum);
                for (int l = 0; l < NST_LANES; l++)
                    sums[i * NST_LANES + l] += (double)sum[l];
            }
        }
    }
}

static void narrow(void *arg, int worker, int begin, int end)
{
    const struct gram *g = arg;

    (void)worker;
    for (int i = begin; i < end; i++)
        add_pieces(g, i, 0, g->blocks);
}

/* Some rows of block pairs, the longest first. */
static void wide(void *arg, int worker, int begin, int end)
{
    const struct gram *g = arg;

    (void)worker;
    for (int i = begin; i < end; i++) {
        int last = g->blocks - i / g->chunks * g->rows;

        add_pieces(g, i % g->chunks, last > g->rows ? last - g->rows : 0, last);
    }
}

/* Rows of 16 numbers of the result: the chunks' sums in their order, and the other half.  Only tiles on and below the
 * diagonal were computed. */
static void add_chunks(void *arg, int worker, int begin, int end)
{
    const struct gram *g = arg;
    size_t c = (size_t)g->c, padded = (size_t)g->blocks * NST_LANES;

    (void)worker;
    for (size_t i = (size_t)begin * NST_LANES; i < (size_t)end * NST_LANES && i < c; i++) {
        double sum = 0;

        for (int k = 0; k < g->chunks; k++)
            sum += g->sums[(size_t)k * padded + i];
        if (g->sum)
            g->sum[i] += sum;
        for (size_t j = 0; j <= i; j += NST_LANES) {
            size_t n = i + 1 - j < NST_LANES ? i + 1 - j : NST_LANES;
            double t[NST_LANES] = { 0 };

            for (int k = 0; k < g->chunks; k++)
                for (size_t l = 0; l < n; l++)
                    t[l] += g->part[((size_t)k * padded + i) * padded + j + l];
            for (size_t l = 0; l < n; l++) {
                t[l] += g->gram[i * c + j + l];
                g->gram[i * c + j + l] = g->gram[(j + l) * c + i] = t[l];
            }
        }
    }
}

void nst_gram_add(const nst_cpu *cpu, const float *f, int c, int fw, int fh, const nst_rect *r, double *gram,
                  double *sum, float *scratch)
{
    struct gram g = { .cpu = cpu, .f = f, .block = (size_t)fw * (size_t)fh * NST_LANES,
                      .n = (size_t)r->w * (size_t)r->h, .blocks = nst_blocks(c), .runs = runs_of(fw, r) };
    size_t padded = (size_t)g.blocks * NST_LANES;

    g.chunks = chunk_count(g.blocks, g.runs.count);
    g.rows = rows_together(&g);
    g.sums = (double *)(void *)scratch;
    g.part = g.sums + (size_t)g.chunks * padded;
    if (g.blocks <= NARROW)
        nst_par_for(cpu->threads, g.chunks, narrow, &g);
    else
        nst_par_for(cpu->threads, g.chunks * ((g.blocks + g.rows - 1) / g.rows), wide, &g);
    g.c = c, g.gram = gram, g.sum = sum;
    nst_par_for((size_t)g.chunks * padded * padded < FEW_SUMS ? 1 : cpu->threads, g.blocks, add_chunks, &g);
}

/* ---- the gradient ---- */

struct gradient {
    const nst_cpu *cpu;
    const float *f;
    float *df;
    size_t block, n;
    size_t dblock;      /* floats of a channel block of df */
    ptrdiff_t down;     /* positions that df's rectangle lies further down */
    int blocks;
    struct runs runs;
    const float *a, *b; /* packed [panel][c][nr], [c] */
    bool add;
    float *tiles;       /* a scratch tile a worker */
};

/* One tile at positions p..p+n-1 through scratch, for edges. */
static void edge(const struct gradient *g, size_t p, int n, int block, const float *w, float *tile)
{
    const nst_kernels *k = g->cpu->k;
    float *in = tile, *out = tile + (size_t)g->blocks * NST_MR_MAX * NST_LANES;

    for (int b = 0; b < g->blocks; b++)
        memcpy(in + b * NST_MR_MAX * NST_LANES, g->f + (size_t)b * g->block + p * NST_LANES,
               (size_t)n * NST_LANES * sizeof *in);
    k->gemm_tile(n, (size_t)g->blocks, in, NST_MR_MAX * NST_LANES, w, out, NST_MR_MAX * NST_LANES, 0);
    for (int b = block; b < block + k->nr / NST_LANES && b < g->blocks; b++) {
        const float *from = out + (b - block) * NST_MR_MAX * NST_LANES;
        float *to = g->df + (size_t)b * g->dblock + ((ptrdiff_t)p + g->down) * NST_LANES;

        for (int i = 0; i < n * NST_LANES; i++)
            to[i] = g->add ? to[i] + from[i] : from[i];
    }
}

static void gradient_runs(void *arg, int worker, int begin, int end)
{
    const struct gradient *g = arg;
    const nst_kernels *k = g->cpu->k;
    int across = k->nr / NST_LANES;
    size_t panel = (size_t)g->blocks * NST_LANES * (size_t)k->nr;
    float *tile = g->tiles + (size_t)worker * NST_MR_MAX * ((size_t)g->blocks * NST_LANES + NST_NR_MAX);

    for (int r = begin; r < end; r++) {
        size_t first = g->runs.first + (size_t)r * g->runs.step, length = run_length(&g->runs, g->n, r);

        for (int b = 0; b < g->blocks; b += across) {
            const float *w = g->a + (size_t)(b / across) * panel;

            for (size_t i = 0; i < length; i += (size_t)k->mr) {
                size_t at = (first + i) * NST_LANES;

                if (length - i >= (size_t)k->mr && b + across <= g->blocks)
                    k->gemm_tile(k->mr, (size_t)g->blocks, g->f + at, g->block, w,
                                 g->df + (size_t)b * g->dblock + ((ptrdiff_t)at + g->down * NST_LANES), g->dblock,
                                 g->add);
                else
                    edge(g, first + i, (int)(length - i < (size_t)k->mr ? length - i : (size_t)k->mr), b, w, tile);
            }
        }
        for (int b = 0; g->b && b < g->blocks; b++)
            k->bias(length, g->b + b * NST_LANES, -INFINITY,
                    g->df + (size_t)b * g->dblock + ((ptrdiff_t)first + g->down) * NST_LANES);
    }
}

size_t nst_gram_pack_floats(const nst_kernels *k, int c)
{
    size_t padded = (size_t)nst_blocks(c) * NST_LANES, nr = (size_t)k->nr;

    return (padded + nr - 1) / nr * nr * padded;
}

void nst_gram_pack(const nst_kernels *k, const float *a, int c, float *packed)
{
    size_t padded = (size_t)nst_blocks(c) * NST_LANES, nr = (size_t)k->nr;

    memset(packed, 0, nst_gram_pack_floats(k, c) * sizeof *packed);
    for (size_t j = 0; j < (size_t)c; j += nr) {
        size_t n = (size_t)c - j < nr ? (size_t)c - j : nr;

        for (size_t i = 0; i < (size_t)c; i++)
            memcpy(packed + (j * padded + i * nr), a + i * (size_t)c + j, n * sizeof *a);
    }
}

static void run_gradient(struct gradient *g, int c, const float *a, const float *b, float *scratch)
{
    size_t padded = (size_t)g->blocks * NST_LANES;
    float *w = scratch, *bias = w + nst_gram_pack_floats(g->cpu->k, c);

    nst_gram_pack(g->cpu->k, a, c, w);
    memset(bias, 0, padded * sizeof *bias);
    if (b)
        memcpy(bias, b, (size_t)c * sizeof *bias);
    g->a = w, g->b = b ? bias : NULL, g->tiles = bias + padded;
    nst_par_for(g->cpu->threads, g->runs.count, gradient_runs, g);
}

void nst_gram_gradient(const nst_cpu *cpu, const float *f, int c, int fw, int fh, const nst_rect *r, const float *a,
                       const float *b, bool add, float *df, float *scratch)
{
    size_t block = (size_t)fw * (size_t)fh * NST_LANES;
    struct gradient g = { .cpu = cpu, .f = f, .df = df, .block = block, .dblock = block,
                          .n = (size_t)r->w * (size_t)r->h, .blocks = nst_blocks(c), .runs = runs_of(fw, r),
                          .add = add };

    if (!add && (r->w != fw || r->h != fh))
        memset(df, 0, g.block * (size_t)g.blocks * sizeof *df);
    run_gradient(&g, c, a, b, scratch);
}

void nst_gram_gradient_at(const nst_cpu *cpu, const float *f, int c, int fw, int fh, const nst_rect *r, const float *a,
                          const float *b, float *df, int dh, int dy, float *scratch)
{
    struct gradient g = { .cpu = cpu, .f = f, .df = df, .block = (size_t)fw * (size_t)fh * NST_LANES,
                          .dblock = (size_t)fw * (size_t)dh * NST_LANES, .down = (ptrdiff_t)(dy - r->y) * fw,
                          .n = (size_t)r->w * (size_t)r->h, .blocks = nst_blocks(c), .runs = runs_of(fw, r),
                          .add = true };

    run_gradient(&g, c, a, b, scratch);
}
