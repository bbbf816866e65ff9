/* conv.h: 3x3 convolutions, stride 1, on blocked features (simd/kernels.h). */
#ifndef NST_CONV_H
#define NST_CONV_H

#include "ops/dispatch.h"

typedef enum nst_conv_algorithm {
    NST_CONV_IM2COL = 0, /* patches as a matrix, one product */
    NST_CONV_WINOGRAD4,  /* F(4x4,3x3): 4 times fewer multiplications */
    NST_CONV_WINOGRAD6,  /* F(6x6,3x3): 5 times fewer, less exact */
    NST_CONV_COUNT
} nst_conv_algorithm;

/* Weights packed for a set's tile, [panel][block of in][9][16][nr], from w [out][in][3][3].  backward: the
 * input gradient's filters: rotated by 180 degrees, in and out exchanged (pass out and in as they are in w). */
size_t nst_conv_pack_floats(const nst_kernels *k, int out, int in);
void nst_conv_pack(const nst_kernels *k, const float *w, int out, int in, bool backward, float *packed);

/* Where a result lies in what it is read from, and in the tiles that it is computed in. */
typedef struct nst_conv_place {
    int left, top;               /* of the result's corner in what is read, 0 when they are the same rectangle */
    int extra_cols, extra_rows;  /* what is read is so much larger than the result; zeros beyond it */
    int tile_x, tile_y;          /* Winograd: so much of the first tile lies before the result; even where that pools */
} nst_conv_place;

/* Rows of each array's planes where they are more than nst_conv says; 0: as many. */
typedef struct nst_conv_rows {
    int source, mask, result, pass, pooled;
} nst_conv_rows;

/* One convolution.  The source is read through its pass mask when it has one: as the gradient behind ReLU
 * (shift 0: source_w == w) or behind pooling and ReLU (shift 1: the source is the pooled gradient). */
typedef struct nst_conv {
    nst_conv_algorithm algorithm;
    int in, out;                 /* channel blocks */
    int w, h;                    /* of the result, and of the mask */
    const float *weight;         /* packed */
    const float *bias;           /* [out * 16, rounded up to nr] */
    float floor;                 /* 0: ReLU; -INFINITY: none */
    const float *source;         /* [in][source_h][source_w][16] */
    int source_w, source_h;
    nst_conv_place place;
    const uint16_t *mask;        /* [in][h + extra_rows][w + extra_cols] or NULL */
    int shift;
    float scale;                 /* of the gradient that passes */
    float *result;               /* [out][h][w][16] or NULL */
    uint16_t *pass;              /* [out][h][w] or NULL: pass masks of the result (behind the pooling if pooled) */
    float *pooled;               /* [out][pooled_h][pooled_w][16] or NULL */
    int pooled_w, pooled_h;      /* w / 2 rounded down or up */
    nst_conv_rows rows;
    bool average;                /* pooling by mean, of result or (shift 1) of source */
} nst_conv;

/* Floats of scratch for any of the fields that matter: algorithm, in, out, w, h. */
size_t nst_conv_scratch(const nst_cpu *cpu, const nst_conv *c);
void nst_conv_run(const nst_cpu *cpu, const nst_conv *c, float *scratch);

/* ---- conv_select.c: the choice of an algorithm ---- */

/* "im2col", "winograd4", "winograd6": what --conv accepts and nst bench prints. */
const char *nst_conv_name(nst_conv_algorithm a);
/* The algorithm that is fastest for this shape within a relative error of 1e-4. */
nst_conv_algorithm nst_conv_choose(const nst_cpu *cpu, int in, int out, int w, int h);
/* Sides of the tiles of results that are computed together, and round together; 1: each by itself. */
int nst_conv_tile(nst_conv_algorithm a);

#endif
