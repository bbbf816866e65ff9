/* color_space.h: the affine map between RGB [0,1] and the optimised tensor. */
#ifndef NST_COLOR_SPACE_H
#define NST_COLOR_SPACE_H

#include "base/base.h"

/* x[i] = (rgb[order[i]] - mean[i]) / std[i] */
typedef struct nst_affine {
    int order[3];
    float mean[3], std[3];
} nst_affine;
void nst_space_affine(int space, nst_affine *a);                              /* nst_space: the tensor's own map */
void nst_space_encode(const nst_affine *a, const float *const rgb[3], size_t n, float *x);  /* x [3][n] */
void nst_space_decode(const nst_affine *a, const float *x, size_t n, float *const rgb[3]);  /* clipped to [0,1] */

#endif
