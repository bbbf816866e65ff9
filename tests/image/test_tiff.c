/* test_tiff.c: TIFF: what libtiff writes of every layout, what we write, orientation, damage. */
#include "../support/picture.h"

#ifdef HAVE_TIFF
#include "tiff_file.h"

/* Every layout that libtiff writes comes back as the picture. */
START_TEST(every_layout)
{
    const struct layout *l = &layouts[_i];
    bool alpha = l->extra == EXTRASAMPLE_ASSOCALPHA || l->extra == EXTRASAMPLE_UNASSALPHA;
    bool grey = l->photometric <= PHOTOMETRIC_MINISBLACK;
    nst_image *in = l->compression == COMPRESSION_JPEG ? smooth_image(W, H, 3) : noise_image(W, H, alpha ? 4 : 3, 255);
    nst_image *out;

    if (!TIFFIsCODECConfigured((uint16_t)l->compression)) {
        nst_image_destroy(&in);
        return;
    }
    for (int i = 0; i < W * H && alpha; i++)
        in->plane[3][i] = 0.2f + 0.8f * in->plane[3][i]; /* what is premultiplied by 0 is lost */
    for (int i = 0; i < W * H && alpha; i++)
        in->plane[3][i] = (float)nst_image_quantise(in->plane[3][i], 255) / 255;
    put_tiff(l, in);
    out = read_image("a.tif");
    ck_assert_int_eq(out->channels, alpha ? 4 : 3);
    for (int c = 0; c < out->channels; c++)
        for (int i = 0; i < W * H; i++) {
            double want = in->plane[grey && c < 3 ? 0 : c][i];

            ck_assert_msg(fabs(out->plane[c][i] - want) <= l->tolerance,
                          "%s: channel %d, pixel %d: %.5f, expected %.5f", l->name, c, i, (double)out->plane[c][i],
                          want);
        }
    nst_image_destroy(&in);
    nst_image_destroy(&out);
}
END_TEST

/* Ours: 8 and 16 bits, with and without alpha, exact; comment and profile are in it; the same bytes again. */
START_TEST(round_trip)
{
    for (int channels = 3; channels <= 4; channels++)
        for (int bits = 8; bits <= 16; bits += 8) {
            nst_image *in = noise_image(67, 51, channels, bits == 8 ? 255 : 65535), *out;
            nst_write_options o = { .bits = bits, .comment = "nst --seed 1" };
            unsigned char *a, *b;
            size_t n, m;

            write_image(in, "a.tiff", &o);
            out = read_image("a.tiff");
            same_image(in, out, 0);
            a = get_file("a.tiff", &n);
            ck_assert_ptr_nonnull(find_bytes(a, n, "nst --seed 1", 12));
            write_image(in, "a.tiff", &o);
            b = get_file("a.tiff", &m);
            ck_assert(n == m && !memcmp(a, b, n));
            nst_free(a);
            nst_free(b);
            nst_image_destroy(&in);
            nst_image_destroy(&out);
        }
}
END_TEST

/* Each orientation as EXIF's, which took them from TIFF. */
START_TEST(orientations)
{
    for (int o = 1; o <= 8; o++) {
        nst_image *in = noise_image(7, 4, 3, 255), *out;
        TIFF *t;
        nst_error e;

        write_image(in, "a.tif", NULL);
        t = TIFFOpen("a.tif", "r+");
        TIFFSetField(t, TIFFTAG_ORIENTATION, o);
        TIFFRewriteDirectory(t);
        TIFFClose(t);
        ck_assert_int_eq(nst_image_orient(in, o, "x", &e), NST_OK);
        out = read_image("a.tif");
        same_image(in, out, 0);
        nst_image_destroy(&in);
        nst_image_destroy(&out);
    }
}
END_TEST

static void quiet(const char *module, const char *format, va_list args)
{
    (void)module;
    (void)format;
    (void)args;
}

/* Numbers in the header that cannot be, by libtiff's own hand. */
START_TEST(absurd)
{
    static const struct { uint32_t tag, value; const char *text; } wrong[] = {
        { TIFFTAG_IMAGEWIDTH, 70000, "expected sides up to" },
        { TIFFTAG_IMAGELENGTH, 70000, "expected sides up to" },
        { TIFFTAG_IMAGELENGTH, 60000, "" }, /* strips that are not there */
        { TIFFTAG_BITSPERSAMPLE, 64, "" },
        { TIFFTAG_SAMPLESPERPIXEL, 1, "" },
        { TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_COMPLEXINT, "that are complex numbers" },
        { TIFFTAG_PHOTOMETRIC, 4711, "a kind of TIFF that is not read" },
        { TIFFTAG_COMPRESSION, 4711, "" },
    };
    nst_image *in = noise_image(20, 20, 3, 255);

    TIFFSetErrorHandler(quiet);
    TIFFSetWarningHandler(quiet);
    for (size_t i = 0; i < NST_COUNT(wrong); i++) {
        TIFF *t;
        nst_image *out;
        nst_error e = { "" };

        write_image(in, "a.tif", NULL);
        t = TIFFOpen("a.tif", "r+");
        TIFFSetField(t, wrong[i].tag, wrong[i].value);
        TIFFRewriteDirectory(t);
        TIFFClose(t);
        ck_assert_msg(nst_image_read(&out, "a.tif", &e) != NST_OK, "%u = %u is read", wrong[i].tag, wrong[i].value);
        ck_assert_ptr_null(out);
        ck_assert_msg(!strncmp(e.text, "a.tif: ", 7) && strstr(e.text, wrong[i].text), "%s", e.text);
    }
    nst_image_destroy(&in);
}
END_TEST

