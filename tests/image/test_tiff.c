/* test_tiff.c: TIFF: what libtiff writes of every layout, what we write, orientation and profile, damage. */
#include "../support/picture.h"

#ifdef HAVE_TIFF
#include <tiffio.h>

/* How test() writes its picture, 37 x 21. */
struct layout {
    const char *name;
    int bits, format, photometric, planar, compression, samples, extra, tile, strip;
    double tolerance; /* against the picture, which is in whole 8-bit steps */
};

enum { W = 37, H = 21 };

/* Sample k of a pixel, 0 to 1, as the layout wants it. */
static double sample_of(const struct layout *l, nst_image *in, int k, int x, int y)
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
static uint16_t to_half(double v)
{
    int exponent;
    double fraction = frexp(v, &exponent); /* .5 to 1 */

    return v <= 0 ? 0 : (uint16_t)((exponent + 14) * 1024 + (int)((2 * fraction - 1) * 1024));
}

static void set_sample(const struct layout *l, unsigned char *to, size_t i, double v)
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
static void fill(const struct layout *l, nst_image *in, unsigned char *to, int x0, int y0, int w, int h, int only)
{
    int each = only < 0 ? l->samples : 1;

    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int k = 0; k < each; k++)
                set_sample(l, to, (size_t)((y * w + x) * each + k),
                           x0 + x < W && y0 + y < H ? sample_of(l, in, only < 0 ? k : only, x0 + x, y0 + y) : 0);
}

static void put_tiff(const struct layout *l, nst_image *in)
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
                int rows = l->tile ? step : H - y < step ? H - y : step;
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
    { "rgb float planes, tiles larger than the picture", 32, FLOAT, PHOTOMETRIC_RGB, 2, COMPRESSION_NONE, 3, -1, 64, 0, 1e-5 },
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

/* Every layout that libtiff writes comes back as the picture. */
START_TEST(every_layout)
{
    const struct layout *l = &layouts[_i];
    bool alpha = l->extra == EXTRASAMPLE_ASSOCALPHA || l->extra == EXTRASAMPLE_UNASSALPHA;
    bool grey = l->photometric <= PHOTOMETRIC_MINISBLACK;
    nst_image *in = l->compression == COMPRESSION_JPEG ? smooth_image(W, H, 3) : noise_image(W, H, alpha ? 4 : 3, 255), *out;

    if (!TIFFIsCODECConfigured((uint16_t)l->compression)) {
        nst_image_destroy(&in);
        return;
    }
    for (int i = 0; i < W * H && alpha; i++)
        in->plane[3][i] = 0.2f + 0.8f * in->plane[3][i]; /* what is premultiplied by 0 is lost */
    for (int i = 0; i < W * H && alpha; i++)
        in->plane[3][i] = (float)nst_image_quantise(in->plane[3][i], 255) / 255;
    put_tiff(l, in);
    out = read_image("a.tif");
    ck_assert_int_eq(out->channels, alpha ? 4 : 3);
    for (int c = 0; c < out->channels; c++)
        for (int i = 0; i < W * H; i++) {
            double want = in->plane[grey && c < 3 ? 0 : c][i];

            ck_assert_msg(fabs(out->plane[c][i] - want) <= l->tolerance, "%s: channel %d, pixel %d: %.5f, expected %.5f",
                          l->name, c, i, (double)out->plane[c][i], want);
        }
    nst_image_destroy(&in);
    nst_image_destroy(&out);
}
END_TEST

static TIFF *new_tiff(TIFF *t, int w, int h, int bits, int samples, int photometric)
{
    TIFFSetField(t, TIFFTAG_IMAGEWIDTH, w);
    TIFFSetField(t, TIFFTAG_IMAGELENGTH, h);
    TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, bits);
    TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, samples);
    TIFFSetField(t, TIFFTAG_PHOTOMETRIC, photometric);
    TIFFSetField(t, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    return t;
}

