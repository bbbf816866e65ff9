/* test_tiff_kinds.c: TIFF's kinds of samples, palettes, Lab, and which of several pictures is the main one. */
#include "../support/picture.h"

#ifdef HAVE_TIFF
#include "tiff_file.h"

/* Sample number i of a row of so many bits each, the highest first. */
static void put_bits(unsigned char *row, int i, int bits, int v)
{
    for (int b = 0; b < bits; b++)
        if (v >> (bits - 1 - b) & 1)
            row[(i * bits + b) / 8] |= (unsigned char)(0x80 >> (i * bits + b) % 8);
}

/* 9 to 15 bits a sample, rows that end inside of a byte: each step of grey comes back. */
START_TEST(odd_bits)
{
    int bits = _i, max = (1 << bits) - 1;
    unsigned char row[64] = { 0 };
    TIFF *t = new_tiff(TIFFOpen("a.tif", _i % 2 ? "wb" : "wl"), 21, 2, bits, 1, PHOTOMETRIC_MINISBLACK);
    nst_image *out;

    for (int x = 0; x < 21; x++)
        put_bits(row, x, bits, x * 977 % (max + 1));
    for (uint32_t y = 0; y < 2; y++)
        ck_assert_int_eq(TIFFWriteScanline(t, row, y, 0), 1);
    TIFFClose(t);
    out = read_image("a.tif");
    for (int x = 0; x < 21; x++)
        ck_assert_float_eq_tol(*at(out, 1, x, 1), (float)(x * 977 % (max + 1)) / (float)max, 1e-5f);
    nst_image_destroy(&out);
}
END_TEST

/* A colour of a pixel, 0 to max. */
static int step(int x, int y, int c, int max)
{
    return (x * 977 + y * 131 + c * 41) % (max + 1);
}

/* The same in tiles of 16, and in planes one after another, where a colour follows another's: 21 x 18. */
START_TEST(odd_bits_in_parts)
{
    int bits = _i / 4 ? 12 : 9, max = (1 << bits) - 1, planes = _i & 1, tiled = _i >> 1 & 1, each = planes ? 1 : 3;
    int side = tiled ? 16 : 21, rows = tiled ? 16 : 5, bytes = (side * each * bits + 7) / 8;
    TIFF *t = new_tiff(TIFFOpen("a.tif", "w"), 21, 18, bits, 3, PHOTOMETRIC_RGB);
    nst_image *out;

    TIFFSetField(t, TIFFTAG_PLANARCONFIG, planes ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG);
    TIFFSetField(t, TIFFTAG_COMPRESSION, COMPRESSION_NONE);
    TIFFSetField(t, tiled ? TIFFTAG_TILELENGTH : TIFFTAG_ROWSPERSTRIP, rows);
    if (tiled)
        TIFFSetField(t, TIFFTAG_TILEWIDTH, side);
    for (int s = 0; s < (planes ? 3 : 1); s++)
        for (int y0 = 0; y0 < 18; y0 += rows)
            for (int x0 = 0; x0 < 21; x0 += side) {
                unsigned char piece[16 * 128] = { 0 };
                int high = tiled || y0 + rows <= 18 ? rows : 18 - y0;

                for (int y = 0; y < high; y++)
                    for (int i = 0; i < side * each; i++)
                        put_bits(piece + y * bytes, i, bits,
                                 step(x0 + i / each, y0 + y, planes ? s : i % each, max));
                if (tiled)
                    TIFFWriteTile(t, piece, (uint32_t)x0, (uint32_t)y0, 0, (uint16_t)s);
                else
                    TIFFWriteEncodedStrip(t, TIFFComputeStrip(t, (uint32_t)y0, (uint16_t)s), piece, high * bytes);
            }
    TIFFClose(t);
    out = read_image("a.tif");
    for (int i = 0; i < 21 * 18 * 3; i++)
        ck_assert_float_eq_tol(*at(out, i % 3, i / 3 % 21, i / 63),
                               (float)step(i / 3 % 21, i / 63, i % 3, max) / (float)max, 1e-5f);
    nst_image_destroy(&out);
}
END_TEST

/* Numbers with a sign: below 0 is black, the largest white. */
START_TEST(signed_numbers)
{
    static const float want[] = { 0, 0, 16. / 127, 1 };
    int bits = (const int[]){ 8, 12, 16, 32 }[_i];
    TIFF *t = new_tiff(TIFFOpen("a.tif", "w"), 4, 1, bits, 1, PHOTOMETRIC_MINISBLACK);
    unsigned char packed[8] = { 0 };
    const int top = bits == 32 ? INT32_MAX : (1 << (bits - 1)) - 1;
    int v[] = { -top - 1, -1, (int)lrint(16. / 127 * top), top };
    int8_t as_8[4];
    int16_t as_16[4];
    void *const rows[] = { as_8, packed, as_16, v };
    nst_image *out;

    TIFFSetField(t, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_INT);
    for (int i = 0; i < 4; i++) {
        as_8[i] = (int8_t)v[i], as_16[i] = (int16_t)v[i];
        put_bits(packed, i, 12, v[i] & 0xfff);
    }
    TIFFWriteScanline(t, rows[_i], 0, 0);
    TIFFClose(t);
    out = read_image("a.tif");
    for (int i = 0; i < 4; i++)
        ck_assert_float_eq_tol(*at(out, 0, i, 0), want[i], bits == 12 ? 5e-4f : 1e-4f);
    nst_image_destroy(&out);
}
END_TEST

