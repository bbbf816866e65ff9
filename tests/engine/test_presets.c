/* test_presets.c: each preset that follows another program has the values that were read from that program, written
 * here a second time in that program's own terms, and its sizes and schedule for three pictures.  Losses and steps
 * are test_golden.c's. */
#include "engine/settings/settings.h"
#include "../support/source.h"
#include "../support/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct schedule {
    int w, h;              /* content */
    int sw, sh;            /* style */
    int scales, ow[5], oh[5], iterations[5]; /* expected */
    int last_sw, last_sh;  /* the style at the last scale */
};

/* What both of style-transfer-pytorch's versions do. */
#define ROUNDS { 1000, 500, 500, 500, 500 }
#define PYRAMID                                                                                            \
    { { 1200, 800, 900, 500, 5, { 128, 181, 256, 362, 512 }, { 85, 121, 171, 241, 341 }, ROUNDS, 512, 284 }, \
      { 300, 400, 900, 500, 5, { 96, 136, 192, 272, 384 }, { 128, 181, 256, 362, 512 }, ROUNDS, 512, 284 },  \
      { 200, 100, 100, 200, 5, { 128, 181, 256, 362, 512 }, { 64, 91, 128, 181, 256 }, ROUNDS, 100, 200 } }

static const struct expected {
    const char *name;
    double content, tv, style[5];   /* factors of the plain losses */
    int style_loss, content_loss, layer_norm, tv_kind, space;
    int pooling, pool_ceil, replicate;
    int optimizer, history, clamp;
    double rate, beta1, beta2, average;
    int init;
    double sigma;
    struct schedule at[3];
} table[] = {
    { "opengenus", 1, 0, { 1e6, .8e6, .5e6, .3e6, .1e6 }, NST_STYLE_GRAM_RAW, NST_CONTENT_MEAN, NST_NORM_NONE, -1,
      NST_SPACE_IMAGENET, NST_POOL_MAX, 0, 0, NST_ADAM, -1, 0, .003, .9, .999, 0, NST_INIT_CONTENT, 0,
      { { 1200, 800, 900, 500, 1, { 600 }, { 400 }, { 2000 }, 600, 400 },
        { 300, 400, 900, 500, 1, { 400 }, { 533 }, { 2000 }, 400, 533 },
        { 200, 100, 900, 500, 1, { 400 }, { 200 }, { 2000 }, 400, 200 } } },
    { "gatys", 1, 0, { 1e3, 1e3, 1e3, 1e3, 1e3 }, NST_STYLE_GRAM, NST_CONTENT_MEAN, NST_NORM_INVERSE_SQUARE, -1,
      NST_SPACE_BGR255, NST_POOL_MAX, 0, 0, NST_LBFGS, 100, 0, 1, -1, -1, 0, NST_INIT_CONTENT, 0,
      { { 1200, 800, 900, 500, 2, { 768, 1200 }, { 512, 800 }, { 500, 200 }, 1440, 800 },
        { 300, 400, 900, 500, 2, { 512, 800 }, { 683, 1067 }, { 500, 200 }, 1440, 800 },
        { 200, 100, 500, 500, 2, { 1024, 1600 }, { 512, 800 }, { 500, 200 }, 800, 800 } } },
    { "neural-style", 5, 1e-3, { 100, 100, 100, 100, 100 }, NST_STYLE_GRAM_NM, NST_CONTENT_MEAN, NST_NORM_NONE,
      NST_TV_HALF_SQUARES, NST_SPACE_BGR256, NST_POOL_MAX, 1, 0, NST_LBFGS, 100, 0, 1, -1, -1, 0, NST_INIT_RANDOM, .001,
      { { 1200, 800, 900, 500, 1, { 512 }, { 341 }, { 1000 }, 512, 284 },
        { 300, 400, 900, 500, 1, { 384 }, { 512 }, { 1000 }, 512, 284 },
        { 200, 100, 200, 100, 1, { 512 }, { 256 }, { 1000 }, 512, 256 } } },
    { "neural-style-pt", 5, 1e-3, { 100, 100, 100, 100, 100 }, NST_STYLE_GRAM_NM, NST_CONTENT_MEAN, NST_NORM_NONE,
      NST_TV_ABSOLUTE, NST_SPACE_BGR255, NST_POOL_MAX, 0, 0, NST_LBFGS, 100, 0, 1, -1, -1, 0, NST_INIT_RANDOM, .001,
      { { 1200, 800, 900, 500, 1, { 512 }, { 341 }, { 1000 }, 512, 284 },
        { 300, 400, 900, 500, 1, { 384 }, { 512 }, { 1000 }, 512, 284 },
        { 200, 100, 200, 100, 1, { 512 }, { 256 }, { 1000 }, 512, 256 } } },
    { "anishathalye", 5, 100, { 500 / 5., 500 / 5., 500 / 5., 500 / 5., 500 / 5. }, NST_STYLE_GRAM_NM, NST_CONTENT_MEAN,
      NST_NORM_NONE, NST_TV_MEAN_SQUARES, NST_SPACE_RGB255, NST_POOL_MAX, 1, 0, NST_ADAM, -1, 0, 10, .9, .999, 0,
      NST_INIT_RANDOM, .256,
      { { 1200, 800, 900, 500, 1, { 1200 }, { 800 }, { 1000 }, 1200, 667 },
        { 300, 400, 900, 500, 1, { 300 }, { 400 }, { 1000 }, 300, 167 },
        { 200, 100, 100, 200, 1, { 200 }, { 100 }, { 1000 }, 200, 400 } } },
    { "neural-style-tf", 5, 1e-3, { 1e4 * .2 / 5 / 4, 1e4 * .2 / 5 / 4, 1e4 * .2 / 5 / 4, 1e4 * .2 / 5 / 4,
                                    1e4 * .2 / 5 / 4 },
      NST_STYLE_GRAM, NST_CONTENT_ROOT, NST_NORM_NONE, NST_TV_ABSOLUTE, NST_SPACE_RGB255, NST_POOL_AVERAGE, 1, 0,
      NST_LBFGS, 10, 0, 1, -1, -1, 0, NST_INIT_CONTENT, 0,
      { { 1200, 800, 900, 500, 1, { 512 }, { 341 }, { 1000 }, 512, 341 },
        { 300, 400, 900, 500, 1, { 300 }, { 400 }, { 1000 }, 300, 400 },
        { 200, 100, 100, 200, 1, { 200 }, { 100 }, { 1000 }, 200, 100 } } },
    { "style-transfer-pytorch", .015, 2, { 256 / 341., 64 / 341., 16 / 341., 4 / 341., 1 / 341. }, NST_STYLE_W2,
      NST_CONTENT_MEAN, NST_NORM_NONE, NST_TV_NINE_POINT, NST_SPACE_RGB, NST_POOL_MAX, 0, 1, NST_ADAM, -1, 1, .02, .9,
      .99, .99, NST_INIT_CONTENT, 0,
      PYRAMID },
    { "style-transfer-pytorch-2021", .015, 2, { 256 / 341., 64 / 341., 16 / 341., 4 / 341., 1 / 341. },
      NST_STYLE_GRAM_SCALED, NST_CONTENT_SCALED, NST_NORM_NONE, NST_TV_REPLICATED, NST_SPACE_RGB, NST_POOL_MAX, 0, 1,
      NST_ADAM, -1, 1, .02, .9, .999, .99, NST_INIT_CONTENT, 0,
      PYRAMID },
};

