/* run.h: one run of nst_transfer: what its settings mean for this model and these pictures. */
#ifndef NST_RUN_H
#define NST_RUN_H

#include "engine/transfer.h"

/* schedule.c: what was measured, in seconds, and what follows from it. */
typedef struct nst_clock {
    double losses;             /* of the style losses, just now */
    double iteration, fixed;   /* an iteration of this scale; of it, what does not go with the pixels */
    double preparation;        /* of this scale */
    int measured;              /* iterations of this scale */
    int foretold;              /* as many the scales before it stand for */
    int nominal[NST_MAX_LAYERS]; /* iterations of each scale as the settings have it */
    double best, best_before;  /* loss of the last iterations, and of those before them */
} nst_clock;

/* A picture cut into windows: columns and rows, as even as the graph's grid allows; or columns of strips so high. */
typedef struct nst_tiling {
    int nx, ny;
    int strip; /* 0: windows */
} nst_tiling;

/* The rows of a picture that a rank works on; w and rows with the margin.  Alone: all. */
typedef struct nst_strip {
    int w;
    int own, own_to;   /* of x: all ranks' are the picture */
    int core, core_to; /* whose features are counted: all ranks' are the picture without its margin */
    int from, to;      /* that those depend on: what is computed, the others' rows at both ends included */
    int h;             /* all ranks' rows */
} nst_strip;

/* What a scale makes of the memory that it may take: memory_plan.c. */
typedef struct nst_layout {
    nst_tiling stats, gradient; /* of the picture in the two passes */
    int pairs;                  /* that L-BFGS remembers */
    bool good;                  /* the last picture whose losses were finite is kept */
    size_t arena;               /* bytes that a window may take, of a style picture too */
    size_t bytes;               /* estimate of the process's peak */
} nst_layout;

/* Rows of the style losses at most: style layers, times styles where each has its region. */
#define NST_STYLE_ROWS 80
#define NST_REGION_LEVELS 8

/* A mask at the sizes of the network's levels; level[0] NULL: all counts the same. */
typedef struct nst_region {
    float *level[NST_REGION_LEVELS]; /* [h][w], the picture's first, margin included, then halved */
    int w[NST_REGION_LEVELS], h[NST_REGION_LEVELS];
    nst_kept *there[NST_REGION_LEVELS]; /* the levels on a device that is apart, or NULL */
    double area;                     /* share of the picture */
} nst_region;
/* What a rank has of its neighbours' rows: across.c. */
typedef struct nst_across nst_across;

typedef struct nst_run {
    /* what it was asked; nothing is owned */
    const nst_settings *s;               /* from nst_run_open on: balanced */
    const nst_settings *asked;           /* s as the caller gave it */
    const nst_model *model;
    const nst_image *content, *init;
    const nst_image *const *styles;
    nst_styles *known;                   /* or NULL */
    int n_styles;
    const char *simd;                    /* the kernel set where the settings name none; NULL: the fastest */
    bool on_cpu;                         /* where the settings leave the device to us, it is the CPU */
    const nst_comm *comm;                /* NULL: alone */

    /* for the whole run */
    bool cut_off;                        /* comm does not reach the others any more */
    nst_settings balanced;               /* the settings as they are for this model: nst_settings_balance */
    nst_cpu cpu;
    nst_affine space;
    float low[3], high[3];               /* of the planes of x */
    nst_layer_weight style[NST_STYLE_ROWS], keep[NST_MODEL_LAYERS]; /* rows of the style and content losses */
    int n_style, n_keep;
    int n_layers;                        /* style layers; row i is of layer i % n_layers, of style i / n_layers */
    bool guided, parts;                  /* each style has its region; of some only a part counts */
    nst_region *region;                  /* [n_styles] of the content at this scale, when guided */
    double *share;                       /* [n_styles] blend, sums to one */
    double *style_scale;                 /* [n_styles] of each, as settings.style_scale */
    nst_plan plan;
    nst_graph_options net;               /* what graph was made from; its model is the run's */
    nst_graph *graph;
    size_t limit;                        /* bytes that the process may take */
    bool thrift;                         /* weights are packed when they are used: nst_graph_thrift */
    bool loose;                          /* windows' halos are too small for the whole picture's tiles: nst_window */
    nst_layout layout[NST_MAX_LAYERS];   /* by scale */
    int margin;                          /* pixels around every picture, a multiple of the graph's grid */
    nst_stats *stats[NST_STYLE_ROWS];  /* of the picture, by row of style */
    double *a[NST_STYLE_ROWS], *b[NST_STYLE_ROWS]; /* the style losses' gradient, by row of style */
    float *fa[NST_STYLE_ROWS], *fb[NST_STYLE_ROWS]; /* the same for the graph */

    char notice[700];                    /* for the caller's next progress, "" when there is none */
    double began, spent;                 /* when, in seconds of nst_now; seconds of all iterations so far */
    nst_clock clock;
    bool late;                           /* ended by its limit of time */
    uint64_t *sums;                      /* of the inputs, for checkpoints; NULL until the first */

    /* for one scale */
    int scale, w, h;                     /* w, h with the margin */
    nst_strip strip;                     /* of it */
    int targets;                         /* the scale that the targets are of */
    nst_style *target[NST_STYLE_ROWS]; /* by row of style */
    nst_kept **kept[NST_MODEL_LAYERS];   /* by row of keep and window of the layout's gradient */
    double unit[NST_MODEL_LAYERS];       /* by row of keep: weight of its sum of squared differences */
    nst_image *picture;                  /* the content at this scale, recoloured; NULL when only its alpha is kept */
    float *alpha;                        /* [height][width] without the margin, or NULL */
    nst_optim *optim;
    float *x, *dx;                       /* [3][own rows][w] */
    nst_across *across;                  /* the same with the rows around them; NULL alone */
    float *good;                         /* [3][own rows][w] the last x whose losses were finite, or NULL */
} nst_run;

