/* check_winograd.c: Winograd's transforms: each is linear, and the three together are the correlation. */
#include "check_kernels.h"

#include <float.h>
#include <math.h>
#include <string.h>

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

/* A tile of h x w results: d [h + 2][w + 2][16] with rows ldd apart and g [9][16], both any numbers, go through the
 * three transforms; y [h][w][16] is checked against the correlation lane by lane.  Points that a cut tile has not stay
 * as they are, and are not a number when they are read. */
static void winograd_case(const nst_kernels *k, const struct winograd *f, size_t h, size_t w, const float *d,
                          size_t ldd, const float *g, const float *bias, float floor)
{
    size_t t = (size_t)f->m + 2, points = t * t, ldv = L * 3, ldu = L * 2, ldy = (w + 1) * L;
    float *v = oracle_alloc(points * ldv), *u = oracle_alloc(points * ldu);
    float *p = oracle_alloc(points * L), *y = oracle_alloc(h * ldy);

    f->in(d, ldd, (int)h, (int)w, v, ldv);
    for (size_t row = 0; row < t; row++)
        f->filter(L, g, L, (int)row, u + row * t * ldu, ldu);
    for (size_t i = 0; i < points; i++) {
        bool has = i / t < h + 2 && i % t < w + 2;

        for (size_t l = 0; l < L; l++) {
            p[i * L + l] = has ? v[i * ldv + l] * u[i * ldu + l] : NAN;
            ck_assert(has || oracle_untouched(v + i * ldv + l));
        }
        for (size_t l = L; l < ldv; l++)
            ck_assert(oracle_untouched(v + i * ldv + l));
        for (size_t l = L; l < ldu; l++)
            ck_assert(oracle_untouched(u + i * ldu + l));
    }
    f->out(p, L, (int)h, (int)w, bias, floor, y, ldy);
    for (size_t i = 0; i < h; i++) {
        for (size_t j = 0; j < w; j++)
            for (size_t l = 0; l < L; l++) {
                oracle_sum s = { 0 };

                for (size_t n = 0; n < 9; n++)
                    oracle_add(&s, (double)d[(i + n / 3) * ldd + (j + n % 3) * L + l] * g[n * L + l]);
                oracle_add(&s, bias[l]);
                close_to(k, "Winograd", y[i * ldy + j * L + l], fmax(s.value, floor),
                         f->factor * 4 * FLT_EPSILON * (3 + sqrt(s.squares)));
            }
        for (size_t l = w * L; l < ldy; l++)
            ck_assert(oracle_untouched(y + i * ldy + l));
    }
    release(v), release(u), release(p), release(y);
}

/* A^T [(G g G^T) . (B^T d B)] A is the correlation of d and g, whichever of the three carries the scaling.  All
 * three are bilinear, so every pair of one pixel and one tap proves it for all; random ones prove the precision. */
static void check_results(const nst_kernels *k, const struct winograd *f, size_t h, size_t w)
{
    size_t rows = h + 2, cols = w + 2, ldd = (cols + 1) * L, pairs = rows * cols * 9;
    float *d = oracle_alloc(rows * ldd), *g = oracle_alloc(9 * L), *bias = oracle_alloc(L);

    memset(bias, 0, L * sizeof *bias);
    for (size_t pair = 0; pair < pairs; pair += L) { /* a pair a lane */
        memset(d, 0, rows * ldd * sizeof *d);
        memset(g, 0, 9 * L * sizeof *g);
        for (size_t l = 0; l < L && pair + l < pairs; l++) {
            size_t pixel = (pair + l) / 9;

            d[pixel / cols * ldd + pixel % cols * L + l] = 1;
            g[(pair + l) % 9 * L + l] = 1;
        }
        winograd_case(k, f, h, w, d, ldd, g, bias, -INFINITY);
    }
    for (int i = 0; i < 20; i++) {
        oracle_fill(rows * ldd, d), oracle_fill(9 * L, g), oracle_fill(L, bias);
        winograd_case(k, f, h, w, d, ldd, g, bias, i % 2 ? 0 : -INFINITY);
    }
    release(d), release(g), release(bias);

    /* what is not a number does not become one in ReLU */
    size_t t = (size_t)f->m + 2;
    float *m = filled(t * t * L), *y = oracle_alloc(h * w * L), none[L] = { 0 };

    m[(t + 1) * L] = NAN;
    f->out(m, L, (int)h, (int)w, none, 0, y, w * L);
    ck_assert_msg(isnan(y[0]) && !isnan(y[1]), "%s Winograd: a NaN became %g", k->name, (double)y[0]);
    release(m), release(y);
}

/* Whole tiles, and all that a side of the picture may leave of one. */
static void check_winograd(const nst_kernels *k, const struct winograd *f)
{
    for (int h = 2; h <= f->m; h += 2)
        for (int w = 2; w <= f->m; w += 2)
            check_results(k, f, (size_t)h, (size_t)w);
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
            f->in(x[i], t * L, f->m, f->m, y[i], L);
        else if (which == 1)
            for (size_t row = 0; row < t; row++)
                f->filter(L, x[i], L, (int)row, y[i] + row * t * L, L);
        else
            f->out(x[i], L, f->m, f->m, none, -INFINITY, y[i], m * L);
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

/* Filters in one call, apart or not, have the bits that they have singly; nothing is written beyond them. */
static void check_many_filters(const nst_kernels *k, const struct winograd *f)
{
    size_t n = 3 * L, t = (size_t)f->m + 2, ldg = n + L, ldu = n + 2 * L;
    float *g = filled(9 * ldg), *u = oracle_alloc(t * ldu), *single = oracle_alloc(t * L);

    for (size_t row = 0; row < t; row++) {
        f->filter(n, g, ldg, (int)row, u, ldu);
        for (size_t l = 0; l < n; l += L) {
            f->filter(L, g + l, ldg, (int)row, single, L);
            for (size_t j = 0; j < t; j++)
                ck_assert_msg(!memcmp(u + j * ldu + l, single + j * L, L * sizeof *u), "%s: row %zu, point %zu",
                              k->name, row, j);
        }
        for (size_t j = 0; j < t; j++)
            for (size_t l = n; l < ldu; l++)
                ck_assert(oracle_untouched(u + j * ldu + l));
    }
    release(g), release(u), release(single);
}

void check_wino4_in(const nst_kernels *k)
{
    struct winograd f = winograd4(k);

    check_linear(k, &f, 0);
    check_winograd(k, &f);
}

void check_wino4_filter(const nst_kernels *k)
{
    struct winograd f = winograd4(k);

    check_linear(k, &f, 1);
    check_many_filters(k, &f);
}

void check_wino4_out(const nst_kernels *k)
{
    struct winograd f = winograd4(k);

    check_linear(k, &f, 2);
}

void check_wino6_in(const nst_kernels *k)
{
    struct winograd f = winograd6(k);

    check_linear(k, &f, 0);
    check_winograd(k, &f);
}

void check_wino6_filter(const nst_kernels *k)
{
    struct winograd f = winograd6(k);

    check_linear(k, &f, 1);
    check_many_filters(k, &f);
}

void check_wino6_out(const nst_kernels *k)
{
    struct winograd f = winograd6(k);

    check_linear(k, &f, 2);
}
