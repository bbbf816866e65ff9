/* test_safetensors.c: models from safetensors files: every dtype, and every way to be damaged that came to mind: one
 * clear sentence, the right status, nothing left open.  Which layers the names stand for: test_numbering.c. */
#include "safetensors_file.h"

#include <math.h>

static void values_are(const float *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(v[i] == value(i), "number %zu is %g, expected %g", i, (double)v[i], (double)value(i));
}

/* ---- good files ------------------------------------------------------------------------------------- */

/* Each dtype, in place and at an odd offset (converted): the same numbers. */
START_TEST(every_dtype)
{
    static const char *const dtypes[] = { "F32", "F16", "BF16", "F64" };

    for (int odd = 0; odd < 2; odd++) {
        struct file f;
        nst_model *m;

        begin(&f, dtypes[_i]);
        if (odd) { /* a stranger of one byte before everything */
            add_entry(&f, "classifier.odd", "U8", "[1]", 0, 1);
            f.n = 1;
        }
        add_layer(&f, "features.0", 4, 3);
        add_layer(&f, "features.2", 5, 4);
        finish(&f);
        m = good();
        ck_assert_int_eq(m->layers, 2);
        ck_assert_str_eq(m->layer[1].name, "conv1_2");
        ck_assert(m->layer[1].in == 4 && m->layer[1].out == 5);
        values_are(m->layer[0].weight, 108);
        values_are(m->layer[1].weight, 180);
        values_are(m->layer[1].bias, 5);
        ck_assert(!m->input.bgr && strstr(nst_model_describe(m), "2 convolutions"));
        nst_model_close(&m);
        ck_assert_ptr_null(m);
        nst_model_close(&m);
    }
}
END_TEST

/* ---- damaged ones -------------------------------------------------------------------------------------- */

/* Cut at every byte: never good, never a crash. */
START_TEST(truncated_anywhere)
{
    struct file f;
    size_t header, whole;
    nst_error e;

    begin(&f, "F32");
    add_layer(&f, "features.0", 2, 3);
    finish(&f);
    header = strlen(f.header);
    whole = 8 + header + f.n;
    for (size_t n = 0; n < whole; n++) {
        nst_model *m = (nst_model *)1;

        write_parts(f.header, header, f.data, f.n);
        ck_assert_int_eq(truncate("m.safetensors", (off_t)n), 0);
        ck_assert_int_eq(nst_model_open(&m, "m.safetensors", &e), NST_EFORMAT);
        ck_assert_ptr_null(m);
    }
}
END_TEST

/* Headers that are not what they should be, around tensors that are. */
static const struct {
    const char *header;
    uint64_t length; /* 0: the header's own */
    const char *says;
} headers[] = {
    { "{}", 0, "no convolution" },
    { "{\"__metadata__\":{}}", 0, "no convolution" },
    { "[]", 0, "not a safetensors" },
    { "{}", 1, "not a safetensors" },
    { "{}", UINT64_MAX, "not a safetensors" },
    { "{}", 100000000, "truncated" },
    { "{\"a\":", 0, "damaged" },
    { "{\"a\"}", 0, "damaged" },
    { "{\"a\":1}", 0, "damaged" },
    { "{\"a\":{}}", 0, "damaged" },
    { "{\"a\":{\"dtype\":\"F32\"}}", 0, "lacks" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}", 0, "damaged" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}} x", 0, "damaged" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},}", 0, "damaged" },
    { "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 0, "twice" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"offsets\":[0,4]}}", 0, "unknown" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 0, "damaged data_offsets" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}", 0, "damaged data_offsets" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 0, "lies at" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,65]}}", 0, "lies at" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-1,4]}}", 0, "damaged data_offsets" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,18446744073709551615]}}", 0, "lies at" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,18446744073709551616]}}", 0,
      "damaged data_offsets" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}", 0, "damaged shape" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}}", 0, "damaged shape" },
    { "{\"a\\u00zz\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 0, "damaged" },
    { "{\"a\\", 0, "damaged" },
    { "{\"a\n\":{}}", 0, "damaged" },
    { "{\"__metadata__\":{\"a\":1}}", 0, "damaged" },
    { "{\"__metadata__\":{\"a\":\"b\"", 0, "damaged" },
};

START_TEST(damaged_headers)
{
    unsigned char data[64] = { 0 };

    write_parts(headers[_i].header, headers[_i].length ? headers[_i].length : strlen(headers[_i].header), data, 64);
    bad(NST_EFORMAT, headers[_i].says);
}
END_TEST

