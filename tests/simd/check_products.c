/* check_products.c: products of matrices, Gram matrices, the first layer, sums over positions. */
#include "check_kernels.h"

#include <float.h>

#include <string.h>

/* Fewer positions have the bits of all. */
static void same_for_fewer(const nst_kernels *k, size_t kb, const float *a, size_t ld, const float *w,
                           const float *before, const float *all, int add)
{
    size_t size = (size_t)k->nr / L * ld;
    float *c = oracle_alloc(size);

    for (int n = 1; n < k->mr; n++) {
        memcpy(c, before, size * sizeof *c);
        k->gemm_tile(n, kb, a, ld, w, c, ld, add);
        for (size_t b = 0; b < (size_t)k->nr / L; b++) {
            ck_assert_msg(!memcmp(c + b * ld, all + b * ld, (size_t)n * L * sizeof *c), "%s gemm_tile of %d of %d",
                          k->name, n, k->mr);
            for (size_t i = (size_t)k->mr * L; i < ld; i++)
                ck_assert(oracle_untouched(c + b * ld + i));
        }
    }
    release(c);
}

/* A tile's every element, stored or added, for short and long sums; what lies between the blocks stays. */
static void gemm_case(const nst_kernels *k, size_t kb, size_t gap, int add)
{
    size_t lda = (size_t)k->mr * L + gap, ldc = (size_t)k->mr * L + gap, blocks = (size_t)k->nr / L;
    float *a = filled(kb * lda), *w = filled(kb * L * (size_t)k->nr), *c = oracle_alloc(blocks * ldc);

    for (size_t b = 0; add && b < blocks; b++)
        oracle_fill((size_t)k->mr * L, c + b * ldc);
    float *before = oracle_alloc(blocks * ldc);

    memcpy(before, c, blocks * ldc * sizeof *c);
    k->gemm_tile(k->mr, kb, a, lda, w, c, ldc, add);
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
    same_for_fewer(k, kb, a, lda, w, before, c, add);
    release(a), release(w), release(c), release(before);
}

void check_gemm_tile(const nst_kernels *k)
{
    static const size_t blocks[] = { 1, 2, 3, 9, 36, 72 };

    for (size_t i = 0; i < NST_COUNT(blocks); i++)
        for (int add = 0; add < 2; add++) {
            gemm_case(k, blocks[i], 0, add);
            gemm_case(k, blocks[i], L, add);
        }
}

/* Products over positions are summed in float and added to what is there in double, so that 1000 and a third
 * keeps what a float would lose; blocks of b may lie apart, and rows of g may be longer than they are. */
static void gram_case(const nst_kernels *k, size_t n, int blocks, size_t gap)
{
    enum { MOST = 6 * L };
    const double there = 1000 + 1. / 3, untouched = -7;
    size_t width = (size_t)blocks * L, ldg = width + gap, ldb = n * L + gap;
    double g[L * MOST];
    float *a = filled(n * L), *b = filled((size_t)blocks * ldb);

    ck_assert(ldg <= MOST);
    for (size_t i = 0; i < L * ldg; i++)
        g[i] = i % ldg < width ? there : untouched;
    k->gram_tile(n, a, b, ldb, blocks, g, ldg);
    for (int i = 0; i < L; i++)
        for (size_t j = 0; j < ldg; j++) {
            double is = g[(size_t)i * ldg + j];
            oracle_sum s;

            if (j >= width) {
                ck_assert(memcmp(&is, &untouched, sizeof is) == 0);
                continue;
            }
            s = oracle_gram_tile(n, a, b + j / L * ldb, i, (int)(j % L));
            sum_is(k, "gram_tile", is - there, &s);
        }
    release(a), release(b);
}

void check_gram_tile(const nst_kernels *k)
{
    static const size_t n[] = { 0, 1, 2, 3, 7, 16, 33, 1000 };

    for (size_t i = 0; i < NST_COUNT(n); i++)
        for (int blocks = 1; blocks < 6; blocks++)
            gram_case(k, n[i], blocks, blocks % 2 ? 0 : L);
}

/* In double; stored, over what was there, or added. */
void check_double_tile(const nst_kernels *k)
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
void check_first_tile(const nst_kernels *k)
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
void check_sums(const nst_kernels *k)
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
