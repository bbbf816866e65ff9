/* video.c: the command `nst video`: what it is given, what it says, and what is left when it ends. */
#include "cli/video/video.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/announce.h"
#include "cli/clock.h"
#include "cli/config.h"
#include "cli/fail.h"
#include "cli/files.h"
#include "cli/interrupt.h"
#include "cli/models/models.h"
#include "cli/models/places.h"
#include "cli/video/coders.h"
#include "cli/video/job.h"

#define WEIGHT 20000 /* of the temporal loss, where nobody says: docs/video.md */
#define SHARE 8   /* a picture that starts from the one before gets so much less iterations */
#define FEWEST 6
#define SMALLEST 64 /* pixels of the coarsest scale for what comes into view */

static nst_video v; /* lives as long as the program, which has no heap */

/* ---- the command line -------------------------------------------------------------------------------------------- */

static nst_status check_options(const nst_command *c, nst_error *e)
{
    const char *no = c->checkpoint ? "checkpoint" : c->log ? "log" : c->save_every ? "save-every" : c->init ? "init"
        : c->web || c->web_port || c->web_host ? "web" : NULL;

    if (no)
        return fail(e, NST_EARG, "video: --%s is for one picture, expected none", no);
    if (!c->content || !c->styles)
        return fail(e, NST_EARG, "video: %s, expected FILM STYLE...",
                    c->content ? "a style picture is missing" : "no film is named");
    if (c->operands - 1 > NST_MAX_STYLES)
        return fail(e, NST_EARG, "video: %d styles, at most %d are taken", c->operands - 1, NST_MAX_STYLES);
    if (!c->output)
        return fail(e, NST_EARG, "video: --output is missing: a film (new.mp4), a folder (new/) or a pattern "
                    "(new-%%04d.png)");
    if (nst_paths_is_stream(c->content) || nst_paths_is_stream(c->output))
        return fail(e, NST_EARG, "video: a film is read and written by name, expected no -");
    if (c->to > 0 && c->to <= c->from)
        return fail(e, NST_EARG, "--to: %g s is not after --from", c->to);
    if (c->interpolate && c->styles < 2)
        return fail(e, NST_EARG, "--interpolate: one style, expected two or more");
    if (c->frames && (c->passes > 1 || c->flow))
        return fail(e, NST_EARG, "--frames: a photograph has no motion, expected no --%s",
                    c->flow ? "flow" : "passes");
    return NST_OK;
}

static nst_status read_weight(const char *text, double *weight, nst_error *e)
{
    char *end;

    *weight = WEIGHT;
    if (!text)
        return NST_OK;
    errno = 0;
    *weight = strtod(text, &end);
    if (end == text || *end || errno || strpbrk(text, "xXnN") || !(*weight >= 0 && *weight <= 1e15))
        return fail(e, NST_EARG, "--temporal-weight: \"%s\" is not a number from 0 to 1e+15", text);
    return NST_OK;
}

/* A picture after the first starts from the one before: at full size, without noise, in few iterations. */
static void settle_next(void)
{
    nst_settings *n = &v.next;
    int few = v.s->iterations / SHARE;

    *n = *v.s;
    n->scales = 1;
    n->time_limit = 0;
    n->init = NST_INIT_IMAGE;
    n->init_noise = 0;
    n->first_iterations = 0;
    n->iterations = v.c.frame_iterations ? v.c.frame_iterations : few > FEWEST ? few : FEWEST;
    if (n->iterations > v.s->iterations && !v.c.frame_iterations)
        n->iterations = v.s->iterations;
}

/* What comes into view is painted from coarse to fine, up to half the size. */
static void settle_rough(void)
{
    nst_settings *r = &v.rough;
    int shorter = v.source.width < v.source.height ? v.source.width : v.source.height;

    *r = v.next;
    r->size = shorter / 2 < SMALLEST ? 0 : v.s->size / 2;
    r->scales = 0;
    r->min_size = SMALLEST;
    r->scale_step = 2;
    r->first_iterations = 2 * v.next.iterations;
}

static nst_status parse(int argc, char **argv, const char *output, nst_error *e)
{
    nst_status s;
    int n;

    s = nst_config_parse(argc, argv, &v.c, e);
    if (s)
        return s;
    if (output)
        v.c.output = output;
    s = check_options(&v.c, e);
    if (!s)
        s = read_weight(v.c.temporal_weight, &v.weight, e);
    if (!s)
        s = nst_config_settings(argc, argv, &v.c, &v.s, e);
    if (!s)
        s = nst_places_find(v.c.model, v.model_path, sizeof v.model_path, e);
    if (s)
        return s;
    if ((size_t)snprintf(v.output, sizeof v.output, "%s", v.c.output) >= sizeof v.output)
        return fail(e, NST_EARG, "%.60s...: the name is too long", v.c.output);
    v.range = (nst_film_range){ v.c.from, v.c.to, v.c.fps };
    v.passes = v.c.passes ? v.c.passes : 1;
    nst_paths_cache(v.s->cache, sizeof v.s->cache);
    n = snprintf(v.comment, sizeof v.comment, "nst %s (%s) --model %.500s ", nst_version(),
                 *v.s->simd ? v.s->simd : nst_simd_chosen(), nst_paths_base(v.model_path));
    nst_options_describe(v.s, v.comment + n, sizeof v.comment - (size_t)n);
    v.line.terminal = isatty(STDERR_FILENO);
    return NST_OK;
}

