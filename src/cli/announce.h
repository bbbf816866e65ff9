/* announce.h: what a painting says of itself before and after its run. */
#ifndef NST_ANNOUNCE_H
#define NST_ANNOUNCE_H

#include "cli/paint.h"

/* On standard output, for --dry-run: scales, model, memory, time, name. */
void nst_announce_dry(const nst_painting *p);
/* On standard error: model, device, size, memory and time, and what the machine's memory has changed. */
void nst_announce_start(const nst_painting *p);
/* On standard error: how it ended. */
void nst_announce_end(const nst_painting *p);

#endif
