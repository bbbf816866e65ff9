/* test_conv.c: convolutions on blocked features: every set and algorithm against naive loops in
 * double, the adjoint identity, the same bits for any number of threads. */
#include "blocked.h"
#include "../support/suite.h"
#include "ops/conv.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of each algorithm: its name, and how many times the direct sum's tolerance it may use (test_kernels.c). */
static const struct {
    const char *name;
    double factor;
} algorithms[NST_CONV_COUNT] = {
    [NST_CONV_IM2COL] = { "im2col", 1 },
    [NST_CONV_WINOGRAD4] = { "winograd4", 20 },
    [NST_CONV_WINOGRAD6] = { "winograd6", 50 },
};

struct shape {
    int in, out, w, h;
};

/* Few and odd channels, one pixel, strips and tiles that end everywhere; the last two are those whose filters
 * Winograd transforms anew for each block (more than 1.5 million floats). */
static const struct shape shapes[] = {
    { 1, 1, 1, 1 },     { 3, 8, 2, 1 },    { 8, 3, 1, 2 },    { 8, 16, 3, 3 },   { 16, 8, 5, 4 },
    { 17, 40, 7, 6 },   { 40, 17, 12, 13 }, { 3, 64, 29, 5 }, { 64, 64, 6, 29 }, { 16, 16, 67, 51 },
    { 64, 40, 33, 34 }, { 128, 8, 57, 3 },  { 200, 224, 9, 7 }, { 256, 256, 5, 11 },
};

/* A convolution between guarded arrays. */
struct job {
    oracle_map x, y;              /* input, and what the oracle makes of it when `right` was asked for */
    float *weight, *bias;         /* plain */
    double tolerance;             /* of a direct sum */
};

static struct job job_create(const struct shape *s, bool right)
{
    struct job j = { .x = blocked_random(s->in, s->h, s->w, false) };
    size_t weights = (size_t)s->in * (size_t)s->out * 9;

    j.weight = oracle_alloc(weights);
    j.bias = oracle_alloc((size_t)s->out);
    oracle_fill(weights, j.weight);
    oracle_fill((size_t)s->out, j.bias);
    if (right) {
        j.y = oracle_conv(&j.x, j.weight, j.bias, s->out, false);
        oracle_relu(&j.y);
    }
    /* 9 in products and the bias, none above 1, of random signs */
    j.tolerance = 4 * (double)FLT_EPSILON * (9 * s->in + 1);
    return j;
}

static void job_destroy(struct job *j)
{
    oracle_map_destroy(&j->x), oracle_map_destroy(&j->y);
    ck_assert(oracle_free(j->weight) && oracle_free(j->bias));
}

/* Packed weights, and a bias as long as a panel reads. */
static float *pack(const nst_kernels *k, const float *w, int out, int in, bool backward)
{
    size_t n = backward ? nst_conv_pack_floats(k, in, out) : nst_conv_pack_floats(k, out, in);
    float *p = oracle_alloc(n);

    nst_conv_pack(k, w, out, in, backward, p);
    return p;
}

static void run(const nst_cpu *cpu, const nst_conv *c)
{
    float *scratch = oracle_alloc(nst_conv_scratch(cpu, c));

    nst_conv_run(cpu, c, scratch);
    ck_assert_msg(oracle_free(scratch), "more scratch is used than was asked for");
}

static const char *label(const nst_cpu *cpu, int algorithm)
{
    static char text[64];

    snprintf(text, sizeof text, "%s %s", cpu->k->name, algorithms[algorithm].name);
    return text;
}

/* Shape _i: result, ReLU and pass masks. */
START_TEST(forward_agrees)
{
    const struct shape *s = &shapes[_i];
    struct job j = job_create(s, true);
    float *x = blocked_from(&j.x), *bias = blocked_bias(j.bias, s->out);
    size_t floats = blocked_floats(s->out, s->h, s->w);

    FOR_EACH_SET(cpu) {
        float *w = pack(cpu.k, j.weight, s->out, s->in, false);

        for (int a = 0; a < NST_CONV_COUNT; a++) {
            float *y = oracle_alloc(floats);
            uint16_t *pass = oracle_masks(floats / NST_LANES);
            nst_conv c = { .algorithm = (nst_conv_algorithm)a, .in = nst_blocks(s->in), .out = nst_blocks(s->out),
                           .w = s->w, .h = s->h, .weight = w, .bias = bias, .source = x, .source_w = s->w,
                           .source_h = s->h, .scale = 1, .result = y, .pass = pass };

            run(&cpu, &c);
            blocked_is(label(&cpu, a), y, &j.y, j.tolerance * algorithms[a].factor);
            for (size_t i = 0; i < floats; i++)
                ck_assert_int_eq(pass[i / NST_LANES] >> i % NST_LANES & 1, y[i] > 0);
            ck_assert(oracle_free(y));
            ck_assert(oracle_masks_free(pass, floats / NST_LANES));
        }
        ck_assert(oracle_free(w));
    }
    ck_assert(oracle_free(x) && oracle_free(bias));
    job_destroy(&j);
}
END_TEST

