/* files.h: the program's picture files: "-" stands for standard input and output. */
#ifndef NST_FILES_H
#define NST_FILES_H

#include "cli/options.h"

/* As nst_image_read_fit. */
nst_status nst_files_read(nst_image **out, const char *name, const nst_fit *fit, nst_error *e);
/* Whether nst reads the file as a picture: by its name's suffix, or else by what it holds. */
bool nst_files_is_picture(const char *name);
/* Writes the picture as the command line asks, in c's format if it names one, with this comment.  Into a pipe that has
 * no reader yet it waits for one, or for a signal. */
nst_status nst_files_write(const nst_command *c, const nst_image *image, const char *name, const char *comment,
                           nst_error *e);
/* A result could not be written, as e says: it is tried as PNG, under a short name in a new folder, in $TMPDIR or /tmp,
 * the home folder and the current one; e then says where, too. */
void nst_files_rescue(const nst_command *c, const nst_image *image, const char *comment, nst_error *e);

#endif
