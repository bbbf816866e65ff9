/* device.h: what the graph asks of whatever computes it.
 *
 * The graph decides what is computed when and where each buffer lies; a device
 * decides how features are laid out and computes.  Buffers are offsets into one
 * arena on the device, in bytes; NST_NONE is no buffer.  The arena may lie in
 * pieces of `limit` bytes; then no buffer crosses a border between two.
 *
 * A device may go on working when a call returns.  What callers point to (x, a
 * and b of a loss layer, distance) must stay until collect, keep or the backward pass of
 * node 0 has returned, which wait.
 */
#ifndef NST_DEVICE_H
#define NST_DEVICE_H

#include "net/graph.h"
#include "loss/style.h"
#include "loss/tv.h"

#define NST_NONE ((size_t)-1)

/* The rows of the picture that a buffer holds, in the coordinates of what lies there. */
typedef struct nst_row_buffer {
    int first, count; /* count: rows of its planes, of which the last ones may be unused */
} nst_row_buffer;

/* Half-open. */
typedef struct nst_range {
    int from, to;
} nst_range;

/* A buffer of features, masks or gradients. */
typedef struct nst_buffer {
    size_t at;                 /* NST_NONE: there is none */
    nst_row_buffer rows;             /* that it holds; in a strip others than those that are computed now */
    size_t carry;              /* strips only: a buffer for what passes from one to the next, */
    int carry_rows;            /* and its rows */
} nst_buffer;

/* The tiles in which the whole picture's features, image_w x image_h, are computed: size x size (1: one by one), from
 * -offset on in both directions.  image_y0 rows of them lie above those that the window's picture has.  In a window
 * with inexact_halo size is 1, image_w and image_h are 0. */
typedef struct nst_tiles {
    int size, offset, image_w, image_h, image_y0;
} nst_tiles;

/* One convolution with its ReLU and, at the end of a block, its pooling. */
typedef struct nst_node {
    int layer;                 /* in the model */
    int in, out;               /* channels */
    bool loss_layer;           /* a loss reads its features */
    bool pooled;               /* a 2x2 pool follows */
    /* the rectangle that is computed for the window that is placed, in the layer's own coordinates of the whole
     * picture; pooled features begin at x / 2, y / 2.  Without nst_device_ops' rectangles, nodes cover the window. */
    int x, y, w, h, pooled_w, pooled_h;
    nst_tiles tiles;
    /* of the forward pass */
    nst_buffer result;         /* features, when a loss layer, not pooled or the first */
    nst_buffer pool;           /* pooled features */
    nst_buffer pass;           /* where the gradient passes */
    /* of the backward pass: gradients with respect to */
    nst_buffer grad_out;       /* what the next node reads: pooled features if pooled, features if not */
    size_t grad_features;      /* features, of x, y, w, h, when a loss layer or the first is pooled; else NST_NONE */
    bool strip;
    /* rows that are computed now: of features (y and h), of the gradient with respect to features, and of grad_out; and
     * the end of those that the next node can read */
    nst_range grad, back;
    int ready;
} nst_node;

/* Rows of all planes of one buffer to another or, where they may overlap, the same one. */
typedef struct nst_move {
    size_t from, to;           /* buffers */
    int from_rows, to_rows;    /* of their planes */
    int from_row, to_row;      /* the first one */
    int count, w, channels;
    bool mask;                 /* pass masks, not features */
} nst_move;

typedef struct nst_device nst_device;

