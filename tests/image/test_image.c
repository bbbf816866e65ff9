/* test_image.c: pictures in memory, and that a file is either the old one or the whole new one. */
#include "../support/picture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

/* ---- in memory -------------------------------------------------------------- */

/* A new picture is black, its planes follow one another, and a copy is another picture with the same numbers. */
START_TEST(create_and_copy)
{
    nst_image *a = new_image(5, 3, 4), *b;

    for (int i = 0; i < 5 * 3 * 4; i++)
        ck_assert(a->plane[0][i] == 0);
    for (int c = 0; c < 4; c++)
        ck_assert_ptr_eq(nst_image_plane(a, c), a->plane[0] + 15 * c);
    ck_assert_ptr_null(nst_image_plane(a, 4));
    ck_assert_int_eq(nst_image_width(a), 5);
    ck_assert_int_eq(nst_image_height(a), 3);
    ck_assert_int_eq(nst_image_channels(a), 4);
    a->plane[2][7] = 0.5f;
    b = nst_image_copy(a);
    same_image(a, b, 0);
    ck_assert_ptr_ne(a->plane[0], b->plane[0]);
    nst_image_destroy(&a);
    ck_assert_ptr_null(a);
    nst_image_destroy(&a);
    nst_image_destroy(NULL);
    nst_image_destroy(&b);
}
END_TEST

/* Sizes that make no sense are refused before anything is allocated. */
START_TEST(absurd_sizes)
{
    static const int sizes[][3] = { { 0, 1, 3 }, { 1, 0, 3 }, { -1, 5, 3 }, { 4, 4, 2 }, { 4, 4, 5 },
                                    { NST_MAX_SIDE + 1, 1, 3 }, { 65535, 65535, 3 }, { 2147483647, 2147483647, 4 } };
    nst_error e;

    for (size_t i = 0; i < NST_COUNT(sizes); i++) {
        nst_image *image = (nst_image *)&e;
        size_t before = nst_alloc_count();

        ck_assert_int_ne(nst_image_create(&image, sizes[i][0], sizes[i][1], sizes[i][2], &e), NST_OK);
        ck_assert_ptr_null(image);
        ck_assert_uint_eq(nst_alloc_count(), before);
    }
}
END_TEST

/* Nearest step, clipped; what is no number is black. */
START_TEST(quantise)
{
    for (unsigned v = 0; v <= 65535; v++) {
        ck_assert_uint_eq(nst_image_quantise((float)v / 65535.0f, 65535), v);
        if (v <= 255)
            ck_assert_uint_eq(nst_image_quantise((float)v / 255.0f, 255), v);
    }
    ck_assert_uint_eq(nst_image_quantise(99.6f / 255, 255), 100);
    ck_assert_uint_eq(nst_image_quantise(99.4f / 255, 255), 99);
    ck_assert_uint_eq(nst_image_quantise(-1, 255), 0);
    ck_assert_uint_eq(nst_image_quantise(INFINITY, 255), 255);
    ck_assert_uint_eq(nst_image_quantise(NAN, 255), 0);
}
END_TEST

/* Each EXIF orientation of the letter-like picture  0 1 2 / 3 4 5  comes out as the standard draws it. */
START_TEST(orientations)
{
    static const struct { int w; float pixel[6]; } upright[9] = {
        [0] = { 3, { 0, 1, 2, 3, 4, 5 } }, [1] = { 3, { 0, 1, 2, 3, 4, 5 } }, [2] = { 3, { 2, 1, 0, 5, 4, 3 } },
        [3] = { 3, { 5, 4, 3, 2, 1, 0 } }, [4] = { 3, { 3, 4, 5, 0, 1, 2 } }, [5] = { 2, { 0, 3, 1, 4, 2, 5 } },
        [6] = { 2, { 3, 0, 4, 1, 5, 2 } }, [7] = { 2, { 5, 2, 4, 1, 3, 0 } }, [8] = { 2, { 2, 5, 1, 4, 0, 3 } },
    };

    for (int o = 0; o <= 8; o++) {
        nst_image *image = new_image(3, 2, 4);
        nst_error e;

        for (int c = 0; c < 4; c++)
            for (int i = 0; i < 6; i++)
                image->plane[c][i] = (float)(i + 10 * c);
        ck_assert_int_eq(nst_image_orient(image, o, "x", &e), NST_OK);
        ck_assert_int_eq(image->width, upright[o].w);
        ck_assert_int_eq(image->height, 6 / upright[o].w);
        for (int c = 0; c < 4; c++)
            for (int i = 0; i < 6; i++)
                ck_assert_msg(image->plane[c][i] == upright[o].pixel[i] + (float)(10 * c), "orientation %d", o);
        nst_image_destroy(&image);
    }
}
END_TEST

/* ---- round trips ------------------------------------------------------------ */

