/* tiling_search.c: the windows of a picture whose arenas fit and which cost least. */
#include "engine/plan/plan.h"

/* A core of so many pixels a side is the least that windows are cut to, where their halos cost many times its own
 * work. */
#define CORE_MIN 64
#define PARTS_MAX 256 /* columns of windows that are tried */
#define COLUMN_MIN 128 /* pixels that columns of strips are at least wide */
#define STRIP_COST 12. /* a strip costs so many rows more than it has: deep layers have few rows of each */

nst_window nst_plan_largest(const nst_setup *u, const nst_row_range *strip, nst_tiling t)
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
    double sum = 0;

    for (int i = 0; i < nst_windows_count(t); i++) {
        nst_window win = nst_windows_at(u, strip, t, i);

        sum += nst_graph_work(u->graph, &win);
    }
    return sum;
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
    int columns = nst_clamp_int(parts(strip->w - 2 * u->margin, COLUMN_MIN), 1, nst_windows_finest(u, strip).nx);
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
    small.nx = nst_clamp_int(parts(w, CORE_MIN), 1, finest.nx);
    small.ny = nst_clamp_int(parts(h, CORE_MIN), 1, finest.ny);
    small.strip = 0;
    *t = small;
    if (u->s.window) {
        t->nx = nst_clamp_int(parts(w, u->s.window), 1, finest.nx);
        t->ny = nst_clamp_int(parts(h, u->s.window), 1, finest.ny);
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