typedef struct nst_device_ops {
    const char *name;
    bool rectangles; /* a node may be smaller than what it reads, by other amounts at each side */
    bool pairs;      /* tiles begin at even rows and columns; else only where they are pooled */
    /* Bytes of one buffer of features or pass masks, and of the scratch all nodes share. */
    size_t (*feature_bytes)(const nst_device *d, int channels, int w, int h);
    size_t (*mask_bytes)(const nst_device *d, int channels, int w, int h);
    size_t (*scratch_bytes)(const nst_device *d, const nst_node *nodes, int count);
    /* Bytes of the arena's pieces, a multiple of NST_ALIGN; NULL: it is one. */
    size_t (*limit)(const nst_device *d);
    /* Bytes that arena and scratch may take together beside the window's picture and so many kept bytes, or what is
     * kept already if that is more; NULL: as many as the process. */
    size_t (*room)(const nst_device *d, const nst_node *nodes, size_t kept);
    /* The arena, scratch at its end; an old one is given up, and with bytes 0 nothing takes its place. */
    nst_status (*reserve)(nst_device *d, size_t bytes, size_t scratch, nst_error *e);
    /* Features of node i from those of node i - 1, of node 0 from x [3][picture_h][picture_w]. */
    nst_status (*forward)(nst_device *d, const nst_node *nodes, int i, const nst_window *win, const float *x,
                          nst_error *e);
    /* Gradient of what node i reads, into node i - 1's grad_out; node 0 adds to dx. */
    nst_status (*backward)(nst_device *d, const nst_node *nodes, int i, const nst_window *win, float *dx,
                           nst_error *e);
    /* A loss layer's part of the gradient at node i, added to its gradient, or its start when the node is the last.
     * *distance may be added to as late as in the backward pass of node 0. */
    nst_status (*loss_gradient)(nst_device *d, const nst_node *nodes, int i, bool last, const nst_rect *core,
                                const nst_loss_gradient *t, double *distance, nst_error *e);
    /* Adds to s, at the latest in collect.  s->n is still that of the windows before. */
    nst_status (*stats)(nst_device *d, const nst_node *n, const nst_rect *core, nst_stats *s, nst_error *e);
    /* ---- losses where the features are; all NULL: they are the host's ---- */
    /* A loss layer's style target, copied; t is of nst_style_terms_of. */
    nst_status (*target)(nst_device *d, const nst_node *n, int number, const nst_style *t, nst_error *e);
    /* From the sums that stay (s, of all windows so far): a and b of the loss layer, and *loss, written as late as in
     * the backward pass of node 0. */
    nst_status (*style_loss)(nst_device *d, const nst_node *n, const nst_style *t, const nst_stats *s, double weight,
                             double *loss, nst_error *e);
    /* Of the picture in the rectangle of the window that is forward next, and its gradient in its backward pass; *loss
     * is added to there.  v NULL: none from now on. */
    void (*variation)(nst_device *d, const nst_variation *v, const nst_rect *of, double *loss);

    /* Waits for all stats, so that one wait serves several; NULL: they do not need it. */
    nst_status (*collect)(nst_device *d, nst_error *e);
    /* Keeps the core's features; where *out is there already, these are further rows of it. */
    nst_status (*keep)(nst_device *d, const nst_node *n, const nst_rect *core, nst_saved_features **out, nst_error *e);
    /* Room for rows of the core's size in all; NULL, as of move: it has no strips. */
    nst_status (*keep_room)(nst_device *d, const nst_node *n, const nst_rect *core, nst_saved_features **out,
                            nst_error *e);
    void (*move)(nst_device *d, const nst_move *m);
    /* Adds the core's sums of (f - k)^2 and |f - k|, as late as in the backward pass of node 0. */
    nst_status (*compare)(nst_device *d, const nst_node *n, const nst_rect *core, const nst_saved_features *k,
                          double *square, double *absolute, nst_error *e);
    /* A copy of a map, for nst_map.device_copy; NULL: it reads maps where they lie. */
    nst_status (*map)(nst_device *d, const float *weight, size_t n, nst_saved_features **out, nst_error *e);
    void (*drop)(nst_saved_features *k);
    size_t (*weight_bytes)(const nst_device *d);
    /* With fewer weights packed at a time, from m, which stays: bytes, and from now on.  Both NULL: it cannot. */
    size_t (*on_demand_bytes)(const nst_device *d, const nst_node *nodes, int count);
    nst_status (*pack_on_demand)(nst_device *d, const nst_node *nodes, int count, const nst_model *m, nst_error *e);
    const char *(*algorithm)(const nst_device *d, const nst_node *nodes, int i, bool backward);
    /* The side of the tiles in which node i's features are computed, by nst_rectangles_measure: within a tile what one
     * feature reads decides the rounding of all. */
    int (*tile)(const nst_device *d, const nst_node *nodes, int i);
    /* All NULL for the CPU. */
    const char *(*label)(const nst_device *d); /* "opencl:0 (NAME)" */
    const nst_device_counts *(*counts)(const nst_device *d);
    /* With o->profile, after a backward pass: the seconds of its layers and of the forward pass before, by the device's
     * clock.  NULL, or left alone: the host's clock is right. */
    void (*timing)(nst_device *d, nst_timing *t);
    nst_status (*peak)(nst_device *d, double *flops, nst_error *e);
    void (*destroy)(nst_device *d);
} nst_device_ops;

