/* tiff_file.h: TIFF files of every layout, as libtiff writes them; HAVE_TIFF is for who includes it. */
#ifndef NST_TESTS_TIFF_FILE_H
#define NST_TESTS_TIFF_FILE_H

#include "../support/picture.h"

#include <tiffio.h>

/* How a test writes its picture, 37 x 21. */
struct layout {
    const char *name;
    int bits, format, photometric, planar, compression, samples, extra, tile, strip;
    double tolerance; /* against the picture, which is in whole 8-bit steps */
};

enum { W = 37, H = 21 };

/* Sample k of a pixel, 0 to 1, as the layout wants it. */
static inline double sample_of(const struct layout *l, nst_image *in, int k, int x, int y)
{
    double alpha = l->extra >= 0 && in->channels == 4 ? *at(in, 3, x, y) : 1, v;

    if (l->photometric == PHOTOMETRIC_SEPARATED)
        return k < 3 ? 1 - *at(in, k, x, y) : 0;
    if (k == (l->photometric <= PHOTOMETRIC_MINISBLACK ? 1 : 3))
        return alpha;
    v = *at(in, k, x, y);
    if (l->photometric == PHOTOMETRIC_MINISWHITE)
        v = 1 - v;
    return l->extra == EXTRASAMPLE_ASSOCALPHA ? v * alpha : v;
}

/* Of a number from 2^-14 to 1. */
static inline uint16_t to_half(double v)
{
    int exponent;
    double fraction = frexp(v, &exponent); /* .5 to 1 */

    return v <= 0 ? 0 : (uint16_t)((exponent + 14) * 1024 + (int)((2 * fraction - 1) * 1024));
}

static inline void set_sample(const struct layout *l, unsigned char *to, size_t i, double v)
{
    if (l->bits == 16 && l->format == SAMPLEFORMAT_IEEEFP)
        ((uint16_t *)(void *)to)[i] = to_half(v);
    else if (l->bits == 64)
        ((double *)(void *)to)[i] = v;
    else if (l->bits == 32 && l->format == SAMPLEFORMAT_UINT)
        ((uint32_t *)(void *)to)[i] = (uint32_t)(v * 4294967295.0 + 0.5);
    else if (l->bits == 8)
        to[i] = (unsigned char)(v * 255 + 0.5);
    else if (l->bits == 16)
        ((uint16_t *)(void *)to)[i] = (uint16_t)(v * 65535 + 0.5);
    else
        ((float *)(void *)to)[i] = (float)v;
}

/* Rows y0.. of columns x0.., all samples or one. */
static inline void fill(const struct layout *l, nst_image *in, unsigned char *to, int x0, int y0, int w, int h,
                        int only)
{
    int each = only < 0 ? l->samples : 1;

    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int k = 0; k < each; k++)
                set_sample(l, to, (size_t)((y * w + x) * each + k),
                           x0 + x < W && y0 + y < H ? sample_of(l, in, only < 0 ? k : only, x0 + x, y0 + y) : 0);
}

static inline void put_tiff(const struct layout *l, nst_image *in)
{
    TIFF *t = TIFFOpen("a.tif", l->bits == 16 ? "wb" : "wl"); /* both orders of bytes */
    int side = l->tile ? l->tile : W, step = l->tile ? l->tile : l->strip;
    static unsigned char buffer[W * 64 * 4 * 4 * 4];

    ck_assert_ptr_nonnull(t);
    TIFFSetField(t, TIFFTAG_IMAGEWIDTH, W);
    TIFFSetField(t, TIFFTAG_IMAGELENGTH, H);
    TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, l->bits);
    TIFFSetField(t, TIFFTAG_SAMPLEFORMAT, l->format);
    TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, l->samples);
    TIFFSetField(t, TIFFTAG_PHOTOMETRIC, l->photometric);
    TIFFSetField(t, TIFFTAG_PLANARCONFIG, l->planar);
    TIFFSetField(t, TIFFTAG_COMPRESSION, l->compression);
    if (l->compression == COMPRESSION_JPEG && l->photometric == PHOTOMETRIC_YCBCR)
        TIFFSetField(t, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    if (l->compression == COMPRESSION_JPEG)
        TIFFSetField(t, TIFFTAG_JPEGQUALITY, 100);
    if (l->extra >= 0)
        TIFFSetField(t, TIFFTAG_EXTRASAMPLES, 1, (uint16_t[]){ (uint16_t)l->extra });
    if (l->tile) {
        TIFFSetField(t, TIFFTAG_TILEWIDTH, l->tile);
        TIFFSetField(t, TIFFTAG_TILELENGTH, l->tile);
    } else {
        TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, l->strip);
    }
    for (int s = 0; s < (l->planar == PLANARCONFIG_SEPARATE ? l->samples : 1); s++)
        for (int y = 0; y < H; y += step)
            for (int x = 0; x < W; x += side) {
                int rows = l->tile || H - y > step ? step : H - y;
                int only = l->planar == PLANARCONFIG_SEPARATE ? s : -1;
                size_t bytes = (size_t)(rows * side * (only < 0 ? l->samples : 1) * l->bits / 8);

                fill(l, in, buffer, x, y, side, rows, only);
                if (l->tile)
                    ck_assert_int_gt(TIFFWriteTile(t, buffer, (uint32_t)x, (uint32_t)y, 0, (uint16_t)s), 0);
                else
                    ck_assert_int_gt(TIFFWriteEncodedStrip(t, TIFFComputeStrip(t, (uint32_t)y, (uint16_t)s), buffer,
                                                           (tmsize_t)bytes), 0);
            }
    TIFFClose(t);
}

