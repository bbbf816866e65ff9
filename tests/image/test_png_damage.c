/* test_png_damage.c: every way to spoil a PNG: a sentence or a picture, never a crash, nor memory for what a few bytes
 * claim. */
#include "png_file.h"

#include <zlib.h>

static unsigned char *small_png(size_t *bytes, int interlace)
{
    uint16_t samples[W * H * 3];

    fill(samples, 3, 255);
    make_png("whole.png", &(struct kind){ .w = W, .h = H, .type = PNG_COLOR_TYPE_RGB, .bits = 8, .samples = samples,
                                          .interlace = interlace });
    return get_file("whole.png", bytes);
}

/* A file cut after any byte is refused, and after the header in words that say so; but behind the pixels nothing is
 * missed. */
START_TEST(truncated)
{
    for (int interlace = 0; interlace < 2; interlace++) {
        size_t n;
        unsigned char *data = small_png(&n, interlace);
        size_t end = n - 12; /* IEND */
        nst_image *whole = read_image("whole.png"), *cut_short;

        for (size_t cut = 0; cut < end; cut++) {
            const char *wrong = cut < 8 ? "no known kind of picture" : "truncated";

            put_file("cut.png", data, cut);
            refuse_file("cut.png", NST_EFORMAT, cut ? wrong : "empty file");
        }
        for (size_t cut = end; cut < n; cut++) {
            put_file("cut.png", data, cut);
            cut_short = read_image("cut.png");
            same_image(cut_short, whole, 0);
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

/* What is there is read on demand, and how much is said: the rows before the end of the file, or the passes. */
START_TEST(what_is_there)
{
    nst_image *in = noise_image(60, 80, 3, 255), *out;
    unsigned char *data;
    int rows = 0, all = 0;
    nst_error e;
    size_t n;

    write_image(in, "a.png", NULL);
    data = get_file("a.png", &n);
    put_file("cut.png", data, n * 2 / 3);
    refuse_file("cut.png", NST_EFORMAT, "of 80 rows; --damaged reads what is there");
    out = read_damaged("cut.png");
    ck_assert_int_eq(sscanf(nst_image_note(out), "cut.png: damaged, %d of %d rows could be read", &rows, &all), 2);
    ck_assert(rows == out->height && rows > 30 && rows < 70 && all == 80);
    for (int c = 0; c < 3; c++) /* each plane begins behind the shorter one before it */
        ck_assert(!memcmp(out->plane[c], in->plane[c], 60 * sizeof(float) * (size_t)rows) &&
                  out->plane[c] == out->plane[0] + 60 * c * rows);
    nst_image_destroy(&out);
    ck_assert_int_eq(nst_image_read_fit(&out, "cut.png", &(nst_fit){ .longest = 20, .damaged = 1 }, &e), NST_OK);
    ck_assert(out->width == 15 && abs(out->height - rows / 4) <= 1 && out->file_height == rows);
    nst_image_destroy(&out);
    data[n / 2] ^= 4; /* a fault within: the checksum is wrong, or the rest no longer to be unpacked */
    put_file("new.png", data, n);
    out = read_damaged("new.png");
    ck_assert_msg(out->height >= 30 && strstr(nst_image_note(out), ": damaged, "), "%s", nst_image_note(out));
    nst_image_destroy(&out);
    nst_free(data);
    data = small_png(&n, 1);
    put_file("cut.png", data, n * 3 / 4);
    out = read_damaged("cut.png");
    ck_assert_msg(strstr(nst_image_note(out), " of 7 is the last one"), "%s", nst_image_note(out));
    ck_assert_int_eq(out->height, H);
    nst_image_destroy(&out);
    put_file("cut.png", data, 40);
    ck_assert_int_eq(nst_image_read_fit(&out, "cut.png", &(nst_fit){ .damaged = 1 }, &e), NST_EFORMAT);
    nst_free(data);
    nst_image_destroy(&in);
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
    tcase_add_test(t, truncated);
    tcase_add_test(t, truncated_rows);
    tcase_add_test(t, what_is_there);
    tcase_add_test(t, flipped);
    tcase_add_test(t, absurd_sizes);
    tcase_add_test(t, checksums);
    tcase_add_test(t, text_bomb);
}

int main(void)
{
    return run_tests("png damage", add);
}
