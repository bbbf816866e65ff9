/* main.c: the program nst, a client of libnst: reads command line and pictures, watches the run, keeps its result. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "interrupt.h"
#include "models.h"
#include "options.h"
#include "paths.h"
#include "report.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct run {
    nst_command c;
    nst_settings *s;
    nst_model *model;
    nst_image *content, *style[NST_MAX_STYLES], *init, *result;
    nst_plan plan;
    char output[NST_PATH_BYTES];
    char comment[2048];
    FILE *log;
    nst_report report;
    int done;
    bool failed; /* something beside the result could not be kept; the run goes on */
};

static void complain(struct run *r, const char *text)
{
    nst_report_end(&r->report);
    fprintf(stderr, "nst: %s\n", text);
}

static int exit_status(nst_status s)
{
    return s == NST_OK ? EXIT_DONE : s == NST_EARG ? EXIT_USAGE : EXIT_FAILED;
}

/* Text for standard output; a full disk or a closed pipe there is a failure like any other. */
static int finish_text(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return EXIT_DONE;
    fprintf(stderr, "nst: standard output: %s\n", strerror(errno));
    return EXIT_FAILED;
}

static int say_version(void)
{
    printf("nst %s\n%s\nkernels:", nst_version(), nst_build_info());
    for (int i = 0; nst_simd_name(i); i++)
        printf(" %s%s", nst_simd_name(i), nst_simd_usable(i) ? "" : " (not on this machine)");
    printf("; chosen: %s\n", nst_simd_chosen());
    printf("built-in model: computed wavelets, nothing in it was learned; learned weights paint richer pictures\n");
    return finish_text();
}

static int say_presets(void)
{
    for (int i = 0; nst_preset_name(i); i++)
        printf("%-24s %s\n", nst_preset_name(i), nst_preset_summary(i));
    return finish_text();
}

/* ---- before the run -------------------------------------------------------------------------------------------- */

static nst_status open_inputs(struct run *r, nst_error *e)
{
    nst_status s;

    if ((s = nst_models_open(&r->model, &r->c, e)))
        return s;
    if ((s = nst_image_read(&r->content, r->c.content, e)))
        return s;
    for (int i = 0; i < r->c.styles; i++)
        if ((s = nst_image_read(&r->style[i], r->c.style[i], e)))
            return s;
    return r->c.init ? nst_image_read(&r->init, r->c.init, e) : NST_OK;
}

static nst_status check_outputs(struct run *r, nst_error *e)
{
    nst_status s;

    if ((s = nst_paths_output(&r->c, r->output, sizeof r->output, e)) || (s = nst_paths_check(&r->c, r->output, e)))
        return s;
    return r->c.log ? nst_paths_check(&r->c, r->c.log, e) : NST_OK;
}

static double megabytes(const struct run *r)
{
    return ceil((double)r->plan.bytes / 1e6);
}

static void say_dry(const struct run *r)
{
    const nst_plan *p = &r->plan;

    for (int i = 0; i < p->scales; i++)
        printf("scale %d of %d: %dx%d, %d iterations\n", i + 1, p->scales, p->width[i], p->height[i], p->iterations[i]);
    printf("model: %s\nmemory: about %.0f MB\nresult: %s\n", nst_model_describe(r->model), megabytes(r), r->output);
}

/* Two lines, and a third where the machine's memory looks too small. */
static void say_start(struct run *r)
{
    const nst_plan *p = &r->plan;

    fprintf(stderr, "nst: %s\n", nst_model_describe(r->model));
    fprintf(stderr, "nst: %s will be %dx%d, painted in %d scale%s with about %.0f MB of memory\n", r->output,
            p->width[p->scales - 1], p->height[p->scales - 1], p->scales, p->scales > 1 ? "s" : "", megabytes(r));
#ifdef _SC_PHYS_PAGES
    double have = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);

    if (have > 0 && have < (double)p->bytes)
        fprintf(stderr, "nst: this machine has only %.0f MB: it will be slow or fail; a smaller --size needs less\n",
                have / 1e6);
#endif
}

static nst_status open_log(struct run *r, nst_error *e)
{
    if (r->c.log && !(r->log = fopen(r->c.log, "w"))) {
        snprintf(e->text, sizeof e->text, "%s: %s", r->c.log, strerror(errno));
        return NST_EIO;
    }
    return NST_OK;
}

/* ---- the run --------------------------------------------------------------------------------------------------- */

static nst_status save(struct run *r, const nst_image *image, const char *path, nst_error *e)
{
    nst_write_options o = { .bits = 8 << r->c.bits, .jpeg_quality = r->c.quality, .comment = r->comment };
    nst_status s = nst_paths_check(&r->c, path, e);

    return s ? s : nst_image_write(image, path, &o, e);
}

static void save_numbered(struct run *r, const nst_progress *p)
{
    char path[NST_PATH_BYTES];
    nst_image *image = NULL;
    nst_error e;

    if (nst_paths_numbered(r->output, p->done, path, sizeof path, &e) || nst_progress_image(p, &image, &e) ||
        save(r, image, path, &e)) {
        complain(r, e.text);
        r->failed = true;
    }
    nst_image_destroy(&image);
}

static int each_iteration(void *arg, const nst_progress *p)
{
    struct run *r = arg;

    r->done = p->done;
    nst_report_progress(&r->report, p);
    if (r->log && !nst_report_log(r->log, p)) {
        char text[512];

        snprintf(text, sizeof text, "%s: %s; the log ends here", r->c.log, strerror(errno));
        complain(r, text);
        fclose(r->log);
        r->log = NULL;
        r->failed = true;
    }
    if (r->c.save_every && p->done % r->c.save_every == 0)
        save_numbered(r, p);
    return nst_interrupt_pending();
}

