/* batch_names.c: which pictures a batch reads, what its results are called, and whether these names can be. */
#include "cli/batch_names.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/fail.h"

#define NAMES 4096       /* files on one side */
#define TEXT (1 << 20)   /* letters of their names together */
#define RESULTS (1 << 16)

struct list {
    const char *name[NAMES];
    int n;
};

static struct names {
    struct list content, style;
    char text[TEXT];
    size_t used;
    struct file {
        dev_t dev;
        ino_t ino;
    } input[2 * NAMES];       /* that are there, in order */
    int inputs;
    uint64_t result[RESULTS]; /* a hash of each result's name, in order: two pictures of one name are found */
} b; /* lives as long as the program, which has no heap */

/* ---- which pictures ---------------------------------------------------------------------------------------------- */

static nst_status add(struct list *l, const char *folder, const char *name, nst_error *e)
{
    size_t room = TEXT - b.used;
    int n = snprintf(b.text + b.used, room, "%s%s%s", folder ? folder : "",
                     folder && folder[strlen(folder) - 1] != '/' ? "/" : "", name);

    if (l->n == NAMES || n < 0 || (size_t)n >= room)
        return fail(e, NST_EARG, "batch: more than %d pictures, or their names have more than %d letters", NAMES, TEXT);
    l->name[l->n++] = b.text + b.used;
    b.used += (size_t)n + 1;
    return NST_OK;
}

static int by_name(const void *a, const void *c)
{
    return strcmp(*(const char *const *)a, *(const char *const *)c);
}

/* A folder's pictures, not those of folders inside it. */
nst_status nst_batch_add(bool style, const char *path, nst_error *e)
{
    struct list *l = style ? &b.style : &b.content;
    int first = l->n;
    struct dirent *entry;
    struct stat st;
    nst_status s = NST_OK;
    DIR *d;

    if (stat(path, &st) || !S_ISDIR(st.st_mode))
        return add(l, NULL, path, e);
    d = opendir(path);
    if (!d)
        return fail(e, NST_EIO, "%s: %s", path, strerror(errno));
    while (!s) {
        entry = readdir(d);
        if (!entry)
            break;
        if (*entry->d_name != '.' && nst_paths_is_picture(entry->d_name))
            s = add(l, path, entry->d_name, e);
    }
    closedir(d);
    qsort(l->name + first, (size_t)(l->n - first), sizeof *l->name, by_name);
    if (!s && l->n == first)
        return fail(e, NST_EIO, "%s: no pictures in this folder", path);
    return s;
}

int nst_batch_count(nst_error *e)
{
    if ((double)b.content.n * b.style.n <= RESULTS)
        return b.content.n * b.style.n;
    fail(e, NST_EARG, "batch: %d contents in %d styles are more than %d pictures", b.content.n, b.style.n, RESULTS);
    return 0;
}

void nst_batch_pair(int i, const char **content, const char **style)
{
    *content = b.content.name[i % b.content.n];
    *style = b.style.name[i / b.content.n];
}

/* ---- where results go -------------------------------------------------------------------------------------------- */

nst_status nst_batch_result(const nst_command *c, int i, char *out, size_t bytes, nst_error *e)
{
    const char *folder = c->output_dir ? c->output_dir : ".", *t = c->name ? c->name : "", *content, *style;
    char suffix[16];
    size_t used = (size_t)snprintf(out, bytes, "%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/");

    nst_batch_pair(i, &content, &style);
    if (!c->name && used < bytes)
        return nst_paths_joined(folder, content, style, nst_paths_suffix(c, suffix), out + used, bytes - used) ? NST_OK
            : fail(e, NST_EARG, "batch: a result's name would have more than %zu letters", bytes - 1);
    while (*t && used < bytes) {
        size_t word = *t == '{' ? strcspn(t, "}") : 0, room = bytes - used;
        const char *base = NULL;

        if (!strncmp(t, "{content}", 9))
            base = nst_paths_base(content);
        else if (!strncmp(t, "{style}", 7))
            base = nst_paths_base(style);
        else if (!strncmp(t, "{n}", 3))
            used += (size_t)snprintf(out + used, room, "%04d", i + 1);
        else if (word)
            return fail(e, NST_EARG, "--name: \"%.*s}\" is not {content}, {style} or {n}", (int)word, t);
        else
            out[used++] = *t;
        if (base)
            used += (size_t)snprintf(out + used, room, "%.*s", nst_paths_stem(base), base);
        t += word ? word + 1 : 1;
    }
    if (used >= bytes)
        return fail(e, NST_EARG, "--name: a result's name would have more than %zu letters", bytes - 1);
    out[used] = 0;
    return NST_OK;
}

static uint64_t hash(const char *text) /* FNV-1a */
{
    uint64_t h = 0xcbf29ce484222325u;

    while (*text)
        h = (h ^ (unsigned char)*text++) * 0x100000001b3u;
    return h;
}

static int by_hash(const void *a, const void *c)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)c;

    return (x > y) - (x < y);
}

