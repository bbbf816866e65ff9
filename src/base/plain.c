/* plain.c: numbers and letters in texts as the C locale has them, 12.5 and not 12,5, whatever the locale of the host:
 * one in German would refuse the presets' own layers. */
#include "base/base.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>

static locale_t plain;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make(void)
{
    plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

locale_t nst_plain_begin(void)
{
    pthread_once(&once, make);
    return uselocale(plain); /* 0, no memory for it, changes nothing */
}

void nst_plain_end(locale_t host)
{
    uselocale(host);
}

double nst_plain_number(const char *text, char **end)
{
    locale_t host = nst_plain_begin();
    double v = strtod(text, end);

    nst_plain_end(host);
    return v;
}

int nst_plain_print(char *out, size_t bytes, const char *format, ...)
{
    locale_t host = nst_plain_begin();
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(out, bytes, format, args);
    va_end(args);
    nst_plain_end(host);
    return n;
}

static int small_letter(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

bool nst_plain_alike(const char *a, const char *b, size_t n)
{
    for (; n; n--, a++, b++) {
        if (small_letter(*a) != small_letter(*b))
            return false;
        if (!*a)
            return true;
    }
    return true;
}
