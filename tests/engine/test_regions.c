/* test_regions.c: styles in regions: losses and gradients of whole runs by what must hold of them, windows included;
 * and wrong masks.  The weighted statistics: test_gram_masked.c; transparent pictures: test_alpha.c. */
#include "masked_run.h"

static const char *const presets[] = { "nst", "opengenus", "neural-style", "style-transfer-pytorch" };

/* A style whose region is everything is a style without masks. */
START_TEST(white_masks_are_none)
{

    nst_image *content = picture(75, 62, 3, 3), *style = picture(70, 66, 3, 5), *guided = picture(70, 66, 3, 5);
    nst_image *white = stripe(75, 62, 0, 75), *part = stripe(70, 66, 0, 70);
    nst_settings *s = settings(presets[_i], 75);
    const nst_image *plain_styles[] = { style }, *guided_styles[] = { guided };
    struct run a, b;

    ck_assert(nst_image_set_region(guided, white, part, NULL) == NST_OK);
    s->margin = 0; /* beside the double path of small pictures, which has no regions */
    s->optimizer = NST_ADAM;
    evaluate(&a, s, content, plain_styles, 1, 0, NULL);
    evaluate(&b, s, content, guided_styles, 1, 0, NULL);
    ck_assert_msg(fabs(a.p.total - b.p.total) < 1e-5 * a.p.total, "%g and %g", a.p.total, b.p.total);
    ck_assert_msg(difference(&a.r, &b.r) < 1e-4, "gradients differ by %g", difference(&a.r, &b.r));
    nst_run_close(&a.r), nst_run_close(&b.r);
    nst_image_destroy(&content), nst_image_destroy(&style), nst_image_destroy(&guided);
    nst_image_destroy(&white), nst_image_destroy(&part), nst_settings_destroy(&s);
}
END_TEST

/* The gradient is the losses' (a step along it, both ways), with two soft regions that overlap and a style mask; and in
 * windows both are what they are in one piece. */
START_TEST(gradient_and_windows)
{

    nst_image *content = picture(120, 90, 3, 3), *one = picture(114, 102, 3, 5), *two = picture(96, 108, 3, 2);
    nst_image *left = stripe(120, 90, 0, 54), *right = stripe(60, 45, 24, 60), *part = stripe(114, 102, 18, 72);
    nst_settings *s = settings(presets[_i], 120);
    const nst_image *styles[] = { one, two };
    struct run at, more, less, windows;
    double norm = 0, slope, step;

    ck_assert(nst_image_set_region(one, left, part, NULL) == NST_OK);
    ck_assert(nst_image_set_region(two, right, NULL, NULL) == NST_OK);
    evaluate(&at, s, content, styles, 2, 0, NULL);
    for (size_t i = 0; i < 3 * (size_t)at.r.w * (size_t)at.r.h; i++)
        norm += pow((double)at.r.state.dx[i], 2);
    step = 2e-3 * at.p.total / norm; /* the loss changes by two thousandths: float's noise is far below */
    evaluate(&more, s, content, styles, 2, step, at.r.state.dx);
    evaluate(&less, s, content, styles, 2, -step, at.r.state.dx);
    slope = (more.p.total - less.p.total) / (2 * step);
    ck_assert_msg(fabs(slope - norm) < 5e-3 * norm, "%s: slope %g, the gradient says %g", presets[_i], slope, norm);
    s->window = 64;
    evaluate(&windows, s, content, styles, 2, 0, NULL);
    ck_assert_int_gt(nst_windows_count(windows.r.setup.layout[0].gradient), 1);
    ck_assert_msg(fabs(at.p.total - windows.p.total) < 1e-5 * at.p.total, "%.9g and %.9g", at.p.total, windows.p.total);
    ck_assert_msg(difference(&at.r, &windows.r) < 1e-4, "gradients differ by %g", difference(&at.r, &windows.r));
    nst_run_close(&at.r), nst_run_close(&more.r), nst_run_close(&less.r), nst_run_close(&windows.r);
    nst_image_destroy(&content), nst_image_destroy(&one), nst_image_destroy(&two);
    nst_image_destroy(&left), nst_image_destroy(&right), nst_image_destroy(&part), nst_settings_destroy(&s);
}
END_TEST

