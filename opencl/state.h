/* state.h: inside of the OpenCL device: its state, shared by its files. */
#ifndef NST_OPENCL_STATE_H
#define NST_OPENCL_STATE_H

#include "context.h"
#include "loss/style.h"
#include "loss/tv.h"

enum { NST_CL_FORWARD = 0, NST_CL_BACKWARD };
enum { NST_CL_AUTO = -1, NST_CL_IM2COL = 0, NST_CL_WINOGRAD, NST_CL_ALGORITHMS };

/* As in common.cl */
enum { NST_READ_PLAIN = 0, NST_READ_MASKED, NST_READ_POOLED, NST_READ_AVERAGED };
enum { NST_WRITE_RELU = 1, NST_WRITE_RESULT = 2, NST_WRITE_POOL = 4, NST_WRITE_MASK = 8, NST_WRITE_AVERAGE = 16 };

#define NST_CL_PARTS 16  /* sums of a channel's numbers, added up by the next step */
#define NST_CL_GROUPS 64 /* the same of a plane of the picture */

#define NST_CL_MARKS (6 * NST_MODEL_LAYERS)

/* Statistics of a loss layer, of all its positions or by one of its maps, and what comes of them. */
typedef struct nst_cl_style {
    int c;
    size_t ask;                   /* in ask, floats: a [c][c], b [c] */
    size_t sums;                  /* in sums: pairs, Gram matrix [c][c] and sums [c] */
    size_t numbers;               /* in numbers: rows' losses [2][c] */
    cl_mem target;                /* pairs [c][c], [c], or NULL */
    bool shifted;                 /* b of its own loss is not zero */
    nst_stats *stats;             /* pending: that the sums are to be added to, or NULL */
    double *loss;                 /* pending, or NULL, and what it is made of */
    nst_style_terms terms;
} nst_cl_style;

typedef struct nst_cl_weights {
    int in, out;
    cl_mem raw, bias;             /* as in the model */
    cl_mem packed[2][NST_CL_ALGORITHMS]; /* made when they are first used */
} nst_cl_weights;

/* The graph's arena. */
typedef struct nst_cl_arena {
    cl_mem *piece;                /* [pieces] of `bytes` each, the last of last_bytes */
    int pieces;
    size_t bytes, last_bytes;
} nst_cl_arena;

/* picture.c: what is up of the picture, what node 0 sees and what the variation reads. */
typedef struct nst_cl_picture {
    nst_rect rect;
    cl_mem x, dx;                 /* [3][rect.h][rect.w] of x, and with respect to it */
    size_t bytes;                 /* of each */
    nst_pinned up[2], down;       /* the same on the host */
    cl_event sent[2];             /* that up[i] has been read, or NULL */
    nst_variation tv;
    nst_rect tv_of;               /* in the picture */
    double *tv_loss;              /* NULL: no variation is wanted */
} nst_cl_picture;

/* loss_layers.c and losses.c: what losses read, and what they say. */
typedef struct nst_cl_losses {
    int maps;                     /* of a loss layer, at least one */
    nst_cl_style *style;          /* [count][maps]; of loss layers only */
    size_t content_at[NST_MODEL_LAYERS]; /* in numbers, floats: distances [NST_CL_PARTS][c], and what compare sums up,
                                            [2][c] pairs */
    cl_mem ask, sums, numbers;
    size_t sums_floats, numbers_floats;
    size_t variation_at;          /* in numbers: [3][NST_CL_GROUPS] */
    cl_mem part;                  /* [2 * NST_CL_PARTS][c] of whoever comes next */
    size_t part_floats;
    float *host;                  /* sums, read */
    nst_pinned told;              /* numbers, read */
    struct {
        double *distance;         /* that the content's distance is to be added to, or NULL */
        double *square, *absolute; /* that compare's sums are to be added to, or NULL */
    } pending[NST_MODEL_LAYERS];
} nst_cl_losses;

typedef struct nst_cl_device {
    nst_device base;
    nst_cl cl;
    bool average, replicate, profile;
    float scale[3], shift[3];
    int order[3];
    int algorithm;
    int count;
    struct {
        int phase, layer;
        cl_event at;
    } mark[NST_CL_MARKS];         /* ends of operations since the last window began */
    int marks;
    nst_cl_weights w[NST_MODEL_LAYERS];
    size_t kept_bytes;            /* of content features that live */
    size_t weight_bytes, weights_later; /* that live; that packing may add at most */

    nst_cl_arena arena;
    cl_mem scratch;
    size_t scratch_bytes;
    nst_cl_picture picture;
    nst_cl_losses losses;
} nst_cl_device;

static inline nst_cl_device *nst_cl_of(const nst_device *d)
{
    return (nst_cl_device *)(uintptr_t)d;
}

/* By a map's number. */
static inline nst_cl_style *nst_cl_style_at(const nst_cl_device *d, int layer, int number)
{
    return &d->losses.style[layer * d->losses.maps + number];
}
static inline int nst_cl_styles(const nst_cl_device *d)
{
    return d->losses.style ? d->count * d->losses.maps : 0;
}
static inline nst_span nst_cl_floats(cl_mem mem, size_t at)
{
    return (nst_span){ mem, at * sizeof(float) };
}

