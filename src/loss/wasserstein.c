/* wasserstein.c: squared Wasserstein-2 distance between Gaussians (Dowson & Landau 1982), and the map that carries one
 * to the other.
 *
 * The distance of covariances C and T is tr(C + T - 2 C P), where the symmetric P with P C P = T is the optimal map
 * from one Gaussian to the other; its gradient with respect to C is 1 - P.  P is the limit of Y in Denman and Beavers'
 * iteration (1976)
 *   Y' = (g Y + Z^-1 / g) / 2, Z' = (g Z + Y^-1 / g) / 2, from Y = T, Z = C
 * (their root of A begins with A and 1).  In other terms, it is Newton's for the polar factor of C^1/2 T^1/2, each of
 * whose singular values x goes to (g x + 1 / (g x)) / 2: all come to 1.  Bounds of x say which g is best (Byers & Xu
 * 2008) and, beforehand, how many steps it takes: six or seven.  Nothing is squared, so that singular covariances lose
 * no digits. */
#include "loss/wasserstein.h"
#include "ops/inverse.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define RIDGE 1e-4   /* added to the diagonals of covariances */
#define NEAR 1e-7      /* how far the last step may be from its limit, by the gradient */
#define LOSS_NEAR 1e-6 /* and by the loss */
#define ROUNDING 1e-6 /* of covariances, by their size: features are summed in float for a while */
#define SQUARE ((size_t)NST_LANES * NST_LANES)
#define STEPS_MAX 30
#define TRIES 20     /* to make a covariance definite */

struct nst_w2 {
    const nst_kernels *k;
    int c;
    size_t n;                  /* numbers of a matrix below */
    double *mean;              /* [c], the target's */
    double *target, *inverse;  /* its covariance, and minus the inverse; all matrices as inverse.c has them */
    double most, least;        /* bounds of its eigenvalues */
    double *cov;               /* the picture's covariance */
    double *y, *z, *yi, *zi;   /* the iteration's matrices, and minus their inverses */
    double *scratch;
};

/* Sum of x y over all numbers of two matrices, as often as they stand there. */
static double dot(int blocks, const double *x, const double *y)
{
    double sum = 0;

    for (int i = 0; i < blocks; i++)
        for (int j = 0; j <= i; j++, x += SQUARE, y += SQUARE) {
            double part[NST_LANES] = { 0 };

            for (size_t r = 0; r < SQUARE; r += NST_LANES)
                for (size_t l = 0; l < NST_LANES; l++)
                    part[l] += x[r + l] * y[r + l];
            for (size_t l = 0; l < NST_LANES; l++)
                sum += (i == j ? 1 : 2) * part[l];
        }
    return sum;
}

static double size_of(const nst_w2 *w, const double *m)
{
    return sqrt(dot(nst_blocks(w->c), m, m));
}

static double trace(int rows, const double *m)
{
    double sum = 0;

    for (int i = 0; i < rows; i++)
        sum += m[nst_spd_at(i, i)];
    return sum;
}

/* cov = second by - m m^T with the ridge, m = mean by; rows beyond c are a channel's that is always zero. */
static void centre(int c, const double *second, const double *mean, double by, double *cov)
{
    int padded = nst_blocks(c) * NST_LANES;

    memset(cov, 0, nst_spd_size(c) * sizeof *cov);
    for (int i = 0; i < c; i++)
        for (int j = 0; j < c && j / NST_LANES <= i / NST_LANES; j++)
            cov[nst_spd_at(i, j)] = second[(size_t)i * (size_t)c + (size_t)j] * by - mean[i] * by * (mean[j] * by);
    for (int i = 0; i < padded; i++)
        cov[nst_spd_at(i, i)] += RIDGE;
}

static void raise_ridge(int c, double by, double *m)
{
    for (int i = 0; i < c; i++)
        m[nst_spd_at(i, i)] += by;
}

/* m becomes minus its inverse. */
static bool invert(const nst_w2 *w, double *m)
{
    return nst_spd_negative_inverse(w->k, w->c, m, w->scratch);
}

/* The same for a covariance, with bounds of its eigenvalues: rounding may have made it indefinite, which a higher ridge
 * mends. */
static bool invert_covariance(const nst_w2 *w, double *cov, double *out, double *most, double *least)
{
    double by = RIDGE;

    *most = size_of(w, cov);
    for (int i = 0; i < TRIES && isfinite(*most); i++, by *= 10) {
        memcpy(out, cov, w->n * sizeof *out);
        if (invert(w, out)) {
            *most = size_of(w, cov);
            *least = fmax(1 / size_of(w, out), RIDGE - ROUNDING * *most);
            return true;
        }
        raise_ridge(w->c, by, cov);
    }
    return false;
}

static bool allocate(nst_w2 *w)
{
    double **all[] = { &w->target, &w->inverse, &w->cov, &w->y, &w->z, &w->yi, &w->zi };

    for (size_t i = 0; i < NST_COUNT(all); i++) {
        *all[i] = nst_calloc(w->n, sizeof **all[i]);
        if (!*all[i])
            return false;
    }
    w->mean = nst_calloc((size_t)w->c, sizeof *w->mean);
    if (w->mean)
        w->scratch = nst_calloc(nst_spd_scratch(w->c), sizeof *w->scratch);
    return w->scratch != NULL;
}

