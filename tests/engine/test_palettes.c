/* test_palettes.c: --color with several styles: whose colours the content, the styles and the result have in each
 * mode. */
#include "engine/run.h"
#include "../support/suite.h"

#include <math.h>
#include <string.h>

enum { W = 64, H = 48 };

static nst_settings *s;
static nst_model *model;
static nst_image *content, *style[2];
static const double share[2] = { .75, .25 };

/* Waves about a colour, so that nothing is cut off at 0 or 1. */
static nst_image *picture(int seed, float red, float green, float blue)
{
    const float mean[3] = { red, green, blue };
    nst_image *p;

    ck_assert_int_eq(nst_image_create(&p, W, H, 3, NULL), NST_OK);
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < W * H; i++)
            p->plane[c][i] = mean[c] + .08f * sinf((float)(i % W * (c + seed) + i / W * seed) / 7);
    return p;
}

static void make(void)
{
    ck_assert_int_eq(nst_settings_create(&s, "nst", NULL), NST_OK);
    ck_assert_int_eq(nst_model_open(&model, "small", NULL), NST_OK);
    s->size = 0, s->scales = 1, s->iterations = 3, s->margin = 0, s->color_strength = 1; /* nothing is resampled */
    s->style_loss = NST_STYLE_GRAM;                                                      /* the quickest */
    strcpy(s->style_blend, "3,1");
    strcpy(s->device, "cpu");
    content = picture(3, .5f, .6f, .4f);
    style[0] = picture(5, .7f, .3f, .3f), style[1] = picture(2, .2f, .3f, .7f);
}

static void drop(void)
{
    nst_settings_destroy(&s);
    nst_model_close(&model);
    nst_image_destroy(&content);
    nst_image_destroy(&style[0]), nst_image_destroy(&style[1]);
}

static double mean(const nst_image *p, int c)
{
    double sum = 0;

    for (int i = 0; i < W * H; i++)
        sum += p->plane[c][i];
    return sum / (W * H);
}

/* The run's targets; what its losses are at the content as it is. */
static double targets(nst_run *r, nst_image *const *styles)
{
    nst_progress p;
    nst_error e;

    *r = (nst_run){ .job = { .settings = s, .model = model, .content = content, .n_styles = 2,
                             .styles = (const nst_image *const *)styles } };
    ck_assert_msg(!nst_run_open(r, &e) && !nst_run_targets(r, &e), "%s", e.text);
    r->state.x = nst_calloc(3 * W * H, sizeof *r->state.x);
    r->state.dx = nst_calloc(3 * W * H, sizeof *r->state.dx);
    nst_space_encode(&r->setup.space, (const float *const *)content->plane, W * H, r->state.x);
    ck_assert_msg(!nst_run_evaluate(r, &p, &e), "%s", e.text);
    return p.total;
}

static nst_image *paint(void)
{
    nst_image *out;
    nst_error e;

    ck_assert_msg(!nst_transfer(s, model, content, (const nst_image *const *)style, 2, NULL, NULL, NULL, &out, &e),
                  "%s", e.text);
    return out;
}

/* style: the content stays what it is. */
START_TEST(of_the_styles)
{
    nst_run r;

    s->color = NST_COLOR_STYLE;
    targets(&r, style);
    for (int c = 0; c < 3; c++)
        ck_assert(!memcmp(r.targets.picture->plane[c], content->plane[c], W * H * sizeof(float)));
    nst_run_close(&r);
}
END_TEST

/* match: the content's mean becomes the blend of the styles' by their shares; half of it with half the strength. */
START_TEST(matched)
{
    nst_run r;

    s->color = NST_COLOR_MATCH;
    for (int half = 0; half < 2; half++) {
        s->color_strength = half ? .5 : 1;
        targets(&r, style);
        for (int c = 0; c < 3; c++) {
            double want = share[0] * mean(style[0], c) + share[1] * mean(style[1], c);

            want = half ? (want + mean(content, c)) / 2 : want;
            ck_assert_msg(fabs(mean(r.targets.picture, c) - want) < 1e-4, "colour %d: %g, expected %g", c,
                          mean(r.targets.picture, c), want);
        }
        nst_run_close(&r);
    }
}
END_TEST

/* content: painted as with style, then each pixel has the content's a and b of Lab. */
START_TEST(of_the_content)
{
    nst_image *plain, *kept;

    s->color = NST_COLOR_STYLE;
    plain = paint();
    s->color = NST_COLOR_CONTENT;
    kept = paint();
    nst_image_keep_colors(plain, content, 1);
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < W * H; i++)
            ck_assert_float_eq_tol(plain->plane[c][i], kept->plane[c][i], 1e-6f);
    nst_image_destroy(&plain), nst_image_destroy(&kept);
}
END_TEST

/* match-style: the same as styles that had taken on the content's colours before, one by one. */
START_TEST(of_the_content_in_the_styles)
{
    nst_image *moved[2] = { nst_image_copy(style[0]), nst_image_copy(style[1]) };
    double own, by_hand, unmoved;
    nst_run r;

    s->color = NST_COLOR_MATCH_STYLE;
    own = targets(&r, style);
    nst_run_close(&r);
    s->color = NST_COLOR_STYLE;
    unmoved = targets(&r, style);
    nst_run_close(&r);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(nst_image_recolor(moved[i], content, 1, NULL), NST_OK);
    by_hand = targets(&r, moved);
    nst_run_close(&r);
    ck_assert_msg(fabs(own - by_hand) < 1e-6 * by_hand && fabs(own - unmoved) > .01 * unmoved,
                  "%g, by hand %g, without %g", own, by_hand, unmoved);
    nst_image_destroy(&moved[0]), nst_image_destroy(&moved[1]);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_checked_fixture(t, make, drop);
    tcase_add_test(t, of_the_styles);
    tcase_add_test(t, matched);
    tcase_add_test(t, of_the_content);
    tcase_add_test(t, of_the_content_in_the_styles);
}

int main(void)
{
    return run_suite("palettes", add);
}
