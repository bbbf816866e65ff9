/* coders.h: containers of films that can be written, and the encoders for them. */
#ifndef NST_VIDEO_CODERS_H
#define NST_VIDEO_CODERS_H

#include <stdbool.h>

#include "cli/video/av.h"
#include "cli/video/film.h"

typedef struct nst_coder {
    const char *container, *name;
    int format;          /* of pixels */
    const char *options; /* NAME=VALUE, with blanks between */
} nst_coder;

/* By the suffix of a name; NULL: it is none of a film. */
const char *nst_coders_container(const char *path);
/* The best encoder that FFmpeg has here; NULL. */
const nst_coder *nst_coders_best(const char *container);
/* Sets up what makes good pictures of a reasonable size; before the encoder is opened. */
void nst_coders_set(const nst_coder *coder, AVCodecContext *c, const nst_film *film);
/* Whether a stream is sound or subtitles, and the container takes it. */
bool nst_coders_take(const AVOutputFormat *format, const AVStream *stream);

#endif
