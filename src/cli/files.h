/* files.h: the program's picture files: "-" stands for standard input and output. */
#ifndef NST_FILES_H
#define NST_FILES_H

#include "cli/options.h"

/* As nst_image_read_fit. */
nst_status nst_files_read(nst_image **out, const char *name, const nst_fit *fit, nst_error *e);
/* Writes the picture as the command line asks, in c's format if it names one, with this comment. */
nst_status nst_files_write(const nst_command *c, const nst_image *image, const char *name, const char *comment,
                           nst_error *e);
/* A result could not be written, as e says: it is tried as PNG in a new folder below $TMPDIR or /tmp, and e then says
 * where, too. */
void nst_files_rescue(const nst_command *c, const nst_image *image, const char *name, const char *comment,
                      nst_error *e);

#endif