/* A style pulls only where it is painted and as far around as features reach; another style's part of the picture does
 * not move. */
START_TEST(a_style_stays_in_its_region)
{
    nst_image *content = picture(300, 40, 3, 3), *style = picture(100, 100, 3, 5), *left = stripe(300, 40, 0, 60);
    nst_settings *s = settings("opengenus", 300);
    const nst_image *styles[] = { style };
    double inside = 0, outside = 0;
    struct run t;

    ck_assert(nst_image_set_region(style, left, NULL, NULL) == NST_OK);
    s->content_weight = 0;
    s->tv_weight = 0;
    evaluate(&t, s, content, styles, 1, 0, NULL);
    for (int y = 0; y < t.r.h; y++)
        for (int x = 0; x < t.r.w; x++) {
            double v = fabs((double)t.r.state.dx[y * t.r.w + x]);

            if (x < 60)
                inside += v;
            else if (x >= 60 + 3 + 160)
                outside += v;
        }
    ck_assert(inside > 0);
    ck_assert_msg(outside < 1e-5 * inside, "%g inside, %g far outside", inside, outside); /* Winograd's tiles round */
    nst_run_close(&t.r);
    nst_image_destroy(&content), nst_image_destroy(&style), nst_image_destroy(&left), nst_settings_destroy(&s);
}
END_TEST

/* A style without a mask among others gets what these leave: the same as with that mask. */
START_TEST(the_rest)
{
    nst_image *content = picture(120, 90, 3, 3), *one = picture(90, 95, 3, 5);
    nst_image *two = picture(80, 100, 3, 2), *three = picture(80, 100, 3, 2);
    nst_image *left = stripe(120, 90, 0, 50), *right = stripe(120, 90, 50, 120);
    nst_settings *s = settings("nst", 120);
    const nst_image *implied[] = { one, two }, *named[] = { one, three };
    struct run a, b;

    s->color = _i ? NST_COLOR_MATCH : NST_COLOR_MATCH_STYLE;
    for (int c = 0; c < 3; c++)
        for (int k = 0; k < 120 * 90; k++)
            right->plane[c][k] = 1 - left->plane[c][k];
    ck_assert(nst_image_set_region(one, left, NULL, NULL) == NST_OK);
    ck_assert(nst_image_set_region(three, right, NULL, NULL) == NST_OK);
    evaluate(&a, s, content, implied, 2, 0, NULL);
    evaluate(&b, s, content, named, 2, 0, NULL);
    ck_assert_msg(fabs(a.p.total - b.p.total) < 1e-5 * a.p.total, "%g and %g", a.p.total, b.p.total);
    ck_assert_msg(difference(&a.r, &b.r) < 1e-4, "gradients differ by %g", difference(&a.r, &b.r));
    nst_run_close(&a.r), nst_run_close(&b.r);
    nst_image_destroy(&content), nst_image_destroy(&one), nst_image_destroy(&two), nst_image_destroy(&three);
    nst_image_destroy(&left), nst_image_destroy(&right), nst_settings_destroy(&s);
}
END_TEST

/* A style of one colour gives that colour, evenly: noise in the start that nothing takes away is not put there; a style
 * with texture has all of it.  Black in black's style is black. */
