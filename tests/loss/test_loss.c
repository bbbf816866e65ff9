/* test_loss.c: style losses against their formulas in plain double, their gradient coefficients by finite
 * differences.  Wasserstein-2 of many channels: test_wasserstein.c; total variation: test_tv.c. */
#include "loss/style.h"
#include "../support/oracle.h"
#include "../support/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { C = 5, P = 37 }; /* channels, positions */

/* ---- the formulas once more, from features ------------------------------------------------------------ */

struct moments {
    double gram[C][C], mean[C];
};

static struct moments moments_of(const double f[C][P])
{
    struct moments m = { .mean = { 0 } };

    for (int p = 0; p < P; p++)
        for (int i = 0; i < C; i++) {
            m.mean[i] += f[i][p] / P;
            for (int j = 0; j < C; j++)
                m.gram[i][j] += f[i][p] * f[j][p];
        }
    return m;
}

static void covariance(const struct moments *m, double ridge, double out[C][C])
{
    for (int i = 0; i < C; i++)
        for (int j = 0; j < C; j++)
            out[i][j] = m->gram[i][j] / P - m->mean[i] * m->mean[j] + (i == j ? ridge : 0);
}

static void product(double a[C][C], double b[C][C], double out[C][C])
{
    for (int i = 0; i < C; i++)
        for (int j = 0; j < C; j++) {
            out[i][j] = 0;
            for (int k = 0; k < C; k++)
                out[i][j] += a[i][k] * b[k][j];
        }
}

/* Gauss and Jordan, with pivots. */
static void inverse(double in[C][C], double out[C][C])
{
    double a[C][2 * C];

    for (int i = 0; i < C; i++)
        for (int j = 0; j < 2 * C; j++)
            a[i][j] = j < C ? in[i][j] : j - C == i;
    for (int k = 0; k < C; k++) {
        int best = k;

        for (int i = k; i < C; i++)
            best = fabs(a[i][k]) > fabs(a[best][k]) ? i : best;
        for (int j = 0; j < 2 * C; j++) {
            double t = a[k][j];

            a[k][j] = a[best][j], a[best][j] = t;
        }
        for (int i = 0; i < C; i++) {
            double by = a[i][k] / a[k][k];

            for (int j = 0; j < 2 * C && i != k; j++)
                a[i][j] -= by * a[k][j];
        }
    }
    for (int i = 0; i < C; i++)
        for (int j = 0; j < C; j++)
            out[i][j] = a[i][C + j] / a[i][i];
}

/* The trace of the square root of a b, whose eigenvalues are those of a^1/2 b a^1/2: Denman and Beavers. */
static double trace_of_root(double a[C][C], double b[C][C])
{
    double y[C][C], z[C][C] = { { 0 } }, iy[C][C], iz[C][C], trace = 0;

    product(a, b, y);
    for (int i = 0; i < C; i++)
        z[i][i] = 1;
    for (int k = 0; k < 60; k++) {
        inverse(y, iy);
        inverse(z, iz);
        for (int i = 0; i < C; i++)
            for (int j = 0; j < C; j++) {
                y[i][j] = (y[i][j] + iz[i][j]) / 2;
                z[i][j] = (z[i][j] + iy[i][j]) / 2;
            }
    }
    for (int i = 0; i < C; i++)
        trace += y[i][i];
    return trace;
}

static double divisor(nst_style_loss_kind kind)
{
    if (kind == NST_STYLE_GRAM_RAW)
        return 1;
    return kind == NST_STYLE_GRAM_NM ? C * P : P;
}

static double mean_square(const struct moments *t, nst_style_loss_kind kind)
{
    double sum = 0, absolute = 1e-8, cov[C][C];
    double by = divisor(kind);

    covariance(t, kind == NST_STYLE_W2 ? 1e-4 : 0, cov);
    if (kind == NST_STYLE_W2) {
        for (int i = 0; i < C; i++)
            sum += cov[i][i] + t->mean[i] * t->mean[i];
        return sum / C;
    }
    for (int i = 0; i < C; i++)
        for (int j = 0; j < C; j++)
            absolute += fabs(t->gram[i][j] / by);
    for (int i = 0; i < C; i++)
        for (int j = 0; j < C; j++)
            sum += kind == NST_STYLE_COVARIANCE ? cov[i][j] * cov[i][j] : pow(t->gram[i][j] / by, 2);
    for (int i = 0; i < C && kind == NST_STYLE_COVARIANCE; i++)
        sum += t->mean[i] * t->mean[i];
    if (kind == NST_STYLE_GRAM_SCALED)
        return sum / absolute;
    return sum / (kind == NST_STYLE_COVARIANCE ? C * (C + 1) : C * C);
}

