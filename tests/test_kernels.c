/* test_kernels.c: every kernel of every set that runs here, against naive loops in double: outputs start as NaN,
 * stand between guards, and may be off by what theory says of a float sum. */
#include "ops/ops.h"
#include "oracle.h"
#include "suite.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { L = NST_LANES };

/* What a float result may differ by. */
static void close_to(const nst_kernels *k, const char *what, double got, double expected, double tolerance)
{
    ck_assert_msg(fabs(got - expected) <= tolerance, "%s %s: %.9g, expected %.9g within %.2g", k->name, what, got,
                  expected, tolerance);
}

static void sum_is(const nst_kernels *k, const char *what, double got, const oracle_sum *s)
{
    close_to(k, what, got, s->value, oracle_tolerance(s));
}

static float *filled(size_t n)
{
    float *p = oracle_alloc(n);

    oracle_fill(n, p);
    return p;
}

static void release(float *p)
{
    ck_assert_msg(oracle_free(p), "a float outside of the array was written");
}

/* ---- products ---------------------------------------------------------------- */

/* A tile's every element, stored or added, for short and long sums; what lies between the blocks stays. */
static void gemm_case(const nst_kernels *k, size_t kb, size_t gap, int add)
{
    size_t lda = (size_t)k->mr * L + gap, ldc = (size_t)k->mr * L + gap, blocks = (size_t)k->nr / L;
    float *a = filled(kb * lda), *w = filled(kb * L * (size_t)k->nr), *c = oracle_alloc(blocks * ldc);

    for (size_t b = 0; add && b < blocks; b++)
        oracle_fill((size_t)k->mr * L, c + b * ldc);
    float *before = oracle_alloc(blocks * ldc);

    memcpy(before, c, blocks * ldc * sizeof *c);
    k->gemm_tile(kb, a, lda, w, c, ldc, add);
    for (int j = 0; j < k->nr; j++)
        for (int r = 0; r < k->mr; r++) {
            size_t at = (size_t)(j / L) * ldc + (size_t)r * L + (size_t)(j % L);
            oracle_sum s = oracle_gemm(kb, a, lda, w, k->nr, r, j);

            if (add)
                oracle_add(&s, before[at]);
            sum_is(k, "gemm_tile", c[at], &s);
        }
    for (size_t b = 0; b < blocks; b++)
        for (size_t i = 0; i < gap; i++)
            ck_assert(oracle_untouched(c + b * ldc + ldc - gap + i));
    release(a), release(w), release(c), release(before);
}

static void check_gemm_tile(const nst_kernels *k)
{
    static const size_t blocks[] = { 1, 2, 3, 9, 36, 72 };

    for (size_t i = 0; i < NST_COUNT(blocks); i++)
        for (int add = 0; add < 2; add++) {
            gemm_case(k, blocks[i], 0, add);
            gemm_case(k, blocks[i], L, add);
        }
}

/* Products over positions are added to what is there; rows of g may be longer than a block. */
static void gram_case(const nst_kernels *k, size_t n, size_t ldg)
{
    float *a = filled(n * L), *b = filled(n * L), *g = oracle_alloc(L * ldg), before[L][L];

    for (size_t i = 0; i < L; i++) {
        oracle_fill(L, before[i]);
        memcpy(g + i * ldg, before[i], sizeof before[i]);
    }
    k->gram_tile(n, a, b, g, ldg);
    for (int i = 0; i < L; i++) {
        for (int j = 0; j < L; j++) {
            oracle_sum s = oracle_gram_tile(n, a, b, i, j);

            oracle_add(&s, before[i][j]);
            sum_is(k, "gram_tile", g[(size_t)i * ldg + (size_t)j], &s);
        }
        for (size_t j = L; j < ldg; j++)
            ck_assert(oracle_untouched(g + (size_t)i * ldg + j));
    }
    release(a), release(b), release(g);
}

