/* film.c: what video.sh needs to make and to look into films, by FFmpeg's libraries themselves; compiled by the test.
 *
 *     film make FILE WIDTH HEIGHT PICTURES KIND    writes a film with sound of bytes without meaning
 *     film show FILE                               prints streams, titles, pictures and packets, a line each
 *
 * KIND has some of: still (nothing moves but the disc), frozen (not even that, there is only noise), odd (uneven
 * times), turned (a quarter to the right), hdr, full (all of a byte's range, and no named matrix), silent, early (its
 * sound begins before 0), flac (that is its sound), headless (it is Vorbis without its headers), sub (with subtitles),
 * chapters, hole (of thirty years, in the middle), pixels (so long that the picture's width does not fit an int; in
 * .nut), huge (by its header); or is plain.  FILE ends with .mkv or, in MPEG-2, with .mov, .nut or .m2v: two of the
 * last in one file are a film whose pictures change their size; or with .apng, which is grey. */
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RATE 25

static void need(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "film: %s\n", what);
    exit(1);
}

static unsigned long sum(unsigned long h, const uint8_t *data, size_t n)
{
    while (n--)
        h = (h ^ *data++) * 16777619UL & 0xffffffffUL;
    return h;
}

/* ---- make -------------------------------------------------------------------------------------------------------- */

/* A landscape of waves that moves to the left, a bright disc that goes its own way, and from the middle on another one;
 * `still` has the first picture's landscape and the disc, and noise of one step. */
static void paint(AVFrame *f, int n, int count, const char *kind)
{
    int frozen = strstr(kind, "frozen") != NULL, still = frozen || strstr(kind, "still");
    int cut = n >= count / 2 && !still, shift = still ? 0 : 3 * n;

    for (int c = 0; c < 3 && f->data[c]; c++) {
        int half = c > 0;

        for (int y = 0; y < f->height >> half; y++)
            for (int x = 0; x < f->width >> half; x++) {
                double px = (x << half) + shift, py = y << half, dx = (x << half) - 10. - 4 * n, dy = py - 30;
                double v = cut ? 120 + 60 * sin(py / 7) + 40 * cos((px - py) / 23)
                               : 110 + 60 * sin(px / 9 + py / 31) + 40 * sin(py / 11 - px / 40);

                if (c)
                    v = 128 + (cut ? -30 : 30) * sin((px + c * 40) / 50);
                if (dx * dx + dy * dy < 150 && !frozen)
                    v = c ? 90 : 230;
                v += still && !c ? (x * 7 + y * 13 + n * 5) % 3 - 1 : 0;
                f->data[c][y * f->linesize[c] + x] = (uint8_t)v;
            }
    }
}

static AVCodecContext *open_encoder(AVFormatContext *out, int w, int h, const char *kind)
{
    int grey = !strcmp(out->oformat->name, "apng"), mpeg = !grey && strcmp(out->oformat->name, "matroska") != 0;
    int full = strstr(kind, "full") != NULL;
    enum AVCodecID film = mpeg ? AV_CODEC_ID_MPEG2VIDEO : AV_CODEC_ID_FFV1;
    const AVCodec *codec = avcodec_find_encoder(grey ? AV_CODEC_ID_APNG : film);
    AVCodecContext *c = avcodec_alloc_context3(codec);
    AVDictionary *options = NULL;

    need(codec && c, "no encoder");
    c->width = w;
    c->height = h;
    c->pix_fmt = grey ? AV_PIX_FMT_GRAY8 : AV_PIX_FMT_YUV420P;
    c->time_base = (AVRational){ 1, mpeg || grey ? RATE : 1000 };
    c->bit_rate = 4000000;
    c->level = mpeg || grey ? c->level : 3;
    c->framerate = (AVRational){ RATE, 1 };
    c->color_range = full ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
    c->colorspace = full ? AVCOL_SPC_UNSPECIFIED : AVCOL_SPC_BT709;
    c->color_primaries = AVCOL_PRI_BT709;
    c->color_trc = strstr(kind, "hdr") ? AVCOL_TRC_SMPTE2084 : AVCOL_TRC_BT709;
    if (out->oformat->flags & AVFMT_GLOBALHEADER)
        c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    av_dict_set(&options, "slicecrc", mpeg || grey ? NULL : "1", 0); /* so that damage is seen */
    need(avcodec_open2(c, codec, &options) == 0, "the encoder does not open");
    av_dict_free(&options);
    return c;
}

