/* png_read.c: PNG files of every kind. */
#include "image/png/png.h"

#include <errno.h>
#include <string.h>

/* deflate's greatest ratio: a header that promises more rows than the file can hold is caught by it at once */
#define MAX_RATIO 1032
/* Chunks of text, palettes and the like that libpng keeps, each of at most so many bytes when unpacked: it would keep
 * all, and a kilobyte of file can hold 8 MB of them. */
#define CHUNKS_MAX 16
#define CHUNK_BYTES 8000000
#define SIP 64 /* bytes that are unpacked at a time where what is there of a damaged file is wanted */

static void read_bytes(png_structp png, png_bytep to, size_t bytes)
{
    nst_png *j = png_get_io_ptr(png);

    if (fread(to, 1, bytes, j->f) < bytes) {
        j->short_file = !ferror(j->f);
        png_error(png, "short read");
    }
}

static void check_size(nst_png *j)
{
    png_uint_32 w = png_get_image_width(j->png, j->info), h = png_get_image_height(j->png, j->info);
    unsigned bits = png_get_bit_depth(j->png, j->info) * png_get_channels(j->png, j->info);
    long long end = nst_file_bytes(j->f);
    nst_status s = nst_image_check(w, h, j->path, j->e);

    if (s)
        nst_png_give_up(j, s);
    if (end >= 0 && (double)w * h * bits / 8 > (double)end * MAX_RATIO)
        nst_png_give_up(j, nst_fail(j->e, NST_EFORMAT, "%s: truncated, %lld bytes cannot hold %lu x %lu pixels",
                                    j->path, end, (unsigned long)w, (unsigned long)h));
    j->width = (int)w;
    j->height = (int)h;
}

/* Header to the point where rows can be read: grey or RGB, 8 or 16 bits, alpha last. */
static void read_header(nst_png *j)
{
    png_structp png = j->png;
    nst_status s;
    int type;

    png_set_user_limits(png, 0x7fffffff, 0x7fffffff); /* check_size says it better */
    png_set_chunk_cache_max(png, CHUNKS_MAX);
    png_set_chunk_malloc_max(png, CHUNK_BYTES);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_ALWAYS, (png_const_bytep)"cICP\0acTL\0fcTL", 3);
    if (j->damaged) {
        png_set_crc_action(png, PNG_CRC_WARN_USE, PNG_CRC_WARN_DISCARD);
        png_set_compression_buffer_size(png, SIP); /* a part that is cut is lost, whatever was there of it */
#ifdef PNG_IGNORE_ADLER32
        png_set_option(png, PNG_IGNORE_ADLER32, PNG_OPTION_ON);
#endif
    }
    png_read_info(png, j->info);
    /* one for each picture of an animation: they would take the place of what is wanted */
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, (png_const_bytep)"fcTL", 1);
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
    s = nst_rows_open(&j->rows, j->width, j->height,
                      png_get_color_type(png, j->info) & PNG_COLOR_MASK_ALPHA ? 4 : 3, j->fit, j->path, j->e);
    if (s)
        nst_png_give_up(j, s);
    nst_png_colors(j);
}

/* Colours whose black is at 16 and white at 235, of 255, or so many times 256. */
static void widen(const nst_png *j, png_bytep row)
{
    int all = png_get_channels(j->png, j->info), colors = all - !(all % 2);
    bool eight = png_get_bit_depth(j->png, j->info) == 8;
    int unit = eight ? 1 : 256, max = eight ? 255 : 65535;

    for (int x = 0; x < j->width; x++)
        for (int c = 0; c < colors; c++) {
            size_t i = (size_t)x * (size_t)all + (size_t)c;
            uint16_t *wide = (uint16_t *)(void *)row + i;
            double v = (double)((eight ? row[i] : *wide) - 16 * unit) * max / (219 * unit);

            v = nst_clamp_double(v, 0, max);
            if (eight)
                row[i] = (uint8_t)(v + .5);
            else
                *wide = (uint16_t)(v + .5);
        }
}

static void put_row(nst_png *j, png_bytep row)
{
    if (j->narrow)
        widen(j, row);
    nst_color_row(j->color, row, nst_rows_next(j->rows));
    nst_rows_put(j->rows);
}

