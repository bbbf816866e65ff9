/* test_opencl.c: the OpenCL device against the CPU's, on the first device that OpenCL reaches: every node, statistics,
 * gradients, windows; small largest buffers and work groups; the presets; every failure that can be provoked. */
#define _XOPEN_SOURCE 700 /* mkdtemp */
#include <check.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../opencl/opencl.h"
#include "chain.h"
#include "run.h"
#include "w2.h"

static const char *const algorithms[] = { "im2col", "winograd4" };
/* Each device is within test_graph.c's bounds of the truth (2e-6 by products of patches, 6e-6 by Winograd): the CPU
 * side uses patches, so two are as far apart as the sum. */
static const double allowed[] = { 4e-6, 8e-6 };

static void no_faults(void)
{
    nst_opencl_fault = (nst_opencl_faults){ 0 };
}

static nst_graph *graph(const chain *c, const char *device, const char *conv)
{
    nst_graph_options o = c->options;
    nst_graph *g;
    nst_error e;

    o.cpu.k = nst_kernels_pick(NULL), o.cpu.threads = 2, o.conv = conv, o.device = device;
    ck_assert_msg(nst_graph_create(&g, &o, &e) == NST_OK, "%s", e.text);
    return g;
}

/* What a device makes of a chain: statistics, distances, squares of content features, the gradient. */
struct result {
    nst_stats *stats[NST_MODEL_LAYERS];
    double distance[NST_MODEL_LAYERS], square[NST_MODEL_LAYERS];
    float *dx;
};

/* Layer i is read by a style loss, a content loss or both; where by both, one has no shift. */
static bool has_style(int i) { return i % 3 != 1; }
static bool has_content(int i) { return i % 3 != 2; }

static void check_ok(nst_status s, const nst_error *e)
{
    ck_assert_msg(s == NST_OK, "%s", e->text);
}

/* One window: content from other, then statistics and gradient at x, added to r. */
static void evaluate(nst_graph *g, const chain *c, const nst_window *win, const float *other, const float *x,
                     struct result *r)
{
    nst_tap_gradient tap[NST_MODEL_LAYERS] = { { 0 } };
    nst_kept *kept[NST_MODEL_LAYERS] = { NULL };
    float *a[NST_MODEL_LAYERS], *b[NST_MODEL_LAYERS];
    nst_error e;

    oracle_seed(77);
    check_ok(nst_graph_place_window(g, win, NST_USE_GRADIENT, &e), &e);
    check_ok(nst_graph_forward(g, win, other, &e), &e);
    for (int i = 0; i < c->model.layers; i++) {
        size_t n = (size_t)c->model.layer[i].out;

        a[i] = oracle_alloc(n * n), b[i] = oracle_alloc(n);
        oracle_fill(n * n, a[i]), oracle_fill(n, b[i]);
        for (size_t j = 0; j < n; j++)
            for (size_t k = 0; k <= j; k++)
                a[i][k * n + j] = a[i][j * n + k] /= (float)n;
        if (has_style(i))
            tap[i].a = a[i], tap[i].b = i % 2 ? b[i] : NULL;
        if (has_content(i)) {
            check_ok(nst_graph_keep(g, i, &kept[i], &e), &e);
            tap[i].content = kept[i], tap[i].content_scale = .75;
            r->square[i] += nst_kept_square(kept[i]);
        }
    }
    check_ok(nst_graph_forward(g, win, x, &e), &e);
    for (int i = 0; i < c->model.layers; i++)
        check_ok(nst_graph_stats(g, i, r->stats[i], &e), &e);
    check_ok(nst_graph_backward(g, win, tap, r->distance, r->dx, &e), &e);
    for (int i = 0; i < c->model.layers; i++) {
        nst_kept_destroy(&kept[i]);
        ck_assert(oracle_free(a[i]) && oracle_free(b[i]));
    }
}

static struct result result_create(const chain *c, size_t pixels)
{
    struct result r = { .dx = oracle_alloc(pixels) };

