/* guard.h: files that a foreign library reads are first opened in a child process, which may crash. */
#ifndef NST_GUARD_H
#define NST_GUARD_H

#include "nst.h"

/* NST_OK for files of other formats, and for those that a child could open; what it failed with, else NST_EFORMAT when
 * it crashed or took too much time or memory. */
nst_status nst_guard_try(const char *path, nst_error *e);

#endif
