/* scale.h: one scale of a run: what its losses compare with, and losses and gradient at x. */
#ifndef NST_SCALE_H
#define NST_SCALE_H

#include "engine/setup.h"
#include "loss/style.h"
#include "ops/color_space.h"

typedef struct nst_run nst_run;

/* ---- targets.c ----------------------------------------------------------------------------------------------- */

/* Prepares scale r->scale: the content at its size, the targets of all losses.  The state is left alone. */
nst_status nst_run_targets(nst_run *r, nst_error *e);
void nst_targets_free(nst_run *r);

/* ---- evaluate.c ------------------------------------------------------------------------------------------ */

/* The losses at r->state.x into p (total, content, tv, style), their gradient into r->state.dx.  Allocates nothing. */
nst_status nst_run_evaluate(nst_run *r, nst_progress *p, nst_error *e);
/* Whether the style losses are the device's: then r->eval.stats stay there, and nst_run_targets gives it the
 * targets. */
bool nst_losses_on_device(const nst_run *r);

/* ---- passes.c ---------------------------------------------------------------------------------------- */

/* Adds the sums of the first count windows of x [3][to - from][w] to rows [n_style], those of them that are not
 * NULL. */
nst_status nst_windows_sum(nst_run *r, const float *x, const nst_row_range *strip, nst_tiling t, int count,
                           nst_stats *const *rows, nst_error *e);
/* The content's features of x, r->strip's, into r->targets.content; the sum of their squares is added to square
 * [n_content]. */
nst_status nst_windows_keep(nst_run *r, const float *x, double *square, nst_error *e);
/* Right after the first pass: the sums over all windows, at every content layer, of the squares and the absolute values
 * of what the features are off the content's, added to square and absolute [n_content]; this rank's share. */
nst_status nst_windows_compare(nst_run *r, const float *x, double *square, double *absolute, nst_error *e);
/* First pass: r->eval.stats from x, this rank's share. */
nst_status nst_windows_stats(nst_run *r, const float *x, nst_error *e);
/* Second pass, right after it: dx from what gradient [layers] asks, this rank's share; its contents are filled in.
 * distance as nst_graph_backward's. */
nst_status nst_windows_gradient(nst_run *r, const float *x, float *dx, nst_loss_gradient *gradient, double *distance,
                                nst_error *e);

/* ---- regions.c: where each style goes ------------------------------------------------------------------------- */

#define NST_REGION_LEVELS 8

/* A mask at the sizes of the network's levels; level[0] NULL: all counts the same. */
typedef struct nst_region {
    float *level[NST_REGION_LEVELS]; /* [h][w], the picture's first, margin included, then halved */
    int w[NST_REGION_LEVELS], h[NST_REGION_LEVELS];
    nst_saved_features *device_copy[NST_REGION_LEVELS]; /* the levels on a device that is apart, or NULL */
    double area;                     /* share of the picture */
} nst_region;

/* The styles' masks against the pictures; sets u->has_content_masks and u->has_style_masks. */
nst_status nst_regions_check(nst_setup *u, nst_error *e);
/* How much each pixel counts of style picture i, or where it is painted in the content: [h][w] without margin, freed
 * by the caller; NULL: all of it.  A style without a place among others that have one gets what these leave. */
nst_status nst_region_part(const nst_setup *u, int i, int w, int h, float **out, nst_error *e);
nst_status nst_region_place(const nst_setup *u, int i, int w, int h, float **out, nst_error *e);
/* Such weights (NULL: a region of none) for a picture of w x h, margin included. */
nst_status nst_region_make(nst_region *g, const nst_setup *u, const float *weight, int w, int h, nst_error *e);
/* The picture, without margin yet, moved to the colours of the pictures, each in its region. */
nst_status nst_regions_recolor(const nst_setup *u, nst_image *picture, nst_image *const *pictures, nst_error *e);
void nst_region_clear(nst_region *g);
/* Its map at a layer of a picture of w x h, from the picture's row first on, a multiple of the grid; number 0. */
nst_map nst_region_at(const nst_region *g, const nst_setup *u, int layer, int w, int h, int first);

/* ---- held.c: the pictures that a run is held to -------------------------------------------------------------- */

/* The job's temporal targets: NST_EARG where there is something wrong with one. */
nst_status nst_held_check(const nst_setup *u, nst_error *e);
/* r->targets.held for this scale; a failure leaves what nst_held_free frees. */
nst_status nst_held_create(nst_run *r, nst_error *e);
void nst_held_free(nst_run *r);
/* Their losses at r->state.x; the gradient is added to r->state.dx.  Only of a run that is alone. */
double nst_held_losses(const nst_run *r);

/* ---- style_cache.c: statistics of style pictures, kept from run to run ---------------------------------- */

/* Forgets what was kept with another model or other settings. */
void nst_styles_begin(nst_styles *s, const nst_model *model, const nst_settings *settings);
/* What statistics depend on: the picture at its size, the windows that they are summed over, the margin, how many
 * rows. */
uint64_t nst_styles_key(const nst_image *p, nst_tiling t, int margin, int rows);
/* The statistics [rows] of a key, and into the cache. */
bool nst_styles_find(const nst_styles *s, uint64_t key, int rows, nst_stats *const *stats);
void nst_styles_keep(nst_styles *s, uint64_t key, int rows, nst_stats *const *stats);

/* ---- margin.c: what lies around every picture while it is painted -------------------------------- */

/* plane [h][w], margin included: the margin is filled with the reflection of what is inside. */
void nst_margin_fill(float *plane, int w, int h, int margin);
/* The row, margin included, whose numbers row y of h has; the margin of a row [w] is filled. */
int nst_margin_mirrored(int y, int h, int margin);
void nst_margin_fill_row(float *row, int w, int margin);
/* The picture with the margin added by reflection, or cut off: replaced, or untouched on failure. */
nst_status nst_margin_add(nst_image **image, int margin, nst_error *e);
nst_status nst_margin_cut(nst_image **image, int margin, nst_error *e);

/* ---- start.c -------------------------------------------------------------- */

/* Random numbers of our own, the same on every machine: SplitMix64 (Steele, Lea & Flood 2014), state += golden
 * ratio, then two multiply-xorshift rounds.  Uniform numbers are its top 24 bits over 2^24. */
typedef struct nst_random {
    uint64_t state;
} nst_random;
float nst_random_uniform(nst_random *r); /* [0, 1) */
float nst_random_normal(nst_random *r);  /* mean 0, deviation 1 (Box & Muller 1958) */

/* The first x [3][rows][w] as the settings say, rows y.. of the picture: from content or start (start may be NULL). */
void nst_start(const nst_settings *s, const nst_affine *space, const nst_image *content, const nst_image *start, int y,
               int rows, float *x);

#endif
