/* winograd.c: Winograd convolution (Lavin & Gray, CVPR 2016) in blocks of tiles that stay in the caches.
 *
 * For a block of t tiles: input transform to v [point][in][t][16], for each panel of nr output channels and
 * each point a product with the transformed filters u [point][in * 16][nr] to m [point][nr/16][t][16], then
 * the output transform to the picture.  Two ways to share the work:
 *   by blocks   filters are transformed once for the layer; threads take blocks of tiles
 *   by panels   threads take panels, transform a panel's filters just before they use them and drop them; the input
 *               transform of a large block is shared.  For filters that are larger than the cache, and for small
 *               pictures, whose blocks are too few to keep all threads busy to the end.  A panel takes DEEP channel
 *               blocks of the input at a time, whose filters stay in L2, and of these a row of n points, so that what a
 *               point needs of u stays in L1 while tiles go by.
 */
#include "ops/conv_parts.h"
#include "ops/winograd_tiles.h"

#include <string.h>

#define GROUP 8        /* tiles transformed from one patch, which fits L1 */
#define SHARED_FILTERS ((size_t)3 << 19) /* floats of transformed filters (6 MiB) up to which blocks are shared out */
#define BLOCK_FLOATS 40000               /* floats of v of a worker's block: it, its m and a panel's u fit L2 */
#define SHARED_FLOATS ((size_t)5 << 20)  /* floats of v of a block that all work at, at most (20 MiB) */
#define SHARED_TILES 252                 /* its tiles, at most: twice as many are no faster */
#define DEEP 8                           /* channel blocks of the input that are summed at a time, in both ways */
#define EVEN 4                           /* blocks a thread from which they are shared out evenly enough */

struct wino {
    const nst_cpu *cpu;
    const nst_conv *c;
    int n, points;           /* of a whole tile: n x n */
    nst_wino_in_fn *in;
    nst_wino_filter_fn *filter;
    nst_wino_out_fn *out;
    nst_wino_tiles tiles;
    bool by_panels;
    int t;                   /* tiles of a block, a multiple of mr */
    size_t filters;          /* floats between points of one panel's transformed filters, [in * 16][nr], by panels
                                [DEEP * 16][nr], and a pad */
    size_t ldv, ldm;         /* floats between points of v and m */
    size_t each;             /* scratch floats a worker */
    float *u, *v, *worker;
    int first;               /* by panels: first tile of the current block */
};

static size_t line(size_t floats)
{
    return (floats + 15) / 16 * 16;
}

static size_t patch_floats(const struct wino *p)
{
    return (size_t)p->n * (size_t)(GROUP * p->tiles.m + 2) * NST_LANES;
}

static size_t strip_floats(const struct wino *p)
{
    return (size_t)p->tiles.m * (size_t)(GROUP * p->tiles.m) * NST_LANES;
}

static int panel_count(const struct wino *p)
{
    return (p->c->out * NST_LANES + p->cpu->k->nr - 1) / p->cpu->k->nr;
}

/* Tiles of a block that one thread works at. */
static int tiles_of_own_block(const struct wino *p)
{
    int t = (int)(BLOCK_FLOATS / ((size_t)p->points * (size_t)p->c->in * NST_LANES)), least = 2 * p->cpu->k->mr;

    return t > least ? t : least;
}

/* Fewer tiles than this are too few blocks. */
static int few_tiles(const struct wino *p)
{
    int threads = p->cpu->threads;

    return threads > 1 && panel_count(p) >= 2 * threads ? EVEN * threads * tiles_of_own_block(p) : 0;
}

/* Tiles of a block that all work at, at most. */
static int most_shared_tiles(const struct wino *p)
{
    int most = (int)(SHARED_FLOATS / ((size_t)p->points * (size_t)p->c->in * NST_LANES));

    if (most > SHARED_TILES)
        return SHARED_TILES;
    return most > 0 ? most : 1;
}

/* One line more than a power of two, or all points of a channel would meet in the same cache set. */
static size_t filter_floats(const struct wino *p, int blocks)
{
    return (size_t)blocks * NST_LANES * (size_t)p->cpu->k->nr + 16;
}