/* PNG gives back every 8- or 16-bit step, with and without alpha, from one pixel on. */
START_TEST(png_round_trip)
{
    static const int sizes[][2] = { { 1, 1 }, { 1, 7 }, { 67, 51 }, { 256, 257 } };

    for (size_t i = 0; i < NST_COUNT(sizes); i++)
        for (int channels = 3; channels <= 4; channels++)
            for (int bits = 8; bits <= 16; bits += 8) {
                nst_image *in = noise_image(sizes[i][0], sizes[i][1], channels, bits == 8 ? 255 : 65535), *out;

                write_image(in, "a.png", &(nst_write_options){ .bits = bits });
                out = read_image("a.png");
                same_image(in, out, 0);
                nst_image_destroy(&in);
                nst_image_destroy(&out);
            }
}
END_TEST

/* JPEG at the usual quality stays near a smooth picture, better with more quality, and has no coarser chroma. */
START_TEST(jpeg_round_trip)
{
    nst_image *in = smooth_image(67, 51, 3), *out;
    size_t small, large;

    write_image(in, "a.jpg", NULL);
    out = read_image("a.jpg");
    same_image(in, out, 8.0 / 255);
    nst_image_destroy(&out);
    write_image(in, "b.JPEG", &(nst_write_options){ .jpeg_quality = 100 });
    out = read_image("b.JPEG");
    same_image(in, out, 4.0 / 255);
    nst_image_destroy(&out);
    write_image(in, "c.jpg", &(nst_write_options){ .jpeg_quality = 30 });
    nst_free(get_file("c.jpg", &small));
    nst_free(get_file("b.JPEG", &large));
    ck_assert_uint_lt(small, large);
    nst_image_destroy(&in);
}
END_TEST

/* What is transparent comes out white in a JPEG, what is half transparent half white. */
START_TEST(jpeg_on_white)
{
    nst_image *in = new_image(32, 16, 4), *out;

    for (int y = 0; y < 16; y++)
        for (int x = 0; x < 32; x++)
            *at(in, 3, x, y) = x < 16 ? 0 : 0.5f;
    write_image(in, "a.jpg", NULL);
    out = read_image("a.jpg");
    ck_assert_int_eq(out->channels, 3);
    ck_assert_float_eq_tol(*at(out, 1, 4, 8), 1, 0.01f);
    ck_assert_float_eq_tol(*at(out, 1, 28, 8), 0.5f, 0.01f);
    nst_image_destroy(&in);
    nst_image_destroy(&out);
}
END_TEST

/* The comment and the sRGB tag are in the file; the same picture gives the same bytes. */
START_TEST(comment_and_tag)
{
    static const char *const names[] = { "a.png", "a.jpg" };
    nst_image *in = smooth_image(40, 30, 3);

    for (size_t i = 0; i < 2; i++)
        for (int utf8 = 0; utf8 < 2; utf8++) {
            const char *comment = utf8 ? "na\xc3\xafve painting" : "nst --seed 1";
            unsigned char *first, *second;
            size_t n, m;

            write_image(in, names[i], &(nst_write_options){ .comment = comment });
            first = get_file(names[i], &n);
            ck_assert_ptr_nonnull(find_bytes(first, n, comment, strlen(comment)));
            if (i == 0)
                ck_assert_ptr_nonnull(find_bytes(first, n, "sRGB", 4));
            else
                ck_assert(find_bytes(first, n, "ICC_PROFILE", 12) || find_bytes(first, n, "Exif\0\0II*", 9));
            write_image(in, names[i], &(nst_write_options){ .comment = comment });
            second = get_file(names[i], &m);
            ck_assert(n == m && !memcmp(first, second, n));
            nst_free(first);
            nst_free(second);
        }
    nst_image_destroy(&in);
}
END_TEST

/* ---- reading what is no picture --------------------------------------------- */

