/* test_png.c: every kind of PNG, made with libpng: samples, palettes, transparency, colour and EXIF chunks.  Spoilt
 * ones: test_png_damage.c. */
#include "png_file.h"

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
                    int k = color == 1 ? 0 : c;

                    if (c == 3)
                        k = n - 1;
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

/* cICP stands above the other chunks: Display P3's red and green are beyond sRGB's, in numbers worked out in
 * double; sRGB by its numbers changes nothing; PQ and HLG are refused by name, what is unknown is passed over and said.
 * The narrow range is made wide. */
START_TEST(coded_colors)
{
    static const uint16_t samples[3] = { 100, 150, 120 };
    static const struct { png_byte code[4]; double rgb[3]; const char *note; } codes[] = {
        { { 1, 13, 0, 1 }, { 100, 150, 120 }, NULL },
        { { 12, 13, 0, 1 }, { 83.46, 151.66, 117.60 }, NULL },
        { { 77, 13, 0, 1 }, { 100, 150, 120 }, "primaries 77 and curve 13, which nst does not know" },
        { { 2, 2, 0, 1 }, { 100, 150, 120 }, NULL },
        { { 1, 13, 9, 1 }, { 100, 150, 120 }, "matrix 9, but PNG holds RGB" },
        { { 1, 13, 0, 0 }, { 84 * 255. / 219, 134 * 255. / 219, 104 * 255. / 219 }, NULL },
    };
    static const uint16_t wide[2] = { 32768, 12345 };
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
        ck_assert_msg(codes[i].note ? nst_image_note(out) && strstr(nst_image_note(out), codes[i].note)
                                    : !nst_image_note(out), "%zu: %s", i, nst_image_note(out));
        nst_image_destroy(&out);
    }
    for (int interlace = 0; interlace < 2; interlace++) {
        struct kind grey = { .w = 1, .h = 1, .type = PNG_COLOR_TYPE_GRAY_ALPHA, .bits = 16, .samples = wide,
                             .interlace = interlace, .cicp = codes[5].code };
        nst_image *out;

        make_png("a.png", &grey);
        out = read_image("a.png");
        ck_assert_float_eq_tol(out->plane[0][0], 28672.f / (219 * 256), 1e-5f);
        ck_assert_float_eq_tol(out->plane[3][0], 12345.f / 65535, 1e-5f);
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

/* Of an APNG the picture that stands in IDAT is taken, and whether it is the animation's first is said. */
START_TEST(animation)
{
    static const uint16_t samples[3] = { 100, 150, 120 };
    struct kind k = { .w = 1, .h = 1, .type = PNG_COLOR_TYPE_RGB, .bits = 8, .samples = samples,
                      .actl = (const png_byte[]){ 0, 0, 0, 2, 0, 0, 0, 0 } };
    for (int first = 0; first < 2; first++) {
        const char *want = first ? "an animation, of which the first picture is taken"
                                 : "an animation; what is taken is the picture for programs that show none", *note;
        nst_image *out;

        k.first = first;
        make_png("a.png", &k);
        out = read_image("a.png");
        note = nst_image_note(out);
        ck_assert_msg(note && strstr(note, want), "%s", note ? note : "no note");
        ck_assert(fabs((double)out->plane[1][0] * 255 - 150) < .6);
        nst_image_destroy(&out);
    }
}
END_TEST

/* EXIF in text, as ImageMagick wrote it; cut, without digits or with a wrong number it says nothing. */
START_TEST(exif_text)
{
#ifdef HAVE_LIBEXIF
    static const char whole[] = "\nexif\n      26\n4d4d002a00000008000101120003000000010006\n000000000000\n";
    static const struct { const char *text; int width; } texts[] = {
        { whole, 1 }, { "\nexif\n      26\n4d4d002a0000", 2 }, { "\nexif\n", 2 }, { "", 2 },
        { "\nexif\n 99999999999999\n4d4d\n", 2 },
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

static void add(TCase *t)
{
    tcase_add_test(t, every_kind);
    tcase_add_test(t, palettes);
    tcase_add_test(t, color_keys);
    tcase_add_test(t, gamma_chunk);
    tcase_add_test(t, chroma_chunk);
    tcase_add_test(t, coded_colors);
    tcase_add_test(t, animation);
    tcase_add_test(t, exif_text);
    tcase_add_test(t, exif_chunk);
}

int main(void)
{
    return run_tests("png", add);
}