/* Checks everything that can be wrong with the settings, the model and the pictures, and plans the scales.
 * Packs the model's weights.  On failure r holds nothing. */
nst_status nst_run_open(nst_run *r, nst_error *e);
void nst_run_close(nst_run *r);
/* Prepares scale r->scale: the content at its size, the targets of all losses.  x is left alone. */
nst_status nst_run_targets(nst_run *r, nst_error *e);
/* Whether that empties the content picture. */
bool nst_run_spends(const nst_run *r, int scale);
/* checkpoint.c: r->sums, once a run. */
nst_status nst_run_sum_inputs(nst_run *r, nst_error *e);
/* The losses at r->x into p (total, content, tv, style), their gradient into r->dx.  Allocates nothing. */
nst_status nst_run_evaluate(nst_run *r, nst_progress *p, nst_error *e);
/* style_cache.c: the statistics [r->n_style] of a style picture at its size from r->known, and into it.  Both do nothing without. */
bool nst_styles_find(const nst_run *r, const nst_image *p, nst_stats *const *stats);
void nst_styles_keep(const nst_run *r, const nst_image *p, nst_stats *const *stats);
/* Whether the style losses are the device's: then r->stats stay there, and nst_run_targets gives it the targets. */
bool nst_run_apart(const nst_run *r);
/* From r->stats: every style loss into p and its total, r->a and r->b. */
nst_status nst_run_style_losses(nst_run *r, nst_progress *p, nst_error *e);
/* schedule.c.  Before all scales; after a checkpoint is restored; when a scale has been prepared. */
void nst_schedule_begin(nst_run *r);
void nst_schedule_resume(nst_run *r, const nst_progress *p);
void nst_schedule_enter(nst_run *r, double seconds);
/* After an iteration that p tells of: p->remaining, and with a limit of time
 * or of the loss's change the iterations of this and later scales, in r->plan, p->iterations and p->total_iterations. */
void nst_schedule_count(nst_run *r, nst_progress *p);
/* Whether another iteration would pass the limit of time. */
bool nst_schedule_over(const nst_run *r, const nst_progress *p);
/* Frees what belongs to one scale but x. */
void nst_run_leave(nst_run *r);
nst_optim_options nst_run_optim(const nst_run *r);
/* Whether a scale takes over anything of the optimiser of the one before. */
bool nst_run_carries(const nst_run *r);

/* ---- memory_plan.c: what a run takes, and how it is made to fit ------------------------------------ */

