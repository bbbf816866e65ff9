/* image.h: pictures as they come from files and go to them. */
#ifndef NST_IMAGE_H
#define NST_IMAGE_H

#include <stdio.h>

#include "base/base.h"

/* Weights 0..1, [h][w], or NULL. */
typedef struct nst_mask {
    int w, h;
    float *weight;
    int file_w, file_h; /* of the picture that it was read from, before that was made smaller */
} nst_mask;

struct nst_image {
    int width, height, channels; /* channels 3, or 4 with alpha */
    float *plane[4];             /* [height][width] each, inside one allocation */
    int file_width, file_height; /* of the file's, upright, where it was made smaller while it was read; or 0 */
    nst_error note;              /* what its reader tells of it, or "" */
    bool discardable;            /* nst_image_allow_discard */
    nst_mask place, part;        /* of a style picture: where in the content it is painted, and what of it counts */
};

/* Larger sides than this, or more pixels than NST_MAX_PIXELS, are refused as absurd. */
#define NST_MAX_SIDE 65535
#define NST_MAX_PIXELS ((size_t)1 << 30)

nst_image *nst_image_copy(const nst_image *in); /* NULL without memory */
/* Refuses sizes that are absurd or none: NST_EFORMAT. */
nst_status nst_image_check(size_t width, size_t height, const char *label, nst_error *e);
/* The size that the picture has in its file, upright. */
void nst_image_file_size(const nst_image *image, int *width, int *height);
/* Refuses a picture whose pixels a painting has given back. */
nst_status nst_image_check_there(const nst_image *image, const char *label, nst_error *e);
/* As nst_image_create, contents undefined.  label names the picture in the failure's text. */
nst_status nst_image_alloc(nst_image **out, int width, int height, int channels, const char *label, nst_error *e);
/* False for more than is free: asked of what a file claims, before the kernel ends the process for touching it. */
bool nst_memory_fits(size_t bytes);
/* Turns the picture upright by an EXIF orientation 1..8; anything else leaves it.  Takes the memory of one plane; on
 * failure the picture is unchanged. */
nst_status nst_image_orient(nst_image *image, int orientation, const char *label, nst_error *e);
/* hidden.c.  Whether there is anything transparent, or nothing but that. */
bool nst_image_see_through(const nst_image *image);
bool nst_image_invisible(const nst_image *image);
/* The colours of transparent pixels are replaced by a smooth continuation of the visible ones; alpha stays.  Takes the
 * memory of three planes.  On failure the colours are anything. */
nst_status nst_image_fill_hidden(nst_image *image, nst_error *e);
/* nst_image_resize, and that. */
nst_status nst_image_resize_seen(nst_image **out, const nst_image *in, int width, int height, nst_error *e);
/* Nearest integer to v * max, v first clipped to [0,1]; NaN is 0.  max 255 or 65535. */
unsigned nst_image_quantise(float v, unsigned max);
/* An alpha so small that the colour beside it says nothing. */
#define NST_FAINT (1.0f / 512)
/* Pixel i of plane c, laid on white where the picture is transparent. */
float nst_image_flat(const nst_image *image, int c, size_t i);

/* ---- row_reader.c ---------------------------------------------------------- */

/* A picture of width x height pixels that arrives row by row, top to bottom, and is made smaller on the way when fit
 * asks for it: takes the memory of the smaller picture and of a few rows. */
typedef struct nst_rows nst_rows;

/* channels 3, or 4 with alpha.  fit may be NULL.  Absurd sizes are refused. */
nst_status nst_rows_open(nst_rows **out, int width, int height, int channels, const nst_fit *fit, const char *label,
                         nst_error *e);
/* Where the next row goes: [width] each for R, G, B and, with alpha, A.  Holds until nst_rows_put. */
float *const *nst_rows_next(nst_rows *r);
/* That row is there.  To be called `height` times at most. */
void nst_rows_put(nst_rows *r);
/* All rows are there: *out is the picture, turned upright by an EXIF orientation.  *r is closed in any case. */
nst_status nst_rows_finish(nst_rows **r, int orientation, nst_image **out, const char *label, nst_error *e);
/* The other rows are missing: the picture ends behind the last one that is there.  False where there is none. */
bool nst_rows_cut(nst_rows *r);
/* Rows that are there. */
int nst_rows_there(const nst_rows *r);
void nst_rows_close(nst_rows **r);

/* ---- exif.c --------------------------------------------------------------- */

/* The orientation 1..8 that an EXIF block (from "Exif\0\0" or from its TIFF header on) asks for; 1 when it says
 * nothing, is damaged, or the build has no libexif; -1 without memory. */
int nst_exif_orientation(const uint8_t *data, size_t bytes);

/* ---- color.c ------------------------------------------------------------- */

