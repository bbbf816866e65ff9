/* chain_loss.h: a loss on every layer of a chain, what it should give by the oracle, and how far float may be off. */
#ifndef NST_TESTS_CHAIN_LOSS_H
#define NST_TESTS_CHAIN_LOSS_H

#include "chain.h"
#include "../support/suite.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const algorithms[] = { "im2col", "winograd4", "winograd6" };

/* How far off float may be, over the largest value, behind a chain of convolutions, there and back.
 *
 * A sum of k terms of random signs, of which the first j have come to j / k of its square, is rounded k times by up to
 * u = FLT_EPSILON / 2 of that, evenly spread: u^2 / 3 in the mean.  Together u^2 k / 6 of the result's square.  A
 * direct convolution sums k = 9 in terms.  Winograd's sums have in of them at each point, and the transforms' own;
 * then A^T m A takes large points from each other, so that the result is smaller than what was rounded: its error's
 * square is that of the points times
 *
 * gain^2,  gain = mean over i of sum over p of (A_ip |B_p| |G_p|)^2 / 3  (rows of A^T; |.| lengths of rows of B^T and
 * G)
 *
 * Roundings of layers are independent, so squares add up, those of the way there and of the way back.  Errors and
 * values are spread alike: the largest error is to the largest value as their root mean squares are.  Half as much
 * again is allowed. */
static const struct { double gain; int transforms; } tiles[] = { { 1, 0 }, { 10.8, 8 + 6 }, { 20.6, 12 + 6 } };

static inline double rounding(int in, int algorithm)
{
    double gain = tiles[algorithm].gain;

    return algorithm ? gain * gain * (in + tiles[algorithm].transforms) / 6 : 9. * in / 6;
}

static inline double chain_tolerance(const chain *c, int algorithm)
{
    double square = 0;

    for (int i = 0; i < c->model.layers; i++) {
        const nst_layer *l = &c->model.layer[i];
        int by = i ? algorithm : 0; /* the first layer has no tiles */

        square += rounding(l->in, by) + rounding(l->out, by) + l->out / 6.;
    }
    return 1.5 * (double)FLT_EPSILON / 2 * sqrt(square);
}

static inline size_t pixels(const chain_shape *s)
{
    return 3 * (size_t)s->w * (size_t)s->h;
}

static inline nst_graph *graph(const chain *c, const nst_kernels *k, int threads, const char *conv)
{
    nst_graph_options o = c->options;
    nst_graph *g;
    nst_error e;

    o.cpu.k = k, o.cpu.threads = threads, o.conv = conv, o.device = "cpu";
    ck_assert_msg(nst_graph_create(&g, &o, &e) == NST_OK, "%s", e.text);
    return g;
}

/* By hand: the arm64 build has no style.c, which makes them. */
static inline nst_stats stats_create(int c)
{
    nst_stats s = { .c = c };

    s.gram = calloc((size_t)c * (size_t)c, sizeof *s.gram);
    s.sum = calloc((size_t)c, sizeof *s.sum);

    if (!s.gram || !s.sum)
        abort();
    return s;
}

static inline void stats_destroy(nst_stats *s)
{
    free(s->gram), free(s->sum);
}

/* What a loss could ask of every loss layer: random a (symmetric), b and scale, and content features. */
struct loss {
    nst_loss_gradient gradient[NST_MODEL_LAYERS];
    float *a[NST_MODEL_LAYERS], *b[NST_MODEL_LAYERS];
    nst_saved_features *content[NST_MODEL_LAYERS];
    double distance[NST_MODEL_LAYERS];
};

/* Layer i is read by a Gram loss, a content loss or both. */
static bool has_gram(int i) { return i % 3 != 1; }
static bool has_content(int i) { return i % 3 != 2; }

static inline void loss_create(struct loss *l, const chain *c)
{
    memset(l, 0, sizeof *l);
    for (int i = 0; i < c->model.layers; i++) {
        int n = c->model.layer[i].out;

        l->a[i] = oracle_alloc((size_t)n * (size_t)n), l->b[i] = oracle_alloc((size_t)n);
        oracle_fill((size_t)n * (size_t)n, l->a[i]), oracle_fill((size_t)n, l->b[i]);
        for (int j = 0; j < n; j++)
            for (int k = 0; k <= j; k++)
                l->a[i][k * n + j] = l->a[i][j * n + k] /= (float)n;
        if (has_gram(i))
            l->gradient[i].a = l->a[i], l->gradient[i].b = i % 2 ? l->b[i] : NULL;
        if (has_content(i))
            l->gradient[i].content_scale = .75;
    }
}

static inline void loss_keep(struct loss *l, const chain *c, nst_graph *g)
{
    for (int i = 0; i < c->model.layers; i++)
        if (has_content(i)) {
            ck_assert_int_eq(nst_graph_keep(g, i, &l->content[i], NULL), NST_OK);
            l->gradient[i].content = l->content[i];
        }
}

static inline void loss_drop(struct loss *l)
{
    for (int i = 0; i < NST_MODEL_LAYERS; i++) {
        nst_saved_features_destroy(&l->content[i]);
        l->gradient[i].content = NULL;
    }
}

static inline void loss_destroy(struct loss *l)
{
    loss_drop(l);
    for (int i = 0; i < NST_MODEL_LAYERS; i++)
        if (l->a[i])
            ck_assert(oracle_free(l->a[i]) && oracle_free(l->b[i]));
}

static inline double largest(size_t n, const double *x)
{
    double most = 0;

    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs(x[i]));
    return most;
}

static inline void check_numbers(const char *what, const char *layer, size_t n, const double *got, const double *right,
                                 double tolerance)
{
    double most = largest(n, right);

    for (size_t i = 0; i < n; i++)
        ck_assert_msg(fabs(got[i] - right[i]) <= tolerance * most, "%s: %s: number %zu is %.9g, expected %.9g", layer,
                      what, i, got[i], right[i]);
}

static inline void check_gradient(const char *what, const chain_shape *s, const float *got, const double *right,
                                  double tolerance)
{
    double most = largest(pixels(s), right);

    for (size_t i = 0; i < pixels(s); i++)
        ck_assert_msg(fabs((double)got[i] - right[i]) <= tolerance * most,
                      "%s: gradient at %zu, %zu of plane %zu is %.9g, expected %.9g, the largest is %.3g", what,
                      i % (size_t)s->w, i / (size_t)s->w % (size_t)s->h, i / (size_t)s->w / (size_t)s->h,
                      (double)got[i], right[i], most);
}

#endif
