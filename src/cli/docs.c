/* docs.c: a program of the build, for the build machine: prints the man page or a shell's completion from the tables of
 * options and commands.  It links options.c only, so that a cross build makes them too. */
#include "cli/options.h"

#include <string.h>

static const struct command {
    const char *name, *arguments, *words, *summary, *more;
} commands[] = {
#define COMMAND(name, run, arguments, words, summary, more) { name, arguments, words, summary, more },
#include "cli/commands.inc"
};
static const struct preset {
    const char *name, *text;
} presets[] = {
#define PRESET(name, text) { name, text },
#include "cli/presets.inc"
};

#define COMMANDS (sizeof commands / sizeof *commands)

static void each(int group, void (*print)(const nst_option *))
{
    for (int i = 0; i < nst_option_count; i++)
        if (group < 0 || NST_GROUP(&nst_options[i]) == group)
            print(&nst_options[i]);
}

static bool takes_file(const nst_option *r)
{
    return (r->kind == NST_OPTION_PATH && strcmp(r->name, "preset")) || r->kind == NST_OPTION_PATHS ||
           r->kind == NST_OPTION_START;
}

/* ---- man ------------------------------------------------------------------------------------------------------- */

static void roff(const char *text)
{
    for (; *text; text++)
        if (*text == '-')
            fputs("\\-", stdout);
        else if (*text == '\\')
            fputs("\\e", stdout);
        else
            putchar(*text);
}

static void man_option(const nst_option *r)
{
    fputs(".TP\n", stdout);
    if (r->letter)
        printf("\\fB\\-%c\\fR, ", r->letter);
    fputs("\\fB\\-\\-", stdout);
    roff(r->name);
    fputs("\\fR", stdout);
    if (r->argument) {
        fputs(" \\fI", stdout);
        roff(r->argument);
        fputs("\\fR", stdout);
    }
    putchar('\n');
    roff(r->help);
    fputs(".\n", stdout);
    if (r->more) {
        roff(r->more);
        putchar('\n');
    }
    if (r->max > r->min && (r->kind == NST_OPTION_INT || r->kind == NST_OPTION_SIZE || r->kind == NST_OPTION_ROUNDS ||
                            r->kind == NST_OPTION_DOUBLE))
        printf("A number from %g to %.10g.\n", r->min, r->max);
}

static void man_command(const struct command *c)
{
    printf(".TP\n\\fBnst %s\\fR ", c->name);
    roff(c->arguments);
    putchar('\n');
    roff(c->more);
    putchar('\n');
}

