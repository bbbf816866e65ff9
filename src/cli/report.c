/* report.c: what a run says while it goes. */
#include "cli/report.h"

#include "cli/fail.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

const char *nst_report_duration(double seconds, char out[32])
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

/* The time first: a narrow terminal cuts the end. */
static const char *line(const nst_progress *p, char out[160])
{
    char left[32];

    snprintf(out, 160, "scale %d/%d %dx%d  %d/%d  %s left  loss %.4g = content %.3g + style %.3g", p->scale, p->scales,
             p->width, p->height, p->iteration, p->iterations, nst_report_duration(p->remaining, left), p->total,
             p->content, style_sum(p));
    return out;
}

static void write_layers(const nst_progress *p)
{
    fprintf(stderr, "   ");
    for (int i = 0; i < p->style_layers; i++)
        fprintf(stderr, " %s %.4g", p->style_name[i], p->style[i]);
    fprintf(stderr, "  tv %.4g", p->tv);
    if (p->temporal > 0)
        fprintf(stderr, "  temporal %.4g", p->temporal);
    fprintf(stderr, "  %.3f s\n", p->seconds);
}

/* About twenty lines a run where nobody sees a line renew itself: a scale's first and last, and some between. */
static bool is_due(const nst_progress *p)
{
    int step = p->total_iterations / 20 > 0 ? p->total_iterations / 20 : 1;

    return p->iteration == 1 || p->iteration == p->iterations || p->done % step == 0;
}

/* Of the terminal, which may change while it paints. */
static int columns(void)
{
    struct winsize w;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 1 ? w.ws_col : 80;
}

void nst_report_renew(const char *text)
{
    fprintf(stderr, "\r%.*s\033[K", columns() - 1, text); /* a line that wrapped could not be written over */
    fflush(stderr);
}

void nst_report_progress(nst_report *r, const nst_progress *p)
{
    char text[160];

    if (r->quiet)
        return;
    line(p, text);
    if (r->verbose) {
        nst_say(stderr, "%s", text);
        write_layers(p);
    } else if (!r->terminal) {
        if (is_due(p))
            fprintf(stderr, "%s\n", text);
    } else if (!r->line_open || p->elapsed - r->last > .1 || p->done == p->total_iterations) {
        nst_report_renew(text);
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
            "\"content\": %.9g, \"tv\": %.9g, ", p->done, p->scale, p->width, p->height, p->seconds,
            p->total, p->content, p->tv);
    if (p->temporal > 0)
        fprintf(f, "\"temporal\": %.9g, ", p->temporal);
    fputs("\"style\": {", f);
    for (int i = 0; i < p->style_layers; i++)
        fprintf(f, "%s\"%s\": %.9g", i ? ", " : "", p->style_name[i], p->style[i]);
    fputs("}}\n", f);
    return fflush(f) == 0 && !ferror(f);
}
