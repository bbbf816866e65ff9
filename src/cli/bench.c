/* bench.c: `nst bench`: the seconds, speed and error of each layer's convolution, the whole iteration, the memory. */
#include "cli/bench.h"
#include "cli/models/models.h"
#include "cli/paths.h"

#include <math.h>
#include <string.h>
#include <sys/resource.h>

#include "engine/transfer.h"

#define ROUNDS 5       /* the least of so many runs is what the machine can do */
#define ERROR_SIDE 64  /* a layer's error is measured on so many rows and columns */
#define SAMPLES 400    /* results compared with double precision */

struct row {
    const char *name, *algorithm[2];
    int in, out, w, h;
    nst_timing t;
    double error[2]; /* largest, over the results' root mean square; NAN where it is not measured */
};

struct bench {
    nst_cpu cpu;
    nst_model *model;
    nst_device_info device;
    bool apart;                /* it is not the CPU */
    char cache[512];           /* for its programs */
    nst_device_counts counts;  /* of one iteration without total variation; where the device is apart */
    int size, rows;
    struct row row[NST_MODEL_LAYERS];
    double peak;      /* FMA, floating-point operations a second, all threads or the device */
    double iteration; /* seconds */
};

/* ---- weights of VGG19's shape, random: speed does not depend on their values ---- */

static uint32_t next(uint32_t *state)
{
    return *state = *state * 1664525u + 1013904223u;
}

static float uniform(uint32_t *state)
{
    return (float)(next(state) >> 8) / (float)(1 << 23) - 1;
}

static void release(void *memory, size_t bytes)
{
    (void)bytes;
    nst_free(memory);
}

static nst_status random_model(nst_model **out, nst_error *e)
{
    static const struct { int block, layers, filters; } blocks[] = {
        { 1, 2, 64 }, { 2, 2, 128 }, { 3, 4, 256 }, { 4, 4, 512 }, { 5, 1, 512 },
    };
    nst_model *m = nst_calloc(1, sizeof *m);
    uint32_t state = 1;
    size_t n = 0, at = 0;
    int in = 3;
    float *w;

    *out = NULL;
    if (!m)
        return nst_fail(e, NST_EMEM, "random weights: out of memory");
    m->input = (nst_input){ false, { .485f, .456f, .406f }, { .229f, .224f, .225f } };
    for (size_t b = 0; b < NST_COUNT(blocks); b++)
        for (int i = 1; i <= blocks[b].layers; i++, in = blocks[b].filters) {
            nst_layer *l = &m->layer[m->layers++];

            *l = (nst_layer){ .block = blocks[b].block, .index = i, .in = in, .out = blocks[b].filters };
            snprintf(l->name, sizeof l->name, "conv%d_%d", l->block % 10, l->index % 10);
            n += (size_t)l->out * ((size_t)l->in * 9 + 1);
        }
    m->describe = nst_strdup("random weights of VGG19's shape");
    m->memory = w = nst_alloc(n * sizeof *w);
    m->release = release;
    if (!m->describe || !w) {
        nst_model_close(&m);
        return nst_fail(e, NST_EMEM, "random weights: out of memory");
    }
    for (int i = 0; i < m->layers; i++) {
        nst_layer *l = &m->layer[i];
        size_t taps = (size_t)l->out * (size_t)l->in * 9;
        float scale = sqrtf(6.f / (9.f * (float)l->in)); /* He: keeps the features' size from layer to layer */

        l->weight = w + at, at += taps;
        l->bias = w + at, at += (size_t)l->out;
        for (size_t k = 0; k < taps + (size_t)l->out; k++)
            (w + at - (size_t)l->out - taps)[k] = scale * uniform(&state) * (k < taps ? 1 : .05f);
    }
    *out = m;
    return NST_OK;
}

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
            p->k->gemm_tile(8, p->a, NST_MR_MAX * NST_LANES, p->w, p->c + (size_t)worker * tile,
                            NST_MR_MAX * NST_LANES, 0);
}

