/* film_open.c: opens a film: its container, the stream of its pictures, a decoder, and what has to be known before a
 * picture is decoded.  Only files of this machine are read, whatever a playlist may name. */
#include <math.h>
#include <string.h>

#include "cli/fail.h"
#include "cli/paths.h"
#include "cli/video/av.h"
#include "cli/video/film.h"

#define FORMATS_OF_STREAMS "file" /* protocols that libavformat may use */

bool nst_film_is_pattern(const char *path)
{
    const char *at = strchr(path, '%');

    if (!at)
        return false;
    at += 1 + strspn(at + 1, "0123456789");
    return *at == 'd';
}

static nst_status open_container(nst_film *f, nst_error *e)
{
    char url[NST_PATH_BYTES + 8], rate[32], why[64];
    AVDictionary *options = NULL;
    int error;

    snprintf(url, sizeof url, "file:%s", f->path); /* else "a:b.mp4" is a protocol */
    snprintf(rate, sizeof rate, "%.9g", f->range.fps);
    nst_av.av_dict_set(&options, "protocol_whitelist", FORMATS_OF_STREAMS, 0);
    if (f->pattern)
        nst_av.av_dict_set(&options, "start_number_range", "1000", 0);
    if (f->pattern && f->range.fps > 0)
        nst_av.av_dict_set(&options, "framerate", rate, 0);
    error = nst_av.avformat_open_input(&f->format, url, NULL, &options);
    nst_av.av_dict_free(&options);
    if (error == AVERROR_INVALIDDATA)
        return fail(e, NST_EFORMAT, "%s: no film that libavformat knows", f->path);
    if (error < 0)
        return fail(e, NST_EIO, "%s: %s", f->path, nst_av_reason(error, why));
    error = nst_av.avformat_find_stream_info(f->format, NULL);
    if (error < 0)
        return fail(e, NST_EFORMAT, "%s: damaged: %s", f->path, nst_av_reason(error, why));
    return NST_OK;
}

static nst_status find_pictures(nst_film *f, nst_error *e)
{
    int i = nst_av.av_find_best_stream(f->format, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);

    if (i < 0 || f->format->streams[i]->disposition & AV_DISPOSITION_ATTACHED_PIC)
        return fail(e, NST_EFORMAT, "%s: there are no moving pictures in it", f->path);
    f->stream = f->format->streams[i];
    return NST_OK;
}

/* Pictures whose brightness does not end at white. */
static nst_status check_range(const nst_film *f, nst_error *e)
{
    int transfer = f->stream->codecpar->color_trc;

    if (transfer != AVCOL_TRC_SMPTE2084 && transfer != AVCOL_TRC_ARIB_STD_B67)
        return NST_OK;
    return fail(e, NST_EUNSUPPORTED, "%s: its pictures are HDR (%s), which nst does not convert; make an SDR film of "
                "it first", f->path, transfer == AVCOL_TRC_SMPTE2084 ? "PQ" : "HLG");
}

static nst_status open_decoder(nst_film *f, nst_error *e)
{
    const AVCodecParameters *p = f->stream->codecpar;
    const AVCodec *codec = nst_av.avcodec_find_decoder(p->codec_id);
    char why[64];
    int error;

    if (!codec)
        return fail(e, NST_EUNSUPPORTED, "%s: its pictures are %s, for which FFmpeg has no decoder here", f->path,
                    nst_av.avcodec_get_name(p->codec_id));
    f->decoder = nst_av.avcodec_alloc_context3(codec);
    f->packet = nst_av.av_packet_alloc();
    f->frame = nst_av.av_frame_alloc();
    if (!f->decoder || !f->packet || !f->frame || nst_av.avcodec_parameters_to_context(f->decoder, p) < 0)
        return fail(e, NST_EMEM, "%s: out of memory", f->path);
    f->decoder->pkt_timebase = f->stream->time_base;
    error = nst_av.avcodec_open2(f->decoder, codec, NULL);
    if (error < 0)
        return fail(e, NST_EUNSUPPORTED, "%s: its decoder (%s) does not begin: %s", f->path, codec->name,
                    nst_av_reason(error, why));
    return NST_OK;
}

/* Quarters of a turn to the right, by the container's matrix. */
static int find_turn(const AVStream *stream)
{
    const int32_t *turn_matrix;
    double angle;

#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 30, 0)
    const AVPacketSideData *data = nst_av.av_packet_side_data_get(
        stream->codecpar->coded_side_data, stream->codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);

    turn_matrix = data && data->size >= 9 * sizeof *turn_matrix ? (const int32_t *)(const void *)data->data : NULL;
#else
    size_t bytes = 0;
    const uint8_t *data = nst_av.av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &bytes);

    turn_matrix = data && bytes >= 9 * sizeof *turn_matrix ? (const int32_t *)(const void *)data : NULL;
#endif
    if (!turn_matrix)
        return 0;
    angle = nst_av.av_display_rotation_get(turn_matrix); /* to the left, -180 to 180; NAN for a matrix of zeros */
    return isnan(angle) ? 0 : ((int)lround(-angle / 90) + 4) % 4;
}

