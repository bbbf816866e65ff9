/* test_golden.c: the presets of other programs give those programs' losses, gradients and first iterations, as an
 * independent implementation computed them; the same bits for any number of threads; nothing allocated on the way. */
#include "engine/run.h"
#include "../support/source.h"
#include "../support/suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../data/golden/numbers.h"

static nst_model *model;
static nst_image *content, *start;
static nst_image *style[2];

static const char *path(const char *name)
{
    char text[256];

    snprintf(text, sizeof text, "tests/data/golden/%s", name);
    return source_file(text);
}

static void read_all(void)
{
    nst_error e;

    ck_assert_msg(!nst_model_open(&model, path("tiny.safetensors"), &e), "%s", e.text);
    ck_assert_msg(!nst_image_read(&content, path("content-67x51.png"), &e), "%s", e.text);
    ck_assert_msg(!nst_image_read(&start, path("start-67x51.png"), &e), "%s", e.text);
    ck_assert_msg(!nst_image_read(&style[0], path("style-67x51.png"), &e), "%s", e.text);
    ck_assert_msg(!nst_image_read(&style[1], path("style-73x58.png"), &e), "%s", e.text);
}

static void close_all(void)
{
    nst_model_close(&model);
    nst_image_destroy(&content);
    nst_image_destroy(&start);
    nst_image_destroy(&style[0]);
    nst_image_destroy(&style[1]);
}

static const nst_image *style_of(const struct golden *g)
{
    return strstr(g->style, "67x51") ? style[0] : style[1];
}

static nst_settings *settings(const char *preset)
{
    nst_settings *s;

    ck_assert_int_eq(nst_settings_create(&s, preset, NULL), NST_OK);
    s->size = 0;
    s->scales = 1;
    s->init = NST_INIT_CONTENT;
    s->threads = 2;
    snprintf(s->device, sizeof s->device, "cpu"); /* sets and algorithms are the processor's */
    return s;
}

/* Relative to itself or to a share of the total, as rounding goes. */
static void near(const char *preset, int row, const char *what, double got, double want, double total, double band)
{
    double scale = fmax(fabs(want), 2e-3 * fabs(total));

    ck_assert_msg(fabs(got - want) <= band * scale, "%s, evaluation %d, %s: %.9g, expected %.9g", preset, row, what,
                  got, want);
}

static void losses_are(const char *preset, int row, const nst_progress *p, const golden_losses *want, double band)
{
    near(preset, row, "total", p->total, want->total, want->total, band);
    near(preset, row, "content", p->content, want->content, want->total, band);
    near(preset, row, "tv", p->tv, want->tv, want->total, band);
    ck_assert_int_eq(p->style_layers, 5);
    for (int i = 0; i < 5; i++)
        near(preset, row, p->style_name[i], p->style[i], want->style[i], want->total, band);
}

/* One evaluation at a start picture that is neither content nor style: every loss to 1e-4, the gradient's norms to
 * 1e-4 and its values at 24 places to 1e-3 of the largest; with every convolution algorithm of every usable set. */
static void evaluate(const struct golden *g, const char *set, const char *conv)
{
    nst_settings *s = settings(g->preset);
    const nst_image *one = style_of(g);
    nst_run r = { .job = { .settings = s, .model = model, .content = content, .styles = &one, .n_styles = 1 } };
    const float *const rgb[3] = { start->plane[0], start->plane[1], start->plane[2] };
    size_t n = (size_t)start->width * (size_t)start->height;
    nst_progress p = { .style_layers = 5 };
    double l1 = 0, l2 = 0, max = 0;
    int beyond = 0;
    nst_error e;

    snprintf(s->simd, sizeof s->simd, "%s", set);
    snprintf(s->conv, sizeof s->conv, "%s", conv);
    ck_assert_msg(!nst_run_open(&r, &e), "%s", e.text);
    ck_assert_msg(!nst_run_targets(&r, &e), "%s", e.text);
    for (int i = 0; i < 5; i++)
        p.style_name[i] = model->layer[r.setup.style[i].layer].name;
    r.state.x = nst_calloc(n, 3 * sizeof *r.state.x);
    r.state.dx = nst_calloc(n, 3 * sizeof *r.state.dx);
    nst_space_encode(&r.setup.space, rgb, n, r.state.x);
    ck_assert_msg(!nst_run_evaluate(&r, &p, &e), "%s", e.text);
    losses_are(g->preset, 0, &p, &g->at_start, 1e-4);
    for (size_t i = 0; i < 3 * n; i++) {
        l1 += fabs((double)r.state.dx[i]);
        l2 += (double)r.state.dx[i] * (double)r.state.dx[i];
        max = fmax(max, fabs((double)r.state.dx[i]));
    }
    near(g->preset, 0, "|gradient|_1", l1, g->l1, 0, 1e-4);
    near(g->preset, 0, "|gradient|_2", sqrt(l2), g->l2, 0, 1e-4);
    near(g->preset, 0, "largest gradient", max, g->max, 0, 1e-3);
    /* Where a feature is zero but for rounding, the ReLU lets all of its gradient pass or none: with clang's F(6x6,3x3)
     * one of conv4_2's is 7.6e-7 and not 0 (their root mean square is .52), the argmax of every pool is the same.  One
     * of the 24 values may lie below such a feature, and then it is off, but not far. */
    for (int i = 0; i < 24; i++) {
        double off = fabs((double)r.state.dx[g->at[i]] - g->value[i]);

        beyond += off > 1e-3 * g->max;
        ck_assert_msg(off <= (beyond > 1 ? 1e-3 : 2e-2) * g->max, "%s %s %s: gradient at %d: %.9g, expected %.9g",
                      g->preset, set, conv, g->at[i], (double)r.state.dx[g->at[i]], g->value[i]);
    }
    nst_run_close(&r);
    nst_settings_destroy(&s);
}

