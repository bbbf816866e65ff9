/* png.c: PNG files, of every kind, in and out; the only file that knows libpng. */
#include "image/format.h"

#include <errno.h>
#include <png.h>
#include <string.h>

/* deflate's greatest ratio: a header that promises more rows than the file can hold is caught by it at once */
#define MAX_RATIO 1032
/* Chunks of text, palettes and the like that libpng keeps, each of at most so many bytes when unpacked: it would keep
 * all, and a kilobyte of file can hold 8 MB of them. */
#define CHUNKS_MAX 16
#define CHUNK_BYTES 8000000

/* Everything that lives across libpng's longjmp. */
struct job {
    png_structp png;
    png_infop info;
    FILE *f;
    const char *path;
    bool short_file; /* the file ended inside the picture */
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
    png_bytep exif;    /* from text */
    int orientation;

    /* writing */
    const nst_image *source;
    const nst_write_options *o;
};

static void fail_png(png_structp png, png_const_charp text)
{
    struct job *j = png_get_error_ptr(png);

    snprintf(j->text, sizeof j->text, "%s", text);
    png_longjmp(png, 1);
}

static void warn_png(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static void read_bytes(png_structp png, png_bytep to, size_t bytes)
{
    struct job *j = png_get_io_ptr(png);

    if (fread(to, 1, bytes, j->f) < bytes) {
        j->short_file = !ferror(j->f);
        png_error(png, "short read");
    }
}

static void write_bytes(png_structp png, png_bytep from, size_t bytes)
{
    struct job *j = png_get_io_ptr(png);

    if (fwrite(from, 1, bytes, j->f) < bytes)
        png_error(png, "short write");
}

static void flush_bytes(png_structp png)
{
    (void)png;
}

/* Runs steps(j) and catches libpng's longjmp: false when it came or j->status says so.  Holds no variable of its
 * own, so that nothing can be clobbered. */
static bool guarded(struct job *j, void (*steps)(struct job *))
{
    if (setjmp(png_jmpbuf(j->png)))
        return false;
    steps(j);
    return j->status == NST_OK;
}

/* Ends the steps with a failure that has its sentence already. */
static void give_up(struct job *j, nst_status s)
{
    j->status = s;
    png_longjmp(j->png, 1);
}

/* ---- reading ------------------------------------------------------------------ */

static void check_size(struct job *j)
{
    png_uint_32 w = png_get_image_width(j->png, j->info), h = png_get_image_height(j->png, j->info);
    unsigned bits = png_get_bit_depth(j->png, j->info) * png_get_channels(j->png, j->info);
    long long end = nst_file_bytes(j->f);
    nst_status s;

    if ((s = nst_image_check(w, h, j->path, j->e)))
        give_up(j, s);
    if (end >= 0 && (double)w * h * bits / 8 > (double)end * MAX_RATIO)
        give_up(j, nst_fail(j->e, NST_EFORMAT, "%s: truncated, %lld bytes cannot hold %lu x %lu pixels", j->path, end,
                            (unsigned long)w, (unsigned long)h));
    j->width = (int)w;
    j->height = (int)h;
}

static bool read_chroma(struct job *j, double chroma[8])
{
    return png_get_cHRM(j->png, j->info, &chroma[0], &chroma[1], &chroma[2], &chroma[3], &chroma[4], &chroma[5],
                        &chroma[6], &chroma[7]);
}

/* cICP (PNG 3, by the numbers of ITU-T H.273), where it says something that we know: *chroma and *gamma. */
static bool read_cICP(struct job *j, const double **chroma, double *gamma)
{
    static const struct { png_byte code; double chroma[8]; } primaries[] = {
        { 1, { .3127, .3290, .64, .33, .30, .60, .15, .06 } },       /* BT.709, sRGB */
        { 5, { .3127, .3290, .64, .33, .29, .60, .15, .06 } },       /* BT.601, 625 lines */
        { 6, { .3127, .3290, .63, .34, .31, .595, .155, .07 } },     /* 525 lines */
        { 9, { .3127, .3290, .708, .292, .17, .797, .131, .046 } },  /* BT.2020 */
        { 12, { .3127, .3290, .68, .32, .265, .69, .15, .06 } },     /* Display P3 */
    };
    static const struct { png_byte code; double gamma; } curves[] = { { 1, 0 }, { 4, 1 / 2.2 }, { 5, 1 / 2.8 }, { 6, 0 },
                                                                      { 8, 1 }, { 13, 0 }, { 14, 0 }, { 15, 0 } };
    png_unknown_chunkp chunk = NULL;
    int n = png_get_unknown_chunks(j->png, j->info, &chunk);
    bool known = false;

    while (n > 0 && (memcmp(chunk->name, "cICP", 4) || chunk->size != 4))
        chunk++, n--;
    if (n < 1)
        return false;
    if (chunk->data[1] == 16 || chunk->data[1] == 18)
        give_up(j, nst_fail(j->e, NST_EUNSUPPORTED, "%s: of high dynamic range (%s), expected the colours of a usual display, "
                            "such as sRGB or Display P3", j->path, chunk->data[1] == 16 ? "PQ" : "HLG"));
    *chroma = NULL;
    for (size_t i = 0; i < NST_COUNT(primaries); i++)
        if (primaries[i].code == chunk->data[0])
            *chroma = primaries[i].chroma;
    for (size_t i = 0; i < NST_COUNT(curves); i++)
        if (curves[i].code == chunk->data[1]) {
            *gamma = curves[i].gamma;
            known = true;
        }
    return known && *chroma && !chunk->data[2] && chunk->data[3] == 1; /* RGB, the whole range */
}

/* What the chunks say of the colours, the strongest first: cICP, iCCP, sRGB, cHRM and gAMA. */
static void open_color(struct job *j)
{
    int type = png_get_color_type(j->png, j->info), intent;
    nst_samples s = { .colors = type & PNG_COLOR_MASK_COLOR ? 3 : 1, .alpha = type & PNG_COLOR_MASK_ALPHA,
                      .bits = png_get_bit_depth(j->png, j->info) };
    double chroma[8], curve = 0;
    const double *coded;
    png_charp name;
    png_bytep icc;
    png_uint_32 bytes;
    int method;
    nst_status status;

    if (read_cICP(j, &coded, &curve)) {
        s.chroma = coded;
        s.gamma = curve;
    } else if (png_get_iCCP(j->png, j->info, &name, &method, &icc, &bytes)) {
        s.icc = icc;
        s.icc_bytes = bytes;
    } else if (!png_get_sRGB(j->png, j->info, &intent)) {
        if (!png_get_gAMA(j->png, j->info, &s.gamma) || !(s.gamma > 0.01 && s.gamma < 100))
            s.gamma = 0;
        if (read_chroma(j, chroma))
            s.chroma = chroma;
    }
    if ((status = nst_color_open(&j->color, &s, (int)png_get_image_width(j->png, j->info), j->path, j->e)))
        give_up(j, status);
}

/* Header to the point where rows can be read: grey or RGB, 8 or 16 bits, alpha last. */
static void read_header(struct job *j)
{
    png_structp png = j->png;
    nst_status s;
    int type;

    png_set_user_limits(png, 0x7fffffff, 0x7fffffff); /* check_size says it better */
    png_set_chunk_cache_max(png, CHUNKS_MAX);
    png_set_chunk_malloc_max(png, CHUNK_BYTES);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_ALWAYS, (png_const_bytep)"cICP", 1);
    png_read_info(png, j->info);
    check_size(j);
    type = png_get_color_type(png, j->info);
    if (type == PNG_COLOR_TYPE_PALETTE)
        png_set_palette_to_rgb(png);
    if (type == PNG_COLOR_TYPE_GRAY && png_get_bit_depth(png, j->info) < 8)
        png_set_expand_gray_1_2_4_to_8(png);
    if (png_get_valid(png, j->info, PNG_INFO_tRNS))
        png_set_tRNS_to_alpha(png);
    if (png_get_bit_depth(png, j->info) == 16 && *(const uint8_t *)&(const uint16_t){ 1 })
        png_set_swap(png);
    j->passes = png_set_interlace_handling(png);
    png_read_update_info(png, j->info);
    if ((s = nst_rows_open(&j->rows, j->width, j->height,
                           png_get_color_type(png, j->info) & PNG_COLOR_MASK_ALPHA ? 4 : 3, j->fit, j->path, j->e)))
        give_up(j, s);
    open_color(j);
}

