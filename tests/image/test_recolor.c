/* test_recolor.c: one picture's colours moved to another's, and Lab, in which a picture keeps its own. */
#include "../support/picture.h"

static void statistics(const nst_image *image, double mean[3], double cov[3][3])
{
    int n = image->width * image->height;

    for (int c = 0; c < 3; c++) {
        mean[c] = 0;
        for (int i = 0; i < n; i++)
            mean[c] += image->plane[c][i] / n;
    }
    for (int c = 0; c < 3; c++)
        for (int d = 0; d < 3; d++) {
            cov[c][d] = 0;
            for (int i = 0; i < n; i++)
                cov[c][d] += (image->plane[c][i] - mean[c]) * (image->plane[d][i] - mean[d]) / n;
        }
}

/* Colours that lie around `base` with small correlated deviations, so that nothing is clipped. */
static nst_image *cloud(double base, double red, double mix, unsigned max)
{
    nst_image *image = noise_image(64, 48, 3, max);

    for (int i = 0; i < 64 * 48; i++) {
        double r = image->plane[0][i] - 0.5, g = image->plane[1][i] - 0.5, b = image->plane[2][i] - 0.5;

        image->plane[0][i] = (float)(base + red + 0.30 * r + mix * g);
        image->plane[1][i] = (float)(base + mix * r + 0.40 * g - mix * b);
        image->plane[2][i] = (float)(base - red + 0.25 * b + mix * r);
    }
    return image;
}

/* With share 1 the mean and the covariance become the style's (but for the floor of 1e-5); with 0 nothing changes;
 * between them the mean is between; a second time changes nothing. */
START_TEST(recolor_matches)
{
    nst_image *content = cloud(0.4, 0.05, 0.08, 255), *style = cloud(0.6, -0.1, 0.04, 1021), *copy;
    double mc[3], ms[3], m[3], cc[3][3], cs[3][3], cov[3][3];
    nst_error e;

    statistics(content, mc, cc);
    statistics(style, ms, cs);
    copy = nst_image_copy(content);
    ck_assert_int_eq(nst_image_recolor(copy, style, 0, &e), NST_OK);
    same_image(content, copy, 0);
    ck_assert_int_eq(nst_image_recolor(copy, style, 0.25, &e), NST_OK);
    statistics(copy, m, cov);
    for (int c = 0; c < 3; c++)
        ck_assert_double_eq_tol(m[c], 0.75 * mc[c] + 0.25 * ms[c], 1e-5);
    nst_image_destroy(&copy);
    ck_assert_int_eq(nst_image_recolor(content, style, 1, &e), NST_OK);
    statistics(content, m, cov);
    for (int c = 0; c < 3; c++) {
        ck_assert_double_eq_tol(m[c], ms[c], 1e-5);
        for (int d = 0; d < 3; d++)
            ck_assert_double_eq_tol(cov[c][d], cs[c][d], 5e-5);
    }
    copy = nst_image_copy(content);
    ck_assert_int_eq(nst_image_recolor(copy, style, 1, &e), NST_OK);
    same_image(content, copy, 2e-3);
    nst_image_destroy(&copy);
    nst_image_destroy(&content);
    nst_image_destroy(&style);
}
END_TEST

/* A picture onto itself stays; a picture of one colour takes the mean and stays in range; grey stays finite; what is
 * transparent does not count. */
