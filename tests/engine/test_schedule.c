/* test_schedule.c: the time left, the iterations that fit a limit of time, and the end of a settled scale: by numbers
 * with iterations that take what a formula says, and with a real run. */
#include "engine/run.h"
#include "../support/suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* An imaginary run: five scales, sqrt(2) apart, an iteration of FIXED + RATE * (pixels + WEIGHTS) seconds. */
#define FIXED .01
#define RATE 3e-7
#define WEIGHTS 1e4
#define PREPARE 3e-6 /* seconds a pixel */

static nst_run r;
static nst_progress p;
static double now;

static void make(void)
{
    static const int side[] = { 128, 181, 256, 362, 512 };

    r = (nst_run){ .setup = { .s = { .size = 512 }, .margin = 16 } };
    p = (nst_progress){ 0 };
    now = 0;
    r.setup.plan.scales = 5;
    for (int i = 0; i < 5; i++)
        r.setup.plan.width[i] = r.setup.plan.height[i] = side[i], r.setup.plan.iterations[i] = i ? 50 : 100;
    nst_schedule_begin(&r.clock, &r.setup.plan);
}

static double pixels(int i)
{
    return (double)(r.setup.plan.width[i] + 32) * (r.setup.plan.width[i] + 32);
}

static double iteration_seconds(int i)
{
    return FIXED + RATE * (pixels(i) + WEIGHTS);
}

static void enter(int i)
{
    r.scale = i;
    now += PREPARE * pixels(i);
    nst_schedule_enter(&r.clock, &r.setup, i, PREPARE * pixels(i));
    p.iteration = 0;
    p.iterations = r.setup.plan.iterations[i];
}

static void iteration(double total)
{
    p.iteration++;
    p.done++;
    p.seconds = iteration_seconds(r.scale);
    now += p.seconds;
    p.elapsed = now;
    p.total = total;
    r.clock.losses = FIXED;
    nst_schedule_count(&r.clock, &r.setup, r.scale, &p);
}

static double left(void)
{
    double sum = 0;

    for (int i = r.scale; i < 5; i++)
        sum += (r.setup.plan.iterations[i] - (i == r.scale ? p.iteration : 0)) * iteration_seconds(i) +
               (i > r.scale ? PREPARE * pixels(i) : 0);
    return sum;
}

/* Right from the first iteration on, and at each scale's beginning. */
START_TEST(time_left)
{
    make();
    for (int i = 0; i < 5; i++) {
        enter(i);
        for (int k = 0; k < r.setup.plan.iterations[i]; k++) {
            iteration(1);
            ck_assert_msg(fabs(p.remaining - left()) <= 1e-9, "scale %d, iteration %d: %g, expected %g", i, k,
                          p.remaining, left());
        }
    }
    ck_assert_double_eq(p.remaining, 0);
    ck_assert_int_eq(p.total_iterations, 300);
}
END_TEST

/* A scale's first iteration that takes half as long again, for others keep the machine busy, is not believed at once:
 * all that is left is told to 15 percent from then on. */
START_TEST(disturbed)
{
    make();
    for (int i = 0; i < 5; i++) {
        enter(i);
        for (int k = 0; k < r.setup.plan.iterations[i]; k++) {
            double last = r.clock.iteration;

            iteration(1);
            if (i && !k) { /* the same once more, by hand: what was counted was undisturbed */
                r.clock.iteration = last, r.clock.measured = 0;
                p.seconds *= 1.5;
                nst_schedule_count(&r.clock, &r.setup, r.scale, &p);
            }
            ck_assert_msg(fabs(p.remaining - left()) <= .15 * left() + 1e-9, "scale %d, iteration %d: %g, expected %g",
                          i, k, p.remaining, left());
        }
    }
    make(); /* a run that goes on at the fourth scale has only what it sees */
    enter(3);
    iteration(1);
    ck_assert_double_eq_tol(p.remaining, left(), 1e-9);
}
END_TEST

/* Limits shorter and longer than the settings' schedule are filled to 3 percent and never passed; all scales are
 * reached and keep their proportions. */
