/* check_layers.c: what stands between convolutions: bias and ReLU, masks, pooling, and the way back through them. */
#include "check_kernels.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

static const size_t few[] = { 0, 1, 2, 3, 5, 8, 17, 64 };

/* Bias and ReLU are exact; a NaN is not made a number by ReLU, or divergence would go unseen. */
void check_bias(const nst_kernels *k)
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

        if (v > 0)
            y[i] = v < .5f ? .25f : v;
        else
            y[i] = 0;
    }
    return y;
}

void check_mask(const nst_kernels *k)
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

void check_pool_max(const nst_kernels *k)
{
    check_pool(k, k->pool_max, false);
}

void check_pool_avg(const nst_kernels *k)
{
    check_pool(k, k->pool_avg, true);
}

/* Where the mask is closed the gradient is 0, whatever it was. */
void check_gate(const nst_kernels *k)
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
