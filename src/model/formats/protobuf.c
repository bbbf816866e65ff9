/* protobuf.c: a bounded reader of protobuf's wire format. */
#include "model/formats/protobuf.h"

#include <string.h>

static bool varint(nst_wire *w, uint64_t *v)
{
    *v = 0;
    for (unsigned shift = 0; shift < 70 && w->p < w->end; shift += 7) {
        unsigned char c = *w->p++;

        if (shift < 64)
            *v |= (uint64_t)(c & 127) << shift;
        if (c < 128)
            return true;
    }
    return false;
}

bool nst_wire_next(nst_wire *w)
{
    uint64_t key, n = 0;

    if (w->broken || w->p == w->end)
        return false;
    w->broken = true; /* until it is seen whole */
    if (!varint(w, &key) || key >> 3 == 0 || key >> 3 > 0x1fffffff)
        return false;
    w->field = (unsigned)(key >> 3);
    w->type = (unsigned)(key & 7);
    switch (w->type) {
    case NST_WIRE_NUMBER:
        w->broken = !varint(w, &w->number);
        return !w->broken;
    case NST_WIRE_EIGHT:
        n = 8;
        break;
    case NST_WIRE_FOUR:
        n = 4;
        break;
    case NST_WIRE_BYTES:
        if (!varint(w, &n))
            return false;
        break;
    default: /* groups, which none of our formats has */
        return false;
    }
    if (n > (uint64_t)(w->end - w->p))
        return false;
    w->data = w->p;
    w->bytes = (size_t)n;
    w->p += n;
    w->broken = false;
    return true;
}

nst_wire nst_wire_enter(const nst_wire *w)
{
    if (w->type != NST_WIRE_BYTES)
        return (nst_wire){ .p = w->p, .end = w->p, .broken = true };
    return (nst_wire){ .p = w->data, .end = w->data + w->bytes };
}

bool nst_wire_numbers(const nst_wire *w, uint64_t *v, int max, int *n)
{
    nst_wire in = nst_wire_enter(w);

    if (w->type == NST_WIRE_NUMBER) {
        if (*n == max)
            return false;
        v[(*n)++] = w->number;
        return true;
    }
    if (in.broken)
        return false;
    while (in.p < in.end)
        if (*n == max || !varint(&in, &v[(*n)++]))
            return false;
    return true;
}

bool nst_wire_is(const nst_wire *w, const char *text)
{
    return w->type == NST_WIRE_BYTES && w->bytes == strlen(text) && !memcmp(w->data, text, w->bytes);
}
