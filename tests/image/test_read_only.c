/* test_read_only.c: formats that are read and not written: HEIC, AVIF and JPEG XL by files of their libraries' own
 * encoders (make_pictures.c), GIF and BMP by hand; the first picture of animations; damage. */
#include "../support/picture.h"
#include "../support/source.h"

#include "image/format.h"

enum { W = 24, H = 16 };

static const char *sample(const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "tests/data/pictures/%s", name);
    return source_file(path);
}

/* A build without the library says which kind it is. */
static bool readable(const char *name)
{
    nst_error e = { "" };
    nst_image *image;

    if (nst_format_of(name)->reads)
        return true;
    ck_assert_int_eq(nst_image_read(&image, sample(name), &e), NST_EUNSUPPORTED);
    ck_assert_msg(strstr(e.text, "which this build cannot read, expected PNG"), "%s", e.text);
    return false;
}

/* What each file holds: smooth_image, in so many channels; grey has its first channel in all.  The tolerances are
 * what the encoders lose at their highest quality, as measured; without loss it is a rounding. */
static const struct { const char *name; int channels; bool grey; double tolerance; const char *note; } files[] = {
    { "plain.heic", 3, false, 6. / 255, NULL },
    { "alpha.heic", 4, false, 6. / 255, NULL },
    { "ten.heic", 3, false, 16. / 1023, NULL },
    { "turned.heic", 3, false, 6. / 255, NULL },
    { "plain.avif", 3, false, 3. / 255, NULL },
    { "alpha.avif", 4, false, 3. / 255, NULL },
    { "twelve.avif", 3, false, 3. / 1023, NULL },
    { "animated.avif", 3, false, 6. / 255, ": an animation, of which the first picture is taken" },
    { "plain.jxl", 3, false, .51 / 255, NULL },
    { "alpha16.jxl", 4, false, .51 / 65535, NULL },
    { "grey.jxl", 3, true, .51 / 255, NULL },
    { "lossy.jxl", 3, false, 16. / 255, NULL },
    { "turned.jxl", 3, false, .51 / 255, NULL },
    { "animated.jxl", 3, false, .51 / 255, ": an animation, of which the first picture is taken" },
};

START_TEST(by_their_encoders)
{
    bool turned = !strncmp(files[_i].name, "turned", 6);
    nst_image *want = smooth_image(W, H, files[_i].channels), *got;
    const char *note;
    nst_error e;

    if (!readable(files[_i].name)) {
        nst_image_destroy(&want);
        return;
    }
    for (int c = 1; c < 3 && files[_i].grey; c++)
        memcpy(want->plane[c], want->plane[0], W * H * sizeof(float));
    if (turned)
        ck_assert_int_eq(nst_image_orient(want, 6, "x", &e), NST_OK);
    got = read_image(sample(files[_i].name));
    same_image(want, got, files[_i].tolerance);
    note = nst_image_note(got);
    ck_assert_msg(files[_i].note ? note && strstr(note, files[_i].note) : !note, "%s", note ? note : "no note");
    nst_image_destroy(&got);
    ck_assert_int_eq(nst_image_read_fit(&got, sample(files[_i].name), &(nst_fit){ .longest = 6 }, &e), NST_OK);
    ck_assert_int_eq(turned ? got->height : got->width, 6);
    nst_image_destroy(&got);
    nst_image_destroy(&want);
}
END_TEST

/* Display P3 is converted, and high dynamic range said. */
START_TEST(colors)
{
    nst_image *plain, *p3;

    if (!readable("p3.heic"))
        return;
    plain = read_image(sample("plain.heic"));
    p3 = read_image(sample("p3.heic"));
#ifdef HAVE_LCMS2
    /* red .874, green .432, blue .143: the red of P3 is more than sRGB's */
    ck_assert_float_gt(*at(p3, 0, 16, 0), *at(plain, 0, 16, 0) + .02f);
#else
    same_image(plain, p3, 1. / 255);
#endif
    nst_image_destroy(&plain);
    nst_image_destroy(&p3);
    refuse_file(sample("pq.heic"), NST_EUNSUPPORTED, "of high dynamic range (PQ)");
}
END_TEST

/* Cut after any byte, or with any byte changed, each is a sentence or a picture. */
START_TEST(damage)
{
    size_t n;
    unsigned char *data;
    nst_image *image;
    nst_error e;

    if (!nst_format_of(files[_i].name)->reads)
        return;
    data = get_file(sample(files[_i].name), &n);
    for (size_t cut = 0; cut < n; cut += 7) {
        put_file("cut", data, cut);
        if (nst_image_read(&image, "cut", &e))
            ck_assert_msg(!strncmp(e.text, "cut: ", 5), "%s", e.text);
        nst_image_destroy(&image);
    }
    for (size_t i = 0; i < n; i += 5) {
        data[i] ^= 0x55;
        put_file("new", data, n);
        data[i] ^= 0x55;
        if (nst_image_read(&image, "new", &e))
            ck_assert_msg(!strncmp(e.text, "new: ", 5), "%s", e.text);
        nst_image_destroy(&image);
    }
    nst_free(data);
}
END_TEST