/* Channel blocks of the input that are summed at a time, from block `first` on.  The same in both ways, of which the
 * number of threads decides: so results have the same bits. */
static int depth(const struct wino *p, int first)
{
    return p->c->in - first < DEEP ? p->c->in - first : DEEP;
}

/* Transformed filters of one panel; by panels of one row of points. */
static size_t u_floats(const struct wino *p)
{
    return line((size_t)(p->by_panels ? p->n : p->points) * p->filters);
}

static void choose_blocks(struct wino *p)
{
    int t = tiles_of_own_block(p), threads = p->cpu->threads, each = (p->tiles.count + threads - 1) / threads;
    bool large_filters = (size_t)panel_count(p) * (size_t)p->points * filter_floats(p, p->c->in) > SHARED_FILTERS;

    p->by_panels = large_filters || p->tiles.count < few_tiles(p);
    if (p->by_panels) {
        int blocks = (p->tiles.count + most_shared_tiles(p) - 1) / most_shared_tiles(p);

        t = blocks ? (p->tiles.count + blocks - 1) / blocks : 0; /* all alike: each block transforms the filters once */
    } else if (t > each) {
        t = each > 2 * p->cpu->k->mr ? each : 2 * p->cpu->k->mr;
    }
    p->t = (t + p->cpu->k->mr - 1) / p->cpu->k->mr * p->cpu->k->mr;
    p->filters = filter_floats(p, p->by_panels ? depth(p, 0) : p->c->in);
    p->ldv = (size_t)p->c->in * (size_t)p->t * NST_LANES + 16;
    p->ldm = (size_t)(p->cpu->k->nr / NST_LANES) * (size_t)p->t * NST_LANES + 16;
    p->each = line(patch_floats(p)) + line(strip_floats(p)) + line((size_t)p->points * p->ldm) +
              (p->by_panels ? u_floats(p) : line((size_t)p->points * p->ldv));
}

static void plan(struct wino *p, const nst_cpu *cpu, const nst_conv *c)
{
    const nst_kernels *k = cpu->k;
    bool six = c->algorithm == NST_CONV_WINOGRAD6;

    p->cpu = cpu, p->c = c;
    p->tiles = nst_wino_tiles_of(nst_conv_tile(c->algorithm), c);
    p->n = p->tiles.m + 2, p->points = p->n * p->n;
    p->in = six ? k->wino6_in : k->wino4_in;
    p->filter = six ? k->wino6_filter : k->wino4_filter;
    p->out = six ? k->wino6_out : k->wino4_out;
    choose_blocks(p);
}

static size_t scratch_floats(const struct wino *p)
{
    return p->each * (size_t)p->cpu->threads +
           (p->by_panels ? (size_t)p->points * p->ldv : (size_t)panel_count(p) * u_floats(p));
}

/* Enough for smaller pictures too, which are windows and strips of this one: their blocks may be larger, since all are
 * alike, and their panels may be shared out where this one's blocks are. */
size_t nst_winograd_scratch(const nst_cpu *cpu, const nst_conv *c)
{
    struct wino p, small;
    size_t own, other;

    plan(&p, cpu, c);
    own = scratch_floats(&p);
    small = p;
    if (!p.by_panels)
        small.tiles.count = few_tiles(&p) - 1;
    if (small.tiles.count > most_shared_tiles(&p))
        small.tiles.count = most_shared_tiles(&p);
    if (small.tiles.count <= 0)
        return own;
    choose_blocks(&small);
    other = scratch_floats(&small);
    return own > other ? own : other;
}

/* Filters of one panel from channel block `first` of the input on, for a row of points: u [n][blocks * 16][nr]. */
static void transform_filters(const struct wino *p, int panel, int row, int first, int blocks, float *u)
{
    size_t each = (size_t)(NST_LANES * p->cpu->k->nr);
    const float *w = p->c->weight + ((size_t)panel * (size_t)p->c->in + (size_t)first) * 9 * each;

    for (int b = 0; b < blocks; b++, w += 9 * each, u += each)
        p->filter(each, w, each, row, u, p->filters);
}

