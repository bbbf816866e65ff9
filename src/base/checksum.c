/* checksum.c: a checksum against accidents, 64 bits: of files of our own, and to know a picture or a model again. */
#include "base/base.h"

#include <string.h>

#define START 0x9e3779b97f4a7c15u
#define FACTOR 0xff51afd7ed558ccdu /* odd: a step is a bijection of what came before, and of the word */

static uint64_t word(const unsigned char *p)
{
    uint64_t v = 0;

    for (int i = 0; i < 8; i++)
        v |= (uint64_t)p[i] << 8 * i;
    return v;
}

static uint64_t step(uint64_t h, uint64_t v)
{
    h = (h ^ v) * FACTOR;
    return h ^ h >> 32;
}

void nst_sum_begin(nst_sum *s)
{
    *s = (nst_sum){ .h = START };
}

void nst_sum_add(nst_sum *s, const void *data, size_t bytes)
{
    const unsigned char *p = data;
    size_t had = (size_t)(s->bytes % 8);

    s->bytes += bytes;
    if (had) {
        size_t n = bytes < 8 - had ? bytes : 8 - had;

        memcpy(s->rest + had, p, n);
        if (had + n < 8)
            return;
        s->h = step(s->h, word(s->rest));
        p += n;
        bytes -= n;
    }
    for (; bytes >= 8; p += 8, bytes -= 8)
        s->h = step(s->h, word(p));
    memcpy(s->rest, p, bytes);
}

uint64_t nst_sum_end(const nst_sum *s)
{
    unsigned char last[8] = { 0 };

    memcpy(last, s->rest, (size_t)(s->bytes % 8));
    return step(step(s->h, word(last)), s->bytes);
}
