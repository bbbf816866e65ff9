/* regions.c: where in the content each style is painted and what of the style picture counts: masks, as maps of
 * weights at each layer's size. */
#include "engine/scale/scale.h"

#include <math.h>
#include <string.h>

#define GRID 64 /* of a look at what masks leave */

/* What a pixel of the result covers of one side of a mask: cells first..last, with parts of the outer ones. */
struct cover {
    int first, last;
    double head, tail; /* shares of the first and the last cell; one cell has head only */
};

static struct cover cover(int i, int from, int to)
{
    double begin = (double)i * from / to, end = (double)(i + 1) * from / to;
    struct cover c = { (int)begin, (int)end, 1, 0 };

    if (c.last >= from || c.last == end)
        c.last--;
    c.head = c.first == c.last ? end - begin : c.first + 1 - begin;
    c.tail = end - c.last;
    return c;
}

static double share(const struct cover *c, int i)
{
    if (i == c->first)
        return c->head;
    return i == c->last ? c->tail : 1;
}

/* A mask at another size: each pixel is the mean of what it covers, so weights stay in [0,1]. */
static void resize(const float *in, int w, int h, float *out, int ow, int oh, size_t ld)
{
    for (int y = 0; y < oh; y++) {
        struct cover cy = cover(y, h, oh);

        for (int x = 0; x < ow; x++) {
            struct cover cx = cover(x, w, ow);
            double sum = 0, all = 0;

            for (int j = cy.first; j <= cy.last; j++)
                for (int i = cx.first; i <= cx.last; i++) {
                    double part = share(&cy, j) * share(&cx, i);

                    sum += part * (double)in[(size_t)j * (size_t)w + (size_t)i];
                    all += part;
                }
            out[(size_t)y * ld + (size_t)x] = all > 0 ? (float)(sum / all) : 0;
        }
    }
}

/* Halved as the network halves its features: means of 2x2, of what is there at an odd end that is kept. */
static void halve(const float *in, int w, int h, float *out, int ow, int oh)
{
    for (int y = 0; y < oh; y++)
        for (int x = 0; x < ow; x++) {
            float sum = 0;
            int n = 0;

            for (int j = 2 * y; j < 2 * y + 2 && j < h; j++)
                for (int i = 2 * x; i < 2 * x + 2 && i < w; i++, n++)
                    sum += in[(size_t)j * (size_t)w + (size_t)i];
            out[(size_t)y * (size_t)ow + (size_t)x] = sum / (float)n;
        }
}

void nst_region_clear(nst_region *g)
{
    for (int i = 0; i < NST_REGION_LEVELS; i++) {
        nst_saved_features_destroy(&g->device_copy[i]);
        nst_free(g->level[i]);
    }
    memset(g, 0, sizeof *g);
}

/* A mask at w x h, for the caller to free; NULL when there is no memory. */
static float *sized(const nst_mask *mask, int w, int h)
{
    float *out = nst_alloc((size_t)w * (size_t)h * sizeof *out);

    if (out)
        resize(mask->weight, mask->w, mask->h, out, w, h, (size_t)w);
    return out;
}

nst_status nst_region_part(const nst_setup *u, int i, int w, int h, float **out, nst_error *e)
{
    const nst_mask *mask = &u->job->styles[i]->part;

    *out = NULL;
    if (!mask->weight)
        return NST_OK;
    *out = sized(mask, w, h);
    return *out ? NST_OK : nst_fail(e, NST_EMEM, "masks: out of memory");
}

nst_status nst_region_place(const nst_setup *u, int i, int w, int h, float **out, nst_error *e)
{
    size_t n = (size_t)w * (size_t)h;
    float *rest, *one;

    *out = NULL;
    if (!u->has_content_masks)
        return NST_OK;
    if (u->job->styles[i]->place.weight) {
        *out = sized(&u->job->styles[i]->place, w, h);
        return *out ? NST_OK : nst_fail(e, NST_EMEM, "masks: out of memory");
    }
    rest = nst_alloc(n * sizeof *rest); /* what the others leave */
    if (!rest)
        return nst_fail(e, NST_EMEM, "masks: out of memory");
    for (size_t k = 0; k < n; k++)
        rest[k] = 1;
    for (int j = 0; j < u->job->n_styles; j++) {
        if (j == i)
            continue;
        one = sized(&u->job->styles[j]->place, w, h);
        if (!one) {
            nst_free(rest);
            return nst_fail(e, NST_EMEM, "masks: out of memory");
        }
        for (size_t k = 0; k < n; k++)
            rest[k] = fmaxf(rest[k] - one[k], 0);
        nst_free(one);
    }
    *out = rest;
    return NST_OK;
}

