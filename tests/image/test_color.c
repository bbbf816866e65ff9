/* test_color.c: the sRGB curve, and embedded profiles (made here with lcms2). */
#include "../support/picture.h"

#include <jpeglib.h>
#include <png.h>

#ifdef HAVE_LCMS2
#include <lcms2.h>
#endif

/* The curve and its inverse: the standard's own points, continuous where its pieces meet, odd below zero. */
START_TEST(srgb_curve)
{
    ck_assert_float_eq_tol(nst_srgb_to_linear(0.5f), 0.214041f, 1e-6f);
    ck_assert_float_eq_tol(nst_linear_to_srgb(0.5f), 0.735357f, 1e-6f);
    ck_assert_float_eq_tol(nst_linear_to_srgb(0.0031308f), 0.04045f, 1e-5f);
    ck_assert_float_eq_tol(nst_srgb_to_linear(0.040451f), 0.0031308f, 1e-6f);
    for (float v = -1.5f; v <= 1.5f; v += 0.001f) {
        ck_assert_float_eq_tol(nst_linear_to_srgb(nst_srgb_to_linear(v)), v, 2e-6f);
        ck_assert(nst_srgb_to_linear(-v) == -nst_srgb_to_linear(v));
    }
}
END_TEST

/* ---- profiles --------------------------------------------------------------- */

#ifdef HAVE_LCMS2

/* A profile of these primaries and this gamma; nst_free it. */
static void *save(cmsHPROFILE profile, cmsUInt32Number *bytes)
{
    void *data;

    ck_assert_ptr_nonnull(profile);
    ck_assert(cmsSaveProfileToMem(profile, NULL, bytes));
    data = nst_alloc(*bytes);
    ck_assert(cmsSaveProfileToMem(profile, data, bytes));
    cmsCloseProfile(profile);
    return data;
}

static void *rgb_profile(double green_x, double green_y, double gamma, cmsUInt32Number *bytes)
{
    cmsCIExyY white = { 0.3127, 0.3290, 1 };
    cmsCIExyYTRIPLE primaries = { { 0.64, 0.33, 1 }, { green_x, green_y, 1 }, { 0.15, 0.06, 1 } };
    cmsToneCurve *curve = cmsBuildGamma(NULL, gamma);
    void *data = save(cmsCreateRGBProfile(&white, &primaries, (cmsToneCurve *[3]){ curve, curve, curve }), bytes);

    cmsFreeToneCurve(curve);
    return data;
}

static void *grey_profile(double gamma, cmsUInt32Number *bytes)
{
    cmsToneCurve *curve = cmsBuildGamma(NULL, gamma);
    void *data = save(cmsCreateGrayProfile(cmsD50_xyY(), curve), bytes);

    cmsFreeToneCurve(curve);
    return data;
}

/* Inks of which only black colours anything: L* = 100 (1 - K). */
static cmsInt32Number only_black(const cmsUInt16Number in[], cmsUInt16Number out[], void *arg)
{
    cmsCIELab lab = { 100.0 * (1 - in[3] / 65535.0), 0, 0 };

    (void)arg;
    cmsFloat2LabEncoded(out, &lab);
    return 1;
}

static void *ink_profile(cmsUInt32Number *bytes)
{
    cmsHPROFILE p = cmsCreateProfilePlaceholder(NULL);
    cmsPipeline *lut = cmsPipelineAlloc(NULL, 4, 3);
    cmsStage *clut = cmsStageAllocCLut16bit(NULL, 3, 4, 3, NULL);
    void *data;

    cmsSetProfileVersion(p, 4.3);
    cmsSetDeviceClass(p, cmsSigOutputClass);
    cmsSetColorSpace(p, cmsSigCmykData);
    cmsSetPCS(p, cmsSigLabData);
    cmsStageSampleCLut16bit(clut, only_black, NULL, 0);
    cmsPipelineInsertStage(lut, cmsAT_BEGIN, cmsStageAllocToneCurves(NULL, 4, NULL));
    cmsPipelineInsertStage(lut, cmsAT_END, clut);
    cmsPipelineInsertStage(lut, cmsAT_END, cmsStageAllocToneCurves(NULL, 3, NULL));
    ck_assert(cmsWriteTag(p, cmsSigAToB0Tag, lut));
    cmsPipelineFree(lut);
    data = save(p, bytes);
    return data;
}

