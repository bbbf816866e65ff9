/* jpeg_file.h: JPEGs of every kind, made with libjpeg, which the engine reads them with. */
#ifndef NST_TESTS_JPEG_FILE_H
#define NST_TESTS_JPEG_FILE_H

#include "../support/picture.h"

#include <jpeglib.h>

/* A JPEG to be made from samples [h][w][channels]. */
struct kind {
    int w, h, channels;
    J_COLOR_SPACE in, file;
    bool progressive, coarse, no_adobe, arithmetic;
    int restart;
    const uint8_t *samples;
    const uint8_t *exif;
    unsigned exif_bytes;
};

static inline void make_jpeg(const char *name, const struct kind *k)
{
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr error;
    FILE *f = fopen(name, "wb");

    ck_assert_ptr_nonnull(f);
    c.err = jpeg_std_error(&error);
    jpeg_create_compress(&c);
    jpeg_stdio_dest(&c, f);
    c.image_width = (JDIMENSION)k->w;
    c.image_height = (JDIMENSION)k->h;
    c.input_components = k->channels;
    c.in_color_space = k->in;
    jpeg_set_defaults(&c);
    jpeg_set_colorspace(&c, k->file);
    jpeg_set_quality(&c, 100, TRUE);
    if (!k->coarse)
        for (int i = 0; i < c.num_components; i++)
            c.comp_info[i].h_samp_factor = c.comp_info[i].v_samp_factor = 1;
    if (k->progressive)
        jpeg_simple_progression(&c);
    if (k->no_adobe)
        c.write_Adobe_marker = FALSE;
    c.arith_code = k->arithmetic;
    c.restart_in_rows = k->restart;
    jpeg_start_compress(&c, TRUE);
    if (k->exif)
        jpeg_write_marker(&c, JPEG_APP0 + 1, k->exif, k->exif_bytes);
    while (c.next_scanline < c.image_height) {
        uint8_t row[4096];
        JSAMPROW p = row;

        memcpy(row, k->samples + (size_t)c.next_scanline * (size_t)(k->w * k->channels), (size_t)(k->w * k->channels));
        jpeg_write_scanlines(&c, &p, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    ck_assert_int_eq(fclose(f), 0);
}

enum { W = 45, H = 37 };

static inline void fill(uint8_t *samples, int channels)
{
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int c = 0; c < channels; c++)
                samples[(y * W + x) * channels + c]
                    = (uint8_t)(128 + 100 * sin(0.05 * (c + 1) * x + 0.06 * (4 - c) * y + c));
}

#endif
