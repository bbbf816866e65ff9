/* run.h: one run of nst_transfer: parts with one lifetime each. */
#ifndef NST_RUN_H
#define NST_RUN_H

#include "engine/plan/plan.h"
#include "engine/ranks/ranks.h"
#include "engine/scale/scale.h"

/* What the losses of a scale compare with. */
typedef struct nst_targets {
    int scale;                               /* that they are of */
    nst_style *style[NST_STYLE_ROWS];        /* by row of setup.style */
    nst_saved_features **content[NST_MODEL_LAYERS]; /* by row of setup.content_layer and window of the gradient's */
    double content_scale[NST_MODEL_LAYERS];  /* by the same row: weight of its sum of squared differences */
    nst_image *picture;                      /* the content at this scale, recoloured; NULL once x is made */
    nst_region *region;                      /* [n_styles] of the content, with content masks */
    struct nst_held *held;                   /* [n_temporal], or NULL */
} nst_targets;

/* What a scale's iterations change, and what the result is made from. */
typedef struct nst_state {
    float *x, *dx;       /* [3][own rows][w] */
    nst_halo *halo;    /* the same with the rows around them; NULL alone */
    nst_optim *optim;
    float *last_finite;  /* [3][own rows][w] the last x whose losses were finite, or NULL */
    float *alpha;        /* [height][width] without the margin, or NULL */
} nst_state;

/* Room for an evaluation, by row of setup.style. */
typedef struct nst_eval {
    nst_stats *stats[NST_STYLE_ROWS];                                     /* of the picture */
    double *grad_gram[NST_STYLE_ROWS], *grad_mean[NST_STYLE_ROWS];        /* the style losses' gradient */
    float *gram_float[NST_STYLE_ROWS], *mean_float[NST_STYLE_ROWS];       /* the same for the graph */
    nst_error *error;                                                     /* [n_style]: forty kilobytes of stack else */
} nst_eval;

struct nst_run {
    nst_job job;                         /* filled by the caller, const from nst_run_open on */
    nst_setup setup;                     /* until nst_run_close */
    nst_ranks ranks;
    nst_eval eval;

    /* one scale */
    int scale, w, h;                     /* w, h with the margin */
    nst_row_range strip;                     /* of it */
    nst_targets targets;
    nst_state state;

    /* what the caller is told */
    char notice[700];                    /* with the next progress, "" when there is nothing */
    double began, spent;                 /* when, in seconds of nst_now; seconds of all iterations so far */
    nst_clock clock;
    bool late;                           /* ended by its limit of time */
    uint64_t *sums;                      /* of the inputs, for checkpoints; NULL until the first */
};

/* ---- setup.c ------------------------------------------------------------------------------------------------- */

/* Checks everything that can be wrong with the settings, the model and the pictures, and plans the scales.
 * Packs the model's weights.  On failure r holds nothing. */
nst_status nst_run_open(nst_run *r, nst_error *e);
void nst_run_close(nst_run *r);
/* Frees all of it. */
void nst_state_free(nst_state *s);
/* Options of the scale's optimiser, whose sums are all ranks'. */
nst_optim_options nst_run_optim(const nst_run *r);

/* result.c: x [3][own rows][w] as a picture, without the margin and with the content's alpha; on rank 0, elsewhere
 * NULL. */
nst_status nst_result_decode(nst_run *r, const float *x, nst_image **out, nst_error *e);
/* result.c: *out, which may be of any scale, at the size of the last one. */
nst_status nst_result_enlarge(const nst_run *r, nst_image **out, nst_error *e);

/* checkpoint.c: r->sums, once a run. */
nst_status nst_run_sum_inputs(nst_run *r, nst_error *e);

/* ---- fallback.c: devices that fail; e is not NULL ----------------------------------------------------- */

/* Makes the graph by setup.net; where the choice of the device is the run's and the device fails, on the CPU. */
nst_status nst_run_graph(nst_run *r, nst_error *e);
/* Whether after such a failure nst_fall_back goes on. */
bool nst_can_fall_back(const nst_run *r, nst_status s);
/* After failure s (e says why) of the targets or an evaluation: the graph anew on the CPU, and this scale's targets;
 * x and the optimiser stay.  Returns s where the run does not yield. */
nst_status nst_fall_back(nst_run *r, nst_status s, nst_error *e);

#endif
