/* av.c: loads FFmpeg's libraries. */
#include "cli/video/av.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>

NST_LAZY(AVFORMAT, NST_AV_SYMBOLS)

nst_av_table nst_av;
_Static_assert(sizeof nst_av == sizeof lib, "the same table");

static atomic_long errors;

/* The program says itself what went wrong; that something did is all that it wants to know. */
static void hear(void *who, int level, const char *format, va_list args)
{
    (void)who, (void)format, (void)args;
    if (level <= AV_LOG_ERROR)
        errors++;
}

long nst_av_errors(void)
{
    return errors;
}

nst_status nst_av_load(nst_error *e)
{
    nst_status s = load(e);

    if (s)
        return s;
    memcpy(&nst_av, &lib, sizeof lib);
    nst_av.av_log_set_callback(hear);
    return NST_OK;
}

const char *nst_av_reason(int error, char text[64])
{
    if (nst_av.av_strerror(error, text, 64) < 0)
        snprintf(text, 64, "error %d", error);
    return text;
}
