/* matfile.c: MATLAB's files of versions 5 to 7, trusted in nothing: the only file that knows zlib. */
#include "model/formats/matfile.h"

#include <string.h>
#include <zlib.h>

#define HEADER 128

struct nst_mat_stream {
    const unsigned char *file;
    size_t bytes;
    size_t next;       /* the next variable's tag */
    uint64_t at;       /* read so far: of the file, or of what is unpacked */
    bool packed, started, broken;
    z_stream z;
};

nst_mat_stream *nst_mat_open(const unsigned char *file, size_t bytes)
{
    nst_mat_stream *s = nst_calloc(1, sizeof *s);

    if (s) {
        s->file = file;
        s->bytes = bytes;
        s->next = HEADER;
    }
    return s;
}

static void stop_unpacking(nst_mat_stream *s)
{
    if (s->started)
        inflateEnd(&s->z);
    s->started = s->packed = false;
}

void nst_mat_close(nst_mat_stream **s)
{
    if (*s)
        stop_unpacking(*s);
    nst_free(*s);
    *s = NULL;
}

bool nst_mat_broken(const nst_mat_stream *s)
{
    return s->broken;
}

static bool breaks(nst_mat_stream *s)
{
    s->broken = true;
    return false;
}

static bool unpack(nst_mat_stream *s, unsigned char *to, size_t n)
{
    while (n) {
        uInt part = n < 1u << 30 ? (uInt)n : 1u << 30;
        int code;

        s->z.next_out = to;
        s->z.avail_out = part;
        code = inflate(&s->z, Z_NO_FLUSH);
        if (part == s->z.avail_out || (code != Z_OK && code != Z_STREAM_END))
            return breaks(s);
        to += part - s->z.avail_out;
        s->at += part - s->z.avail_out;
        n -= part - s->z.avail_out;
    }
    return true;
}

static bool take(nst_mat_stream *s, void *to, size_t n)
{
    if (s->packed)
        return unpack(s, to, n);
    if (s->at > s->bytes || n > s->bytes - s->at)
        return breaks(s);
    memcpy(to, s->file + s->at, n);
    s->at += n;
    return true;
}

bool nst_mat_skip(nst_mat_stream *s, uint64_t to)
{
    unsigned char away[16384];

    if (to < s->at)
        return breaks(s);
    while (s->packed && s->at < to)
        if (!unpack(s, away, to - s->at < sizeof away ? (size_t)(to - s->at) : sizeof away))
            return false;
    if (!s->packed && to > s->bytes)
        return breaks(s);
    s->at = to;
    return true;
}

static uint32_t le32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

bool nst_mat_element_open(nst_mat_stream *s, uint64_t limit, nst_mat_element *e)
{
    unsigned char tag[8];

    if (limit < 8 || s->at > limit - 8 || !take(s, tag, sizeof tag))
        return breaks(s);
    e->type = le32(tag);
    e->bytes = le32(tag + 4);
    e->end = s->at;
    e->small = e->type >> 16;
    if (e->small) {
        e->bytes = e->type >> 16;
        e->type &= 0xffff;
        memcpy(e->tag, tag + 4, 4);
        return e->bytes <= 4 || breaks(s);
    }
    if (e->bytes > limit - s->at)
        return breaks(s);
    e->end += ((uint64_t)e->bytes + 7) / 8 * 8; /* padded */
    e->end = e->end < limit ? e->end : limit;
    return true;
}

bool nst_mat_get(nst_mat_stream *s, const nst_mat_element *e, void *to, size_t n)
{
    if (n > e->bytes || (e->small && n > sizeof e->tag))
        return breaks(s);
    if (!e->small)
        return take(s, to, n);
    memcpy(to, e->tag, n);
    return true;
}

bool nst_mat_place(const nst_mat_stream *s, const nst_mat_element *e, uint64_t *at)
{
    *at = e->small ? s->at - 4 : s->at;
    return !s->packed;
}

/* Flags, shape and name come first in every array. */
static bool read_head(nst_mat_stream *s, nst_mat_array *a)
{
    nst_mat_element e;
    unsigned char flags[8], side[4];
    size_t n;

    if (!nst_mat_element_open(s, a->end, &e) || e.type != NST_MAT_UINT32 || !nst_mat_get(s, &e, flags, sizeof flags) ||
        !nst_mat_skip(s, e.end))
        return breaks(s);
    a->class = flags[0];
    a->complex = flags[1] & 8;
    if (!nst_mat_element_open(s, a->end, &e) || e.type != NST_MAT_INT32 || e.bytes / 4 > 32)
        return breaks(s);
    a->dims = (int)(e.bytes / 4);
    for (int i = 0; i < 4; i++) {
        a->shape[i] = 1;
        if (i < a->dims && !e.small && !take(s, side, sizeof side))
            return false;
        if (i < a->dims)
            a->shape[i] = le32(e.small ? e.tag : side);
    }
    if (!nst_mat_skip(s, e.end) || !nst_mat_element_open(s, a->end, &e) ||
        (e.type != NST_MAT_INT8 && e.type != NST_MAT_UTF8))
        return breaks(s);
    n = e.bytes < sizeof a->name - 1 ? e.bytes : sizeof a->name - 1;
    memset(a->name, 0, sizeof a->name);
    return nst_mat_get(s, &e, a->name, n) && nst_mat_skip(s, e.end);
}

bool nst_mat_array_open(nst_mat_stream *s, uint64_t limit, nst_mat_array *a)
{
    nst_mat_element e;

    memset(a, 0, sizeof *a);
    if (!nst_mat_element_open(s, limit, &e) || e.type != NST_MAT_MATRIX)
        return breaks(s);
    a->end = e.end;
    return e.bytes == 0 || read_head(s, a);
}

bool nst_mat_variable(nst_mat_stream *s, nst_mat_array *a)
{
    uint32_t type, bytes;

    stop_unpacking(s);
    if (s->next == s->bytes)
        return false;
    if (s->next > s->bytes || s->bytes - s->next < 8)
        return breaks(s);
    type = le32(s->file + s->next);
    bytes = le32(s->file + s->next + 4);
    if (bytes > s->bytes - s->next - 8)
        return breaks(s);
    s->at = s->next;
    s->next += 8 + (size_t)bytes;
    if (type != NST_MAT_PACKED)
        return nst_mat_array_open(s, s->next, a);
    memset(&s->z, 0, sizeof s->z);
    s->z.next_in = (unsigned char *)(uintptr_t)(s->file + s->at + 8);
    s->z.avail_in = bytes;
    if (inflateInit(&s->z) != Z_OK)
        return breaks(s);
    s->packed = s->started = true;
    s->at = 0;
    return nst_mat_array_open(s, UINT64_MAX, a);
}
