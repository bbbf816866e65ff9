/* report.c: what a run says while it goes. */
#include "report.h"

#include <string.h>

static const char *duration(double seconds, char out[32])
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

static double style_sum(const nst_progress *p)
{
    double sum = 0;

    for (int i = 0; i < p->style_layers; i++)
        sum += p->style[i];
    return sum;
}

static void write_line(const nst_progress *p)
{
    char left[32];

    fprintf(stderr, "scale %d/%d %dx%d  %d/%d  loss %.4g = content %.3g + style %.3g  %s left", p->scale, p->scales,
            p->width, p->height, p->iteration, p->iterations, p->total, p->content, style_sum(p),
            duration(p->remaining, left));
}

static void write_layers(const nst_progress *p)
{
    fprintf(stderr, "\n   ");
    for (int i = 0; i < p->style_layers; i++)
        fprintf(stderr, " %s %.4g", p->style_name[i], p->style[i]);
    fprintf(stderr, "  tv %.4g  %.3f s\n", p->tv, p->seconds);
}

/* About twenty lines a run where nobody sees a line renew itself: a scale's first and last, and some between. */
static bool is_due(const nst_progress *p)
{
    int step = p->total_iterations / 20 > 0 ? p->total_iterations / 20 : 1;

    return p->iteration == 1 || p->iteration == p->iterations || p->done % step == 0;
}

void nst_report_progress(nst_report *r, const nst_progress *p)
{
    if (r->quiet)
        return;
    if (r->verbose) {
        write_line(p);
        write_layers(p);
    } else if (!r->terminal) {
        if (is_due(p)) {
            write_line(p);
            fputc('\n', stderr);
        }
    } else if (!r->line_open || p->elapsed - r->last > .1 || p->done == p->total_iterations) {
        fputs("\r", stderr);
        write_line(p);
        fputs("\033[K", stderr);
        fflush(stderr);
        r->line_open = true;
        r->last = p->elapsed;
    }
}

void nst_report_end(nst_report *r)
{
    if (r->line_open)
        fputs("\r\033[K", stderr);
    r->line_open = false;
}

bool nst_report_log(FILE *f, const nst_progress *p)
{
    fprintf(f, "{\"iteration\": %d, \"scale\": %d, \"width\": %d, \"height\": %d, \"seconds\": %.6g, \"total\": %.9g, "
            "\"content\": %.9g, \"tv\": %.9g, \"style\": {", p->done, p->scale, p->width, p->height, p->seconds,
            p->total, p->content, p->tv);
    for (int i = 0; i < p->style_layers; i++)
        fprintf(f, "%s\"%s\": %.9g", i ? ", " : "", p->style_name[i], p->style[i]);
    fputs("}}\n", f);
    return fflush(f) == 0 && !ferror(f);
}
