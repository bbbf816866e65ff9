/* memory_plan.c: what a run takes of memory, scale by scale, and how it is made to fit: windows, L-BFGS's pairs. */
#include "engine/plan/plan.h"
#include "engine/ranks/ranks.h"

#include <math.h>

/* Of program and libraries, measured. */
#define PROGRAM 11000000
/* A core of so many pixels a side is the least that windows are cut to, where their halos cost many times its own work. */
#define CORE_MIN 64
#define PARTS_MAX 256 /* columns of windows that are tried */
#define COLUMN_MIN 128 /* pixels that columns of strips are at least wide */
#define STRIP_COST 12. /* a strip costs so many rows more than it has: deep layers have few rows of each */

static size_t floats(int w, int h, int planes)
{
    return (size_t)w * (size_t)h * (size_t)planes * sizeof(float);
}

static size_t most(size_t a, size_t b) { return a > b ? a : b; }

/* ---- windows: which cost least ------------------------------------------------------------------------- */

/* The window with the longest sides: no other takes more. */
static nst_window largest(const nst_setup *u, const nst_row_range *strip, nst_tiling t)
{
    int x = 0, y = 0, longest = 0, highest = 0;

    for (int i = 0; i < t.nx && t.strip; i++)
        if (nst_windows_at(u, strip, t, i * t.ny).w > longest)
            longest = nst_windows_at(u, strip, t, i * t.ny).w, x = i;
    if (t.strip)
        return nst_windows_at(u, strip, t, x * t.ny);
    for (int i = 0; i < t.nx; i++) {
        nst_window win = nst_windows_at(u, strip, t, i);

        if (win.w > longest)
            longest = win.w, x = i;
    }
    for (int i = 0; i < t.ny; i++) {
        nst_window win = nst_windows_at(u, strip, t, i * t.nx);

        if (win.h > highest)
            highest = win.h, y = i;
    }
    return nst_windows_at(u, strip, t, y * t.nx + x);
}

size_t nst_plan_arena(const nst_setup *u, const nst_row_range *strip, nst_use use, nst_tiling t)
{
    nst_window win;
    size_t bytes;

    if (!nst_windows_count(t))
        return 0;
    win = largest(u, strip, t);
    return nst_graph_measure_window(u->graph, &win, use, &bytes, NULL) ? SIZE_MAX : bytes;
}

/* Whether the device itself, whatever memory the process may take, has room for the smallest windows; says so if not. */
static nst_status smallest_fits(const nst_setup *u, const nst_row_range *strip, nst_tiling t, nst_error *e)
{
    nst_window win;
    size_t bytes;

    if (!nst_windows_count(t))
        return NST_OK;
    win = largest(u, strip, t);
    return nst_graph_measure_window(u->graph, &win, NST_USE_GRADIENT, &bytes, e);
}

double nst_plan_work(const nst_setup *u, const nst_row_range *strip, nst_tiling t)
{
    double sum = 0;

    for (int i = 0; i < nst_windows_count(t); i++) {
        nst_window win = nst_windows_at(u, strip, t, i);

        sum += nst_graph_work(u->graph, &win);
    }
    return sum;
}

static int limited(int n, int from, int to)
{
    return n < from ? from : n > to ? to : n;
}

/* Columns or rows of windows whose cores are about so many pixels. */
static int parts(int side, int core)
{
    return (side + core - 1) / core;
}

