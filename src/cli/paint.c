/* paint.c: one painting by the program: reads its pictures, watches its run, keeps its result. */
#include "cli/paint.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/config.h"
#include "cli/fail.h"
#include "cli/files.h"
#include "cli/fitting.h"
#include "cli/interrupt.h"
#include "cli/masks.h"
#include "cli/models/models.h"

#define WEB_PORT 8642

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

/* A picture, and what there is to say of it. */
static nst_status open_picture(nst_painting *p, nst_image **out, const char *name, nst_fit fit, nst_error *e)
{
    nst_status s;

    fit.damaged = p->c.damaged;
    s = nst_files_read(out, name, &fit, e);
    if (!s && nst_image_note(*out) && !p->c.quiet)
        nst_paint_complain(p, nst_image_note(*out));
    return s;
}

static nst_status open_inputs(nst_painting *p, nst_error *e)
{
    nst_fit fit = nst_settings_fit(p->s, NULL), style;
    nst_status s;

    if (!p->model && (s = nst_models_open(&p->model, &p->c, e)))
        return s;
    if ((s = open_picture(p, &p->content, p->c.content, fit, e)))
        return s;
    style = nst_settings_fit(p->s, p->content);
    for (int i = 0; i < p->c.styles; i++)
        if ((s = open_picture(p, &p->style[i], p->c.style[i], style, e)))
            return s;
    if ((s = nst_masks_read(&p->c, p->style, &fit, &style, e)))
        return s;
    return p->c.init ? open_picture(p, &p->init, p->c.init, fit, e) : NST_OK;
}

static uint64_t mix(uint64_t sum, const void *data, size_t bytes)
{
    const unsigned char *at = data;

    for (size_t i = 0; i < bytes; i++)
        sum = (sum ^ at[i]) * 0x100000001b3u;
    return sum;
}

static uint64_t mix_picture(uint64_t sum, nst_image *picture)
{
    size_t n = picture ? (size_t)nst_image_width(picture) * (size_t)nst_image_height(picture) : 0;

    for (int c = 0; n && c < nst_image_channels(picture); c++)
        sum = mix(sum, nst_image_plane(picture, c), n * sizeof(float));
    return sum;
}

/* All ranks have read the same: what their machines have under a name may differ, and their users' options. */
static nst_status check_same(const nst_painting *p, nst_error *e)
{
    const char *model = nst_model_describe(p->model);
    nst_settings s = *p->s;
    char text[2048];
    uint64_t sum = 0xcbf29ce484222325u, of_first;

    s.threads = 0, s.memory = 0, *s.simd = 0; /* each machine's own */
    nst_options_describe(&s, text, sizeof text);
    sum = mix(mix(sum, text, strlen(text)), model, strlen(model));
    sum = mix_picture(mix_picture(sum, p->content), p->init);
    for (int i = 0; i < p->c.styles; i++)
        sum = mix_picture(sum, p->style[i]);
    of_first = sum;
    if (p->comm->broadcast(p->comm->arg, &of_first, sizeof of_first, 0) || of_first == sum)
        return NST_OK;
    return fail(e, NST_EARG, "pictures, model or options are not those of rank 0");
}

/* Names that are made from the result's may be too long where it is not. */
static nst_status check_derived(const nst_painting *p, nst_error *e)
{
    char name[NST_PATH_BYTES];
    nst_status s;

    if (nst_paths_is_stream(p->output))
        return NST_OK;
    if (p->c.save_every && ((s = nst_paths_numbered(p->output, p->s->iterations, name, sizeof name, e)) ||
                            (s = nst_paths_check_name(name, e))))
        return s;
    snprintf(name, sizeof name, "%s", p->output);
    return !p->whole ? NST_OK : (s = nst_paths_stopped(name, sizeof name, e)) ? s : nst_paths_check_name(name, e);
}

