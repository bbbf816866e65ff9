/* small.c: the built-in model: a small student of VGG16, whose weights are a part of the library.
 *
 * data/model/README.md says how it was made.  Its file, data/model/small.bin, holds for each layer in order, in
 * little-endian bytes: float32 scale[out], float32 bias[out], int8 weight[out][in][3][3]; a weight is scale[o] times
 * its int8. */
#include "model/builtin/small.h"

#include <stdio.h>
#include <string.h>

/* VGG16's layers up to conv5_1, with fewer channels. */
static const struct {
    int block, index, out;
    float w2_weight; /* for the layers of the style loss; data/model/README.md says how it was found */
} table[] = {
    { 1, 1, 32, 1.6f },   { 1, 2, 32, 0 },                     /* a pool follows each line but the last */
    { 2, 1, 64, 1.46f },  { 2, 2, 64, 0 },
    { 3, 1, 128, 1.6f },  { 3, 2, 96, 0 },  { 3, 3, 112, 0 },
    { 4, 1, 224, 1.32f }, { 4, 2, 192, 0 }, { 4, 3, 160, 0 },
    { 5, 1, 256, 1.41f },
};

static const nst_input input = { false, { .485f, .456f, .406f }, { .229f, .224f, .225f } };

static int channels_in(int i)
{
    return i ? table[i - 1].out : 3;
}

static size_t weights_of(int i)
{
    return (size_t)table[i].out * (size_t)channels_in(i) * 9;
}

/* Of weights and biases; and the bytes that the file has them in. */
static size_t count(size_t *bytes)
{
    size_t n = 0;

    *bytes = 0;
    for (int i = 0; i < (int)NST_COUNT(table); i++) {
        n += weights_of(i) + (size_t)table[i].out;
        *bytes += weights_of(i) + (size_t)table[i].out * 2 * 4;
    }
    return n;
}

/* The same number whatever the machine's order of bytes is. */
static float float_at(const unsigned char *b)
{
    uint32_t bits = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
    float v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

static void scale_bytes(size_t n, float scale, const signed char *restrict b, float *restrict v)
{
    for (size_t i = 0; i < n; i++)
        v[i] = scale * b[i];
}

/* Layer i from its bytes into v, weights first; the bytes of the next one. */
static const unsigned char *decode(nst_layer *l, int i, const unsigned char *at, float *v)
{
    size_t out = (size_t)table[i].out, each = weights_of(i) / out;
    const unsigned char *scale = at, *bias = scale + 4 * out;

    *l = (nst_layer){ .block = table[i].block, .index = table[i].index, .in = channels_in(i), .out = table[i].out,
                      .weight = v, .bias = v + out * each, .w2_weight = table[i].w2_weight };
    snprintf(l->name, sizeof l->name, "conv%d_%d", l->block, l->index);
    at = bias + 4 * out;
    for (size_t o = 0; o < out; o++, at += each, v += each)
        scale_bytes(each, float_at(scale + 4 * o), (const signed char *)at, v);
    for (size_t o = 0; o < out; o++)
        v[o] = float_at(bias + 4 * o);
    return at;
}

static void release(void *memory, size_t bytes)
{
    (void)bytes;
    nst_free(memory);
}

nst_status nst_model_open_small(nst_model **out, nst_error *e)
{
    size_t bytes, n = count(&bytes), has = (size_t)(nst_small_end - nst_small_begin), used = 0;
    const unsigned char *at = nst_small_begin;
    nst_model *m;
    char text[128];

    *out = NULL;
    if (has != bytes) /* of a build that was made by hand */
        return nst_fail(e, NST_EFORMAT, "built-in model: has %zu bytes, expected %zu", has, bytes);
    nst_plain_print(text, sizeof text,
                    "built-in model small: a student of VGG16 with %.2f million weights (CC BY 4.0, see nst model "
                    "info)", (double)n / 1e6);
    m = nst_calloc(1, sizeof *m);
    if (m)
        m->memory = nst_alloc(n * sizeof(float));
    if (m && m->memory)
        m->describe = nst_strdup(text);
    if (!m || !m->describe) {
        if (m)
            nst_free(m->memory);
        nst_free(m);
        return nst_fail(e, NST_EMEM, "built-in model: out of memory");
    }
    m->bytes = n * sizeof(float);
    m->release = release;
    m->built_in = true;
    m->format = "built in";
    m->input = input;
    m->input_name = "torchvision";
    snprintf(m->origin, sizeof m->origin,
             "VGG16,Simonyan+Zisserman,Visual-Geometry-Group,University-of-Oxford,CC-BY-4.0");
    m->layers = (int)NST_COUNT(table);
    for (int i = 0; i < m->layers; i++) {
        at = decode(&m->layer[i], i, at, (float *)m->memory + used);
        used += weights_of(i) + (size_t)table[i].out;
    }
    *out = m;
    return NST_OK;
}