/* Tiles first..first+count-1 of one channel block: v [point] at [tile][16]. */
static void transform_input(const struct wino *p, int block, int first, int count, float *v, float *patch)
{
    nst_wino_run r;

    for (int i = 0; i < count; i += r.count) {
        size_t row = (size_t)p->c->source_w * NST_LANES;
        const float *from;
        int cols;

        r = nst_wino_run_at(&p->tiles, first + i, count - i < GROUP ? count - i : GROUP);
        cols = r.count * r.w + 2;
        from = nst_conv_source(p->c, block, r.y - 1, r.x - 1, r.h + 2, cols);
        if (!from) {
            nst_conv_read(p->cpu->k, p->c, block, r.y - 1, r.x - 1, r.h + 2, cols, patch);
            from = patch, row = (size_t)cols * NST_LANES;
        }
        for (int g = 0; g < r.count; g++)
            p->in(from + g * r.w * NST_LANES, row, r.h, r.w, v + (i + g) * NST_LANES, p->ldv);
    }
}

/* m [point] at [tile][16] of one output block to the picture. */
static void transform_output(const struct wino *p, int block, int first, int count, const float *m, float *strip)
{
    nst_wino_run r;

    for (int i = 0; i < count; i += r.count) {
        size_t row = (size_t)p->c->w * NST_LANES;
        float *to;
        int cols;

        r = nst_wino_run_at(&p->tiles, first + i, count - i < GROUP ? count - i : GROUP);
        cols = r.count * r.w;
        to = nst_conv_result(p->c, block, r.y, r.x, r.h, cols);
        if (!to)
            row = (size_t)cols * NST_LANES;
        for (int g = 0; g < r.count; g++)
            p->out(m + (i + g) * NST_LANES, p->ldm, r.h, r.w, p->c->bias + block * NST_LANES, p->c->floor,
                   (to ? to : strip) + g * r.w * NST_LANES, row);
        if (to)
            nst_conv_pass(p->cpu->k, p->c, block, r.y, r.x, r.h, cols);
        else
            nst_conv_write(p->cpu->k, p->c, block, r.y, r.x, r.h, cols, strip);
    }
}

struct block {
    int first, count;
    nst_wino_range with[2][2]; /* from its first tile on: those that have a point, and maybe a few others (see
                                  nst_wino_with) */
};

static nst_wino_range range_of(const struct wino *p, const struct block *b, bool row, bool column)
{
    nst_wino_range r = nst_wino_with(&p->tiles, row, column);
    int mr = p->cpu->k->mr, last;

    r.first = r.first > b->first ? r.first - b->first : 0;
    r.to = r.to - b->first < b->count ? r.to - b->first : b->count;
    last = p->t - (r.to - r.first + mr - 1) / mr * mr; /* so that there is room for a whole group at the end */
    r.first = r.first < last ? r.first : last;
    return r;
}

static struct block block_at(const struct wino *p, int first)
{
    struct block b = { .first = first, .count = p->tiles.count - first < p->t ? p->tiles.count - first : p->t };

    for (int i = 0; i < 4; i++)
        b.with[i / 2][i % 2] = range_of(p, &b, i / 2, i % 2);
    return b;
}

/* Products of one panel with a block of tiles at a row of points, with depth(deep) channel blocks of the input.
 * u, v and m begin with that row's, u with these channels'. */
static void multiply(const struct wino *p, const struct block *b, int row, int deep, const float *u, const float *v,
                     float *m)
{
    const nst_kernels *k = p->cpu->k;
    size_t ld = (size_t)p->t * NST_LANES;

    v += (size_t)deep * ld;
    for (int i = 0; i < p->n; i++, u += p->filters, v += p->ldv, m += p->ldm) {
        const nst_wino_range *g = &b->with[row >= p->tiles.down.points][i >= p->tiles.across.points];

        for (int r = g->first; r < g->to; r += k->mr)
            k->gemm_tile(nst_tile_rows(k, g->to - r), (size_t)depth(p, deep), v + r * NST_LANES, ld, u,
                         m + r * NST_LANES, ld, deep > 0);
    }
}

