/* test_safetensors.c: models from safetensors files: every dtype and naming, and every way to be damaged that came to
 * mind: one clear sentence, the right status, nothing left open. */
#include "model.h"
#include "picture.h"

#include <inttypes.h>

/* A file in the making: tensors are added, then it is written. */
struct file {
    char header[16384];
    unsigned char data[65536];
    size_t n;          /* bytes of data */
    int tensors;
    const char *dtype;
};

static void add_entry(struct file *f, const char *name, const char *dtype, const char *shape, size_t begin, size_t end)
{
    size_t at = strlen(f->header);

    snprintf(f->header + at, sizeof f->header - at, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%zu,%zu]}",
             f->tensors++ ? "," : "", name, dtype, shape, begin, end);
}

static uint32_t float_bits(float v)
{
    uint32_t bits;

    memcpy(&bits, &v, sizeof bits);
    return bits;
}

/* One number as the file's dtype writes it, little-endian; halves for values that fit them exactly. */
static size_t put_number(unsigned char *to, const char *dtype, float v)
{
    uint64_t bits = float_bits(v);
    double wide = (double)v;
    size_t bytes = 4;

    if (!strcmp(dtype, "F64")) {
        memcpy(&bits, &wide, sizeof bits);
        bytes = 8;
    } else if (!strcmp(dtype, "BF16")) {
        bits >>= 16;
        bytes = 2;
    } else if (!strcmp(dtype, "F16")) {
        uint64_t sign = bits >> 31 << 15, exponent = (bits >> 23 & 255) - 112, fraction = bits >> 13 & 1023;

        bits = v == 0 ? sign : sign | exponent << 10 | fraction;
        bytes = 2;
    }
    for (size_t i = 0; i < bytes; i++)
        to[i] = (unsigned char)(bits >> 8 * i);
    return bytes;
}

/* Values that every dtype holds exactly. */
static float value(size_t i)
{
    return (float)((int)(i % 15) - 7) / 8;
}

static void add_numbers(struct file *f, const char *name, const char *shape, size_t count)
{
    size_t begin = f->n;

    for (size_t i = 0; i < count; i++)
        f->n += put_number(f->data + f->n, f->dtype, value(i));
    add_entry(f, name, f->dtype, shape, begin, f->n);
}

/* Weight and bias of a layer under a prefix like "features.0". */
static void add_layer(struct file *f, const char *prefix, int out, int in)
{
    char name[64], shape[64];

    snprintf(name, sizeof name, "%s.weight", prefix);
    snprintf(shape, sizeof shape, "[%d,%d,3,3]", out, in);
    add_numbers(f, name, shape, (size_t)out * (size_t)in * 9);
    snprintf(name, sizeof name, "%s.bias", prefix);
    snprintf(shape, sizeof shape, "[%d]", out);
    add_numbers(f, name, shape, (size_t)out);
}

static void begin(struct file *f, const char *dtype)
{
    memset(f, 0, sizeof *f);
    f->dtype = dtype;
    strcpy(f->header, "{\"__metadata__\":{\"format\":\"pt\"},");
}

static void begin_bare(struct file *f, const char *dtype)
{
    memset(f, 0, sizeof *f);
    f->dtype = dtype;
    strcpy(f->header, "{");
}

static void write_parts(const char *header, uint64_t length, const void *data, size_t n)
{
    FILE *out = fopen("m.safetensors", "wb");
    unsigned char head[8];

    for (int i = 0; i < 8; i++)
        head[i] = (unsigned char)(length >> 8 * i);
    ck_assert_ptr_nonnull(out);
    ck_assert_uint_eq(fwrite(head, 1, 8, out), 8);
    fwrite(header, 1, strlen(header), out);
    fwrite(data, 1, n, out);
    ck_assert_int_eq(fclose(out), 0);
}

static void finish(struct file *f)
{
    strcat(f->header, "}");
    write_parts(f->header, strlen(f->header), f->data, f->n);
}

static nst_model *good(void)
{
    nst_model *m;
    nst_error e;

    ck_assert_msg(!nst_model_open(&m, "m.safetensors", &e), "%s", e.text);
    return m;
}

