/* test_safetensors.c: models from safetensors files: every dtype and naming, and every way to be damaged that came to
 * mind: one clear sentence, the right status, nothing left open. */
#include "model/model.h"
#include "picture.h"

#include <inttypes.h>
#include <math.h>

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

/* How others number their layers: names in the chain's order (put down the other way round), as a space-separated row,
 * the layers that they are, and what is assumed. */
static const struct {
    const char *names, *layers, *note;
    int grows[3]; /* before which convolutions the filters double */
} numberings[] = {
    { "vgg19.conv1_1 vgg19.conv1_2 vgg19.conv2_1", "conv1_1 conv1_2 conv2_1", NULL, { 0 } },
    { "conv0_0 conv0_1 conv1_0", "conv1_1 conv1_2 conv2_1", NULL, { 0 } },
    { "net.block1.conv1 net.block1.conv2 net.block2.conv1", "conv1_1 conv1_2 conv2_1", NULL, { 0 } },
    { "conv11 conv12 conv21 conv22 conv31", "conv1_1 conv1_2 conv2_1 conv2_2 conv3_1", NULL, { 0 } },
    { "block1.0 block1.2 block2.0 block2.2 block3.0", "conv1_1 conv1_2 conv2_1 conv2_2 conv3_1", NULL, { 0 } },
    { "slice1.0 slice1.2 slice2.5 slice2.7 slice3.10", "conv1_1 conv1_2 conv2_1 conv2_2 conv3_1", NULL, { 0 } },
    { "features.0 features.3 features.6 features.8 features.11", "conv1_1 conv2_1 conv3_1 conv3_2 conv4_1", NULL, { 0 } },
    { "1 3 6 8", "conv1_1 conv1_2 conv2_1 conv2_2", NULL, { 0 } },               /* behind a normalisation without numbers */
    { "1 4 8 11 15", "conv1_1 conv1_2 conv2_1 conv2_2 conv3_1", NULL, { 0 } },   /* paddings have places */
    { "*0 2 5 9 12 16", "conv1_1 conv1_2 conv2_1 conv2_2 conv3_1", "folded: the 1x1", { 0 } },
    { "*enc_1.0 enc_1.2 enc_2.1 enc_2.5 enc_3.1 enc_3.5", "conv1_1 conv1_2 conv2_1 conv2_2 conv3_1", "folded: the 1x1", { 0 } },
    { "conv1 conv2 conv3 conv4 conv5 conv6 conv7 conv8 conv9 conv10 conv11",
      "conv1_1 conv1_2 conv2_1 conv2_2 conv3_1 conv3_2 conv3_3 conv4_1 conv4_2 conv4_3 conv5_1", "assumed: a pool", { 2, 4, 7 } },
    { "layers.0 layers.1 layers.2 layers.3 layers.4 layers.5 layers.6 layers.7 layers.8 layers.9 layers.10 layers.11 layers.12",
      "conv1_1 conv1_2 conv2_1 conv2_2 conv3_1 conv3_2 conv3_3 conv3_4 conv4_1 conv4_2 conv4_3 conv4_4 conv5_1", "assumed: a pool",
      { 2, 4, 8 } },
    { "features.0 features.2 features.4 features.6 features.8", "conv1_1 conv1_2 conv1_3 conv1_4 conv1_5", NULL, { 0 } },
};

/* A 1x1 convolution of the picture, of which nothing is left to fold: one matrix, no bias. */
static void add_one(struct file *f, const char *name)
{
    size_t begin = f->n;
    char text[64];

    for (int i = 0; i < 9; i++)
        f->n += put_number(f->data + f->n, f->dtype, i % 4 == 0);
    snprintf(text, sizeof text, "%s.weight", name);
    add_entry(f, text, f->dtype, "[3,3,1,1]", begin, f->n);
    begin = f->n;
    for (int i = 0; i < 3; i++)
        f->n += put_number(f->data + f->n, f->dtype, 0);
    snprintf(text, sizeof text, "%s.bias", name);
    add_entry(f, text, f->dtype, "[3]", begin, f->n);
}

START_TEST(other_numberings)
{
    char words[512], *name[16], found[512] = "", *at = words;
    int n = 0, in = 3, width[16], out = 2;
    struct file f;
    nst_model *m;

    snprintf(words, sizeof words, "%s", numberings[_i].names);
    for (char *w; (w = strtok(at, " ")); at = NULL)
        name[n++] = w;
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < 3; k++)
            out *= i && numberings[_i].grows[k] == i ? 2 : 1;
        width[i] = out;
    }
    begin(&f, "F16");
    for (int i = n - 1; i >= 0; i--) {
        in = i ? width[i - 1] : 3;
        if (*name[i] == '*')
            add_one(&f, name[i] + 1);
        else
            add_layer(&f, name[i], width[i], i && *name[i - 1] != '*' ? in : 3);
    }
    finish(&f);
    m = good();
    for (int i = 0; i < m->layers; i++)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%s", i ? " " : "", m->layer[i].name);
    ck_assert_str_eq(found, numberings[_i].layers);
    if (numberings[_i].note)
        ck_assert(!strncmp(nst_model_note(m, 0), numberings[_i].note, strlen(numberings[_i].note)));
    else
        ck_assert_ptr_null(nst_model_note(m, 0));
    nst_model_close(&m);
}
END_TEST