/* The fewest rows with nx columns that fit; 0 when none do. */
static int rows_that_fit(const nst_setup *u, const nst_row_range *strip, nst_use use, size_t arena, int nx, int rows)
{
    int low = 1, high = rows;

    if (nst_plan_arena(u, strip, use, (nst_tiling){ nx, rows, 0 }) > arena)
        return 0;
    while (low < high) {
        int middle = (low + high) / 2;

        if (nst_plan_arena(u, strip, use, (nst_tiling){ nx, middle, 0 }) <= arena)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Strips of nx columns: as high as fit, all alike where those fit, too (how tiles fall on them has a say). */
static bool strips_that_fit(const nst_setup *u, const nst_row_range *strip, nst_use use, size_t arena, int nx,
                            nst_tiling *t)
{
    int h = strip->to - strip->from, grid = nst_graph_grid(u->graph), low = 1, high = (h + grid - 1) / grid, count;

    *t = nst_windows_strips(h, nx, grid);
    if (nst_plan_arena(u, strip, use, *t) > arena)
        return false;
    while (low < high) {
        int middle = (low + high + 1) / 2;

        if (nst_plan_arena(u, strip, use, nst_windows_strips(h, nx, middle * grid)) <= arena)
            low = middle;
        else
            high = middle - 1;
    }
    count = (h + low * grid - 1) / (low * grid);
    *t = nst_windows_strips(h, nx, ((h + count - 1) / count + grid - 1) / grid * grid);
    if (nst_plan_arena(u, strip, use, *t) > arena)
        *t = nst_windows_strips(h, nx, low * grid);
    return true;
}

/* The cheapest strips; where none fit, those that take least. */
static bool tile_strips(const nst_setup *u, const nst_row_range *strip, nst_use use, size_t arena, nst_tiling *t,
                        double *cost)
{
    int columns = limited(parts(strip->w - 2 * u->margin, COLUMN_MIN), 1, nst_windows_finest(u, strip).nx);
    bool found = false;

    for (int nx = 1; nx <= columns; nx++) {
        nst_tiling trial;
        double work;

        if (!strips_that_fit(u, strip, use, arena, nx, &trial)) {
            if (!found)
                *t = trial;
            continue;
        }
        work = nst_plan_work(u, strip, trial) * (1 + STRIP_COST / trial.strip);
        if (!found || work < *cost)
            *t = trial, *cost = work;
        found = true;
        if (trial.ny == 1)
            break;
    }
    return found;
}

bool nst_plan_tiling(const nst_setup *u, const nst_row_range *strip, nst_use use, size_t arena, nst_tiling *t)
{
    nst_tiling finest = nst_windows_finest(u, strip), small, strips;
    int w = strip->w - 2 * u->margin, h = strip->core_to - strip->core;
    double least = 0, work;
    bool found = false, whole;

    *t = (nst_tiling){ 0, 0, 0 };
    if (!h)
        return true;
    whole = nst_plan_arena(u, strip, use, (nst_tiling){ .nx = 1, .ny = 1 }) <= arena;
    small.nx = limited(parts(w, CORE_MIN), 1, finest.nx);
    small.ny = limited(parts(h, CORE_MIN), 1, finest.ny);
    small.strip = 0;
    *t = small;
    if (u->s.window) {
        t->nx = limited(parts(w, u->s.window), 1, finest.nx);
        t->ny = limited(parts(h, u->s.window), 1, finest.ny);
        return nst_plan_arena(u, strip, use, *t) <= arena;
    }
    for (int nx = 1; nx <= small.nx && nx <= PARTS_MAX; nx++) {
        nst_tiling trial = { nx, rows_that_fit(u, strip, use, arena, nx, small.ny), 0 };
        double cost;

        if (!trial.ny)
            continue;
        cost = nst_plan_work(u, strip, trial);
        if (!found || cost < least)
            *t = trial, least = cost;
        found = true;
        if (trial.ny == 1)
            break; /* more columns only cost more */
    }
    if (whole || u->has_content_masks || !nst_graph_strips(u->graph))
        return found;
    if (tile_strips(u, strip, use, arena, &strips, &work)) {
        if (!found || work < least)
            *t = strips;
        return true;
    }
    if (!found && nst_plan_arena(u, strip, use, strips) < nst_plan_arena(u, strip, use, small))
        *t = strips;
    return found;
}

/* ---- what else there is --------------------------------------------------------------------------------- */

/* Bytes that stay for the whole run. */
static size_t constant(const nst_setup *u)
{
    size_t weights = u->pack_on_demand ? nst_graph_on_demand_bytes(u->graph) : nst_graph_weight_bytes(u->graph);
    size_t bytes = PROGRAM + weights +
                   (u->job->model->release_pages ? 0 : u->job->model->bytes);

    for (int i = -1; i < u->job->n_styles; i++) {
        const nst_image *p = i < 0 ? u->job->content : u->job->styles[i];

        bytes += floats(p->width, p->height, p->channels);
    }
    for (int i = 0; i < u->job->n_styles; i++) {
        const nst_image *p = u->job->styles[i];

        bytes += floats(p->place.w, p->place.h, 1) + floats(p->part.w, p->part.h, 1);
    }
    if (u->job->init)
        bytes += floats(u->job->init->width, u->job->init->height, u->job->init->channels);
    for (int i = 0; i < u->n_style; i++) {
        size_t c = (size_t)nst_graph_channels(u->graph, u->style[i].layer);

        /* picture's statistics, gradient, the styles' statistics, target; W2's matrices are 7 halves
         * more, with a border of scratch */
        bytes += c * c * (4 + 8 * (3 + (size_t)(u->has_content_masks ? 1 : u->job->n_styles)) +
                          (u->s.style_loss == NST_STYLE_W2 ? 28 : 0));
        bytes += u->s.style_loss == NST_STYLE_W2 ? 2048 * c : 0;
    }
    return bytes;
}

/* A scale's sizes, margin included. */
static void size_of(const nst_setup *u, int scale, int *w, int *h)
{
    *w = u->plan.width[scale] + 2 * u->margin;
    *h = u->plan.height[scale] + 2 * u->margin;
}

/* This rank's rows of a scale. */
static nst_row_range strip_of(const nst_setup *u, int scale)
{
    int w, h;

    size_of(u, scale, &w, &h);
    return nst_rank_own_rows(u, w, h);
}

/* Of planes of the rows that a rank owns, and of those that it computes. */
static size_t owned(nst_row_range s, int planes) { return floats(s.w, s.own_to - s.own, planes); }
static size_t seen(nst_row_range s, int planes) { return floats(s.w, s.to - s.from, planes); }

/* The optimiser's arrays that a scale really touches. */
static size_t optimiser(const nst_setup *u, int scale, int pairs)
{
    int most = u->plan.iterations[scale] - 1;
    nst_optim_options o = nst_plan_optim(u, pairs <= most ? pairs : most);

    return nst_optim_bytes(&o, owned(strip_of(u, scale), 3) / sizeof(float));
}

/* Bytes of the styles' masks at all levels: of the content's regions and of one style picture's, as large; and while
 * they are made. */
static size_t masks(const nst_setup *u, int w, int h)
{
    return (u->has_content_masks ? floats(w, h, u->job->n_styles) / 3 * 4 : 0) +
           (u->has_content_masks || u->has_style_masks ? 3 * floats(w, h, 1) : 0);
}

/* Bytes of the content's features. */
static size_t kept(const nst_setup *u, nst_row_range s)
{
    size_t bytes = 0;

    for (int i = 0; i < u->n_content; i++) {
        int lw, lh;

        nst_graph_layer_size(u->graph, u->content_layer[i].layer, s.w, s.own_to - s.own, &lw, &lh);
        bytes += floats(lw, lh, nst_blocks(nst_graph_channels(u->graph, u->content_layer[i].layer)) * NST_LANES);
    }
    return bytes;
}

void nst_plan_leave_room(const nst_setup *u, int scale)
{
    int w, h, maps = (u->has_content_masks ? u->job->n_styles : 0) + (u->has_content_masks || u->has_style_masks);

    size_of(u, scale, &w, &h);
    nst_graph_leave_room(u->graph, kept(u, strip_of(u, scale)) + floats(w, h, maps) / 3 * 4);
}

/* What a scale holds beside the windows: while they are used, and at its worst moment without them. */
struct need {
    size_t beside, without;
};

static void hold(struct need *n, size_t beside, size_t without)
{
    n->beside = most(n->beside, beside);
    n->without = most(n->without, without);
}

/* From the scale before until this one's picture stands: x, and an optimiser that is carried over. */
static size_t before(const nst_setup *u, int scale)
{
    if (!scale)
        return 0;
    return owned(strip_of(u, scale - 1), 3) +
           (nst_plan_carries_optimizer(u) ? optimiser(u, scale - 1, u->layout[scale - 1].pairs) : 0);
}

static struct need needs(const nst_setup *u, int scale, int pairs, bool good)
{
    struct need n = { 0, 0 };
    size_t all = constant(u) + before(u, scale), styles = 0, content, features, given;
    nst_row_range strip = strip_of(u, scale);
    bool several = u->job->n_styles > 1 || u->has_content_masks;
    int w, h, planes = u->job->content->channels;

    size_of(u, scale, &w, &h);
    content = floats(w, h, planes), features = kept(u, strip);
    given = nst_plan_discards_content(u, scale) ? floats(u->job->content->width, u->job->content->height, planes) : 0;
    for (int i = 0; i < u->job->n_styles; i++) {
        int sw, sh, sc = u->job->styles[i]->channels;

        nst_style_size(u, scale, i, &sw, &sh);
        styles += floats(sw, sh, sc);
        if (sc == 4) /* while what is hidden is filled in */
            hold(&n, 0, all + styles + floats(sw, sh, 3));
        if (u->job->styles[i]->part.weight || sc == 4) /* while this style is computed: its mask, at all levels */
            hold(&n, all + styles + floats(sw, sh, 1) + floats(sw + 2 * u->margin, sh + 2 * u->margin, 3) / 9 * 13, 0);
        hold(&n, all + styles + seen(nst_rank_own_rows(u, sw + 2 * u->margin, sh + 2 * u->margin), 3),
             all + styles + floats(sw + 2 * u->margin, sh + 2 * u->margin, sc + 3));
    }
    all += masks(u, w, h);
    /* the content's: resized, recoloured, with its margin */
    if (planes == 4)
        hold(&n, 0, all + styles + content + floats(w, h, 3));
    hold(&n, 0, all + styles + content * (several && u->s.color == NST_COLOR_MATCH ? 3 : 2));
    all -= given;
    hold(&n, all + content + features + seen(strip, 3), 0);
    /* x, dx and good beside the content's colours; then the optimiser in their place, beside the one before */
    all += features + owned(strip, good ? 9 : 6) + sizeof(float) * nst_halo_floats(u, w, h);
    hold(&n, 0, all + content);
    hold(&n, 0, all + owned(strip, u->s.average > 0 ? 3 : 0) + (u->s.optimizer == NST_ADAM ? owned(strip, 6) : 0));
    all -= before(u, scale);
    all += optimiser(u, scale, pairs) + (planes == 4 ? floats(w, h, 1) : 0);
    hold(&n, all, all);
    return n;
}

/* ---- a scale's layout ------------------------------------------------------------------------------------ */

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
    struct need n = needs(u, scale, l->pairs, l->last_finite);
    nst_row_range strip = strip_of(u, scale);
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
    struct need n = needs(u, scale, u->s.history, true);
    int one = strip->core < strip->core_to; /* or nothing to do */

    *l = (nst_layout){ .stats = { one, one, 0 }, .gradient = { one, one, 0 }, .pairs = u->s.history,
                       .last_finite = true, .arena = rest(u->limit, n.beside) };
    return (!u->s.window || !one) && n.without <= u->limit &&
           nst_plan_arena(u, strip, NST_USE_GRADIENT, l->gradient) <= l->arena;
}

/* In windows: L-BFGS's pairs get half of what is left, or three; one when that leaves no room. */
static bool lay_out_windows(const nst_setup *u, int scale, const nst_row_range *strip, nst_layout *l)
{
    struct need n = needs(u, scale, 1, false);
    size_t half = rest(u->limit, n.beside) / 2 / (2 * owned(*strip, 3) + 1);
    int pairs = half < 1000 ? (int)half + 1 : 1000;

    *l = (nst_layout){ .pairs = limited(pairs > 3 ? pairs : 3, 1, u->s.history) };
    for (;; l->pairs = 1) {
        n = needs(u, scale, l->pairs, false);
        l->arena = rest(u->limit, n.beside);
        if ((tile(u, strip, l) && n.without <= u->limit) || l->pairs == 1)
            return n.without <= u->limit && tile(u, strip, l);
    }
}

/* *need: bytes that would do, 0 when there are as many. */
static nst_status lay_out_scales(nst_setup *u, size_t *need, nst_error *e)
{
    *need = 0;
    for (int scale = 0; scale < u->plan.scales; scale++) {
        nst_layout *l = &u->layout[scale];
        nst_row_range strip = strip_of(u, scale);
        size_t whole;
        int w, h;
        nst_status s;

        size_of(u, scale, &w, &h);
        nst_plan_leave_room(u, scale);
        if ((s = nst_graph_measure(u->graph, w, h, true, &whole, e)) == NST_EARG)
            return s; /* where it is too large for a device, windows are not */
        if (!lay_out_whole(u, scale, &strip, l) && !lay_out_windows(u, scale, &strip, l)) {
            struct need n = needs(u, scale, 1, false);
            size_t arena;

            nst_plan_tiling(u, &strip, NST_USE_GRADIENT, 0, &l->gradient);
            if ((s = smallest_fits(u, &strip, l->gradient, e)))
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
        u->limit = nst_settings_memory(&u->s, comm && comm->beside > 1 ? (size_t)comm->beside : 1);
    else if (!u->limit)
        u->limit = u->job->limit;
    need = 1;
    for (int i = 0; need && i < 4; i++) { /* slower rather than less exact */
        u->pack_on_demand = i % 2, u->inexact_halo = i / 2;
        if (u->pack_on_demand && !nst_graph_on_demand_bytes(u->graph))
            continue;
        if ((s = lay_out_scales(u, &need, e)))
            return s;
    }
    if (!need && u->pack_on_demand && (s = nst_graph_pack_on_demand(u->graph, u->job->model, e)))
        return s;
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
        nst_row_range strip = strip_of(u, scale);
        nst_window win = { .w = 0 };

        plan->windows[scale] = nst_windows_count(l->gradient);
        if (plan->windows[scale])
            win = largest(u, &strip, l->gradient);
        if (win.strip)
            win.core_h = win.h;
        plan->window_width[scale] = win.core_w, plan->window_height[scale] = win.core_h;
        plan->history[scale] = u->s.optimizer == NST_LBFGS ? l->pairs : 0;
        plan->bytes = most(plan->bytes, l->bytes);
    }
}
