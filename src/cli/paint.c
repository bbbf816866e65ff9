/* paint.c: one painting by the program: reads its pictures, watches its run, keeps its result. */
#include "cli/paint.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/announce.h"
#include "cli/commands.h"
#include "cli/config.h"
#include "cli/fail.h"
#include "cli/files.h"
#include "cli/fitting.h"
#include "cli/interrupt.h"
#include "cli/models/places.h"
#include "cli/run_log.h"

static bool first(const nst_painting *p)
{
    return !p->comm || p->comm->rank == 0;
}

void nst_paint_complain(nst_painting *p, const char *text)
{
    if (!first(p))
        return;
    nst_report_end(&p->report);
    nst_preview_leave(&p->preview);
    nst_say(stderr, "nst: %s", text);
}

/* ---- before the run -------------------------------------------------------------------------------------------- */

/* Names that are made from the result's may be too long where it is not. */
static nst_status check_derived(const nst_painting *p, nst_error *e)
{
    char name[NST_PATH_BYTES];
    nst_status s = NST_OK;

    if (nst_paths_is_stream(p->output))
        return NST_OK;
    if (p->c.save_every)
        s = nst_paths_numbered(p->output, p->s->iterations, name, sizeof name, e);
    if (!s && p->c.save_every)
        s = nst_paths_check_name(name, e);
    if (s || !p->whole)
        return s;
    snprintf(name, sizeof name, "%s", p->output);
    s = nst_paths_stopped(name, sizeof name, e);
    return s ? s : nst_paths_check_name(name, e);
}

/* Asked before the run; the log is touched by its first iteration only, when all has been checked. */
static nst_status check_log(const nst_painting *p, nst_error *e)
{
    return p->resumed.from && p->c.log && !p->resumed.own_log ? nst_run_log_check(p->c.log, e) : NST_OK;
}

static nst_status check_outputs(nst_painting *p, nst_error *e)
{
    nst_status s = nst_paths_output(&p->c, p->output, sizeof p->output, e);

    if (!s)
        s = nst_paths_check(&p->c, p->output, e);
    if (!s && p->c.log)
        s = nst_paths_check(&p->c, p->c.log, e);
    if (!s)
        s = check_derived(p, e);
    if (!s)
        s = check_log(p, e);
    if (!s)
        s = nst_paths_apart(&p->c, p->output, p->model_path, nst_config_path(), p->resumed.path, e);
    return s ? s : nst_checkpoint_writer_open(&p->writer, &p->c, p->output, p->model_path, e);
}

/* The log of a run that goes on keeps a line for each iteration that is kept.  Another file is begun anew where the
 * user names it. */
static nst_status open_log(nst_painting *p, nst_error *e)
{
    const nst_checkpoint *from = p->resumed.from;

    if (!p->c.log)
        return NST_OK;
    if (!from)
        return nst_run_log_open(&p->log, p->c.log, e);
    return nst_run_log_reopen(&p->log, p->c.log, nst_checkpoint_iteration(from), p->resumed.own_log, e);
}

/* ---- the run --------------------------------------------------------------------------------------------------- */

static nst_status save(nst_painting *p, const nst_image *image, const char *path, nst_error *e)
{
    return nst_files_write(&p->c, image, path, p->comment, e);
}

static void save_numbered(nst_painting *p, const nst_progress *at)
{
    char path[NST_PATH_BYTES];
    nst_image *image;
    nst_error e;
    nst_status s = nst_progress_image(at, &image, &e); /* by all ranks */

    if (!s && first(p))
        s = nst_paths_numbered(p->output, at->done, path, sizeof path, &e);
    if (!s && first(p)) {
        if (p->resumed.from && !p->resumed.own_output && access(path, F_OK) == 0) {
            /* of the run that was interrupted, or another's */
            snprintf(e.text, sizeof e.text, "%.400s is there already and stays as it is", path);
            nst_paint_complain(p, e.text);
        } else {
            s = save(p, image, path, &e);
        }
    }
    if (s) {
        nst_paint_complain(p, e.text);
        p->state.failed = true;
    }
    nst_image_destroy(&image);
}

/* The picture so far goes before the checkpoint, which then says that this file is the run's own; when that fails
 * keep_result says why. */
static void keep_picture(nst_painting *p, const nst_progress *at)
{
    nst_image *image;
    nst_error e;

    if (!p->writer.path || p->whole || nst_paths_is_stream(p->output) || nst_progress_image(at, &image, &e))
        return;
    p->state.result_kept = !save(p, image, p->output, &e);
    if (p->state.result_kept)
        nst_checkpoint_writer_made(&p->writer, p->output);
    nst_image_destroy(&image);
}