    memset(r.dx, 0, pixels * sizeof *r.dx);
    for (int i = 0; i < c->model.layers; i++)
        ck_assert_int_eq(nst_stats_create(&r.stats[i], c->model.layer[i].out, NULL), NST_OK);
    return r;
}

static void result_destroy(struct result *r)
{
    for (int i = 0; i < NST_MODEL_LAYERS; i++)
        nst_stats_destroy(&r->stats[i]);
    ck_assert(oracle_free(r->dx));
}

static void check_doubles(const char *what, const char *layer, size_t n, const double *got, const double *want,
                          double tolerance)
{
    double most = 0;

    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs(want[i]));
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(fabs(got[i] - want[i]) <= tolerance * most, "%s: %s: number %zu is %.9g, the CPU's %.9g", what,
                      layer, i, got[i], want[i]);
}

static void compare(const char *what, const chain *c, size_t pixels, const struct result *got,
                    const struct result *want, double tolerance)
{
    double most = 0;

    for (int i = 0; i < c->model.layers; i++) {
        const char *name = c->model.layer[i].name;
        size_t n = (size_t)c->model.layer[i].out;

        ck_assert(got->stats[i]->n == want->stats[i]->n);
        check_doubles(what, name, n * n, got->stats[i]->gram, want->stats[i]->gram, tolerance);
        check_doubles(what, name, n, got->stats[i]->sum, want->stats[i]->sum, tolerance);
        check_doubles(what, name, 1, &got->distance[i], &want->distance[i], tolerance);
        check_doubles(what, name, 1, &got->square[i], &want->square[i], tolerance);
    }
    for (size_t i = 0; i < pixels; i++)
        most = fmax(most, fabs((double)want->dx[i]));
    for (size_t i = 0; i < pixels; i++)
        ck_assert_msg(fabs((double)got->dx[i] - (double)want->dx[i]) <= tolerance * most,
                      "%s: gradient %zu is %.9g, the CPU's %.9g, the largest %.3g", what, i, (double)got->dx[i],
                      (double)want->dx[i], most);
}

static int least(int a, int b) { return a < b ? a : b; }

/* The whole picture, or cores of step pixels with a halo around each; what is left over goes to the last. */
static void over_windows(nst_graph *g, const chain *c, int w, int h, int step, const float *other, const float *x,
                         struct result *r)
{
    int halo = nst_graph_halo(g);

    for (int y = 0; y < h; y += step)
        for (int q = 0; q < w; q += step) {
            int cw = w - q < 2 * step ? w - q : step, ch = h - y < 2 * step ? h - y : step;
            nst_window win = { .picture_w = w, .picture_h = h, .core_x = q, .core_y = y, .core_w = cw, .core_h = ch };

            win.x = q < halo ? 0 : q - halo, win.y = y < halo ? 0 : y - halo;
            win.w = least(w, q + cw + halo) - win.x, win.h = least(h, y + ch + halo) - win.y;
            if (step >= w && step >= h)
                win = nst_window_whole(w, h);
            evaluate(g, c, &win, other, x, r);
            if (cw > step)
                q += step;
            if (ch > step && q + step >= w)
                y += step;
        }
}

/* Device against CPU on one shape.  step: of the windows, 0 the whole picture. */
static void against_cpu(const chain_shape *s, int seed, int step, const char *what)
{
    size_t pixels = 3 * (size_t)s->w * (size_t)s->h;
    chain_shape small = *s;

    if (step) /* a chain that is sure of every maximum cannot be large: weights only, and average pooling */
        small.w = small.h = 4;
    oracle_seed((uint32_t)seed);

    chain *c = chain_create(&small);
    float *other = oracle_alloc(pixels), *x = oracle_alloc(pixels);

    oracle_fill(pixels, other);
    if (step)
        oracle_fill(pixels, x);
    else
        memcpy(x, c->x, pixels * sizeof *x);
    for (size_t a = 0; a < NST_COUNT(algorithms); a++) {
        struct result want = result_create(c, pixels), got = result_create(c, pixels);
        nst_graph *cpu = graph(c, "cpu", "im2col"), *device = graph(c, "opencl:0", algorithms[a]);
        char text[80];

        snprintf(text, sizeof text, "%s, shape %d, %s", what, seed, algorithms[a]);
        over_windows(cpu, c, s->w, s->h, step ? step : 1 << 20, other, x, &want);
        over_windows(device, c, s->w, s->h, step ? step : 1 << 20, other, x, &got);
        compare(text, c, pixels, &got, &want, allowed[a]);
        result_destroy(&want), result_destroy(&got);
        nst_graph_destroy(&cpu), nst_graph_destroy(&device);
    }
    chain_destroy(c);
    ck_assert(oracle_free(other) && oracle_free(x));
}

