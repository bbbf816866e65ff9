/* cpu.c: the device that is the CPU: features in blocks of 16 channels, computed by the kernels of one set. */
#include "net/cpu/cpu.h"
#include "ops/conv_first.h"
#include "ops/conv_parts.h"

#include <math.h>
#include <string.h>

static size_t feature_bytes(const nst_device *d, int channels, int w, int h)
{
    (void)d;
    return (size_t)nst_blocks(channels) * NST_LANES * (size_t)w * (size_t)h * sizeof(float);
}

static size_t mask_bytes(const nst_device *d, int channels, int w, int h)
{
    (void)d;
    return (size_t)nst_blocks(channels) * (size_t)w * (size_t)h * sizeof(uint16_t);
}

/* ---- one node as a job of conv.c or conv_first.c ---- */

/* Of the whole picture's layer, whatever the window is: rounding is then of one kind in all of them. */
static nst_conv_algorithm algorithm(const struct cpu_device *d, const nst_node *n, int in, int out)
{
    const struct weights *weights = &d->w[n->layer];
    int w, h;

    if (weights->fixed)
        return weights->algorithm;
    nst_rectangles_measure(n, &w, &h);
    return nst_conv_choose(&d->cpu, in, out, w, h);
}

static nst_conv_algorithm forward_algorithm(const struct cpu_device *d, const nst_node *n)
{
    return algorithm(d, n, nst_blocks(n->in), nst_blocks(n->out));
}

static int tile(const nst_device *d, const nst_node *nodes, int i)
{
    return nst_conv_tile(forward_algorithm(of(d), &nodes[i]));
}

/* What the node behind reads: its first column, how many there are, and its rows' buffer. */
struct given {
    int x, w;
    nst_row_buffer rows;
};

static struct given given(const nst_node *n)
{
    return n->pooled ? (struct given){ n->x / 2, n->pooled_w, n->pool.rows }
                     : (struct given){ n->x, n->w, n->result.rows };
}

static uint16_t *mask_row(const struct cpu_device *d, const nst_node *n, int y)
{
    return n->pass.at == NST_NONE ? NULL : masks(d, n->pass.at) + (ptrdiff_t)(y - n->pass.rows.first) * n->w;
}

static nst_conv forward_conv(const struct cpu_device *d, const nst_node *nodes, int i)
{
    const nst_node *n = &nodes[i], *from = &nodes[i - 1];
    struct given r = given(from);
    int there = from->ready - r.rows.first;
    nst_conv c = { .in = nst_blocks(n->in), .out = nst_blocks(n->out), .w = n->w, .h = n->h,
                   .weight = d->w[i].forward, .bias = d->w[i].bias, .floor = 0,
                   .source = floats(d, from->pooled ? from->pool.at : from->result.at), .source_w = r.w,
                   .source_h = there,
                   .place = { n->x - r.x, n->y - r.rows.first, r.w - n->w, there - n->h,
                              nst_rectangles_offset(n, n->x, 0),
                              nst_rectangles_offset(n, n->y, n->tiles.image_y0) },
                   .scale = 1, .result = row_of(d, n->result.at, n->result.rows, n->y, n->w),
                   .pass = mask_row(d, n, n->y), .pooled = row_of(d, n->pool.at, n->pool.rows, n->y / 2, n->pooled_w),
                   .rows = { .source = r.rows.count, .result = n->result.rows.count, .pass = n->pass.rows.count,
                             .pooled = n->pool.rows.count },
                   .pooled_w = n->pooled_w, .pooled_h = n->pooled_h, .average = d->average };

    c.algorithm = forward_algorithm(d, n);
    return c;
}

