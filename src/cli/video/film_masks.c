/* film_masks.c: masks of a film: still pictures, or films whose pictures go along with the film's. */
#include <string.h>

#include "cli/fail.h"
#include "cli/files.h"
#include "cli/masks.h"
#include "cli/video/job.h"

static bool is_film(const char *name)
{
    return strcmp(name, "rest") != 0 && (nst_film_is_pattern(name) || !nst_files_is_picture(name));
}

static bool has_films(const nst_video *v)
{
    for (int i = 0; i < v->c.content_mask.n; i++)
        if (v->mask[i].path)
            return true;
    return false;
}

nst_status nst_video_masks_open(nst_video *v, nst_error *e)
{
    nst_fit fit = { .longest = v->source.width > v->source.height ? v->source.width : v->source.height,
                    .damaged = v->c.damaged };
    nst_command still = v->c;
    nst_status s = NST_OK;

    for (int i = 0; i < still.content_mask.n; i++)
        if (is_film(still.content_mask.name[i]))
            v->mask[i].path = still.content_mask.name[i];
    if (has_films(v) && v->passes > 1)
        return fail(e, NST_EARG, "--content-mask: a film of masks goes with one pass, expected no --passes");
    /* what is wrong with their number is said here; films' places are taken by still ones until the first step */
    for (int i = 0; i < still.content_mask.n; i++)
        if (v->mask[i].path)
            still.content_mask.name[i] = "rest";
    if (has_films(v))
        still.content_mask.n = still.content_mask.n > still.styles ? still.content_mask.n : 0;
    s = nst_masks_read(&still, v->style, &fit, &fit, e);
    if (s)
        return s;
    for (int i = 0; i < v->c.content_mask.n && !s; i++)
        if (v->mask[i].path)
            s = nst_source_open(&v->mask[i], v->c.content_mask.name[i], &v->range, 0, fit.longest, e);
    return s;
}

/* The mask for now, or for as long as its film is shorter the last one. */
static nst_status read_place(nst_video *v, int i, nst_image **out, nst_error *e)
{
    const char *name = v->c.content_mask.name[i];
    nst_source *film = &v->mask[i];
    nst_status s;

    *out = NULL;
    if (!film->path)
        return strcmp(name, "rest") ? nst_files_read(out, name, NULL, e) : NST_OK;
    s = nst_source_step(film, e);
    if (s)
        return s;
    if (film->at_end)
        return fail(e, NST_EFORMAT, "%s: ends before the film, after %ld picture%s", name, film->number,
                    film->number == 1 ? "" : "s");
    return nst_source_picture(film, out, e);
}

nst_status nst_video_masks_step(nst_video *v, nst_error *e)
{
    nst_status s = NST_OK;

    for (int i = 0; has_films(v) && i < v->c.styles && !s; i++) {
        bool parted = i < v->c.style_mask.n && strcmp(v->c.style_mask.name[i], "none");
        nst_image *place = NULL, *part = NULL;

        if (i < v->c.content_mask.n)
            s = read_place(v, i, &place, e);
        if (!s && parted)
            s = nst_files_read(&part, v->c.style_mask.name[i], NULL, e);
        if (!s)
            s = nst_image_set_region(v->style[i], place, part, e);
        nst_image_destroy(&place);
        nst_image_destroy(&part);
    }
    return s;
}
