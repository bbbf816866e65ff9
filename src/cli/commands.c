/* commands.c: the program's commands as a table: the rows of commands.inc. */
#include "cli/commands.h"

#include <string.h>

const nst_command_row nst_commands[] = {
#define COMMAND(name, run, ...) { name, __VA_ARGS__ },
#include "cli/commands.inc"
};
const int nst_command_count = (int)(sizeof nst_commands / sizeof *nst_commands);

const nst_command_row *nst_commands_find(const char *name)
{
    for (int i = 0; i < nst_command_count; i++)
        if (!strcmp(nst_commands[i].name, name))
            return &nst_commands[i];
    return NULL;
}

const nst_command_row *nst_commands_nearest(const char *name)
{
    const nst_command_row *best = NULL;
    size_t n = strlen(name);
    int least = n < 4 ? 2 : 3; /* fewer letters than these are wrong */

    for (int i = 0; i < nst_command_count; i++) {
        int d = nst_options_edits(nst_commands[i].name, name, n);

        if (d < least) {
            best = &nst_commands[i];
            least = d;
        }
    }
    return best;
}
