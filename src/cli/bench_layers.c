/* bench_layers.c: the ceiling of what a machine computes, each layer's seconds in a graph's own passes, and its error
 * against double precision. */
#include "cli/bench_parts.h"
#include "ops/conv.h"

#include <math.h>
#include <string.h>

#define ERROR_SIDE 64  /* a layer's error is measured on so many rows and columns */
#define SAMPLES 400    /* results compared with double precision */

/* ---- the ceiling: products that never leave the L1 cache ---- */

struct peak {
    const nst_kernels *k;
    float *a, *w, *c;
    int repeats;
};

static void peak_share(void *arg, int worker, int begin, int end)
{
    const struct peak *p = arg;
    size_t tile = (size_t)NST_MR_MAX * NST_NR_MAX;

    for (int i = begin; i < end; i++)
        for (int j = 0; j < p->repeats; j++)
            p->k->gemm_tile(p->k->mr, 8, p->a, NST_MR_MAX * NST_LANES, p->w, p->c + (size_t)worker * tile,
                            NST_MR_MAX * NST_LANES, 0);
}

nst_status nst_bench_peak(struct bench *b, nst_error *e)
{
    size_t a = 8 * NST_MR_MAX * NST_LANES, w = 8 * NST_LANES * NST_NR_MAX, c = NST_MR_MAX * NST_NR_MAX;
    struct peak p = { .k = b->cpu.k, .repeats = 200 };
    int items = 40 * b->cpu.threads;

    p.a = nst_calloc(a + w + c * (size_t)b->cpu.threads, sizeof *p.a);
    if (!p.a)
        return nst_fail(e, NST_EMEM, "bench: out of memory");
    p.w = p.a + a, p.c = p.w + w;
    for (int i = 0; i < 3 * ROUNDS; i++) {
        double start = nst_now(), speed;

        nst_par_for(b->cpu.threads, items, peak_share, &p);
        speed = 2. * p.k->mr * p.k->nr * 8 * NST_LANES * p.repeats * items / (nst_now() - start);
        b->peak = speed > b->peak ? speed : b->peak;
    }
    nst_free(p.a);
    return NST_OK;
}

/* ---- one convolution against double precision ---- */

/* Result [o] at y, x of a convolution of c.source with w [out][in][3][3], or its input gradient's. */
static double exact(const nst_conv *c, const nst_layer *l, bool backward, int o, int y, int x)
{
    double sum = 0;
    int in = backward ? l->out : l->in;

    for (int i = 0; i < in; i++)
        for (int tap = 0; tap < 9; tap++) {
            int sy = y + tap / 3 - 1, sx = x + tap % 3 - 1;
            size_t w = backward ? ((size_t)i * (size_t)l->in + (size_t)o) * 9 + (size_t)(8 - tap)
                                : ((size_t)o * (size_t)l->in + (size_t)i) * 9 + (size_t)tap;

            if (sy >= 0 && sy < c->h && sx >= 0 && sx < c->w)
                sum += (double)l->weight[w] *
                       (double)c->source[(((size_t)(i / NST_LANES) * (size_t)c->h + (size_t)sy) * (size_t)c->w +
                                          (size_t)sx) * NST_LANES + (size_t)(i % NST_LANES)];
        }
    return sum;
}

