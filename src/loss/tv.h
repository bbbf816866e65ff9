/* tv.h: total variation. */
#ifndef NST_TV_H
#define NST_TV_H

#include "ops/dispatch.h"

/* Total variation of x [3][h][w], times weight; its gradient is ADDED to dx. kind: nst_tv_kind,
 * formulas as in nst.h.  Allocates nothing. */
double nst_tv_loss(const nst_cpu *cpu, int kind, const float *x, int w, int h, double weight, float *dx);
/* The share of rows from..to-1 of a w x h picture, whose pairs with the row below count, too: x and dx [3][rows][w]
 * hold the picture from row `first` on, row `to` with them where the picture has it. */
typedef struct nst_tv_part {
    int w, h, first, rows, from, to;
} nst_tv_part;
double nst_tv_rows(const nst_cpu *cpu, int kind, const nst_tv_part *p, const float *x, double weight, float *dx);

/* A kind in a picture of w x h as weights of pairs of neighbours, across, down and on both diagonals. */
typedef struct nst_variation {
    double across, down, diagonal;
    double ends;   /* added across in the first and in the last row, down in the first and in the last column */
    bool absolute; /* |p - q| instead of its square */
    bool inner;    /* no pair across in the last row, none down in the last column */
} nst_variation;
nst_variation nst_tv_pairs(int kind, int w, int h, double weight);

#endif
