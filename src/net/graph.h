/* graph.h: the network: planned once, run forward and backward on a
 * window of the picture by a device.
 *
 * The chain of a model's layers up to the last loss layer.  A loss layer is
 * one whose features a loss reads, after the ReLU.
 */
#ifndef NST_GRAPH_H
#define NST_GRAPH_H

#include "model/model.h"
#include "loss/style.h"

typedef struct nst_graph nst_graph;

typedef struct nst_graph_options {
    const nst_model *model;
    bool loss_layer[NST_MODEL_LAYERS]; /* layers that losses read */
    int pooling;                   /* nst_pooling */
    bool pool_ceil;                /* odd sides rounded up */
    bool replicate;                /* the first convolution replicates the border */
    float scale[3], shift[3];      /* the network sees scale * x + shift, plane by plane (then zero padding) */
    bool bgr;                      /* planes of x come as B G R while the model's first layer expects
                                      R G B, or the reverse: they are swapped */
    const char *device;            /* as nst_settings.device; NULL: "cpu" */
    const char *cache;             /* folder for compiled programs of devices, NULL or "": none */
    bool profile;                  /* so that nst_graph_timing tells the truth of a device that is apart */
    const char *conv;              /* "auto", "im2col", ... */
    int maps;                      /* that a layer's statistics and gradients will have at most; 0: none */
    nst_cpu cpu;                   /* for device "cpu" */
} nst_graph_options;

/* A rectangle of the picture.  The window is what is computed; the core is the part of it whose features
 * are exact and counted: it keeps a halo away from every window side that is not a side of the picture.
 * Origins of both are multiples of nst_graph_grid().  The core's features have the whole picture's bits: the halo is
 * wide enough for the whole picture's tiles, unless the window is inexact.
 *
 * A strip is a window that reaches over rows y .. y + h - 1 of a column of the picture and goes on where the one above
 * ended: each layer computes the rows that can be computed by now, none twice.  So the strips of a column come one
 * after the other from the top, all of them `strip` rows high but the last; the core's rows are the whole column's. */
typedef struct nst_window {
    int picture_w, picture_h;
    int x, y, w, h;                     /* window */
    int core_x, core_y, core_w, core_h; /* core, in picture coordinates */
    int strip;                          /* a multiple of the grid, or 0: no strip */
    /* where the picture is rows of a larger one: how many of that lie above it, a multiple of the grid, and how many it
     * has in all; else 0 */
    int image_y0, image_h;
    bool inexact_halo;                  /* tiles fall as the window does: a smaller halo, and other roundings */
} nst_window;

/* window.c: the whole picture in one window. */
nst_window nst_window_whole(int w, int h);

/* What a window is computed for: how long features live in the arena. */
typedef enum nst_use {
    NST_USE_STATS,    /* nst_graph_sum: loss layers are read as soon as they are there */
    NST_USE_FEATURES, /* features of loss layers stay */
    NST_USE_GRADIENT, /* for the backward pass */
} nst_use;

/* choose.c: the graph on the device of that name.  Packs the model's weights; the model may be closed afterwards. */
nst_status nst_graph_create(nst_graph **out, const nst_graph_options *o, nst_error *e);
void nst_graph_destroy(nst_graph **g);

/* From now on windows leave room for so many bytes of kept features on a device with memory of its own. */
void nst_graph_leave_room(nst_graph *g, size_t kept);
/* Bytes of the arena for a whole picture of w x h: the same code as nst_graph_place, nothing allocated.
 * backward: gradients too, else features. */
nst_status nst_graph_measure(nst_graph *g, int w, int h, bool backward, size_t *bytes, nst_error *e);
nst_status nst_graph_measure_window(nst_graph *g, const nst_window *win, nst_use use, size_t *bytes,
                                    nst_error *e);
/* Makes the arena ready for windows of exactly w x h; one that is large enough is used again, with nothing allocated.
 * A device that can computes, at each layer, only the rectangle that the core's features depend on. */
nst_status nst_graph_place(nst_graph *g, int w, int h, bool backward, nst_error *e);
nst_status nst_graph_place_window(nst_graph *g, const nst_window *win, nst_use use, nst_error *e);
/* Whether the device and the network have strips. */
bool nst_graph_strips(const nst_graph *g);
/* Gives the arena up; the next window makes another. */
void nst_graph_release(nst_graph *g);
/* About the multiply-adds of a window's forward pass; a backward pass has as many. */
double nst_graph_work(const nst_graph *g, const nst_window *win);
/* The same of nx * ny windows that stand in columns and rows, given one of each: nx windows, of which only what they
 * have across is looked at, then ny, of which only what they have down. */
typedef struct nst_graph_sides {
    double across[NST_MODEL_LAYERS], down[NST_MODEL_LAYERS];
} nst_graph_sides;
void nst_graph_add_column(const nst_graph *g, const nst_window *win, nst_graph_sides *s);
void nst_graph_add_row(const nst_graph *g, const nst_window *win, nst_graph_sides *s);
double nst_graph_sides_work(const nst_graph *g, const nst_graph_sides *s);

/* Bytes that the weights take. */
size_t nst_graph_weight_bytes(const nst_graph *g);
/* Where memory is short: the bytes that they would take were they packed one layer after the other, each time anew, and
 * from now on they are; the graph's model, m, has to stay.  0, and nothing to be called, where the device cannot. */