/* Cut anywhere: never a picture; changed anywhere: a picture or a sentence, and not a word on standard error. */
START_TEST(damaged)
{
    const struct layout *l = &layouts[_i];
    nst_image *in = noise_image(W, H, 4, 255), *out;
    unsigned char *data;
    nst_error e;
    size_t n;

    if (!TIFFIsCODECConfigured((uint16_t)l->compression)) {
        nst_image_destroy(&in);
        return;
    }
    put_tiff(l, in);
    data = get_file("a.tif", &n);
    ck_assert_ptr_nonnull(freopen("stderr", "w+", stderr));
    for (size_t k = 0; k < n; k += k < 64 || k + 200 > n ? 1 : 97) {
        nst_status s;

        put_file("cut.tif", data, k);
        s = nst_image_read(&out, "cut.tif", &e);
        ck_assert_msg(s == NST_EFORMAT || s == NST_EUNSUPPORTED || (s == NST_OK && k + 8 > n),
                      "%s: %zu of %zu bytes: %d", l->name, k, n, s);
        nst_image_destroy(&out);
    }
    for (size_t k = 0; k < n; k += k < 64 || k + 200 > n ? 1 : 97)
        for (int bit = 0; bit < 8; bit += 3) {
            data[k] ^= (unsigned char)(1 << bit);
            put_file("new.tif", data, n);
            if (nst_image_read(&out, "new.tif", &e))
                ck_assert_msg(!strncmp(e.text, "new.tif: ", 9) && !strchr(e.text, '\n'), "%s", e.text);
            nst_image_destroy(&out);
            data[k] ^= (unsigned char)(1 << bit);
        }
    ck_assert_int_eq(ftell(stderr), 0);
    nst_free(data);
    nst_image_destroy(&in);
}
END_TEST

/* What is there of a file whose strips end early is read on demand, and how much is said. */
START_TEST(what_is_there)
{
    nst_image *in = noise_image(40, 60, 4, 255), *out;
    unsigned char *data;
    size_t n;

    TIFFSetErrorHandler(quiet);
    write_image(in, "a.tif", NULL);
    for (int strip = 1; strip <= 4; strip++) { /* its bytes are spoilt */
        TIFF *t = new_tiff(TIFFOpen("a.tif", "w"), 40, 60, 8, 1, PHOTOMETRIC_MINISBLACK);
        uint64_t *offset;
        unsigned char row[40];
        int rows = 0, all = 0;

        TIFFSetField(t, TIFFTAG_COMPRESSION, COMPRESSION_PACKBITS);
        TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, 10);
        for (int y = 0; y < 60; y++) {
            memset(row, 4 * y, sizeof row);
            TIFFWriteScanline(t, row, (uint32_t)y, 0);
        }
        TIFFClose(t);
        t = TIFFOpen("a.tif", "r");
        TIFFGetField(t, TIFFTAG_STRIPOFFSETS, &offset);
        data = get_file("a.tif", &n);
        memset(data + offset[strip], 0x7f, 8); /* more literals than there are bytes */
        TIFFClose(t);
        put_file("new.tif", data, n);
        nst_free(data);
        refuse_file("new.tif", NST_EFORMAT, "; --damaged reads what is there");
        out = read_damaged("new.tif");
        ck_assert_int_eq(out->height, 10 * strip);
        ck_assert_float_eq_tol(*at(out, 1, 5, 10 * strip - 1), (float)(4 * (10 * strip - 1)) / 255, 1e-5f);
        ck_assert_msg(sscanf(nst_image_note(out), "new.tif: damaged, %d of %d rows could be read", &rows, &all) == 2 &&
                      rows == 10 * strip && all == 60, "%s", nst_image_note(out));
        nst_image_destroy(&out);
    }
    nst_image_destroy(&in);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_loop_test(t, every_layout, 0, NST_COUNT(layouts));
    tcase_add_test(t, round_trip);
    tcase_add_test(t, orientations);
    tcase_add_test(t, absurd);
    tcase_add_loop_test(t, damaged, 0, NST_COUNT(layouts));
    tcase_add_test(t, what_is_there);
}

int main(void)
{
    return run_tests("tiff", add);
}

#else

int main(void)
{
    puts("skipped: this build has no libtiff");
    return 77;
}
#endif
