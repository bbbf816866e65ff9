/* source.c: where a film's pictures come from: a film, or a photograph that stands still. */
#include "cli/video/source.h"

#include <string.h>

#include "cli/fail.h"
#include "cli/video/av.h"

#define RATE 25 /* pictures in a second where nobody says */

static int even(double side)
{
    int half = (int)(side / 2 + .5);

    return half < 1 ? 2 : 2 * half;
}

static nst_status open_photo(nst_source *s, int longest, nst_error *e)
{
    nst_fit fit = { .longest = longest };
    nst_status status;
    double w, h;

    /* its colours and its orientation are those of a painting's photograph; the film's writer needs libav */
    status = nst_av_load(e);
    if (!status)
        status = nst_scaler_load(e);
    if (!status)
        status = nst_image_read_fit(&s->photo, s->path, &fit, e);
    if (status)
        return status;
    w = nst_image_width(s->photo);
    h = nst_image_height(s->photo);
    if (longest) {
        double ratio = longest / (w > h ? w : h);

        w *= ratio, h *= ratio;
    }
    s->width = even(w);
    s->height = even(h);
    return nst_scaler_resize(&s->photo, s->width, s->height, s->path, e);
}

static nst_status open_film(nst_source *s, const nst_film_range *range, int longest, nst_error *e)
{
    nst_status status = nst_film_open(&s->film, s->path, range, e);

    if (status)
        return status;
    nst_film_size(&s->film, longest);
    s->width = s->film.to_width;
    s->height = s->film.to_height;
    s->count = (long)s->film.frames;
    s->rate = s->film.rate;
    return NST_OK;
}

nst_status nst_source_open(nst_source *s, const char *path, const nst_film_range *range, int frames, int longest,
                           nst_error *e)
{
    *s = (nst_source){ .path = path, .count = frames, .rate = range->fps > 0 ? range->fps : RATE };
    return frames ? open_photo(s, longest, e) : open_film(s, range, longest, e);
}

nst_status nst_source_step(nst_source *s, nst_error *e)
{
    nst_status status = NST_OK;

    if (s->photo)
        s->at_end = s->number == s->count;
    else
        status = nst_film_step(&s->film, e);
    if (!s->photo)
        s->at_end = !status && s->film.at.end;
    s->number += !status && !s->at_end;
    return status;
}

static nst_status copy_photo(nst_source *s, nst_image **out, nst_error *e)
{
    size_t n = (size_t)s->width * (size_t)s->height;
    nst_status status = nst_image_create(out, s->width, s->height, 3, e);

    for (int c = 0; c < 3 && !status; c++)
        memcpy(nst_image_plane(*out, c), nst_image_plane(s->photo, c), n * sizeof(float));
    return status;
}

nst_status nst_source_picture(nst_source *s, nst_image **out, nst_error *e)
{
    return s->photo ? copy_photo(s, out, e) : nst_film_picture(&s->film, out, e);
}

void nst_source_close(nst_source *s)
{
    nst_image_destroy(&s->photo);
    if (s->film.path)
        nst_film_close(&s->film);
    *s = (nst_source){ 0 };
}
