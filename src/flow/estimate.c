/* estimate.c: flow from coarse to fine: patches, then refinement, at each level of the pyramids. */
#include "flow/flow.h"

#include "image/image.h"

#define PICTURE_MIN 16 /* pixels a side */
#define HALF_MIN 32    /* below which half the size is too little */

static nst_status check(const nst_image *from, const nst_image *to, const nst_flow_options *o, nst_error *e)
{
    nst_status s = nst_image_check_there(from, "flow's first picture", e);

    if (!s)
        s = nst_image_check_there(to, "flow's second picture", e);
    if (s)
        return s;
    if (from->width != to->width || from->height != to->height)
        return nst_fail(e, NST_EARG, "flow: pictures of %d x %d and %d x %d pixels, expected two of one size",
                        from->width, from->height, to->width, to->height);
    if (from->width < PICTURE_MIN || from->height < PICTURE_MIN)
        return nst_fail(e, NST_EFORMAT, "flow: pictures of %d x %d pixels are too small, expected %d or more a side",
                        from->width, from->height, PICTURE_MIN);
    if (o->threads < 0 || o->threads > 1024)
        return nst_fail(e, NST_EARG, "flow: %d threads, expected 0 to 1024", o->threads);
    if (!(o->noise >= 0 && o->noise <= 1))
        return nst_fail(e, NST_EARG, "flow: noise %g is out of range, expected 0 to 1", o->noise);
    return NST_OK;
}

/* From the smallest level to the first: into *out, of its size. */
static nst_status descend(const nst_pyramid *from, const nst_pyramid *to, int threads, nst_flow **out, nst_error *e)
{
    nst_flow *now = NULL, *finer = NULL;
    nst_status s = NST_OK;

    for (int i = from->levels - 1; i >= 0 && !s; i--) {
        const nst_level *a = &from->level[i], *b = &to->level[i];

        s = nst_flow_create(&finer, a->w, a->h, e);
        if (s)
            break;
        if (now)
            nst_flow_double((const float *const *)now->plane, now->width, now->height, finer->plane, a->w, a->h);
        nst_flow_destroy(&now);
        now = finer;
        s = nst_flow_search(a, b, threads, now->plane[0], now->plane[1], e);
        if (!s)
            s = nst_flow_refine(a, b, threads, now->plane[0], now->plane[1], e);
    }
    if (s)
        nst_flow_destroy(&now);
    *out = now;
    return s;
}

nst_status nst_flow_estimate(nst_flow **out, const nst_image *from, const nst_image *to, const nst_flow_options *o,
                             nst_error *e)
{
    static const nst_flow_options none;
    nst_pyramid a = { .levels = 0 }, b = { .levels = 0 };
    nst_flow *small = NULL;
    int threads;
    bool half;
    nst_status s;

    *out = NULL;
    o = o ? o : &none;
    s = check(from, to, o, e);
    if (s)
        return s;
    threads = o->threads ? o->threads : nst_par_cores();
    half = o->half && from->width >= HALF_MIN && from->height >= HALF_MIN;
    s = nst_pyramid_create(&a, from, half, e);
    if (!s)
        s = nst_pyramid_create(&b, to, half, e);
    if (!s)
        s = descend(&a, &b, threads, &small, e);
    nst_pyramid_free(&a);
    nst_pyramid_free(&b);
    if (!s && half) {
        s = nst_flow_create(out, from->width, from->height, e);
        if (!s)
            nst_flow_double((const float *const *)small->plane, small->width, small->height, (*out)->plane, from->width,
                            from->height);
        nst_flow_destroy(&small);
    } else if (!s) {
        *out = small;
    }
    if (!s) {
        s = nst_flow_settle(*out, from, to, o->noise, e);
        if (s)
            nst_flow_destroy(out);
    }
    return s;
}
