/* tiling.c: a picture, or a rank's rows of it, cut into windows or strips on the graph's grid. */
#include "engine/plan/plan.h"

int nst_windows_count(nst_tiling t)
{
    return t.nx * t.ny;
}

int nst_windows_cells(const nst_setup *u, int core)
{
    int n = core / nst_graph_grid(u->graph);

    return n > 1 ? n : 1;
}

nst_tiling nst_windows_finest(const nst_setup *u, const nst_row_range *strip)
{
    return (nst_tiling){ nst_windows_cells(u, strip->w - 2 * u->margin),
                         nst_windows_cells(u, strip->core_to - strip->core), 0 };
}

/* A side, and the part of it that counts. */
struct side {
    int n, core, core_to;
};

/* The core of part i of a side. */
static void part(const nst_setup *u, struct side s, int parts, int i, int *core, int *core_n)
{
    int grid = nst_graph_grid(u->graph), all = nst_windows_cells(u, s.core_to - s.core);
    int end = i + 1 == parts ? s.core_to : s.core + (int)((long long)all * (i + 1) / parts) * grid;

    *core = s.core + (int)((long long)all * i / parts) * grid;
    *core_n = end - *core;
}

nst_tiling nst_windows_strips(int h, int nx, int strip)
{
    return (nst_tiling){ nx, (h + strip - 1) / strip, strip };
}

nst_window nst_windows_at(const nst_setup *u, const nst_row_range *strip, nst_tiling t, int i)
{
    struct side across = { strip->w, u->margin, strip->w - u->margin };
    struct side down = { strip->to - strip->from, strip->core - strip->from, strip->core_to - strip->from };
    nst_window win = { .picture_w = across.n, .picture_h = down.n };

    if (down.n < strip->h)
        win.image_y0 = strip->from, win.image_h = strip->h;
    win.inexact_halo = u->inexact_halo && nst_windows_count(t) > 1;
    if (t.strip && nst_windows_count(t) > 1) { /* column by column */
        part(u, across, t.nx, i / t.ny, &win.core_x, &win.core_w);
        win.core_y = down.core, win.core_h = down.core_to - down.core;
        nst_graph_expand_halo(u->graph, &win);
        win.y = i % t.ny * t.strip, win.h = down.n - win.y < t.strip ? down.n - win.y : t.strip;
        win.strip = t.strip;
        return win;
    }
    part(u, across, t.nx, i % t.nx, &win.core_x, &win.core_w);
    part(u, down, t.ny, i / t.nx, &win.core_y, &win.core_h);
    nst_graph_expand_halo(u->graph, &win);
    if (nst_windows_count(t) == 1) /* all of it, the margin too */
        win.x = win.y = 0, win.w = across.n, win.h = down.n;
    return win;
}

/* With the same windows in both passes the second begins where the first ended: one forward pass is saved. */
bool nst_windows_alike(const nst_layout *l)
{
    return !l->gradient.strip && !l->stats.strip && l->stats.nx == l->gradient.nx && l->stats.ny == l->gradient.ny;
}
