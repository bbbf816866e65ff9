/* film_write.c: a film out: pictures are encoded, sound and subtitles are copied packet by packet.  It is written under
 * a name beside its own and renamed when it is whole. */
#include <math.h>
#include <string.h>

#include "cli/fail.h"
#include "cli/video/av.h"
#include "cli/video/coders.h"
#include "cli/video/film.h"
#include "cli/video/palette.h"

/* ---- beginning --------------------------------------------------------------------------------------------------- */

static nst_status broken(const nst_film_writer *w, int error, nst_error *e)
{
    char why[64];

    return fail(e, error == AVERROR(ENOMEM) ? NST_EMEM : NST_EIO, "%s: %s", w->path, nst_av_reason(error, why));
}

#define HD 720 /* rows, as in scale.c */

/* The film's colours, so that players undo what scale.c makes. */
static void set_colors(const nst_film_writer *w, AVCodecContext *c)
{
    const AVCodecParameters *p = w->film ? w->film->stream->codecpar : NULL;
    bool yuv = p && p->color_space != AVCOL_SPC_RGB && p->color_space != AVCOL_SPC_UNSPECIFIED;
    bool full = p && p->color_range == AVCOL_RANGE_JPEG && nst_scaler_is_yuv(p->format);

    c->color_range = full ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
    c->color_primaries = p ? p->color_primaries : AVCOL_PRI_BT709;
    c->color_trc = p ? p->color_trc : AVCOL_TRC_UNSPECIFIED;
    if (yuv)
        c->colorspace = p->color_space;
    else
        c->colorspace = !w->film || w->film->first_height >= HD ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
}

static nst_status open_encoder(nst_film_writer *w, const nst_coder *coder, nst_error *e)
{
    const AVCodec *codec = nst_av.avcodec_find_encoder_by_name(coder->name);
    AVRational rate = w->film ? nst_av.av_guess_frame_rate(w->film->format, w->film->stream, NULL)
                              : (AVRational){ (int)(w->rate * 1000 + .5), 1000 };
    AVCodecContext *c = w->encoder = nst_av.avcodec_alloc_context3(codec);
    int error;

    if (!c)
        return broken(w, AVERROR(ENOMEM), e);
    c->width = w->width;
    c->height = w->height;
    c->sample_aspect_ratio = (AVRational){ 1, 1 };
    if (rate.num > 0 && rate.den > 0)
        c->framerate = rate;
    if (coder->format != AV_PIX_FMT_PAL8)
        set_colors(w, c);
    nst_coders_set(coder, c, w->film);
    if (w->format->oformat->flags & AVFMT_GLOBALHEADER)
        c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    error = nst_av.avcodec_open2(c, codec, NULL);
    return error < 0 ? broken(w, error, e) : NST_OK;
}

static nst_status add_streams(nst_film_writer *w, nst_error *e)
{
    const AVFormatContext *from = w->film ? w->film->format : NULL;

    w->stream = nst_av.avformat_new_stream(w->format, NULL);
    if (!w->stream || nst_av.avcodec_parameters_from_context(w->stream->codecpar, w->encoder) < 0)
        return broken(w, AVERROR(ENOMEM), e);
    w->stream->time_base = w->encoder->time_base;
    w->stream->avg_frame_rate = w->encoder->framerate;
    w->stream->sample_aspect_ratio = w->encoder->sample_aspect_ratio;
    for (int i = 0; i < NST_FILM_STREAMS; i++) {
        w->to[i] = -1;
        w->before[i] = INT64_MIN;
    }
    if (!from)
        return NST_OK;
    nst_av.av_dict_copy(&w->stream->metadata, w->film->stream->metadata, 0);
    for (unsigned i = 0; i < from->nb_streams && i < NST_FILM_STREAMS; i++) {
        const AVStream *theirs = from->streams[i];
        AVStream *own;

        if (!nst_coders_take(w->format->oformat, theirs))
            continue;
        own = nst_av.avformat_new_stream(w->format, NULL);
        if (!own || nst_av.avcodec_parameters_copy(own->codecpar, theirs->codecpar) < 0)
            return broken(w, AVERROR(ENOMEM), e);
        own->codecpar->codec_tag = 0; /* each container has its own */
        own->time_base = theirs->time_base;
        own->disposition = theirs->disposition;
        nst_av.av_dict_copy(&own->metadata, theirs->metadata, 0);
        w->to[i] = own->index;
    }
    nst_av.av_dict_copy(&w->format->metadata, from->metadata, 0);
    return NST_OK;
}

