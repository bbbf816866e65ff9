/* resume.c: `nst resume`: an interrupted painting's command line out of its checkpoint, and on with it. */
#include "cli/resume.h"

#include <string.h>
#include <sys/stat.h>

#include "cli/checkpoint_file.h"
#include "cli/fail.h"
#include "cli/paint.h"
#include "cli/video/video.h"

static bool is_free(const char *name)
{
    static const char *const names[] = { "threads", "simd", "device", "memory", "window" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

/* What decides the picture stays as it was. */
static nst_status check_settings(const nst_settings *was, const nst_settings *now, nst_error *e)
{
    for (int i = 0; i < nst_option_count; i++) {
        const nst_option *r = &nst_options[i];
        const char *a = (const char *)was + r->offset, *b = (const char *)now + r->offset;
        bool same = true;

        if (!r->setting || is_free(r->name))
            continue;
        switch (r->kind) {
        case NST_OPTION_DOUBLE:
        case NST_OPTION_TIME:
            same = !memcmp(a, b, sizeof(double));
            break;
        case NST_OPTION_SEED:
        case NST_OPTION_BYTES:
            same = !memcmp(a, b, sizeof(uint64_t));
            break;
        case NST_OPTION_WORD:
        case NST_OPTION_TEXT:
            same = !strcmp(a, b);
            break;
        default:
            same = !memcmp(a, b, sizeof(int));
        }
        if (!same)
            return fail(e, NST_EARG, "resume: another --%s would paint another picture; start anew for that", r->name);
    }
    return NST_OK;
}

/* The run's files are the checkpoint's, whoever wrote that: what lies where it says is replaced only if the user names
 * it on this command line, or if this run wrote it. */
static nst_status check_output(nst_painting *p, const nst_command *own, const char *made, nst_error *e)
{
    const char *output = p->c.output;
    struct stat st;

    if (own->output || !output || nst_paths_is_stream(output) || lstat(output, &st) ||
        nst_checkpoint_is_made(made, output))
        return NST_OK;
    return fail(e, NST_EIO, "resume: %s is there already and not what this painting left; --output says where the "
                "result goes, there or elsewhere", output);
}

/* The places of the pictures, which may have been moved; that they are the same the run itself checks. */
static nst_status move_pictures(nst_painting *p, const nst_command *own, nst_error *e)
{
    if (!own->styles)
        return NST_OK;
    if (own->styles - 1 != p->c.styles)
        return fail(e, NST_EARG, "resume: \"%s\" and what follows it are %d picture%s, expected none or the content "
                    "and %d style%s", own->style[0], own->styles, own->styles > 1 ? "s" : "", p->c.styles,
                    p->c.styles > 1 ? "s" : "");
    p->c.content = own->style[0];
    for (int i = 0; i < p->c.styles; i++)
        p->c.style[i] = own->style[i + 1];
    return NST_OK;
}

/* Of argv's words those that are no operands, after the checkpoint's, n of them. */
static nst_status add_options(char **words, int room, int *n, int argc, char **argv, const nst_command *own,
                              nst_error *e)
{
    for (int i = 1; i < argc; i++) {
        bool operand = false;

        for (int k = 0; k < own->operands; k++)
            operand |= argv[i] == own->operand[k];
        if (operand)
            continue;
        if (*n == room - 1)
            return fail(e, NST_EARG, "resume: too many options");
        words[(*n)++] = argv[i];
    }
    words[*n] = NULL;
    return NST_OK;
}

/* The user's words over the checkpoint's: p->c is the whole, and the checkpoint's settings are changed where that is
 * allowed. */
static nst_status join(nst_painting *p, int argc, char **argv, nst_error *e)
{
    static char text[NST_CHECKPOINT_NOTE_BYTES + 1];
    static char *words[NST_CHECKPOINT_WORDS + 64];
    nst_settings was = *p->s;
    const char *made, *other;
    nst_command own;
    nst_status s;
    int n;

    s = nst_options_parse(argc, argv, &own, NULL, e);
    if (s)
        return s;
    s = nst_options_parse(argc, argv, &own, p->s, e);
    if (!s)
        s = check_settings(&was, p->s, e);
    if (s)
        return s;
    other = nst_first_said(NST_SAID({ own.preset, "preset" }, { own.init, "init" },
                                    { own.content_mask.n, "content-mask" }, { own.style_mask.n, "style-mask" }));
    if (other)
        return fail(e, NST_EARG, "resume: another --%s would paint another picture; start anew for that", other);
    s = nst_checkpoint_words(nst_checkpoint_note(p->resumed.from), text, words, &n, &made, e);
    if (!s)
        s = add_options(words, (int)(sizeof words / sizeof *words), &n, argc, argv, &own, e);
    if (!s)
        s = nst_options_parse(n, words, &p->c, NULL, e);
    if (s)
        return s;
    p->c.checkpoint = own.checkpoint ? own.checkpoint : own.content;
    p->resumed.path = own.content;
    p->resumed.own_output = own.output != NULL;
    p->resumed.own_log = own.log != NULL;
    if (!p->c.content || !p->c.styles)
        return fail(e, NST_EFORMAT, "%s: the checkpoint's command line names no pictures", own.content);
    s = move_pictures(p, &own, e);
    return s ? s : check_output(p, &own, made, e);
}

nst_status nst_resume_open(nst_painting *p, int argc, char **argv, nst_error *e)
{
    nst_command c;
    nst_status s = nst_options_parse(argc, argv, &c, NULL, e);

    if (s)
        return s;
    if (!c.content)
        return fail(e, NST_EARG, "resume: no checkpoint is named, expected the file that --checkpoint wrote");
    s = nst_checkpoint_open(&p->resumed.from, c.content, e);
    if (!s)
        s = nst_settings_create(&p->s, NULL, e);
    if (s)
        return s;
    *p->s = *nst_checkpoint_settings(p->resumed.from);
    s = join(p, argc, argv, e);
    if (s)
        return s;
    *nst_checkpoint_settings(p->resumed.from) = *p->s;
    return nst_paint_describe(p, e);
}

nst_status nst_resume_run(int argc, char **argv, nst_error *e)
{
    static nst_painting p;
    struct stat st;
    nst_status s;

    if (argc > 1 && stat(argv[1], &st) == 0 && S_ISDIR(st.st_mode))
        return nst_video_resume(argc, argv, e);
    s = nst_resume_open(&p, argc, argv, e);
    if (!s)
        s = nst_paint(&p, e);
    if (!s && p.state.failed) {
        *e->text = 0;
        s = NST_EIO;
    }
    nst_paint_close(&p);
    return s;
}
