/* test_styles.c: what is kept of style pictures from run to run gives the same bits, is found again, and is never taken
 * for another picture, other settings or another model. */
#include "engine/run.h"
#include "../support/suite.h"

#include <string.h>

enum { W = 64, H = 48 };

static nst_settings *s;
static nst_model *model;
static nst_image *content[2], *style[2];
static nst_styles *known;

static nst_image *picture(int seed)
{
    nst_image *p;

    ck_assert_int_eq(nst_image_create(&p, W, H, 3, NULL), NST_OK);
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < W * H; i++)
            nst_image_plane(p, c)[i] = (float)((i * (c + seed) + i / W * seed) % 101) / 101;
    return p;
}

static void make(void)
{
    ck_assert_int_eq(nst_settings_create(&s, NULL, NULL), NST_OK);
    s->size = 64, s->min_size = 48, s->iterations = s->first_iterations = 3, s->threads = 2, s->scales = 2;
    s->style_loss = NST_STYLE_GRAM; /* the quickest */
    ck_assert_int_eq(nst_model_open(&model, "small", NULL), NST_OK);
    for (int i = 0; i < 2; i++)
        content[i] = picture(3 + i), style[i] = picture(11 + i);
    ck_assert_int_eq(nst_styles_create(&known, NULL), NST_OK);
}

static void drop(void)
{
    nst_settings_destroy(&s);
    nst_model_close(&model);
    for (int i = 0; i < 2; i++) {
        nst_image_destroy(&content[i]);
        nst_image_destroy(&style[i]);
    }
    nst_styles_destroy(&known);
    ck_assert_ptr_null(known);
}

/* Whether a run finds what is kept of a picture. */
static bool found(const nst_model *m, const nst_image *p)
{
    nst_run r = { .job = { .settings = s, .model = m, .content = content[0],
                           .styles = (const nst_image *const *)style, .n_styles = 1, .style_cache = known } };
    nst_error e;
    nst_row_range strip;
    nst_tiling t;
    bool yes;

    ck_assert_msg(!nst_run_open(&r, &e), "%s", e.text);
    strip = nst_rank_own_rows(&r.setup, p->width + 2 * r.setup.margin, p->height + 2 * r.setup.margin);
    nst_plan_tiling(&r.setup, &strip, NST_USE_STATS, r.setup.layout[r.setup.plan.scales - 1].arena, &t);
    nst_styles_begin(known, m, &r.setup.s);
    yes = nst_styles_find(known, nst_styles_key(p, t, r.setup.margin, r.setup.n_style), r.setup.n_style, r.eval.stats);
    nst_run_close(&r);
    return yes;
}

static void paint(int c, int first, int n)
{
    nst_image *with, *without;
    nst_error e;

    ck_assert_msg(!nst_transfer_known(known, s, model, content[c], (const nst_image *const *)style + first, n, NULL,
                                      NULL, NULL, &with, &e), "%s", e.text);
    ck_assert_msg(!nst_transfer(s, model, content[c], (const nst_image *const *)style + first, n, NULL, NULL, NULL,
                                &without, &e), "%s", e.text);
    for (int k = 0; k < 3; k++)
        ck_assert(!memcmp(nst_image_plane(with, k), nst_image_plane(without, k), W * H * sizeof(float)));
    nst_image_destroy(&with);
    nst_image_destroy(&without);
}

START_TEST(same_bits)
{
    paint(0, 0, 1);
    paint(1, 0, 1); /* taken from what the first left */
    paint(0, 0, 2);
    s->style_scale = .8;
    paint(0, 0, 1); /* another size of the same style */
    s->pooling = NST_POOL_MAX;
    paint(0, 0, 1);
    for (int i = 0; i < 6; i++) { /* more than is kept */
        s->style_scale = .75 + .04 * i;
        paint(i % 2, i / 2 % 2, 1);
    }
}
END_TEST

START_TEST(found_again)
{
    nst_model *other;

    ck_assert(!found(model, style[0]));
    paint(0, 0, 1);
    ck_assert(found(model, style[0]));
    ck_assert(!found(model, style[1]));
    ck_assert(found(model, style[0]));
    s->iterations = s->first_iterations = 2; /* as from picture to picture of a film */
    ck_assert(found(model, style[0]));
    s->tv_weight *= 2; /* even what does not matter */
    ck_assert(!found(model, style[0]));
    paint(0, 0, 1);
    ck_assert(found(model, style[0]));
    ck_assert_int_eq(nst_model_open(&other, "small", NULL), NST_OK);
    ck_assert(!found(other, style[0]));
    nst_model_close(&other);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_checked_fixture(t, make, drop);
    tcase_add_test(t, same_bits);
    tcase_add_test(t, found_again);
}

int main(void)
{
    return run_suite("styles", add);
}
