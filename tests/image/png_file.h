/* png_file.h: PNGs of every kind, made with libpng, which the engine reads them with. */
#ifndef NST_TESTS_PNG_FILE_H
#define NST_TESTS_PNG_FILE_H

#include "../support/picture.h"

#include <png.h>

/* A PNG to be made: samples [h][w][channels] of `bits` bits each, chunks as wanted. */
struct kind {
    int w, h, type, bits, interlace;
    const uint16_t *samples;
    const png_color *palette; /* 1 << bits colours */
    const png_byte *alphas;   /* tRNS of the palette, 1 << bits */
    const png_color_16 *key;  /* tRNS of grey and RGB */
    double gamma;
    const double *chroma;
    bool srgb;
    int orientation;
    const png_byte *cicp;     /* 4 bytes */
    const png_byte *actl;     /* 8 bytes: an APNG */
    int first;                /* 1: the picture is its first */
    const char *text;         /* of "Raw profile type exif" */
};

static inline int channels_of(int type)
{
    switch (type) {
    case PNG_COLOR_TYPE_RGB:
        return 3;
    case PNG_COLOR_TYPE_RGB_ALPHA:
        return 4;
    case PNG_COLOR_TYPE_GRAY_ALPHA:
        return 2;
    default:
        return 1;
    }
}

static inline void make_png(const char *name, const struct kind *k)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    FILE *f = fopen(name, "wb");
    int n = channels_of(k->type), passes;
    png_byte *row = nst_alloc((size_t)(k->w * n * 2 + 8));

    ck_assert_ptr_nonnull(f);
    png_init_io(png, f);
    png_set_IHDR(png, info, (png_uint_32)k->w, (png_uint_32)k->h, k->bits, k->type, k->interlace,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (k->palette)
        png_set_PLTE(png, info, k->palette, 1 << k->bits);
    if (k->alphas)
        png_set_tRNS(png, info, k->alphas, 1 << k->bits, NULL);
    if (k->key)
        png_set_tRNS(png, info, NULL, 0, k->key);
    if (k->gamma > 0)
        png_set_gAMA(png, info, k->gamma);
    if (k->chroma)
        png_set_cHRM(png, info, k->chroma[0], k->chroma[1], k->chroma[2], k->chroma[3], k->chroma[4], k->chroma[5],
                     k->chroma[6], k->chroma[7]);
    if (k->srgb)
        png_set_sRGB(png, info, PNG_sRGB_INTENT_PERCEPTUAL);
#ifdef PNG_eXIf_SUPPORTED
    if (k->orientation) {
        png_byte exif[26] = { 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0,
                              (png_byte)k->orientation };

        png_set_eXIf_1(png, info, sizeof exif, exif);
    }
#endif
    if (k->text)
        png_set_text(png, info, &(png_text){ .compression = PNG_TEXT_COMPRESSION_zTXt,
                                             .key = (char *)(uintptr_t)"Raw profile type exif",
                                             .text = (char *)(uintptr_t)k->text }, 1);
    if (k->cicp) {
        png_write_info_before_PLTE(png, info);
        png_write_chunk(png, (const png_byte *)"cICP", k->cicp, 4);
    }
    if (k->actl) {
        png_write_info_before_PLTE(png, info);
        png_write_chunk(png, (const png_byte *)"acTL", k->actl, 8);
    }
    if (k->first)
        png_write_chunk(png, (const png_byte *)"fcTL", (const png_byte[26]){ [7] = 1, [11] = 1, [21] = 1 }, 26);
    png_write_info(png, info);
    png_set_packing(png);
    passes = png_set_interlace_handling(png);
    for (int p = 0; p < passes; p++)
        for (int y = 0; y < k->h; y++) {
            for (int i = 0; i < k->w * n; i++) {
                uint16_t v = k->samples[y * k->w * n + i];

                if (k->bits == 16) {
                    row[2 * i] = (png_byte)(v >> 8);
                    row[2 * i + 1] = (png_byte)v;
                } else {
                    row[i] = (png_byte)v;
                }
            }
            png_write_row(png, row);
        }
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    nst_free(row);
    ck_assert_int_eq(fclose(f), 0);
}

enum { W = 19, H = 13 }; /* no multiple of 8: the last Adam7 blocks and bytes are cut */

static inline void fill(uint16_t *samples, int n, unsigned max)
{
    uint32_t seed = 99;

    for (int i = 0; i < W * H * n; i++) {
        seed = seed * 1664525u + 1013904223u;
        samples[i] = (uint16_t)((seed >> 8) % (max + 1));
    }
}

#endif
