/* settings.h: what settings say: presets, fields and their ranges, lists of layers, sizes. */
#ifndef NST_SETTINGS_H
#define NST_SETTINGS_H

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

/* Bytes that the process may take: the settings', or three quarters of what is free, shared by so many. */
size_t nst_settings_memory(const nst_settings *s, size_t sharers);

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

#endif
