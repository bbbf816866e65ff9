/* inverse.h: symmetric positive definite matrices in double: the blocks of 16 x 16 on and below the diagonal, row
 * by row, each whole; rows beyond c belong to them, with something positive on the diagonal. */
#ifndef NST_INVERSE_H
#define NST_INVERSE_H

#include "ops/dispatch.h"

/* Where the number at row i, column j lies; j / 16 <= i / 16. */
static inline size_t nst_spd_at(int i, int j)
{
    size_t row = (size_t)i / NST_LANES, column = (size_t)j / NST_LANES, square = NST_LANES * NST_LANES;

    return (row * (row + 1) / 2 + column) * square + (size_t)i % NST_LANES * NST_LANES + (size_t)j % NST_LANES;
}
/* Numbers of a matrix of c rows, and of the scratch. */
size_t nst_spd_size(int c);
size_t nst_spd_scratch(int c);
/* m becomes minus its inverse; false when it is not positive definite, or nearly not: then m is spoilt. */
bool nst_spd_negative_inverse(const nst_kernels *k, int c, double *m, double *scratch);

#endif
