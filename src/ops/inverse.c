/* inverse.c: inverses of symmetric positive definite matrices, in double: the sweep operator (Goodnight 1979: Gauss and
 * Jordan's elimination in place, which needs no other pivots here) on a group of blocks at a time, whose own matrix is
 * swept block by block, and a block number by number.  Nearly all of the work are products of 16 x 16 blocks. */
#include "ops/inverse.h"

#include <float.h>
#include <string.h>

#define SIDE NST_LANES
#define SQUARE (SIDE * SIDE)
#define GROUP 3                  /* blocks of pivots that are swept together: 48 numbers, which a product sums in
                                    registers */
#define SMALL (4 * DBL_EPSILON)  /* a pivot below this of the largest is rounding */

struct sweep {
    const nst_kernels *k;
    double *m;
    double floor;                /* of pivots */
};

size_t nst_spd_size(int c)
{
    size_t blocks = (size_t)nst_blocks(c);

    return blocks * (blocks + 1) / 2 * SQUARE;
}

size_t nst_spd_scratch(int c)
{
    size_t blocks = (size_t)nst_blocks(c);

    return (2 * GROUP * blocks + GROUP * GROUP + 2 * GROUP + 1) * SQUARE;
}

static double *block(const struct sweep *s, int i, int j)
{
    return s->m + nst_spd_at(i * SIDE, j * SIDE);
}

/* to[q][r] = sign * from[r][q]; by twos, which compilers make vectors of */
static void turn(const double *restrict from, double sign, double *restrict to)
{
    for (int q = 0; q < SIDE; q += 2)
        for (int r = 0; r < SIDE; r += 2) {
            const double *a = from + r * SIDE + q, *b = a + SIDE;
            double *c = to + q * SIDE + r, *d = c + SIDE;

            c[0] = sign * a[0];
            c[1] = sign * b[0];
            d[0] = sign * a[1];
            d[1] = sign * b[1];
        }
}

/* Block i, j by columns: to[q][r] is the matrix's number at row i * 16 + r and column j * 16 + q. */
static void columns(const struct sweep *s, int i, int j, double *to)
{
    if (i > j)
        turn(block(s, i, j), 1, to);
    else
        memcpy(to, block(s, j, i), SQUARE * sizeof *to);
}

/* The reverse, for another sign. */
static void put_columns(const struct sweep *s, int i, int j, const double *from)
{
    double *to = block(s, i > j ? i : j, i > j ? j : i);

    if (i > j)
        turn(from, -1, to);
    else
        for (int at = 0; at < SQUARE; at++)
            to[at] = -from[at];
}

static bool sweep_block(const struct sweep *s, double *b)
{
    for (int k = 0; k < SIDE; k++) {
        double row[SIDE], scaled[SIDE], by = 1 / b[k * SIDE + k];

        if (!(b[k * SIDE + k] > s->floor)) /* NaN, too */
            return false;
        memcpy(row, b + k * SIDE, sizeof row);
        for (int i = 0; i < SIDE; i++)
            scaled[i] = -by * row[i];
        s->k->double_tile(1, scaled, row, b, 1);
        for (int i = 0; i < SIDE; i++)
            b[i * SIDE + k] = b[k * SIDE + i] = -scaled[i];
        b[k * SIDE + k] = -by;
    }
    return true;
}

/* With D, the pivots' own inverse: what is outside of them, A, becomes A - P D P^T, P = A's columns of pivots become P
 * D. */
static void eliminate(const struct sweep *s, int lo, int hi, int from, int to, double *scratch)
{
    size_t n = (size_t)(to - from) * SIDE, panel = n * SIDE, all = (size_t)(hi - lo) * panel;
    double *own = scratch, *p = own + (size_t)(to - from) * panel, *q = p + all;

    for (int a = from; a < to; a++)
        for (int b = from; b < to; b++)
            columns(s, a, b, own + (size_t)(a - from) * panel + (size_t)(b - from) * SQUARE);
    for (int i = lo; i < hi; i++) {
        double *pi = p + (size_t)(i - lo) * panel, *qi = q + (size_t)(i - lo) * panel;

        if (i >= from && i < to)
            continue;
        for (int a = from; a < to; a++)
            columns(s, i, a, pi + (size_t)(a - from) * SQUARE);
        for (int a = from; a < to; a++) /* - D P^T */
            s->k->double_tile(n, own + (size_t)(a - from) * panel, pi, qi + (size_t)(a - from) * SQUARE, 0);
        for (int j = lo; j <= i; j++)
            if (j < from || j >= to)
                s->k->double_tile(n, qi, p + (size_t)(j - lo) * panel, block(s, i, j), 1);
    }
    for (int i = lo; i < hi; i++)
        for (int a = from; a < to && (i < from || i >= to); a++)
            put_columns(s, i, a, q + (size_t)(i - lo) * panel + (size_t)(a - from) * SQUARE);
}

/* Blocks lo..hi-1, as many at a time. */
static bool sweep(const struct sweep *s, int lo, int hi, int group, double *scratch)
{
    for (int from = lo; from < hi; from += group) {
        int to = hi - from < group ? hi : from + group;
        bool definite = group == 1 ? sweep_block(s, block(s, from, from)) : sweep(s, from, to, 1, scratch);

        if (!definite)
            return false;
        eliminate(s, lo, hi, from, to, scratch);
    }
    return true;
}

bool nst_spd_negative_inverse(const nst_kernels *k, int c, double *m, double *scratch)
{
    struct sweep s = { .k = k, .m = m };

    for (int i = 0; i < c; i++) {
        double v = m[nst_spd_at(i, i)];

        s.floor = v > s.floor ? v : s.floor;
    }
    s.floor *= SMALL;
    return sweep(&s, 0, nst_blocks(c), GROUP, scratch);
}
