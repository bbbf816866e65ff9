/* upscale.c: from a scale to the next, larger one: the picture and Adam's moments, each rank its own rows. */
#include "engine/run.h"

#include <math.h>

/* Rows of the old picture, margin included, that a rank has beside its own: [3][to - from][w]. */
struct band {
    const float *rows;
    float *fetched; /* the same, unless rows are the caller's */
    int from, to, w, h;
};

/* The old rows, of h, that a rank's new rows are made from.  inside: the picture without its margin, and the margin its
 * reflection. */
static void wanted(const nst_run *r, int rank, int h, bool inside, int *from, int *to)
{
    nst_row_range s = nst_rank_rows(&r->setup, r->w, r->h, rank);
    int m = inside ? r->setup.margin : 0;

    *from = h, *to = 0;
    for (int y = s.own; y < s.own_to; y++) {
        int a, b;

        nst_plane_needs(nst_margin_mirrored(y, r->h, m) - m, h - 2 * m, r->h - 2 * m, &a, &b);
        *from = a + m < *from ? a + m : *from;
        *to = b + m > *to ? b + m : *to;
    }
    if (*from > *to)
        *from = *to;
}

static nst_status open_band(nst_run *r, const float *own, int w, int h, bool inside, struct band *b, nst_error *e)
{
    size_t ranks = (size_t)nst_rank_count(&r->setup), me = (size_t)nst_rank_own(&r->setup);
    int *from;
    nst_status s = NST_OK;

    *b = (struct band){ .rows = own, .to = h, .w = w, .h = h };
    if (!r->job.comm)
        return NST_OK;
    from = nst_calloc(ranks, 2 * sizeof *from);
    if (from) {
        for (int i = 0; i < (int)ranks; i++)
            wanted(r, i, h, inside, &from[i], &from[ranks + (size_t)i]);
        b->from = from[me], b->to = from[ranks + me];
        b->fetched = nst_calloc((size_t)w * (size_t)(b->to - b->from), 3 * sizeof *own);
        b->rows = b->fetched;
    }
    if (!from || !b->fetched)
        s = nst_fail(e, NST_EMEM, "%d x %d pixels: out of memory", r->w, r->h);
    s = nst_ranks_agree(&r->ranks, s, e);
    if (!s)
        nst_halo_fetch(r, own, w, h, from, from + ranks, b->fetched);
    nst_free(from);
    return s;
}

/* Plane c, m pixels cut off at each side. */
static nst_band inner(const struct band *b, int c, int m)
{
    size_t plane = (size_t)(b->to - b->from) * (size_t)b->w;

    return (nst_band){ b->rows + (size_t)c * plane + m, (size_t)b->w, b->from - m, b->w - 2 * m, b->h - 2 * m };
}

nst_status nst_enlarge(nst_run *r, const float *from, int w, int h, float *x, nst_error *e)
{
    const nst_setup *u = &r->setup;
    int m = u->margin, ow = r->w - 2 * m, oh = r->h - 2 * m;
    struct band b;
    nst_status s = open_band(r, from, w, h, true, &b, e);

    for (int c = 0; c < 3 && !s; c++) {
        nst_band in = inner(&b, c, m);

        for (int y = r->strip.own; y < r->strip.own_to; y++, x += r->w) {
            nst_plane_bicubic_row(&in, nst_margin_mirrored(y, r->h, m) - m, x + m, ow, oh);
            for (int i = m; i < m + ow; i++)
                x[i] = fminf(fmaxf(x[i], u->low[c]), u->high[c]);
            nst_margin_fill_row(x, r->w, m);
        }
    }
    nst_free(b.fetched);
    return s;
}

nst_status nst_enlarge_optim(nst_run *r, const nst_optim *from, int w, int h, nst_error *e)
{
    nst_optim_carry(from, r->state.optim);
    for (int k = 0; k < 2 && nst_optim_moment(from, k) && nst_optim_moment(r->state.optim, k); k++) {
        float *to = nst_optim_moment(r->state.optim, k);
        struct band b;
        nst_status s = open_band(r, nst_optim_moment(from, k), w, h, false, &b, e);

        for (int c = 0; c < 3 && !s; c++) {
            nst_band in = inner(&b, c, 0);

            for (int y = r->strip.own; y < r->strip.own_to; y++, to += r->w) {
                (k ? nst_plane_bilinear_row : nst_plane_bicubic_row)(&in, y, to, r->w, r->h);
                for (int i = 0; k && i < r->w; i++)
                    to[i] = to[i] > 0 ? to[i] : 0;
            }
        }
        nst_free(b.fetched);
        if (s)
            return s;
    }
    return NST_OK;
}
