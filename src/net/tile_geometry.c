/* tile_geometry.c: what each node computes of a window, and where the window's core lies in it.
 *
 * A tile of Winograd's rounds by all that it reads, and a feature near zero may pass ReLU in one rounding and not in
 * another: so a window has the whole picture's features only if it computes the whole picture's tiles.  A rectangle is
 * cut between tiles and grows with every layer by one of them, left and right together, the least that can be: the
 * right side by the pixel that a convolution needs, because a layer's tiles begin a pixel before those of the layer in
 * front. */
#include "net/device.h"

static int halved(bool ceil, int n)
{
    return ceil ? (n + 1) / 2 : n / 2;
}

/* Tiles begin a pixel before those of the layer in front, two where pairs have to stay pairs. */
static int behind(const nst_device *d, const nst_node *n, int front)
{
    bool pairs = n->pooled || d->ops->pairs;

    return front + 1 + (pairs && front % 2 == 0);
}

void nst_rectangles_tiles(const nst_device *d, nst_node *node, int count, bool ceil, const nst_window *win)
{
    int w = win->picture_w, h = win->image_h ? win->image_h : win->picture_h, image_y0 = win->image_y0;

    for (int i = 0; i < count; i++) {
        nst_node *n = &node[i];
        const nst_node *from = i && !n[-1].pooled ? n - 1 : NULL;

        n->tiles = (nst_tiles){ .image_w = win->inexact_halo ? 0 : w, .image_h = win->inexact_halo ? 0 : h,
                                .image_y0 = image_y0 };
        n->tiles.size = i && !win->inexact_halo ? d->ops->tile(d, node, i) : 1;
        if (n->tiles.size > 1 && from && from->tiles.size == n->tiles.size)
            n->tiles.offset = behind(d, n, from->tiles.offset) % n->tiles.size;
        if (n->pooled)
            w = halved(ceil, w), h = halved(ceil, h), image_y0 /= 2;
    }
}

void nst_rectangles_measure(const nst_node *n, int *w, int *h)
{
    *w = n->tiles.image_w ? n->tiles.image_w : n->w, *h = n->tiles.image_h ? n->tiles.image_h : n->h;
}

int nst_rectangles_offset(const nst_node *n, int at, int image_y0)
{
    return n->tiles.size > 1 ? (at + image_y0 + n->tiles.offset) % n->tiles.size : 0;
}