/* 9 to 15 bits a sample, rows that end inside of a byte: each step of grey comes back. */
START_TEST(odd_bits)
{
    int bits = _i, max = (1 << bits) - 1;
    unsigned char row[64] = { 0 };
    TIFF *t = new_tiff(TIFFOpen("a.tif", _i % 2 ? "wb" : "wl"), 21, 2, bits, 1, PHOTOMETRIC_MINISBLACK);
    nst_image *out;

    for (int x = 0; x < 21; x++)
        for (int b = 0; b < bits; b++)
            if ((x * 977 % (max + 1)) >> (bits - 1 - b) & 1)
                row[(x * bits + b) / 8] |= (unsigned char)(0x80 >> (x * bits + b) % 8);
    for (uint32_t y = 0; y < 2; y++)
        ck_assert_int_eq(TIFFWriteScanline(t, row, y, 0), 1);
    TIFFClose(t);
    out = read_image("a.tif");
    for (int x = 0; x < 21; x++)
        ck_assert_float_eq_tol(*at(out, 1, x, 1), (float)(x * 977 % (max + 1)) / (float)max, 1e-5f);
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
        TIFFWriteScanline(t, hdr ? (float[]){ .25f, 7, .5f, 1 } : (float[]){ 0, 255, 40, 90 }, 0, 0);
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

/* The main picture, wherever it stands: behind a thumbnail, within one, or before a larger mask.  A raw file is refused. */
START_TEST(pages)
{
    static const struct { int side, kind; bool inside, raw; } files[][3] = {
        { { 20, FILETYPE_REDUCEDIMAGE, false, false }, { 40, 0, false, false }, { 30, 0, false, false } },
        { { 20, FILETYPE_REDUCEDIMAGE, false, false }, { 40, 0, true, false }, { 50, FILETYPE_REDUCEDIMAGE, false, false } },
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
        new_tiff(t, files[_i][i].side, files[_i][i].side, 8, 1, files[_i][i].raw ? PHOTOMETRIC_CFA : PHOTOMETRIC_MINISBLACK);
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

/* Ours: 8 and 16 bits, with and without alpha, exact; comment and profile are in it; the same bytes again. */
START_TEST(round_trip)
{
    for (int channels = 3; channels <= 4; channels++)
        for (int bits = 8; bits <= 16; bits += 8) {
            nst_image *in = noise_image(67, 51, channels, bits == 8 ? 255 : 65535), *out;
            nst_write_options o = { .bits = bits, .comment = "nst --seed 1" };
            unsigned char *a, *b;
            size_t n, m;

            write_image(in, "a.tiff", &o);
            out = read_image("a.tiff");
            same_image(in, out, 0);
            a = get_file("a.tiff", &n);
            ck_assert_ptr_nonnull(find_bytes(a, n, "nst --seed 1", 12));
            write_image(in, "a.tiff", &o);
            b = get_file("a.tiff", &m);
            ck_assert(n == m && !memcmp(a, b, n));
            nst_free(a);
            nst_free(b);
            nst_image_destroy(&in);
            nst_image_destroy(&out);
        }
}
END_TEST

/* Each orientation as EXIF's, which took them from TIFF. */
START_TEST(orientations)
{
    for (int o = 1; o <= 8; o++) {
        nst_image *in = noise_image(7, 4, 3, 255), *out;
        TIFF *t;
        nst_error e;

        write_image(in, "a.tif", NULL);
        t = TIFFOpen("a.tif", "r+");
        TIFFSetField(t, TIFFTAG_ORIENTATION, o);
        TIFFRewriteDirectory(t);
        TIFFClose(t);
        ck_assert_int_eq(nst_image_orient(in, o, "x", &e), NST_OK);
        out = read_image("a.tif");
        same_image(in, out, 0);
        nst_image_destroy(&in);
        nst_image_destroy(&out);
    }
}
END_TEST

static void quiet(const char *module, const char *format, va_list args)
{
    (void)module;
    (void)format;
    (void)args;
}

/* Numbers in the header that cannot be, by libtiff's own hand. */
START_TEST(absurd)
{
    static const struct { uint32_t tag, value; const char *text; } wrong[] = {
        { TIFFTAG_IMAGEWIDTH, 70000, "expected sides up to" },
        { TIFFTAG_IMAGELENGTH, 70000, "expected sides up to" },
        { TIFFTAG_IMAGELENGTH, 60000, "" }, /* strips that are not there */
        { TIFFTAG_BITSPERSAMPLE, 64, "" },
        { TIFFTAG_SAMPLESPERPIXEL, 1, "" },
        { TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_INT, "expected whole numbers from 0 or floating point" },
        { TIFFTAG_PHOTOMETRIC, 4711, "a kind of TIFF that is not read" },
        { TIFFTAG_COMPRESSION, 4711, "" },
    };
    nst_image *in = noise_image(20, 20, 3, 255);

    TIFFSetErrorHandler(quiet);
    TIFFSetWarningHandler(quiet);
    for (size_t i = 0; i < NST_COUNT(wrong); i++) {
        TIFF *t;
        nst_image *out;
        nst_error e = { "" };

        write_image(in, "a.tif", NULL);
        t = TIFFOpen("a.tif", "r+");
        TIFFSetField(t, wrong[i].tag, wrong[i].value);
        TIFFRewriteDirectory(t);
        TIFFClose(t);
        ck_assert_msg(nst_image_read(&out, "a.tif", &e) != NST_OK, "%u = %u is read", wrong[i].tag, wrong[i].value);
        ck_assert_ptr_null(out);
        ck_assert_msg(!strncmp(e.text, "a.tif: ", 7) && strstr(e.text, wrong[i].text), "%s", e.text);
    }
    nst_image_destroy(&in);
}
END_TEST

/* Cut anywhere: never a picture; changed anywhere: a picture or a sentence, and not a word on standard error. */
START_TEST(damaged)
{
    const struct layout *l = &layouts[_i];
    nst_image *in = noise_image(W, H, 4, 255), *out;
    unsigned char *data;
    nst_error e;
    size_t n;

    if (!TIFFIsCODECConfigured((uint16_t)l->compression)) {
        nst_image_destroy(&in);
        return;
    }
    put_tiff(l, in);
    data = get_file("a.tif", &n);
    ck_assert_ptr_nonnull(freopen("stderr", "w+", stderr));
    for (size_t k = 0; k < n; k += k < 64 || k + 200 > n ? 1 : 97) {
        nst_status s;

        put_file("cut.tif", data, k);
        s = nst_image_read(&out, "cut.tif", &e);
        ck_assert_msg(s == NST_EFORMAT || s == NST_EUNSUPPORTED || (s == NST_OK && k + 8 > n), "%s: %zu of %zu bytes: %d",
                      l->name, k, n, s);
        nst_image_destroy(&out);
    }
    for (size_t k = 0; k < n; k += k < 64 || k + 200 > n ? 1 : 97)
        for (int bit = 0; bit < 8; bit += 3) {
            data[k] ^= (unsigned char)(1 << bit);
            put_file("new.tif", data, n);
            if (nst_image_read(&out, "new.tif", &e))
                ck_assert_msg(!strncmp(e.text, "new.tif: ", 9) && !strchr(e.text, '\n'), "%s", e.text);
            nst_image_destroy(&out);
            data[k] ^= (unsigned char)(1 << bit);
        }
    ck_assert_int_eq(ftell(stderr), 0);
    nst_free(data);
    nst_image_destroy(&in);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_loop_test(t, every_layout, 0, NST_COUNT(layouts));
    tcase_add_test(t, bilevel_and_palette);
    tcase_add_loop_test(t, odd_bits, 9, 16);
    tcase_add_test(t, floats_to_255);
    tcase_add_test(t, lab);
    tcase_add_loop_test(t, pages, 0, 6);
    tcase_add_test(t, palette_and_alpha);
    tcase_add_test(t, round_trip);
    tcase_add_test(t, orientations);
    tcase_add_test(t, absurd);
    tcase_add_loop_test(t, damaged, 0, NST_COUNT(layouts));
}

int main(void)
{
    return run_tests("tiff", add);
}

#else

int main(void)
{
    puts("skipped: this build has no libtiff");
    return 77;
}
#endif
