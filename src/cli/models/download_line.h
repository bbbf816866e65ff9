/* download_line.h: how far a download is, on standard error. */
#ifndef NST_DOWNLOAD_LINE_H
#define NST_DOWNLOAD_LINE_H

#include <stdbool.h>

typedef struct nst_download_line {
    double began, shown;
    long long from; /* bytes that were there when it began */
    int tenths;
    bool open;      /* a line stands on the terminal, without its end */
} nst_download_line;

void nst_download_line_begin(nst_download_line *l, long long have);
/* have of total bytes; total 0: not known. */
void nst_download_line_show(nst_download_line *l, long long have, long long total);
/* Clears the line. */
void nst_download_line_end(nst_download_line *l);

#endif
