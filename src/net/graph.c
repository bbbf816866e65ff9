/* graph.c: the network as nodes with buffers, placed for a window (tile_geometry.c, row_strips.c, memory_layout.c) and
 * walked forward and backward on a device. */
#include "net/device.h"

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

/* ---- creation ---- */

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

nst_status nst_graph_on(nst_graph **out, nst_device *device, const nst_graph_options *o, nst_error *e)
{
    nst_graph *g = nst_calloc(1, sizeof *g);
    nst_status s;

    *out = NULL;
    if (!g) {
        device->ops->destroy(device);
        return nst_fail(e, NST_EMEM, "graph: out of memory");
    }
    g->device = device;
    g->ceil = o->pool_ceil;
    s = nst_nodes_chain(g->node, &g->count, o, e);
    if (s)
        nst_graph_destroy(&g);
    *out = g;
    return s;
}

void nst_graph_destroy(nst_graph **g)
{
    if (!*g)
        return;
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
    *bytes = nst_arena_plan(g->device, trial.node, g->count, g->ceil, win, use, &scratch);
    *bytes += scratch;
    return check_room(&trial, *bytes, e);
}

nst_status nst_graph_measure(const nst_graph *g, int w, int h, bool backward, size_t *bytes, nst_error *e)
{
    nst_window win = nst_window_whole(w, h);

    return nst_graph_measure_window(g, &win, backward ? NST_USE_GRADIENT : NST_USE_FEATURES, bytes, e);
}

nst_status nst_graph_place_window(nst_graph *g, const nst_window *win, nst_use use, nst_error *e)
{
    size_t bytes, scratch;
    nst_status s;

    if (g->win.w && g->use == use && !memcmp(&g->win, win, sizeof *win))
        return NST_OK;
    if ((s = check_size(g, win, e)))
        return s;
    if (win->strip && win->y && g->use == use && nst_window_same_column(&g->win, win)) {
        nst_strips_rows(g->node, g->count, g->ceil, use, win);
        g->win = *win;
        return NST_OK;
    }
    g->win.w = 0;
    bytes = nst_arena_plan(g->device, g->node, g->count, g->ceil, win, use, &scratch);
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

size_t nst_graph_on_demand_bytes(const nst_graph *g)
{
    return g->device->ops->pack_on_demand ? g->device->ops->on_demand_bytes(g->device, g->node, g->count) : 0;
}

nst_status nst_graph_pack_on_demand(nst_graph *g, const nst_model *m, nst_error *e)
{
    return g->device->ops->pack_on_demand(g->device, g->node, g->count, m, e);
}

int nst_graph_grid(const nst_graph *g)
{
    int grid = 1;

    for (int i = 0; i < g->count; i++)
        grid <<= g->node[i].pooled;
    return grid;
}

void nst_graph_expand_halo(const nst_graph *g, nst_window *win)
{
    nst_node node[NST_MODEL_LAYERS];
    int grid = nst_graph_grid(g), right, bottom;

    memcpy(node, g->node, sizeof node);
    nst_rectangles_tiles(g->device, node, g->count, g->ceil, win);
    nst_rectangles_needed(node, g->count, g->ceil, win);
    right = (node->x + node->w + grid - 1) / grid * grid, bottom = (node->y + node->h + grid - 1) / grid * grid;
    win->x = node->x / grid * grid, win->y = node->y / grid * grid;
    win->w = (right < win->picture_w ? right : win->picture_w) - win->x;
    win->h = (bottom < win->picture_h ? bottom : win->picture_h) - win->y;
}

int nst_graph_channels(const nst_graph *g, int layer)
{
    return g->node[layer].out;
}

void nst_graph_layer_size(const nst_graph *g, int layer, int picture_w, int picture_h, int *w, int *h)
{
    for (int i = 0; i < layer; i++)
        if (g->node[i].pooled)
            picture_w = (picture_w + g->ceil) / 2, picture_h = (picture_h + g->ceil) / 2;
    *w = picture_w, *h = picture_h;
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

    nst_rectangles_tiles(g->device, trial.node, g->count, g->ceil, win);
    if (win->strip) { /* columns as in windows */
        nst_rectangles_needed(trial.node, g->count, g->ceil, win);
        nst_strips_rows(trial.node, g->count, g->ceil, NST_USE_STATS, win);
    } else {
        nst_rectangles_set(trial.node, g->count, g->ceil, g->device->ops->rectangles, win);
    }
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

/* How many positions of the core count. */
static double positions(const nst_node *n, const nst_rect *core, nst_map map)
{
    double sum = 0;

    if (!map.weight)
        return (double)core->w * core->h;
    for (int y = 0; y < core->h; y++)
        for (int x = 0; x < core->w; x++)
            sum += (double)map.weight[(size_t)(n->result.rows.first + core->y + y) * map.ld +
                                      (size_t)(n->x + core->x + x)];
    return sum;
}

/* Asks for the core's sums of a tap. */
static nst_status stats(nst_graph *g, int layer, nst_stats *s, nst_error *e)
{
    nst_rect core = nst_rectangles_core(g->node, layer, false, &g->win);
    double start = nst_now();
    nst_status status;

    if (s->c != g->node[layer].out)
        return nst_fail(e, NST_EARG, "statistics: %d channels, the layer has %d", s->c, g->node[layer].out);
    for (status = NST_OK; s && !status; s = s->next) {
        status = g->device->ops->stats(g->device, &g->node[layer], &core, s, e);
        s->n += positions(&g->node[layer], &core, s->map);
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

nst_status nst_graph_keep(nst_graph *g, int layer, nst_saved_features **out, nst_error *e)
{
    nst_rect core = nst_rectangles_core(g->node, layer, false, &g->win), all = core;
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

nst_status nst_graph_map(nst_graph *g, const float *weight, size_t n, nst_saved_features **out, nst_error *e)
{
    *out = NULL;
    return g->device->ops->map ? g->device->ops->map(g->device, weight, n, out, e) : NST_OK;
}

nst_status nst_graph_compare(nst_graph *g, int layer, const nst_saved_features *k, double *square, double *absolute,
                             nst_error *e)
{
    nst_rect core = nst_rectangles_core(g->node, layer, false, &g->win);

    return g->device->ops->compare(g->device, &g->node[layer], &core, k, square, absolute, e);
}

bool nst_graph_has_losses(const nst_graph *g)
{
    return g->device->ops->style_loss != NULL;
}

nst_status nst_graph_target(nst_graph *g, int layer, int number, const nst_style *t, nst_error *e)
{
    return g->device->ops->target(g->device, &g->node[layer], number, t, e);
}

nst_status nst_graph_style_loss(nst_graph *g, int layer, const nst_style *t, const nst_stats *s, double weight,
                                double *loss, nst_error *e)
{
    return g->device->ops->style_loss(g->device, &g->node[layer], t, s, weight, loss, e);
}

void nst_saved_features_destroy(nst_saved_features **k)
{
    if (*k)
        (*k)->ops->drop(*k);
    *k = NULL;
}

double nst_saved_features_square(const nst_saved_features *k)
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
            nst_rect core = nst_rectangles_core(g->node, i, true, win);

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