static double plain_loss(const double f[C][P], const struct moments *t, nst_style_loss_kind kind, nst_layer_norm norm)
{
    struct moments m = moments_of(f);
    double by = divisor(kind), sum = 0;
    double c[C][C], d[C][C], scale = norm == NST_NORM_INVERSE_SQUARE ? 1. / (C * C) : 1, absolute = 1e-8;

    if (norm == NST_NORM_TARGET)
        scale = 1 / mean_square(t, kind);
    covariance(&m, kind == NST_STYLE_W2 ? 1e-4 : 0, c);
    covariance(t, kind == NST_STYLE_W2 ? 1e-4 : 0, d);
    if (kind == NST_STYLE_W2) {
        for (int i = 0; i < C; i++)
            sum += pow(m.mean[i] - t->mean[i], 2) + c[i][i] + d[i][i];
        return scale * (sum - 2 * trace_of_root(c, d)) / C;
    }
    for (int i = 0; i < C && kind == NST_STYLE_GRAM_SCALED; i++)
        for (int j = 0; j < C; j++) {
            sum += pow((m.gram[i][j] - t->gram[i][j]) / P, 2);
            absolute += fabs(m.gram[i][j] - t->gram[i][j]) / P;
        }
    if (kind == NST_STYLE_GRAM_SCALED)
        return scale * sum / absolute;
    for (int i = 0; i < C; i++)
        for (int j = 0; j < C; j++)
            sum += kind == NST_STYLE_COVARIANCE ? pow(c[i][j] - d[i][j], 2)
                                                : pow((m.gram[i][j] - t->gram[i][j]) / by, 2);
    if (kind == NST_STYLE_COVARIANCE) {
        for (int i = 0; i < C; i++)
            sum += pow(m.mean[i] - t->mean[i], 2);
        return scale * sum / (C * (C + 1));
    }
    return scale * sum / (C * C) / (kind == NST_STYLE_GRAM_RAW ? C * P : 1);
}

/* ---- against nst ------------------------------------------------------------------------------------- */

static void features(double f[C][P], double offset)
{
    for (int i = 0; i < C; i++)
        for (int p = 0; p < P; p++)
            f[i][p] = fmax(0, (double)oracle_random() + offset * (i + 1) / C);
}

static nst_stats *stats_of(const double f[C][P])
{
    struct moments m = moments_of(f);
    nst_stats *s;

    ck_assert_int_eq(nst_stats_create(&s, C, NULL), NST_OK);
    s->n = P;
    for (int i = 0; i < C; i++) {
        s->sum[i] = m.mean[i] * P;
        for (int j = 0; j < C; j++)
            s->gram[i * C + j] = m.gram[i][j];
    }
    return s;
}

static nst_status create(nst_style **out, nst_style_loss_kind kind, nst_layer_norm norm, const nst_stats *const *stats,
                         const double *share, int n, nst_error *e)
{
    return nst_style_create(out, nst_kernels_pick(NULL), kind, norm, stats, share, n, e);
}

/* Loss and gradient of one kind with every norm: the loss to 1e-9, the gradient at every feature to 1e-4 of the
 * largest. */
START_TEST(style_losses)
{
    nst_style_loss_kind kind = (nst_style_loss_kind)_i;
    double f[C][P], g[C][P];
    struct moments t;
    nst_stats *s, *target;

    oracle_seed(7);
    features(f, .5);
    features(g, .2);
    t = moments_of(g);
    s = stats_of(f);
    target = stats_of(g);
    for (int norm = 0; norm < NST_NORM_COUNT; norm++) {
        const nst_stats *one = target;
        double share = 1, loss, want = 3 * plain_loss(f, &t, kind, (nst_layer_norm)norm), largest = 0, worst = 0;
        double a[C * C], b[C];
        nst_style *style;
        size_t allocations;

        ck_assert_int_eq(create(&style, kind, (nst_layer_norm)norm, &one, &share, 1, NULL), NST_OK);
        allocations = nst_alloc_count();
        ck_assert_int_eq(nst_style_loss(style, s, 3, &loss, a, b, NULL), NST_OK);
        ck_assert_uint_eq(nst_alloc_count(), allocations);
        ck_assert_msg(fabs(loss - want) <= 1e-9 * fabs(want), "kind %d, norm %d: %.12g, expected %.12g", kind, norm,
                      loss, want);
        for (int i = 0; i < C; i++)
            for (int p = 0; p < P; p++) {
                double step = 1e-5, was = f[i][p], up, down, got = b[i];

                for (int j = 0; j < C; j++)
                    got += a[i * C + j] * f[j][p];
                f[i][p] = was + step;
                up = plain_loss(f, &t, kind, (nst_layer_norm)norm);
                f[i][p] = was - step;
                down = plain_loss(f, &t, kind, (nst_layer_norm)norm);
                f[i][p] = was;
                largest = fmax(largest, fabs(got));
                worst = fmax(worst, fabs(got - 3 * (up - down) / (2 * step)));
            }
        ck_assert_msg(worst <= 1e-4 * largest, "kind %d, norm %d: gradient off by %.3g of %.3g", kind, norm, worst,
                      largest);
        for (int i = 0; i < C; i++)
            for (int j = 0; j < i; j++)
                ck_assert(fabs(a[i * C + j] - a[j * C + i]) <= 1e-12 * largest);
        nst_style_destroy(&style);
        ck_assert_ptr_null(style);
    }
    nst_stats_destroy(&s);
    nst_stats_destroy(&target);
}
END_TEST