static nst_conv backward_conv(const struct cpu_device *d, const nst_node *nodes, int i)
{
    const nst_node *n = &nodes[i], *from = &nodes[i - 1];
    bool behind_pool = n->pooled && !n->loss_layer;
    struct given r = given(from);
    nst_row_buffer source = n->pooled && n->loss_layer ? n->result.rows : n->grad_out.rows;
    int first = behind_pool ? 2 * source.first : source.first, h = from->back.to - from->back.from;
    nst_conv c = { .in = nst_blocks(n->out), .out = nst_blocks(n->in), .w = r.w, .h = h,
                   .place = { .left = r.x - n->x, .top = from->back.from - first, .extra_cols = n->w - r.w,
                              .extra_rows = n->grad.to - first - h },
                   .weight = d->w[i].backward, .bias = d->w[i].zero, .floor = -INFINITY,
                   .source = floats(d, n->pooled && n->loss_layer ? n->grad_features : n->grad_out.at),
                   .source_w = behind_pool ? n->pooled_w : n->w,
                   .source_h = (behind_pool ? n->back.to : n->grad.to) - source.first,
                   .mask = mask_row(d, n, first),
                   .shift = behind_pool, .scale = behind_pool && d->average ? .25f : 1,
                   .average = behind_pool && d->average,
                   .result = row_of(d, from->grad_out.at, from->grad_out.rows, from->back.from, r.w),
                   .rows = { .source = source.count, .mask = n->pass.rows.count,
                             .result = from->grad_out.rows.count } };

    c.algorithm = algorithm(d, n, c.in, c.out);
    return c;
}

static nst_first first_job(const struct cpu_device *d, const nst_node *n, const nst_window *win)
{
    nst_first f = { .out = n->out, .w = n->w, .h = n->h, .replicate = d->replicate, .weight = d->w[0].forward,
                    .bias = d->w[0].bias, .ldx = (size_t)win->picture_w,
                    .plane = (size_t)win->picture_w * (size_t)win->picture_h };

    memcpy(f.scale, d->scale, sizeof f.scale);
    memcpy(f.shift, d->shift, sizeof f.shift);
    memcpy(f.order, d->order, sizeof f.order);
    return f;
}

static size_t most(size_t a, size_t b) { return a > b ? a : b; }

static size_t scratch_bytes(const nst_device *base, const nst_node *nodes, int count)
{
    const struct cpu_device *d = of(base);
    nst_window win = nst_window_whole(nodes[0].w, nodes[0].h);
    nst_first f = first_job(d, nodes, &win);
    size_t need = nst_first_scratch(&d->cpu, &f);

    for (int i = 0; i < count; i++) {
        if (nodes[i].loss_layer)
            need = most(need, d->guided ? nst_guided_scratch(&d->cpu, nst_blocks(nodes[i].out), nodes[i].w, nodes[i].h)
                                        : nst_gram_scratch(&d->cpu, nst_blocks(nodes[i].out)));
        if (i) {
            nst_conv c = forward_conv(d, nodes, i), b = backward_conv(d, nodes, i);

            need = most(need, most(nst_conv_scratch(&d->cpu, &c), nst_conv_scratch(&d->cpu, &b)));
        }
    }
    return need * sizeof(float);
}

static nst_status reserve(nst_device *base, size_t bytes, size_t scratch, nst_error *e)
{
    struct cpu_device *d = of(base);

    nst_free(d->arena);
    d->arena = NULL;
    if (!bytes)
        return NST_OK;
    bytes = (bytes + NST_ALIGN - 1) / NST_ALIGN * NST_ALIGN;
    d->arena = nst_alloc(bytes + scratch);
    if (!d->arena)
        return nst_fail(e, NST_EMEM, "features: out of memory for %.1f MB", (double)(bytes + scratch) / 1e6);
    d->scratch = (float *)(void *)(d->arena + bytes);
    return NST_OK;
}

static void move(nst_device *base, const nst_move *m)
{
    struct cpu_device *d = of(base);
    size_t unit = (size_t)m->w * (m->mask ? sizeof(uint16_t) : NST_LANES * sizeof(float));

    for (int b = 0; b < nst_blocks(m->channels) && m->count > 0; b++)
        memmove(d->arena + m->to + ((size_t)b * (size_t)m->to_rows + (size_t)m->to_row) * unit,
                d->arena + m->from + ((size_t)b * (size_t)m->from_rows + (size_t)m->from_row) * unit,
                (size_t)m->count * unit);
}

