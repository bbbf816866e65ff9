/* stream.c: libtiff's way to an open file, and what its complaints become. */
#include "image/tiff/tiff.h"

#include <errno.h>
#include <string.h>

#define BLOCK_MAX ((tmsize_t)1 << 30) /* bytes that libtiff may allocate for one thing */

static tmsize_t get(thandle_t h, void *to, tmsize_t bytes)
{
    nst_tiff *j = h;

    return (tmsize_t)fread(to, 1, (size_t)bytes, j->f);
}

static tmsize_t put(thandle_t h, void *from, tmsize_t bytes)
{
    nst_tiff *j = h;

    return (tmsize_t)fwrite(from, 1, (size_t)bytes, j->f);
}

static toff_t seek(thandle_t h, toff_t to, int whence)
{
    nst_tiff *j = h;
    off_t here;

    if (to > INT64_MAX || fseeko(j->f, (off_t)to, whence))
        return (toff_t)-1;
    here = ftello(j->f);
    return here < 0 ? (toff_t)-1 : (toff_t)here;
}

static int leave_open(thandle_t h)
{
    (void)h;
    return 0;
}

static toff_t bytes_of(thandle_t h)
{
    nst_tiff *j = h;
    long long n = nst_file_bytes(j->f);

    return n > 0 ? (toff_t)n : 0;
}

static int complain(TIFF *t, void *arg, const char *module, const char *format, va_list args)
{
    nst_tiff *j = arg;

    (void)t;
    (void)module;
    if (!*j->text)
        vsnprintf(j->text, sizeof j->text, format, args);
    for (char *p = j->text; *p; p++)
        if ((unsigned char)*p < ' ')
            *p = ' ';
    return 1; /* and nobody else is told */
}

static int ignore(TIFF *t, void *arg, const char *module, const char *format, va_list args)
{
    (void)t;
    (void)arg;
    (void)module;
    (void)format;
    (void)args;
    return 1;
}

TIFF *nst_tiff_open(nst_tiff *j, const char *mode)
{
    TIFFOpenOptions *o = TIFFOpenOptionsAlloc();

    if (!o)
        return NULL;
    TIFFOpenOptionsSetErrorHandlerExtR(o, complain, j);
    TIFFOpenOptionsSetWarningHandlerExtR(o, ignore, j);
    TIFFOpenOptionsSetMaxSingleMemAlloc(o, BLOCK_MAX);
#if TIFFLIB_VERSION >= 20240911
    TIFFOpenOptionsSetMaxCumulatedMemAlloc(o, 2 * BLOCK_MAX);
#endif
    j->t = TIFFClientOpenExt("TIFF", mode, j, get, put, seek, leave_open, bytes_of, NULL, NULL, o);
    TIFFOpenOptionsFree(o);
    return j->t;
}

nst_status nst_tiff_damaged(const nst_tiff *j)
{
    if (ferror(j->f))
        return nst_fail(j->e, NST_EIO, "%s: cannot read: %s", j->label, strerror(errno));
    if (strstr(j->text, "memory"))
        return nst_fail(j->e, NST_EMEM, "%s: out of memory: %s", j->label, j->text);
    if (j->y)
        return nst_fail(j->e, NST_EFORMAT, "%s: damaged or truncated after %d of %d rows: %s", j->label,
                        j->y, j->height, *j->text ? j->text : "unknown fault");
    return nst_fail(j->e, NST_EFORMAT, "%s: damaged or truncated TIFF file: %s", j->label,
                    *j->text ? j->text : "unknown fault");
}

nst_status nst_tiff_no_memory(const nst_tiff *j)
{
    return nst_fail(j->e, NST_EMEM, "%s: out of memory for rows of %d pixels", j->label, j->width);
}
