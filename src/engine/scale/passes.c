/* passes.c: a picture in windows: its statistics in a first pass over them, its gradient in a second.
 *
 * Gram matrices are sums over positions, and a feature depends on a halo of pixels (tile_geometry.c): so each window's
 * core gives its exact share of the statistics, and, with the whole picture's, its exact share of the gradient, which
 * reaches over the core's sides and adds up there. */
#include "engine/run.h"

#include <string.h>

/* Rows of style losses by layer, as the graph wants them; regions of a layer one behind the other.  A row may be
 * NULL. */
static void by_layer(const nst_run *r, nst_stats *const *rows, nst_stats **sums)
{
    const nst_setup *u = &r->setup;

    memset(sums, 0, NST_MODEL_LAYERS * sizeof *sums);
    for (int i = u->n_style - 1; i >= 0; i--)
        if (rows[i]) {
            rows[i]->next = sums[u->style[i].layer];
            sums[u->style[i].layer] = rows[i];
        }
}

nst_status nst_windows_sum(nst_run *r, const float *x, const nst_row_range *strip, nst_tiling t, int count,
                           nst_stats *const *rows, nst_error *e)
{
    const nst_setup *u = &r->setup;
    nst_stats *sums[NST_MODEL_LAYERS];
    nst_status s = NST_OK;

    by_layer(r, rows, sums);
    for (int i = 0; i < count && u->n_style && !s; i++) {
        nst_window win = nst_windows_at(u, strip, t, i);

        s = nst_graph_sum(u->graph, &win, x, sums, e);
    }
    return s;
}

/* A window of the second pass, forward. */
static nst_status forward(nst_run *r, const nst_window *win, const float *x, nst_error *e)
{
    nst_status s = nst_graph_place_window(r->setup.graph, win, NST_USE_GRADIENT, e);

    return s ? s : nst_graph_forward(r->setup.graph, win, x, e);
}

/* Where the features of window i are kept: strips have one place a column. */
static int kept_at(nst_tiling t, int i)
{
    return t.strip ? i / t.ny : i;
}

nst_status nst_windows_keep(nst_run *r, const float *x, double *square, nst_error *e)
{
    const nst_setup *u = &r->setup;
    nst_tiling t = u->layout[r->scale].gradient;
    int count = nst_windows_count(t);

    for (int row = 0; row < u->n_content; row++) {
        r->targets.content[row] = nst_calloc((size_t)count, sizeof *r->targets.content[row]);
        if (!r->targets.content[row])
            return nst_fail(e, NST_EMEM, "content features: out of memory");
    }
    for (int i = 0; i < count; i++) {
        nst_window win = nst_windows_at(u, &r->strip, t, i);
        nst_status s = u->n_content ? forward(r, &win, x, e) : NST_OK;

        for (int row = 0; row < u->n_content && !s; row++)
            s = nst_graph_keep(u->graph, u->content_layer[row].layer, &r->targets.content[row][kept_at(t, i)], e);
        if (s)
            return s;
    }
    for (int row = 0; row < u->n_content; row++)
        for (int i = 0; i < count; i += t.strip ? t.ny : 1)
            square[row] += nst_saved_features_square(r->targets.content[row][kept_at(t, i)]);
    return NST_OK;
}

nst_status nst_windows_stats(nst_run *r, const float *x, nst_error *e)
{
    const nst_setup *u = &r->setup;
    const nst_layout *l = &u->layout[r->scale];
    int last = nst_windows_count(l->gradient) - 1;
    nst_status s;

    for (int i = 0; i < u->n_style; i++)
        nst_stats_clear(r->eval.stats[i]);
    s = nst_windows_sum(r, x, &r->strip, l->stats, nst_windows_count(l->stats) - nst_windows_alike(l), r->eval.stats,
                        e);
    if (s)
        return s;
    if (last >= 0 && nst_windows_alike(l)) {
        nst_window win = nst_windows_at(u, &r->strip, l->gradient, last);
        nst_stats *sums[NST_MODEL_LAYERS];

        by_layer(r, r->eval.stats, sums);
        s = forward(r, &win, x, e);
        if (!s)
            s = nst_graph_stats_each(u->graph, sums, e);
    }
    return s;
}

nst_status nst_windows_compare(nst_run *r, const float *x, double *square, double *absolute, nst_error *e)
{
    const nst_setup *u = &r->setup;
    const nst_layout *l = &u->layout[r->scale];
    int count = nst_windows_count(l->gradient);
    nst_status s = NST_OK;

    for (int i = 0; i < count && !s; i++) { /* in this order, since the second pass begins with the last */
        nst_window win = nst_windows_at(u, &r->strip, l->gradient, i);

        if (count > 1 || !nst_windows_alike(l))
            s = forward(r, &win, x, e);
        for (int row = 0; row < u->n_content && !s; row++)
            s = nst_graph_compare(u->graph, u->content_layer[row].layer,
                                  r->targets.content[row][kept_at(l->gradient, i)], &square[row], &absolute[row], e);
    }
    return s;
}

nst_status nst_windows_gradient(nst_run *r, const float *x, float *dx, nst_loss_gradient *gradient, double *distance,
                                nst_error *e)
{
    const nst_setup *u = &r->setup;
    const nst_layout *l = &u->layout[r->scale];
    int last = nst_windows_count(l->gradient) - 1;
    nst_status s = NST_OK;

    memset(dx, 0, 3 * sizeof(float) * (size_t)r->w * (size_t)(r->strip.to - r->strip.from));
    for (int k = last; k >= 0 && !s; k--) {
        int i = l->gradient.strip ? last - k : k; /* from the top */
        nst_window win = nst_windows_at(u, &r->strip, l->gradient, i);

        for (int row = 0; row < u->n_content; row++)
            gradient[u->content_layer[row].layer].content = r->targets.content[row][kept_at(l->gradient, i)];
        if (i < last || !nst_windows_alike(l))
            s = forward(r, &win, x, e);
        if (!s)
            s = nst_graph_backward(u->graph, &win, gradient, distance, dx, e);
    }
    return s;
}
