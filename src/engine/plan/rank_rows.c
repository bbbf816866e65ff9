/* rank_rows.c: which rows of a picture are whose, when several ranks paint it. */
#include "engine/plan/plan.h"

int nst_across_rank(const nst_setup *u)
{
    return u->job->comm ? u->job->comm->rank : 0;
}

int nst_across_ranks(const nst_setup *u)
{
    return u->job->comm ? u->job->comm->ranks : 1;
}

nst_strip nst_strip_at(const nst_setup *u, int w, int h, int rank)
{
    int grid = nst_graph_grid(u->graph), ranks = nst_across_ranks(u);
    int all = nst_windows_cells(u, h - 2 * u->margin), strips = ranks < all ? ranks : all;
    bool first = rank == 0, last = rank + 1 == strips;
    nst_strip s = { w, h, h, h, h, h, h, h };
    nst_window win = { .picture_w = w, .picture_h = h, .core_x = u->margin, .core_w = w - 2 * u->margin };

    if (rank >= strips)
        return s;
    s.core = u->margin + (int)((long long)all * rank / strips) * grid;
    s.core_to = last ? h - u->margin : u->margin + (int)((long long)all * (rank + 1) / strips) * grid;
    s.own = first ? 0 : s.core;
    s.own_to = last ? h : s.core_to;
    win.core_y = s.core, win.core_h = s.core_to - s.core;
    nst_graph_reach(u->graph, &win);
    s.from = first ? 0 : win.y;
    s.to = last ? h : win.y + win.h;
    return s;
}

nst_strip nst_strip_own(const nst_setup *u, int w, int h)
{
    return nst_strip_at(u, w, h, nst_across_rank(u));
}