static void check_gram_tile(const nst_kernels *k)
{
    static const size_t n[] = { 0, 1, 2, 3, 7, 16, 33, 1000 };

    for (size_t i = 0; i < NST_COUNT(n); i++) {
        gram_case(k, n[i], L);
        gram_case(k, n[i], 3 * L);
    }
}

/* In double; stored, over what was there, or added. */
static void check_double_tile(const nst_kernels *k)
{
    enum { MOST = 100 };
    static const size_t n[] = { 0, 1, 2, 5, 16, 64, MOST };
    static _Alignas(64) double a[MOST * L], b[MOST * L], c[L * L + 2];

    for (size_t i = 0; i < MOST * L; i++)
        a[i] = (double)oracle_random(), b[i] = (double)oracle_random();
    for (size_t i = 0; i < 2 * NST_COUNT(n); i++) {
        size_t terms = n[i / 2];
        bool add = i % 2;

        for (size_t j = 0; j < L * L + 2; j++)
            c[j] = add || j >= L * L ? .5 : NAN;
        k->double_tile(terms, a, b, c, add);
        for (size_t row = 0; row < L; row++)
            for (size_t column = 0; column < L; column++) {
                double sum = add ? .5 : 0;

                for (size_t p = 0; p < terms; p++)
                    sum += a[p * L + row] * b[p * L + column];
                close_to(k, "double_tile", c[row * L + column], sum, 2 * DBL_EPSILON * (1 + (double)terms));
            }
        ck_assert(c[L * L] == .5 && c[L * L + 1] == .5);
    }
}

/* The first layer reads rows of a picture at any alignment, three of them overlapping. */
static void check_first_tile(const nst_kernels *k)
{
    for (size_t shift = 0; shift < 5; shift++) {
        size_t row = NST_MR_MAX + 2 + shift, ldc = (size_t)k->mr * L + L, blocks = (size_t)k->nr / L;
        float *x = filled(9 * row), *w = filled(27 * (size_t)k->nr), *c = oracle_alloc(blocks * ldc);
        const float *p[27];

        for (size_t i = 0; i < 27; i++)
            p[i] = x + i / 3 * row + i % 3 + shift;
        k->first_tile(p, w, c, ldc);
        for (int j = 0; j < k->nr; j++)
            for (int r = 0; r < k->mr; r++) {
                oracle_sum s = oracle_first(p, w, k->nr, r, j);

                sum_is(k, "first_tile", c[(size_t)(j / L) * ldc + (size_t)r * L + (size_t)(j % L)], &s);
            }
        for (size_t b = 0; b < blocks; b++)
            for (size_t i = 0; i < L; i++)
                ck_assert(oracle_untouched(c + b * ldc + ldc - L + i));
        release(x), release(w), release(c);
    }
}

/* Sums of each channel over positions, added to what is there. */
static void check_sums(const nst_kernels *k)
{
    static const size_t counts[] = { 0, 1, 3, 4, 7, 64, 257 };

    for (size_t i = 0; i < NST_COUNT(counts); i++) {
        size_t n = counts[i];
        float *f = filled(n * L), *s = filled(L), before[L];

        memcpy(before, s, sizeof before);
        k->sums(n, f, s);
        for (size_t l = 0; l < L; l++) {
            oracle_sum want = { 0 };

            oracle_add(&want, before[l]);
            for (size_t p = 0; p < n; p++)
                oracle_add(&want, f[p * L + l]);
            sum_is(k, "sums", s[l], &want);
        }
        release(f), release(s);
    }
}

/* ---- Winograd ----------------------------------------------------------------- */

struct winograd {
    int m;
    double factor; /* times the direct sum's tolerance, as the matrices' entries are large; worst seen 10 and 24 */
    nst_wino_in_fn *in;
    nst_wino_filter_fn *filter;
    nst_wino_out_fn *out;
};

static struct winograd winograd4(const nst_kernels *k)
{
    return (struct winograd){ 4, 20, k->wino4_in, k->wino4_filter, k->wino4_out };
}

