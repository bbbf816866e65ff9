/* test_color.c: the sRGB curve, embedded profiles (made here with lcms2), and one picture's colours moved to another's. */
#include "picture.h"

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
                ck_assert_msg(fabs(out[64 * c + i] - v) < (bits == 8 ? 1.0 : 0.4) / 255, "%d bits, %d %d %d: %g, expected %g",
                              bits, s8[4 * i], s8[4 * i + 1], s8[4 * i + 2], out[64 * c + i] * 255.0, v * 255);
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

/* ---- recolor ------------------------------------------------------------------ */

static void statistics(const nst_image *image, double mean[3], double cov[3][3])
{
    int n = image->width * image->height;

    for (int c = 0; c < 3; c++) {
        mean[c] = 0;
        for (int i = 0; i < n; i++)
            mean[c] += image->plane[c][i] / n;
    }
    for (int c = 0; c < 3; c++)
        for (int d = 0; d < 3; d++) {
            cov[c][d] = 0;
            for (int i = 0; i < n; i++)
                cov[c][d] += (image->plane[c][i] - mean[c]) * (image->plane[d][i] - mean[d]) / n;
        }
}

/* Colours that lie around `base` with small correlated deviations, so that nothing is clipped. */
static nst_image *cloud(double base, double red, double mix, unsigned max)
{
    nst_image *image = noise_image(64, 48, 3, max);

    for (int i = 0; i < 64 * 48; i++) {
        double r = image->plane[0][i] - 0.5, g = image->plane[1][i] - 0.5, b = image->plane[2][i] - 0.5;

        image->plane[0][i] = (float)(base + red + 0.30 * r + mix * g);
        image->plane[1][i] = (float)(base + mix * r + 0.40 * g - mix * b);
        image->plane[2][i] = (float)(base - red + 0.25 * b + mix * r);
    }
    return image;
}

/* With share 1 the mean and the covariance become the style's (but for the floor of 1e-5); with 0 nothing changes;
 * between them the mean is between; a second time changes nothing. */
START_TEST(recolor_matches)
{
    nst_image *content = cloud(0.4, 0.05, 0.08, 255), *style = cloud(0.6, -0.1, 0.04, 1021), *copy;
    double mc[3], ms[3], m[3], cc[3][3], cs[3][3], cov[3][3];
    nst_error e;

    statistics(content, mc, cc);
    statistics(style, ms, cs);
    copy = nst_image_copy(content);
    ck_assert_int_eq(nst_image_recolor(copy, style, 0, &e), NST_OK);
    same_image(content, copy, 0);
    ck_assert_int_eq(nst_image_recolor(copy, style, 0.25, &e), NST_OK);
    statistics(copy, m, cov);
    for (int c = 0; c < 3; c++)
        ck_assert_double_eq_tol(m[c], 0.75 * mc[c] + 0.25 * ms[c], 1e-5);
    nst_image_destroy(&copy);
    ck_assert_int_eq(nst_image_recolor(content, style, 1, &e), NST_OK);
    statistics(content, m, cov);
    for (int c = 0; c < 3; c++) {
        ck_assert_double_eq_tol(m[c], ms[c], 1e-5);
        for (int d = 0; d < 3; d++)
            ck_assert_double_eq_tol(cov[c][d], cs[c][d], 5e-5);
    }
    copy = nst_image_copy(content);
    ck_assert_int_eq(nst_image_recolor(copy, style, 1, &e), NST_OK);
    same_image(content, copy, 2e-3);
    nst_image_destroy(&copy);
    nst_image_destroy(&content);
    nst_image_destroy(&style);
}
END_TEST

/* A picture onto itself stays; a picture of one colour takes the mean and stays in range; grey stays finite; what is
 * transparent does not count. */
