/* batch.h: `nst batch`: many contents, each in many styles. */
#ifndef NST_BATCH_H
#define NST_BATCH_H

#include "cli/options.h"

/* `batch [OPTION]... CONTENT... -- STYLE...`, files and folders.  A picture that fails is told, and the others are
 * painted.  When it fails with an empty e->text, all has been said. */
nst_status nst_batch_run(int argc, char **argv, nst_error *e);

#endif
