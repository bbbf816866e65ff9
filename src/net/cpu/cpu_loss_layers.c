/* cpu_loss_layers.c: what losses read of the CPU's features, statistics and content features, and the gradients that
 * they ask for. */
#include "net/cpu/cpu.h"
#include "ops/conv_parts.h"
#include "ops/vector.h"

#include <math.h>
#include <string.h>

struct cpu_kept {
    nst_saved_features base;
    nst_rect core;
    int top;  /* its first row in the whole picture's features */
    int blocks; /* of channels */
    float *f; /* [blocks][core.h][core.w][16] */
};

/* A map's weights at the core's first position. */
static const float *map_at(const nst_node *n, const nst_rect *core, nst_map map)
{
    return map.weight + (size_t)(n->result.rows.first + core->y) * map.ld + (size_t)(n->x + core->x);
}

nst_status nst_cpu_stats(nst_device *base, const nst_node *n, const nst_rect *core, nst_stats *s, nst_error *e)
{
    struct cpu_device *d = of(base);

    int rows = n->result.rows.count;

    (void)e;
    if (core->h <= 0)
        return NST_OK;
    if (s->map.weight)
        nst_guided_add(&d->cpu, floats(d, n->result.at), n->out, n->w, rows, core, map_at(n, core, s->map), s->map.ld,
                       s->gram, s->sum, d->scratch);
    else
        nst_gram_add(&d->cpu, floats(d, n->result.at), n->out, n->w, rows, core, s->gram, s->sum, d->scratch);
    return NST_OK;
}

void nst_cpu_drop(nst_saved_features *base)
{
    struct cpu_kept *k = (struct cpu_kept *)(void *)base;

    nst_free(k->f);
    nst_free(k);
}

nst_status nst_cpu_keep_room(nst_device *base, const nst_node *n, const nst_rect *core, nst_saved_features **out,
                             nst_error *e)
{
    struct cpu_kept *k = nst_calloc(1, sizeof *k);
    size_t block = (size_t)core->w * NST_LANES * (size_t)core->h;
    int blocks = nst_blocks(n->out);

    *out = NULL;
    if (k)
        k->f = nst_alloc((size_t)blocks * block * sizeof(float));
    if (!k || !k->f) {
        nst_free(k);
        return nst_fail(e, NST_EMEM, "content features: out of memory");
    }
    k->base.ops = base->ops, k->core = *core, k->blocks = blocks;
    k->top = n->result.rows.first + core->y;
    *out = &k->base;
    return NST_OK;
}

/* Row y of the core of a block of the features. */
static const float *feature_row(const struct cpu_device *d, const nst_node *n, const nst_rect *core, int block, int y)
{
    return floats(d, n->result.at) +
           (((size_t)block * (size_t)n->result.rows.count + (size_t)(core->y + y)) * (size_t)n->w + (size_t)core->x) *
               NST_LANES;
}

nst_status nst_cpu_keep(nst_device *base, const nst_node *n, const nst_rect *core, nst_saved_features **out,
                        nst_error *e)
{
    struct cpu_device *d = of(base);
    size_t row = (size_t)core->w * NST_LANES;
    nst_status s = *out ? NST_OK : nst_cpu_keep_room(base, n, core, out, e);
    struct cpu_kept *k = (struct cpu_kept *)(void *)*out;

    for (int b = 0; !s && b < k->blocks && core->h > 0; b++) {
        int at = n->result.rows.first + core->y - k->top;
        float *to = k->f + ((size_t)b * (size_t)k->core.h + (size_t)at) * row;

        for (int y = 0; y < core->h; y++)
            memcpy(to + (size_t)y * row, feature_row(d, n, core, b, y), row * sizeof *to);
        k->base.square += nst_vec_dot(&d->cpu, row * (size_t)core->h, to, to);
    }
    return s;
}

