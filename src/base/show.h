/* show.h: text from elsewhere (names of files, of what is in archives, a server's words) made fit for a
 * terminal, which would obey the escape sequences in it.  Sentences of the library and lines of the program all come
 * through here. */
#ifndef NST_SHOW_H
#define NST_SHOW_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Whether a terminal only shows it: no control character (C0, DEL, C1), none that turns the direction of writing. */
static inline int nst_show_plain(uint32_t c)
{
    return c >= 0x20 && (c < 0x7f || c > 0x9f) && !(c >= 0x202a && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069);
}

/* Bytes of a character of UTF-8 by its first one; 0: it begins none. */
static inline size_t nst_show_promised(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first >= 0xf5)
        return 0;
    if (first < 0xe0)
        return 2;
    return first < 0xf0 ? 3 : 4;
}

/* Bytes of the character at p, in UTF-8, that may be shown as it is; 0: this byte begins none. */
static inline size_t nst_show_length(const unsigned char *p)
{
    static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t n = nst_show_promised(*p);
    uint32_t c = n < 2 ? *p : *p & (0x7fu >> n);

    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) /* also where the text ends */
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    return n && c >= least[n] && c <= 0x10ffff && !(c >= 0xd800 && c < 0xe000) && nst_show_plain(c) ? n : 0;
}

/* text into out [room], what may not be shown as \x1b; what does not fit is cut, between two characters. */
static inline void nst_show(char *out, size_t room, const char *text)
{
    size_t used = 0;

    while (*text && room) {
        size_t n = nst_show_length((const unsigned char *)text);

        if (used + (n ? n : 4) >= room)
            break;
        if (n)
            memcpy(out + used, text, n);
        else
            snprintf(out + used, 5, "\\x%02x", (unsigned)(unsigned char)*text);
        used += n ? n : 4;
        text += n ? n : 1;
    }
    if (room)
        out[used] = 0;
}

/* The same of a sentence that is made from parts.  It may have 8191 bytes before it is shown. */
static inline void nst_show_format(char *out, size_t room, const char *format, va_list args)
{
    char text[8192];
    int n = vsnprintf(text, sizeof text, format, args);

    if (n >= (int)sizeof text) /* no half of a character at the end */
        for (n = sizeof text - 1; n > 0 && (text[n] & 0xc0) == 0x80; n--)
            text[n] = 0;
    nst_show(out, room, n < 0 ? format : text);
}

#endif
