/* test_opencl_losses.c: the losses and the gradient of whole evaluations on the first device that OpenCL reaches
 * against the CPU's: every preset, every loss, regions, in one piece and in windows; how often an evaluation waits. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/run.h"
#include "opencl_test.h"
#include "../support/oracle.h"
#include "../support/source.h"

/* Losses of themselves, or of 1e-3 of the total: as the CPU's own kernel sets are held to the golden numbers. */
#define LOSS 1e-4
/* The gradient by its norm, and 99 of 100 numbers to FAR of the largest: where features are as good as equal, as in the
 * flat parts of a picture, or as good as 0, rounding decides which of two right ways the gradient takes through a
 * maximum or a ReLU (test_opencl.c's nodes_agree, whose chains have no such places, is the strict test). */
#define NORM 5e-3
#define FAR 1e-3

static nst_model *model;
static nst_image *content, *style;

/* Smooth colours with noise, sides odd in every way. */
static nst_image *picture(int w, int h, int seed)
{
    nst_random random = { (uint64_t)seed };
    nst_image *p;

    ck_assert_int_eq(nst_image_create(&p, w, h, 3, NULL), NST_OK);
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < w * h; i++)
            p->plane[c][i] = .5f + .3f * sinf((float)(i % w * (c + 1) + i / w * seed) / 17) +
                             .2f * (nst_random_uniform(&random) - .5f);
    return p;
}

static void open_all(void)
{
    nst_error e;

    check_ok(nst_model_open(&model, source_file("tests/data/golden/tiny.safetensors"), &e), &e);
    content = picture(117, 93, 3), style = picture(99, 85, 5);
}

static void close_all(void)
{
    nst_model_close(&model);
    nst_image_destroy(&content), nst_image_destroy(&style);
}

static nst_settings *settings(const char *preset)
{
    nst_settings *s;
    nst_error e;

    check_ok(nst_settings_create(&s, preset, &e), &e);
    s->size = 0, s->scales = 1, s->init = NST_INIT_CONTENT, s->threads = 2;
    return s;
}

struct result {
    nst_progress p;
    float *dx;
    size_t n, waits;
    int windows;
};

/* Two evaluations at the content with noise: the losses and the gradient of the second, for which nothing is
 * allocated. */
static struct result evaluate_styles(nst_settings *s, const char *device, const nst_image *const *styles, int n_styles)
{
    nst_run r = { .job = { .settings = s, .model = model, .content = content, .styles = styles,
                           .n_styles = n_styles } };
    nst_random random = { 7 };
    struct result result = { .n = 0 };
    const nst_device_counts *counts;
    size_t before;
    nst_error e;

    snprintf(s->device, sizeof s->device, "%s", device);
    check_ok(nst_run_open(&r, &e), &e);
    r.scale = r.setup.plan.scales - 1;
    check_ok(nst_run_targets(&r, &e), &e);
    result.n = 3 * (size_t)r.w * (size_t)r.h;
    r.state.x = nst_calloc(result.n, sizeof *r.state.x), r.state.dx = nst_calloc(result.n, sizeof *r.state.dx);
    nst_start(s, &r.setup.space, r.targets.picture, NULL, 0, r.h, r.state.x);
    for (size_t i = 0; i < result.n; i++)
        r.state.x[i] += .05f * (r.setup.high[0] - r.setup.low[0]) * (nst_random_uniform(&random) - .5f);
    check_ok(nst_run_evaluate(&r, &result.p, &e), &e);
    counts = nst_graph_counts(r.setup.graph);
    result.waits = counts ? counts->waits : 0;
    before = nst_alloc_count();
    check_ok(nst_run_evaluate(&r, &result.p, &e), &e);
    ck_assert(nst_alloc_count() == before);
    if (counts)
        result.waits = counts->waits - result.waits;
    result.dx = oracle_alloc(result.n);
    memcpy(result.dx, r.state.dx, result.n * sizeof *r.state.dx);
    result.windows = nst_windows_count(r.setup.layout[r.scale].gradient);
    nst_run_close(&r);
    return result;
}

static struct result evaluate(nst_settings *s, const char *device)
{
    return evaluate_styles(s, device, (const nst_image *const *)&style, 1);
}

static void same_loss(const char *name, const char *what, double got, double want, double total)
{
    ck_assert_msg(fabs(got - want) <= LOSS * fmax(fabs(want), 1e-3 * total), "%s: %s is %.9g, the CPU's %.9g", name,
                  what, got, want);
}