/* The picture's own size: the weights, continued into the margin. */
static nst_status first_level(nst_region *g, const nst_setup *u, const float *weight, int w, int h)
{
    int inner_w = w - 2 * u->margin, inner_h = h - 2 * u->margin;
    size_t at = (size_t)u->margin * (size_t)w + (size_t)u->margin;

    g->level[0] = nst_calloc((size_t)w, (size_t)h * sizeof(float));
    if (!g->level[0])
        return NST_EMEM;
    for (int y = 0; y < inner_h; y++)
        for (int x = 0; x < inner_w; x++) {
            float v = weight[(size_t)y * (size_t)inner_w + (size_t)x];

            g->level[0][at + (size_t)y * (size_t)w + (size_t)x] = v;
            g->area += (double)v;
        }
    g->area /= (double)inner_w * inner_h;
    nst_margin_fill(g->level[0], w, h, u->margin);
    g->w[0] = w, g->h[0] = h;
    return NST_OK;
}

static nst_status send(nst_region *g, const nst_setup *u, nst_error *e)
{
    nst_status s = NST_OK;

    for (int i = 0; i < NST_REGION_LEVELS && g->level[i] && !s; i++)
        s = nst_graph_map(u->graph, g->level[i], (size_t)g->w[i] * (size_t)g->h[i], &g->device_copy[i], e);
    return s;
}

nst_status nst_region_make(nst_region *g, const nst_setup *u, const float *weight, int w, int h, nst_error *e)
{
    int n = 1;

    nst_region_clear(g);
    if (!weight)
        return NST_OK;
    if (first_level(g, u, weight, w, h))
        return nst_fail(e, NST_EMEM, "masks: out of memory");
    for (int row = 0; row < u->n_layers; row++) {
        int lw, lh, up = u->s.pool_ceil;

        nst_graph_layer_size(u->graph, u->style[row].layer, w, h, &lw, &lh);
        while (g->w[n - 1] > lw || g->h[n - 1] > lh) {
            if (n == NST_REGION_LEVELS)
                return nst_fail(e, NST_EUNSUPPORTED, "masks: the model pools more often than %d times", n - 1);
            g->w[n] = (g->w[n - 1] + up) / 2, g->h[n] = (g->h[n - 1] + up) / 2;
            g->level[n] = nst_calloc((size_t)g->w[n], (size_t)g->h[n] * sizeof(float));
            if (!g->level[n])
                return nst_fail(e, NST_EMEM, "masks: out of memory");
            halve(g->level[n - 1], g->w[n - 1], g->h[n - 1], g->level[n], g->w[n], g->h[n]);
            n++;
        }
    }
    return send(g, u, e);
}

nst_map nst_region_at(const nst_region *g, const nst_setup *u, int layer, int w, int h, int first)
{
    int lw, lh;

    nst_graph_layer_size(u->graph, layer, w, h, &lw, &lh);
    for (int i = 0; i < NST_REGION_LEVELS && g->level[i]; i++)
        if (g->w[i] == lw && g->h[i] == lh) {
            size_t at = (size_t)(first >> i) * (size_t)lw;

            return (nst_map){ .weight = g->level[i] + at, .ld = (size_t)lw, .device_copy = g->device_copy[i],
                              .first = at };
        }
    return (nst_map){ .weight = NULL };
}

/* The same proportions, to a pixel of the smaller's rounding. */
static bool alike(const nst_mask *m, const nst_image *p)
{
    double a = (double)m->w * p->height, b = (double)m->h * p->width;
    double most = fmax(fmax(p->width, p->height), fmax(m->w, m->h));

    return a - b <= most && b - a <= most;
}

static bool black(const nst_mask *m)
{
    for (size_t i = 0; i < (size_t)m->w * (size_t)m->h; i++)
        if (m->weight[i] > 0)
            return false;
    return true;
}

static nst_status check(const char *name, int i, const nst_mask *m, const nst_image *p, const char *whose, nst_error *e)
{
    if (!m->weight)
        return NST_OK;
    if (!alike(m, p)) {
        int w, h;

        nst_image_file_size(p, &w, &h);
        return nst_fail(e, NST_EARG,
                        "%s mask %d: is %d x %d pixels, expected the proportions of the %s picture, %d x %d", name,
                        i + 1, m->file_w, m->file_h, whose, w, h);
    }
    if (black(m))
        return nst_fail(e, NST_EARG, "%s mask %d: is black all over, expected some white, where the style counts", name,
                        i + 1);
    return NST_OK;
}

