/* fail.h: how the program's own modules tell what failed. */
#ifndef NST_FAIL_H
#define NST_FAIL_H

#include <stdarg.h>
#include <stdio.h>

#include "nst.h"

/* Fills e->text, cut to its length, and returns s: `return fail(e, NST_EIO, "%s: ...", path)`. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static inline nst_status fail(nst_error *e, nst_status s, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    return s;
}

#endif