/* Fills r->limit and r->layout of every scale.  NST_EMEM with the number that would do. */
nst_status nst_run_budget(nst_run *r, nst_error *e);
/* The graph leaves room for the content's features of a scale, which is the next to be prepared. */
void nst_budget_leave_room(nst_run *r, int scale);
/* The windows of a rank's rows whose arenas take at most so many bytes and which cost least; false when not even small
 * ones do, and then t is for those. */
bool nst_budget_tiling(const nst_run *r, const nst_strip *strip, nst_use use, size_t arena, nst_tiling *t);
/* Bytes of the largest window's arena. */
size_t nst_budget_arena(const nst_run *r, const nst_strip *strip, nst_use use, nst_tiling t);
/* Work of a forward pass over all windows, as nst_graph_work counts. */
double nst_budget_work(const nst_run *r, const nst_strip *strip, nst_tiling t);
/* The layouts, in the plan's terms. */
void nst_budget_tell(const nst_run *r, nst_plan *plan);

/* time_estimate.c: about the seconds of the run, from a small picture that is timed; 0 for a moment.  Gives the
 * arena up. */
double nst_run_seconds(nst_run *r);

/* ---- across.c: strips of the picture, and what the ranks tell each other; alone most of it is nothing ------------ */

/* Rank's strip of a picture of w x h, margin included; nothing when there are more ranks than strips. */
nst_strip nst_strip_at(const nst_run *r, int w, int h, int rank);
/* This rank's. */
nst_strip nst_strip_own(const nst_run *r, int w, int h);
int nst_across_rank(const nst_run *r);
int nst_across_ranks(const nst_run *r);
/* Everyone's failure, when one has failed; s and e are this rank's. */
nst_status nst_across_agree(nst_run *r, nst_status s, nst_error *e);
bool nst_across_any(nst_run *r, bool v);
int nst_across_least(nst_run *r, int v);
void nst_across_sum(nst_run *r, double *v, size_t n);
void nst_across_stats(nst_run *r, nst_stats *s);
/* After nst_schedule_count: everyone's times and iterations are rank 0's, by whose clock they end; returns its over. */
bool nst_across_schedule(nst_run *r, nst_progress *p, bool over);
/* Floats for this rank's share of a scale: what nst_across_open takes. */
size_t nst_across_floats(const nst_run *r, int w, int h);
/* r->across for r->w x r->h; not told to the others. */
nst_status nst_across_open(nst_run *r, nst_error *e);
void nst_across_close(nst_run *r);
/* x and dx of rows strip.from..to-1: r->x and r->dx themselves when alone. */
const float *nst_across_x(const nst_run *r);
float *nst_across_dx(const nst_run *r);
/* The neighbours' rows of x are fetched; the gradients with respect to them are handed to them and added. */
void nst_across_spread(nst_run *r);
void nst_across_collect(nst_run *r);
/* From arrays [3][own rows][w] of a picture of w x h, rows from[rank]..to[rank]-1 of it for each rank: [3][rows][w]. */
void nst_across_fetch(nst_run *r, const float *own, int w, int h, const int *from, const int *to, float *rows);
/* On rank 0 the rows of a rank's strip, which are in own where it is rank 0's, else come to buffer; elsewhere NULL. */
const float *nst_across_rows(nst_run *r, int rank, const float *own, float *buffer);

/* ---- upscale.c: from a scale to the next ----------------------------------------------------------- */

/* This rank's rows of the new scale's x, from those of a picture of w x h, kept in [0,1], the margin filled. */
nst_status nst_enlarge(nst_run *r, const float *from, int w, int h, float *x, nst_error *e);
/* Adam's moments. */
nst_status nst_enlarge_optim(nst_run *r, const nst_optim *from, int w, int h, nst_error *e);

/* ---- windows.c: a picture in windows --------------------------------------------------------------- */

int nst_windows_count(nst_tiling t);
/* Rows of multiples of the grid in a side's core; what is left over belongs to the last. */
int nst_windows_cells(const nst_run *r, int core);
/* As many windows as a rank's rows can be cut into. */
nst_tiling nst_windows_finest(const nst_run *r, const nst_strip *strip);
/* Columns of strips of a picture h high. */
nst_tiling nst_windows_strips(int h, int nx, int strip);
/* Whether the second pass begins with the window that the first one ended with. */
bool nst_windows_alike(const nst_layout *l);
/* Window i of a rank's rows, of which from..to-1 are the window's picture; strips go down a column, columns from left to
 * right. */