static void man(void)
{
    puts(".\\\" Made by src/cli/docs.c from the table in src/cli/options.c.\n"
         ".TH NST 1 \"\" \"nst " PACKAGE_VERSION "\" \"User Commands\"\n"
         ".SH NAME\nnst \\- paint a picture in the style of others\n"
         ".SH SYNOPSIS\n\\fBnst\\fR [\\fIOPTION\\fR]... \\fICONTENT STYLE\\fR...\n"
         ".br\n\\fBnst\\fR \\fICOMMAND\\fR [\\fIARGUMENT\\fR]...\n"
         ".SH DESCRIPTION\n"
         "Paints the picture \\fICONTENT\\fR in the style of the picture \\fISTYLE\\fR, or of several, by neural\n"
         "style transfer.  It optimises the picture itself until its features in a network match those of the content\n"
         "and their statistics match those of the style.\n"
         ".PP\n"
         "nst reads and writes PNG, JPEG, TIFF, WebP, PPM and PFM, and reads HEIC, AVIF, JPEG XL, GIF and BMP, each\n"
         "where the build has its library.  Of an animation it takes the first picture.\n"
         "It tells them apart by content when it reads and by suffix when it writes; \\- is standard input or\n"
         "output.\n"
         "A file more than twice as large as needed is made smaller while it is read.  Orientation and embedded\n"
         "colour profiles are respected.  Alpha is kept, and what is transparent counts neither in the\n"
         "content nor in a style.  If the result cannot be written in the end, nst keeps it in a new\n"
         "folder of \\fB$TMPDIR\\fR, the home folder, the current one or /tmp, and says where.\n"
         ".PP\n"
         "On a terminal a line shows progress and the time left; elsewhere nst prints plain lines.\n"
         "Ctrl\\-C ends the run after the current iteration and keeps the picture as it is then.\n"
         "The same settings, pictures and kernels give the same result, bit for bit, with any number of threads.\n"
         ".SH COMMANDS");
    for (size_t i = 0; i < COMMANDS; i++)
        man_command(&commands[i]);
    puts(".SH OPTIONS");
    for (int g = 0; g < NST_GROUP_COUNT; g++) {
        printf(".SS %s\n", nst_group_titles[g]);
        each(g, man_option);
    }
    puts(".SH PRESETS\n"
         "A preset that follows another program has its losses, optimiser, schedule and start.  Tests compare them\n"
         "with an independent computation.  Everywhere nst resamples pictures by its own filters in linear light,\n"
         "rounds sizes, and makes its own random numbers.");
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) {
        printf(".TP\n\\fB");
        roff(presets[i].name);
        printf("\\fR\n");
        roff(presets[i].text);
        putchar('\n');
    }
    puts(".SH EXIT STATUS\n"
         "0: done.  1: failed; standard error tells the reason.  2: wrong usage.\n"
         "128 + N: ended by signal N; after the first Ctrl\\-C the picture so far has been saved.\n"
         ".SH FILES\n"
         "A result is written beside its name, synced and renamed.  So its name always holds the old picture or the\n"
         "whole new one.  The picture carries the run's settings as a comment.\n"
         ".PP\n$XDG_DATA_HOME/nst/models, else ~/.local/share/nst/models: the user\\(aqs models; nst/models in each\n"
         "folder of $XDG_DATA_DIRS and where nst was installed: the system\\(aqs.\n"
         ".PP\n$XDG_CONFIG_HOME/nst/config, else ~/.config/nst/config: the user\\(aqs options, in the\n"
         "form that \\fB\\-\\-config\\fR explains.\n"
         ".PP\n.nf\n"
         "# for every painting\nsize = 1024\nthreads = 4\n\n"
         "[preset calm]\npreset = nst\nstyle\\-weight = 4\nstyle\\-scale = 0.5\n.fi\n"
         ".SH ENVIRONMENT\nNST_MODEL: the model, a file or a name, when \\fB\\-\\-model\\fR is not given.\n"
         ".PP\nNST_FETCH_PATIENCE: seconds for which nst model fetch waits for a connection, or for 1000 bytes a\n"
         "second (default: 30).\n"
         ".SH EXAMPLES\n.nf\n"
         "nst photo.jpg painting.jpg\n"
         "nst \\-o new.jpg \\-s 1024 photo.jpg painting.jpg\n"
         "nst model fetch\n"
         "nst batch \\-\\-output\\-dir out photos \\-\\- paintings\n"
         "nst model import vgg19\\-dcbb9e9d.pth\n"
         "nst \\-\\-style\\-blend 3,1 \\-o mixed.png photo.jpg painting1.jpg painting2.jpg\n"
         "nst \\-\\-content\\-mask sky.png \\-o two.png photo.jpg for\\-sky.jpg for\\-the\\-rest.jpg\n"
         "nst \\-p gatys \\-m vgg19.safetensors \\-\\-log log.jsonl \\-o gatys.png photo.jpg painting.jpg\n"
         ".fi\n"
         ".SH SEE ALSO\n"
         "L. A. Gatys, A. S. Ecker, M. Bethge: Image Style Transfer Using Convolutional Neural Networks, CVPR 2016.");
}

/* ---- bash ------------------------------------------------------------------------------------------------------ */

static void bash_name(const nst_option *r)
{
    if (r->letter)
        printf(" -%c", r->letter);
    printf(" --%s", r->name);
}

static void bash_value(const nst_option *r)
{
    if (!r->argument)
        return;
    printf("    --%s", r->name);
    if (r->letter)
        printf("|-%c", r->letter);
    printf(") COMPREPLY=($(compgen %s-W '%s' -- \"$cur\")); return ;;\n", takes_file(r) ? "-f " : "",
           r->choices ? r->choices : "");
}

