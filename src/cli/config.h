/* config.h: options from the user's file, between a preset's values and the command line. */
#ifndef NST_CONFIG_H
#define NST_CONFIG_H

#include "cli/options.h"

/* Reads the command line, and for what it does not say the file that it names, else the user's own, if there is one.
 * Fills c, and checks all values in the file: its errors tell line and column.  Texts of c live as long as the
 * program.  With --help or --version no file is read. */
nst_status nst_config_parse(int argc, char **argv, nst_command *c, nst_error *e);
/* After it: the settings of the preset, the file, the section of that name and the command line, each over the one
 * before.  c may be what nst_config_parse filled, or a copy. */
nst_status nst_config_settings(int argc, char **argv, nst_command *c, nst_settings **out, nst_error *e);

/* The file that was read, or NULL. */
const char *nst_config_path(void);
/* The presets that the file makes, by index from 0; NULL past the last; *base what it inherits. */
const char *nst_config_preset(int i, const char **base);

#endif