static bool is_time(int64_t ticks)
{
    return ticks > -NST_FILM_TICKS && ticks < NST_FILM_TICKS;
}

/* Takes the writer's shift off a time; false: it is none that a film can have. */
static bool take_shift(const nst_film_writer *w, AVRational unit, int64_t *ticks)
{
    int64_t shift = nst_av.av_rescale_q(w->shift, (AVRational){ 1, AV_TIME_BASE }, unit);

    if (!is_time(*ticks) || !is_time(shift))
        return false;
    *ticks -= shift;
    return true;
}

/* A chapter of the film; false: no memory. */
static bool add_chapter(nst_film_writer *w, const AVChapter *theirs)
{
    const nst_film *film = w->film;
    AVRational unit = theirs->time_base, micro = { 1, AV_TIME_BASE };
    int64_t start = theirs->start, end = theirs->end;
    int64_t length = nst_av.av_rescale_q((int64_t)((film->range.to - film->range.from) * AV_TIME_BASE), micro, unit);
    AVChapter *own;

    if (!take_shift(w, unit, &start) || !take_shift(w, unit, &end) || end <= 0 ||
        (film->range.to > 0 && start >= length))
        return true; /* it lies outside */
    own = nst_av.av_mallocz(sizeof *own);
    if (!own)
        return false;
    own->id = theirs->id;
    own->time_base = unit;
    own->start = start > 0 ? start : 0;
    own->end = end;
    if (film->range.to > 0 && own->end > length)
        own->end = length;
    nst_av.av_dict_copy(&own->metadata, theirs->metadata, 0);
    w->format->chapters[w->format->nb_chapters++] = own;
    return true;
}

static nst_status add_chapters(nst_film_writer *w, nst_error *e)
{
    const AVFormatContext *from = w->film ? w->film->format : NULL;
    bool good = true;

    if (!from || !from->nb_chapters)
        return NST_OK;
    w->format->chapters = nst_av.av_mallocz(from->nb_chapters * sizeof *w->format->chapters); /* freed with it */
    for (unsigned i = 0; i < from->nb_chapters && w->format->chapters && good; i++)
        good = add_chapter(w, from->chapters[i]);
    return w->format->chapters && good ? NST_OK : broken(w, AVERROR(ENOMEM), e);
}

static nst_status open_frame(nst_film_writer *w, nst_error *e)
{
    w->packet = nst_av.av_packet_alloc();
    w->frame = nst_av.av_frame_alloc();
    if (!w->packet || !w->frame)
        return broken(w, AVERROR(ENOMEM), e);
    w->frame->format = w->encoder->pix_fmt;
    w->frame->width = w->width;
    w->frame->height = w->height;
    w->frame->color_range = w->encoder->color_range;
    w->frame->colorspace = w->encoder->colorspace;
    w->frame->color_primaries = w->encoder->color_primaries;
    w->frame->color_trc = w->encoder->color_trc;
    return nst_av.av_frame_get_buffer(w->frame, 0) < 0 ? broken(w, AVERROR(ENOMEM), e) : NST_OK;
}

static nst_status open_file(nst_film_writer *w, nst_error *e)
{
    AVDictionary *options = NULL;
    char why[64];
    int error = nst_av.avio_open(&w->format->pb, w->format->url, AVIO_FLAG_WRITE);

    if (error < 0)
        return broken(w, error, e);
    if (!strcmp(w->format->oformat->name, "mp4") || !strcmp(w->format->oformat->name, "mov"))
        nst_av.av_dict_set(&options, "movflags", "+faststart", 0);
    error = nst_av.avformat_write_header(w->format, &options);
    nst_av.av_dict_free(&options);
    if (error < 0)
        return fail(e, NST_EIO, "%s: FFmpeg does not begin such a file (%s) for this film: %s; name another kind of "
                    "file, or a folder (out/)", w->path, w->format->oformat->name, nst_av_reason(error, why));
    return NST_OK;
}

