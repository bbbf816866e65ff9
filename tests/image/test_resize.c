/* test_resize.c: pictures of other sizes against the definition in double, planes against PyTorch's numbers. */
#include "../support/picture.h"

/* The definition, straight: sum over the input of L(dx) L(dy), in linear light, normalised, per pixel. */
static double lanczos(double x)
{
    const double pi = 3.14159265358979323846;

    if (fabs(x) < 1e-12)
        return 1;
    return fabs(x) < 3 ? 3 * sin(pi * x) * sin(pi * x / 3) / (pi * pi * x * x) : 0;
}

static double oracle(nst_image *in, int c, int x, int y, int w, int h)
{
    double rx = (double)in->width / w, ry = (double)in->height / h, sx = fmax(rx, 1), sy = fmax(ry, 1);
    double sum = 0, weights = 0;

    for (int v = 0; v < in->height; v++)
        for (int u = 0; u < in->width; u++) {
            double weight = lanczos((u + 0.5 - (x + 0.5) * rx) / sx) * lanczos((v + 0.5 - (y + 0.5) * ry) / sy);

            weights += weight;
            sum += weight * (double)nst_srgb_to_linear(*at(in, c, u, v));
        }
    return (double)nst_linear_to_srgb((float)fmin(fmax(sum / weights, 0), 1));
}

static nst_image *resized(const nst_image *in, int w, int h)
{
    nst_error e = { "" };
    nst_image *out;

    ck_assert_msg(nst_image_resize(&out, in, w, h, &e) == NST_OK, "%s", e.text);
    ck_assert_int_eq(out->width, w);
    ck_assert_int_eq(out->height, h);
    ck_assert_int_eq(out->channels, in->channels);
    return out;
}

/* Smaller, larger, both, and with sides of one pixel: every number is the definition's. */
START_TEST(definition)
{
    static const int sizes[][4] = { { 37, 23, 11, 9 }, { 12, 9, 31, 40 }, { 20, 30, 33, 7 }, { 1, 1, 5, 4 },
                                    { 1, 17, 3, 5 },   { 40, 3, 1, 1 },   { 16, 16, 8, 8 },  { 2, 50, 50, 2 } };

    for (size_t i = 0; i < NST_COUNT(sizes); i++) {
        nst_image *in = noise_image(sizes[i][0], sizes[i][1], 3, 255), *out = resized(in, sizes[i][2], sizes[i][3]);

        for (int c = 0; c < 3; c++)
            for (int y = 0; y < out->height; y++)
                for (int x = 0; x < out->width; x++) {
                    double want = oracle(in, c, x, y, out->width, out->height);

                    /* 1e-6 of linear light is up to 13 times that in dark sRGB */
                    ck_assert_msg(fabs(*at(out, c, x, y) - want) < 2e-5,
                                  "size %zu, %d %d %d: %.7f, expected %.7f", i, c, x, y,
                                  (double)*at(out, c, x, y), want);
                }
        nst_image_destroy(&in);
        nst_image_destroy(&out);
    }
}
END_TEST

/* The same size is an exact copy, values out of range included; a constant picture stays constant. */
START_TEST(same_and_constant)
{
    static const int sizes[][2] = { { 10, 7 }, { 64, 48 }, { 101, 1 }, { 33, 200 } };
    nst_image *in = noise_image(33, 21, 4, 255), *out;

    in->plane[1][5] = 1.5f;
    out = resized(in, 33, 21);
    same_image(in, out, 0);
    ck_assert_ptr_ne(in->plane[0], out->plane[0]);
    nst_image_destroy(&out);
    for (int c = 0; c < 4; c++)
        for (int i = 0; i < 33 * 21; i++)
            in->plane[c][i] = 0.2f + 0.2f * (float)c;
    for (size_t k = 0; k < NST_COUNT(sizes); k++) {
        out = resized(in, sizes[k][0], sizes[k][1]);
        for (int c = 0; c < 4; c++)
            for (int i = 0; i < out->width * out->height; i++)
                ck_assert_float_eq_tol(out->plane[c][i], 0.2f + 0.2f * (float)c, 3e-6f);
        nst_image_destroy(&out);
    }
    nst_image_destroy(&in);
}
END_TEST

/* A chess board of single pixels shrinks to the grey of half the light (sRGB 188), not of half the number (128); the
 * mean light of a picture survives. */
START_TEST(linear_light)
{
    nst_image *in = new_image(64, 64, 3), *out;
    double before = 0, after = 0;

    for (int c = 0; c < 3; c++)
        for (int y = 0; y < 64; y++)
            for (int x = 0; x < 64; x++)
                *at(in, c, x, y) = (float)((x + y) & 1);
    out = resized(in, 8, 8);
    for (int i = 0; i < 64; i++)
        ck_assert_float_eq_tol(out->plane[1][i], 0.7354f, 0.01f);
    nst_image_destroy(&in);
    nst_image_destroy(&out);
    in = smooth_image(640, 480, 3);
    out = resized(in, 320, 240); /* coarser, the waves would ring below black and be clipped */
    for (int i = 0; i < 640 * 480; i++)
        before += (double)nst_srgb_to_linear(in->plane[0][i]) / (640 * 480);
    for (int i = 0; i < 320 * 240; i++)
        after += (double)nst_srgb_to_linear(out->plane[0][i]) / (320 * 240);
    ck_assert_double_eq_tol(before, after, 1e-4);
    nst_image_destroy(&in);
    nst_image_destroy(&out);
}
END_TEST

