/* fail.h: how the program's own modules tell what failed, and say lines. */
#ifndef NST_FAIL_H
#define NST_FAIL_H

#include <stdarg.h>
#include <stdio.h>

#include "base/show.h"
#include "nst.h"

/* Fills e->text, cut to its length, and returns s: `return fail(e, NST_EIO, "%s: ...", path)`. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static inline nst_status fail(nst_error *e, nst_status s, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    nst_show_format(e->text, sizeof e->text, format, args);
    va_end(args);
    return s;
}

/* What the program ends with. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static inline int nst_exit_status(nst_status s)
{
    if (s == NST_OK)
        return EXIT_DONE;
    return s == NST_EARG ? EXIT_USAGE : EXIT_FAILED;
}

/* A line, whose end it adds; what is foreign in it cannot command the terminal.  Every line on standard error, and
 * those on standard output that hold names, are written by it. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static inline void nst_say(FILE *f, const char *format, ...)
{
    char text[16384];
    va_list args;

    va_start(args, format);
    nst_show_format(text, sizeof text, format, args);
    va_end(args);
    fprintf(f, "%s\n", text);
}

#endif
