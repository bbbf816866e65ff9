/* temporal.h: what holds a picture to another one, pixel by pixel. */
#ifndef NST_TEMPORAL_LOSS_H
#define NST_TEMPORAL_LOSS_H

#include "ops/dispatch.h"

/* A picture in x's units, and how much each of its pixels counts. */
typedef struct nst_hold {
    const float *target; /* [3][n] */
    const float *share;  /* [n], 0..1 */
    double scale[3];     /* of each plane */
} nst_hold;

/* Sum over planes c and pixels i of scale[c] share[i] (x[c][i] - target[c][i])^2; its gradient is ADDED to dx.
 * x and dx [3][n].  Allocates nothing; the same bits for any number of threads. */
double nst_hold_loss(const nst_cpu *cpu, const nst_hold *h, const float *x, size_t n, float *dx);

#endif
