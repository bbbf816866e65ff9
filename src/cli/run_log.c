/* run_log.c: the log of a run, a line an iteration (report.c writes them): opened at its begin, or where it goes on. */
#include "cli/run_log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/fail.h"

/* Bytes of the lines that a log has up to an iteration; -1: what is there is none.  It may begin late, when it was
 * named on going on, and end in the middle of a line. */
static long kept_lines(FILE *f, int iterations)
{
    static char text[1 << 16];
    long end = 0;
    int at, before = 0;

    while (fgets(text, sizeof text, f)) {
        if (sscanf(text, "{\"iteration\": %d,", &at) != 1 || (before && at != before + 1))
            return before && !strchr(text, '\n') ? end : -1;
        if (at <= iterations && strchr(text, '\n'))
            end = ftell(f);
        before = at;
    }
    return end;
}

nst_status nst_run_log_check(const char *path, nst_error *e)
{
    FILE *f = fopen(path, "r");
    bool wrong = f && kept_lines(f, 0) < 0;

    if (f)
        fclose(f);
    return wrong ? fail(e, NST_EIO, "resume: %s is not the log of a painting; --log says where it goes, there or "
                        "elsewhere", path) : NST_OK;
}

static FILE *reopen(const char *path, int iterations, bool anew)
{
    FILE *f = fopen(path, "r+");
    long end;

    if (!f)
        return fopen(path, "w");
    end = kept_lines(f, iterations);
    if (end < 0 && anew)
        end = 0;
    if (end < 0 || fseek(f, end, SEEK_SET) || ftruncate(fileno(f), end)) {
        fclose(f);
        return NULL;
    }
    return f;
}

static nst_status opened(FILE *f, const char *path, nst_error *e)
{
    return f ? NST_OK : fail(e, NST_EIO, "%s: %s", path, strerror(errno));
}

nst_status nst_run_log_open(FILE **out, const char *path, nst_error *e)
{
    *out = fopen(path, "w");
    return opened(*out, path, e);
}

nst_status nst_run_log_reopen(FILE **out, const char *path, int iterations, bool anew, nst_error *e)
{
    *out = reopen(path, iterations, anew);
    return opened(*out, path, e);
}
