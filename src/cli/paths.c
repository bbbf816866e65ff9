/* paths.c: names of the files that a run writes, and what stands in their way, asked before the long run. */
#include "cli/paths.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/fail.h"

#define ADDED 16                       /* bytes that a result's name may get: a hyphen, a number, "-stopped" */
#define NAMED (16 + 3 * NST_MAX_STYLES) /* files of a run */

const char *nst_paths_base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

int nst_paths_stem(const char *name)
{
    const char *dot = strrchr(nst_paths_base(name), '.');

    return (int)(dot && dot != nst_paths_base(name) ? (size_t)(dot - name) : strlen(name));
}

bool nst_paths_is_picture(const char *path)
{
    const nst_format *f = nst_format_of(path);

    return f && f->reads;
}

bool nst_paths_is_stream(const char *path)
{
    return !strcmp(path, "-");
}

const char *nst_paths_label(const char *path)
{
    return nst_paths_is_stream(path) ? "standard output" : path;
}

const nst_format *nst_paths_format(const nst_command *c, const char *path)
{
    if (c->format) /* the row's first word is auto */
        return nst_format_at(c->format - 1);
    return path && !nst_paths_is_stream(path) ? nst_format_of(path) : nst_format_at(0);
}

const char *nst_paths_suffix(const nst_command *c, char out[16])
{
    const char *all = nst_paths_format(c, NULL)->suffixes;

    snprintf(out, 16, "%.*s", (int)strcspn(all, " "), all);
    return out;
}

/* What the command line asks of the result's format, which must be able to do it. */
static nst_status check_format(const nst_command *c, nst_error *e)
{
    const nst_format *f = nst_paths_format(c, c->output);
    char list[128];

    if (!f)
        return fail(e, NST_EARG, "%s: its name does not end in %s, and there is no --format", c->output,
                    nst_format_list(1, list, sizeof list));
    if (!f->writes)
        return fail(e, NST_EARG, "%s: %s %s, expected a name that ends in %s", c->output ? c->output : "--format",
                    f->reads ? "nst reads but does not write" : "this build does not write", f->label,
                    nst_format_list(1, list, sizeof list));
    if (c->bits && f->bits < 16)
        return fail(e, NST_EARG, "--bits 16: the result is a %s, which has 8", f->label);
    if (c->quality && !f->quality)
        return fail(e, NST_EARG, "--quality: the result is a %s, which loses nothing; name a .jpg with --output",
                    f->label);
    return NST_OK;
}

/* How many of the files that are read a test holds for. */
static int count_inputs(const nst_command *c, bool (*test)(const char *path, const void *arg), const void *arg)
{
    int n = test(c->content, arg) + (c->init && test(c->init, arg));

    for (int i = 0; i < c->styles; i++)
        n += test(c->style[i], arg);
    for (int i = 0; i < c->content_mask.n; i++)
        n += test(c->content_mask.name[i], arg);
    for (int i = 0; i < c->style_mask.n; i++)
        n += test(c->style_mask.name[i], arg);
    return n;
}

static bool is_stream(const char *path, const void *arg)
{
    (void)arg;
    return nst_paths_is_stream(path);
}

int nst_paths_streams(const nst_command *c)
{
    return count_inputs(c, is_stream, NULL);
}

/* Pictures that come or go through pipes. */
static nst_status check_streams(const nst_command *c, nst_error *e)
{
    int n = nst_paths_streams(c);

    if (n > 1)
        return fail(e, NST_EARG, "-: standard input holds one picture, but %d are read from it", n);
    if (!c->output || !nst_paths_is_stream(c->output))
        return NST_OK;
    if (c->save_every)
        return fail(e, NST_EARG, "--save-every: the result goes to standard output, which holds one picture");
    if (!c->dry_run && isatty(STDOUT_FILENO))
        return fail(e, NST_EARG, "--output -: standard output is a terminal, expected a file or a pipe");
    return NST_OK;
}

/* What an input is called in the result's name. */
static const char *called(const char *path)
{
    return nst_paths_is_stream(path) ? "stdin" : nst_paths_base(path);
}

/* So many bytes of a name, or fewer, that no character is cut. */
static int cut(const char *name, int n)
{
    while (n > 0 && (name[n] & 0xc0) == 0x80)
        n--;
    return n;
}

static long longest_name(const char *folder)
{
    long n = pathconf(folder, _PC_NAME_MAX);

    return n > 0 && n < NST_PATH_BYTES ? n : 255;
}

bool nst_paths_joined(const char *folder, const char *content, const char *style, const char *end, char *out,
                      size_t bytes)
{
    const char *a = called(content), *b = called(style);
    int na = nst_paths_stem(a), nb = nst_paths_stem(b), room = (int)longest_name(folder) - (int)strlen(end) - ADDED;
    int n;

    if (na + nb > room) { /* the longer one is cut, or both to the half */
        int half = room / 2, more = nb < half ? room - nb : na < half ? na : half;

        na = cut(a, more);
        nb = cut(b, nb < room - more ? nb : room - more);
    }
    n = snprintf(out, bytes, "%.*s-%.*s%s", na, a, nb, b, end);
    return n >= 0 && (size_t)n < bytes;
}

