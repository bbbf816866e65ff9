/* run.c: joins each command of commands.inc to the module that does it. */
#include "cli/commands.h"

#include "cli/batch.h"
#include "cli/bench.h"
#include "cli/config.h"
#include "cli/devices.h"
#include "cli/doctor.h"
#include "cli/models/models.h"
#include "cli/resume.h"
#include "cli/studio/studio.h"
#include "cli/video/video.h"

static nst_status one_too_many(const char *command, const char *word, nst_error *e)
{
    snprintf(e->text, sizeof e->text, "%s: \"%s\" is one argument too many", command, word);
    return NST_EARG;
}

/* The same options as a painting's, no pictures. */
static nst_status bench(int argc, char **argv, nst_error *e)
{
    nst_command c;
    nst_settings *settings = NULL;
    nst_status s = nst_config_parse(argc, argv, &c, e);

    if (s)
        return s;
    if (c.content)
        return one_too_many("bench", c.content, e);
    s = nst_config_settings(argc, argv, &c, &settings, e);
    if (!s)
        s = nst_bench(&c, settings, e);
    nst_settings_destroy(&settings);
    return s;
}

/* `nst model COMMAND [OPTION]... [FILE] [NAME]` */
static nst_status model(int argc, char **argv, nst_error *e)
{
    nst_command c;
    nst_status s = nst_options_parse(argc, argv, &c, NULL, e);

    return s ? s : nst_models_run(&c, e);
}

static nst_status devices(int argc, char **argv, nst_error *e)
{
    return argc > 1 ? one_too_many("devices", argv[1], e) : nst_devices_run(e);
}

static nst_status help(int argc, char **argv, nst_error *e)
{
    if (argc > 2)
        return one_too_many("help", argv[2], e);
    if (argc == 2)
        return nst_help_topic(stdout, argv[1], e);
    nst_help_short(stdout);
    return NST_OK;
}

nst_status nst_commands_run(const nst_command_row *row, int argc, char **argv, nst_error *e)
{
    static nst_status (*const run[])(int argc, char **argv, nst_error *e) = {
#define COMMAND(name, run, ...) run,
#include "cli/commands.inc"
    };

    return run[row - nst_commands](argc, argv, e);
}