static void compare(const char *name, const struct result *got, const struct result *want)
{
    double most = 0, square = 0, off = 0;
    size_t far_off = 0;

    same_loss(name, "total", got->p.total, want->p.total, want->p.total);
    same_loss(name, "content", got->p.content, want->p.content, want->p.total);
    same_loss(name, "total variation", got->p.tv, want->p.tv, want->p.total);
    for (int i = 0; i < want->p.style_layers; i++)
        same_loss(name, "a style loss", got->p.style[i], want->p.style[i], want->p.total);
    for (size_t i = 0; i < want->n; i++)
        most = fmax(most, fabs((double)want->dx[i]));
    for (size_t i = 0; i < want->n; i++) {
        double d = fabs((double)got->dx[i] - (double)want->dx[i]);

        square += (double)want->dx[i] * (double)want->dx[i], off += d * d;
        far_off += d > FAR * most;
    }
    ck_assert_msg(off <= NORM * NORM * square, "%s: the gradient is %.3g of its norm off", name, sqrt(off / square));
    ck_assert_msg(100 * far_off <= want->n, "%s: %zu of %zu numbers of the gradient are off", name, far_off, want->n);
    printf("%s: %d window%s, %zu waits, total %.1g, gradient %.2g of its norm off\n", name, got->windows,
           got->windows > 1 ? "s" : "", got->waits, fabs(got->p.total / want->p.total - 1), sqrt(off / square));
}

static void free_result(struct result *r)
{
    ck_assert(oracle_free(r->dx));
}

/* Every preset in one piece, then in windows: an evaluation waits once, twice with Wasserstein-2's losses, which are
 * the host's; in windows once a window and for places to put the picture, but never for sums. */
START_TEST(presets_agree)
{
    const char *name = nst_preset_name(_i);
    nst_settings *s = settings(name);
    struct result want, got;
    bool w2 = s->style_loss == NST_STYLE_W2;

    want = evaluate(s, "cpu"), got = evaluate(s, "opencl:0");
    compare(name, &got, &want);
    ck_assert_int_eq(got.windows, 1);
    ck_assert_msg(got.waits == (w2 ? 2 : 1), "%s: an evaluation waits %zu times", name, got.waits);
    free_result(&got);
    s->window = 64;
    got = evaluate(s, "opencl:0");
    ck_assert_int_ge(got.windows, 4);
    compare(name, &got, &want);
    free_result(&got), free_result(&want);
    nst_settings_destroy(&s);
}
END_TEST

/* Smaller ones, for tests whose chains have no maximum to be undecided about. */
static void small_pictures(void)
{
    nst_image_destroy(&content), nst_image_destroy(&style);
    content = picture(67, 53, 3), style = picture(59, 61, 5);
}

/* Every kind of loss that presets do not have in this company; with a margin, larger than windows and their halo, which
 * counts in the total variation. */
START_TEST(losses_agree)
{
    static const int styles[] = { NST_STYLE_GRAM_RAW, NST_STYLE_GRAM, NST_STYLE_GRAM_NM, NST_STYLE_COVARIANCE,
                                  NST_STYLE_GRAM_SCALED };
    nst_settings *s = settings("gatys");
    struct result want, got;
    char name[80];

    small_pictures();
    s->pooling = NST_POOL_AVERAGE;
    s->style_loss = styles[_i], s->content_loss = _i % NST_CONTENT_LOSS_COUNT, s->tv = _i % NST_TV_COUNT;
    s->layer_norm = _i % 2 ? NST_NORM_NONE : NST_NORM_TARGET;
    s->tv_weight = 1e-3, s->margin = _i % 2 ? 24 : 0;
    snprintf(name, sizeof name, "style loss %d, content loss %d, total variation %d", s->style_loss, s->content_loss,
             s->tv);
    want = evaluate(s, "cpu");
    for (s->window = 0; s->window <= 32; s->window += 32) {
        got = evaluate(s, "opencl:0");
        compare(name, &got, &want);
        free_result(&got);
    }
    free_result(&want);
    nst_settings_destroy(&s);
}
END_TEST

/* Total variation alone, to the bits that floats have: nothing else decides. */
START_TEST(variations_agree)
{
    nst_settings *s = settings("gatys");
    struct result want, got;
    double most = 0;

    strcpy(s->style_layers, "conv1_1");
    s->style_weight = 1e-30, s->content_weight = 0, s->tv = _i, s->tv_weight = 1, s->margin = 40;
    want = evaluate(s, "cpu");
    for (size_t i = 0; i < want.n; i++)
        most = fmax(most, fabs((double)want.dx[i]));
    for (s->window = 0; s->window <= 32; s->window += 32) {
        got = evaluate(s, "opencl:0");
        ck_assert(want.p.tv > 0 && fabs(got.p.tv - want.p.tv) <= 2e-6 * want.p.tv);
        for (size_t i = 0; i < want.n; i++)
            ck_assert_msg(fabs((double)got.dx[i] - (double)want.dx[i]) <= 1e-6 * most,
                          "variation %d, window %d: gradient %zu "
                          "is %.9g, the CPU's %.9g", _i, s->window, i, (double)got.dx[i], (double)want.dx[i]);
        free_result(&got);
    }
    free_result(&want);
    nst_settings_destroy(&s);
}
END_TEST