/* A first block of one convolution: conv_first.c does not pool on its way out as conv.c does. */
struct pooling {
    struct cpu_device *d;
    const nst_node *n;
};

static void pool_rows(void *arg, int worker, int begin, int end)
{
    const struct pooling *p = arg;
    const nst_node *n = p->n;
    nst_conv c = { .w = n->w, .h = n->h, .pass = masks(p->d, n->pass.at), .pooled = floats(p->d, n->pool.at),
                   .pooled_w = n->pooled_w, .pooled_h = n->pooled_h, .average = p->d->average };
    float strip[2 * NST_STRIP_COLS * NST_LANES];

    (void)worker;
    for (int b = 0; b < nst_blocks(n->out); b++)
        for (int y = 2 * begin; y < 2 * end; y += 2)
            for (int x = 0; x < n->w; x += NST_STRIP_COLS) {
                int rows = n->h - y < 2 ? 1 : 2, cols = n->w - x < NST_STRIP_COLS ? n->w - x : NST_STRIP_COLS;

                for (int r = 0; r < rows; r++)
                    memcpy(strip + r * NST_STRIP_COLS * NST_LANES,
                           floats(p->d, n->result.at) +
                               (((size_t)b * (size_t)n->h + (size_t)(y + r)) * (size_t)n->w + (size_t)x) * NST_LANES,
                           (size_t)cols * NST_LANES * sizeof *strip);
                nst_conv_write(p->d->cpu.k, &c, b, y, x, rows, NST_STRIP_COLS, strip);
            }
}

static nst_status forward(nst_device *base, const nst_node *nodes, int i, const nst_window *win, const float *x,
                          nst_error *e)
{
    struct cpu_device *d = of(base);
    const nst_node *n = &nodes[i];

    (void)e;
    if (i == 0) {
        nst_first f = first_job(d, n, win);

        f.rows = n->result.rows.count, f.pass_rows = n->pass.rows.count;
        f.above = win->strip && n->y > 0, f.below = win->strip && n->y + n->h < win->picture_h;
        nst_first_forward(&d->cpu, &f, x + (size_t)n->y * f.ldx + (size_t)n->x,
                          row_of(d, n->result.at, n->result.rows, n->y, n->w), mask_row(d, n, n->y), d->scratch);
        if (n->pooled) {
            struct pooling p = { d, n };

            nst_par_for(d->cpu.threads, (n->h + 1) / 2, pool_rows, &p);
        }
    } else {
        nst_conv c = forward_conv(d, nodes, i);

        c.weight = nst_cpu_weights(d, nodes, i, false);
        nst_conv_run(&d->cpu, &c, d->scratch);
    }
    return NST_OK;
}

static nst_status backward(nst_device *base, const nst_node *nodes, int i, const nst_window *win, float *dx,
                           nst_error *e)
{
    struct cpu_device *d = of(base);
    const nst_node *n = &nodes[i];

    (void)e;
    if (i == 0) {
        nst_first f = first_job(d, n, win);

        if (n->pooled && !n->loss_layer)
            nst_cpu_unpool(d, n);
        if (d->first_gradient)
            f.features = floats(d, n->result.at), f.a = d->first_gradient->a, f.b = d->first_gradient->b;
        d->first_gradient = NULL;
        f.h = n->grad.to - n->grad.from;
        f.rows = n->pooled ? n->h : n->grad_out.rows.count, f.pass_rows = n->pass.rows.count;
        f.above = win->strip && n->grad.from > 0, f.below = win->strip && n->grad.to < win->picture_h;
        if (f.h)
            nst_first_backward(&d->cpu, &f, n->pooled ? floats(d, n->grad_features)
                                                      : row_of(d, n->grad_out.at, n->grad_out.rows, n->grad.from, n->w),
                               mask_row(d, n, n->grad.from), dx + (size_t)n->grad.from * f.ldx + (size_t)n->x,
                               d->scratch);
    } else if (nodes[i - 1].back.to > nodes[i - 1].back.from) {
        nst_conv c = backward_conv(d, nodes, i);

        c.weight = nst_cpu_weights(d, nodes, i, true);
        nst_conv_run(&d->cpu, &c, d->scratch);
    }
    return NST_OK;
}

