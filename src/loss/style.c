/* style.c: statistics of a layer and the style losses made of them, with their gradients. */
#include "loss/wasserstein.h"

#include <math.h>
#include <string.h>

#define SCALED_EPSILON 1e-8 /* added to the sum that a scaled loss is divided by */

nst_status nst_stats_create(nst_stats **out, int c, nst_error *e)
{
    nst_stats *s = nst_calloc(1, sizeof *s);
    size_t n = (size_t)c;

    *out = NULL;
    if (s)
        s->gram = nst_calloc(n, n * sizeof *s->gram);
    if (s && s->gram)
        s->sum = nst_calloc(n, sizeof *s->sum);
    if (!s || !s->sum) {
        nst_stats_destroy(&s);
        return nst_fail(e, NST_EMEM, "statistics of %d channels: out of memory", c);
    }
    s->c = c;
    *out = s;
    return NST_OK;
}

void nst_stats_destroy(nst_stats **s)
{
    if (*s) {
        nst_free((*s)->gram);
        nst_free((*s)->sum);
        nst_free(*s);
    }
    *s = NULL;
}

void nst_stats_clear(nst_stats *s)
{
    size_t c = (size_t)s->c;

    s->n = 0;
    memset(s->gram, 0, c * c * sizeof *s->gram);
    memset(s->sum, 0, c * sizeof *s->sum);
}

/* ---- targets ----------------------------------------------------------------- */

struct nst_style {
    nst_style_loss_kind kind;
    int c;
    double scale;   /* what the layer's norm makes of the loss */
    double *second; /* [c][c] target: Gram matrix, covariance or, for W2, second moment */
    double *mean;   /* [c] */
    double unit;    /* root mean square of second */
    nst_w2 *w2;
};

static bool centred(nst_style_loss_kind kind)
{
    return kind == NST_STYLE_COVARIANCE || kind == NST_STYLE_W2;
}

/* What the sums are divided by. */
static double divisor(nst_style_loss_kind kind, int c, double n)
{
    if (kind == NST_STYLE_GRAM_RAW)
        return 1;
    return kind == NST_STYLE_GRAM_NM ? c * n : n;
}

/* Adds share of one style's statistics to the target.  W2 blends second moments and centres the blend,
 * which is what style-transfer-pytorch does; covariances are blended as they are, or the distance between
 * two styles' means would count as texture. */
static void blend(nst_style *t, const nst_stats *s, double share)
{
    size_t c = (size_t)t->c;
    double by = divisor(t->kind, t->c, s->n);

    for (size_t i = 0; i < c; i++)
        t->mean[i] += share * s->sum[i] / s->n;
    for (size_t i = 0; i < c; i++)
        for (size_t j = 0; j < c; j++) {
            double v = s->gram[i * c + j] / by;

            if (t->kind == NST_STYLE_COVARIANCE)
                v -= s->sum[i] / s->n * (s->sum[j] / s->n);
            t->second[i * c + j] += share * v;
        }
}

/* Mean square of the target over the numbers that the loss compares, or what that loss has instead. */
static double mean_square(const nst_style *t)
{
    size_t c = (size_t)t->c, n = c * c;
    double sum = 0;

    if (t->kind == NST_STYLE_W2)
        return nst_w2_square(t->w2);
    for (size_t i = 0; i < c * c; i++)
        sum += t->second[i] * t->second[i];
    if (t->kind == NST_STYLE_GRAM_SCALED) {
        double absolute = SCALED_EPSILON;

        for (size_t i = 0; i < c * c; i++)
            absolute += fabs(t->second[i]);
        return sum / absolute;
    }
    if (t->kind == NST_STYLE_COVARIANCE) {
        for (size_t i = 0; i < c; i++)
            sum += t->mean[i] * t->mean[i];
        n += c;
    }
    return sum / (double)n;
}

nst_status nst_style_create(nst_style **out, const nst_kernels *k, nst_style_loss_kind kind, nst_layer_norm norm,
                            const nst_stats *const *stats, const double *share, int n_styles, nst_error *e)
{
    nst_style *t = nst_calloc(1, sizeof *t);
    size_t c = (size_t)stats[0]->c;
    nst_status s;
    double unit;

    *out = NULL;
    if (t)
        t->second = nst_calloc(c, c * sizeof *t->second);
    if (t && t->second)
        t->mean = nst_calloc(c, sizeof *t->mean);
    if (!t || !t->mean) {
        s = nst_fail(e, NST_EMEM, "style target of %zu channels: out of memory", c);
        goto fail;
    }
    t->kind = kind;
    t->c = (int)c;
    t->scale = 1;
    for (int i = 0; i < n_styles; i++)
        blend(t, stats[i], share[i]);
    if (kind == NST_STYLE_W2) {
        s = nst_w2_create(&t->w2, k, t->c, t->mean, t->second, e);
        if (s)
            goto fail;
    }
    for (size_t i = 0; i < c * c; i++)
        t->unit += t->second[i] * t->second[i];
    t->unit = sqrt(t->unit) / (double)c;
    unit = mean_square(t);
    if (!isfinite(unit)) {
        s = nst_fail(e, NST_EDIVERGED, "style picture: its features are not finite numbers");
        goto fail;
    }
    if (norm == NST_NORM_INVERSE_SQUARE)
        t->scale = 1. / ((double)c * (double)c);
    else if (norm == NST_NORM_TARGET && unit > 0)
        t->scale = 1 / unit;
    *out = t;
    return NST_OK;

fail:
    nst_style_destroy(&t);
    return s;
}