/* ---- BMP --------------------------------------------------------------------------------------------- */

/* The two headers, of `head` bytes, then what the bits need; returns the length. */
static size_t bmp_head(unsigned char *out, int head, int w, int h, int bits, int compression, int between)
{
    int offset = 14 + head + between;

    memset(out, 0, 14 + 124);
    memcpy(out, "BM", 2);
    out[10] = (unsigned char)offset;
    out[11] = (unsigned char)(offset >> 8);
    out[14] = (unsigned char)head;
    if (head == 12) {
        out[18] = (unsigned char)w;
        out[20] = (unsigned char)h;
        out[22] = 1;
        out[24] = (unsigned char)bits;
    } else {
        for (int i = 0; i < 4; i++) {
            out[18 + i] = (unsigned char)((unsigned)w >> 8 * i);
            out[22 + i] = (unsigned char)((unsigned)h >> 8 * i);
        }
        out[26] = 1;
        out[28] = (unsigned char)bits;
        out[30] = (unsigned char)compression;
    }
    return (size_t)(14 + head);
}

static void expect(const char *name, int w, int h, const float *rgb)
{
    nst_image *image = read_image(name);

    ck_assert_int_eq(image->width, w);
    ck_assert_int_eq(image->height, h);
    for (int i = 0; i < w * h * 3; i++)
        ck_assert_msg(fabsf(image->plane[i % 3][i / 3] - rgb[i]) < 1e-3f, "%s: pixel %d, channel %d: %g", name, i / 3,
                      i % 3, (double)image->plane[i % 3][i / 3]);
    nst_image_destroy(&image);
}

/* 2 x 2: red, green / blue, white, in every number of bits, from the bottom up and, with a minus, from the top. */
static const float four[] = { 1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1 };
static const unsigned char palette[] = { 0, 0, 0, 0, 0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0, 0, 255, 255, 255, 0 };

START_TEST(bmp_bits)
{
    static const struct { int bits, compression, h; unsigned char data[32]; size_t n; } kinds[] = {
        { 4, 0, 2, { 0x34, 0, 0, 0, 0x12, 0, 0, 0 }, 8 },
        { 8, 0, 2, { 3, 4, 0, 0, 1, 2, 0, 0 }, 8 },
        { 16, 0, 2, { 0x1f, 0, 0xff, 0x7f, 0, 0x7c, 0xe0, 3 }, 8 },
        { 24, 0, 2, { 255, 0, 0, 255, 255, 255, 0, 0, 0, 0, 255, 0, 255, 0, 0, 0 }, 16 },
        { 24, 0, -2, { 0, 0, 255, 0, 255, 0, 0, 0, 255, 0, 0, 255, 255, 255, 0, 0 }, 16 },
        { 32, 0, 2, { 255, 0, 0, 9, 255, 255, 255, 9, 0, 0, 255, 9, 0, 255, 0, 9 }, 16 },
        { 8, 1, 2, { 1, 3, 1, 4, 0, 0, 0, 2, 1, 2, 0, 1 }, 10 }, /* runs; below it in literals */
        { 4, 2, 2, { 2, 0x34, 0, 0, 2, 0x12, 0, 1 }, 8 },
    };
    unsigned char file[256];
    size_t n;

    for (size_t i = 0; i < NST_COUNT(kinds); i++) {
        int between = kinds[i].bits <= 8 ? 1 << kinds[i].bits << 2 : 0;
        unsigned char *all = nst_calloc(1, 2048);

        n = bmp_head(file, 40, 2, kinds[i].h, kinds[i].bits, kinds[i].compression, between);
        memcpy(all, file, n);
        if (between)
            memcpy(all + n, palette, sizeof palette);
        n += (size_t)between;
        memcpy(all + n, kinds[i].data, kinds[i].n);
        if (kinds[i].compression == 1)
            memcpy(all + n, (unsigned char[]){ 1, 3, 1, 4, 0, 0, 1, 1, 1, 2, 0, 1 }, 12);
        put_file("a.bmp", all, n + (kinds[i].compression == 1 ? 12 : kinds[i].n));
        expect("a.bmp", 2, 2, four);
        nst_free(all);
    }
}
END_TEST