nst_status nst_film_create(nst_film_writer *w, const char *path, const nst_film *film, double rate, int width,
                           int height, nst_error *e)
{
    const char *container = nst_coders_container(path);
    const nst_coder *coder = nst_coders_best(container);
    char url[sizeof w->beside.name + 8];
    nst_status s;

    *w = (nst_film_writer){ .path = path, .film = film, .rate = rate, .width = width, .height = height,
                              .last = INT64_MIN, .beside.fd = -1 };
    s = nst_beside_open(&w->beside, path, e);
    if (s)
        return s;
    if (film && film->range.from > 0)
        w->shift = (int64_t)(film->range.from * AV_TIME_BASE) + nst_film_start(film);
    snprintf(url, sizeof url, "file:%s", w->beside.name); /* MP4's writer opens it once more */
    if (nst_av.avformat_alloc_output_context2(&w->format, NULL, container, url) < 0) {
        s = broken(w, AVERROR(ENOMEM), e);
        nst_film_abandon(w);
        return s;
    }
    w->format->flags |= AVFMT_FLAG_BITEXACT; /* the same painting is the same file: no random numbers */
    w->format->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL; /* FLAC in MP4, before FFmpeg 6 */
    s = open_encoder(w, coder, e);
    if (!s)
        s = add_streams(w, e);
    if (!s)
        s = add_chapters(w, e);
    if (!s)
        s = open_frame(w, e);
    if (!s)
        s = open_file(w, e);
    if (s)
        nst_film_abandon(w);
    return s;
}

/* ---- pictures and packets ---------------------------------------------------------------------------------------- */

/* What the encoder has ready goes into the file. */
static int drain(nst_film_writer *w)
{
    AVRational rate = w->encoder->framerate;
    int error;

    for (;;) {
        error = nst_av.avcodec_receive_packet(w->encoder, w->packet);
        if (error != 0)
            return error == AVERROR(EAGAIN) || error == AVERROR_EOF ? 0 : error;
        w->packet->stream_index = w->stream->index;
        nst_av.av_packet_rescale_ts(w->packet, w->encoder->time_base, w->stream->time_base);
        if (w->packet->duration == 0 && rate.num > 0)
            w->packet->duration = nst_av.av_rescale_q(1, (AVRational){ rate.den, rate.num }, w->stream->time_base);
        error = nst_av.av_interleaved_write_frame(w->format, w->packet);
        if (error < 0)
            return error;
    }
}

/* In the encoder's ticks. */
static int64_t time_of(const nst_film_writer *w)
{
    const nst_film *film = w->film;
    AVRational unit = w->encoder->time_base;
    int64_t ticks;

    if (!film)
        return (int64_t)floor((double)w->pictures / (w->rate * av_q2d(unit)) + .5);
    ticks = nst_av.av_rescale_q(film->at.pts, film->stream->time_base, unit);
    return take_shift(w, unit, &ticks) ? ticks : INT64_MIN; /* then it goes behind the last one */
}

nst_status nst_film_add(nst_film_writer *w, nst_image *picture, nst_error *e)
{
    int64_t pts = time_of(w);
    nst_status s = NST_OK;
    int error;

    if (w->error < 0)
        return broken(w, w->error, e);
    if (nst_image_width(picture) != w->width || nst_image_height(picture) != w->height)
        return fail(e, NST_EFORMAT, "%s: picture %ld has %d x %d pixels, expected %d x %d", w->path, w->pictures + 1,
                    nst_image_width(picture), nst_image_height(picture), w->width, w->height);
    if (nst_av.av_frame_make_writable(w->frame) < 0)
        return broken(w, AVERROR(ENOMEM), e);
    if (w->frame->format == AV_PIX_FMT_PAL8)
        nst_palette_fill(picture, w->frame->data[0], w->frame->linesize[0], w->frame->data[1]);
    else
        s = nst_scaler_frame(&w->scaler, picture, w->frame, w->path, e);
    if (s)
        return s;
    if (w->last != INT64_MIN && pts <= w->last)
        pts = w->last + 1;
    w->last = pts;
    w->frame->pts = pts;
    w->pictures++;
    error = nst_av.avcodec_send_frame(w->encoder, w->frame);
    if (error >= 0)
        error = drain(w);
    return error < 0 ? broken(w, error, e) : NST_OK;
}