/* Bytes of an embedded profile; printing profiles reach 3 MB.  A larger one is ignored. */
#define NST_PROFILE_MAX ((size_t)16 << 20)
/* What a file holds and says about its colours. */
typedef struct nst_samples {
    int colors;           /* 1 grey, 3 RGB, 4 CMYK as amounts of ink */
    bool alpha;           /* one more sample a pixel, last */
    int bits;             /* 8: uint8_t, 16: uint16_t in this machine's order */
    const void *icc;      /* embedded profile, or NULL; used only by nst_color_open */
    size_t icc_bytes;
    double gamma;         /* PNG gAMA: sample = light^gamma, 0.45455 usually; 0: not said */
    bool lab;             /* not RGB: CIE L 0..100, a and b -128..127 against white, as ICC puts them into 16 bits;
                             needs lcms2 */
    const double *chroma; /* PNG cHRM: x, y of white, red, green, blue; NULL: not said */
} nst_samples;

/* Converts rows of samples to planar sRGB.  A profile that is damaged or of another kind of colour is ignored,
 * as is every profile in a build without lcms2. */
typedef struct nst_color nst_color;

nst_status nst_color_open(nst_color **out, const nst_samples *s, int width, const char *label, nst_error *e);
void nst_color_close(nst_color **c);
/* One row: samples [width][colors + alpha] in; rgba[0..2] and, with alpha, rgba[3], [width] each, out in [0,1]. */
void nst_color_row(nst_color *c, const void *samples, float *const rgba[4]);
/* An sRGB profile, the same bytes each time, in out[0..room-1]; returns its length, 0 without lcms2. */
size_t nst_color_srgb_profile(void *out, size_t room);

/* Linear light of an sRGB value and back (IEC 61966-2-1), odd-symmetric below 0, extended above 1. */
float nst_srgb_to_linear(float v);
float nst_linear_to_srgb(float v);

/* ---- cicp.c --------------------------------------------------------------- */

/* Colours by the numbers of ITU-T H.273: into s->chroma, which is a constant, and s->gamma.  False, and nothing
 * changed, where they are unknown. */
bool nst_cicp_colors(int primaries, int curve, nst_samples *s);
/* Refuses the curves of high dynamic range: NST_EUNSUPPORTED. */
nst_status nst_cicp_check(int curve, const char *label, nst_error *e);

/* ---- recolor.c ------------------------------------------------------------ */

/* nst_image_recolor with pixels that count by weights, [h][w] each, or NULL; all are moved. */
nst_status nst_image_recolor_weighted(nst_image *content, const float *weight, const nst_image *style,
                                      const float *style_weight, double share, nst_error *e);

/* ---- lab.c --------------------------------------------------------------- */

/* CIE 1976 L (0..100), a, b of an sRGB colour under D65, and back, not clipped to [0,1]. */
void nst_lab_from_srgb(const float rgb[3], double lab[3]);
void nst_lab_to_srgb(const double lab[3], float rgb[3]);
/* image keeps its Lab lightness and takes on content's a and b, share 0..1 of the way, in place; both of one size.
 * Where sRGB has no such colour the lightness moves towards content's. */
void nst_image_keep_colors(nst_image *image, const nst_image *content, double share);

/* ---- resize.c ------------------------------------------------------------ */

/* A resampled copy: Lanczos of order 3 (widened when shrinking, so that it
 * antialiases) in linear light, alpha-weighted, clipped to [0,1].  Same size: an exact copy. */
nst_status nst_image_resize(nst_image **out, const nst_image *in, int width, int height, nst_error *e);

/* The same, row by row: `to` is filled when the last of `height` rows has been given.  `to` stays the caller's; its
 * channels say how many planes the rows have.  label names the picture when there is no memory. */
typedef struct nst_resampler nst_resampler;
nst_status nst_resampler_open(nst_resampler **out, int width, int height, nst_image *to, const char *label,
                              nst_error *e);
void nst_resampler_row(nst_resampler *r, const float *const rgba[4]);
void nst_resampler_close(nst_resampler **r);

/* Bicubic (Catmull-Rom family, a = -0.75 as PyTorch's interpolate) or bilinear resampling of one plane of
 * plain numbers [h][w] to [oh][ow], half-pixel centres, no antialiasing, no clipping: for the optimised
 * tensor and the optimiser's state between scales. */
void nst_plane_bicubic(const float *in, int w, int h, float *out, int ow, int oh);
void nst_plane_bilinear(const float *in, int w, int h, float *out, int ow, int oh);
/* Rows of a plane of w x h, ld floats apart, the first of which is row `first`. */
typedef struct nst_band {
    const float *rows;
    size_t ld;
    int first, w, h;
} nst_band;
/* Row y alone, of oh, out [ow]; in has at least rows from..to-1 of nst_plane_needs. */
void nst_plane_bicubic_row(const nst_band *in, int y, float *out, int ow, int oh);
void nst_plane_bilinear_row(const nst_band *in, int y, float *out, int ow, int oh);
void nst_plane_needs(int y, int h, int oh, int *from, int *to);

#endif