/* Bytes of the lines that a log has up to an iteration; -1: what is there is none.  It may begin late, when it was named
 * on going on, and end in the middle of a line. */
static long kept_lines(FILE *f, int iterations)
{
    static char text[1 << 16];
    long end = 0;
    int at, before = 0;

    while (fgets(text, sizeof text, f)) {
        if (sscanf(text, "{\"iteration\": %d,", &at) != 1 || (before && at != before + 1))
            return before && !strchr(text, '\n') ? end : -1;
        if (at <= iterations && strchr(text, '\n'))
            end = ftell(f);
        before = at;
    }
    return end;
}

/* Asked before the run; the log is touched by its first iteration only, when all has been checked. */
static nst_status check_log(const nst_painting *p, nst_error *e)
{
    FILE *f = p->from && p->c.log && !p->own_log ? fopen(p->c.log, "r") : NULL;
    bool wrong = f && kept_lines(f, 0) < 0;

    if (f)
        fclose(f);
    return wrong ? fail(e, NST_EIO, "resume: %s is not the log of a painting; --log says where it goes, there or "
                        "elsewhere", p->c.log) : NST_OK;
}

static nst_status check_outputs(nst_painting *p, nst_error *e)
{
    nst_status s;

    if ((s = nst_paths_output(&p->c, p->output, sizeof p->output, e)) || (s = nst_paths_check(&p->c, p->output, e)))
        return s;
    if (p->c.log && (s = nst_paths_check(&p->c, p->c.log, e)))
        return s;
    if ((s = check_derived(p, e)) || (s = check_log(p, e)) ||
        (s = nst_paths_apart(&p->c, p->output, p->model_path, p->resumed, e)))
        return s;
    return nst_keep_open(&p->keep, &p->c, p->output, p->model_path, e);
}

static double megabytes(const nst_painting *p)
{
    return ceil((double)p->plan.bytes / 1e6);
}

/* ", in about 3 min", or nothing for a moment. */
static const char *about(double seconds, char *out, size_t bytes)
{
    if (seconds < 1)
        *out = 0;
    else if (seconds < 90)
        snprintf(out, bytes, ", in about %.0f s", seconds);
    else if (seconds < 5400)
        snprintf(out, bytes, ", in about %.0f min", seconds / 60);
    else
        snprintf(out, bytes, ", in about %.1f h", seconds / 3600);
    return out;
}

static void say_dry(const nst_painting *p)
{
    const nst_plan *plan = &p->plan;
    char reason[512], time[64];

    for (int i = 0; i < plan->scales; i++) {
        printf("scale %d of %d: %dx%d, %d iterations", i + 1, plan->scales, plan->width[i], plan->height[i],
               plan->iterations[i]);
        if (plan->windows[i] > 1)
            printf(", in %d windows of %dx%d", plan->windows[i], plan->window_width[i], plan->window_height[i]);
        if (plan->history[i] && plan->history[i] < p->s->history)
            printf(", history %d instead of %d", plan->history[i], p->s->history);
        printf("\n");
    }
    if (p->s->time_limit > 0)
        printf("iterations will be fitted to %g seconds\n", p->s->time_limit);
    nst_say(stdout, "model: %s%s", nst_model_describe(p->model), nst_models_reason(&p->c, reason, sizeof reason));
    nst_say(stdout, "memory: about %.0f MB%s", megabytes(p), about(plan->seconds, time, sizeof time));
    nst_say(stdout, "result: %s", nst_paths_label(p->output));
}

/* A line where it is not the processor. */
static void say_device(const nst_painting *p)
{
    nst_device_info d;
    char why[256];

    if (nst_device_find(p->s->device, &d, why, sizeof why, NULL) == NST_OK && strcmp(d.device, "cpu"))
        nst_say(stderr, "nst: computed by %s, %s%s", d.device, d.name,
                strcmp(p->s->device, "auto") ? "" : ", a graphics card; --device cpu takes the processor");
}

