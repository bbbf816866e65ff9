/* run.h: floor 4, one run of nst_transfer: what its settings mean for this model and these pictures. */
#ifndef NST_RUN_H
#define NST_RUN_H

#include "transfer.h"

/* schedule.c: what was measured, in seconds, and what follows from it. */
typedef struct nst_clock {
    double losses;             /* of the style losses, just now */
    double iteration, fixed;   /* an iteration of this scale; of it, what does not go with the pixels */
    double preparation;        /* of this scale */
    int measured;              /* iterations of this scale */
    int nominal[NST_MAX_LAYERS]; /* iterations of each scale as the settings have it */
    double best, best_before;  /* loss of the last iterations, and of those before them */
} nst_clock;

typedef struct nst_run {
    /* what it was asked; nothing is owned */
    const nst_settings *s;               /* from nst_run_open on: balanced */
    const nst_settings *asked;           /* s as the caller gave it */
    const nst_model *model;
    const nst_image *content, *init;
    const nst_image *const *styles;
    int n_styles;
    const char *simd;                    /* the kernel set where the settings name none; NULL: the fastest */
    bool on_cpu;                         /* where the settings leave the device to us, it is the CPU */

    /* for the whole run */
    nst_settings balanced;               /* the settings as they are for this model: nst_settings_balance */
    nst_cpu cpu;
    nst_affine space;
    float low[3], high[3];               /* of the planes of x */
    nst_layer_weight style[NST_MODEL_LAYERS], keep[NST_MODEL_LAYERS]; /* layers of the style and content losses */
    int n_style, n_keep;
    double *share;                       /* [n_styles] blend, sums to one */
    nst_plan plan;
    nst_graph_options net;               /* what graph was made from; its model is the run's */
    nst_graph *graph;
    int margin;                          /* pixels around every picture, a multiple of the graph's grid */
    nst_stats *stats[NST_MODEL_LAYERS];  /* of the picture, by row of style */
    double *a[NST_MODEL_LAYERS], *b[NST_MODEL_LAYERS]; /* the style losses' gradient, by row of style */
    float *fa[NST_MODEL_LAYERS], *fb[NST_MODEL_LAYERS]; /* the same for the graph */

    char notice[700];                    /* for the caller's next progress, "" when there is none */
    double began, spent;                 /* when, in seconds of nst_now; seconds of all iterations so far */
    nst_clock clock;
    bool late;                           /* ended by its limit of time */
    uint64_t *sums;                      /* of the inputs, for checkpoints; NULL until the first */

    /* for one scale */
    int scale, w, h;                     /* w, h with the margin */
    nst_style *target[NST_MODEL_LAYERS]; /* by row of style */
    nst_kept *kept[NST_MODEL_LAYERS];    /* by row of keep */
    double unit[NST_MODEL_LAYERS];       /* by row of keep: weight of its sum of squared differences */
    nst_image *picture;                  /* the content at this scale, recoloured, with its alpha */
    nst_optim *optim;
    float *x, *dx;                       /* [3][h][w] */
    double *exact;                       /* [3][h][w] while exact.c works */
    int exact_left;                      /* evaluations of this scale that are still made in double */
    float *good;                         /* [3][h][w] the last x whose losses were finite */
} nst_run;

/* Checks everything that can be wrong with the settings, the model and the pictures, and plans the scales.
 * Packs the model's weights.  On failure r holds nothing. */
nst_status nst_run_open(nst_run *r, nst_error *e);
void nst_run_close(nst_run *r);
/* Prepares scale r->scale: the content at its size, the targets of all losses.  x is left alone. */
nst_status nst_run_targets(nst_run *r, nst_error *e);
/* The losses at r->x into p (total, content, tv, style), their gradient into r->dx.  Allocates nothing, but for the
 * first two evaluations of a scale where exact.c makes them. */
nst_status nst_run_evaluate(nst_run *r, nst_progress *p, nst_error *e);
/* From r->stats: every style loss into p and its total, r->a and r->b. */
nst_status nst_run_style_losses(nst_run *r, nst_progress *p, nst_error *e);
/* exact.c: the same as nst_run_evaluate in double; whether this scale is small enough for it. */
nst_status nst_run_evaluate_exact(nst_run *r, nst_progress *p, nst_error *e);
bool nst_run_exact_fits(nst_run *r);
/* schedule.c.  Before all scales; after a checkpoint is restored; when a scale has been prepared. */
void nst_schedule_begin(nst_run *r);
void nst_schedule_resume(nst_run *r, const nst_progress *p);
void nst_schedule_enter(nst_run *r, double seconds);
/* After an iteration that p tells of (usual: made as the others are, not by exact.c): p->remaining, and with a limit of time
 * or of the loss's change the iterations of this and later scales, in r->plan, p->iterations and p->total_iterations. */
void nst_schedule_count(nst_run *r, nst_progress *p, bool usual);
/* Whether another iteration would pass the limit of time. */
bool nst_schedule_over(const nst_run *r, const nst_progress *p);
/* Frees what belongs to one scale but x. */
void nst_run_leave(nst_run *r);
nst_optim_options nst_run_optim(const nst_run *r);
/* Estimate of the process's peak memory in bytes. */
nst_status nst_run_measure(const nst_run *r, size_t *bytes, nst_error *e);

/* ---- fallback.c: devices that fail; e is not NULL ----------------------------------------------------- */

/* Makes r->graph by r->net; where the choice of the device is the run's and the device fails, on the CPU. */
nst_status nst_run_graph(nst_run *r, nst_error *e);
/* Whether after such a failure nst_run_give_way goes on. */
bool nst_run_yields(const nst_run *r, nst_status s);
/* After failure s (e says why) of the targets or an evaluation: the graph anew on the CPU, and this scale's targets;
 * x and the optimiser stay.  Returns s where the run does not yield. */
nst_status nst_run_give_way(nst_run *r, nst_status s, nst_error *e);

/* ---- margin.c: what lies around every picture while it is painted -------------------------------- */

/* plane [h][w], margin included: the margin is filled with the reflection of what is inside. */
void nst_margin_fill(float *plane, int w, int h, int margin);
/* The picture with the margin added by reflection, or cut off: replaced, or untouched on failure. */
nst_status nst_margin_add(nst_image **image, int margin, nst_error *e);
nst_status nst_margin_cut(nst_image **image, int margin, nst_error *e);
/* All of a w x h picture, margin included, is computed; what is inside the margin counts. */
nst_window nst_margin_window(int w, int h, int margin);

#endif
