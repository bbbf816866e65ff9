/* scale_plan.c: how large the picture and the styles are at each scale. */
#include "engine/settings/settings.h"

#include <math.h>

/* conv5_1 stands behind four pools: below 32 pixels it has no inside. */
#define SIDE_MIN 32

static int longest(int w, int h)
{
    return w > h ? w : h;
}

static int shortest(int w, int h)
{
    return w < h ? w : h;
}

static int ruled(const nst_settings *s, int w, int h)
{
    return s->size_rule == NST_SIZE_SHORTEST ? shortest(w, h) : longest(w, h);
}

/* side * ratio, rounded, at least 1, and within an int. */
static int scaled(int side, double ratio)
{
    return (int)nst_clamp_double(floor(side * ratio + .5), 1, 1e9);
}

/* The final width and height. */
static void final_size(const nst_settings *s, int w, int h, int *ow, int *oh)
{
    int side = s->size;
    double ratio;

    if (!s->size_enlarge && side > longest(w, h))
        side = longest(w, h);
    ratio = s->size ? (double)side / ruled(s, w, h) : 1;
    *ow = scaled(w, ratio);
    *oh = scaled(h, ratio);
}

/* The least size, by the settings' rule, whose result has no side below the minimum. */
static int least_size(const nst_settings *s, int w, int h)
{
    return (int)ceil((double)SIDE_MIN * ruled(s, w, h) / shortest(w, h));
}

/* The largest size whose result is not absurd. */
static int largest_size(const nst_settings *s, int w, int h)
{
    double side = (double)NST_MAX_SIDE / longest(w, h), all = sqrt((double)NST_MAX_PIXELS / ((double)w * h));

    return (int)((side < all ? side : all) * (ruled(s, w, h) - .5));
}

nst_status nst_scales_check(const nst_settings *s, const nst_image *content, nst_error *e)
{
    int own_w, own_h, fw, fh, side;

    nst_image_file_size(content, &own_w, &own_h);
    final_size(s, content->width, content->height, &fw, &fh);
    if (shortest(fw, fh) < SIDE_MIN) {
        side = least_size(s, own_w, own_h);
        if (!s->size || (!s->size_enlarge && side > longest(own_w, own_h)))
            return nst_fail(e, NST_EARG, "content picture: %d x %d pixels is too small, expected %d or more a side",
                            own_w, own_h, SIDE_MIN);
        return nst_fail(e, NST_EARG, "content picture: %d x %d pixels become %d x %d, which is too small, expected %d "
                        "or more a side; --size %d would do", own_w, own_h, fw, fh, SIDE_MIN, side);
    }
    if (longest(fw, fh) > NST_MAX_SIDE || (size_t)fw * (size_t)fh > NST_MAX_PIXELS)
        return nst_fail(e, NST_EARG, "content picture: %d x %d pixels become %d x %d, which is too large, expected "
                        "sides up to %d and at most %zu pixels; --size %d would do", own_w, own_h, fw, fh, NST_MAX_SIDE,
                        NST_MAX_PIXELS, largest_size(s, own_w, own_h));
    return NST_OK;
}

nst_status nst_scales_plan(const nst_settings *s, int w, int h, nst_plan *plan, nst_error *e)
{
    int fw, fh, side, n;

    *plan = (nst_plan){ 0 };
    final_size(s, w, h, &fw, &fh);
    side = ruled(s, fw, fh);
    for (n = 0; n < (s->scales ? s->scales : NST_MAX_LAYERS); n++) {
        double ratio = floor(side / pow(s->scale_step, n) + .5) / side;
        int sw = scaled(fw, ratio), sh = scaled(fh, ratio);
        bool small = shortest(sw, sh) < SIDE_MIN;

        if (s->scales && small)
            return nst_fail(e, NST_EARG, "scales: %d are too many for %d x %d pixels, one would be %d x %d",
                            s->scales, fw, fh, sw, sh);
        if (n && !s->scales && (small || ruled(s, sw, sh) < s->min_size))
            break;
        plan->width[n] = sw;
        plan->height[n] = sh;
    }
    plan->scales = n;
    for (int i = 0; i < n / 2; i++) { /* found fine to coarse */
        int tw = plan->width[i], th = plan->height[i];

        plan->width[i] = plan->width[n - 1 - i], plan->width[n - 1 - i] = tw;
        plan->height[i] = plan->height[n - 1 - i], plan->height[n - 1 - i] = th;
    }
    for (int i = 0; i < n; i++)
        plan->iterations[i] = i == 0 && n > 1 && s->first_iterations ? s->first_iterations : s->iterations;
    return NST_OK;
}

void nst_scales_style(const nst_settings *s, const nst_plan *plan, int scale, int w, int h, int *ow, int *oh)
{
    int cw = plan->width[scale], ch = plan->height[scale], last = plan->scales - 1;
    double ratio;

    if (s->style_fit == NST_FIT_WIDTH) {
        ratio = cw * s->style_scale / w;
    } else if (s->size == 0) {
        ratio = (double)longest(cw, ch) / longest(plan->width[last], plan->height[last]) * s->style_scale;
    } else if (s->style_fit == NST_FIT_STRETCH) {
        *ow = longest(scaled(cw, s->style_scale), SIDE_MIN);
        *oh = longest(scaled(ch, s->style_scale), SIDE_MIN);
        return;
    } else {
        ratio = ruled(s, cw, ch) * s->style_scale / ruled(s, w, h);
        if (s->style_fit == NST_FIT_SHRINK && ratio > 1)
            ratio = 1;
    }
    if (shortest(w, h) * ratio < SIDE_MIN)
        ratio = (double)SIDE_MIN / shortest(w, h);
    *ow = scaled(w, ratio);
    *oh = scaled(h, ratio);
}

nst_fit nst_settings_fit(const nst_settings *s, const nst_image *content)
{
    int w, h, side = s->size;
    size_t limit = nst_settings_memory(s, 1);
    nst_fit fit = { .most = limit };

    if (!content) /* the content as it was read, and twice as it is at the last scale, live at one time */
        fit.most = s->size ? limit / 3 * 2 : limit / 3;
    if (!s->size)
        return fit;
    if (content) {
        final_size(s, content->width, content->height, &w, &h);
        fit.shortest = SIDE_MIN;
        if (s->style_fit == NST_FIT_STRETCH)
            side = longest(w, h);
        else
            side = ruled(s, w, h);
        if (s->style_size[0]) /* of its own size: read as it is */
            return (nst_fit){ .most = limit };
        side = (int)fmin(ceil(side * s->style_scale), 1e9);
    }
    if (s->size_rule == NST_SIZE_SHORTEST || (content && s->style_fit == NST_FIT_STRETCH))
        fit.shortest = longest(fit.shortest, side);
    else
        fit.longest = side;
    return fit;
}
