/* error.c: failures as values: a status and a sentence in the caller's buffer; and the clock. */
#include "base/base.h"

#include "base/show.h"

#include <time.h>

static const char *const texts[] = {
    [NST_OK] = "done",
    [NST_EARG] = "wrong argument",
    [NST_EIO] = "input or output failed",
    [NST_EFORMAT] = "damaged or unknown format",
    [NST_EMEM] = "out of memory",
    [NST_EUNSUPPORTED] = "not supported here",
    [NST_EDIVERGED] = "the optimisation diverged",
    [NST_EDEVICE] = "the device failed",
};
_Static_assert(NST_COUNT(texts) == NST_STATUS_COUNT, "every status has its text");

const char *nst_status_text(nst_status s)
{
    return (unsigned)s < NST_STATUS_COUNT ? texts[s] : "unknown status";
}

nst_status nst_fail(nst_error *e, nst_status s, const char *format, ...)
{
    if (e) {
        locale_t host = nst_plain_begin();
        va_list args;

        va_start(args, format);
        nst_show_format(e->text, sizeof e->text, format, args);
        va_end(args);
        nst_plain_end(host);
    }
    return s;
}

double nst_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}