START_TEST(recolor_edges)
{
    nst_image *style = cloud(0.5, 0.1, 0.05, 255), *copy = nst_image_copy(style), *flat = new_image(8, 8, 3), *half;
    double mean[3], cov[3][3], m[3];
    nst_error e = { "" };

    ck_assert_int_eq(nst_image_recolor(copy, style, 1, &e), NST_OK);
    same_image(copy, style, 1e-5);
    statistics(style, mean, cov);
    ck_assert_int_eq(nst_image_recolor(flat, style, 1, &e), NST_OK);
    for (int c = 0; c < 3; c++)
        ck_assert_double_eq_tol(flat->plane[c][17], mean[c], 1e-5);
    half = new_image(64, 96, 4); /* its upper half is the style, its lower half transparent black */
    for (int c = 0; c < 4; c++)
        for (int i = 0; i < 64 * 48; i++)
            half->plane[c][i] = c < 3 ? style->plane[c][i] : 1;
    nst_image_destroy(&copy);
    copy = cloud(0.3, 0, 0.02, 255);
    ck_assert_int_eq(nst_image_recolor(copy, half, 1, &e), NST_OK);
    statistics(copy, m, cov);
    for (int c = 0; c < 3; c++)
        ck_assert_double_eq_tol(m[c], mean[c], 1e-5);
    ck_assert_int_eq(nst_image_recolor(copy, style, 1.5, &e), NST_EARG);
    ck_assert_str_eq(e.text, "recolor: share 1.5, expected 0 to 1");
    flat->plane[1][3] = NAN;
    nst_image_destroy(&half);
    half = nst_image_copy(copy);
    ck_assert_int_eq(nst_image_recolor(copy, flat, 1, &e), NST_EDIVERGED);
    same_image(copy, half, 0);
    nst_image_destroy(&half);
    nst_image_destroy(&copy);
    nst_image_destroy(&flat);
    nst_image_destroy(&style);
}
END_TEST

/* ---- Lab --------------------------------------------------------------------------- */

/* Known colours (white, mid grey, sRGB red: the tables of CIE 1976 Lab under D65) and there and back again. */
START_TEST(lab_known)
{
    static const struct {
        float rgb[3];
        double lab[3];
    } known[] = { { { 1, 1, 1 }, { 100, 0, 0 } },
                  { { 0, 0, 0 }, { 0, 0, 0 } },
                  { { .46633f, .46633f, .46633f }, { 50, 0, 0 } },
                  { { 1, 0, 0 }, { 53.24, 80.09, 67.20 } },
                  { { 0, 0, 1 }, { 32.30, 79.19, -107.86 } } };
    nst_image *noise = noise_image(16, 16, 3, 255);

    for (size_t i = 0; i < NST_COUNT(known); i++) {
        double lab[3];

        nst_lab_from_srgb(known[i].rgb, lab);
        for (int c = 0; c < 3; c++)
            ck_assert_msg(fabs(lab[c] - known[i].lab[c]) < .03, "colour %zu, number %d: %g", i, c, lab[c]);
    }
    for (int i = 0; i < 256; i++) {
        float in[3] = { noise->plane[0][i], noise->plane[1][i], noise->plane[2][i] }, out[3];
        double lab[3];

        nst_lab_from_srgb(in, lab);
        nst_lab_to_srgb(lab, out);
        for (int c = 0; c < 3; c++)
            ck_assert(fabsf(in[c] - out[c]) < 1e-4f);
    }
    nst_image_destroy(&noise);
}
END_TEST

/* With share 1 every pixel has the content's a and b, whether or not sRGB has them at its own lightness, and where it
 * has, its own lightness; with 0 nothing changes. */
START_TEST(colors_kept)
{
    nst_image *image = noise_image(32, 24, 3, 255), *content = smooth_image(32, 24, 3), *copy = nst_image_copy(image);
    int own = 0;

    nst_image_keep_colors(copy, content, 0);
    same_image(image, copy, 0);
    nst_image_keep_colors(copy, content, 1);
    for (int i = 0; i < 32 * 24; i++) {
        double lab[3], want[3], before[3];

        nst_lab_from_srgb((float[3]){ copy->plane[0][i], copy->plane[1][i], copy->plane[2][i] }, lab);
        nst_lab_from_srgb((float[3]){ content->plane[0][i], content->plane[1][i], content->plane[2][i] }, want);
        nst_lab_from_srgb((float[3]){ image->plane[0][i], image->plane[1][i], image->plane[2][i] }, before);
        ck_assert_msg(hypot(lab[1] - want[1], lab[2] - want[2]) < .1, "pixel %d: a %g b %g, expected %g %g", i, lab[1],
                      lab[2], want[1], want[2]);
        own += fabs(lab[0] - before[0]) < .05;
    }
    ck_assert_int_gt(own, 32 * 24 / 4);
    nst_image_destroy(&image);
    nst_image_destroy(&content);
    nst_image_destroy(&copy);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, recolor_matches);
    tcase_add_test(t, recolor_edges);
    tcase_add_test(t, lab_known);
    tcase_add_test(t, colors_kept);
}

int main(void)
{
    return run_tests("recolor", add);
}
