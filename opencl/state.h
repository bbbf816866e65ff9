/* state.h: floor 3, inside of the OpenCL device: its state, shared by its files. */
#ifndef NST_OPENCL_STATE_H
#define NST_OPENCL_STATE_H

#include "context.h"

enum { NST_CL_FORWARD = 0, NST_CL_BACKWARD };
enum { NST_CL_AUTO = -1, NST_CL_IM2COL = 0, NST_CL_WINOGRAD, NST_CL_ALGORITHMS };

/* As in common.cl */
enum { NST_READ_PLAIN = 0, NST_READ_MASKED, NST_READ_POOLED, NST_READ_AVERAGED };
enum { NST_WRITE_RELU = 1, NST_WRITE_RESULT = 2, NST_WRITE_POOL = 4, NST_WRITE_MASK = 8, NST_WRITE_AVERAGE = 16 };

#define NST_CL_PARTS 16 /* sums of a channel's numbers, added up on the host */

typedef struct nst_cl_weights {
    int in, out;
    cl_mem raw, bias;             /* as in the model */
    cl_mem packed[2][NST_CL_ALGORITHMS]; /* made when they are first used */
} nst_cl_weights;

typedef struct nst_cl_device {
    nst_device base;
    nst_cl cl;
    bool average, replicate, profile;
    float scale[3], shift[3];
    int order[3];
    int algorithm;
    int count;
    nst_cl_weights w[NST_MODEL_LAYERS];
    size_t weight_bytes, weights_later; /* that live; that packing may add at most */

    cl_mem *arena;                /* [arenas] of arena_bytes each, the last of last_bytes */
    int arenas;
    size_t arena_bytes, last_bytes;
    cl_mem scratch;
    size_t scratch_bytes;

    cl_mem picture;               /* x of the window, then its gradient [3][h][w] */
    size_t picture_bytes;
    cl_mem pinned;                /* the same on the host, where the driver reaches it fastest */
    float *staging;
    bool writing;                 /* the driver may still read staging */

    /* taps */
    cl_mem ask;                   /* a [c][c], b [c] of one tap */
    cl_mem sums;                  /* of every tap: Gram matrix [c][c][2], sums with their rests, then [c][NST_CL_PARTS] */
    size_t gram_at[NST_MODEL_LAYERS], parts_at[NST_MODEL_LAYERS]; /* bytes */
    size_t sums_bytes;
    float *host;                  /* the same, read */
    struct {
        double *distance;         /* that the parts are to be added to, or NULL */
        nst_stats *stats;         /* that the sums are to be added to, or NULL */
    } pending[NST_MODEL_LAYERS];
} nst_cl_device;

static inline nst_cl_device *nst_cl_of(const nst_device *d)
{
    return (nst_cl_device *)(uintptr_t)d;
}

/* Where a buffer of the graph's lies; for NST_NONE somewhere harmless. */
nst_span nst_cl_span(const nst_cl_device *d, size_t at);
/* The end of an operation: waits when times are measured. */
nst_status nst_cl_settle(nst_cl_device *d, nst_error *e);

/* ---- convolve.c ---- */
nst_status nst_cl_conv_forward(nst_cl_device *d, const nst_node *nodes, int i, nst_error *e);
nst_status nst_cl_conv_backward(nst_cl_device *d, const nst_node *nodes, int i, nst_error *e);
size_t nst_cl_conv_scratch(const nst_cl_device *d, const nst_node *nodes, int i);
int nst_cl_conv_algorithm(const nst_cl_device *d, const nst_node *nodes, int i, bool backward);

/* ---- taps.c ---- */
size_t nst_cl_tap_scratch(const nst_cl_device *d, int channels);
nst_status nst_cl_unpool(nst_cl_device *d, const nst_node *n, nst_error *e);
nst_status nst_cl_tap(nst_device *base, const nst_node *nodes, int i, bool last, const nst_rect *core,
                      const nst_tap_gradient *t, double *distance, nst_error *e);
nst_status nst_cl_stats(nst_device *base, const nst_node *n, const nst_rect *core, nst_stats *s, nst_error *e);
nst_status nst_cl_collect(nst_device *base, nst_error *e);
nst_status nst_cl_keep(nst_device *base, const nst_node *n, const nst_rect *core, nst_kept **out, nst_error *e);
void nst_cl_drop(nst_kept *k);
/* Reads the distances that taps have asked for; valid after the next wait, then nst_cl_add_distances. */
nst_status nst_cl_read_distances(nst_cl_device *d, nst_error *e);
void nst_cl_add_distances(nst_cl_device *d);

extern const nst_device_ops nst_cl_ops;

#endif
