/* loss_layers.c: what losses read of a layer on the device: statistics, content features, and the gradients they
 * ask for. */
#include "state.h"

#include <string.h>

#define DEPTH 4096 /* positions of one product: float sums no longer than that are added with their rests */

static size_t gram_floats(size_t c, size_t n)
{
    return c * n + (n / DEPTH + 1) * c * c;
}

/* Positions at a time: the matrices of a strip stay small and fit the device, and so do CLBlast's own copies. */
static size_t strip(const nst_cl_device *d, const nst_node *node)
{
    size_t c = (size_t)node->out, n = (8u << 20) / c / DEPTH * DEPTH, all = (size_t)node->w * (size_t)node->h;
    size_t most = (d->cl.allocation < d->cl.memory / 8 ? d->cl.allocation : d->cl.memory / 8) / sizeof(float);

    n = nst_clamp_size(n, DEPTH, 16 * DEPTH);
    while (n > 64 && (n >= 2 * all || gram_floats(c, n) > most || 2 * c * n > most))
        n /= 2;
    return n;
}

size_t nst_cl_loss_scratch(const nst_cl_device *d, const nst_node *node)
{
    size_t c = (size_t)node->out, n = strip(d, node), gram = gram_floats(c, n), gradient = 2 * c * n;

    return (gram > gradient ? gram : gradient) * sizeof(float);
}

static bool whole(const nst_node *n, const nst_rect *core)
{
    return core->w == n->w && core->h == n->h;
}

static size_t positions(const nst_rect *core)
{
    return (size_t)core->w * (size_t)core->h;
}

/* A map's weights from the core's first position on; somewhere harmless where there is none. */
static nst_span map_at(const nst_cl_device *d, const nst_node *n, const nst_rect *core, const nst_map *map)
{
    size_t at = map->first + (size_t)(n->result.rows.first + core->y) * map->ld + (size_t)(n->x + core->x);

    if (!map->weight)
        return (nst_span){ d->scratch, 0 };
    return nst_cl_kept_span(map->device_copy, at);
}

static nst_status pack(nst_cl_device *d, const nst_node *n, const nst_rect *core, const nst_map *map, size_t start,
                       size_t count, nst_error *e)
{
    return nst_cl_run(&d->cl, NST_CL_pack_core, count, (size_t)n->out, 2 * (size_t)n->out * count * sizeof(float), e,
                      "sssiiiiiiiiii", nst_cl_span(d, n->result.at), (nst_span){ d->scratch, 0 },
                      map_at(d, n, core, map), (int)map->ld, n->w, n->h, core->x, core->y, core->w, (int)start,
                      (int)count, (int)count, n->out);
}

/* ---- statistics ---- */

/* The Gram matrix of one strip of positions, added to the sums if add: products of DEPTH positions each, then their
 * sum. */
static nst_status gram_strip(nst_cl_device *d, const nst_node *n, const nst_rect *core, const nst_map *map,
                             size_t start, size_t count, bool add, nst_error *e)
{
    size_t c = (size_t)n->out, deep = count / DEPTH, rest = count % DEPTH;
    nst_cl_gemm g = { .m = c, .n = c, .k = DEPTH, .lda = count, .stride_a = DEPTH, .stride_c = c * c, .batch = deep };
    nst_status s;

    g.a = (nst_span){ d->scratch, 0 };
    g.c = (nst_span){ d->scratch, c * strip(d, n) * sizeof(float) };
    if (whole(n, core) && !map->weight) {
        g.a = nst_cl_span(d, n->result.at), g.a.at += start * sizeof(float);
        g.lda = positions(core);
    } else {
        s = pack(d, n, core, map, start, count, e);
        if (s)
            return s;
    }
    nst_span parts_of = g.c;

    if (deep) {
        s = nst_cl_square(&d->cl, &g, e);
        if (s)
            return s;
    }
    if (rest) {
        g.k = rest, g.batch = 1;
        g.a.at += deep * DEPTH * sizeof(float), g.c.at += deep * c * c * sizeof(float);
        s = nst_cl_square(&d->cl, &g, e);
        if (s)
            return s;
    }
    deep += rest > 0;
    return nst_cl_gather(d, parts_of, nst_cl_floats(d->losses.sums, nst_cl_style_at(d, n->layer, map->number)->sums),
                         deep, c * c, add, e);
}