static struct winograd winograd6(const nst_kernels *k)
{
    return (struct winograd){ 6, 50, k->wino6_in, k->wino6_filter, k->wino6_out };
}

/* d [t][t][16] with rows ldd apart and g [9][16], both any numbers, go through the three transforms; y [m][m][16]
 * is checked against the correlation lane by lane. */
static void winograd_case(const nst_kernels *k, const struct winograd *f, const float *d, size_t ldd, const float *g,
                          const float *bias, float floor)
{
    size_t t = (size_t)f->m + 2, points = t * t, ldv = L * 3, ldu = L * 2, ldy = ((size_t)f->m + 1) * L;
    float *v = oracle_alloc(points * ldv), *u = oracle_alloc(points * ldu);
    float *p = oracle_alloc(points * L), *y = oracle_alloc((size_t)f->m * ldy);

    f->in(d, ldd, v, ldv);
    f->filter(g, L, u, ldu);
    for (size_t i = 0; i < points; i++) {
        for (size_t l = 0; l < L; l++)
            p[i * L + l] = v[i * ldv + l] * u[i * ldu + l];
        for (size_t l = L; l < ldv; l++)
            ck_assert(oracle_untouched(v + i * ldv + l));
        for (size_t l = L; l < ldu; l++)
            ck_assert(oracle_untouched(u + i * ldu + l));
    }
    f->out(p, L, bias, floor, y, ldy);
    for (size_t i = 0; i < (size_t)f->m; i++) {
        for (size_t j = 0; j < (size_t)f->m; j++)
            for (size_t l = 0; l < L; l++) {
                oracle_sum s = { 0 };

                for (size_t n = 0; n < 9; n++)
                    oracle_add(&s, (double)d[(i + n / 3) * ldd + (j + n % 3) * L + l] * g[n * L + l]);
                oracle_add(&s, bias[l]);
                close_to(k, "Winograd", y[i * ldy + j * L + l], fmax(s.value, floor),
                         f->factor * 4 * FLT_EPSILON * (3 + sqrt(s.squares)));
            }
        for (size_t l = (size_t)f->m * L; l < ldy; l++)
            ck_assert(oracle_untouched(y + i * ldy + l));
    }
    release(v), release(u), release(p), release(y);
}

/* A^T [(G g G^T) . (B^T d B)] A is the correlation of d and g, whichever of the three carries the scaling.  All
 * three are bilinear, so every pair of one pixel and one tap proves it for all; random ones prove the precision. */
static void check_winograd(const nst_kernels *k, const struct winograd *f)
{
    size_t t = (size_t)f->m + 2, ldd = (t + 1) * L;
    float *d = oracle_alloc(t * ldd), *g = oracle_alloc(9 * L), *bias = oracle_alloc(L);

    memset(bias, 0, L * sizeof *bias);
    for (size_t pair = 0; pair < t * t * 9; pair += L) { /* a pair a lane */
        memset(d, 0, t * ldd * sizeof *d);
        memset(g, 0, 9 * L * sizeof *g);
        for (size_t l = 0; l < L && pair + l < t * t * 9; l++) {
            size_t pixel = (pair + l) / 9;

            d[pixel / t * ldd + pixel % t * L + l] = 1;
            g[(pair + l) % 9 * L + l] = 1;
        }
        winograd_case(k, f, d, ldd, g, bias, -INFINITY);
    }
    for (int i = 0; i < 20; i++) {
        oracle_fill(t * ldd, d), oracle_fill(9 * L, g), oracle_fill(L, bias);
        winograd_case(k, f, d, ldd, g, bias, i % 2 ? 0 : -INFINITY);
    }
    release(d), release(g), release(bias);

    /* what is not a number does not become one in ReLU */
    float *m = filled(t * t * L), *y = oracle_alloc(36 * L), none[L] = { 0 };

    m[(t + 1) * L] = NAN;
    f->out(m, L, none, 0, y, (size_t)f->m * L);
    ck_assert_msg(isnan(y[0]) && !isnan(y[1]), "%s Winograd: a NaN became %g", k->name, (double)y[0]);
    release(m), release(y);
}

