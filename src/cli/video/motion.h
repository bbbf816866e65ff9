/* motion.h: what the painted picture before a new one says about it. */
#ifndef NST_VIDEO_MOTION_H
#define NST_VIDEO_MOTION_H

#include <stdbool.h>

#include "nst.h"

typedef struct nst_motion {
    nst_flow *there, *back; /* from the new picture to the one before, and from that to the new one */
    nst_image *warped;      /* the painted one before, moved to where things are now; alpha: how far to hold to it */
    nst_image *known;       /* first plane: how far that is known; alpha: its age, 1 from the fifth picture on */
    nst_flow_change change;
} nst_motion;

/* The flows between the pictures `number` and `before` of the film, estimated or, with a pattern, read from files. */
nst_status nst_motion_flows(nst_motion *m, const nst_image *now, const nst_image *before, const char *pattern,
                            long number, long number_before, int threads, nst_error *e);
/* m->warped and m->known from the painted picture before and its anchor. */
nst_status nst_motion_warp(nst_motion *m, const nst_image *painted, const nst_image *anchor, nst_error *e);
/* What to start from: the moved picture where it can be trusted, else `other`, which becomes it. */
void nst_motion_start(const nst_motion *m, nst_image *other);
/* 0..1: the share of the picture that the moved one says nothing of. */
double nst_motion_unknown(const nst_motion *m);
/* An anchor: a film's picture, what is painted of it being of full age (alpha 1). */
nst_status nst_motion_anchor(nst_image *film, nst_image **out, nst_error *e);
/* The ages in anchor's alpha: what was painted once more is older, what came into view begins. */
void nst_motion_grow_older(const nst_motion *m, nst_image *anchor);
/* Where nothing moves, what is painted is of full age, and the film still shows what it showed when that place was
 * painted (anchor), the painted picture becomes the one before, to the bit; with a soft edge.  anchor's colours are
 * brought up to date. */
nst_status nst_motion_hold(const nst_motion *m, nst_image *painted, nst_image *before, nst_image *now,
                           nst_image *anchor, nst_error *e);
void nst_motion_leave(nst_motion *m);

#endif
