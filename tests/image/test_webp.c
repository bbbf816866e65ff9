/* test_webp.c: WebP: exact without loss, near with it, alpha, profile and orientation, damage. */
#include "../support/picture.h"
#include "../support/source.h"

#ifdef HAVE_LCMS2
#include <lcms2.h>
#endif

START_TEST(round_trip)
{
    nst_image *in = noise_image(67, 51, 4, 255), *soft = smooth_image(67, 51, 3), *out;
    size_t small, large;

    write_image(in, "a.webp", NULL); /* without a quality nothing is lost, colours under transparency included */
    out = read_image("a.webp");
    same_image(in, out, 1e-6);
    nst_image_destroy(&out);
    write_image(soft, "b.webp", &(nst_write_options){ .jpeg_quality = 95 });
    out = read_image("b.webp");
    same_image(soft, out, 16.0 / 255); /* its chroma is halved */
    nst_image_destroy(&out);
    write_image(soft, "c.webp", &(nst_write_options){ .jpeg_quality = 20 });
    nst_free(get_file("b.webp", &large));
    nst_free(get_file("c.webp", &small));
    ck_assert_uint_lt(small, large);
    nst_image_destroy(&in);
    nst_image_destroy(&soft);
}
END_TEST

static size_t chunk(unsigned char *to, const char *name, const void *data, size_t bytes)
{
    memcpy(to, name, 4);
    for (int i = 0; i < 4; i++)
        to[4 + i] = (unsigned char)(bytes >> 8 * i);
    memcpy(to + 8, data, bytes);
    to[8 + bytes] = 0;
    return 8 + bytes + (bytes & 1);
}

/* b.webp: what a.webp holds, with these two chunks around its pixels. */
static void extend(int w, int h, const void *icc, size_t icc_bytes, const void *exif, size_t exif_bytes)
{
    unsigned char flags[10] = { (unsigned char)((icc_bytes ? 0x20 : 0) | (exif_bytes ? 0x08 : 0)) }, *simple, *out;
    size_t n, at = 12, riff;

    flags[4] = (unsigned char)(w - 1);
    flags[7] = (unsigned char)(h - 1);
    simple = get_file("a.webp", &n);
    out = nst_alloc(n + icc_bytes + exif_bytes + 100);
    at += chunk(out + at, "VP8X", flags, sizeof flags);
    if (icc_bytes)
        at += chunk(out + at, "ICCP", icc, icc_bytes);
    memcpy(out + at, simple + 12, n - 12);
    at += n - 12;
    if (exif_bytes)
        at += chunk(out + at, "EXIF", exif, exif_bytes);
    memcpy(out, "RIFF\0\0\0\0WEBP", 12);
    riff = at - 8;
    for (int i = 0; i < 4; i++)
        out[4 + i] = (unsigned char)(riff >> 8 * i);
    put_file("b.webp", out, at);
    nst_free(simple);
    nst_free(out);
}

/* EXIF with and without JPEG's mark turns the picture upright, also one that is made smaller. */
START_TEST(orientation)
{
    static const char exif[] = "Exif\0\0II*\0\10\0\0\0" "\1\0" "\x12\x01\3\0\1\0\0\0\6\0\0\0" "\0\0\0";
    nst_image *in = noise_image(9, 5, 3, 255), *out, *small;
    nst_error e;

    if (nst_exif_orientation((const uint8_t *)exif, sizeof exif) != 6) {
        nst_image_destroy(&in);
        return; /* this build has no libexif */
    }
    write_image(in, "a.webp", NULL);
    ck_assert_int_eq(nst_image_orient(in, 6, "x", &e), NST_OK);
    for (int skip = 0; skip <= 6; skip += 6) {
        extend(9, 5, "", 0, exif + skip, sizeof exif - (size_t)skip);
        out = read_image("b.webp");
        same_image(in, out, 1e-6);
        nst_image_destroy(&out);
        ck_assert_int_eq(nst_image_read_fit(&out, "b.webp", &(nst_fit){ .longest = 3 }, &e), NST_OK);
        ck_assert_int_eq(nst_image_resize(&small, in, 2, 3, &e), NST_OK);
        same_image(small, out, 2e-5); /* turned after it was made smaller, not before */
        nst_image_destroy(&small);
        nst_image_destroy(&out);
    }
    nst_image_destroy(&in);
}
END_TEST

