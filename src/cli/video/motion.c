/* motion.c: what the painted picture before a new one says about it: moved along the optical flow it is the start, and
 * where nothing moves it is the result. */
#include "cli/video/motion.h"

#include <math.h>
#include <string.h>

#include "cli/fail.h"
#include "cli/paths.h"

#define SOFT 6          /* pixels around a place that have to be still as well */
#define FULL_AGE 5      /* pictures for which something has been in view before it is held fully to its paint */
#define DRIFT (2.5f / 255) /* mean difference of a channel around a place that is no noise: so far a slow fade came */

void nst_motion_leave(nst_motion *m)
{
    nst_flow_destroy(&m->there);
    nst_flow_destroy(&m->back);
    nst_image_destroy(&m->warped);
    nst_image_destroy(&m->known);
    *m = (nst_motion){ 0 };
}

/* ---- flow -------------------------------------------------------------------------------------------------------- */

/* The pattern with its first two %d replaced. */
static nst_status flow_name(const char *pattern, long from, long to, char *out, size_t bytes, nst_error *e)
{
    const long number[2] = { from, to };
    size_t used = 0;
    int n = 0;

    while (*pattern && used + 32 < bytes) {
        size_t digits = *pattern == '%' ? strspn(pattern + 1, "0123456789") : 0;
        int width = 0;

        if (*pattern != '%' || pattern[1 + digits] != 'd' || n == 2) {
            out[used++] = *pattern++;
            continue;
        }
        sscanf(pattern + 1, "%2d", &width);
        used += (size_t)snprintf(out + used, bytes - used, "%0*ld", width, number[n++]);
        pattern += digits + 2;
    }
    out[used] = 0;
    if (n < 2 || *pattern)
        return fail(e, NST_EARG, "--flow: \"%.60s\" is no pattern as flow-%%04d-%%04d.flo, whose first number is the "
                    "picture that the flow begins at", out);
    return NST_OK;
}

static nst_status read_flow(nst_flow **out, const char *pattern, long from, long to, const nst_image *picture,
                            nst_error *e)
{
    int w = nst_image_width(picture), h = nst_image_height(picture);
    char name[NST_PATH_BYTES];
    nst_flow *flow = NULL;
    nst_status s;

    s = flow_name(pattern, from, to, name, sizeof name, e);
    if (!s)
        s = nst_flow_read(&flow, name, e);
    if (s)
        return s;
    if (nst_flow_width(flow) == w && nst_flow_height(flow) == h) {
        *out = flow;
        return NST_OK;
    }
    s = nst_flow_resize(out, flow, w, h, e);
    nst_flow_destroy(&flow);
    return s;
}

nst_status nst_motion_flows(nst_motion *m, const nst_image *now, const nst_image *before, const char *pattern,
                            long number, long number_before, int threads, nst_error *e)
{
    nst_flow_options o = { .threads = threads, .half = 1 };
    nst_status s;

    if (pattern) {
        s = read_flow(&m->there, pattern, number, number_before, now, e);
        if (!s)
            s = read_flow(&m->back, pattern, number_before, number, now, e);
    } else {
        s = nst_flow_estimate(&m->there, now, before, &o, e);
        if (!s)
            s = nst_flow_estimate(&m->back, before, now, &o, e);
    }
    return s ? s : nst_flow_compare(&m->change, now, before, m->there, m->back, e);
}

static size_t size_of(const nst_image *picture)
{
    return (size_t)nst_image_width(picture) * (size_t)nst_image_height(picture);
}

/* What came into view was painted in few iterations.  It is held to that weakly at first, so that the next pictures'
 * iterations finish it: by the cube of its age, because a small share of the weight holds already. */
nst_status nst_motion_warp(nst_motion *m, const nst_image *painted, const nst_image *anchor, nst_error *e)
{
    nst_status s = nst_flow_warp(&m->warped, painted, m->there, e);
    float *share, *known, *age;

    if (!s)
        s = nst_flow_weigh(m->warped, m->there, m->back, e);
    if (!s)
        s = nst_flow_warp(&m->known, anchor, m->there, e);
    if (s)
        return s;
    share = nst_image_plane(m->warped, 3);
    known = nst_image_plane(m->known, 0);
    age = nst_image_plane(m->known, 3);
    for (size_t i = 0; i < size_of(painted); i++) {
        known[i] = share[i];
        share[i] *= age[i] * age[i] * age[i];
    }
    return NST_OK;
}