/* Every layer's statistics, content distances and the gradient behind all of them: max and average pooling, odd sides
 * rounded down and up, replicated borders, swapped planes, channels that are no multiple of anything. */
START_TEST(nodes_agree)
{
    against_cpu(&chain_shapes[_i], _i + 1, 0, "whole");
}
END_TEST

/* Cores inside of windows: sums and gradients of the core only, rectangles that shrink from layer to layer. */
START_TEST(windows_agree)
{
    static const chain_shape some[] = {
        { { { 8, 8 }, { 16 } }, true, false, false, false, 67, 51 },
        { { { 8 }, { 16 } }, true, true, true, true, 45, 38 },
        { { { 8 }, { 16, 8 }, { 8 } }, true, true, true, false, 71, 66 },
    };

    against_cpu(&some[_i], _i + 1, 16, "windows");
}
END_TEST

/* A device whose largest buffer is hardly larger than a feature map: arenas in pieces, strips of a few rows. */
START_TEST(small_buffers_agree)
{
    static const size_t limits[] = { 400 << 10, 1 << 20 };
    static const chain_shape s = { { { 8, 16 }, { 24 } }, true, false, false, false, 77, 61 };

    nst_opencl_fault.allocation = limits[_i];
    against_cpu(&s, 3, 1000, "small buffers");
    against_cpu(&s, 3, 32, "small buffers, windows");
}
END_TEST

/* For oclgrind, which takes its time (tests/opencl.sh): every kernel once or twice, on next to nothing. */
START_TEST(next_to_nothing_agrees)
{
    static const chain_shape some[] = {
        { { { 3 }, { 4, 3 } }, false, true, false, true, 7, 5 },
        { { { 3, 4 }, { 3 } }, true, false, true, false, 9, 6 },
    };

    against_cpu(&some[0], 1, 0, "small");
    against_cpu(&some[1], 2, 4, "small windows");
}
END_TEST

/* CLBlast's kernels need larger work groups (-54, -55) or more local memory (-2046) than the device has: our own product
 * takes over, in the middle of a run, too. */
START_TEST(own_products_agree)
{
    static const int codes[] = { -54, -55, -2046 };

    for (size_t i = 0; i < NST_COUNT(codes); i++) {
        nst_opencl_fault.gemm_code = codes[i];
        nst_opencl_fault.gemm = -1;
        against_cpu(&chain_shapes[5 - i], 6 - (int)i, 0, "own products");
        nst_opencl_fault.gemm = 3 + 4 * (int)i;
        against_cpu(&chain_shapes[3], 4, 8, "own products, windows");
        ck_assert_int_eq(nst_opencl_fault.gemm, 0);
    }
}
END_TEST

/* Work groups of one and of four items. */
START_TEST(small_groups_agree)
{
    nst_opencl_fault.group = _i ? 4 : 1;
    against_cpu(&chain_shapes[3], 4, 0, "small groups");
    against_cpu(&chain_shapes[5], 6, 0, "small groups");
}
END_TEST

/* ---- the presets ------------------------------------------------------------------------------------------------ */

static nst_model *model;
static nst_image *content, *start, *style;

static const char *path(const char *name)
{
    static char text[512];
    const char *folder = getenv("SRCDIR");

    snprintf(text, sizeof text, "%s/tests/golden/%s", folder ? folder : ".", name);
    return text;
}