/* Two colours, of OS/2's header with three bytes a colour: nine pixels, black and white in turn. */
START_TEST(bmp_two_colors)
{
    unsigned char file[256];
    float want[27];
    size_t n = bmp_head(file, 12, 9, 1, 1, 0, 6);

    memcpy(file + n, (unsigned char[]){ 0, 0, 0, 255, 255, 255, 0x55, 0, 0, 0 }, 10);
    put_file("a.bmp", file, n + 10);
    for (int i = 0; i < 27; i++)
        want[i] = (float)(i / 3 % 2);
    expect("a.bmp", 9, 1, want);
}
END_TEST

/* Masks of any bits behind a short header, and within a long one with alpha. */
START_TEST(bmp_masks)
{
    unsigned char file[256];
    nst_image *image;
    size_t n = bmp_head(file, 40, 2, 1, 16, 3, 12);

    memcpy(file + n, (unsigned char[]){ 0, 0xf8, 0, 0, 0xe0, 7, 0, 0, 0x1f, 0, 0, 0 }, 12);
    memcpy(file + n + 12, (unsigned char[]){ 0, 0xf8, 0xe0, 7 }, 4);
    put_file("a.bmp", file, n + 16);
    expect("a.bmp", 2, 1, (float[]){ 1, 0, 0, 0, 1, 0 });
    n = bmp_head(file, 108, 1, 1, 32, 3, 0);
    memcpy(file + 54, (unsigned char[]){ 255, 0, 0, 0, 0, 255, 0, 0, 0, 0, 255, 0, 0, 0, 0, 255 }, 16);
    memcpy(file + n, (unsigned char[]){ 51, 102, 204, 153 }, 4);
    put_file("a.bmp", file, n + 4);
    image = read_image("a.bmp");
    ck_assert_int_eq(image->channels, 4);
    for (int c = 0; c < 4; c++)
        ck_assert_float_eq_tol(image->plane[c][0], ((float[]){ .2f, .4f, .8f, .6f })[c], 1e-4f);
    nst_image_destroy(&image);
    memcpy(file + 58, (unsigned char[]){ 255, 0, 0, 0 }, 4);
    put_file("a.bmp", file, n + 4);
    refuse_file("a.bmp", NST_EFORMAT, "its masks overlap");
}
END_TEST

/* What lies, is cut, or is of a kind that nobody writes. */
START_TEST(bmp_refused)
{
    unsigned char file[256];
    size_t n = bmp_head(file, 40, 30000, 30000, 24, 0, 0);

    put_file("a.bmp", file, n);
    refuse_file("a.bmp", NST_EFORMAT, "truncated, 54 bytes cannot hold 30000 x 30000 pixels");
    bmp_head(file, 40, 60000, 60000, 8, 1, 0);
    put_file("a.bmp", file, sizeof file);
    refuse_file("a.bmp", NST_EFORMAT, "expected sides up to 65535 and at most");
    bmp_head(file, 40, 3, 3, 24, 0, 0);
    put_file("a.bmp", file, 54 + 20);
    refuse_file("a.bmp", NST_EFORMAT, "truncated after 1 of 3 rows");
    put_file("a.bmp", file, 54 + 28); /* nine bytes and three that fill a row */
    refuse_file("a.bmp", NST_EFORMAT, "truncated after 2 of 3 rows");
    bmp_head(file, 40, 3, 3, 24, 4, 0);
    put_file("a.bmp", file, sizeof file);
    refuse_file("a.bmp", NST_EUNSUPPORTED, "a BMP of 24 bits and compression 4, which is not read");
    bmp_head(file, 40, -3, 3, 24, 0, 0);
    put_file("a.bmp", file, sizeof file);
    refuse_file("a.bmp", NST_EFORMAT, "expected at least 1 x 1");
    n = bmp_head(file, 40, 3, 3, 8, 1, 1024);
    put_file("a.bmp", file, sizeof file);
    refuse_file("a.bmp", NST_EFORMAT, "truncated after 0 of 3 rows");
}
END_TEST

/* Runs that leap to the right until a number of 31 bits would overflow: pixels beyond a row's end are none. */
START_TEST(bmp_leaps)
{
    size_t leaps = ((size_t)1 << 31) / 255 + 2, bytes = 14 + 40 + 1024 + 4 * leaps + 4;
    unsigned char *file = nst_calloc(bytes, 1);
    size_t at = bmp_head(file, 40, 1, 1, 8, 1, 1024) + 1024;
    static const float black[3];

    for (size_t i = 0; i < leaps; i++, at += 4)
        memcpy(file + at, (unsigned char[]){ 0, 2, 255, 0 }, 4);
    memcpy(file + at, (unsigned char[]){ 1, 200, 0, 1 }, 4); /* a pixel, the end */
    put_file("a.bmp", file, bytes);
    expect("a.bmp", 1, 1, black);
    nst_free(file);
}
END_TEST

