/* safetensors_file.h: what the tests of safetensors files share: a file in the making, tensor by tensor, and what
 * opening it gives: a model, or a sentence. */
#ifndef NST_TESTS_SAFETENSORS_FILE_H
#define NST_TESTS_SAFETENSORS_FILE_H

#include "model/model.h"
#include "../support/picture.h"

#include <inttypes.h>

/* A file in the making: tensors are added, then it is written. */
struct file {
    char header[16384];
    unsigned char data[65536];
    size_t n;          /* bytes of data */
    int tensors;
    const char *dtype;
};

static inline void add_entry(struct file *f, const char *name, const char *dtype, const char *shape, size_t begin,
                             size_t end)
{
    size_t at = strlen(f->header);

    snprintf(f->header + at, sizeof f->header - at,
             "%s\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%zu,%zu]}", f->tensors++ ? "," : "", name,
             dtype, shape, begin, end);
}

static inline uint32_t float_bits(float v)
{
    uint32_t bits;

    memcpy(&bits, &v, sizeof bits);
    return bits;
}

/* One number as the file's dtype writes it, little-endian; halves for values that fit them exactly. */
static inline size_t put_number(unsigned char *to, const char *dtype, float v)
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
static inline float value(size_t i)
{
    return (float)((int)(i % 15) - 7) / 8;
}

static inline void add_numbers(struct file *f, const char *name, const char *shape, size_t count)
{
    size_t begin = f->n;

    for (size_t i = 0; i < count; i++)
        f->n += put_number(f->data + f->n, f->dtype, value(i));
    add_entry(f, name, f->dtype, shape, begin, f->n);
}

/* Weight and bias of a layer under a prefix like "features.0". */
static inline void add_layer(struct file *f, const char *prefix, int out, int in)
{
    char name[64], shape[64];

    snprintf(name, sizeof name, "%s.weight", prefix);
    snprintf(shape, sizeof shape, "[%d,%d,3,3]", out, in);
    add_numbers(f, name, shape, (size_t)out * (size_t)in * 9);
    snprintf(name, sizeof name, "%s.bias", prefix);
    snprintf(shape, sizeof shape, "[%d]", out);
    add_numbers(f, name, shape, (size_t)out);
}

static inline void begin(struct file *f, const char *dtype)
{
    memset(f, 0, sizeof *f);
    f->dtype = dtype;
    strcpy(f->header, "{\"__metadata__\":{\"format\":\"pt\"},");
}

static inline void write_parts(const char *header, uint64_t length, const void *data, size_t n)
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

static inline void finish(struct file *f)
{
    strcat(f->header, "}");
    write_parts(f->header, strlen(f->header), f->data, f->n);
}

static inline nst_model *good(void)
{
    nst_model *m;
    nst_error e;

    ck_assert_msg(!nst_model_open(&m, "m.safetensors", &e), "%s", e.text);
    return m;
}

static inline void bad(nst_status want, const char *says)
{
    nst_model *m = (nst_model *)1;
    nst_error e = { "" };
    nst_status s = nst_model_open(&m, "m.safetensors", &e);

    ck_assert_msg(s == want, "status %d (%s), expected %d", s, e.text, want);
    ck_assert_msg(strstr(e.text, says), "\"%s\" does not say \"%s\"", e.text, says);
    ck_assert_msg(!strchr(e.text, '\n') && e.text[strlen(e.text) - 1] != '.', "not one sentence: %s", e.text);
    ck_assert_ptr_null(m);
}

#endif