/* One row of pixels of n samples, 8 or 16 bits, through nst_color. */
static void convert(const nst_samples *s, const void *samples, int width, float *out)
{
    float *rgba[4] = { out, out + width, out + 2 * width, out + 3 * width };
    nst_color *color;
    nst_error e = { "" };

    ck_assert_msg(nst_color_open(&color, s, width, "x", &e) == NST_OK, "%s", e.text);
    nst_color_row(color, samples, rgba);
    nst_color_close(&color);
    ck_assert_ptr_null(color);
}

/* Adobe RGB (1998): every colour of a grid where the published matrix puts it, 8 and 16 bits; alpha untouched. */
START_TEST(wide_gamut)
{
    static const double matrix[3][3] = { { 1.39835574, -0.39835574, 0 }, { 0, 1, 0 }, { 0, -0.04292899, 1.04292899 } };
    cmsUInt32Number bytes;
    void *icc = rgb_profile(0.21, 0.71, 2.2, &bytes);
    uint8_t s8[64 * 4];
    uint16_t s16[64 * 4];
    float out[64 * 4];

    for (int i = 0; i < 64; i++)
        for (int c = 0; c < 4; c++) {
            s8[4 * i + c] = (uint8_t)(c == 3 ? i : (i >> (2 * c) & 3) * 85);
            s16[4 * i + c] = (uint16_t)(s8[4 * i + c] * 257);
        }
    for (int bits = 8; bits <= 16; bits += 8) {
        convert(&(nst_samples){ .colors = 3, .alpha = true, .bits = bits, .icc = icc, .icc_bytes = bytes },
                bits == 8 ? (void *)s8 : s16, 64, out);
        for (int i = 0; i < 64; i++) {
            for (int c = 0; c < 3; c++) {
                double v = 0;

                for (int k = 0; k < 3; k++)
                    v += matrix[c][k] * pow(s8[4 * i + k] / 255.0, 2.2);
                v = fmin(fmax(nst_linear_to_srgb((float)v), 0), 1);
                ck_assert_msg(fabs(out[64 * c + i] - v) < (bits == 8 ? 1.0 : 0.4) / 255,
                              "%d bits, %d %d %d: %g, expected %g", bits, s8[4 * i], s8[4 * i + 1],
                              s8[4 * i + 2], out[64 * c + i] * 255.0, v * 255);
            }
            ck_assert(out[64 * 3 + i] == s8[4 * i + 3] / 255.0f);
        }
    }
    nst_free(icc);
}
END_TEST

/* A profile that is sRGB under another name leaves the samples exactly as they are. */
START_TEST(srgb_profile)
{
    unsigned char icc[4096], again[4096];
    size_t bytes = nst_color_srgb_profile(icc, sizeof icc);
    uint8_t samples[256 * 3];
    float out[256 * 3];

    ck_assert_uint_gt(bytes, 0);
    ck_assert_uint_eq(nst_color_srgb_profile(again, sizeof again), bytes);
    ck_assert(!memcmp(icc, again, bytes));
    ck_assert_uint_eq(nst_color_srgb_profile(again, 10), 0);
    for (int i = 0; i < 768; i++)
        samples[i] = (uint8_t)(i / 3 + i % 3 * 50);
    convert(&(nst_samples){ .colors = 3, .bits = 8, .icc = icc, .icc_bytes = bytes }, samples, 256, out);
    for (int i = 0; i < 256; i++)
        for (int c = 0; c < 3; c++)
            ck_assert(out[256 * c + i] == samples[3 * i + c] / 255.0f);
}
END_TEST