size_t nst_graph_on_demand_bytes(const nst_graph *g);
nst_status nst_graph_pack_on_demand(nst_graph *g, const nst_model *m, nst_error *e);
/* Window origins' alignment: 2^(number of pools). */
int nst_graph_grid(const nst_graph *g);
/* Sets the window's sides from its picture and core: all that the core's features depend on, on the grid. */
void nst_graph_expand_halo(const nst_graph *g, nst_window *win);
/* Channels of a layer and its size for a picture. */
int nst_graph_channels(const nst_graph *g, int layer);
void nst_graph_layer_size(const nst_graph *g, int layer, int picture_w, int picture_h, int *w, int *h);

/* x [3][picture_h][picture_w]; computes every loss layer of the window. */
nst_status nst_graph_forward(nst_graph *g, const nst_window *win, const float *x, nst_error *e);
/* Forward for the sums only: adds the core's sums of each loss layer i to sums[i] unless that is NULL; places the
 * window. */
nst_status nst_graph_sum(nst_graph *g, const nst_window *win, const float *x, nst_stats *const *sums, nst_error *e);
/* Adds the core's sums of a loss layer to s (whose c must fit). */
nst_status nst_graph_stats(nst_graph *g, int layer, nst_stats *s, nst_error *e);
/* The same of every loss layer i whose sums[i] is not NULL; a device that is apart is waited for once. */
nst_status nst_graph_stats_each(nst_graph *g, nst_stats *const *sums, nst_error *e);

/* The features of a content picture at one loss layer, kept on the device: of the core of the window just run, or of
 * all strips of a column, whose first one has *out NULL. */
typedef struct nst_saved_features nst_saved_features;
nst_status nst_graph_keep(nst_graph *g, int layer, nst_saved_features **out, nst_error *e);
void nst_saved_features_destroy(nst_saved_features **k);
/* Adds the sums over the core of the window just run of (f - k)^2 and |f - k|; a device that has losses does so by the
 * end of the next backward pass, and keeps them for content_scaled. */
nst_status nst_graph_compare(nst_graph *g, int layer, const nst_saved_features *k, double *square, double *absolute,
                             nst_error *e);
/* A copy of a map's n weights for nst_map.device_copy, where the device is apart from the host; *out NULL where it is
 * not. */
nst_status nst_graph_map(nst_graph *g, const float *weight, size_t n, nst_saved_features **out, nst_error *e);
/* Sum of squares over the core, for NST_NORM_TARGET. */
double nst_saved_features_square(const nst_saved_features *k);

/* What the losses ask of the backward pass at one loss layer: df = map (a f + b), of this one and of those that come
 * next, + content_scale * (f - content) + content_sign * sign(f - content). */
typedef struct nst_loss_gradient {
    const float *a, *b;            /* [c][c], [c], or NULL */
    nst_map map;                   /* a f + b counts by it */
    const struct nst_loss_gradient *next; /* further a, b and map of the same loss layer, or NULL */
    const nst_saved_features *content;       /* or NULL */
    double content_scale, content_sign;
    /* of a device that has losses: */
    bool device_coeffs;            /* a and b are those of nst_graph_style_loss */
    bool content_scaled;           /* content_scale is of Q / S, Q and S - 1e-8 what nst_graph_compare has summed up */
} nst_loss_gradient;

/* ---- losses where the features are: between the first upload and the last read of an evaluation the host neither
 * waits nor computes.  The CPU has none of it: there they are the host's. ---- */
bool nst_graph_has_losses(const nst_graph *g);
/* A loss layer's style target, copied; not NST_STYLE_W2's.  number: of the map whose statistics it is for, or 0. */
nst_status nst_graph_target(nst_graph *g, int layer, int number, const nst_style *t, nst_error *e);
/* The loss of the sums that stay, s, times weight: *loss is written by the end of the next backward pass. */
nst_status nst_graph_style_loss(nst_graph *g, int layer, const nst_style *t, const nst_stats *s, double weight,
                                double *loss, nst_error *e);
/* From now on every window that goes forward and backward adds its core's part of the total variation to *loss and to
 * dx; the margin that lies around the picture goes with the cores next to it.  loss NULL: no more. */
void nst_graph_variation(nst_graph *g, int kind, int margin, double weight, double *loss);

/* After nst_graph_forward of the same window: adds the gradient with respect to x to
 * dx [3][picture_h][picture_w] (over the window), from the gradients of the loss layers [layers], core only.
 * distance [layers]: for each loss layer with content, the sum of (f - content)^2 over the core, added. */
nst_status nst_graph_backward(nst_graph *g, const nst_window *win, const nst_loss_gradient *gradient,
                              double *distance, float *dx, nst_error *e);

/* Wall-clock seconds of each layer in the last forward pass, statistics and backward pass, for benchmarks. */
typedef struct nst_timing {
    double forward, stats, loss_gradient, backward;
} nst_timing;
const nst_timing *nst_graph_timing(const nst_graph *g); /* [layers] */
/* What the device has done since it was created, or NULL where it does not count (the CPU). */
typedef struct nst_device_counts {
    size_t launches, products;     /* our kernels; matrix products by the library */
    size_t waits;                  /* calls that block */
    size_t up, down;               /* bytes to and from the device */
    size_t moved;                  /* bytes that kernels and products read and write, each once */
    double flop;                   /* of the products and the first layer */
} nst_device_counts;
const nst_device_counts *nst_graph_counts(const nst_graph *g);
/* Measures multiply-adds that stay in registers, in FLOP/s; 0 for the CPU. */
nst_status nst_graph_peak(nst_graph *g, double *flops, nst_error *e);
bool nst_graph_on_cpu(const nst_graph *g);
/* The name of the algorithm of a layer's convolution in a window of the placed size: "winograd4". */
const char *nst_graph_algorithm(const nst_graph *g, int layer, bool backward);

#endif
