/* test_vector.c: sums and updates over flat arrays: right, and the same bits for any number of threads. */
#include "ops/vector.h"
#include "../support/oracle.h"
#include "../support/suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Shorter than a block, one, one and a bit, many, more than 64 of the shortest. */
static const size_t lengths[] = { 0, 1, 100, 16384, 16385, 100001, 1100003 };
static const int threads[] = { 1, 2, 3, 7 };

static float *filled(size_t n)
{
    float *p = oracle_alloc(n);

    oracle_fill(n, p);
    return p;
}

static void sum_is(double got, const oracle_sum *s)
{
    ck_assert_msg(fabs(got - s->value) <= oracle_tolerance(s), "%.9g, expected %.9g within %.2g", got, s->value,
                  oracle_tolerance(s));
}

/* Sums of length _i agree with the oracle, with every set, and to the bit between numbers of threads. */
START_TEST(sums_agree)
{
    size_t n = lengths[_i];
    float *x = filled(n), *y = filled(n);
    oracle_sum dot = oracle_dot(n, x, y), distance = oracle_distance(n, x, y), all = oracle_abs(n, x);
    bool usable;

    for (int i = 0; nst_kernels_at(i, &usable); i++) {
        nst_cpu cpu = { nst_kernels_at(i, NULL), 1 };
        double first[3] = { 0 };

        for (size_t t = 0; usable && t < NST_COUNT(threads); t++) {
            cpu.threads = threads[t];
            double got[3] = { nst_vec_dot(&cpu, n, x, y), nst_vec_distance(&cpu, n, x, y), nst_vec_abs(&cpu, n, x) };

            if (t == 0)
                memcpy(first, got, sizeof got);
            ck_assert_msg(memcmp(first, got, sizeof got) == 0, "%s: %d threads give other bits", cpu.k->name,
                          threads[t]);
            sum_is(got[0], &dot), sum_is(got[1], &distance), sum_is(got[2], &all);
        }
    }
    ck_assert(oracle_free(x) && oracle_free(y));
}
END_TEST

/* Updates reach every element once and none outside: axpy and Adam of length _i against one call of the kernel. */
START_TEST(updates_reach_everything_once)
{
    static const nst_adam_args a = { .b1 = .9f, .b2 = .99f, .step = .05f, .root = 1.3f, .eps = 1e-8f };
    const nst_kernels *k = nst_kernels_pick(NULL);
    size_t n = lengths[_i], bytes = n * sizeof(float);
    float *g = filled(n), *start[3], *right[3], *got[3];

    for (int j = 0; j < 3; j++) {
        start[j] = filled(n), right[j] = oracle_alloc(n), got[j] = oracle_alloc(n);
        for (size_t i = 0; i < n; i++)
            start[j][i] = fabsf(start[j][i]);
        memcpy(right[j], start[j], bytes);
    }
    k->adam(n, &a, g, right[0], right[1], right[2]);
    k->axpy(n, .3f, g, right[2]);
    for (size_t t = 0; t < NST_COUNT(threads); t++) {
        nst_cpu cpu = { k, threads[t] };

        for (int j = 0; j < 3; j++)
            memcpy(got[j], start[j], bytes);
        nst_vec_adam(&cpu, n, &a, g, got[0], got[1], got[2]);
        nst_vec_axpy(&cpu, n, .3f, g, got[2]);
        for (int j = 0; j < 3; j++)
            ck_assert_msg(memcmp(got[j], right[j], bytes) == 0, "%d threads, %zu numbers", threads[t], n);
    }
    for (int j = 0; j < 3; j++)
        ck_assert(oracle_free(start[j]) && oracle_free(right[j]) && oracle_free(got[j]));
    ck_assert(oracle_free(g));
}
END_TEST

static void add(TCase *t)
{
    tcase_add_loop_test(t, sums_agree, 0, (int)NST_COUNT(lengths));
    tcase_add_loop_test(t, updates_reach_everything_once, 0, (int)NST_COUNT(lengths));
}

int main(void)
{
    return run_suite("vector", add);
}
