/* test_temporal.c: a frame that is held to others: the loss is its formula's and the gradient the loss's, in every
 * space, with a margin, in windows, beside masks; a whole run keeps to what it is held to; what is refused. */
#include <string.h>

#include "engine/run.h"
#include "../support/scene.h"

enum { W = 70, H = 54, PIXELS = W * H };

static nst_model *model;
static nst_settings *s;
static nst_image *content, *style, *target[2];
static nst_temporal temporal[2];

static void make(void)
{
    char path[512];

    snprintf(path, sizeof path, "%s/tests/data/golden/tiny.safetensors", getenv("SRCDIR") ? getenv("SRCDIR") : ".");
    ck_assert_int_eq(nst_model_open(&model, path, NULL), NST_OK);
    content = picture(W, H, 3, 3), style = picture(60, 50, 3, 5);
    for (int i = 0; i < 2; i++) {
        target[i] = picture(W, H, 4, 7 + 2 * i);
        for (int k = 0; k < PIXELS; k++) /* all, nothing and some of the pixels count */
            if (k % 5 == i || k % 5 == i + 1)
                target[i]->plane[3][k] = k % 5 == i;
        temporal[i] = (nst_temporal){ target[i], i ? 300 : 1000 };
    }
}

static void drop(void)
{
    nst_settings_destroy(&s);
    nst_model_close(&model);
    nst_image_destroy(&content);
    nst_image_destroy(&style);
    nst_image_destroy(&target[0]);
    nst_image_destroy(&target[1]);
}

static void settle(const char *preset)
{
    ck_assert_int_eq(nst_settings_create(&s, preset, NULL), NST_OK);
    s->scales = 1;
    s->size = 0;
    s->threads = 2;
    s->init_noise = 0;
    s->pooling = NST_POOL_AVERAGE;
}

struct result {
    nst_progress p;
    float *x, *dx; /* [3][h][w] */
    int w, h, margin;
    nst_affine space;
};

/* At the content with noise. */
static struct result evaluate(int n_temporal, const nst_image *from)
{
    nst_run r = { .job = { .settings = s, .model = model, .content = from,
                           .styles = (const nst_image *const *)&style, .n_styles = 1, .temporal = temporal,
                           .n_temporal = n_temporal } };
    nst_random random = { 7 };
    struct result out = { .w = 0 };
    nst_error e = { "" };
    size_t n, before;

    ck_assert_msg(!nst_run_open(&r, &e), "%s", e.text);
    ck_assert_msg(!nst_run_targets(&r, &e), "%s", e.text);
    n = 3 * (size_t)r.w * (size_t)r.h;
    r.state.x = nst_calloc(n, sizeof(float));
    r.state.dx = nst_calloc(n, sizeof(float));
    nst_start(s, &r.setup.space, r.targets.picture, NULL, 0, r.h, r.state.x);
    for (size_t i = 0; i < n; i++)
        r.state.x[i] += .2f * (r.setup.high[0] - r.setup.low[0]) * (nst_random_uniform(&random) - .5f);
    ck_assert_msg(!nst_run_evaluate(&r, &out.p, &e), "%s", e.text);
    before = nst_alloc_count();
    ck_assert_msg(!nst_run_evaluate(&r, &out.p, &e), "%s", e.text);
    ck_assert(nst_alloc_count() == before);
    out.x = r.state.x, out.dx = r.state.dx, out.w = r.w, out.h = r.h;
    out.margin = r.setup.margin, out.space = r.setup.space;
    r.state.x = r.state.dx = NULL;
    nst_run_close(&r);
    return out;
}

static void forget(struct result *r)
{
    nst_free(r->x);
    nst_free(r->dx);
}

