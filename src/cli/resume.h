/* resume.h: `nst resume FILE [OPTION]...`. */
#ifndef NST_RESUME_H
#define NST_RESUME_H

#include "nst.h"

nst_status nst_resume_run(int argc, char **argv, nst_error *e);

#endif
