/* jpeg.h: what the files of the JPEG reader and writer share; the only file that knows libjpeg's header. */
#ifndef NST_JPEG_H
#define NST_JPEG_H

#include <setjmp.h>

#include "image/format.h"

#include <jpeglib.h>
#include <jerror.h>

#define NST_JPEG_MARKER_MAX 65533u

/* Everything that lives across libjpeg's error exit. */
typedef struct nst_jpeg {
    struct jpeg_error_mgr error; /* first: libjpeg hands back its address */
    jmp_buf jump;
    FILE *f;
    const char *path;
    bool short_file;             /* the file ended inside the picture */
    bool damaged;                /* what is there of a damaged file is read */
    int spoilt;                  /* then: one more than the first row that is not as it should be */
    char text[JMSG_LENGTH_MAX];  /* libjpeg's last words */
    nst_error *e;
    nst_status status;
    uint8_t *samples;            /* one row */
    uint8_t *icc;

    /* reading */
    struct jpeg_decompress_struct in;
    struct jpeg_progress_mgr progress;
    size_t scans;                /* that a picture of this size may have */
    const nst_fit *fit;
    nst_rows *rows;
    nst_color *color;
    int orientation;

    /* writing */
    struct jpeg_compress_struct out;
    const nst_image *source;
    const nst_write_options *o;
} nst_jpeg;

/* ---- jpeg_guard.c ------------------------------------------------------------- */

/* Sets j->error up. */
void nst_jpeg_start(nst_jpeg *j);
/* Runs steps(j) and catches the jump: false when it came. */
bool nst_jpeg_guarded(nst_jpeg *j, void (*steps)(nst_jpeg *));
/* Ends the steps with a failure that has its sentence already. */
void nst_jpeg_give_up(nst_jpeg *j, nst_status s);

/* ---- markers.c ----------------------------------------------------------- */

/* The ICC profile, cut into numbered segments of any order: put together in j->icc.  Returns its length; 0 when
 * there is none or it is not whole. */
size_t nst_jpeg_icc(nst_jpeg *j);
/* j->orientation. */
void nst_jpeg_exif(nst_jpeg *j);
/* Says that the samples are sRGB: a profile where lcms2 can make one, else EXIF's ColorSpace. */
void nst_jpeg_tag(nst_jpeg *j);

/* ---- jpeg_read.c, jpeg_write.c ----------------------------------------- */

nst_status nst_jpeg_read(nst_image **out, FILE *f, const nst_fit *fit, const char *path, nst_error *e);
nst_status nst_jpeg_write(const nst_image *image, FILE *f, const char *path, const nst_write_options *o, nst_error *e);

#endif
