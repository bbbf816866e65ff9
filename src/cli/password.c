/* password.c: secrets of pages: made, compared, found in a header (RFC 7617: "Basic ", and user:password as base64). */
#include "cli/password.h"

#include <stdio.h>
#include <string.h>

#define LONGEST 256 /* bytes of user:password */

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

/* The bytes of a base64 text, ended by a 0; false: it is none, or too long. */
static bool decode(const char *text, char out[LONGEST + 1])
{
    size_t n = strspn(text, digits), used = 0;
    unsigned bits = 0;

    if (n / 4 * 3 > LONGEST - 3 || text[n + strspn(text + n, "=")])
        return false;
    for (size_t i = 0; i < n; i++) {
        bits = bits << 6 | (unsigned)(strchr(digits, text[i]) - digits);
        if (i % 4)
            out[used++] = (char)(bits >> (6 - 2 * (i % 4)) & 255);
    }
    out[used] = 0;
    return true;
}

bool nst_password_is_in(const char *header, const char *password)
{
    static const char basic[] = "Basic ";
    char text[LONGEST + 1], *colon;

    if (!header || strncmp(header, basic, sizeof basic - 1) || !decode(header + sizeof basic - 1, text))
        return false;
    colon = strchr(text, ':');
    return colon && strlen(colon + 1) == strlen(password) && nst_password_same(colon + 1, password, strlen(password));
}

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