START_TEST(one_colour)
{
    nst_image *content = picture(64, 48, 3, 3), *style = NULL, *out = NULL, *varied = picture(64, 48, 3, 5);
    nst_settings *s = settings("nst", 64);
    const nst_image *styles[] = { varied };
    struct run t;
    nst_error e = { "" };

    ck_assert(nst_image_create(&style, 64, 48, 3, NULL) == NST_OK);
    s->color = NST_COLOR_MATCH;
    s->iterations = s->first_iterations = 12;
    for (int i = 0; i < 64 * 48 && !_i; i++)
        style->plane[0][i] = .9f, style->plane[2][i] = .2f;
    if (_i)
        memcpy(content->plane[0], style->plane[0], 3 * 64 * 48 * sizeof(float));
    ck_assert_msg(nst_transfer(s, model(), content, (const nst_image *const[]){ style }, 1, NULL, NULL, NULL, &out,
                               &e) == NST_OK,
                  "%s", e.text);
    for (int c = 0; c < 3; c++) {
        double sum = 0, squares = 0, n = 64 * 48;

        for (int i = 0; i < 64 * 48; i++) {
            sum += (double)out->plane[c][i];
            squares += pow((double)out->plane[c][i], 2);
        }
        ck_assert_msg(fabs(sum / n - (double)style->plane[c][0]) < .02, "channel %d: mean %g", c, sum / n);
        ck_assert_msg(squares / n - pow(sum / n, 2) < pow(1.5 / 255, 2), "channel %d: deviation %g of 255", c,
                      255 * sqrt(squares / n - pow(sum / n, 2)));
    }
    evaluate(&t, s, content, styles, 1, 0, NULL);
    ck_assert(t.r.setup.s.init_noise == s->init_noise && s->init_noise > 0);
    nst_run_close(&t.r);
    nst_image_destroy(&content), nst_image_destroy(&style), nst_image_destroy(&out), nst_image_destroy(&varied);
    nst_settings_destroy(&s);
}
END_TEST

/* What is black in a style's mask does not count: a style of two halves, the black one changed beyond where features
 * reach, has the same targets; colours are matched to the white half only.  Without regions, and with two styles
 * blended. */
START_TEST(a_part_of_a_style)
{
    nst_image *content = picture(96, 80, 3, 3), *two = picture(80, 90, 3, 2);
    nst_image *half = picture(400, 100, 3, 5), *other = picture(400, 100, 3, 5);
    nst_image *mask = stripe(400, 100, 0, 40);
    nst_settings *s = settings("nst", 96);
    const nst_image *a_styles[] = { half, two }, *b_styles[] = { other, two };
    struct run a, b, plain;

    s->color = NST_COLOR_MATCH;
    s->size = 0; /* no picture is resampled */
    s->margin = 0;
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < 100; y++)
            for (int x = 230; x < 400; x++)
                other->plane[c][y * 400 + x] = (float)((x * 7 + y * c) % 11) / 11;
    evaluate(&plain, s, content, a_styles, 2, 0, NULL);
    nst_image_set_region(half, NULL, mask, NULL);
    nst_image_set_region(other, NULL, mask, NULL);
    evaluate(&a, s, content, a_styles, 2, 0, NULL);
    evaluate(&b, s, content, b_styles, 2, 0, NULL);
    ck_assert_msg(fabs(a.p.total - b.p.total) < 1e-5 * a.p.total, "%g and %g", a.p.total, b.p.total);
    ck_assert_msg(difference(&a.r, &b.r) < 1e-4, "gradients differ by %g", difference(&a.r, &b.r));
    ck_assert_msg(difference(&a.r, &plain.r) > 1e-2, "the mask changes the gradient by %g only",
                  difference(&a.r, &plain.r));
    nst_run_close(&a.r), nst_run_close(&b.r), nst_run_close(&plain.r);
    nst_image_destroy(&content), nst_image_destroy(&half), nst_image_destroy(&other), nst_image_destroy(&two);
    nst_image_destroy(&mask), nst_settings_destroy(&s);
}
END_TEST

