/* checkpoint.h: a run between two iterations, as a file.
 *
 * The file is a safetensors file.  Its metadata says "nst.checkpoint":"FORMAT VERSION"; its tensors are, in this order
 * and nothing else:
 *   x          F32 [3][h][w]          margin included
 *   optimizer  F32 [arrays][3][h][w]  as nst_optim_array numbers them
 *   rho        F64 [pairs]            L-BFGS
 *   inputs     U64 [2 + styles]       sums of the model, the content picture, the style pictures
 *   settings   U8                     every field of nst_settings, a line each
 *   state      U8                     every field of nst_saved, a line each
 *   note       U8                     the caller's text
 *   sum        U64 [1]                of every byte before it
 */
#ifndef NST_CHECKPOINT_H
#define NST_CHECKPOINT_H

#include "engine/run.h"
#include "ops/optimizer.h"

#define NST_CHECKPOINT_FORMAT 2
#define NST_CHECKPOINT_TENSORS 8
#define NST_CHECKPOINT_TEXT 65536 /* bytes of settings, state and note at most, each */

/* Where the run stands, beside its numbers. */
typedef struct nst_saved {
    char simd[16];         /* the set that computed it */
    int on_cpu;            /* 0: a device */
    int styles;
    int width, height, margin; /* of x, margin included; the margin */
    int scale, iteration, done;
    double best, best_before; /* of the clock */
    double elapsed, spent; /* seconds */
    double loss;           /* the last total, for people */
    int planned;           /* iterations of this scale, which --until may have cut */
    double style_weight, tv_weight; /* as nst_progress_strength left them */
    uint64_t limit;        /* bytes of memory, from which windows and history follow */
    int history;
    nst_optim_state optim;
} nst_saved;

const nst_field *nst_saved_fields(int *n);

struct nst_checkpoint {
    char *path;
    FILE *f;
    nst_settings s;
    nst_saved saved;
    char *note;
    struct {
        uint64_t at, bytes; /* in the file */
    } tensor[NST_CHECKPOINT_TENSORS];
};

/* Which tensor is which. */
enum { NST_KEPT_X, NST_KEPT_OPTIMIZER, NST_KEPT_RHO, NST_KEPT_INPUTS, NST_KEPT_SETTINGS, NST_KEPT_STATE, NST_KEPT_NOTE,
       NST_KEPT_SUM };
extern const char *const nst_checkpoint_names[NST_CHECKPOINT_TENSORS];
extern const char *const nst_checkpoint_types[NST_CHECKPOINT_TENSORS];

/* Sums of the run's inputs: [2 + n_styles]. */
void nst_checkpoint_inputs(const nst_run *r, uint64_t *sums);

/* The run, opened with the checkpoint's settings, as it was: its scale is prepared, x and the optimiser are filled, p
 * is where it was.  NST_EARG when a picture or the model is another one. */
nst_status nst_checkpoint_restore(const nst_checkpoint *c, nst_run *r, nst_progress *p, nst_error *e);

#endif