/* Floating point from 0 to 255 would be white: that is said.  A few lights above 1 are cut. */
START_TEST(floats_to_255)
{
    for (int hdr = 0; hdr < 2; hdr++) {
        TIFF *t = new_tiff(TIFFOpen("a.tif", "w"), 4, 1, 32, 1, PHOTOMETRIC_MINISBLACK);
        nst_image *out;

        TIFFSetField(t, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_IEEEFP);
        TIFFWriteScanline(t, hdr ? (float[]){ .25f, 7, .5f, 1 } : (float[]){ 0, 255, 0, 90 }, 0, 0);
        TIFFClose(t);
        if (hdr) {
            out = read_image("a.tif");
            ck_assert_float_eq_tol(*at(out, 0, 0, 0), .25f, 1e-5f);
            ck_assert(*at(out, 0, 1, 0) == 1);
            nst_image_destroy(&out);
        } else {
            refuse_file("a.tif", NST_EFORMAT, "most of its samples are above 1, the largest 255");
        }
    }
}
END_TEST

/* CIE Lab of 8 and 16 bits: white is white, black black, and sRGB's red (by Lindbloom's tables, D50) is red. */
START_TEST(lab)
{
    static const double colors[3][3] = { { 100, 0, 0 }, { 0, 0, 0 }, { 54.2917, 80.8125, 69.8851 } };
    static const float rgb[3][3] = { { 1, 1, 1 }, { 0, 0, 0 }, { 1, 0, 0 } };

    for (int bits = 8; bits <= 16; bits += 8) {
        TIFF *t = new_tiff(TIFFOpen("a.tif", "w"), 3, 1, bits, 3, PHOTOMETRIC_CIELAB);
        uint8_t narrow[9];
        uint16_t wide[9];
        nst_image *out;

        for (int i = 0; i < 9; i++) {
            double v = colors[i / 3][i % 3];

            narrow[i] = (uint8_t)(int)lrint(i % 3 ? v : v * 2.55);
            wide[i] = (uint16_t)(int)lrint(i % 3 ? v * 256 : v * 655.35);
        }
        TIFFWriteScanline(t, bits == 8 ? (void *)narrow : (void *)wide, 0, 0);
        TIFFClose(t);
#ifdef HAVE_LCMS2
        out = read_image("a.tif");
        for (int i = 0; i < 9; i++)
            ck_assert_msg(fabsf(*at(out, i % 3, i / 3, 0) - rgb[i / 3][i % 3]) < (bits == 8 ? .02f : .004f),
                          "%d bits, colour %d, channel %d: %g", bits, i / 3, i % 3, (double)*at(out, i % 3, i / 3, 0));
        nst_image_destroy(&out);
#else
        (void)out, (void)rgb;
        refuse_file("a.tif", NST_EUNSUPPORTED, "needs lcms2");
#endif
    }
}
END_TEST

/* The main picture, wherever it stands: behind a thumbnail, within one, or before a larger mask.  A raw file is
 * refused. */
START_TEST(pages)
{
    static const struct { int side, kind; bool inside, raw; } files[][3] = {
        { { 20, FILETYPE_REDUCEDIMAGE, false, false }, { 40, 0, false, false }, { 30, 0, false, false } },
        { { 20, FILETYPE_REDUCEDIMAGE, false, false }, { 40, 0, true, false },
          { 50, FILETYPE_REDUCEDIMAGE, false, false } },
        { { 40, 0, false, false }, { 50, FILETYPE_REDUCEDIMAGE, true, false }, { 60, FILETYPE_MASK, false, false } },
        { { 40, 0, false, false }, { 50, 0, false, false }, { 60, 0, false, false } }, /* pages: the first */
        { { 40, FILETYPE_REDUCEDIMAGE, false, false }, { 30, FILETYPE_REDUCEDIMAGE, false, false }, { 0 } },
        { { 20, FILETYPE_REDUCEDIMAGE, false, false }, { 60, 0, true, true }, { 40, 0, true, false } },
    };
    static const unsigned char row[64];
    TIFF *t = TIFFOpen("a.tif", "w");
    nst_image *out;
    bool raw = false;

    for (int i = 0; i < 3 && files[_i][i].side; i++) {
        uint16_t inside = 0;

        for (int k = i + 1; k < 3 && !files[_i][i].inside; k++) {
            if (!files[_i][k].inside)
                break;
            inside++;
        }
        new_tiff(t, files[_i][i].side, files[_i][i].side, 8, 1,
                 files[_i][i].raw ? PHOTOMETRIC_CFA : PHOTOMETRIC_MINISBLACK);
        raw |= files[_i][i].raw;
        TIFFSetField(t, TIFFTAG_SUBFILETYPE, files[_i][i].kind);
        if (inside)
            TIFFSetField(t, TIFFTAG_SUBIFD, inside, (toff_t[2]){ 0, 0 });
        for (uint32_t y = 0; y < (uint32_t)files[_i][i].side; y++)
            TIFFWriteScanline(t, (void *)(uintptr_t)row, y, 0);
        TIFFWriteDirectory(t);
    }
    TIFFClose(t);
    if (raw) {
        refuse_file("a.tif", NST_EUNSUPPORTED, "a camera's raw file");
    } else {
        out = read_image("a.tif");
        ck_assert_int_eq(out->width, 40);
        nst_image_destroy(&out);
    }
}
END_TEST

