/* inputs.h: what a painting is made of: the model and the pictures that the command line names. */
#ifndef NST_INPUTS_H
#define NST_INPUTS_H

#include "cli/options.h"

typedef struct nst_inputs {
    nst_model *model; /* opened with the pictures, unless it is there already; stays from one painting to the next */
    nst_image *content, *style[NST_MAX_STYLES], *init;
} nst_inputs;

/* Reads what c names, no larger than the settings need it. */
nst_status nst_inputs_open(nst_inputs *in, const nst_command *c, const nst_settings *settings, nst_error *e);
/* Gives the pictures back. */
void nst_inputs_leave(nst_inputs *in);
/* All ranks have read the same: what their machines have under a name may differ, and their users' options. */
nst_status nst_inputs_same(const nst_inputs *in, int styles, const nst_settings *settings, const nst_comm *comm,
                           nst_error *e);

#endif
