/* test_tv.c: total variation and its gradient against formulas in plain double. */
#include "loss/tv.h"
#include "../support/oracle.h"
#include "../support/suite.h"

#include <math.h>
#include <string.h>

static double at(const double *x, int w, int h, int y, int col)
{
    return x[nst_clamp_int(y, 0, h - 1) * w + nst_clamp_int(col, 0, w - 1)];
}

static double plain_tv(int kind, const double *x, int w, int h)
{
    double half = 0, across = 0, down = 0, absolute = 0, right = 0, below = 0, diagonal = 0;

    for (int c = 0; c < 3; c++, x += w * h)
        for (int y = -1; y < h; y++)
            for (int i = -1; i < w; i++) {
                double p = at(x, w, h, y, i), r = at(x, w, h, y, i + 1), b = at(x, w, h, y + 1, i);

                diagonal += pow(p - at(x, w, h, y + 1, i + 1), 2) + pow(b - r, 2);
                if (y < 0 || i < 0)
                    continue;
                absolute += fabs(p - r) + fabs(p - b);
                right += pow(p - r, 2);
                below += pow(p - b, 2);
                across += i + 1 < w ? pow(p - r, 2) : 0;
                down += y + 1 < h ? pow(p - b, 2) : 0;
                half += i + 1 < w && y + 1 < h ? pow(p - r, 2) + pow(p - b, 2) : 0;
            }
    if (kind == NST_TV_HALF_SQUARES)
        return half / 2;
    if (kind == NST_TV_ABSOLUTE)
        return absolute;
    if (kind == NST_TV_REPLICATED)
        return (right + below) / (3 * w * h);
    if (kind == NST_TV_MEAN_SQUARES)
        return (w > 1 ? across / (3 * h * (w - 1)) : 0) + (h > 1 ? down / (3 * (h - 1) * w) : 0);
    return 2 * ((right + below) / (3 * w * h) / 3 + diagonal / (3 * (w + 1) * (h + 1)) / 12);
}

/* Each kind at several shapes, single rows and columns too: value and gradient, which is added to what is there. */
START_TEST(total_variation)
{
    static const int shape[][2] = { { 7, 5 }, { 1, 6 }, { 6, 1 }, { 2, 2 }, { 1, 1 } };

    for (size_t k = 0; k < NST_COUNT(shape); k++) {
        int w = shape[k][0], h = shape[k][1], n = 3 * w * h;
        double x[105], want;
        float *in = oracle_alloc((size_t)n), *dx = oracle_alloc((size_t)n);

        oracle_seed(3);
        for (int i = 0; i < n; i++)
            x[i] = (double)(in[i] = oracle_random()), dx[i] = 1;
        want = 2 * plain_tv(_i, x, w, h);
        for (int threads = 1; threads < 3; threads++) {
            nst_cpu cpu = { nst_kernels_pick("scalar"), threads };
            double got = nst_tv_loss(&cpu, _i, in, w, h, 2, dx);

            ck_assert_msg(fabs(got - want) <= 1e-6 * want, "%d x %d: %.9g, expected %.9g", w, h, got, want);
        }
        for (int i = 0; i < n; i++) {
            double was = x[i], up, down, got = ((double)dx[i] - 1) / 2;

            x[i] = was + 1e-5;
            up = plain_tv(_i, x, w, h);
            x[i] = was - 1e-5;
            down = plain_tv(_i, x, w, h);
            x[i] = was;
            ck_assert_msg(fabs(got - (up - down) / 1e-5) <= 1e-5 * fmax(1, want),
                          "%d x %d, number %d: %.9g, expected %.9g", w, h, i, got, (up - down) / 1e-5);
        }
        ck_assert(oracle_free(in) && oracle_free(dx));
    }
}
END_TEST

static void add(TCase *t)
{
    tcase_add_loop_test(t, total_variation, 0, NST_TV_COUNT);
}

int main(void)
{
    return run_suite("tv", add);
}
