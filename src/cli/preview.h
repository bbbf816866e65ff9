/* preview.h: the painting as it forms, in the terminal. */
#ifndef NST_PREVIEW_H
#define NST_PREVIEW_H

#include <stdbool.h>

#include "nst.h"

typedef struct nst_preview {
    bool on;
    int rows;          /* of the picture that stands right above the cursor; 0: none */
    double last, took; /* seconds into the run; of the last one */
} nst_preview;

/* NST_EUNSUPPORTED in a build without chafa, NST_EARG where standard error is no terminal. */
nst_status nst_preview_open(nst_preview *v, nst_error *e);
/* Whether it is time: a few times a minute, and a twentieth of the time at most. */
bool nst_preview_due(const nst_preview *v, const nst_progress *p);
/* Draws on standard error, over the picture before; the cursor ends below it, at the start of a line. */
void nst_preview_draw(nst_preview *v, const nst_progress *p);
/* Something else was written: the next picture goes below. */
void nst_preview_leave(nst_preview *v);

#endif