nst_status nst_w2_create(nst_w2 **out, const nst_kernels *k, int c, const double *mean, const double *second,
                         nst_error *e)
{
    nst_w2 *w = nst_calloc(1, sizeof *w);

    *out = NULL;
    if (w)
        *w = (nst_w2){ .k = k, .c = c, .n = nst_spd_size(c) };
    if (!w || c > 16384 || !allocate(w)) {
        nst_w2_destroy(&w);
        return nst_fail(e, NST_EMEM, "Wasserstein-2 target of %d channels: out of memory", c);
    }
    memcpy(w->mean, mean, (size_t)c * sizeof *mean);
    centre(c, second, mean, 1, w->target);
    if (!invert_covariance(w, w->target, w->inverse, &w->most, &w->least)) {
        nst_w2_destroy(&w);
        return nst_fail(e, NST_EDIVERGED, "Wasserstein-2 target: the features are not finite numbers");
    }
    *out = w;
    return NST_OK;
}

void nst_w2_destroy(nst_w2 **p)
{
    nst_w2 *w = *p;

    *p = NULL;
    if (!w)
        return;
    nst_free(w->mean);
    nst_free(w->target);
    nst_free(w->inverse);
    nst_free(w->cov);
    nst_free(w->y);
    nst_free(w->z);
    nst_free(w->yi);
    nst_free(w->zi);
    nst_free(w->scratch);
    nst_free(w);
}

double nst_w2_square(const nst_w2 *w)
{
    double sum = trace(w->c, w->target);

    for (int i = 0; i < w->c; i++)
        sum += w->mean[i] * w->mean[i];
    return sum / w->c;
}

/* y = (g y + 1 / (g z)) / 2, from minus z's inverse. */
static void step_y(nst_w2 *w, double g)
{
    double a = g / 2, b = -1 / (2 * g);

    for (size_t i = 0; i < w->n; i++)
        w->y[i] = a * w->y[i] + b * w->zi[i];
}

/* z = (g z + 1 / (g y)) / 2, from minus the inverse of the y before; what is to be inverted next goes to yi and zi. */
static void step_z(nst_w2 *w, double g)
{
    double a = g / 2, b = -1 / (2 * g);

    for (size_t i = 0; i < w->n; i++) {
        w->zi[i] = w->z[i] = a * w->z[i] + b * w->yi[i];
        w->yi[i] = w->y[i];
    }
}

/* The largest singular value behind a step, the smallest being 1, when it was k times the smallest before. */
static double behind(double k)
{
    return (sqrt(k) + 1 / sqrt(k)) / 2;
}

/* w->y: the map from w->cov to the target; adds the distance of the covariances to *sum. */
static bool transport(nst_w2 *w, double *sum)
{
    int blocks = nst_blocks(w->c), rows = blocks * NST_LANES; /* those beyond c have no distance */
    double most, least, top, bottom, traces; /* bounds of cov's eigenvalues, of singular values */

    if (!invert_covariance(w, w->cov, w->zi, &most, &least))
        return false;
    memcpy(w->y, w->target, w->n * sizeof *w->y);
    memcpy(w->yi, w->inverse, w->n * sizeof *w->yi);
    memcpy(w->z, w->cov, w->n * sizeof *w->z);
    top = sqrt(most * w->most);
    bottom = sqrt(least * w->least);
    traces = *sum + trace(rows, w->cov) + trace(rows, w->target);
    for (int i = 0; i < STEPS_MAX; i++) {
        double g = 1 / sqrt(top * bottom);

        top = behind(top / bottom);
        bottom = 1;
        step_y(w, g);
        if (top - 1 < NEAR) {
            double root = 2 * dot(blocks, w->cov, w->y), off = (top - 1) * root;

            *sum = traces - root;
            if (off <= LOSS_NEAR * *sum || off <= DBL_EPSILON * root)
                return true;
        }
        if (i > 0 && !invert(w, w->yi)) /* of the y before this step */
            return false;
        step_z(w, g);
        if (!invert(w, w->zi))
            return false;
    }
    return false;
}

/* d tr(C P) / dC is P / 2, so S = dL/dC = weight (1 - P) / c, and through C = G/n - m m^T: a = 2 S / n,
 * b = (2 weight (m - t) / c - 2 S m) / n. */
nst_status nst_w2_loss(nst_w2 *w, const nst_stats *s, double weight, double *loss, double *a, double *b, nst_error *e)
{
    size_t c = (size_t)w->c;
    double sum = 0, by = 1 / s->n, scale = 2 * weight * by / (double)c;

    centre(w->c, s->gram, s->sum, by, w->cov);
    for (size_t i = 0; i < c; i++)
        sum += (s->sum[i] * by - w->mean[i]) * (s->sum[i] * by - w->mean[i]);
    if (!transport(w, &sum))
        return nst_fail(e, NST_EDIVERGED, "style loss: the features are not finite numbers");
    for (size_t i = 0; i < c; i++)
        for (size_t j = 0; j <= i; j++)
            a[i * c + j] = a[j * c + i] = scale * ((i == j) - w->y[nst_spd_at((int)i, (int)j)]);
    for (size_t i = 0; i < c; i++) {
        double product = 0;

        for (size_t j = 0; j < c; j++)
            product += a[i * c + j] * s->sum[j] * by;
        b[i] = scale * (s->sum[i] * by - w->mean[i]) - product;
    }
    *loss = weight * sum / (double)c;
    return NST_OK;
}
