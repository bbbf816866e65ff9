/* style_sizes.c: how large each style picture is, from "300,0.5x". */
#include "engine/plan/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SCALE_MIN .01
#define SCALE_MAX 100

void nst_style_size(const nst_setup *u, int scale, int i, int *w, int *h)
{
    nst_settings s = *&u->s;

    s.style_scale = u->style_scale[i];
    nst_scales_style(&s, &u->plan, scale, u->job->styles[i]->width, u->job->styles[i]->height, w, h);
}

/* The scale at which style i has this longest side at the last scale. */
static double of_pixels(const nst_setup *u, int i, double pixels)
{
    nst_settings s = *&u->s;
    int w, h;

    s.style_scale = 1;
    if (s.style_fit == NST_FIT_SHRINK) /* the linear rule; shrinking alone is asked for again when it is used */
        s.style_fit = NST_FIT_SIDE;
    nst_scales_style(&s, &u->plan, u->plan.scales - 1, u->job->styles[i]->width, u->job->styles[i]->height, &w, &h);
    return pixels / (w > h ? w : h);
}

nst_status nst_style_scales(nst_setup *u, nst_error *e)
{
    const char *text = u->s.style_size;
    int n = 0;

    u->style_scale = nst_calloc((size_t)u->job->n_styles, sizeof *u->style_scale);
    if (!u->style_scale)
        return nst_fail(e, NST_EMEM, "settings: out of memory");
    for (int i = 0; i < u->job->n_styles; i++)
        u->style_scale[i] = u->s.style_scale;
    while (*text && n < u->job->n_styles) {
        char *end;
        double v, scale;

        errno = 0;
        v = nst_plain_number(text, &end);
        scale = *end == 'x' ? v * u->s.style_scale : of_pixels(u, n, v);
        if (end == text || errno || (*end != 'x' && v < 32) || !(scale >= SCALE_MIN && scale <= SCALE_MAX))
            return nst_fail(e, NST_EARG,
                            "style size \"%s\": number %d is neither 32 or more pixels nor a factor as 0.5x",
                            u->s.style_size, n + 1);
        end += *end == 'x';
        if ((*end && *end != ',') || (*end && !end[1]))
            return nst_fail(e, NST_EARG, "style size \"%s\": expected sizes with commas between", u->s.style_size);
        u->style_scale[n++] = scale;
        text = *end ? end + 1 : end;
    }
    if (*text || (n && n != u->job->n_styles))
        return nst_fail(e, NST_EARG, "style size \"%s\": expected %d size%s, one for each style picture",
                        u->s.style_size, u->job->n_styles, u->job->n_styles > 1 ? "s" : "");
    return NST_OK;
}
