/* tiling_search.c: the windows of a picture whose arenas fit and which cost least. */
#include "engine/plan/plan.h"

/* A core of so many pixels a side is the least that windows are cut to, where their halos cost many times its own
 * work. */
#define CORE_MIN 64
#define PARTS_MAX 256 /* columns of windows that are tried */
#define COLUMN_MIN 128 /* pixels that columns of strips are at least wide */
#define STRIP_COST 12. /* a strip costs so many rows more than it has: deep layers have few rows of each */

#define ROWS_MAX 1024 /* rows of windows whose highest is remembered */

/* What a search looks for, and what it has seen. */
struct search {
    const nst_setup *u;
    const nst_row_range *strip;
    nst_use use;
    size_t arena;
    int highest[ROWS_MAX + 1]; /* the highest of so many rows, from 1; 0: not looked for yet */
};

/* Window (x, y) of a tiling. */
static nst_window at(const nst_setup *u, const nst_row_range *strip, nst_tiling t, int x, int y)
{
    return nst_windows_at(u, strip, t, t.strip && nst_windows_count(t) > 1 ? x * t.ny + y : y * t.nx + x);
}

static int widest_column(const nst_setup *u, const nst_row_range *strip, nst_tiling t)
{
    int widest = 0, w = 0;

    for (int x = 0; x < t.nx; x++) {
        nst_window win = at(u, strip, t, x, 0);

        if (win.w > w)
            w = win.w, widest = x;
    }
    return widest;
}

/* Of strips, the first. */
static int highest_row(const nst_setup *u, const nst_row_range *strip, nst_tiling t)
{
    int highest = 0, h = 0;

    for (int y = 0; y < t.ny && !t.strip; y++) {
        nst_window win = at(u, strip, t, 0, y);

        if (win.h > h)
            h = win.h, highest = y;
    }
    return highest;
}

nst_window nst_plan_largest(const nst_setup *u, const nst_row_range *strip, nst_tiling t)
{
    return at(u, strip, t, widest_column(u, strip, t), highest_row(u, strip, t));
}

size_t nst_plan_arena(const nst_setup *u, const nst_row_range *strip, nst_use use, nst_tiling t)
{
    nst_window win;
    size_t bytes;

    if (!nst_windows_count(t))
        return 0;
    win = nst_plan_largest(u, strip, t);
    return nst_graph_measure_window(u->graph, &win, use, &bytes, NULL) ? SIZE_MAX : bytes;
}

nst_status nst_plan_device_fits(const nst_setup *u, const nst_row_range *strip, nst_tiling t, nst_error *e)
{
    nst_window win;
    size_t bytes;

    if (!nst_windows_count(t))
        return NST_OK;
    win = nst_plan_largest(u, strip, t);
    return nst_graph_measure_window(u->graph, &win, NST_USE_GRADIENT, &bytes, e);
}

double nst_plan_work(const nst_setup *u, const nst_row_range *strip, nst_tiling t)
{
    nst_graph_sides s = { { 0 }, { 0 } };
    bool strips = t.strip && nst_windows_count(t) > 1;
    int rows = strips ? 1 : t.ny; /* strips are one behind the other what a column is */

    for (int x = 0; x < t.nx && t.ny; x++) {
        nst_window win = at(u, strip, t, x, 0);

        nst_graph_add_column(u->graph, &win, &s);
    }
    for (int y = 0; y < rows && t.nx; y++) {
        nst_window win = at(u, strip, t, 0, y);

        if (strips)
            win.h = win.picture_h;
        nst_graph_add_row(u->graph, &win, &s);
    }
    return nst_graph_sides_work(u->graph, &s);
}

/* Columns or rows of windows whose cores are about so many pixels. */
static int parts(int side, int core)
{
    return (side + core - 1) / core;
}

/* Whether windows in nx columns, of which the widest is known, and ny rows fit. */
static bool fits(struct search *q, int nx, int widest, int ny)
{
    nst_tiling t = { nx, ny, 0 };
    int y = ny <= ROWS_MAX ? q->highest[ny] - 1 : -1;
    nst_window win;
    size_t bytes;

    if (y < 0)
        y = highest_row(q->u, q->strip, t);
    if (ny <= ROWS_MAX)
        q->highest[ny] = y + 1;
    win = at(q->u, q->strip, t, widest, y);
    return !nst_graph_measure_window(q->u->graph, &win, q->use, &bytes, NULL) && bytes <= q->arena;
}

/* The fewest rows with nx columns that fit; 0 when none do. */
static int rows_that_fit(struct search *q, int nx, int rows)
{
    int low = 1, high = rows, widest = widest_column(q->u, q->strip, (nst_tiling){ nx, 1, 0 });

    if (!fits(q, nx, widest, rows))
        return 0;
    while (low < high) {
        int middle = (low + high) / 2;

        if (fits(q, nx, widest, middle))
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
    int columns = nst_clamp_int(parts(strip->w - 2 * u->margin, COLUMN_MIN), 1, nst_windows_finest(u, strip).nx);
    bool found = false;

    for (int nx = arena ? 1 : columns; nx <= columns; nx++) { /* in no memory none fits */
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
    struct search q = { .u = u, .strip = strip, .use = use, .arena = arena };
    double least = 0, work;
    bool found = false, whole;

    *t = (nst_tiling){ 0, 0, 0 };
    if (!h)
        return true;
    whole = nst_plan_arena(u, strip, use, (nst_tiling){ .nx = 1, .ny = 1 }) <= arena;
    small.nx = nst_clamp_int(parts(w, CORE_MIN), 1, finest.nx);
    small.ny = nst_clamp_int(parts(h, CORE_MIN), 1, finest.ny);
    small.strip = 0;
    *t = small;
    if (u->s.window) {
        t->nx = nst_clamp_int(parts(w, u->s.window), 1, finest.nx);
        t->ny = nst_clamp_int(parts(h, u->s.window), 1, finest.ny);
        return nst_plan_arena(u, strip, use, *t) <= arena;
    }
    for (int nx = 1; arena && nx <= small.nx && nx <= PARTS_MAX; nx++) {
        nst_tiling trial = { nx, rows_that_fit(&q, nx, small.ny), 0 };
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