/* ---- what it is made of ------------------------------------------------------------------------------------------ */

/* A file of one picture is a film of one picture to libavformat. */
static nst_status check_length(nst_error *e)
{
    struct stat st;

    if (v.c.frames || v.source.film.pattern || !nst_paths_is_picture(v.c.content) || v.source.film.stream->duration > 1)
        return NST_OK;
    if (stat(v.c.content, &st) == 0 && v.source.film.frames < 2)
        return fail(e, NST_EARG, "%s: a single picture; `nst %s STYLE` paints it, and --frames N makes a film of it",
                    v.c.content, v.c.content);
    return NST_OK;
}

static nst_status open_film(nst_error *e)
{
    nst_status s = nst_source_open(&v.source, v.c.content, &v.range, v.c.frames, v.s->size, e);

    if (!s)
        s = check_length(e);
    if (s)
        return s;
    v.count = v.source.count;
    v.s->size = v.source.width > v.source.height ? v.source.width : v.source.height;
    v.s->size_rule = NST_SIZE_LONGEST;
    v.s->size_enlarge = 1;
    settle_next();
    settle_rough();
    return NST_OK;
}

static nst_status check_output(nst_error *e)
{
    const nst_film *film = v.source.photo ? NULL : &v.source.film;
    size_t n = strlen(v.output);
    char note[512] = "";
    struct stat st;
    bool there = stat(v.output, &st) == 0;
    nst_status s;

    if (strchr(v.output, '%')) {
        const char *at = strchr(v.output, '%');

        at += 1 + strspn(at + 1, "0123456789");
        if (*at != 'd' || strchr(at, '%') || !nst_format_of(v.output))
            return fail(e, NST_EARG, "%s: no pattern of pictures' names, expected one as new-%%04d.png", v.output);
        return NST_OK;
    }
    if (v.output[n - 1] == '/' || (there && S_ISDIR(st.st_mode)))
        return NST_OK;
    v.to_film = true;
    s = nst_film_writable(v.output, film, note, sizeof note, e);
    if (s)
        return s;
    if (*note && !v.c.quiet)
        nst_video_tell(&v, note);
    return nst_paths_check(&v.c, v.output, e);
}

static nst_status read_styles(nst_error *e)
{
    nst_image *blank = NULL;
    nst_fit fit;
    nst_status s;

    s = nst_models_open(&v.model, &v.c, e);
    if (!s)
        s = nst_image_create(&blank, v.source.width, v.source.height, 3, e);
    if (s)
        return s;
    fit = nst_settings_fit(v.s, blank);
    fit.damaged = v.c.damaged;
    nst_image_destroy(&blank);
    for (int i = 0; i < v.c.styles && !s; i++)
        s = nst_files_read(&v.style[i], v.c.style[i], &fit, e);
    for (int i = 0; i < v.c.styles && !s && !v.c.quiet; i++)
        if (nst_image_note(v.style[i]))
            nst_video_tell(&v, nst_image_note(v.style[i]));
    if (!s)
        s = nst_video_masks_open(&v, e);
    if (!s)
        s = nst_styles_create(&v.known, e);
    if (!s)
        s = nst_styles_create(&v.known_next, e);
    return s ? s : nst_styles_create(&v.known_rough, e);
}

/* ---- what decides the pictures ----------------------------------------------------------------------------------- */

/* FNV-1a. */
static uint64_t mix(uint64_t sum, const void *data, size_t bytes)
{
    const unsigned char *at = data;

    for (size_t i = 0; i < bytes; i++)
        sum = (sum ^ at[i]) * 0x100000001b3u;
    return sum;
}

static uint64_t mix_file(uint64_t sum, const char *path)
{
    struct stat st;

    sum = mix(sum, nst_paths_base(path), strlen(nst_paths_base(path)));
    if (stat(path, &st) == 0)
        sum = mix(sum, &st.st_size, sizeof st.st_size);
    return sum;
}

static uint64_t identity(void)
{
    uint64_t sum = mix(0xcbf29ce484222325u, v.comment, strlen(v.comment));
    double numbers[] = { v.range.from, v.range.to, v.range.fps, v.weight, v.passes, v.c.frames, v.c.interpolate,
                         v.next.iterations, v.source.width, v.source.height };

    sum = mix(sum, numbers, sizeof numbers);
    sum = mix_file(mix_file(sum, v.c.content), v.c.flow ? v.c.flow : "");
    for (int i = 0; i < v.c.content_mask.n; i++)
        sum = mix_file(sum, v.c.content_mask.name[i]);
    for (int i = 0; i < v.c.style_mask.n; i++)
        sum = mix_file(sum, v.c.style_mask.name[i]);
    for (int i = 0; i < v.c.styles; i++)
        for (int c = 0; c < 3; c++)
            sum = mix(sum, nst_image_plane(v.style[i], c),
                      (size_t)nst_image_width(v.style[i]) * (size_t)nst_image_height(v.style[i]) * sizeof(float));
    return sum;
}

