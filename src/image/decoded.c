/* decoded.c: pictures that a library decodes at once: the whole file in memory, all samples, and rows of them. */
#include "image/format.h"

#include <errno.h>
#include <string.h>

#define BYTES_MAX 0x7fffffffLL /* of a file */

nst_status nst_load_file(uint8_t **data, size_t *bytes, FILE *f, const char *kind, const char *label, nst_error *e)
{
    long long n = nst_file_bytes(f);

    *data = NULL;
    if (n < 0 || n > BYTES_MAX)
        return nst_fail(e, NST_EFORMAT, "%s: %lld bytes are too many for a %s file", label, n, kind);
    *bytes = (size_t)n;
    *data = nst_memory_fits(*bytes) ? nst_alloc(*bytes) : NULL;
    if (!*data)
        return nst_fail(e, NST_EMEM, "%s: out of memory for a file of %zu bytes", label, *bytes);
    if (fread(*data, 1, *bytes, f) < *bytes)
        return ferror(f) ? nst_fail(e, NST_EIO, "%s: cannot read: %s", label, strerror(errno))
                         : nst_fail(e, NST_EFORMAT, "%s: truncated, expected a whole %s file", label, kind);
    return NST_OK;
}

nst_status nst_decoded_rows(nst_rows **rows, const nst_decoded *d, nst_image **out, const char *label, nst_error *e)
{
    nst_color *color = NULL;
    nst_status s = nst_color_open(&color, &d->kind, d->width, label, e);

    for (int y = 0; y < d->height && !s; y++) {
        nst_color_row(color, d->samples + (size_t)y * d->stride, nst_rows_next(*rows));
        nst_rows_put(*rows);
    }
    nst_color_close(&color);
    if (!s)
        nst_rows_cut(*rows);
    return s ? s : nst_rows_finish(rows, d->orientation, out, label, e);
}

void nst_decoded_unmultiply(uint8_t *samples, size_t stride, const nst_samples *kind, int width, int height)
{
    size_t colors = (size_t)kind->colors, each = colors + 1;
    unsigned max = kind->bits == 8 ? 255 : 65535;

    for (int y = 0; y < height; y++)
        for (size_t x = 0; x < (size_t)width; x++) {
            uint8_t *s8 = samples + (size_t)y * stride + x * each;
            uint16_t *s16 = (uint16_t *)(void *)(samples + (size_t)y * stride) + x * each;
            unsigned alpha = max == 255 ? s8[colors] : s16[colors];

            for (size_t k = 0; k < colors; k++) {
                unsigned v = nst_unmultiply(max == 255 ? s8[k] : s16[k], alpha, max);

                if (max == 255)
                    s8[k] = (uint8_t)v;
                else
                    s16[k] = (uint16_t)v;
            }
        }
}

unsigned nst_unmultiply(unsigned v, unsigned alpha, unsigned max)
{
    if (v >= alpha)
        return alpha ? max : 0;
    return (unsigned)(((uint64_t)v * max + alpha / 2) / alpha);
}