static void encode(AVFormatContext *out, AVCodecContext *c, AVStream *st, AVFrame *f)
{
    AVPacket *p = av_packet_alloc();

    need(avcodec_send_frame(c, f) == 0, "a picture is not taken");
    while (avcodec_receive_packet(c, p) == 0) {
        av_packet_rescale_ts(p, c->time_base, st->time_base);
        p->stream_index = st->index;
        need(av_interleaved_write_frame(out, p) == 0, "a packet is not written");
    }
    av_packet_free(&p);
}

/* A packet of bytes that depend on n. */
static void add_bytes(AVFormatContext *out, AVStream *st, int n, int size, int64_t pts, int64_t duration)
{
    AVPacket *p = av_packet_alloc();

    need(av_new_packet(p, size) == 0, "no memory");
    for (int i = 0; i < size; i++)
        p->data[i] = (uint8_t)(n * 31 + i * 7 + (i >> 3) * n);
    if (size < 64)
        snprintf((char *)p->data, (size_t)size, "words %d", n);
    p->pts = p->dts = av_rescale_q(pts, (AVRational){ 1, 1000 }, st->time_base);
    p->duration = av_rescale_q(duration, (AVRational){ 1, 1000 }, st->time_base);
    p->stream_index = st->index;
    p->flags = AV_PKT_FLAG_KEY;
    need(av_interleaved_write_frame(out, p) == 0, "a packet is not written");
    av_packet_free(&p);
}

static AVStream *add_sound(AVFormatContext *out)
{
    AVStream *st = avformat_new_stream(out, NULL);
    AVCodecParameters *p = st->codecpar;

    p->codec_type = AVMEDIA_TYPE_AUDIO;
    p->codec_id = AV_CODEC_ID_PCM_S16LE;
    p->format = AV_SAMPLE_FMT_S16;
    p->sample_rate = 8000;
    p->ch_layout.order = AV_CHANNEL_ORDER_UNSPEC;
    p->ch_layout.nb_channels = 1;
    p->bits_per_coded_sample = 16;
    p->block_align = 2;
    p->bit_rate = 128000;
    st->time_base = (AVRational){ 1, 8000 };
    av_dict_set(&st->metadata, "language", "swe", 0);
    return st;
}

static AVCodecContext *open_flac(AVFormatContext *out, AVStream **st)
{
    const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_FLAC);
    AVCodecContext *c = avcodec_alloc_context3(codec);

    need(codec && c, "no FLAC");
    c->sample_fmt = AV_SAMPLE_FMT_S16;
    c->sample_rate = 8000;
    c->time_base = (AVRational){ 1, 8000 };
    av_channel_layout_default(&c->ch_layout, 1);
    need(avcodec_open2(c, codec, NULL) == 0, "FLAC does not open");
    *st = avformat_new_stream(out, NULL);
    avcodec_parameters_from_context((*st)->codecpar, c);
    (*st)->time_base = c->time_base;
    return c;
}

/* One packet of silence. */
static void add_flac(AVFormatContext *out, AVCodecContext *c, AVStream *st)
{
    AVFrame *f = av_frame_alloc();

    f->format = c->sample_fmt;
    f->sample_rate = c->sample_rate;
    f->nb_samples = c->frame_size;
    f->pts = 0;
    need(av_channel_layout_copy(&f->ch_layout, &c->ch_layout) == 0 && av_frame_get_buffer(f, 0) == 0, "no memory");
    memset(f->data[0], 0, 2 * (size_t)f->nb_samples);
    encode(out, c, st, f);
    encode(out, c, st, NULL);
    av_frame_free(&f);
    avcodec_free_context(&c);
}

