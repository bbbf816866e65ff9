/* test_png.c: every kind of PNG, made here with libpng, and every way to spoil one. */
#include "picture.h"

#include <png.h>
#include <zlib.h>

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
    const char *text;         /* of "Raw profile type exif" */
};

static int channels_of(int type)
{
    return type == PNG_COLOR_TYPE_RGB ? 3 : type == PNG_COLOR_TYPE_RGB_ALPHA ? 4
           : type == PNG_COLOR_TYPE_GRAY_ALPHA ? 2 : 1;
}

static void make_png(const char *name, const struct kind *k)
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
        png_byte exif[26] = { 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, (png_byte)k->orientation };

        png_set_eXIf_1(png, info, sizeof exif, exif);
    }
#endif
    if (k->text)
        png_set_text(png, info, &(png_text){ .compression = PNG_TEXT_COMPRESSION_zTXt, .key = (char *)(uintptr_t)"Raw profile type exif",
                                             .text = (char *)(uintptr_t)k->text }, 1);
    if (k->cicp) {
        png_write_info_before_PLTE(png, info);
        png_write_chunk(png, (const png_byte *)"cICP", k->cicp, 4);
    }
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

static void fill(uint16_t *samples, int n, unsigned max)
{
    uint32_t seed = 99;

    for (int i = 0; i < W * H * n; i++) {
        seed = seed * 1664525u + 1013904223u;
        samples[i] = (uint16_t)((seed >> 8) % (max + 1));
    }
}

/* Every colour type, bit depth and interlace gives the numbers that were put in, over their greatest value. */
START_TEST(every_kind)
{
    static const struct { int type, bits; } kinds[] = {
        { PNG_COLOR_TYPE_GRAY, 1 }, { PNG_COLOR_TYPE_GRAY, 2 }, { PNG_COLOR_TYPE_GRAY, 4 }, { PNG_COLOR_TYPE_GRAY, 8 },
        { PNG_COLOR_TYPE_GRAY, 16 }, { PNG_COLOR_TYPE_GRAY_ALPHA, 8 }, { PNG_COLOR_TYPE_GRAY_ALPHA, 16 },
        { PNG_COLOR_TYPE_RGB, 8 }, { PNG_COLOR_TYPE_RGB, 16 }, { PNG_COLOR_TYPE_RGB_ALPHA, 8 },
        { PNG_COLOR_TYPE_RGB_ALPHA, 16 },
    };
    uint16_t samples[W * H * 4];

    for (size_t i = 0; i < NST_COUNT(kinds); i++)
        for (int interlace = 0; interlace < 2; interlace++) {
            unsigned max = (1u << kinds[i].bits) - 1;
            int n = channels_of(kinds[i].type), color = n < 3 ? 1 : 3;
            nst_image *out;

            fill(samples, n, max);
            make_png("a.png", &(struct kind){ .w = W, .h = H, .type = kinds[i].type, .bits = kinds[i].bits,
                                              .interlace = interlace, .samples = samples });
            out = read_image("a.png");
            ck_assert_int_eq(out->width, W);
            ck_assert_int_eq(out->height, H);
            ck_assert_int_eq(out->channels, n > color ? 4 : 3);
            for (int p = 0; p < W * H; p++)
                for (int c = 0; c < out->channels; c++) {
                    int k = c == 3 ? n - 1 : color == 1 ? 0 : c;

                    ck_assert_msg(out->plane[c][p] == (float)samples[p * n + k] / (float)max,
                                  "type %d, %d bits, interlace %d", kinds[i].type, kinds[i].bits, interlace);
                }
            nst_image_destroy(&out);
        }
}
END_TEST

