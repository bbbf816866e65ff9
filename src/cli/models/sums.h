/* sums.h: checksums of files, by nettle. */
#ifndef NST_SUMS_H
#define NST_SUMS_H

#include <stdbool.h>

#include "nst.h"

/* Both in lower-case hexadecimal, empty before they are computed. */
typedef struct nst_sums {
    char sha256[65], md5[33];
} nst_sums;

/* Whether this build can. */
bool nst_sums_here(void);
/* Of a whole file: a second for 575 MB.  NST_EIO, and NST_EUNSUPPORTED where the build lacks the library. */
nst_status nst_sums_file(const char *path, nst_sums *sums, nst_error *e);

#endif
