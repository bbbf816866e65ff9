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

static nst_video v; /* lives as long as the program, which has no heap */

/* ---- what it is made of ------------------------------------------------------------------------------------------ */

/* A file of one picture is a film of one picture to libavformat.  An animated PNG does not say how many it has. */
static nst_status check_length(nst_error *e)
{
    const nst_film *theirs = &v.source.film;
    nst_film film;
    bool single;
    nst_status s;

    if (v.c.frames || theirs->pattern || theirs->stream->duration > 1 || theirs->frames >= 2 ||
        !nst_files_is_picture(v.c.content))
        return NST_OK;
    s = nst_film_open(&film, v.c.content, NULL, e);
    if (!s)
        s = nst_film_step(&film, e);
    if (!s && !film.at.end)
        s = nst_film_step(&film, e);
    single = !s && film.at.end;
    nst_film_close(&film);
    if (!single)
        return s;
    return fail(e, NST_EARG, "%s: a single picture; `nst %s STYLE` paints it, and --frames N makes a film of it",
                v.c.content, v.c.content);
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
    nst_video_settle(&v);
    return NST_OK;
}

/* A film is begun and given up: what libavformat says only then is known before hours of painting. */
static nst_status try_output(const nst_film *film, nst_error *e)
{
    nst_film_writer w;
    nst_status s = nst_film_create(&w, v.output, film, v.source.rate, v.source.width, v.source.height, e);

    if (!s)
        nst_film_abandon(&w);
    return s;
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
        return nst_video_check_apart(&v, e);
    }
    if (v.output[n - 1] == '/' || (there && S_ISDIR(st.st_mode)))
        return nst_video_check_apart(&v, e);
    if (there && !S_ISREG(st.st_mode))
        return fail(e, NST_EIO, "%s: is a pipe or a device; a film needs a file", v.output);
    v.to_film = true;
    s = nst_film_writable(v.output, film, note, sizeof note, e);
    if (!s)
        s = nst_paths_check(&v.c, v.output, e);
    if (!s && (!v.comm || !v.comm->rank))
        s = try_output(film, e);
    if (s)
        return s;
    if (*note && !v.c.quiet)
        nst_video_tell(&v, note);
    return NST_OK;
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

static nst_status open_kept(int argc, char **argv, nst_error *e)
{
    nst_status s = nst_kept_name(&v.kept, v.output, v.source.width, v.source.height, e);

    if (s)
        return s;
    return v.comm ? nst_share_keep(&v, identity(), argc, argv, e)
                  : nst_kept_open(&v.kept, identity(), argc, argv, e);
}

/* ---- the work ---------------------------------------------------------------------------------------------------- */

static void say_plan(FILE *f, const nst_plan *plan)
{
    char number[32] = "?", reason[512];

    if (v.count)
        snprintf(number, sizeof number, "%s%ld", v.c.frames ? "" : "about ", v.count);
    nst_say(f, "nst: %s%s", nst_model_describe(v.model), nst_models_reason(&v.c, reason, sizeof reason));
    nst_say(f, "nst: %s will have %s picture%s of %dx%d; the first of a scene gets %d scale%s, the others %d "
            "iteration%s, with about %.0f MB of memory", v.output, number, v.count == 1 ? "" : "s", v.source.width,
            v.source.height, plan->scales, plan->scales == 1 ? "" : "s", v.next.iterations,
            v.next.iterations == 1 ? "" : "s", ceil((double)plan->bytes / 1e6));
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
        snprintf(text, sizeof text, "%s: %ld picture%s in %s, done", v.output, n, n == 1 ? "" : "s",
                 nst_report_duration(nst_clock_now() - v.began, time));
        nst_video_tell(&v, text);
        return;
    }
    if (!n) {
        nst_video_tell(&v, "stopped before the first picture was painted");
        return;
    }
    snprintf(text, sizeof text, "%s: stopped early, the first %ld picture%s there", v.output, n,
             n == 1 ? " is" : "s are");
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

static nst_status prepare(nst_plan *plan, nst_error *e)
{
    nst_status s = open_film(e);

    if (!s)
        s = check_output(e);
    if (!s)
        s = read_styles(e);
    if (!s)
        s = plan_it(plan, e);
    return v.comm ? nst_comm_agree(v.comm, s, e) : s;
}

static nst_status paint_all(nst_error *e)
{
    nst_status s = v.comm ? nst_share_deal(&v, e) : NST_OK;

    if (!s)
        s = nst_video_paint(&v, e);
    return v.comm ? nst_share_end(&v, s, e) : s;
}

/* What was painted becomes a film, whatever happened (s). */
static nst_status finish(nst_status s, nst_error *e)
{
    nst_error later = { "" };
    nst_status made;
    long n = 0;

    if (v.comm && v.comm->rank)
        return s;
    say_faults();
    made = nst_video_assemble(&v, &n, s ? &later : e);
    if ((!s && !made && !v.stopped) || v.before + v.painted == 0)
        nst_kept_remove(&v.kept);
    if (!made && (!s || n))
        say_end(n, !s && !v.stopped);
    return s ? s : made;
}

static nst_status paint_film(const nst_plan *plan, nst_error *e)
{
    nst_status s;

    if (!v.c.quiet)
        say_plan(stderr, plan);
    v.began = nst_clock_now();
    nst_interrupt_watch(!v.c.quiet);
    s = paint_all(e);
    nst_interrupt_hold();
    s = finish(s, e);
    return v.comm ? nst_comm_agree(v.comm, s, e) : s;
}

static nst_status work(int argc, char **argv, nst_error *e)
{
    nst_plan plan;
    nst_status s = prepare(&plan, e);

    if (s)
        return s;
    if (v.c.dry_run) {
        if (!v.comm || !v.comm->rank)
            say_plan(stdout, &plan);
        return NST_OK;
    }
    s = nst_video_page_open(&v, e);
    if (!s)
        s = open_kept(argc, argv, e);
    if (!s)
        s = nst_video_check_left(&v, e);
    if (!s)
        s = paint_film(&plan, e);
    nst_video_page_close(&v);
    return s;
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
    nst_kept_close(&v.kept);
    nst_model_close(&v.model);
    nst_settings_destroy(&v.s);
}

nst_status nst_video_begin(int argc, char **argv, const nst_video_resumed *resumed, const nst_comm *comm, nst_error *e)
{
    nst_status s;

    v.comm = comm;
    v.resumed = resumed;
    s = nst_video_arguments(&v, argc, argv, e);
    if (!s && comm)
        s = nst_share_check(&v, e);
    if (comm)
        s = nst_comm_agree(comm, s, e);
    if (!s)
        s = work(argc, argv, e);
    leave();
    return s;
}

nst_status nst_video_run(int argc, char **argv, nst_error *e)
{
    return nst_video_begin(argc, argv, NULL, NULL, e);
}

nst_status nst_video_across(const nst_comm *comm, int argc, char **argv, nst_error *e)
{
    return nst_video_begin(argc, argv, NULL, comm, e);
}