/* Every node covers the window. */
static void cover(nst_node *node, int count, bool ceil, const nst_window *win)
{
    int x = win->x, y = win->y, w = win->w, h = win->h;

    for (int i = 0; i < count; i++) {
        nst_node *n = &node[i];

        n->x = x, n->y = y, n->w = w, n->h = h;
        n->pooled_w = n->pooled_h = 0;
        if (n->pooled) {
            x /= 2, y /= 2;
            w = n->pooled_w = halved(ceil, w), h = n->pooled_h = halved(ceil, h);
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

/* Whole tiles, within 0..n. */
static struct span tiles(const nst_node *node, bool down, struct span s, int n)
{
    int above = down ? node->tiles.image_y0 : 0, m = node->tiles.size, end = s.to + m - 1;

    s.from -= nst_rectangles_offset(node, s.from, above);
    s.to = end - nst_rectangles_offset(node, end, above);
    return (struct span){ s.from > 0 ? s.from : 0, s.to < n ? s.to : n };
}

/* One dimension of every node's rectangle: where it is read by what the core's features depend on.  The halo shrinks
 * with each layer, so that a window costs less than all of it would: (from, to) of the core in the picture. */
static void needed(const nst_node *node, int count, bool ceil, bool down, int picture, struct span core,
                   struct span *need)
{
    int size[NST_MODEL_LAYERS], stride[NST_MODEL_LAYERS];

    for (int i = 0, n = picture, k = 1; i < count; i++) {
        size[i] = n, stride[i] = k;
        if (node[i].pooled)
            n = halved(ceil, n), k *= 2;
    }
    for (int i = count - 1; i >= 0; i--) {
        struct span own = { core.from / stride[i], core.to == picture ? size[i] : core.to / stride[i] };

        if (i + 1 == count) {
            need[i] = own;
        } else {
            bool pooled = node[i].pooled;
            struct span r = grown(need[i + 1], size[i + 1]);

            if (pooled)
                r = (struct span){ 2 * r.from, r.to == size[i + 1] ? size[i] : 2 * r.to };
            need[i] = node[i].loss_layer ? join(r, own) : r;
        }
        need[i] = tiles(&node[i], down, need[i], size[i]);
        if (i == 0) {
            /* what is read beyond a rectangle is zeros, also of the picture: so one more, and that pairs stay pairs */
            need[i] = grown(need[i], picture);
            if (node[i].pooled) {
                need[i].from -= need[i].from % 2;
                need[i].to += need[i].to < picture ? need[i].to % 2 : 0;
            }
        }
    }
}

void nst_rectangles_needed(nst_node *node, int count, bool ceil, const nst_window *win)
{
    struct span x[NST_MODEL_LAYERS], y[NST_MODEL_LAYERS];
    int w = win->picture_w, h = win->picture_h;

    needed(node, count, ceil, false, w, (struct span){ win->core_x, win->core_x + win->core_w }, x);
    needed(node, count, ceil, true, h, (struct span){ win->core_y, win->core_y + win->core_h }, y);
    for (int i = 0; i < count; i++) {
        nst_node *n = &node[i];

        n->x = x[i].from, n->w = x[i].to - x[i].from;
        n->y = y[i].from, n->h = y[i].to - y[i].from;
        n->pooled_w = n->pooled_h = 0;
        if (n->pooled) {
            n->pooled_w = x[i].to == w ? halved(ceil, w) - n->x / 2 : n->w / 2;
            n->pooled_h = y[i].to == h ? halved(ceil, h) - n->y / 2 : n->h / 2;
            w = halved(ceil, w), h = halved(ceil, h);
        }
    }
}

void nst_rectangles_set(nst_node *node, int count, bool ceil, bool less, const nst_window *win)
{
    bool all = win->w == win->picture_w && win->h == win->picture_h;

    if (all || !less)
        cover(node, count, ceil, win);
    else
        nst_rectangles_needed(node, count, ceil, win);
    for (int i = 0; i < count; i++) {
        nst_node *n = &node[i];
        nst_row_buffer full = { n->y, n->h }, half = { n->y / 2, n->pooled_h };

        n->strip = false;
        n->result.rows = n->pass.rows = full;
        n->pool.rows = half;
        n->grad_out.rows = n->pooled ? half : full;
        n->grad = (nst_range){ n->y, n->y + n->h };
        n->back = (nst_range){ n->grad_out.rows.first, n->grad_out.rows.first + n->grad_out.rows.count };
        n->ready = n->back.to;
    }
}

/* In a strip: those of the rows that are computed now which are the core's, from the first one in the features' buffer
 * on. */
static nst_rect core_rows(const nst_node *n, const nst_window *win, int stride, nst_rect r, nst_range now)
{
    int end = win->core_y + win->core_h, from = win->core_y / stride;
    int to = end == win->picture_h ? now.to : end / stride;

    from = now.from > from ? now.from : from;
    to = now.to < to ? now.to : to;
    r.y = from - n->result.rows.first, r.h = to > from ? to - from : 0;
    return r;
}

nst_rect nst_rectangles_core(const nst_node *node, int i, bool gradient, const nst_window *win)
{
    const nst_node *n = &node[i];
    int stride = 1;
    nst_rect r;

    for (int k = 0; k < i; k++)
        stride <<= node[k].pooled;
    r.x = win->core_x / stride - n->x, r.y = win->core_y / stride - n->y;
    r.w = win->core_x + win->core_w == win->picture_w ? n->w - r.x : win->core_w / stride;
    r.h = win->core_y + win->core_h == win->picture_h ? n->h - r.y : win->core_h / stride;
    return win->strip ? core_rows(n, win, stride, r, gradient ? n->grad : (nst_range){ n->y, n->y + n->h }) : r;
}
