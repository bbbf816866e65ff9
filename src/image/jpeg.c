/* jpeg.c: JPEG files in and out; the only file that knows libjpeg. */
#include "image/format.h"

#include <errno.h>
#include <setjmp.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#define QUALITY 95      /* when none is asked for */
/* A progressive file needs 10 scans or so; each costs a pass over the whole picture, and can be a few bytes long. */
#define FEW_SCANS 32    /* that any picture may have */
#define MAX_SCANS 500   /* a small one */
#define WORK 100000000  /* blocks of 8x8 in all scans beyond a few: a second or two */
#define MARKER_MAX 65533u

static const char icc_mark[12] = "ICC_PROFILE", exif_mark[6] = "Exif\0";

/* Everything that lives across libjpeg's error exit. */
struct job {
    struct jpeg_error_mgr error; /* first: libjpeg hands back its address */
    jmp_buf jump;
    FILE *f;
    const char *path;
    bool short_file;             /* the file ended inside the picture */
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
};

static void fail_jpeg(j_common_ptr info)
{
    struct job *j = (struct job *)info->err;

    info->err->format_message(info, j->text);
    longjmp(j->jump, 1);
}

/* libjpeg warns and goes on with grey where data are missing or spoilt; we do not. */
static void warn_jpeg(j_common_ptr info, int level)
{
    struct job *j = (struct job *)info->err;

    if (level >= 0)
        return;
    switch (info->err->msg_code) {
    case JWRN_JPEG_EOF: /* whatever is missing beside the end marker is told of by the next warning */
        j->short_file = !ferror(j->f);
        if (!j->short_file || j->in.arith_code) /* or not: the arithmetic decoder goes on with zeros */
            fail_jpeg(info);
        break;
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
        fail_jpeg(info);
        break;
    default: /* bytes between markers, versions, odd but whole progressions */
        break;
    }
}

static void silent(j_common_ptr info)
{
    (void)info;
}

static void start(struct job *j)
{
    jpeg_std_error(&j->error);
    j->error.error_exit = fail_jpeg;
    j->error.emit_message = warn_jpeg;
    j->error.output_message = silent;
}

/* Runs steps(j) and catches the jump: false when it came.  Holds no variable of its own, so that nothing can be
 * clobbered. */
static bool guarded(struct job *j, void (*steps)(struct job *))
{
    if (setjmp(j->jump))
        return false;
    steps(j);
    return true;
}

/* Ends the steps with a failure that has its sentence already. */
static void give_up(struct job *j, nst_status s)
{
    j->status = s;
    longjmp(j->jump, 1);
}

/* ---- reading ------------------------------------------------------------------ */

static void count_scans(j_common_ptr info)
{
    struct job *j = (struct job *)info->err;

    if (j->in.input_scan_number > 0 && (size_t)j->in.input_scan_number > j->scans)
        give_up(j, nst_fail(j->e, NST_EFORMAT, "%s: more than %zu scans of %u x %u pixels, expected 10 or so: it is "
                            "made to waste time", j->path, j->scans, j->in.image_width, j->in.image_height));
}

static void check_size(struct job *j)
{
    size_t w = j->in.image_width, h = j->in.image_height, blocks = 0, most;
    long long end = nst_file_bytes(j->f);
    nst_status s;

    if ((s = nst_image_check(w, h, j->path, j->e)))
        give_up(j, s);
    for (int c = 0; c < j->in.num_components; c++)
        blocks += (size_t)j->in.comp_info[c].width_in_blocks * j->in.comp_info[c].height_in_blocks;
    j->scans = blocks ? WORK / blocks : MAX_SCANS;
    j->scans = j->scans < FEW_SCANS ? FEW_SCANS : j->scans > MAX_SCANS ? MAX_SCANS : j->scans;
    /* Each block has at least one code, of one bit by Huffman; the surest decision of the arithmetic coder takes
     * more than 2^-16 of one (T.81, table D.3). */
    most = j->in.arith_code ? 8 << 16 : 8;
    if (end >= 0 && blocks / most > (size_t)end)
        give_up(j, nst_fail(j->e, NST_EFORMAT, "%s: truncated, %lld bytes cannot hold %zu x %zu pixels", j->path,
                            end, w, h));
    /* scans that refine each other: libjpeg keeps all coefficients, two bytes each */
    if (jpeg_has_multiple_scans(&j->in) && !nst_memory_fits(blocks * DCTSIZE2 * sizeof(JCOEF)))
        give_up(j, nst_fail(j->e, NST_EMEM, "%s: out of memory for %zu x %zu pixels, which are progressive and needed "
                            "all at once", j->path, w, h));
}