/* Each transform on its own: T(a x + b y) = a T(x) + b T(y), written into every point.  in [n][16] of each. */
static void check_linear(const nst_kernels *k, const struct winograd *f, int which)
{
    size_t m = (size_t)f->m, t = m + 2, in = which == 1 ? 9 : t * t, out = which == 2 ? m * m : t * t;
    float *x[3], *y[3], zero[L] = { 0 }, *none = oracle_alloc(L);

    memcpy(none, zero, sizeof zero);
    for (int i = 0; i < 3; i++)
        x[i] = filled(in * L), y[i] = oracle_alloc(out * L);
    for (size_t i = 0; i < in * L; i++)
        x[2][i] = .5f * x[0][i] - .25f * x[1][i];
    for (int i = 0; i < 3; i++) {
        if (which == 0)
            f->in(x[i], t * L, y[i], L);
        else if (which == 1)
            f->filter(x[i], L, y[i], L);
        else
            f->out(x[i], L, none, -INFINITY, y[i], m * L);
    }
    for (size_t i = 0; i < out * L; i++) {
        double a = .5 * y[0][i], b = .25 * y[1][i];

        /* entries up to 32 twice in a row of A^T, 21/4 in B^T: 32^2 times the inputs at most */
        close_to(k, "linearity", y[2][i], a - b, 4 * FLT_EPSILON * (fabs(a) + fabs(b) + 256));
    }
    for (int i = 0; i < 3; i++)
        release(x[i]), release(y[i]);
    release(none);
}

static void check_wino4_in(const nst_kernels *k)
{
    struct winograd f = winograd4(k);

    check_linear(k, &f, 0);
    check_winograd(k, &f);
}

static void check_wino4_filter(const nst_kernels *k)
{
    struct winograd f = winograd4(k);

    check_linear(k, &f, 1);
}

static void check_wino4_out(const nst_kernels *k)
{
    struct winograd f = winograd4(k);

    check_linear(k, &f, 2);
}

static void check_wino6_in(const nst_kernels *k)
{
    struct winograd f = winograd6(k);

    check_linear(k, &f, 0);
    check_winograd(k, &f);
}

static void check_wino6_filter(const nst_kernels *k)
{
    struct winograd f = winograd6(k);

    check_linear(k, &f, 1);
}

static void check_wino6_out(const nst_kernels *k)
{
    struct winograd f = winograd6(k);

    check_linear(k, &f, 2);
}

/* ---- layers -------------------------------------------------------------------- */

static const size_t few[] = { 0, 1, 2, 3, 5, 8, 17, 64 };

/* Bias and ReLU are exact; a NaN is not made a number by ReLU, or divergence would go unseen. */
static void check_bias(const nst_kernels *k)
{
    for (size_t i = 0; i < NST_COUNT(few); i++)
        for (int relu = 0; relu < 2; relu++) {
            size_t n = few[i];
            float *y = filled(n * L), *b = filled(L), *x = oracle_alloc(n * L), floor = relu ? 0 : -INFINITY;

            if (n)
                y[L / 2] = NAN;
            memcpy(x, y, n * L * sizeof *x);
            k->bias(n, b, floor, y);
            for (size_t p = 0; p < n * L; p++)
                if (isnan(x[p]))
                    ck_assert_msg(isnan(y[p]), "%s bias: a NaN became %g", k->name, (double)y[p]);
                else
                    close_to(k, "bias", y[p], fmaxf(x[p] + b[p % L], floor), 0);
            release(y), release(b), release(x);
        }
}