static void add_norm(struct file *f, const char *name, const char *but)
{
    static const char *const part[] = { "weight", "bias", "running_mean", "running_var" };

    for (int k = 0; k < 4; k++) {
        char text[64];

        snprintf(text, sizeof text, "%s.%s", name, part[k]);
        if (!but || strcmp(part[k], but)) {
            size_t begin = f->n;

            for (int i = 0; i < 2; i++)
                f->n += put_number(f->data + f->n, f->dtype, (float)(k == 0 ? 4 : k == 3 ? 16 : i + k));
            add_entry(f, text, f->dtype, "[2]", begin, f->n);
        }
    }
}

/* Normalisations with names of their own, and none without an affine part: what they fold to, by hand. */
START_TEST(normalisations_beside)
{
    struct file f;
    nst_model *m;

    begin(&f, "F32");
    add_layer(&f, "conv1_1", 2, 3);
    add_layer(&f, "conv1_2", 2, 2);
    add_norm(&f, "bn1_1", NULL);
    add_norm(&f, "bn1_2", "weight");
    finish(&f);
    m = good();
    ck_assert(!strncmp(nst_model_note(m, 0), "folded: 2 batch normalisations", 30));
    for (int o = 0; o < 2; o++) {
        double scale = 4 / sqrt(16 + 1e-5);

        for (int k = 0; k < 27; k++)
            ck_assert(m->layer[0].weight[27 * o + k] == (float)(scale * (double)value((size_t)(27 * o + k))));
        ck_assert(m->layer[0].bias[o] == (float)(scale * ((double)value((size_t)o) - (o + 2)) + o + 1));
        ck_assert(fabs((double)m->layer[1].bias[o] - (((double)value((size_t)o) - (o + 2)) * scale / 4 + o + 1)) < 1e-6);
    }
    nst_model_close(&m);
}
END_TEST

/* A chain that stops, and what is none, is said with what was found. */
static const struct {
    const char *rows[4]; /* NAME OUT IN SIDE */
    const char *says;
} others[] = {
    { { "features.0 4 3 3", "features.3 4 4 1", "features.6 4 4 3" },
      "holds 3 convolutions of which the first 1 are a chain, but features.3.weight is 1x1, expected 3 x 3" },
    { { "conv1 4 3 7", "layer1.0.conv1 4 4 3" }, "holds 2 convolutions of which the first, conv1.weight, is 7x7 and reads 3 channels; expected" },
    { { "1 4 64 3", "5 4 4 3" }, "the first, 1.weight, is 3x3 and reads 64 channels; expected a chain" },
    { { "stem.0 4 3 3", "a.conv 4 4 1", "b.conv 4 4 3" }, "holds 3 convolutions of which the first, stem.0.weight, is 3x3" },
};

START_TEST(no_chains)
{
    struct file f;

    begin(&f, "F32");
    for (int i = 0; i < 4 && others[_i].rows[i]; i++) {
        int out, in, side;
        char name[32], text[64], shape[64];

        ck_assert_int_eq(sscanf(others[_i].rows[i], "%31s %d %d %d", name, &out, &in, &side), 4);
        snprintf(text, sizeof text, "%s.weight", name);
        snprintf(shape, sizeof shape, "[%d,%d,%d,%d]", out, in, side, side);
        add_entry(&f, text, "F32", shape, f.n, f.n + (size_t)(out * in * side * side) * 4);
        f.n += (size_t)(out * in * side * side) * 4;
        snprintf(text, sizeof text, "%s.bias", name);
        snprintf(shape, sizeof shape, "[%d]", out);
        add_numbers(&f, text, shape, (size_t)out);
    }
    ck_assert_uint_le(f.n, sizeof f.data);
    finish(&f);
    bad(NST_EFORMAT, others[_i].says);
}
END_TEST

/* What nothing can be folded into, and fronts that lose colours. */
START_TEST(not_folded)
{
    struct file f;

    begin(&f, "F32"); /* behind the ReLU */
    add_layer(&f, "0", 2, 3);
    add_norm(&f, "2", NULL);
    add_layer(&f, "3", 2, 2);
    finish(&f);
    bad(NST_EFORMAT, "the batch normalisation 2 does not stand directly behind the convolution 0");
    begin(&f, "F32"); /* of the picture, but for two channels */
    add_norm(&f, "0", NULL);
    add_layer(&f, "1", 2, 3);
    finish(&f);
    bad(NST_EFORMAT, "the batch normalisation 0 stands before the first convolution");
    begin(&f, "F32");
    add_one(&f, "0");
    put_number(f.data, "F32", 0);
    add_layer(&f, "1", 2, 3);
    finish(&f);
    bad(NST_EFORMAT, "the 1x1 convolution in front takes different colours for the same");
    put_number(f.data, "F32", NAN);
    write_parts(f.header, strlen(f.header), f.data, f.n);
    bad(NST_EFORMAT, "its numbers are not finite");
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
    tcase_add_loop_test(t, other_numberings, 0, (int)NST_COUNT(numberings));
    tcase_add_test(t, normalisations_beside);
    tcase_add_loop_test(t, no_chains, 0, (int)NST_COUNT(others));
    tcase_add_test(t, not_folded);
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