static double layer_weight(const nst_settings *s, int i)
{
    const char *at = s->style_layers;

    while (i--)
        at = strchr(at, ',') + 1;
    at += strcspn(at, ":,");
    return *at == ':' ? strtod(at + 1, NULL) : 1;
}

START_TEST(values)
{
    const struct expected *x = &table[_i];
    nst_settings *s;

    ck_assert_int_eq(nst_settings_create(&s, x->name, NULL), NST_OK);
    ck_assert_str_eq(s->preset, x->name);
    ck_assert_str_eq(s->content_layers, "conv4_2");
    for (int i = 0; i < 5; i++) {
        char name[24];
        const char *at = s->style_layers;

        snprintf(name, sizeof name, "conv%d_1", i + 1);
        ck_assert_ptr_nonnull(strstr(at, name));
        ck_assert_msg(fabs(s->style_weight * layer_weight(s, i) - x->style[i]) <= 1e-9 * x->style[i], "%s, %s: %g",
                      x->name, name, s->style_weight * layer_weight(s, i));
    }
    ck_assert_double_eq(s->content_weight, x->content);
    ck_assert_double_eq(s->tv_weight, x->tv);
    ck_assert_int_eq(s->style_loss, x->style_loss);
    ck_assert_int_eq(s->content_loss, x->content_loss);
    ck_assert_int_eq(s->layer_norm, x->layer_norm);
    if (x->tv_kind >= 0)
        ck_assert_int_eq(s->tv, x->tv_kind);
    ck_assert_int_eq(s->space, x->space);
    ck_assert_int_eq(s->pooling, x->pooling);
    ck_assert_int_eq(s->pool_ceil, x->pool_ceil);
    ck_assert_int_eq(s->replicate, x->replicate);
    ck_assert_int_eq(s->optimizer, x->optimizer);
    if (x->history >= 0)
        ck_assert_int_eq(s->history, x->history);
    ck_assert_int_eq(s->clamp, x->clamp);
    ck_assert(s->learning_rate == x->rate || (s->optimizer == NST_LBFGS && x->rate == 1 && s->learning_rate == 0));
    if (x->optimizer == NST_ADAM)
        ck_assert(s->beta1 == x->beta1 && s->beta2 == x->beta2);
    ck_assert_double_eq(s->average, x->average);
    ck_assert_int_eq(s->init, x->init);
    ck_assert_double_eq(s->init_sigma, x->sigma);
    /* what none of those programs has */
    ck_assert(s->color == NST_COLOR_STYLE && s->margin == 0 && s->init_noise == 0 && s->style_scale == 1);
    nst_settings_destroy(&s);
}
END_TEST

