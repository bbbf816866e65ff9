/* memory_plan.c: how a run is made to fit into memory, scale by scale: windows (tiling_search.c), L-BFGS's pairs,
 * weights that are packed when they are used.  What else there is: memory_needs.c. */
#include "engine/plan/plan.h"
#include "engine/ranks/ranks.h"

#include <math.h>

static size_t most(size_t a, size_t b) { return a > b ? a : b; }

static nst_status too_little(const nst_setup *u, size_t need, nst_error *e)
{
    int last = u->plan.scales - 1;

    return nst_fail(e, NST_EMEM, "%d x %d pixels: %.0f MB of memory %s, expected %.0f MB or more",
                    u->plan.width[last], u->plan.height[last], floor((double)u->limit / 1e6),
                    u->s.memory ? "are too few" : "(three quarters of what is free) are too few",
                    ceil((double)need / 1e6) + 1);
}

/* Both passes' windows within l->arena. */
static bool tile(const nst_setup *u, const nst_row_range *strip, nst_layout *l)
{
    double once, again;

    if (!nst_plan_tiling(u, strip, NST_USE_GRADIENT, l->arena, &l->gradient))
        return false;
    l->stats = l->gradient;
    if (nst_windows_count(l->gradient) <= 1 || u->s.window || !u->n_style)
        return true;
    /* larger windows for the first pass, which needs less, or the same ones, of which one is not computed twice */
    nst_plan_tiling(u, strip, NST_USE_STATS, l->arena, &l->stats);
    once = nst_plan_work(u, strip, l->stats);
    again = nst_plan_work(u, strip, l->gradient);
    if (again - again / nst_windows_count(l->gradient) <= once)
        l->stats = l->gradient;
    return true;
}

/* The peak of a scale that is laid out. */
static void add_up(const nst_setup *u, int scale, nst_layout *l)
{
    nst_need n = nst_plan_needs(u, scale, l->pairs, l->last_finite);
    nst_row_range strip = nst_plan_rows(u, scale);
    size_t arena = most(nst_plan_arena(u, &strip, NST_USE_GRADIENT, l->gradient),
                        nst_plan_arena(u, &strip, NST_USE_STATS, l->stats));

    for (int i = 0; i < u->job->n_styles && u->n_style; i++) {
        nst_tiling t;
        int sw, sh;

        nst_style_size(u, scale, i, &sw, &sh);
        strip = nst_rank_own_rows(u, sw + 2 * u->margin, sh + 2 * u->margin);
        nst_plan_tiling(u, &strip, NST_USE_STATS, l->arena, &t);
        arena = most(arena, nst_plan_arena(u, &strip, NST_USE_STATS, t));
    }
    l->bytes = most(n.without, n.beside + arena);
}

static size_t rest(size_t limit, size_t taken)
{
    return limit > taken ? limit - taken : 0;
}

/* As it is most comfortable, when it fits: one window, all pairs. */
static bool lay_out_whole(const nst_setup *u, int scale, const nst_row_range *strip, nst_layout *l)
{
    nst_need n = nst_plan_needs(u, scale, u->s.history, true);
    int one = strip->core < strip->core_to; /* or nothing to do */

    *l = (nst_layout){ .stats = { one, one, 0 }, .gradient = { one, one, 0 }, .pairs = u->s.history,
                       .last_finite = true, .arena = rest(u->limit, n.beside) };
    return (!u->s.window || !one) && n.without <= u->limit &&
           nst_plan_arena(u, strip, NST_USE_GRADIENT, l->gradient) <= l->arena;
}

/* In windows: L-BFGS's pairs get half of what is left, or three; one when that leaves no room. */
static bool lay_out_windows(const nst_setup *u, int scale, const nst_row_range *strip, nst_layout *l)
{
    nst_need n = nst_plan_needs(u, scale, 1, false);
    size_t owned = (size_t)strip->w * (size_t)(strip->own_to - strip->own) * 3 * sizeof(float); /* x */
    size_t half = rest(u->limit, n.beside) / 2 / (2 * owned + 1);
    int pairs = half < 1000 ? (int)half + 1 : 1000;

    *l = (nst_layout){ .pairs = nst_clamp_int(pairs > 3 ? pairs : 3, 1, u->s.history) };
    for (;; l->pairs = 1) {
        n = nst_plan_needs(u, scale, l->pairs, false);
        l->arena = rest(u->limit, n.beside);
        if (n.without <= u->limit && tile(u, strip, l))
            return true;
        if (l->pairs == 1)
            return false;
    }
}