nst_status nst_motion_anchor(nst_image *film, nst_image **out, nst_error *e)
{
    nst_status s = nst_image_create(out, nst_image_width(film), nst_image_height(film), 4, e);

    if (s)
        return s;
    for (int c = 0; c < 3; c++)
        memcpy(nst_image_plane(*out, c), nst_image_plane(film, c), size_of(film) * sizeof(float));
    for (size_t i = 0; i < size_of(film); i++)
        nst_image_plane(*out, 3)[i] = 1;
    return NST_OK;
}

void nst_motion_grow_older(const nst_motion *m, nst_image *anchor)
{
    const float *known = nst_image_plane(m->known, 0), *age = nst_image_plane(m->known, 3);
    float *now = nst_image_plane(anchor, 3);

    for (size_t i = 0; i < size_of(anchor); i++)
        now[i] = fminf(known[i] * age[i] + 1.f / FULL_AGE, 1);
}

/* ---- the start and what stays ------------------------------------------------------------------------------------ */

void nst_motion_start(const nst_motion *m, nst_image *other)
{
    const float *alpha = nst_image_plane(m->known, 0);

    for (int c = 0; c < 3; c++) {
        const float *moved = nst_image_plane(m->warped, c);
        float *to = nst_image_plane(other, c);

        for (size_t i = 0; i < size_of(other); i++)
            to[i] = alpha[i] * moved[i] + (1 - alpha[i]) * to[i];
    }
}

double nst_motion_unknown(const nst_motion *m)
{
    const float *alpha = nst_image_plane(m->known, 0);
    double sum = 0;

    for (size_t i = 0; i < size_of(m->warped); i++)
        sum += 1 - alpha[i];
    return sum / (double)size_of(m->warped);
}

/* The mean over SOFT pixels to each side.  Of ones it is 1 to the bit. */
static void soften(float *plane, float *scratch, int w, int h)
{
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            float sum = 0;
            int n = 0;

            for (int k = x > SOFT ? x - SOFT : 0; k <= x + SOFT && k < w; k++, n++)
                sum += plane[(size_t)y * (size_t)w + (size_t)k];
            scratch[(size_t)y * (size_t)w + (size_t)x] = sum / (float)n;
        }
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            float sum = 0;
            int n = 0;

            for (int k = y > SOFT ? y - SOFT : 0; k <= y + SOFT && k < h; k++, n++)
                sum += scratch[(size_t)k * (size_t)w + (size_t)x];
            plane[(size_t)y * (size_t)w + (size_t)x] = sum / (float)n;
        }
}

/* 1 where nothing moves and the film still is what was painted, but for noise, which has no mean; else 0. */
static void find_still(const nst_motion *m, nst_image *now, nst_image *anchor, float *still, float *drift,
                       float *scratch)
{
    const float *u = nst_flow_plane(m->there, 0), *v = nst_flow_plane(m->there, 1);
    const float *share = nst_image_plane(m->warped, 3); /* 1: known, and of full age */
    size_t n = size_of(now);

    for (size_t i = 0; i < n; i++)
        still[i] = u[i] == 0 && v[i] == 0 && share[i] >= 1;
    for (int c = 0; c < 3; c++) {
        const float *film = nst_image_plane(now, c), *painted_of = nst_image_plane(anchor, c);

        for (size_t i = 0; i < n; i++)
            drift[i] = film[i] - painted_of[i];
        soften(drift, scratch, nst_image_width(now), nst_image_height(now));
        for (size_t i = 0; i < n; i++)
            if (fabsf(drift[i]) > DRIFT)
                still[i] = 0;
    }
}

nst_status nst_motion_hold(const nst_motion *m, nst_image *painted, nst_image *before, nst_image *now,
                           nst_image *anchor, nst_error *e)
{
    int w = nst_image_width(now), h = nst_image_height(now);
    nst_image *mask; /* and room */
    nst_status s = nst_image_create(&mask, w, h, 3, e);
    float *share;

    if (s)
        return s;
    share = nst_image_plane(mask, 0);
    find_still(m, now, anchor, share, nst_image_plane(mask, 1), nst_image_plane(mask, 2));
    soften(share, nst_image_plane(mask, 1), w, h);
    for (int c = 0; c < 3; c++) {
        const float *old = nst_image_plane(before, c), *film = nst_image_plane(now, c);
        float *to = nst_image_plane(painted, c), *kept = nst_image_plane(anchor, c);

        for (size_t i = 0; i < size_of(now); i++) {
            float t = 2 * share[i] - 1;

            if (share[i] >= 1)
                to[i] = old[i];
            else if (t > 0)
                to[i] = t * old[i] + (1 - t) * to[i];
            if (share[i] < 1)
                kept[i] = film[i];
        }
    }
    nst_image_destroy(&mask);
    return NST_OK;
}