static void bash(void)
{
    puts("# bash completion for nst, made by src/cli/docs.c from the table in src/cli/options.c.\n"
         "_nst()\n{\n    COMPREPLY=()\n"
         "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
         "    [[ $cur == = ]] && cur=\n"
         "    [[ $prev == = ]] && prev=${COMP_WORDS[COMP_CWORD-2]}\n"
         "    compopt -o filenames 2>/dev/null\n"
         "    case $prev in");
    each(-1, bash_value);
    for (size_t i = 0; i < COMMANDS; i++)
        if (*commands[i].words)
            printf("    %s) ((COMP_CWORD == 2)) && COMPREPLY=($(compgen -f -W '%s' -- \"$cur\")) && return ;;\n",
                   commands[i].name, commands[i].words);
    fputs("    esac\n    ((COMP_CWORD == 1)) && COMPREPLY=($(compgen -W '", stdout);
    for (size_t i = 0; i < COMMANDS; i++)
        printf("%s%s", i ? " " : "", commands[i].name);
    fputs("' -- \"$cur\"))\n    case $cur in\n    -*) COMPREPLY=($(compgen -W '", stdout);
    each(-1, bash_name);
    puts("' -- \"$cur\")) ;;\n    *) COMPREPLY+=($(compgen -f -- \"$cur\")) ;;\n    esac\n}\ncomplete -F _nst nst");
}

/* ---- zsh ------------------------------------------------------------------------------------------------------- */

/* Inside of single quotes and an _arguments message. */
static void zsh_text(const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", stdout);
        else if (strchr("[]:", *text))
            printf("\\%c", *text);
        else
            putchar(*text);
    }
}

static void zsh_option(const nst_option *r)
{
    if (r->letter)
        printf("    '(-%c --%s)'{-%c%s,--%s%s}'[", r->letter, r->name, r->letter, r->argument ? "+" : "", r->name,
               r->argument ? "=" : "");
    else
        printf("    '%s--%s%s[", r->kind == NST_OPTION_PATHS ? "*" : "", r->name, r->argument ? "=" : "");
    zsh_text(r->help);
    putchar(']');
    if (r->argument) {
        putchar(':');
        zsh_text(r->argument);
        putchar(':');
        if (takes_file(r) && r->choices)
            printf("_alternative \"words\\:word\\:(%s)\" \"files\\:file\\:_files\"", r->choices);
        else if (takes_file(r))
            fputs("_files", stdout);
        else if (r->choices)
            printf("(%s)", r->choices);
    }
    puts("' \\");
}

static void zsh(void)
{
    puts("#compdef nst\n# zsh completion for nst, made by src/cli/docs.c from the table in src/cli/options.c.\n"
         "_arguments -s -S \\");
    each(-1, zsh_option);
    fputs("    '1: :{_alternative \"commands:command:((", stdout);
    for (size_t i = 0; i < COMMANDS; i++) {
        printf("%s%s\\:\\\"", i ? " " : "", commands[i].name);
        zsh_text(commands[i].summary);
        fputs("\\\"", stdout);
    }
    puts("))\" \"files:picture:_files\"}' \\");
    puts("    '*:picture:_files -g \"*.(#i)(png|jpg|jpeg|tif|tiff|webp|ppm|pgm|pbm|pnm|pfm|heic|heif|hif|avif|jxl|"
         "gif|bmp)(-.)\"'");
}

/* ---- fish ------------------------------------------------------------------------------------------------------ */

static void fish_quoted(const char *text)
{
    putchar('\'');
    for (; *text; text++)
        fputs(*text == '\'' ? "\\'" : (char[2]){ *text }, stdout);
    puts("'");
}

static void fish_option(const nst_option *r)
{
    fputs("complete -c nst", stdout);
    if (r->letter)
        printf(" -s %c", r->letter);
    printf(" -l %s", r->name);
    if (r->argument)
        fputs(takes_file(r) ? " -r -F" : " -x", stdout);
    if (r->choices)
        printf(" -a '%s'", r->choices);
    fputs(" -d ", stdout);
    fish_quoted(r->help);
}

static void fish(void)
{
    puts("# fish completion for nst, made by src/cli/docs.c from the table in src/cli/options.c.");
    each(-1, fish_option);
    for (size_t i = 0; i < COMMANDS; i++) {
        printf("complete -c nst -n __fish_use_subcommand -a %s -d ", commands[i].name);
        fish_quoted(commands[i].summary);
        if (*commands[i].words)
            printf("complete -c nst -n '__fish_seen_subcommand_from %s' -a '%s'\n", commands[i].name,
                   commands[i].words);
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } kinds[] = { { "man", man }, { "bash", bash }, { "zsh", zsh }, { "fish", fish } };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (argc == 2 && !strcmp(argv[1], kinds[i].name)) {
            kinds[i].print();
            return fflush(stdout) || ferror(stdout);
        }
    fputs("usage: docs man|bash|zsh|fish\n", stderr);
    return 2;
}
