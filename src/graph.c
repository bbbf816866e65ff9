/* graph.c: the network as nodes with buffers: sizes and lifetimes planned by a dry run, walked forward and
 * backward on a device. */
#include "device.h"

#include <string.h>

struct nst_graph {
    nst_device *device;
    nst_node node[NST_MODEL_LAYERS];
    int count;
    bool ceil;
    nst_window win;   /* that is placed; its w is 0 when none is */
    nst_use use;      /* what it is placed for */
    size_t reserved, scratch;
    size_t bytes, needed; /* arena and scratch of what is placed */
    size_t kept;      /* bytes that are left free for it, where the device's memory is its own */
    nst_timing timing[NST_MODEL_LAYERS];
    struct {
        int kind, margin;
        double weight, *loss;
    } tv;
};

/* ---- planning: each buffer has a first and a last step; those that overlap in time must not in space ---- */

#define MAX_BUFFERS (8 * NST_MODEL_LAYERS)

struct buffer {
    size_t *where; /* the node's field */
    size_t bytes, offset;
    int first, last;
};

struct plan {
    struct buffer buffer[MAX_BUFFERS];
    int count;
    size_t limit; /* the arena lies in pieces of so many bytes, 0: in one */
};

static void add(struct plan *p, size_t *where, size_t bytes, int first, int last)
{
    p->buffer[p->count++] = (struct buffer){ where, (bytes + NST_ALIGN - 1) / NST_ALIGN * NST_ALIGN, 0, first, last };
}

