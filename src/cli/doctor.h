/* doctor.h: `nst doctor`: on one screen what a report about this program needs. */
#ifndef NST_DOCTOR_H
#define NST_DOCTOR_H

#include "cli/options.h"

/* `doctor [OPTION]...`: the options of a painting, no pictures.  Goes on after what is bad, and fails at the end with
 * an empty e->text, for all has been said. */
nst_status nst_doctor_run(int argc, char **argv, nst_error *e);

#endif
