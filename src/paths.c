/* paths.c: names of the files that a run writes, and what stands in their way, asked before the long run. */
#include "paths.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static nst_status fail(nst_error *e, nst_status s, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    return s;
}

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

static bool is_png(const char *path)
{
    return !strcasecmp(path + nst_paths_stem(path), ".png");
}

bool nst_paths_is_picture(const char *path)
{
    const char *suffix = path + nst_paths_stem(path);

    return is_png(path) || !strcasecmp(suffix, ".jpg") || !strcasecmp(suffix, ".jpeg");
}

nst_status nst_paths_output(const nst_command *c, char *out, size_t bytes, nst_error *e)
{
    const char *content = nst_paths_base(c->content), *style = nst_paths_base(c->style[0]);
    struct stat st;
    int n;

    if (c->output && stat(c->output, &st) == 0 && S_ISDIR(st.st_mode))
        return fail(e, NST_EIO, "%s: is a folder, expected a file's name", c->output);
    if (c->output && !nst_paths_is_picture(c->output))
        return fail(e, NST_EARG, "%s: its name ends in none of .png, .jpg and .jpeg", c->output);
    if (c->bits && c->output && !is_png(c->output))
        return fail(e, NST_EARG, "--bits 16: %s is a JPEG, which has 8", c->output);
    if (c->quality && (!c->output || is_png(c->output)))
        return fail(e, NST_EARG, "--quality: the result is a PNG, which loses nothing; name a .jpg with --output");
    if (c->output)
        n = snprintf(out, bytes, "%s", c->output);
    else if (c->styles == 1)
        n = snprintf(out, bytes, "%.*s-%.*s.png", nst_paths_stem(content), content, nst_paths_stem(style), style);
    else
        n = snprintf(out, bytes, "%.*s-%.*s+%d.png", nst_paths_stem(content), content, nst_paths_stem(style), style, c->styles - 1);
    if (n < 0 || (size_t)n >= bytes)
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

static bool same_file(const struct stat *a, const char *path)
{
    struct stat b;

    return path && stat(path, &b) == 0 && a->st_dev == b.st_dev && a->st_ino == b.st_ino;
}

static nst_status check_folder(const char *path, nst_error *e)
{
    char folder[NST_PATH_BYTES] = ".";
    size_t n = (size_t)(nst_paths_base(path) - path);

    if (n >= sizeof folder)
        return fail(e, NST_EARG, "%.100s...: its name is too long", path);
    if (n)
        snprintf(folder, sizeof folder, "%.*s", (int)n, path);
    if (access(folder, W_OK | X_OK) != 0)
        return fail(e, NST_EIO, "%s: nothing can be written into %s: %s", path, folder, strerror(errno));
    return NST_OK;
}

nst_status nst_paths_check(const nst_command *c, const char *path, nst_error *e)
{
    struct stat st;
    bool input;

    if (stat(path, &st) != 0)
        return check_folder(path, e);
    if (S_ISDIR(st.st_mode))
        return fail(e, NST_EIO, "%s: is a folder, expected a file's name", path);
    input = same_file(&st, c->content) || same_file(&st, c->init) || same_file(&st, c->model);
    for (int i = 0; i < c->styles; i++)
        input |= same_file(&st, c->style[i]);
    if (input)
        return fail(e, NST_EIO, "%s: is an input of this run, and inputs are never overwritten", path);
    return S_ISREG(st.st_mode) ? check_folder(path, e) : NST_OK;
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
