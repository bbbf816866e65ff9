/* test_small.c: the built-in model is what its file and the table of its layers say. */
#include "model/builtin/small.h"
#include "../support/suite.h"

#include <math.h>
#include <time.h>

static nst_model *open_model(void)
{
    nst_model *m = NULL;
    nst_error e = { "" };

    ck_assert_msg(nst_model_open(&m, "small", &e) == NST_OK, "%s", e.text);
    return m;
}

/* VGG16's layers up to conv5_1, in a chain that every reader of models would accept; and their numbers are all that the
 * library has, which is small. */
START_TEST(chain)
{
    static const char *const names[] = { "conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2",
                                         "conv3_3", "conv4_1", "conv4_2", "conv4_3", "conv5_1" };
    size_t has = (size_t)(nst_small_end - nst_small_begin), needs = 0, numbers = 0;
    nst_model *m = open_model();
    nst_error e = { "" };

    ck_assert_msg(nst_model_check(m, "small", &e) == NST_OK, "%s", e.text);
    ck_assert_int_eq(m->layers, (int)NST_COUNT(names));
    for (int i = 0; i < m->layers; i++) {
        size_t out = (size_t)m->layer[i].out, weights = out * (size_t)m->layer[i].in * 9;

        ck_assert_str_eq(m->layer[i].name, names[i]);
        needs += 4 * out + 4 * out + weights;
        numbers += out + weights;
    }
    ck_assert_msg(has == needs, "%zu bytes, the layers take %zu", has, needs);
    ck_assert_msg(has <= 4000000, "%zu bytes", has);
    ck_assert_uint_eq(m->bytes, numbers * sizeof(float));
    ck_assert_str_eq(nst_model_input(m), "torchvision");
    ck_assert_str_eq(nst_model_format(m), "built in");
    ck_assert_ptr_nonnull(strstr(nst_model_describe(m), "CC BY 4.0"));
    nst_model_close(&m);
}
END_TEST

/* A float of the file, from its sign, exponent and fraction. */
static double number(const unsigned char *b)
{
    uint32_t bits = (uint32_t)b[0] + 256u * b[1] + 65536u * b[2] + 16777216u * b[3];
    int exponent = bits >> 23 & 255;
    double fraction = (bits & 0x7fffff) / 8388608.;

    ck_assert(exponent < 255);
    return (bits >> 31 ? -1 : 1) * (exponent ? ldexp(1 + fraction, exponent - 127) : ldexp(fraction, -126));
}

/* A weight is its filter's scale times its byte, to the nearest float; a bias is as it is. */
START_TEST(numbers)
{
    const unsigned char *at = nst_small_begin;
    nst_model *m = open_model();

    for (int i = 0; i < m->layers; i++) {
        const nst_layer *l = &m->layer[i];
        const unsigned char *scale = at, *bias = at + 4 * l->out;

        at = bias + 4 * l->out;
        for (int o = 0; o < l->out; o++) {
            ck_assert(l->bias[o] == (float)number(bias + 4 * o));
            for (int k = 0; k < 9 * l->in; k++, at++)
                ck_assert(l->weight[o * 9 * l->in + k] ==
                          (float)(number(scale + 4 * o) * (*at < 128 ? *at : *at - 256)));
        }
    }
    ck_assert_ptr_eq(at, nst_small_end);
    nst_model_close(&m);
}
END_TEST

/* Two openings give the same bits, and the file is the one that was meant: a sum of its bytes is fixed here.  Who
 * changes the model writes down what this test then says. */
START_TEST(same_everywhere)
{
    nst_model *a = open_model(), *b = open_model();
    uint32_t sum = 2166136261u; /* FNV-1a */
    clock_t began = clock();
    nst_model *timed = open_model();

    printf("opened in %.1f ms\n", 1e3 * (double)(clock() - began) / CLOCKS_PER_SEC);
    fflush(stdout);
    ck_assert(!memcmp(a->memory, b->memory, a->bytes));
    for (const unsigned char *at = nst_small_begin; at < nst_small_end; at++)
        sum = (sum ^ *at) * 16777619u;
    ck_assert_msg(sum == 0x5e946995u, "the file's bytes sum to 0x%08x", (unsigned)sum);
    nst_model_close(&a);
    nst_model_close(&b);
    nst_model_close(&timed);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, chain);
    tcase_add_test(t, numbers);
    tcase_add_test(t, same_everywhere);
}

int main(void)
{
    return run_suite("small", add);
}
