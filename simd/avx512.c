/* avx512.c: kernels for x86-64 with AVX-512F. */
#include "kernels.h"
#include "vec_avx512.h"

/* 28 accumulators, 2 rows of weights, 1 broadcast of the 32 registers */
#define MR 14
#define NR 32
#define GR 16
#define GB 2
#define DR 8
#define DV 2
#define SET avx512
#include "set.inc"
