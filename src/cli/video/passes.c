/* passes.c: the order in which a film's pictures are painted.  The first pass goes through the film as it is decoded.
 * Further ones go back and forth over the pictures that were kept; each picture starts from itself and from the one
 * before it in that direction.  A picture depends only on files that are kept, read back as they are, so that it is the
 * same whether the work was broken off or not. */
#include "cli/clock.h"
#include "cli/fail.h"
#include "cli/interrupt.h"
#include "cli/video/job.h"

/* What goes from one picture to the next: the film's and the painted one, and the film as it was where the painted one
 * stands still. */
struct trail {
    nst_image *film, *painted, *anchor;
    long number;
};

static void leave(struct trail *t)
{
    nst_image_destroy(&t->film);
    nst_image_destroy(&t->painted);
    nst_image_destroy(&t->anchor);
    t->number = 0; /* a scene's last anchor stays: all may go on from it, when the next scene is not painted yet */
}

/* A picture goes into its file and comes back as that has it. */
static nst_status keep(const nst_video *v, char kind, long number, nst_image **picture, nst_error *e)
{
    nst_status s = nst_kept_write(&v->kept, kind, v->pass, number, *picture, e);

    if (s)
        return s;
    nst_image_destroy(picture);
    return nst_kept_read(&v->kept, kind, v->pass, number, picture, e);
}

/* In passes after the first one a picture is there already, half of which stays. */
static nst_status mix_own(const nst_video *v, nst_image *start, nst_error *e)
{
    nst_image *own = NULL;
    nst_status s;

    if (v->pass == 1)
        return NST_OK;
    s = nst_kept_read(&v->kept, 'p', v->pass - 1, v->number, &own, e);
    if (s)
        return s;
    for (int c = 0; c < 3; c++) {
        size_t n = (size_t)nst_image_width(start) * (size_t)nst_image_height(start);
        float *to = nst_image_plane(start, c);
        const float *from = nst_image_plane(own, c);

        for (size_t i = 0; i < n; i++)
            to[i] = (to[i] + from[i]) / 2;
    }
    nst_image_destroy(&own);
    return NST_OK;
}

/* A scene's first picture: painted from scratch, or in further passes as it was. */
static nst_status paint_alone(nst_video *v, nst_image *now, nst_image **out, nst_error *e)
{
    return v->pass == 1 ? nst_painter_first(v, now, out, e)
                        : nst_kept_read(&v->kept, 'p', v->pass - 1, v->number, out, e);
}

/* One that continues the trail. */
static nst_status paint_on(nst_video *v, nst_image *now, struct trail *t, nst_motion *m, nst_image **out,
                           nst_error *e)
{
    double began = nst_clock_now();
    nst_image *start = NULL;
    nst_status s = nst_motion_warp(m, t->painted, t->anchor, e);

    if (s)
        return s;
    s = nst_painter_start(v, now, t->painted, m, &start, e);
    if (!s && !v->stopped)
        s = mix_own(v, start, e);
    if (!s && !v->stopped)
        s = nst_painter_next(v, now, start, m, out, e);
    if (!s && !v->stopped && !v->c.interpolate)
        s = nst_motion_hold(m, *out, t->painted, now, t->anchor, e);
    if (!s && !v->stopped)
        nst_motion_grow_older(m, t->anchor);
    nst_image_destroy(&start);
    v->pace.spent += nst_clock_now() - began;
    v->pace.pictures++;
    return s;
}

/* Picture v->number, where the film shows `now`, is painted and kept; the trail goes on from it.  `now` is taken. */
static nst_status paint_one(nst_video *v, nst_image *now, struct trail *t, nst_error *e)
{
    nst_image *out = NULL;
    nst_motion m = { 0 };
    bool alone = !t->painted;
    nst_status s = NST_OK;

    nst_video_page_begin(v, now);
    if (!alone) {
        s = nst_motion_flows(&m, now, t->film, v->c.flow, v->number, t->number, v->s->threads, e);
        alone = !s && m.change.cut;
    }
    if (!s && nst_interrupt_pending())
        v->stopped = true;
    if (!s && !v->stopped)
        s = alone ? paint_alone(v, now, &out, e) : paint_on(v, now, t, &m, &out, e);
    nst_motion_leave(&m);
    if (s || v->stopped) {
        nst_image_destroy(&now);
        nst_image_destroy(&out);
        return s;
    }
    if (alone) {
        nst_image_destroy(&t->anchor);
        s = nst_motion_anchor(now, &t->anchor, e);
    }
    nst_image_destroy(&t->film);
    nst_image_destroy(&t->painted);
    t->film = now;
    t->painted = out;
    /* what the next one needs beside the picture is there before the picture is */
    if (!s)
        s = keep(v, 'a', v->number, &t->anchor, e);
    if (!s)
        s = keep(v, 'p', v->number, &t->painted, e);
    if (s)
        return s;
    if (t->number)
        nst_kept_drop(&v->kept, 'a', v->pass, t->number);
    t->number = v->number;
    v->painted++;
    nst_video_page_end(v, v->number, t->film, t->painted);
    return NST_OK;
}

