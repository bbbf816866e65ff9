/* checkpoint_file.c: a painting's checkpoint: when it is written, and how the command line stands in it. */
#include "cli/checkpoint_file.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/clock.h"
#include "cli/fail.h"
#include "cli/paths.h"

#define SECONDS 60
#define SHARE 20 /* writing takes at most one in so many seconds */

static const char first_line[] = "nst\n", made_line[] = "made ";

/* What a note holds: where files are and what is written.  What only the one who resumes may say (a page for the whole
 * network, say) neither goes into it nor comes out of one that somebody else wrote. */
static bool is_noted(const char *name)
{
    static const char *const names[] = { "output", "model", "model-input", "content-mask", "style-mask", "log",
                                         "checkpoint-every", "save-every", "quality", "format", "bits",
                                         "damaged" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

/* ---- the note: a word a line, newlines and backslashes behind a backslash ---------------------------------------- */

static bool add_text(nst_checkpoint_writer *k, size_t *n, const char *text)
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

/* There is room for it after each text. */
static bool end_word(nst_checkpoint_writer *k, size_t *n)
{
    k->note[(*n)++] = '\n';
    return true;
}

/* A file's name from wherever the run is resumed. */
static bool add_path(nst_checkpoint_writer *k, size_t *n, const char *path)
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
static bool add_file(nst_checkpoint_writer *k, size_t *n, const nst_option *r, const char *path)
{
    return add_text(k, n, "--") && add_text(k, n, r->name) && add_text(k, n, "=") &&
           (is_word(r->choices, path) ? add_text(k, n, path) : add_path(k, n, path)) && end_word(k, n);
}

static bool add_files(nst_checkpoint_writer *k, size_t *n, const nst_option *r, const nst_names *names)
{
    for (int i = 0; i < names->n; i++)
        if (!add_file(k, n, r, names->name[i]))
            return false;
    return true;
}

/* --NAME=VALUE, where the command line says it. */
static bool add_option(nst_checkpoint_writer *k, size_t *n, const nst_option *r, const nst_command *c)
{
    const char *place = (const char *)c + r->offset, *path;
    char value[64] = "";
    int v = 0;

    if (r->kind == NST_OPTION_PATHS)
        return add_files(k, n, r, (const nst_names *)(const void *)place);
    if (r->kind == NST_OPTION_PATH) {
        path = *(const char *const *)(const void *)place;
        return !path || add_file(k, n, r, path);
    }
    if (r->kind == NST_OPTION_FLAG || r->kind == NST_OPTION_INT || r->kind == NST_OPTION_CHOICE)
        v = *(const int *)(const void *)place;
    if (!v)
        return true;
    if (r->kind == NST_OPTION_INT)
        snprintf(value, sizeof value, "%d", v);
    else if (r->kind == NST_OPTION_CHOICE)
        nst_word_at(r->choices, v, value, sizeof value);
    return add_text(k, n, "--") && add_text(k, n, r->name) && (!r->argument || add_text(k, n, "=")) &&
           add_text(k, n, value) && end_word(k, n);
}

static bool make_note(nst_checkpoint_writer *k, const nst_command *c)
{
    size_t n = sizeof first_line - 1;

    memcpy(k->note, first_line, n);
    for (int i = 0; i < nst_option_count; i++) {
        const nst_option *r = &nst_options[i];

        if (is_noted(r->name) && !add_option(k, &n, r, c))
            return false;
    }
    for (int i = -1; i < c->styles; i++) {
        if (!add_path(k, &n, i < 0 ? c->content : c->style[i]))
            return false;
        k->note[n++] = '\n';
    }
    k->note[n] = 0;
    k->made = n;
    return n + NST_CHECKPOINT_LINE < sizeof k->note;
}

/* Which file it is and when it was written, to the nanosecond: nobody who did not see it can say that. */
bool nst_checkpoint_describe(const char *path, char line[NST_CHECKPOINT_LINE])
{
    struct stat st;

    if (stat(path, &st) || !S_ISREG(st.st_mode))
        return false;
    snprintf(line, NST_CHECKPOINT_LINE, "%s%llx %llx %lld %lld.%09ld\n", made_line, (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino, (long long)st.st_size, (long long)st.st_mtim.tv_sec,
             (long)st.st_mtim.tv_nsec);
    return true;
}

void nst_checkpoint_writer_made(nst_checkpoint_writer *k, const char *output)
{
    char line[NST_CHECKPOINT_LINE];

    k->note[k->made] = 0;
    if (k->path && nst_checkpoint_describe(output, line))
        snprintf(k->note + k->made, sizeof k->note - k->made, "%s", line);
}

bool nst_checkpoint_is_made(const char *made, const char *path)
{
    char line[NST_CHECKPOINT_LINE];

    if (!made || !nst_checkpoint_describe(path, line))
        return false;
    line[strlen(line) - 1] = 0;
    return !strcmp(line, made);
}

/* A word that the note may hold: --NAME, --NAME=VALUE, or a picture from the root on, as make_note writes them. */
static bool is_ours(const char *word)
{
    char name[32];

    if (*word == '/')
        return true;
    if (strncmp(word, "--", 2) || strcspn(word + 2, "=") >= sizeof name)
        return false;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    return is_noted(name);
}

nst_status nst_checkpoint_words(const char *note, char *text, char **words, int *n, const char **made, nst_error *e)
{
    *n = 0;
    *made = NULL;
    if (strlen(note) > NST_CHECKPOINT_NOTE_BYTES)
        return fail(e, NST_EFORMAT, "resume: the checkpoint's command line is too long");
    if (strncmp(note, first_line, sizeof first_line - 1))
        return fail(e, NST_EFORMAT, "resume: the checkpoint was written by another program");
    while (*note) {
        if (*n == NST_CHECKPOINT_WORDS)
            return fail(e, NST_EFORMAT, "resume: the checkpoint's command line has more than %d words",
                        NST_CHECKPOINT_WORDS);
        words[(*n)++] = text;
        for (; *note && *note != '\n'; note++) {
            bool behind = *note == '\\' && note[1];

            note += behind;
            *text++ = behind && *note == 'n' ? '\n' : *note;
        }
        *text++ = 0;
        note += *note == '\n';
        if (!strncmp(words[*n - 1], made_line, sizeof made_line - 1))
            *made = words[--*n];
        else if (*n > 1 && !is_ours(words[*n - 1]))
            return fail(e, NST_EFORMAT, "resume: \"%.60s\" in the checkpoint's command line is nothing that nst wrote",
                        words[*n - 1]);
    }
    return NST_OK;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

/* What is there already is replaced only if it is a checkpoint. */
static nst_status check(const nst_command *c, nst_error *e)
{
    struct stat a;
    nst_checkpoint *old;
    nst_error why;
    nst_status s = nst_paths_check(c, c->checkpoint, e);

    if (s)
        return s;
    if (stat(c->checkpoint, &a))
        return NST_OK;
    /* a pipe or a device cannot be read again, and it must not be removed when the run ends */
    if (!S_ISREG(a.st_mode) && !S_ISDIR(a.st_mode))
        return fail(e, NST_EIO, "--checkpoint: %s is a pipe or a device; name a file", c->checkpoint);
    if (a.st_size == 0)
        return NST_OK;
    s = nst_checkpoint_open(&old, c->checkpoint, &why);
    nst_checkpoint_close(&old);
    if (s == NST_EFORMAT && strstr(why.text, "is not a checkpoint"))
        return fail(e, NST_EIO, "--checkpoint: %s exists and is not a checkpoint; it is not replaced", c->checkpoint);
    return NST_OK;
}

nst_status nst_checkpoint_writer_open(nst_checkpoint_writer *k, const nst_command *c, const char *output,
                                      const char *model, nst_error *e)
{
    nst_command whole = *c;
    nst_status s;

    k->path = NULL;
    k->last = k->took = 0;
    if (!c->checkpoint)
        return c->checkpoint_every ? fail(e, NST_EARG, "--checkpoint-every: needs --checkpoint FILE") : NST_OK;
    if (nst_paths_streams(c))
        return fail(e, NST_EARG, "--checkpoint: a picture from standard input cannot be read again; name a file");
    s = check(c, e);
    if (s)
        return s;
    whole.output = output;
    whole.model = model;
    if (!make_note(k, &whole))
        return fail(e, NST_EARG, "--checkpoint: the names of the files are too long for it");
    k->path = c->checkpoint;
    k->every = c->checkpoint_every ? c->checkpoint_every : SECONDS;
    return NST_OK;
}

nst_status nst_checkpoint_writer_write(nst_checkpoint_writer *k, const nst_progress *p, bool now, nst_error *e)
{
    double since = p->elapsed - k->last, began;
    nst_status s;

    if (!k->path || (!now && (since < k->every || since < SHARE * k->took)))
        return NST_OK;
    began = nst_clock_now();
    s = nst_progress_checkpoint(p, k->path, k->note, e);
    k->took = nst_clock_now() - began;
    k->last = p->elapsed + k->took;
    return s;
}

void nst_checkpoint_writer_remove(nst_checkpoint_writer *k)
{
    if (k->path)
        unlink(k->path);
}
