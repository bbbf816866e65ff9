/* arguments.c: the command line of `nst video`, and the settings of a film's pictures. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/config.h"
#include "cli/fail.h"
#include "cli/models/places.h"
#include "cli/video/job.h"

#define WEIGHT 40000 /* of the temporal loss, where nobody says: docs/video.md */
#define SHARE 8   /* a picture that starts from the one before gets so much less iterations */
#define FEWEST 6
#define SMALLEST 64 /* pixels of the coarsest scale for what comes into view */

static nst_status check_options(const nst_command *c, nst_error *e)
{
    const char *no = nst_first_said(NST_SAID(
        { c->checkpoint, "checkpoint" }, { c->log, "log" }, { c->save_every, "save-every" }, { c->init, "init" }));

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
static void settle_next(nst_video *v)
{
    nst_settings *n = &v->next;
    int few = v->s->iterations / SHARE > FEWEST ? v->s->iterations / SHARE : FEWEST;

    *n = *v->s;
    n->scales = 1;
    n->time_limit = 0;
    n->init = NST_INIT_IMAGE;
    n->init_noise = 0;
    n->first_iterations = 0;
    n->iterations = v->c.frame_iterations;
    if (!n->iterations)
        n->iterations = few < v->s->iterations ? few : v->s->iterations;
}

/* What comes into view is painted from coarse to fine, up to half the size. */
static void settle_rough(nst_video *v)
{
    nst_settings *r = &v->rough;
    int shorter = v->source.width < v->source.height ? v->source.width : v->source.height;

    *r = v->next;
    r->size = shorter / 2 < SMALLEST ? 0 : v->s->size / 2;
    r->scales = 0;
    r->min_size = SMALLEST;
    r->scale_step = 2;
    r->first_iterations = 2 * v->next.iterations;
}

void nst_video_settle(nst_video *v)
{
    settle_next(v);
    settle_rough(v);
}

/* A folder of kept pictures may come from a stranger: its command line says what is painted, and neither where the film
 * goes nor what only the one who resumes may say, as a page for the whole network. */
static void take_own(nst_command *c, const nst_video_resumed *r)
{
    const nst_command *own = &r->own;

    c->output = r->output;
    c->web = own->web;
    c->web_port = own->web_port;
    c->web_host = own->web_host;
    c->preview = own->preview;
    c->dry_run = own->dry_run;
    c->quiet = own->quiet;
    c->verbose = own->verbose;
}

nst_status nst_video_arguments(nst_video *v, int argc, char **argv, nst_error *e)
{
    nst_status s;
    int n;

    s = nst_config_parse(argc, argv, &v->c, e);
    if (s)
        return s;
    if (v->resumed)
        take_own(&v->c, v->resumed);
    s = check_options(&v->c, e);
    if (!s)
        s = read_weight(v->c.temporal_weight, &v->weight, e);
    if (!s)
        s = nst_config_settings(argc, argv, &v->c, &v->s, e);
    if (!s)
        s = nst_places_find(v->c.model, v->model_path, sizeof v->model_path, e);
    if (s)
        return s;
    if ((size_t)snprintf(v->output, sizeof v->output, "%s", v->c.output) >= sizeof v->output)
        return fail(e, NST_EARG, "%.60s...: the name is too long", v->c.output);
    v->range = (nst_film_range){ v->c.from, v->c.to, v->c.fps };
    v->passes = v->c.passes ? v->c.passes : 1;
    nst_paths_cache(v->s->cache, sizeof v->s->cache);
    n = snprintf(v->comment, sizeof v->comment, "nst %s (%s) --model %.500s ", nst_version(),
                 *v->s->simd ? v->s->simd : nst_simd_chosen(), nst_paths_base(v->model_path));
    nst_options_describe(v->s, v->comment + n, sizeof v->comment - (size_t)n);
    v->line.terminal = isatty(STDERR_FILENO);
    return NST_OK;
}