/* Products of one panel to the picture. */
static void finish(const struct wino *p, int panel, int first, int count, const float *m, float *strip)
{
    int blocks = p->cpu->k->nr / NST_LANES;

    for (int b = 0; b < blocks && panel * blocks + b < p->c->out; b++)
        transform_output(p, panel * blocks + b, first, count, m + (size_t)b * (size_t)p->t * NST_LANES, strip);
}

static float *scratch_of(const struct wino *p, int worker, float **patch, float **strip, float **m)
{
    float *s = p->worker + p->each * (size_t)worker;

    *patch = s, s += line(patch_floats(p));
    *strip = s, s += line(strip_floats(p));
    *m = s, s += line((size_t)p->points * p->ldm);
    return s;
}

static void all_filters(void *arg, int worker, int begin, int end)
{
    const struct wino *p = arg;

    (void)worker;
    for (int i = begin; i < end; i++)
        for (int row = 0; row < p->n; row++)
            transform_filters(p, i, row, 0, p->c->in, p->u + (size_t)i * u_floats(p) + row * p->n * p->filters);
}

static void take_blocks(void *arg, int worker, int begin, int end)
{
    const struct wino *p = arg;
    float *patch, *strip, *m, *v = scratch_of(p, worker, &patch, &strip, &m);

    for (int i = begin; i < end; i++) {
        struct block block = block_at(p, i * p->t);

        for (int b = 0; b < p->c->in; b++)
            transform_input(p, b, block.first, block.count, v + (size_t)b * (size_t)p->t * NST_LANES, patch);
        for (int panel = 0; panel < panel_count(p); panel++) {
            const float *u = p->u + (size_t)panel * u_floats(p);

            for (int row = 0, point = 0; row < p->n; row++, point += p->n)
                for (int deep = 0; deep < p->c->in; deep += DEEP)
                    multiply(p, &block, row, deep, u + point * p->filters + deep * NST_LANES * p->cpu->k->nr,
                             v + point * p->ldv, m + point * p->ldm);
            finish(p, panel, block.first, block.count, m, strip);
        }
    }
}

static void shared_input(void *arg, int worker, int begin, int end)
{
    const struct wino *p = arg;
    float *patch, *strip, *m;
    struct block block = block_at(p, p->first);

    scratch_of(p, worker, &patch, &strip, &m);
    for (int b = begin; b < end; b++)
        transform_input(p, b, block.first, block.count, p->v + (size_t)b * (size_t)p->t * NST_LANES, patch);
}

static void take_panels(void *arg, int worker, int begin, int end)
{
    const struct wino *p = arg;
    float *patch, *strip, *m, *u = scratch_of(p, worker, &patch, &strip, &m);
    struct block block = block_at(p, p->first);

    for (int panel = begin; panel < end; panel++) {
        for (int deep = 0; deep < p->c->in; deep += DEEP)
            for (int row = 0; row < p->n; row++) {
                transform_filters(p, panel, row, deep, depth(p, deep), u);
                multiply(p, &block, row, deep, u, p->v + row * p->n * p->ldv, m + row * p->n * p->ldm);
            }
        finish(p, panel, block.first, block.count, m, strip);
    }
}

void nst_winograd_run(const nst_cpu *cpu, const nst_conv *c, float *scratch)
{
    struct wino p;

    plan(&p, cpu, c);
    if (p.by_panels) {
        p.v = scratch;
        p.worker = scratch + (size_t)p.points * p.ldv;
        for (p.first = 0; p.first < p.tiles.count; p.first += p.t) {
            nst_par_for(cpu->threads, c->in, shared_input, &p);
            nst_par_for(cpu->threads, panel_count(&p), take_panels, &p);
        }
    } else {
        p.u = scratch;
        p.worker = scratch + (size_t)panel_count(&p) * u_floats(&p);
        nst_par_for(cpu->threads, panel_count(&p), all_filters, &p);
        nst_par_for(cpu->threads, (p.tiles.count + p.t - 1) / p.t, take_blocks, &p);
    }
}