/* ---- the work ---------------------------------------------------------------------------------------------------- */

static void say_plan(FILE *f, const nst_plan *plan)
{
    char number[32] = "?", reason[512];

    if (v.count)
        snprintf(number, sizeof number, "%s%ld", v.c.frames ? "" : "about ", v.count);
    nst_say(f, "nst: %s%s", nst_model_describe(v.model), nst_models_reason(&v.c, reason, sizeof reason));
    nst_say(f, "nst: %s will have %s pictures of %dx%d; the first of a scene gets %d scales, the others %d iterations, "
            "with about %.0f MB of memory", v.output, number, v.source.width, v.source.height, plan->scales,
            v.next.iterations, ceil((double)plan->bytes / 1e6));
}

static nst_status plan_it(nst_plan *plan, nst_error *e)
{
    const nst_image *const *style = (const nst_image *const *)v.style;
    nst_image *blank = NULL;
    nst_settings s = *v.s;
    nst_status status = nst_image_create(&blank, v.source.width, v.source.height, 3, e);

    s.time_limit = 0;
    if (!status)
        status = nst_transfer_plan(&s, v.model, blank, style, v.c.styles, plan, e);
    nst_image_destroy(&blank);
    return status;
}

static void say_end(long n, bool whole)
{
    char text[3 * NST_PATH_BYTES], time[32];

    if (v.c.quiet)
        return;
    if (whole) {
        snprintf(text, sizeof text, "%s: %ld pictures in %s, done", v.output, n,
                 nst_report_duration(nst_clock_now() - v.began, time));
        nst_video_tell(&v, text);
        return;
    }
    if (!n) {
        nst_video_tell(&v, "stopped before the first picture was painted");
        return;
    }
    snprintf(text, sizeof text, "%s: stopped early, the first %ld pictures are there", v.output, n);
    nst_video_tell(&v, text);
    snprintf(text, sizeof text, "`nst resume %s` goes on", v.kept.folder);
    nst_video_tell(&v, text);
}

static void say_faults(void)
{
    const nst_film *film = &v.source.film;
    char text[NST_PATH_BYTES + 200];

    if (v.c.quiet || v.source.photo)
        return;
    if (film->count.damaged) {
        snprintf(text, sizeof text, "%s: damaged in %ld place%s; what can be decoded is painted", film->path,
                 film->count.damaged, film->count.damaged == 1 ? "" : "s");
        nst_video_tell(&v, text);
    }
    if (film->count.resized) {
        snprintf(text, sizeof text, "%s: from picture %ld on the film has another size; it is painted at that of the "
                 "first one", film->path, film->count.resized);
        nst_video_tell(&v, text);
    }
}

static nst_status work(int argc, char **argv, nst_error *e)
{
    nst_plan plan;
    nst_error later = { "" };
    nst_status s, made;
    long n = 0;

    s = open_film(e);
    if (!s)
        s = check_output(e);
    if (!s)
        s = read_styles(e);
    if (!s)
        s = plan_it(&plan, e);
    if (s)
        return s;
    if (v.c.dry_run) {
        say_plan(stdout, &plan);
        return NST_OK;
    }
    s = nst_kept_name(&v.kept, v.output, e);
    if (!s)
        s = nst_kept_open(&v.kept, identity(), argc, argv, e);
    if (s)
        return s;
    if (!v.c.quiet)
        say_plan(stderr, &plan);
    v.began = nst_clock_now();
    nst_interrupt_watch(!v.c.quiet);
    s = nst_video_paint(&v, e);
    nst_interrupt_hold();
    say_faults();
    /* what was painted becomes a film, whatever happened */
    made = nst_video_assemble(&v, &n, s ? &later : e);
    if ((!s && !made && !v.stopped) || v.before + v.painted == 0)
        nst_kept_remove(&v.kept);
    if (!made && (!s || n))
        say_end(n, !s && !v.stopped);
    return s ? s : made;
}

static void leave(void)
{
    for (int i = 0; i < NST_MAX_STYLES; i++) {
        nst_image_destroy(&v.style[i]);
        if (v.mask[i].path)
            nst_source_close(&v.mask[i]);
    }
    if (v.source.path)
        nst_source_close(&v.source);
    nst_styles_destroy(&v.known);
    nst_styles_destroy(&v.known_next);
    nst_styles_destroy(&v.known_rough);
    nst_model_close(&v.model);
    nst_settings_destroy(&v.s);
}

nst_status nst_video_begin(int argc, char **argv, const char *output, nst_error *e)
{
    nst_status s = parse(argc, argv, output, e);

    if (!s)
        s = work(argc, argv, e);
    leave();
    return s;
}

nst_status nst_video_run(int argc, char **argv, nst_error *e)
{
    return nst_video_begin(argc, argv, NULL, e);
}
