/* models.c: `nst model info | import | fetch | list | verify | remove`, and which model a run uses. */
#include "models.h"

#include "fetch.h"
#include "guard.h"
#include "places.h"
#include "sources.h"
#include "sums.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static nst_status fail(nst_error *e, nst_status s, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    return s;
}

/* ---- which one -------------------------------------------------------------------------------------------------- */

/* A file's name goes before that of a model; what is neither is left for the opening to complain about. */
static nst_status resolve(const char *named, char *path, size_t bytes, nst_error *e)
{
    if (strcmp(named, "wavelet") && !nst_places_is_file(named) && nst_places_search(named, path, bytes))
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
    if (nst_places_search(NST_PLACES_DEFAULT, path, bytes))
        return NST_OK;
    return resolve("wavelet", path, bytes, e);
}

/* A model and what is known of its file beside what it says itself. */
struct opened {
    nst_model *m;
    nst_sums sums;
    const nst_source *source;
    bool kept;     /* it is a trimmed copy of the source */
    bool named;    /* only its name says that it is the source */
    char why[200]; /* its input is believed */
};

/* What import and fetch note in a model: the checksums of what it was made from. */
static bool read_origin(const nst_model *m, nst_sums *sums)
{
    return sscanf(nst_model_origin(m), "sha256:%64[0-9a-f],md5:%32[0-9a-f]", sums->sha256, sums->md5) == 2;
}

/* Two families of files look the same, torchvision's and those converted from Caffe's: what is published tells them apart,
 * by the checksum or, where that is not to be computed before each run, by its first digits in the file's name. */
static nst_status open_path(struct opened *o, const char *path, const nst_command *c, bool thoroughly, nst_error *e)
{
    nst_sums origin = { "", "" };
    nst_error ignored;
    nst_status s;

    if ((s = nst_guard_try(path, e)) || (s = nst_model_open(&o->m, path, e)))
        return s;
    if (thoroughly && strcmp(path, "wavelet") && nst_sums_here() && !nst_sums_file(path, &o->sums, &ignored))
        o->source = nst_sources_known(o->sums.sha256, o->sums.md5);
    if (!o->source && thoroughly && read_origin(o->m, &origin))
        o->kept = (o->source = nst_sources_known(origin.sha256, origin.md5));
    if (o->source && !o->kept) {
        snprintf(o->why, sizeof o->why, "its checksum is that of %s, %s", o->source->file, o->source->what);
    } else if (!o->source && (o->source = nst_sources_marked(nst_paths_base(path)))) {
        o->named = true; /* neural-style-pt's installation saves it again under the same name */
        snprintf(o->why, sizeof o->why, "its name is that of %s, %s", o->source->file, o->source->what);
    }
    if (c->model_input)
        s = nst_model_set_input(o->m, nst_input_name(c->model_input - 1), e);
    else if (o->source && o->source->input && !o->kept)
        s = nst_model_set_input(o->m, o->source->input, e);
    if (c->model_input || !o->source || !o->source->input || o->kept)
        snprintf(o->why, sizeof o->why, "%s", nst_model_input_why(o->m));
    if (s)
        nst_model_close(&o->m);
    return s;
}

static nst_status open_named(struct opened *o, const char *named, const nst_command *c, nst_error *e)
{
    char path[NST_PATH_BYTES];
    nst_status s = nst_models_find(named, path, sizeof path, e);

    *o = (struct opened){ .m = NULL };
    return s ? s : open_path(o, path, c, true, e);
}

nst_status nst_models_open(nst_model **out, const nst_command *c, nst_error *e)
{
    struct opened o = { .m = NULL };
    char path[NST_PATH_BYTES];
    nst_status s;

    *out = NULL;
    if ((s = nst_models_find(c->model, path, sizeof path, e)) || (s = open_path(&o, path, c, false, e)))
        return s;
    *out = o.m;
    return NST_OK;
}

