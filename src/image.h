/* image.h: floor 2, pictures as they come from files and go to them. */
#ifndef NST_IMAGE_H
#define NST_IMAGE_H

#include <stdio.h>

#include "base.h"

struct nst_image {
    int width, height, channels; /* channels 3, or 4 with alpha */
    float *plane[4];             /* [height][width] each, inside one allocation */
};

/* Larger sides than this, or more pixels than NST_MAX_PIXELS, are refused as absurd. */
#define NST_MAX_SIDE 65535
#define NST_MAX_PIXELS ((size_t)1 << 30)

nst_image *nst_image_copy(const nst_image *in); /* NULL without memory */

/* ---- png.c, jpeg.c: from an open file at its start ---------------------- */
nst_status nst_png_read(nst_image **out, FILE *f, const char *path, nst_error *e);
nst_status nst_png_write(const nst_image *image, FILE *f, const char *path, const nst_write_options *o, nst_error *e);
nst_status nst_jpeg_read(nst_image **out, FILE *f, const char *path, nst_error *e);
nst_status nst_jpeg_write(const nst_image *image, FILE *f, const char *path, const nst_write_options *o, nst_error *e);

/* ---- color.c ------------------------------------------------------------- */

/* Linear light of an sRGB value and back (IEC 61966-2-1), odd-symmetric below 0, extended above 1. */
float nst_srgb_to_linear(float v);
float nst_linear_to_srgb(float v);

/* content's colours moved to style's mean and covariance by the symmetric
 * linear map (Gatys et al. 2017, "Controlling perceptual factors", sec. 5.3;
 * Pitie & Kokaram 2007): in place, share 0..1 of the way, clipped to [0,1]. */
nst_status nst_image_recolor(nst_image *content, const nst_image *style, double share, nst_error *e);

/* ---- resize.c ------------------------------------------------------------ */

/* A resampled copy: Lanczos of order 3 (widened when shrinking, so that it
 * antialiases) in linear light, alpha-weighted, clipped to [0,1].  Same size: an exact copy. */
nst_status nst_image_resize(nst_image **out, const nst_image *in, int width, int height, nst_error *e);

/* Bicubic (Catmull-Rom family, a = -0.75 as PyTorch's interpolate) or bilinear resampling of one plane of
 * plain numbers [h][w] to [oh][ow], half-pixel centres, no antialiasing, no clipping: for the optimised
 * tensor and the optimiser's state between scales. */
void nst_plane_bicubic(const float *in, int w, int h, float *out, int ow, int oh);
void nst_plane_bilinear(const float *in, int w, int h, float *out, int ow, int oh);

#endif
