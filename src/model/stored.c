/* stored.c: a tensor's numbers, whatever their type and order in the file. */
#include "model/tensors.h"

#include <string.h>

/* More filters in a layer than any VGG has by far; more numbers in all, too. */
#define SIDE_MAX 16384
#define TOTAL_MAX ((size_t)1 << 28)

void nst_stored_rows(nst_stored *t)
{
    uint64_t stride = 1;

    for (int i = (t->dims < 4 ? t->dims : 4) - 1; i >= 0; i--) {
        t->stride[i] = stride;
        stride *= t->shape[i]; /* may wrap; nst_stored_count looks at the shape before anyone uses it */
    }
}

static size_t each(nst_number number)
{
    static const size_t bytes[] = { [NST_NO_FLOAT] = 0, [NST_F16] = 2, [NST_BF16] = 2, [NST_F32] = 4, [NST_F64] = 8 };

    return bytes[number];
}

nst_status nst_stored_count(const nst_weights *w, const nst_stored *t, size_t *n, nst_error *e)
{
    uint64_t last = 0;

    if (t->dims > 4)
        return nst_fail(e, NST_EFORMAT, "%s: tensor %s has %d dimensions, expected at most 4", w->path, t->name,
                        t->dims);
    *n = 1;
    for (int i = 0; i < t->dims; i++) {
        if (t->shape[i] < 1 || t->shape[i] > SIDE_MAX)
            return nst_fail(e, NST_EFORMAT, "%s: tensor %s has a side of %llu, expected 1 to %d", w->path, t->name,
                            (unsigned long long)t->shape[i], SIDE_MAX);
        if (t->stride[i] > TOTAL_MAX)
            return nst_fail(e, NST_EFORMAT, "%s: tensor %s has a stride of %llu, which is absurd", w->path, t->name,
                            (unsigned long long)t->stride[i]);
        last += (t->shape[i] - 1) * t->stride[i]; /* 14 + 28 bits, four times */
        if (!nst_mul(*n, (size_t)t->shape[i], n))
            *n = SIZE_MAX;
    }
    if (*n > TOTAL_MAX)
        return nst_fail(e, NST_EFORMAT, "%s: tensor %s is absurdly large", w->path, t->name);
    if (t->number == NST_NO_FLOAT)
        return nst_fail(e, NST_EFORMAT, "%s: tensor %s is of type %s, expected floating-point numbers", w->path,
                        t->name, t->type);
    if (t->bytes / each(t->number) <= last || (t->exact && t->bytes != (last + 1) * each(t->number)))
        return nst_fail(e, NST_EFORMAT, "%s: tensor %s has %llu bytes, its shape needs %llu numbers of %zu", w->path,
                        t->name, (unsigned long long)t->bytes, (unsigned long long)last + 1, each(t->number));
    return NST_OK;
}

static bool little_endian(void)
{
    const uint16_t one = 1;

    return *(const unsigned char *)&one == 1;
}

/* IEEE 754 half to single (exact). */
static float from_half(unsigned h)
{
    uint32_t sign = (h & 0x8000u) << 16, exponent = h >> 10 & 31, fraction = h & 1023, bits;
    float v;

    if (exponent == 0) /* zero and subnormals: fraction * 2^-24 is exact in single */
        return (sign ? -1.f : 1.f) * (float)fraction * 0x1p-24f;
    bits = exponent == 31 ? sign | 0x7f800000u | fraction << 13 : sign | (exponent + 112) << 23 | fraction << 13;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static double convert(nst_number number, const unsigned char *p)
{
    size_t b = each(number);
    uint64_t bits = 0;
    uint32_t single;
    double wide;
    float v;

    for (size_t k = 0; k < b; k++)
        bits |= (uint64_t)p[k] << 8 * k;
    if (number == NST_F16)
        return (double)from_half((unsigned)bits);
    if (number == NST_F64) {
        memcpy(&wide, &bits, sizeof wide);
        return wide;
    }
    single = (uint32_t)(number == NST_BF16 ? bits << 16 : bits);
    memcpy(&v, &single, sizeof v);
    return (double)v;
}

/* All of t in the order of its dimensions. */
static void gather(const nst_stored *t, const unsigned char *p, float *single, double *wide)
{
    uint64_t n[4] = { 1, 1, 1, 1 }, step[4] = { 0 };
    size_t b = each(t->number), k = 0;

    for (int i = 0; i < t->dims; i++)
        n[i] = t->shape[i], step[i] = t->stride[i];
    for (uint64_t o = 0; o < n[0]; o++)
        for (uint64_t i = 0; i < n[1]; i++)
            for (uint64_t y = 0; y < n[2]; y++)
                for (uint64_t x = 0; x < n[3]; x++, k++) {
                    double v = convert(t->number, p + (o * step[0] + i * step[1] + y * step[2] + x * step[3]) * b);

                    if (wide)
                        wide[k] = v;
                    else
                        single[k] = (float)v;
                }
}

const float *nst_stored_in_place(const nst_weights *w, const nst_stored *t)
{
    const unsigned char *p;
    nst_stored rows = *t;

    if (w->fetch || !little_endian() || t->number != NST_F32)
        return NULL;
    p = w->map + t->at;
    nst_stored_rows(&rows);
    return (uintptr_t)p % sizeof(float) == 0 && !memcmp(rows.stride, t->stride, (size_t)t->dims * sizeof *t->stride)
        ? (const float *)(const void *)p : NULL;
}

nst_status nst_stored_read(const nst_weights *w, const nst_stored *t, float *single, double *wide, nst_error *e)
{
    const unsigned char *p = NULL;
    nst_status s = NST_OK;

    if (w->fetch)
        s = w->fetch(w->arg, t, &p, e);
    else
        p = w->map + t->at;
    if (s)
        return s;
    gather(t, p, single, wide);
    return NST_OK;
}
