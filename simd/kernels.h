/* kernels.h: the contract between the engine and its kernels.
 *
 * A kernel is arithmetic on pointers and counts.  It cannot fail, allocate,
 * lock or print.  A set is used as a whole, because packing depends on its tile.
 *
 * Layout of feature maps on the CPU: blocks of NST_LANES channels,
 *   f [c / 16][h][w][16]
 * one cache line a position and block, the same for every set.  Channel counts
 * are padded to a multiple of 16 with zeros.  "Block stride" is the number of
 * floats from one channel block to the next; all pointers are 64-byte aligned
 * unless it says otherwise.
 */
#ifndef NST_KERNELS_H
#define NST_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "checked.h"

#define NST_LANES 16
#define NST_MR_MAX 16
#define NST_NR_MAX 64

/* Products of a tile of n positions, 1 to mr, and nr channels:
 *   c[j/16][r][j%16] (+)= sum over b < kb, l < 16 of a[b][r][l] * w[b][l][j],  r < n, j < nr
 * A kernel may read and write all mr positions, of which those from n on are of no use; an element has the same bits
 * for every n.
 * a  [kb][mr][16]        block stride lda
 * w  [kb * 16][nr]       packed, contiguous
 * c  [nr / 16][mr][16]   block stride ldc
 * add: 0 stores, 1 adds to what c holds.  kb >= 1. */
typedef void nst_gemm_tile_fn(int n, size_t kb, const float *a, size_t lda, const float *w,
                              float *c, size_t ldc, int add);

/* Products of a channel block with others over positions, for Gram matrices, each summed in float and then added to g:
 *   g[i][16 k + j] += sum over p < n of a[p][i] * b[k][p][j],  i < 16, j < 16, k < blocks
 * ldb: floats between blocks of b; ldg: row stride of g */
typedef void nst_gram_tile_fn(size_t n, const float *a, const float *b, size_t ldb, int blocks, double *g, size_t ldg);

/* The same, summed in double: c[i][j] (+)= sum over p < n of a[p][i] * b[p][j], i < 16, j < 16; c [16][16] */
typedef void nst_double_tile_fn(size_t n, const double *a, const double *b, double *c, int add);

/* s[l] += sum over p < n of f[p][l], l < 16 */
typedef void nst_sums_fn(size_t n, const float *f, float *s);

/* Winograd F(m x m, 3 x 3), t = m + 2 (Lavin & Gray, CVPR 2016), one tile of 16 channels at once, of h x w results.  h
 * and w are 2, 4 ... m: a tile that a side of the picture cuts has h + 2 and w + 2 points, the first ones of t, and the
 * filters of a whole one.
 * Input: v = B^T d B.  d [h + 2][w + 2][16] with row stride ldd floats (columns are 16 apart); point
 * i * t + j of the result, i < h + 2, j < w + 2, goes to v + (i * t + j) * ldv, 16 floats. */
typedef void nst_wino_in_fn(const float *d, size_t ldd, int h, int w, float *v, size_t ldv);
/* Filter: row `row` of u = G g G^T.  g [3][3][n] with the taps ldg floats apart, n a multiple of 16; point
 * row * t + j of the result goes to u + j * ldu, n floats. */
typedef void nst_wino_filter_fn(size_t n, const float *g, size_t ldg, int row, float *u, size_t ldu);
/* Output: y = A^T m A + bias, then max(y, floor): floor 0 is ReLU, -inf none.
 * Point i * t + j, i < h + 2, j < w + 2, is read at m + (i * t + j) * ldm; y [h][w][16] with row stride ldy.
 * bias [16]. */
typedef void nst_wino_out_fn(const float *m, size_t ldm, int h, int w, const float *bias, float floor, float *y,
                             size_t ldy);

/* First layer: 27 inputs (3 channels, 3x3 taps) read straight from rows of a padded planar picture.
 *   c[j/16][r][j%16] = sum over k < 27 of p[k][r] * w[k][j],  r < mr, j < nr
 * p [27] pointers to mr consecutive floats, any alignment; w [27][nr]; c as in gemm_tile. */
