/* film.h: films: read picture by picture, with the packets of sound and subtitles beside, and written. */
#ifndef NST_VIDEO_FILM_H
#define NST_VIDEO_FILM_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/video/beside.h"
#include "cli/video/scale.h"

#define NST_FILM_STREAMS 64 /* of a film, at most so many are carried over */
/* Times beyond these are damage: what is added to or taken from them does not overflow. */
#define NST_FILM_SECONDS 1e11
#define NST_FILM_TICKS (INT64_C(1) << 61)

struct AVCodecContext;
struct AVFormatContext;
struct AVFrame;
struct AVPacket;
struct AVStream;

/* Which pictures of a film are taken. */
typedef struct nst_film_range {
    double from, to; /* seconds from the film's beginning; to 0: up to its end */
    double fps;      /* at most so many a second, 0: all; of a pattern of pictures: how many make a second */
} nst_film_range;

/* A film that is read. */
typedef struct nst_film {
    const char *path;
    nst_film_range range;
    struct AVFormatContext *format;
    struct AVCodecContext *decoder;
    struct AVPacket *packet;
    struct AVFrame *frame;
    struct AVStream *stream; /* of the pictures */
    nst_scaler scaler;
    bool still;              /* a pattern's or a file's single picture cannot be told before: it has no duration */
    bool pattern;
    int turn;                /* quarters of a turn to the right that make a picture upright */
    int width, height;       /* upright, with square pixels */
    int to_width, to_height; /* at which pictures are handed out */
    double rate;             /* pictures in a second, about; 0: unknown */
    double frames;           /* how many are taken, about; 0: unknown */

    int first_width, first_height;
    struct {
        int64_t pts;         /* of the picture at hand, in the stream's time base */
        double seconds;      /* the same from the film's beginning */
        bool end, draining;
        double due;          /* when the next picture is taken, with range.fps */
    } at;
    struct {
        long read, taken;    /* pictures */
        long damaged;        /* places, where pictures or parts of them may be missing */
        long resized;        /* the first picture of another size, from 1; 0: none */
    } count;

    void (*other)(void *arg, struct AVPacket *packet); /* gets what is not of the pictures, or NULL */
    void *arg;
} nst_film;

/* "out-%04d.png": one whole number in it. */
bool nst_film_is_pattern(const char *path);
/* Opens it.  With range NULL, all of it.  NST_EIO, NST_EFORMAT (no film, no pictures in it), NST_EUNSUPPORTED (no
 * decoder, HDR). */
nst_status nst_film_open(nst_film *f, const char *path, const nst_film_range *range, nst_error *e);
/* The size at which pictures are handed out: the longest side, 0: its own; both sides become even. */
void nst_film_size(nst_film *f, int longest);
/* When the container begins, in millionths of a second; 0 where that is not known. */
int64_t nst_film_start(const nst_film *f);
/* Decodes the next picture that is taken; f->at.end: there is none. */
nst_status nst_film_step(nst_film *f, nst_error *e);
/* Hands over the packets of sound that follow the last picture taken: up to range.to where that is set. */
void nst_film_rest(nst_film *f);
/* The picture at hand. */
nst_status nst_film_picture(nst_film *f, nst_image **out, nst_error *e);
void nst_film_close(nst_film *f);

/* A film that is written. */
typedef struct nst_film_writer {
    const char *path;
    nst_beside beside; /* what becomes path in the end */
    struct AVFormatContext *format;
    struct AVCodecContext *encoder;
    struct AVPacket *packet;
    struct AVFrame *frame;
    struct AVStream *stream;
    nst_scaler scaler;
    const nst_film *film;     /* whose sound and times it gets, or NULL */
    double rate;              /* of pictures, where there is no film */
    int width, height;
    int to[NST_FILM_STREAMS]; /* the stream here of one of the film's; -1: none */
    int64_t before[NST_FILM_STREAMS]; /* the last packet's time of decoding; INT64_MIN: none was written */
    int64_t shift;            /* what is taken off all times, in millionths of a second */
    int64_t last;             /* time stamp of the last picture */
    long pictures;
    int error;                /* of a packet of sound */
} nst_film_writer;

/* Whether a film of this name can be written: its suffix names a container, which can hold the sound of film (NULL: it
 * is silent); *note says what of the film will be left out, "": nothing. */
nst_status nst_film_writable(const char *path, const nst_film *film, char *note, size_t bytes, nst_error *e);
/* Begins a film of pictures [height][width] with the sound, the subtitles and the texts of film, which stays the
 * caller's and is stepped through by the caller; its other packets go to nst_film_add_packet.  film NULL: a silent one
 * of so many pictures a second. */
nst_status nst_film_create(nst_film_writer *w, const char *path, const nst_film *film, double rate, int width,
                           int height, nst_error *e);
/* Adds a picture at the time of the film's picture at hand, or after the last one. */
nst_status nst_film_add(nst_film_writer *w, nst_image *picture, nst_error *e);
/* Adds a packet of the film's. */
void nst_film_add_packet(void *writer, struct AVPacket *packet);
/* Ends the film, which gets its name then. */
nst_status nst_film_finish(nst_film_writer *w, nst_error *e);
/* Gives up what belongs to it; a film that was not finished is gone. */
void nst_film_abandon(nst_film_writer *w);

#endif
