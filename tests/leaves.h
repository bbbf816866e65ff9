/* leaves.h: generated pictures with the statistics of photographs, and a plain forward pass of a model over
 * them: what calibrates and tests the built-in model.  Included by programs, one file each. */
#ifndef NST_TEST_LEAVES_H
#define NST_TEST_LEAVES_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* xorshift64*: uniform in [0,1) */
static double leaves_random(uint64_t *s)
{
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    return (double)((*s * UINT64_C(2685821657736338717)) >> 11) / 9007199254740992.0;
}

/* Dead leaves: discs of one colour each, radii with density r^-3, the last ones on top: edges, occlusion and
 * a 1/f spectrum, as in photographs (Lee, Mumford & Huang 2001).  rgb [3][side][side] in [0,1]; side a power of two. */
static void leaves_paint(float *rgb, int side, uint64_t seed)
{
    int fine = 2 * side; /* drawn twice as large and averaged, against jagged edges */
    size_t n = (size_t)fine * fine;
    float *big = malloc(3 * n * sizeof *big);
    double smallest = 2, largest = side / 2.0;

    for (size_t i = 0; i < 3 * n; i++)
        big[i] = 0.5f;
    for (int leaf = 0; leaf < 40 * side; leaf++) {
        double u = leaves_random(&seed), x = leaves_random(&seed) * fine, y = leaves_random(&seed) * fine;
        double r = smallest / sqrt(1 - u * (1 - smallest * smallest / (largest * largest)));
        double luma = leaves_random(&seed), red = 0.25 * (leaves_random(&seed) - 0.5);
        double blue = 0.35 * (leaves_random(&seed) - 0.5);
        double colour[3] = { luma + red - blue / 2, luma - red - blue / 2, luma + blue };

        for (int j = (int)fmax(0, y - r); j < fine && j <= y + r; j++)
            for (int i = (int)fmax(0, x - r); i < fine && i <= x + r; i++)
                if ((i - x) * (i - x) + (j - y) * (j - y) < r * r)
                    for (int c = 0; c < 3; c++)
                        big[c * n + (size_t)j * fine + i] = (float)fmin(1, fmax(0, colour[c]));
    }
    for (int c = 0; c < 3; c++)
        for (int j = 0; j < side; j++)
            for (int i = 0; i < side; i++) {
                const float *p = big + c * n + (size_t)(2 * j) * fine + 2 * i;

                rgb[((size_t)c * side + j) * side + i] = (p[0] + p[1] + p[fine] + p[fine + 1]) / 4;
            }
    free(big);
}

/* One 3x3 convolution with zero padding and a ReLU.  x [in][h][w], y [out][h][w].  Zero weights cost nothing. */
static void leaves_conv(const nst_layer *l, const float *x, int h, int w, float *y)
{
    size_t n = (size_t)h * w;

    for (int o = 0; o < l->out; o++) {
        float *row = y + o * n;

        for (size_t p = 0; p < n; p++)
            row[p] = l->bias[o];
        for (int i = 0; i < l->in; i++)
            for (int t = 0; t < 9; t++) {
                float v = l->weight[((size_t)o * l->in + i) * 9 + t];
                int dy = t / 3 - 1, dx = t % 3 - 1;

                for (int j = 0; v != 0 && j < h; j++)
                    for (int k = dx < 0 ? -dx : 0; k < w && k + dx < w && j + dy >= 0 && j + dy < h; k++)
                        row[(size_t)j * w + k] += v * x[i * n + (size_t)(j + dy) * w + k + dx];
            }
        for (size_t p = 0; p < n; p++)
            row[p] = row[p] > 0 ? row[p] : 0;
    }
}

/* The features of layer `last` for rgb [3][h][w]; the caller frees them; *oh, *ow their size.  Average pooling. */
static float *leaves_features(const nst_model *m, int last, const float *rgb, int h, int w, int *oh, int *ow)
{
    size_t n = (size_t)h * w;
    float *x = malloc(3 * n * sizeof *x);

    for (size_t i = 0; i < 3 * n; i++)
        x[i] = (rgb[i] - m->input.mean[i / n]) / m->input.std[i / n];
    for (int k = 0; k <= last; k++) {
        const nst_layer *l = &m->layer[k];
        float *y;

        if (k && l->index == 1) {
            int ph = h / 2, pw = w / 2;
            float *pooled = malloc((size_t)l->in * ph * pw * sizeof *pooled);

            for (int c = 0; c < l->in; c++)
                for (int j = 0; j < ph; j++)
                    for (int i = 0; i < pw; i++) {
                        const float *p = x + ((size_t)c * h + 2 * j) * w + 2 * i;

                        pooled[((size_t)c * ph + j) * pw + i] = (p[0] + p[1] + p[w] + p[w + 1]) / 4;
                    }
            free(x);
            x = pooled;
            h = ph;
            w = pw;
        }
        y = malloc((size_t)l->out * h * w * sizeof *y);
        leaves_conv(l, x, h, w, y);
        free(x);
        x = y;
    }
    *oh = h;
    *ow = w;
    return x;
}

#endif
