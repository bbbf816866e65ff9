/* checkpoint_file.h: a painting's checkpoint: when it is written, and the command line in it. */
#ifndef NST_CHECKPOINT_FILE_H
#define NST_CHECKPOINT_FILE_H

#include "cli/options.h"

#define NST_CHECKPOINT_WORDS 64
#define NST_CHECKPOINT_LINE 128 /* bytes of the result's line */
#define NST_CHECKPOINT_NOTE_BYTES 65536 /* of the command line, as nst_progress_checkpoint takes them */

typedef struct nst_checkpoint_writer {
    const char *path; /* NULL: none is kept */
    double every;     /* seconds */
    double last, took;
    char note[NST_CHECKPOINT_NOTE_BYTES];
    size_t made;      /* where in the note the result's line begins */
} nst_checkpoint_writer;

/* From c, whose result goes to output and whose model lies at model: makes the note, and checks that path may be
 * written.  Says in *e why not. */
nst_status nst_checkpoint_writer_open(nst_checkpoint_writer *k, const nst_command *c, const char *output,
                                      const char *model, nst_error *e);
/* The picture so far has been written to output: what is kept from here on says which file that is, so that going on
 * may replace it. */
void nst_checkpoint_writer_made(nst_checkpoint_writer *k, const char *output);
/* Writes when it is time, or now. */
nst_status nst_checkpoint_writer_write(nst_checkpoint_writer *k, const nst_progress *p, bool now, nst_error *e);
/* The painting is done: there is nothing to go on with. */
void nst_checkpoint_writer_remove(nst_checkpoint_writer *k);

/* The command line of a note, in text [NST_CHECKPOINT_NOTE_BYTES + 1], a word after the other: at most
 * NST_CHECKPOINT_WORDS of them, the first "nst"; nothing in it but options that nst_checkpoint_writer_open writes, and
 * names of pictures.  NST_EFORMAT when it is no note of this program's.  *made: the line of the result, or NULL. */
nst_status nst_checkpoint_words(const char *note, char *text, char **words, int *n, const char **made, nst_error *e);
/* Such a line of the file at path, with its newline; false: there is no file. */
bool nst_checkpoint_describe(const char *path, char line[NST_CHECKPOINT_LINE]);
/* Whether the file at path is the one that such a line tells of, unchanged: only this run can have written it. */
bool nst_checkpoint_is_made(const char *made, const char *path);

#endif
