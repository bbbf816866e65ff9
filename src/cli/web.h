/* web.h: the painting as it forms, on a page of a small web server of our own. */
#ifndef NST_WEB_H
#define NST_WEB_H

#include <stdbool.h>

#include "cli/options.h"

typedef struct nst_web nst_web;

/* How far a film is. */
typedef struct nst_web_film {
    int pass;            /* from 1 */
    long number;         /* of the picture that is painted, from 1 */
    double done, total;  /* pictures of all passes; total 0: unknown */
    double left;         /* seconds; -1: unknown */
} nst_web_film;

/* Where the command line asks for a page, serves it at c->web_host and c->web_port, and unless quiet says where; else
 * *w is NULL.  content is shown beside the painting.  One at a time. */
nst_status nst_web_open(nst_web **w, const nst_command *c, bool quiet, const nst_image *content, double strength,
                        nst_error *e);
/* The same for a film, of which nst_web_begin_picture says more. */
nst_status nst_web_open_film(nst_web **w, const nst_command *c, bool quiet, nst_error *e);
/* An iteration: what the page shows, and what was pressed there; waits while it is paused.  *stop: the painting is to
 * be kept as it is.  pending asks whether a signal has come. */
void nst_web_progress(nst_web *w, const nst_progress *p, int (*pending)(void), bool *stop);
/* A film's next picture is going to be painted; film is what it shows. */
void nst_web_begin_picture(nst_web *w, const nst_web_film *at, const nst_image *film);
/* It is painted: the page shows it, and it may go into the strip. */
void nst_web_end_picture(nst_web *w, long number, const nst_image *film, const nst_image *painted);
/* The page shows the end (result may be NULL), for a moment if someone looks, then nothing answers any more.  Takes the
 * address, accepts NULL. */
void nst_web_close(nst_web **w, const nst_image *result, bool stopped);

#endif