/* Palettes of each depth, with and without transparent entries. */
START_TEST(palettes)
{
    uint16_t samples[W * H];
    png_color palette[256];
    png_byte alphas[256];

    for (int i = 0; i < 256; i++) {
        palette[i] = (png_color){ (png_byte)i, (png_byte)(255 - i), (png_byte)(i * 7) };
        alphas[i] = (png_byte)(i * 3);
    }
    for (int bits = 1; bits <= 8; bits *= 2)
        for (int variant = 0; variant < 4; variant++) {
            nst_image *out;

            fill(samples, 1, (1u << bits) - 1);
            make_png("a.png", &(struct kind){ .w = W, .h = H, .type = PNG_COLOR_TYPE_PALETTE, .bits = bits,
                                              .samples = samples, .palette = palette, .interlace = variant & 1,
                                              .alphas = variant & 2 ? alphas : NULL });
            out = read_image("a.png");
            ck_assert_int_eq(out->channels, variant & 2 ? 4 : 3);
            for (int p = 0; p < W * H; p++) {
                ck_assert(out->plane[0][p] == palette[samples[p]].red / 255.0f);
                ck_assert(out->plane[1][p] == palette[samples[p]].green / 255.0f);
                ck_assert(out->plane[2][p] == palette[samples[p]].blue / 255.0f);
                if (variant & 2)
                    ck_assert(out->plane[3][p] == alphas[samples[p]] / 255.0f);
            }
            nst_image_destroy(&out);
        }
}
END_TEST

/* One colour of a grey or RGB picture may be the transparent one. */
START_TEST(color_keys)
{
    static const uint16_t grey[4] = { 1, 2, 3, 0 }, rgb[6] = { 10, 20, 30, 10, 20, 31 };
    nst_image *out;

    make_png("a.png", &(struct kind){ .w = 4, .h = 1, .type = PNG_COLOR_TYPE_GRAY, .bits = 2, .samples = grey,
                                      .key = &(png_color_16){ .gray = 2 } });
    out = read_image("a.png");
    ck_assert_int_eq(out->channels, 4);
    for (int i = 0; i < 4; i++) {
        ck_assert(out->plane[1][i] == grey[i] / 3.0f);
        ck_assert(out->plane[3][i] == (grey[i] == 2 ? 0 : 1));
    }
    nst_image_destroy(&out);
    make_png("a.png", &(struct kind){ .w = 2, .h = 1, .type = PNG_COLOR_TYPE_RGB, .bits = 8, .samples = rgb,
                                      .key = &(png_color_16){ .red = 10, .green = 20, .blue = 30 } });
    out = read_image("a.png");
    ck_assert(out->plane[3][0] == 0 && out->plane[3][1] == 1);
    nst_image_destroy(&out);
}
END_TEST

/* gAMA is obeyed (sample 0.5 of linear light is sRGB 0.7354), and the usual gamma is taken as sRGB itself,
 * as an sRGB chunk is. */
START_TEST(gamma_chunk)
{
    static const uint16_t samples[3] = { 32768, 65535, 0 };
    struct kind k = { .w = 3, .h = 1, .type = PNG_COLOR_TYPE_GRAY, .bits = 16, .samples = samples, .gamma = 1.0 };
    nst_image *out;

    make_png("a.png", &k);
    out = read_image("a.png");
    ck_assert_float_eq_tol(out->plane[0][0], 0.73536f, 1e-4f);
    ck_assert_float_eq_tol(out->plane[1][1], 1, 1e-6f);
    ck_assert_float_eq_tol(out->plane[2][2], 0, 1e-6f);
    nst_image_destroy(&out);
    for (int i = 0; i < 2; i++) {
        k.srgb = i;
        k.gamma = i ? 0 : 0.45455;
        make_png("a.png", &k);
        out = read_image("a.png");
        ck_assert(out->plane[0][0] == 32768 / 65535.0f);
        nst_image_destroy(&out);
    }
}
END_TEST

/* cHRM of a wider gamut (Adobe RGB's) makes a green purer; sRGB's own changes nothing.  Expected numbers: the
 * matrices of both spaces, worked out in double. */
