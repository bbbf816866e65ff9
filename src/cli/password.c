/* password.c: secrets of pages: made, compared, put into a header (RFC 7617: "Basic ", and user:password as base64). */
#include "cli/password.h"

#include <stdio.h>
#include <string.h>

bool nst_password_make(char out[33])
{
    unsigned char b[16];
    FILE *f = fopen("/dev/urandom", "rb");
    bool good = f && fread(b, 1, sizeof b, f) == sizeof b;

    if (f)
        fclose(f);
    for (size_t i = 0; i < sizeof b && good; i++)
        snprintf(out + 2 * i, 3, "%02x", b[i]);
    return good;
}

bool nst_password_same(const char *given, const char *secret, size_t n)
{
    unsigned char differ = 0;

    for (size_t i = 0; i < n; i++)
        differ |= (unsigned char)(given[i] ^ secret[i]);
    return !differ;
}

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void nst_password_header(const char *password, char out[128])
{
    char text[72];
    size_t n = (size_t)snprintf(text, sizeof text, "nst:%.63s", password), used = 0;

    memset(text + n, 0, sizeof text - n);
    memcpy(out, "Basic ", 6);
    for (size_t i = 0; i < n; i += 3) {
        unsigned bits = (unsigned)(unsigned char)text[i] << 16 | (unsigned)(unsigned char)text[i + 1] << 8 |
                        (unsigned char)text[i + 2];

        for (size_t k = 0; k < 4; k++) /* a byte makes two digits, two make three */
            out[6 + used++] = i + k > n ? '=' : digits[bits >> (18 - 6 * k) & 63];
    }
    out[6 + used] = 0;
}
