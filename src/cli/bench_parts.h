/* bench_parts.h: what `nst bench` measures, and what it prints. */
#ifndef NST_BENCH_PARTS_H
#define NST_BENCH_PARTS_H

#include "engine/settings/settings.h"

#define ROUNDS 5 /* the least of so many runs is what the machine can do */

/* What is measured is of random numbers. */
static inline uint32_t next(uint32_t *state)
{
    return *state = *state * 1664525u + 1013904223u;
}

static inline float uniform(uint32_t *state)
{
    return (float)(next(state) >> 8) / (float)(1 << 23) - 1;
}

static inline void least(double *a, double b)
{
    *a = b < *a ? b : *a;
}

struct row {
    const char *name, *algorithm[2];
    int in, out, w, h;
    nst_timing t;
    double error[2]; /* largest, over the results' root mean square; NAN where it is not measured */
};

struct bench {
    nst_cpu cpu;
    nst_model *model;
    nst_device_info device;
    bool apart;                /* it is not the CPU */
    char cache[512];           /* for its programs */
    nst_device_counts counts;  /* of one iteration without total variation; where the device is apart */
    int size, rows;
    struct row row[NST_MODEL_LAYERS];
    double peak;      /* FMA, floating-point operations a second, all threads or the device */
    double iteration; /* seconds */
};

/* bench_layers.c: the FMA peak, and each layer's seconds and error. */
nst_status nst_bench_peak(struct bench *b, nst_error *e);
nst_status nst_bench_layers(struct bench *b, const nst_settings *settings, nst_error *e);
/* bench_report.c: to standard output. */
void nst_bench_table(const struct bench *b);
void nst_bench_json(const struct bench *b);

#endif
