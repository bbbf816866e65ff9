/* web.h: the painting as it forms, on a page of a small web server of our own. */
#ifndef NST_WEB_H
#define NST_WEB_H

#include <stdbool.h>

#include "nst.h"

typedef struct nst_web nst_web;

/* Serves at host (NULL: 127.0.0.1) and port (0: a free one).  what says in words what is painted, content is shown
 * beside it.  *url [128] is where.  One at a time. */
nst_status nst_web_open(nst_web **w, const char *host, int port, const char *what, const nst_image *content,
                        double strength, char *url, nst_error *e);
/* An iteration: what the page shows, and what was pressed there; waits while it is paused.  *stop: the painting is to
 * be kept as it is.  pending asks whether a signal has come. */
void nst_web_progress(nst_web *w, const nst_progress *p, int (*pending)(void), bool *stop);
/* The page shows the end (result may be NULL), for a moment if someone looks, then nothing answers any more.  Takes the
 * address, accepts NULL. */
void nst_web_close(nst_web **w, const nst_image *result, bool stopped);

#endif