static bool meet(const struct buffer *a, const struct buffer *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* Off the border between two pieces of the arena; one that fits into none begins at a border. */
static size_t within_piece(const struct plan *p, size_t offset, size_t bytes)
{
    if (p->limit && offset % p->limit && offset / p->limit != (offset + bytes - 1) / p->limit)
        offset += p->limit - offset % p->limit;
    return offset;
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
                    b->offset = within_piece(p, o->offset + o->bytes, b->bytes), moved = true;
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

/* Every node covers the window. */
static void cover(nst_graph *g, const nst_window *win)
{
    int x = win->x, y = win->y, w = win->w, h = win->h;

    for (int i = 0; i < g->count; i++) {
        nst_node *n = &g->node[i];

        n->x = x, n->y = y, n->w = w, n->h = h;
        n->pooled_w = n->pooled_h = 0;
        if (n->pooled) {
            x /= 2, y /= 2;
            w = n->pooled_w = halved(g, w), h = n->pooled_h = halved(g, h);
        }
    }
}

/* One dimension of a rectangle, first to behind the last. */
struct span {
    int from, to;
};

static struct span join(struct span a, struct span b)
{
    return (struct span){ a.from < b.from ? a.from : b.from, a.to > b.to ? a.to : b.to };
}

/* One more at each side, within 0..n. */
static struct span grown(struct span s, int n)
{
    return (struct span){ s.from > 0 ? s.from - 1 : 0, s.to < n ? s.to + 1 : n };
}

/* One dimension of every node's rectangle: where it is read by what the core's features depend on.  The halo shrinks
 * with each layer, so that a window costs less than all of it would: (from, to) of the core in the picture. */
static void needed(const nst_graph *g, int picture, struct span core, struct span *need)
{
    int size[NST_MODEL_LAYERS], stride[NST_MODEL_LAYERS];

    for (int i = 0, n = picture, k = 1; i < g->count; i++) {
        size[i] = n, stride[i] = k;
        if (g->node[i].pooled)
            n = halved(g, n), k *= 2;
    }
    for (int i = g->count - 1; i >= 0; i--) {
        struct span own = { core.from / stride[i], core.to == picture ? size[i] : core.to / stride[i] };

        if (i + 1 == g->count) {
            need[i] = own;
        } else {
            bool pooled = g->node[i].pooled;
            struct span r = grown(need[i + 1], size[i + 1]);

            if (pooled)
                r = (struct span){ 2 * r.from, r.to == size[i + 1] ? size[i] : 2 * r.to };
            need[i] = g->node[i].tap ? join(r, own) : r;
        }
        if (i == 0) {
            /* what is read beyond a rectangle is zeros, also of the picture: so one more, and that pairs stay pairs */
            need[i] = grown(need[i], picture);
            if (g->node[i].pooled) {
                need[i].from -= need[i].from % 2;
                need[i].to += need[i].to < picture ? need[i].to % 2 : 0;
            }
        }
    }
}

static void cover_needed(nst_graph *g, const nst_window *win)
{
    struct span x[NST_MODEL_LAYERS], y[NST_MODEL_LAYERS];
    int w = win->picture_w, h = win->picture_h;

    needed(g, w, (struct span){ win->core_x, win->core_x + win->core_w }, x);
    needed(g, h, (struct span){ win->core_y, win->core_y + win->core_h }, y);
    for (int i = 0; i < g->count; i++) {
        nst_node *n = &g->node[i];

        n->x = x[i].from, n->w = x[i].to - x[i].from;
        n->y = y[i].from, n->h = y[i].to - y[i].from;
        n->pooled_w = n->pooled_h = 0;
        if (n->pooled) {
            n->pooled_w = x[i].to == w ? halved(g, w) - n->x / 2 : n->w / 2;
            n->pooled_h = y[i].to == h ? halved(g, h) - n->y / 2 : n->h / 2;
            w = halved(g, w), h = halved(g, h);
        }
    }
}

/* Columns as in windows, rows as strips have them. */
static void set_strip(nst_graph *g, const nst_window *win, nst_use use)
{
    cover_needed(g, win);
    nst_strips_rows(g->node, g->count, g->ceil, use, win);
}

static void set_rectangles(nst_graph *g, const nst_window *win)
{
    bool all = win->w == win->picture_w && win->h == win->picture_h;

    if (all || !g->device->ops->rectangles)
        cover(g, win);
    else
        cover_needed(g, win);
    for (int i = 0; i < g->count; i++) {
        nst_node *n = &g->node[i];
        nst_slab full = { n->y, n->h }, half = { n->y / 2, n->pooled_h };

        n->strip = false;
        n->result_rows = n->pass_rows = full;
        n->pool_rows = half;
        n->dout_rows = n->pooled ? half : full;
        n->grad = (nst_range){ n->y, n->y + n->h };
        n->back = (nst_range){ n->dout_rows.first, n->dout_rows.first + n->dout_rows.count };
        n->ready = n->back.to;
    }
}

static void no_buffers(nst_graph *g)
{
    for (int i = 0; i < g->count; i++) {
        nst_node *n = &g->node[i];

        n->result = n->pool = n->pass = n->dout = n->dresult = NST_NONE;
        n->result_carry = n->pool_carry = n->dout_carry = NST_NONE;
    }
}

/* Whether the device has room for so many bytes, and each buffer fits into a piece of the arena. */
static nst_status check_room(const nst_graph *g, size_t all, nst_error *e)
{
    const nst_device_ops *ops = g->device->ops;
    size_t limit = ops->limit ? ops->limit(g->device) : 0, room = ops->room ? ops->room(g->device, g->node, g->kept) : SIZE_MAX;

    for (int i = 0; limit && i < g->count; i++) {
        size_t bytes = ops->feature_bytes(g->device, g->node[i].out, g->node[i].w, g->node[i].h);

        if (bytes > limit)
            return nst_fail(e, NST_EMEM, "%s: the features of layer %d at %d x %d take %.1f MB, and the device gives at "
                            "most %.1f MB at once; a smaller --size, or --window, or --device cpu",
                            ops->label(g->device), i + 1, g->node[i].w, g->node[i].h, (double)bytes / 1e6,
                            (double)limit / 1e6);
    }
    if (all > room)
        return nst_fail(e, NST_EMEM, "%s: out of memory: %d x %d pixels take %.1f MB, and the device has %.1f MB beside "
                        "the weights; a smaller --size, or --window, or --device cpu", ops->label(g->device),
                        g->node[0].w, g->node[0].h, (double)all / 1e6, (double)room / 1e6);
    return NST_OK;
}

/* Scratch that grows with the strips. */
struct scratch {
    const nst_device *device;
    size_t bytes;
    int h[NST_MODEL_LAYERS], back[NST_MODEL_LAYERS];
};

static void add_scratch(const nst_node *node, int count, void *arg)
{
    struct scratch *s = arg;
    bool news = false;
    size_t bytes;

    for (int i = 0; i < count; i++) {
        int back = node[i].back.to - node[i].back.from;

        news |= s->h[i] != node[i].h || s->back[i] != back;
        s->h[i] = node[i].h, s->back[i] = back;
    }
    if (news && (bytes = s->device->ops->scratch_bytes(s->device, node, count)) > s->bytes)
        s->bytes = bytes;
}

/* The same of all strips of a column: what stays and what is carried lives from strip to strip. */
static size_t dry_run_strips(nst_graph *g, const nst_window *win, nst_use use, size_t *scratch)
{
    const nst_device *d = g->device;
    size_t (*features)(const nst_device *, int, int, int) = d->ops->feature_bytes;
    struct plan p = { .count = 0, .limit = d->ops->limit ? d->ops->limit(d) : 0 };
    struct scratch need = { .device = d };
    int end = 2 * g->count - 1;

    cover_needed(g, win);
    no_buffers(g);
    nst_strips_room(g->node, g->count, g->ceil, use, win, add_scratch, &need);
    nst_strips_rows(g->node, g->count, g->ceil, use, win);
    for (int i = 0; i < g->count; i++) {
        nst_node *n = &g->node[i];
        int back = end - i, half = n->pooled ? n->pooled_w : n->w;

        if (nst_strips_stays(n, use)) {
            add(&p, &n->result, features(d, n->out, n->w, n->result_rows.count), 0, end);
        } else if (!n->pooled) {
            add(&p, &n->result, features(d, n->out, n->w, n->result_rows.count), i, i + 1);
            add(&p, &n->result_carry, features(d, n->out, n->w, n->result_carry_rows), 0, end);
        }
        if (n->pooled) {
            add(&p, &n->pool, features(d, n->out, half, n->pool_rows.count), i, i + 1);
            add(&p, &n->pool_carry, features(d, n->out, half, n->pool_carry_rows), 0, end);
        }
        if (use != NST_USE_GRADIENT)
            continue;
        add(&p, &n->pass, d->ops->mask_bytes(d, n->out, n->w, n->pass_rows.count), 0, end);
        add(&p, &n->dout, features(d, n->out, half, n->dout_rows.count), back - 1, back);
        add(&p, &n->dout_carry, features(d, n->out, half, n->dout_carry_rows), 0, end);
    }
    *scratch = need.bytes;
    return place(&p);
}

/* Sizes and offsets of every node for a window; returns the arena's bytes.  Steps: node i forward is step i,
 * backward 2 count - 1 - i.  Taps live as long as they are used. */
static size_t dry_run(nst_graph *g, const nst_window *win, nst_use use, size_t *scratch)
{
    const nst_device_ops *ops = g->device->ops;
    struct plan p = { .count = 0, .limit = ops->limit ? ops->limit(g->device) : 0 };
    int end = 2 * g->count - 1;
    bool backward = use == NST_USE_GRADIENT;

    if (win->strip)
        return dry_run_strips(g, win, use, scratch);
    set_rectangles(g, win);
    no_buffers(g);
    for (int i = 0; i < g->count; i++) {
        nst_node *n = &g->node[i];
        int back = end - i;
        size_t full = ops->feature_bytes(g->device, n->out, n->w, n->h);
        /* the first convolution does not pool by itself */
        bool whole = n->tap || (i == 0 && n->pooled);
        size_t half = n->pooled ? ops->feature_bytes(g->device, n->out, n->pooled_w, n->pooled_h) : 0;

        if (whole || !n->pooled)
            add(&p, &n->result, full, i, !whole || use == NST_USE_STATS ? i + 1 : backward ? back : end);
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
    if ((s = nst_device_create(&g->device, o, g->node, g->count, e)))
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

void nst_graph_leave_room(nst_graph *g, size_t kept)
{
    g->kept = kept;
}

bool nst_graph_strips(const nst_graph *g)
{
    bool can = g->device->ops->move && g->count > 1 && !g->node[0].pooled;

    for (int i = 0; i < g->count; i++)
        can = can && !(g->node[i].tap && g->node[i].pooled);
    return can;
}

static nst_status check_size(const nst_graph *g, const nst_window *win, nst_error *e)
{
    int grid = nst_graph_grid(g), w = win->w, h = win->strip ? win->picture_h : win->h;

    if (w < grid || h < grid)
        return nst_fail(e, NST_EARG, "window: %d x %d pixels, expected at least %d x %d", w, h, grid, grid);
    return NST_OK;
}

nst_status nst_graph_measure_window(const nst_graph *g, const nst_window *win, nst_use use, size_t *bytes, nst_error *e)
{
    nst_graph trial = *g;
    size_t scratch;
    nst_status s = check_size(g, win, e);

    if (s)
        return s;
    *bytes = dry_run(&trial, win, use, &scratch);
    *bytes += scratch;
    return check_room(&trial, *bytes, e);
}

nst_status nst_graph_measure(const nst_graph *g, int w, int h, bool backward, size_t *bytes, nst_error *e)
{
    nst_window win = nst_window_whole(w, h);

    return nst_graph_measure_window(g, &win, backward ? NST_USE_GRADIENT : NST_USE_FEATURES, bytes, e);
}

/* Whether b is another strip of a's column. */
static bool same_column(const nst_window *a, const nst_window *b)
{
    nst_window other = *a;

    other.y = b->y, other.h = b->h;
    return !memcmp(&other, b, sizeof other);
}

nst_status nst_graph_place_window(nst_graph *g, const nst_window *win, nst_use use, nst_error *e)
{
    size_t bytes, scratch;
    nst_status s;

    if (g->win.w && g->use == use && !memcmp(&g->win, win, sizeof *win))
        return NST_OK;
    if ((s = check_size(g, win, e)))
        return s;
    if (win->strip && win->y && g->use == use && same_column(&g->win, win)) {
        nst_strips_rows(g->node, g->count, g->ceil, use, win);
        g->win = *win;
        return NST_OK;
    }
    g->win.w = 0;
    bytes = dry_run(g, win, use, &scratch);
    if ((s = check_room(g, bytes + scratch, e)))
        return s;
    if (bytes > g->reserved || scratch > g->scratch) {
        bytes = bytes > g->reserved ? bytes : g->reserved;
        scratch = scratch > g->scratch ? scratch : g->scratch;
        g->reserved = g->scratch = 0;
        if ((s = g->device->ops->reserve(g->device, bytes, scratch, e)))
            return s;
        g->reserved = bytes, g->scratch = scratch;
    }
    g->win = *win, g->use = use;
    return NST_OK;
}

void nst_graph_release(nst_graph *g)
{
    g->win.w = 0;
    if (g->reserved)
        g->device->ops->reserve(g->device, 0, 0, NULL);
    g->reserved = g->scratch = 0;
}

nst_status nst_graph_place(nst_graph *g, int w, int h, bool backward, nst_error *e)
{
    nst_window win = nst_window_whole(w, h);

    return nst_graph_place_window(g, &win, backward ? NST_USE_GRADIENT : NST_USE_FEATURES, e);
}

/* ---- questions ---- */

size_t nst_graph_weight_bytes(const nst_graph *g)
{
    return g->device->ops->weight_bytes(g->device);
}

size_t nst_graph_thrift_bytes(const nst_graph *g)
{
    return g->device->ops->thrift ? g->device->ops->thrift_bytes(g->device, g->node, g->count) : 0;
}

nst_status nst_graph_thrift(nst_graph *g, const nst_model *m, nst_error *e)
{
    return g->device->ops->thrift(g->device, g->node, g->count, m, e);
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
    return (nst_window){ w, h, 0, 0, w, h, 0, 0, w, h, 0 };
}

const nst_timing *nst_graph_timing(const nst_graph *g)
{
    return g->timing;
}

/* A multiplication of the first layer, of which few fill a product, and the reading and writing of features take time
 * that these numbers weigh: VGG19 at 512 pixels, both AVX sets. */
double nst_graph_work(const nst_graph *g, const nst_window *win)
{
    nst_graph trial = *g;
    double work = 0;

    if (win->strip)
        set_strip(&trial, win, NST_USE_STATS);
    else
        set_rectangles(&trial, win);
    for (int i = 0; i < trial.count; i++) {
        const nst_node *n = &trial.node[i];

        work += (9. * n->in * n->out + 64. * (n->in + n->out)) * n->w * n->h;
    }
    return work;
}

const nst_device_counts *nst_graph_counts(const nst_graph *g)
{
    return g->device->ops->counts ? g->device->ops->counts(g->device) : NULL;
}

nst_status nst_graph_peak(nst_graph *g, double *flops, nst_error *e)
{
    *flops = 0;
    return g->device->ops->peak ? g->device->ops->peak(g->device, flops, e) : NST_OK;
}

bool nst_graph_on_cpu(const nst_graph *g)
{
    return !g->device->ops->label;
}

const char *nst_graph_algorithm(const nst_graph *g, int layer, bool backward)
{
    return g->device->ops->algorithm(g->device, g->node, layer, backward);
}

/* ---- running ---- */

/* In a strip: those of the rows that are computed now which are the core's, from the first one in the features' buffer on. */
static nst_rect core_rows(const nst_node *n, const nst_window *win, int stride, nst_rect r, nst_range now)
{
    int end = win->core_y + win->core_h, from = win->core_y / stride, to = end == win->picture_h ? now.to : end / stride;

    from = now.from > from ? now.from : from;
    to = now.to < to ? now.to : to;
    r.y = from - n->result_rows.first, r.h = to > from ? to - from : 0;
    return r;
}

/* The core in the coordinates of a node's rectangle.  A side that is the picture's reaches the features' end,
 * whatever pooling made of an odd remainder. */
static nst_rect core_of(const nst_graph *g, int i, const nst_window *win)
{
    const nst_node *n = &g->node[i];
    int stride = 1;
    nst_rect r;

    for (int k = 0; k < i; k++)
        stride <<= g->node[k].pooled;
    r.x = win->core_x / stride - n->x, r.y = win->core_y / stride - n->y;
    r.w = win->core_x + win->core_w == win->picture_w ? n->w - r.x : win->core_w / stride;
    r.h = win->core_y + win->core_h == win->picture_h ? n->h - r.y : win->core_h / stride;
    return win->strip ? core_rows(n, win, stride, r, (nst_range){ n->y, n->y + n->h }) : r;
}

/* The same for the gradient, which in a strip is at other rows. */
static nst_rect gradient_core_of(const nst_graph *g, int i, const nst_window *win)
{
    const nst_node *n = &g->node[i];
    nst_rect r = core_of(g, i, win);
    int stride = 1;

    for (int k = 0; k < i; k++)
        stride <<= g->node[k].pooled;
    return win->strip ? core_rows(n, win, stride, r, n->grad) : r;
}

/* How many positions of the core count. */
static double positions(const nst_node *n, const nst_rect *core, nst_map map)
{
    double sum = 0;

    if (!map.weight)
        return (double)core->w * core->h;
    for (int y = 0; y < core->h; y++)
        for (int x = 0; x < core->w; x++)
            sum += (double)map.weight[(size_t)(n->result_rows.first + core->y + y) * map.ld + (size_t)(n->x + core->x + x)];
    return sum;
}

/* Asks for the core's sums of a tap. */
static nst_status stats(nst_graph *g, int layer, nst_stats *s, nst_error *e)
{
    nst_rect core = core_of(g, layer, &g->win);
    double start = nst_now();
    nst_status status;

    if (s->c != g->node[layer].out)
        return nst_fail(e, NST_EARG, "statistics: %d channels, the layer has %d", s->c, g->node[layer].out);
    for (status = NST_OK; s && !status; s = s->next) {
        s->n += positions(&g->node[layer], &core, s->map);
        status = g->device->ops->stats(g->device, &g->node[layer], &core, s, e);
    }
    g->timing[layer].stats = nst_now() - start;
    return status;
}

void nst_graph_variation(nst_graph *g, int kind, int margin, double weight, double *loss)
{
    g->tv.kind = kind, g->tv.margin = margin, g->tv.weight = weight, g->tv.loss = loss;
}

/* A side's part of the picture whose variation is a core's: with the margin where that is next. */
static void owned(int margin, int core, int core_n, int all, int *from, int *n)
{
    int end = core + core_n;

    *from = core <= margin ? 0 : core;
    *n = (end >= all - margin ? all : end) - *from;
}

/* Tells the device of the variation before a window goes forward. */
static void vary(nst_graph *g, const nst_window *win)
{
    nst_variation v;
    nst_rect of;

    if (!g->device->ops->variation)
        return;
    if (!g->tv.loss) {
        g->device->ops->variation(g->device, NULL, NULL, NULL);
        return;
    }
    v = nst_tv_pairs(g->tv.kind, win->picture_w, win->picture_h, g->tv.weight);
    owned(g->tv.margin, win->core_x, win->core_w, win->picture_w, &of.x, &of.w);
    owned(g->tv.margin, win->core_y, win->core_h, win->picture_h, &of.y, &of.h);
    g->device->ops->variation(g->device, &v, &of, g->tv.loss);
}

static nst_status collect(nst_graph *g, nst_error *e)
{
    return g->device->ops->collect ? g->device->ops->collect(g->device, e) : NST_OK;
}

static nst_status forward(nst_graph *g, const float *x, nst_stats *const *sums, nst_error *e)
{
    const nst_window *win = &g->win;

    if (win->strip)
        nst_strips_shift(g->device, g->node, g->count, g->ceil, g->use, win);
    for (int i = 0; i < g->count; i++) {
        double start = nst_now();
        nst_status s = NST_OK;

        if (win->strip && win->y)
            nst_strips_restore(g->device, g->node, g->count, i, g->ceil, g->use, win, true);
        if (g->node[i].h)
            s = g->device->ops->forward(g->device, g->node, i, win, x, e);
        if (win->strip && i)
            nst_strips_save(g->device, g->node, g->count, i - 1, g->ceil, g->use, win, true);
        g->timing[i].forward = nst_now() - start;
        if (s || (sums && sums[i] && (s = stats(g, i, sums[i], e))))
            return s;
    }
    return NST_OK;
}

nst_status nst_graph_forward(nst_graph *g, const nst_window *win, const float *x, nst_error *e)
{
    nst_status s;

    if (!g->win.w || win->w != g->win.w || (win->h != g->win.h && !win->strip))
        return nst_fail(e, NST_EARG, "window: %d x %d pixels, placed for %d x %d", win->w, win->h, g->win.w,
                        g->win.w ? g->win.h : 0);
    if ((s = nst_graph_place_window(g, win, g->use, e)))
        return s;
    vary(g, win);
    return forward(g, x, NULL, e);
}

nst_status nst_graph_sum(nst_graph *g, const nst_window *win, const float *x, nst_stats *const *sums, nst_error *e)
{
    nst_status s = nst_graph_place_window(g, win, NST_USE_STATS, e);

    if (g->device->ops->variation)
        g->device->ops->variation(g->device, NULL, NULL, NULL);
    return s || (s = forward(g, x, sums, e)) ? s : collect(g, e);
}

nst_status nst_graph_stats(nst_graph *g, int layer, nst_stats *s, nst_error *e)
{
    nst_status status = stats(g, layer, s, e);

    return status ? status : collect(g, e);
}

nst_status nst_graph_stats_each(nst_graph *g, nst_stats *const *sums, nst_error *e)
{
    nst_status s = NST_OK;

    for (int i = 0; i < g->count && !s; i++)
        if (sums[i])
            s = stats(g, i, sums[i], e);
    return s ? s : collect(g, e);
}

nst_status nst_graph_keep(nst_graph *g, int layer, nst_kept **out, nst_error *e)
{
    nst_rect core = core_of(g, layer, &g->win), all = core;
    nst_status s = NST_OK;

    if (g->win.strip && g->win.y == 0) {
        int w;

        nst_graph_layer_size(g, layer, g->win.picture_w, g->win.picture_h, &w, &all.h);
        all.y = 0;
        s = g->device->ops->keep_room(g->device, &g->node[layer], &all, out, e);
    } else if (!g->win.strip) {
        *out = NULL;
    }
    return s ? s : g->device->ops->keep(g->device, &g->node[layer], &core, out, e);
}

nst_status nst_graph_compare(nst_graph *g, int layer, const nst_kept *k, double *square, double *absolute, nst_error *e)
{
    nst_rect core = core_of(g, layer, &g->win);

    return g->device->ops->compare(g->device, &g->node[layer], &core, k, square, absolute, e);
}

bool nst_graph_has_losses(const nst_graph *g)
{
    return g->device->ops->style_loss != NULL;
}

nst_status nst_graph_target(nst_graph *g, int layer, const nst_style *t, nst_error *e)
{
    return g->device->ops->target(g->device, &g->node[layer], t, e);
}

nst_status nst_graph_style_loss(nst_graph *g, int layer, const nst_style *t, const nst_stats *s, double weight,
                                double *loss, nst_error *e)
{
    return g->device->ops->style_loss(g->device, &g->node[layer], t, s, weight, loss, e);
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
            nst_rect core = gradient_core_of(g, i, win);

            if (win->strip && win->y && i == g->count - 1)
                nst_strips_restore(g->device, g->node, g->count, i, g->ceil, g->use, win, false);
            s = ops->tap(g->device, g->node, i, i == g->count - 1, &core, &tap[i], &distance[i], e);
            if (s)
                return s;
        }
        g->timing[i].tap = nst_now() - start;
        start = nst_now();
        if (win->strip && win->y && i)
            nst_strips_restore(g->device, g->node, g->count, i - 1, g->ceil, g->use, win, false);
        if ((s = ops->backward(g->device, g->node, i, win, dx, e)))
            return s;
        if (win->strip)
            nst_strips_save(g->device, g->node, g->count, i, g->ceil, g->use, win, false);
        g->timing[i].backward = nst_now() - start;
    }
    if (ops->timing)
        ops->timing(g->device, g->timing);
    return NST_OK;
}