START_TEST(recolor_edges)
{
    nst_image *style = cloud(0.5, 0.1, 0.05, 255), *copy = nst_image_copy(style), *flat = new_image(8, 8, 3), *half;
    double mean[3], cov[3][3], m[3];
    nst_error e = { "" };

    ck_assert_int_eq(nst_image_recolor(copy, style, 1, &e), NST_OK);
    same_image(copy, style, 1e-5);
    statistics(style, mean, cov);
    ck_assert_int_eq(nst_image_recolor(flat, style, 1, &e), NST_OK);
    for (int c = 0; c < 3; c++)
        ck_assert_double_eq_tol(flat->plane[c][17], mean[c], 1e-5);
    half = new_image(64, 96, 4); /* its upper half is the style, its lower half transparent black */
    for (int c = 0; c < 4; c++)
        for (int i = 0; i < 64 * 48; i++)
            half->plane[c][i] = c < 3 ? style->plane[c][i] : 1;
    nst_image_destroy(&copy);
    copy = cloud(0.3, 0, 0.02, 255);
    ck_assert_int_eq(nst_image_recolor(copy, half, 1, &e), NST_OK);
    statistics(copy, m, cov);
    for (int c = 0; c < 3; c++)
        ck_assert_double_eq_tol(m[c], mean[c], 1e-5);
    ck_assert_int_eq(nst_image_recolor(copy, style, 1.5, &e), NST_EARG);
    ck_assert_str_eq(e.text, "recolor: share 1.5, expected 0 to 1");
    flat->plane[1][3] = NAN;
    nst_image_destroy(&half);
    half = nst_image_copy(copy);
    ck_assert_int_eq(nst_image_recolor(copy, flat, 1, &e), NST_EDIVERGED);
    same_image(copy, half, 0);
    nst_image_destroy(&half);
    nst_image_destroy(&copy);
    nst_image_destroy(&flat);
    nst_image_destroy(&style);
}
END_TEST

/* ---- Lab --------------------------------------------------------------------------- */

/* Known colours (white, mid grey, sRGB red: the tables of CIE 1976 Lab under D65) and there and back again. */
START_TEST(lab_known)
{
    static const struct {
        float rgb[3];
        double lab[3];
    } known[] = { { { 1, 1, 1 }, { 100, 0, 0 } },
                  { { 0, 0, 0 }, { 0, 0, 0 } },
                  { { .46633f, .46633f, .46633f }, { 50, 0, 0 } },
                  { { 1, 0, 0 }, { 53.24, 80.09, 67.20 } },
                  { { 0, 0, 1 }, { 32.30, 79.19, -107.86 } } };
    nst_image *noise = noise_image(16, 16, 3, 255);

    for (size_t i = 0; i < NST_COUNT(known); i++) {
        double lab[3];

        nst_lab_from_srgb(known[i].rgb, lab);
        for (int c = 0; c < 3; c++)
            ck_assert_msg(fabs(lab[c] - known[i].lab[c]) < .03, "colour %zu, number %d: %g", i, c, lab[c]);
    }
    for (int i = 0; i < 256; i++) {
        float in[3] = { noise->plane[0][i], noise->plane[1][i], noise->plane[2][i] }, out[3];
        double lab[3];

        nst_lab_from_srgb(in, lab);
        nst_lab_to_srgb(lab, out);
        for (int c = 0; c < 3; c++)
            ck_assert(fabsf(in[c] - out[c]) < 1e-4f);
    }
    nst_image_destroy(&noise);
}
END_TEST

/* With share 1 every pixel has the content's a and b, whether or not sRGB has them at its own lightness, and where it
 * has, its own lightness; with 0 nothing changes. */
START_TEST(colors_kept)
{
    nst_image *image = noise_image(32, 24, 3, 255), *content = smooth_image(32, 24, 3), *copy = nst_image_copy(image);
    int own = 0;

    nst_image_keep_colors(copy, content, 0);
    same_image(image, copy, 0);
    nst_image_keep_colors(copy, content, 1);
    for (int i = 0; i < 32 * 24; i++) {
        double lab[3], want[3], before[3];

        nst_lab_from_srgb((float[3]){ copy->plane[0][i], copy->plane[1][i], copy->plane[2][i] }, lab);
        nst_lab_from_srgb((float[3]){ content->plane[0][i], content->plane[1][i], content->plane[2][i] }, want);
        nst_lab_from_srgb((float[3]){ image->plane[0][i], image->plane[1][i], image->plane[2][i] }, before);
        ck_assert_msg(hypot(lab[1] - want[1], lab[2] - want[2]) < .1, "pixel %d: a %g b %g, expected %g %g", i, lab[1], lab[2],
                      want[1], want[2]);
        own += fabs(lab[0] - before[0]) < .05;
    }
    ck_assert_int_gt(own, 32 * 24 / 4);
    nst_image_destroy(&image);
    nst_image_destroy(&content);
    nst_image_destroy(&copy);
}
END_TEST

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
    tcase_add_test(t, recolor_matches);
    tcase_add_test(t, recolor_edges);
    tcase_add_test(t, lab_known);
    tcase_add_test(t, colors_kept);
}

int main(void)
{
    return run_tests("color", add);
}