static nst_status measure_peak(struct bench *b, nst_error *e)
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
    if (!(memory = nst_calloc(n_in + n_out + packed + bias + scratch + 64, sizeof *memory)))
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

struct taps {
    nst_stats *stats[NST_MODEL_LAYERS];
    float *a[NST_MODEL_LAYERS];
    nst_tap_gradient gradient[NST_MODEL_LAYERS];
    nst_kept *kept;
    nst_style *target[NST_MODEL_LAYERS]; /* where losses are the device's */
    double loss[NST_MODEL_LAYERS];
};

static nst_status make_taps(const struct bench *b, nst_graph_options *o, struct taps *t, nst_error *e)
{
    for (int i = 0; i < b->model->layers; i++) {
        const nst_layer *l = &b->model->layer[i];
        nst_status s;

        if (l->index == 1) {
            o->tap[i] = true;
            t->a[i] = nst_calloc((size_t)l->out * (size_t)l->out, sizeof *t->a[i]);
            if ((s = nst_stats_create(&t->stats[i], l->out, e)))
                return s;
            if (!(t->gradient[i].a = t->a[i]))
                return nst_fail(e, NST_EMEM, "bench: out of memory");
        } else if (l->block == 4 && l->index == 2) {
            o->tap[i] = true;
        }
    }
    return NST_OK;
}

static void least(double *a, double b)
{
    *a = b < *a ? b : *a;
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
static nst_status own_targets(const struct bench *b, nst_graph *g, struct taps *t, nst_error *e)
{
    const double one = 1;

    for (int i = 0; i < b->rows; i++) {
        nst_status s;

        if (!t->stats[i])
            continue;
        if ((s = nst_style_create(&t->target[i], NST_STYLE_GRAM, NST_NORM_NONE, (const nst_stats *const *)&t->stats[i],
                                  &one, 1, e)) ||
            (s = nst_graph_target(g, i, 0, t->target[i], e)))
            return s;
        nst_stats_clear(t->stats[i]);
        t->stats[i]->stay = true;
    }
    return NST_OK;
}

static nst_status own_losses(const struct bench *b, nst_graph *g, struct taps *t, nst_error *e)
{
    nst_status s = NST_OK;

    for (int i = 0; i < b->rows && !s; i++)
        if (t->stats[i]) {
            t->gradient[i].own = true;
            s = nst_graph_style_loss(g, i, t->target[i], t->stats[i], 1, &t->loss[i], e);
            nst_stats_clear(t->stats[i]);
        }
    return s;
}

static nst_status time_layers(struct bench *b, nst_graph *g, struct taps *t, nst_error *e)
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
        if (!(s = nst_graph_forward(g, &win, x, e)))
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
            least(&best->tap, now->tap), least(&best->backward, now->backward);
        }
    }
    nst_free(x);
    return s;
}

static nst_status measure_layers(struct bench *b, const nst_settings *settings, nst_error *e)
{
    nst_graph_options o = { .model = b->model, .scale = { 1, 1, 1 }, .device = b->device.device,
                            .cache = b->cache, .profile = true, .conv = settings->conv, .cpu = b->cpu };
    struct taps t = { .kept = NULL };
    nst_graph *g = NULL;
    nst_status s;

    if (!(s = make_taps(b, &o, &t, e)) && !(s = nst_graph_create(&g, &o, e)) &&
        (!b->apart || b->device.kind == NST_DEVICE_CPU || !(s = nst_graph_peak(g, &b->peak, e))) &&
        !(s = nst_graph_place(g, b->size, b->size, true, e)) && !(s = time_layers(b, g, &t, e)))
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
    nst_kept_destroy(&t.kept);
    nst_graph_destroy(&g);
    return s;
}

/* ---- the whole iteration: a run of the article's preset ---- */

struct watch {
    double least;
};

static int watch(void *arg, const nst_progress *p)
{
    struct watch *w = arg;

    if (p->iteration > 1)
        least(&w->least, p->seconds);
    return 0;
}