static nst_status measure(nst_film *f, nst_error *e)
{
    const AVCodecParameters *p = f->stream->codecpar;
    AVRational pixel = nst_av.av_guess_sample_aspect_ratio(f->format, f->stream, NULL);
    int w = p->width, h = p->height;

    if ((w < 1 || h < 1) && p->codec_id == AV_CODEC_ID_WEBP)
        return fail(e, NST_EUNSUPPORTED, "%s: an animated WebP, which FFmpeg does not decode here; make a GIF or "
                    "pictures of it first", f->path);
    if (w < 1 || h < 1)
        return fail(e, NST_EFORMAT, "%s: damaged: its pictures have no size", f->path);
    f->first_width = w;
    f->first_height = h;
    if (pixel.num > 0 && pixel.den > 0) /* the longer side of a pixel is right, so that nothing is lost */
        *(pixel.num > pixel.den ? &w : &h) = (int)lround(pixel.num > pixel.den ? (double)w * pixel.num / pixel.den
                                                                                : (double)h * pixel.den / pixel.num);
    f->turn = find_turn(f->stream);
    f->width = f->turn % 2 ? h : w;
    f->height = f->turn % 2 ? w : h;
    if (f->width > 65534 || f->height > 65534 || (double)f->width * f->height > (1 << 30))
        return fail(e, NST_EFORMAT, "%s: its pictures have %d x %d pixels, which are too many", f->path, f->width,
                    f->height);
    return NST_OK;
}

/* In seconds; 0: not known. */
static double length(const nst_film *f)
{
    if (f->stream->duration > 0)
        return (double)f->stream->duration * av_q2d(f->stream->time_base);
    return f->format->duration > 0 ? (double)f->format->duration / AV_TIME_BASE : 0;
}

/* How long it is, for the time left only. */
static void estimate(nst_film *f)
{
    AVRational rate = nst_av.av_guess_frame_rate(f->format, f->stream, NULL);
    double seconds = length(f);
    double end = f->range.to > 0 && f->range.to < seconds ? f->range.to : seconds;

    f->rate = rate.num > 0 && rate.den > 0 ? av_q2d(rate) : 0;
    f->frames = f->stream->nb_frames > 0 ? (double)f->stream->nb_frames : floor(seconds * f->rate + .5);
    if (f->pattern)
        f->frames = (double)f->stream->duration; /* in pictures */
    if (seconds <= 0)
        return;
    if (end < seconds || f->range.from > 0)
        f->frames = ceil(f->frames * (end > f->range.from ? end - f->range.from : 0) / seconds);
    if (!f->pattern && f->range.fps > 0 && f->rate > f->range.fps)
        f->frames = ceil(f->frames * f->range.fps / f->rate);
}

/* To the last picture before the beginning that can be decoded by itself, where the container knows it. */
static void seek(nst_film *f)
{
    int64_t begin = f->format->start_time == AV_NOPTS_VALUE ? 0 : f->format->start_time;
    int64_t at = begin + (int64_t)(f->range.from * AV_TIME_BASE);

    if (f->range.from > 0 && !f->pattern)
        nst_av.avformat_seek_file(f->format, -1, INT64_MIN, at, at, 0);
}

nst_status nst_film_open(nst_film *f, const char *path, const nst_film_range *range, nst_error *e)
{
    nst_status s;

    *f = (nst_film){ .path = path, .at.pts = INT64_MIN, .at.due = -1, .pattern = nst_film_is_pattern(path) };
    if (range)
        f->range = *range;
    if (strlen(path) >= NST_PATH_BYTES)
        return fail(e, NST_EARG, "%.60s...: the name has more than %d letters", path, NST_PATH_BYTES - 1);
    s = nst_av_load(e);
    if (!s)
        s = nst_scaler_load(e);
    if (!s)
        s = open_container(f, e);
    if (!s)
        s = find_pictures(f, e);
    if (!s)
        s = check_range(f, e);
    if (!s)
        s = open_decoder(f, e);
    if (!s)
        s = measure(f, e);
    if (s)
        return s;
    estimate(f);
    seek(f);
    nst_film_size(f, 0);
    return NST_OK;
}

static int even(double side)
{
    int half = (int)floor(side / 2 + .5);

    return half < 1 ? 2 : 2 * half;
}

void nst_film_size(nst_film *f, int longest)
{
    double ratio = longest ? longest / fmax(f->width, f->height) : 1;

    f->to_width = even(f->width * ratio);
    f->to_height = even(f->height * ratio);
}

void nst_film_close(nst_film *f)
{
    nst_scaler_close(&f->scaler);
    if (f->frame)
        nst_av.av_frame_free(&f->frame);
    if (f->packet)
        nst_av.av_packet_free(&f->packet);
    if (f->decoder)
        nst_av.avcodec_free_context(&f->decoder);
    if (f->format)
        nst_av.avformat_close_input(&f->format);
    *f = (nst_film){ 0 };
}
