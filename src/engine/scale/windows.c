/* windows.c: a picture in windows: its statistics in a first pass over them, its gradient in a second.
 *
 * Gram matrices are sums over positions, and a feature depends on a halo of pixels (tile_geometry.c): so each window's core
 * gives its exact share of the statistics, and, with the whole picture's, its exact share of the gradient, which reaches
 * over the core's sides and adds up there. */
#include "engine/run.h"

#include <string.h>

int nst_windows_count(nst_tiling t)
{
    return t.nx * t.ny;
}

int nst_windows_cells(const nst_run *r, int core)
{
    int n = core / nst_graph_grid(r->graph);

    return n > 1 ? n : 1;
}

nst_tiling nst_windows_finest(const nst_run *r, const nst_strip *strip)
{
    return (nst_tiling){ nst_windows_cells(r, strip->w - 2 * r->margin),
                         nst_windows_cells(r, strip->core_to - strip->core), 0 };
}

/* A side, and the part of it that counts. */
struct side {
    int n, core, core_to;
};

/* The core of part i of a side. */
static void part(const nst_run *r, struct side s, int parts, int i, int *core, int *core_n)
{
    int grid = nst_graph_grid(r->graph), all = nst_windows_cells(r, s.core_to - s.core);
    int end = i + 1 == parts ? s.core_to : s.core + (int)((long long)all * (i + 1) / parts) * grid;

    *core = s.core + (int)((long long)all * i / parts) * grid;
    *core_n = end - *core;
}

nst_tiling nst_windows_strips(int h, int nx, int strip)
{
    return (nst_tiling){ nx, (h + strip - 1) / strip, strip };
}

nst_window nst_windows_at(const nst_run *r, const nst_strip *strip, nst_tiling t, int i)
{
    struct side across = { strip->w, r->margin, strip->w - r->margin };
    struct side down = { strip->to - strip->from, strip->core - strip->from, strip->core_to - strip->from };
    nst_window win = { .picture_w = across.n, .picture_h = down.n };

    if (down.n < strip->h)
        win.above = strip->from, win.all_h = strip->h;
    win.loose = r->loose && nst_windows_count(t) > 1;
    if (t.strip && nst_windows_count(t) > 1) { /* column by column */
        part(r, across, t.nx, i / t.ny, &win.core_x, &win.core_w);
        win.core_y = down.core, win.core_h = down.core_to - down.core;
        nst_graph_reach(r->graph, &win);
        win.y = i % t.ny * t.strip, win.h = down.n - win.y < t.strip ? down.n - win.y : t.strip;
        win.strip = t.strip;
        return win;
    }
    part(r, across, t.nx, i % t.nx, &win.core_x, &win.core_w);
    part(r, down, t.ny, i / t.nx, &win.core_y, &win.core_h);
    nst_graph_reach(r->graph, &win);
    if (nst_windows_count(t) == 1) /* all of it, the margin too */
        win.x = win.y = 0, win.w = across.n, win.h = down.n;
    return win;
}

/* Rows of style losses by layer, as the graph wants them; regions of a layer one behind the other.  A row may be NULL. */
static void by_layer(const nst_run *r, nst_stats *const *rows, nst_stats **sums)
{
    memset(sums, 0, NST_MODEL_LAYERS * sizeof *sums);
    for (int i = r->n_style - 1; i >= 0; i--)
        if (rows[i]) {
            rows[i]->next = sums[r->style[i].layer];
            sums[r->style[i].layer] = rows[i];
        }
}

nst_status nst_windows_sum(nst_run *r, const float *x, const nst_strip *strip, nst_tiling t, int count,
                           nst_stats *const *rows, nst_error *e)
{
    nst_stats *sums[NST_MODEL_LAYERS];
    nst_status s = NST_OK;

    by_layer(r, rows, sums);
    for (int i = 0; i < count && r->n_style && !s; i++) {
        nst_window win = nst_windows_at(r, strip, t, i);

        s = nst_graph_sum(r->graph, &win, x, sums, e);
    }
    return s;
}

/* A window of the second pass, forward. */
static nst_status forward(nst_run *r, const nst_window *win, const float *x, nst_error *e)
{
    nst_status s = nst_graph_place_window(r->graph, win, NST_USE_GRADIENT, e);

    return s ? s : nst_graph_forward(r->graph, win, x, e);
}

