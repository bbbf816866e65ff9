/* batch.c: `nst batch`: every content in every style, one after the other; what fails is told and the rest goes on. */
#include "cli/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/batch_names.h"
#include "cli/config.h"
#include "cli/fail.h"
#include "cli/interrupt.h"
#include "cli/paint.h"

static struct batch {
    char report[32768];       /* a line a failure */
    size_t said;
    int painted, kept, failed;
    nst_painting p;
} b; /* lives as long as the program, which has no heap */

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

    nst_batch_pair(i, &c->content, &c->style[0]);
    if (nst_batch_result(c, i, name, sizeof name, &e))
        return false; /* nst_batch_check has seen it */
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
        return fail(e, NST_EARG, "--log: a batch writes no log; leave --log out");
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
    s = nst_config_parse(split, argv, &b.p.c, e);
    if (!s)
        s = check_options(&b.p.c, e);
    if (s)
        return s;
    if (!b.p.c.operands || split + 1 >= argc)
        return fail(e, NST_EARG, "batch: %s, expected CONTENT... -- STYLE...",
                    b.p.c.operands ? "the styles after -- are missing" : "the contents are missing");
    for (int i = 0; i < b.p.c.operands; i++) {
        s = nst_batch_add(false, b.p.c.operand[i], e);
        if (s)
            return s;
    }
    for (int i = split + 1; i < argc; i++) {
        s = nst_batch_add(true, argv[i], e);
        if (s)
            return s;
    }
    n = nst_batch_count(e);
    b.p.c.styles = 1;
    if (!n)
        return NST_EARG;
    s = nst_batch_check(&b.p.c, n, e);
    if (s)
        return s;
    s = nst_paint_settings(&b.p, split, argv, e);
    if (!s)
        s = b.p.c.output_dir && !b.p.c.dry_run ? make_folder(b.p.c.output_dir, e) : NST_OK;
    if (!s) {
        b.p.c.styles = 1;
        b.p.whole = true;
        s = nst_styles_create(&b.p.known, e);
        if (!s) {
            s = paint_all(n);
            if (s)
                *e->text = 0;
        }
        nst_styles_destroy(&b.p.known);
    }
    nst_paint_close(&b.p);
    return s;
}