void nst_style_destroy(nst_style **s)
{
    if (*s) {
        nst_w2_destroy(&(*s)->w2);
        nst_free((*s)->second);
        nst_free((*s)->mean);
        nst_free(*s);
    }
    *s = NULL;
}

/* ---- losses -------------------------------------------------------------------- */

/* Gram losses: L = scale sum (G/by - T)^2; with G = F F^T, dL/dF = 4 scale / by (G/by - T) F. */
static double gram_loss(const nst_style *t, const nst_stats *s, double weight, double *a, double *b)
{
    size_t c = (size_t)t->c;
    double by = divisor(t->kind, t->c, s->n), sum = 0;
    double scale = weight * t->scale / ((double)c * (double)c);

    if (t->kind == NST_STYLE_GRAM_RAW)
        scale /= (double)c * s->n;
    for (size_t i = 0; i < c * c; i++) {
        double d = s->gram[i] / by - t->second[i];

        sum += d * d;
        a[i] = 4 * scale / by * d;
    }
    memset(b, 0, c * sizeof *b);
    return scale * sum;
}

/* L = scale (sum (C - T)^2 + sum (m - t)^2) with C = G/n - m m^T:
 * dL/df = 2/n D f + 1/n (2 scale (m - t) - 2 D m), D = 2 scale (C - T). */
static double covariance_loss(const nst_style *t, const nst_stats *s, double weight, double *a, double *b)
{
    size_t c = (size_t)t->c;
    double scale = weight * t->scale / ((double)c * (double)(c + 1)), sum = 0;

    for (size_t i = 0; i < c; i++) {
        double mi = s->sum[i] / s->n, dm = mi - t->mean[i], product = 0;

        sum += dm * dm;
        for (size_t j = 0; j < c; j++) {
            double mj = s->sum[j] / s->n;
            double d = s->gram[i * c + j] / s->n - mi * mj - t->second[i * c + j];

            sum += d * d;
            product += d * mj;
            a[i * c + j] = 4 * scale / s->n * d;
        }
        b[i] = 2 * scale / s->n * (dm - 2 * product);
    }
    return scale * sum;
}

/* L = scale Q / S, Q = sum D^2, S = sum |D| + epsilon, D = G/n - T: dL/dF = 2 scale / n (2 D / S - Q / S^2 sign D)
 * F. */
static double scaled_loss(const nst_style *t, const nst_stats *s, double weight, double *a, double *b)
{
    size_t c = (size_t)t->c;
    double square = 0, absolute = SCALED_EPSILON, scale = weight * t->scale;

    for (size_t i = 0; i < c * c; i++) {
        a[i] = s->gram[i] / s->n - t->second[i];
        square += a[i] * a[i];
        absolute += fabs(a[i]);
    }
    for (size_t i = 0; i < c * c; i++)
        a[i] = 2 * scale / s->n * (2 * a[i] / absolute - square / (absolute * absolute) * ((a[i] > 0) - (a[i] < 0)));
    memset(b, 0, c * sizeof *b);
    return scale * square / absolute;
}

void nst_style_terms_of(const nst_style *t, double n, double weight, nst_style_terms *out)
{
    double c = t->c;

    *out = (nst_style_terms){ .kind = t->kind, .c = t->c, .second = t->second, .mean = t->mean,
                              .by = divisor(t->kind, t->c, n), .scale = weight * t->scale, .epsilon = SCALED_EPSILON,
                              .unit = t->unit > 0 ? t->unit : 1 };
    if (t->kind == NST_STYLE_COVARIANCE)
        out->scale /= c * (c + 1);
    else if (t->kind != NST_STYLE_GRAM_SCALED)
        out->scale /= t->kind == NST_STYLE_GRAM_RAW ? c * c * c * n : c * c;
}

nst_status nst_style_loss(nst_style *t, const nst_stats *s, double weight, double *loss, double *a, double *b,
                          nst_error *e)
{
    nst_status status = NST_OK;

    *loss = NAN;
    if (t->kind == NST_STYLE_W2)
        status = nst_w2_loss(t->w2, s, weight * t->scale, loss, a, b, e);
    else if (centred(t->kind))
        *loss = covariance_loss(t, s, weight, a, b);
    else if (t->kind == NST_STYLE_GRAM_SCALED)
        *loss = scaled_loss(t, s, weight, a, b);
    else
        *loss = gram_loss(t, s, weight, a, b);
    if (!status && !isfinite(*loss))
        return nst_fail(e, NST_EDIVERGED, "style loss: the features are not finite numbers");
    return status;
}
