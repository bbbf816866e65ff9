/* oracle.h: the program's arithmetic once more, as naive loops in double that can be checked by reading, and
 * what tests need around it: random numbers, arrays between guards, how far a float sum may be off. */
#ifndef NST_ORACLE_H
#define NST_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- sums: what is right, and how far float may be off --------------------- */

typedef struct oracle_sum {
    double value;
    double squares; /* of the terms */
    double terms;
} oracle_sum;

void oracle_add(oracle_sum *s, double term);
/* 4 FLT_EPSILON sqrt(k) scale for a sum of k terms; scale is the size of its partial sums when the terms' signs are
 * random, the root of the sum of their squares. */
double oracle_tolerance(const oracle_sum *s);

/* Element r, j of nst_gemm_tile_fn's product, i, j of nst_gram_tile_fn's. */
oracle_sum oracle_gemm(size_t kb, const float *a, size_t lda, const float *w, int nr, int r, int j);
oracle_sum oracle_gram_tile(size_t n, const float *a, const float *b, int i, int j);
oracle_sum oracle_first(const float *const p[27], const float *w, int nr, int r, int j);
oracle_sum oracle_dot(size_t n, const float *x, const float *y);
oracle_sum oracle_distance(size_t n, const float *x, const float *y);
oracle_sum oracle_abs(size_t n, const float *x);

/* ---- feature maps: planar, double ------------------------------------------ */

typedef struct oracle_map {
    int c, h, w;
    double *v; /* [c][h][w] */
} oracle_map;

oracle_map oracle_map_create(int c, int h, int w); /* zeros */
void oracle_map_destroy(oracle_map *m);
double *oracle_at(const oracle_map *m, int c, int y, int x);
double oracle_inner(const oracle_map *a, const oracle_map *b); /* sum of a * b */
double oracle_largest(const oracle_map *m);                    /* max |m| */

/* 3x3, stride 1, pad 1: weight [out][in->c][3][3], bias [out] or NULL.  The border is zeros, or the nearest pixel. */
oracle_map oracle_conv(const oracle_map *in, const float *weight, const float *bias, int out, bool replicate);
/* dLoss/din from dLoss/dout; in is the number of the input's channels. */
oracle_map oracle_conv_backward(const oracle_map *dout, const float *weight, int in, bool replicate);

void oracle_relu(oracle_map *m);                                  /* in place */
void oracle_relu_backward(const oracle_map *y, oracle_map *d);    /* d = 0 where y is not above 0 */

/* 2x2, stride 2.  up: odd sides are rounded up, and the last window holds what there is of it. */
oracle_map oracle_pool(const oracle_map *in, bool average, bool up);
/* The gradient of a maximum goes to the first of the equals, row by row. */
oracle_map oracle_pool_backward(const oracle_map *in, const oracle_map *dout, bool average, bool up);

/* gram [c][c] and sum [c] over rows y.. and columns x.. of m: added. */
void oracle_stats(const oracle_map *m, int x, int y, int w, int h, double *gram, double *sum);

/* ---- around it -------------------------------------------------------------- */

/* The same numbers on every machine.  In [-1, 1). */
void oracle_seed(uint32_t seed);
float oracle_random(void);
void oracle_fill(size_t n, float *x);

/* n floats, NaN, 64-byte aligned, between guards.  oracle_free says whether the guards still stand. */
float *oracle_alloc(size_t n);
bool oracle_free(float *p);
/* n pass masks between two words that must stay; free says whether they did. */
uint16_t *oracle_masks(size_t n);
bool oracle_masks_free(uint16_t *m, size_t n);
/* A float that nobody computes: alloc's NaN, still untouched? */
bool oracle_untouched(const float *p);

#endif
