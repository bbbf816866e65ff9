/* pixels.h: pixels between GIMP's drawables and libnst's pictures. */
#ifndef NST_GIMP_PIXELS_H
#define NST_GIMP_PIXELS_H

#include <libgimp/gimp.h>

#include "nst.h"

/* What the rectangle shows of a drawable, in sRGB, with alpha where the drawable has it. */
nst_status nst_pixels_read(GimpDrawable *from, const GeglRectangle *part, nst_image **out, nst_error *e);
/* How much of each pixel of the rectangle (in the drawable's coordinates) is selected, as a grey picture; *out is NULL
 * where all of them are. */
nst_status nst_pixels_selection(GimpImage *image, GimpDrawable *drawable, const GeglRectangle *part, nst_image **out,
                                nst_error *e);
/* Writes a picture into a layer of its size. */
void nst_pixels_write(nst_image *picture, GimpLayer *to);

#endif