/* *need: bytes that would do, 0 when there are as many. */
static nst_status lay_out_scales(nst_setup *u, size_t *need, nst_error *e)
{
    *need = 0;
    for (int scale = 0; scale < u->plan.scales; scale++) {
        nst_layout *l = &u->layout[scale];
        nst_row_range strip = nst_plan_rows(u, scale);
        size_t whole;
        int w, h;
        nst_status s;

        nst_plan_size(u, scale, &w, &h);
        nst_plan_leave_room(u, scale);
        s = nst_graph_measure(u->graph, w, h, true, &whole, e);
        if (s == NST_EARG)
            return s; /* where it is too large for a device, windows are not */
        if (!lay_out_whole(u, scale, &strip, l) && !lay_out_windows(u, scale, &strip, l)) {
            nst_need n = nst_plan_needs(u, scale, 1, false);
            size_t arena;

            nst_plan_tiling(u, &strip, NST_USE_GRADIENT, 0, &l->gradient);
            s = nst_plan_device_fits(u, &strip, l->gradient, e);
            if (s)
                return s;
            arena = nst_plan_arena(u, &strip, NST_USE_GRADIENT, l->gradient);
            *need = most(*need, most(n.without, n.beside + arena));
        }
    }
    return NST_OK;
}

/* Each rank for itself. */
static nst_status lay_out(nst_setup *u, nst_error *e)
{
    const nst_comm *comm = u->job->comm;
    size_t need;
    nst_status s;

    if (u->s.memory || (!u->limit && !u->job->limit))
        u->limit = nst_settings_memory(&u->s, comm && comm->ranks_per_node > 1 ? (size_t)comm->ranks_per_node : 1);
    else if (!u->limit)
        u->limit = u->job->limit;
    need = 1;
    for (int i = 0; need && i < 4; i++) { /* slower rather than less exact */
        u->pack_on_demand = i % 2, u->inexact_halo = i / 2;
        if (u->pack_on_demand && !nst_graph_on_demand_bytes(u->graph))
            continue;
        s = lay_out_scales(u, &need, e);
        if (s)
            return s;
    }
    if (!need && u->pack_on_demand) {
        s = nst_graph_pack_on_demand(u->graph, u->job->model, e);
        if (s)
            return s;
    }
    return need ? too_little(u, need, e) : NST_OK;
}

nst_status nst_plan_memory(nst_setup *u, nst_ranks *ranks, nst_error *e)
{
    nst_status s = nst_ranks_agree(ranks, lay_out(u, e), e);

    for (int scale = 0; scale < u->plan.scales && !s; scale++) {
        nst_layout *l = &u->layout[scale];

        l->pairs = nst_ranks_least(ranks, l->pairs); /* what all have memory for: the optimiser's decisions are one */
        l->last_finite = nst_ranks_least(ranks, l->last_finite);
        add_up(u, scale, l);
    }
    return s;
}

void nst_plan_tell(const nst_setup *u, nst_plan *plan)
{
    plan->bytes = 0;
    for (int scale = 0; scale < u->plan.scales; scale++) {
        const nst_layout *l = &u->layout[scale];
        nst_row_range strip = nst_plan_rows(u, scale);
        nst_window win = { .w = 0 };

        plan->windows[scale] = nst_windows_count(l->gradient);
        if (plan->windows[scale])
            win = nst_plan_largest(u, &strip, l->gradient);
        if (win.strip)
            win.core_h = win.h;
        plan->window_width[scale] = win.core_w, plan->window_height[scale] = win.core_h;
        plan->history[scale] = u->s.optimizer == NST_LBFGS ? l->pairs : 0;
        plan->bytes = most(plan->bytes, l->bytes);
    }
}
