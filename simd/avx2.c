/* avx2.c: kernels for x86-64 with AVX2 and FMA. */
#include "kernels.h"
#include "vec_avx2.h"

/* 12 accumulators, 2 rows of weights, 1 broadcast of the 16 registers */
#define MR 6
#define NR 16
#define GR 4
#define GB 1
#define DR 4
#define DV 2
#define SET avx2
#include "set.inc"
