/* known.h: a model and what is known of its file beside what it says itself; models that are kept. */
#ifndef NST_KNOWN_H
#define NST_KNOWN_H

#include "cli/models/sources.h"
#include "cli/models/sums.h"
#include "cli/options.h"

typedef struct nst_known {
    nst_model *m;
    nst_sums sums;            /* empty where they were not asked for, or cannot be computed */
    const nst_source *source; /* NULL: none of the table */
    bool kept;                /* it is a trimmed copy of the source */
    bool named;               /* only its name says that it is the source */
    char why[200];            /* its input is believed */
} nst_known;

/* Opens a file, with --model-input over what it says and what is known of it; k begins empty.  Thoroughly: by its
 * checksum, which takes a second for 575 MB, too. */
nst_status nst_known_open(nst_known *k, const char *path, const nst_command *c, bool thoroughly, nst_error *e);
/* The same, thoroughly, for what nst_places_find finds. */
nst_status nst_known_named(nst_known *k, const char *named, const nst_command *c, nst_error *e);
/* "vgg19" or "vgg16" when it has all layers of such up to conv5_1, else NULL. */
const char *nst_known_likeness(const nst_model *m);

/* obtain.c: `nst model import` and `fetch`: models into the user's folder. */
nst_status nst_obtain_import(const nst_command *c, nst_error *e);
nst_status nst_obtain_fetch(const nst_command *c, nst_error *e);

#endif