static void read_all(void)
{
    nst_error e;

    no_faults();
    check_ok(nst_model_open(&model, path("tiny.safetensors"), &e), &e);
    check_ok(nst_image_read(&content, path("content-67x51.png"), &e), &e);
    check_ok(nst_image_read(&start, path("start-67x51.png"), &e), &e);
    check_ok(nst_image_read(&style, path("style-67x51.png"), &e), &e);
}

static void close_all(void)
{
    nst_model_close(&model);
    nst_image_destroy(&content), nst_image_destroy(&start), nst_image_destroy(&style);
    no_faults();
}

static nst_settings *settings(const char *preset, const char *device)
{
    nst_settings *s;
    nst_error e;

    check_ok(nst_settings_create(&s, preset, &e), &e);
    s->size = 0, s->scales = 1, s->init = NST_INIT_CONTENT, s->threads = 2;
    snprintf(s->device, sizeof s->device, "%s", device);
    return s;
}

/* The losses of a preset at the start picture, and their gradient [3][h][w]. */
static float *losses(const char *preset, const char *device, nst_progress *p)
{
    nst_settings *s = settings(preset, device);
    const nst_image *one = style;
    nst_run r = { .s = s, .model = model, .content = content, .styles = &one, .n_styles = 1 };
    const float *const rgb[3] = { start->plane[0], start->plane[1], start->plane[2] };
    size_t n = (size_t)start->width * (size_t)start->height;
    float *dx = oracle_alloc(3 * n);
    nst_error e;

    *p = (nst_progress){ .style_layers = 5 };
    check_ok(nst_run_open(&r, &e), &e);
    check_ok(nst_run_targets(&r, &e), &e);
    ck_assert_int_eq(r.margin, 0);
    r.x = nst_calloc(n, 3 * sizeof *r.x), r.dx = nst_calloc(n, 3 * sizeof *r.dx);
    nst_space_encode(&r.space, rgb, n, r.x);
    check_ok(nst_run_evaluate(&r, p, &e), &e);
    memcpy(dx, r.dx, 3 * n * sizeof *dx);
    nst_run_close(&r);
    nst_settings_destroy(&s);
    return dx;
}

/* Losses to 1e-4 of themselves, as the CPU's own kernel sets are held to the golden numbers.  The gradient to 5e-3 by its
 * norm, and 99 of 100 numbers to 1e-3 of the largest: where features are as good as equal, as in the flat parts of a
 * picture of 8 bits, or as good as 0, rounding decides which of two right ways the gradient takes through a maximum or
 * a ReLU (nodes_agree, whose chains have no such places, is the strict test). */
START_TEST(presets_agree)
{
    static const char *const presets[] = { "opengenus", "gatys", "neural-style", "style-transfer-pytorch" };
    size_t n = 3 * (size_t)start->width * (size_t)start->height;
    nst_progress want, got;
    double most = 0, square = 0, off = 0;
    size_t far_off = 0;

    if (_i == 3 && !nst_w2_available()) {
        printf("skipped: %s, this build has no LAPACK\n", presets[_i]);
        return;
    }

    float *cpu = losses(presets[_i], "cpu", &want), *device = losses(presets[_i], "opencl:0", &got);

    ck_assert(fabs(got.total - want.total) <= 1e-4 * want.total);
    ck_assert(fabs(got.content - want.content) <= 1e-4 * want.content);
    ck_assert(fabs(got.tv - want.tv) <= 1e-4 * want.tv);
    for (int i = 0; i < 5; i++)
        ck_assert_msg(fabs(got.style[i] - want.style[i]) <= 1e-4 * fmax(want.style[i], 1e-3 * want.total),
                      "%s: style loss %d is %.9g, the CPU's %.9g", presets[_i], i, got.style[i], want.style[i]);
    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs((double)cpu[i]));
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)device[i] - (double)cpu[i]);

        square += (double)cpu[i] * (double)cpu[i], off += d * d;
        far_off += d > 1e-3 * most;
    }
    ck_assert_msg(off <= 25e-6 * square, "%s: the gradient is %.3g of its norm off", presets[_i], sqrt(off / square));
    ck_assert_msg(100 * far_off <= n, "%s: %zu of %zu numbers of the gradient are off", presets[_i], far_off, n);
    printf("%s: gradient %.2g of its norm off, %zu numbers by more than 1e-3 of the largest\n", presets[_i],
           sqrt(off / square), far_off);
    ck_assert(oracle_free(cpu) && oracle_free(device));
}
END_TEST

