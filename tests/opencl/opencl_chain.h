/* opencl_chain.h: a chain on two devices: what each makes of it, and that it is the same. */
#ifndef NST_TESTS_OPENCL_CHAIN_H
#define NST_TESTS_OPENCL_CHAIN_H

#include <math.h>
#include <string.h>

#include "../net/chain.h"
#include "opencl_test.h"

static inline nst_graph *graph(const chain *c, const char *device, const char *conv)
{
    nst_graph_options o = c->options;
    nst_graph *g;
    nst_error e;

    o.cpu.k = nst_kernels_pick(NULL), o.cpu.threads = 2, o.conv = conv, o.device = device, o.maps = 2;
    ck_assert_msg(nst_graph_create(&g, &o, &e) == NST_OK, "%s", e.text);
    return g;
}

/* What a device makes of a chain: statistics, distances, squares of content features, the gradient. */
struct result {
    nst_stats *stats[NST_MODEL_LAYERS], *other[NST_MODEL_LAYERS]; /* other: by the second map */
    double distance[NST_MODEL_LAYERS], square[NST_MODEL_LAYERS];
    float *dx;
};

static inline struct result result_create(const chain *c, size_t pixels)
{
    struct result r = { .dx = oracle_alloc(pixels) };

    memset(r.dx, 0, pixels * sizeof *r.dx);
    for (int i = 0; i < c->model.layers; i++) {
        ck_assert_int_eq(nst_stats_create(&r.stats[i], c->model.layer[i].out, NULL), NST_OK);
        ck_assert_int_eq(nst_stats_create(&r.other[i], c->model.layer[i].out, NULL), NST_OK);
    }
    return r;
}

static inline void result_destroy(struct result *r)
{
    for (int i = 0; i < NST_MODEL_LAYERS; i++)
        nst_stats_destroy(&r->stats[i]), nst_stats_destroy(&r->other[i]);
    ck_assert(oracle_free(r->dx));
}

static inline void check_doubles(const char *what, const char *layer, size_t n, const double *got, const double *want,
                                 double tolerance)
{
    double most = 0;

    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs(want[i]));
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(fabs(got[i] - want[i]) <= tolerance * most, "%s: %s: number %zu is %.9g, the CPU's %.9g", what,
                      layer, i, got[i], want[i]);
}

static inline void compare(const char *what, const chain *c, size_t pixels, const struct result *got,
                           const struct result *want, double tolerance)
{
    double most = 0;

    for (int i = 0; i < c->model.layers; i++) {
        const char *name = c->model.layer[i].name;
        size_t n = (size_t)c->model.layer[i].out;

        ck_assert(got->stats[i]->n == want->stats[i]->n && got->other[i]->n == want->other[i]->n);
        check_doubles(what, name, n * n, got->other[i]->gram, want->other[i]->gram, tolerance);
        check_doubles(what, name, n, got->other[i]->sum, want->other[i]->sum, tolerance);
        check_doubles(what, name, n * n, got->stats[i]->gram, want->stats[i]->gram, tolerance);
        check_doubles(what, name, n, got->stats[i]->sum, want->stats[i]->sum, tolerance);
        check_doubles(what, name, 1, &got->distance[i], &want->distance[i], tolerance);
        check_doubles(what, name, 1, &got->square[i], &want->square[i], tolerance);
    }
    for (size_t i = 0; i < pixels; i++)
        most = fmax(most, fabs((double)want->dx[i]));
    for (size_t i = 0; i < pixels; i++)
        ck_assert_msg(fabs((double)got->dx[i] - (double)want->dx[i]) <= tolerance * most,
                      "%s: gradient %zu is %.9g, the CPU's %.9g, the largest %.3g", what, i, (double)got->dx[i],
                      (double)want->dx[i], most);
}

#endif
