/* test_opencl.c: the OpenCL device against the CPU's, on the first device that OpenCL reaches: every node, statistics,
 * gradients, by maps, too, windows; small largest buffers and work groups. */
#include "opencl_chain.h"

static const char *const algorithms[] = { "im2col", "winograd4" };
/* Each device is within chain_loss.h's bounds of the truth (under 2e-6 by products of patches, about 6e-6 by
 * Winograd): the CPU side uses patches, so two are as far apart as the sum. */
static const double allowed[] = { 4e-6, 8e-6 };

/* Layer i is read by a style loss, a content loss or both; where by both, one has no shift. */
static bool has_style(int i) { return i % 3 != 1; }
static bool has_content(int i) { return i % 3 != 2; }
/* Of those with style every other one counts by two maps. */
static bool has_maps(int i) { return has_style(i) && i % 2 == 0; }

/* Maps of a layer of the whole picture, with zeros and ones among the weights. */
struct maps {
    float *weight[2];
    nst_saved_features *there[2];
};

static void maps_create(nst_graph *g, int layer, const nst_window *win, struct maps *m, nst_map map[2])
{
    int w, h;
    nst_error e;

    nst_graph_layer_size(g, layer, win->picture_w, win->picture_h, &w, &h);
    for (int k = 0; k < 2; k++) {
        size_t n = (size_t)w * (size_t)h, from = (size_t)(3 * k); /* what points behind the copy's beginning */

        m->weight[k] = oracle_alloc(n + from);
        for (size_t i = 0; i < n + from; i++)
            m->weight[k][i] = nst_clamp(.7f * oracle_random() + .5f, 0, 1);
        check_ok(nst_graph_map(g, m->weight[k], n + from, &m->there[k], &e), &e);
        map[k] = (nst_map){ .weight = m->weight[k] + from, .ld = (size_t)w, .device_copy = m->there[k], .first = from,
                            .number = k };
    }
}

static void maps_destroy(struct maps *m)
{
    for (int k = 0; k < 2; k++) {
        nst_saved_features_destroy(&m->there[k]);
        ck_assert(oracle_free(m->weight[k]));
    }
}

/* One window: content from other, then statistics and gradient at x, added to r. */
static void evaluate(nst_graph *g, const chain *c, const nst_window *win, const float *other, const float *x,
                     struct result *r)
{
    nst_loss_gradient gradient[NST_MODEL_LAYERS] = { { 0 } }, more[NST_MODEL_LAYERS] = { { 0 } };
    nst_saved_features *kept[NST_MODEL_LAYERS] = { NULL };
    struct maps maps[NST_MODEL_LAYERS];
    float *a[NST_MODEL_LAYERS], *b[NST_MODEL_LAYERS];
    nst_error e;

    oracle_seed(77);
    for (int i = 0; i < c->model.layers; i++)
        if (has_maps(i)) {
            nst_map map[2];

            maps_create(g, i, win, &maps[i], map);
            r->stats[i]->map = gradient[i].map = map[0], r->other[i]->map = more[i].map = map[1];
            r->stats[i]->next = r->other[i], gradient[i].next = &more[i];
        }
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
            gradient[i].a = a[i], gradient[i].b = i % 2 || has_maps(i) ? b[i] : NULL;
        if (has_maps(i))
            more[i].a = a[i];
        if (has_content(i)) {
            check_ok(nst_graph_keep(g, i, &kept[i], &e), &e);
            gradient[i].content = kept[i], gradient[i].content_scale = .75;
            r->square[i] += nst_saved_features_square(kept[i]);
        }
    }
    check_ok(nst_graph_forward(g, win, x, &e), &e);
    for (int i = 0; i < c->model.layers; i++)
        check_ok(nst_graph_stats(g, i, r->stats[i], &e), &e);
    check_ok(nst_graph_backward(g, win, gradient, r->distance, r->dx, &e), &e);
    for (int i = 0; i < c->model.layers; i++) {
        nst_saved_features_destroy(&kept[i]);
        ck_assert(oracle_free(a[i]) && oracle_free(b[i]));
        if (has_maps(i))
            maps_destroy(&maps[i]);
        r->stats[i]->map = r->other[i]->map = (nst_map){ .weight = NULL };
        r->stats[i]->next = NULL;
    }
}

