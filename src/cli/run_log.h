/* run_log.h: the log of a run, a line an iteration: opened at its begin, or where it goes on. */
#ifndef NST_RUN_LOG_H
#define NST_RUN_LOG_H

#include <stdbool.h>
#include <stdio.h>

#include "nst.h"

/* Fails when there is a file at path that is no log, which the log of a run that goes on would change. */
nst_status nst_run_log_check(const char *path, nst_error *e);
/* An empty one. */
nst_status nst_run_log_open(FILE **out, const char *path, nst_error *e);
/* Of a run that goes on after so many iterations: their lines stay.  anew: a file that is no log is emptied. */
nst_status nst_run_log_reopen(FILE **out, const char *path, int iterations, bool anew, nst_error *e);

#endif
