/* page.c: what the page of --web is told of a film. */
#include "cli/video/job.h"

nst_status nst_video_page_open(nst_video *v, nst_error *e)
{
    return nst_web_open_film(&v->web, &v->c, v->c.quiet, e);
}

void nst_video_page_begin(const nst_video *v, const nst_image *now)
{
    nst_web_film at = { .pass = v->pass, .number = v->number, .done = (double)(v->before + v->painted),
                        .total = (double)v->count * v->passes, .left = nst_video_left(v) };

    if (v->web)
        nst_web_begin_picture(v->web, &at, now);
}

void nst_video_page_end(const nst_video *v, long number, const nst_image *film, const nst_image *painted)
{
    if (v->web)
        nst_web_end_picture(v->web, number, film, painted);
}

void nst_video_page_close(nst_video *v)
{
    nst_web_close(&v->web, NULL, v->stopped);
}