/* Which pairs of the n have the name of this hash. */
static nst_status same_name(const nst_command *c, uint64_t twice, int n, nst_error *e)
{
    const char *content[2] = { "", "" }, *style[2] = { "", "" };
    char name[NST_PATH_BYTES];
    int found = 0;

    for (int i = 0; i < n && found < 2; i++) {
        if (nst_batch_result(c, i, name, sizeof name, e) || hash(name) != twice)
            continue;
        nst_batch_pair(i, &content[found], &style[found]);
        found++;
    }
    return fail(e, NST_EARG, "batch: two results would have the same name, %s in the style of %s and %s in that of %s; "
                "--name '{n}-{content}-{style}.png' tells them apart", content[0], style[0], content[1], style[1]);
}

static int by_file(const void *a, const void *c)
{
    const struct file *x = a, *y = c;

    if (x->dev != y->dev)
        return x->dev > y->dev ? 1 : -1;
    return (x->ino > y->ino) - (x->ino < y->ino);
}

static void add_inputs(const struct list *l)
{
    struct stat st;

    for (int i = 0; i < l->n; i++)
        if (stat(l->name[i], &st) == 0)
            b.input[b.inputs++] = (struct file){ st.st_dev, st.st_ino };
}

/* A result may not take the place of any picture that this batch reads, for it may be another pair's. */
static nst_status check_input(const nst_command *c, const char *name, nst_error *e)
{
    struct file file;
    struct stat st;

    if (c->keep_existing || stat(name, &st) || !S_ISREG(st.st_mode))
        return NST_OK;
    file = (struct file){ st.st_dev, st.st_ino };
    if (!bsearch(&file, b.input, (size_t)b.inputs, sizeof file, by_file))
        return NST_OK;
    return fail(e, NST_EIO, "batch: %s is an input, and inputs are never overwritten; name another --output-dir", name);
}

/* The result, if it is one, whose numbered picture or picture at Ctrl-C has this name; in from. */
static bool is_derived(const char *name, int every, char from[NST_PATH_BYTES])
{
    static const char stopped[] = "-stopped";
    int stem = nst_paths_stem(name), length = (int)sizeof stopped - 1;
    int number = nst_paths_number(name, from, NST_PATH_BYTES);

    if (number)
        return every && number % every == 0;
    if (stem <= length || strncmp(name + stem - length, stopped, (size_t)length))
        return false;
    snprintf(from, NST_PATH_BYTES, "%.*s%s", stem - length, name, name + stem);
    return true;
}

/* A file of this name in the folder of the results may be replaced before one of them is done. */
static nst_status check_derived(const nst_command *c, const char *name, int n, nst_error *e)
{
    char from[NST_PATH_BYTES];
    uint64_t h;

    if (!is_derived(name, c->save_every, from))
        return NST_OK;
    h = hash(from);
    if (!bsearch(&h, b.result, (size_t)n, sizeof h, by_hash))
        return NST_OK;
    return fail(e, NST_EARG, "batch: %s has the name of what is kept of %s before its end; name another "
                "--output-dir or --name", name, nst_paths_base(from));
}

/* Those inputs that are in the folder of the results. */
static nst_status check_inputs_derived(const nst_command *c, const struct list *l, int n, nst_error *e)
{
    const char *folder = c->output_dir ? c->output_dir : ".";
    char own[NST_PATH_BYTES], name[NST_PATH_BYTES];
    struct stat there, here;
    nst_status s = NST_OK;

    if (stat(folder, &there))
        return NST_OK;
    for (int i = 0; i < l->n && !s; i++) {
        const char *input = l->name[i], *base = nst_paths_base(input);

        snprintf(own, sizeof own, "%.*s.", (int)(base - input), input);
        snprintf(name, sizeof name, "%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/", base);
        if (stat(own, &here) == 0 && here.st_dev == there.st_dev && here.st_ino == there.st_ino)
            s = check_derived(c, name, n, e);
    }
    return s;
}

/* Whether the first result's format and place can be; the others' are the same. */
static nst_status check_first(const nst_command *c, nst_error *e)
{
    char name[NST_PATH_BYTES], checked[NST_PATH_BYTES];
    nst_command one = *c;
    struct stat st;
    nst_status s = nst_batch_result(c, 0, name, sizeof name, e);

    nst_batch_pair(0, &one.content, &one.style[0]);
    one.output = name;
    return s || stat(name, &st) == 0 ? s : nst_paths_output(&one, checked, sizeof checked, e);
}

nst_status nst_batch_check(const nst_command *c, int n, nst_error *e)
{
    char name[NST_PATH_BYTES];
    nst_status s;

    add_inputs(&b.content);
    add_inputs(&b.style);
    qsort(b.input, (size_t)b.inputs, sizeof *b.input, by_file);
    s = check_first(c, e);
    for (int i = 0; i < n && !s; i++) {
        s = nst_batch_result(c, i, name, sizeof name, e);
        if (!s)
            s = check_input(c, name, e);
        b.result[i] = hash(name);
    }
    qsort(b.result, (size_t)n, sizeof *b.result, by_hash);
    for (int i = 1; i < n && !s; i++)
        if (b.result[i] == b.result[i - 1])
            s = same_name(c, b.result[i], n, e);
    for (int i = 0; i < n && !s; i++) {
        s = nst_batch_result(c, i, name, sizeof name, e);
        if (!s)
            s = check_derived(c, name, n, e);
    }
    if (!s)
        s = check_inputs_derived(c, &b.content, n, e);
    return s ? s : check_inputs_derived(c, &b.style, n, e);
}
