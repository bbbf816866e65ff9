/* flow.h: dense optical flow between two pictures of one size: u to the right, v down, in pixels. */
#ifndef NST_FLOW_PARTS_H
#define NST_FLOW_PARTS_H

#include "base/base.h"

struct nst_flow {
    int width, height;
    float *plane[2]; /* u, v: [height][width], one allocation */
};

/* ---- field.c ------------------------------------------------------------------------------------------------- */

/* plane [h][w] at (x, y) of pixels' centres, bilinearly; outside it has its edges' values. */
float nst_flow_at(const float *plane, int w, int h, float x, float y);
/* The same motion as u, v [h][w] for pictures `twice` as large, of w2 x h2: pixel 2x and 2x + 1 lie in pixel x. */
void nst_flow_double(const float *const from[2], int w, int h, float *const to[2], int w2, int h2);

/* ---- pyramid.c ----------------------------------------------------------------------------------------------- */

#define NST_LEVEL_PAD 16 /* pixels around a level, which continue its edges */
#define NST_LEVELS 16

/* A grey picture 0..255 with a border. */
typedef struct nst_level {
    int w, h;
    size_t ld;   /* floats from a row to the next */
    float *grey; /* pixel (0, 0) */
    float *memory;
} nst_level;

typedef struct nst_pyramid {
    int levels; /* the first is the largest */
    nst_level level[NST_LEVELS];
} nst_pyramid;

/* A picture's; with half its first level has half the size (rounded up).  NST_EMEM. */
nst_status nst_pyramid_create(nst_pyramid *p, const nst_image *image, bool half, nst_error *e);
void nst_pyramid_free(nst_pyramid *p);

/* ---- patches.c ----------------------------------------------------------------------------------------------- */

/* Dense inverse search from the flow in u, v [h][w], which becomes that of the patches.  NST_EMEM. */
nst_status nst_flow_search(const nst_level *from, const nst_level *to, int threads, float *u, float *v, nst_error *e);

/* ---- spread.c ------------------------------------------------------------------------------------------------ */

/* Vectors u, v [ny][nx] take over what is around them, the more the smaller their weight (above 0 to 1) is.  room:
 * floats, as many as nst_flow_spread_room says. */
void nst_flow_spread(int nx, int ny, const float *weight, float *u, float *v, float *room);
size_t nst_flow_spread_room(int nx, int ny);

/* ---- refine.c ------------------------------------------------------------------------------------------------ */

/* Variational refinement of the flow in u, v [h][w].  NST_EMEM. */
nst_status nst_flow_refine(const nst_level *from, const nst_level *to, int threads, float *u, float *v, nst_error *e);

/* ---- still.c ------------------------------------------------------------------------------------------------- */

/* Makes the flow exactly 0 where nothing moves.  noise as in nst_flow_options.  NST_EMEM. */
nst_status nst_flow_settle(nst_flow *flow, const nst_image *from, const nst_image *to, double noise, nst_error *e);

/* ---- warp.c -------------------------------------------------------------------------------------------------- */

/* Whether both flows agree on pixel (x, y), which neither left the picture nor is hidden. */
bool nst_flow_agrees(const nst_flow *there, const nst_flow *back, int x, int y);
/* NST_EARG when a flow has not this size; what names the picture that has. */
nst_status nst_flow_check(const nst_flow *flow, int w, int h, const char *what, nst_error *e);

#endif