/* White from column from to column to, grey beside it, black elsewhere. */
static nst_image *stripe(int w, int h, int from, int to)
{
    nst_image *p;

    ck_assert_int_eq(nst_image_create(&p, w, h, 3, NULL), NST_OK);
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < w * h; i++) {
            float beside = i % w >= from - 3 && i % w < to + 3 ? .3f : 0;

            p->plane[c][i] = i % w >= from && i % w < to ? 1 : beside;
        }
    return p;
}

/* Three styles in soft regions that overlap, one of them what the others leave, one with a part that does not count, by
 * every kind of loss, with and without a margin; then a part alone, without regions.  A region waits no more often than
 * none. */
START_TEST(regions_agree)
{
    static const int kinds[] = { NST_STYLE_GRAM_RAW, NST_STYLE_GRAM, NST_STYLE_GRAM_NM, NST_STYLE_COVARIANCE,
                                 NST_STYLE_GRAM_SCALED, NST_STYLE_W2, NST_STYLE_COVARIANCE };
    nst_settings *s = settings("gatys");
    nst_image *two = picture(77, 48, 2), *three = picture(50, 50, 9);
    nst_image *left = stripe(67, 53, 0, 20), *right = stripe(134, 106, 30, 90), *part = stripe(59, 61, 12, 50);
    bool w2 = kinds[_i] == NST_STYLE_W2, alone = _i == 6;
    struct result want, got;
    char name[80];

    small_pictures();

    const nst_image *styles[] = { style, two, three };

    s->style_loss = kinds[_i], s->pooling = NST_POOL_AVERAGE, s->margin = _i % 2 ? 16 : 0;
    ck_assert_int_eq(nst_image_set_region(style, alone ? NULL : left, part, NULL), NST_OK);
    ck_assert_int_eq(nst_image_set_region(two, alone ? NULL : right, NULL, NULL), NST_OK);
    snprintf(name, sizeof name, "%s, style loss %d", alone ? "a part" : "regions", s->style_loss);
    want = evaluate_styles(s, "cpu", styles, 3);
    for (s->window = 0; s->window <= 32; s->window += 32) {
        got = evaluate_styles(s, "opencl:0", styles, 3);
        compare(name, &got, &want);
        ck_assert_msg(got.windows > 1 || got.waits == (w2 ? 2 : 1), "%s: an evaluation waits %zu times", name,
                      got.waits);
        free_result(&got);
    }
    free_result(&want);
    nst_image_destroy(&two), nst_image_destroy(&three), nst_image_destroy(&left), nst_image_destroy(&right);
    nst_image_destroy(&part);
    nst_settings_destroy(&s);
}
END_TEST

/* What the device's largest buffer and its memory leave decides the windows, and nothing else changes. */
START_TEST(small_devices_agree)
{
    nst_settings *s = settings("opengenus");
    struct result want, got;

    nst_image_destroy(&content), nst_image_destroy(&style);
    content = picture(511, 447, 3), style = picture(209, 305, 5);
    want = evaluate(s, "cpu");
    nst_opencl_fault.allocation = _i ? 0 : 6 << 20; /* the first features: 511 x 447 x 8 floats, 7.3 MB */
    nst_opencl_fault.memory = _i ? 28 << 20 : 0;
    got = evaluate(s, "opencl:0");
    ck_assert_int_gt(got.windows, 1);
    compare(_i ? "little memory" : "small buffers", &got, &want);
    free_result(&got), free_result(&want);
    nst_settings_destroy(&s);
}
END_TEST

static void add(Suite *s)
{
    TCase *t = opencl_case(s, "losses", open_all, close_all);
    int presets = 0;

    while (nst_preset_name(presets))
        presets++;
    tcase_add_loop_test(t, presets_agree, 0, presets);
    tcase_add_loop_test(t, losses_agree, 0, 5);
    tcase_add_loop_test(t, regions_agree, 0, 7);
    tcase_add_loop_test(t, variations_agree, 0, NST_TV_COUNT);
    tcase_add_loop_test(t, small_devices_agree, 0, 2);
}

int main(void)
{
    return run_opencl("opencl losses", add);
}
