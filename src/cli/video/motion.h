/* motion.h: what the painted picture before a new one says about it. */
#ifndef NST_VIDEO_MOTION_H
#define NST_VIDEO_MOTION_H

#include <stdbool.h>

#include "nst.h"

typedef struct nst_motion {
    nst_flow *there, *back; /* from the new picture to the one before, and from that to the new one */
    nst_image *warped;      /* the painted one before, moved to where things are now; alpha: how far that is known */
    nst_flow_change change;
} nst_motion;

/* The flows between the pictures `number` and `before` of the film, estimated or, with a pattern, read from files. */
nst_status nst_motion_flows(nst_motion *m, const nst_image *now, const nst_image *before, const char *pattern,
                            long number, long number_before, int threads, nst_error *e);
/* m->warped from the painted picture before. */
nst_status nst_motion_warp(nst_motion *m, const nst_image *painted, nst_error *e);
/* What to start from: the moved picture where it can be trusted, else `other`, which becomes it. */
void nst_motion_start(const nst_motion *m, nst_image *other);
/* 0..1: the share of the picture that the moved one says nothing of. */
double nst_motion_unknown(const nst_motion *m);
/* Where nothing moves, and where the film still shows what it showed when that place was painted (anchor), the painted
 * picture becomes the one before, to the bit; with a soft edge.  anchor is brought up to date. */
nst_status nst_motion_hold(const nst_motion *m, nst_image *painted, nst_image *before, nst_image *now,
                           nst_image *anchor, nst_error *e);
void nst_motion_leave(nst_motion *m);

#endif