/* Whether a packet lies in the part of the film that is written. */
static bool is_wanted(const nst_film_writer *w, const AVPacket *packet, AVRational unit)
{
    const nst_film *film = w->film;
    int64_t at = packet->pts == AV_NOPTS_VALUE ? packet->dts : packet->pts;
    double seconds = (double)at * av_q2d(unit) - (double)nst_film_start(film) / AV_TIME_BASE;

    if (at == AV_NOPTS_VALUE)
        return false;
    if (film->range.from > 0 && seconds < film->range.from) /* a codec's first packet begins before 0 */
        return false;
    return film->range.to <= 0 || seconds < film->range.to;
}

/* In the ticks of its stream here.  Containers take no packet that is to be decoded before the last one, as a damaged
 * film or two that were joined have them: it goes right behind that.  False: its times are none. */
static bool move_packet(nst_film_writer *w, int i, AVPacket *p)
{
    AVRational unit = w->film->format->streams[i]->time_base;
    const AVStream *own = w->format->streams[w->to[i]];
    bool several = own->codecpar->codec_type == AVMEDIA_TYPE_SUBTITLE || /* at one time */
                   (w->format->oformat->flags & AVFMT_TS_NONSTRICT) != 0;

    if ((p->pts != AV_NOPTS_VALUE && !take_shift(w, unit, &p->pts)) ||
        (p->dts != AV_NOPTS_VALUE && !take_shift(w, unit, &p->dts)))
        return false;
    nst_av.av_packet_rescale_ts(p, unit, own->time_base);
    if (p->dts == AV_NOPTS_VALUE)
        return true;
    if (p->dts < w->before[i])
        p->dts = w->before[i];
    if (p->dts == w->before[i] && !several)
        p->dts++;
    if (p->pts != AV_NOPTS_VALUE && p->pts < p->dts)
        p->pts = p->dts;
    w->before[i] = p->dts;
    return is_time(p->dts);
}

void nst_film_add_packet(void *writer, AVPacket *packet)
{
    nst_film_writer *w = writer;
    int i = packet->stream_index, error;

    if (i >= NST_FILM_STREAMS || w->to[i] < 0 || w->error < 0)
        return;
    if (!is_wanted(w, packet, w->film->format->streams[i]->time_base))
        return;
    error = nst_av.av_packet_ref(w->packet, packet);
    if (error < 0) {
        w->error = error;
        return;
    }
    w->packet->stream_index = w->to[i];
    w->packet->pos = -1;
    if (!move_packet(w, i, w->packet)) {
        nst_av.av_packet_unref(w->packet);
        return;
    }
    error = nst_av.av_interleaved_write_frame(w->format, w->packet);
    if (error < 0)
        w->error = error;
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

nst_status nst_film_finish(nst_film_writer *w, nst_error *e)
{
    nst_status s;
    int error = w->error;

    if (error >= 0)
        error = nst_av.avcodec_send_frame(w->encoder, NULL);
    if (error >= 0)
        error = drain(w);
    if (error >= 0)
        error = nst_av.av_write_trailer(w->format);
    if (error >= 0)
        error = nst_av.avio_closep(&w->format->pb);
    s = error < 0 ? broken(w, error, e) : nst_beside_keep(&w->beside, w->path, e);
    nst_film_abandon(w);
    return s;
}

void nst_film_abandon(nst_film_writer *w)
{
    nst_scaler_close(&w->scaler);
    if (w->frame)
        nst_av.av_frame_free(&w->frame);
    if (w->packet)
        nst_av.av_packet_free(&w->packet);
    if (w->encoder)
        nst_av.avcodec_free_context(&w->encoder);
    if (w->format) {
        if (w->format->pb)
            nst_av.avio_closep(&w->format->pb);
        nst_av.avformat_free_context(w->format);
    }
    nst_beside_drop(&w->beside);
    *w = (nst_film_writer){ .beside.fd = -1 };
}