/* Two lines, and a third where the machine's memory looks too small. */
static void say_start(nst_painting *p)
{
    const nst_plan *plan = &p->plan;
    char reason[512], time[64];

    nst_say(stderr, "nst: %s%s", nst_model_describe(p->model), nst_models_reason(&p->c, reason, sizeof reason));
    say_device(p);
    if (p->from)
        nst_say(stderr, "nst: goes on after iteration %d", nst_checkpoint_iteration(p->from));
    nst_say(stderr, "nst: %s will be %dx%d, painted in %d scale%s with about %.0f MB of memory%s",
            nst_paths_label(p->output), plan->width[plan->scales - 1], plan->height[plan->scales - 1], plan->scales,
            plan->scales > 1 ? "s" : "", megabytes(p), about(plan->seconds, time, sizeof time));
    int last = plan->scales - 1;

    if (plan->windows[last] > 1)
        nst_say(stderr, "nst: in %d windows of %dx%d%s", plan->windows[last], plan->window_width[last],
                plan->window_height[last], p->s->window ? "" : ", because of memory");
    if (plan->history[last] && plan->history[last] < p->s->history)
        nst_say(stderr, "nst: L-BFGS remembers %d steps instead of %d, because of memory", plan->history[last],
                p->s->history);
}

/* The log of a run that goes on keeps a line for each iteration that is kept.  Another file is begun anew where the
 * user names it. */
static FILE *reopen_log(const nst_painting *p)
{
    FILE *f = fopen(p->c.log, "r+");
    long end;

    if (!f)
        return fopen(p->c.log, "w");
    end = kept_lines(f, nst_checkpoint_iteration(p->from));
    if (end < 0 && p->own_log)
        end = 0;
    if (end < 0 || fseek(f, end, SEEK_SET) || ftruncate(fileno(f), end)) {
        fclose(f);
        return NULL;
    }
    return f;
}

static nst_status open_log(nst_painting *p, nst_error *e)
{
    if (!p->c.log || (p->log = p->from ? reopen_log(p) : fopen(p->c.log, "w")))
        return NST_OK;
    return fail(e, NST_EIO, "%s: %s", p->c.log, strerror(errno));
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

    if (!s && first(p) && !(s = nst_paths_numbered(p->output, at->done, path, sizeof path, &e))) {
        if (p->from && !p->own_output && access(path, F_OK) == 0) { /* of the run that was interrupted, or another's */
            snprintf(e.text, sizeof e.text, "%.400s is there already and stays as it is", path);
            nst_paint_complain(p, e.text);
        } else {
            s = save(p, image, path, &e);
        }
    }
    if (s) {
        nst_paint_complain(p, e.text);
        p->failed = true;
    }
    nst_image_destroy(&image);
}

/* The picture so far goes before the checkpoint, which then says that this file is the run's own; when that fails
 * keep_result says why. */
static void keep_picture(nst_painting *p, const nst_progress *at)
{
    nst_image *image;
    nst_error e;

    if (!p->keep.path || p->whole || nst_paths_is_stream(p->output) || nst_progress_image(at, &image, &e))
        return;
    if ((p->result_kept = !save(p, image, p->output, &e)))
        nst_keep_made(&p->keep, p->output);
    nst_image_destroy(&image);
}

/* Whether the run is to stop, its state being kept. */
static int keep(nst_painting *p, const nst_progress *at)
{
    int stop;
    nst_error e;

    if (p->comm) { /* a signal may have reached another rank */
        double ranks = nst_interrupt_pending() != 0;

        p->stopped = !p->comm->sum(p->comm->arg, &ranks, 1) && ranks > 0;
    }
    stop = nst_interrupt_pending() || p->stopped;

    if (stop)
        keep_picture(p, at);
    if ((stop || at->done < at->total_iterations) && nst_keep_write(&p->keep, at, stop, &e)) {
        nst_paint_complain(p, e.text);
        p->failed = true;
    }
    return stop;
}

