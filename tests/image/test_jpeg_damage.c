/* test_jpeg_damage.c: spoilt JPEGs are a sentence, and --damaged reads what is there. */
#include "jpeg_file.h"

#include <time.h>

static unsigned char *small_jpeg(size_t *bytes, bool progressive)
{
    uint8_t samples[W * H * 3];

    fill(samples, 3);
    make_jpeg("whole.jpg", &(struct kind){ .w = W, .h = H, .channels = 3, .in = JCS_RGB, .file = JCS_YCbCr,
                                           .samples = samples, .progressive = progressive });
    return get_file("whole.jpg", bytes);
}

/* A file cut after any byte is refused in words that say so, where libjpeg alone would paint the rest grey.  Without
 * its end marker it still holds all its pixels, with anything in the marker's place, too. */
START_TEST(truncated)
{
    for (int progressive = 0; progressive < 2; progressive++) {
        size_t n;
        unsigned char *data = small_jpeg(&n, progressive);
        nst_image *whole = read_image("whole.jpg"), *cut_short;

        for (size_t cut = 0; cut < n - 2; cut++) {
            const char *wrong = cut < 3 ? "no known kind of picture" : "truncated";

            put_file("cut.jpg", data, cut);
            refuse_file("cut.jpg", NST_EFORMAT, cut ? wrong : "empty file");
        }
        for (size_t cut = n - 2; cut < n + 2 * !progressive; cut++) {
            memcpy(data + n - 2, "\xff\xd8", cut > n ? 2 : 0); /* the start of another file */
            put_file("cut.jpg", data, cut < n ? cut : n);
            cut_short = read_image("cut.jpg");
            same_image(cut_short, whole, 0);
            nst_image_destroy(&cut_short);
        }
        nst_image_destroy(&whole);
        nst_free(data);
    }
}
END_TEST

/* What is there is read on demand, and how much is said. */
START_TEST(what_is_there)
{
    nst_image *in = smooth_image(96, 160, 3), *out;
    unsigned char *data;
    int rows = 0, all = 0;
    size_t n;

    write_image(in, "a.jpg", NULL);
    data = get_file("a.jpg", &n);
    put_file("cut.jpg", data, n * 3 / 4);
    refuse_file("cut.jpg", NST_EFORMAT, "of 160 rows; --damaged reads what is there");
    out = read_damaged("cut.jpg");
    ck_assert_int_eq(sscanf(nst_image_note(out), "cut.jpg: damaged, %d of %d rows could be read", &rows, &all), 2);
    ck_assert(rows == out->height && rows > 40 && rows < 150 && all == 160);
    for (int i = 0; i < 96 * (rows - 8); i++)
        ck_assert_float_eq_tol(out->plane[1][i], in->plane[1][i], .05f);
    nst_image_destroy(&out);
    memset(data + n * 2 / 3, 0xfe, 4); /* a fault within: what is behind it may be wrong */
    put_file("new.jpg", data, n);
    out = read_damaged("new.jpg");
    nst_image_destroy(&out);
    nst_free(data);
    data = small_jpeg(&n, 1);
    put_file("cut.jpg", data, n * 3 / 4);
    out = read_damaged("cut.jpg");
    ck_assert_str_eq(nst_image_note(out), "cut.jpg: damaged, some of its details are missing or wrong");
    nst_image_destroy(&out);
    nst_free(data);
    nst_image_destroy(&in);
}
END_TEST

/* Half of a large picture: the sentence counts the rows. */
START_TEST(truncated_rows)
{
    cut_by_half("a.jpg", smooth_image(300, 480, 3), 150, 330);
}
END_TEST

/* Any single byte changed: either a picture or a sentence, never a crash. */
START_TEST(flipped)
{
    for (int progressive = 0; progressive < 2; progressive++) {
        size_t n;
        unsigned char *data = small_jpeg(&n, progressive);

        for (size_t i = 0; i < n; i++) {
            nst_image *out;
            nst_error e = { "" };

            data[i] ^= 0x55;
            put_file("flip.jpg", data, n);
            if (nst_image_read(&out, "flip.jpg", &e))
                ck_assert(!out && strlen(e.text) > strlen("flip.jpg: "));
            nst_image_destroy(&out);
            data[i] ^= 0x55;
        }
        nst_free(data);
    }
}
END_TEST

