/* test_optim.c: Adam and L-BFGS take torch.optim's steps; averaging, bounds, carrying over, threads. */
#include "image/image.h"
#include "ops/optimizer.h"
#include "../support/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "optim_numbers.h"

enum { N = 8 };

static const float low[3] = { .3f, .3f, .3f }, high[3] = { .6f, .6f, .6f };

/* A bowl with a bent valley: sum c_i (x_i - t_i)^2 / 2 + 0.3 sum (x_i+1 - x_i^2)^2, as in optim_numbers.py. */
static void gradient(const float *x, float *g)
{
    double d[N];

    for (int i = 0; i < N; i++)
        d[i] = (1 + i * i / 4.) * ((double)x[i] - (.2 + .1 * (i % 4)));
    for (int i = 0; i + 1 < N; i++) {
        double r = (double)x[i + 1] - (double)x[i] * (double)x[i];

        d[i + 1] += .6 * r;
        d[i] -= 1.2 * r * (double)x[i];
    }
    for (int i = 0; i < N; i++)
        g[i] = (float)d[i];
}

static void near(const char *what, int step, const float *got, const double *want, double tolerance)
{
    for (int i = 0; i < N; i++)
        ck_assert_msg(fabs((double)got[i] - want[i]) <= tolerance, "%s, step %d, number %d: %.9g, expected %.9g", what,
                      step + 1, i, (double)got[i], want[i]);
}

/* Steps from the common start and compares each iterate, and the average when there is one. */
static void follow(const char *what, const nst_optim_options *o, const double want[][N], const double mean[][N],
                   int steps, double tolerance)
{
    nst_cpu cpu = { nst_kernels_pick("scalar"), 1 };
    float x[N], g[N];
    nst_optim *s;

    for (int i = 0; i < N; i++)
        x[i] = .9f - .1f * (float)i;
    ck_assert_int_eq(nst_optim_create(&s, o, N, x, NULL), NST_OK);
    for (int k = 0; k < steps; k++) {
        size_t allocations = nst_alloc_count();

        gradient(x, g);
        nst_optim_step(&cpu, s, g, x);
        ck_assert_uint_eq(nst_alloc_count(), allocations);
        near(what, k, x, want[k], tolerance);
        if (mean)
            near("average", k, nst_optim_result(s, x), mean[k], tolerance);
        else
            ck_assert_ptr_eq(nst_optim_result(s, x), x);
    }
    nst_optim_destroy(&s);
    ck_assert_ptr_null(s);
}

START_TEST(adam_is_torchs)
{
    nst_optim_options o = { .kind = NST_ADAM, .learning_rate = .05, .beta1 = .9, .beta2 = .99, .plane = 3 };

    follow("Adam", &o, adam_free, NULL, 12, 1e-5);
    o.average = .9;
    follow("averaged Adam", &o, adam_free, adam_free_mean, 12, 1e-5);
    o.low = low;
    o.high = high;
    follow("clamped Adam", &o, adam_clamped, adam_clamped_mean, 12, 1e-5);
}
END_TEST

START_TEST(lbfgs_is_torchs)
{
    nst_optim_options o = { .kind = NST_LBFGS, .learning_rate = 1, .history = 100, .plane = 3 };

    follow("L-BFGS", &o, lbfgs_long, NULL, 12, 1e-4);
    o.history = 3; /* the ring goes round */
    o.learning_rate = .8;
    follow("L-BFGS of 3 pairs", &o, lbfgs_short, NULL, 12, 1e-4);
}
END_TEST

/* A gradient that does not change gives no pair, and the step stays that of the gradient itself. */
START_TEST(lbfgs_without_curvature)
{
    nst_optim_options o = { .kind = NST_LBFGS, .learning_rate = 1, .history = 5, .plane = 1 };
    nst_cpu cpu = { nst_kernels_pick("scalar"), 1 };
    float x[3] = { 0 };
    const float g[3] = { .5f, .25f, -.125f };
    nst_optim *s;

    ck_assert_int_eq(nst_optim_create(&s, &o, 3, x, NULL), NST_OK);
    for (int k = 1; k <= 10; k++) {
        nst_optim_step(&cpu, s, g, x);
        for (int i = 0; i < 3; i++)
            ck_assert_msg(fabsf(x[i] + (float)k * g[i]) < 1e-6f, "step %d", k);
    }
    nst_optim_destroy(&s);
}
END_TEST

/* A first step of a given length, against the gradient, whatever the gradient's; the second follows the curvature: here
 * of x^2 / 2, so that it arrives. */