START_TEST(limits)
{
    static const double limit[] = { 5, 12, 60, 600 };
    int done[5];

    make();
    r.setup.s.time_limit = limit[_i];
    for (int i = 0; i < 5; i++) {
        enter(i);
        done[i] = 0;
        for (; p.iteration < p.iterations && !nst_schedule_over(&r.clock, r.setup.s.time_limit, &p); done[i]++)
            iteration(1);
        ck_assert_int_gt(done[i], 0);
    }
    ck_assert_msg(now <= r.setup.s.time_limit && now >= .97 * r.setup.s.time_limit - .3, "%g s of %g", now,
                  r.setup.s.time_limit);
    ck_assert_msg(fabs(done[0] - 2. * done[2]) <= 2 + .02 * done[0] &&
                  fabs((double)done[4] - done[2]) <= 3 + .02 * done[2],
                  "%d %d %d %d %d iterations", done[0], done[1], done[2], done[3], done[4]);
}
END_TEST

/* A limit that is too short for anything: one iteration, then it is over. */
START_TEST(nothing_fits)
{
    make();
    r.setup.s.time_limit = .001;
    enter(0);
    iteration(1);
    ck_assert(nst_schedule_over(&r.clock, r.setup.s.time_limit, &p));
    ck_assert_double_eq(p.remaining, 0);
}
END_TEST

/* A loss that halves, then falls by a thousandth a ten iterations, with a wave on it: ends in the second ten after
 * that. */
START_TEST(settles)
{
    make();
    r.setup.s.until = .01;
    enter(0);
    for (int k = 0; k < 100 && p.iteration < p.iterations; k++)
        iteration((k < 40 ? 100 * pow(.9, k) : 100 * pow(.9, 40) * (1 - 1e-4 * (k - 40))) * (1 + .2 * (k % 3)));
    ck_assert_int_eq(p.iteration, 60);
    ck_assert_int_eq(p.total_iterations, 60 + 200);
    enter(1); /* begins anew */
    for (int k = 0; k < 15; k++)
        iteration(1);
    ck_assert_int_eq(p.iterations, 50);
}
END_TEST

/* ---- a real run: ends in time, with the size asked for ---- */

static int hear(void *arg, const nst_progress *at)
{
    *(nst_progress *)arg = *at;
    return 0;
}

START_TEST(real_run)
{
    const double limit = _i ? 1.5 : .01;
    nst_settings *settings;
    nst_image *content, *style, *out;
    nst_progress last = { 0 };
    nst_model *model;
    nst_error e;
    double began;

    ck_assert_int_eq(nst_settings_create(&settings, NULL, NULL), NST_OK);
    ck_assert_int_eq(nst_model_open(&model, "small", NULL), NST_OK);
    ck_assert(!nst_image_create(&content, 160, 120, 3, NULL) && !nst_image_create(&style, 160, 120, 3, NULL));
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < 160 * 120; i++) {
            nst_image_plane(content, c)[i] = (float)((i * (c + 3)) % 97) / 97;
            nst_image_plane(style, c)[i] = (float)((i / 160 * (c + 5)) % 31) / 31;
        }
    settings->size = 160, settings->min_size = 64, settings->threads = 2;
    settings->time_limit = limit;
    began = nst_now();
    ck_assert_msg(!nst_transfer(settings, model, content, (const nst_image *const *)&style, 1, NULL, hear, &last, &out,
                                &e),
                  "%s", e.text);
    ck_assert_int_eq(nst_image_width(out), 160);
    ck_assert_int_eq(nst_image_height(out), 120);
    /* a machine that is busy may take longer than the iterations before told */
    ck_assert_msg(last.elapsed <= limit + 3 * last.seconds + .5, "%g s of %g", last.elapsed, limit);
    if (_i)
        ck_assert_msg(nst_now() - began >= .5 * limit, "only %g s of %g were used", nst_now() - began, limit);
    nst_image_destroy(&content);
    nst_image_destroy(&style);
    nst_image_destroy(&out);
    nst_model_close(&model);
    nst_settings_destroy(&settings);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, time_left);
    tcase_add_test(t, disturbed);
    tcase_add_loop_test(t, limits, 0, 4);
    tcase_add_test(t, nothing_fits);
    tcase_add_test(t, settles);
    tcase_add_loop_test(t, real_run, 0, 2);
}

int main(void)
{
    return run_suite("schedule", add);
}