/* Content is recoloured where a region is, to its style; elsewhere it keeps its colours. */
START_TEST(colours_stay_in_their_region)
{
    nst_image *content = picture(100, 80, 3, 3), *red = NULL, *mask = stripe(100, 80, 0, 40);
    nst_settings *s = settings("nst", 0);
    const nst_image *styles[1];
    struct run t;

    ck_assert(nst_image_create(&red, 64, 64, 3, NULL) == NST_OK);
    for (int k = 0; k < 64 * 64; k++)
        red->plane[0][k] = 1;
    ck_assert(nst_image_set_region(red, mask, NULL, NULL) == NST_OK);
    styles[0] = red;
    s->color = NST_COLOR_MATCH;
    s->color_strength = 1;
    evaluate(&t, s, content, styles, 1, 0, NULL);
    for (int y = 0; y < 80; y++)
        for (int x = 0; x < 100; x++) {
            int in = y * 100 + x, at = (y + t.r.setup.margin) * t.r.w + x + t.r.setup.margin;

            if (x < 36)
                ck_assert(t.r.targets.picture->plane[0][at] > .95f && t.r.targets.picture->plane[1][at] < .05f);
            else if (x >= 43)
                ck_assert_float_eq_tol(t.r.targets.picture->plane[1][at], content->plane[1][in], 1e-6f);
        }
    nst_run_close(&t.r);
    nst_image_destroy(&content), nst_image_destroy(&red), nst_image_destroy(&mask), nst_settings_destroy(&s);
}
END_TEST

/* ---- wrong masks ---- */

static void refused(const nst_image *content, const nst_image *const *styles, int n, const char *says)
{
    nst_settings *s = settings("opengenus", 64);
    nst_image *out = NULL;
    nst_error e = { "" };

    ck_assert_int_eq(nst_transfer(s, model(), content, styles, n, NULL, NULL, NULL, &out, &e), NST_EARG);
    ck_assert_msg(strstr(e.text, says) != NULL, "%s", e.text);
    ck_assert_ptr_null(out);
    nst_settings_destroy(&s);
}

/* Masks of other proportions, all black, missing beside others: one sentence each. */
START_TEST(wrong_masks)
{
    nst_image *content = picture(64, 48, 3, 3), *one = picture(64, 64, 3, 5), *two = picture(64, 64, 3, 2);
    nst_image *tall = stripe(48, 64, 0, 20), *black = stripe(64, 48, 90, 90), *good = stripe(64, 48, 0, 30);
    nst_image *white = stripe(64, 48, 0, 64);
    const nst_image *styles[] = { one, two, two };

    ck_assert(nst_image_set_region(one, tall, NULL, NULL) == NST_OK);
    refused(content, styles, 1,
            "content mask 1: is 48 x 64 pixels, expected the proportions of the content picture, 64 x 48");
    ck_assert(nst_image_set_region(one, black, NULL, NULL) == NST_OK);
    refused(content, styles, 1, "content mask 1: is black all over");
    ck_assert(nst_image_set_region(one, good, good, NULL) == NST_OK);
    refused(content, styles, 1, "style mask 1: is 64 x 48 pixels");
    ck_assert(nst_image_set_region(one, good, NULL, NULL) == NST_OK);
    refused(content, styles, 3, "content masks: 1 for 3 styles");
    ck_assert(nst_image_set_region(one, white, NULL, NULL) == NST_OK);
    refused(content, styles, 2, "style picture 2: has no content mask, and the others' masks leave nothing");
    ck_assert(nst_image_set_region(one, NULL, black, NULL) == NST_OK);
    refused(content, styles, 1, "style mask 1: is");
    nst_image_destroy(&content), nst_image_destroy(&one), nst_image_destroy(&two);
    nst_image_destroy(&tall), nst_image_destroy(&black), nst_image_destroy(&good);
    nst_image_destroy(&white);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_loop_test(t, white_masks_are_none, 0, 4);
    tcase_add_loop_test(t, gradient_and_windows, 0, 4);
    tcase_add_test(t, a_style_stays_in_its_region);
    tcase_add_loop_test(t, the_rest, 0, 2);
    tcase_add_loop_test(t, one_colour, 0, 2);
    tcase_add_test(t, a_part_of_a_style);
    tcase_add_test(t, colours_stay_in_their_region);
    tcase_add_test(t, wrong_masks);
}

int main(void)
{
    return run_suite("regions", add);
}