/* Interlaced rows are whole only after the last pass: all samples are kept until then. */
static void read_all(nst_png *j)
{
    size_t row, bytes, height;

    read_header(j);
    row = j->row_bytes = png_get_rowbytes(j->png, j->info);
    height = j->passes > 1 ? (size_t)j->height : 1;
    if (nst_mul(row, height, &bytes) && nst_memory_fits(bytes))
        j->samples = nst_calloc(bytes, 1);
    if (!j->samples)
        nst_png_give_up(j, nst_fail(j->e, NST_EMEM, "%s: out of memory for %d x %d pixels%s", j->path, j->width,
                                    j->height, j->passes > 1 ? ", which are interlaced and needed all at once" : ""));
    for (; j->pass < j->passes; j->pass++)
        for (j->row = 0; j->row < j->height; j->row++) {
            png_bytep at = j->samples + (height > 1 ? (size_t)j->row * row : 0);

            if (j->damaged && j->passes > 1)
                png_read_row(j->png, NULL, at); /* in blocks, where the passes to come may be missing */
            else
                png_read_row(j->png, at, NULL);
            if (j->pass == j->passes - 1)
                put_row(j, at);
        }
}

/* The rows before a fault, or all in the passes before it.  False where there is nothing. */
static bool keep_there(nst_png *j)
{
    int rows = j->pass ? j->height : j->row;

    if (!j->damaged || j->status || !j->rows || ferror(j->f) || strstr(j->text, "memory"))
        return false;
    if (j->passes > 1 && j->pass < j->passes - 1) {
        for (int y = 0; y < rows; y++)
            put_row(j, j->samples + (size_t)y * j->row_bytes);
    } else if (j->passes > 1) { /* the last pass has begun: its rows are there, and so are the others', coarser */
        for (int y = nst_rows_there(j->rows); y < j->height; y++)
            put_row(j, j->samples + (size_t)y * j->row_bytes);
    }
    return nst_rows_cut(j->rows);
}

/* What was wrong with a picture that was read nevertheless. */
static void tell(const nst_png *j, bool whole, nst_image *image)
{
    if (!whole && j->passes > 1)
        nst_fail(&image->note, NST_OK, "%s: damaged, pass %d of %d is the last one that could be read", j->path,
                 j->pass + !j->pass, j->passes);
    else if (!whole)
        nst_note_damage(image, j->path, j->row, j->height);
    else if (j->spoilt)
        nst_fail(&image->note, NST_OK, "%s: damaged, a checksum is wrong, so that some rows may be, too", j->path);
    else if (*j->colors)
        nst_fail(&image->note, NST_OK, "%s: %s", j->path, j->colors);
    else if (j->animated && j->apart)
        nst_fail(&image->note, NST_OK, "%s: an animation; what is taken is the picture for programs that show none",
                 j->path);
    else if (j->animated)
        nst_note_animation(image, j->path);
}

/* What stands behind the rows and their checksum, damaged or missing as it may be: all pixels are there. */
static void read_tail(nst_png *j)
{
    png_read_end(j->png, j->info);
}

/* The sentence for what stopped the reading. */
static nst_status blame(const nst_png *j)
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
        return nst_fail(j->e, NST_EFORMAT, "%s: truncated in pass %d of %d", j->path,
                        j->pass < j->passes ? j->pass + 1 : j->passes, j->passes);
    if (!j->row) /* libpng unpacks several kilobytes at a time: there may be some all the same */
        return nst_fail(j->e, NST_EFORMAT, "%s: truncated", j->path);
    return nst_fail(j->e, NST_EFORMAT, "%s: truncated after %d of %d rows", j->path, j->row, j->height);
}

nst_status nst_png_read(nst_image **out, FILE *f, const nst_fit *fit, const char *path, nst_error *e)
{
    nst_png j = { .f = f, .path = path, .e = e, .fit = fit, .orientation = 1, .text = "unknown fault",
                  .damaged = fit && fit->damaged };
    nst_status s = NST_OK;
    bool whole;

    *out = NULL;
    j.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &j, nst_png_fail, nst_png_warn);
    if (j.png)
        j.info = png_create_info_struct(j.png);
    if (!j.info) {
        s = nst_fail(e, NST_EMEM, "%s: out of memory", path);
        goto end;
    }
    png_set_read_fn(j.png, &j, read_bytes);
    whole = nst_png_guarded(&j, read_all);
    if ((!whole && !keep_there(&j)) || (whole && !nst_png_guarded(&j, read_tail) && ferror(f)) ||
        !nst_png_guarded(&j, nst_png_exif)) {
        s = blame(&j);
        goto end;
    }
    s = nst_rows_finish(&j.rows, j.orientation, out, path, e);
    if (!s)
        tell(&j, whole, *out);

end:
    png_destroy_read_struct(&j.png, &j.info, NULL);
    nst_color_close(&j.color);
    nst_free(j.samples);
    nst_free(j.exif);
    nst_rows_close(&j.rows);
    return s;
}
