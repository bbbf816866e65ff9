/* winograd_tiles.h: the tiles of Winograd's convolution, and in which order they are counted.
 *
 * A tile that a side of the picture cuts to m - 2 results or fewer has fewer points (kernels.h).  So that products with
 * the others are left out in whole groups of tiles, tiles are counted in this order: those that the left or right side
 * cuts, whole ones, those that the upper or lower side cuts, and the corners. */
#ifndef NST_WINOGRAD_TILES_H
#define NST_WINOGRAD_TILES_H

#include "ops/conv.h"

/* One dimension. */
typedef struct nst_wino_line {
    int count;
    int first, last;         /* results of the first tile and of the last, m if they are whole */
    int before;              /* so much of the first tile, were it whole, would lie before the result */
    int cut;                 /* how many are cut: 0 to 2 */
    int points;              /* of those that are cut, at most; of a whole one if none is */
} nst_wino_line;

typedef struct nst_wino_tiles {
    int m;                   /* results of a whole tile: m x m */
    nst_wino_line across, down;
    int left_right;          /* tiles before the first whole one */
    int whole;               /* and with the whole ones */
    int up_down;             /* and with those that the upper or lower side cuts; corners follow */
    int count;               /* all */
} nst_wino_tiles;

/* Tiles that lie beside each other, all of h x w results: where those of the first one begin. */
typedef struct nst_wino_run {
    int count, y, x, h, w;
} nst_wino_run;

/* Tiles first..to-1. */
typedef struct nst_wino_range {
    int first, to;
} nst_wino_range;

/* The tiles of a result of w x h, of which c->place says how they fall.  The right and the lower part of the last ones
 * may lie beyond it, and of the first ones a pixel before. */
nst_wino_tiles nst_wino_tiles_of(int m, const nst_conv *c);
/* From `tile` on, `most` at most. */
nst_wino_run nst_wino_run_at(const nst_wino_tiles *t, int tile, int most);
/* The tiles that have a point, and maybe a few others.  row: the point's row is one that cut tiles lack; column: its
 * column is. */
nst_wino_range nst_wino_with(const nst_wino_tiles *t, bool row, bool column);

#endif