static int each_iteration(void *arg, const nst_progress *at)
{
    nst_painting *p = arg;
    nst_error e;
    int stop;

    nst_interrupt_at_ease();
    if (p->from && !p->done && first(p) && open_log(p, &e)) {
        nst_paint_complain(p, e.text);
        p->failed = true;
    }
    p->done = at->done;
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
        p->failed = true;
    }
    if (p->c.save_every && at->done % p->c.save_every == 0)
        save_numbered(p, at);
    if (nst_preview_due(&p->preview, at)) {
        nst_report_end(&p->report);
        nst_preview_draw(&p->preview, at);
    }
    if (p->web && !nst_interrupt_pending())
        nst_web_progress(p->web, at, nst_interrupt_pending, &p->stopped);
    if (p->watch && !nst_interrupt_pending())
        p->watch(at, &p->stopped);
    stop = keep(p, at);
    if (!stop)
        nst_interrupt_pace(at->seconds);
    return stop;
}

static nst_status open_web(nst_painting *p, nst_error *e)
{
    const nst_command *c = &p->c;
    char what[512], url[128];
    nst_status s;

    if (!c->web && !c->web_port && !c->web_host)
        return NST_OK;
    snprintf(what, sizeof what, "%.200s in the style of %.200s", nst_paths_base(c->content), nst_paths_base(c->style[0]));
    s = nst_web_open(&p->web, c->web_host, c->web_port ? c->web_port : WEB_PORT, what, p->content, p->s->strength, url, e);
    if (!s && !p->report.quiet)
        nst_say(stderr, "nst: %s shows the painting as it forms", url);
    return s;
}

static nst_status keep_result(nst_painting *p, nst_error *e)
{
    nst_status s = NST_OK;

    if (p->whole && nst_interrupt_pending())
        s = nst_paths_stopped(p->output, sizeof p->output, e);
    if (!s && !p->result_kept && (s = save(p, p->result, p->output, e))) {
        nst_files_rescue(&p->c, p->result, p->comment, e);
        p->unwritable = true;
    }
    if (!s && !nst_interrupt_pending() && !p->stopped)
        nst_keep_remove(&p->keep);
    return s;
}

static nst_status transfer(nst_painting *p, nst_error *e)
{
    nst_status s;

    if ((p->c.preview && (s = nst_preview_open(&p->preview, e))) || (s = open_web(p, e)))
        return s;
    nst_interrupt_watch(!p->report.quiet);
    if (p->comm)
        s = nst_transfer_across(p->s, p->model, p->content, (const nst_image *const *)p->style, p->c.styles, p->init,
                                p->comm, each_iteration, p, &p->result, e);
    else if (p->from)
        s = nst_transfer_resume(p->from, p->model, p->content, (const nst_image *const *)p->style, p->c.styles,
                                each_iteration, p, &p->result, e);
    else
        s = nst_transfer_known(p->known, p->s, p->model, p->content, (const nst_image *const *)p->style, p->c.styles,
                               p->init, each_iteration, p, &p->result, e);
    nst_interrupt_hold();
    nst_report_end(&p->report);
    nst_web_close(&p->web, p->result, p->stopped || nst_interrupt_pending());
    if (s == NST_EDIVERGED && p->result) { /* the last good picture; e goes on saying why it is the last */
        nst_error saving;

        if (save(p, p->result, p->output, &saving)) {
            nst_files_rescue(&p->c, p->result, p->comment, &saving);
            *e = saving;
        }
    }
    return s ? s : nst_comm_agree(p->comm, first(p) ? keep_result(p, e) : NST_OK, e);
}