static nst_status paint(struct run *r, nst_error *e)
{
    nst_status s;

    nst_interrupt_watch(!r->report.quiet);
    s = nst_transfer(r->s, r->model, r->content, (const nst_image *const *)r->style, r->c.styles, r->init,
                     each_iteration, r, &r->result, e);
    nst_interrupt_hold();
    nst_report_end(&r->report);
    if (s == NST_EDIVERGED && r->result) { /* the last good picture; e goes on saying why it is the last */
        nst_error saving;

        if (save(r, r->result, r->output, &saving))
            *e = saving;
    }
    return s ? s : save(r, r->result, r->output, e);
}

static void say_end(const struct run *r)
{
    const char *how = nst_interrupt_pending() ? "stopped early, the picture so far is kept" : "done";

    fprintf(stderr, "nst: %s: %dx%d after %d iterations, %s\n", r->output, nst_image_width(r->result),
            nst_image_height(r->result), r->done, how);
}

static nst_status run(struct run *r, nst_error *e)
{
    nst_status s;

    if ((s = check_outputs(r, e)) || (s = open_inputs(r, e)) ||
        (s = nst_transfer_plan(r->s, r->model, r->content, (const nst_image *const *)r->style, r->c.styles, &r->plan,
                               e)))
        return s;
    if (r->c.dry_run) {
        say_dry(r);
        return NST_OK;
    }
    if ((s = open_log(r, e)))
        return s;
    if (!r->report.quiet)
        say_start(r);
    if ((s = paint(r, e)))
        return s;
    if (!r->report.quiet)
        say_end(r);
    return NST_OK;
}

static void release(struct run *r)
{
    if (r->log)
        fclose(r->log);
    for (int i = 0; i < r->c.styles; i++)
        nst_image_destroy(&r->style[i]);
    nst_image_destroy(&r->content);
    nst_image_destroy(&r->init);
    nst_image_destroy(&r->result);
    nst_model_close(&r->model);
    nst_settings_destroy(&r->s);
}

/* ---- the command line ------------------------------------------------------------------------------------------ */

static nst_status read_settings(struct run *r, int argc, char **argv, nst_error *e)
{
    char model[NST_PATH_BYTES];
    int n;
    nst_status s;

    if ((s = nst_settings_create(&r->s, r->c.preset, e)) || (s = nst_options_parse(argc, argv, &r->c, r->s, e)) ||
        (s = nst_models_find(r->c.model, model, sizeof model, e)))
        return s;
    if (!r->c.content || !r->c.styles) {
        snprintf(e->text, sizeof e->text, "%s: expected CONTENT STYLE...",
                 r->c.content ? "a style picture is missing" : "no pictures are named");
        return NST_EARG;
    }
    n = snprintf(r->comment, sizeof r->comment, "nst %s (%s) --model %.500s ", nst_version(),
                 *r->s->simd ? r->s->simd : nst_simd_chosen(), nst_paths_base(model));
    nst_options_describe(r->s, r->comment + n, sizeof r->comment - (size_t)n);
    r->report = (nst_report){ .quiet = r->c.quiet, .verbose = r->c.verbose, .terminal = isatty(STDERR_FILENO) };
    return NST_OK;
}

/* `nst bench [OPTION]...`: the same options, no pictures. */
static nst_status bench(struct run *r, int argc, char **argv, nst_error *e)
{
    nst_status s;

    if ((s = nst_options_parse(argc, argv, &r->c, NULL, e)))
        return s;
    if (r->c.content) {
        snprintf(e->text, sizeof e->text, "bench: \"%s\" is not an option, and it takes no pictures", r->c.content);
        return NST_EARG;
    }
    if ((s = nst_settings_create(&r->s, r->c.preset, e)) || (s = nst_options_parse(argc, argv, &r->c, r->s, e)))
        return s;
    return nst_bench(&r->c, r->s, e);
}

int main(int argc, char **argv)
{
    static struct run r;
    nst_error e;
    nst_status s;

    if (argc < 2) {
        nst_help_usage(stdout);
        fflush(stdout);
        return EXIT_USAGE;
    }
    if (!strcmp(argv[1], "bench")) {
        if ((s = bench(&r, argc - 1, argv + 1, &e)))
            complain(&r, e.text);
        release(&r);
        return s ? exit_status(s) : finish_text();
    }
    if (!strcmp(argv[1], "model")) { /* `nst model COMMAND [OPTION]... [FILE] [NAME]` */
        if ((s = nst_options_parse(argc - 1, argv + 1, &r.c, NULL, &e)) || (s = nst_models_run(&r.c, &e)))
            complain(&r, e.text);
        return s ? fflush(stdout), exit_status(s) : finish_text();
    }
    s = nst_options_parse(argc, argv, &r.c, NULL, &e);
    if (!s && r.c.help) {
        nst_help_options(stdout);
        return finish_text();
    }
    if (!s && r.c.version)
        return say_version();
    if (!s && r.c.preset && !strcmp(r.c.preset, "list"))
        return say_presets();
    if (!s && !(s = read_settings(&r, argc, argv, &e)))
        s = run(&r, &e);
    if (s)
        complain(&r, e.text);
    release(&r);
    if (nst_interrupt_pending())
        nst_interrupt_die();
    if (!s && r.c.dry_run)
        return finish_text();
    return s ? exit_status(s) : r.failed ? EXIT_FAILED : EXIT_DONE;
}