START_TEST(chroma_chunk)
{
    static const double adobe[8] = { 0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06 };
    static const double srgb[8] = { 0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06 };
    static const uint16_t samples[3] = { 100, 150, 120 };
    struct kind k = { .w = 1, .h = 1, .type = PNG_COLOR_TYPE_RGB, .bits = 8, .samples = samples, .gamma = 0.45455 };
    nst_image *out;

    k.chroma = srgb;
    make_png("a.png", &k);
    out = read_image("a.png");
    for (int c = 0; c < 3; c++)
        ck_assert(out->plane[c][0] == samples[c] / 255.0f);
    nst_image_destroy(&out);
#ifdef HAVE_LCMS2
    k.chroma = adobe;
    make_png("a.png", &k);
    out = read_image("a.png");
    ck_assert_msg(out->plane[0][0] < 80 / 255.0f, "red %g", (double)out->plane[0][0] * 255);
    ck_assert_float_eq_tol(out->plane[1][0], 150 / 255.0f, 1.5f / 255);
    nst_image_destroy(&out);
#else
    (void)adobe;
#endif
}
END_TEST

/* cICP stands above the other chunks: Display P3's red and green are beyond sRGB's, in the expected numbers, worked out in
 * double; sRGB by its numbers changes nothing; PQ and HLG are refused by name, what is unknown is passed over. */
START_TEST(coded_colors)
{
    static const uint16_t samples[3] = { 100, 150, 120 };
    static const struct { png_byte code[4]; double rgb[3]; } codes[] = {
        { { 1, 13, 0, 1 }, { 100, 150, 120 } }, { { 12, 13, 0, 1 }, { 83.46, 151.66, 117.60 } }, { { 77, 13, 0, 1 }, { 100, 150, 120 } },
        { { 12, 13, 9, 1 }, { 100, 150, 120 } },
    };
    struct kind k = { .w = 1, .h = 1, .type = PNG_COLOR_TYPE_RGB, .bits = 8, .samples = samples };

    for (size_t i = 0; i < NST_COUNT(codes); i++) {
        nst_image *out;

        k.cicp = codes[i].code;
        make_png("a.png", &k);
        out = read_image("a.png");
#ifndef HAVE_LCMS2
        if (i == 1)
            continue;
#endif
        for (int c = 0; c < 3; c++)
            ck_assert_msg(fabs((double)out->plane[c][0] * 255 - codes[i].rgb[c]) < .6, "%zu: channel %d: %g", i, c,
                          (double)out->plane[c][0] * 255);
        nst_image_destroy(&out);
    }
    k.cicp = (const png_byte[]){ 9, 16, 0, 1 };
    make_png("a.png", &k);
    refuse_file("a.png", NST_EUNSUPPORTED, "high dynamic range (PQ)");
    k.cicp = (const png_byte[]){ 9, 18, 0, 1 };
    make_png("a.png", &k);
    refuse_file("a.png", NST_EUNSUPPORTED, "high dynamic range (HLG)");
}
END_TEST

/* EXIF in text, as ImageMagick wrote it; cut, without digits or with a wrong number it says nothing. */
START_TEST(exif_text)
{
#ifdef HAVE_LIBEXIF
    static const char whole[] = "\nexif\n      26\n4d4d002a00000008000101120003000000010006\n000000000000\n";
    static const struct { const char *text; int width; } texts[] = {
        { whole, 1 }, { "\nexif\n      26\n4d4d002a0000", 2 }, { "\nexif\n", 2 }, { "", 2 }, { "\nexif\n 99999999999999\n4d4d\n", 2 },
        { "\nexif\n      4\nzzzzzzzzzzzzzzz\n", 2 },
    };
    static const uint16_t samples[2] = { 7, 200 };

    for (size_t i = 0; i < NST_COUNT(texts); i++) {
        nst_image *out;

        make_png("a.png", &(struct kind){ .w = 2, .h = 1, .type = PNG_COLOR_TYPE_GRAY, .bits = 8, .samples = samples,
                                          .text = texts[i].text });
        out = read_image("a.png");
        ck_assert_msg(out->width == texts[i].width, "text %zu: %d wide", i, out->width);
        nst_image_destroy(&out);
    }
#endif
}
END_TEST

