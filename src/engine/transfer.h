/* transfer.h: presets, scales and the loop. */
#ifndef NST_TRANSFER_H
#define NST_TRANSFER_H

#include "base/fields.h"
#include "image/image.h"
#include "net/graph.h"

/* ---- preset.c ------------------------------------------------------------ */

/* Checks every field's range and that they do not contradict each other. */
nst_status nst_settings_check(const nst_settings *s, nst_error *e);

/* Every field of nst_settings, in order. */
const nst_field *nst_settings_fields(int *n);

typedef struct nst_layer_weight {
    int layer; /* index in the model */
    double weight;
} nst_layer_weight;

/* Parses "conv1_1:0.5,conv2_1" against a model; also accepts relu1_1 and relu names.  At most max rows. */
nst_status nst_layers_parse(const char *text, const nst_model *m, nst_layer_weight *out, int max, int *n,
                            nst_error *e);

/* ---- strength.c ----------------------------------------------------------- */

/* Works what s->strength means into the other values; the strength is 50 then. */
void nst_settings_balance(nst_settings *s);

/* ---- scale_plan.c --------------------------------------------------------- */

/* Refuses a content picture whose result would have absurd sides, and says which size would do. */
nst_status nst_scales_check(const nst_settings *s, const nst_image *content, nst_error *e);
/* Width, height and iterations of each scale, coarse to fine, for a content picture of w x h.  plan->bytes is
 * left 0. */
nst_status nst_scales_plan(const nst_settings *s, int w, int h, nst_plan *plan, nst_error *e);
/* Size of a style picture of w x h at a scale of the plan (0 the coarsest); no side is below 32. */
void nst_scales_style(const nst_settings *s, const nst_plan *plan, int scale, int w, int h, int *ow, int *oh);

/* ---- memory_plan.c -------------------------------------------------------- */

/* Bytes that the process may take: the settings', or three quarters of what is free, shared by so many. */
size_t nst_budget_limit(const nst_settings *s, size_t sharers);

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