static void take_orientation(struct job *j, const png_byte *exif, size_t bytes)
{
    if ((j->orientation = nst_exif_orientation(exif, bytes)) < 0)
        give_up(j, nst_fail(j->e, NST_EMEM, "%s: out of memory", j->path));
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* As ImageMagick wrote it before there was eXIf: "\nexif\n      NUMBER\n" and so many bytes in hexadecimal, in lines. */
static void read_raw_exif(struct job *j, const char *text, size_t left)
{
    const char *end = text + left, *lines[3];
    size_t n = 0, bytes = 0;

    for (int i = 0; i < 3 && text; i++) {
        lines[i] = text;
        text = memchr(text, '\n', (size_t)(end - text));
        text = text ? text + 1 : NULL;
    }
    if (!text)
        return;
    for (const char *p = lines[2]; p < text; p++)
        if (*p >= '0' && *p <= '9' && bytes < 1 << 20)
            bytes = 10 * bytes + (size_t)(*p - '0');
    if (!bytes || bytes > (size_t)(end - text) / 2)
        return;
    if (!(j->exif = nst_calloc(bytes, 1)))
        give_up(j, nst_fail(j->e, NST_EMEM, "%s: out of memory", j->path));
    for (; text < end && n < 2 * bytes; text++)
        if (digit(*text) >= 0) {
            j->exif[n / 2] = (png_byte)(j->exif[n / 2] << 4 | digit(*text));
            n++;
        }
    if (n == 2 * bytes)
        take_orientation(j, j->exif, bytes);
}

static void read_exif(struct job *j)
{
    png_textp text;
    int n = 0;
#ifdef PNG_eXIf_SUPPORTED
    png_uint_32 bytes;
    png_bytep exif;

    if (png_get_eXIf_1(j->png, j->info, &bytes, &exif)) {
        take_orientation(j, exif, bytes);
        return;
    }
#endif
    png_get_text(j->png, j->info, &text, &n);
    for (int i = 0; i < n && !j->exif; i++)
        if (!strcmp(text[i].key, "Raw profile type exif") || !strcmp(text[i].key, "Raw profile type APP1"))
            read_raw_exif(j, text[i].text, text[i].text_length);
}

/* Interlaced rows are whole only after the last pass: all samples are kept until then. */
static void read_all(struct job *j)
{
    size_t row, bytes, height;

    read_header(j);
    row = png_get_rowbytes(j->png, j->info);
    height = j->passes > 1 ? (size_t)j->height : 1;
    if (!nst_mul(row, height, &bytes) || !nst_memory_fits(bytes) || !(j->samples = nst_alloc(bytes)))
        give_up(j, nst_fail(j->e, NST_EMEM, "%s: out of memory for %d x %d pixels%s", j->path, j->width, j->height,
                            j->passes > 1 ? ", which are interlaced and needed all at once" : ""));
    for (; j->pass < j->passes; j->pass++)
        for (j->row = 0; j->row < j->height; j->row++) {
            png_bytep at = j->samples + (height > 1 ? (size_t)j->row * row : 0);

            png_read_row(j->png, at, NULL);
            if (j->pass == j->passes - 1) {
                nst_color_row(j->color, at, nst_rows_next(j->rows));
                nst_rows_put(j->rows);
            }
        }
}

/* What stands behind the rows and their checksum, damaged or missing as it may be: all pixels are there. */
static void read_tail(struct job *j)
{
    png_read_end(j->png, j->info);
}

/* The sentence for what stopped the reading. */
static nst_status blame(const struct job *j)
{
    if (j->status)
        return j->status;
    if (ferror(j->f))
        return nst_fail(j->e, NST_EIO, "%s: cannot read: %s", j->path, strerror(errno));
    if (strstr(j->text, "out of memory") || strstr(j->text, "Insufficient memory"))
        return nst_fail(j->e, NST_EMEM, "%s: out of memory", j->path);
    if (!j->short_file)
        return nst_fail(j->e, NST_EFORMAT, "%s: damaged PNG file: %s", j->path, j->text);
    if (!j->rows)
        return nst_fail(j->e, NST_EFORMAT, "%s: truncated before its first row, expected a whole PNG file", j->path);
    if (j->passes > 1)
        return nst_fail(j->e, NST_EFORMAT, "%s: truncated in pass %d of %d, expected a whole PNG file", j->path,
                        j->pass < j->passes ? j->pass + 1 : j->passes, j->passes);
    return nst_fail(j->e, NST_EFORMAT, "%s: truncated after %d of %d rows", j->path, j->row, j->height);
}

static nst_status read_png(nst_image **out, FILE *f, const nst_fit *fit, const char *path, nst_error *e)
{
    struct job j = { .f = f, .path = path, .e = e, .fit = fit, .orientation = 1, .text = "unknown fault" };
    nst_status s = NST_OK;

    *out = NULL;
    j.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &j, fail_png, warn_png);
    if (!j.png || !(j.info = png_create_info_struct(j.png))) {
        s = nst_fail(e, NST_EMEM, "%s: out of memory", path);
        goto end;
    }
    png_set_read_fn(j.png, &j, read_bytes);
    if (!guarded(&j, read_all) || (!guarded(&j, read_tail) && ferror(f)) || !guarded(&j, read_exif)) {
        s = blame(&j);
        goto end;
    }
    s = nst_rows_finish(&j.rows, j.orientation, out, path, e);

end:
    png_destroy_read_struct(&j.png, &j.info, NULL);
    nst_color_close(&j.color);
    nst_free(j.samples);
    nst_free(j.exif);
    nst_rows_close(&j.rows);
    return s;
}