nst_status nst_paths_output(const nst_command *c, char *out, size_t bytes, nst_error *e)
{
    char suffix[16], end[32] = "";
    struct stat st;
    nst_status s;
    bool fits;

    if ((s = check_streams(c, e)))
        return s;
    if (c->output && !nst_paths_is_stream(c->output) && stat(c->output, &st) == 0 && S_ISDIR(st.st_mode))
        return fail(e, NST_EIO, "%s: is a folder, expected a file's name", c->output);
    if ((s = check_format(c, e)))
        return s;
    nst_paths_suffix(c, suffix);
    if (c->styles > 1)
        snprintf(end, sizeof end, "+%d", c->styles - 1);
    strcat(end, suffix);
    fits = c->output ? (size_t)snprintf(out, bytes, "%s", c->output) < bytes
                     : nst_paths_joined(".", c->content, c->style[0], end, out, bytes);
    if (!fits)
        return fail(e, NST_EARG, "output: its name is longer than %zu characters", bytes - 1);
    return NST_OK;
}

nst_status nst_paths_numbered(const char *path, int number, char *out, size_t bytes, nst_error *e)
{
    int n = snprintf(out, bytes, "%.*s-%04d%s", nst_paths_stem(path), path, number, path + nst_paths_stem(path));

    if (n < 0 || (size_t)n >= bytes)
        return fail(e, NST_EARG, "%.100s...: longer than %zu characters with its number", path, bytes - 1);
    return NST_OK;
}

nst_status nst_paths_stopped(char *path, size_t bytes, nst_error *e)
{
    char name[NST_PATH_BYTES];
    int n = snprintf(name, sizeof name, "%.*s-stopped%s", nst_paths_stem(path), path, path + nst_paths_stem(path));

    if (n < 0 || (size_t)n >= sizeof name || (size_t)n >= bytes)
        return fail(e, NST_EARG, "%.100s...: its name is too long", path);
    memcpy(path, name, (size_t)n + 1);
    return NST_OK;
}

static bool same_file(const char *path, const void *other)
{
    const struct stat *a = other;
    struct stat b;

    return stat(path, &b) == 0 && a->st_dev == b.st_dev && a->st_ino == b.st_ino;
}

/* What path leads to when links are followed, as the library does that writes there, be it there or not. */
static bool follow(const char *path, char out[NST_PATH_BYTES])
{
    char to[NST_PATH_BYTES];
    size_t n = (size_t)snprintf(out, NST_PATH_BYTES, "%s", path);

    for (int i = 0; i < 40 && n < NST_PATH_BYTES; i++) {
        ssize_t k = readlink(out, to, sizeof to - 1);
        size_t folder = k > 0 && *to == '/' ? 0 : (size_t)(nst_paths_base(out) - out);

        if (k < 0)
            return true;
        to[k] = 0;
        n = folder + (size_t)snprintf(out + folder, NST_PATH_BYTES - folder, "%s", to);
    }
    return false;
}

/* The folder that path is in, links followed; "." in place of nothing. */
static bool folder_of(const char *path, char folder[NST_PATH_BYTES], const char **base)
{
    static char real[NST_PATH_BYTES];

    if (!follow(path, real))
        return false;
    *base = nst_paths_base(real);
    snprintf(folder, NST_PATH_BYTES, "%.*s", (int)(*base - real), real);
    if (!*folder)
        strcpy(folder, ".");
    return true;
}

nst_status nst_paths_check_name(const char *path, nst_error *e)
{
    const char *base = nst_paths_base(path);
    struct stat st;

    if (!lstat(path, &st) || errno != ENAMETOOLONG)
        return NST_OK;
    return fail(e, NST_EARG, "%.*s...: a file's name of %zu bytes, expected at most %ld", cut(base, 60), base,
                strlen(base), longest_name("."));
}

static nst_status check_folder(const char *path, nst_error *e)
{
    char folder[NST_PATH_BYTES];
    const char *base;

    if (!folder_of(path, folder, &base))
        return fail(e, NST_EARG, "%.100s...: its name is too long, or a link that leads to itself", path);
    if (access(folder, W_OK | X_OK) != 0)
        return fail(e, NST_EIO, "%s: nothing can be written into %s: %s", path, folder, strerror(errno));
    return NST_OK;
}

