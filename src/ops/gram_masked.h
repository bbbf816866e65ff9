/* gram_masked.h: the statistics of gram.h with positions that count by a map of weights 0..1; map [r->h][ldm]
 * begins at the rectangle. */
#ifndef NST_GRAM_MASKED_H
#define NST_GRAM_MASKED_H

#include "ops/gram.h"

/* How much the positions of a layer of the whole picture count: [h][ld]; NULL: all the same. */
typedef struct nst_map {
    const float *weight;
    size_t ld;
    const struct nst_saved_features *device_copy; /* a device's copy of it, where that is apart from the host */
    size_t first;                 /* the float of that copy that weight points to */
    int number;                   /* which of its layer's maps */
} nst_map;
size_t nst_guided_scratch(const nst_cpu *cpu, int blocks, int w, int h);
/* gram += sum of map f f^T, sum += sum of map f. */
void nst_guided_add(const nst_cpu *cpu, const float *f, int c, int fw, int fh, const nst_rect *r, const float *map,
                    size_t ldm, double *gram, double *sum, float *scratch);
/* df += map (a f + b). */
void nst_guided_gradient(const nst_cpu *cpu, const float *f, int c, int fw, int fh, const nst_rect *r, const float *map,
                         size_t ldm, const float *a, const float *b, float *df, float *scratch);

#endif
