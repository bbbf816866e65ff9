/* checkpoint_file.c: a painting's checkpoint: when it is written, and how the command line stands in it. */
#include "cli/checkpoint_file.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/fail.h"
#include "cli/paths.h"

#define SECONDS 60
#define SHARE 20 /* writing takes at most one in so many seconds */

static const char first_line[] = "nst\n";

/* ---- the note: a word a line, newlines and backslashes behind a backslash ---------------------------------------- */

static bool add_text(nst_keep *k, size_t *n, const char *text)
{
    for (; *text; text++) {
        if (*n + 3 >= sizeof k->note)
            return false;
        if (*text == '\n' || *text == '\\')
            k->note[(*n)++] = '\\';
        k->note[(*n)++] = *text == '\n' ? 'n' : *text;
    }
    return true;
}

/* A file's name from wherever the run is resumed. */
static bool add_path(nst_keep *k, size_t *n, const char *path)
{
    char folder[NST_PATH_BYTES];

    if (*path != '/' && strcmp(path, "-"))
        if (!getcwd(folder, sizeof folder) || !add_text(k, n, folder) || !add_text(k, n, "/"))
            return false;
    return add_text(k, n, path);
}

static bool is_word(const char *words, const char *text)
{
    char word[64];

    for (int i = 0; nst_word_at(words, i, word, sizeof word); i++)
        if (!strcmp(word, text))
            return true;
    return false;
}

/* --NAME=PATH */
static bool add_file(nst_keep *k, size_t *n, const nst_option *r, const char *path)
{
    return add_text(k, n, "--") && add_text(k, n, r->name) && add_text(k, n, "=") &&
           (is_word(r->choices, path) ? add_text(k, n, path) : add_path(k, n, path)) && (k->note[(*n)++] = '\n');
}

static bool add_files(nst_keep *k, size_t *n, const nst_option *r, const nst_names *names)
{
    for (int i = 0; i < names->n; i++)
        if (!add_file(k, n, r, names->name[i]))
            return false;
    return true;
}

/* --NAME=VALUE, where the command line says it. */
static bool add_option(nst_keep *k, size_t *n, const nst_option *r, const nst_command *c)
{
    const char *place = (const char *)c + r->offset, *path;
    char value[64] = "";
    int v = 0;

    if (r->kind == NST_OPTION_PATHS)
        return add_files(k, n, r, (const nst_names *)(const void *)place);
    if (r->kind == NST_OPTION_PATH)
        return !(path = *(const char *const *)(const void *)place) || add_file(k, n, r, path);
    if (r->kind == NST_OPTION_FLAG || r->kind == NST_OPTION_INT || r->kind == NST_OPTION_CHOICE)
        v = *(const int *)(const void *)place;
    if (!v)
        return true;
    if (r->kind == NST_OPTION_INT)
        snprintf(value, sizeof value, "%d", v);
    else if (r->kind == NST_OPTION_CHOICE)
        nst_word_at(r->choices, v, value, sizeof value);
    return add_text(k, n, "--") && add_text(k, n, r->name) && (!r->argument || add_text(k, n, "=")) &&
           add_text(k, n, value) && (k->note[(*n)++] = '\n');
}

static bool make_note(nst_keep *k, const nst_command *c)
{
    size_t n = sizeof first_line - 1;

    memcpy(k->note, first_line, n);
    for (int i = 0; i < nst_option_count; i++) {
        const nst_option *r = &nst_options[i];

        if (!r->setting && strcmp(r->name, "preset") && strcmp(r->name, "checkpoint") && !add_option(k, &n, r, c))
            return false;
    }
    for (int i = -1; i < c->styles; i++) {
        if (!add_path(k, &n, i < 0 ? c->content : c->style[i]))
            return false;
        k->note[n++] = '\n';
    }
    k->note[n] = 0;
    return true;
}

nst_status nst_keep_words(const char *note, char *text, char **words, int *n, nst_error *e)
{
    *n = 0;
    if (strncmp(note, first_line, sizeof first_line - 1))
        return fail(e, NST_EFORMAT, "resume: the checkpoint was written by another program");
    while (*note) {
        if (*n == NST_KEEP_WORDS)
            return fail(e, NST_EFORMAT, "resume: the checkpoint's command line has more than %d words", NST_KEEP_WORDS);
        words[(*n)++] = text;
        for (; *note && *note != '\n'; note++) {
            bool behind = *note == '\\' && note[1];

            note += behind;
            *text++ = behind && *note == 'n' ? '\n' : *note;
        }
        *text++ = 0;
        note += *note == '\n';
    }
    return NST_OK;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

/* What is there already is replaced only if it is a checkpoint. */
static nst_status check(const nst_command *c, const char *output, nst_error *e)
{
    struct stat a, b;
    nst_checkpoint *old;
    nst_error why;
    nst_status s = nst_paths_check(c, c->checkpoint, e);

    if (s)
        return s;
    if (!strcmp(c->checkpoint, output))
        return fail(e, NST_EARG, "--checkpoint: %s is where the result goes, expected another name", output);
    if (stat(c->checkpoint, &a) || a.st_size == 0)
        return NST_OK;
    if (stat(output, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
        return fail(e, NST_EARG, "--checkpoint: %s is where the result goes, expected another name", c->checkpoint);
    s = nst_checkpoint_open(&old, c->checkpoint, &why);
    nst_checkpoint_close(&old);
    if (s == NST_EFORMAT && strstr(why.text, "is not a checkpoint"))
        return fail(e, NST_EIO, "--checkpoint: %s exists and is not a checkpoint; it is not replaced", c->checkpoint);
    return NST_OK;
}

nst_status nst_keep_open(nst_keep *k, const nst_command *c, const char *output, const char *model, nst_error *e)
{
    nst_command whole = *c;
    nst_status s;

    k->path = NULL;
    k->last = k->took = 0;
    if (!c->checkpoint)
        return c->checkpoint_every ? fail(e, NST_EARG, "--checkpoint-every: needs --checkpoint FILE") : NST_OK;
    if (nst_paths_streams(c))
        return fail(e, NST_EARG, "--checkpoint: a picture from standard input cannot be read again; name a file");
    if ((s = check(c, output, e)))
        return s;
    whole.output = output;
    whole.model = model;
    if (!make_note(k, &whole))
        return fail(e, NST_EARG, "--checkpoint: the names of the files are too long for it");
    k->path = c->checkpoint;
    k->every = c->checkpoint_every ? c->checkpoint_every : SECONDS;
    return NST_OK;
}

nst_status nst_keep_write(nst_keep *k, const nst_progress *p, bool now, nst_error *e)
{
    struct timespec a, b;
    double since = p->elapsed - k->last;
    nst_status s;

    if (!k->path || (!now && (since < k->every || since < SHARE * k->took)))
        return NST_OK;
    clock_gettime(CLOCK_MONOTONIC, &a);
    s = nst_progress_checkpoint(p, k->path, k->note, e);
    clock_gettime(CLOCK_MONOTONIC, &b);
    k->took = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) * 1e-9;
    k->last = p->elapsed + k->took;
    return s;
}

void nst_keep_remove(nst_keep *k)
{
    if (k->path)
        unlink(k->path);
}