/* What a run said. */
struct heard {
    int calls, notices;
    char notice[700];
};

static int hear(void *arg, const nst_progress *p)
{
    struct heard *h = arg;

    h->calls++;
    if (p->notice) {
        h->notices++;
        snprintf(h->notice, sizeof h->notice, "%s", p->notice);
    }
    return 0;
}

static nst_status paint(const char *device, int iterations, struct heard *h, nst_image **out, nst_error *e)
{
    nst_settings *s = settings("opengenus", device);
    nst_status status;

    memset(h, 0, sizeof *h);
    s->iterations = iterations;
    status = nst_transfer(s, model, content, (const nst_image *const *)&style, 1, NULL, hear, h, out, e);
    nst_settings_destroy(&s);
    return status;
}

static void same_picture(const nst_image *a, const nst_image *b)
{
    size_t n = (size_t)a->width * (size_t)a->height;

    ck_assert(a->width == b->width && a->height == b->height);
    for (int c = 0; c < 3; c++)
        for (size_t i = 0; i < n; i++)
            ck_assert_msg(fabs((double)a->plane[c][i] - (double)b->plane[c][i]) <= 1. / 255, "plane %d at %zu: %g, %g", c,
                          i, (double)a->plane[c][i], (double)b->plane[c][i]);
}

/* Ten iterations of preset opengenus: the same picture to within 1/255. */
START_TEST(pictures_agree)
{
    nst_image *cpu, *device;
    struct heard h;
    nst_error e;

    check_ok(paint("cpu", 10, &h, &cpu, &e), &e);
    check_ok(paint("opencl", 10, &h, &device, &e), &e);
    ck_assert(h.calls == 10 && h.notices == 0);
    same_picture(device, cpu);
    nst_image_destroy(&cpu), nst_image_destroy(&device);
}
END_TEST

/* A picture whose first feature map is larger than the device's largest buffer is cut into windows, and nobody sees. */
START_TEST(large_pictures_are_cut)
{
    nst_image *small = content, *plain = style, *out[2];
    struct heard h;
    nst_error e;

    oracle_seed(9);
    check_ok(nst_image_create(&content, 400, 300, 3, &e), &e);
    check_ok(nst_image_create(&style, 400, 300, 3, &e), &e);
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < 400 * 300; i++) {
            content->plane[c][i] = .5f + .25f * oracle_random();
            style->plane[c][i] = .5f + .5f * oracle_random();
        }
    check_ok(paint("cpu", 2, &h, &out[0], &e), &e);
    nst_opencl_fault.allocation = 6 << 20; /* of 400 x 300 x 16 floats: 7.7 MB */
    check_ok(paint("opencl", 2, &h, &out[1], &e), &e);
    ck_assert_int_eq(h.calls, 2);
    same_picture(out[1], out[0]);
    nst_image_destroy(&out[0]), nst_image_destroy(&out[1]);
    nst_image_destroy(&content), nst_image_destroy(&style);
    content = small, style = plain;
}
END_TEST

/* ---- what can fail ------------------------------------------------------------------------------------------------ */

/* Painting on the device fails with a status and a sentence that says all of these; nothing is given. */
static void fails(nst_status want, const char *a, const char *b)
{
    nst_image *out;
    struct heard h;
    nst_error e = { "" };
    nst_status s = paint("opencl:0", 3, &h, &out, &e);

    ck_assert_msg(s == want && strstr(e.text, a) && strstr(e.text, b), "status %d: %s", s, e.text);
    ck_assert_ptr_null(out);
}

