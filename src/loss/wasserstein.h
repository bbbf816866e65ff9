/* wasserstein.h: the squared Wasserstein-2 distance between Gaussians, for the style loss. */
#ifndef NST_W2_H
#define NST_W2_H

#include "loss/style.h"

typedef struct nst_w2 nst_w2;

/* A target with mean [c] and second moment [c][c] (not centred).  1e-4 is added to the diagonal of both
 * covariances, as style-transfer-pytorch does. */
nst_status nst_w2_create(nst_w2 **out, const nst_kernels *k, int c, const double *mean, const double *second,
                         nst_error *e);
void nst_w2_destroy(nst_w2 **w);
/* Distance of the target from a layer that is zero everywhere, which NST_NORM_TARGET divides by. */
double nst_w2_square(const nst_w2 *w);
/* weight * (mean (m - t)^2 + tr(C + T - 2 (T^1/2 C T^1/2)^1/2) / c) and its gradient df = a f + b.
 * Allocates nothing.  Cost: ten to twelve inverses of c x c, each half a product. */
nst_status nst_w2_loss(nst_w2 *w, const nst_stats *s, double weight, double *loss, double *a, double *b, nst_error *e);

#endif