static nst_status layer_error(const struct bench *b, const nst_layer *l, bool backward, int w, int h,
                              const char *algorithm, double *error, nst_error *e)
{
    int in = backward ? l->out : l->in, out = backward ? l->in : l->out;
    nst_conv c = { .in = nst_blocks(in), .out = nst_blocks(out), .w = w < ERROR_SIDE ? w : ERROR_SIDE,
                   .h = h < ERROR_SIDE ? h : ERROR_SIDE, .floor = -INFINITY, .scale = 1 };
    size_t plane = (size_t)c.w * (size_t)c.h * NST_LANES, n_in = (size_t)c.in * plane, n_out = (size_t)c.out * plane;
    size_t packed = nst_conv_pack_floats(b->cpu.k, out, in), bias = (size_t)out + NST_NR_MAX, scratch;
    uint32_t state = 7;
    double worst = 0, square = 0;
    float *memory, *source, *weight;

    for (int i = 0; i < NST_CONV_COUNT; i++)
        if (strcmp(nst_conv_name((nst_conv_algorithm)i), algorithm) == 0)
            c.algorithm = (nst_conv_algorithm)i;
    c.source_w = c.w, c.source_h = c.h;
    scratch = nst_conv_scratch(&b->cpu, &c);
    memory = nst_calloc(n_in + n_out + packed + bias + scratch + 64, sizeof *memory);
    if (!memory)
        return nst_fail(e, NST_EMEM, "bench: out of memory");
    source = memory, c.result = source + n_in, weight = c.result + n_out;
    c.source = source, c.weight = weight, c.bias = weight + packed;
    for (size_t i = 0; i < n_in; i++)
        source[i] = (int)(i % NST_LANES) + (int)(i / plane) * NST_LANES < in ? fmaxf(uniform(&state), 0) : 0;
    nst_conv_pack(b->cpu.k, l->weight, l->out, l->in, backward, weight);
    nst_conv_run(&b->cpu, &c, weight + packed + (bias + 15) / 16 * 16);
    for (int i = 0; i < SAMPLES; i++) {
        int o = (int)(next(&state) >> 8) % out, y = (int)(next(&state) >> 8) % c.h, x = (int)(next(&state) >> 8) % c.w;
        double want = exact(&c, l, backward, o, y, x);
        double got = (double)c.result[(((size_t)(o / NST_LANES) * (size_t)c.h + (size_t)y) * (size_t)c.w + (size_t)x) *
                                          NST_LANES + (size_t)(o % NST_LANES)];

        worst = fmax(worst, fabs(got - want)), square += want * want;
    }
    *error = worst / sqrt(square / SAMPLES);
    nst_free(memory);
    return NST_OK;
}

/* ---- the layers in place: a graph's own passes, timed ---- */

struct losses {
    nst_stats *stats[NST_MODEL_LAYERS];
    float *a[NST_MODEL_LAYERS];
    nst_loss_gradient gradient[NST_MODEL_LAYERS];
    nst_saved_features *kept;
    nst_style *target[NST_MODEL_LAYERS]; /* where losses are the device's */
    double loss[NST_MODEL_LAYERS];
};

static nst_status make_loss_layers(const struct bench *b, nst_graph_options *o, struct losses *t, nst_error *e)
{
    for (int i = 0; i < b->model->layers; i++) {
        const nst_layer *l = &b->model->layer[i];
        nst_status s;

        if (l->index == 1) {
            o->loss_layer[i] = true;
            t->a[i] = nst_calloc((size_t)l->out * (size_t)l->out, sizeof *t->a[i]);
            s = nst_stats_create(&t->stats[i], l->out, e);
            if (s)
                return s;
            t->gradient[i].a = t->a[i];
            if (!t->gradient[i].a)
                return nst_fail(e, NST_EMEM, "bench: out of memory");
        } else if (l->block == 4 && l->index == 2) {
            o->loss_layer[i] = true;
        }
    }
    return NST_OK;
}

/* What the device counts from here on. */
static void before(struct bench *b, const nst_graph *g)
{
    if (b->apart)
        b->counts = *nst_graph_counts(g);
}

static void after(struct bench *b, const nst_graph *g)
{
    nst_device_counts *from = &b->counts, now;

    if (!b->apart)
        return;
    now = *nst_graph_counts(g);
    now.launches -= from->launches, now.products -= from->products, now.waits -= from->waits;
    now.up -= from->up, now.down -= from->down, now.moved -= from->moved, now.flop -= from->flop;
    *from = now;
}

/* From the first round on the device computes the style losses itself, against its own statistics of that round. */
static nst_status own_targets(const struct bench *b, nst_graph *g, struct losses *t, nst_error *e)
{
    const double one = 1;

    for (int i = 0; i < b->rows; i++) {
        nst_status s;

        if (!t->stats[i])
            continue;
        s = nst_style_create(&t->target[i], b->cpu.k, NST_STYLE_GRAM, NST_NORM_NONE,
                             (const nst_stats *const *)&t->stats[i], &one, 1, e);
        if (!s)
            s = nst_graph_target(g, i, 0, t->target[i], e);
        if (s)
            return s;
        nst_stats_clear(t->stats[i]);
        t->stats[i]->keep_on_device = true;
    }
    return NST_OK;
}