/* What is kept on the device: content features, [c][h * w] of the core, or a map's weights. */
typedef struct nst_cl_kept {
    nst_saved_features base;
    nst_cl_device *d;
    cl_mem f;
    size_t bytes;
} nst_cl_kept;

/* From float `at` of it on. */
static inline nst_span nst_cl_kept_span(const nst_saved_features *k, size_t at)
{
    return nst_cl_floats(((const nst_cl_kept *)(const void *)k)->f, at);
}

/* ---- state.c ---- */

/* Nothing is pending any more. */
void nst_cl_forget(nst_cl_device *d);

/* Where a buffer of the graph's lies; for NST_NONE somewhere harmless. */
nst_span nst_cl_span(const nst_cl_device *d, size_t at);
/* The end of an operation: of one that failed nothing is pending.  With o->profile the device's clock is noted here,
 * for nst_device_ops' timing. */
enum { NST_CL_BEGIN, NST_CL_FORWARDS, NST_CL_STATS, NST_CL_LOSS_GRADIENTS, NST_CL_BACKWARDS };
nst_status nst_cl_settle(nst_cl_device *d, nst_status s, int phase, int layer, nst_error *e);
void nst_cl_timing(nst_device *base, nst_timing *t);
void nst_cl_drop_marks(nst_cl_device *d);
/* pairs [n][2] (+)= the sums over parts of part [parts][n]. */
nst_status nst_cl_gather(nst_cl_device *d, nst_span part, nst_span pairs, size_t parts, size_t n, bool add,
                         nst_error *e);
/* Items for so many groups. */
static inline size_t nst_cl_items(const nst_cl_device *d, size_t groups)
{
    return d->cl.group * groups;
}

/* ---- picture.c ---- */
void nst_cl_picture_drop(nst_cl_device *d);
/* The window's part of x goes up.  Waits only for a place to put it, where two windows are on their way. */
nst_status nst_cl_upload(nst_cl_device *d, const nst_node *first, const nst_window *win, const float *x, nst_error *e);
/* The variation is added, the gradient comes down and is added to dx, and all losses that are pending to where they are
 * wanted: waits for everything. */
nst_status nst_cl_download(nst_cl_device *d, const nst_node *first, const nst_window *win, float *dx, nst_error *e);
void nst_cl_variation(nst_device *base, const nst_variation *v, const nst_rect *of, double *loss);

/* ---- losses.c ---- */
size_t nst_cl_target_bytes(int channels);
nst_status nst_cl_target(nst_device *base, const nst_node *n, int number, const nst_style *t, nst_error *e);
nst_status nst_cl_style_loss(nst_device *base, const nst_node *n, const nst_style *t, const nst_stats *s, double weight,
                             double *loss, nst_error *e);
nst_status nst_cl_compare(nst_device *base, const nst_node *n, const nst_rect *core, const nst_saved_features *k,
                          double *square, double *absolute, nst_error *e);
/* The content's gradient, added to df; its distance is pending. */
nst_status nst_cl_content(nst_cl_device *d, const nst_node *n, const nst_rect *core, const nst_loss_gradient *t,
                          nst_span df, double *distance, nst_error *e);
/* Asks for the numbers of all that is pending; once they are there, adds them. */
nst_status nst_cl_ask_losses(nst_cl_device *d, nst_error *e);
void nst_cl_add_losses(nst_cl_device *d);

/* ---- convolve.c ---- */
nst_status nst_cl_conv_forward(nst_cl_device *d, const nst_node *nodes, int i, nst_error *e);
nst_status nst_cl_conv_backward(nst_cl_device *d, const nst_node *nodes, int i, nst_error *e);
size_t nst_cl_conv_scratch(const nst_cl_device *d, const nst_node *nodes, int i);
int nst_cl_conv_tile(const nst_device *base, const nst_node *nodes, int i);
int nst_cl_conv_algorithm(const nst_cl_device *d, const nst_node *nodes, int i, bool backward);

/* ---- loss_layers.c ---- */
size_t nst_cl_loss_scratch(const nst_cl_device *d, const nst_node *node);
nst_status nst_cl_unpool(nst_cl_device *d, const nst_node *n, nst_error *e);
nst_status nst_cl_loss_gradient(nst_device *base, const nst_node *nodes, int i, bool last, const nst_rect *core,
                                const nst_loss_gradient *t, double *distance, nst_error *e);
nst_status nst_cl_stats(nst_device *base, const nst_node *n, const nst_rect *core, nst_stats *s, nst_error *e);
nst_status nst_cl_collect(nst_device *base, nst_error *e);
nst_status nst_cl_keep(nst_device *base, const nst_node *n, const nst_rect *core, nst_saved_features **out,
                       nst_error *e);
nst_status nst_cl_map(nst_device *base, const float *weight, size_t n, nst_saved_features **out, nst_error *e);
void nst_cl_drop(nst_saved_features *k);

#endif
