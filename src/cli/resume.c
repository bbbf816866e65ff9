/* resume.c: `nst resume`: an interrupted painting's command line out of its checkpoint, and on with it. */
#include "cli/resume.h"

#include <string.h>

#include "cli/checkpoint_file.h"
#include "cli/fail.h"
#include "cli/paint.h"

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

/* The user's words over the checkpoint's: p->c is the whole, and the checkpoint's settings are changed where that is
 * allowed. */
static nst_status join(nst_painting *p, int argc, char **argv, nst_error *e)
{
    static char text[NST_KEEP_BYTES];
    static char *words[NST_KEEP_WORDS + 64];
    nst_settings was = *p->s;
    nst_command own;
    nst_status s;
    int n;

    if ((s = nst_options_parse(argc, argv, &own, NULL, e)))
        return s;
    if ((s = nst_options_parse(argc, argv, &own, p->s, e)) || (s = check_settings(&was, p->s, e)))
        return s;
    if (own.preset || own.init || own.model || own.content_mask.n || own.style_mask.n)
        return fail(e, NST_EARG, "resume: another --%s would paint another picture; start anew for that",
                    own.preset ? "preset" : own.init ? "init" : own.model ? "model"
                    : own.content_mask.n ? "content-mask" : "style-mask");
    if ((s = nst_keep_words(nst_checkpoint_note(p->from), text, words, &n, e)))
        return s;
    for (int i = 1; i < argc; i++) {
        if (argv[i] == own.content)
            continue;
        if (n == (int)(sizeof words / sizeof *words) - 1)
            return fail(e, NST_EARG, "resume: too many options");
        words[n++] = argv[i];
    }
    words[n] = NULL;
    if ((s = nst_options_parse(n, words, &p->c, NULL, e)))
        return s;
    p->c.checkpoint = own.checkpoint ? own.checkpoint : own.content;
    return p->c.content && p->c.styles ? NST_OK
         : fail(e, NST_EFORMAT, "%s: the checkpoint's command line names no pictures", own.content);
}

nst_status nst_resume_run(int argc, char **argv, nst_error *e)
{
    static nst_painting p;
    nst_command c;
    nst_status s;

    if ((s = nst_options_parse(argc, argv, &c, NULL, e)))
        return s;
    if (!c.content)
        return fail(e, NST_EARG, "resume: no checkpoint is named, expected the file that --checkpoint wrote");
    if (c.styles)
        return fail(e, NST_EARG, "resume: \"%s\" is one argument too many", c.style[0]);
    if (!(s = nst_checkpoint_open(&p.from, c.content, e)) && !(s = nst_settings_create(&p.s, NULL, e))) {
        *p.s = *nst_checkpoint_settings(p.from);
        if (!(s = join(&p, argc, argv, e))) {
            *nst_checkpoint_settings(p.from) = *p.s;
            if (!(s = nst_paint_describe(&p, e)))
                s = nst_paint(&p, e);
        }
    }
    if (!s && p.failed) {
        *e->text = 0;
        s = NST_EIO;
    }
    nst_paint_close(&p);
    return s;
}