/* A PNG may carry EXIF too. */
START_TEST(exif_chunk)
{
#if defined HAVE_LIBEXIF && defined PNG_eXIf_SUPPORTED
    static const uint16_t samples[2] = { 7, 200 };
    nst_image *out;

    make_png("a.png", &(struct kind){ .w = 2, .h = 1, .type = PNG_COLOR_TYPE_GRAY, .bits = 8, .samples = samples,
                                      .orientation = 6 });
    out = read_image("a.png");
    ck_assert_int_eq(out->width, 1);
    ck_assert_int_eq(out->height, 2);
    ck_assert(out->plane[0][0] == 7 / 255.0f && out->plane[0][1] == 200 / 255.0f);
    nst_image_destroy(&out);
#endif
}
END_TEST

/* ---- damage ------------------------------------------------------------------- */

static unsigned char *small_png(size_t *bytes, int interlace)
{
    uint16_t samples[W * H * 3];

    fill(samples, 3, 255);
    make_png("whole.png", &(struct kind){ .w = W, .h = H, .type = PNG_COLOR_TYPE_RGB, .bits = 8, .samples = samples,
                                          .interlace = interlace });
    return get_file("whole.png", bytes);
}

/* A file cut after any byte is refused, and after the header in words that say so; but behind the pixels nothing is missed. */
START_TEST(truncated)
{
    for (int interlace = 0; interlace < 2; interlace++) {
        size_t n;
        unsigned char *data = small_png(&n, interlace);
        size_t end = n - 12; /* IEND */
        nst_image *whole = read_image("whole.png"), *cut_short;

        for (size_t cut = 0; cut < end; cut++) {
            put_file("cut.png", data, cut);
            refuse_file("cut.png", NST_EFORMAT, cut == 0 ? "empty file" : cut < 8 ? "no known kind of picture" : "truncated");
        }
        for (size_t cut = end; cut < n; cut++) {
            put_file("cut.png", data, cut);
            same_image(cut_short = read_image("cut.png"), whole, 0);
            nst_image_destroy(&cut_short);
        }
        data[n - 14] ^= 1; /* the sum of the pixels */
        put_file("cut.png", data, n);
        refuse_file("cut.png", NST_EFORMAT, "damaged PNG file: IDAT: ");
        nst_image_destroy(&whole);
        nst_free(data);
    }
}
END_TEST

/* Half of a large picture: the sentence counts the rows. */
START_TEST(truncated_rows)
{
    cut_by_half("a.png", noise_image(300, 480, 3, 255), 200, 280);
}
END_TEST

/* Any single byte changed: either a picture of some kind or a sentence, never a crash. */
START_TEST(flipped)
{
    for (int interlace = 0; interlace < 2; interlace++) {
        size_t n;
        unsigned char *data = small_png(&n, interlace);

        for (size_t i = 0; i < n; i++)
            for (int k = 0; k < 3; k++) {
                static const unsigned char with[3] = { 0x01, 0x80, 0xff };
                nst_image *out;
                nst_error e = { "" };

                data[i] ^= with[k];
                put_file("flip.png", data, n);
                if (nst_image_read(&out, "flip.png", &e))
                    ck_assert(!out && strlen(e.text) > strlen("flip.png: "));
                nst_image_destroy(&out);
                data[i] ^= with[k];
            }
        nst_free(data);
    }
}
END_TEST

static void put_be32(unsigned char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (unsigned char)(v >> (24 - 8 * i));
}

