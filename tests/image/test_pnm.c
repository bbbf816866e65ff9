/* test_pnm.c: Netpbm's formats and PFM: every kind by hand, what is written by its bytes, and damage. */
#include "../support/picture.h"

/* Refused, for each file alike. */
static void refuse(const char *data, size_t bytes, nst_status status, const char *text)
{
    put_file("a.ppm", data, bytes);
    refuse_file("a.ppm", status, text);
}

/* A file's pixels, [height][width][3], in steps of 1/max. */
static void holds(const char *data, size_t bytes, int w, int h, const int *want, double max)
{
    nst_image *image;

    put_file("a.ppm", data, bytes);
    image = read_image("a.ppm");
    ck_assert_int_eq(image->width, w);
    ck_assert_int_eq(image->height, h);
    ck_assert_int_eq(image->channels, 3);
    for (int i = 0; i < w * h; i++)
        for (int c = 0; c < 3; c++)
            ck_assert_msg(fabs(image->plane[c][i] * max - want[3 * i + c]) < 0.01,
                          "%.4s: pixel %d, channel %d: %g of %g, expected %d", data, i, c,
                          image->plane[c][i] * max, max, want[3 * i + c]);
    nst_image_destroy(&image);
}
#define HOLDS(text, w, h, max, ...) holds(text, sizeof text - 1, w, h, (const int[]){ __VA_ARGS__ }, max)

START_TEST(kinds)
{
    HOLDS("P1\n# bits\n3 2\n101\n0 1 0\n", 3, 2, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1);
    HOLDS("P4 10 2\n\x80\x40\x00\xff", 10, 2, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
          1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0);
    HOLDS("P2 2 1 # of ten\n10 7\n3", 2, 1, 10, 7, 7, 7, 3, 3, 3);
    HOLDS("P3\n1 2\n255\n1 2 3\n255 0 128\n", 1, 2, 255, 1, 2, 3, 255, 0, 128);
    HOLDS("P5 2 1 255\n\x05\xfa", 2, 1, 255, 5, 5, 5, 250, 250, 250);
    HOLDS("P5\n1\n2\n1000\n\x03\xe8\x01\xf4", 1, 2, 1000, 1000, 1000, 1000, 500, 500, 500);
    HOLDS("P6 1 1 65535 \x12\x34\xff\xff\0\1", 1, 1, 65535, 0x1234, 0xffff, 1);
    HOLDS("P6#\n1 1 255\n\n\r#", 1, 1, 255, 10, 13, 35); /* one space ends the header, whatever comes next */
    HOLDS("P6 1 1 255\n\1\2\3 and another picture", 1, 1, 255, 1, 2, 3);
}
END_TEST

/* 8 and 16 bits come back exactly; the header is the plainest there is, with the comment in one line. */
START_TEST(ppm_round_trip)
{
    for (int bits = 8; bits <= 16; bits += 8) {
        nst_image *in = noise_image(37, 21, 3, bits == 8 ? 255 : 65535), *out;
        nst_write_options o = { .bits = bits, .comment = "two\nlines" };
        size_t n;
        unsigned char *data;

        write_image(in, "a.ppm", &o);
        out = read_image("a.ppm");
        same_image(in, out, 1e-6);
        data = get_file("a.ppm", &n);
        ck_assert_uint_eq(n, 37 * 21 * 3 * (size_t)bits / 8 + (bits == 8 ? 25 : 27));
        ck_assert(!memcmp(data, bits == 8 ? "P6\n# two lines\n37 21\n255\n" : "P6\n# two lines\n37 21\n65535\n",
                          bits == 8 ? 25 : 27));
        nst_free(data);
        nst_image_destroy(&in);
        nst_image_destroy(&out);
    }
}
END_TEST