/* Sizes that the file's few bytes cannot hold, and a sample depth that nobody reads. */
START_TEST(absurd_headers)
{
    /* progressive and arithmetic, from the fuzzer: asked for 12.4 GB */
    static const char arithmetic[] =
        "\xff\xd8\xff\0\x32\xf1\xf1\xff\xca\0\x14\x08\xc4\x56\x50\x4e\4C\x11\0M\x11\0Y\x11\0K\x11\0\3\0\3"
        "\1\1\0\1\xf4\x89\xab\xb1\xcd\xf5*\0\0\0\0\1\x11\0!1Qq\x91\xa1\xff\xda\0\x08\1Y\"\1"
        "!!\xdc\0?\x15\x1d\xa6\x95\xc7!$k\xe6z\xb4" "df\xb1\xe0\xec\xf9;\0\xff";
    size_t n;
    unsigned char *data = small_jpeg(&n, false), *frame = find_bytes(data, n, "\xff\xc0", 2);

    ck_assert_ptr_nonnull(frame);
    frame[5] = frame[7] = 0x7f;
    put_file("a.jpg", data, n);
    refuse_file("a.jpg", NST_EFORMAT, "cannot hold 32557 x 32549 pixels");
    frame[5] = frame[7] = 0xff;
    put_file("a.jpg", data, n);
    refuse_file("a.jpg", NST_EFORMAT, "a.jpg: ");
    memset(frame + 5, 0, 2);
    put_file("a.jpg", data, n);
    refuse_file("a.jpg", NST_EFORMAT, "damaged or unusual JPEG file");
    frame[6] = H;
    frame[7] = 0;
    frame[4] = 12;
    put_file("a.jpg", data, n);
    refuse_file("a.jpg", NST_EFORMAT, "precision");
    put_file("a.jpg", arithmetic, sizeof arithmetic); /* the last byte is 0 */
    refuse_file("a.jpg", NST_EFORMAT, "90 bytes cannot hold 20558 x 50262 pixels");
    nst_free(data);
}
END_TEST

/* Bytes between the segments and after the end, which cameras leave, hurt nobody. */
START_TEST(harmless_bytes)
{
    size_t n;
    unsigned char *data = small_jpeg(&n, false), *frame = find_bytes(data, n, "\xff\xc0", 2);
    nst_image *clean = read_image("whole.jpg"), *out;
    FILE *f = fopen("a.jpg", "wb");

    fwrite(data, 1, (size_t)(frame - data), f);
    fwrite("\0\0\0", 1, 3, f);
    fwrite(frame, 1, n - (size_t)(frame - data), f);
    fwrite("trailer", 1, 7, f);
    ck_assert_int_eq(fclose(f), 0);
    out = read_image("a.jpg");
    same_image(clean, out, 0);
    nst_image_destroy(&clean);
    nst_image_destroy(&out);
    nst_free(data);
}
END_TEST

/* The file again, its first scan so many times. */
static void repeat_scan(unsigned char *data, size_t n, int times)
{
    size_t scan_bytes;
    unsigned char *scan = find_bytes(data, n, "\xff\xda", 2), *end;
    FILE *f = fopen("bomb.jpg", "wb");

    end = find_bytes(scan + 1, n - (size_t)(scan + 1 - data), "\xff\xc4", 2); /* the next scan's tables */
    ck_assert_ptr_nonnull(end);
    scan_bytes = (size_t)(end - scan);
    fwrite(data, 1, (size_t)(scan - data), f);
    for (int i = 0; i < times; i++)
        fwrite(scan, 1, scan_bytes, f);
    fwrite(end, 1, n - (size_t)(end - data), f);
    ck_assert_int_eq(fclose(f), 0);
}

/* A progressive file that repeats its first scan for ever is given up, a large one sooner. */
START_TEST(scan_bomb)
{
    enum { SIDE = 4000 };
    struct kind k = { .w = SIDE, .h = SIDE, .channels = 1, .in = JCS_GRAYSCALE, .file = JCS_GRAYSCALE,
                      .progressive = true };
    uint8_t *samples = nst_calloc(SIDE, SIDE);
    size_t n;
    unsigned char *data = small_jpeg(&n, true);
    nst_image *out;
    nst_error e;
    clock_t began;
    double once;

    repeat_scan(data, n, 600);
    refuse_file("bomb.jpg", NST_EFORMAT, "more than 500 scans of 45 x 37 pixels");
    nst_free(data);
    k.samples = samples;
    make_jpeg("large.jpg", &k);
    data = get_file("large.jpg", &n);
    repeat_scan(data, n, 420);
    refuse_file("bomb.jpg", NST_EFORMAT, "more than 400 scans of 4000 x 4000 pixels");
    /* once: whether --damaged would read something is not tried; each takes seconds of the processor */
    began = clock();
    ck_assert_int_eq(nst_image_read_fit(&out, "bomb.jpg", &(nst_fit){ .damaged = 1 }, &e), NST_EFORMAT);
    once = (double)(clock() - began);
    began = clock();
    ck_assert_int_eq(nst_image_read(&out, "bomb.jpg", &e), NST_EFORMAT);
    ck_assert_msg((double)(clock() - began) < 1.6 * once, "%.2f and %.2f s", (double)(clock() - began) / CLOCKS_PER_SEC,
                  once / CLOCKS_PER_SEC);
    nst_free(data);
    nst_free(samples);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, truncated);
    tcase_add_test(t, truncated_rows);
    tcase_add_test(t, what_is_there);
    tcase_add_test(t, flipped);
    tcase_add_test(t, absurd_headers);
    tcase_add_test(t, harmless_bytes);
    tcase_add_test(t, scan_bomb);
}

int main(void)
{
    return run_tests("jpeg_damage", add);
}