/* The formula of temporal.h, in double, at x with number `at` moved by `step`. */
static double formula(const struct result *r, int n_temporal, size_t at, double step)
{
    size_t plane = (size_t)r->w * (size_t)r->h;
    double all = 0;

    for (int i = 0; i < n_temporal; i++) {
        double sum = 0;

        for (size_t c = 0; c < 3; c++)
            for (int y = 0; y < H; y++)
                for (int x = 0; x < W; x++) {
                    size_t k = c * plane + (size_t)(y + r->margin) * (size_t)r->w + (size_t)(x + r->margin);
                    double v = ((double)r->x[k] + (k == at ? step : 0)) * (double)r->space.std[c] +
                               (double)r->space.mean[c];

                    sum += (double)target[i]->plane[3][y * W + x] *
                           pow(v - (double)target[i]->plane[r->space.order[c]][y * W + x], 2);
                }
        all += temporal[i].weight * sum / (3 * PIXELS);
    }
    return all;
}

/* Presets of each space, with a margin and without, in one piece and in windows, with one target and with two.  The
 * gradient is what the targets add to it; its differences carry the rounding of the whole. */
START_TEST(formulas)
{
    static const char *const preset[] = { "nst", "gatys", "neural-style", "style-transfer-pytorch", "opengenus" };

    settle(preset[_i / 2]);
    s->window = _i % 2 ? 33 : 0;
    for (int n = 1; n <= 2; n++) {
        struct result with = evaluate(n, content), without = evaluate(0, content);
        double want = formula(&with, n, (size_t)-1, 0), largest = 0;
        size_t all = 3 * (size_t)with.w * (size_t)with.h;

        ck_assert_msg(fabs(with.p.temporal - want) <= 1e-5 * want, "%.9g, expected %.9g", with.p.temporal, want);
        ck_assert(without.p.temporal == 0);
        ck_assert(fabs(with.p.total - without.p.total - want) <= 1e-5 * with.p.total);
        for (size_t i = 0; i < all; i++)
            largest = fmax(largest, fabs((double)with.dx[i]));
        for (size_t i = 0; i < all; i += 97) {
            double range = 1 / (double)with.space.std[0], step = 1e-3 * range;
            double slope = (formula(&with, n, i, step) - formula(&with, n, i, -step)) / (2 * step);
            double got = (double)with.dx[i] - (double)without.dx[i];

            ck_assert_msg(fabs(got - slope) <= 1e-5 * largest, "%s: number %zu: %.9g, expected %.9g", s->preset, i, got,
                          slope);
        }
        forget(&with);
        forget(&without);
    }
}
END_TEST

/* A target of another size is resampled, alpha and all. */
START_TEST(other_size)
{
    nst_image *small = NULL;
    struct result of_small, of_large;

    settle("nst");
    ck_assert_int_eq(nst_image_resize(&small, target[0], 41, 33, NULL), NST_OK);
    temporal[0].picture = small;
    of_small = evaluate(1, content);
    nst_image_destroy(&target[0]);
    ck_assert_int_eq(nst_image_resize(&target[0], small, W, H, NULL), NST_OK);
    temporal[0].picture = target[0];
    of_large = evaluate(1, content);
    ck_assert(of_small.p.temporal > 0 && of_small.p.temporal == of_large.p.temporal);
    forget(&of_small);
    forget(&of_large);
    nst_image_destroy(&small);
}
END_TEST

/* What does not count may be anything. */
START_TEST(hidden_pixels)
{
    struct result before, after;

    settle("nst");
    before = evaluate(1, content);
    for (int k = 0; k < PIXELS; k++)
        if (target[0]->plane[3][k] <= 0) {
            target[0]->plane[k % 3][k] = NAN;
            target[0]->plane[3][k] = k % 2 ? -1 : NAN;
        }
    after = evaluate(1, content);
    ck_assert(before.p.temporal == after.p.temporal);
    forget(&before);
    forget(&after);
}
END_TEST

static int stop_at(void *arg, const nst_progress *p)
{
    nst_error e = { "" };

    ck_assert(nst_progress_checkpoint(p, "/nowhere/run.nst", NULL, &e) == NST_EUNSUPPORTED && strstr(e.text, "held"));
    *(double *)arg = p->temporal;
    return 0;
}

static nst_image *paint(const nst_frame *frame, const nst_image *init, double *last)
{
    nst_error e = { "" };
    nst_image *out;

    ck_assert_msg(!nst_transfer_frame(s, model, content, (const nst_image *const *)&style, 1, init, frame,
                                      frame ? stop_at : NULL, last, &out, &e), "%s", e.text);
    return out;
}

