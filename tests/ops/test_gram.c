/* test_gram.c: Gram matrices of blocked features and their gradients, for every set against naive loops in double; the
 * same bits for any number of threads. */
#include "blocked.h"
#include "../support/suite.h"
#include "ops/gram.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void gram_case(const nst_cpu *cpu, int c, int w, int h, const nst_rect *r)
{
    size_t square = (size_t)c * (size_t)c, positions = (size_t)r->w * (size_t)r->h;
    oracle_map m = blocked_random(c, h, w, true);
    float *f = blocked_from(&m);
    double *gram = (double *)(void *)oracle_alloc(2 * square), *sum = (double *)(void *)oracle_alloc(2 * (size_t)c);
    float *scratch = oracle_alloc(nst_gram_scratch(cpu, nst_blocks(c)));
    double *right = calloc(square + (size_t)c, sizeof *right), tolerance = 4 * (double)FLT_EPSILON * (double)positions;

    if (!right)
        abort();
    for (size_t i = 0; i < square; i++)
        gram[i] = 1, right[i] = 1;
    for (int i = 0; i < c; i++)
        sum[i] = -1, right[square + (size_t)i] = -1;
    oracle_stats(&m, r->x, r->y, r->w, r->h, right, right + square);
    nst_gram_add(cpu, f, c, w, h, r, gram, sum, scratch);
    for (int i = 0; i < c; i++) {
        ck_assert_msg(fabs(sum[i] - right[square + (size_t)i]) <= tolerance, "%s sum %d", cpu->k->name, i);
        for (int j = 0; j < c; j++) {
            double got = gram[i * c + j];

            ck_assert_msg(fabs(got - right[i * c + j]) <= tolerance, "%s Gram %d, %d of %d: %.9g, expected %.9g",
                          cpu->k->name, i, j, c, got, right[i * c + j]);
            ck_assert(gram[i * c + j] == gram[j * c + i]);
        }
    }
    free(right);
    oracle_map_destroy(&m);
    ck_assert(oracle_free(f) && oracle_free((float *)(void *)gram) && oracle_free((float *)(void *)sum));
    ck_assert_msg(oracle_free(scratch), "more scratch is used than was asked for");
}

/* df (+)= a f + b inside the rectangle; outside it stays, or is 0 when df starts here. */
static void gradient_case(const nst_cpu *cpu, int c, int w, int h, const nst_rect *r, bool add, bool with_b)
{
    size_t floats = blocked_floats(c, h, w), square = (size_t)c * (size_t)c;
    oracle_map m = blocked_random(c, h, w, true), d = blocked_random(c, h, w, false);
    float *f = blocked_from(&m), *df = add ? blocked_from(&d) : oracle_alloc(floats), *a = oracle_alloc(square);
    float *b = oracle_alloc((size_t)c), *scratch = oracle_alloc(nst_gram_scratch(cpu, nst_blocks(c)));

    oracle_fill(square, a), oracle_fill((size_t)c, b);
    for (int i = 0; i < c; i++)
        for (int j = 0; j < i; j++)
            a[i * c + j] = a[j * c + i];
    for (int i = 0; i < c; i++)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                double v = add ? *oracle_at(&d, i, y, x) : 0;

                if (x >= r->x && x < r->x + r->w && y >= r->y && y < r->y + r->h) {
                    v += with_b ? (double)b[i] : 0;
                    for (int j = 0; j < c; j++)
                        v += (double)a[i * c + j] * *oracle_at(&m, j, y, x);
                }
                *oracle_at(&d, i, y, x) = v;
            }
    nst_gram_gradient(cpu, f, c, w, h, r, a, with_b ? b : NULL, add, df, scratch);
    blocked_is("a f + b", df, &d, 4 * (double)FLT_EPSILON * (c + 2));
    oracle_map_destroy(&m), oracle_map_destroy(&d);
    ck_assert(oracle_free(f) && oracle_free(df) && oracle_free(a) && oracle_free(b));
    ck_assert_msg(oracle_free(scratch), "more scratch is used than was asked for");
}

/* Whole maps and rectangles inside them, channels on either side of what one worker takes. */
START_TEST(statistics_agree)
{
    static const struct {
        int c, w, h;
        nst_rect r;
    } some[] = {
        { 8, 1, 1, { 0, 0, 1, 1 } },    { 8, 67, 51, { 0, 0, 67, 51 } },   { 17, 33, 9, { 4, 2, 20, 5 } },
        { 64, 21, 13, { 0, 3, 21, 7 } }, { 144, 12, 9, { 2, 0, 9, 9 } },   { 272, 6, 5, { 0, 0, 6, 5 } },
    };

    for (size_t i = 0; i < NST_COUNT(some); i++)
        FOR_EACH_SET(cpu) {
            cpu.threads = 1 + (int)i % 3;
            gram_case(&cpu, some[i].c, some[i].w, some[i].h, &some[i].r);
            for (int kind = 0; kind < 4; kind++)
                gradient_case(&cpu, some[i].c, some[i].w, some[i].h, &some[i].r, kind & 1, kind >> 1);
        }
}
END_TEST

/* The same bits for 1, 2, 3 and 7 threads, few and many channels. */
START_TEST(statistics_do_not_depend_on_threads)
{
    static const int numbers[] = { 1, 2, 3, 7 }, channels[] = { 16, 144, 272 };

    for (size_t i = 0; i < NST_COUNT(channels); i++) {
        int c = channels[i], w = 40, h = 37;
        size_t square = (size_t)c * (size_t)c;
        nst_rect r = { 0, 0, w, h };
        oracle_map m = blocked_random(c, h, w, true);
        float *f = blocked_from(&m);
        double *first = (double *)(void *)oracle_alloc(2 * (square + (size_t)c));

        for (size_t t = 0; t < NST_COUNT(numbers); t++) {
            nst_cpu cpu = { nst_kernels_pick(NULL), numbers[t] };
            double *gram = (double *)(void *)oracle_alloc(2 * (square + (size_t)c));
            float *scratch = oracle_alloc(nst_gram_scratch(&cpu, nst_blocks(c)));

            memset(gram, 0, (square + (size_t)c) * sizeof *gram);
            nst_gram_add(&cpu, f, c, w, h, &r, gram, gram + square, scratch);
            if (t == 0)
                memcpy(first, gram, (square + (size_t)c) * sizeof *gram);
            ck_assert_msg(memcmp(first, gram, (square + (size_t)c) * sizeof *gram) == 0,
                          "%d channels: %d threads give other bits", c, numbers[t]);
            ck_assert(oracle_free((float *)(void *)gram) && oracle_free(scratch));
        }
        ck_assert(oracle_free(f) && oracle_free((float *)(void *)first));
        oracle_map_destroy(&m);
    }
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, statistics_agree);
    tcase_add_test(t, statistics_do_not_depend_on_threads);
}

int main(void)
{
    return run_suite("gram", add);
}
