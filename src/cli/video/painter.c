/* painter.c: one picture of a film: the first of a scene like any painting, the others in few iterations from the one
 * before, moved along. */
#include <stdio.h>
#include <string.h>

#include "cli/clock.h"
#include "cli/interrupt.h"
#include "cli/video/job.h"

#define NEW .004 /* share of a picture that came into view: less is finished by the picture's own iterations */

static int each_iteration(void *arg, const nst_progress *at)
{
    nst_video *v = arg;

    nst_interrupt_at_ease();
    nst_video_progress(v, at);
    if (at->scale == at->scales)
        v->pace.iteration = v->pace.iteration > 0 ? .9 * v->pace.iteration + .1 * at->seconds : at->seconds;
    if (v->s->time_limit > 0 && nst_clock_now() - v->began > v->s->time_limit)
        v->stopped = true;
    if (v->web && !nst_interrupt_pending() && !v->stopped)
        nst_web_progress(v->web, at, nst_interrupt_pending, &v->stopped);
    if (!nst_interrupt_pending())
        nst_interrupt_pace(at->seconds);
    return nst_interrupt_pending() || v->stopped;
}

/* Weights of the styles at this place of the film: from the first one over the others to the last. */
static void blend(const nst_video *v, nst_settings *s)
{
    double at = v->count > 1 ? (double)(v->number - 1) / (double)(v->count - 1) : 0;
    size_t used = 0;

    if (!v->c.interpolate)
        return;
    at = (at > 1 ? 1 : at) * (v->c.styles - 1);
    for (int i = 0; i < v->c.styles; i++) {
        double weight = 1 - (at > i ? at - i : i - at);

        used += (size_t)snprintf(s->style_blend + used, sizeof s->style_blend - used, "%s%.6f", i ? "," : "",
                                 weight > 0 ? weight : 0);
    }
}

/* A picture whose painting was broken off is none. */
static nst_status end(nst_video *v, nst_status s, nst_image **out, nst_error *e)
{
    if (s == NST_EDIVERGED && *out) /* the last good one will do */
        s = NST_OK;
    if (nst_interrupt_pending())
        v->stopped = true;
    if (v->stopped || s)
        nst_image_destroy(out);
    (void)e;
    return s;
}

nst_status nst_painter_first(nst_video *v, const nst_image *now, nst_image **out, nst_error *e)
{
    const nst_image *const *style = (const nst_image *const *)v->style;
    nst_settings s = *v->s;

    s.time_limit = 0;
    blend(v, &s);
    return end(v, nst_transfer_known(v->known, &s, v->model, now, style, v->c.styles, NULL, each_iteration, v, out, e),
               out, e);
}

/* With a limit of time, as many iterations as fit. */
static int iterations(const nst_video *v)
{
    double left = v->s->time_limit - (nst_clock_now() - v->began), steps, each;
    long pictures = v->count - v->number + 1;

    if (v->s->time_limit <= 0 || pictures < 1 || v->pace.pictures < 1)
        return v->next.iterations;
    steps = v->next.iterations * v->pace.iteration;
    each = left / (double)pictures - (v->pace.spent / (double)v->pace.pictures - steps);
    if (each >= steps)
        return v->next.iterations;
    return each < 2 * v->pace.iteration ? 2 : (int)(each / v->pace.iteration);
}

/* The whole picture at half the size from coarse to fine, which is quick: *picture is its start and becomes it.  No
 * part of it is held: what was painted at full size lacks the coarse scales' statistics, and the rest would make up for
 * that with glaring colours. */
static nst_status paint_roughly(nst_video *v, const nst_image *now, nst_image **picture, nst_error *e)
{
    const nst_image *const *style = (const nst_image *const *)v->style;
    nst_frame frame = { .known = v->known_rough };
    nst_image *out = NULL;
    nst_settings s = v->rough;
    nst_status status;

    blend(v, &s);
    status = end(v, nst_transfer_frame(&s, v->model, now, style, v->c.styles, *picture, &frame, each_iteration, v, &out,
                                       e), &out, e);
    if (status || v->stopped)
        return status;
    nst_image_destroy(picture);
    *picture = out;
    return nst_scaler_resize(picture, nst_image_width(now), nst_image_height(now), v->source.path, e);
}

nst_status nst_painter_start(nst_video *v, nst_image *now, const nst_image *painted, const nst_motion *m,
                             nst_image **out, nst_error *e)
{
    nst_status s = nst_image_create(out, nst_image_width(now), nst_image_height(now), 3, e);

    for (int c = 0; c < 3 && !s; c++)
        memcpy(nst_image_plane(*out, c), nst_image_plane(now, c),
               (size_t)nst_image_width(now) * (size_t)nst_image_height(now) * sizeof(float));
    if (!s)
        s = nst_image_recolor(*out, painted, 1, e);
    if (!s && v->rough.size && nst_motion_unknown(m) > NEW) {
        nst_motion_start(m, *out);
        s = paint_roughly(v, now, out, e);
    }
    if (!s && !v->stopped)
        nst_motion_start(m, *out);
    return s;
}

nst_status nst_painter_next(nst_video *v, const nst_image *now, const nst_image *start, const nst_motion *m,
                            nst_image **out, nst_error *e)
{
    const nst_image *const *style = (const nst_image *const *)v->style;
    nst_temporal held = { m->warped, v->weight };
    nst_frame frame = { &held, v->weight > 0, v->known_next };
    nst_settings s = v->next;

    s.iterations = iterations(v);
    blend(v, &s);
    return end(v, nst_transfer_frame(&s, v->model, now, style, v->c.styles, start, &frame, each_iteration, v, out, e),
               out, e);
}
