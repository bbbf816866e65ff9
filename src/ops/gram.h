/* gram.h: statistics of blocked features and their gradient. */
#ifndef NST_GRAM_H
#define NST_GRAM_H

#include "ops/dispatch.h"

/* A core inside a feature map of width fw: rows y..y+h-1, columns x..x+w-1. */
typedef struct nst_rect {
    int x, y, w, h;
} nst_rect;
size_t nst_gram_scratch(const nst_cpu *cpu, int blocks);
/* gram [c][c] += sum over the rectangle of f f^T, sum [c] += sum of f (NULL: not wanted); f [blocks][fh][fw][16]. */
void nst_gram_add(const nst_cpu *cpu, const float *f, int c, int fw, int fh, const nst_rect *r, double *gram,
                  double *sum, float *scratch);
/* df [blocks][fh][fw][16] (+)= a f + b over the rectangle, nothing elsewhere (add) or zeros elsewhere (!add). */
void nst_gram_gradient(const nst_cpu *cpu, const float *f, int c, int fw, int fh, const nst_rect *r, const float *a,
                       const float *b, bool add, float *df, float *scratch);
/* The same, adding, where df has dh rows and what is row r->y of f is row dy of it. */
void nst_gram_gradient_at(const nst_cpu *cpu, const float *f, int c, int fw, int fh, const nst_rect *r, const float *a,
                          const float *b, float *df, int dh, int dy, float *scratch);

/* a [c][c] as the weights of a gemm_tile: [panel][c padded to 16][nr]; nst_gram_pack_floats of them. */
size_t nst_gram_pack_floats(const nst_kernels *k, int c);
void nst_gram_pack(const nst_kernels *k, const float *a, int c, float *packed);

#endif
