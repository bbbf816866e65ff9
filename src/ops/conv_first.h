/* conv_first.h: the first layer, from and to the planar picture. */
#ifndef NST_CONV_FIRST_H
#define NST_CONV_FIRST_H

#include "ops/dispatch.h"

typedef struct nst_first {
    int out;                     /* channels */
    int w, h;
    bool replicate;              /* border: the nearest pixel, or zeros */
    float scale[3], shift[3];    /* the network's plane i is scale[i] * x[order[i]] + shift[i] */
    int order[3];
    const float *weight;         /* [27][..] packed by nst_first_pack, then the gradient's [16 blocks][..] */
    const float *bias;
    size_t ldx, plane;           /* floats between rows and planes of x and dx */
    bool above, below;           /* x and dx go on beyond the first and the last row: read, and added to, as they are */
    int rows, pass_rows;         /* of the planes of y, dy and of pass where they are more than h; 0: as many */
    /* backward only, NULL for none: dy is a * features + b more than said; a [out][out] symmetric, b [out] or NULL */
    const float *features, *a, *b; /* features [out/16][h][w][16] */
} nst_first;
size_t nst_first_pack_floats(const nst_kernels *k, int out);
void nst_first_pack(const nst_kernels *k, const float *w, int out, float *packed);
size_t nst_first_scratch(const nst_cpu *cpu, const nst_first *f);
/* y [out/16][h][w][16] after ReLU, pass masks (or NULL). */
void nst_first_forward(const nst_cpu *cpu, const nst_first *f, const float *x, float *y, uint16_t *pass,
                       float *scratch);
/* dx += gradient with respect to x, from dy [out/16][h][w][16] and the pass masks. */
void nst_first_backward(const nst_cpu *cpu, const nst_first *f, const float *dy, const uint16_t *pass, float *dx,
                        float *scratch);

#endif
