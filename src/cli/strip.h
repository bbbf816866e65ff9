/* strip.h: some pictures of a film that is painted, spread over all that are finished, for a page to show in a row. */
#ifndef NST_STRIP_H
#define NST_STRIP_H

#include <pthread.h>

#include "nst.h"

#define NST_STRIP 16 /* at most so many: when they are full, every second one goes */

typedef struct nst_strip {
    pthread_mutex_t lock; /* of what follows */
    int n;
    struct {
        long number;      /* the film's */
        int file;         /* a JPEG, unnamed */
    } at[NST_STRIP];
    /* of the painting's thread alone */
    long seen, every;
} nst_strip;
#define NST_STRIP_EMPTY { .lock = PTHREAD_MUTEX_INITIALIZER, .every = 1 }

/* A picture is finished.  It is kept or not. */
void nst_strip_add(nst_strip *s, long number, const nst_image *picture);
/* Takes all away: another pass begins, or the end. */
void nst_strip_clear(nst_strip *s);
/* An open file of its own for whoever shows that picture, or -1. */
int nst_strip_file(nst_strip *s, long number);
/* The numbers, "1,9,17"; as many as there is room for. */
void nst_strip_numbers(nst_strip *s, char *out, size_t room);

#endif
