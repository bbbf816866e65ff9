/* palette.h: 256 colours for a picture of a GIF. */
#ifndef NST_VIDEO_PALETTE_H
#define NST_VIDEO_PALETTE_H

#include <stdint.h>

#include "nst.h"

/* Finds the colours of a picture: their numbers go into index, rows stride bytes apart, and the colours, as 0xAARRGGBB
 * in this machine's order, into colors [256].  A region that is the same in two pictures may get other colours. */
void nst_palette_fill(nst_image *picture, uint8_t *index, int stride, uint8_t *colors);

#endif