/* Mirrored in, mirrored out: nothing is shifted by part of a pixel. */
START_TEST(symmetric)
{
    static const int sizes[][2] = { { 20, 20 }, { 61, 33 }, { 100, 90 } };

    for (size_t k = 0; k < NST_COUNT(sizes); k++) {
        nst_image *in = noise_image(61, 47, 3, 255), *mirrored = nst_image_copy(in), *a, *b;
        nst_error e;

        ck_assert_int_eq(nst_image_orient(mirrored, 3, "x", &e), NST_OK);
        a = resized(in, sizes[k][0], sizes[k][1]);
        b = resized(mirrored, sizes[k][0], sizes[k][1]);
        ck_assert_int_eq(nst_image_orient(b, 3, "x", &e), NST_OK);
        same_image(a, b, 2e-5);
        nst_image_destroy(&in);
        nst_image_destroy(&mirrored);
        nst_image_destroy(&a);
        nst_image_destroy(&b);
    }
}
END_TEST

/* Colours under transparent pixels do not bleed into visible ones, and remain where all is transparent. */
START_TEST(alpha)
{
    nst_image *in = new_image(64, 64, 4), *out;

    for (int i = 0; i < 64 * 64; i++) { /* left: opaque blue; right: transparent red */
        in->plane[i % 64 < 32 ? 2 : 0][i] = 1;
        in->plane[3][i] = i % 64 < 32;
    }
    for (int side = 15; side <= 90; side += 75) {
        out = resized(in, side, side);
        for (int i = 0; i < side * side; i++)
            if (out->plane[3][i] > 0.01f) {
                ck_assert_float_eq_tol(out->plane[0][i], 0, 1e-3f);
                ck_assert_float_eq_tol(out->plane[2][i], 1, 1e-3f);
            }
        ck_assert_float_eq_tol(*at(out, 3, 0, side / 2), 1, 1e-4f);
        ck_assert_float_eq_tol(*at(out, 3, side - 1, side / 2), 0, 1e-4f);
        ck_assert_float_eq_tol(*at(out, 0, side - 1, side / 2), 1, 0.01f);
        nst_image_destroy(&out);
    }
    nst_image_destroy(&in);
}
END_TEST

/* What is hidden becomes a continuation of what is visible, whatever it was, NaN too; what is visible stays to the
 * bit. */
START_TEST(hidden)
{
    nst_image *in = new_image(61, 47, 4), *copy;

    for (int y = 0; y < 47; y++)
        for (int x = 0; x < 61; x++) {
            bool seen = x > 10 && x < 40 && y > 5 && (x - 25) * (x - 25) + (y - 20) * (y - 20) > 30;
            float below = x % 2 ? NAN : 1;

            *at(in, 3, x, y) = x % 2 ? 0 : 0.001f;
            if (seen)
                *at(in, 3, x, y) = x % 3 ? 1 : 0.25f;
            for (int c = 0; c < 3; c++)
                *at(in, c, x, y) = seen ? 0.3f + 0.2f * (float)c + 0.002f * (float)x : below;
        }
    copy = nst_image_copy(in);
    ck_assert(nst_image_fill_hidden(copy, NULL) == NST_OK);
    for (int y = 0; y < 47; y++)
        for (int x = 0; x < 61; x++)
            for (int c = 0; c < 4; c++) {
                float v = *at(copy, c, x, y);

                if (c == 3 || *at(in, 3, x, y) > 0.01f)
                    ck_assert(v == *at(in, c, x, y));
                else /* within what is visible, and what it is beside it */
                    ck_assert_msg(v >= 0.3f + 0.2f * (float)c + 0.02f && v <= 0.3f + 0.2f * (float)c + 0.08f,
                                  "channel %d, %d, %d: %g", c, x, y, (double)v);
                if (c < 3 && x == 41 && y > 5)
                    ck_assert_float_eq_tol(v, 0.3f + 0.2f * (float)c + 0.08f, 0.012f);
            }
    nst_image_destroy(&copy);
    for (int i = 0; i < 61 * 47; i++)
        in->plane[3][i] = 0;
    ck_assert(nst_image_fill_hidden(in, NULL) == NST_OK && nst_image_invisible(in));
    for (int i = 0; i < 3 * 61 * 47; i++)
        ck_assert(in->plane[0][i] == 0.5f);
    nst_image_destroy(&in);
}
END_TEST

