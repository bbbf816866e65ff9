/* checkpoint_file.h: a painting's checkpoint: when it is written, and the command line in it. */
#ifndef NST_KEEP_H
#define NST_KEEP_H

#include "cli/options.h"

#define NST_KEEP_WORDS 64
#define NST_KEEP_BYTES 65536 /* of the command line, as nst_progress_checkpoint takes them */

typedef struct nst_keep {
    const char *path; /* NULL: none is kept */
    double every;     /* seconds */
    double last, took;
    char note[NST_KEEP_BYTES];
} nst_keep;

/* From c, whose result goes to output and whose model lies at model: makes the note, and checks that path may be
 * written.  Says in *e why not. */
nst_status nst_keep_open(nst_keep *k, const nst_command *c, const char *output, const char *model, nst_error *e);
/* Writes when it is time, or now. */
nst_status nst_keep_write(nst_keep *k, const nst_progress *p, bool now, nst_error *e);
/* The painting is done: there is nothing to go on with. */
void nst_keep_remove(nst_keep *k);

/* The command line of a note, in text [NST_KEEP_BYTES], a word after the other: at most NST_KEEP_WORDS of them, the
 * first "nst".  NST_EFORMAT when it is no note of this program's. */
nst_status nst_keep_words(const char *note, char *text, char **words, int *n, nst_error *e);

#endif
