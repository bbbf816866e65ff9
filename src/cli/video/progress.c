/* progress.c: what `nst video` says while it paints. */
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/clock.h"
#include "cli/fail.h"
#include "cli/video/job.h"

#define EVERY 5 /* pictures between two lines where nobody sees a line renew itself */

const char *nst_video_duration(double seconds, char out[32])
{
    long s = (long)(seconds + .5);

    if (!(seconds >= 0 && seconds < 1e8))
        snprintf(out, 32, "?");
    else if (s >= 3600)
        snprintf(out, 32, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(out, 32, "%ld:%02ld", s / 60, s % 60);
    return out;
}

static void end_line(nst_video *v)
{
    if (v->line.open)
        fputs("\r\033[K", stderr);
    v->line.open = false;
}

void nst_video_tell(nst_video *v, const char *text)
{
    end_line(v);
    nst_say(stderr, "nst: %s", text);
}

/* Seconds to the end, by the pictures that were painted so far; -1: not known. */
static double left(const nst_video *v)
{
    double share = v->before + v->painted, all = (double)v->count * v->passes;

    if (v->s->time_limit > 0 && v->pace.pictures > 0)
        return v->s->time_limit - (nst_clock_now() - v->began);
    if (v->painted < 2 || v->count < 1)
        return -1;
    return all > share ? (nst_clock_now() - v->began) / (double)v->painted * (all - share) : 0;
}

static const char *line(const nst_video *v, const nst_progress *at, char out[200])
{
    char time[32], of[32] = "", pass[48] = "";

    if (v->count)
        snprintf(of, sizeof of, "/%ld", v->count);
    if (v->passes > 1)
        snprintf(pass, sizeof pass, "pass %d/%d  ", v->pass, v->passes);
    snprintf(out, 200, "%spicture %ld%s  %s left  scale %d/%d  %d/%d  loss %.4g", pass, v->number, of,
             nst_video_duration(left(v), time), at->scale, at->scales, at->iteration, at->iterations, at->total);
    return out;
}

static int columns(void)
{
    struct winsize w;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 1 ? w.ws_col : 80;
}

void nst_video_progress(nst_video *v, const nst_progress *at)
{
    double now = nst_clock_now();
    char text[200];

    if (at->notice)
        nst_video_tell(v, at->notice);
    if (v->c.quiet)
        return;
    if (v->c.verbose || (!v->line.terminal && at->done == at->total_iterations && (v->number - 1) % EVERY == 0)) {
        nst_say(stderr, "%s", line(v, at, text));
    } else if (v->line.terminal && (!v->line.open || now - v->line.at > .1)) {
        fprintf(stderr, "\r%.*s\033[K", columns() - 1, line(v, at, text));
        fflush(stderr);
        v->line.open = true;
        v->line.at = now;
    }
}
