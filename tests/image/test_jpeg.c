/* test_jpeg.c: the kinds of JPEG that cameras and printers make. */
#include "jpeg_file.h"

/* Colours of each kind of file, near the samples that were put in. */
START_TEST(every_kind)
{
    static const struct kind kinds[] = {
        { .channels = 3, .in = JCS_RGB, .file = JCS_YCbCr },
        { .channels = 3, .in = JCS_RGB, .file = JCS_YCbCr, .coarse = true },
        { .channels = 3, .in = JCS_RGB, .file = JCS_YCbCr, .progressive = true },
        { .channels = 3, .in = JCS_RGB, .file = JCS_YCbCr, .restart = 1 },
        { .channels = 3, .in = JCS_RGB, .file = JCS_RGB },
        { .channels = 1, .in = JCS_GRAYSCALE, .file = JCS_GRAYSCALE },
        { .channels = 1, .in = JCS_GRAYSCALE, .file = JCS_GRAYSCALE, .progressive = true },
#ifdef C_ARITH_CODING_SUPPORTED
        { .channels = 3, .in = JCS_RGB, .file = JCS_YCbCr, .arithmetic = true },
#endif
    };
    uint8_t samples[W * H * 3];

    for (size_t i = 0; i < NST_COUNT(kinds); i++) {
        struct kind k = kinds[i];
        nst_image *out;

        fill(samples, k.channels);
        k.w = W;
        k.h = H;
        k.samples = samples;
        make_jpeg("a.jpg", &k);
        out = read_image("a.jpg");
        ck_assert_int_eq(out->width, W);
        ck_assert_int_eq(out->height, H);
        ck_assert_int_eq(out->channels, 3);
        for (int p = 0; p < W * H; p++)
            for (int c = 0; c < 3; c++) {
                float want = samples[p * k.channels + (k.channels == 3 ? c : 0)] / 255.0f;

                ck_assert_msg(fabsf(out->plane[c][p] - want) <= (k.coarse ? 20 : 4) / 255.0f,
                              "kind %zu, channel %d: %g, expected %g", i, c, (double)out->plane[c][p], (double)want);
            }
        nst_image_destroy(&out);
    }
}
END_TEST

/* Four inks, as CMYK and YCCK, with Adobe's marker (255 is no ink) and without (255 is full ink). */
START_TEST(inks)
{
    static const struct { J_COLOR_SPACE file; bool no_adobe; } kinds[] = {
        { JCS_CMYK, true }, { JCS_CMYK, false }, { JCS_YCCK, false },
    };
    uint8_t samples[W * H * 4];

    fill(samples, 4);
    for (size_t i = 0; i < NST_COUNT(kinds); i++) {
        nst_image *out;

        make_jpeg("a.jpg", &(struct kind){ .w = W, .h = H, .channels = 4, .in = JCS_CMYK, .file = kinds[i].file,
                                           .no_adobe = kinds[i].no_adobe, .samples = samples });
        out = read_image("a.jpg");
        ck_assert_int_eq(out->channels, 3);
        for (int p = 0; p < W * H; p++)
            for (int c = 0; c < 3; c++) {
                float ink = samples[4 * p + c] / 255.0f, black = samples[4 * p + 3] / 255.0f;
                float want = kinds[i].no_adobe ? (1 - ink) * (1 - black) : ink * black;

                ck_assert_msg(fabsf(out->plane[c][p] - want) <= 5 / 255.0f, "kind %zu, channel %d: %g, expected %g", i,
                              c, (double)out->plane[c][p], (double)want);
            }
        nst_image_destroy(&out);
    }
}
END_TEST

/* A picture with a dark left upper corner, kept in each of the eight ways, comes out with it where EXIF says, in both
 * byte orders; a number that is no orientation, or a damaged block, turns nothing. */
START_TEST(exif)
{
    static const struct { bool swapped; int x, y; } corner[10] = {
        { false, 0, 0 }, { false, 0, 0 }, { false, 1, 0 }, { false, 1, 1 }, { false, 0, 1 },
        { true, 0, 0 },  { true, 1, 0 },  { true, 1, 1 },  { true, 0, 1 },  { false, 0, 0 },
    };
    uint8_t samples[32 * 16 * 3];

    memset(samples, 230, sizeof samples);
    for (int y = 0; y < 8; y++)
        memset(samples + y * 32 * 3, 20, 16 * 3);
    for (int o = 0; o <= 9; o++)
        for (int big = 0; big < 2; big++) {
            uint8_t block[32] = "Exif\0";
            bool turned;
            nst_image *out;

            if (big)
                memcpy(block + 6, (uint8_t[26]){ 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0,
                                                 (uint8_t)o }, 26);
            else
                memcpy(block + 6, (uint8_t[26]){ 'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0,
                                                 (uint8_t)o }, 26);
            make_jpeg("a.jpg", &(struct kind){ .w = 32, .h = 16, .channels = 3, .in = JCS_RGB, .file = JCS_YCbCr,
                                               .samples = samples, .exif = block, .exif_bytes = sizeof block });
            out = read_image("a.jpg");
#ifdef HAVE_LIBEXIF
            turned = true;
#else
            turned = false;
#endif
            ck_assert_int_eq(out->width, turned && corner[o].swapped ? 16 : 32);
            ck_assert_int_eq(out->height, turned && corner[o].swapped ? 32 : 16);
            for (int y = 0; y < 2; y++)
                for (int x = 0; x < 2; x++) {
                    bool dark = turned ? x == corner[o].x && y == corner[o].y : !x && !y;
                    float v = *at(out, 1, x ? out->width - 3 : 2, y ? out->height - 3 : 2);

                    ck_assert_msg(dark ? v < 0.2f : v > 0.8f, "orientation %d: corner %d %d is %g", o, x, y, (double)v);
                }
            nst_image_destroy(&out);
        }
    for (unsigned cut = 0; cut < 32; cut++) { /* libexif's business, but our call */
        uint8_t block[32] = "Exif\0\0II*\0\10\0\0\0\1\0\x12\1\3\0\1\0\0\0\6";
        nst_image *out;

        make_jpeg("a.jpg", &(struct kind){ .w = 32, .h = 16, .channels = 3, .in = JCS_RGB, .file = JCS_YCbCr,
                                           .samples = samples, .exif = block, .exif_bytes = cut });
        out = read_image("a.jpg");
        nst_image_destroy(&out);
    }
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, every_kind);
    tcase_add_test(t, inks);
    tcase_add_test(t, exif);
}

int main(void)
{
    return run_tests("jpeg", add);
}
