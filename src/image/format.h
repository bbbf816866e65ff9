/* format.h: kinds of picture files: how each is known, read and written. */
#ifndef NST_FORMAT_H
#define NST_FORMAT_H

#include "image/image.h"

/* One kind of file; bmp.c, gif.c, heif.c, jpeg/, jxl.c, png/, pnm.c, tiff/ and webp.c have one or two each, read.c and
 * write.c walk them.  What nst or a build without the library cannot do is NULL, and so format.reads or .writes 0. */
typedef struct nst_codec {
    nst_format format;
    /* True when a file begins like this kind; bytes up to NST_HEAD. */
    bool (*is)(const uint8_t *head, size_t bytes);
    /* From an open file, which can seek, at its start.  fit may be NULL. */
    nst_status (*read)(nst_image **out, FILE *f, const nst_fit *fit, const char *label, nst_error *e);
    /* To an open file; o->bits is 8 or 16, o->jpeg_quality 0 to 100. */
    nst_status (*write)(const nst_image *image, FILE *f, const char *label, const nst_write_options *o, nst_error *e);
    bool heeds_damaged; /* read does what fit->damaged asks */
    bool seeks; /* write goes back in its file: not straight into a pipe */
} nst_codec;

#define NST_HEAD 512
/* What read returns in place of NST_EFORMAT where a file asks for too much work: fit->damaged would only ask for it
 * once more. */
#define NST_REFUSED NST_STATUS_COUNT

extern const nst_codec nst_codec_png, nst_codec_jpeg, nst_codec_tiff, nst_codec_webp, nst_codec_ppm, nst_codec_pfm,
    nst_codec_heic, nst_codec_avif, nst_codec_jxl, nst_codec_gif, nst_codec_bmp, nst_codec_pgm;

/* format.c: by index from 0; NULL past the last. */
const nst_codec *nst_codec_at(int i);
/* file_bytes.c: bytes in f altogether; negative when that cannot be told.  The position stays. */
long long nst_file_bytes(FILE *f);
/* The same file: refuses pictures that take far more work than a file of so many bytes deserves, NST_EFORMAT.  For
 * formats that can say any number of even pixels in no bytes.  bytes may be negative, as above. */
nst_status nst_pixels_check(long long bytes, int width, int height, const char *label, nst_error *e);

/* other_kinds.c: the name of what a file is that is not read, and what to do with it; NULL when nothing is known. */
const char *nst_other_kind(const uint8_t *head, size_t bytes, const char **advice);

/* ---- float_range.c: samples in floating point ------------------------------- */

typedef struct nst_float_range {
    double lit, above, largest; /* samples above 0, above 1, and the largest */
} nst_float_range;

void nst_float_count(nst_float_range *r, double v);
/* Refused, NST_EFORMAT, where most of what is not black lies beyond white; a few lights may. */
nst_status nst_float_check(const nst_float_range *r, const char *label, nst_error *e);

/* ---- decoded.c: for libraries that decode a picture at once ---------------- */

/* A whole picture in samples. */
typedef struct nst_decoded {
    const uint8_t *samples; /* [height] rows, stride bytes apart */
    size_t stride;
    int width, height;
    nst_samples kind;
    int orientation;        /* of EXIF, or 1 */
} nst_decoded;

/* The whole file in *data [*bytes], which the caller frees with nst_free, also after a failure.  kind: "WebP". */
nst_status nst_load_file(uint8_t **data, size_t *bytes, FILE *f, const char *kind, const char *label, nst_error *e);
/* Fills the rows, which were opened with that size or, of a damaged picture, a larger height, and finishes them:
 * nst_rows_finish. */
nst_status nst_decoded_rows(nst_rows **rows, const nst_decoded *d, nst_image **out, const char *label, nst_error *e);
/* A colour that was multiplied by its alpha, as it was before; all are 0 to max. */
unsigned nst_unmultiply(unsigned v, unsigned alpha, unsigned max);
/* The same for all samples of kind, in place. */
void nst_decoded_unmultiply(uint8_t *samples, size_t stride, const nst_samples *kind, int width, int height);

/* ---- notes.c: what a reader tells of a picture that it could read ---------- */

/* It is the first picture of several. */
void nst_note_animation(nst_image *image, const char *label);
/* It ends early: so many of so many rows are there. */
void nst_note_damage(nst_image *image, const char *label, int rows, int height);

#endif