static nst_status own_losses(const struct bench *b, nst_graph *g, struct losses *t, nst_error *e)
{
    nst_status s = NST_OK;

    for (int i = 0; i < b->rows && !s; i++)
        if (t->stats[i]) {
            t->gradient[i].device_coeffs = true;
            s = nst_graph_style_loss(g, i, t->target[i], t->stats[i], 1, &t->loss[i], e);
            nst_stats_clear(t->stats[i]);
        }
    return s;
}

static nst_status time_layers(struct bench *b, nst_graph *g, struct losses *t, nst_error *e)
{
    size_t n = 3 * (size_t)b->size * (size_t)b->size;
    nst_window win = nst_window_whole(b->size, b->size);
    float *x = nst_alloc(2 * n * sizeof *x);
    uint32_t state = 3;
    nst_status s = NST_OK;

    if (!x)
        return nst_fail(e, NST_EMEM, "bench: out of memory");
    for (size_t i = 0; i < n; i++)
        x[i] = uniform(&state), x[n + i] = 0;
    for (int round = 0; round < ROUNDS && !s; round++) {
        double distance[NST_MODEL_LAYERS] = { 0 }, loss = 0;

        before(b, g);
        nst_graph_variation(g, NST_TV_HALF_SQUARES, 0, 1, b->apart ? &loss : NULL);
        s = nst_graph_forward(g, &win, x, e);
        if (!s)
            s = nst_graph_stats_each(g, t->stats, e);
        if (!s && b->apart)
            s = round ? own_losses(b, g, t, e) : own_targets(b, g, t, e);
        for (int i = 0; i < b->rows && !s; i++) {
            if (!s && !round && b->model->layer[i].block == 4 && b->model->layer[i].index == 2) {
                s = nst_graph_keep(g, i, &t->kept, e);
                t->gradient[i].content = t->kept;
            }
        }
        if (!s)
            s = nst_graph_backward(g, &win, t->gradient, distance, x + n, e);
        after(b, g);
        for (int i = 0; i < b->rows && !s; i++) {
            const nst_timing *now = &nst_graph_timing(g)[i];
            nst_timing *best = &b->row[i].t;

            if (!round)
                *best = *now;
            least(&best->forward, now->forward), least(&best->stats, now->stats);
            least(&best->loss_gradient, now->loss_gradient), least(&best->backward, now->backward);
        }
    }
    nst_free(x);
    return s;
}

nst_status nst_bench_layers(struct bench *b, const nst_settings *settings, nst_error *e)
{
    nst_graph_options o = { .model = b->model, .scale = { 1, 1, 1 }, .device = b->device.device,
                            .cache = b->cache, .profile = true, .conv = settings->conv, .cpu = b->cpu };
    struct losses t = { .kept = NULL };
    nst_graph *g = NULL;
    nst_status s = make_loss_layers(b, &o, &t, e);

    if (!s)
        s = nst_graph_create(&g, &o, e);
    if (!s && b->apart && b->device.kind != NST_DEVICE_CPU)
        s = nst_graph_peak(g, &b->peak, e);
    if (!s)
        s = nst_graph_place(g, b->size, b->size, true, e);
    if (!s)
        s = time_layers(b, g, &t, e);
    for (int i = 0; i < b->rows && !s; i++) {
        struct row *r = &b->row[i];
        const nst_layer *l = &b->model->layer[i];

        *r = (struct row){ .name = l->name, .in = l->in, .out = l->out, .t = r->t, .error = { NAN, NAN } };
        nst_graph_layer_size(g, i, b->size, b->size, &r->w, &r->h);
        for (int d = 0; d < 2 && !s; d++) {
            r->algorithm[d] = nst_graph_algorithm(g, i, d);
            if (i && !b->apart)
                s = layer_error(b, l, d, r->w, r->h, r->algorithm[d], &r->error[d], e);
        }
    }
    for (int i = 0; i < b->rows; i++) {
        nst_stats_destroy(&t.stats[i]);
        nst_style_destroy(&t.target[i]);
        nst_free(t.a[i]);
    }
    nst_saved_features_destroy(&t.kept);
    nst_graph_destroy(&g);
    return s;
}
