/* fields.c: a struct as lines of text, name=value, and back to the same bits, whatever the locale. */
#include "base/fields.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const void *at(const nst_field *r, const void *base)
{
    return (const char *)base + r->offset;
}

/* Texts and bits have no range: 0. */
static double value(const nst_field *r, const void *base)
{
    if (r->kind == NST_FIELD_INT)
        return *(const int *)at(r, base);
    return r->kind == NST_FIELD_REAL ? *(const double *)at(r, base) : 0;
}

static bool is_plain(const char *text, size_t bytes)
{
    size_t i = 0;

    for (; i < bytes && text[i]; i++)
        if ((unsigned char)text[i] < 32 || text[i] == 127)
            return false;
    return i < bytes;
}

nst_status nst_fields_check(const nst_field *rows, int n, const void *base, nst_error *e)
{
    for (const nst_field *r = rows; r < rows + n; r++) {
        double v = value(r, base);

        if (r->kind == NST_FIELD_TEXT && !is_plain(at(r, base), r->bytes))
            return nst_fail(e, NST_EARG, "%s: is longer than %zu characters or holds control characters", r->name,
                            r->bytes - 1);
        if ((r->kind == NST_FIELD_INT || r->kind == NST_FIELD_REAL) && !(v >= r->min && v <= r->max)) /* NaN, too */
            return nst_fail(e, NST_EARG, "%s: %g is out of range, expected %g to %g", r->name, v, r->min, r->max);
    }
    return NST_OK;
}

nst_status nst_fields_write(const nst_field *rows, int n, const void *base, char *text, size_t room, size_t *bytes,
                            nst_error *e)
{
    *bytes = 0;
    for (const nst_field *r = rows; r < rows + n; r++) {
        const void *p = at(r, base);
        size_t left = room - *bytes;
        uint64_t bits;
        int used = -1;

        switch (r->kind) {
        case NST_FIELD_INT:
            used = snprintf(text + *bytes, left, "%s=%d\n", r->name, *(const int *)p);
            break;
        case NST_FIELD_REAL:
        case NST_FIELD_BITS:
            memcpy(&bits, p, sizeof bits);
            used = snprintf(text + *bytes, left, "%s=%016" PRIx64 "\n", r->name, bits);
            break;
        case NST_FIELD_TEXT:
            if (is_plain(p, r->bytes))
                used = snprintf(text + *bytes, left, "%s=%s\n", r->name, (const char *)p);
            break;
        }
        if (used < 0 || (size_t)used >= left)
            return nst_fail(e, NST_EARG, "%s: is too long or holds control characters", r->name);
        *bytes += (size_t)used;
    }
    return NST_OK;
}

/* "-12", nothing before or after. */
static bool read_int(const char *text, size_t n, int *v)
{
    size_t i = n && text[0] == '-';
    int64_t sum = 0;

    if (i == n || n > 11)
        return false;
    for (; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        sum = 10 * sum + (text[i] - '0');
    }
    sum = text[0] == '-' ? -sum : sum;
    *v = (int)sum;
    return sum >= INT32_MIN && sum <= INT32_MAX;
}

static bool read_bits(const char *text, size_t n, uint64_t *v)
{
    static const char digits[] = "0123456789abcdef";

    *v = 0;
    for (size_t i = 0; i < n; i++) {
        const char *d = memchr(digits, text[i], 16);

        if (!d)
            return false;
        *v = *v << 4 | (uint64_t)(d - digits);
    }
    return n == 16;
}

static bool read_one(const nst_field *r, void *base, const char *text, size_t n)
{
    char *place = (char *)base + r->offset;
    uint64_t bits;

    switch (r->kind) {
    case NST_FIELD_INT:
        return read_int(text, n, (int *)(void *)place);
    case NST_FIELD_REAL:
    case NST_FIELD_BITS:
        if (!read_bits(text, n, &bits))
            return false;
        memcpy(place, &bits, sizeof bits);
        return true;
    case NST_FIELD_TEXT:
        if (n >= r->bytes || memchr(text, 0, n))
            return false;
        memset(place, 0, r->bytes);
        memcpy(place, text, n);
        return true;
    }
    return false;
}

nst_status nst_fields_read(const nst_field *rows, int n, void *base, const char *text, size_t bytes, const char *path,
                           nst_error *e)
{
    const char *end = text + bytes;
    nst_error why;

    for (const nst_field *r = rows; r < rows + n; r++) {
        size_t letters = strlen(r->name), left = (size_t)(end - text);
        const char *line_end = memchr(text, '\n', left);

        if (!line_end || (size_t)(line_end - text) <= letters || memcmp(text, r->name, letters) || text[letters] != '=')
            return nst_fail(e, NST_EFORMAT, "%s: field %s is missing", path, r->name);
        text += letters + 1;
        if (!read_one(r, base, text, (size_t)(line_end - text)))
            return nst_fail(e, NST_EFORMAT, "%s: field %s has the value \"%.*s\"", path, r->name,
                            line_end - text > 64 ? 64 : (int)(line_end - text), text);
        text = line_end + 1;
    }
    if (text != end)
        return nst_fail(e, NST_EFORMAT, "%s: has fields that are unknown", path);
    if (nst_fields_check(rows, n, base, &why))
        return nst_fail(e, NST_EFORMAT, "%s: %s", path, why.text);
    return NST_OK;
}

nst_status nst_fields_set(const nst_field *rows, int n, void *base, const char *name, const char *value, nst_error *e)
{
    const nst_field *r = rows;
    char *place, *end;
    bool whole;
    double v;

    while (r < rows + n && strcmp(r->name, name))
        r++;
    if (r == rows + n)
        return nst_fail(e, NST_EARG, "%s: there is no such field", name);
    place = (char *)base + r->offset;
    if (r->kind == NST_FIELD_TEXT) {
        size_t bytes = strlen(value) + 1;

        if (bytes > r->bytes || !is_plain(value, bytes))
            return nst_fail(e, NST_EARG, "%s: is longer than %zu characters or holds control characters", name,
                            r->bytes - 1);
        memset(place, 0, r->bytes);
        memcpy(place, value, bytes);
        return NST_OK;
    }
    errno = 0;
    if (r->kind == NST_FIELD_BITS) {
        uint64_t bits = strtoull(value, &end, 10);

        if (end == value || *end || errno || strspn(value, "0123456789") != strlen(value))
            return nst_fail(e, NST_EARG, "%s: \"%s\" is not a whole number from 0 to %" PRIu64, name, value,
                            UINT64_MAX);
        memcpy(place, &bits, sizeof bits);
        return NST_OK;
    }
    v = nst_plain_number(value, &end);
    whole = r->kind == NST_FIELD_INT;
    if (end == value || *end || errno || !(v >= r->min && v <= r->max) || (whole && v != (double)(int)v))
        return nst_fail(e, NST_EARG, "%s: \"%s\" is not a %snumber from %g to %.10g", name, value,
                        whole ? "whole " : "",
                        r->min, r->max);
    if (whole)
        *(int *)(void *)place = (int)v;
    else
        *(double *)(void *)place = v;
    return NST_OK;
}
