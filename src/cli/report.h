/* report.h: what a run says while it goes: a line on the screen, a line in the log. */
#ifndef NST_REPORT_H
#define NST_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "nst.h"

typedef struct nst_report {
    bool quiet, verbose, terminal;
    bool line_open;   /* a progress line stands on the terminal, without its end */
    double last;      /* when it was written, seconds into the run */
} nst_report;

/* Of an iteration, on standard error: a line that renews itself on a terminal, plain lines now and then elsewhere. */
void nst_report_progress(nst_report *r, const nst_progress *p);
/* Writes a line over the one that renews itself, cut to the terminal's width. */
void nst_report_renew(const char *text);
/* "1:20" or "1:02:03" of seconds; "?": not known. */
const char *nst_report_duration(double seconds, char out[32]);
/* Clears the line that renews itself. */
void nst_report_end(nst_report *r);

/* One JSON object a line, flushed: iteration (over the whole run), scale, width, height, seconds, total, content, tv
 * and style, an object by layer; losses weighted.  false when it cannot be written. */
bool nst_report_log(FILE *f, const nst_progress *p);

#endif