static double off(const nst_image *a, const nst_image *b, const float *alpha)
{
    double sum = 0, n = 0;

    for (int c = 0; c < 3; c++)
        for (int k = 0; k < PIXELS; k++)
            if (alpha[k] > 0) {
                sum += fabs((double)a->plane[c][k] - (double)b->plane[c][k]);
                n++;
            }
    return sum / n;
}

/* A whole run in two scales beside a style's region: it keeps to a target where that counts and paints elsewhere as
 * without it; the same bits for any number of threads and with the styles kept. */
START_TEST(whole_run)
{
    nst_image *mask = picture(W, H, 3, 1), *free_run, *held, *again;
    nst_frame frame = { .temporal = temporal, .n_temporal = 1 };
    double last = -1;

    settle("nst");
    s->size = 0, s->scales = 2, s->min_size = 32, s->iterations = s->first_iterations = 20;
    if (_i)
        ck_assert_int_eq(nst_image_set_region(style, mask, NULL, NULL), NST_OK);
    for (int k = 0; k < PIXELS; k++)
        target[0]->plane[3][k] = k % W < W / 2;
    temporal[0].weight = 1e5;
    free_run = paint(NULL, NULL, NULL);
    held = paint(&frame, NULL, &last);
    ck_assert(last > 0);
    ck_assert_msg(off(held, target[0], target[0]->plane[3]) < .2 * off(free_run, target[0], target[0]->plane[3]),
                  "%g, without %g", off(held, target[0], target[0]->plane[3]),
                  off(free_run, target[0], target[0]->plane[3]));
    ck_assert_int_eq(nst_styles_create(&frame.known, NULL), NST_OK);
    for (int threads = 1; threads <= 4; threads++) {
        s->threads = threads;
        again = paint(&frame, NULL, &last);
        ck_assert(!memcmp(held->plane[0], again->plane[0], 3 * PIXELS * sizeof(float)));
        nst_image_destroy(&again);
    }
    temporal[0].weight = 0; /* counts for nothing */
    again = paint(&frame, NULL, &last);
    ck_assert(last == 0 && !memcmp(free_run->plane[0], again->plane[0], 3 * PIXELS * sizeof(float)));
    nst_image_destroy(&again);
    nst_styles_destroy(&frame.known);
    nst_image_destroy(&free_run);
    nst_image_destroy(&held);
    nst_image_destroy(&mask);
}
END_TEST

static void refuse(const nst_temporal *t, int n, const char *text)
{
    nst_frame frame = { .temporal = t, .n_temporal = n };
    nst_image *out = content;
    nst_error e = { "" };

    ck_assert_int_eq(nst_transfer_frame(s, model, content, (const nst_image *const *)&style, 1, NULL, &frame, NULL,
                                        NULL, &out, &e), NST_EARG);
    ck_assert(!out);
    ck_assert_msg(strstr(e.text, text), "\"%s\", expected \"%s\"", e.text, text);
}

START_TEST(refused)
{
    nst_temporal many[NST_MAX_TEMPORAL + 1] = { { NULL, 0 } };

    settle("nst");
    refuse(many, NST_MAX_TEMPORAL + 1, "temporal targets: 17 are given, expected 0 to 16");
    refuse(many, -1, "temporal targets: -1");
    refuse(NULL, 1, "none are given");
    refuse(many, 1, "temporal target 1: has no picture");
    refuse((nst_temporal[]){ temporal[0], { target[1], -1 } }, 2, "temporal target 2: weight -1");
    refuse((nst_temporal[]){ { target[1], NAN } }, 1, "temporal target 1: weight nan");
}
END_TEST

static void add(TCase *t)
{
    tcase_add_checked_fixture(t, make, drop);
    tcase_add_loop_test(t, formulas, 0, 10);
    tcase_add_test(t, other_size);
    tcase_add_test(t, hidden_pixels);
    tcase_add_loop_test(t, whole_run, 0, 2);
    tcase_add_test(t, refused);
}

int main(void)
{
    return run_suite("temporal", add);
}
