/* kept.h: the folder beside the output in which every finished picture of a film is kept, until the film is done. */
#ifndef NST_VIDEO_KEPT_H
#define NST_VIDEO_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/paths.h"

#define NST_KEPT_SUFFIX ".frames"
#define NST_KEPT_WORDS 128

typedef struct nst_kept {
    char folder[NST_PATH_BYTES];
    int lock;          /* a descriptor of the folder; 0: none */
    int width, height; /* of every picture in it */
} nst_kept;

/* What a command line was, and where. */
typedef struct nst_kept_words {
    char text[65536];
    char *word[NST_KEPT_WORDS + 1];
    int n;
    const char *folder;
    uint64_t identity;
} nst_kept_words;

/* Names the folder of an output, whose pictures have this size. */
nst_status nst_kept_name(nst_kept *k, const char *output, int width, int height, nst_error *e);
/* Makes it, or takes up one with the same identity: a sum of everything that decides the pictures.  NST_EARG: there is
 * another painting in it, or something else; NST_EIO: another process is at work there.  The folder is this process's
 * until nst_kept_close. */
nst_status nst_kept_open(nst_kept *k, uint64_t identity, int argc, char **argv, nst_error *e);
/* Lets processes in that call nst_kept_join. */
void nst_kept_share(const nst_kept *k);
nst_status nst_kept_join(nst_kept *k, uint64_t identity, nst_error *e);
void nst_kept_close(nst_kept *k);
/* Reads what a folder's command line was.  NST_EFORMAT: there is none. */
nst_status nst_kept_command(const char *folder, nst_kept_words *out, nst_error *e);

/* Pictures are known by a letter, a pass (from 1) and a number (from 1). */
bool nst_kept_has(const nst_kept *k, char kind, int pass, long number);
nst_status nst_kept_write(const nst_kept *k, char kind, int pass, long number, const nst_image *picture, nst_error *e);
/* NST_EFORMAT, too: it has another size or, but for an anchor's ('a'), alpha: nst did not put it there. */
nst_status nst_kept_read(const nst_kept *k, char kind, int pass, long number, nst_image **out, nst_error *e);
void nst_kept_drop(const nst_kept *k, char kind, int pass, long number);

/* Notes that a file of the output is what this painting left there. */
void nst_kept_note(const nst_kept *k, const char *path);
/* Whether there is nothing at path, or a file as it was noted. */
bool nst_kept_left(const nst_kept *k, const char *path);

/* Removes what nst put into the folder, and the folder if nothing else is in it. */
void nst_kept_remove(const nst_kept *k);

#endif