/* Grey samples of linear light, with a grey profile and with an RGB one. */
START_TEST(grey)
{
    static const uint8_t s8[3] = { 0, 128, 255 };
    static const uint16_t s16[3] = { 0, 32896, 65535 };
    cmsUInt32Number bytes;

    for (int rgb = 0; rgb < 2; rgb++)
        for (int bits = 8; bits <= 16; bits += 8) {
            void *icc = rgb ? rgb_profile(0.30, 0.60, 1.0, &bytes) : grey_profile(1.0, &bytes);
            float out[9];

            convert(&(nst_samples){ .colors = 1, .bits = bits, .icc = icc, .icc_bytes = bytes },
                    bits == 8 ? (const void *)s8 : s16, 3, out);
            for (int c = 0; c < 3; c++) {
                ck_assert_float_eq_tol(out[3 * c], 0, 1.0f / 255);
                ck_assert_float_eq_tol(out[3 * c + 1], nst_linear_to_srgb(128 / 255.0f), 1.0f / 255);
                ck_assert_float_eq_tol(out[3 * c + 2], 1, 1.0f / 255);
            }
            nst_free(icc);
        }
}
END_TEST

/* Inks by their profile: here only black counts, whatever the others are. */
START_TEST(inks)
{
    static const uint8_t s8[12] = { 255, 0, 0, 0, 0, 255, 255, 128, 0, 0, 0, 255 };
    cmsUInt32Number bytes;
    void *icc = ink_profile(&bytes);

    for (int bits = 8; bits <= 16; bits += 8) {
        uint16_t s16[12];
        float out[9];

        for (int i = 0; i < 12; i++)
            s16[i] = (uint16_t)(s8[i] * 257);
        convert(&(nst_samples){ .colors = 4, .bits = bits, .icc = icc, .icc_bytes = bytes },
                bits == 8 ? (const void *)s8 : s16, 3, out);
        for (int c = 0; c < 3; c++) {
            ck_assert_float_eq_tol(out[3 * c], 1, 2.0f / 255);
            /* L* 49.8 is a luminance of 0.1827 */
            ck_assert_float_eq_tol(out[3 * c + 1], nst_linear_to_srgb(0.1827f), 2.0f / 255);
            ck_assert_float_eq_tol(out[3 * c + 2], 0, 2.0f / 255);
        }
    }
    nst_free(icc);
}
END_TEST

/* A profile that is cut, spoilt, empty, or of another kind of colour, is passed over. */
START_TEST(useless_profiles)
{
    static const uint8_t samples[3] = { 10, 100, 200 };
    cmsUInt32Number bytes, ink_bytes;
    unsigned char *icc = rgb_profile(0.21, 0.71, 1.0, &bytes);
    void *ink = ink_profile(&ink_bytes);
    float out[3];

    for (cmsUInt32Number n = 0; n < 132; n++) {
        convert(&(nst_samples){ .colors = 3, .bits = 8, .icc = icc, .icc_bytes = n }, samples, 1, out);
        ck_assert(out[0] == 10 / 255.0f && out[1] == 100 / 255.0f && out[2] == 200 / 255.0f);
    }
    convert(&(nst_samples){ .colors = 3, .bits = 8, .icc = ink, .icc_bytes = ink_bytes }, samples, 1, out);
    ck_assert(out[0] == 10 / 255.0f);
    for (cmsUInt32Number i = 0; i < bytes; i++) {
        icc[i] ^= 0xff;
        convert(&(nst_samples){ .colors = 3, .bits = 8, .icc = icc, .icc_bytes = bytes }, samples, 1, out);
        ck_assert(out[0] >= 0 && out[0] <= 1 && out[1] >= 0 && out[1] <= 1 && out[2] >= 0 && out[2] <= 1);
        icc[i] ^= 0xff;
    }
    nst_free(icc);
    nst_free(ink);
}
END_TEST

/* The same, from files: in a PNG's iCCP, and in a JPEG's APP2 cut into three pieces that stand in any order; with a
 * piece missing or twice the profile is passed over. */
