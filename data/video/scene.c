/* scene.c: a film whose motion is known, made of photographs, and what its painting flickers.
 *
 *     scene render FOLDER WIDTH HEIGHT COUNT PHOTO PHOTO THING    writes FOLDER/0001.png...: a pan over the first photo
 *         and, from 60 % on, the second one before a still camera; a disc of the third picture passes through both
 *     scene flicker FILM PAINTED COUNT    patterns of pictures: the mean difference of successive painted pictures
 *         along the film's motion where that can be relied on, in 255ths; cuts are left out */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nst.h"

static nst_error why;

static void need(nst_status s)
{
    if (!s)
        return;
    fprintf(stderr, "scene: %s\n", why.text);
    exit(1);
}

static float sample(nst_image *p, int c, double x, double y)
{
    int w = nst_image_width(p), h = nst_image_height(p);
    const float *v = nst_image_plane(p, c);
    int x0, y0, x1, y1;
    double fx, fy;

    x = fmin(fmax(x, 0), w - 1);
    y = fmin(fmax(y, 0), h - 1);
    x0 = (int)x, y0 = (int)y;
    x1 = x0 + 1 < w ? x0 + 1 : x0, y1 = y0 + 1 < h ? y0 + 1 : y0;
    fx = x - x0, fy = y - y0;
    return (float)((1 - fy) * ((1 - fx) * v[y0 * w + x0] + fx * v[y0 * w + x1]) +
                   fy * ((1 - fx) * v[y1 * w + x0] + fx * v[y1 * w + x1]));
}

/* Picture n of count: pictures' pixels are half the film's at least, so that nothing twinkles. */
static void draw(nst_image *out, nst_image *const photo[3], int n, int count)
{
    int w = nst_image_width(out), h = nst_image_height(out), cut = 3 * count / 5;
    nst_image *back = photo[n >= cut];
    double scale = fmin((nst_image_width(back) - 1.) / (w * (n >= cut ? 1 : 1.35)), (nst_image_height(back) - 1.) / h);
    double left = n >= cut ? 0 : .33 * w * n / cut, r = h / 5., cx = (n % cut + 2.) * w / (count * .5), cy = h * .55;
    unsigned noise = 12345u + (unsigned)n * 977u;

    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            double dx = x - cx, dy = y - cy, d = sqrt(dx * dx + dy * dy) - r, share = fmin(fmax(.5 - d, 0), 1);
            double thing = fmin(nst_image_width(photo[2]), nst_image_height(photo[2])) / (2 * r);

            noise = noise * 1664525u + 1013904223u;
            for (int c = 0; c < 3; c++) {
                double v = sample(back, c, (x + left) * scale, y * scale);

                if (share > 0)
                    v = (1 - share) * v + share * sample(photo[2], c, (dx + r) * thing, (dy + r) * thing);
                if (n >= cut) /* a camera's noise */
                    v += ((int)(noise >> 24) % 3 - 1) / 255.;
                nst_image_plane(out, c)[y * w + x] = (float)fmin(fmax(v, 0), 1);
            }
        }
}

static int render(char **argv)
{
    int w = atoi(argv[3]), h = atoi(argv[4]), count = atoi(argv[5]);
    nst_image *photo[3], *out;
    nst_fit fit = { .longest = 2 * w };
    char name[4096];

    for (int i = 0; i < 3; i++)
        need(nst_image_read_fit(&photo[i], argv[6 + i], &fit, &why));
    need(nst_image_create(&out, w, h, 3, &why));
    for (int n = 0; n < count; n++) {
        draw(out, photo, n, count);
        snprintf(name, sizeof name, "%.4000s/%04d.png", argv[2], n + 1);
        need(nst_image_write(out, name, NULL, &why));
    }
    return 0;
}

static nst_image *load(const char *pattern, int n)
{
    const char *at = strchr(pattern, '%');
    nst_image *out = NULL;
    char name[4096];
    int width = 0;

    if (!at || sscanf(at + 1, "%d", &width) != 1) {
        fprintf(stderr, "scene: %s: no pattern as %%04d.png\n", pattern);
        exit(2);
    }
    snprintf(name, sizeof name, "%.*s%0*d%s", (int)(at - pattern), pattern, width, n, strchr(at, 'd') + 1);
    need(nst_image_read(&out, name, &why));
    return out;
}

/* The weighted mean difference of one pair; *still: the share of the still places that kept their bits. */
static double differ(nst_image *painted, nst_image *warped)
{
    size_t n = (size_t)nst_image_width(painted) * (size_t)nst_image_height(painted);
    const float *a = nst_image_plane(warped, 3);
    double sum = 0, weight = 0;

    for (int c = 0; c < 3; c++)
        for (size_t i = 0; i < n; i++) {
            sum += a[i] * fabs((double)nst_image_plane(painted, c)[i] - (double)nst_image_plane(warped, c)[i]);
            weight += a[i];
        }
    return weight > 0 ? 255 * sum / weight : 0;
}

static int flicker(char **argv)
{
    int count = atoi(argv[4]), pairs = 0;
    double sum = 0;

    for (int i = 2; i <= count; i++) {
        nst_image *film[2] = { load(argv[2], i - 1), load(argv[2], i) };
        nst_image *painted[2] = { load(argv[3], i - 1), load(argv[3], i) }, *warped = NULL;
        nst_flow *there = NULL, *back = NULL;
        nst_flow_change change;

        need(nst_flow_estimate(&there, film[1], film[0], NULL, &why));
        need(nst_flow_estimate(&back, film[0], film[1], NULL, &why));
        need(nst_flow_compare(&change, film[1], film[0], there, back, &why));
        need(nst_flow_warp(&warped, painted[0], there, &why));
        need(nst_flow_weigh(warped, there, back, &why));
        if (!change.cut) {
            double d = differ(painted[1], warped);

            printf("%d %.3f\n", i, d);
            sum += d;
            pairs++;
        } else {
            printf("%d cut\n", i);
        }
        for (int k = 0; k < 2; k++) {
            nst_image_destroy(&film[k]);
            nst_image_destroy(&painted[k]);
        }
        nst_image_destroy(&warped);
        nst_flow_destroy(&there);
        nst_flow_destroy(&back);
    }
    printf("mean %.3f\n", sum / pairs);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 9 && !strcmp(argv[1], "render"))
        return render(argv);
    if (argc == 5 && !strcmp(argv[1], "flicker"))
        return flicker(argv);
    fputs("usage: scene render FOLDER WIDTH HEIGHT COUNT PHOTO PHOTO THING\n       scene flicker FILM PAINTED COUNT\n",
          stderr);
    return 2;
}