static double inner(size_t n, const float *a, const float *b)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* <conv x, y> = <x, conv_backward y>: the gradient belongs to this convolution, whatever both do. */
START_TEST(backward_is_the_adjoint)
{
    const struct shape *s = &shapes[_i];
    struct job j = job_create(s, false);
    oracle_map d = blocked_random(s->out, s->h, s->w, false);
    float *x = blocked_from(&j.x), *dy = blocked_from(&d), *none = blocked_bias(NULL, s->in > s->out ? s->in : s->out);
    size_t in = blocked_floats(s->in, s->h, s->w), out = blocked_floats(s->out, s->h, s->w);

    FOR_EACH_SET(cpu) {
        float *w = pack(cpu.k, j.weight, s->out, s->in, false), *b = pack(cpu.k, j.weight, s->out, s->in, true);

        for (int a = 0; a < NST_CONV_COUNT; a++) {
            float *y = oracle_alloc(out), *dx = oracle_alloc(in);
            nst_conv c = { .algorithm = (nst_conv_algorithm)a, .in = nst_blocks(s->in), .out = nst_blocks(s->out),
                           .w = s->w, .h = s->h, .weight = w, .bias = none, .floor = -INFINITY, .source = x,
                           .source_w = s->w, .source_h = s->h, .scale = 1, .result = y };
            nst_conv back = c;

            back.in = c.out, back.out = c.in, back.weight = b, back.source = dy, back.result = dx;
            run(&cpu, &c), run(&cpu, &back);
            double left = inner(out, y, dy), right = inner(in, x, dx);
            /* each of the outputs is off by its tolerance, in a random direction */
            double allowed = algorithms[a].factor * j.tolerance * sqrt((double)(in + out));

            ck_assert_msg(fabs(left - right) <= allowed, "%s %d to %d channels, %d x %d: %.9g, %.9g, allowed %.2g",
                          label(&cpu, a), s->in, s->out, s->w, s->h, left, right, allowed);
            ck_assert(oracle_free(y) && oracle_free(dx));
        }
        ck_assert(oracle_free(w) && oracle_free(b));
    }
    ck_assert(oracle_free(x) && oracle_free(dy) && oracle_free(none));
    oracle_map_destroy(&d);
    job_destroy(&j);
}
END_TEST

/* ---- pooling on the way out, and back through it on the way in ---- */

/* The numbers that a tensor of floats holds, for the oracle to go on from: its own would round elsewhere and now
 * and then take another maximum. */
static oracle_map map_from(const float *f, int c, int h, int w)
{
    oracle_map m = oracle_map_create(c, h, w);

    for (int i = 0; i < c; i++)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
                *oracle_at(&m, i, y, x) = (double)blocked_at(f, h, w, i, y, x);
    return m;
}

