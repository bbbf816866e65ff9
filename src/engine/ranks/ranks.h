/* ranks.h: a run by several ranks: what they tell each other, and the rows that pass between them. */
#ifndef NST_RANKS_H
#define NST_RANKS_H

#include "engine/setup.h"
#include "loss/style.h"
#include "ops/optimizer.h"

typedef struct nst_run nst_run;

/* The others.  Alone most of what follows is nothing. */
typedef struct nst_ranks {
    const nst_comm *comm; /* NULL: alone */
    bool cut_off;         /* comm does not reach them any more */
} nst_ranks;

/* ---- comm.c ------------------------------------------------------------------------------------------------ */

/* Everyone's failure, when one has failed; s and e are this rank's. */
nst_status nst_ranks_agree(nst_ranks *r, nst_status s, nst_error *e);
bool nst_ranks_any(nst_ranks *r, bool v);
int nst_ranks_least(nst_ranks *r, int v);
void nst_ranks_sum(nst_ranks *r, double *v, size_t n);
void nst_ranks_stats(nst_ranks *r, nst_stats *s);
/* After nst_schedule_count: everyone's times and iterations are rank 0's, by whose clock they end; returns its over. */
bool nst_ranks_schedule(nst_ranks *r, nst_plan *plan, nst_progress *p, bool over);

/* ---- halo.c ------------------------------------------------------------------------------------------------ */

/* What a rank has of its neighbours' rows. */
typedef struct nst_halo nst_halo;

/* Floats for this rank's share of a scale: what nst_halo_open takes. */
size_t nst_halo_floats(const nst_setup *u, int w, int h);
/* r->state.halo for r->w x r->h; not told to the others. */
nst_status nst_halo_open(nst_run *r, nst_error *e);
void nst_halo_close(nst_halo **halo);
/* x and dx of rows strip.from..to-1: those of r->state themselves when alone. */
const float *nst_halo_x(const nst_run *r);
float *nst_halo_dx(const nst_run *r);
/* The neighbours' rows of x are fetched; the gradients with respect to them are handed to them and added. */
void nst_halo_exchange(nst_run *r);
void nst_halo_reduce(nst_run *r);
/* From arrays [3][own rows][w] of a picture of w x h, rows from[rank]..to[rank]-1 of it for each rank: [3][rows][w]. */
void nst_halo_fetch(nst_run *r, const float *own, int w, int h, const int *from, const int *to, float *rows);
/* On rank 0 the rows of a rank's strip, which are in own where it is rank 0's, else come to buffer; elsewhere NULL. */
const float *nst_halo_gather(nst_run *r, int rank, const float *own, float *buffer);

/* ---- upscale.c: from a scale to the next ----------------------------------------------------------- */

/* This rank's rows of the new scale's x, from those of a picture of w x h, kept in [0,1], the margin filled. */
nst_status nst_enlarge(nst_run *r, const float *from, int w, int h, float *x, nst_error *e);
/* Adam's moments. */
nst_status nst_enlarge_optim(nst_run *r, const nst_optim *from, int w, int h, nst_error *e);

#endif
