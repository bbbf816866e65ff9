/* canvas.h: noise, colours and a canvas that holds colour and thickness of paint; for make_samples.c alone. */
#ifndef NST_DATA_CANVAS_H
#define NST_DATA_CANVAS_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "nst.h"

typedef struct colour {
    double r, g, b;
} colour;

typedef struct canvas {
    int w, h;
    float *rgb;   /* [h][w][3] */
    float *paint; /* [h][w] thickness */
} canvas;

static double uniform(uint64_t *s)
{
    *s = *s * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*s >> 11) / 9007199254740992.0;
}

static uint32_t hash(int x, int y)
{
    uint32_t h = (uint32_t)x * 0x9e3779b1u ^ (uint32_t)y * 0x85ebca77u;

    h = (h ^ h >> 15) * 0x2c1b3c6du;
    h = (h ^ h >> 12) * 0x297a2d39u;
    return h ^ h >> 15;
}

/* 0 at a, 1 at b, smoothly; a may be the larger. */
static double smooth(double a, double b, double x)
{
    double t = fmin(1, fmax(0, (x - a) / (b - a)));

    return t * t * (3 - 2 * t);
}

/* Value noise in [0,1]. */
static double noise(double x, double y)
{
    double fx = floor(x), fy = floor(y), u = smooth(0, 1, x - fx), v = smooth(0, 1, y - fy);
    int i = (int)fx, j = (int)fy;
    double a = hash(i, j) / 4294967295., b = hash(i + 1, j) / 4294967295.;
    double c = hash(i, j + 1) / 4294967295., d = hash(i + 1, j + 1) / 4294967295.;

    return (a + (b - a) * u) * (1 - v) + (c + (d - c) * u) * v;
}

static double fbm(double x, double y, int octaves)
{
    double sum = 0, a = .5, all = 0;

    for (int i = 0; i < octaves; i++, a *= .5, x = x * 2.03 + 17, y = y * 2.01 + 31) {
        sum += a * noise(x, y);
        all += a;
    }
    return sum / all;
}

static colour rgb(double r, double g, double b)
{
    return (colour){ r, g, b };
}

static colour mix(colour a, colour b, double t)
{
    return rgb(a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t);
}

/* Lighter (by > 0) or darker. */
static colour light(colour c, double by)
{
    return by > 0 ? mix(c, rgb(1, .98, .92), by) : mix(c, rgb(.03, .02, .06), -by);
}

static void stretch(canvas *k, int w, int h)
{
    k->w = w;
    k->h = h;
    k->rgb = calloc((size_t)w * h * 3, sizeof *k->rgb);
    k->paint = calloc((size_t)w * h, sizeof *k->paint);
    if (!k->rgb || !k->paint)
        abort();
}

static inline void set(canvas *k, int x, int y, colour c)
{
    float *p = k->rgb + ((size_t)y * k->w + x) * 3;

    p[0] = (float)c.r;
    p[1] = (float)c.g;
    p[2] = (float)c.b;
}

/* A touch of paint on one pixel. */
static inline void dab(canvas *k, double x, double y, colour c, double cover, double thick)
{
    if (x < 0 || y < 0 || x >= k->w || y >= k->h)
        return;
    size_t at = (size_t)y * k->w + (size_t)x;
    float *p = k->rgb + at * 3;

    p[0] += (float)(cover * (c.r - p[0]));
    p[1] += (float)(cover * (c.g - p[1]));
    p[2] += (float)(cover * (c.b - p[2]));
    k->paint[at] += (float)(.5 * (thick - k->paint[at]));
}

/* Light from the upper left on the paint's relief and the weave below. */
static inline void varnish(canvas *k)
{
    for (int y = 1; y < k->h - 1; y++)
        for (int x = 1; x < k->w - 1; x++) {
            const float *t = k->paint + (size_t)y * k->w + x;
            float *p = k->rgb + ((size_t)y * k->w + x) * 3;
            double slope = t[1] - t[-1] + t[k->w] - t[-k->w];
            double weave = .012 * (sin(x * 1.05) * ((x / 6 + y / 6) % 2 ? 1 : -1) + sin(y * 1.05));
            double shine = fmin(.22, fmax(-.22, .16 * slope)) + weave;

            for (int c = 0; c < 3; c++)
                p[c] += (float)shine;
        }
}

/* Averages by `fine` in each direction and writes the picture; the exit status. */
static inline int hang(canvas *k, int fine, const char *path)
{
    int w = k->w / fine, h = k->h / fine;
    nst_write_options o = { .jpeg_quality = 93 };
    nst_image *image = NULL;
    nst_error e;

    if (nst_image_create(&image, w, h, 3, &e))
        goto fail;
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                double sum = 0;

                for (int j = 0; j < fine; j++)
                    for (int i = 0; i < fine; i++)
                        sum += k->rgb[((size_t)(y * fine + j) * k->w + x * fine + i) * 3 + c];
                nst_image_plane(image, c)[(size_t)y * w + x] = (float)fmin(1, fmax(0, sum / (fine * fine)));
            }
    if (nst_image_write(image, path, &o, &e))
        goto fail;
    nst_image_destroy(&image);
    free(k->rgb);
    free(k->paint);
    return 0;

fail:
    fprintf(stderr, "make_samples: %s\n", e.text);
    nst_image_destroy(&image);
    return 1;
}

#endif