#define UINT SAMPLEFORMAT_UINT
#define FLOAT SAMPLEFORMAT_IEEEFP
static const struct layout layouts[] = {
    { "rgb8", 8, UINT, PHOTOMETRIC_RGB, 1, COMPRESSION_NONE, 3, -1, 0, 5, 1e-6 },
    { "rgb8 lzw, one strip", 8, UINT, PHOTOMETRIC_RGB, 1, COMPRESSION_LZW, 3, -1, 0, H, 1e-6 },
    { "rgb16 packbits", 16, UINT, PHOTOMETRIC_RGB, 1, COMPRESSION_PACKBITS, 3, -1, 0, 4, 1e-6 },
    { "rgb float", 32, FLOAT, PHOTOMETRIC_RGB, 1, COMPRESSION_NONE, 3, -1, 0, 8, 1e-5 },
    { "rgb half floats", 16, FLOAT, PHOTOMETRIC_RGB, 1, COMPRESSION_LZW, 3, -1, 0, 8, 1e-3 },
    { "grey half floats, tiled", 16, FLOAT, PHOTOMETRIC_MINISBLACK, 1, COMPRESSION_NONE, 1, -1, 16, 0, 1e-3 },
    { "rgb doubles", 64, FLOAT, PHOTOMETRIC_RGB, 1, COMPRESSION_NONE, 3, -1, 0, 8, 1e-5 },
    { "rgba32", 32, UINT, PHOTOMETRIC_RGB, 1, COMPRESSION_LZW, 4, EXTRASAMPLE_UNASSALPHA, 0, 8, 1e-5 },
    { "rgb8 tiled", 8, UINT, PHOTOMETRIC_RGB, 1, COMPRESSION_LZW, 3, -1, 16, 0, 1e-6 },
    { "rgb8 planes", 8, UINT, PHOTOMETRIC_RGB, 2, COMPRESSION_NONE, 3, -1, 0, 6, 1e-6 },
    { "rgb16 planes, tiled", 16, UINT, PHOTOMETRIC_RGB, 2, COMPRESSION_LZW, 3, -1, 16, 0, 1e-6 },
    { "rgb float planes, tiles larger than the picture", 32, FLOAT, PHOTOMETRIC_RGB, 2, COMPRESSION_NONE, 3, -1, 64, 0,
      1e-5 },
    { "rgba8", 8, UINT, PHOTOMETRIC_RGB, 1, COMPRESSION_LZW, 4, EXTRASAMPLE_UNASSALPHA, 0, 5, 1e-6 },
    { "rgba16 premultiplied", 16, UINT, PHOTOMETRIC_RGB, 1, COMPRESSION_LZW, 4, EXTRASAMPLE_ASSOCALPHA, 0, 5, 2e-3 },
    { "rgba8 tiled planes", 8, UINT, PHOTOMETRIC_RGB, 2, COMPRESSION_LZW, 4, EXTRASAMPLE_UNASSALPHA, 16, 0, 1e-6 },
    { "rgb and something else", 8, UINT, PHOTOMETRIC_RGB, 1, COMPRESSION_LZW, 4, EXTRASAMPLE_UNSPECIFIED, 0, 5, 1e-6 },
    { "grey8", 8, UINT, PHOTOMETRIC_MINISBLACK, 1, COMPRESSION_NONE, 1, -1, 0, 5, 1e-6 },
    { "grey16 inverted", 16, UINT, PHOTOMETRIC_MINISWHITE, 1, COMPRESSION_NONE, 1, -1, 0, 5, 1e-6 },
    { "grey and alpha", 16, UINT, PHOTOMETRIC_MINISBLACK, 1, COMPRESSION_LZW, 2, EXTRASAMPLE_UNASSALPHA, 0, 5, 1e-6 },
    { "cmyk8", 8, UINT, PHOTOMETRIC_SEPARATED, 1, COMPRESSION_LZW, 4, -1, 0, 5, 1e-6 },
    { "jpeg in rgb", 8, UINT, PHOTOMETRIC_RGB, 1, COMPRESSION_JPEG, 3, -1, 0, 8, 4.0 / 255 },
    { "jpeg in ycbcr", 8, UINT, PHOTOMETRIC_YCBCR, 1, COMPRESSION_JPEG, 3, -1, 0, 16, 24.0 / 255 },
};

static inline TIFF *new_tiff(TIFF *t, int w, int h, int bits, int samples, int photometric)
{
    TIFFSetField(t, TIFFTAG_IMAGEWIDTH, w);
    TIFFSetField(t, TIFFTAG_IMAGELENGTH, h);
    TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, bits);
    TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, samples);
    TIFFSetField(t, TIFFTAG_PHOTOMETRIC, photometric);
    TIFFSetField(t, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    return t;
}

#endif