/* ---- GIF --------------------------------------------------------------------------------------------- */

/* 2 x 2 by hand: codes of 3 bits: clear, the four indices, end; a second picture of one pixel. */
static size_t gif(unsigned char *out, int left, bool clear, bool second)
{
    static const unsigned char map[12] = { 255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255 };
    unsigned char *p = out;

#define PUT(...) (memcpy(p, (unsigned char[]){ __VA_ARGS__ }, sizeof(unsigned char[]){ __VA_ARGS__ }),                \
                  p += sizeof(unsigned char[]){ __VA_ARGS__ })
    PUT('G', 'I', 'F', '8', '9', 'a', (unsigned char)(2 + left), 0, 2, 0, 0x81, 0, 0);
    memcpy(p, map, 12);
    p += 12;
    if (clear)
        PUT(0x21, 0xf9, 4, 1, 0, 0, 3, 0);
    PUT(0x2c, (unsigned char)left, 0, 0, 0, 2, 0, 2, 0, 0);
    PUT(2, 3, 0x44, 0x34, 0x05, 0); /* 4 0 1 2 3 5, the lowest bits first; from the third code on still 3 bits */
    if (second)
        PUT(0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 0x01, 0);
    PUT(0x3b);
    return (size_t)(p - out);
}

START_TEST(gifs)
{
    unsigned char file[256];
    nst_image *image;
    size_t n;

    if (!nst_format_of("a.gif")->reads)
        return;
    put_file("a.gif", file, gif(file, 0, false, false));
    expect("a.gif", 2, 2, four);
    put_file("a.gif", file, gif(file, 1, true, true)); /* beside nothing, and white is transparent */
    image = read_image("a.gif");
    ck_assert_int_eq(image->width, 3);
    ck_assert_int_eq(image->channels, 4);
    for (int i = 0; i < 6; i++)
        ck_assert(image->plane[3][i] == ((float[]){ 0, 1, 1, 0, 1, 0 })[i]);
    ck_assert(*at(image, 0, 1, 0) == 1 && *at(image, 1, 2, 0) == 1 && *at(image, 2, 1, 1) == 1);
    ck_assert_str_eq(nst_image_note(image), "a.gif: an animation, of which the first picture is taken");
    nst_image_destroy(&image);
    n = gif(file, 0, false, false);
    for (size_t cut = 6; cut < n - 3; cut++) {
        put_file("a.gif", file, cut);
        refuse_file("a.gif", NST_EFORMAT, "damaged or truncated GIF file");
    }
    memcpy(file + 6, "\xff\x0f\xff\x0f", 4); /* a picture of four pixels on a screen of millions */
    put_file("a.gif", file, n);
    refuse_file("a.gif", NST_EFORMAT, "cannot hold 4095 x 4095 pixels");
    memcpy(file + 30, "\xff\xff\xff\xff", 4);
    memcpy(file + 6, "\xff\xff\xff\xff", 4);
    put_file("a.gif", file, n);
    refuse_file("a.gif", NST_EFORMAT, "expected sides up to 65535 and at most");
}
END_TEST

/* ---- names -------------------------------------------------------------------------------------------- */

/* What is read and what is written is what the codecs can do; a format that is only read says so. */
START_TEST(two_facts)
{
    nst_image *in = new_image(2, 2, 3);
    nst_error e;
    char list[256];

    for (int i = 0; nst_codec_at(i); i++) {
        const nst_codec *c = nst_codec_at(i);

        ck_assert_msg(!c->format.reads == !c->read && !c->format.writes == !c->write, "%s", c->format.name);
    }
    ck_assert_ptr_nonnull(strstr(nst_format_list(0, list, sizeof list), "BMP or PGM"));
    ck_assert_ptr_null(strstr(nst_format_list(1, list, sizeof list), ".bmp"));
    ck_assert_int_eq(nst_image_write(in, "a.bmp", NULL, &e), NST_EUNSUPPORTED);
    ck_assert_msg(!strncmp(e.text, "a.bmp: nst reads but does not write BMP, expected one of .png", 61), "%s", e.text);
    nst_image_destroy(&in);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_loop_test(t, by_their_encoders, 0, NST_COUNT(files));
    tcase_add_test(t, colors);
    tcase_add_loop_test(t, damage, 0, NST_COUNT(files));
    tcase_add_test(t, bmp_bits);
    tcase_add_test(t, bmp_two_colors);
    tcase_add_test(t, bmp_masks);
    tcase_add_test(t, bmp_refused);
    tcase_add_test(t, bmp_leaps);
    tcase_add_test(t, gifs);
    tcase_add_test(t, two_facts);
}

int main(void)
{
    return run_tests("read_only", add);
}
