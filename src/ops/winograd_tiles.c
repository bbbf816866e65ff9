/* winograd_tiles.c: the geometry of tiles: where each lies, which are cut, which have a point. */
#include "ops/winograd_tiles.h"

/* The results of the smallest tile that has n. */
static int results_for(int n)
{
    return (n + 1) / 2 * 2;
}

static nst_wino_line line_of(int m, int size, int before)
{
    nst_wino_line l = { .count = (size + before + m - 1) / m, .before = before, .points = m + 2 };

    if (l.count == 1) {
        l.before = 0;
        l.first = l.last = results_for(size);
    } else if (l.count > 1) {
        l.first = results_for(m - before);
        l.last = results_for(size + before - (l.count - 1) * m);
    }
    l.cut = (l.first < m) + (l.count > 1 && l.last < m);
    if (l.cut)
        l.points = 2 + (l.first == m || (l.last < m && l.last > l.first) ? l.last : l.first);
    return l;
}

nst_wino_tiles nst_wino_tiles_of(int m, const nst_conv *c)
{
    nst_wino_tiles t = { .m = m, .across = line_of(m, c->w, c->place.tile_x),
                         .down = line_of(m, c->h, c->place.tile_y) };
    int columns = t.across.count - t.across.cut, rows = t.down.count - t.down.cut;

    t.left_right = t.across.cut * rows;
    t.whole = t.left_right + columns * rows;
    t.up_down = t.whole + columns * t.down.cut;
    t.count = t.across.count * t.down.count;
    return t;
}

static int results_of(const nst_wino_tiles *t, const nst_wino_line *l, int i)
{
    if (i == 0)
        return l->first;
    return i == l->count - 1 ? l->last : t->m;
}

/* A first tile that is cut ends where a whole one would. */
static int start_of(const nst_wino_tiles *t, const nst_wino_line *l, int i)
{
    return i == 0 && l->count > 1 ? t->m - l->first - l->before : i * t->m - l->before;
}

/* Tile i of those that are cut, or of those that are whole. */
static int tile_of(const nst_wino_tiles *t, const nst_wino_line *l, bool cut, int i)
{
    if (cut)
        return i == 0 && l->first < t->m ? 0 : l->count - 1;
    return i + (l->first < t->m);
}

nst_wino_run nst_wino_run_at(const nst_wino_tiles *t, int tile, int most)
{
    bool cut_x = tile < t->left_right || tile >= t->up_down, cut_y = tile >= t->whole;
    int columns = cut_x ? t->across.cut : t->across.count - t->across.cut, x, y, left;

    if (tile >= t->up_down)
        tile -= t->up_down;
    else if (tile >= t->whole)
        tile -= t->whole;
    else if (tile >= t->left_right)
        tile -= t->left_right;
    x = tile_of(t, &t->across, cut_x, tile % columns), y = tile_of(t, &t->down, cut_y, tile / columns);
    left = cut_x ? 1 : columns - tile % columns;
    return (nst_wino_run){ left < most ? left : most, start_of(t, &t->down, y), start_of(t, &t->across, x),
                           results_of(t, &t->down, y), results_of(t, &t->across, x) };
}

nst_wino_range nst_wino_with(const nst_wino_tiles *t, bool row, bool column)
{
    nst_wino_range r = { column ? t->left_right : 0, t->count };

    if (row)
        r.to = t->whole;
    else if (column)
        r.to = t->up_down;
    return r;
}
