/* placement.c: a graph's buffers for a window (tile_geometry.c, row_strips.c, memory_layout.c): what they take and
 * where they lie; the halo and the work of a window. */
#include "net/placement.h"

#include <string.h>

/* ---- sizes ---- */

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

void nst_graph_layer_size(const nst_graph *g, int layer, int picture_w, int picture_h, int *w, int *h)
{
    for (int i = 0; i < layer; i++)
        if (g->node[i].pooled)
            picture_w = (picture_w + g->ceil) / 2, picture_h = (picture_h + g->ceil) / 2;
    *w = picture_w, *h = picture_h;
}

/* What each node computes of a window, into node [g->count]. */
static void lay(const nst_graph *g, const nst_window *win, nst_node *node)
{
    memcpy(node, g->node, sizeof g->node);
    nst_rectangles_tiles(g->device, node, g->count, g->ceil, win);
    if (win->strip) { /* columns as in windows */
        nst_rectangles_needed(node, g->count, g->ceil, win);
        nst_strips_rows(node, g->count, g->ceil, NST_USE_STATS, win);
    } else {
        nst_rectangles_set(node, g->count, g->ceil, g->device->ops->rectangles, win);
    }
}

void nst_graph_add_column(const nst_graph *g, const nst_window *win, nst_graph_sides *s)
{
    nst_node node[NST_MODEL_LAYERS];

    lay(g, win, node);
    for (int i = 0; i < g->count; i++)
        s->across[i] += node[i].w;
}

void nst_graph_add_row(const nst_graph *g, const nst_window *win, nst_graph_sides *s)
{
    nst_node node[NST_MODEL_LAYERS];

    lay(g, win, node);
    for (int i = 0; i < g->count; i++)
        s->down[i] += node[i].h;
}

/* A multiplication of the first layer, of which few fill a product, and the reading and writing of features take time
 * that these numbers weigh: VGG19 at 512 pixels, both AVX sets. */
double nst_graph_sides_work(const nst_graph *g, const nst_graph_sides *s)
{
    double work = 0;

    for (int i = 0; i < g->count; i++) {
        const nst_node *n = &g->node[i];

        work += (9. * n->in * n->out + 64. * (n->in + n->out)) * s->across[i] * s->down[i];
    }
    return work;
}

double nst_graph_work(const nst_graph *g, const nst_window *win)
{
    nst_graph_sides s = { { 0 }, { 0 } };

    nst_graph_add_column(g, win, &s);
    nst_graph_add_row(g, win, &s);
    return nst_graph_sides_work(g, &s);
}

/* ---- measuring and placing ---- */

/* Whether the device has room for so many bytes, and each buffer fits into a piece of the arena. */
static nst_status check_room(const nst_graph *g, const nst_node *node, size_t all, nst_error *e)
{
    const nst_device_ops *ops = g->device->ops;
    size_t limit = ops->limit ? ops->limit(g->device) : 0;
    size_t room = ops->room ? ops->room(g->device, node, g->kept) : SIZE_MAX;

    for (int i = 0; limit && i < g->count; i++) {
        size_t bytes = ops->feature_bytes(g->device, node[i].out, node[i].w, node[i].h);

        if (bytes > limit)
            return nst_fail(e, NST_EMEM,
                            "%s: the features of layer %d at %d x %d take %.1f MB, and the device gives at "
                            "most %.1f MB at once; a smaller --size, or --window, or --device cpu",
                            ops->label(g->device), i + 1, node[i].w, node[i].h, (double)bytes / 1e6,
                            (double)limit / 1e6);
    }
    if (all > room)
        return nst_fail(e, NST_EMEM,
                        "%s: out of memory: %d x %d pixels take %.1f MB, and the device has %.1f MB beside "
                        "the weights; a smaller --size, or --window, or --device cpu", ops->label(g->device),
                        node[0].w, node[0].h, (double)all / 1e6, (double)room / 1e6);
    return NST_OK;
}

void nst_graph_leave_room(nst_graph *g, size_t kept)
{
    g->kept = kept;
}

bool nst_graph_strips(const nst_graph *g)
{
    bool can = g->device->ops->move && g->count > 1 && !g->node[0].pooled;

    for (int i = 0; i < g->count; i++)
        can = can && !(g->node[i].loss_layer && g->node[i].pooled);
    return can;
}

static nst_status check_size(const nst_graph *g, const nst_window *win, nst_error *e)
{
    int grid = nst_graph_grid(g), w = win->w, h = win->strip ? win->picture_h : win->h;

    if (w < grid || h < grid)
        return nst_fail(e, NST_EARG, "window: %d x %d pixels, expected at least %d x %d", w, h, grid, grid);
    return NST_OK;
}

/* Where a window is remembered, if it is. */
static struct nst_measured *find_measured(nst_graph *g, const nst_window *win, nst_use use)
{
    const int what[] = { win->picture_w, win->picture_h, win->x, win->y, win->w, win->h, win->strip, (int)use };
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < NST_COUNT(what); i++)
        hash = (hash ^ (uint32_t)what[i]) * 16777619u;
    return &g->measured[(hash ^ hash >> 16) % NST_COUNT(g->measured)];
}

/* A plan measures the same windows many times, for other limits of memory. */
nst_status nst_graph_measure_window(nst_graph *g, const nst_window *win, nst_use use, size_t *bytes, nst_error *e)
{
    struct nst_measured *known = find_measured(g, win, use);
    bool limited = g->device->ops->limit || g->device->ops->room;
    size_t scratch;
    nst_node node[NST_MODEL_LAYERS];
    nst_status s = check_size(g, win, e);

    if (s)
        return s;
    *bytes = known->bytes;
    if (!limited && known->bytes && known->use == use && !memcmp(&known->win, win, sizeof *win))
        return NST_OK;
    memcpy(node, g->node, sizeof node);
    *bytes = nst_arena_plan(g->device, node, g->count, g->ceil, win, use, &scratch);
    *bytes += scratch;
    *known = (struct nst_measured){ .win = *win, .use = use, .bytes = *bytes };
    return check_room(g, node, *bytes, e);
}

nst_status nst_graph_measure(nst_graph *g, int w, int h, bool backward, size_t *bytes, nst_error *e)
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
    s = check_size(g, win, e);
    if (s)
        return s;
    if (win->strip && win->y && g->use == use && nst_window_same_column(&g->win, win)) {
        nst_strips_rows(g->node, g->count, g->ceil, use, win);
        g->win = *win;
        return NST_OK;
    }
    g->win.w = 0;
    bytes = nst_arena_plan(g->device, g->node, g->count, g->ceil, win, use, &scratch);
    s = check_room(g, g->node, bytes + scratch, e);
    if (s)
        return s;
    if (bytes > g->reserved || scratch > g->scratch) {
        bytes = bytes > g->reserved ? bytes : g->reserved;
        scratch = scratch > g->scratch ? scratch : g->scratch;
        g->reserved = g->scratch = 0;
        s = g->device->ops->reserve(g->device, bytes, scratch, e);
        if (s)
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
