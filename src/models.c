/* models.c: `nst model info | import | list | verify | remove`, the user's folder of models, and the order of search. */
#include "models.h"

#include "paths.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".safetensors"
#define DEFAULT "vgg19"

static nst_status fail(nst_error *e, nst_status s, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    return s;
}

/* ---- the user's folder ------------------------------------------------------------------------------------------ */

/* $XDG_DATA_HOME/nst, without a variable ~/.local/share/nst; false when there is neither. */
static bool folder(char *path, size_t bytes)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    int n;

    if (data && *data == '/') /* a relative one is to be ignored, says the specification */
        n = snprintf(path, bytes, "%s/nst", data);
    else if (home && *home)
        n = snprintf(path, bytes, "%s/.local/share/nst", home);
    else
        return false;
    return n > 0 && (size_t)n < bytes;
}

static bool plain(const char *name)
{
    return *name && *name != '.' && !strchr(name, '/') && strlen(name) < 128 && strcmp(name, "wavelet");
}

/* The file of a model of the user's folder, whether it is there or not. */
static nst_status place(const char *name, char *path, size_t bytes, nst_error *e)
{
    char where[NST_PATH_BYTES];
    int n;

    if (!plain(name))
        return fail(e, NST_EARG, "model name \"%.60s\": expected a plain name, without / and not beginning with a dot", name);
    if (!folder(where, sizeof where))
        return fail(e, NST_EIO, "the user's models: neither XDG_DATA_HOME nor HOME says where they are");
    n = snprintf(path, bytes, "%s/%s" SUFFIX, where, name);
    if (n < 0 || (size_t)n >= bytes)
        return fail(e, NST_EARG, "the user's models: the folder's name is too long");
    return NST_OK;
}

static bool is_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* Each folder on the way, too. */
static nst_status make_folder(nst_error *e)
{
    char path[NST_PATH_BYTES];

    if (!folder(path, sizeof path))
        return fail(e, NST_EIO, "the user's models: neither XDG_DATA_HOME nor HOME says where they are");
    for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        mkdir(path, 0777);
        *slash = '/';
    }
    if (mkdir(path, 0777) && errno != EEXIST)
        return fail(e, NST_EIO, "%s: cannot be made: %s", path, strerror(errno));
    return NST_OK;
}

/* ---- which one -------------------------------------------------------------------------------------------------- */

/* A file's name goes before that of a model; what is neither is left for the opening to complain about. */
static nst_status resolve(const char *named, char *path, size_t bytes, nst_error *e)
{
    nst_error ignored;

    if (strcmp(named, "wavelet") && !is_file(named) && plain(named) && !place(named, path, bytes, &ignored) &&
        is_file(path))
        return NST_OK;
    if ((size_t)snprintf(path, bytes, "%s", named) >= bytes)
        return fail(e, NST_EARG, "model %.60s...: its name is too long", named);
    return NST_OK;
}

nst_status nst_models_find(const char *named, char *path, size_t bytes, nst_error *e)
{
    const char *variable = getenv("NST_MODEL");

    if (named)
        return resolve(named, path, bytes, e);
    if (variable && *variable)
        return resolve(variable, path, bytes, e);
    if (!place(DEFAULT, path, bytes, e) && is_file(path))
        return NST_OK;
    return resolve("wavelet", path, bytes, e);
}

nst_status nst_models_open(nst_model **out, const nst_command *c, nst_error *e)
{
    char path[NST_PATH_BYTES];
    nst_status s;

    *out = NULL;
    if ((s = nst_models_find(c->model, path, sizeof path, e)) || (s = nst_model_open(out, path, e)))
        return s;
    if (c->model_input && (s = nst_model_set_input(*out, nst_input_name(c->model_input - 1), e)))
        nst_model_close(out);
    return s;
}

/* ---- commands --------------------------------------------------------------------------------------------------- */

static const char *input_text(const char *name)
{
    for (int i = 0; nst_input_name(i); i++)
        if (!strcmp(nst_input_name(i), name))
            return nst_input_text(i);
    return "the picture as it is";
}

/* The layers of VGG19 and VGG16 up to conv5_1, by their numbers of convolutions in blocks 1 to 4. */
static bool has_blocks(const nst_model *m, const char *blocks)
{
    int i = 0;

    for (int b = 0; b < 5; b++)
        for (int k = 0; k < (b < 4 ? blocks[b] - '0' : 1); k++, i++) {
            char name[32];
            const char *own = nst_model_layer(m, i, NULL, NULL);

            snprintf(name, sizeof name, "conv%d_%d", b + 1, k + 1);
            if (!own || strcmp(own, name))
                return false;
        }
    return !nst_model_layer(m, i, NULL, NULL);
}