/* A size that is none is refused, the input is not touched. */
START_TEST(refused)
{
    nst_image *in = noise_image(8, 8, 3, 255), *out = in;
    nst_error e;

    ck_assert_int_eq(nst_image_resize(&out, in, 0, 8, &e), NST_EARG);
    ck_assert_ptr_null(out);
    ck_assert_int_ne(nst_image_resize(&out, in, 70000, 8, &e), NST_OK);
    ck_assert_ptr_null(out);
    nst_image_destroy(&in);
}
END_TEST

/* ---- planes -------------------------------------------------------------------- */

/* A 4 x 3 plane to 7 x 5 and 3 x 2, as torch.nn.functional.interpolate(align_corners=False) in float64 has it. */
static const float plane[12] = { 0, 1, 4, 2, 3, 5, -1, 7, 2, 2, 8, 0.5f };

static const float bicubic_7x5[35] = {
    -0.377692f, -0.217595f, 0.385792f, 2.910250f, 4.489126f, 2.766228f, 1.226319f, 1.084000f, 1.841410f, 2.742981f,
    1.952750f, 1.520782f, 3.303742f, 4.705253f, 2.801567f, 4.050474f, 5.162719f, 1.437500f, -0.819424f, 3.905066f,
    7.793732f, 2.519864f, 2.850148f, 3.371332f, 3.951312f, 4.136322f, 3.685812f, 3.306000f, 1.923050f, 1.398745f,
    1.392622f, 6.112625f, 8.680108f, 3.378434f, -1.015758f,
};
static const float bicubic_3x2[6] = { 0.891611f, 2.326843f, 3.254358f, 2.350636f, 4.689453f, 2.721847f };
static const float bilinear_7x5[35] = {
    0.000000f, 0.357143f, 0.928571f, 2.500000f, 3.857143f, 2.714286f, 2.000000f, 1.200000f, 1.700000f, 2.500000f,
    2.300000f, 2.142857f, 3.285714f, 4.000000f, 3.000000f, 3.714286f, 4.857143f, 2.000000f, -0.428571f, 4.142857f,
    7.000000f, 2.400000f, 2.685714f, 3.142857f, 3.800000f, 4.307143f, 3.564286f, 3.100000f, 2.000000f, 2.000000f,
    2.000000f, 5.000000f, 7.464286f, 3.178571f, 0.500000f,
};
static const float bilinear_3x2[6] = { 0.958333f, 2.375000f, 3.166667f, 2.333333f, 4.250000f, 2.729167f };

typedef void plane_fn(const float *in, int w, int h, float *out, int ow, int oh);

static void near_torch(plane_fn *f, int ow, int oh, const float *want)
{
    float out[64];

    for (int i = 0; i < 64; i++)
        out[i] = NAN;
    f(plane, 4, 3, out, ow, oh);
    for (int i = 0; i < ow * oh; i++)
        ck_assert_msg(fabsf(out[i] - want[i]) < 5e-6f, "%d of %d x %d: %g, expected %g", i, ow, oh, (double)out[i],
                      (double)want[i]);
    ck_assert(isnan(out[ow * oh]));
}

START_TEST(planes_as_torch)
{
    near_torch(nst_plane_bicubic, 7, 5, bicubic_7x5);
    near_torch(nst_plane_bicubic, 3, 2, bicubic_3x2);
    near_torch(nst_plane_bicubic, 4, 3, plane);
    near_torch(nst_plane_bilinear, 7, 5, bilinear_7x5);
    near_torch(nst_plane_bilinear, 3, 2, bilinear_3x2);
    near_torch(nst_plane_bilinear, 4, 3, plane);
}
END_TEST

/* A plane of one number, and one of one column, have no neighbours to read beyond. */
START_TEST(tiny_planes)
{
    static const float column[3] = { 1, 2, 3 };
    float one = 5, out[6];

    nst_plane_bicubic(&one, 1, 1, out, 3, 2);
    for (int i = 0; i < 6; i++)
        ck_assert_float_eq_tol(out[i], 5, 1e-5f);
    nst_plane_bilinear(&one, 1, 1, out, 3, 2);
    for (int i = 0; i < 6; i++)
        ck_assert_float_eq_tol(out[i], 5, 1e-5f);
    nst_plane_bilinear(column, 1, 3, out, 1, 6);
    for (int i = 0; i < 6; i++)
        ck_assert_float_eq_tol(out[i], fminf(fmaxf(0.75f + 0.5f * (float)i, 1), 3), 1e-5f);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, definition);
    tcase_add_test(t, same_and_constant);
    tcase_add_test(t, linear_light);
    tcase_add_test(t, symmetric);
    tcase_add_test(t, alpha);
    tcase_add_test(t, hidden);
    tcase_add_test(t, refused);
    tcase_add_test(t, planes_as_torch);
    tcase_add_test(t, tiny_planes);
}

int main(void)
{
    return run_tests("resize", add);
}