/* ---- creation ---- */

static void destroy(nst_device *base)
{
    struct cpu_device *d = of(base);

    for (int i = 0; i < d->count; i++) {
        nst_free(d->w[i].forward);
        nst_free(d->w[i].backward);
        nst_free(d->w[i].bias);
        nst_free(d->w[i].zero);
    }
    nst_free(d->packed);
    nst_free(d->arena);
    nst_free(d);
}

static const char *algorithm_name(const nst_device *base, const nst_node *nodes, int i, bool behind)
{
    const struct cpu_device *d = of(base);
    nst_conv c;

    if (i == 0)
        return "direct";
    c = behind ? backward_conv(d, nodes, i) : forward_conv(d, nodes, i);
    return nst_conv_name(c.algorithm);
}

static const nst_device_ops ops = {
    .name = "cpu",
    .rectangles = true,
    .feature_bytes = feature_bytes,
    .mask_bytes = mask_bytes,
    .scratch_bytes = scratch_bytes,
    .reserve = reserve,
    .forward = forward,
    .backward = backward,
    .loss_gradient = nst_cpu_loss_gradient,
    .stats = nst_cpu_stats,
    .keep = nst_cpu_keep,
    .keep_room = nst_cpu_keep_room,
    .move = move,
    .compare = nst_cpu_compare,
    .drop = nst_cpu_drop,
    .weight_bytes = nst_cpu_weight_bytes,
    .on_demand_bytes = nst_cpu_on_demand_bytes,
    .pack_on_demand = nst_cpu_pack_on_demand,
    .algorithm = algorithm_name,
    .tile = tile,
    .destroy = destroy,
};

static nst_status choose(struct cpu_device *d, const char *name, nst_error *e)
{
    if (!name || !*name || strcmp(name, "auto") == 0)
        return NST_OK;
    for (int a = 0; a < NST_CONV_COUNT; a++)
        if (strcmp(name, nst_conv_name((nst_conv_algorithm)a)) == 0) {
            for (int i = 0; i < d->count; i++)
                d->w[i].fixed = true, d->w[i].algorithm = (nst_conv_algorithm)a;
            return NST_OK;
        }
    return nst_fail(e, NST_EARG, "convolution \"%s\": not known, expected auto, im2col, winograd4 or winograd6", name);
}

nst_status nst_cpu_create(nst_device **out, const nst_graph_options *o, const nst_node *nodes, int count, nst_error *e)
{
    struct cpu_device *d = nst_calloc(1, sizeof *d);
    nst_status s;

    *out = NULL;
    if (!d)
        return nst_fail(e, NST_EMEM, "cpu: out of memory");
    d->base.ops = &ops;
    d->cpu = o->cpu, d->count = count;
    d->average = o->pooling == NST_POOL_AVERAGE, d->replicate = o->replicate, d->guided = o->maps > 0;
    for (int i = 0; i < 3; i++) {
        d->order[i] = o->bgr ? 2 - i : i;
        /* the options speak of x's planes, the first layer of its own */
        d->scale[i] = o->scale[d->order[i]], d->shift[i] = o->shift[d->order[i]];
    }
    s = choose(d, o->conv, e);
    if (s)
        goto fail;
    for (int i = 0; i < count; i++)
        if (!nst_cpu_pack(d, i, &o->model->layer[nodes[i].layer])) {
            s = nst_fail(e, NST_EMEM, "weights of %s: out of memory", o->model->layer[i].name);
            goto fail;
        } else {
            nst_model_release_pages(o->model); /* not both at once, those of the model and packed ones */
        }
    *out = &d->base;
    return NST_OK;

fail:
    destroy(&d->base);
    return s;
}