static nst_status measure_iteration(struct bench *b, const nst_settings *chosen, nst_error *e)
{
    nst_image *content = NULL, *style = NULL, *result = NULL;
    nst_settings *s = NULL;
    struct watch w = { INFINITY };
    uint32_t state = 5;
    nst_status status;

    if ((status = nst_settings_create(&s, "opengenus", e)) ||
        (status = nst_image_create(&content, b->size, b->size, 3, e)) ||
        (status = nst_image_create(&style, b->size, b->size, 3, e)))
        goto done;
    for (int c = 0; c < 3; c++)
        for (size_t i = 0; i < (size_t)b->size * (size_t)b->size; i++) {
            nst_image_plane(content, c)[i] = .5f + .5f * uniform(&state);
            nst_image_plane(style, c)[i] = .5f + .25f * uniform(&state);
        }
    s->size = 0, s->iterations = ROUNDS + 1, s->threads = chosen->threads;
    memcpy(s->simd, chosen->simd, sizeof s->simd);
    memcpy(s->conv, chosen->conv, sizeof s->conv);
    memcpy(s->device, b->device.device, sizeof b->device.device);
    memcpy(s->cache, b->cache, sizeof s->cache);
    status = nst_transfer(s, b->model, content, (const nst_image *const *)&style, 1, NULL, watch, &w, &result, e);
    b->iteration = w.least;

done:
    nst_image_destroy(&content);
    nst_image_destroy(&style);
    nst_image_destroy(&result);
    nst_settings_destroy(&s);
    return status;
}

/* ---- reports ---- */

static double flops(const struct row *r)
{
    return 2. * 9 * r->in * r->out * (double)r->w * r->h;
}

static double peak_memory(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
#ifdef __APPLE__
    return (double)u.ru_maxrss;
#else
    return (double)u.ru_maxrss * 1024;
#endif
}

/* "2.1e-06", or "-" where nothing is measured */
static const char *error_text(double v, char *text, size_t bytes)
{
    snprintf(text, bytes, isnan(v) ? "-" : "%.1e", v);
    return text;
}

static void share_text(const struct bench *b, const struct row *r, double seconds, char *text, size_t bytes)
{
    if (b->peak > 0)
        snprintf(text, bytes, "%.0f%%", 100 * flops(r) / seconds / b->peak);
    else
        snprintf(text, bytes, "-");
}

static void table(const struct bench *b)
{
    if (b->apart)
        printf("nst %s  %s (%s)  %dx%d  %s\n", nst_version(), b->device.device, b->device.name, b->size, b->size,
               nst_model_describe(b->model));
    else
        printf("nst %s  %s  %d thread%s  %dx%d  %s\n", nst_version(), b->cpu.k->name, b->cpu.threads,
               b->cpu.threads > 1 ? "s" : "", b->size, b->size, nst_model_describe(b->model));
    if (b->peak > 0)
        printf("FMA peak %.0f GFLOP/s", b->peak / 1e9);
    else /* what OpenCL C makes of registers there says more of the compiler than of the processor */
        printf("FMA peak unknown, a processor through OpenCL");
    printf(".  GFLOP/s are those of a direct convolution, so Winograd can pass the peak.\n\n");
    printf("layer    algorithm  forward ms GFLOP/s  peak   error | algorithm backward ms GFLOP/s  peak   error | "
           "statistics gradient ms\n");
    for (int i = 0; i < b->rows; i++) {
        const struct row *r = &b->row[i];
        char f[24], g[24], share[2][24];

        share_text(b, r, r->t.forward, share[0], sizeof share[0]);
        share_text(b, r, r->t.backward, share[1], sizeof share[1]);
        printf("%-8s %-10s %9.2f %8.0f %5s %8s | %-10s %9.2f %8.0f %5s %8s | %9.2f %9.2f\n", r->name,
               r->algorithm[0], r->t.forward * 1e3, flops(r) / r->t.forward / 1e9,
               share[0], error_text(r->error[0], f, sizeof f), r->algorithm[1],
               r->t.backward * 1e3, flops(r) / r->t.backward / 1e9, share[1],
               error_text(r->error[1], g, sizeof g), r->t.stats * 1e3, r->t.tap * 1e3);
    }
    if (b->apart)
        printf("\nan iteration starts %zu kernels and %zu products, waits %zu times, sends %.2f MB up and %.2f MB "
               "down, moves %.0f MB and computes %.1f GFLOP on the device\n", b->counts.launches, b->counts.products,
               b->counts.waits, (double)b->counts.up / 1e6, (double)b->counts.down / 1e6, (double)b->counts.moved / 1e6,
               b->counts.flop / 1e9);
    printf("\none iteration of preset opengenus: %.4g s; peak memory of the process: %.0f MB\n", b->iteration,
           peak_memory() / 1e6);
}