/* A palette of bytes, as old writers made them, and with alpha beside its numbers. */
START_TEST(palette_and_alpha)
{
    static uint16_t map[3][256];
    TIFF *t = new_tiff(TIFFOpen("a.tif", "w"), 2, 1, 8, 2, PHOTOMETRIC_PALETTE);
    nst_image *out;

    for (int i = 0; i < 256; i++)
        map[0][i] = (uint16_t)i, map[1][i] = (uint16_t)(255 - i);
    TIFFSetField(t, TIFFTAG_COLORMAP, map[0], map[1], map[2]);
    TIFFSetField(t, TIFFTAG_EXTRASAMPLES, 1, (uint16_t[]){ EXTRASAMPLE_UNASSALPHA });
    TIFFWriteScanline(t, (unsigned char[]){ 51, 255, 204, 102 }, 0, 0);
    TIFFClose(t);
    out = read_image("a.tif");
    ck_assert_int_eq(out->channels, 4);
    ck_assert_float_eq_tol(*at(out, 0, 0, 0), .2f, 1e-4f);
    ck_assert_float_eq_tol(*at(out, 1, 1, 0), .2f, 1e-4f);
    ck_assert_float_eq_tol(*at(out, 3, 0, 0), 1, 1e-4f);
    ck_assert_float_eq_tol(*at(out, 3, 1, 0), .4f, 1e-4f);
    nst_image_destroy(&out);
}
END_TEST

/* Kinds that go through libtiff's own conversion: two colours, and a palette of eight bits, which does not. */
START_TEST(bilevel_and_palette)
{
    TIFF *t = TIFFOpen("a.tif", "w");
    static uint16_t map[3][256];
    nst_image *out;

    TIFFSetField(t, TIFFTAG_IMAGEWIDTH, 12);
    TIFFSetField(t, TIFFTAG_IMAGELENGTH, 3);
    TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, 1);
    TIFFSetField(t, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
    TIFFSetField(t, TIFFTAG_ORIENTATION, ORIENTATION_BOTLEFT);
    TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, 2);
    for (uint32_t y = 0; y < 3; y++)
        TIFFWriteScanline(t, (unsigned char[]){ (unsigned char)(0x80 >> y), 0x10 }, y, 0);
    TIFFClose(t);
    out = read_image("a.tif");
    for (int y = 0; y < 3; y++)
        for (int x = 0; x < 12; x++)
            ck_assert(*at(out, 1, x, y) == (x == 2 - y || x == 11 ? 0 : 1));
    nst_image_destroy(&out);
    for (int i = 0; i < 256; i++) {
        map[0][i] = (uint16_t)(i * 257);
        map[2][i] = (uint16_t)(65535 - i);
    }
    t = TIFFOpen("b.tif", "w");
    TIFFSetField(t, TIFFTAG_IMAGEWIDTH, 4);
    TIFFSetField(t, TIFFTAG_IMAGELENGTH, 1);
    TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, 8);
    TIFFSetField(t, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_PALETTE);
    TIFFSetField(t, TIFFTAG_COLORMAP, map[0], map[1], map[2]);
    TIFFWriteScanline(t, (unsigned char[]){ 0, 5, 200, 255 }, 0, 0);
    TIFFClose(t);
    out = read_image("b.tif");
    ck_assert_float_eq_tol(*at(out, 0, 2, 0), 200.0f / 255, 1e-6f);
    ck_assert_float_eq_tol(*at(out, 2, 1, 0), 65530.0f / 65535, 1e-6f);
    ck_assert(*at(out, 1, 3, 0) == 0);
    nst_image_destroy(&out);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_loop_test(t, odd_bits, 9, 16);
    tcase_add_loop_test(t, odd_bits_in_parts, 0, 8);
    tcase_add_loop_test(t, signed_numbers, 0, 4);
    tcase_add_test(t, floats_to_255);
    tcase_add_test(t, lab);
    tcase_add_loop_test(t, pages, 0, 6);
    tcase_add_test(t, palette_and_alpha);
    tcase_add_test(t, bilevel_and_palette);
}

int main(void)
{
    return run_tests("tiff_kinds", add);
}

#else

int main(void)
{
    puts("skipped: this build has no libtiff");
    return 77;
}
#endif
