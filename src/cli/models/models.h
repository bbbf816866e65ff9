/* models.h: the user's models: `nst model`, and which one a run uses. */
#ifndef NST_MODELS_H
#define NST_MODELS_H

#include "cli/options.h"

/* The file of the model to use, "small" for the built-in one, into path: what the user names (a file, or a model of
 * the user's or the system's folder), else $NST_MODEL, else vgg19 of these folders, else the built-in one. */
nst_status nst_models_find(const char *named, char *path, size_t bytes, nst_error *e);
/* Opens it, with --model-input over what it says. */
nst_status nst_models_open(nst_model **out, const nst_command *c, nst_error *e);
/* Where the model was found, when it was not told by a file's name: " (the system's, in /usr/share/nst/models)"; else
 * "". */
const char *nst_models_reason(const nst_command *c, char *text, size_t bytes);
/* `nst model COMMAND [FILE] [NAME]`, already parsed: COMMAND is c->content, the others are c->style. */
nst_status nst_models_run(const nst_command *c, nst_error *e);

#endif
