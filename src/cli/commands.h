/* commands.h: the program's commands as a table, `nst NAME ...`; anything else is a painting. */
#ifndef NST_COMMANDS_H
#define NST_COMMANDS_H

#include "cli/options.h"

typedef struct nst_command_row {
    const char *name;
    const char *arguments; /* after the name, for the help */
    const char *words;     /* that may come first, with blanks between; "" */
    const char *summary;   /* for one line of the help */
    const char *more;      /* sentences */
} nst_command_row;

extern const nst_command_row nst_commands[];
extern const int nst_command_count;

/* NULL: there is none of that name. */
const nst_command_row *nst_commands_find(const char *name);
/* The one that a misspelt name most likely meant, or NULL. */
const nst_command_row *nst_commands_nearest(const char *name);

/* run.c: runs a row of that table; argv[0] is the command's name.  When it fails with an empty e->text, all has been
 * said. */
nst_status nst_commands_run(const nst_command_row *row, int argc, char **argv, nst_error *e);

/* help.c: `nst` alone, `nst --help`, `nst help all`, and one thing; the first two fit a screen. */
void nst_help_usage(FILE *f);
void nst_help_short(FILE *f);
void nst_help_all(FILE *f);
nst_status nst_help_topic(FILE *f, const char *topic, nst_error *e);
/* A line a preset. */
void nst_help_presets(FILE *f);

#endif