static void json_number(const char *name, double v)
{
    if (isfinite(v))
        printf(", \"%s\": %.6g", name, v);
    else
        printf(", \"%s\": null", name);
}

static void json(const struct bench *b)
{
    printf("{\"version\": \"%s\", \"simd\": \"%s\", \"threads\": %d, \"size\": %d", nst_version(), b->cpu.k->name,
           b->cpu.threads, b->size);
    json_number("peak_flops", b->peak > 0 ? b->peak : NAN);
    json_number("iteration_seconds", b->iteration);
    json_number("peak_bytes", peak_memory());
    printf(", \"device\": \"%s\"", b->device.device);
    if (b->apart) {
        json_number("kernels", (double)b->counts.launches);
        json_number("products", (double)b->counts.products);
        json_number("waits", (double)b->counts.waits);
        json_number("bytes_up", (double)b->counts.up);
        json_number("bytes_down", (double)b->counts.down);
        json_number("bytes_moved", (double)b->counts.moved);
        json_number("flop", b->counts.flop);
    }
    printf(", \"layers\": [");
    for (int i = 0; i < b->rows; i++) {
        const struct row *r = &b->row[i];

        printf("%s\n  {\"name\": \"%s\", \"in\": %d, \"out\": %d, \"width\": %d, \"height\": %d, \"forward\": \"%s\", "
               "\"backward\": \"%s\"", i ? "," : "", r->name, r->in, r->out, r->w, r->h, r->algorithm[0],
               r->algorithm[1]);
        json_number("direct_flop", flops(r));
        json_number("forward_seconds", r->t.forward);
        json_number("backward_seconds", r->t.backward);
        json_number("statistics_seconds", r->t.stats);
        json_number("gradient_seconds", r->t.tap);
        json_number("forward_error", r->error[0]);
        json_number("backward_error", r->error[1]);
        putchar('}');
    }
    puts("\n]}");
}

nst_status nst_bench(const nst_command *c, const nst_settings *s, nst_error *e)
{
    struct bench b = { .size = s->size ? s->size : 512 };
    nst_status status;

    b.cpu.threads = s->threads ? s->threads : nst_par_cores();
    if (!(b.cpu.k = nst_kernels_pick(s->simd[0] ? s->simd : NULL)))
        return nst_fail(e, NST_EUNSUPPORTED, "kernel set \"%s\": not for this machine, see nst --version", s->simd);
    if ((status = nst_device_find(s->device, &b.device, NULL, 0, e)))
        return status;
    b.apart = strcmp(b.device.device, "cpu") != 0;
    nst_paths_cache(b.cache, sizeof b.cache);
    if ((status = c->model ? nst_models_open(&b.model, c, e) : random_model(&b.model, e)))
        return status;
    b.rows = b.model->layers;
    if ((b.apart || !(status = measure_peak(&b, e))) && !(status = measure_layers(&b, s, e)) &&
        !(status = measure_iteration(&b, s, e)))
        (c->json ? json : table)(&b);
    nst_model_close(&b.model);
    return status;
}