nst_status nst_paths_check(const nst_command *c, const char *path, nst_error *e)
{
    struct stat st;
    nst_status s;

    if (nst_paths_is_stream(path))
        return NST_OK;
    if ((s = nst_paths_check_name(path, e)))
        return s;
    if (stat(path, &st) != 0)
        return check_folder(path, e);
    if (S_ISDIR(st.st_mode))
        return fail(e, NST_EIO, "%s: is a folder, expected a file's name", path);
    if (count_inputs(c, same_file, &st) || (c->model && same_file(c->model, &st)))
        return fail(e, NST_EIO, "%s: is an input of this run, and inputs are never overwritten", path);
    if (access(path, W_OK) != 0)
        return fail(e, NST_EIO, "%s: cannot be written: %s", path, strerror(errno));
    return S_ISREG(st.st_mode) ? check_folder(path, e) : NST_OK;
}

/* ---- all files of a run against each other ----------------------------------------------------------------------- */

struct named {
    const char *what;      /* of one that is written: the option, and what goes there; NULL: it is read */
    const char *path;
    dev_t dev;
    ino_t ino;             /* of the file, or where there is none of its folder */
    char name[256];        /* in the folder; "" */
    bool known;            /* not a pipe or a device, into which several may go, nor an input that is not there */
};

static void identify(struct named *f)
{
    char folder[NST_PATH_BYTES];
    const char *base;
    struct stat st;
    int error = nst_paths_is_stream(f->path) ? fstat(f->what ? STDOUT_FILENO : STDIN_FILENO, &st) : stat(f->path, &st);

    if (!error) {
        f->known = S_ISREG(st.st_mode);
    } else if (f->what && !nst_paths_is_stream(f->path) && folder_of(f->path, folder, &base) &&
               stat(folder, &st) == 0) {
        snprintf(f->name, sizeof f->name, "%.255s", base);
        f->known = true;
    }
    f->dev = f->known ? st.st_dev : 0;
    f->ino = f->known ? st.st_ino : 0;
}

static bool same(const struct named *a, const struct named *b)
{
    return a->known && b->known && a->dev == b->dev && a->ino == b->ino && !strcmp(a->name, b->name);
}

/* Whether a file has the name of one of the run's numbered pictures, which is that of its result with a number. */
static bool is_numbered(const struct named *result, const struct named *other)
{
    const char *base = nst_paths_base(other->path), *digits = base + nst_paths_stem(base);
    char name[NST_PATH_BYTES];
    struct named one = { .what = "result", .path = name };
    nst_error e;

    while (digits > base && digits[-1] >= '0' && digits[-1] <= '9')
        digits--;
    if (nst_paths_numbered(result->path, atoi(digits), name, sizeof name, &e))
        return false;
    identify(&one);
    return same(&one, other);
}

static int add_named(struct named *f, int n, const char *what, const char *path)
{
    if (!path || n == NAMED)
        return n;
    f[n] = (struct named){ .what = what, .path = path };
    identify(&f[n]);
    return n + 1;
}

static int add_list(struct named *f, int n, const char *const *path, int count)
{
    for (int i = 0; i < count; i++)
        n = add_named(f, n, NULL, path[i]);
    return n;
}

nst_status nst_paths_apart(const nst_command *c, const char *output, const char *model, const char *config,
                           const char *from, nst_error *e)
{
    static struct named f[NAMED];
    int n = add_named(f, 0, "result", output);

    n = add_named(f, n, "log", c->log);
    n = add_named(f, n, "checkpoint", c->checkpoint);
    n = add_named(f, n, NULL, c->content);
    n = add_named(f, n, NULL, c->init);
    n = add_named(f, n, NULL, model);
    n = add_named(f, n, NULL, config);
    if (from && (!c->checkpoint || strcmp(from, c->checkpoint)))
        n = add_named(f, n, NULL, from);
    n = add_list(f, n, c->style, c->styles);
    n = add_list(f, n, c->content_mask.name, c->content_mask.n);
    n = add_list(f, n, c->style_mask.name, c->style_mask.n);
    for (int i = 1; i < n && c->save_every; i++)
        if (is_numbered(&f[0], &f[i]))
            return fail(e, NST_EARG, "--save-every: %s has the name of a numbered picture, expected another name",
                        f[i].path);
    for (int i = 0; i < n; i++)
        for (int k = 0; f[i].what && k < n; k++) {
            if (k == i || (f[k].what && k > i) || !same(&f[i], &f[k]))
                continue;
            return f[k].what ? fail(e, NST_EARG, "--%s: %s is where the %s goes, expected another name", f[i].what,
                                    f[i].path, f[k].what)
                             : fail(e, NST_EIO, "%s: is an input of this run, and inputs are never overwritten",
                                    f[i].path);
        }
    return NST_OK;
}

void nst_paths_cache(char *out, size_t bytes)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n = 0;

    if (cache && *cache == '/')
        n = snprintf(out, bytes, "%s/nst", cache);
    else if (home && *home == '/')
        n = snprintf(out, bytes, "%s/.cache/nst", home);
    if (n <= 0 || (size_t)n >= bytes)
        *out = 0;
}