/* ---- writing ------------------------------------------------------------------ */

static void write_comment(struct job *j)
{
    png_text text = { .compression = PNG_TEXT_COMPRESSION_NONE, .key = (png_charp)"Comment",
                      .text = (png_charp)j->o->comment };

#ifdef PNG_iTXt_SUPPORTED
    for (const char *p = j->o->comment; *p; p++)
        if ((unsigned char)*p > 126) /* tEXt is Latin-1; our text is UTF-8 */
            text.compression = PNG_ITXT_COMPRESSION_NONE;
#endif
    png_set_text(j->png, j->info, &text, 1);
}

static void write_row(struct job *j, int y)
{
    const nst_image *in = j->source;
    bool deep = j->o->bits == 16;

    for (int c = 0; c < in->channels; c++) {
        const float *from = in->plane[c] + (size_t)y * (size_t)in->width;
        png_bytep to = j->samples + (deep ? 2 : 1) * c;
        ptrdiff_t step = (deep ? 2 : 1) * in->channels;

        for (int x = 0; x < in->width; x++, to += step) {
            unsigned v = nst_image_quantise(from[x], deep ? 65535 : 255);

            if (deep) {
                to[0] = (png_byte)(v >> 8);
                to[1] = (png_byte)v;
            } else {
                to[0] = (png_byte)v;
            }
        }
    }
    png_write_row(j->png, j->samples);
}

