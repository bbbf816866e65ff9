/* save.c: a model as a safetensors file of our own: trimmed, its input named in the metadata, written whole or not at
 * all. */
#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define HEADER_MAX 8192

/* Single to half, to the nearest, ties to even; false when it is too large for one. */
static bool to_half(float v, uint16_t *h)
{
    uint16_t sign = signbit(v) ? 0x8000 : 0;
    double a = fabs((double)v), unit;
    int exponent;
    long n;

    if (a == 0) {
        *h = sign;
        return true;
    }
    frexp(a, &exponent);                 /* 2^(exponent-1) <= a < 2^exponent */
    exponent = exponent < -13 ? -13 : exponent; /* subnormals have the smallest normal's unit */
    unit = ldexp(1, exponent - 11);
    n = lrint(a / unit);                 /* up to 2048, which carries into the exponent below */
    *h = (uint16_t)(sign + (n < 1024 ? n : (exponent + 14) * 1024 + (n - 1024)));
    return (*h & 0x7fff) < 0x7c00;
}

static nst_status write_numbers(FILE *f, const float *v, size_t n, bool half, const char *path, nst_error *e)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char b[4];
        uint32_t bits;
        uint16_t h = 0;

        memcpy(&bits, &v[i], sizeof bits);
        if (half && !to_half(v[i], &h))
            return nst_fail(e, NST_EARG, "%s: %g is too large for half precision", path, (double)v[i]);
        bits = half ? h : bits;
        for (int k = 0; k < 4; k++)
            b[k] = (unsigned char)(bits >> 8 * k);
        fwrite(b, half ? 2 : 4, 1, f);
    }
    return NST_OK;
}

/* The header's text, padded with blanks to a multiple of 64 together with its length's 8 bytes. */
static size_t make_header(const nst_model *m, bool half, char *text)
{
    size_t at = 0, each = half ? 2 : 4;
    bool named = nst_model_input_known(nst_model_input(m));
    char own[NST_INPUT_BYTES];
    int n;

    nst_input_write(&m->input, own);
    n = snprintf(text, HEADER_MAX, "{\"__metadata__\":{\"format\":\"nst\",\"%s\":\"%s\"%s%s%s}",
                 named ? "nst.input" : "nst.own", named ? nst_model_input(m) : own,
                 *m->origin ? ",\"nst.origin\":\"" : "", m->origin, *m->origin ? "\"" : "");

    for (int i = 0; i < m->layers; i++) {
        const nst_layer *l = &m->layer[i];
        size_t w = (size_t)l->out * (size_t)l->in * 9 * each, b = (size_t)l->out * each;
        const char *dtype = half ? "F16" : "F32";

        n += snprintf(text + n, HEADER_MAX - (size_t)n,
                      ",\"%s.weight\":{\"dtype\":\"%s\",\"shape\":[%d,%d,3,3],\"data_offsets\":[%zu,%zu]}"
                      ",\"%s.bias\":{\"dtype\":\"%s\",\"shape\":[%d],\"data_offsets\":[%zu,%zu]}",
                      l->name, dtype, l->out, l->in, at, at + w, l->name, dtype, l->out, at + w, at + w + b);
        at += w + b;
    }
    text[n++] = '}';
    while ((n + 8) % 64)
        text[n++] = ' ';
    return (size_t)n;
}

static nst_status write_model(FILE *f, const nst_model *m, bool half, const char *path, nst_error *e)
{
    char text[HEADER_MAX + 64];
    size_t n = make_header(m, half, text);
    nst_status s = NST_OK;

    for (int k = 0; k < 8; k++)
        putc((int)((uint64_t)n >> 8 * k & 255), f);
    fwrite(text, 1, n, f);
    for (int i = 0; i < m->layers && !s; i++) {
        const nst_layer *l = &m->layer[i];

        s = write_numbers(f, l->weight, (size_t)l->out * (size_t)l->in * 9, half, path, e);
        if (!s)
            s = write_numbers(f, l->bias, (size_t)l->out, half, path, e);
    }
    return s;
}

struct job {
    const nst_model *model;
    bool half;
    const char *path;
};

static nst_status write_job(void *arg, FILE *f, nst_error *e)
{
    const struct job *j = arg;

    return write_model(f, j->model, j->half, j->path, e);
}

nst_status nst_model_save(const nst_model *model, const char *path, int half, nst_error *e)
{
    if (model->built_in)
        return nst_fail(e, NST_EARG, "%s: the built-in model is not for saving", path);
    return nst_whole_write(path, write_job, &(struct job){ model, half != 0, path }, e);
}
