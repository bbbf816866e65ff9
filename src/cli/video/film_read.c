/* film_read.c: a film's pictures, one after the other.  A packet that cannot be decoded is passed over and counted, and
 * so is a picture that lacks parts, which is painted as the decoder makes it. */
#include <math.h>

#include "cli/fail.h"
#include "cli/video/av.h"
#include "cli/video/film.h"

#define EARLY 1e-6 /* seconds by which rounding may move a time stamp */
#define APART 2    /* seconds by which a file may have sound after the pictures that it goes with */

/* The next packet to the decoder, or the news that there are no more.  A damaged container ends where it is. */
static bool feed(nst_film *f)
{
    int error = nst_av.av_read_frame(f->format, f->packet);
    bool good = true;

    if (error == AVERROR(EAGAIN))
        return true;
    if (error < 0) {
        f->at.draining = true;
        nst_av.avcodec_send_packet(f->decoder, NULL);
        return error == AVERROR_EOF;
    }
    if (f->packet->stream_index == f->stream->index)
        good = nst_av.avcodec_send_packet(f->decoder, f->packet) >= 0;
    else if (f->other)
        f->other(f->arg, f->packet);
    nst_av.av_packet_unref(f->packet);
    return good;
}

/* The next picture, whether it is taken or not. */
static void decode(nst_film *f)
{
    long errors = nst_av_errors();
    int error = AVERROR(EAGAIN);
    bool good = true;

    nst_av.av_frame_unref(f->frame);
    while (error != 0 && !f->at.end) {
        error = nst_av.avcodec_receive_frame(f->decoder, f->frame);
        good = good && (error == 0 || error == AVERROR(EAGAIN) || error == AVERROR_EOF);
        f->at.end = error == AVERROR_EOF || (error != 0 && f->at.draining); /* nothing will follow */
        if (error != 0 && !f->at.end)
            good = feed(f) && good;
    }
    f->count.damaged += !good || errors != nst_av_errors();
}

/* When the container begins, in seconds. */
static double find_begin(const nst_film *f)
{
    return (double)nst_film_start(f) / AV_TIME_BASE;
}

/* Whether a film can have such a time, in ticks. */
static bool is_time(double ticks, double unit)
{
    return fabs(ticks) < (double)NST_FILM_TICKS && fabs(ticks) * unit < NST_FILM_SECONDS;
}

/* Where a picture that has no time belongs: behind the one before. */
static int64_t guess_time(const nst_film *f, double unit)
{
    double step = f->rate > 0 ? floor(1 / (f->rate * unit) + .5) : 1, first = floor(find_begin(f) / unit + .5);

    if (f->at.pts == INT64_MIN)
        return is_time(first, unit) ? (int64_t)first : 0;
    return f->at.pts + (step >= 1 && is_time((double)f->at.pts + step, unit) ? (int64_t)step : 1);
}

/* When the picture is shown: never before the one that came before it. */
static void note_time(nst_film *f)
{
    double unit = av_q2d(f->stream->time_base), begin = find_begin(f);
    int64_t pts = f->frame->best_effort_timestamp;

    if (pts == AV_NOPTS_VALUE || !is_time((double)pts, unit))
        pts = guess_time(f, unit);
    if (f->at.pts != INT64_MIN && pts <= f->at.pts)
        pts = f->at.pts + 1;
    f->at.pts = pts;
    f->at.seconds = (double)pts * unit - begin;
    f->count.read++;
    if (!f->count.resized && (f->frame->width != f->first_width || f->frame->height != f->first_height))
        f->count.resized = f->count.read;
}

static bool is_taken(nst_film *f)
{
    double step = f->pattern || f->range.fps <= 0 ? 0 : 1 / f->range.fps;

    if (f->at.seconds < f->range.from - EARLY)
        return false;
    if (step == 0)
        return true;
    if (f->at.due < 0)
        f->at.due = f->at.seconds;
    if (f->at.seconds < f->at.due - EARLY)
        return false;
    /* by a loop a hole of years in the film's times would take as long */
    if (f->at.due <= f->at.seconds + EARLY)
        f->at.due += step * (floor((f->at.seconds + EARLY - f->at.due) / step) + 1);
    return true;
}

nst_status nst_film_step(nst_film *f, nst_error *e)
{
    int transfer;

    do {
        decode(f);
        if (f->at.end)
            return NST_OK;
        note_time(f);
        if (f->range.to > 0 && f->at.seconds >= f->range.to - EARLY) {
            f->at.end = true;
            return NST_OK;
        }
    } while (!is_taken(f));
    f->count.taken++;
    transfer = f->frame->color_trc;
    if (transfer == AVCOL_TRC_SMPTE2084 || transfer == AVCOL_TRC_ARIB_STD_B67)
        return fail(e, NST_EUNSUPPORTED, "%s: picture %ld is HDR, which nst does not convert; make an SDR film of it "
                    "first", f->path, f->count.read);
    return NST_OK;
}

void nst_film_rest(nst_film *f)
{
    double unit = av_q2d(f->stream->time_base), begin = find_begin(f);
    bool beyond = false;

    while (!f->at.draining && !beyond && nst_av.av_read_frame(f->format, f->packet) >= 0) {
        if (f->packet->stream_index != f->stream->index)
            f->other(f->arg, f->packet);
        else if (f->range.to > 0 && f->packet->dts != AV_NOPTS_VALUE)
            beyond = (double)f->packet->dts * unit - begin > f->range.to + APART;
        nst_av.av_packet_unref(f->packet);
    }
}

nst_status nst_film_picture(nst_film *f, nst_image **out, nst_error *e)
{
    return nst_scaler_picture(&f->scaler, f->frame, f->to_width, f->to_height, f->turn, out, f->path, e);
}