START_TEST(read_refusals)
{
#define BYTES(text) text, sizeof text - 1
    static const struct { const char *bytes; size_t n; const char *text; } others[] = {
        { BYTES("<?xml version=\"1.0\"?>\n<!-- a drawing -->\n<svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
          "an SVG drawing, expected PNG" },
        { BYTES("\xef\xbb\xbf \n<svg width=\"1\"/>"), "Inkscape" },
        { BYTES("\n<!DOCTYPE HTML><html>404</html>"), "a web page, expected PNG" },
        { BYTES("<html><body>no</body></html>"), "what was downloaded" },
        { BYTES("version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 9\n"),
          "\"git lfs pull\" brings the picture" },
        { BYTES("\x89PNG\r\n\x1a\n\0\0\0\4CgBI\x50\0\x20\2"), "an iOS PNG file" },
        { BYTES("II*\0\x10\0\0\0CR\2\0\0\0\0\0"), "a camera's raw file" },
        { BYTES("FUJIFILMCCD-RAW 0201"), "a raw developer" },
        { BYTES("8BPS\0\1"), "a Photoshop file, expected PNG" },
        { BYTES("BM, a text that begins like a BMP"), "no known kind of picture" },
        { BYTES("<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code></Error>"), "an XML file, expected PNG" },
        { BYTES("<?xml version=\"1.0\"?><!DOCTYPE html PUBLIC \"-//W3C\"><html xmlns=\"x\">"), "a web page" },
        { BYTES("<!-- from a proxy --> <!-- - --> <HEAD><title>404"), "a web page" },
        { BYTES("<!-- one that does not end"), "no known kind of picture" },
        { BYTES("{ \"message\": \"Not Found\" }"), "a JSON file" },
        { BYTES("v/1\1\2\0\0\0"), "an OpenEXR file" },
        { BYTES("\0\0\1\0\1\0\x10\x10"), "an icon" },
        { BYTES("PK\3\4\x14\0\0\0"), "an archive, expected PNG" },
        { BYTES("\0\0\0\x20" "ftypisom\0\0\2\0"), "a film, expected PNG" },
        { BYTES("RIFF\1\2\3\4AVI LIST"), "takes a picture out of it" },
        { BYTES("%!PS-Adobe-3.0 EPSF-3.0\n"), "a PostScript file" },
    };
    static const unsigned char half_mark[] = { 0x89, 'P', 'N', 'G' };

    refuse_file("missing.png", NST_EIO, "cannot open: No such file");
    ck_assert_int_eq(mkdir("folder.png", 0777), 0);
    refuse_file("folder.png", NST_EIO, "is a directory, expected a file: PNG");
    put_file("empty.png", "", 0);
    refuse_file("empty.png", NST_EFORMAT, "empty file, expected PNG, JPEG");
    put_file("text.png", "a picture, believe me\n", 22);
    refuse_file("text.png", NST_EFORMAT, "no known kind of picture, expected PNG, JPEG");
    put_file("half.png", half_mark, sizeof half_mark);
    refuse_file("half.png", NST_EFORMAT, "no known kind of picture, expected PNG, JPEG");
    for (size_t i = 0; i < NST_COUNT(others); i++) {
        put_file("what.jpg", others[i].bytes, others[i].n);
        refuse_file("what.jpg", NST_EFORMAT, others[i].text);
    }
    put_file("other.png", "GIF89a\1\0\1\0\0\0", 12);
    refuse_file("other.png", nst_format_of("a.gif")->reads ? NST_EFORMAT : NST_EUNSUPPORTED, "GIF file");
    put_file("other.png", "\0\0\0\x10" "ftypheic\0\0\0\0", 16);
    if (!nst_format_of("a.heic")->reads)
        refuse_file("other.png", NST_EUNSUPPORTED, "a HEIC file, which this build cannot read, expected PNG, JPEG");
    else
        refuse_file("other.png", NST_EFORMAT, "damaged or truncated: ");
    put_file("other.png", "II*\0\x10\0\0\0", 8);
    refuse_file("other.png", nst_format_of("a.tiff")->reads ? NST_EFORMAT : NST_EUNSUPPORTED, "TIFF file");
    put_file("other.png", "RIFF\1\2\3\4WEBPVP8 ", 16);
    refuse_file("other.png", nst_format_of("a.webp")->reads ? NST_EFORMAT : NST_EUNSUPPORTED, "WebP file");
    refuse_file("/dev/null", NST_EFORMAT, "empty file");
    refuse_file("/dev/zero", NST_EFORMAT, "no known kind of picture, expected PNG, JPEG");
}
END_TEST

static void *feed(void *arg)
{
    size_t n;
    unsigned char *data = get_file("a.png", &n);

    put_file(arg, data, n);
    nst_free(data);
    return NULL;
}

/* The first bytes decide, not the name; and a pipe is as good as a file. */
START_TEST(names_do_not_matter)
{
    nst_image *in = noise_image(300, 200, 3, 255), *out;
    pthread_t thread;

    write_image(in, "a.png", NULL);
    ck_assert_int_eq(mkfifo("pipe", 0600), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, feed, (void *)"pipe"), 0);
    out = read_image("pipe");
    pthread_join(thread, NULL);
    same_image(in, out, 0);
    nst_image_destroy(&out);
    ck_assert_int_eq(rename("a.png", "a.jpg"), 0);
    out = read_image("a.jpg");
    same_image(in, out, 0);
    nst_image_destroy(&out);
    nst_image_destroy(&in);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, create_and_copy);
    tcase_add_test(t, absurd_sizes);
    tcase_add_test(t, quantise);
    tcase_add_test(t, orientations);
    tcase_add_test(t, png_round_trip);
    tcase_add_test(t, jpeg_round_trip);
    tcase_add_test(t, jpeg_on_white);
    tcase_add_test(t, comment_and_tag);
    tcase_add_test(t, read_refusals);
    tcase_add_test(t, names_do_not_matter);
}

int main(void)
{
    return run_tests("image", add);
}