/* Features as they are behind ReLU: none negative, many zero, some equal. */
static float *features(size_t n)
{
    float *y = oracle_alloc(n * L);

    for (size_t i = 0; i < n * L; i++) {
        float v = oracle_random();

        y[i] = v < 0 ? 0 : v < .5f ? .25f : v;
    }
    return y;
}

static void check_mask(const nst_kernels *k)
{
    for (size_t i = 0; i < NST_COUNT(few); i++) {
        size_t n = few[i];
        float *y = filled(n * L);
        uint16_t *m = oracle_masks(n);

        for (size_t j = 0; j < n * L; j += 3)
            y[j] = j % 2 ? 0 : -0.f;
        k->mask(n, y, m);
        for (size_t j = 0; j < n * L; j++)
            ck_assert_int_eq(m[j / L] >> j % L & 1, y[j] > 0);
        release(y);
        ck_assert(oracle_masks_free(m, n));
    }
}

static void check_pool(const nst_kernels *k, nst_pool_fn *pool, bool average)
{
    for (size_t i = 0; i < NST_COUNT(few); i++) {
        size_t n = few[i];
        float *r[2] = { features(2 * n), features(2 * n) }, *out = oracle_alloc(n * L);
        uint16_t *m[2] = { oracle_masks(2 * n), oracle_masks(2 * n) };

        pool(n, r[0], r[1], out, m[0], m[1]);
        for (size_t p = 0; p < n; p++)
            for (size_t l = 0; l < L; l++) {
                float v[4], most = 0;
                int first = -1;

                for (size_t j = 0; j < 4; j++)
                    v[j] = r[j / 2][(2 * p + j % 2) * L + l];
                for (int j = 0; j < 4; j++)
                    if (v[j] > most)
                        most = v[j], first = j;
                close_to(k, "pool", out[p * L + l], average ? (v[0] + v[1] + v[2] + v[3]) / 4 : most,
                         average ? 2 * FLT_EPSILON : 0);
                for (int j = 0; j < 4; j++)
                    ck_assert_msg((m[j / 2][2 * p + (size_t)j % 2] >> l & 1) == (average ? v[j] > 0 : j == first),
                                  "%s pool: mask of %g of %g %g %g %g", k->name, (double)v[j], (double)v[0],
                                  (double)v[1], (double)v[2], (double)v[3]);
            }
        release(r[0]), release(r[1]), release(out);
        ck_assert(oracle_masks_free(m[0], 2 * n) && oracle_masks_free(m[1], 2 * n));
    }
}

static void check_pool_max(const nst_kernels *k)
{
    check_pool(k, k->pool_max, false);
}

static void check_pool_avg(const nst_kernels *k)
{
    check_pool(k, k->pool_avg, true);
}

/* Where the mask is closed the gradient is 0, whatever it was. */
static void check_gate(const nst_kernels *k)
{
    for (size_t i = 0; i < NST_COUNT(few); i++)
        for (size_t x = 0; x < 4; x++)
            for (int shift = 0; shift < 2; shift++) {
                size_t n = few[i], from = ((x + n) >> shift) + 1;
                float *s = filled(from * L), *d = oracle_alloc(n * L);
                uint16_t *m = oracle_masks(x + n);

                for (size_t j = 0; j < x + n; j++)
                    m[j] = (uint16_t)((oracle_random() + 1) * 32768);
                if (n)
                    s[(x >> shift) * L] = INFINITY, m[x] &= 0xfffe;
                k->gate(x, n, shift, .25f, s, m, d);
                for (size_t j = 0; j < n * L; j++) {
                    bool on = m[x + j / L] >> j % L & 1;

                    float source = s[((x + j / L) >> shift) * L + j % L];

                    ck_assert_msg(d[j] == (on ? .25f * source : 0), "%s gate: %g of %g", k->name, (double)d[j],
                                  (double)source);
                }
                release(s), release(d);
                ck_assert(oracle_masks_free(m, x + n));
            }
}

/* ---- flat arrays ----------------------------------------------------------------- */

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

