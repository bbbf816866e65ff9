/* path_checks.c: what stands in the way of the files that a run writes, asked before the long run. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/fail.h"
#include "cli/paths.h"

#define NAMED (16 + 3 * NST_MAX_STYLES) /* files of a run */

static bool same_file(const char *path, const void *other)
{
    const struct stat *a = other;
    struct stat b;

    return stat(path, &b) == 0 && a->st_dev == b.st_dev && a->st_ino == b.st_ino;
}

bool nst_paths_follow(const char *path, char out[NST_PATH_BYTES])
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

    if (!nst_paths_follow(path, real))
        return false;
    *base = nst_paths_base(real);
    snprintf(folder, NST_PATH_BYTES, "%.*s", (int)(*base - real), real);
    if (!*folder)
        strcpy(folder, ".");
    return true;
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
    s = nst_paths_check_name(path, e);
    if (s)
        return s;
    if (stat(path, &st) != 0)
        return check_folder(path, e);
    if (S_ISDIR(st.st_mode))
        return fail(e, NST_EIO, "%s: is a folder, expected a file's name", path);
    if (nst_paths_count_inputs(c, same_file, &st) || (c->model && same_file(c->model, &st)))
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
static bool is_numbered(const struct named *result, const struct named *other, int every)
{
    char real[NST_PATH_BYTES], from[NST_PATH_BYTES], name[NST_PATH_BYTES];
    struct named one = { .what = "result", .path = name };
    int number = nst_paths_follow(other->path, real) ? nst_paths_number(real, from, sizeof from) : 0;
    nst_error e;

    if (!number || number % every || nst_paths_numbered(result->path, number, name, sizeof name, &e))
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
        if (is_numbered(&f[0], &f[i], c->save_every))
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
