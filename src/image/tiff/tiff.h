/* tiff.h: what the files of the TIFF reader and writer share; the only file that knows libtiff's header. */
#ifndef NST_TIFF_H
#define NST_TIFF_H

#include <tiffio.h>

#include "image/format.h"

/* One file that is read or written. */
typedef struct nst_tiff {
    TIFF *t;
    FILE *f;
    const char *label;
    nst_error *e;
    char text[160]; /* libtiff's first complaint */

    int width, height;
    struct nst_tiff_tags {
        uint16_t bits, samples, photometric, planar, orientation;
        bool floats, is_signed, tiled;
    } tags;
    bool damaged;        /* what is there of a damaged file is read */
    nst_samples kind;    /* what rows are handed on as */
    bool premultiplied;
    uint16_t *map[3];    /* a palette, libtiff's */
    bool narrow;         /* its numbers end at 255 */
    nst_float_range range; /* of floating point */

    uint8_t *band;       /* [band_rows][width][samples], as the file has them or, of parts, each in whole bytes */
    int band_rows, y;    /* y: the row that comes next */
    uint8_t *piece;      /* one tile or strip, where it is not the band itself */
    void *row;           /* [width][colors + alpha] for nst_color_row */
    nst_color *color;
    nst_rows *rows;
} nst_tiff;

/* ---- stream.c ------------------------------------------------------------ */

/* Opens j->f with libtiff, in its words for a mode; NULL on failure, which nst_tiff_damaged tells of. */
TIFF *nst_tiff_open(nst_tiff *j, const char *mode);
/* The sentence for what libtiff complained about, or for the file's own fault. */
nst_status nst_tiff_damaged(const nst_tiff *j);
nst_status nst_tiff_no_memory(const nst_tiff *j);

/* ---- directory.c --------------------------------------------------------- */

/* Goes to the main picture of several, and reads what its tags say. */
nst_status nst_tiff_find(nst_tiff *j);
/* Whether its samples are taken as they are; the others go through libtiff's own conversion to 8 bits. */
bool nst_tiff_is_plain(nst_tiff *j);
/* The profile; libtiff keeps it. */
void nst_tiff_profile(nst_tiff *j);

/* ---- samples.c ----------------------------------------------------------- */

/* Whether samples do not fill bytes. */
bool nst_tiff_packed(const nst_tiff *j);
/* Sample number `at` of a row of packed ones as 16 bits. */
unsigned nst_tiff_unpack(const nst_tiff *j, const uint8_t *from, size_t at);
/* A row of the band becomes the picture's next. */
void nst_tiff_row(nst_tiff *j, const uint8_t *from);
/* A row of libtiff's conversion does: 8 bits, premultiplied. */
void nst_tiff_rgba_row(nst_tiff *j, const uint32_t *from);

/* ---- strips.c ------------------------------------------------------------ */

/* All rows, or j->y of them where what is there of a damaged file is read. */
nst_status nst_tiff_pixels(nst_tiff *j, const nst_fit *fit);

/* ---- tiff_write.c -------------------------------------------------------- */

nst_status nst_tiff_write(const nst_image *image, FILE *f, const char *label, const nst_write_options *o, nst_error *e);

#endif
