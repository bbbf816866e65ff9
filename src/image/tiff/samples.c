/* samples.c: TIFF's samples, of every kind, as 8 or 16 bits. */
#include "image/tiff/tiff.h"

#include <math.h>
#include <string.h>

static float half(uint16_t v)
{
    int exponent = v >> 10 & 31;
    float fraction = (float)(v & 1023), a;

    if (exponent == 31)
        a = fraction > 0 ? NAN : INFINITY;
    else if (exponent)
        a = ldexpf(1024 + fraction, exponent - 25);
    else
        a = ldexpf(fraction, -24);
    return v >> 15 ? -a : a;
}

/* What is too large for a float is infinite or, below 0, black; so is what is not a number. */
static float narrowed(double d)
{
    if (d > -1e30 && d < 1e30)
        return (float)d;
    return d > 0 ? INFINITY : 0;
}

static unsigned float_sample(nst_tiff *j, const uint8_t *from, size_t at)
{
    uint16_t h;
    double d;
    float v;

    if (j->tags.bits == 16) {
        memcpy(&h, from + 2 * at, sizeof h);
        v = half(h);
    } else if (j->tags.bits == 32) {
        memcpy(&v, from + 4 * at, sizeof v);
    } else {
        memcpy(&d, from + 8 * at, sizeof d);
        v = narrowed(d);
    }
    nst_float_count(&j->range, v);
    return nst_image_quantise(v, 65535);
}

/* Below 0 is black, as it is with floating point. */
static unsigned without_sign(unsigned v, unsigned max)
{
    return v > max / 2 ? 0 : v;
}

bool nst_tiff_packed(const nst_tiff *j)
{
    return j->tags.bits % 8 != 0;
}

/* Of 9 to 15 bits, the highest first. */
unsigned nst_tiff_unpack(const nst_tiff *j, const uint8_t *from, size_t at)
{
    size_t bit = at * j->tags.bits;
    unsigned v = 0, max = (1u << j->tags.bits) - 1;

    for (size_t i = bit / 8; i <= (bit + j->tags.bits - 1) / 8; i++)
        v = v << 8 | from[i];
    v = v >> (7 - (bit + j->tags.bits - 1) % 8) & max;
    if (j->tags.is_signed) {
        v = without_sign(v, max);
        max /= 2;
    }
    return (v * 65535u + max / 2) / max;
}

/* Lab as 16 bits, 0 to 100 and -128 to 127: what ICC takes. */
static unsigned lab_sample(const nst_tiff *j, unsigned v, size_t k)
{
    bool wide = j->tags.bits == 16, is_signed = k && j->tags.photometric == PHOTOMETRIC_CIELAB;

    if (is_signed)
        v ^= wide ? 0x8000 : 0x80;
    if (!wide)
        return v * 257;
    if (!k && j->tags.photometric == PHOTOMETRIC_CIELAB)
        return v;
    v = (v * 257 + 128) >> 8;
    return v < 65535 ? v : 65535;
}

/* A whole number of 8, 16 or 32 bits. */
static unsigned whole_sample(const nst_tiff *j, const uint8_t *from, size_t at)
{
    uint64_t v, max = j->tags.bits == 32 ? UINT32_MAX : (1u << j->tags.bits) - 1, to = j->kind.bits == 8 ? 255 : 65535;

    if (j->tags.bits == 8)
        v = from[at];
    else if (j->tags.bits == 16)
        v = ((const uint16_t *)(const void *)from)[at];
    else
        v = ((const uint32_t *)(const void *)from)[at];
    if (j->tags.is_signed) {
        v = without_sign((unsigned)v, (unsigned)max);
        max /= 2;
    }
    return (unsigned)((v * to + max / 2) / max);
}

/* Sample k of pixel x of a row, as 8 or 16 bits. */
static unsigned sample(nst_tiff *j, const uint8_t *from, size_t x, size_t k)
{
    size_t at = x * j->tags.samples + k;

    if (j->tags.floats)
        return float_sample(j, from, at);
    if (nst_tiff_packed(j)) /* those of tiles and planes are in whole bytes already */
        return j->piece ? ((const uint16_t *)(const void *)from)[at] : nst_tiff_unpack(j, from, at);
    if (j->kind.lab && k < 3)
        return lab_sample(j, j->tags.bits == 8 ? from[at] : ((const uint16_t *)(const void *)from)[at], k);
    return whole_sample(j, from, at);
}

/* What the palette says of a pixel. */
static unsigned mapped(const nst_tiff *j, const uint8_t *from, size_t x, size_t k)
{
    unsigned v = j->map[k][from[x * j->tags.samples]];

    return j->narrow ? v * 257 : v;
}

static unsigned color(nst_tiff *j, const uint8_t *from, size_t x, size_t k)
{
    return j->map[0] ? mapped(j, from, x, k) : sample(j, from, x, k);
}

void nst_tiff_row(nst_tiff *j, const uint8_t *from)
{
    size_t colors = (size_t)j->kind.colors, each = colors + j->kind.alpha;
    unsigned max = j->kind.bits == 8 ? 255 : 65535;

    for (size_t x = 0; x < (size_t)j->width; x++) {
        unsigned alpha = j->kind.alpha ? sample(j, from, x, j->map[0] ? 1 : colors) : max;

        for (size_t k = 0; k < each; k++) {
            unsigned v = k == colors ? alpha : color(j, from, x, k);

            if (j->tags.photometric == PHOTOMETRIC_MINISWHITE && k < colors)
                v = max - v;
            if (j->premultiplied && k < colors)
                v = nst_unmultiply(v, alpha, max);
            if (max == 255)
                ((uint8_t *)j->row)[x * each + k] = (uint8_t)v;
            else
                ((uint16_t *)j->row)[x * each + k] = (uint16_t)v;
        }
    }
    nst_color_row(j->color, j->row, nst_rows_next(j->rows));
    nst_rows_put(j->rows);
}

void nst_tiff_rgba_row(nst_tiff *j, const uint32_t *from)
{
    uint8_t *to = j->row;

    for (int x = 0; x < j->width; x++) {
        unsigned rgba[4] = { TIFFGetR(from[x]), TIFFGetG(from[x]), TIFFGetB(from[x]), TIFFGetA(from[x]) }, a = rgba[3];

        for (int k = 0; k < 3 && j->kind.alpha; k++)
            rgba[k] = nst_unmultiply(rgba[k], a, 255);
        for (int k = 0; k < 3 + j->kind.alpha; k++)
            *to++ = (uint8_t)rgba[k];
    }
    nst_color_row(j->color, j->row, nst_rows_next(j->rows));
    nst_rows_put(j->rows);
}
