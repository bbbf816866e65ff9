/* scalar.c: kernels in plain C. */
#include "kernels.h"
#include "vec_scalar.h"

/* a small tile: compilers turn the inner loop over NR into whatever the baseline has */
#define MR 4
#define NR 16
#define GR 4
#define SET scalar
#include "set.inc"
