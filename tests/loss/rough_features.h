/* rough_features.h: features like those of a network, many of them zero, and their statistics. */
#ifndef NST_ROUGH_FEATURES_H
#define NST_ROUGH_FEATURES_H

#include "loss/style.h"
#include "../support/suite.h"

#include <math.h>

/* w2_numbers.py's features, row by row. */
static inline double *rough(uint32_t seed, int c, int n, int by)
{
    double *f = nst_calloc((size_t)(c * n), sizeof *f);

    for (int i = 0; i < c * n; i++) {
        seed = (seed * 1103515245u + 12345u) & 0x7fffffff;
        f[i] = fmax(0, (double)(seed >> 16 & 255) - 96) * by / 128;
    }
    return f;
}

static inline nst_stats *sums_of(double *f, int c, int n)
{
    nst_stats *s;

    ck_assert_int_eq(nst_stats_create(&s, c, NULL), NST_OK);
    s->n = n;
    for (int i = 0; i < c; i++)
        for (int p = 0; p < n; p++) {
            s->sum[i] += f[i * n + p];
            for (int j = 0; j < c; j++)
                s->gram[i * c + j] += f[i * n + p] * f[j * n + p];
        }
    nst_free(f);
    return s;
}

#endif
