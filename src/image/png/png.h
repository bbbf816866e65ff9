/* png.h: what the files of the PNG reader and writer share; the only file that knows libpng's header. */
#ifndef NST_PNG_H
#define NST_PNG_H

#include <png.h>

#include "image/format.h"

/* Everything that lives across libpng's longjmp. */
typedef struct nst_png {
    png_structp png;
    png_infop info;
    FILE *f;
    const char *path;
    bool short_file; /* the file ended inside the picture */
    bool damaged;    /* what is there of a damaged file is read */
    bool spoilt;     /* then: a checksum is wrong */
    int row, pass, passes;
    char text[128];  /* libpng's last words */

    nst_error *e;
    nst_status status;

    /* reading */
    const nst_fit *fit;
    nst_rows *rows;
    int width, height;
    nst_color *color;
    png_bytep samples; /* one row, or all of them when interlaced */
    size_t row_bytes;
    bool narrow;       /* black is at 16 of 255, white at 235 */
    bool animated, apart; /* apart: the picture is none of the animation's */
    char colors[160];  /* what is to be said of cICP, or "" */
    png_bytep exif;    /* from text */
    int orientation;

    struct {
        const nst_image *image;
        const nst_write_options *o;
    } written;
} nst_png;

/* ---- png_guard.c ------------------------------------------------------------- */

/* What libpng is given for its failures and warnings. */
void nst_png_fail(png_structp png, png_const_charp text);
void nst_png_warn(png_structp png, png_const_charp text);
/* Runs steps(j) and catches libpng's longjmp: false when it came or j->status says so. */
bool nst_png_guarded(nst_png *j, void (*steps)(nst_png *));
/* Ends the steps with a failure that has its sentence already. */
void nst_png_give_up(nst_png *j, nst_status s);

/* ---- chunks.c ------------------------------------------------------------ */

/* j->color by what the chunks say of the colours, the strongest first: cICP, iCCP, sRGB, cHRM and gAMA. */
void nst_png_colors(nst_png *j);
/* j->orientation by eXIf, or by the text in which ImageMagick wrote it before. */
void nst_png_exif(nst_png *j);

/* ---- png_read.c, png_write.c ----------------------------------------- */

nst_status nst_png_read(nst_image **out, FILE *f, const nst_fit *fit, const char *path, nst_error *e);
nst_status nst_png_write(const nst_image *image, FILE *f, const char *path, const nst_write_options *o, nst_error *e);

#endif
