/* paths.c: names of the files that a run writes. */
#include "cli/paths.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/fail.h"

#define ADDED 16                       /* bytes that a result's name may get: a hyphen, a number, "-stopped" */

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

int nst_paths_count_inputs(const nst_command *c, bool (*test)(const char *path, const void *arg), const void *arg)
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
    return nst_paths_count_inputs(c, is_stream, NULL);
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
        int half = room / 2, more = na < half ? na : half;

        if (nb < half)
            more = room - nb;
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

    s = check_streams(c, e);
    if (s)
        return s;
    if (c->output && !nst_paths_is_stream(c->output) && stat(c->output, &st) == 0 && S_ISDIR(st.st_mode))
        return fail(e, NST_EIO, "%s: is a folder, expected a file's name", c->output);
    s = check_format(c, e);
    if (s)
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

int nst_paths_number(const char *path, char *from, size_t bytes)
{
    int stem = nst_paths_stem(path), digits = 0, number;
    char again[NST_PATH_BYTES];
    nst_error e;

    while (digits < 7 && digits < stem && path[stem - 1 - digits] >= '0' && path[stem - 1 - digits] <= '9')
        digits++;
    number = atoi(path + stem - digits);
    if (number < 1 || digits + 1 > stem ||
        (size_t)snprintf(from, bytes, "%.*s%s", stem - digits - 1, path, path + stem) >= bytes ||
        nst_paths_numbered(from, number, again, sizeof again, &e) || strcmp(again, path))
        return 0;
    return number;
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

nst_status nst_paths_check_name(const char *path, nst_error *e)
{
    const char *base = nst_paths_base(path);
    struct stat st;

    if (!lstat(path, &st) || errno != ENAMETOOLONG)
        return NST_OK;
    return fail(e, NST_EARG, "%.*s...: a file's name of %zu bytes, expected at most %ld", cut(base, 60), base,
                strlen(base), longest_name("."));
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