/* Features larger than the largest buffer: the sentence says what to do. */
START_TEST(a_small_largest_buffer)
{
    nst_opencl_fault.allocation = 64 << 10;
    fails(NST_EMEM, "at most", "smaller");
}
END_TEST

START_TEST(little_memory)
{
    nst_opencl_fault.memory = 600 << 10;
    fails(NST_EMEM, "out of memory", "smaller");
}
END_TEST

/* The driver's own words about kernels that it does not compile. */
START_TEST(a_broken_source)
{
    nst_opencl_fault.source = "kernel void broken(global float *x) { x[0] = no_such_variable; }";
    fails(NST_EDEVICE, "CL_BUILD_PROGRAM_FAILURE", "no_such_variable");
    nst_opencl_fault.source = "kernel void other(global float *x) { x[0] = 1; }";
    fails(NST_EDEVICE, "first_forward", "CL_INVALID_KERNEL_NAME");
}
END_TEST

/* Failures of products, kernels and allocations by their names, whenever they come. */
START_TEST(failures_have_names)
{
    static const int at[] = { 1, 5, 40 };

    for (size_t i = 0; i < NST_COUNT(at); i++) {
        no_faults();
        nst_opencl_fault.gemm = at[i], nst_opencl_fault.gemm_code = -1009;
        fails(NST_EDEVICE, "CLBlast", "InsufficientMemoryC");
        nst_opencl_fault.gemm = at[i], nst_opencl_fault.gemm_code = -2039;
        fails(NST_EDEVICE, "CLBlast", "UnexpectedError");
        nst_opencl_fault.gemm = at[i], nst_opencl_fault.gemm_code = -4;
        fails(NST_EMEM, "CLBlast", "CL_MEM_OBJECT_ALLOCATION_FAILURE");
        nst_opencl_fault.launch = at[i], nst_opencl_fault.launch_code = -5;
        fails(NST_EDEVICE, "kernel ", "CL_OUT_OF_RESOURCES");
        nst_opencl_fault.launch = at[i], nst_opencl_fault.launch_code = -2;
        fails(NST_EDEVICE, "the driver gave up", "CL_DEVICE_NOT_AVAILABLE");
    }
    for (int i = 1; i < 40; i += 4) {
        nst_image *out;
        struct heard h;
        nst_error e = { "" };

        no_faults();
        nst_opencl_fault.buffer = i;
        if (paint("opencl:0", 1, &h, &out, &e) == NST_OK) /* so many there are not */
            nst_image_destroy(&out);
        else
            ck_assert_msg(strstr(e.text, "CL_MEM_OBJECT_ALLOCATION_FAILURE"), "%s", e.text);
    }
}
END_TEST

/* With auto a card that fails gives way to the processor, once and with a sentence: the picture is that of the
 * processor, but for the rounding of the iterations before. */
START_TEST(auto_goes_on)
{
    static const struct { int gemm, launch, buffer; bool source; } when[] = {
        { 3, 0, 0, false },    /* statistics of the style */
        { 150, 0, 0, false },  /* an iteration */
        { 0, 200, 0, false },
        { 0, 0, 5, false },    /* weights */
        { 0, 0, 0, true },     /* the compiler */
    };
    nst_image *cpu, *device;
    struct heard h;
    nst_error e;

    check_ok(paint("cpu", 5, &h, &cpu, &e), &e);
    nst_opencl_fault = (nst_opencl_faults){ .card = true, .gemm = when[_i].gemm, .gemm_code = -4,
                                            .launch = when[_i].launch, .launch_code = -2, .buffer = when[_i].buffer,
                                            .source = when[_i].source ? "broken" : NULL };
    check_ok(paint("auto", 5, &h, &device, &e), &e);
    ck_assert_int_eq(h.calls, 5);
    ck_assert_int_eq(h.notices, 1);
    ck_assert_msg(strstr(h.notice, "opencl:0") && strstr(h.notice, "going on with the processor"), "%s", h.notice);
    same_picture(device, cpu);
    nst_image_destroy(&cpu), nst_image_destroy(&device);
}
END_TEST

