/* memory_plan.c: what a run takes of memory, scale by scale, and how it is made to fit: windows, L-BFGS's pairs. */
#include "engine/run.h"
#include "loss/wasserstein.h"

#include <math.h>

/* Of program and libraries, measured. */
#define PROGRAM 26000000
#define WITHOUT_LAPACK 10000000 /* less in a build without it */
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
static nst_window largest(const nst_run *r, const nst_strip *strip, nst_tiling t)
{
    int x = 0, y = 0, longest = 0, highest = 0;

    for (int i = 0; i < t.nx && t.strip; i++)
        if (nst_windows_at(r, strip, t, i * t.ny).w > longest)
            longest = nst_windows_at(r, strip, t, i * t.ny).w, x = i;
    if (t.strip)
        return nst_windows_at(r, strip, t, x * t.ny);
    for (int i = 0; i < t.nx; i++) {
        nst_window win = nst_windows_at(r, strip, t, i);

        if (win.w > longest)
            longest = win.w, x = i;
    }
    for (int i = 0; i < t.ny; i++) {
        nst_window win = nst_windows_at(r, strip, t, i * t.nx);

        if (win.h > highest)
            highest = win.h, y = i;
    }
    return nst_windows_at(r, strip, t, y * t.nx + x);
}

size_t nst_budget_arena(const nst_run *r, const nst_strip *strip, nst_use use, nst_tiling t)
{
    nst_window win;
    size_t bytes;

    if (!nst_windows_count(t))
        return 0;
    win = largest(r, strip, t);
    return nst_graph_measure_window(r->graph, &win, use, &bytes, NULL) ? SIZE_MAX : bytes;
}

/* Whether the device itself, whatever memory the process may take, has room for the smallest windows; says so if not. */
static nst_status smallest_fits(const nst_run *r, const nst_strip *strip, nst_tiling t, nst_error *e)
{
    nst_window win;
    size_t bytes;

    if (!nst_windows_count(t))
        return NST_OK;
    win = largest(r, strip, t);
    return nst_graph_measure_window(r->graph, &win, NST_USE_GRADIENT, &bytes, e);
}