nst_status nst_cl_stats(nst_device *base, const nst_node *n, const nst_rect *core, nst_stats *stats, nst_error *e)
{
    nst_cl_device *d = nst_cl_of(base);
    nst_cl_style *at = nst_cl_style_at(d, n->layer, stats->map.number);
    size_t c = (size_t)n->out, all = positions(core), most = strip(d, n);
    bool more = stats->keep_on_device && stats->n > 0; /* of windows before */
    nst_span part = nst_cl_floats(d->losses.part, 0), sums = nst_cl_floats(d->losses.sums, at->sums + 2 * c * c);
    nst_status s = NST_OK;

    for (size_t start = 0; start < all && !s; start += most)
        s = gram_strip(d, n, core, &stats->map, start, all - start < most ? all - start : most, more || start > 0, e);
    if (!s)
        s = nst_cl_run(&d->cl, NST_CL_sums, nst_cl_items(d, NST_CL_PARTS), c, c * all * sizeof(float), e, "sssiliiiiii",
                       nst_cl_span(d, n->result.at), part, map_at(d, n, core, &stats->map), (int)stats->map.ld, n->w,
                       n->h, core->x, core->y, core->w, (int)all);
    if (!s)
        s = nst_cl_gather(d, part, sums, NST_CL_PARTS, c, more, e);
    at->stats = stats->keep_on_device ? NULL : stats;
    return nst_cl_settle(d, s, NST_CL_STATS, n->layer, e);
}

static void add_stats(const nst_cl_device *d, const nst_cl_style *at)
{
    nst_stats *s = at->stats;
    const float *pair = d->losses.host + at->sums;
    size_t c = (size_t)s->c;

    for (size_t i = 0; i < c * c; i++, pair += 2)
        s->gram[i] += (double)pair[0] + (double)pair[1];
    for (size_t i = 0; i < c; i++, pair += 2)
        s->sum[i] += (double)pair[0] + (double)pair[1];
}

nst_status nst_cl_collect(nst_device *base, nst_error *e)
{
    nst_cl_device *d = nst_cl_of(base);
    int last = -1;
    nst_status s = NST_OK;

    for (int i = 0; i < nst_cl_styles(d); i++)
        if (d->losses.style[i].stats)
            last = i;
    for (int i = 0; i <= last && !s; i++)
        if (d->losses.style[i].stats) {
            size_t c = (size_t)d->losses.style[i].c, at = d->losses.style[i].sums;

            s = nst_cl_read(&d->cl, nst_cl_floats(d->losses.sums, at), 2 * (c * c + c) * sizeof(float),
                            d->losses.host + at, i == last, e);
        }
    for (int i = 0; i < nst_cl_styles(d); i++) {
        if (!s && d->losses.style[i].stats)
            add_stats(d, &d->losses.style[i]);
        d->losses.style[i].stats = NULL;
    }
    return s;
}

/* ---- what is kept: content features and maps ---- */

void nst_cl_drop(nst_saved_features *base)
{
    nst_cl_kept *k = (nst_cl_kept *)(void *)base;

    k->d->kept_bytes -= k->bytes;
    nst_cl_release(&k->d->cl, &k->f, k->bytes);
    nst_free(k);
}

/* Room for n floats. */
static nst_status make_kept(nst_cl_device *d, size_t n, const char *what, nst_cl_kept **out, nst_error *e)
{
    nst_cl_kept *k = nst_calloc(1, sizeof *k);
    nst_status s;

    *out = NULL;
    if (!k)
        return nst_fail(e, NST_EMEM, "%s: out of memory", what);
    k->base.ops = d->base.ops, k->d = d, k->bytes = n * sizeof(float);
    s = nst_cl_buffer(&d->cl, k->bytes, what, &k->f, e);
    if (s) {
        nst_free(k);
        return s;
    }
    d->kept_bytes += k->bytes;
    *out = k;
    return NST_OK;
}

nst_status nst_cl_map(nst_device *base, const float *weight, size_t n, nst_saved_features **out, nst_error *e)
{
    nst_cl_device *d = nst_cl_of(base);
    nst_cl_kept *k;
    nst_status s = make_kept(d, n, "masks", &k, e);

    *out = NULL;
    if (s)
        return s;
    s = nst_cl_write(&d->cl, weight, k->bytes, nst_cl_floats(k->f, 0), e);
    if (!s)
        s = nst_cl_finish(&d->cl, e);
    if (s) {
        nst_cl_drop(&k->base);
        return s;
    }
    *out = &k->base;
    return NST_OK;
}

nst_status nst_cl_keep(nst_device *base, const nst_node *n, const nst_rect *core, nst_saved_features **out,
                       nst_error *e)
{
    nst_cl_device *d = nst_cl_of(base);
    nst_cl_kept *k;
    size_t all = positions(core), c = (size_t)n->out, parts = NST_CL_PARTS * c;
    nst_status s = make_kept(d, c * all, "content features", &k, e);

    *out = NULL;
    if (s)
        return s;
    s = nst_cl_run(&d->cl, NST_CL_keep, nst_cl_items(d, NST_CL_PARTS), c, 2 * k->bytes, e, "sssliiiiii",
                   nst_cl_span(d, n->result.at), (nst_span){ k->f, 0 }, nst_cl_floats(d->losses.part, 0), n->w,
                   n->h, core->x, core->y, core->w, (int)all);
    if (!s)
        s = nst_cl_read(&d->cl, nst_cl_floats(d->losses.part, 0), parts * sizeof(float), d->losses.told.at, true, e);
    if (s) {
        nst_cl_drop(&k->base);
        return s;
    }
    for (size_t i = 0; i < parts; i++)
        k->base.square += (double)d->losses.told.at[i];
    *out = &k->base;
    return NST_OK;
}

