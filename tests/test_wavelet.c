/* test_wavelet.c: the built-in model is what its description says. */
#include <stdio.h>
#include <time.h>

#include "leaves.h"
#include "suite.h"
#include "wavelet.h"

#define SIDE 128

static nst_model *open_model(void)
{
    nst_model *m = NULL;
    nst_error e = { "" };

    ck_assert_msg(nst_model_open_wavelet(&m, &e) == NST_OK, "%s", e.text);
    return m;
}

/* The chain is one that every reader of models would accept, with the layers that the presets name. */
START_TEST(chain)
{
    static const char *const wanted[] = { "conv1_1", "conv2_1", "conv2_2", "conv3_1",
                                          "conv3_2", "conv4_1", "conv4_2", "conv5_1" };
    nst_channel c[NST_WAVELET_CHANNELS];
    nst_model *m = open_model();
    nst_error e = { "" };

    ck_assert_msg(nst_model_check(m, "wavelet", &e) == NST_OK, "%s", e.text);
    ck_assert(m->wavelet && m->layer[0].in == 3);
    for (size_t i = 0; i < NST_COUNT(wanted); i++)
        ck_assert_msg(nst_model_find(m, wanted[i]) >= 0, "no %s", wanted[i]);
    for (int i = 0; i < m->layers; i++)
        ck_assert_int_eq(nst_wavelet_channels(i, c), m->layer[i].out);
    ck_assert_int_eq(nst_wavelet_channels(m->layers, c), 0);
    ck_assert_int_eq(nst_wavelet_channels(-1, c), 0);
    nst_model_close(&m);
}
END_TEST

/* Two constructions give the same bytes, and these are the bytes on every machine: a sum of their bits is fixed here.
 * Who changes the model runs "make gains" and writes the new sum. */
START_TEST(same_everywhere)
{
    nst_model *a = open_model(), *b = open_model();
    uint32_t sum = 2166136261u; /* FNV-1a over words */
    clock_t began = clock();
    nst_model *timed = open_model();

    printf("built in %.1f ms\n", 1e3 * (double)(clock() - began) / CLOCKS_PER_SEC);
    fflush(stdout);
    ck_assert_uint_eq(a->bytes, b->bytes);
    ck_assert(!memcmp(a->memory, b->memory, a->bytes));
    for (size_t i = 0; i < a->bytes / sizeof(uint32_t); i++)
        sum = (sum ^ ((const uint32_t *)a->memory)[i]) * 16777619u;
    ck_assert_msg(sum == 0x900a7737u, "the weights' bits sum to 0x%08x", (unsigned)sum);
    nst_model_close(&a);
    nst_model_close(&b);
    nst_model_close(&timed);
}
END_TEST

/* On a generated picture that the calibration has not seen, each kind of channel of a style layer has a mean energy
 * near one: no kind drowns another in a Gram matrix. */
START_TEST(energies)
{
    float *rgb = malloc(3 * SIDE * SIDE * sizeof *rgb);
    nst_model *m = open_model();

    leaves_paint(rgb, SIDE, 99);
    for (int k = 0; k < m->layers; k++) {
        nst_channel c[NST_WAVELET_CHANNELS];
        int n = nst_wavelet_channels(k, c), h, w;
        float *f = leaves_features(m, k, rgb, SIDE, SIDE, &h, &w);
        double energy[NST_FAMILY_COUNT] = { 0 }, all[NST_FAMILY_COUNT] = { 0 };

        for (int i = 0; i < n; i++) {
            double sum = 0;

            for (int p = 0; p < h * w; p++)
                sum += (double)f[(size_t)i * h * w + p] * f[(size_t)i * h * w + p] / (h * w);
            energy[c[i].family] += sum;
            all[c[i].family]++;
        }
        for (int i = 0; i < NST_FAMILY_COUNT && m->layer[k].index == 1; i++)
            if (all[i] > 0)
                ck_assert_msg(energy[i] / all[i] > .4 && energy[i] / all[i] < 2.5, "%s: family %d has energy %g",
                              m->layer[k].name, i, energy[i] / all[i]);
        free(f);
    }
    free(rgb);
    nst_model_close(&m);
}
END_TEST

