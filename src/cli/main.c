/* main.c: the program nst, a client of libnst: finds what the command line asks for, and ends as that ended. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/config.h"
#include "cli/fail.h"
#include "cli/interrupt.h"
#include "cli/paint.h"

static void say_version(void)
{
    char read[256], written[256];

    printf("nst %s\n%s\nkernels:", nst_version(), nst_build_info());
    for (int i = 0; nst_simd_name(i); i++)
        printf(" %s%s", nst_simd_name(i), nst_simd_usable(i) ? "" : " (not on this machine)");
    printf("; chosen: %s\n", nst_simd_chosen());
    printf("pictures read: %s; written: %s\n", nst_format_list(0, read, sizeof read),
           nst_format_list(1, written, sizeof written));
    printf("built-in model: small, made from the VGG team's VGG16 (CC BY 4.0; nst model info small tells more)\n");
}

/* What the options ask to be said, else a painting. */
static nst_status say_or_paint(int argc, char **argv, nst_error *e)
{
    nst_command c;
    nst_status s = nst_config_parse(argc, argv, &c, e);

    if (s)
        return s;
    if (c.help)
        nst_help_short(stdout);
    else if (c.version)
        say_version();
    else if (c.preset && !strcmp(c.preset, "list"))
        nst_help_presets(stdout);
    else
        return nst_paint_run(&c, argc, argv, e);
    return NST_OK;
}

static bool asks_help(int argc, char **argv)
{
    for (int i = 2; i < argc && strcmp(argv[i], "--"); i++)
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
            return true;
    return false;
}

static nst_status run(int argc, char **argv, nst_error *e)
{
    const nst_command_row *row = nst_commands_find(argv[1]);

    if (!row)
        return say_or_paint(argc, argv, e);
    return asks_help(argc, argv) ? nst_help_topic(stdout, row->name, e) : nst_commands_run(row, argc - 1, argv + 1, e);
}

int main(int argc, char **argv)
{
    nst_error e = { "" };
    nst_status s;

    nst_interrupt_begin();
    if (argc < 2) {
        nst_help_usage(stdout);
        fflush(stdout);
        return EXIT_USAGE;
    }
    s = run(argc, argv, &e);
    if (s && *e.text)
        nst_say(stderr, "nst: %s", e.text);
    if (nst_interrupt_pending())
        nst_interrupt_die(nst_interrupt_pending());
    /* Text for standard output: a full disk or a closed pipe there is a failure like any other. */
    if ((fflush(stdout) || ferror(stdout)) && !s) {
        if (errno == EPIPE) /* nst help all | head */
            nst_interrupt_die(SIGPIPE);
        nst_say(stderr, "nst: standard output: %s", strerror(errno));
        return EXIT_FAILED;
    }
    return nst_exit_status(s);
}