/* Whether the run is to stop, its state being kept. */
static int keep(nst_painting *p, const nst_progress *at)
{
    int stop;
    nst_error e;

    if (p->comm) { /* a signal may have reached another rank; one that comes from here on waits for the next turn */
        double ranks = nst_interrupt_pending() != 0;

        p->state.stopped = !p->comm->sum(p->comm->arg, &ranks, 1) && ranks > 0;
    }
    stop = p->state.stopped || (!p->comm && nst_interrupt_pending());
    if (stop)
        keep_picture(p, at);
    if ((stop || at->done < at->total_iterations) && nst_checkpoint_writer_write(&p->writer, at, stop, &e)) {
        nst_paint_complain(p, e.text);
        p->state.failed = true;
    }
    return stop;
}

static int each_iteration(void *arg, const nst_progress *at)
{
    nst_painting *p = arg;
    nst_error e;
    int stop;

    nst_interrupt_at_ease();
    if (p->resumed.from && !p->state.done && first(p) && open_log(p, &e)) {
        nst_paint_complain(p, e.text);
        p->state.failed = true;
    }
    p->state.done = at->done;
    if (at->notice)
        nst_paint_complain(p, at->notice);
    if (first(p))
        nst_report_progress(&p->report, at);
    if (p->log && !nst_report_log(p->log, at)) {
        char text[512];

        snprintf(text, sizeof text, "%s: %s; the log ends here", p->c.log, strerror(errno));
        nst_paint_complain(p, text);
        fclose(p->log);
        p->log = NULL;
        p->state.failed = true;
    }
    if (p->c.save_every && at->done % p->c.save_every == 0)
        save_numbered(p, at);
    if (nst_preview_due(&p->preview, at)) {
        nst_report_end(&p->report);
        nst_preview_draw(&p->preview, at);
    }
    if (p->web && !nst_interrupt_pending())
        nst_web_progress(p->web, at, nst_interrupt_pending, &p->state.stopped);
    if (p->watch && !nst_interrupt_pending())
        p->watch(at, &p->state.stopped);
    stop = keep(p, at);
    if (!stop)
        nst_interrupt_pace(at->seconds);
    return stop;
}

static nst_status keep_result(nst_painting *p, nst_error *e)
{
    nst_status s = NST_OK;

    if (p->whole && nst_interrupt_pending())
        s = nst_paths_stopped(p->output, sizeof p->output, e);
    if (!s && !p->state.result_kept) {
        s = save(p, p->result, p->output, e);
        if (s) {
            nst_files_rescue(&p->c, p->result, p->comment, e);
            p->state.unwritable = true;
        }
    }
    if (!s && !nst_interrupt_pending() && !p->state.stopped)
        nst_checkpoint_writer_remove(&p->writer);
    return s;
}

static nst_status transfer(nst_painting *p, nst_error *e)
{
    const nst_inputs *in = &p->in;
    const nst_image *const *style = (const nst_image *const *)in->style;
    nst_status s = p->c.preview ? nst_preview_open(&p->preview, e) : NST_OK;

    if (!s)
        s = nst_web_open(&p->web, &p->c, p->report.quiet, p->in.content, p->s->strength, e);
    if (s)
        return s;
    nst_interrupt_watch(!p->report.quiet);
    if (p->comm)
        s = nst_transfer_across(p->s, in->model, in->content, style, p->c.styles, in->init, p->comm, each_iteration, p,
                                &p->result, e);
    else if (p->resumed.from)
        s = nst_transfer_resume(p->resumed.from, in->model, in->content, style, p->c.styles, each_iteration, p,
                                &p->result, e);
    else
        s = nst_transfer_known(p->known, p->s, in->model, in->content, style, p->c.styles, in->init, each_iteration, p,
                               &p->result, e);
    nst_interrupt_hold();
    nst_report_end(&p->report);
    nst_web_close(&p->web, p->result, p->state.stopped || nst_interrupt_pending());
    if (s == NST_EDIVERGED && p->result) { /* the last good picture; e goes on saying why it is the last */
        nst_error saving;

        if (save(p, p->result, p->output, &saving)) {
            nst_files_rescue(&p->c, p->result, p->comment, &saving);
            *e = saving;
        }
    }
    return s ? s : nst_comm_agree(p->comm, first(p) ? keep_result(p, e) : NST_OK, e);
}

/* What there is to say of the pictures that were read. */
static void tell_notes(nst_painting *p)
{
    const nst_image *read[NST_MAX_STYLES + 2] = { p->in.content, p->in.init };

    for (int i = 0; i < p->c.styles; i++)
        read[i + 2] = p->in.style[i];
    for (int i = 0; i < p->c.styles + 2 && !p->c.quiet; i++)
        if (read[i] && nst_image_note(read[i]))
            nst_paint_complain(p, nst_image_note(read[i]));
}

