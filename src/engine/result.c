/* result.c: the picture of a run: x without the margin, in sRGB, with the colours and the alpha that it is to have. */
#include "engine/run.h"

#include <string.h>

/* The content's colours for a result of any scale. */
static nst_status keep_colors(const nst_run *r, nst_image *out, nst_error *e)
{
    nst_image *content = NULL;
    nst_status s = nst_image_resize_seen(&content, r->job.content, out->width, out->height, e);

    if (!s)
        nst_image_keep_colors(out, content, r->setup.s.color_strength);
    nst_image_destroy(&content);
    return s;
}

/* Rows own..own_to-1 of x without the margin, into out. */
static void decode_rows(const nst_run *r, const float *x, const nst_row_range *s, float *line, nst_image *out)
{
    const nst_setup *u = &r->setup;
    size_t row = (size_t)out->width, plane = (size_t)(s->own_to - s->own) * (size_t)r->w;

    for (int y = s->own; y < s->own_to; y++) {
        const float *from = x + (size_t)(y - s->own) * (size_t)r->w + u->margin;
        float *to[3];

        if (y < u->margin || y >= r->h - u->margin)
            continue;
        for (size_t c = 0; c < 3; c++) {
            memcpy(line + c * row, from + c * plane, row * sizeof *line);
            to[c] = out->plane[c] + (size_t)(y - u->margin) * row;
        }
        nst_space_decode(&u->space, line, row, to);
    }
}

/* Floats of the largest strip but rank 0's. */
static size_t largest_strip(const nst_run *r)
{
    int rows = 0;

    for (int i = 1; i < nst_rank_count(&r->setup); i++) {
        nst_row_range s = nst_rank_rows(&r->setup, r->w, r->h, i);

        rows = s.own_to - s.own > rows ? s.own_to - s.own : rows;
    }
    return 3 * (size_t)rows * (size_t)r->w;
}

nst_status nst_result_decode(nst_run *r, const float *x, nst_image **out, nst_error *e)
{
    const nst_setup *u = &r->setup;
    int w = r->w - 2 * u->margin, h = r->h - 2 * u->margin;
    bool first = nst_rank_own(u) == 0;
    float *line = nst_calloc((size_t)w, 3 * sizeof *line), *buffer = NULL;
    nst_status s = NST_OK;

    *out = NULL;
    if (line && r->job.comm && first)
        buffer = nst_calloc(largest_strip(r), sizeof *buffer);
    if (!line || (r->job.comm && first && !buffer))
        s = nst_fail(e, NST_EMEM, "%d x %d pixels: out of memory", w, h);
    else if (first)
        s = nst_image_create(out, w, h, r->job.content->channels, e);
    s = nst_ranks_agree(&r->ranks, s, e);
    for (int rank = 0; rank < nst_rank_count(u) && !s; rank++) {
        nst_row_range strip = nst_rank_rows(u, r->w, r->h, rank);
        const float *rows = nst_halo_gather(r, rank, x, buffer);

        if (rows)
            decode_rows(r, rows, &strip, line, *out);
    }
    if (!s && first && r->state.alpha)
        memcpy((*out)->plane[3], r->state.alpha, (size_t)w * (size_t)h * sizeof *r->state.alpha);
    if (!s) { /* in agreement until here */
        if (first && u->s.color == NST_COLOR_CONTENT)
            s = keep_colors(r, *out, e);
        s = nst_ranks_agree(&r->ranks, s, e);
    }
    if (s)
        nst_image_destroy(out);
    nst_free(line);
    nst_free(buffer);
    return s;
}

nst_status nst_progress_image(const nst_progress *p, nst_image **out, nst_error *e)
{
    nst_run *r = (nst_run *)p->state;

    *out = NULL;
    return nst_result_decode(r, nst_optim_result(r->state.optim, r->state.x), out, e);
}

nst_status nst_result_enlarge(const nst_run *r, nst_image **out, nst_error *e)
{
    const nst_setup *u = &r->setup;
    int last = u->plan.scales - 1;
    nst_image *large;
    nst_status s;

    if (nst_image_width(*out) == u->plan.width[last] && nst_image_height(*out) == u->plan.height[last])
        return NST_OK;
    s = nst_image_resize(&large, *out, u->plan.width[last], u->plan.height[last], e);
    nst_image_destroy(out);
    *out = large;
    return s;
}
