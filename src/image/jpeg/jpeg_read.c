/* jpeg_read.c: JPEG files in. */
#include "image/jpeg/jpeg.h"

#include <errno.h>
#include <string.h>

/* A progressive file needs 10 scans or so; each costs a pass over the whole picture, and can be a few bytes long. */
#define FEW_SCANS 32    /* that any picture may have */
#define MAX_SCANS 500   /* a small one */
#define WORK 100000000  /* blocks of 8x8 in all scans beyond a few: a second or two */

static void count_scans(j_common_ptr info)
{
    nst_jpeg *j = (nst_jpeg *)info->err;

    if (j->in.input_scan_number > 0 && (size_t)j->in.input_scan_number > j->scans)
        nst_jpeg_give_up(j, nst_fail(j->e, NST_REFUSED, "%s: more than %zu scans of %u x %u pixels, expected 10 or so: "
                                     "it is made to waste time", j->path, j->scans, j->in.image_width,
                                     j->in.image_height));
}

static void check_size(nst_jpeg *j)
{
    size_t w = j->in.image_width, h = j->in.image_height, blocks = 0, most;
    long long end = nst_file_bytes(j->f);
    nst_status s = nst_image_check(w, h, j->path, j->e);

    if (s)
        nst_jpeg_give_up(j, s);
    for (int c = 0; c < j->in.num_components; c++)
        blocks += (size_t)j->in.comp_info[c].width_in_blocks * j->in.comp_info[c].height_in_blocks;
    j->scans = blocks ? nst_clamp_size(WORK / blocks, FEW_SCANS, MAX_SCANS) : MAX_SCANS;
    /* Each block has at least one code, of one bit by Huffman; the surest decision of the arithmetic coder takes
     * more than 2^-16 of one (T.81, table D.3). */
    most = j->in.arith_code ? 8 << 16 : 8;
    if (end >= 0 && blocks / most > (size_t)end)
        nst_jpeg_give_up(j, nst_fail(j->e, NST_EFORMAT, "%s: truncated, %lld bytes cannot hold %zu x %zu pixels",
                                     j->path, end, w, h));
    /* scans that refine each other: libjpeg keeps all coefficients, two bytes each */
    if (jpeg_has_multiple_scans(&j->in) && !nst_memory_fits(blocks * DCTSIZE2 * sizeof(JCOEF)))
        nst_jpeg_give_up(j, nst_fail(j->e, NST_EMEM, "%s: out of memory for %zu x %zu pixels, which are progressive "
                                     "and needed all at once", j->path, w, h));
}

static void read_header(nst_jpeg *j)
{
    struct jpeg_decompress_struct *in = &j->in;
    nst_samples s = { .bits = 8 };
    nst_status status;

    jpeg_create_decompress(in);
    j->progress.progress_monitor = count_scans;
    j->scans = MAX_SCANS;
    in->progress = &j->progress;
    jpeg_stdio_src(in, j->f);
    jpeg_save_markers(in, JPEG_APP0 + 1, 0xffff);
    jpeg_save_markers(in, JPEG_APP0 + 2, 0xffff);
    jpeg_read_header(in, TRUE);
    check_size(j);
    switch (in->jpeg_color_space) {
    case JCS_GRAYSCALE:
        in->out_color_space = JCS_GRAYSCALE;
        s.colors = 1;
        break;
    case JCS_CMYK:
    case JCS_YCCK:
        in->out_color_space = JCS_CMYK;
        s.colors = 4;
        break;
    default:
        in->out_color_space = JCS_RGB;
        s.colors = 3;
    }
    s.icc_bytes = nst_jpeg_icc(j);
    s.icc = s.icc_bytes ? j->icc : NULL;
    nst_jpeg_exif(j);
    status = nst_rows_open(&j->rows, (int)in->image_width, (int)in->image_height, 3, j->fit, j->path, j->e);
    if (!status)
        status = nst_color_open(&j->color, &s, (int)in->image_width, j->path, j->e);
    if (status)
        nst_jpeg_give_up(j, status);
    j->samples = nst_alloc((size_t)in->image_width * (size_t)s.colors);
    if (!j->samples)
        nst_jpeg_give_up(j, nst_fail(j->e, NST_EMEM, "%s: out of memory for a row", j->path));
}