/* ---- programs that are kept ------------------------------------------------------------------------------------- */

static void build(const char *folder, int built, int cached)
{
    nst_graph_options o = { .model = model, .tap = { true }, .device = "opencl:0", .cache = folder, .scale = { 1, 1, 1 } };
    nst_graph *g;
    nst_error e;

    nst_opencl_fault.builds = nst_opencl_fault.cached = 0;
    check_ok(nst_graph_create(&g, &o, &e), &e);
    nst_graph_destroy(&g);
    ck_assert_msg(nst_opencl_fault.builds == built && nst_opencl_fault.cached == cached, "%d built, %d cached, expected "
                  "%d and %d", nst_opencl_fault.builds, nst_opencl_fault.cached, built, cached);
}

/* The one file of a folder. */
static void entry(const char *folder, char *out, size_t bytes)
{
    DIR *d = opendir(folder);
    struct dirent *f;
    int n = 0;

    ck_assert_ptr_nonnull(d);
    while ((f = readdir(d)))
        if (f->d_name[0] != '.') {
            snprintf(out, bytes, "%s/%s", folder, f->d_name);
            n++;
        }
    closedir(d);
    ck_assert_int_eq(n, 1);
}

/* Built once, taken from the cache then; an entry that is cut, longer, changed anywhere or another's is built anew and
 * replaced; a folder that cannot be written is no failure. */
START_TEST(damaged_entries_are_rebuilt)
{
    static unsigned char text[1 << 24];
    char folder[] = "/tmp/nst-test-XXXXXX", deeper[64], file[512];
    size_t n;
    FILE *f;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(deeper, sizeof deeper, "%s/a/b", folder);
    build(deeper, 1, 0);
    build(deeper, 0, 1);
    entry(deeper, file, sizeof file);
    f = fopen(file, "rb");
    ck_assert_ptr_nonnull(f);
    n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    ck_assert(n > 1000 && n < sizeof text - 1);
    for (int damage = 0; damage < 9; damage++) {
        static const size_t places[] = { 0, 8, 16, 24, 40 };
        size_t bytes = damage == 0 ? 0 : damage == 1 ? 20 : damage == 2 ? n - 1 : damage == 3 ? n + 1 : n;
        size_t place = damage < 4 ? 0 : damage - 4 < 5 ? places[damage - 4] : n / 2;

        f = fopen(file, "wb");
        ck_assert_ptr_nonnull(f);
        text[place] ^= damage >= 4;
        fwrite(text, 1, bytes, f);
        text[place] ^= damage >= 4;
        fclose(f);
        build(deeper, 1, 0);
        build(deeper, 0, 1);
    }
    for (size_t place = 64; place < n; place += n / 7) {
        f = fopen(file, "wb");
        ck_assert_ptr_nonnull(f);
        text[place] ^= 4;
        fwrite(text, 1, n, f);
        text[place] ^= 4;
        fclose(f);
        build(deeper, 1, 0);
    }
    build("/proc/no/such", 1, 0);
    build("", 1, 0);
    ck_assert_int_eq(remove(file), 0);
    remove(deeper);
    snprintf(deeper, sizeof deeper, "%s/a", folder);
    remove(deeper);
    ck_assert_int_eq(remove(folder), 0);
}
END_TEST

/* ---- names -------------------------------------------------------------------------------------------------------- */