#ifdef HAVE_LCMS2
/* A profile of linear light: the numbers come out as sRGB's of the same light. */
START_TEST(profile)
{
    static const cmsCIExyY white = { 0.3127, 0.3290, 1 };
    static const cmsCIExyYTRIPLE srgb = { { 0.64, 0.33, 1 }, { 0.30, 0.60, 1 }, { 0.15, 0.06, 1 } };
    cmsToneCurve *line = cmsBuildGamma(NULL, 1);
    cmsHPROFILE p = cmsCreateRGBProfile(&white, &srgb, (cmsToneCurve *[3]){ line, line, line });
    unsigned char icc[8192];
    cmsUInt32Number bytes = sizeof icc;
    nst_image *in = noise_image(9, 5, 3, 255), *out;

    ck_assert(cmsSaveProfileToMem(p, icc, &bytes));
    cmsCloseProfile(p);
    cmsFreeToneCurve(line);
    write_image(in, "a.webp", NULL);
    extend(9, 5, icc, bytes, "", 0);
    out = read_image("b.webp");
    for (int i = 0; i < 3 * 9 * 5; i++)
        ck_assert_float_eq_tol(out->plane[0][i], nst_linear_to_srgb(in->plane[0][i]), 3.0f / 255);
    nst_image_destroy(&in);
    nst_image_destroy(&out);
}
END_TEST
#endif

START_TEST(too_wide)
{
    nst_image *in = new_image(16384, 1, 3);
    nst_error e = { "" };

    ck_assert_int_eq(nst_image_write(in, "a.webp", NULL, &e), NST_EUNSUPPORTED);
    ck_assert_str_eq(e.text, "a.webp: 16384 x 1 pixels, but WebP's sides end at 16383");
    ck_assert_int_eq(count_files(), 0);
    nst_image_destroy(&in);
}
END_TEST

/* Cut anywhere, with and without loss; changed anywhere: a picture or a sentence. */
START_TEST(damaged)
{
    for (int lossy = 0; lossy < 2; lossy++) {
        nst_image *in = noise_image(20, 15, 4, 255), *out;
        nst_error e = { "" };
        unsigned char *data;
        size_t n;

        write_image(in, "a.webp", &(nst_write_options){ .jpeg_quality = lossy ? 80 : 0 });
        data = get_file("a.webp", &n);
        for (size_t k = 0; k + 1 < n; k++) { /* a chunk's last byte may be padding */
            put_file("cut.webp", data, k);
            refuse_file("cut.webp", NST_EFORMAT, "");
        }
        for (size_t k = 12; k < n; k++) {
            data[k] ^= 0x55;
            put_file("new.webp", data, n);
            if (nst_image_read(&out, "new.webp", &e))
                ck_assert_msg(!strncmp(e.text, "new.webp: ", 10), "%s", e.text);
            nst_image_destroy(&out);
            data[k] ^= 0x55;
        }
        nst_free(data);
        nst_image_destroy(&in);
    }
    put_file("cut.webp", "RIFF\x10\0\0\0WEBP", 12);
    refuse_file("cut.webp", NST_EFORMAT, "truncated, expected a whole WebP file");
}
END_TEST