/* The style without a mask has what the others leave, of which there must be some. */
static nst_status check_rest(const nst_setup *u, int i, nst_error *e)
{
    float *rest, most = 0;
    nst_status s = nst_region_place(u, i, GRID, GRID, &rest, e);

    if (s)
        return s;
    for (int k = 0; k < GRID * GRID; k++)
        most = fmaxf(most, rest[k]);
    nst_free(rest);
    if (most < 1e-3f)
        return nst_fail(e, NST_EARG, "style picture %d: has no content mask, and the others' masks leave nothing of "
                        "the content to it", i + 1);
    return NST_OK;
}

nst_status nst_regions_check(nst_setup *u, nst_error *e)
{
    int masks = 0, rest = -1;
    nst_status s;

    for (int i = 0; i < u->job->n_styles; i++) {
        const nst_image *p = u->job->styles[i];

        if (p->place.weight)
            masks++;
        else
            rest = i;
        u->has_style_masks |= p->part.weight || nst_image_see_through(p);
        if (nst_image_invisible(p))
            return nst_fail(e, NST_EARG, "style picture %d: is transparent all over, expected something visible",
                            i + 1);
        s = check("content", i, &p->place, u->job->content, "content", e);
        if (!s)
            s = check("style", i, &p->part, p, "style", e);
        if (s)
            return s;
    }
    if (masks && masks < u->job->n_styles - 1)
        return nst_fail(e, NST_EARG, "content masks: %d for %d styles, expected one for each, or for each but one, "
                        "which gets the rest", masks, u->job->n_styles);
    u->has_content_masks = masks > 0;
    return u->has_content_masks && rest >= 0 ? check_rest(u, rest, e) : NST_OK;
}

/* ---- colours ---------------------------------------------------------------------------------------------------- */

/* How much each pixel takes of style i's colours: where it is painted, or its share. */
static nst_status colours(const nst_setup *u, int i, int w, int h, float **out, nst_error *e)
{
    nst_status s = nst_region_place(u, i, w, h, out, e);
    size_t n = (size_t)w * (size_t)h;

    if (s || *out)
        return s;
    *out = nst_alloc(n * sizeof **out);
    if (!*out)
        return nst_fail(e, NST_EMEM, "recolouring: out of memory");
    for (size_t k = 0; k < n; k++)
        (*out)[k] = (float)u->blend[i];
    return NST_OK;
}

/* to += one where weight says so, of which total is no less than one altogether. */
static void mix(const float *weight, const float *total, const nst_image *one, nst_image *to)
{
    size_t n = (size_t)to->width * (size_t)to->height;

    for (int c = 0; c < 3; c++)
        for (size_t k = 0; k < n; k++)
            to->plane[c][k] += weight[k] / fmaxf(total[k], 1) * one->plane[c][k];
}

/* first in the colours of a style's part, as its place says. */
static nst_status recolor_one(const nst_setup *u, int i, const nst_image *first, const nst_image *style,
                              const float *place, nst_image **out, nst_error *e)
{
    float *part = NULL;
    nst_status s;

    *out = nst_image_copy(first);
    if (!*out)
        return nst_fail(e, NST_EMEM, "recolouring: out of memory");
    s = nst_region_part(u, i, style->width, style->height, &part, e);
    if (!s)
        s = nst_image_recolor_weighted(*out, place, style, part, u->s.color_strength, e);
    nst_free(part);
    if (s)
        nst_image_destroy(out);
    return s;
}

nst_status nst_regions_recolor(const nst_setup *u, nst_image *picture, nst_image *const *pictures, nst_error *e)
{
    nst_image *first = nst_image_copy(picture), *one = NULL;
    size_t n = (size_t)picture->width * (size_t)picture->height;
    float *total = nst_calloc(n, sizeof *total), *place;
    nst_status s = first && total ? NST_OK : nst_fail(e, NST_EMEM, "recolouring: out of memory");

    for (int i = 0; i < u->job->n_styles && !s; i++) {
        s = colours(u, i, picture->width, picture->height, &place, e);
        if (!s) {
            for (size_t k = 0; k < n; k++)
                total[k] += place[k];
            nst_free(place);
        }
    }
    for (int c = 0; c < 3 && !s; c++) /* what is in no region keeps its colours */
        for (size_t k = 0; k < n; k++)
            picture->plane[c][k] *= fmaxf(1 - total[k], 0);
    for (int i = 0; i < u->job->n_styles && !s; i++) {
        s = colours(u, i, picture->width, picture->height, &place, e);
        if (!s)
            s = recolor_one(u, i, first, pictures[i], place, &one, e);
        if (!s)
            mix(place, total, one, picture);
        nst_image_destroy(&one);
        nst_free(place);
    }
    nst_image_destroy(&first);
    nst_free(total);
    return s;
}