struct content {
    struct cpu_device *d;
    const nst_node *n;
    const struct cpu_kept *k;
    const nst_rect *core;
    float scale, sign;
    float *df;
    double part[NST_MODEL_CHANNELS / NST_LANES]; /* a sum each block, added in order */
    double absolute[NST_MODEL_CHANNELS / NST_LANES];
};

/* Row y of block b of what is kept, and of the features. */
static const float *content_row(const struct content *c, int b, int y, const float **kept)
{
    const nst_node *n = c->n;
    int at = n->result.rows.first + c->core->y + y - c->k->top;

    *kept = c->k->f + ((size_t)b * (size_t)c->k->core.h + (size_t)at) * (size_t)c->core->w * NST_LANES;
    return feature_row(c->d, n, c->core, b, y);
}

/* The same row of its gradient. */
static float *gradient_row(const struct content *c, int b, int y)
{
    const nst_node *n = c->n;
    nst_row_buffer rows = n->pooled ? n->result.rows : n->grad_out.rows;
    int at = n->result.rows.first + c->core->y + y - rows.first;

    return c->df + (((size_t)b * (size_t)rows.count + (size_t)at) * (size_t)n->w + (size_t)c->core->x) * NST_LANES;
}

static void compare_blocks(void *arg, int worker, int begin, int end)
{
    struct content *c = arg;
    size_t row = (size_t)c->core->w * NST_LANES;

    (void)worker;
    for (int b = begin; b < end; b++) {
        double square = 0, absolute = 0;

        for (int y = 0; y < c->core->h; y++) {
            const float *p, *f = content_row(c, b, y, &p);

            square += c->d->cpu.k->distance(row, f, p);
            for (size_t i = 0; i < row; i++)
                absolute += fabs((double)f[i] - (double)p[i]);
        }
        c->part[b] = square;
        c->absolute[b] = absolute;
    }
}

nst_status nst_cpu_compare(nst_device *base, const nst_node *n, const nst_rect *core, const nst_saved_features *k,
                           double *square, double *absolute, nst_error *e)
{
    struct cpu_device *d = of(base);
    struct content c = { .d = d, .n = n, .k = (const struct cpu_kept *)(const void *)k, .core = core };

    (void)e;
    nst_par_for(d->cpu.threads, c.k->blocks, compare_blocks, &c);
    for (int b = 0; b < c.k->blocks; b++)
        *square += c.part[b], *absolute += c.absolute[b];
    return NST_OK;
}

static void content_blocks(void *arg, int worker, int begin, int end)
{
    struct content *c = arg;
    const nst_kernels *k = c->d->cpu.k;
    size_t row = (size_t)c->core->w * NST_LANES;

    (void)worker;
    for (int b = begin; b < end; b++) {
        double sum = 0;

        for (int y = 0; y < c->core->h; y++) {
            const float *p, *f = content_row(c, b, y, &p);
            float *df = gradient_row(c, b, y);

            sum += k->distance(row, f, p);
            if (c->sign == 0) {
                k->axpy(row, c->scale, f, df);
                k->axpy(row, -c->scale, p, df);
            }
            /* one by one: the scale is large where f is near p, and two products would leave their rounding */
            for (size_t i = 0; i < row && c->sign != 0; i++)
                df[i] += c->scale * (f[i] - p[i]) + c->sign * (float)((f[i] > p[i]) - (f[i] < p[i]));
        }
        c->part[b] = sum;
    }
}

void nst_cpu_unpool(struct cpu_device *d, const nst_node *n)
{
    size_t full = (size_t)n->w * NST_LANES;
    nst_conv c = { .w = n->w, .h = n->h, .source = floats(d, n->grad_out.at), .source_w = n->pooled_w,
                   .source_h = n->pooled_h, .mask = masks(d, n->pass.at), .shift = 1,
                   .scale = d->average ? .25f : 1, .average = d->average };

    for (int b = 0; b < nst_blocks(n->out); b++)
        for (int y = 0; y < n->h; y++)
            nst_conv_read(d->cpu.k, &c, b, y, 0, 1, n->w,
                          floats(d, n->grad_features) + ((size_t)b * (size_t)n->h + (size_t)y) * full);
    /* from here on the gradient passes wherever the feature is above 0 */
    d->cpu.k->mask((size_t)nst_blocks(n->out) * (size_t)n->w * (size_t)n->h, floats(d, n->result.at),
                   masks(d, n->pass.at));
}

