/* paths.h: which files a run writes (paths.c), and whether it may (path_checks.c). */
#ifndef NST_PATHS_H
#define NST_PATHS_H

#include "cli/options.h"

#define NST_PATH_BYTES 4096

/* The name without its folders. */
const char *nst_paths_base(const char *path);
/* Length of a path without its suffix; a name that begins with a dot keeps it. */
int nst_paths_stem(const char *path);
/* Whether its suffix is one of a picture that this build reads. */
bool nst_paths_is_picture(const char *path);
/* "-", which is standard input or output. */
bool nst_paths_is_stream(const char *path);
/* For how many of the files that are read a test holds. */
int nst_paths_count_inputs(const nst_command *c, bool (*test)(const char *path, const void *arg), const void *arg);
/* How many inputs are read from standard input. */
int nst_paths_streams(const nst_command *c);
/* What a result's name is called in sentences. */
const char *nst_paths_label(const char *path);
/* The format of a result of this name (NULL: it gets its name from the inputs): --format, else by its suffix, PNG where
 * there is none to go by; NULL: the suffix is none. */
const nst_format *nst_paths_format(const nst_command *c, const char *path);
/* ".png", or what else a result gets that is not named; into out, which is returned. */
const char *nst_paths_suffix(const nst_command *c, char out[16]);
/* CONTENT-STYLE and the end, which may be a suffix: without their own, and cut where a file's name in that folder would
 * be too long, or would be with a number.  False when it has more than bytes - 1. */
bool nst_paths_joined(const char *folder, const char *content, const char *style, const char *end, char *out,
                      size_t bytes);
/* Where the result goes: what the user says or, without that, CONTENT-STYLE.png in the current folder.
 * Formats and pipes are checked, too. */
nst_status nst_paths_output(const nst_command *c, char *out, size_t bytes, nst_error *e);
/* out.png, 50 -> out-0050.png */
nst_status nst_paths_numbered(const char *path, int number, char *out, size_t bytes, nst_error *e);
/* The other way: out-0050.png -> 50, and out.png in from; 0: it has no such number. */
int nst_paths_number(const char *path, char *from, size_t bytes);
/* out.png -> out-stopped.png, in place. */
nst_status nst_paths_stopped(char *path, size_t bytes, nst_error *e);
/* What path leads to when links are followed, as the library does that writes there, be it there or not.  False: they
 * lead to themselves, or the name is too long. */
bool nst_paths_follow(const char *path, char out[NST_PATH_BYTES]);
/* Whether a file may have such a name. */
nst_status nst_paths_check_name(const char *path, nst_error *e);
/* Asked before a long run and before each write: path can be written and is none of the run's inputs. */
nst_status nst_paths_check(const nst_command *c, const char *path, nst_error *e);
/* Asked once before a run: no file that it writes (the result, numbered pictures, the log, the checkpoint) is another
 * of these or one that it reads, model, config and the checkpoint `from` (NULL: none) among them.  The files need not
 * be there. */
nst_status nst_paths_apart(const nst_command *c, const char *output, const char *model, const char *config,
                           const char *from, nst_error *e);
/* $XDG_CACHE_HOME/nst, without the variable ~/.cache/nst; "" when there is neither.  It may not exist. */
void nst_paths_cache(char *out, size_t bytes);

#endif