nst_status nst_paint(nst_painting *p, nst_error *e)
{
    nst_status s = nst_comm_agree(p->comm, first(p) ? check_outputs(p, e) : NST_OK, e);

    if (!s)
        s = nst_comm_agree(p->comm, nst_inputs_open(&p->in, &p->c, p->s, e), e);
    if (!s && p->comm)
        s = nst_comm_agree(p->comm, nst_inputs_same(&p->in, p->c.styles, p->s, p->comm, e), e);
    if (s)
        return s;
    tell_notes(p);
    nst_image_allow_discard(p->in.content);
    s = nst_transfer_plan_across(p->s, p->in.model, p->in.content, (const nst_image *const *)p->in.style,
                                 p->c.styles, p->comm, &p->plan, e);
    if (s == NST_EMEM && !p->comm)
        nst_fitting_advise(p->s, p->in.model, p->in.content, (const nst_image *const *)p->in.style, p->c.styles, e);
    if (s)
        return s;
    if (p->c.dry_run && first(p))
        nst_announce_dry(p);
    if (p->c.dry_run)
        return NST_OK;
    s = nst_comm_agree(p->comm, first(p) && !p->resumed.from ? open_log(p, e) : NST_OK, e);
    if (s)
        return s;
    if (!p->report.quiet)
        nst_announce_start(p);
    s = transfer(p, e);
    if (!s && !p->report.quiet)
        nst_announce_end(p);
    return s;
}

void nst_paint_leave(nst_painting *p)
{
    if (p->log)
        fclose(p->log);
    p->log = NULL;
    nst_inputs_leave(&p->in);
    nst_image_destroy(&p->result);
    p->state.done = 0;
    p->state.result_kept = false;
}

void nst_paint_close(nst_painting *p)
{
    nst_paint_leave(p);
    nst_checkpoint_close(&p->resumed.from);
    nst_model_close(&p->in.model);
    nst_settings_destroy(&p->s);
}

/* ---- the command line ------------------------------------------------------------------------------------------ */

nst_status nst_paint_settings(nst_painting *p, int argc, char **argv, nst_error *e)
{
    nst_status s = nst_config_settings(argc, argv, &p->c, &p->s, e);

    return s ? s : nst_paint_describe(p, e);
}

nst_status nst_paint_describe(nst_painting *p, nst_error *e)
{
    const char *simd = p->resumed.from ? nst_checkpoint_simd(p->resumed.from) : nst_simd_chosen();
    nst_status s = nst_places_find(p->c.model, p->model_path, sizeof p->model_path, e);
    int n;

    if (s)
        return s;
    nst_paths_cache(p->s->cache, sizeof p->s->cache);
    n = snprintf(p->comment, sizeof p->comment, "nst %s (%s) --model %.500s ", nst_version(),
                 *p->s->simd ? p->s->simd : simd, nst_paths_base(p->model_path));
    nst_options_describe(p->s, p->comment + n, sizeof p->comment - (size_t)n);
    p->report = (nst_report){ .quiet = p->c.quiet || !first(p), .verbose = p->c.verbose,
                              .terminal = isatty(STDERR_FILENO) };
    return NST_OK;
}

nst_status nst_paint_run(const nst_command *c, int argc, char **argv, nst_error *e)
{
    return nst_paint_across(c, NULL, argc, argv, e);
}

/* One word alone that is no file's name was meant as a command. */
static nst_status lacking(const char *content, nst_error *e)
{
    const nst_command_row *near = content && access(content, F_OK) ? nst_commands_nearest(content) : NULL;

    if (near)
        return fail(e, NST_EARG, "\"%.60s\" is neither a command nor a picture, did you mean nst %s?", content,
                    near->name);
    return fail(e, NST_EARG, "%s: expected CONTENT STYLE...",
                content ? "a style picture is missing" : "no pictures are named");
}

nst_status nst_paint_across(const nst_command *c, const nst_comm *comm, int argc, char **argv, nst_error *e)
{
    static nst_painting p;
    nst_status s;

    p.c = *c;
    p.comm = comm;
    if (p.c.operands - 1 > NST_MAX_STYLES) {
        snprintf(e->text, sizeof e->text, "%d styles, at most %d are taken", p.c.operands - 1, NST_MAX_STYLES);
        return NST_EARG;
    }
    s = nst_paint_settings(&p, argc, argv, e);
    if (!s)
        s = p.c.content && p.c.styles ? nst_paint(&p, e) : lacking(p.c.content, e);
    if (!s && p.state.failed) {
        *e->text = 0;
        s = NST_EIO;
    }
    nst_paint_close(&p);
    return s;
}