START_TEST(lbfgs_first_step)
{
    nst_optim_options o = { .kind = NST_LBFGS, .learning_rate = 1, .history = 5, .first_step = .25, .plane = 1 };
    nst_cpu cpu = { nst_kernels_pick("scalar"), 1 };
    float x[3] = { 400, -200, 100 }, g[3];
    const float start[3] = { 400, -200, 100 };
    double moved = 0;
    nst_optim *s;

    ck_assert_int_eq(nst_optim_create(&s, &o, 3, x, NULL), NST_OK);
    memcpy(g, x, sizeof g);
    nst_optim_step(&cpu, s, g, x);
    for (int i = 0; i < 3; i++) {
        moved += pow((double)start[i] - (double)x[i], 2) / 3;
        ck_assert(fabsf(x[i] / start[i] - x[0] / start[0]) < 1e-6f && x[i] / start[i] < 1);
    }
    ck_assert_msg(fabs(sqrt(moved) - .25) < 1e-4, "%g", sqrt(moved));
    memcpy(g, x, sizeof g);
    nst_optim_step(&cpu, s, g, x);
    for (int i = 0; i < 3; i++)
        ck_assert_msg(fabsf(x[i]) < .1f, "%g", (double)x[i]);
    nst_optim_destroy(&s);
}
END_TEST

/* Bounds hold for L-BFGS too. */
START_TEST(lbfgs_keeps_bounds)
{
    nst_optim_options o = { .kind = NST_LBFGS, .learning_rate = 1, .history = 5, .low = low, .high = high, .plane = 3 };
    nst_cpu cpu = { nst_kernels_pick("scalar"), 1 };
    float x[N], g[N];
    nst_optim *s;

    for (int i = 0; i < N; i++)
        x[i] = .5f;
    ck_assert_int_eq(nst_optim_create(&s, &o, N, x, NULL), NST_OK);
    for (int k = 0; k < 20; k++) {
        gradient(x, g);
        nst_optim_step(&cpu, s, g, x);
        for (int i = 0; i < N; i++)
            ck_assert(x[i] >= low[0] && x[i] <= high[0]);
    }
    nst_optim_destroy(&s);
}
END_TEST

/* Large enough for many blocks: the same bits for any number of threads. */
START_TEST(threads_give_the_same_bits)
{
    enum { LONG = 100003 };
    nst_optim_options o = { .kind = _i, .learning_rate = .1, .beta1 = .9, .beta2 = .99, .average = .9, .history = 4,
                            .plane = LONG / 3 + 1 };
    float *x = nst_calloc(LONG, sizeof *x), *g = nst_calloc(LONG, sizeof *g), *first = nst_calloc(LONG, sizeof *first);

    for (int threads = 1; threads <= 3; threads++) {
        nst_cpu cpu = { nst_kernels_pick(NULL), threads };
        nst_optim *s;

        for (size_t i = 0; i < LONG; i++)
            x[i] = (float)(i % 97) / 97;
        ck_assert_int_eq(nst_optim_create(&s, &o, LONG, x, NULL), NST_OK);
        for (int k = 0; k < 6; k++) {
            for (size_t i = 0; i < LONG; i++)
                g[i] = x[i] * x[i] - (float)(i % 13) / 13;
            nst_optim_step(&cpu, s, g, x);
        }
        if (threads == 1)
            memcpy(first, nst_optim_result(s, x), LONG * sizeof *x);
        ck_assert(!memcmp(first, nst_optim_result(s, x), LONG * sizeof *x));
        nst_optim_destroy(&s);
    }
    nst_free(x);
    nst_free(g);
    nst_free(first);
}
END_TEST

/* Adam goes on after a change of size: a carried optimiser of the same size steps as the old one would have. */
START_TEST(carried_over)
{
    nst_optim_options o = { .kind = NST_ADAM, .learning_rate = .05, .beta1 = .9, .beta2 = .99, .plane = 4 };
    nst_cpu cpu = { nst_kernels_pick("scalar"), 1 };
    float x[12], y[12], g[12];
    nst_optim *s, *t;

    for (int i = 0; i < 12; i++)
        x[i] = (float)i / 12, g[i] = (float)(i % 5) - 2;
    ck_assert_int_eq(nst_optim_create(&s, &o, 12, x, NULL), NST_OK);
    for (int k = 0; k < 5; k++)
        nst_optim_step(&cpu, s, g, x);
    memcpy(y, x, sizeof x);
    ck_assert_int_eq(nst_optim_create(&t, &o, 12, y, NULL), NST_OK);
    nst_optim_carry(s, t);
    for (int k = 0; k < 2; k++)
        memcpy(nst_optim_moment(t, k), nst_optim_moment(s, k), sizeof x);
    nst_optim_step(&cpu, s, g, x);
    nst_optim_step(&cpu, t, g, y);
    for (int i = 0; i < 12; i++)
        ck_assert(fabsf(x[i] - y[i]) < 1e-6f);
    nst_optim_destroy(&s);
    nst_optim_destroy(&t);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, adam_is_torchs);
    tcase_add_test(t, lbfgs_is_torchs);
    tcase_add_test(t, lbfgs_without_curvature);
    tcase_add_test(t, lbfgs_first_step);
    tcase_add_test(t, lbfgs_keeps_bounds);
    tcase_add_loop_test(t, threads_give_the_same_bits, 0, NST_OPTIMIZER_COUNT);
    tcase_add_test(t, carried_over);
}

int main(void)
{
    return run_suite("optim", add);
}
