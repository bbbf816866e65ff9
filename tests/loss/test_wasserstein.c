/* test_wasserstein.c: the Wasserstein-2 loss of many channels against numbers with 50 digits.  Its formula on few:
 * test_loss.c. */
#include "rough_features.h"
#include "w2_numbers.h"

static double *one_colour(int c, int n, int by)
{
    double *f = nst_calloc((size_t)(c * n), sizeof *f);

    for (int i = 0; i < c * n; i++)
        f[i] = i / n % 4 * by;
    return f;
}

static double *nearly(const double *f, int c, int n, int by)
{
    double *t = nst_calloc((size_t)(c * n), sizeof *t);

    for (int i = 0; i < c * n; i++)
        t[i] = f[i] + ((i / n + i % n) % 5 == 0 ? by / 64. : 0);
    return t;
}

/* The features of a case's style; f: of its picture. */
static double *style_of(const struct w2_case *t, const double *f)
{
    if (t->style == 2)
        return nearly(f, t->c, t->k, t->by);
    return t->style ? one_colour(t->c, t->k, t->by) : rough(11, t->c, t->k, t->by);
}

/* Against eigenvalues with 50 digits, by every kernel set: full covariances, fewer positions than channels, one colour
 * on either side, large features near their target and far from it: the loss to 1e-6, the gradient to 1e-4 of its
 * length and, as it is much better than that, to what double leaves. */
START_TEST(w2_numbers)
{
    const struct w2_case *t = &w2_cases[_i];
    int c = t->c;
    double *f = t->picture ? one_colour(c, t->n, t->by) : rough(7, c, t->n, t->by);
    nst_stats *target = sums_of(style_of(t, f), c, t->k);
    nst_stats *s = sums_of(f, c, t->n);
    const nst_stats *const one = target;
    const double share = 1;
    bool usable;

    for (int i = 0; nst_kernels_at(i, &usable); i++) {
        const nst_kernels *k = nst_kernels_at(i, NULL);
        double loss, a[40 * 40], b[40], off = 0, length = 0;
        nst_style *style;

        if (!usable)
            continue;
        ck_assert_int_eq(nst_style_create(&style, k, NST_STYLE_W2, NST_NORM_NONE, &one, &share, 1, NULL), NST_OK);
        ck_assert_int_eq(nst_style_loss(style, s, 1, &loss, a, b, NULL), NST_OK);
        ck_assert_msg(fabs(loss - t->loss) <= 1e-6 * t->loss, "%s, case %d: %.15g, expected %.15g", k->name, _i, loss,
                      t->loss);
        for (int row = 0; row < c; row++) {
            double product = 0;

            for (int j = 0; j < c; j++)
                product += a[row * c + j] * (j % 3 - 1);
            off += pow(product - t->a[row], 2) + pow(b[row] - t->b[row], 2);
            length += pow(t->a[row], 2) + pow(t->b[row], 2);
        }
        ck_assert_msg(sqrt(off) <= 1e-6 * sqrt(length), "%s, case %d: gradient off by %.3g of %.3g", k->name, _i,
                      sqrt(off), sqrt(length));
        nst_style_destroy(&style);
    }
    nst_stats_destroy(&s);
    nst_stats_destroy(&target);
}
END_TEST

static nst_status create(nst_style **out, const nst_stats *of)
{
    const double share = 1;

    return nst_style_create(out, nst_kernels_pick(NULL), NST_STYLE_W2, NST_NORM_NONE, &of, &share, 1, NULL);
}

/* Sums in float may leave a covariance that has negative eigenvalues, here of -.01 with a ridge of .0001: the loss is
 * about what it is without that one channel. */
START_TEST(w2_indefinite)
{
    enum { N = 20 };
    nst_stats *s = sums_of(rough(7, N, 100, 1), N, 100), *target = sums_of(rough(11, N, 100, 1), N, 100);
    const nst_stats *one = target;
    double loss, before, a[N * N], b[N];
    nst_style *style;

    ck_assert_int_eq(create(&style, one), NST_OK);
    ck_assert_int_eq(nst_style_loss(style, s, 1, &before, a, b, NULL), NST_OK);
    for (int i = 0; i < N; i++) {
        s->gram[3 * N + i] = s->gram[i * N + 3] = s->sum[3] * s->sum[i] / s->n;
        target->gram[3 * N + i] = target->gram[i * N + 3] = target->sum[3] * target->sum[i] / target->n;
    }
    s->gram[3 * N + 3] -= .01 * s->n;
    target->gram[3 * N + 3] -= .01 * target->n;
    nst_style_destroy(&style);
    ck_assert_int_eq(create(&style, one), NST_OK);
    ck_assert_int_eq(nst_style_loss(style, s, 1, &loss, a, b, NULL), NST_OK);
    ck_assert_msg(loss > .5 * before && loss < 2 * before, "%g, expected about %g", loss, before);
    nst_style_destroy(&style);
    nst_stats_destroy(&s);
    nst_stats_destroy(&target);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_loop_test(t, w2_numbers, 0, (int)NST_COUNT(w2_cases));
    tcase_add_test(t, w2_indefinite);
}

int main(void)
{
    return run_suite("wasserstein", add);
}