/* Takes up the trail at a picture that is kept.  `now` is taken. */
static nst_status take_up(const nst_video *v, long number, nst_image *now, struct trail *t, nst_error *e)
{
    nst_status s;

    leave(t);
    t->film = now;
    t->number = number;
    s = nst_kept_read(&v->kept, 'p', v->pass, number, &t->painted, e);
    if (s)
        return s;
    nst_video_page_end(v, number, t->film, t->painted);
    return nst_kept_read(&v->kept, 'a', v->pass, number, &t->anchor, e);
}

/* The picture at v->source: painted, or if it is there and the next one is not, the trail goes on from it. */
static nst_status first_pass_at(nst_video *v, struct trail *t, nst_error *e)
{
    bool there = nst_kept_has(&v->kept, 'p', 1, v->number);
    nst_image *now = NULL;
    nst_status s;

    v->before += there;
    if (there && nst_kept_has(&v->kept, 'p', 1, v->number + 1))
        return NST_OK;
    s = nst_source_picture(&v->source, &now, e);
    if (s)
        return s;
    return there ? take_up(v, v->number, now, t, e) : paint_one(v, now, t, e);
}

static nst_status first_pass(nst_video *v, struct trail *t, nst_error *e)
{
    nst_source *source = &v->source;
    nst_image *now = NULL;
    nst_status s = NST_OK;

    while (!v->stopped) {
        s = nst_source_step(source, e);
        if (s || source->at_end)
            break;
        v->number = source->number;
        if (v->passes > 1 && !nst_kept_has(&v->kept, 'c', 1, v->number)) {
            s = nst_source_picture(source, &now, e);
            if (!s)
                s = nst_kept_write(&v->kept, 'c', 1, v->number, now, e);
            if (s)
                break;
            nst_image_destroy(&now);
        }
        s = nst_video_masks_step(v, e);
        if (s)
            break;
        if (nst_share_mine(v, v->number))
            s = first_pass_at(v, t, e);
        else
            leave(t);
        if (s)
            break;
    }
    nst_image_destroy(&now);
    if (!s && source->at_end)
        v->count = source->number;
    return s;
}

/* Over v->count pictures, back or forth. */
static nst_status further_pass(nst_video *v, struct trail *t, nst_error *e)
{
    int step = v->pass % 2 ? 1 : -1;
    long at = step > 0 ? 1 : v->count, there = 0;
    nst_image *now = NULL;
    nst_status s = NST_OK;

    for (; at >= 1 && at <= v->count && nst_kept_has(&v->kept, 'p', v->pass, at); at += step)
        there++;
    v->before += there;
    if (there && at >= 1 && at <= v->count) {
        s = nst_kept_read(&v->kept, 'c', 1, at - step, &now, e);
        if (!s)
            s = take_up(v, at - step, now, t, e);
        if (s)
            return s;
    }
    for (; at >= 1 && at <= v->count && !s && !v->stopped; at += step) {
        v->number = at;
        s = nst_kept_read(&v->kept, 'c', 1, at, &now, e);
        if (!s)
            s = paint_one(v, now, t, e);
    }
    return s;
}

nst_status nst_video_paint(nst_video *v, nst_error *e)
{
    nst_status s = NST_OK;

    for (v->pass = 1; v->pass <= v->passes && !s && !v->stopped; v->pass++) {
        struct trail t = { 0 };

        s = v->pass == 1 ? first_pass(v, &t, e) : further_pass(v, &t, e);
        leave(&t);
    }
    if (!s && v->source.number == 0 && !v->stopped)
        s = fail(e, NST_EFORMAT, "%s: there is no picture in the part that is asked for", v->source.path);
    return s;
}
