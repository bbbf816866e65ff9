/* help.c: what the program says about itself on a screen, from the option table. */
#include "options.h"

#include <string.h>

static void line(FILE *f, const nst_option *r)
{
    char left[64];
    char letter[4] = "   ";

    if (r->letter)
        snprintf(letter, sizeof letter, "-%c,", r->letter);
    snprintf(left, sizeof left, "%s --%s %s", letter, r->name, r->argument ? r->argument : "");
    fprintf(f, " %-30s%s\n", left, r->help);
}

/* The example works anywhere: with two pictures of the reader's own. */
void nst_help_usage(FILE *f)
{
    fputs("Usage: nst [OPTION]... CONTENT STYLE...\n"
          "Paints the CONTENT picture in the style of the STYLE pictures (PNG or JPEG).\n"
          "\n"
          "Example:\n"
          "  nst -o painted.png photo.jpg painting.jpg\n"
          "\n",
          f);
    for (int i = 0; i < nst_option_count; i++)
        if (nst_options[i].group == NST_GROUP_MAIN)
            line(f, &nst_options[i]);
    fputs("\n`nst --help` lists every option, `nst --preset list` the presets;\n"
          "`nst model` keeps weights, `nst bench` measures this machine.\n",
          f);
}

void nst_help_options(FILE *f)
{
    fputs("Usage: nst [OPTION]... CONTENT STYLE...   as: nst -o new.png photo.jpg art.jpg\n", f);
    for (int g = 0; g < NST_GROUP_COUNT; g++) {
        if (g) /* no title for the main ones: the whole is to fit 43 lines */
            fprintf(f, "%s:\n", nst_group_titles[g]);
        for (int i = 0; i < nst_option_count; i++)
            if (nst_options[i].group == (nst_option_group)g)
                line(f, &nst_options[i]);
    }
}