/* PFM holds linear light, rows from the bottom up; the numbers come back, and transparency is laid on white. */
START_TEST(pfm)
{
    static const unsigned char big[] = "PF\n1 2\n1.0\n"
        "\x3f\x80\0\0" "\0\0\0\0" "\x3e\x5b\xcd\x5c"   /* below: white, black, the light of sRGB 0.5012 */
        "\x40\x00\0\0" "\xbf\x80\0\0" "\x7f\xc0\0\0";  /* above: 2, -1, no number */
    nst_image *in = noise_image(19, 7, 4, 255), *out;

    for (int i = 0; i < 19 * 7; i++)
        in->plane[3][i] = i % 2 ? 1 : 0;
    write_image(in, "a.pfm", NULL);
    out = read_image("a.pfm");
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < 19 * 7; i++)
            ck_assert_float_eq_tol(out->plane[c][i], i % 2 ? in->plane[c][i] : 1, 2e-6f);
    nst_image_destroy(&in);
    nst_image_destroy(&out);
    put_file("b.pfm", big, sizeof big - 1);
    out = read_image("b.pfm");
    ck_assert_float_eq_tol(*at(out, 0, 0, 1), 1, 1e-6f);
    ck_assert(*at(out, 1, 0, 1) == 0);
    ck_assert_float_eq_tol(*at(out, 2, 0, 1), 0.5012f, 2e-3f);
    ck_assert(*at(out, 0, 0, 0) == 1 && *at(out, 1, 0, 0) == 0 && *at(out, 2, 0, 0) == 0);
    nst_image_destroy(&out);
    put_file("d.pfm", "Pf 4 1 1\n\0\0\0\0\0\0\0\0\x43\x7f\0\0\x42\xc8\0\0", 25); /* 0 0 255 100 */
    refuse_file("d.pfm", NST_EFORMAT, "most of its samples are above 1, the largest 255");
    put_file("c.pfm", "Pf 2 1 -0.5\n\0\0\x80\x3f\0\0\0\0", 20);
    out = read_image("c.pfm");
    ck_assert(out->plane[2][0] == 1 && out->plane[2][1] == 0);
    nst_image_destroy(&out);
}
END_TEST

START_TEST(damaged)
{
    static const char *const headers[] = { "P6 ", "P6 1", "P6 x 1 255\n...", "P6 -1 1 255\n...", "P6 1 1 0\n...",
                                           "P6 1 1 65536\n......", "P6 1 1 255x...", "P6 99999999999 1 255\n",
                                           "P6 # only a comment" };

    for (size_t i = 0; i < NST_COUNT(headers); i++)
        refuse(headers[i], strlen(headers[i]), NST_EFORMAT,
               "its header is damaged or cut, expected \"P6 WIDTH HEIGHT 65535\"");
    refuse("PF 1 1 x\n", 9, NST_EFORMAT, "expected \"PF WIDTH HEIGHT SCALE\"");
    refuse("PF 1 1 0\n", 9, NST_EFORMAT, "SCALE");
    refuse("P6 0 5 255\n", 11, NST_EFORMAT, "expected at least 1 x 1");
    refuse("P6 70000 5 255\n", 15, NST_EFORMAT, "expected sides up to");
    refuse("P6 60000 60000 255\n", 19, NST_EFORMAT, "at most");
    refuse("P6 30000 30000 255\n", 19, NST_EFORMAT, "truncated, 19 bytes cannot hold 30000 x 30000 pixels");
    refuse("P1 30000 30000\n1", 16, NST_EFORMAT, "truncated, 16 bytes cannot hold");
    refuse("P6 1 1 255", 10, NST_EFORMAT, "truncated, 10 bytes cannot hold 1 x 1 pixels");
    refuse("P6 2 2 255\n12345678901", 22, NST_EFORMAT, "truncated");
    refuse("P3 1 1 255\n1 2 256   ", 21, NST_EFORMAT, "row 1: sample 3 is not a number from 0 to 255");
    refuse("P3 1 1 255\n1 2 x     ", 21, NST_EFORMAT, "row 1: sample 3 is not a number from 0 to 255");
    refuse("P3 1 1 255\n1 2       ", 21, NST_EFORMAT, "truncated after 0 of 1 rows");
    refuse("P1 2 1\n1 2", 10, NST_EFORMAT, "row 1: sample 2 is not a number from 0 to 1");
    refuse("P5 1 1 100\n\x65", 12, NST_EFORMAT, "row 1: sample 1 is not a number from 0 to 100");
    refuse("P7\nWIDTH 1\n", 11, NST_EFORMAT, "no known kind of picture");
    refuse("P6", 2, NST_EFORMAT, "no known kind of picture");
}
END_TEST

/* Cut anywhere: refused with a sentence, never read. */
START_TEST(cut)
{
    static const char *const names[] = { "w.ppm", "w.pfm" };
    nst_image *in = noise_image(5, 4, 3, 255);

    for (size_t i = 0; i < NST_COUNT(names); i++) {
        size_t n;
        unsigned char *data;

        write_image(in, names[i], NULL);
        data = get_file(names[i], &n);
        for (size_t k = 0; k < n; k++) {
            put_file("cut", data, k);
            refuse_file("cut", NST_EFORMAT, "");
        }
        nst_free(data);
    }
    nst_image_destroy(&in);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, kinds);
    tcase_add_test(t, ppm_round_trip);
    tcase_add_test(t, pfm);
    tcase_add_test(t, damaged);
    tcase_add_test(t, cut);
}

int main(void)
{
    return run_tests("pnm", add);
}
