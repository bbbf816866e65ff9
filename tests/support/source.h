/* source.h: where the files of the source tree are, wherever the tests were built. */
#ifndef NST_TESTS_SOURCE_H
#define NST_TESTS_SOURCE_H

#include <stdio.h>
#include <stdlib.h>

/* "tests/data/..." under $SRCDIR, which the Makefile sets; valid until the next call. */
static inline const char *source_file(const char *name)
{
    static char path[4096];
    const char *folder = getenv("SRCDIR");

    snprintf(path, sizeof path, "%s/%s", folder ? folder : ".", name);
    return path;
}

#endif
