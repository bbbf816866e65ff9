/* plan.h: what a run takes, and how it is made to fit: windows, memory, time.  All of it takes the setup, and no
 * run. */
#ifndef NST_PLAN_H
#define NST_PLAN_H

#include "engine/setup.h"
#include "ops/optimizer.h"

typedef struct nst_ranks nst_ranks;

/* ---- tiling.c: a picture in windows ---------------------------------------------------------------- */

int nst_windows_count(nst_tiling t);
/* Rows of multiples of the grid in a side's core; what is left over belongs to the last. */
int nst_windows_cells(const nst_setup *u, int core);
/* As many windows as a rank's rows can be cut into. */
nst_tiling nst_windows_finest(const nst_setup *u, const nst_row_range *strip);
/* Columns of strips of a picture h high. */
nst_tiling nst_windows_strips(int h, int nx, int strip);
/* Whether the second pass begins with the window that the first one ended with. */
bool nst_windows_alike(const nst_layout *l);
/* Window i of a rank's rows, of which from..to-1 are the window's picture; strips go down a column, columns from left
 * to right. */
nst_window nst_windows_at(const nst_setup *u, const nst_row_range *strip, nst_tiling t, int i);

/* ---- tiling_search.c: the windows that fit and cost least --------------------------------------------- */

/* The windows of a rank's rows whose arenas take at most so many bytes and which cost least; false when not even small
 * ones do, and then t is for those. */
bool nst_plan_tiling(const nst_setup *u, const nst_row_range *strip, nst_use use, size_t arena, nst_tiling *t);
/* Bytes of the largest window's arena. */
size_t nst_plan_arena(const nst_setup *u, const nst_row_range *strip, nst_use use, nst_tiling t);
/* The window with the longest sides: no other takes more. */
nst_window nst_plan_largest(const nst_setup *u, const nst_row_range *strip, nst_tiling t);
/* Whether the device itself, whatever memory the process may take, has room for these windows; says so if not. */
nst_status nst_plan_device_fits(const nst_setup *u, const nst_row_range *strip, nst_tiling t, nst_error *e);
/* Work of a forward pass over all windows, as nst_graph_work counts. */
double nst_plan_work(const nst_setup *u, const nst_row_range *strip, nst_tiling t);

/* ---- memory_needs.c: what there is beside the windows --------------------------------------------------- */

/* Bytes that a scale holds beside the windows: while they are used, and at its worst moment without them. */
typedef struct nst_need {
    size_t beside, without;
} nst_need;
/* With so many pairs of L-BFGS; good: the last picture whose losses were finite is kept. */
nst_need nst_plan_needs(const nst_setup *u, int scale, int pairs, bool good);
/* The graph leaves room for the content's features of a scale, which is the next to be prepared. */
void nst_plan_leave_room(const nst_setup *u, int scale);

/* ---- memory_plan.c ----------------------------------------------------------------------------------- */

/* Fills u->limit and u->layout of every scale.  NST_EMEM with the number that would do. */
nst_status nst_plan_memory(nst_setup *u, nst_ranks *ranks, nst_error *e);
/* The layouts, in the plan's terms. */
void nst_plan_tell(const nst_setup *u, nst_plan *plan);

/* ---- lifetime.c ---------------------------------------------------------------------------------------- */

/* Whether a scale takes over anything of the optimiser of the one before. */
bool nst_plan_carries_optimizer(const nst_setup *u);
/* Whether the targets of a scale empty the content picture, which nothing reads after them. */
bool nst_plan_discards_content(const nst_setup *u, int scale);
/* What the settings say of the optimiser; its arrays' size and how sums are made are the scale's. */
nst_optim_options nst_plan_optim(const nst_setup *u, int pairs);

/* ---- style_sizes.c: how large each style picture is ---------------------------------------- */

/* u->style_scale from the settings; after the plan. */
nst_status nst_style_scales(nst_setup *u, nst_error *e);
/* Style i at a scale, no side below 32. */
void nst_style_size(const nst_setup *u, int scale, int i, int *w, int *h);

/* ---- rank_rows.c: which rows are whose; alone all of them are rank 0's ---------------------------------- */

/* Rank's strip of a picture of w x h, margin included; nothing when there are more ranks than strips. */
nst_row_range nst_rank_rows(const nst_setup *u, int w, int h, int rank);
/* This rank's. */
nst_row_range nst_rank_own_rows(const nst_setup *u, int w, int h);
int nst_rank_own(const nst_setup *u);
int nst_rank_count(const nst_setup *u);
/* A scale's sizes, margin included, and this rank's rows of it. */
void nst_plan_size(const nst_setup *u, int scale, int *w, int *h);
nst_row_range nst_plan_rows(const nst_setup *u, int scale);

/* ---- time_estimate.c ------------------------------------------------------------------------------------ */

/* About the seconds of the run, from a small picture that is timed; 0 for a moment.  Gives the
 * arena up. */
double nst_plan_seconds(const nst_setup *u);

/* ---- schedule.c ----------------------------------------------------------------------------------------- */

/* What was measured, in seconds, and what follows from it. */
typedef struct nst_clock {
    double losses;             /* of the style losses, just now */
    double iteration, fixed;   /* an iteration of this scale; of it, what does not go with the pixels */
    double preparation;        /* of this scale */
    int measured;              /* iterations of this scale */
    int foretold;              /* as many the scales before it stand for */
    int nominal[NST_MAX_LAYERS]; /* iterations of each scale as the settings have it */
    double best, best_before;  /* loss of the last iterations, and of those before them */
} nst_clock;

/* Before all scales of a plan. */
void nst_schedule_begin(nst_clock *c, const nst_plan *plan);
/* After a checkpoint is restored in the middle of a scale. */
void nst_schedule_resume(nst_setup *u, int scale, const nst_progress *p);
/* When a scale has been prepared, which took so many seconds. */
void nst_schedule_enter(nst_clock *c, const nst_setup *u, int scale, double seconds);
/* The losses mean something else from now on: none before counts as the best. */
void nst_schedule_forget(nst_clock *c);
/* After an iteration of a scale that p tells of: p->remaining, and with a limit of time or of the loss's change the
 * iterations of this and later scales, in u->plan, p->iterations and p->total_iterations. */
void nst_schedule_count(nst_clock *c, nst_setup *u, int scale, nst_progress *p);
/* Whether another iteration would pass the limit of time in seconds; 0: there is none. */
bool nst_schedule_over(const nst_clock *c, double time_limit, const nst_progress *p);

#endif