/* A pair carries a signal whole: x+ minus x- of a layer's low pass is linear in the picture, so that it changes sign with the
 * picture's (about the mean), through every ReLU on the way; and both of a pair are never positive at once. */
START_TEST(pairs)
{
    size_t n = 3 * SIDE * SIDE;
    float *rgb = malloc(n * sizeof *rgb), *mirror = malloc(n * sizeof *mirror);
    nst_model *m = open_model();

    leaves_paint(rgb, SIDE, 7);
    for (size_t i = 0; i < n; i++)
        mirror[i] = 2 * m->input.mean[i / (SIDE * SIDE)] - rgb[i];
    for (int k = 0; k < m->layers; k++) {
        nst_channel c[NST_WAVELET_CHANNELS];
        int channels = nst_wavelet_channels(k, c), h, w;
        float *f = leaves_features(m, k, rgb, SIDE, SIDE, &h, &w);
        float *g = leaves_features(m, k, mirror, SIDE, SIDE, &h, &w);
        size_t area = (size_t)h * w;

        for (int i = 0; i + 1 < channels; i++) {
            float *plus = f + i * area, *minus = plus + area, *anti = g + i * area;

            if (c[i].content || c[i].sign != NST_PLUS || c[i].family == NST_ENERGY || c[i].family == NST_SCATTER)
                continue;
            ck_assert_int_eq(c[i + 1].sign, NST_MINUS);
            for (size_t p = 0; p < area; p++) {
                ck_assert(fabsf((plus[p] - minus[p]) - (anti[area + p] - anti[p])) < 1e-3f);
                ck_assert(m->layer[k].index > 1 || plus[p] * minus[p] == 0);
            }
        }
        free(f);
        free(g);
    }
    free(rgb);
    free(mirror);
    nst_model_close(&m);
}
END_TEST

/* What the content loss reads: nothing of a plain wall, at every one of its scales the lines of lettering on it. */
START_TEST(lettering)
{
    float *wall = malloc(3 * SIDE * SIDE * sizeof *wall), *sign = malloc(3 * SIDE * SIDE * sizeof *sign);
    nst_model *m = open_model();

    for (int i = 0; i < 3 * SIDE * SIDE; i++) {
        wall[i] = m->input.mean[i / (SIDE * SIDE)];
        sign[i] = wall[i] + (i / SIDE % 32 < 4 ? .4f : 0); /* level lines, four pixels thick */
    }
    for (int block = 2; block <= 4; block++) {
        char name[32];
        nst_channel c[NST_WAVELET_CHANNELS];
        int h, w, k, lit = 0;

        snprintf(name, sizeof name, "conv%d_2", block);
        k = nst_model_find(m, name);
        float *f = leaves_features(m, k, wall, SIDE, SIDE, &h, &w);
        float *g = leaves_features(m, k, sign, SIDE, SIDE, &h, &w);

        for (int i = 0, n = nst_wavelet_channels(k, c); i < n; i++) {
            size_t middle = (size_t)i * h * w + (size_t)w / 2; /* a column, far from the border's zeros */

            for (int y = h / 4; c[i].content && y < 3 * h / 4; y++) {
                ck_assert_msg(f[middle + (size_t)y * w] == 0, "%s shows a wall's channel %d", name, i);
                lit += g[middle + (size_t)y * w] > 0;
            }
        }
        ck_assert_msg(lit > 0, "%s does not show lines", name);
        free(f);
        free(g);
    }
    free(wall);
    free(sign);
    nst_model_close(&m);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, chain);
    tcase_add_test(t, same_everywhere);
    tcase_add_test(t, energies);
    tcase_add_test(t, pairs);
    tcase_add_test(t, lettering);
}

int main(void)
{
    return run_suite("wavelet", add);
}
