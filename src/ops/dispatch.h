/* dispatch.h: which kernel set computes. */
#ifndef NST_DISPATCH_H
#define NST_DISPATCH_H

#include "../simd/kernels.h"
#include "base/base.h"

/* What computes: a kernel set and a number of threads.  Results depend on the set, never on the threads. */
typedef struct nst_cpu {
    const nst_kernels *k;
    int threads;
} nst_cpu;

/* Blocks of NST_LANES channels that c channels take: features are [blocks][h][w][NST_LANES]. */
static inline int nst_blocks(int c) { return (c + NST_LANES - 1) / NST_LANES; }

/* Positions of the next product when so many are left. */
static inline int nst_tile_rows(const nst_kernels *k, int left) { return left < k->mr ? left : k->mr; }

/* The fastest usable set, or the one of that name; NULL when there is none. */
const nst_kernels *nst_kernels_pick(const char *name);
/* Compiled sets, plain to fast; NULL past the last.  *usable says whether this machine runs it. */
const nst_kernels *nst_kernels_at(int i, bool *usable);

#endif