static void make_png(const void *icc, unsigned bytes)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    FILE *f = fopen("a.png", "wb");
    png_byte row[3] = { 188, 188, 188 };

    png_init_io(png, f);
    png_set_IHDR(png, info, 1, 1, 8, PNG_COLOR_TYPE_RGB, 0, 0, 0);
    png_set_iCCP(png, info, "test", 0, icc, bytes);
    png_write_info(png, info);
    png_write_row(png, row);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    ck_assert_int_eq(fclose(f), 0);
}

static void make_jpeg(const unsigned char *icc, unsigned bytes, const int order[3])
{
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr error;
    unsigned char row[24], third[4096] = "ICC_PROFILE";
    JSAMPROW p = row;
    FILE *f = fopen("a.jpg", "wb");

    c.err = jpeg_std_error(&error);
    jpeg_create_compress(&c);
    jpeg_stdio_dest(&c, f);
    c.image_width = c.image_height = 8;
    c.input_components = 3;
    c.in_color_space = JCS_RGB;
    jpeg_set_defaults(&c);
    jpeg_set_quality(&c, 100, TRUE);
    jpeg_start_compress(&c, TRUE);
    for (int i = 0; i < 3; i++) {
        unsigned begin = (unsigned)(order[i] - 1) * bytes / 3, end = (unsigned)order[i] * bytes / 3;

        third[12] = (unsigned char)order[i];
        third[13] = 3;
        memcpy(third + 14, icc + begin, end - begin);
        jpeg_write_marker(&c, JPEG_APP0 + 2, third, 14 + end - begin);
    }
    memset(row, 188, sizeof row);
    for (int y = 0; y < 8; y++)
        jpeg_write_scanlines(&c, &p, 1);
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    ck_assert_int_eq(fclose(f), 0);
}

START_TEST(in_files)
{
    static const struct { int order[3]; bool whole; } jpegs[] = {
        { { 1, 2, 3 }, true }, { { 3, 1, 2 }, true }, { { 1, 3, 3 }, false }, { { 2, 2, 2 }, false },
    };
    cmsUInt32Number bytes;
    void *icc = rgb_profile(0.30, 0.60, 1.0, &bytes);
    float want = nst_linear_to_srgb(188 / 255.0f);
    nst_image *out;

    make_png(icc, bytes);
    out = read_image("a.png");
    ck_assert_float_eq_tol(out->plane[1][0], want, 1.0f / 255);
    nst_image_destroy(&out);
    for (size_t i = 0; i < NST_COUNT(jpegs); i++) {
        make_jpeg(icc, bytes, jpegs[i].order);
        out = read_image("a.jpg");
        ck_assert_float_eq_tol(out->plane[1][0], jpegs[i].whole ? want : 188 / 255.0f, 2.0f / 255);
        nst_image_destroy(&out);
    }
    nst_free(icc);
}
END_TEST

/* What we write, tagged as sRGB, comes back unchanged from 16 bits too. */
START_TEST(own_files)
{
    nst_image *in = smooth_image(30, 20, 3), *out;

    write_image(in, "a.jpg", &(nst_write_options){ .jpeg_quality = 100 });
    out = read_image("a.jpg");
    for (int i = 0; i < 600; i++)
        ck_assert(out->plane[0][i] * 255 == rintf(out->plane[0][i] * 255)); /* no profile moved them */
    nst_image_destroy(&in);
    nst_image_destroy(&out);
}
END_TEST

#endif

static void add(TCase *t)
{
    tcase_add_test(t, srgb_curve);
#ifdef HAVE_LCMS2
    tcase_add_test(t, wide_gamut);
    tcase_add_test(t, srgb_profile);
    tcase_add_test(t, grey);
    tcase_add_test(t, inks);
    tcase_add_test(t, useless_profiles);
    tcase_add_test(t, in_files);
    tcase_add_test(t, own_files);
#else
    puts("skipped: profiles, this build has no lcms2");
#endif
}

int main(void)
{
    return run_tests("color", add);
}