static void write_all(struct job *j)
{
    const nst_image *in = j->source;

    png_set_IHDR(j->png, j->info, (png_uint_32)in->width, (png_uint_32)in->height, j->o->bits == 16 ? 16 : 8,
                 in->channels == 4 ? PNG_COLOR_TYPE_RGB_ALPHA : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_sRGB_gAMA_and_cHRM(j->png, j->info, PNG_sRGB_INTENT_RELATIVE);
    if (j->o->comment)
        write_comment(j);
    png_write_info(j->png, j->info);
    for (j->row = 0; j->row < in->height; j->row++)
        write_row(j, j->row);
    png_write_end(j->png, NULL);
}

static nst_status write_png(const nst_image *image, FILE *f, const char *path, const nst_write_options *o, nst_error *e)
{
    struct job j = { .f = f, .path = path, .e = e, .source = image, .o = o, .text = "unknown fault" };
    nst_status s = NST_OK;

    j.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &j, fail_png, warn_png);
    if (!j.png || !(j.info = png_create_info_struct(j.png))
        || !(j.samples = nst_alloc((size_t)image->width * (size_t)image->channels * 2))) {
        s = nst_fail(e, NST_EMEM, "%s: out of memory", path);
        goto end;
    }
    png_set_user_limits(j.png, NST_MAX_SIDE, NST_MAX_SIDE);
    png_set_write_fn(j.png, &j, write_bytes, flush_bytes);
    if (!guarded(&j, write_all))
        s = ferror(f) ? nst_fail(e, NST_EIO, "%s: cannot write: %s", path, strerror(errno))
                      : nst_fail(e, NST_EIO, "%s: cannot write: %s", path, j.text);

end:
    png_destroy_write_struct(&j.png, &j.info);
    nst_free(j.samples);
    return s;
}

static bool is_png(const uint8_t *head, size_t bytes)
{
    return bytes >= 8 && !memcmp(head, "\x89PNG\r\n\x1a\n", 8) && !(bytes >= 16 && !memcmp(head + 12, "CgBI", 4));
}

const nst_codec nst_codec_png = {
    .format = { "png", "PNG", ".png", .bits = 16, .built = 1 }, .is = is_png, .read = read_png, .write = write_png,
};
