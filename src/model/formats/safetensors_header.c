/* safetensors_header.c: a strict, bounded parser of safetensors headers: one JSON object of a known, flat form. */
#include "model/formats/safetensors_header.h"

#include <string.h>

/* As the format's own reader. */
#define HEADER_MAX 100000000

nst_status nst_header_begin(nst_header *h, const unsigned char *file, size_t bytes, nst_error *e)
{
    uint64_t n = 0;

    for (int i = 0; i < 8; i++)
        n |= (uint64_t)file[i] << 8 * i;
    if (n < 2 || n > HEADER_MAX || file[8] != '{')
        return nst_fail(e, NST_EFORMAT, "%s: is not a safetensors file", h->path);
    if (n > bytes - 8)
        return nst_fail(e, NST_EFORMAT, "%s: the header says it has %llu bytes, the file has %zu in all: it is "
                        "truncated", h->path, (unsigned long long)n, bytes);
    h->p = (const char *)file + 8;
    h->end = h->p + n;
    h->data_at = 8 + (size_t)n;
    return NST_OK;
}

static nst_status broken(nst_header *h, const char *what, nst_error *e)
{
    return nst_fail(e, NST_EFORMAT, "%s: the header is damaged: %s with %zu bytes of it left", h->path, what,
                    (size_t)(h->end - h->p));
}

static void space(nst_header *h)
{
    while (h->p < h->end && (*h->p == ' ' || *h->p == '\t' || *h->p == '\n' || *h->p == '\r'))
        h->p++;
}

/* The next character that is not space, if it is c. */
static bool eat(nst_header *h, char c)
{
    space(h);
    if (h->p == h->end || *h->p != c)
        return false;
    h->p++;
    return true;
}

static bool hex4(const char *p)
{
    for (int i = 0; i < 4; i++)
        if (!p[i] || !strchr("0123456789abcdefABCDEF", p[i]))
            return false;
    return true;
}

/* A string into text [room], cut when longer; escapes other than quote, backslash and slash become '?',
 * which no name of ours holds. */
static bool string(nst_header *h, char *text, size_t room)
{
    size_t n = 0;

    if (!eat(h, '"'))
        return false;
    for (;;) {
        char c;

        if (h->p == h->end)
            return false;
        c = *h->p++;
        if (c == '"')
            break;
        if ((unsigned char)c < 32)
            return false;
        if (c == '\\') {
            if (h->p == h->end)
                return false;
            c = *h->p++;
            if (c == 'u') {
                if (h->end - h->p < 4 || !hex4(h->p))
                    return false;
                h->p += 4;
            } else if (!strchr("\"\\/bfnrt", c) || !c) {
                return false;
            }
            c = c == '"' || c == '\\' || c == '/' ? c : '?';
        }
        if (n + 1 < room)
            text[n++] = c > 32 && c < 127 ? c : '?';
    }
    text[n] = 0;
    return true;
}

static bool number(nst_header *h, uint64_t *v)
{
    const char *start;

    space(h);
    start = h->p;
    for (*v = 0; h->p < h->end && *h->p >= '0' && *h->p <= '9'; h->p++) {
        unsigned digit = (unsigned)(*h->p - '0');

        if (*v > (UINT64_MAX - digit) / 10)
            return false;
        *v = *v * 10 + digit;
    }
    return h->p > start;
}

/* [1,2,...] of at most max numbers. */
static bool numbers(nst_header *h, uint64_t *v, int max, int *n)
{
    *n = 0;
    if (!eat(h, '['))
        return false;
    if (eat(h, ']'))
        return true;
    do {
        if (*n == max || !number(h, &v[(*n)++]))
            return false;
    } while (eat(h, ','));
    return eat(h, ']');
}

/* {"dtype":"F32","shape":[64,3,3,3],"data_offsets":[0,6912]}, in any order. */
static nst_status tensor(nst_header *h, nst_tensor *t, nst_error *e)
{
    enum { DTYPE, SHAPE, OFFSETS, FIELDS };
    static const char *const names[FIELDS] = { "dtype", "shape", "data_offsets" };
    bool seen[FIELDS] = { false };

    if (!eat(h, '{'))
        return broken(h, "a tensor's description expected", e);
    do {
        uint64_t offset[2] = { 0, 0 };
        char key[16];
        bool good;
        int field = 0, n = 2;

        if (!string(h, key, sizeof key) || !eat(h, ':'))
            return broken(h, "a field's name expected", e);
        while (field < FIELDS && strcmp(key, names[field]) != 0)
            field++;
        if (field == FIELDS || seen[field])
            return nst_fail(e, NST_EFORMAT, "%s: tensor %s has field %s %s", h->path, t->name, key,
                            field < FIELDS ? "twice" : "that is unknown");
        seen[field] = true;
        if (field == DTYPE)
            good = string(h, t->dtype, sizeof t->dtype);
        else if (field == SHAPE)
            good = numbers(h, t->shape, (int)NST_COUNT(t->shape), &t->dims);
        else
            good = numbers(h, offset, 2, &n) && n == 2;
        if (!good)
            return nst_fail(e, NST_EFORMAT, "%s: tensor %s has a damaged %s", h->path, t->name, key);
        if (field == OFFSETS)
            t->begin = offset[0], t->end = offset[1];
    } while (eat(h, ','));
    if (!eat(h, '}'))
        return broken(h, "the end of a tensor's description expected", e);
    if (!seen[DTYPE] || !seen[SHAPE] || !seen[OFFSETS])
        return nst_fail(e, NST_EFORMAT, "%s: tensor %s lacks its dtype, shape or data_offsets", h->path, t->name);
    return NST_OK;
}

/* {"key":"value",...}: in our own files it says which input the model takes, and of what it was made. */
static nst_status metadata(nst_header *h, nst_error *e)
{
    char key[16], text[sizeof h->origin];

    if (!eat(h, '{'))
        return broken(h, "metadata expected", e);
    if (eat(h, '}'))
        return NST_OK;
    do {
        if (!string(h, key, sizeof key) || !eat(h, ':') || !string(h, text, sizeof text))
            return broken(h, "a line of metadata expected", e);
        if (!strcmp(key, "nst.input") && strlen(text) < sizeof h->input)
            memcpy(h->input, text, strlen(text) + 1);
        if (!strcmp(key, "nst.own"))
            memcpy(h->own, text, sizeof text);
        if (!strcmp(key, "nst.origin"))
            memcpy(h->origin, text, sizeof text);
    } while (eat(h, ','));
    return eat(h, '}') ? NST_OK : broken(h, "the end of the metadata expected", e);
}

nst_status nst_header_parse(nst_header *h, nst_error *e)
{
    nst_status s;

    if (!eat(h, '{'))
        return broken(h, "an object expected", e);
    if (!eat(h, '}')) {
        do {
            nst_tensor t = { .dims = 0 };

            if (!string(h, t.name, sizeof t.name) || !eat(h, ':'))
                return broken(h, "a tensor's name expected", e);
            if (!strcmp(t.name, "__metadata__")) {
                s = metadata(h, e);
            } else {
                s = tensor(h, &t, e);
                if (!s)
                    s = h->take(h->arg, &t, e);
            }
            if (s)
                return s;
        } while (eat(h, ','));
        if (!eat(h, '}'))
            return broken(h, "its end expected", e);
    }
    space(h);
    return h->p == h->end ? NST_OK : broken(h, "nothing more expected", e);
}
