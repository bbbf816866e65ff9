/* beside.h: a new file that another library writes by name, until it is whole and gets the name that is meant. */
#ifndef NST_VIDEO_BESIDE_H
#define NST_VIDEO_BESIDE_H

#include "cli/paths.h"

typedef struct nst_beside {
    char real[NST_PATH_BYTES];      /* what lies behind the name, links followed */
    char name[NST_PATH_BYTES + 32]; /* in the same folder; "": there is none */
    int fd;                         /* of it; its lock says that this run lives */
} nst_beside;

/* Makes an empty file that nobody had, with the rights of the one at path, where there is one.  NST_EIO. */
nst_status nst_beside_open(nst_beside *b, const char *path, nst_error *e);
/* Puts it in the place of path, which stays a link if it is one.  NST_EIO: it is gone. */
nst_status nst_beside_keep(nst_beside *b, const char *path, nst_error *e);
/* Removes it, where there is one. */
void nst_beside_drop(nst_beside *b);

#endif