START_TEST(schedules)
{
    const struct expected *x = &table[_i];
    nst_settings *s;

    ck_assert_int_eq(nst_settings_create(&s, x->name, NULL), NST_OK);
    for (int k = 0; k < 3; k++) {
        const struct schedule *want = &x->at[k];
        nst_plan plan;
        int w, h;

        ck_assert_int_eq(nst_scales_plan(s, want->w, want->h, &plan, NULL), NST_OK);
        ck_assert_int_eq(plan.scales, want->scales);
        for (int i = 0; i < plan.scales; i++)
            ck_assert_msg(plan.width[i] == want->ow[i] && plan.height[i] == want->oh[i] &&
                          plan.iterations[i] == want->iterations[i], "%s, picture %d, scale %d: %d x %d, %d iterations",
                          x->name, k, i, plan.width[i], plan.height[i], plan.iterations[i]);
        nst_scales_style(s, &plan, plan.scales - 1, want->sw, want->sh, &w, &h);
        ck_assert_msg(w == want->last_sw && h == want->last_sh, "%s, style %d: %d x %d", x->name, k, w, h);
    }
    nst_settings_destroy(&s);
}
END_TEST

/* A preset that is not in the table would be held against nothing. */
START_TEST(all_are_here)
{
    for (int i = 1; nst_preset_name(i); i++) {
        bool found = false;

        for (size_t k = 0; k < NST_COUNT(table); k++)
            found |= !strcmp(table[k].name, nst_preset_name(i));
        ck_assert_msg(found, "%s", nst_preset_name(i));
    }
}
END_TEST

/* ---- with the built-in model ---------------------------------------------------------------------------------- */

struct totals {
    double first, last;
};

static int keep_totals(void *arg, const nst_progress *p)
{
    struct totals *t = arg;

    if (p->done == 1)
        t->first = p->total;
    t->last = p->total;
    return 0;
}

static nst_image *file(const char *name)
{
    nst_image *image = NULL;

    ck_assert(nst_image_read(&image, source_file(name), NULL) == NST_OK);
    return image;
}

/* Wherever a preset starts, its picture is on the way after forty steps: a preset whose weights do not fit a model's
 * features stays at its start, grey noise with some. */
START_TEST(leaves_its_start)
{
    const char *name = nst_preset_name(_i);
    nst_image *content = file("data/content.jpg"), *style = file("data/style.jpg"), *out = NULL;
    const nst_image *const styles[] = { style };
    struct totals t = { 0, 0 };
    nst_settings *s;
    nst_model *m;
    nst_error e = { "" };

    ck_assert(nst_settings_create(&s, name, NULL) == NST_OK && nst_model_open(&m, "small", NULL) == NST_OK);
    s->size = 64, s->scales = 1, s->iterations = s->first_iterations = 40;
    ck_assert_msg(nst_transfer(s, m, content, styles, 1, NULL, keep_totals, &t, &out, &e) == NST_OK, "%s: %s", name,
                  e.text);
    ck_assert_msg(t.last < .9 * t.first, "%s: the loss went from %g to %g", name, t.first, t.last);
    nst_image_destroy(&out);
    nst_image_destroy(&content);
    nst_image_destroy(&style);
    nst_model_close(&m);
    nst_settings_destroy(&s);
}
END_TEST

static void add(TCase *t)
{
    int presets = 0;

    while (nst_preset_name(presets))
        presets++;
    tcase_add_loop_test(t, leaves_its_start, 0, presets);
    tcase_add_loop_test(t, values, 0, (int)NST_COUNT(table));
    tcase_add_loop_test(t, schedules, 0, (int)NST_COUNT(table));
    tcase_add_test(t, all_are_here);
}

int main(void)
{
    return run_suite("presets", add);
}
