/* optimizer.h: Adam and L-BFGS on flat arrays. */
#ifndef NST_OPTIMIZER_H
#define NST_OPTIMIZER_H

#include "ops/dispatch.h"

typedef struct nst_optim nst_optim;

typedef struct nst_optim_options {
    int kind;                       /* nst_optimizer */
    double learning_rate, beta1, beta2;
    double average;                 /* decay of the averaged iterate; 0: none */
    int history;                    /* L-BFGS pairs */
    double first_step;              /* L-BFGS: the first step's root mean square in units of x; 0: by 1/|g|_1 */
    const float *low, *high;        /* [n / plane] bounds of each plane of x, or NULL: clamped after each step */
    size_t plane;                   /* floats a plane */
    void (*sum)(void *arg, double *v, size_t n); /* when x is a share of a longer vector: adds v over all of them; or
                                                    NULL */
    void *sum_arg;
} nst_optim_options;

/* For n numbers.  x0 [n] is the start (it enters the average).  Adam as torch.optim.Adam (eps 1e-8 after
 * bias correction); L-BFGS as torch.optim.LBFGS without line search: first step min(1, 1/|g|_1) * rate, or as
 * long as first_step says, later rate; a pair is kept only if y.s > 1e-10; initial Hessian y.s / y.y. */
nst_status nst_optim_create(nst_optim **out, const nst_optim_options *o, size_t n, const float *x0, nst_error *e);
void nst_optim_destroy(nst_optim **s);
/* One step: x [n] moves against gradient g [n].  Allocates nothing. */
void nst_optim_step(const nst_cpu *cpu, nst_optim *s, const float *g, float *x);
/* The averaged iterate when there is one, else x itself. */
const float *nst_optim_result(const nst_optim *s, const float *x);
/* Bytes that nst_optim_create will allocate. */
size_t nst_optim_bytes(const nst_optim_options *o, size_t n);
/* For the next scale: Adam's step counter goes over to `to`, and its moments are the caller's to resample. */
void nst_optim_carry(const nst_optim *from, nst_optim *to);
/* Adam's first (0) or second (1, not negative) moment [n]; NULL for L-BFGS. */
float *nst_optim_moment(const nst_optim *s, int i);

/* What a checkpoint keeps of an optimiser between two steps, beside its arrays. */
typedef struct nst_optim_state {
    int step, averaged;
    int pairs;       /* L-BFGS: complete ones */
    int arrays;      /* of n floats: the average, Adam's m and v, L-BFGS's s and y of each pair, oldest first, and last
                        those of the pair in the making */
    double diagonal; /* L-BFGS: of the initial Hessian's inverse */
} nst_optim_state;
void nst_optim_state_get(const nst_optim *s, nst_optim_state *state);
/* Into an optimiser that was just created with the same options; the arrays are then to be filled.  False, and it is
 * of no use, when the state cannot be one of its kind. */
bool nst_optim_state_set(nst_optim *s, const nst_optim_state *state);
float *nst_optim_array(nst_optim *s, int i); /* [n], i < arrays */
double *nst_optim_rho(nst_optim *s, int i);  /* 1 / y.s of pair i < pairs */
/* The loss is another one from now on: L-BFGS forgets what it knows of its curvature. */
void nst_optim_forget(nst_optim *s);

#endif
