/* graph.c: the network as nodes with buffers: sizes and lifetimes planned by a dry run, walked forward and
 * backward on a device. */
#include "device.h"

#include <string.h>

struct nst_graph {
    nst_device *device;
    nst_node node[NST_MODEL_LAYERS];
    int count;
    bool ceil;
    int w, h;         /* window that is placed, 0 when none is */
    bool backward;    /* placed with gradients */
    size_t reserved, scratch;
    nst_window win;   /* of the last forward pass */
    nst_timing timing[NST_MODEL_LAYERS];
};

/* ---- planning: each buffer has a first and a last step; those that overlap in time must not in space ---- */

#define MAX_BUFFERS (5 * NST_MODEL_LAYERS)

struct buffer {
    size_t *where; /* the node's field */
    size_t bytes, offset;
    int first, last;
};

struct plan {
    struct buffer buffer[MAX_BUFFERS];
    int count;
};

static void add(struct plan *p, size_t *where, size_t bytes, int first, int last)
{
    p->buffer[p->count++] = (struct buffer){ where, (bytes + NST_ALIGN - 1) / NST_ALIGN * NST_ALIGN, 0, first, last };
}

static bool meet(const struct buffer *a, const struct buffer *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* The largest first, each at the lowest place that is free during its life. */
static size_t place(struct plan *p)
{
    size_t top = 0;
    bool done[MAX_BUFFERS] = { false };

    for (int n = 0; n < p->count; n++) {
        struct buffer *b = NULL;
        bool moved = true;

        for (int i = 0; i < p->count; i++)
            if (!done[i] && (!b || p->buffer[i].bytes > b->bytes))
                b = &p->buffer[i];
        while (moved) {
            moved = false;
            for (int i = 0; i < p->count; i++) {
                const struct buffer *o = &p->buffer[i];

                if (done[i] && meet(o, b) && b->offset < o->offset + o->bytes && o->offset < b->offset + b->bytes)
                    b->offset = o->offset + o->bytes, moved = true;
            }
        }
        done[b - p->buffer] = true;
        *b->where = b->offset;
        if (b->offset + b->bytes > top)
            top = b->offset + b->bytes;
    }
    return top;
}

static int halved(const nst_graph *g, int n)
{
    return g->ceil ? (n + 1) / 2 : n / 2;
}

static void set_sizes(nst_graph *g, int w, int h)
{
    for (int i = 0; i < g->count; i++) {
        nst_node *n = &g->node[i];

        n->w = w, n->h = h;
        n->pooled_w = n->pooled_h = 0;
        if (n->pooled)
            w = n->pooled_w = halved(g, w), h = n->pooled_h = halved(g, h);
        n->result = n->pool = n->pass = n->dout = n->dresult = NST_NONE;
    }
}

/* Sizes and offsets of every node for a window; returns the arena's bytes.  Steps: node i forward is step i,
 * backward 2 count - 1 - i.  Taps live to the end when there is no backward pass: statistics are read then. */
static size_t dry_run(nst_graph *g, int w, int h, bool backward, size_t *scratch)
{
    const nst_device_ops *ops = g->device->ops;
    struct plan p = { .count = 0 };
    int end = 2 * g->count - 1;

    set_sizes(g, w, h);
    for (int i = 0; i < g->count; i++) {
        nst_node *n = &g->node[i];
        int back = end - i;
        size_t full = ops->feature_bytes(g->device, n->out, n->w, n->h);
        /* the first convolution does not pool by itself */
        bool whole = n->tap || (i == 0 && n->pooled);
        size_t half = n->pooled ? ops->feature_bytes(g->device, n->out, n->pooled_w, n->pooled_h) : 0;

        if (whole || !n->pooled)
            add(&p, &n->result, full, i, whole ? (backward ? back : end) : i + 1);
        if (n->pooled)
            add(&p, &n->pool, half, i, i + 1);
        if (!backward)
            continue;
        add(&p, &n->pass, ops->mask_bytes(g->device, n->out, n->w, n->h), i, back);
        add(&p, &n->dout, n->pooled ? half : full, back - 1, back);
        if (n->pooled && whole)
            add(&p, &n->dresult, full, back, back);
    }
    *scratch = ops->scratch_bytes(g->device, g->node, g->count);
    return place(&p);
}

/* ---- creation ---- */

nst_status nst_graph_create(nst_graph **out, const nst_graph_options *o, nst_error *e)
{
    const nst_model *m = o->model;
    nst_graph *g = nst_calloc(1, sizeof *g);
    nst_status s;

    *out = NULL;
    if (!g)
        return nst_fail(e, NST_EMEM, "graph: out of memory");
    g->ceil = o->pool_ceil;
    for (int i = 0; i < m->layers; i++) {
        nst_node *n = &g->node[i];

        *n = (nst_node){ .layer = i, .in = m->layer[i].in, .out = m->layer[i].out, .tap = o->tap[i] };
        n->pooled = i + 1 < m->layers && m->layer[i + 1].block != m->layer[i].block;
        if (o->tap[i])
            g->count = i + 1; /* nothing after the last tap is computed */
    }
    if (!g->count) {
        s = nst_fail(e, NST_EARG, "graph: no layer is read by a loss, expected at least one");
        goto fail;
    }
    g->node[g->count - 1].pooled = false;
    if (o->device && strcmp(o->device, "cpu") != 0) {
        s = nst_fail(e, NST_EUNSUPPORTED, "device \"%s\": not known, expected cpu", o->device);
        goto fail;
    }
    if ((s = nst_cpu_create(&g->device, o, g->node, g->count, e)))
        goto fail;
    *out = g;
    return NST_OK;

fail:
    nst_graph_destroy(&g);
    return s;
}

void nst_graph_destroy(nst_graph **g)
{
    if (!*g)
        return;
    if ((*g)->device)
        (*g)->device->ops->destroy((*g)->device);
    nst_free(*g);
    *g = NULL;
}

static nst_status check_size(const nst_graph *g, int w, int h, nst_error *e)
{
    int grid = nst_graph_grid(g);

    if (w < grid || h < grid)
        return nst_fail(e, NST_EARG, "window: %d x %d pixels, expected at least %d x %d", w, h, grid, grid);
    return NST_OK;
}

nst_status nst_graph_measure(const nst_graph *g, int w, int h, bool backward, size_t *bytes, nst_error *e)
{
    nst_graph trial = *g;
    size_t scratch;
    nst_status s = check_size(g, w, h, e);

    if (s)
        return s;
    *bytes = dry_run(&trial, w, h, backward, &scratch);
    *bytes += scratch;
    return NST_OK;
}

nst_status nst_graph_place(nst_graph *g, int w, int h, bool backward, nst_error *e)
{
    size_t bytes, scratch;
    nst_status s;

    if (g->w == w && g->h == h && g->backward == backward)
        return NST_OK;
    if ((s = check_size(g, w, h, e)))
        return s;
    g->w = g->h = 0;
    bytes = dry_run(g, w, h, backward, &scratch);
    if (bytes > g->reserved || scratch > g->scratch) {
        bytes = bytes > g->reserved ? bytes : g->reserved;
        scratch = scratch > g->scratch ? scratch : g->scratch;
        g->reserved = g->scratch = 0;
        if ((s = g->device->ops->reserve(g->device, bytes, scratch, e)))
            return s;
        g->reserved = bytes, g->scratch = scratch;
    }
    g->w = w, g->h = h, g->backward = backward;
    return NST_OK;
}

/* ---- questions ---- */

size_t nst_graph_weight_bytes(const nst_graph *g)
{
    return g->device->ops->weight_bytes(g->device);
}

int nst_graph_grid(const nst_graph *g)
{
    int grid = 1;

    for (int i = 0; i < g->count; i++)
        grid <<= g->node[i].pooled;
    return grid;
}

int nst_graph_halo(const nst_graph *g)
{
    int halo = 0, stride = 1;

    for (int i = 0; i < g->count; i++) {
        halo += stride;
        if (g->node[i].pooled)
            stride *= 2;
    }
    return (halo + stride - 1) / stride * stride;
}

int nst_graph_channels(const nst_graph *g, int layer)
{
    return g->node[layer].out;
}

void nst_graph_layer_size(const nst_graph *g, int layer, int picture_w, int picture_h, int *w, int *h)
{
    for (int i = 0; i < layer; i++)
        if (g->node[i].pooled)
            picture_w = halved(g, picture_w), picture_h = halved(g, picture_h);
    *w = picture_w, *h = picture_h;
}

nst_window nst_window_whole(int w, int h)
{
    return (nst_window){ w, h, 0, 0, w, h, 0, 0, w, h };
}

const nst_timing *nst_graph_timing(const nst_graph *g)
{
    return g->timing;
}

const char *nst_graph_algorithm(const nst_graph *g, int layer, bool backward)
{
    return g->device->ops->algorithm(g->device, g->node, layer, backward);
}

/* ---- running ---- */

/* The core in the coordinates of a node's features.  A side that is the picture's reaches the features' end,
 * whatever pooling made of an odd remainder. */
static nst_rect core_of(const nst_graph *g, int i, const nst_window *win)
{
    const nst_node *n = &g->node[i];
    int stride = 1;
    nst_rect r;

    for (int k = 0; k < i; k++)
        stride <<= g->node[k].pooled;
    r.x = (win->core_x - win->x) / stride, r.y = (win->core_y - win->y) / stride;
    r.w = win->core_x + win->core_w == win->picture_w ? n->w - r.x : win->core_w / stride;
    r.h = win->core_y + win->core_h == win->picture_h ? n->h - r.y : win->core_h / stride;
    return r;
}

nst_status nst_graph_forward(nst_graph *g, const nst_window *win, const float *x, nst_error *e)
{
    if (win->w != g->w || win->h != g->h)
        return nst_fail(e, NST_EARG, "window: %d x %d pixels, placed for %d x %d", win->w, win->h, g->w, g->h);
    g->win = *win;
    for (int i = 0; i < g->count; i++) {
        double start = nst_now();
        nst_status s = g->device->ops->forward(g->device, g->node, i, win, x, e);

        if (s)
            return s;
        g->timing[i].forward = nst_now() - start;
    }
    return NST_OK;
}

nst_status nst_graph_stats(nst_graph *g, int layer, nst_stats *s, nst_error *e)
{
    nst_rect core = core_of(g, layer, &g->win);
    double start = nst_now();
    nst_status status;

    if (s->c != g->node[layer].out)
        return nst_fail(e, NST_EARG, "statistics: %d channels, the layer has %d", s->c, g->node[layer].out);
    s->n += (double)core.w * core.h;
    status = g->device->ops->stats(g->device, &g->node[layer], &core, s, e);
    g->timing[layer].stats = nst_now() - start;
    return status;
}

nst_status nst_graph_keep(nst_graph *g, int layer, nst_kept **out, nst_error *e)
{
    nst_rect core = core_of(g, layer, &g->win);

    return g->device->ops->keep(g->device, &g->node[layer], &core, out, e);
}

void nst_kept_destroy(nst_kept **k)
{
    if (*k)
        (*k)->ops->drop(*k);
    *k = NULL;
}

double nst_kept_square(const nst_kept *k)
{
    return k->square;
}

nst_status nst_graph_backward(nst_graph *g, const nst_window *win, const nst_tap_gradient *tap,
                              double *distance, float *dx, nst_error *e)
{
    const nst_device_ops *ops = g->device->ops;

    for (int i = g->count - 1; i >= 0; i--) {
        double start = nst_now();
        nst_status s;

        if (g->node[i].tap) {
            nst_rect core = core_of(g, i, win);

            s = ops->tap(g->device, g->node, i, i == g->count - 1, &core, &tap[i], &distance[i], e);
            if (s)
                return s;
        }
        g->timing[i].tap = nst_now() - start;
        start = nst_now();
        if ((s = ops->backward(g->device, g->node, i, win, dx, e)))
            return s;
        g->timing[i].backward = nst_now() - start;
    }
    return NST_OK;
}
