/* progress.c: what `nst video` says while it paints. */
#include <stdio.h>

#include "cli/clock.h"
#include "cli/fail.h"
#include "cli/report.h"
#include "cli/video/job.h"

#define EVERY 5 /* pictures between two lines where nobody sees a line renew itself */

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

double nst_video_left(const nst_video *v)
{
    double share = v->before + v->painted, all = v->own ? v->own : (double)v->count * v->passes;

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
             nst_report_duration(nst_video_left(v), time), at->scale, at->scales, at->iteration, at->iterations,
             at->total);
    return out;
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
        nst_report_renew(line(v, at, text));
        v->line.open = true;
        v->line.at = now;
    }
}
