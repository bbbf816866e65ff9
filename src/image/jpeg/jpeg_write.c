/* jpeg_write.c: JPEG files out. */
#include "image/jpeg/jpeg.h"

#include <errno.h>
#include <string.h>

#define QUALITY 95      /* when none is asked for */

static void write_comment(nst_jpeg *j)
{
    const char *text = j->o->comment;
    size_t left = strlen(text);

    do {
        unsigned n = left < NST_JPEG_MARKER_MAX ? (unsigned)left : NST_JPEG_MARKER_MAX;

        jpeg_write_marker(&j->out, JPEG_COM, (const JOCTET *)text, n);
        text += n;
        left -= n;
    } while (left);
}

/* JPEG has no alpha: what is transparent is laid on white. */
static void pack_row(nst_jpeg *j, int y)
{
    size_t n = (size_t)j->source->width;

    for (int c = 0; c < 3; c++)
        for (size_t x = 0; x < n; x++)
            j->samples[3 * x + (size_t)c] =
                (uint8_t)nst_image_quantise(nst_image_flat(j->source, c, (size_t)y * n + x), 255);
}

static void write_all(nst_jpeg *j)
{
    struct jpeg_compress_struct *out = &j->out;
    JSAMPROW row = j->samples;

    jpeg_create_compress(out);
    jpeg_stdio_dest(out, j->f);
    out->image_width = (JDIMENSION)j->source->width;
    out->image_height = (JDIMENSION)j->source->height;
    out->input_components = 3;
    out->in_color_space = JCS_RGB;
    jpeg_set_defaults(out);
    jpeg_set_quality(out, j->o->jpeg_quality ? j->o->jpeg_quality : QUALITY, TRUE);
    out->optimize_coding = TRUE;
    for (int i = 0; i < out->num_components; i++)
        out->comp_info[i].h_samp_factor = out->comp_info[i].v_samp_factor = 1;
    jpeg_start_compress(out, TRUE);
    nst_jpeg_tag(j);
    if (j->o->comment)
        write_comment(j);
    while (out->next_scanline < out->image_height) {
        pack_row(j, (int)out->next_scanline);
        jpeg_write_scanlines(out, &row, 1);
    }
    jpeg_finish_compress(out);
}

nst_status nst_jpeg_write(const nst_image *image, FILE *f, const char *path, const nst_write_options *o,
                             nst_error *e)
{
    nst_jpeg *j = nst_calloc(1, sizeof *j);
    nst_status s = NST_OK;

    if (j)
        j->samples = nst_alloc((size_t)image->width * 3);
    if (!j || !j->samples) {
        nst_free(j);
        return nst_fail(e, NST_EMEM, "%s: out of memory", path);
    }
    j->f = f;
    j->path = path;
    j->e = e;
    j->source = image;
    j->o = o;
    j->out.err = &j->error;
    nst_jpeg_start(j);
    if (!nst_jpeg_guarded(j, write_all)) {
        if (j->status)
            s = j->status;
        else if (j->error.msg_code == JERR_FILE_WRITE)
            s = nst_fail(e, NST_EIO, "%s: cannot write: %s", path, strerror(errno));
        else
            s = nst_fail(e, NST_EIO, "%s: cannot write: %s", path, j->text);
    }
    jpeg_destroy_compress(&j->out);
    nst_free(j->samples);
    nst_free(j->icc);
    nst_free(j);
    return s;
}