/* The new rows of a last node's gradient, which nothing has written. */
static void clear(struct cpu_device *d, const nst_node *n)
{
    size_t plane = (size_t)n->grad_out.rows.count * (size_t)n->w * NST_LANES;
    size_t bytes = (size_t)(n->back.to - n->back.from) * (size_t)n->w * NST_LANES * sizeof(float);

    for (int b = 0; b < nst_blocks(n->out); b++)
        memset(row_of(d, n->grad_out.at, n->grad_out.rows, n->back.from, n->w) + (size_t)b * plane, 0, bytes);
}

/* A strip of a loss layer: rows of the gradient that lie elsewhere in their buffer than the features' in theirs. */
static void strip_loss_gradient(struct cpu_device *d, const nst_node *n, bool last, const nst_rect *core,
                      const nst_loss_gradient *t)
{
    if (last)
        clear(d, n);
    if (t->a && core->h > 0)
        nst_gram_gradient_at(&d->cpu, floats(d, n->result.at), n->out, n->w, n->result.rows.count, core, t->a, t->b,
                             floats(d, n->grad_out.at), n->grad_out.rows.count,
                             n->result.rows.first + core->y - n->grad_out.rows.first, d->scratch);
}

static void content_gradient(struct cpu_device *d, const nst_node *n, const nst_rect *core, const nst_loss_gradient *t,
                             double *distance, float *df)
{
    struct content c = { .d = d, .n = n, .k = (const struct cpu_kept *)(const void *)t->content, .core = core,
                         .scale = (float)t->content_scale, .sign = (float)t->content_sign, .df = df };

    nst_par_for(d->cpu.threads, c.k->blocks, content_blocks, &c);
    for (int b = 0; b < c.k->blocks; b++)
        *distance += c.part[b];
}

nst_status nst_cpu_loss_gradient(nst_device *base, const nst_node *nodes, int i, bool last, const nst_rect *core,
                                 const nst_loss_gradient *t, double *distance, nst_error *e)
{
    struct cpu_device *d = of(base);
    const nst_node *n = &nodes[i];
    float *df = floats(d, n->pooled ? n->grad_features : n->grad_out.at);

    (void)e;
    if (n->strip) {
        strip_loss_gradient(d, n, last, core, t);
        if (t->content)
            content_gradient(d, n, core, t, distance, df);
        return NST_OK;
    }
    if (i == 0 && !last && !n->pooled && t->a && !t->map.weight && !t->content && core->w == n->w && core->h == n->h) {
        d->first_gradient = t; /* the largest features there are: not read and written once more for it */
        return NST_OK;
    }
    if (n->pooled)
        nst_cpu_unpool(d, n);
    if (t->a && !t->map.weight) {
        nst_gram_gradient(&d->cpu, floats(d, n->result.at), n->out, n->w, n->h, core, t->a, t->b, !last, df,
                          d->scratch);
        last = false;
    }
    if (last)
        memset(df, 0, base->ops->feature_bytes(base, n->out, n->w, n->h));
    for (const nst_loss_gradient *g = t; g && g->map.weight; g = g->next)
        nst_guided_gradient(&d->cpu, floats(d, n->result.at), n->out, n->w, n->h, core, map_at(n, core, g->map),
                            g->map.ld, g->a, g->b, df, d->scratch);
    if (t->content)
        content_gradient(d, n, core, t, distance, df);
    return NST_OK;
}
