/* format.h: kinds of picture files: how each is known, read and written. */
#ifndef NST_FORMAT_H
#define NST_FORMAT_H

#include "image/image.h"

/* One kind of file; png.c, jpeg.c, pnm.c, tiff.c and webp.c have one or two each, read.c and write.c walk them.
 * What a build without the library cannot do is NULL. */
typedef struct nst_codec {
    nst_format format;
    /* True when a file begins like this kind; bytes up to NST_HEAD. */
    bool (*is)(const uint8_t *head, size_t bytes);
    /* From an open file, which can seek, at its start.  fit may be NULL. */
    nst_status (*read)(nst_image **out, FILE *f, const nst_fit *fit, const char *label, nst_error *e);
    /* To an open file; o->bits is 8 or 16, o->jpeg_quality 0 to 100. */
    nst_status (*write)(const nst_image *image, FILE *f, const char *label, const nst_write_options *o, nst_error *e);
    bool seeks; /* write goes back in its file: not straight into a pipe */
} nst_codec;

#define NST_HEAD 512

extern const nst_codec nst_codec_png, nst_codec_jpeg, nst_codec_tiff, nst_codec_webp, nst_codec_ppm, nst_codec_pfm;

/* format.c: by index from 0; NULL past the last. */
const nst_codec *nst_codec_at(int i);
/* file_bytes.c: bytes in f altogether; negative when that cannot be told.  The position stays. */
long long nst_file_bytes(FILE *f);

#endif
