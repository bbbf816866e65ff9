/* film_open.c: opens a film: its container, the stream of its pictures, a decoder, and what has to be known before a
 * picture is decoded.  Only the file that is named is read: what is a list of other files, or a script, is no film. */
#include <math.h>
#include <string.h>

#include "cli/fail.h"
#include "cli/paths.h"
#include "cli/video/av.h"
#include "cli/video/film.h"

#define PROTOCOLS "file"          /* that libavformat may use */
#define MOST_FRAMES 1e9
#define MOST_PIXELS (1 << 27)     /* of a coded picture, a square of 11585: a decoder keeps up to 17 of them */

bool nst_film_is_pattern(const char *path)
{
    const char *at = strchr(path, '%');

    if (!at)
        return false;
    at += 1 + strspn(at + 1, "0123456789");
    return *at == 'd';
}

static bool is_coded_size(int width, int height)
{
    return (double)width * height <= MOST_PIXELS;
}

static nst_status too_many(const nst_film *f, double width, double height, nst_error *e)
{
    return fail(e, NST_EFORMAT, "%s: its pictures have %.0f x %.0f pixels, which are too many", f->path, width, height);
}

static bool names_files(const char *format)
{
    static const char *const names[] = { "avisynth", "concat", "dash", "hls", "imf", "rtsp", "sap", "sdp",
                                         "vapoursynth" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(format, names[i]))
            return true;
    return false;
}

/* The formats that libavformat may find, with commas between: all but those. */
static const char *list_formats(void)
{
    static char list[32768];
    const AVInputFormat *format;
    void *at = NULL;
    size_t n = 0;

    for (format = nst_av.av_demuxer_iterate(&at); format; format = nst_av.av_demuxer_iterate(&at))
        if (!names_files(format->name) && n + strlen(format->name) + 2 < sizeof list)
            n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", n ? "," : "", format->name);
    return list;
}

static nst_status open_container(nst_film *f, nst_error *e)
{
    char url[NST_PATH_BYTES + 8], rate[32], why[64];
    AVDictionary *options = NULL;
    int error;

    snprintf(url, sizeof url, "file:%s", f->path); /* else "a:b.mp4" is a protocol */
    snprintf(rate, sizeof rate, "%.9g", f->range.fps);
    nst_av.av_dict_set(&options, "protocol_whitelist", PROTOCOLS, 0);
    nst_av.av_dict_set(&options, "format_whitelist", list_formats(), 0);
    if (f->pattern)
        nst_av.av_dict_set(&options, "start_number_range", "1000", 0);
    if (f->pattern && f->range.fps > 0)
        nst_av.av_dict_set(&options, "framerate", rate, 0);
    error = nst_av.avformat_open_input(&f->format, url, NULL, &options);
    nst_av.av_dict_free(&options);
    if (error == AVERROR(EINVAL))
        return fail(e, NST_EFORMAT, "%s: no film in a file of its own, but a list of other files or a script", f->path);
    if (error == AVERROR_INVALIDDATA)
        return fail(e, NST_EFORMAT, "%s: no film that libavformat knows", f->path);
    if (error < 0)
        return fail(e, NST_EIO, "%s: %s", f->path, nst_av_reason(error, why));
    for (unsigned i = 0; i < f->format->nb_streams; i++) { /* decoders are tried in what follows */
        const AVCodecParameters *p = f->format->streams[i]->codecpar;

        if (!is_coded_size(p->width, p->height))
            return too_many(f, p->width, p->height, e);
    }
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
    f->decoder->max_pixels = MOST_PIXELS; /* a later picture may be larger than the header says */
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
    double wide = w, high = h;

    if ((w < 1 || h < 1) && p->codec_id == AV_CODEC_ID_WEBP)
        return fail(e, NST_EUNSUPPORTED, "%s: an animated WebP, which FFmpeg does not decode here; make a GIF or "
                    "pictures of it first", f->path);
    if (w < 1 || h < 1)
        return fail(e, NST_EFORMAT, "%s: damaged: its pictures have no size", f->path);
    f->first_width = w;
    f->first_height = h;
    if (pixel.num > 0 && pixel.den > 0) { /* the longer side of a pixel is right, so that nothing is lost */
        if (pixel.num > pixel.den)
            wide = floor(wide * pixel.num / pixel.den + .5);
        else
            high = floor(high * pixel.den / pixel.num + .5);
    }
    if (wide > 65534 || high > 65534 || wide * high > (1 << 30) || !is_coded_size(w, h))
        return too_many(f, wide, high, e);
    f->turn = find_turn(f->stream);
    f->width = (int)(f->turn % 2 ? high : wide);
    f->height = (int)(f->turn % 2 ? wide : high);
    return NST_OK;
}

int64_t nst_film_start(const nst_film *f)
{
    int64_t start = f->format->start_time; /* AV_NOPTS_VALUE is below all */
    int64_t most = (int64_t)(NST_FILM_SECONDS * AV_TIME_BASE);

    return start > -most && start < most ? start : 0;
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

/* What is counted by it is a long. */
static double believable(double frames)
{
    return frames >= 0 && frames <= MOST_FRAMES ? frames : 0;
}

/* To the last picture before the beginning that can be decoded by itself, where the container knows it. */
static void seek(nst_film *f)
{
    int64_t at = nst_film_start(f) + (int64_t)(f->range.from * AV_TIME_BASE);

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
    f->frames = believable(f->frames);
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