static const char *likeness(const nst_model *m)
{
    return has_blocks(m, "2244") ? "vgg19" : has_blocks(m, "2233") ? "vgg16" : NULL;
}

static nst_status info(const nst_command *c, nst_error *e)
{
    nst_command asked = *c;
    const char *name;
    nst_model *m;
    nst_status s;
    int in, out;

    asked.model = c->style[0] ? c->style[0] : c->model;
    if ((s = nst_models_open(&m, &asked, e)))
        return s;
    printf("%s\nformat: %s\n", nst_model_describe(m), nst_model_format(m));
    for (int i = 0; (name = nst_model_layer(m, i, &in, &out)); i++)
        printf("layer: %-8s %4d filters of %dx3x3\n", name, out, in);
    printf("input: %s: %s\nbecause: %s\n", nst_model_input(m), input_text(nst_model_input(m)), nst_model_input_why(m));
    if (likeness(m))
        printf("missing: nothing of %s up to conv5_1\n", likeness(m));
    else if (strcmp(nst_model_format(m), "built in"))
        printf("missing: it is neither VGG19 nor VGG16 up to conv5_1; layers behind its last one cannot be named\n");
    if (strcmp(nst_model_format(m), "built in"))
        printf("licence: not told by the file; the VGG team's own weights are under CC BY 4.0\n");
    nst_model_close(&m);
    return NST_OK;
}

static nst_status import(const nst_command *c, nst_error *e)
{
    char path[NST_PATH_BYTES], stem[128];
    const char *name = c->style[1];
    nst_command asked = *c;
    nst_model *m;
    nst_status s;

    if (!c->style[0])
        return fail(e, NST_EARG, "model import: a file is missing, expected nst model import FILE [NAME]");
    asked.model = c->style[0];
    if ((s = nst_models_open(&m, &asked, e)))
        return s;
    if (!name && !(name = likeness(m))) {
        const char *base = nst_paths_base(c->style[0]);

        snprintf(stem, sizeof stem, "%.*s", (int)(strcspn(base, ".") < 100 ? strcspn(base, ".") : 100), base);
        name = stem;
    }
    if (!(s = place(name, path, sizeof path, e)) && is_file(path))
        s = fail(e, NST_EARG, "%s: is there already; nst model remove %s takes it away", path, name);
    if (!s && !(s = make_folder(e)) && !(s = nst_model_save(m, path, c->half, e)) && !c->quiet)
        printf("%s\n%s takes %s because %s\n%s\n", path, name, nst_model_input(m), nst_model_input_why(m),
               strcmp(name, DEFAULT) ? "use it with --model and its name" : "nst uses it from now on, --model wavelet is the built-in one");
    nst_model_close(&m);
    return s;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Names of the user's models, sorted; their number. */
static int list_names(char names[][160], int max)
{
    char path[NST_PATH_BYTES];
    struct dirent *entry;
    int n = 0;
    DIR *d;

    if (!folder(path, sizeof path) || !(d = opendir(path)))
        return 0;
    while (n < max && (entry = readdir(d))) {
        size_t length = strlen(entry->d_name), suffix = strlen(SUFFIX);

        if (length > suffix && length < 150 && !strcmp(entry->d_name + length - suffix, SUFFIX) && *entry->d_name != '.')
            snprintf(names[n++], 160, "%.*s", (int)(length - suffix), entry->d_name);
    }
    closedir(d);
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
        printf("%-16s %s\n", "wavelet", "built in: weights computed from formulas, nothing learned");
    if (c->style[0]) {
        snprintf(names[0], sizeof names[0], "%.150s", c->style[0]);
        n = 1;
    }
    for (int i = 0; i < n; i++) {
        char path[NST_PATH_BYTES];
        nst_model *m = NULL;
        nst_error why;

        if (c->style[0] ? nst_models_find(names[i], path, sizeof path, &why) || nst_model_open(&m, path, &why)
                        : place(names[i], path, sizeof path, &why) || nst_model_open(&m, path, &why)) {
            bad++;
            printf("%-16s bad: %s\n", names[i], why.text);
        } else {
            printf("%-16s %s%s\n", names[i], verify ? "good: " : "", nst_model_describe(m));
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
    if ((s = place(c->style[0], path, sizeof path, e)))
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
        { "info", 1, info }, { "import", 2, import }, { "list", 0, list }, { "verify", 1, list }, { "remove", 1, take_away },
    };

    for (size_t i = 0; c->content && i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(c->content, commands[i].name))
            continue;
        if (c->styles > commands[i].arguments)
            return fail(e, NST_EARG, "model %s: \"%s\" is one argument too many", c->content, c->style[commands[i].arguments]);
        return commands[i].run(c, e);
    }
    return fail(e, NST_EARG, "model: expected info [FILE], import FILE [NAME], list, verify [NAME] or remove NAME");
}
