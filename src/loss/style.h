/* style.h: statistics of features, and style losses of them. */
#ifndef NST_STYLE_H
#define NST_STYLE_H

#include "ops/gram_masked.h"

/* Statistics of one layer of one picture: sums over its n positions. */
typedef struct nst_stats {
    int c;        /* channels */
    double n;     /* positions summed so far; with a map, the sum of their weights */
    double *gram; /* [c][c] sum of f f^T, symmetric, both halves */
    double *sum;  /* [c] sum of f */
    nst_map map;  /* each term times its weight */
    struct nst_stats *next; /* of the same layer, by another map, or NULL */
    bool keep_on_device; /* on the device that sums them, for nst_graph_style_loss; gram and sum are not written */
} nst_stats;

nst_status nst_stats_create(nst_stats **out, int c, nst_error *e);
void nst_stats_destroy(nst_stats **s);
void nst_stats_clear(nst_stats *s);

/* What a style picture (or a blend of several) asks of one layer. */
typedef struct nst_style nst_style;

/* kind and norm as in nst.h.  stats[i] are blended with weights blend[i] (which sum to one) after each is
 * divided as its kind says.  k: what NST_STYLE_W2 computes with. */
nst_status nst_style_create(nst_style **out, const nst_kernels *k, nst_style_loss_kind kind, nst_layer_norm norm,
                            const nst_stats *const *stats, const double *blend, int n_styles, nst_error *e);
void nst_style_destroy(nst_style **s);

/* The loss of a picture with statistics s (the whole picture's), times weight, and its gradient:
 * dLoss/df[:, p] = a f[:, p] + b at every position p.
 *   height_width  positions of the layer in the whole picture (s->n)
 *   a [c][c] symmetric, b [c]: written
 * Allocates nothing.  NST_EDIVERGED when the statistics are not finite. */
nst_status nst_style_loss(nst_style *t, const nst_stats *s, double weight,
                          double *loss, double *a, double *b, nst_error *e);

/* What nst_style_loss computes of a picture of n positions, for devices that do it themselves: with D = G / by -
 * second, and for covariances, of the centred G, d = mean of the picture - mean, scale (sum D^2 + sum d^2); scaled:
 * scale Q / S, Q = sum D^2, S = sum |D| + epsilon.  Not for NST_STYLE_W2. */
typedef struct nst_style_terms {
    nst_style_loss_kind kind;
    int c;
    const double *second, *mean; /* [c][c], [c]; the target's */
    double by, scale, epsilon;
    double unit;                 /* about as large as second's numbers, never 0 */
} nst_style_terms;
void nst_style_terms_of(const nst_style *t, double n, double weight, nst_style_terms *out);

#endif