/* One tensor of an otherwise good model replaced by a row. */
static const struct {
    const char *name, *dtype, *shape;
    size_t begin, end;
    const char *says;
} tensors[] = {
    { "features.2.weight", "I64", "[2,2,3,3]", 300, 588, "type I64" },
    { "features.2.weight", "F32", "[2,2,3,3]", 300, 440, "140 bytes" },
    { "features.2.weight", "F32", "[2,2,5,5]", 300, 700, "3 x 3" },
    { "features.2.weight", "F32", "[2,18]", 300, 444, "dimensions" },
    { "features.2.weight", "F32", "[2,0,3,3]", 300, 300, "side of 0" },
    { "features.2.weight", "F32", "[4294967296,4294967296,3,3]", 300, 444, "side of" },
    { "features.2.weight", "F32", "[16384,16384,3,3]", 300, 444, "absurdly large" },
    { "features.2.weight", "F32", "[65536,65536,3,3]", 300, 444, "side of" },
    { "features.2.weight", "F32", "[2,3,3,3]", 300, 516, "takes 3 channels" },
    { "features.2.weight", "F32", "[3,2,3,3]", 300, 516, "but 2 biases" },
    { "features.2.weight", "F32", "[2,2,3,3]", 100, 244, "overlap" },
    { "features.2.weight", "F32", "[2]", 300, 308, "batch normalisation" },
    { "features.3.weight", "F32", "[2,2,3,3]", 300, 444, "does not follow" },
    { "features.9.weight", "F32", "[2,2,3,3]", 300, 444, "does not follow" },
    { "features.0.weight", "F32", "[2,2,3,3]", 300, 444, "twice" },
    { "conv1_2.weight", "F32", "[2,2,3,3]", 300, 444, "another way" },
    { "features.2.scale", "F32", "[2,2,3,3]", 300, 444, "has no weight" },
};

START_TEST(damaged_tensors)
{
    struct file f;

    begin(&f, "F32");
    add_layer(&f, "features.0", 2, 3);
    f.n = 292;
    add_entry(&f, "features.2.bias", "F32", "[2]", 292, 300);
    f.n = 1024;
    add_entry(&f, tensors[_i].name, tensors[_i].dtype, tensors[_i].shape, tensors[_i].begin, tensors[_i].end);
    finish(&f);
    bad(NST_EFORMAT, tensors[_i].says);
}
END_TEST

/* NaN and infinities are named with their layer, in each dtype that is read. */
START_TEST(wild_numbers)
{
    static const float wild[] = { NAN, INFINITY, -INFINITY };
    static const char *const dtypes[] = { "F32", "BF16", "F64" };

    for (size_t d = 0; d < NST_COUNT(dtypes); d++) {
        struct file f;

        begin(&f, dtypes[d]);
        add_layer(&f, "features.0", 2, 3);
        add_layer(&f, "features.2", 2, 2);
        put_number(f.data, f.dtype, wild[_i]);
        finish(&f);
        bad(NST_EFORMAT, "weight 0 of layer conv1_1");
    }
}
END_TEST

/* Files that are something else, and names that are no files. */
START_TEST(strangers)
{
    static const struct {
        const char *bytes;
        size_t n;
        nst_status want;
        const char *says;
    } rows[] = {
        { "", 0, NST_EFORMAT, "0 bytes" },
        { "\x89PNG\r\n\x1a\n and so on", 16, NST_EFORMAT, "PNG" },
        { "hello, this is only text", 24, NST_EFORMAT, "not a safetensors" },
    };
    nst_model *m;
    nst_error e;

    for (size_t i = 0; i < NST_COUNT(rows); i++) {
        put_file("m.safetensors", rows[i].bytes, rows[i].n);
        bad(rows[i].want, rows[i].says);
    }
    ck_assert_int_eq(nst_model_open(&m, "nowhere.safetensors", &e), NST_EIO);
    ck_assert(strstr(e.text, "nowhere.safetensors: cannot be opened"));
    ck_assert_int_eq(nst_model_open(&m, ".", &e), NST_EIO);
    ck_assert_ptr_null(m);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_loop_test(t, every_dtype, 0, 4);
    tcase_add_test(t, truncated_anywhere);
    tcase_add_loop_test(t, damaged_headers, 0, (int)NST_COUNT(headers));
    tcase_add_loop_test(t, damaged_tensors, 0, (int)NST_COUNT(tensors));
    tcase_add_loop_test(t, wild_numbers, 0, 3);
    tcase_add_test(t, strangers);
}

int main(void)
{
    return run_tests("safetensors", add);
}