/* Where the features of window i are kept: strips have one place a column. */
static int kept_at(nst_tiling t, int i)
{
    return t.strip ? i / t.ny : i;
}

nst_status nst_windows_keep(nst_run *r, const float *x, double *square, nst_error *e)
{
    nst_tiling t = r->layout[r->scale].gradient;
    int count = nst_windows_count(t);

    for (int row = 0; row < r->n_keep; row++)
        if (!(r->kept[row] = nst_calloc((size_t)count, sizeof *r->kept[row])))
            return nst_fail(e, NST_EMEM, "content features: out of memory");
    for (int i = 0; i < count; i++) {
        nst_window win = nst_windows_at(r, &r->strip, t, i);
        nst_status s = r->n_keep ? forward(r, &win, x, e) : NST_OK;

        for (int row = 0; row < r->n_keep && !s; row++)
            s = nst_graph_keep(r->graph, r->keep[row].layer, &r->kept[row][kept_at(t, i)], e);
        if (s)
            return s;
    }
    for (int row = 0; row < r->n_keep; row++)
        for (int i = 0; i < count; i += t.strip ? t.ny : 1)
            square[row] += nst_kept_square(r->kept[row][kept_at(t, i)]);
    return NST_OK;
}

/* With the same windows in both passes the second begins where the first ended: one forward pass is saved. */
bool nst_windows_alike(const nst_layout *l)
{
    return !l->gradient.strip && !l->stats.strip && l->stats.nx == l->gradient.nx && l->stats.ny == l->gradient.ny;
}

nst_status nst_windows_stats(nst_run *r, nst_error *e)
{
    const nst_layout *l = &r->layout[r->scale];
    int last = nst_windows_count(l->gradient) - 1;
    const float *x = nst_across_x(r);
    nst_status s;

    for (int i = 0; i < r->n_style; i++)
        nst_stats_clear(r->stats[i]);
    if ((s = nst_windows_sum(r, x, &r->strip, l->stats, nst_windows_count(l->stats) - nst_windows_alike(l), r->stats, e)))
        return s;
    if (last >= 0 && nst_windows_alike(l)) {
        nst_window win = nst_windows_at(r, &r->strip, l->gradient, last);
        nst_stats *sums[NST_MODEL_LAYERS];

        by_layer(r, r->stats, sums);
        if (!(s = forward(r, &win, x, e)))
            s = nst_graph_stats_each(r->graph, sums, e);
    }
    return s;
}

nst_status nst_windows_compare(nst_run *r, double *square, double *absolute, nst_error *e)
{
    const nst_layout *l = &r->layout[r->scale];
    const float *x = nst_across_x(r);
    int count = nst_windows_count(l->gradient);
    nst_status s = NST_OK;

    for (int i = 0; i < count && !s; i++) { /* in this order, since the second pass begins with the last */
        nst_window win = nst_windows_at(r, &r->strip, l->gradient, i);

        if (count > 1 || !nst_windows_alike(l))
            s = forward(r, &win, x, e);
        for (int row = 0; row < r->n_keep && !s; row++)
            s = nst_graph_compare(r->graph, r->keep[row].layer, r->kept[row][kept_at(l->gradient, i)], &square[row], &absolute[row], e);
    }
    return s;
}

nst_status nst_windows_gradient(nst_run *r, nst_tap_gradient *tap, double *distance, nst_error *e)
{
    const nst_layout *l = &r->layout[r->scale];
    int last = nst_windows_count(l->gradient) - 1;
    const float *x = nst_across_x(r);
    float *dx = nst_across_dx(r);
    nst_status s = NST_OK;

    memset(dx, 0, 3 * sizeof(float) * (size_t)r->w * (size_t)(r->strip.to - r->strip.from));
    for (int k = last; k >= 0 && !s; k--) {
        int i = l->gradient.strip ? last - k : k; /* from the top */
        nst_window win = nst_windows_at(r, &r->strip, l->gradient, i);

        for (int row = 0; row < r->n_keep; row++)
            tap[r->keep[row].layer].content = r->kept[row][kept_at(l->gradient, i)];
        if (i < last || !nst_windows_alike(l))
            s = forward(r, &win, x, e);
        if (!s)
            s = nst_graph_backward(r->graph, &win, tap, distance, dx, e);
    }
    return s;
}
