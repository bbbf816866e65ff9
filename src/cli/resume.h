/* resume.h: `nst resume FILE [OPTION]...`. */
#ifndef NST_RESUME_H
#define NST_RESUME_H

#include "cli/paint.h"

/* Makes *p, all zero before, the painting of a checkpoint: what `nst resume` with these arguments would go on with.  It
 * is given back by nst_paint_close, after a failure, too. */
nst_status nst_resume_open(nst_painting *p, int argc, char **argv, nst_error *e);
nst_status nst_resume_run(int argc, char **argv, nst_error *e);

#endif