static void check_dot(const nst_kernels *k)
{
    check_sum(k, "dot", k->dot, NULL, oracle_dot);
}

static void check_distance(const nst_kernels *k)
{
    check_sum(k, "distance", k->distance, NULL, oracle_distance);
}

static void check_abs_sum(const nst_kernels *k)
{
    check_sum(k, "abs_sum", NULL, k->abs_sum, abs_only);
}

static void check_axpy(const nst_kernels *k)
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
static void check_adam(const nst_kernels *k)
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

/* ---- all of them -------------------------------------------------------------------- */

/* A kernel without a check_ function does not compile here. */
static const struct {
    const char *name;
    void (*check)(const nst_kernels *k);
} kernels[] = {
#define X(member, type) { #member, check_##member },
    NST_KERNEL_LIST(X)
#undef X
};

/* Test _i: kernel _i of every set that this machine runs. */
START_TEST(kernel_agrees_with_the_oracle)
{
    const nst_kernels *k;
    bool usable;

    for (int i = 0; (k = nst_kernels_at(i, &usable)); i++)
        if (usable) {
            oracle_seed((uint32_t)_i + 1);
            kernels[_i].check(k);
        }
}
END_TEST

/* No member is missing, and the tile is one that packing can hold. */
START_TEST(sets_are_whole)
{
    const nst_kernels *k;

    for (int i = 0; (k = nst_kernels_at(i, NULL)); i++) {
#define X(member, type) ck_assert_msg(k->member != NULL, "%s has no " #member, k->name);
        NST_KERNEL_LIST(X)
#undef X
        ck_assert(k->mr >= 1 && k->mr <= NST_MR_MAX);
        ck_assert(k->nr >= L && k->nr <= NST_NR_MAX && k->nr % L == 0);
    }
}
END_TEST

/* The fastest usable one is chosen; an unusable or unknown name gives none, a usable one itself. */
START_TEST(a_set_is_picked)
{
    const nst_kernels *k, *last = NULL;
    bool usable;

    for (int i = 0; (k = nst_kernels_at(i, &usable)); i++) {
        ck_assert_ptr_eq(nst_kernels_pick(k->name), usable ? k : NULL);
        ck_assert_str_eq(nst_simd_name(i), k->name);
        ck_assert_int_eq(nst_simd_usable(i), usable);
        last = usable ? k : last;
        if (i == 0)
            ck_assert(usable && strcmp(k->name, "scalar") == 0);
    }
    ck_assert_ptr_eq(nst_kernels_pick(NULL), last);
    ck_assert_ptr_eq(nst_kernels_pick(""), last);
    ck_assert_str_eq(nst_simd_chosen(), last->name);
    ck_assert_ptr_null(nst_kernels_pick("mmx"));
    ck_assert_ptr_null(nst_kernels_at(-1, &usable));
    ck_assert_ptr_null(nst_simd_name(99));
    ck_assert_int_eq(nst_simd_usable(99), 0);
}
END_TEST

static void tell_what_is_skipped(void)
{
    static const char *const known[] = { "scalar", "avx2", "avx512", "neon" };

    for (size_t n = 0; n < NST_COUNT(known); n++) {
        const char *why = "not compiled in";
        const nst_kernels *k;
        bool usable;

        for (int i = 0; (k = nst_kernels_at(i, &usable)); i++)
            if (strcmp(k->name, known[n]) == 0)
                why = usable ? NULL : "this machine cannot run it";
        if (why)
            printf("skipped: kernel set %s: %s\n", known[n], why);
    }
}

static void add(TCase *t)
{
    tcase_add_test(t, sets_are_whole);
    tcase_add_test(t, a_set_is_picked);
    tcase_add_loop_test(t, kernel_agrees_with_the_oracle, 0, (int)NST_COUNT(kernels));
}

int main(void)
{
    tell_what_is_skipped();
    return run_suite("kernels", add);
}