static void say_end(const nst_painting *p)
{
    bool early = nst_interrupt_pending() || p->stopped;
    const char *how = early ? "stopped early, the picture so far is kept" : "done";

    nst_say(stderr, "nst: %s: %dx%d after %d iterations, %s", nst_paths_label(p->output), nst_image_width(p->result),
            nst_image_height(p->result), p->done, how);
    if (early && p->keep.path && !p->failed)
        nst_say(stderr, "nst: `nst resume %s` goes on", p->keep.path);
}

nst_status nst_paint(nst_painting *p, nst_error *e)
{
    nst_status s;

    if ((s = nst_comm_agree(p->comm, first(p) ? check_outputs(p, e) : NST_OK, e)) ||
        (s = nst_comm_agree(p->comm, open_inputs(p, e), e)) ||
        (p->comm && (s = nst_comm_agree(p->comm, check_same(p, e), e))))
        return s;
    nst_image_spend(p->content);
    if ((s = nst_transfer_plan_across(p->s, p->model, p->content, (const nst_image *const *)p->style, p->c.styles,
                                      p->comm, &p->plan, e))) {
        if (s == NST_EMEM && !p->comm)
            nst_fitting_advise(p->s, p->model, p->content, (const nst_image *const *)p->style, p->c.styles, e);
        return s;
    }
    if (p->c.dry_run) {
        if (first(p))
            say_dry(p);
        return NST_OK;
    }
    if ((s = nst_comm_agree(p->comm, first(p) && !p->from ? open_log(p, e) : NST_OK, e)))
        return s;
    if (!p->report.quiet)
        say_start(p);
    if ((s = transfer(p, e)))
        return s;
    if (!p->report.quiet)
        say_end(p);
    return NST_OK;
}

void nst_paint_leave(nst_painting *p)
{
    if (p->log)
        fclose(p->log);
    p->log = NULL;
    for (int i = 0; i < NST_MAX_STYLES; i++)
        nst_image_destroy(&p->style[i]);
    nst_image_destroy(&p->content);
    nst_image_destroy(&p->init);
    nst_image_destroy(&p->result);
    p->done = 0;
    p->result_kept = false;
}

void nst_paint_close(nst_painting *p)
{
    nst_paint_leave(p);
    nst_checkpoint_close(&p->from);
    nst_model_close(&p->model);
    nst_settings_destroy(&p->s);
}

/* ---- the command line ------------------------------------------------------------------------------------------ */

nst_status nst_paint_settings(nst_painting *p, int argc, char **argv, nst_error *e)
{
    nst_status s;

    if ((s = nst_config_settings(argc, argv, &p->c, &p->s, e)))
        return s;
    return nst_paint_describe(p, e);
}

nst_status nst_paint_describe(nst_painting *p, nst_error *e)
{
    const char *simd = p->from ? nst_checkpoint_simd(p->from) : nst_simd_chosen();
    nst_status s = nst_places_find(p->c.model, p->model_path, sizeof p->model_path, e);
    int n;

    if (s)
        return s;
    nst_paths_cache(p->s->cache, sizeof p->s->cache);
    n = snprintf(p->comment, sizeof p->comment, "nst %s (%s) --model %.500s ", nst_version(),
                 *p->s->simd ? p->s->simd : simd, nst_paths_base(p->model_path));
    nst_options_describe(p->s, p->comment + n, sizeof p->comment - (size_t)n);
    p->report = (nst_report){ .quiet = p->c.quiet || !first(p), .verbose = p->c.verbose, .terminal = isatty(STDERR_FILENO) };
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
        return fail(e, NST_EARG, "\"%.60s\" is neither a command nor a picture, did you mean nst %s?", content, near->name);
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
    if (!(s = nst_paint_settings(&p, argc, argv, e))) {
        if (p.c.content && p.c.styles) {
            s = nst_paint(&p, e);
        } else {
            s = lacking(p.c.content, e);
        }
    }
    if (!s && p.failed) {
        *e->text = 0;
        s = NST_EIO;
    }
    nst_paint_close(&p);
    return s;
}