static bool starts_with(jpeg_saved_marker_ptr m, int marker, const char *mark, size_t n)
{
    return m->marker == marker && m->data_length >= n && !memcmp(m->data, mark, n);
}

/* The ICC profile, cut into numbered segments of any order: put together in j->icc.  Returns its length; 0 when
 * there is none or it is not whole. */
static size_t read_icc(struct job *j)
{
    size_t head = sizeof icc_mark + 2, bytes = 0, at = 0;
    int count = 0, seen = 0;

    for (jpeg_saved_marker_ptr m = j->in.marker_list; m; m = m->next)
        if (starts_with(m, JPEG_APP0 + 2, icc_mark, sizeof icc_mark) && m->data_length >= head) {
            if (seen++ && m->data[head - 1] != count)
                return 0;
            count = m->data[head - 1];
            bytes += m->data_length - head;
        }
    if (!bytes || seen != count)
        return 0;
    if (!(j->icc = nst_alloc(bytes)))
        give_up(j, nst_fail(j->e, NST_EMEM, "%s: out of memory for its colour profile", j->path));
    for (int i = 1; i <= count; i++) {
        jpeg_saved_marker_ptr m = j->in.marker_list;

        while (m && !(starts_with(m, JPEG_APP0 + 2, icc_mark, sizeof icc_mark) && m->data_length >= head
                      && m->data[head - 2] == i))
            m = m->next;
        if (!m || m->data_length - head > bytes - at) /* a number missing or given twice */
            return 0;
        memcpy(j->icc + at, m->data + head, m->data_length - head);
        at += m->data_length - head;
    }
    return at;
}

static void read_exif(struct job *j)
{
    for (jpeg_saved_marker_ptr m = j->in.marker_list; m; m = m->next)
        if (starts_with(m, JPEG_APP0 + 1, exif_mark, sizeof exif_mark)) {
            j->orientation = nst_exif_orientation(m->data, m->data_length);
            return;
        }
}

static void read_header(struct job *j)
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
    s.icc_bytes = read_icc(j);
    s.icc = s.icc_bytes ? j->icc : NULL;
    read_exif(j);
    if ((status = nst_rows_open(&j->rows, (int)in->image_width, (int)in->image_height, 3, j->fit, j->path, j->e))
        || (status = nst_color_open(&j->color, &s, (int)in->image_width, j->path, j->e)))
        give_up(j, status);
    if (!(j->samples = nst_alloc((size_t)in->image_width * (size_t)s.colors)))
        give_up(j, nst_fail(j->e, NST_EMEM, "%s: out of memory for a row", j->path));
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
static void read_all(struct job *j)
{
    struct jpeg_decompress_struct *in = &j->in;
    bool inverted;

    read_header(j);
    /* Adobe writes 255 for no ink, and so do all who write its marker */
    inverted = in->out_color_space == JCS_CMYK && in->saw_Adobe_marker;
    jpeg_start_decompress(in);
    if (j->short_file && jpeg_has_multiple_scans(in) && !all_scans(in))
        give_up(j, nst_fail(j->e, NST_EFORMAT, "%s: truncated between two of its scans, expected a whole JPEG file", j->path));
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

/* The sentence for what stopped the reading. */
static nst_status blame(const struct job *j)
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
    return nst_fail(j->e, NST_EFORMAT, "%s: truncated after %u of %u rows", j->path, j->in.output_scanline,
                    j->in.output_height);
}