/* Two, of 0.2 seconds each. */
static void add_chapters(AVFormatContext *out)
{
    out->chapters = av_mallocz(2 * sizeof *out->chapters);
    need(out->chapters != NULL, "no memory");
    for (int i = 0; i < 2; i++) {
        AVChapter *own = out->chapters[i] = av_mallocz(sizeof *own);

        need(own != NULL, "no memory");
        *own = (AVChapter){ .id = i + 1, .time_base = { 1, 1000 }, .start = 200 * i, .end = 200 * i + 200 };
        av_dict_set(&own->metadata, "title", i ? "Later" : "First", 0);
        out->nb_chapters++;
    }
}

static AVStream *add_words(AVFormatContext *out)
{
    AVStream *st = avformat_new_stream(out, NULL);

    st->codecpar->codec_type = AVMEDIA_TYPE_SUBTITLE;
    st->codecpar->codec_id = strcmp(out->oformat->name, "mov") ? AV_CODEC_ID_SUBRIP : AV_CODEC_ID_MOV_TEXT;
    st->time_base = (AVRational){ 1, 1000 };
    return st;
}

static void turn(AVStream *st)
{
    int32_t m[9];

    av_display_rotation_set(m, -90);
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 30, 0)
    memcpy(av_packet_side_data_new(&st->codecpar->coded_side_data, &st->codecpar->nb_coded_side_data,
                                   AV_PKT_DATA_DISPLAYMATRIX, sizeof m, 0)->data, m, sizeof m);
#else
    memcpy(av_stream_new_side_data(st, AV_PKT_DATA_DISPLAYMATRIX, sizeof m), m, sizeof m);
#endif
}

static int64_t time_of(int n, const char *kind)
{
    int64_t hole = strstr(kind, "hole") && n > 2 ? INT64_C(1000000000000) : 0;

    return n * 1000 / RATE + (strstr(kind, "odd") && n > 1 ? 60 * (n / 2) + n % 3 : 0) + hole;
}

static AVFrame *new_frame(const AVCodecContext *c)
{
    AVFrame *f = av_frame_alloc();

    f->format = c->pix_fmt;
    f->width = c->width;
    f->height = c->height;
    need(av_frame_get_buffer(f, 0) == 0, "no memory");
    return f;
}

static int make(const char *path, int w, int h, int count, const char *kind)
{
    AVFormatContext *out = NULL;
    AVStream *st, *sound = NULL, *words = NULL;
    AVCodecContext *c, *flac = NULL;
    int early = strstr(kind, "early") ? 1000 / RATE : 0;
    AVFrame *f;

    need(avformat_alloc_output_context2(&out, NULL, NULL, path) >= 0, "no such container");
    c = open_encoder(out, w, h, kind);
    st = avformat_new_stream(out, NULL);
    avcodec_parameters_from_context(st->codecpar, c);
    st->time_base = c->time_base;
    st->avg_frame_rate = c->framerate;
    if (strstr(kind, "turned"))
        turn(st);
    if (strstr(kind, "pixels"))
        st->sample_aspect_ratio = (AVRational){ 44739243, 1 };
    if (strstr(kind, "huge"))
        st->codecpar->width = st->codecpar->height = 60000;
    if (strstr(kind, "headless"))
        add_sound(out)->codecpar->codec_id = AV_CODEC_ID_VORBIS;
    else if (strstr(kind, "flac"))
        flac = open_flac(out, &sound);
    else if (!strstr(kind, "silent"))
        sound = add_sound(out);
    if (strstr(kind, "chapters"))
        add_chapters(out);
    if (strstr(kind, "sub"))
        words = add_words(out);
    av_dict_set(&out->metadata, "title", "A film of the test's", 0);
    need(avio_open(&out->pb, path, AVIO_FLAG_WRITE) >= 0, "cannot be written");
    need(avformat_write_header(out, NULL) >= 0, "no header");
    f = new_frame(c);
    if (flac)
        add_flac(out, flac, sound);
    for (int n = 0; n < count; n++) {
        need(av_frame_make_writable(f) == 0, "no memory");
        paint(f, n, count, kind);
        f->pts = c->time_base.den == RATE ? n : time_of(n, kind);
        encode(out, c, st, f);
        if (sound && !flac)
            add_bytes(out, sound, n, 640, n * 1000 / RATE - early, 1000 / RATE);
        if (words && n % 5 == 0)
            add_bytes(out, words, n, 16, n * 1000 / RATE, 100);
    }
    encode(out, c, st, NULL);
    need(av_write_trailer(out) == 0, "no end");
    av_frame_free(&f);
    avcodec_free_context(&c);
    avio_closep(&out->pb);
    avformat_free_context(out);
    return 0;
}