/* What is there is read on demand, and how much is said. */
START_TEST(what_is_there)
{
    nst_image *in = smooth_image(64, 200, 3), *out;
    unsigned char *data;
    int rows = 0, all = 0;
    size_t n;

    write_image(in, "a.webp", &(nst_write_options){ .jpeg_quality = 95 });
    data = get_file("a.webp", &n);
    put_file("cut.webp", data, n * 3 / 4);
    refuse_file("cut.webp", NST_EFORMAT, "of 200 rows; --damaged reads what is there");
    out = read_damaged("cut.webp");
    ck_assert_int_eq(sscanf(nst_image_note(out), "cut.webp: damaged, %d of %d rows could be read", &rows, &all), 2);
    ck_assert(rows == out->height && rows > 20 && rows < 190 && all == 200);
    for (int i = 0; i < 64 * (rows - 8); i++)
        ck_assert_float_eq_tol(out->plane[1][i], in->plane[1][i], .06f);
    nst_image_destroy(&out);
    nst_free(data);
    nst_image_destroy(&in);
}
END_TEST

/* The first picture of an animation. */
START_TEST(animation)
{
    nst_image *out;

    out = read_image(source_file("tests/data/pictures/animated.webp"));
    ck_assert_msg(nst_image_note(out) && strstr(nst_image_note(out), ": an animation, of which the first"), "note");
    nst_image_destroy(&out);
}
END_TEST

/* A size that so few bytes cannot hold is refused before memory is asked for. */
START_TEST(absurd_size)
{
    nst_image *in = noise_image(20, 15, 3, 255);
    unsigned char *data, *frame;
    size_t n;

    write_image(in, "a.webp", &(nst_write_options){ .jpeg_quality = 80 });
    data = get_file("a.webp", &n);
    frame = find_bytes(data, n, "\x9d\1\x2a", 3);
    ck_assert_ptr_nonnull(frame);
    memset(frame + 3, 0x3e, 4);
    put_file("a.webp", data, n);
    refuse_file("a.webp", NST_EFORMAT, "cannot hold 15934 x 15934 pixels");
    nst_free(data);
    nst_image_destroy(&in);
}
END_TEST

/* Few bytes that say many even pixels, and an animation whose first picture is a small part of it. */
START_TEST(few_bytes)
{
    /* 16383 x 16383 pixels without loss, five codes of one symbol each; 16 x 16 of them on 32767 x 32767 */
    static const unsigned char even[] = "RIFF\30\0\0\0WEBPVP8L\14\0\0\0\x2f\xfe\xbf\xff\x0f\x28\x59\x65\x8a\xdc\xff\0";
    static const unsigned char part[] =
        "RIFF\x50\0\0\0WEBPVP8X\12\0\0\0\x12\0\0\0\xfe\x7f\0\xfe\x7f\0ANIM\6\0\0\0\0\0\0\0\0\0ANMF"
        "\x24\0\0\0\0\0\0\0\0\0\x0f\0\0\x0f\0\0\x64\0\0\0VP8L\14\0\0\0\x2f\x0f\xc0\x03\0\x28\x59\x65\x8a\xdc\xff\0";
    unsigned char small[sizeof even];
    nst_image *out;

    put_file("a.webp", even, sizeof even - 1);
    refuse_file("a.webp", NST_EFORMAT, "16383 x 16383 pixels in 32 bytes, expected at most 67 megapixels in so small");
    memcpy(small, even, sizeof even); /* 64 x 64 */
    memcpy(small + 21, "\x3f\xc0\x0f\0", 4);
    put_file("a.webp", small, sizeof even - 1);
    out = read_image("a.webp");
    ck_assert(out->width == 64 && out->height == 64 && out->plane[0][0] == out->plane[0][4095]);
    nst_image_destroy(&out);
    put_file("a.webp", part, sizeof part - 1);
    refuse_file("a.webp", NST_EFORMAT, "32767 x 32767 pixels in 88 bytes, expected at most 67 megapixels in so small");
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, round_trip);
    tcase_add_test(t, orientation);
#ifdef HAVE_LCMS2
    tcase_add_test(t, profile);
#endif
    tcase_add_test(t, too_wide);
    tcase_add_test(t, damaged);
    tcase_add_test(t, what_is_there);
    tcase_add_test(t, animation);
    tcase_add_test(t, absurd_size);
    tcase_add_test(t, few_bytes);
}

int main(void)
{
    return nst_format_of("a.webp")->reads ? run_tests("webp", add) : 77; /* skipped: this build has no libwebp */
}
