/* warp.c: pictures pulled along a flow, and how far it can be trusted. */
#include "flow/flow.h"

#include <math.h>

#include "image/image.h"

nst_status nst_flow_check(const nst_flow *flow, int w, int h, const char *what, nst_error *e)
{
    if (flow->width == w && flow->height == h)
        return NST_OK;
    return nst_fail(e, NST_EARG, "flow: is of %d x %d pixels and the %s of %d x %d, expected one size", flow->width,
                    flow->height, what, w, h);
}

/* How much of a pixel with its centre at `at` lies in a side of n pixels: 1, falling to 0 within the first pixel
 * outside; NAN has nothing there.  A limit instead would make flow's errors of a hundredth of a pixel decide about the
 * outermost pixels: they would be taken for new in each picture. */
static float share_of_side(float at, int n)
{
    float over = fmaxf(-at, at - (float)(n - 1));

    if (isnan(at))
        return 0;
    return nst_clamp(1 - over, 0, 1);
}

static float share_inside(float x, float y, int w, int h)
{
    return share_of_side(x, w) * share_of_side(y, h);
}

nst_status nst_flow_warp(nst_image **out, const nst_image *picture, const nst_flow *flow, nst_error *e)
{
    int w = picture->width, h = picture->height;
    nst_status s;

    *out = NULL;
    s = nst_image_check_there(picture, "warped picture", e);
    if (!s)
        s = nst_flow_check(flow, w, h, "picture", e);
    if (!s)
        s = nst_image_create(out, w, h, 4, e);
    if (s)
        return s;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            size_t i = (size_t)y * (size_t)w + (size_t)x;
            float u = flow->plane[0][i], v = flow->plane[1][i], at_x = (float)x + u, at_y = (float)y + v;

            if (isnan(at_x) || isnan(at_y))
                at_x = (float)x, at_y = (float)y;
            for (int c = 0; c < picture->channels; c++)
                (*out)->plane[c][i] = nst_flow_at(picture->plane[c], w, h, at_x, at_y);
            if (picture->channels < 4)
                (*out)->plane[3][i] = 1;
            (*out)->plane[3][i] *= share_inside((float)x + u, (float)y + v, w, h);
        }
    return NST_OK;
}

/* ---- trust -------------------------------------------------------------------------------------------------- */

bool nst_flow_agrees(const nst_flow *there, const nst_flow *back, int x, int y)
{
    int w = there->width, h = there->height;
    size_t i = (size_t)y * (size_t)w + (size_t)x;
    float u = there->plane[0][i], v = there->plane[1][i], at_x = (float)x + u, at_y = (float)y + v, bu, bv;

    if (!(share_inside(at_x, at_y, w, h) > 0))
        return false;
    bu = nst_flow_at(back->plane[0], w, h, at_x, at_y), bv = nst_flow_at(back->plane[1], w, h, at_x, at_y);
    return (u + bu) * (u + bu) + (v + bv) * (v + bv) < .01f * (u * u + v * v + bu * bu + bv * bv) + .5f;
}

/* Where neighbours move apart. */
static bool is_edge(const nst_flow *f, int x, int y)
{
    size_t w = (size_t)f->width, i = (size_t)y * w + (size_t)x;
    size_t left = x ? i - 1 : i, right = x + 1 < f->width ? i + 1 : i;
    size_t above = y ? i - w : i, below = y + 1 < f->height ? i + w : i;
    float all = 0, u = f->plane[0][i], v = f->plane[1][i];

    for (int c = 0; c < 2; c++) {
        float across = .5f * (f->plane[c][right] - f->plane[c][left]);
        float down = .5f * (f->plane[c][below] - f->plane[c][above]);

        all += across * across + down * down;
    }
    return !(all <= .01f * (u * u + v * v) + .002f);
}

/* Weights of 1 and 0 become soft towards the zeros, which stay: a pixel counts by the mean of its neighbourhood. */
static void soften(const float *hard, int w, int h, float *alpha)
{
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            size_t i = (size_t)y * (size_t)w + (size_t)x;
            float sum = 0;

            for (int k = 0; k < 9 && hard[i] > 0; k++) {
                int nx = nst_clamp_int(x + k % 3 - 1, 0, w - 1), ny = nst_clamp_int(y + k / 3 - 1, 0, h - 1);

                sum += hard[(size_t)ny * (size_t)w + (size_t)nx];
            }
            alpha[i] *= sum / 9;
        }
}

nst_status nst_flow_weigh(nst_image *warped, const nst_flow *there, const nst_flow *back, nst_error *e)
{
    int w = warped->width, h = warped->height;
    float *hard;
    nst_status s;

    if (warped->channels < 4)
        return nst_fail(e, NST_EARG, "warped picture: has no alpha, expected one that nst_flow_warp made");
    s = nst_flow_check(there, w, h, "picture", e);
    if (!s)
        s = nst_flow_check(back, w, h, "picture", e);
    if (s)
        return s;
    hard = nst_calloc((size_t)w, (size_t)h * sizeof *hard);
    if (!hard)
        return nst_fail(e, NST_EMEM, "flow of %d x %d pixels: out of memory", w, h);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            hard[(size_t)y * (size_t)w + (size_t)x] = nst_flow_agrees(there, back, x, y) && !is_edge(there, x, y);
    soften(hard, w, h, warped->plane[3]);
    nst_free(hard);
    return NST_OK;
}
