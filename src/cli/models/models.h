/* models.h: the user's models: `nst model`, and which one a run uses. */
#ifndef NST_MODELS_H
#define NST_MODELS_H

#include "cli/models/places.h"
#include "cli/options.h"

/* Opens the model that nst_places_find finds, with --model-input over what it says. */
nst_status nst_models_open(nst_model **out, const nst_command *c, nst_error *e);
/* Where the model was found, when it was not told by a file's name: " (the system's, in /usr/share/nst/models)"; else
 * "". */
const char *nst_models_reason(const nst_command *c, char *text, size_t bytes);
/* `nst model COMMAND [FILE] [NAME]`, already parsed: COMMAND is c->content, the others are c->style. */
nst_status nst_models_run(const nst_command *c, nst_error *e);

#endif
