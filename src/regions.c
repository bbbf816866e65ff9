/* regions.c: where in the content each style is painted and what of the style picture counts: masks, as maps of
 * weights at each layer's size. */
#include "run.h"

#include <string.h>

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
    return i == c->first ? c->head : i == c->last ? c->tail : 1;
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
    for (int i = 0; i < NST_REGION_LEVELS; i++)
        nst_free(g->level[i]);
    memset(g, 0, sizeof *g);
}

nst_status nst_region_make(nst_region *g, const nst_run *r, const nst_mask *mask, int w, int h, nst_error *e)
{
    int inner_w = w - 2 * r->margin, inner_h = h - 2 * r->margin, n = 0;

    nst_region_clear(g);
    if (!mask->weight)
        return NST_OK;
    for (int row = 0; row < r->n_layers; row++) {
        int lw, lh;

        nst_graph_layer_size(r->graph, r->style[row].layer, w, h, &lw, &lh);
        if (!n) { /* the picture's own size, margin included */
            if (!(g->level[0] = nst_calloc((size_t)w, (size_t)h * sizeof(float))))
                goto fail;
            resize(mask->weight, mask->w, mask->h,
                   g->level[0] + (size_t)r->margin * (size_t)w + (size_t)r->margin, inner_w, inner_h, (size_t)w);
            nst_margin_fill(g->level[0], w, h, r->margin);
            g->w[0] = w, g->h[0] = h, n = 1;
        }
        while (g->w[n - 1] > lw || g->h[n - 1] > lh) {
            bool up = r->s->pool_ceil;

            if (n == NST_REGION_LEVELS)
                return nst_fail(e, NST_EUNSUPPORTED, "masks: the model pools more often than %d times", n - 1);
            g->w[n] = (g->w[n - 1] + up) / 2, g->h[n] = (g->h[n - 1] + up) / 2;
            if (!(g->level[n] = nst_calloc((size_t)g->w[n], (size_t)g->h[n] * sizeof(float))))
                goto fail;
            halve(g->level[n - 1], g->w[n - 1], g->h[n - 1], g->level[n], g->w[n], g->h[n]);
            n++;
        }
    }
    for (int y = r->margin; y < h - r->margin && n; y++)
        for (int x = r->margin; x < w - r->margin; x++)
            g->area += (double)g->level[0][(size_t)y * (size_t)w + (size_t)x];
    g->area /= (double)inner_w * inner_h;
    return NST_OK;

fail:
    return nst_fail(e, NST_EMEM, "masks: out of memory");
}

nst_map nst_region_at(const nst_region *g, const nst_run *r, int layer, int w, int h)
{
    int lw, lh;

    nst_graph_layer_size(r->graph, layer, w, h, &lw, &lh);
    for (int i = 0; i < NST_REGION_LEVELS && g->level[i]; i++)
        if (g->w[i] == lw && g->h[i] == lh)
            return (nst_map){ g->level[i], (size_t)lw };
    return (nst_map){ NULL, 0 };
}

/* The same proportions, to a pixel of the smaller's rounding. */
static bool alike(const nst_mask *m, const nst_image *p)
{
    double a = (double)m->w * p->height, b = (double)m->h * p->width;
    double most = (double)(p->width > p->height ? p->width : p->height);

    most = m->w > most ? m->w : m->h > most ? m->h : most;
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
    if (!alike(m, p))
        return nst_fail(e, NST_EARG, "%s mask %d: is %d x %d pixels, expected the proportions of the %s picture, %d x %d",
                        name, i + 1, m->w, m->h, whose, p->width, p->height);
    if (black(m))
        return nst_fail(e, NST_EARG, "%s mask %d: is black all over, expected some white, where the style counts", name,
                        i + 1);
    return NST_OK;
}

nst_status nst_regions_check(nst_run *r, nst_error *e)
{
    int masks = 0;
    nst_status s;

    for (int i = 0; i < r->n_styles; i++)
        masks += r->styles[i]->place.weight != NULL;
    for (int i = 0; i < r->n_styles; i++) {
        const nst_image *p = r->styles[i];

        if (masks && !p->place.weight)
            return nst_fail(e, NST_EARG, "style picture %d: has no content mask, and others have, expected one for each", i + 1);
        if (!masks && p->part.weight)
            return nst_fail(e, NST_EARG, "style picture %d: has a style mask, expected a content mask with it", i + 1);
        if ((s = check("content", i, &p->place, r->content, "content", e)) ||
            (s = check("style", i, &p->part, p, "style", e)))
            return s;
    }
    r->guided = masks > 0;
    return NST_OK;
}