double nst_budget_work(const nst_run *r, const nst_strip *strip, nst_tiling t)
{
    double sum = 0;

    for (int i = 0; i < nst_windows_count(t); i++) {
        nst_window win = nst_windows_at(r, strip, t, i);

        sum += nst_graph_work(r->graph, &win);
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
static int rows_that_fit(const nst_run *r, const nst_strip *strip, nst_use use, size_t arena, int nx, int rows)
{
    int low = 1, high = rows;

    if (nst_budget_arena(r, strip, use, (nst_tiling){ nx, rows, 0 }) > arena)
        return 0;
    while (low < high) {
        int middle = (low + high) / 2;

        if (nst_budget_arena(r, strip, use, (nst_tiling){ nx, middle, 0 }) <= arena)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Strips of nx columns: as high as fit, all alike where those fit, too (how tiles fall on them has a say). */
static bool strips_that_fit(const nst_run *r, const nst_strip *strip, nst_use use, size_t arena, int nx, nst_tiling *t)
{
    int h = strip->to - strip->from, grid = nst_graph_grid(r->graph), low = 1, high = (h + grid - 1) / grid, count;

    *t = nst_windows_strips(h, nx, grid);
    if (nst_budget_arena(r, strip, use, *t) > arena)
        return false;
    while (low < high) {
        int middle = (low + high + 1) / 2;

        if (nst_budget_arena(r, strip, use, nst_windows_strips(h, nx, middle * grid)) <= arena)
            low = middle;
        else
            high = middle - 1;
    }
    count = (h + low * grid - 1) / (low * grid);
    *t = nst_windows_strips(h, nx, ((h + count - 1) / count + grid - 1) / grid * grid);
    if (nst_budget_arena(r, strip, use, *t) > arena)
        *t = nst_windows_strips(h, nx, low * grid);
    return true;
}

/* The cheapest strips; where none fit, those that take least. */
static bool tile_strips(const nst_run *r, const nst_strip *strip, nst_use use, size_t arena, nst_tiling *t, double *cost)
{
    int columns = limited(parts(strip->w - 2 * r->margin, COLUMN_MIN), 1, nst_windows_finest(r, strip).nx);
    bool found = false;

    for (int nx = 1; nx <= columns; nx++) {
        nst_tiling trial;
        double work;

        if (!strips_that_fit(r, strip, use, arena, nx, &trial)) {
            if (!found)
                *t = trial;
            continue;
        }
        work = nst_budget_work(r, strip, trial) * (1 + STRIP_COST / trial.strip);
        if (!found || work < *cost)
            *t = trial, *cost = work;
        found = true;
        if (trial.ny == 1)
            break;
    }
    return found;
}

bool nst_budget_tiling(const nst_run *r, const nst_strip *strip, nst_use use, size_t arena, nst_tiling *t)
{
    nst_tiling finest = nst_windows_finest(r, strip), small, strips;
    int w = strip->w - 2 * r->margin, h = strip->core_to - strip->core;
    double least = 0, work;
    bool found = false, whole;

    *t = (nst_tiling){ 0, 0, 0 };
    if (!h)
        return true;
    whole = nst_budget_arena(r, strip, use, (nst_tiling){ .nx = 1, .ny = 1 }) <= arena;
    small.nx = limited(parts(w, CORE_MIN), 1, finest.nx);
    small.ny = limited(parts(h, CORE_MIN), 1, finest.ny);
    small.strip = 0;
    *t = small;
    if (r->s->window) {
        t->nx = limited(parts(w, r->s->window), 1, finest.nx);
        t->ny = limited(parts(h, r->s->window), 1, finest.ny);
        return nst_budget_arena(r, strip, use, *t) <= arena;
    }
    for (int nx = 1; nx <= small.nx && nx <= PARTS_MAX; nx++) {
        nst_tiling trial = { nx, rows_that_fit(r, strip, use, arena, nx, small.ny), 0 };
        double cost;

        if (!trial.ny)
            continue;
        cost = nst_budget_work(r, strip, trial);
        if (!found || cost < least)
            *t = trial, least = cost;
        found = true;
        if (trial.ny == 1)
            break; /* more columns only cost more */
    }
    if (whole || r->guided || !nst_graph_strips(r->graph))
        return found;
    if (tile_strips(r, strip, use, arena, &strips, &work)) {
        if (!found || work < least)
            *t = strips;
        return true;
    }
    if (!found && nst_budget_arena(r, strip, use, strips) < nst_budget_arena(r, strip, use, small))
        *t = strips;
    return found;
}

/* ---- what else there is --------------------------------------------------------------------------------- */

/* Bytes that stay for the whole run. */
static size_t constant(const nst_run *r)
{
    size_t bytes = PROGRAM - (nst_w2_available() ? 0 : WITHOUT_LAPACK) + (r->thrift ? nst_graph_thrift_bytes(r->graph) : nst_graph_weight_bytes(r->graph)) +
                   (r->model->rest ? 0 : r->model->bytes);

    for (int i = -1; i < r->n_styles; i++) {
        const nst_image *p = i < 0 ? r->content : r->styles[i];

        bytes += floats(p->width, p->height, p->channels);
    }
    for (int i = 0; i < r->n_styles; i++) {
        const nst_image *p = r->styles[i];

        bytes += floats(p->place.w, p->place.h, 1) + floats(p->part.w, p->part.h, 1);
    }
    if (r->init)
        bytes += floats(r->init->width, r->init->height, r->init->channels);
    for (int i = 0; i < r->n_style; i++) {
        size_t c = (size_t)nst_graph_channels(r->graph, r->style[i].layer);

        /* picture's statistics, gradient, the styles' statistics, target; W2's scratch is 7 matrices more */
        bytes += c * c * (4 + 8 * (3 + (size_t)(r->guided ? 1 : r->n_styles)) + (r->s->style_loss == NST_STYLE_W2 ? 56 : 0));
    }
    return bytes;
}

/* A scale's sizes, margin included. */
static void size_of(const nst_run *r, int scale, int *w, int *h)
{
    *w = r->plan.width[scale] + 2 * r->margin;
    *h = r->plan.height[scale] + 2 * r->margin;
}

/* This rank's rows of a scale. */
static nst_strip strip_of(const nst_run *r, int scale)
{
    int w, h;

    size_of(r, scale, &w, &h);
    return nst_strip_own(r, w, h);
}

/* Of planes of the rows that a rank owns, and of those that it computes. */
static size_t owned(nst_strip s, int planes) { return floats(s.w, s.own_to - s.own, planes); }
static size_t seen(nst_strip s, int planes) { return floats(s.w, s.to - s.from, planes); }

/* The optimiser's arrays that a scale really touches. */
static size_t optimiser(const nst_run *r, int scale, int pairs)
{
    nst_optim_options o = nst_run_optim(r);

    o.history = pairs < r->plan.iterations[scale] ? pairs : r->plan.iterations[scale] - 1;
    return nst_optim_bytes(&o, owned(strip_of(r, scale), 3) / sizeof(float));
}

/* Bytes of the styles' masks at all levels: of the content's regions and of one style picture's, as large; and while
 * they are made. */
static size_t masks(const nst_run *r, int w, int h)
{
    return (r->guided ? floats(w, h, r->n_styles) / 3 * 4 : 0) + (r->guided || r->parts ? 3 * floats(w, h, 1) : 0);
}

/* Bytes of the content's features. */
static size_t kept(const nst_run *r, nst_strip s)
{
    size_t bytes = 0;

    for (int i = 0; i < r->n_keep; i++) {
        int lw, lh;

        nst_graph_layer_size(r->graph, r->keep[i].layer, s.w, s.own_to - s.own, &lw, &lh);
        bytes += floats(lw, lh, nst_blocks(nst_graph_channels(r->graph, r->keep[i].layer)) * NST_LANES);
    }
    return bytes;
}

void nst_budget_leave_room(nst_run *r, int scale)
{
    int w, h, maps = (r->guided ? r->n_styles : 0) + (r->guided || r->parts);

    size_of(r, scale, &w, &h);
    nst_graph_leave_room(r->graph, kept(r, strip_of(r, scale)) + floats(w, h, maps) / 3 * 4);
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
static size_t before(const nst_run *r, int scale)
{
    if (!scale)
        return 0;
    return owned(strip_of(r, scale - 1), 3) + (nst_run_carries(r) ? optimiser(r, scale - 1, r->layout[scale - 1].pairs) : 0);
}

static struct need needs(const nst_run *r, int scale, int pairs, bool good)
{
    struct need n = { 0, 0 };
    size_t all = constant(r) + before(r, scale), styles = 0, content, features, given;
    nst_strip strip = strip_of(r, scale);
    int w, h, planes = r->content->channels;

    size_of(r, scale, &w, &h);
    content = floats(w, h, planes), features = kept(r, strip);
    given = nst_run_spends(r, scale) ? floats(r->content->width, r->content->height, planes) : 0;
    for (int i = 0; i < r->n_styles; i++) {
        int sw, sh, sc = r->styles[i]->channels;

        nst_run_style_size(r, scale, i, &sw, &sh);
        styles += floats(sw, sh, sc);
        if (r->styles[i]->part.weight) /* while this style is computed: its mask, at all levels */
            hold(&n, all + styles + floats(sw, sh, 1) + floats(sw + 2 * r->margin, sh + 2 * r->margin, 3) / 9 * 13, 0);
        hold(&n, all + styles + seen(nst_strip_own(r, sw + 2 * r->margin, sh + 2 * r->margin), 3),
             all + styles + floats(sw + 2 * r->margin, sh + 2 * r->margin, sc + 3));
    }
    all += masks(r, w, h);
    /* the content's: resized, recoloured, with its margin */
    hold(&n, 0, all + styles + content * ((r->n_styles > 1 || r->guided) && r->s->color == NST_COLOR_MATCH ? 3 : 2));
    all -= given;
    hold(&n, all + content + features + seen(strip, 3), 0);
    /* x, dx and good beside the content's colours; then the optimiser in their place, beside the one before */
    all += features + owned(strip, good ? 9 : 6) + sizeof(float) * nst_across_floats(r, w, h);
    hold(&n, 0, all + content);
    hold(&n, 0, all + owned(strip, r->s->average > 0 ? 3 : 0) + (r->s->optimizer == NST_ADAM ? owned(strip, 6) : 0));
    all -= before(r, scale);
    all += optimiser(r, scale, pairs) + (planes == 4 ? floats(w, h, 1) : 0);
    hold(&n, all, all);
    return n;
}

/* ---- a scale's layout ------------------------------------------------------------------------------------ */

static nst_status too_little(const nst_run *r, size_t need, nst_error *e)
{
    int last = r->plan.scales - 1;

    return nst_fail(e, NST_EMEM, "%d x %d pixels: %.0f MB of memory %s, expected %.0f MB or more",
                    r->plan.width[last], r->plan.height[last], floor((double)r->limit / 1e6),
                    r->s->memory ? "are too few" : "(three quarters of what is free) are too few",
                    ceil((double)need / 1e6) + 1);
}

/* Both passes' windows within l->arena. */
static bool tile(const nst_run *r, const nst_strip *strip, nst_layout *l)
{
    double once, again;

    if (!nst_budget_tiling(r, strip, NST_USE_GRADIENT, l->arena, &l->gradient))
        return false;
    l->stats = l->gradient;
    if (nst_windows_count(l->gradient) <= 1 || r->s->window || !r->n_style)
        return true;
    /* larger windows for the first pass, which needs less, or the same ones, of which one is not computed twice */
    nst_budget_tiling(r, strip, NST_USE_STATS, l->arena, &l->stats);
    once = nst_budget_work(r, strip, l->stats);
    again = nst_budget_work(r, strip, l->gradient);
    if (again - again / nst_windows_count(l->gradient) <= once)
        l->stats = l->gradient;
    return true;
}

/* The peak of a scale that is laid out. */
static void add_up(const nst_run *r, int scale, nst_layout *l)
{
    struct need n = needs(r, scale, l->pairs, l->good);
    nst_strip strip = strip_of(r, scale);
    size_t arena = most(nst_budget_arena(r, &strip, NST_USE_GRADIENT, l->gradient),
                        nst_budget_arena(r, &strip, NST_USE_STATS, l->stats));

    for (int i = 0; i < r->n_styles && r->n_style; i++) {
        nst_tiling t;
        int sw, sh;

        nst_run_style_size(r, scale, i, &sw, &sh);
        strip = nst_strip_own(r, sw + 2 * r->margin, sh + 2 * r->margin);
        nst_budget_tiling(r, &strip, NST_USE_STATS, l->arena, &t);
        arena = most(arena, nst_budget_arena(r, &strip, NST_USE_STATS, t));
    }
    l->bytes = most(n.without, n.beside + arena);
}

static size_t rest(size_t limit, size_t taken)
{
    return limit > taken ? limit - taken : 0;
}

/* As it is most comfortable, when it fits: one window, all pairs. */
static bool lay_out_whole(const nst_run *r, int scale, const nst_strip *strip, nst_layout *l)
{
    struct need n = needs(r, scale, r->s->history, true);
    int one = strip->core < strip->core_to; /* or nothing to do */

    *l = (nst_layout){ .stats = { one, one, 0 }, .gradient = { one, one, 0 }, .pairs = r->s->history, .good = true,
                       .arena = rest(r->limit, n.beside) };
    return (!r->s->window || !one) && n.without <= r->limit &&
           nst_budget_arena(r, strip, NST_USE_GRADIENT, l->gradient) <= l->arena;
}

/* In windows: L-BFGS's pairs get half of what is left, or three; one when that leaves no room. */
static bool lay_out_windows(const nst_run *r, int scale, const nst_strip *strip, nst_layout *l)
{
    struct need n = needs(r, scale, 1, false);
    size_t half = rest(r->limit, n.beside) / 2 / (2 * owned(*strip, 3) + 1);
    int pairs = half < 1000 ? (int)half + 1 : 1000;

    *l = (nst_layout){ .pairs = limited(pairs > 3 ? pairs : 3, 1, r->s->history) };
    for (;; l->pairs = 1) {
        n = needs(r, scale, l->pairs, false);
        l->arena = rest(r->limit, n.beside);
        if ((tile(r, strip, l) && n.without <= r->limit) || l->pairs == 1)
            return n.without <= r->limit && tile(r, strip, l);
    }
}

/* *need: bytes that would do, 0 when there are as many. */
static nst_status lay_out_scales(nst_run *r, size_t *need, nst_error *e)
{
    *need = 0;
    for (int scale = 0; scale < r->plan.scales; scale++) {
        nst_layout *l = &r->layout[scale];
        nst_strip strip = strip_of(r, scale);
        size_t whole;
        int w, h;
        nst_status s;

        size_of(r, scale, &w, &h);
        nst_budget_leave_room(r, scale);
        if ((s = nst_graph_measure(r->graph, w, h, true, &whole, e)) == NST_EARG)
            return s; /* where it is too large for a device, windows are not */
        if (!lay_out_whole(r, scale, &strip, l) && !lay_out_windows(r, scale, &strip, l)) {
            struct need n = needs(r, scale, 1, false);
            size_t arena;

            nst_budget_tiling(r, &strip, NST_USE_GRADIENT, 0, &l->gradient);
            if ((s = smallest_fits(r, &strip, l->gradient, e)))
                return s;
            arena = nst_budget_arena(r, &strip, NST_USE_GRADIENT, l->gradient);
            *need = most(*need, most(n.without, n.beside + arena));
        }
    }
    return NST_OK;
}

size_t nst_budget_limit(const nst_settings *s, size_t sharers)
{
    size_t available;

    if (s->memory)
        return (size_t)s->memory;
    available = nst_memory_available();
    return available ? nst_memory_own() + available / 4 * 3 / sharers : SIZE_MAX;
}

/* Each rank for itself. */
static nst_status lay_out(nst_run *r, nst_error *e)
{
    size_t need, sharers = r->comm && r->comm->beside > 1 ? (size_t)r->comm->beside : 1;
    nst_status s;

    if (r->s->memory || !r->limit) /* otherwise a checkpoint's */
        r->limit = nst_budget_limit(r->s, sharers);
    need = 1;
    for (int i = 0; need && i < 4; i++) { /* slower rather than less exact */
        r->thrift = i % 2, r->loose = i / 2;
        if (r->thrift && !nst_graph_thrift_bytes(r->graph))
            continue;
        if ((s = lay_out_scales(r, &need, e)))
            return s;
    }
    if (!need && r->thrift && (s = nst_graph_thrift(r->graph, r->model, e)))
        return s;
    return need ? too_little(r, need, e) : NST_OK;
}

nst_status nst_run_budget(nst_run *r, nst_error *e)
{
    nst_status s = nst_across_agree(r, lay_out(r, e), e);

    for (int scale = 0; scale < r->plan.scales && !s; scale++) {
        nst_layout *l = &r->layout[scale];

        l->pairs = nst_across_least(r, l->pairs); /* what all have memory for: the optimiser's decisions are one */
        l->good = nst_across_least(r, l->good);
        add_up(r, scale, l);
    }
    return s;
}

void nst_budget_tell(const nst_run *r, nst_plan *plan)
{
    plan->bytes = 0;
    for (int scale = 0; scale < r->plan.scales; scale++) {
        const nst_layout *l = &r->layout[scale];
        nst_strip strip = strip_of(r, scale);
        nst_window win = { .w = 0 };

        plan->windows[scale] = nst_windows_count(l->gradient);
        if (plan->windows[scale])
            win = largest(r, &strip, l->gradient);
        if (win.strip)
            win.core_h = win.h;
        plan->window_width[scale] = win.core_w, plan->window_height[scale] = win.core_h;
        plan->history[scale] = r->s->optimizer == NST_LBFGS ? l->pairs : 0;
        plan->bytes = most(plan->bytes, l->bytes);
    }
}