/* ---- gradients ---- */

nst_status nst_cl_unpool(nst_cl_device *d, const nst_node *n, nst_error *e)
{
    size_t four = (size_t)((n->w + 1) / 2) * (size_t)((n->h + 1) / 2);

    return nst_cl_run(&d->cl, NST_CL_unpool, four, (size_t)n->out, 9 * four * (size_t)n->out * sizeof(float), e,
                      "ssssiiiiii", nst_cl_span(d, n->grad_out.at), nst_cl_span(d, n->pass.at),
                      nst_cl_span(d, n->result.at), nst_cl_span(d, n->grad_features),
                      d->average ? NST_READ_AVERAGED : NST_READ_POOLED, n->w, n->h,
                      n->pooled_w, n->pooled_h, n->out);
}

static bool all_zero(const float *b, int n)
{
    for (int i = 0; b && i < n; i++)
        if (b[i] != 0)
            return false;
    return true;
}

/* df (+)= a f over one strip of positions, + b; by a map, it is added. */
static nst_status gradient_strip(nst_cl_device *d, const nst_node *n, const nst_rect *core, const nst_map *map,
                                 size_t df, size_t start, size_t count, bool add, bool shifted, nst_error *e)
{
    size_t c = (size_t)n->out, ask = nst_cl_style_at(d, n->layer, map->number)->ask;
    nst_cl_gemm g = { .m = count, .n = c, .k = c, .b = nst_cl_floats(d->losses.ask, ask), .ldb = c, .batch = 1 };
    nst_span to = nst_cl_span(d, df), b = nst_cl_floats(d->losses.ask, ask + c * c);
    bool apart = map->weight || !whole(n, core);
    nst_status s;

    if (apart) {
        s = pack(d, n, core, map, start, count, e);
        if (s)
            return s;
        g.a = (nst_span){ d->scratch, 0 }, g.c = (nst_span){ d->scratch, c * strip(d, n) * sizeof(float) };
        g.lda = g.ldc = count;
    } else {
        g.a = nst_cl_span(d, n->result.at), g.a.at += start * sizeof(float);
        g.c = to, g.c.at += start * sizeof(float);
        g.lda = g.ldc = positions(core);
        g.add = add;
    }
    s = nst_cl_product(&d->cl, &g, e);
    if (s || (!apart && !shifted))
        return s;
    return nst_cl_run(&d->cl, NST_CL_add_core, count, c, 3 * c * count * sizeof(float), e, "ssssiiiiiiiiiiii", to,
                      apart ? g.c : b, b, map_at(d, n, core, map), (int)map->ld, apart, shifted, n->w, n->h,
                      core->x, core->y, core->w, (int)start, (int)count, (int)count, n->out);
}

static nst_status style_gradient(nst_cl_device *d, const nst_node *n, const nst_rect *core, const nst_loss_gradient *t,
                                 size_t df, bool add, nst_error *e)
{
    const nst_cl_style *style = nst_cl_style_at(d, n->layer, t->map.number);
    size_t c = (size_t)n->out, all = positions(core), most = strip(d, n), at = style->ask;
    bool shifted = t->device_coeffs ? style->shifted : !all_zero(t->b, n->out);
    nst_status s = NST_OK;

    if (!t->device_coeffs)
        s = nst_cl_write(&d->cl, t->a, c * c * sizeof(float), nst_cl_floats(d->losses.ask, at), e);
    if (!s && !t->device_coeffs && shifted)
        s = nst_cl_write(&d->cl, t->b, c * sizeof(float), nst_cl_floats(d->losses.ask, at + c * c), e);
    for (size_t start = 0; start < all && !s; start += most)
        s = gradient_strip(d, n, core, &t->map, df, start, all - start < most ? all - start : most, add, shifted, e);
    return s;
}

nst_status nst_cl_loss_gradient(nst_device *base, const nst_node *nodes, int i, bool last, const nst_rect *core,
                                const nst_loss_gradient *t, double *distance, nst_error *e)
{
    nst_cl_device *d = nst_cl_of(base);
    const nst_node *n = &nodes[i];
    size_t df = n->pooled ? n->grad_features : n->grad_out.at;
    bool style = t->device_coeffs || t->a, writes = style && !t->map.weight && whole(n, core);
    nst_status s = n->pooled ? nst_cl_unpool(d, n, e) : NST_OK;

    if (!s && last && !writes)
        s = nst_cl_zero(&d->cl, nst_cl_span(d, df), (size_t)n->out * (size_t)n->w * (size_t)n->h * sizeof(float), e);
    for (const nst_loss_gradient *g = style ? t : NULL; g && !s; g = g->next)
        s = style_gradient(d, n, core, g, df, !last || g != t, e);
    if (!s && t->content)
        s = nst_cl_content(d, n, core, t, nst_cl_span(d, df), distance, e);
    return nst_cl_settle(d, s, NST_CL_LOSS_GRADIENTS, n->layer, e);
}