static void bad(nst_status want, const char *says)
{
    nst_model *m = (nst_model *)1;
    nst_error e = { "" };
    nst_status s = nst_model_open(&m, "m.safetensors", &e);

    ck_assert_msg(s == want, "status %d (%s), expected %d", s, e.text, want);
    ck_assert_msg(strstr(e.text, says), "\"%s\" does not say \"%s\"", e.text, says);
    ck_assert_msg(!strchr(e.text, '\n') && e.text[strlen(e.text) - 1] != '.', "not one sentence: %s", e.text);
    ck_assert_ptr_null(m);
}

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

static const int vgg19[] = { 0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30 };
static const int vgg16[] = { 0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28 };

/* VGG19 and VGG16 by torchvision's numbers, with and without "features.", in any order; blocks follow from the gaps;
 * what lies behind conv5_1 and the classifier is left. */
START_TEST(torchvision_names)
{
    const int *number = _i & 1 ? vgg16 : vgg19;
    int count = _i & 1 ? (int)NST_COUNT(vgg16) : (int)NST_COUNT(vgg19), expected = _i & 1 ? 11 : 13;
    struct file f;
    nst_model *m;

    begin(&f, "F32");
    for (int k = 0; k < count; k++) {
        int i = _i & 2 ? count - 1 - k : k;
        char name[32];

        snprintf(name, sizeof name, _i & 2 ? "%d" : "features.%d", number[i]);
        add_layer(&f, name, 2, i ? 2 : 3);
    }
    add_numbers(&f, "classifier.0.weight", "[4,4]", 16);
    finish(&f);
    m = good();
    ck_assert_int_eq(m->layers, expected);
    ck_assert_str_eq(m->layer[expected - 1].name, "conv5_1");
    ck_assert_int_eq(nst_model_find(m, "conv3_4"), _i & 1 ? -1 : 7);
    ck_assert_int_eq(nst_model_find(m, "conv4_2"), _i & 1 ? 8 : 9);
    nst_model_close(&m);
}
END_TEST

/* Names like conv1_1.weight are Caffe's: the input is BGR. */
START_TEST(caffe_names)
{
    struct file f;
    nst_model *m;

    begin_bare(&f, "F32");
    add_layer(&f, "conv1_1", 2, 3);
    add_layer(&f, "conv2_1", 3, 2);
    add_layer(&f, "conv1_2", 2, 2);
    finish(&f);
    m = good();
    ck_assert_int_eq(m->layers, 3);
    ck_assert_str_eq(m->layer[2].name, "conv2_1");
    ck_assert(m->input.bgr);
    nst_model_close(&m);
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
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,18446744073709551616]}}", 0, "damaged data_offsets" },
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

/* A chain that does not begin at the picture, or names that skip one. */
START_TEST(broken_chains)
{
    static const char *const first[] = { "features.2", "conv1_2", "conv2_1", "conv1_1" };
    static const char *const second[] = { "features.5", "conv1_3", "conv2_2", "conv3_1" };
    struct file f;

    begin(&f, "F32");
    add_layer(&f, first[_i], 2, 3);
    add_layer(&f, second[_i], 2, 2);
    finish(&f);
    bad(NST_EFORMAT, "missing");
}
END_TEST

/* More layers than any VGG, more than fit the table. */
START_TEST(too_many_layers)
{
    struct file f;

    begin(&f, "F32");
    for (int i = 0; i < 60; i++) {
        char name[32];

        snprintf(name, sizeof name, "features.%d", 2 * i);
        add_layer(&f, name, 1, i ? 1 : 3);
    }
    finish(&f);
    bad(NST_EFORMAT, "more than 40 layers");
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
    tcase_add_loop_test(t, torchvision_names, 0, 4);
    tcase_add_test(t, caffe_names);
    tcase_add_test(t, truncated_anywhere);
    tcase_add_loop_test(t, damaged_headers, 0, (int)NST_COUNT(headers));
    tcase_add_loop_test(t, damaged_tensors, 0, (int)NST_COUNT(tensors));
    tcase_add_loop_test(t, wild_numbers, 0, 3);
    tcase_add_loop_test(t, broken_chains, 0, 4);
    tcase_add_test(t, too_many_layers);
    tcase_add_test(t, strangers);
}

int main(void)
{
    return run_tests("safetensors", add);
}
