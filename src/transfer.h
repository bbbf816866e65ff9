/* transfer.h: floor 4, presets, scales and the loop. */
#ifndef NST_TRANSFER_H
#define NST_TRANSFER_H

#include "graph.h"
#include "image.h"

/* ---- preset.c ------------------------------------------------------------ */

/* Checks every field's range and that they do not contradict each other. */
nst_status nst_settings_check(const nst_settings *s, nst_error *e);

typedef struct nst_layer_weight {
    int layer; /* index in the model */
    double weight;
} nst_layer_weight;

/* Parses "conv1_1:0.5,conv2_1" against a model; also accepts relu1_1 and relu names.  At most max rows. */
nst_status nst_layers_parse(const char *text, const nst_model *m, nst_layer_weight *out, int max, int *n,
                            nst_error *e);

/* ---- scale.c -------------------------------------------------------------- */

/* Width and height of each scale, coarse to fine, for a content picture of w x h. */
nst_status nst_scales_plan(const nst_settings *s, int w, int h, nst_plan *plan, nst_error *e);

#endif