const char *nst_models_reason(const nst_command *c, char *text, size_t bytes)
{
    const char *variable = getenv("NST_MODEL"), *named = c->model ? c->model : variable && *variable ? variable : NULL;
    char path[NST_PATH_BYTES], user[NST_PATH_BYTES] = "";
    nst_error e;
    bool own;

    *text = 0;
    if (nst_models_find(c->model, path, sizeof path, &e) || !strcmp(path, "wavelet") || (named && !strcmp(named, path)))
        return text;
    own = nst_places_user(user, sizeof user) && !strncmp(path, user, strlen(user)) && path[strlen(user)] == '/';
    snprintf(text, bytes, " (%s%.*s)", own ? "the user's own, in " : "the system's, in ",
             (int)(nst_paths_base(path) - path - 1), path);
    return text;
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

static void say_licence(const struct opened *o)
{
    if (!strcmp(nst_model_format(o->m), "built in"))
        return;
    if (*o->sums.sha256)
        printf("sha-256: %s%s%s\n", o->sums.sha256, !o->source || o->named ? "" : o->kept ? ", made from " : ", which is ",
               o->source && !o->named ? o->source->file : "");
    if (o->source && o->source->licence)
        printf("licence: %s%s\n", o->source->licence, o->named ? ", if it is what its name says" : "");
    else
        printf("licence: not known%s; the VGG team's own weights are under CC BY 4.0\n",
               o->source || *o->sums.sha256 ? "" : " (this build lacks nettle, to tell files by their checksums)");
}

static nst_status info(const nst_command *c, nst_error *e)
{
    struct opened o;
    const char *name;
    nst_status s;
    int in, out;

    if ((s = open_named(&o, c->style[0] ? c->style[0] : c->model, c, e)))
        return s;
    printf("%s\nformat: %s\n", nst_model_describe(o.m), nst_model_format(o.m));
    for (int i = 0; (name = nst_model_layer(o.m, i, &in, &out)); i++)
        printf("layer: %-8s %4d filters of %dx3x3\n", name, out, in);
    printf("input: %s: %s\nbecause: %s\n", nst_model_input(o.m), input_text(nst_model_input(o.m)), o.why);
    if (likeness(o.m))
        printf("missing: nothing of %s up to conv5_1\n", likeness(o.m));
    else if (strcmp(nst_model_format(o.m), "built in"))
        printf("missing: it is neither VGG19 nor VGG16 up to conv5_1; layers behind its last one cannot be named\n");
    say_licence(&o);
    nst_model_close(&o.m);
    return NST_OK;
}

/* The stem of a file's name or an address, for a model's; "" when it has none. */
static const char *stem(const char *from, char name[128])
{
    const char *base = nst_paths_base(from);

    snprintf(name, 128, "%.*s", (int)(strcspn(base, ".?#") < 100 ? strcspn(base, ".?#") : 100), base);
    return name;
}

/* NULL or a path that is free. */
static nst_status free_place(const char *name, char *path, size_t bytes, nst_error *e)
{
    nst_status s = nst_places_own(name, path, bytes, e);

    return !s && nst_places_is_file(path) ? fail(e, NST_EARG, "%s: is there already; nst model remove %s takes it away", path, name)
                                          : s;
}

/* Into the user's folder, as name. */
static nst_status keep(const struct opened *o, const char *name, const nst_command *c, nst_error *e)
{
    char path[NST_PATH_BYTES], origin[128];
    nst_status s;

    if (*o->sums.sha256 && !*nst_model_origin(o->m)) {
        snprintf(origin, sizeof origin, "sha256:%s,md5:%s", o->sums.sha256, o->sums.md5);
        if ((s = nst_model_set_origin(o->m, origin, e)))
            return s;
    }
    if ((s = free_place(name, path, sizeof path, e)) || (s = nst_places_make(e)) || (s = nst_model_save(o->m, path, c->half, e)))
        return s;
    if (!c->quiet)
        printf("%s\n%s takes %s because %s\n%s\n", path, name, nst_model_input(o->m), o->why,
               strcmp(name, NST_PLACES_DEFAULT) ? "use it with --model and its name"
                                                : "nst uses it from now on, --model wavelet is the built-in one");
    return NST_OK;
}

static nst_status import(const nst_command *c, nst_error *e)
{
    struct opened o;
    const char *name = c->style[1];
    char own[128];
    nst_status s;

    if (!c->style[0])
        return fail(e, NST_EARG, "model import: a file is missing, expected nst model import FILE [NAME]");
    if ((s = open_named(&o, c->style[0], c, e)))
        return s;
    if (!name && !(name = likeness(o.m)))
        name = stem(c->style[0], own);
    s = keep(&o, name, c, e);
    nst_model_close(&o.m);
    return s;
}

/* ---- fetch ------------------------------------------------------------------------------------------------------ */

static nst_status unknown_source(const char *name, nst_error *e)
{
    size_t n = (size_t)snprintf(e->text, sizeof e->text, "model fetch: \"%.60s\" is unknown, expected", name);

    for (int i = 0; i < nst_source_count && n < sizeof e->text; i++)
        if (nst_sources[i].name)
            n += (size_t)snprintf(e->text + n, sizeof e->text - n, " %s,", nst_sources[i].name);
    if (n < sizeof e->text)
        snprintf(e->text + n, sizeof e->text - n, " or an address with --url");
    return NST_EARG;
}

/* Like torch's hub: an address that ends in -0123abcd.pth tells the first digits of its SHA-256. */
static bool promised(const char *url, char digits[9])
{
    const char *base = nst_paths_base(url), *dash = strchr(base, '-');

    for (; dash; dash = strchr(dash + 1, '-'))
        if (strspn(dash + 1, "0123456789abcdef") == 8 && dash[9] == '.') {
            snprintf(digits, 9, "%s", dash + 1);
            return true;
        }
    return false;
}

/* The whole file has come: is it what was to come? */
static nst_status check_sums(const nst_source *source, const char *sha256, const char *part, const char *url, const nst_sums *sums,
                             nst_error *e)
{
    const char *expected = source && source->sha256 ? source->sha256 : sha256;

    (void)part;
    if (expected && !nst_sources_agree(sums->sha256, expected))
        return fail(e, NST_EFORMAT, "%s: its SHA-256 is %s, expected %s%s: it was thrown away", url, sums->sha256, expected,
                    strlen(expected) < 64 ? "..." : "");
    if (source && source->md5 && strcmp(sums->md5, source->md5))
        return fail(e, NST_EFORMAT, "%s: its MD5 is %s, expected %s: it was thrown away", url, sums->md5, source->md5);
    return NST_OK;
}

static nst_status take_part(const nst_source *source, const char *sha256, const char *part, const char *url, const char *name,
                            const nst_command *c, nst_error *e)
{
    struct opened o = { .m = NULL };
    nst_error why;
    nst_status s;

    if ((s = nst_sums_file(part, &o.sums, e)))
        return s;
    if (!(s = check_sums(source, sha256, part, url, &o.sums, e)) && (s = open_path(&o, part, c, true, &why)))
        fail(e, s, "%s: what came is no model that can be used: %.300s", url, why.text);
    if (!s && !(source && (source->sha256 || source->md5)) && !sha256 && !c->quiet)
        printf("sha-256: %s, and nothing known to compare it with\n", o.sums.sha256);
    if (!s)
        s = keep(&o, name ? name : likeness(o.m) ? likeness(o.m) : "fetched", c, e);
    nst_model_close(&o.m);
    if (!s || s == NST_EFORMAT) /* used, or proven wrong; not when only this build or this disk is too small for it */
        nst_fetch_forget(part);
    return s;
}

static nst_status fetch(const nst_command *c, nst_error *e)
{
    const char *name = c->style[0], *url = c->url;
    const nst_source *source = nst_sources_named(name || url ? name ? name : "" : NST_PLACES_DEFAULT);
    char own[128], path[NST_PATH_BYTES], part[NST_PATH_BYTES + 8], digits[9];
    nst_fetch f = { .plain = url != NULL, .quiet = c->quiet != 0, .part = part };
    bool promise;
    nst_status s;

    if (!source && !url)
        return unknown_source(name, e);
    if (!source)
        source = nst_sources_marked(nst_paths_base(url));
    f.url = url ? url : source->url;
    promise = !source && promised(f.url, digits);
    if (!name)
        name = source ? source->name : stem(f.url, own);
    if ((s = free_place(name, path, sizeof path, e)) || (s = nst_places_make(e)))
        return s;
    if (!nst_sums_here())
        return fail(e, NST_EUNSUPPORTED, "model fetch: this build of nst lacks nettle, which checks what was downloaded; "
                    "download %s yourself, then: nst model import FILE", f.url);
    snprintf(part, sizeof part, "%.*s.part", (int)(strlen(path) - strlen(NST_PLACES_SUFFIX)), path);
    f.bytes = source ? source->bytes : 0;
    f.checked = source || promise;
    if (!c->quiet)
        printf("%s%s%s\n", f.url, source ? ": " : "", source ? source->what : "");
    fflush(stdout);
    if ((s = nst_fetch_file(&f, e)))
        return s;
    return take_part(source, promise ? digits : NULL, part, f.url, name, c, e);
}

/* ---- list, verify, remove ---------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Adds the names of a folder's models to those that are there, n of them; their number then. */
static int add_names(const char *folder, char names[][160], int n, int max)
{
    struct dirent *entry;
    DIR *d = opendir(folder);

    while (d && n < max && (entry = readdir(d))) {
        size_t length = strlen(entry->d_name), suffix = strlen(NST_PLACES_SUFFIX);
        bool twice = false;

        if (length <= suffix || length >= 150 || strcmp(entry->d_name + length - suffix, NST_PLACES_SUFFIX) || *entry->d_name == '.')
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
        printf("%-16s %s\n", "wavelet", "built in: weights computed from formulas, nothing learned");
    if (c->style[0]) {
        snprintf(names[0], sizeof names[0], "%.150s", c->style[0]);
        n = 1;
    }
    for (int i = 0; i < n; i++) {
        char path[NST_PATH_BYTES];
        nst_model *m = NULL;
        nst_error why;

        if (nst_models_find(names[i], path, sizeof path, &why) || nst_guard_try(path, &why) ||
            nst_model_open(&m, path, &why)) {
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
    if ((s = nst_places_own(c->style[0], path, sizeof path, e)))
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
        { "info", 1, info }, { "import", 2, import }, { "fetch", 1, fetch }, { "list", 0, list }, { "verify", 1, list }, { "remove", 1, take_away },
    };

    for (size_t i = 0; c->content && i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(c->content, commands[i].name))
            continue;
        if (c->styles > commands[i].arguments)
            return fail(e, NST_EARG, "model %s: \"%s\" is one argument too many", c->content, c->style[commands[i].arguments]);
        return commands[i].run(c, e);
    }
    return fail(e, NST_EARG, "model: expected info [FILE], import FILE [NAME], fetch [NAME], list, verify [NAME] or remove NAME");
}
