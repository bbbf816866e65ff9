/* fetch.h: one file over the network, by libcurl. */
#ifndef NST_FETCH_H
#define NST_FETCH_H

#include <stdbool.h>

#include "nst.h"

typedef struct nst_fetch {
    const char *url;
    long long bytes;   /* how long it must be; 0: not known */
    bool checked;      /* its checksum is known: what was begun may be gone on with whatever the server says of it */
    bool plain;        /* http:// may be used as well as https:// */
    bool quiet;
    const char *part;  /* where it is collected; what of it is there already is not asked for again */
} nst_fetch;

/* Collects the file in part, all of it.  On failure part holds what has come so far, for the next time, unless the
 * server told that it is another file.  Beside it lies part.from, which says what it is a part of. */
nst_status nst_fetch_file(const nst_fetch *f, nst_error *e);

#endif