typedef void nst_first_tile_fn(const float *const p[27], const float *w, float *c, size_t ldc);

/* y[p][l] = max(y[p][l] + bias[l], floor), p < n: bias and ReLU (floor 0) or bias alone (-inf). */
typedef void nst_bias_fn(size_t n, const float *bias, float floor, float *y);

/* Pass masks: one bit a channel, one word a position and channel block: does the gradient pass here?
 * mask[i] = bits of (y[i] > 0), i < n.  y [n][16]. */
typedef void nst_mask_fn(size_t n, const float *y, uint16_t *mask);
/* 2x2 pooling of two rows of 2n positions that are not negative: out [n][16], and the pass masks of both rows:
 * maximum: the first of the four that is the maximum and above 0 (row r0 before r1, left before right);
 * average: every position above 0. */
typedef void nst_pool_fn(size_t n, const float *r0, const float *r1, float *out, uint16_t *m0, uint16_t *m1);
/* d[i] = mask[x + i] ? scale * s[(x + i) >> shift] : 0, lane by lane, i < n: the gradient through ReLU
 * (shift 0) or through pooling and ReLU (shift 1).  s [.][16], d [n][16]. */
typedef void nst_gate_fn(size_t x, size_t n, int shift, float scale, const float *s, const uint16_t *mask, float *d);

/* sum of x[i] * y[i], sum of (x[i] - y[i])^2, sum of |x[i]|; any alignment; the same for the same n */
typedef double nst_dot_fn(size_t n, const float *x, const float *y);
typedef double nst_abs_fn(size_t n, const float *x);
/* y[i] += a * x[i]; any alignment */
typedef void nst_axpy_fn(size_t n, float a, const float *x, float *y);

/* One step of Adam (Kingma & Ba 2015) on n numbers: m = b1 m + (1-b1) g, v = b2 v + (1-b2) g^2,
 * x -= step * m / (sqrt(v) * root + eps).  step and root hold the bias corrections. */
typedef struct nst_adam_args {
    float b1, b2, step, root, eps;
} nst_adam_args;
typedef void nst_adam_fn(size_t n, const nst_adam_args *a, const float *g, float *m, float *v, float *x);

#define NST_KERNEL_LIST(X)                   \
    X(gemm_tile,    nst_gemm_tile_fn)        \
    X(gram_tile,    nst_gram_tile_fn)        \
    X(double_tile,  nst_double_tile_fn)      \
    X(sums,         nst_sums_fn)             \
    X(wino4_in,     nst_wino_in_fn)          \
    X(wino4_filter, nst_wino_filter_fn)      \
    X(wino4_out,    nst_wino_out_fn)         \
    X(wino6_in,     nst_wino_in_fn)          \
    X(wino6_filter, nst_wino_filter_fn)      \
    X(wino6_out,    nst_wino_out_fn)         \
    X(first_tile,   nst_first_tile_fn)       \
    X(bias,         nst_bias_fn)             \
    X(mask,         nst_mask_fn)             \
    X(pool_max,     nst_pool_fn)             \
    X(pool_avg,     nst_pool_fn)             \
    X(gate,         nst_gate_fn)             \
    X(dot,          nst_dot_fn)              \
    X(distance,     nst_dot_fn)              \
    X(abs_sum,      nst_abs_fn)              \
    X(axpy,         nst_axpy_fn)             \
    X(adam,         nst_adam_fn)

typedef struct nst_kernels {
    const char *name; /* "avx2": what --simd accepts and --version prints */
    int mr, nr;       /* tile of gemm_tile: positions, channels (a multiple of 16); packing must use these */
#define X(member, type) type *member;
    NST_KERNEL_LIST(X)
#undef X
} nst_kernels;

extern const nst_kernels nst_kernels_scalar;
extern const nst_kernels nst_kernels_avx2;
extern const nst_kernels nst_kernels_avx512;
extern const nst_kernels nst_kernels_neon;

#endif