/* The style itself has no loss, and a blend of twice the same style is that style. */
START_TEST(blends)
{
    nst_style_loss_kind kind = (nst_style_loss_kind)_i;
    double f[C][P], g[C][P], loss, again, zero;
    const double one = 1, halves[2] = { .3, .7 };
    double a[C * C], b[C];
    nst_style *style, *blend;

    oracle_seed(11);
    features(f, .4);
    features(g, .1);
    nst_stats *s = stats_of(f), *t = stats_of(g);
    const nst_stats *twice[2] = { t, t };

    ck_assert_int_eq(create(&style, kind, NST_NORM_NONE, twice, &one, 1, NULL), NST_OK);
    ck_assert_int_eq(create(&blend, kind, NST_NORM_NONE, twice, halves, 2, NULL), NST_OK);
    ck_assert_int_eq(nst_style_loss(style, s, 1, &loss, a, b, NULL), NST_OK);
    ck_assert_int_eq(nst_style_loss(blend, s, 1, &again, a, b, NULL), NST_OK);
    ck_assert_int_eq(nst_style_loss(style, t, 1, &zero, a, b, NULL), NST_OK);
    ck_assert(fabs(again - loss) <= 1e-9 * loss);
    ck_assert_msg(fabs(zero) <= 1e-9 * loss, "%g", zero);
    nst_style_destroy(&style);
    nst_style_destroy(&blend);
    nst_stats_destroy(&s);
    nst_stats_destroy(&t);
}
END_TEST

/* NaN and infinity in the statistics are an answer, not a crash; a black style is no division by zero. */
START_TEST(wild_statistics)
{
    nst_style_loss_kind kind = (nst_style_loss_kind)_i;
    double f[C][P], loss;
    const double share = 1;
    double a[C * C], b[C];
    nst_style *style;
    nst_error e;

    oracle_seed(5);
    features(f, .3);
    nst_stats *s = stats_of(f), *black;
    const nst_stats *one = s;

    ck_assert_int_eq(create(&style, kind, NST_NORM_NONE, &one, &share, 1, NULL), NST_OK);
    s->gram[3] = NAN;
    ck_assert_int_eq(nst_style_loss(style, s, 1, &loss, a, b, &e), NST_EDIVERGED);
    nst_style_destroy(&style);
    ck_assert_int_eq(create(&style, kind, NST_NORM_NONE, &one, &share, 1, &e), NST_EDIVERGED);
    ck_assert_ptr_null(style);
    s->gram[3] = INFINITY;
    ck_assert_int_eq(create(&style, kind, NST_NORM_NONE, &one, &share, 1, &e), NST_EDIVERGED);

    ck_assert_int_eq(nst_stats_create(&black, C, NULL), NST_OK);
    black->n = P;
    one = black;
    ck_assert_int_eq(create(&style, kind, NST_NORM_TARGET, &one, &share, 1, &e), NST_OK);
    ck_assert_int_eq(nst_style_loss(style, black, 1, &loss, a, b, &e), NST_OK);
    ck_assert(isfinite(loss));
    nst_style_destroy(&style);
    nst_stats_destroy(&s);
    nst_stats_destroy(&black);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_loop_test(t, style_losses, 0, NST_STYLE_LOSS_COUNT);
    tcase_add_loop_test(t, blends, 0, NST_STYLE_LOSS_COUNT);
    tcase_add_loop_test(t, wild_statistics, 0, NST_STYLE_LOSS_COUNT);
}

int main(void)
{
    return run_suite("loss", add);
}