START_TEST(losses_and_gradients)
{
    static const char *const convs[] = { "im2col", "winograd4", "winograd6" };
    bool usable;

    for (int i = 0; nst_kernels_at(i, &usable); i++)
        for (size_t c = 0; usable && c < NST_COUNT(convs); c++)
            evaluate(&golden[_i], nst_kernels_at(i, NULL)->name, convs[c]);
}
END_TEST

/* ---- the loop ------------------------------------------------------------------------------------- */

struct listener {
    const struct golden *g;
    const nst_settings *s;
    int calls;
    size_t allocations; /* after the second iteration */
    nst_progress last;
};

/* How far a term may be.  Adam amplifies rounding slowly.  L-BFGS's first step is so short that the gradients around it
 * differ by their rounding: what follows from their difference is another run's each time, here and in PyTorch. */
static double band(const nst_settings *s, int iteration)
{
    if (iteration == 1)
        return 1e-3;
    return s->optimizer == NST_ADAM || iteration == 2 ? 5e-3 : INFINITY;
}

static int listen(void *arg, const nst_progress *p)
{
    struct listener *l = arg;

    l->calls++;
    ck_assert_int_eq(p->iteration, l->calls);
    if (band(l->s, p->iteration) < 1)
        losses_are(l->g->preset, p->iteration, p, &l->g->run[p->iteration - 1], band(l->s, p->iteration));
    if (l->calls == 2)
        l->allocations = nst_alloc_count();
    if (l->calls > 2) /* an iteration allocates nothing */
        ck_assert_uint_eq(nst_alloc_count(), l->allocations);
    l->last = *p;
    return 0;
}

START_TEST(first_iterations)
{
    const struct golden *g = &golden[_i];
    nst_settings *s = settings(g->preset);
    const nst_image *one = style_of(g);
    struct listener l = { .g = g, .s = s };
    nst_image *out;
    nst_error e;

    s->iterations = g->iterations;
    ck_assert_msg(!nst_transfer(s, model, content, &one, 1, NULL, listen, &l, &out, &e), "%s", e.text);
    ck_assert_int_eq(l.calls, s->iterations);
    ck_assert(nst_image_width(out) == 67 && nst_image_height(out) == 51);
    nst_image_destroy(&out);
    nst_settings_destroy(&s);
}
END_TEST

/* Every preset, two scales, two styles: the same bits for 1, 2 and 3 threads. */
START_TEST(threads_give_the_same_bits)
{
    const char *preset = nst_preset_name(_i);
    const nst_image *both[2] = { style[0], style[1] };
    nst_image *first = NULL, *out;
    nst_error e;

    for (int threads = 1; threads <= 3; threads++) {
        nst_settings *s = settings(preset);

        s->size = 60;
        s->scales = 2;
        s->scale_step = 1.3;
        s->iterations = s->first_iterations = 4;
        s->threads = threads;
        ck_assert_msg(!nst_transfer(s, model, content, both, 2, NULL, NULL, NULL, &out, &e), "%s", e.text);
        for (int c = 0; c < 3 && first; c++)
            ck_assert_msg(!memcmp(first->plane[c], out->plane[c],
                                  (size_t)out->width * (size_t)out->height * sizeof(float)),
                          "%s: %d threads give other bits", preset, threads);
        if (first)
            nst_image_destroy(&out);
        else
            first = out;
        nst_settings_destroy(&s);
    }
    nst_image_destroy(&first);
}
END_TEST

static void add(TCase *t)
{
    int presets = 0;

    while (nst_preset_name(presets))
        presets++;
    tcase_add_checked_fixture(t, read_all, close_all);
    tcase_add_loop_test(t, losses_and_gradients, 0, (int)NST_COUNT(golden));
    tcase_add_loop_test(t, first_iterations, 0, (int)NST_COUNT(golden));
    tcase_add_loop_test(t, threads_give_the_same_bits, 0, presets);
}

int main(void)
{
    return run_suite("golden", add);
}