struct nst_device {
    const nst_device_ops *ops;
};

struct nst_saved_features {
    const nst_device_ops *ops;
    double square; /* sum over the core; not of a map */
};

/* ---- nodes.c ---- */

/* The nodes [NST_MODEL_LAYERS] of o's model up to its last loss layer, and how many these are. */
nst_status nst_nodes_chain(nst_node *node, int *count, const nst_graph_options *o, nst_error *e);

/* ---- window.c ---- */

/* Whether b is another strip of a's column. */
bool nst_window_same_column(const nst_window *a, const nst_window *b);

/* ---- tile_geometry.c: what each node computes of a window that is no strip ---- */

/* Every node's tiles, before anything else here and in row_strips.c. */
void nst_rectangles_tiles(const nst_device *d, nst_node *node, int count, bool ceil, const nst_window *win);
/* The size by which a device chooses how node n's features are computed: the whole picture's, so that windows have its
 * bits. */
void nst_rectangles_measure(const nst_node *n, int *w, int *h);
/* Rows (image_y0: the node's) or columns (image_y0: 0) of a tile that lie before row or column `at` of a node's
 * features. */
int nst_rectangles_offset(const nst_node *n, int at, int image_y0);

/* Every node's rectangle and rows: with less only what the core depends on, else the whole window. */
void nst_rectangles_set(nst_node *node, int count, bool ceil, bool less, const nst_window *win);
/* The rectangles alone, of what the core depends on. */
void nst_rectangles_needed(nst_node *node, int count, bool ceil, const nst_window *win);
/* The core in node i's rectangle or, in a strip, in the rows of its features' buffer: those that are computed now, or
 * those whose gradient is.  A side that is the picture's reaches the features' end, whatever pooling made of an odd
 * remainder. */
nst_rect nst_rectangles_core(const nst_node *node, int i, bool gradient, const nst_window *win);

/* ---- memory_layout.c ---- */

/* Sizes and offsets of every node's buffers for a window, or all strips of a column; returns the arena's bytes and sets
 * those of the scratch.  Nothing is allocated. */
size_t nst_arena_plan(const nst_device *d, nst_node *node, int count, bool ceil, const nst_window *win, nst_use use,
                      size_t *scratch);

/* ---- row_strips.c: windows as wide as the picture or a column of it, that pass on what the next one needs ---- */

/* Rows of every node for a strip (win->strip), and its buffers' first rows.  The buffers' counts are left alone. */
void nst_strips_rows(nst_node *node, int count, bool ceil, nst_use use, const nst_window *win);
/* The buffers' counts, and those of what is carried: the most that any strip of the picture needs.  Columns are set. */
void nst_strips_room(nst_node *node, int count, bool ceil, nst_use use, const nst_window *win,
                     void (*each)(const nst_node *node, int count, void *arg), void *arg);
/* Before a strip: buffers that stay lose the rows that are not needed any more. */
void nst_strips_shift(nst_device *d, const nst_node *node, int count, bool ceil, nst_use use, const nst_window *win);
/* Around what writes result and pool (forward) or grad_out (else) of node i: the last strip's rows into the buffer;
 * after the last reader: rows for the next strip out of it. */
void nst_strips_restore(nst_device *d, const nst_node *node, int count, int i, bool ceil, nst_use use,
                        const nst_window *win, bool forward);
void nst_strips_save(nst_device *d, const nst_node *node, int count, int i, bool ceil, nst_use use,
                     const nst_window *win, bool forward);
/* Whether a loss layer's features stay in their buffer from strip to strip. */
bool nst_strips_stays(const nst_node *n, nst_use use);

/* ---- graph.c: choose.c gives it its device ---- */

/* The graph on a device that was made for o's nodes, which it destroys at its end, or when it fails. */
nst_status nst_graph_on(nst_graph **out, nst_device *device, const nst_graph_options *o, nst_error *e);

#endif
