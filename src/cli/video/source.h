/* source.h: where a film's pictures come from: a film, or a photograph that stands still. */
#ifndef NST_VIDEO_SOURCE_H
#define NST_VIDEO_SOURCE_H

#include "cli/video/film.h"

typedef struct nst_source {
    const char *path;
    nst_film film;    /* not used for a photograph */
    nst_image *photo; /* or NULL */
    int width, height;
    double rate;
    long number; /* of the picture at hand, from 1 */
    long count;  /* pictures, about for a film; 0: unknown */
    bool at_end;
} nst_source;

/* Opens a film, or with frames > 0 a photograph for so many pictures.  longest: of their sides, 0: their own. */
nst_status nst_source_open(nst_source *s, const char *path, const nst_film_range *range, int frames, int longest,
                           nst_error *e);
/* Goes to the next picture; s->at_end: there is none. */
nst_status nst_source_step(nst_source *s, nst_error *e);
/* The picture at hand, the caller's. */
nst_status nst_source_picture(nst_source *s, nst_image **out, nst_error *e);
void nst_source_close(nst_source *s);

#endif
