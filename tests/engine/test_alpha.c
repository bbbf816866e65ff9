/* test_alpha.c: what is transparent in content and style does not count. */
#include "masked_run.h"

/* A copy with alpha: columns from..to - 1 are visible, three columns beside them half so, and the rest has the
 * colour. */
static nst_image *cut_out(const nst_image *in, int from, int to, float hidden)
{
    nst_image *out = NULL, *alpha = stripe(in->width, in->height, from, to);

    ck_assert(nst_image_create(&out, in->width, in->height, 4, NULL) == NST_OK);
    for (int i = 0; i < in->width * in->height; i++) {
        out->plane[3][i] = alpha->plane[0][i];
        for (int c = 0; c < 3; c++) {
            float below = c == 1 ? hidden : 1 - hidden;

            out->plane[c][i] = alpha->plane[0][i] > 0 ? in->plane[c][i] : below;
        }
    }
    nst_image_destroy(&alpha);
    return out;
}

/* Colours under alpha 0, of content, style and start picture, change no bit of losses and gradient: in every way of
 * colour, resampled or not, in one piece and by regions. */
START_TEST(hidden_colours_do_not_count)
{
    nst_image *whole = picture(110, 90, 3, 3), *painted = picture(130, 100, 3, 5), *two = picture(80, 90, 3, 2);
    nst_image *left = stripe(110, 90, 0, 50);
    nst_settings *s = settings("nst", _i < 3 ? 110 : 84);
    struct run t[2];

    s->color = _i % 4;
    for (int k = 0; k < 2; k++) {
        nst_image *content = cut_out(whole, 20, 80, (float)k), *style = cut_out(painted, 30, 90, (float)k);
        const nst_image *styles[] = { style, two };

        if (_i >= 4)
            ck_assert(nst_image_set_region(style, left, NULL, NULL) == NST_OK);
        evaluate(&t[k], s, content, styles, 2, 0, NULL);
        ck_assert(t[k].r.setup.has_style_masks);
        nst_run_close(&t[k].r);
        nst_image_destroy(&content), nst_image_destroy(&style);
    }
    ck_assert_msg(t[0].p.total == t[1].p.total, "%.12g and %.12g", t[0].p.total, t[1].p.total);
    nst_image_destroy(&whole), nst_image_destroy(&painted), nst_image_destroy(&two), nst_image_destroy(&left);
    nst_settings_destroy(&s);
}
END_TEST

/* A style's alpha is its mask: the same losses as those of the opaque picture with that mask. */
START_TEST(alpha_is_a_mask)
{
    nst_image *content = picture(96, 80, 3, 3), *whole = picture(100, 90, 3, 5), *opaque = NULL;
    nst_image *style = cut_out(whole, 30, 70, 0);
    nst_image *mask = stripe(100, 90, 30, 70);
    nst_settings *s = settings("nst", 0);
    const nst_image *a_styles[] = { style }, *b_styles[] = { NULL };
    struct run a, b;

    s->margin = 0;
    s->color = NST_COLOR_MATCH;
    ck_assert(nst_image_fill_hidden(style, NULL) == NST_OK && nst_image_create(&opaque, 100, 90, 3, NULL) == NST_OK);
    memcpy(opaque->plane[0], style->plane[0], 3 * 9000 * sizeof(float));
    ck_assert(nst_image_set_region(opaque, NULL, mask, NULL) == NST_OK);
    b_styles[0] = opaque;
    evaluate(&a, s, content, a_styles, 1, 0, NULL);
    evaluate(&b, s, content, b_styles, 1, 0, NULL);
    ck_assert_msg(fabs(a.p.total - b.p.total) < 1e-5 * a.p.total, "%g and %g", a.p.total, b.p.total);
    ck_assert_msg(difference(&a.r, &b.r) < 1e-4, "gradients differ by %g", difference(&a.r, &b.r));
    nst_run_close(&a.r), nst_run_close(&b.r);
    nst_image_destroy(&content), nst_image_destroy(&whole), nst_image_destroy(&style), nst_image_destroy(&opaque);
    nst_image_destroy(&mask), nst_settings_destroy(&s);
}
END_TEST

/* A run of one style picture, asked for. */
static nst_run run_of(const nst_settings *s, const nst_image *content, const nst_image *style)
{
    static const nst_image *styles[1];

    styles[0] = style;
    return (nst_run){ .job = { .settings = s, .model = model(), .content = content, .styles = styles, .n_styles = 1 } };
}

/* Nothing visible at all is refused, and what a mask leaves of what is visible. */
START_TEST(nothing_visible)
{
    nst_image *whole = picture(96, 80, 3, 3), *none = cut_out(whole, -9, -9, 0), *half = cut_out(whole, 0, 30, 0);
    nst_image *mask = stripe(96, 80, 60, 96);
    nst_settings *s = settings("nst", 96);
    nst_error e = { "" };
    nst_run r = run_of(s, none, whole);

    ck_assert(nst_run_open(&r, &e) == NST_EARG && strstr(e.text, "content picture: is transparent all over"));
    r = run_of(s, whole, none);
    ck_assert(nst_run_open(&r, &e) == NST_EARG && strstr(e.text, "style picture 1: is transparent all over"));
    ck_assert(nst_image_set_region(half, NULL, mask, NULL) == NST_OK);
    r = run_of(s, whole, half);
    ck_assert(nst_run_open(&r, &e) == NST_OK && nst_run_targets(&r, &e) == NST_EARG);
    ck_assert_msg(strstr(e.text, "transparent wherever its mask is white") != NULL, "%s", e.text);
    nst_run_close(&r);
    nst_image_destroy(&whole), nst_image_destroy(&none), nst_image_destroy(&half), nst_image_destroy(&mask);
    nst_settings_destroy(&s);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_loop_test(t, hidden_colours_do_not_count, 0, 8);
    tcase_add_test(t, alpha_is_a_mask);
    tcase_add_test(t, nothing_visible);
}

int main(void)
{
    return run_suite("alpha", add);
}
