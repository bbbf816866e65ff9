/* test_conv_first.c: the first layer, from and to the planar picture, of every set against naive loops in double. */
#include "blocked.h"
#include "../support/suite.h"
#include "ops/conv_first.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Picture [3][h + 1][w + 3] of which w x h is a window; planes reversed, scaled and shifted before the border. */
static void first_case(const nst_cpu *cpu, int out, int w, int h, bool replicate)
{
    size_t ldx = (size_t)w + 3, plane = ldx * ((size_t)h + 1), floats = blocked_floats(out, h, w);
    float *x = oracle_alloc(3 * plane), *dx = oracle_alloc(3 * plane), *y = oracle_alloc(floats);
    float *weight = oracle_alloc((size_t)out * 27), *plain = oracle_alloc((size_t)out);
    float *packed = oracle_alloc(nst_first_pack_floats(cpu->k, out));
    uint16_t *pass = oracle_masks(floats / NST_LANES);
    nst_first f = { .out = out, .w = w, .h = h, .replicate = replicate, .scale = { 2, .5f, 1.5f },
                    .shift = { .25f, -.5f, .125f }, .order = { 2, 1, 0 }, .weight = packed, .ldx = ldx,
                    .plane = plane };
    oracle_map seen = oracle_map_create(3, h, w);

    oracle_fill(3 * plane, x), oracle_fill((size_t)out * 27, weight), oracle_fill((size_t)out, plain);
    nst_first_pack(cpu->k, weight, out, packed);
    float *bias = blocked_bias(plain, out), *scratch = oracle_alloc(nst_first_scratch(cpu, &f));

    f.bias = bias;
    for (int i = 0; i < 3; i++)
        for (int r = 0; r < h; r++)
            for (int c = 0; c < w; c++)
                *oracle_at(&seen, i, r, c) =
                    (double)f.scale[i] * x[(size_t)f.order[i] * plane + (size_t)r * ldx + (size_t)c] +
                    (double)f.shift[i];
    oracle_map right = oracle_conv(&seen, weight, plain, out, replicate);

    oracle_relu(&right);
    nst_first_forward(cpu, &f, x, y, pass, scratch);
    blocked_is("first layer", y, &right, 4 * (double)FLT_EPSILON * 28 * 2.5);
    for (size_t i = 0; i < floats; i++)
        if ((pass[i / NST_LANES] >> i % NST_LANES & 1) != (y[i] > 0))
            ck_abort_msg("%s: the mask of number %zu is not that of %.9g", cpu->k->name, i, (double)y[i]);

    /* the gradient is added to what dx holds, and to nothing outside of the window */
    oracle_map d = blocked_random(out, h, w, false), masked = blocked_random(out, h, w, false);
    float *dy = blocked_from(&d);

    memcpy(masked.v, d.v, (size_t)out * (size_t)h * (size_t)w * sizeof *d.v);
    for (int c = 0; c < out; c++)
        for (int r = 0; r < h; r++)
            for (int q = 0; q < w; q++)
                if (!(blocked_at(y, h, w, c, r, q) > 0))
                    *oracle_at(&masked, c, r, q) = 0;
    oracle_map back = oracle_conv_backward(&masked, weight, 3, replicate);

    for (int i = 0; i < 3; i++)
        for (int r = 0; r < h; r++)
            for (int c = 0; c < w; c++)
                dx[(size_t)i * plane + (size_t)r * ldx + (size_t)c] = 1;
    nst_first_backward(cpu, &f, dy, pass, dx, scratch);
    for (int i = 0; i < 3; i++)
        for (int r = 0; r <= h; r++)
            for (int c = 0; c < (int)ldx; c++) {
                const float *got = dx + (size_t)f.order[i] * plane + (size_t)r * ldx + (size_t)c;

                if (r == h || c >= w) {
                    if (!oracle_untouched(got))
                        ck_abort_msg("%s: %d, %d outside of %d x %d is written to", cpu->k->name, c, r, w, h);
                    continue;
                }
                double expected = 1 + (double)f.scale[i] * *oracle_at(&back, i, r, c);

                if (!(fabs((double)*got - expected) <= 4 * (double)FLT_EPSILON * (9 * out + 1) * 2))
                    ck_abort_msg("%s first gradient, %d channels, %d x %d, plane %d at %d, %d: %.9g, expected %.9g",
                                 cpu->k->name, out, w, h, i, c, r, (double)*got, expected);
            }
    oracle_map_destroy(&seen), oracle_map_destroy(&right), oracle_map_destroy(&d), oracle_map_destroy(&masked);
    oracle_map_destroy(&back);
    ck_assert(oracle_free(x) && oracle_free(dx) && oracle_free(y) && oracle_free(weight) && oracle_free(plain));
    ck_assert(oracle_free(packed) && oracle_free(bias) && oracle_free(dy));
    ck_assert_msg(oracle_free(scratch), "more scratch is used than was asked for");
    ck_assert(oracle_masks_free(pass, floats / NST_LANES));
}

START_TEST(first_layer_agrees)
{
    static const struct {
        int out, w, h;
    } some[] = { { 8, 1, 1 }, { 64, 5, 3 }, { 40, 67, 51 }, { 3, 56, 16 }, { 17, 57, 18 }, { 16, 2, 33 } };

    for (size_t i = 0; i < NST_COUNT(some); i++)
        FOR_EACH_SET(cpu) {
            cpu.threads = 1 + (int)i % 3;
            first_case(&cpu, some[i].out, some[i].w, some[i].h, false);
            first_case(&cpu, some[i].out, some[i].w, some[i].h, true);
        }
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, first_layer_agrees);
}

int main(void)
{
    return run_suite("conv_first", add);
}
