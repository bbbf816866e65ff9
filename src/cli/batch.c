/* batch.c: `nst batch`: every content in every style, one after the other; what fails is told and the rest goes on. */
#include "cli/batch.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/config.h"
#include "cli/fail.h"
#include "cli/interrupt.h"
#include "cli/paint.h"

#define NAMES 4096       /* files on one side */
#define TEXT (1 << 20)   /* letters of their names together */
#define RESULTS (1 << 16)

struct list {
    const char *name[NAMES];
    int n;
};

static struct batch {
    struct list content, style;
    char text[TEXT];
    size_t used;
    struct file {
        dev_t dev;
        ino_t ino;
    } input[2 * NAMES];       /* that are there, in order */
    int inputs;
    uint64_t result[RESULTS]; /* a hash of each result's name: two pictures of one name are found beforehand */
    char report[32768];       /* a line a failure */
    size_t said;
    int painted, kept, failed;
    nst_painting p;
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

/* A file as it is; a folder's pictures in the order of their names, not of folders inside it. */
static nst_status expand(struct list *l, const char *path, nst_error *e)
{
    int first = l->n;
    struct dirent *entry;
    struct stat st;
    nst_status s = NST_OK;
    DIR *d;

    if (stat(path, &st) || !S_ISDIR(st.st_mode))
        return add(l, NULL, path, e);
    if (!(d = opendir(path)))
        return fail(e, NST_EIO, "%s: %s", path, strerror(errno));
    while (!s && (entry = readdir(d)))
        if (*entry->d_name != '.' && nst_paths_is_picture(entry->d_name))
            s = add(l, path, entry->d_name, e);
    closedir(d);
    qsort(l->name + first, (size_t)(l->n - first), sizeof *l->name, by_name);
    if (!s && l->n == first)
        return fail(e, NST_EIO, "%s: no pictures in this folder", path);
    return s;
}

/* ---- where results go -------------------------------------------------------------------------------------------- */

/* The pattern with its {words} replaced. */
static nst_status result_name(const char *content, const char *style, int number, char *out, size_t bytes, nst_error *e)
{
    const nst_command *c = &b.p.c;
    const char *folder = c->output_dir ? c->output_dir : ".", *t = c->name ? c->name : "";
    char suffix[16];
    size_t used = (size_t)snprintf(out, bytes, "%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/");

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
            used += (size_t)snprintf(out + used, room, "%04d", number);
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

/* Pair i: styles outside, so that what is computed of a style serves all contents. */
static void pair(int i, const char **content, const char **style)
{
    *content = b.content.name[i % b.content.n];
    *style = b.style.name[i / b.content.n];
}

/* Which pairs of the n have the name of this hash. */
static nst_status same_name(uint64_t twice, int n, nst_error *e)
{
    const char *content[2] = { "", "" }, *style[2] = { "", "" }, *c, *s;
    char name[NST_PATH_BYTES];
    int found = 0;

    for (int i = 0; i < n && found < 2; i++) {
        pair(i, &c, &s);
        if (result_name(c, s, i + 1, name, sizeof name, e) || hash(name) != twice)
            continue;
        content[found] = c, style[found] = s;
        found++;
    }
    return fail(e, NST_EARG, "batch: two results would have the same name, %s in the style of %s and %s in that of %s; "
                "--name '{n}-{content}-{style}.png' tells them apart", content[0], style[0], content[1], style[1]);
}

static int by_file(const void *a, const void *c)
{
    const struct file *x = a, *y = c;

    return x->dev == y->dev ? (x->ino > y->ino) - (x->ino < y->ino) : x->dev > y->dev ? 1 : -1;
}

static void add_inputs(const struct list *l)
{
    struct stat st;

    for (int i = 0; i < l->n; i++)
        if (stat(l->name[i], &st) == 0)
            b.input[b.inputs++] = (struct file){ st.st_dev, st.st_ino };
}

/* A result may not take the place of any picture that this batch reads, for it may be another pair's. */
static nst_status check_input(const char *name, nst_error *e)
{
    struct file file;
    struct stat st;

    if (b.p.c.keep_existing || stat(name, &st) || !S_ISREG(st.st_mode))
        return NST_OK;
    file = (struct file){ st.st_dev, st.st_ino };
    if (!bsearch(&file, b.input, (size_t)b.inputs, sizeof file, by_file))
        return NST_OK;
    return fail(e, NST_EIO, "batch: %s is an input, and inputs are never overwritten; name another --output-dir", name);
}

/* What is wrong with the names is said before hours of work. */
static nst_status check_names(int n, nst_error *e)
{
    char name[NST_PATH_BYTES];
    const char *content, *style;
    nst_status s;

    add_inputs(&b.content);
    add_inputs(&b.style);
    qsort(b.input, (size_t)b.inputs, sizeof *b.input, by_file);
    for (int i = 0; i < n; i++) {
        pair(i, &content, &style);
        if ((s = result_name(content, style, i + 1, name, sizeof name, e)) || (s = check_input(name, e)))
            return s;
        if (i == 0) {
            nst_command c = b.p.c;
            char checked[NST_PATH_BYTES];
            struct stat st;

            c.content = content, c.style[0] = style, c.output = name;
            if (stat(name, &st) && (s = nst_paths_output(&c, checked, sizeof checked, e)))
                return s;
        }
        b.result[i] = hash(name);
    }
    qsort(b.result, (size_t)n, sizeof *b.result, by_hash);
    for (int i = 1; i < n; i++)
        if (b.result[i] == b.result[i - 1])
            return same_name(b.result[i], n, e);
    return NST_OK;
}

/* ---- painting ---------------------------------------------------------------------------------------------------- */

static void note_failure(const char *result, const char *why)
{
    size_t room = sizeof b.report - b.said;
    char shown[sizeof ((nst_error *)0)->text]; /* as it stands in why, too */
    bool named;
    int n;

    nst_show(shown, sizeof shown, result);
    named = !strncmp(why, shown, strlen(shown));
    n = snprintf(b.report + b.said, room, "nst:   %s%s%s\n", named ? "" : shown, named ? "" : ": ", why);

    b.failed++;
    if (n > 0 && (size_t)n < room)
        b.said += (size_t)n;
    else
        b.report[b.said] = 0;
}

/* False: nothing more can be painted. */
static bool paint_one(int i, int n)
{
    nst_command *c = &b.p.c;
    char name[NST_PATH_BYTES];
    nst_error e = { "" };
    struct stat st;

    pair(i, &c->content, &c->style[0]);
    if (result_name(c->content, c->style[0], i + 1, name, sizeof name, &e))
        return false; /* check_names has seen it */
    if (c->keep_existing && stat(name, &st) == 0 && S_ISREG(st.st_mode)) {
        b.kept++;
        return true;
    }
    if (c->dry_run) {
        nst_say(stdout, "%s: %s in the style of %s", name, c->content, c->style[0]);
        return true;
    }
    if (!c->quiet)
        nst_say(stderr, "nst: %d of %d: %s in the style of %s", i + 1, n, c->content, c->style[0]);
    c->output = name;
    b.p.state.failed = false;
    if (nst_paint(&b.p, &e) || b.p.state.failed) {
        if (*e.text)
            nst_paint_complain(&b.p, e.text);
        note_failure(name, *e.text ? e.text : "something beside the result could not be kept");
    } else if (!nst_interrupt_pending()) {
        b.painted++;
    }
    nst_paint_leave(&b.p);
    c->output = NULL;
    return !b.p.state.unwritable && !nst_interrupt_pending();
}

static nst_status paint_all(int n)
{
    int i = 0;

    while (i < n && paint_one(i, n))
        i++;
    if (b.p.c.dry_run)
        return NST_OK;
    if (!b.p.c.quiet || b.failed) {
        fprintf(stderr, "nst: %d painted", b.painted);
        if (b.kept)
            fprintf(stderr, ", %d there already", b.kept);
        if (b.failed)
            fprintf(stderr, ", %d failed", b.failed);
        if (i < n)
            fprintf(stderr, ", %d not tried%s", n - b.painted - b.kept - b.failed,
                    b.p.state.unwritable ? ", because nothing more can be written"
                                         : "; --keep-existing goes on from here");
        fprintf(stderr, "\n%s", b.report);
    }
    return b.failed ? NST_EIO : NST_OK;
}

static nst_status make_folder(const char *path, nst_error *e)
{
    struct stat st;

    if (mkdir(path, 0777) == 0 || (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
        return NST_OK;
    return fail(e, NST_EIO, "%s: this folder cannot be made: %s", path, strerror(errno));
}

static nst_status check_options(const nst_command *c, nst_error *e)
{
    if (c->output)
        return fail(e, NST_EARG, "batch: --output names one file, expected --output-dir and --name");
    if (c->log)
        return fail(e, NST_EARG, "batch: --log names one file, expected none");
    if (c->content_mask.n || c->style_mask.n)
        return fail(e, NST_EARG, "batch: --%s-mask belongs to one picture, expected none",
                    c->content_mask.n ? "content" : "style");
    return NST_OK;
}

nst_status nst_batch_run(int argc, char **argv, nst_error *e)
{
    int split = 1, n;
    nst_status s;

    while (split < argc && strcmp(argv[split], "--"))
        split++;
    if ((s = nst_config_parse(split, argv, &b.p.c, e)) || (s = check_options(&b.p.c, e)))
        return s;
    if (!b.p.c.operands || split + 1 >= argc)
        return fail(e, NST_EARG, "batch: %s, expected CONTENT... -- STYLE...",
                    b.p.c.operands ? "the styles after -- are missing" : "the contents are missing");
    for (int i = 0; i < b.p.c.operands; i++)
        if ((s = expand(&b.content, b.p.c.operand[i], e)))
            return s;
    for (int i = split + 1; i < argc; i++)
        if ((s = expand(&b.style, argv[i], e)))
            return s;
    if ((double)b.content.n * b.style.n > RESULTS)
        return fail(e, NST_EARG, "batch: %d contents in %d styles are more than %d pictures", b.content.n, b.style.n,
                    RESULTS);
    n = b.content.n * b.style.n;
    b.p.c.styles = 1;
    if ((s = check_names(n, e)))
        return s;
    if (!(s = nst_paint_settings(&b.p, split, argv, e)) &&
        !(s = b.p.c.output_dir && !b.p.c.dry_run ? make_folder(b.p.c.output_dir, e) : NST_OK)) {
        b.p.c.styles = 1;
        b.p.whole = true;
        if (!(s = nst_styles_create(&b.p.known, e)) && (s = paint_all(n)))
            *e->text = 0;
        nst_styles_destroy(&b.p.known);
    }
    nst_paint_close(&b.p);
    return s;
}
