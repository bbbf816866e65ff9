/* snapshot.h: a picture that a painting's thread renews and a server's threads show: a JPEG, in an unnamed file. */
#ifndef NST_SNAPSHOT_H
#define NST_SNAPSHOT_H

#include <pthread.h>
#include <stdbool.h>

#include "nst.h"

typedef struct nst_snapshot {
    pthread_mutex_t lock; /* of what follows */
    int file;             /* -1: none yet */
    int number;           /* of the picture, from 1 */
    /* of the painting's thread alone */
    double drawn, took;   /* when the last one was made, and how long that took */
} nst_snapshot;
#define NST_SNAPSHOT { .lock = PTHREAD_MUTEX_INITIALIZER, .file = -1 }

/* A picture as JPEG in an unnamed file; -1: there is no room for it. */
int nst_snapshot_draw(const nst_image *image);
/* Puts a picture in the place of the last one; when that fails, the last one stays.  NULL takes it away. */
void nst_snapshot_put(nst_snapshot *s, const nst_image *image);
/* Whether it is time for another picture: at most one a second, and a twentieth of the time. */
bool nst_snapshot_due(const nst_snapshot *s);
/* The same of a run, from its callback. */
void nst_snapshot_renew(nst_snapshot *s, const nst_progress *p);
/* An open file of its own for whoever shows it, or -1; *number says which, and may be NULL. */
int nst_snapshot_file(nst_snapshot *s, int *number);
int nst_snapshot_number(nst_snapshot *s);

#endif
