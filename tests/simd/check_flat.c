/* check_flat.c: sums over arrays and steps of optimisers, at any length and alignment. */
#include "check_kernels.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const size_t lengths[] = { 0,  1,  2,  3,  4,  5,  7,   8,   9,   15,  16,  17,
                                  31, 32, 33, 63, 64, 65, 127, 128, 130, 255, 4099 };

/* Any length at any alignment; the same number again for the same array at another alignment. */
static void check_sum(const nst_kernels *k, const char *what, nst_dot_fn *pair, nst_abs_fn *one,
                      oracle_sum (*right)(size_t, const float *, const float *))
{
    for (size_t i = 0; i < NST_COUNT(lengths); i++) {
        size_t n = lengths[i];
        float *x = filled(n + 3), *y = filled(n + 5);
        double got[2];

        for (size_t at = 0; at < 2; at++) {
            memmove(x + 3 * at, x, n * sizeof *x);
            memmove(y + 5 * at, y, n * sizeof *y);
            oracle_sum s = right(n, x + 3 * at, y + 5 * at);

            got[at] = pair ? pair(n, x + 3 * at, y + 5 * at) : one(n, x + 3 * at);
            sum_is(k, what, got[at], &s);
        }
        ck_assert_msg(got[0] == got[1], "%s %s: depends on the alignment", k->name, what);
        release(x), release(y);
    }
}

static oracle_sum abs_only(size_t n, const float *x, const float *y)
{
    (void)y;
    return oracle_abs(n, x);
}

void check_dot(const nst_kernels *k)
{
    check_sum(k, "dot", k->dot, NULL, oracle_dot);
}

void check_distance(const nst_kernels *k)
{
    check_sum(k, "distance", k->distance, NULL, oracle_distance);
}

void check_abs_sum(const nst_kernels *k)
{
    check_sum(k, "abs_sum", NULL, k->abs_sum, abs_only);
}

void check_axpy(const nst_kernels *k)
{
    for (size_t i = 0; i < NST_COUNT(lengths); i++)
        for (size_t at = 0; at < 2; at++) {
            size_t n = lengths[i];
            float *x = filled(n + 1), *y = oracle_alloc(n), *before = filled(n);

            memcpy(y, before, n * sizeof *y);
            k->axpy(n, -.7f, x + at, y);
            for (size_t j = 0; j < n; j++)
                close_to(k, "axpy", y[j], before[j] + (double)-.7f * x[at + j], 2 * FLT_EPSILON);
            release(x), release(y), release(before);
        }
}

/* One step; a gradient of 0 from zero moments moves nothing (0 / eps, not 0 / 0). */
void check_adam(const nst_kernels *k)
{
    static const nst_adam_args a = { .b1 = .9f, .b2 = .99f, .step = .05f, .root = 1.3f, .eps = 1e-8f };

    for (size_t i = 0; i < NST_COUNT(lengths); i++) {
        size_t n = lengths[i];
        float *g = filled(n), *m = filled(n), *v = filled(n), *x = filled(n);
        float *before[3] = { oracle_alloc(n), oracle_alloc(n), oracle_alloc(n) };

        for (size_t j = 0; j < n; j++) {
            v[j] = j % 5 ? fabsf(v[j]) : 0;
            if (j % 5 == 0)
                g[j] = m[j] = 0;
        }
        memcpy(before[0], m, n * sizeof *m), memcpy(before[1], v, n * sizeof *v), memcpy(before[2], x, n * sizeof *x);
        k->adam(n, &a, g, m, v, x);
        for (size_t j = 0; j < n; j++) {
            double mean = (double)a.b1 * before[0][j] + (1 - (double)a.b1) * g[j];
            double square = (double)a.b2 * before[1][j] + (1 - (double)a.b2) * g[j] * g[j];
            double step = (double)a.step * mean / (sqrt(square) * a.root + a.eps);

            close_to(k, "adam's m", m[j], mean, 2 * FLT_EPSILON);
            close_to(k, "adam's v", v[j], square, 2 * FLT_EPSILON);
            close_to(k, "adam's x", x[j], before[2][j] - step, 2 * FLT_EPSILON * (1 + 4 * fabs(step)));
        }
        release(g), release(m), release(v), release(x);
        for (int j = 0; j < 3; j++)
            release(before[j]);
    }
}
