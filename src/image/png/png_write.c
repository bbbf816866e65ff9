/* png_write.c: PNG files out. */
#include "image/png/png.h"

#include <errno.h>
#include <string.h>

static void write_bytes(png_structp png, png_bytep from, size_t bytes)
{
    nst_png *j = png_get_io_ptr(png);

    if (fwrite(from, 1, bytes, j->f) < bytes)
        png_error(png, "short write");
}

static void flush_bytes(png_structp png)
{
    (void)png;
}

static void write_comment(nst_png *j)
{
    png_text text = { .compression = PNG_TEXT_COMPRESSION_NONE, .key = (png_charp)"Comment",
                      .text = (png_charp)j->written.o->comment };

#ifdef PNG_iTXt_SUPPORTED
    for (const char *p = j->written.o->comment; *p; p++)
        if ((unsigned char)*p > 126) /* tEXt is Latin-1; our text is UTF-8 */
            text.compression = PNG_ITXT_COMPRESSION_NONE;
#endif
    png_set_text(j->png, j->info, &text, 1);
}

static void write_row(nst_png *j, int y)
{
    const nst_image *in = j->written.image;
    bool deep = j->written.o->bits == 16;

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

static void write_all(nst_png *j)
{
    const nst_image *in = j->written.image;

    png_set_IHDR(j->png, j->info, (png_uint_32)in->width, (png_uint_32)in->height, j->written.o->bits == 16 ? 16 : 8,
                 in->channels == 4 ? PNG_COLOR_TYPE_RGB_ALPHA : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_sRGB_gAMA_and_cHRM(j->png, j->info, PNG_sRGB_INTENT_RELATIVE);
    if (j->written.o->comment)
        write_comment(j);
    png_write_info(j->png, j->info);
    for (j->row = 0; j->row < in->height; j->row++)
        write_row(j, j->row);
    png_write_end(j->png, NULL);
}

nst_status nst_png_write(const nst_image *image, FILE *f, const char *path, const nst_write_options *o, nst_error *e)
{
    nst_png j = { .f = f, .path = path, .e = e, .written.image = image, .written.o = o, .text = "unknown fault" };
    nst_status s = NST_OK;

    j.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &j, nst_png_fail, nst_png_warn);
    if (j.png)
        j.info = png_create_info_struct(j.png);
    if (j.info)
        j.samples = nst_alloc((size_t)image->width * (size_t)image->channels * 2);
    if (!j.samples) {
        s = nst_fail(e, NST_EMEM, "%s: out of memory", path);
        goto end;
    }
    png_set_user_limits(j.png, NST_MAX_SIDE, NST_MAX_SIDE);
    png_set_write_fn(j.png, &j, write_bytes, flush_bytes);
    if (!nst_png_guarded(&j, write_all))
        s = ferror(f) ? nst_fail(e, NST_EIO, "%s: cannot write: %s", path, strerror(errno))
                      : nst_fail(e, NST_EIO, "%s: cannot write: %s", path, j.text);

end:
    png_destroy_write_struct(&j.png, &j.info);
    nst_free(j.samples);
    return s;
}