static void pooled_case(const nst_cpu *cpu, const struct shape *s, int a, bool average, bool up)
{
    struct job j = job_create(s, false);
    int pw = (s->w + up) / 2, ph = (s->h + up) / 2;
    size_t positions = (size_t)nst_blocks(s->out) * (size_t)s->h * (size_t)s->w;
    float *x = blocked_from(&j.x), *bias = blocked_bias(j.bias, s->out);
    float *w = pack(cpu->k, j.weight, s->out, s->in, false);
    float *b = pack(cpu->k, j.weight, s->out, s->in, true), *none = blocked_bias(NULL, s->in);
    float *y = oracle_alloc(positions * NST_LANES), *pooled = oracle_alloc(blocked_floats(s->out, ph, pw));
    float *dx = oracle_alloc(blocked_floats(s->in, s->h, s->w));
    uint16_t *pass = oracle_masks(positions);
    nst_conv c = { .algorithm = (nst_conv_algorithm)a, .in = nst_blocks(s->in), .out = nst_blocks(s->out), .w = s->w,
                   .h = s->h, .weight = w, .bias = bias, .source = x, .source_w = s->w, .source_h = s->h, .scale = 1,
                   .result = y, .pass = pass, .pooled = pooled, .pooled_w = pw, .pooled_h = ph, .average = average };

    run(cpu, &c);
    oracle_map full = map_from(y, s->out, s->h, s->w), right = oracle_pool(&full, average, up);

    blocked_is(label(cpu, a), pooled, &right, average ? FLT_EPSILON * oracle_largest(&right) : 0);

    /* the gradient behind pooling, ReLU and convolution, from the pooled features' */
    oracle_map d = blocked_random(s->out, ph, pw, false);
    oracle_map dfull = oracle_pool_backward(&full, &d, average, up);
    float *dpooled = blocked_from(&d);
    nst_conv back = { .algorithm = (nst_conv_algorithm)a, .in = c.out, .out = c.in, .w = s->w, .h = s->h, .weight = b,
                      .bias = none, .floor = -INFINITY, .source = dpooled, .source_w = pw, .source_h = ph,
                      .mask = pass, .shift = 1, .scale = average ? .25f : 1, .average = average, .result = dx };

    oracle_relu_backward(&full, &dfull);
    oracle_map before = oracle_conv_backward(&dfull, j.weight, s->in, false);

    run(cpu, &back);
    blocked_is(label(cpu, a), dx, &before, algorithms[a].factor * 4 * (double)FLT_EPSILON * (9 * s->out));
    oracle_map_destroy(&full), oracle_map_destroy(&right), oracle_map_destroy(&d), oracle_map_destroy(&dfull);
    oracle_map_destroy(&before);
    ck_assert(oracle_free(x) && oracle_free(bias) && oracle_free(w) && oracle_free(b) && oracle_free(none));
    ck_assert(oracle_free(y) && oracle_free(pooled) && oracle_free(dx) && oracle_free(dpooled));
    ck_assert(oracle_masks_free(pass, positions));
    job_destroy(&j);
}

/* Maximum and mean, odd sides rounded down and up, every set and algorithm; sides that end inside a strip. */
START_TEST(pooling_agrees)
{
    static const struct shape some[] = {
        { 3, 8, 2, 2 }, { 16, 17, 5, 4 }, { 8, 16, 6, 7 }, { 17, 8, 13, 9 }, { 8, 3, 67, 11 }, { 3, 16, 29, 3 },
        { 8, 8, 57, 5 }, { 8, 8, 49, 7 }
    };

    FOR_EACH_SET(cpu)
        for (int a = 0; a < NST_CONV_COUNT; a++)
            for (int kind = 0; kind < 4; kind++)
                pooled_case(&cpu, &some[_i], a, kind & 1, kind >> 1);
}
END_TEST
enum { POOLED_SHAPES = 8 };

/* ---- tiles that the picture's sides cut ---- */

static void cut_case(const nst_cpu *cpu, const struct job *j, int a, int before_x, int before_y)
{
    int w = j->x.w, h = j->x.h, pw = (w + 1) / 2, ph = (h + 1) / 2;
    size_t positions = (size_t)nst_blocks(j->y.c) * (size_t)w * (size_t)h;
    bool pooled = before_x % 2 == 0 && before_y % 2 == 0;
    float *x = blocked_from(&j->x), *bias = blocked_bias(j->bias, j->y.c), *y = oracle_alloc(positions * NST_LANES);
    float *weight = pack(cpu->k, j->weight, j->y.c, j->x.c, false);
    float *half = oracle_alloc(blocked_floats(j->y.c, ph, pw));
    uint16_t *pass = oracle_masks(positions);
    nst_conv c = { .algorithm = (nst_conv_algorithm)a, .in = nst_blocks(j->x.c), .out = nst_blocks(j->y.c), .w = w,
                   .h = h, .weight = weight, .bias = bias, .source = x, .source_w = w, .source_h = h, .scale = 1,
                   .place = { .tile_x = before_x, .tile_y = before_y }, .result = y, .pass = pass,
                   .pooled = pooled ? half : NULL, .pooled_w = pw, .pooled_h = ph };

    run(cpu, &c);
    blocked_is(label(cpu, a), y, &j->y, j->tolerance * algorithms[a].factor);
    for (size_t i = 0; i < positions * NST_LANES && !pooled; i++)
        ck_assert_int_eq(pass[i / NST_LANES] >> i % NST_LANES & 1, y[i] > 0);
    if (pooled) {
        oracle_map full = map_from(y, j->y.c, h, w), right = oracle_pool(&full, false, true);

        blocked_is(label(cpu, a), half, &right, 0);
        oracle_map_destroy(&full), oracle_map_destroy(&right);
    }
    ck_assert(oracle_free(x) && oracle_free(bias) && oracle_free(y) && oracle_free(weight) && oracle_free(half));
    ck_assert(oracle_masks_free(pass, positions));
}