START_TEST(devices_by_name)
{
    nst_device_info d, first;
    char why[256], part[8];
    nst_error e;

    ck_assert(nst_device_at(0, &d) && !strcmp(d.device, "cpu") && strstr(d.driver, nst_simd_chosen()));
    ck_assert(nst_device_at(1, &first) && !strcmp(first.device, "opencl:0") && first.memory > 0 && first.largest > 0 &&
              strstr(first.precisions, "single"));
    check_ok(nst_device_find("cpu", &d, why, sizeof why, &e), &e);
    ck_assert_str_eq(d.device, "cpu");
    check_ok(nst_device_find("opencl:0", &d, why, sizeof why, &e), &e);
    ck_assert_str_eq(d.name, first.name);
    nst_opencl_fault.devices = 1;
    snprintf(part, sizeof part, "%.6s", first.name);
    check_ok(nst_device_find(part, &d, NULL, 0, &e), &e);
    ck_assert_str_eq(d.device, "opencl:0");
    ck_assert(!nst_device_at(2, &d));
    ck_assert_int_eq(nst_device_find("opencl:7", &d, NULL, 0, &e), NST_EUNSUPPORTED);
    ck_assert_int_eq(nst_device_find("opencl:x", &d, NULL, 0, &e), NST_EARG);
    ck_assert_int_eq(nst_device_find("toaster", &d, NULL, 0, &e), NST_EUNSUPPORTED);
    ck_assert(strstr(e.text, "toaster") && strstr(e.text, "nst devices"));
    nst_opencl_fault.card = true;
    check_ok(nst_device_find("auto", &d, why, sizeof why, &e), &e);
    ck_assert(!strcmp(d.device, "opencl:0") && strstr(why, "graphics card"));
    nst_opencl_fault.devices = -1;
    check_ok(nst_device_find("auto", &d, why, sizeof why, &e), &e);
    ck_assert_str_eq(d.device, "cpu");
    ck_assert_int_eq(nst_device_find("opencl", &d, NULL, 0, &e), NST_EUNSUPPORTED);
    ck_assert(!nst_device_at(1, &d));
}
END_TEST

/* An algorithm that only the CPU has. */
START_TEST(unknown_algorithms)
{
    nst_graph_options o = { .model = model, .tap = { true }, .device = "opencl:0", .conv = "winograd6" };
    nst_graph *g;
    nst_error e;

    ck_assert_int_eq(nst_graph_create(&g, &o, &e), NST_EARG);
    ck_assert(g == NULL && strstr(e.text, "winograd6") && strstr(e.text, "winograd4"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("opencl");
    TCase *t = tcase_create("small");
    nst_device_info info;

    if (!nst_opencl_at(0, &info)) {
        printf("skipped: OpenCL reaches no device here (Debian: pocl-opencl-icd makes the processor one)\n");
        return 77;
    }
    printf("%s: %s, %s\n", info.device, info.name, info.driver);
    tcase_add_checked_fixture(t, no_faults, no_faults);
    tcase_add_test(t, next_to_nothing_agrees);
    suite_add_tcase(s, t);
    t = tcase_create("nodes");
    tcase_add_checked_fixture(t, no_faults, no_faults);
    tcase_add_loop_test(t, nodes_agree, 0, (int)NST_COUNT(chain_shapes));
    tcase_add_loop_test(t, windows_agree, 0, 3);
    tcase_add_loop_test(t, small_buffers_agree, 0, 2);
    tcase_add_loop_test(t, small_groups_agree, 0, 2);
    tcase_add_test(t, own_products_agree);
    suite_add_tcase(s, t);
    t = tcase_create("runs");
    tcase_add_checked_fixture(t, read_all, close_all);
    tcase_add_loop_test(t, presets_agree, 0, 4);
    tcase_add_test(t, pictures_agree);
    tcase_add_test(t, large_pictures_are_cut);
    tcase_add_test(t, a_small_largest_buffer);
    tcase_add_test(t, little_memory);
    tcase_add_test(t, a_broken_source);
    tcase_add_test(t, failures_have_names);
    tcase_add_loop_test(t, auto_goes_on, 0, 5);
    tcase_add_test(t, damaged_entries_are_rebuilt);
    tcase_add_test(t, devices_by_name);
    tcase_add_test(t, unknown_algorithms);
    suite_add_tcase(s, t);

    SRunner *r = srunner_create(s);

    srunner_set_fork_status(r, CK_NOFORK); /* a driver's threads do not survive a fork */
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);

    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
