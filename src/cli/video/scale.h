/* scale.h: pictures between libav's frames, of any pixel format, and nst's. */
#ifndef NST_VIDEO_SCALE_H
#define NST_VIDEO_SCALE_H

#include <stdbool.h>

#include "nst.h"

struct AVFrame;
struct SwsContext;

typedef struct nst_scaler {
    struct SwsContext *context;
    struct AVFrame *rgb; /* bytes R G B A */
} nst_scaler;

/* One of 0 to 1 as one of 0 to 255; what is outside, and no number, is made to fit. */
static inline int nst_scaler_byte(float v)
{
    if (!(v > 0))
        return 0;
    return v < 1 ? (int)(v * 255 + .5f) : 255;
}

/* Loads libswscale.  NST_EUNSUPPORTED. */
nst_status nst_scaler_load(nst_error *e);
/* A frame as a picture of three channels, scaled to [height][width] and turned to the right by so many quarters; what
 * is transparent is laid on white.  label names the film in errors. */
nst_status nst_scaler_picture(nst_scaler *s, const struct AVFrame *frame, int width, int height, int turn,
                              nst_image **out, const char *label, nst_error *e);
/* A picture into a frame of the same size that has its buffers, format, matrix and range. */
nst_status nst_scaler_frame(nst_scaler *s, nst_image *picture, struct AVFrame *frame, const char *label, nst_error *e);
/* Replaces a picture by one of three channels and another size. */
nst_status nst_scaler_resize(nst_image **picture, int width, int height, const char *label, nst_error *e);
/* Whether a pixel format is luma and chroma. */
bool nst_scaler_is_yuv(int format);
void nst_scaler_close(nst_scaler *s);

#endif
