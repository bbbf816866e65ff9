/* graph.c: the network as nodes with buffers, which placement.c places for a window, walked forward and backward on a
 * device. */
#include "net/placement.h"

/* ---- creation ---- */

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

/* ---- what the device says ---- */

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

int nst_graph_channels(const nst_graph *g, int layer)
{
    return g->node[layer].out;
}

const nst_timing *nst_graph_timing(const nst_graph *g)
{
    return g->timing;
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

/* Asks for the core's sums of a loss layer. */
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
        if (!s && sums && sums[i])
            s = stats(g, i, sums[i], e);
        if (s)
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
    s = nst_graph_place_window(g, win, g->use, e);
    if (s)
        return s;
    vary(g, win);
    return forward(g, x, NULL, e);
}

nst_status nst_graph_sum(nst_graph *g, const nst_window *win, const float *x, nst_stats *const *sums, nst_error *e)
{
    nst_status s = nst_graph_place_window(g, win, NST_USE_STATS, e);

    if (g->device->ops->variation)
        g->device->ops->variation(g->device, NULL, NULL, NULL);
    if (!s)
        s = forward(g, x, sums, e);
    return s ? s : collect(g, e);
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

nst_status nst_graph_backward(nst_graph *g, const nst_window *win, const nst_loss_gradient *gradient,
                              double *distance, float *dx, nst_error *e)
{
    const nst_device_ops *ops = g->device->ops;

    for (int i = g->count - 1; i >= 0; i--) {
        double start = nst_now();
        nst_status s;

        if (g->node[i].loss_layer) {
            nst_rect core = nst_rectangles_core(g->node, i, true, win);

            if (win->strip && win->y && i == g->count - 1)
                nst_strips_restore(g->device, g->node, g->count, i, g->ceil, g->use, win, false);
            s = ops->loss_gradient(g->device, g->node, i, i == g->count - 1, &core, &gradient[i], &distance[i], e);
            if (s)
                return s;
        }
        g->timing[i].loss_gradient = nst_now() - start;
        start = nst_now();
        if (win->strip && win->y && i)
            nst_strips_restore(g->device, g->node, g->count, i - 1, g->ceil, g->use, win, false);
        s = ops->backward(g->device, g->node, i, win, dx, e);
        if (s)
            return s;
        if (win->strip)
            nst_strips_save(g->device, g->node, g->count, i, g->ceil, g->use, win, false);
        g->timing[i].backward = nst_now() - start;
    }
    if (ops->timing)
        ops->timing(g->device, g->timing);
    return NST_OK;
}