/* Width _i + 1: one tile and several, of which the first and the last have any number of results. */
START_TEST(tiles_may_be_cut)
{
    struct shape s = { 8, 17, _i + 1, (_i * 5 + 2) % 17 + 1 };
    struct job j = job_create(&s, true);

    FOR_EACH_SET(cpu)
        for (int a = NST_CONV_WINOGRAD4; a < NST_CONV_COUNT; a++) {
            int m = nst_conv_tile((nst_conv_algorithm)a);

            for (int before = 0; before < m * m; before++)
                cut_case(&cpu, &j, a, before % m, before / m);
        }
    job_destroy(&j);
}
END_TEST
enum { CUT_WIDTHS = 17 };

/* ---- threads ---- */

/* The same bits for 1, 2, 3 and 7 threads: by blocks; by panels; by blocks with 1 or 7 threads, by panels with 2, 3,
 * with few channels and with more than are summed at a time. */
START_TEST(threads_do_not_matter)
{
    static const int numbers[] = { 1, 2, 3, 7 };
    static const struct shape some[] = { { 40, 64, 61, 37 }, { 200, 224, 33, 34 }, { 96, 128, 30, 30 },
                                          { 160, 160, 30, 30 } };
    const struct shape *s = &some[_i];
    size_t floats = blocked_floats(s->out, s->h, s->w), weights = (size_t)s->in * (size_t)s->out * 9;
    oracle_map m = blocked_random(s->in, s->h, s->w, false);
    float *x = blocked_from(&m), *plain = oracle_alloc(weights), *first = oracle_alloc(floats);
    float *bias = blocked_bias(NULL, s->out);
    nst_cpu cpu = { nst_kernels_pick(NULL), 1 };

    oracle_fill(weights, plain);
    float *w = pack(cpu.k, plain, s->out, s->in, false);

    for (int a = 0; a < NST_CONV_COUNT; a++)
        for (size_t t = 0; t < NST_COUNT(numbers); t++) {
            float *y = oracle_alloc(floats);
            nst_conv c = { .algorithm = (nst_conv_algorithm)a, .in = nst_blocks(s->in), .out = nst_blocks(s->out),
                           .w = s->w, .h = s->h, .weight = w, .bias = bias, .source = x, .source_w = s->w,
                           .source_h = s->h, .scale = 1, .result = y };

            cpu.threads = numbers[t];
            run(&cpu, &c);
            if (t == 0)
                memcpy(first, y, floats * sizeof *y);
            ck_assert_msg(memcmp(first, y, floats * sizeof *y) == 0, "%s: %d threads give other bits", label(&cpu, a),
                          numbers[t]);
            ck_assert(oracle_free(y));
        }
    ck_assert(oracle_free(x) && oracle_free(plain) && oracle_free(first) && oracle_free(bias) && oracle_free(w));
    oracle_map_destroy(&m);
}
END_TEST

/* A window or strip is smaller than the picture that scratch was reserved for. */
START_TEST(scratch_is_enough_for_smaller_pictures)
{
    static const int channels[][2] = { { 32, 32 }, { 64, 128 }, { 224, 192 }, { 256, 512 } };
    nst_cpu cpu = { nst_kernels_pick(NULL), 1 };

    for (cpu.threads = 1; cpu.threads <= 8; cpu.threads++)
        for (size_t i = 0; i < NST_COUNT(channels); i++)
            for (int a = 0; a < NST_CONV_COUNT; a++) {
                size_t before = 0;

                for (int side = 4; side < 300; side += 3) {
                    nst_conv c = { .algorithm = (nst_conv_algorithm)a, .in = nst_blocks(channels[i][0]),
                                   .out = nst_blocks(channels[i][1]), .w = side, .h = side };
                    size_t need = nst_conv_scratch(&cpu, &c);

                    ck_assert_msg(need >= before, "%s, %d to %d channels, %d threads: %d x %d takes less than smaller",
                                  label(&cpu, a), channels[i][0], channels[i][1], cpu.threads, side, side);
                    before = need;
                }
            }
}
END_TEST

static void add(TCase *t)
{
    tcase_add_loop_test(t, forward_agrees, 0, (int)NST_COUNT(shapes));
    tcase_add_loop_test(t, backward_is_the_adjoint, 0, (int)NST_COUNT(shapes));
    tcase_add_loop_test(t, pooling_agrees, 0, POOLED_SHAPES);
    tcase_add_loop_test(t, tiles_may_be_cut, 0, CUT_WIDTHS);
    tcase_add_test(t, scratch_is_enough_for_smaller_pictures);
    tcase_add_loop_test(t, threads_do_not_matter, 0, 4);
}

int main(void)
{
    return run_suite("conv", add);
}
