/* picture.h: pictures in memory and in files.  Programs include nst.h. */
#ifndef NST_NST_PICTURE_H
#define NST_NST_PICTURE_H

#include <stddef.h>

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A picture in sRGB: planar float [channels][height][width], nominal range
 * [0,1], channel order R G B and, with four channels, A (not premultiplied).
 * Sides are at most 65535 pixels, and a picture has at most 2^30 of them. */
typedef struct nst_image nst_image;

/* One kind of picture file. */
typedef struct nst_format {
    const char *name;     /* "jpeg", as nst_write_options takes it */
    const char *label;    /* "JPEG" */
    const char *suffixes; /* ".jpg .jpeg" */
    int bits;             /* the most bits a sample can have: 8, 16 or 32 */
    int quality;          /* 1: nst_write_options' jpeg_quality has an effect */
    int reads;            /* 1: this build reads it */
    int writes;           /* 1: this build writes it */
} nst_format;

/* The formats PNG, JPEG, TIFF, WebP, PPM and PFM, then those that are read only: HEIC, AVIF, JPEG XL, GIF, BMP and
 * PGM (and PBM); by index from 0; NULL past the last. */
NST_API const nst_format *nst_format_at(int i);
/* The format that the suffix of a file's name stands for, whether this build has it or not; NULL when there is none. */
NST_API const nst_format *nst_format_of(const char *path);
/* Writes the names of what this build reads into out [bytes], which it returns: "PNG, JPEG or PPM"; with suffixes = 1
 * the suffixes of what it writes: ".png, .jpg, .jpeg or .ppm". */
NST_API const char *nst_format_list(int suffixes, char *out, size_t bytes);

/* The size in pixels at which a picture is needed: its longest side, its
 * shortest side, or the larger picture of both; 0 leaves that side open.  A file
 * with more than twice as many pixels a side is made smaller while it is read,
 * to exactly that size, as nst_image_resize would do it (Lanczos, linear light),
 * in the memory of the smaller picture.  Any other file is read as it is. */
typedef struct nst_fit {
    int longest, shortest;
    size_t most; /* bytes that it may take in memory: a picture that takes more is NST_EMEM by its file's first bytes,
                    before the others are read; 0: as many as are free */
    int damaged; /* 1: what is there of a damaged JPEG, PNG, TIFF or WebP file is read, and nst_image_note says how
                    much; the picture ends where its rows do.  0: a damaged file is NST_EFORMAT */
} nst_fit;

/* Reads a picture file into *out.  The file's first bytes tell its format.  The
 * picture is turned upright by its EXIF orientation and converted to sRGB by its
 * embedded ICC profile.  PFM and TIFF's floating point are cut to [0,1].  path
 * may name a pipe.
 * NST_EIO, NST_EFORMAT, NST_EMEM, NST_EUNSUPPORTED. */
NST_API nst_status nst_image_read(nst_image **out, const char *path, nst_error *e);
/* The same, no larger than needed; fit may be NULL.  Interlaced PNG, progressive
 * JPEG, WebP, HEIC, AVIF, JPEG XL and some TIFF files take the memory of the whole file's samples. */
NST_API nst_status nst_image_read_fit(nst_image **out, const char *path, const nst_fit *fit, nst_error *e);
/* The same from an open file descriptor, which stays open; label names it in the error. */
NST_API nst_status nst_image_read_fd(nst_image **out, int fd, const char *label, const nst_fit *fit, nst_error *e);
/* What there is to say of a picture that was read: "a.gif: an animation, of which the first picture is taken", or how
 * much was there of a damaged one.  Lives as long as the picture.  NULL: nothing. */
NST_API const char *nst_image_note(const nst_image *image);

typedef struct nst_write_options {
    int bits;            /* PNG, TIFF, PPM: 8 or 16 bits a sample; 0 means 8 */
    int jpeg_quality;    /* 1..100; 0 means 95 for JPEG, whose chroma is never subsampled, and lossless for WebP */
    const char *comment; /* NULL, or text stored in the file (PNG tEXt "Comment", JPEG COM, TIFF ImageDescription,
                            PPM comment) */
    const char *format;  /* the name of a format; NULL: by the suffix */
} nst_write_options;

/* Writes a picture file in the format of path's suffix: to a temporary file
 * beside it, synced, then renamed.  So path is always either the old file or the
 * whole new one, with the old one's rights.  A symbolic link stays one, even
 * where its target does not exist; a device or pipe is written in place.  PNG, TIFF and WebP keep alpha; the others lay
 * what is transparent on white.  o may be NULL.
 * NST_EARG for unknown formats and values out of range, NST_EIO, NST_EMEM,
 * NST_EUNSUPPORTED. */
NST_API nst_status nst_image_write(const nst_image *image, const char *path,
                                   const nst_write_options *o, nst_error *e);
/* The same to an open file descriptor, which stays open; o->format names the format, PNG when o is NULL. */
NST_API nst_status nst_image_write_fd(const nst_image *image, int fd, const char *label,
                                      const nst_write_options *o, nst_error *e);

/* Makes a black (and, with four channels, transparent) picture.  channels is 3 or 4.
 * NST_EARG, NST_EFORMAT (too large), NST_EMEM. */
NST_API nst_status nst_image_create(nst_image **out, int width, int height, int channels, nst_error *e);
/* Gives a picture's memory back. */
NST_API void nst_image_destroy(nst_image **image);
/* Pixels in a row. */
NST_API int nst_image_width(const nst_image *image);
/* Rows. */
NST_API int nst_image_height(const nst_image *image);
/* 3, or 4 with alpha. */
NST_API int nst_image_channels(const nst_image *image);
/* Plane c, [height][width], to read and write; valid as long as the picture.  NULL when there is no such plane. */
NST_API float *nst_image_plane(nst_image *image, int c);

/* Moves a picture's colours to the mean and the covariance of another one's by the
 * symmetric linear map (Gatys et al., CVPR 2017), or a share (0..1) of the way.
 * Alpha weighs the pixels of both.  NST_EARG (share), NST_EDIVERGED (a picture
 * holds a NaN). */
NST_API nst_status nst_image_recolor(nst_image *picture, const nst_image *like, double share, nst_error *e);

/* Allows a transfer whose content this is to free the picture's pixels (12 or 16
 * bytes each) once it no longer needs them; that may be never.  The size stays;
 * nst_image_plane then returns NULL.  The picture serves one transfer; a second
 * one is NST_EARG. */
NST_API void nst_image_allow_discard(nst_image *content);

/* Ties a style picture to a region (guided Gram matrices: Gatys et al., CVPR
 * 2017).  The style is painted where content_mask is white (NULL: everywhere),
 * and only what is white in style_mask (NULL: all of it) counts of it.  Grey is in
 * between; colours count by their luminance, transparency as black.  A style
 * picture's own alpha is such a style_mask, too.  The masks are copied.  They
 * have the proportions of the content and of the style
 * picture, at any size.
 * If a style picture of a run has a content mask, all have, or all but one, which
 * gets what the others leave.  Where masks overlap both styles pull; where all
 * are black none does.  A region's style loss counts by its share of the area, so
 * that style and content have the same balance everywhere, and by its share of
 * settings.style_blend.
 * NST_EMEM leaves the picture as it was. */
NST_API nst_status nst_image_set_region(nst_image *style, const nst_image *content_mask, const nst_image *style_mask,
                                        nst_error *e);

#ifdef __cplusplus
}
#endif
#endif