static nst_status read_jpeg(nst_image **out, FILE *f, const nst_fit *fit, const char *path, nst_error *e)
{
    struct job *j = nst_calloc(1, sizeof *j);
    nst_status s = NST_OK;

    *out = NULL;
    if (!j)
        return nst_fail(e, NST_EMEM, "%s: out of memory", path);
    j->f = f;
    j->path = path;
    j->e = e;
    j->fit = fit;
    j->orientation = 1;
    j->in.err = &j->error;
    start(j);
    s = guarded(j, read_all) ? nst_rows_finish(&j->rows, j->orientation, out, path, e) : blame(j);
    jpeg_destroy_decompress(&j->in);
    nst_color_close(&j->color);
    nst_rows_close(&j->rows);
    nst_free(j->samples);
    nst_free(j->icc);
    nst_free(j);
    return s;
}

/* ---- writing ------------------------------------------------------------------ */

/* Says that the samples are sRGB: a profile where lcms2 can make one, else EXIF's ColorSpace. */
static void write_tag(struct job *j)
{
    static const char exif[] = "Exif\0\0"
        "II*\0\10\0\0\0"                                      /* little-endian, first directory at 8 */
        "\1\0" "\x69\x87" "\4\0" "\1\0\0\0" "\x1a\0\0\0" "\0\0\0\0" /* one entry: the Exif directory at 26 */
        "\1\0" "\x01\xa0" "\3\0" "\1\0\0\0" "\1\0\0\0" "\0\0\0";    /* one entry: ColorSpace = 1, sRGB */
    size_t head = sizeof icc_mark + 2, bytes;

    if (!(j->icc = nst_alloc(MARKER_MAX)))
        give_up(j, nst_fail(j->e, NST_EMEM, "%s: out of memory", j->path));
    bytes = nst_color_srgb_profile(j->icc + head, MARKER_MAX - head);
    memcpy(j->icc, icc_mark, sizeof icc_mark);
    j->icc[head - 2] = j->icc[head - 1] = 1; /* segment 1 of 1 */
    if (bytes)
        jpeg_write_marker(&j->out, JPEG_APP0 + 2, j->icc, (unsigned)(head + bytes));
    else
        jpeg_write_marker(&j->out, JPEG_APP0 + 1, (const JOCTET *)exif, sizeof exif);
}

static void write_comment(struct job *j)
{
    const char *text = j->o->comment;
    size_t left = strlen(text);

    do {
        unsigned n = left < MARKER_MAX ? (unsigned)left : MARKER_MAX;

        jpeg_write_marker(&j->out, JPEG_COM, (const JOCTET *)text, n);
        text += n;
        left -= n;
    } while (left);
}

/* JPEG has no alpha: what is transparent is laid on white. */
static void pack_row(struct job *j, int y)
{
    size_t n = (size_t)j->source->width;

    for (int c = 0; c < 3; c++)
        for (size_t x = 0; x < n; x++)
            j->samples[3 * x + (size_t)c] =
                (uint8_t)nst_image_quantise(nst_image_flat(j->source, c, (size_t)y * n + x), 255);
}

static void write_all(struct job *j)
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
    write_tag(j);
    if (j->o->comment)
        write_comment(j);
    while (out->next_scanline < out->image_height) {
        pack_row(j, (int)out->next_scanline);
        jpeg_write_scanlines(out, &row, 1);
    }
    jpeg_finish_compress(out);
}

static nst_status write_jpeg(const nst_image *image, FILE *f, const char *path, const nst_write_options *o,
                             nst_error *e)
{
    struct job *j = nst_calloc(1, sizeof *j);
    nst_status s = NST_OK;

    if (!j || !(j->samples = nst_alloc((size_t)image->width * 3))) {
        nst_free(j);
        return nst_fail(e, NST_EMEM, "%s: out of memory", path);
    }
    j->f = f;
    j->path = path;
    j->e = e;
    j->source = image;
    j->o = o;
    j->out.err = &j->error;
    start(j);
    if (!guarded(j, write_all)) {
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

static bool is_jpeg(const uint8_t *head, size_t bytes)
{
    return bytes >= 3 && !memcmp(head, "\xff\xd8\xff", 3);
}

const nst_codec nst_codec_jpeg = {
    .format = { "jpeg", "JPEG", ".jpg .jpeg", .bits = 8, .quality = 1, .built = 1 },
    .is = is_jpeg, .read = read_jpeg, .write = write_jpeg,
};
