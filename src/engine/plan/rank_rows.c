/* rank_rows.c: which rows of a picture are whose, when several ranks paint it. */
#include "engine/plan/plan.h"

int nst_rank_own(const nst_setup *u)
{
    return u->job->comm ? u->job->comm->rank : 0;
}

int nst_rank_count(const nst_setup *u)
{
    return u->job->comm ? u->job->comm->ranks : 1;
}

nst_row_range nst_rank_rows(const nst_setup *u, int w, int h, int rank)
{
    int grid = nst_graph_grid(u->graph), ranks = nst_rank_count(u);
    int all = nst_windows_cells(u, h - 2 * u->margin), strips = ranks < all ? ranks : all;
    bool first = rank == 0, last = rank + 1 == strips;
    nst_row_range s = { w, h, h, h, h, h, h, h };
    nst_window win = { .picture_w = w, .picture_h = h, .core_x = u->margin, .core_w = w - 2 * u->margin };

    if (rank >= strips)
        return s;
    s.core = u->margin + (int)((long long)all * rank / strips) * grid;
    s.core_to = last ? h - u->margin : u->margin + (int)((long long)all * (rank + 1) / strips) * grid;
    s.own = first ? 0 : s.core;
    s.own_to = last ? h : s.core_to;
    win.core_y = s.core, win.core_h = s.core_to - s.core;
    nst_graph_expand_halo(u->graph, &win);
    s.from = first ? 0 : win.y;
    s.to = last ? h : win.y + win.h;
    return s;
}

nst_row_range nst_rank_own_rows(const nst_setup *u, int w, int h)
{
    return nst_rank_rows(u, w, h, nst_rank_own(u));
}

void nst_plan_size(const nst_setup *u, int scale, int *w, int *h)
{
    *w = u->plan.width[scale] + 2 * u->margin;
    *h = u->plan.height[scale] + 2 * u->margin;
}

nst_row_range nst_plan_rows(const nst_setup *u, int scale)
{
    int w, h;

    nst_plan_size(u, scale, &w, &h);
    return nst_rank_own_rows(u, w, h);
}
