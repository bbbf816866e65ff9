/* neon.c: kernels for arm64 with NEON. */
#include "kernels.h"
#include "vec_neon.h"

/* 24 accumulators, 4 vectors of weights, 1 broadcast of the 32 registers */
#define MR 6
#define NR 16
#define GR 4
#define GB 1
#define DR 4
#define DV 4
#define SET neon
#include "set.inc"