/* Several scans, and the file ends without its marker: the next scan may be missing. */
static bool all_scans(const struct jpeg_decompress_struct *in)
{
    for (int c = 0; c < in->num_components; c++) {
        if (!in->comp_info[c].quant_table) /* in no scan */
            return false;
        for (int k = 0; k < DCTSIZE2 && in->progressive_mode; k++)
            if (in->coef_bits[c][k]) /* bits that it lacks */
                return false;
    }
    return true;
}

/* The rows are what matters: the end marker is not waited for, nor what stands behind the last row. */
static void read_all(nst_jpeg *j)
{
    struct jpeg_decompress_struct *in = &j->in;
    bool inverted;

    read_header(j);
    /* Adobe writes 255 for no ink, and so do all who write its marker */
    inverted = in->out_color_space == JCS_CMYK && in->saw_Adobe_marker;
    jpeg_start_decompress(in);
    if (j->short_file && jpeg_has_multiple_scans(in) && !all_scans(in) && j->damaged)
        j->spoilt = 1;
    else if (j->short_file && jpeg_has_multiple_scans(in) && !all_scans(in))
        nst_jpeg_give_up(j, nst_fail(j->e, NST_EFORMAT, "%s: truncated between two of its scans", j->path));
    while (in->output_scanline < in->output_height) {
        JSAMPROW row = j->samples;

        jpeg_read_scanlines(in, &row, 1);
        if (inverted)
            for (size_t i = 0; i < 4 * (size_t)in->output_width; i++)
                j->samples[i] = (uint8_t)(255 - j->samples[i]);
        nst_color_row(j->color, j->samples, nst_rows_next(j->rows));
        nst_rows_put(j->rows);
    }
}

/* The rows before a fault.  False where there is nothing. */
static bool keep_there(nst_jpeg *j)
{
    bool fault = !j->status && !ferror(j->f) && j->error.msg_code != JERR_OUT_OF_MEMORY;

    return j->damaged && fault && j->rows && nst_rows_cut(j->rows);
}

/* What was wrong with a picture that was read nevertheless. */
static void tell(nst_jpeg *j, bool whole, nst_image *image)
{
    if (!whole)
        nst_note_damage(image, j->path, (int)j->in.output_scanline, (int)j->in.output_height);
    else if (j->spoilt && jpeg_has_multiple_scans(&j->in))
        nst_fail(&image->note, NST_OK, "%s: damaged, some of its details are missing or wrong", j->path);
    else if (j->spoilt)
        nst_fail(&image->note, NST_OK, "%s: damaged, from row %d of %u on some may be wrong", j->path, j->spoilt,
                 j->in.output_height);
}

/* The sentence for what stopped the reading. */
static nst_status blame(const nst_jpeg *j)
{
    if (j->status)
        return j->status;
    if (ferror(j->f))
        return nst_fail(j->e, NST_EIO, "%s: cannot read: %s", j->path, strerror(errno));
    if (j->error.msg_code == JERR_OUT_OF_MEMORY)
        return nst_fail(j->e, NST_EMEM, "%s: out of memory", j->path);
    if (!j->short_file && j->error.msg_code != JERR_INPUT_EOF)
        return nst_fail(j->e, NST_EFORMAT, "%s: damaged or unusual JPEG file: %s", j->path, j->text);
    if (!j->in.output_scanline)
        return nst_fail(j->e, NST_EFORMAT, "%s: truncated before its first row, expected a whole JPEG file", j->path);
    return nst_fail(j->e, NST_EFORMAT, "%s: truncated after %u of %u rows", j->path,
                    j->in.output_scanline, j->in.output_height);
}

nst_status nst_jpeg_read(nst_image **out, FILE *f, const nst_fit *fit, const char *path, nst_error *e)
{
    nst_jpeg *j = nst_calloc(1, sizeof *j);
    nst_status s = NST_OK;
    bool whole;

    *out = NULL;
    if (!j)
        return nst_fail(e, NST_EMEM, "%s: out of memory", path);
    j->f = f;
    j->path = path;
    j->e = e;
    j->fit = fit;
    j->damaged = fit && fit->damaged;
    j->orientation = 1;
    j->in.err = &j->error;
    nst_jpeg_start(j);
    whole = nst_jpeg_guarded(j, read_all);
    if (!whole && !keep_there(j)) {
        s = blame(j);
    } else {
        s = nst_rows_finish(&j->rows, j->orientation, out, path, e);
        if (!s)
            tell(j, whole, *out);
    }
    jpeg_destroy_decompress(&j->in);
    nst_color_close(&j->color);
    nst_rows_close(&j->rows);
    nst_free(j->samples);
    nst_free(j->icc);
    nst_free(j);
    return s;
}
