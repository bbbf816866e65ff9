/* recolor.c: one picture takes on another's colours, by their mean and covariance. */
#include "image/image.h"

#include <math.h>
#include <string.h>

/* Added to both covariances' diagonals, in squares of [0,1] colour: what a picture without colour
 * (or of one colour) is taken to vary by, so that the map stays bounded. */
#define FLOOR 1e-5

typedef double mat3[3][3];

static void multiply(mat3 a, mat3 b, mat3 out)
{
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            out[i][j] = a[i][0] * b[0][j] + a[i][1] * b[1][j] + a[i][2] * b[2][j];
}

/* One Jacobi rotation: a becomes J^T a J with a[p][q] = 0, v becomes v J. */
static void rotate(mat3 a, mat3 v, int p, int q)
{
    double theta, t, c, s;

    if (a[p][q] == 0)
        return;
    theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
    t = (theta < 0 ? -1 : 1) / (fabs(theta) + sqrt(theta * theta + 1));
    c = 1 / sqrt(t * t + 1);
    s = t * c;
    for (int k = 0; k < 3; k++) {
        double x = a[k][p], y = a[k][q];

        a[k][p] = c * x - s * y;
        a[k][q] = s * x + c * y;
    }
    for (int k = 0; k < 3; k++) {
        double x = a[p][k], y = a[q][k], vx = v[k][p], vy = v[k][q];

        a[p][k] = c * x - s * y;
        a[q][k] = s * x + c * y;
        v[k][p] = c * vx - s * vy;
        v[k][q] = s * vx + c * vy;
    }
}

/* root = m^(1/2), inverse = m^(-1/2) for symmetric positive m; either may be NULL. */
static void roots(mat3 m, mat3 root, mat3 inverse)
{
    mat3 a, v = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } };

    memcpy(a, m, sizeof a);
    for (int sweep = 0; sweep < 16; sweep++) { /* converges quadratically: 5 or 6 are enough */
        rotate(a, v, 0, 1);
        rotate(a, v, 0, 2);
        rotate(a, v, 1, 2);
    }
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            double r = 0, q = 0;

            for (int k = 0; k < 3; k++) {
                double l = sqrt(fmax(a[k][k], FLOOR * FLOOR));

                r += v[i][k] * v[j][k] * l;
                q += v[i][k] * v[j][k] / l;
            }
            if (root)
                root[i][j] = r;
            if (inverse)
                inverse[i][j] = q;
        }
}

struct weighing {
    const float *alpha, *weight; /* either may be NULL */
};

static double weigh(const struct weighing *w, size_t i)
{
    return (w->alpha ? (double)w->alpha[i] : 1) * (w->weight ? (double)w->weight[i] : 1);
}

/* Mean and covariance of the colours, each pixel weighted by its alpha and weight (equally if nothing is left). */
static void statistics(const nst_image *image, const float *weight, double mean[3], mat3 cov)
{
    size_t n = (size_t)image->width * (size_t)image->height;
    struct weighing w = { image->channels == 4 ? image->plane[3] : NULL, weight };
    double total = 0, sum[3] = { 0 };

    for (size_t i = 0; i < n; i++)
        total += weigh(&w, i);
    if (!(total > 0)) {
        w = (struct weighing){ NULL, NULL };
        total = (double)n;
    }
    for (int c = 0; c < 3; c++) {
        for (size_t i = 0; i < n; i++)
            sum[c] += weigh(&w, i) * (double)image->plane[c][i];
        mean[c] = sum[c] / total;
    }
    for (int c = 0; c < 3; c++)
        for (int d = c; d < 3; d++) {
            double s = 0;

            for (size_t i = 0; i < n; i++)
                s += weigh(&w, i) * (image->plane[c][i] - mean[c]) * (image->plane[d][i] - mean[d]);
            cov[c][d] = cov[d][c] = s / total + (c == d ? FLOOR : 0);
        }
}

/* map = C^(-1/2) (C^(1/2) S C^(1/2))^(1/2) C^(-1/2): symmetric, and map C map = S. */
static void transport(mat3 from, mat3 to, mat3 map)
{
    mat3 root, inverse, a, b;

    roots(from, root, inverse);
    multiply(root, to, a);
    multiply(a, root, b);
    roots(b, a, NULL);
    multiply(inverse, a, b);
    multiply(b, inverse, map);
}

nst_status nst_image_recolor(nst_image *content, const nst_image *style, double share, nst_error *e)
{
    return nst_image_recolor_weighted(content, NULL, style, NULL, share, e);
}

nst_status nst_image_recolor_weighted(nst_image *content, const float *weight, const nst_image *style,
                                      const float *style_weight, double share, nst_error *e)
{
    size_t n = (size_t)content->width * (size_t)content->height;
    double mc[3], ms[3], add[3];
    mat3 cc, cs, map;

    if (!(share >= 0 && share <= 1))
        return nst_fail(e, NST_EARG, "recolor: share %g, expected 0 to 1", share);
    if (share == 0)
        return NST_OK;
    statistics(content, weight, mc, cc);
    statistics(style, style_weight, ms, cs);
    transport(cc, cs, map);
    for (int c = 0; c < 3; c++) {
        if (!isfinite(map[c][0] + map[c][1] + map[c][2] + mc[c] + ms[c]))
            return nst_fail(e, NST_EDIVERGED, "recolor: a picture holds a NaN or an infinity, expected numbers");
        for (int d = 0; d < 3; d++)
            map[c][d] = share * map[c][d] + (c == d ? 1 - share : 0);
        add[c] = share * ms[c] + (1 - share) * mc[c] - map[c][0] * mc[0] - map[c][1] * mc[1] - map[c][2] * mc[2];
    }
    for (size_t i = 0; i < n; i++) {
        double rgb[3] = { content->plane[0][i], content->plane[1][i], content->plane[2][i] };

        for (int c = 0; c < 3; c++) {
            double v = add[c] + map[c][0] * rgb[0] + map[c][1] * rgb[1] + map[c][2] * rgb[2];

            content->plane[c][i] = (float)fmin(fmax(v, 0), 1);
        }
    }
    return NST_OK;
}
