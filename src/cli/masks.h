/* masks.h: the masks that the command line names. */
#ifndef NST_MASKS_H
#define NST_MASKS_H

#include "cli/options.h"

/* Reads them and ties them to the style pictures [c->styles]; content and styles: how those pictures were read. */
nst_status nst_masks_read(const nst_command *c, nst_image *const *style, const nst_fit *content, const nst_fit *styles,
                          nst_error *e);

#endif
