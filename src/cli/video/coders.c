/* coders.c: containers of films that can be written, the encoders for them, and what of a film they take. */
#include "cli/video/coders.h"

#include <string.h>

#include "cli/fail.h"

/* Encoders for a container, the best first: those that look well at their usual settings. */
static const nst_coder coders[] = {
    { "mp4", "libx264", AV_PIX_FMT_YUV420P, "crf=17 preset=medium" },
    { "mp4", "libopenh264", AV_PIX_FMT_YUV420P, "" },
    { "mp4", "mpeg4", AV_PIX_FMT_YUV420P, "" },
    { "mov", "libx264", AV_PIX_FMT_YUV420P, "crf=17 preset=medium" },
    { "mov", "mpeg4", AV_PIX_FMT_YUV420P, "" },
    { "matroska", "libx264", AV_PIX_FMT_YUV420P, "crf=17 preset=medium" },
    { "matroska", "libvpx-vp9", AV_PIX_FMT_YUV420P, "crf=24 deadline=good cpu-used=3 row-mt=1" },
    { "matroska", "mpeg4", AV_PIX_FMT_YUV420P, "" },
    { "webm", "libvpx-vp9", AV_PIX_FMT_YUV420P, "crf=24 deadline=good cpu-used=3 row-mt=1" },
    { "webm", "libvpx", AV_PIX_FMT_YUV420P, "crf=10 deadline=good cpu-used=1" },
    { "gif", "gif", AV_PIX_FMT_PAL8, "" },
};
#define THREADS 4 /* always so many: x264's film depends on their number, which else is that of the cores */
#define VPX_BITS 20000000 /* libvpx (VP8) needs a most; crf decides below it */

static const struct suffix {
    const char *suffix, *container;
} suffixes[] = {
    { ".mkv", "matroska" }, { ".mp4", "mp4" }, { ".m4v", "mp4" }, { ".mov", "mov" }, { ".webm", "webm" },
    { ".gif", "gif" },
}; /* those that hold most come first */

const char *nst_coders_container(const char *path)
{
    size_t n = strlen(path);

    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        size_t m = strlen(suffixes[i].suffix);

        if (n > m && !strcmp(path + n - m, suffixes[i].suffix))
            return suffixes[i].container;
    }
    return NULL;
}

const nst_coder *nst_coders_best(const char *container)
{
    for (size_t i = 0; i < sizeof coders / sizeof *coders; i++)
        if (!strcmp(coders[i].container, container) && nst_av.avcodec_find_encoder_by_name(coders[i].name))
            return &coders[i];
    return NULL;
}

/* Sound and subtitles; pictures beside the film's own, fonts and data are not carried over. */
static bool is_carried(const AVStream *stream)
{
    int type = stream->codecpar->codec_type;

    return type == AVMEDIA_TYPE_AUDIO || type == AVMEDIA_TYPE_SUBTITLE;
}

bool nst_coders_take(const AVOutputFormat *format, const AVStream *stream)
{
    return is_carried(stream) &&
           nst_av.avformat_query_codec(format, stream->codecpar->codec_id, FF_COMPLIANCE_NORMAL) == 1;
}

/* The end of a film's name whose container takes this, or NULL. */
static const char *holder(const AVStream *stream)
{
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        const AVOutputFormat *format = nst_av.av_guess_format(suffixes[i].container, NULL, NULL);

        if (format && nst_coders_best(suffixes[i].container) && nst_coders_take(format, stream))
            return suffixes[i].suffix;
    }
    return NULL;
}

/* What of the film this container does not take. */
static nst_status check_streams(const char *path, const AVOutputFormat *format, const nst_film *film, char *note,
                                size_t bytes, nst_error *e)
{
    for (unsigned i = 0; i < film->format->nb_streams; i++) {
        const AVStream *stream = film->format->streams[i];
        const char *name = nst_av.avcodec_get_name(stream->codecpar->codec_id), *other;
        bool sound = stream->codecpar->codec_type == AVMEDIA_TYPE_AUDIO;

        if (!is_carried(stream) || nst_coders_take(format, stream))
            continue;
        other = holder(stream);
        if (!strcmp(format->name, "gif"))
            snprintf(note, bytes, "%.300s: a GIF holds no sound; it is left out", path);
        else if (sound)
            return fail(e, NST_EARG, "%s: its container (%s) does not hold the film's sound (%s); %s%s%s", path,
                        format->name, name, other ? "name a " : "name a folder", other ? other : "",
                        other ? " file" : ", as out/");
        else
            snprintf(note, bytes, "%.300s: its container (%s) does not hold the film's subtitles (%s), which are left "
                     "out%s%s%s", path, format->name, name, other ? "; a " : "", other ? other : "",
                     other ? " file holds them" : "");
    }
    return NST_OK;
}

nst_status nst_film_writable(const char *path, const nst_film *film, char *note, size_t bytes, nst_error *e)
{
    const char *container = nst_coders_container(path);
    const AVOutputFormat *format;

    *note = 0;
    if (!container)
        return fail(e, NST_EARG, "%s: a film's name ends with .mp4, .mov, .mkv, .webm or .gif; pictures go to a folder "
                    "(out/) or a pattern (out-%%04d.png)", path);
    format = nst_av.av_guess_format(container, NULL, NULL);
    if (!format || !nst_coders_best(container))
        return fail(e, NST_EUNSUPPORTED, "%s: FFmpeg has no encoder for such a film here; a .mkv file may do", path);
    return film ? check_streams(path, format, film, note, bytes, e) : NST_OK;
}


static void set_options(AVCodecContext *c, const char *options)
{
    while (*options) {
        size_t n = strcspn(options, "="), m = strcspn(options, " ");
        char name[32], value[32];

        snprintf(name, sizeof name, "%.*s", (int)n, options);
        snprintf(value, sizeof value, "%.*s", (int)(m - n - 1), options + n + 1);
        nst_av.av_opt_set(c->priv_data, name, value, 0); /* an option that an encoder lacks costs quality only */
        options += m + strspn(options + m, " ");
    }
}

/* Ticks that every encoder takes and that tell the film's times apart. */
static AVRational find_unit(const nst_film *film, const nst_coder *coder)
{
    if (!strcmp(coder->name, "gif"))
        return (AVRational){ 1, 100 };
    if (!strcmp(coder->name, "mpeg4"))
        return (AVRational){ 1, 60000 };
    if (!film)
        return (AVRational){ 1, 90000 };
    return film->stream->time_base.den < 1000 && film->stream->time_base.num == 1 ? (AVRational){ 1, 90000 }
                                                                                 : film->stream->time_base;
}

void nst_coders_set(const nst_coder *coder, AVCodecContext *c, const nst_film *film)
{
    c->pix_fmt = coder->format;
    c->thread_count = THREADS;
    c->time_base = find_unit(film, coder);
    if (!strcmp(coder->name, "libvpx"))
        c->bit_rate = VPX_BITS;
    else if (!strncmp(coder->name, "libvpx", 6))
        c->bit_rate = 0;
    if (!strcmp(coder->name, "mpeg4")) {
        c->flags |= AV_CODEC_FLAG_QSCALE;
        c->global_quality = 2 * FF_QP2LAMBDA;
    }
    set_options(c, coder->options);
    /* x264's AVX-512 code for mbtree (r3095, r3108) reads memory that nobody wrote, unless the width is a multiple of
     * 128: the film would depend on what was there.  AVX2's gives the film of memory that is 0. */
    if (!strcmp(coder->name, "libx264") && (nst_av.av_get_cpu_flags() & AV_CPU_FLAG_AVX512))
        set_options(c, "x264-params=asm=avx2");
}
