/* scalar.c: kernels in plain C. */
#include "kernels.h"
#include "vec_scalar.h"

/* 12 accumulators; the weights come from memory, which the 16 registers of SSE2 leave no room for */
#define MR 3
#define NR 16
#define GR 4
#define GB 1
#define DR 4
#define DV 2
#define SET scalar
#include "set.inc"