nst_window nst_windows_at(const nst_run *r, const nst_strip *strip, nst_tiling t, int i);
/* Adds the sums of the first count windows of x [3][to - from][w] to rows [n_style], those of them that are not NULL. */
nst_status nst_windows_sum(nst_run *r, const float *x, const nst_strip *strip, nst_tiling t, int count,
                           nst_stats *const *rows, nst_error *e);
/* The content's features of x, r->strip's, into r->kept; the sum of their squares is added to square [n_keep]. */
nst_status nst_windows_keep(nst_run *r, const float *x, double *square, nst_error *e);
/* Right after the first pass: the sums over all windows, at every content layer, of the squares and the absolute values of
 * what the features are off the content's, added to square and absolute [n_keep]; this rank's share. */
nst_status nst_windows_compare(nst_run *r, double *square, double *absolute, nst_error *e);
/* First pass: r->stats from nst_across_x, this rank's share. */
nst_status nst_windows_stats(nst_run *r, nst_error *e);
/* Second pass, right after it: nst_across_dx from what tap asks, this rank's share; the contents in tap are filled in.
 * distance as nst_graph_backward's. */
nst_status nst_windows_gradient(nst_run *r, nst_tap_gradient *tap, double *distance, nst_error *e);

/* ---- fallback.c: devices that fail; e is not NULL ----------------------------------------------------- */

/* Makes r->graph by r->net; where the choice of the device is the run's and the device fails, on the CPU. */
nst_status nst_run_graph(nst_run *r, nst_error *e);
/* Whether after such a failure nst_run_give_way goes on. */
bool nst_run_yields(const nst_run *r, nst_status s);
/* After failure s (e says why) of the targets or an evaluation: the graph anew on the CPU, and this scale's targets;
 * x and the optimiser stay.  Returns s where the run does not yield. */
nst_status nst_run_give_way(nst_run *r, nst_status s, nst_error *e);

/* ---- style_sizes.c: how large each style picture is ------------------------------------------------- */

/* r->style_scale from the settings; after the plan. */
nst_status nst_run_style_scales(nst_run *r, nst_error *e);
/* Style i at a scale, no side below 32. */
void nst_run_style_size(const nst_run *r, int scale, int i, int *w, int *h);

/* ---- regions.c: where each style goes ----------------------------------------------------------------- */

/* The styles' masks against the pictures; sets r->guided and r->parts. */
nst_status nst_regions_check(nst_run *r, nst_error *e);
/* How much each pixel counts of style picture i, or where it is painted in the content: [h][w] without margin, freed
 * by the caller; NULL: all of it.  A style without a place among others that have one gets what these leave. */
nst_status nst_region_part(const nst_run *r, int i, int w, int h, float **out, nst_error *e);
nst_status nst_region_place(const nst_run *r, int i, int w, int h, float **out, nst_error *e);
/* Such weights (NULL: a region of none) for a picture of w x h, margin included. */
nst_status nst_region_make(nst_region *g, const nst_run *r, const float *weight, int w, int h, nst_error *e);
/* r->picture, without margin yet, moved to the colours of the pictures, each in its region. */
nst_status nst_regions_recolor(nst_run *r, nst_image *const *pictures, nst_error *e);
void nst_region_clear(nst_region *g);
/* Its map at a layer of a picture of w x h, from the picture's row first on, a multiple of the grid; number 0. */
nst_map nst_region_at(const nst_region *g, const nst_run *r, int layer, int w, int h, int first);

/* ---- margin.c: what lies around every picture while it is painted -------------------------------- */

/* plane [h][w], margin included: the margin is filled with the reflection of what is inside. */
void nst_margin_fill(float *plane, int w, int h, int margin);
/* The row, margin included, whose numbers row y of h has; the margin of a row [w] is filled. */
int nst_margin_mirrored(int y, int h, int margin);
void nst_margin_fill_row(float *row, int w, int margin);
/* The picture with the margin added by reflection, or cut off: replaced, or untouched on failure. */
nst_status nst_margin_add(nst_image **image, int margin, nst_error *e);
nst_status nst_margin_cut(nst_image **image, int margin, nst_error *e);

#endif
