/* download_line.c: how far a download is: a line that renews itself on a terminal, elsewhere one for each tenth. */
#include "cli/models/download_line.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/clock.h"

static void show_line(const nst_download_line *l, long long have, long long total, double seconds)
{
    double speed = (double)(have - l->from) / (seconds > .01 ? seconds : .01), left;
    char bar[21] = "....................";

    if (!total) {
        fprintf(stderr, "\rnst: %.1f MB  %.1f MB/s\033[K", (double)have / 1e6, speed / 1e6);
        return;
    }
    memset(bar, '#', have < total ? (size_t)(20 * have / total) : 20);
    left = speed > 0 ? (double)(total - have) / speed : 0;
    left = left < 359999 ? left : 359999;
    fprintf(stderr, "\rnst: [%s] %.1f of %.1f MB  %.1f MB/s  %d:%02d left\033[K", bar, (double)have / 1e6,
            (double)total / 1e6, speed / 1e6, (int)left / 60, (int)left % 60);
}

void nst_download_line_begin(nst_download_line *l, long long have)
{
    l->began = nst_clock_now();
    l->from = have;
}

void nst_download_line_show(nst_download_line *l, long long have, long long total)
{
    double t = nst_clock_now();

    if (isatty(STDERR_FILENO)) {
        if (t - l->shown < .2)
            return;
        l->shown = t;
        l->open = true;
        show_line(l, have, total, t - l->began);
    } else if (total && (int)(10 * have / total) > l->tenths) {
        l->tenths = (int)(10 * have / total);
        fprintf(stderr, "nst: %.1f of %.1f MB\n", (double)have / 1e6, (double)total / 1e6);
    }
}

void nst_download_line_end(nst_download_line *l)
{
    if (l->open)
        fputs("\r\033[K", stderr);
    l->open = false;
}