/* ---- show -------------------------------------------------------------------------------------------------------- */

static void show_stream(const AVStream *st)
{
    const AVCodecParameters *p = st->codecpar;
    const AVDictionaryEntry *language = av_dict_get(st->metadata, "language", NULL, 0);

    printf("stream %d %s %s", st->index, av_get_media_type_string(p->codec_type), avcodec_get_name(p->codec_id));
    if (p->codec_type == AVMEDIA_TYPE_VIDEO)
        printf(" %dx%d range %d matrix %d primaries %d transfer %d", p->width, p->height, p->color_range,
               p->color_space, p->color_primaries, p->color_trc);
    printf("%s%s\n", language ? " " : "", language ? language->value : "");
}

static void show_chapter(const AVChapter *c)
{
    const AVDictionaryEntry *name = av_dict_get(c->metadata, "title", NULL, 0);
    double unit = av_q2d(c->time_base) * 1000;

    printf("chapter %.0f to %.0f ms %s\n", (double)c->start * unit, (double)c->end * unit, name ? name->value : "");
}

static void show_pictures(AVCodecContext *c, AVPacket *p, AVFrame *f, AVRational unit)
{
    avcodec_send_packet(c, p);
    while (avcodec_receive_frame(c, f) == 0) {
        unsigned long h = 2166136261UL;

        for (int y = 0; y < f->height; y++)
            h = sum(h, f->data[0] + y * f->linesize[0], (size_t)f->width);
        printf("picture %.0f ms %dx%d %08lx\n", (double)f->best_effort_timestamp * av_q2d(unit) * 1000, f->width,
               f->height, h);
    }
}

static int show(const char *path)
{
    AVFormatContext *in = NULL;
    AVCodecContext *c = NULL;
    AVPacket *p = av_packet_alloc();
    AVFrame *f = av_frame_alloc();
    const AVDictionaryEntry *title;
    int video;

    need(avformat_open_input(&in, path, NULL, NULL) == 0, "cannot be opened");
    need(avformat_find_stream_info(in, NULL) >= 0, "no streams");
    title = av_dict_get(in->metadata, "title", NULL, 0);
    if (title)
        printf("title %s\n", title->value);
    for (unsigned i = 0; i < in->nb_streams; i++)
        show_stream(in->streams[i]);
    for (unsigned i = 0; i < in->nb_chapters; i++)
        show_chapter(in->chapters[i]);
    video = av_find_best_stream(in, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);
    need(video >= 0, "no pictures");
    c = avcodec_alloc_context3(avcodec_find_decoder(in->streams[video]->codecpar->codec_id));
    avcodec_parameters_to_context(c, in->streams[video]->codecpar);
    need(avcodec_open2(c, NULL, NULL) == 0, "no decoder");
    while (av_read_frame(in, p) >= 0) {
        AVRational unit = in->streams[p->stream_index]->time_base;

        if (p->stream_index == video)
            show_pictures(c, p, f, unit);
        else
            printf("packet %s %.0f ms %d bytes %08lx\n",
                   av_get_media_type_string(in->streams[p->stream_index]->codecpar->codec_type),
                   (double)p->pts * av_q2d(unit) * 1000, p->size, sum(2166136261UL, p->data, (size_t)p->size));
        av_packet_unref(p);
    }
    show_pictures(c, NULL, f, in->streams[video]->time_base);
    return 0;
}

int main(int argc, char **argv)
{
    av_log_set_level(AV_LOG_QUIET);
    if (argc == 7 && !strcmp(argv[1], "make"))
        return make(argv[2], atoi(argv[3]), atoi(argv[4]), atoi(argv[5]), argv[6]);
    if (argc == 3 && !strcmp(argv[1], "show"))
        return show(argv[2]);
    fprintf(stderr, "film: make FILE WIDTH HEIGHT PICTURES KIND, or show FILE\n");
    return 2;
}