/* The whole picture, or cores of step pixels with a halo around each; what is left over goes to the last. */
static void over_windows(nst_graph *g, const chain *c, int w, int h, int step, const float *other, const float *x,
                         struct result *r)
{
    for (int y = 0; y < h; y += step)
        for (int q = 0; q < w; q += step) {
            int cw = w - q < 2 * step ? w - q : step, ch = h - y < 2 * step ? h - y : step;
            nst_window win = { .picture_w = w, .picture_h = h, .core_x = q, .core_y = y, .core_w = cw, .core_h = ch };

            nst_graph_expand_halo(g, &win);
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

/* For oclgrind, which takes its time (tests/opencl/opencl.sh): every kernel once or twice, on next to nothing. */
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

/* Style losses of one kind, scaled content losses and total variation at c->x, against targets of other: the device's
 * own, or the host's of what the device gives.  loss: style, content, total variation. */
static void losses(nst_graph *g, const chain *c, const chain_shape *s, int kind, int tv, const float *other,
                   double loss[3], struct result *r)
{
    nst_window win = nst_window_whole(s->w, s->h);
    nst_loss_gradient gradient[NST_MODEL_LAYERS] = { { 0 } };
    nst_style *target[NST_MODEL_LAYERS];
    nst_saved_features *kept;
    float *a[NST_MODEL_LAYERS], *b[NST_MODEL_LAYERS];
    double style[NST_MODEL_LAYERS], one = 1, square = 0, absolute = 0;
    bool own = nst_graph_has_losses(g);
    int last = c->model.layers - 1;
    nst_error e;

    check_ok(nst_graph_place(g, s->w, s->h, true, &e), &e);
    check_ok(nst_graph_forward(g, &win, other, &e), &e);
    check_ok(nst_graph_keep(g, last, &kept, &e), &e);
    for (int i = 0; i <= last; i++) {
        check_ok(nst_graph_stats(g, i, r->stats[i], &e), &e);
        check_ok(nst_style_create(&target[i], nst_kernels_pick(NULL), (nst_style_loss_kind)kind, NST_NORM_TARGET,
                                  (const nst_stats *const *)&r->stats[i], &one, 1, &e), &e);
        if (own)
            check_ok(nst_graph_target(g, i, 0, target[i], &e), &e);
        nst_stats_clear(r->stats[i]);
        r->stats[i]->keep_on_device = own;
    }
    nst_graph_variation(g, tv, 0, .25, &loss[2]);
    check_ok(nst_graph_forward(g, &win, c->x, &e), &e);
    check_ok(nst_graph_stats_each(g, r->stats, &e), &e);
    check_ok(nst_graph_compare(g, last, kept, &square, &absolute, &e), &e);
    for (int i = 0; i <= last; i++) {
        size_t n = (size_t)c->model.layer[i].out;
        double *da = nst_calloc(n * n + n, sizeof *da);

        a[i] = oracle_alloc(n * n), b[i] = oracle_alloc(n);
        gradient[i].device_coeffs = own;
        if (own) {
            check_ok(nst_graph_style_loss(g, i, target[i], r->stats[i], 3, &style[i], &e), &e);
        } else {
            check_ok(nst_style_loss(target[i], r->stats[i], 3, &style[i], da, da + n * n, &e), &e);
            for (size_t k = 0; k < n * n; k++)
                a[i][k] = (float)da[k];
            for (size_t k = 0; k < n; k++)
                b[i][k] = (float)da[n * n + k];
            gradient[i].a = a[i], gradient[i].b = b[i];
        }
        nst_free(da);
    }
    gradient[last].content = kept;
    gradient[last].content_scaled = own;
    gradient[last].content_scale = own ? 2 : 2 * 2 / (absolute + 1e-8);
    gradient[last].content_sign = own ? 0 : -2 * square / ((absolute + 1e-8) * (absolute + 1e-8));
    check_ok(nst_graph_backward(g, &win, gradient, r->distance, r->dx, &e), &e);
    nst_graph_variation(g, 0, 0, 0, NULL);
    if (!own)
        loss[2] += nst_tv_loss(&c->options.cpu, tv, c->x, s->w, s->h, .25, r->dx);
    loss[1] = 2 * square / (absolute + 1e-8);
    for (int i = 0; i <= last; i++) {
        loss[0] += style[i];
        nst_style_destroy(&target[i]);
        ck_assert(oracle_free(a[i]) && oracle_free(b[i]));
        r->stats[i]->keep_on_device = false;
        nst_stats_clear(r->stats[i]);
    }
    nst_saved_features_destroy(&kept);
}

/* Losses relative to themselves, the gradient to its largest: as far apart as the nodes are, times what differences of
 * statistics lose, which are about a tenth of them here. */
static void losses_against_cpu(const chain_shape *s, int kind, int tv)
{
    size_t pixels = 3 * (size_t)s->w * (size_t)s->h;
    chain *c;
    float *other = oracle_alloc(pixels);

    oracle_seed(5);
    c = chain_create(s);
    c->options.cpu.k = nst_kernels_pick(NULL), c->options.cpu.threads = 1;
    oracle_fill(pixels, other);

    struct result want = result_create(c, pixels), got = result_create(c, pixels);
    nst_graph *cpu = graph(c, "cpu", "im2col"), *device = graph(c, "opencl:0", "im2col");
    double loss[2][3] = { { 0 } };
    char text[80];

    snprintf(text, sizeof text, "losses of kind %d, variation %d", kind, tv);
    losses(cpu, c, s, kind, tv, other, loss[0], &want);
    losses(device, c, s, kind, tv, other, loss[1], &got);
    check_doubles(text, "style", 1, &loss[1][0], &loss[0][0], 40e-6);
    check_doubles(text, "content", 1, &loss[1][1], &loss[0][1], 40e-6);
    check_doubles(text, "variation", 1, &loss[1][2], &loss[0][2], 2e-6);
    compare(text, c, pixels, &got, &want, 40e-6);
    result_destroy(&want), result_destroy(&got);
    nst_graph_destroy(&cpu), nst_graph_destroy(&device);
    chain_destroy(c);
    ck_assert(oracle_free(other));
}

START_TEST(losses_agree)
{
    static const int kinds[] = { NST_STYLE_GRAM_RAW, NST_STYLE_GRAM, NST_STYLE_GRAM_NM, NST_STYLE_COVARIANCE,
                                 NST_STYLE_GRAM_SCALED };

    losses_against_cpu(&chain_shapes[_i], kinds[_i], _i);
}
END_TEST

/* Also for oclgrind. */
START_TEST(losses_of_next_to_nothing_agree)
{
    static const chain_shape s = { { { 3 }, { 4, 3 } }, false, true, false, true, 7, 5 };

    losses_against_cpu(&s, NST_STYLE_COVARIANCE, NST_TV_NINE_POINT);
    losses_against_cpu(&s, NST_STYLE_GRAM_SCALED, NST_TV_HALF_SQUARES);
}
END_TEST

/* CLBlast's kernels need larger work groups (-54, -55) or more local memory (-2046) than the device has: our own
 * product takes over, in the middle of a run, too. */
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

static void add(Suite *s)
{
    TCase *t = opencl_case(s, "small", NULL, NULL);

    tcase_add_test(t, next_to_nothing_agrees);
    tcase_add_test(t, losses_of_next_to_nothing_agree);
    t = opencl_case(s, "nodes", NULL, NULL);
    tcase_add_loop_test(t, nodes_agree, 0, (int)NST_COUNT(chain_shapes));
    tcase_add_loop_test(t, windows_agree, 0, 3);
    tcase_add_loop_test(t, losses_agree, 0, 5);
    tcase_add_loop_test(t, small_buffers_agree, 0, 2);
    tcase_add_loop_test(t, small_groups_agree, 0, 2);
    tcase_add_test(t, own_products_agree);
}

int main(void)
{
    return run_opencl("opencl", add);
}