/* A small file whose header (with a right checksum) promises this many pixels. */
static void lie(uint32_t w, uint32_t h)
{
    size_t n;
    unsigned char *data = small_png(&n, 0);

    put_be32(data + 16, w);
    put_be32(data + 20, h);
    put_be32(data + 29, (uint32_t)crc32(0, data + 12, 17));
    put_file("lie.png", data, n);
    nst_free(data);
}

/* Sizes that are absurd, or that the file's few bytes cannot hold, are refused before memory is asked for. */
START_TEST(absurd_sizes)
{
    static const struct { uint32_t w, h; const char *text; } sizes[] = {
        { 0, 13, "damaged PNG" },
        { 19, 0, "damaged PNG" },
        { 0xffffffff, 13, "damaged PNG" },
        { 0x7fffffff, 0x7fffffff, "expected sides up to 65535" },
        { 65536, 1, "65536 x 1 pixels, expected sides up to 65535" },
        { 65535, 65535, "at most 1073741824 pixels" },
        { 30000, 30000, "bytes cannot hold 30000 x 30000 pixels" },
    };

    for (size_t i = 0; i < NST_COUNT(sizes); i++) {
        lie(sizes[i].w, sizes[i].h);
        refuse_file("lie.png", NST_EFORMAT, sizes[i].text);
    }
    lie(W, H + 1);
    refuse_file("lie.png", NST_EFORMAT, "damaged PNG file");
}
END_TEST

/* Wrong checksums of the header and of the pixels are named as damage. */
START_TEST(checksums)
{
    size_t n;
    unsigned char *data = small_png(&n, 0), *idat = find_bytes(data, n, "IDAT", 4);

    data[29] ^= 1;
    put_file("a.png", data, n);
    refuse_file("a.png", NST_EFORMAT, "damaged PNG file: IHDR: CRC error");
    data[29] ^= 1;
    idat[20] ^= 1;
    put_file("a.png", data, n);
    refuse_file("a.png", NST_EFORMAT, "damaged PNG file: IDAT: ");
    nst_free(data);
}
END_TEST

/* Text that unpacks from a few kilobytes to 64 MB is passed over, the picture is read. */
START_TEST(text_bomb)
{
    enum { TEXT = 64 << 20 };
    size_t n;
    unsigned char *data = small_png(&n, 0), *bomb = nst_alloc(1 << 20), *zeros = nst_calloc(TEXT, 1);
    uLongf packed = (1 << 20) - 64;
    FILE *f = fopen("bomb.png", "wb");
    nst_image *out;

    memcpy(bomb + 4, "zTXtbomb\0\0", 10);
    ck_assert_int_eq(compress2(bomb + 14, &packed, zeros, TEXT, 1), Z_OK);
    put_be32(bomb, (uint32_t)packed + 6);
    put_be32(bomb + 14 + packed, (uint32_t)crc32(0, bomb + 4, (uInt)packed + 10));
    fwrite(data, 1, 33, f);
    fwrite(bomb, 1, packed + 18, f);
    fwrite(data + 33, 1, n - 33, f);
    ck_assert_int_eq(fclose(f), 0);
    out = read_image("bomb.png");
    ck_assert_int_eq(out->width, W);
    nst_image_destroy(&out);
    nst_free(zeros);
    nst_free(bomb);
    nst_free(data);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, every_kind);
    tcase_add_test(t, palettes);
    tcase_add_test(t, color_keys);
    tcase_add_test(t, gamma_chunk);
    tcase_add_test(t, chroma_chunk);
    tcase_add_test(t, coded_colors);
    tcase_add_test(t, exif_text);
    tcase_add_test(t, exif_chunk);
    tcase_add_test(t, truncated);
    tcase_add_test(t, truncated_rows);
    tcase_add_test(t, flipped);
    tcase_add_test(t, absurd_sizes);
    tcase_add_test(t, checksums);
    tcase_add_test(t, text_bomb);
}

int main(void)
{
    return run_tests("png", add);
}
