/* help.c: what the program says about itself on a screen, from the tables of options and commands. */
#include "cli/commands.h"
#include "cli/config.h"

#include <string.h>

#define WIDTH 79
#define LEFT 30 /* columns of an option and its argument */
#define NAMES 27 /* of a preset's name */

static void line(FILE *f, const nst_option *r)
{
    char left[64];
    char letter[4] = "   ";

    if (r->letter)
        snprintf(letter, sizeof letter, "-%c,", r->letter);
    snprintf(left, sizeof left, "%s --%s %s", letter, r->name, r->argument ? r->argument : "");
    if (strlen(left) < LEFT)
        fprintf(f, " %-*s%s\n", LEFT, left, r->help);
    else
        fprintf(f, " %s\n %*s%s\n", left, LEFT, "", r->help);
}

/* The options of a group, or those of them that most people need. */
static void lines(FILE *f, int group, bool all)
{
    for (int i = 0; i < nst_option_count; i++)
        if (NST_GROUP(&nst_options[i]) == group && (all || nst_options[i].group & NST_COMMON))
            line(f, &nst_options[i]);
}

static void command_lines(FILE *f)
{
    fputs("Commands:\n", f);
    for (int i = 0; i < nst_command_count; i++)
        fprintf(f, "  nst %-25s%s\n", nst_commands[i].name, nst_commands[i].summary);
}

/* Sentences in lines of WIDTH. */
static void wrapped(FILE *f, const char *text)
{
    int column = 0;

    for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
        int n = (int)strcspn(text, " ");

        if (column && column + 1 + n > WIDTH) {
            fputc('\n', f);
            column = 0;
        }
        fprintf(f, "%s%.*s", column ? " " : "", n, text);
        column += n + (column > 0);
        text += n;
    }
    fputc('\n', f);
}

/* The example works anywhere: with two pictures of the reader's own. */
void nst_help_usage(FILE *f)
{
    fputs("Usage: nst [OPTION]... CONTENT STYLE...\n"
          "Paints the CONTENT picture in the style of the STYLE pictures (PNG, JPEG, HEIC, WebP...).\n"
          "\n"
          "Example:\n"
          "  nst -o painted.png photo.jpg painting.jpg\n"
          "\n",
          f);
    lines(f, NST_GROUP_MAIN, false);
    fputs("\n`nst --help` shows more on one screen, `nst help all` shows everything.\n", f);
}

void nst_help_short(FILE *f)
{
    fputs("Usage: nst [OPTION]... CONTENT STYLE...   e.g. nst -o new.png photo.jpg art.jpg\n", f);
    for (int g = 0; g < NST_GROUP_COUNT; g++)
        lines(f, g, false);
    command_lines(f);
    fputs("`nst help all` lists every option, `nst help TOPIC` tells more about one thing.\n", f);
}

void nst_help_all(FILE *f)
{
    fputs("Usage: nst [OPTION]... CONTENT STYLE...\n", f);
    for (int g = 0; g < NST_GROUP_COUNT; g++) {
        fprintf(f, "%s:\n", nst_group_titles[g]);
        lines(f, g, true);
    }
    command_lines(f);
}

void nst_help_presets(FILE *f)
{
    const char *base, *name;

    for (int i = 0; nst_preset_name(i); i++)
        fprintf(f, "%-*s %s\n", NAMES, nst_preset_name(i), nst_preset_summary(i));
    name = nst_config_preset(0, &base);
    for (int i = 0; name; name = nst_config_preset(++i, &base))
        fprintf(f, "%-*s %s, with changes from %s\n", NAMES, name, base, nst_config_path());
}

/* The options that only this command has: their help begins with "nst NAME" and maybe the words that they go with. */
static void own_options(FILE *f, const char *command)
{
    size_t n = strlen(command);
    bool first = true;

    for (int i = 0; i < nst_option_count; i++) {
        nst_option r = nst_options[i];

        if (NST_GROUP(&r) != NST_GROUP_COMMANDS || strncmp(r.help, "nst ", 4) || strncmp(r.help + 4, command, n))
            continue;
        fputs(first ? "\n" : "", f);
        first = false;
        r.help += 4 + n;
        r.help += strspn(r.help, ": ");
        line(f, &r);
        if (r.more)
            wrapped(f, r.more);
    }
}

static bool command_topic(FILE *f, const char *name)
{
    const nst_command_row *c = nst_commands_find(name);

    if (!c)
        return false;
    fprintf(f, "Usage: nst %s%s%s\n\n", c->name, *c->arguments ? " " : "", c->arguments);
    wrapped(f, c->more);
    own_options(f, c->name);
    return true;
}

static bool option_topic(FILE *f, const char *name)
{
    for (int i = 0; i < nst_option_count; i++)
        if (!strcmp(nst_options[i].name, name)) {
            line(f, &nst_options[i]);
            if (nst_options[i].more)
                wrapped(f, nst_options[i].more);
            return true;
        }
    return false;
}

static bool preset_topic(FILE *f, const char *name)
{
    static const struct {
        const char *name, *text;
    } presets[] = {
#define PRESET(name, text) { name, text },
#include "cli/presets.inc"
    };

    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++)
        if (!strcmp(presets[i].name, name)) {
            fprintf(f, "--preset %s\n\n", name);
            wrapped(f, presets[i].text);
            return true;
        }
    return false;
}

nst_status nst_help_topic(FILE *f, const char *topic, nst_error *e)
{
    bool known = command_topic(f, topic) || preset_topic(f, topic);

    topic += strspn(topic, "-");
    if (option_topic(f, topic) || known) /* both, where an option and a command share a name */
        return NST_OK;
    if (!strcmp(topic, "all") || !strcmp(topic, "presets")) {
        (*topic == 'a' ? nst_help_all : nst_help_presets)(f);
        return NST_OK;
    }
    snprintf(e->text, sizeof e->text, "help: \"%.60s\" is no command, option or preset; nst help all lists them",
             topic);
    return NST_EARG;
}
