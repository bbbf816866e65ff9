/* change.c: how two successive frames differ, and whether another scene begins. */
#include "flow/flow.h"

#include <math.h>

#include "image/image.h"

#define STEPS 8 /* of a colour, for the histograms */
#define UNEXPLAINED .03 /* of a cut: more than noise and edges leave */
#define LOST .75 /* cuts have .88 and more; a car that passes near the camera has .69 */
#define LOST_WITH_COLOURS .3
#define OTHER_COLOURS .35
#define BINS (STEPS * STEPS * STEPS)

static int step_of(float v)
{
    int i = v > 0 ? (int)(v * STEPS) : 0;

    return i < STEPS ? i : STEPS - 1;
}

static void count(const nst_image *p, double *bins)
{
    size_t n = (size_t)p->width * (size_t)p->height;

    for (size_t i = 0; i < n; i++)
        bins[(step_of(p->plane[0][i]) * STEPS + step_of(p->plane[1][i])) * STEPS + step_of(p->plane[2][i])] +=
            1 / (double)n;
}

/* 1 minus what both histograms have in common. */
static double distance(const nst_image *a, const nst_image *b)
{
    double of_a[BINS] = { 0 }, of_b[BINS] = { 0 }, common = 0;

    count(a, of_a);
    count(b, of_b);
    for (int i = 0; i < BINS; i++)
        common += fmin(of_a[i], of_b[i]);
    return common < 1 ? 1 - common : 0;
}

/* Mean difference of a channel of pixel (x, y) and of where it went. */
static double off(const nst_image *from, const nst_image *to, const nst_flow *f, int x, int y)
{
    size_t i = (size_t)y * (size_t)from->width + (size_t)x;
    double sum = 0;

    for (int c = 0; c < 3; c++) {
        float there = nst_flow_at(to->plane[c], to->width, to->height, (float)x + f->plane[0][i],
                                  (float)y + f->plane[1][i]);

        sum += fabs((double)there - (double)from->plane[c][i]);
    }
    return sum / 3;
}

nst_status nst_flow_compare(nst_flow_change *out, const nst_image *from, const nst_image *to, const nst_flow *there,
                            const nst_flow *back, nst_error *e)
{
    int w = from->width, h = from->height;
    double lost = 0, sum = 0;
    nst_status s;

    *out = (nst_flow_change){ 0 };
    s = nst_image_check_there(from, "flow's first picture", e);
    if (!s)
        s = nst_image_check_there(to, "flow's second picture", e);
    if (!s)
        s = nst_flow_check(there, w, h, "picture", e);
    if (!s)
        s = nst_flow_check(back, w, h, "picture", e);
    if (s)
        return s;
    if (to->width != w || to->height != h)
        return nst_fail(e, NST_EARG, "flow: pictures of %d x %d and %d x %d pixels, expected two of one size", w, h,
                        to->width, to->height);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            lost += !nst_flow_agrees(there, back, x, y);
            sum += off(from, to, there, x, y);
        }
    out->unreliable = lost / ((double)w * h);
    out->unexplained = sum / ((double)w * h);
    out->histogram = distance(from, to);
    out->cut = out->unexplained > UNEXPLAINED &&
               (out->unreliable > LOST || (out->unreliable > LOST_WITH_COLOURS && out->histogram > OTHER_COLOURS));
    return NST_OK;
}
