/* model_commands.c: `nst model info | list | verify | remove`, and which command is asked for. */
#include "cli/models/models.h"

#include "cli/fail.h"
#include "cli/models/guard.h"
#include "cli/models/known.h"
#include "cli/models/places.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool built_in(const nst_model *m)
{
    return !strcmp(nst_model_format(m), "built in");
}

static void say_licence(const nst_known *o)
{
    if (built_in(o->m)) {
        puts("licence: CC BY 4.0, https://creativecommons.org/licenses/by/4.0/\n"
             "made from: VGG16 of the VGG team (K. Simonyan and A. Zisserman, Visual Geometry Group, University of "
             "Oxford), CC BY 4.0\n"
             "changed: channels chosen, weights fitted by least squares and gradient descent, rounded to 8 bits");
        return;
    }
    if (*o->sums.sha256) {
        printf("sha-256: %s", o->sums.sha256);
        if (o->source && !o->named)
            printf(", %s %s", o->kept ? "made from" : "which is", o->source->file);
        putchar('\n');
    }
    if (o->source && o->source->licence)
        printf("licence: %s%s\n", o->source->licence, o->named ? ", if it is what its name says" : "");
    else
        printf("licence: not known%s; the VGG team's own weights are under CC BY 4.0\n",
               o->source || *o->sums.sha256 ? "" : " (this build lacks nettle, to tell files by their checksums)");
}

static nst_status info(const nst_command *c, nst_error *e)
{
    nst_known o;
    const char *name;
    nst_status s;
    int in, out;

    s = nst_known_named(&o, c->style[0] ? c->style[0] : c->model, c, e);
    if (s)
        return s;
    nst_say(stdout, "%s", nst_model_describe(o.m));
    nst_say(stdout, "format: %s", nst_model_format(o.m));
    name = nst_model_layer(o.m, 0, &in, &out);
    for (int i = 0; name; name = nst_model_layer(o.m, ++i, &in, &out))
        nst_say(stdout, "layer: %-8s %4d filters of %dx3x3", name, out, in);
    name = nst_model_note(o.m, 0);
    for (int i = 0; name; name = nst_model_note(o.m, ++i))
        nst_say(stdout, "%s", name);
    nst_say(stdout, "input: %s: %s", nst_model_input(o.m), nst_model_input_text(o.m));
    nst_say(stdout, "because: %s", o.why);
    if (built_in(o.m))
        printf("missing: no layer of vgg16 up to conv5_1, but half of its channels and more\n");
    else if (nst_known_likeness(o.m))
        printf("missing: nothing of %s up to conv5_1\n", nst_known_likeness(o.m));
    else
        printf("missing: it is neither VGG19 nor VGG16 up to conv5_1; layers behind its last one cannot be named\n");
    say_licence(&o);
    nst_model_close(&o.m);
    return NST_OK;
}

/* ---- list, verify, remove ---------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Adds the names of a folder's models to those that are there, n of them; their number then. */
static int add_names(const char *folder, char names[][160], int n, int max)
{
    DIR *d = opendir(folder);

    while (d && n < max) {
        const struct dirent *entry = readdir(d);
        size_t length = entry ? strlen(entry->d_name) : 0, suffix = strlen(NST_PLACES_SUFFIX);
        bool twice = false;

        if (!entry)
            break;
        if (length <= suffix || length >= 150 || strcmp(entry->d_name + length - suffix, NST_PLACES_SUFFIX) ||
            *entry->d_name == '.')
            continue;
        snprintf(names[n], 160, "%.*s", (int)(length - suffix), entry->d_name);
        for (int i = 0; i < n; i++)
            twice |= !strcmp(names[i], names[n]);
        n += !twice;
    }
    if (d)
        closedir(d);
    return n;
}

/* Names of the user's and the system's models, sorted; their number. */
static int list_names(char names[][160], int max)
{
    char path[NST_PATH_BYTES];
    int n = 0;

    if (nst_places_user(path, sizeof path))
        n = add_names(path, names, n, max);
    for (int i = 0; nst_places_system(i, path, sizeof path); i++)
        n = add_names(path, names, n, max);
    qsort(names, (size_t)n, sizeof names[0], by_name);
    return n;
}

/* list: a line a model; verify: reads all numbers of all, or of one. */
static nst_status list(const nst_command *c, nst_error *e)
{
    static char names[256][160];
    bool verify = !strcmp(c->content, "verify");
    int n = list_names(names, 256), bad = 0;

    if (!verify)
        printf("%-16s %s\n", "small", "built in: a student of VGG16 (CC BY 4.0)");
    if (c->style[0]) {
        snprintf(names[0], sizeof names[0], "%.150s", c->style[0]);
        n = 1;
    }
    for (int i = 0; i < n; i++) {
        char path[NST_PATH_BYTES];
        nst_model *m = NULL;
        nst_error why;

        if (nst_places_find(names[i], path, sizeof path, &why) || nst_guard_try(path, &why) ||
            nst_model_open(&m, path, &why)) {
            bad++;
            nst_say(stdout, "%-16s bad: %s", names[i], why.text);
        } else {
            nst_say(stdout, "%-16s %s%s", names[i], verify ? "good: " : "", nst_model_describe(m));
        }
        nst_model_close(&m);
    }
    return bad ? fail(e, NST_EFORMAT, "model %s: %d of %d cannot be used", c->content, bad, n) : NST_OK;
}

static nst_status take_away(const nst_command *c, nst_error *e)
{
    char path[NST_PATH_BYTES];
    nst_status s;

    if (!c->style[0])
        return fail(e, NST_EARG, "model remove: a name is missing, expected nst model remove NAME");
    s = nst_places_own(c->style[0], path, sizeof path, e);
    if (s)
        return s;
    return unlink(path) ? fail(e, NST_EIO, "%s: cannot be removed: %s", path, strerror(errno)) : NST_OK;
}

nst_status nst_models_run(const nst_command *c, nst_error *e)
{
    static const struct {
        const char *name;
        int arguments;
        nst_status (*run)(const nst_command *c, nst_error *e);
    } commands[] = {
        { "info", 1, info }, { "import", 2, nst_obtain_import }, { "fetch", 1, nst_obtain_fetch }, { "list", 0, list },
        { "verify", 1, list }, { "remove", 1, take_away },
    };

    for (size_t i = 0; c->content && i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(c->content, commands[i].name))
            continue;
        if (c->styles > commands[i].arguments)
            return fail(e, NST_EARG, "model %s: \"%s\" is one argument too many", c->content,
                        c->style[commands[i].arguments]);
        return commands[i].run(c, e);
    }
    return fail(e, NST_EARG,
                "model: expected info [FILE], import FILE [NAME], fetch [NAME], list, verify [NAME] or remove NAME");
}
