/* batch_names.h: which pictures a batch reads and what its results are called; all is said before hours of work. */
#ifndef NST_BATCH_NAMES_H
#define NST_BATCH_NAMES_H

#include "cli/paths.h"

/* Adds a file as it is, or a folder's pictures in the order of their names, to the contents or the styles. */
nst_status nst_batch_add(bool style, const char *path, nst_error *e);
/* How many results there are: every content in every style; 0: more than a batch may have, and e says so. */
int nst_batch_count(nst_error *e);
/* Pair i: styles outside, so that what is computed of a style serves all contents.  The names live as long as the
 * program. */
void nst_batch_pair(int i, const char **content, const char **style);
/* Where its result goes: the pattern of --name with its {words} replaced, in --output-dir. */
nst_status nst_batch_result(const nst_command *c, int i, char *out, size_t bytes, nst_error *e);
/* Whether the names can be; no result takes the place of another, of a picture that is read, or of one that is kept
 * before a result is done. */
nst_status nst_batch_check(const nst_command *c, int n, nst_error *e);

#endif
