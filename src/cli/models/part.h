/* part.h: a download that is not whole yet.  Beside it lies part.from, which says what it is a part of. */
#ifndef NST_PART_H
#define NST_PART_H

#include <stdbool.h>

#include "nst.h"

#define NST_PART_TEXT 512

typedef struct nst_part {
    const char *path;
    int fd;
    long long have;                 /* bytes */
    char validator[NST_PART_TEXT];  /* ETag or date of what it is a part of, "" without */
} nst_part;

/* Opens it for one nst at a time.  What is there stays when the server can be asked whether its file is still the same,
 * or when the checksum (checked) will tell, and when it has at most so many bytes. */
nst_status nst_part_open(nst_part *p, const char *path, const char *url, bool checked, long long most, nst_error *e);
nst_status nst_part_empty(nst_part *p, nst_error *e);
/* What it is a part of from now on. */
nst_status nst_part_note(nst_part *p, const char *url, const char *validator, nst_error *e);
nst_status nst_part_add(nst_part *p, const char *data, size_t n, nst_error *e);
/* Synced when s says that it is whole; taken away when it failed and is useless.  Returns what became of it. */
nst_status nst_part_close(nst_part *p, nst_status s, bool useless, nst_error *e);
/* Takes both files away. */
void nst_part_forget(const char *path);

#endif
