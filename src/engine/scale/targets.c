/* targets.c: what the losses of one scale compare with, from the content and style pictures at its size. */
#include "engine/run.h"

#include <math.h>
#include <string.h>

void nst_run_leave(nst_run *r)
{
    for (int i = 0; i < r->n_style; i++)
        nst_style_destroy(&r->target[i]);
    for (int i = 0; i < r->n_keep; i++) {
        for (int k = 0; r->kept[i] && k < nst_windows_count(r->layout[r->targets].gradient); k++)
            nst_kept_destroy(&r->kept[i][k]);
        nst_free(r->kept[i]);
        r->kept[i] = NULL;
    }
    for (int i = 0; i < r->n_styles && r->region; i++) {
        nst_region_clear(&r->region[i]);
        for (int row = i * r->n_layers; row < (i + 1) * r->n_layers; row++)
            if (r->stats[row])
                r->stats[row]->map = (nst_map){ .weight = NULL };
    }
    nst_image_destroy(&r->picture);
    nst_optim_destroy(&r->optim);
    nst_across_close(r);
    nst_free(r->dx);
    nst_free(r->good);
    nst_free(r->alpha);
    r->dx = r->good = r->alpha = NULL;
}

/* The tensor of a picture's rows that a strip computes, freed by the caller; NULL when there is no memory. */
static float *encode(const nst_run *r, const nst_image *p, const nst_strip *strip, nst_error *e)
{
    size_t n = (size_t)p->width * (size_t)(strip->to - strip->from), at = (size_t)p->width * (size_t)strip->from;
    const float *const rgb[3] = { p->plane[0] + at, p->plane[1] + at, p->plane[2] + at };
    float *x = nst_calloc(n, 3 * sizeof *x);

    if (x)
        nst_space_encode(&r->space, rgb, n, x);
    else
        nst_fail(e, NST_EMEM, "%d x %d pixels: out of memory", p->width, p->height);
    return x;
}

/* A style picture at this scale's size, in the content's colours if these are asked for. */
static nst_status style_picture(const nst_run *r, int i, nst_image **out, nst_error *e)
{
    nst_image *content = NULL;
    float *place = NULL, *part = NULL;
    nst_status s;
    int w, h, cw = r->w - 2 * r->margin, ch = r->h - 2 * r->margin;

    nst_run_style_size(r, r->scale, i, &w, &h);
    s = nst_image_resize_seen(out, r->styles[i], w, h, e);
    if (!s && r->s->color == NST_COLOR_MATCH_STYLE && !(s = nst_image_resize_seen(&content, r->content, cw, ch, e)) &&
        !(s = nst_region_place(r, i, cw, ch, &place, e)) && !(s = nst_region_part(r, i, w, h, &part, e)))
        s = nst_image_recolor_weighted(*out, part, content, place, r->s->color_strength, e);
    nst_free(place);
    nst_free(part);
    nst_image_destroy(&content);
    return s;
}

/* Ties rows of statistics of a picture of w x h, rows first.., to a region. */
static void tie(const nst_run *r, nst_stats *const *stats, const nst_region *g, int w, int h, int first)
{
    for (int row = 0; row < r->n_style; row++)
        if (stats[row])
            stats[row]->map = nst_region_at(g, r, r->style[row].layer, w, h, first);
}

/* How much each pixel of style picture i, p at this scale's size, counts: its mask times its alpha; NULL: all of it. */
static nst_status part_of(const nst_run *r, int i, const nst_image *p, float **out, nst_error *e)
{
    size_t n = (size_t)p->width * (size_t)p->height;
    double sum = 0;
    nst_status s = nst_region_part(r, i, p->width, p->height, out, e);

    if (s || !nst_image_see_through(p))
        return s;
    if (!*out && !(*out = nst_alloc(n * sizeof **out)))
        return nst_fail(e, NST_EMEM, "alpha: out of memory");
    for (size_t k = 0; k < n; k++) {
        (*out)[k] = r->styles[i]->part.weight ? (*out)[k] * p->plane[3][k] : p->plane[3][k];
        sum += (double)(*out)[k];
    }
    if (sum > 0)
        return NST_OK;
    nst_free(*out);
    *out = NULL;
    return nst_fail(e, NST_EARG, "style picture %d: is transparent wherever its mask is white, expected a mask that is "
                    "white where something is visible", i + 1);
}

/* This rank's share of the statistics of style picture i at every style layer, added to stats[row] but those that are NULL. */
static nst_status style_stats(nst_run *r, int i, const nst_image *p, nst_stats **stats, nst_error *e)
{
    nst_region g = { .area = 0 };
    float *part = NULL;
    int w = p->width + 2 * r->margin, h = p->height + 2 * r->margin;
    nst_strip strip = nst_strip_own(r, w, h);
    nst_image *framed = nst_image_copy(p);
    nst_status s = framed ? nst_margin_add(&framed, r->margin, e) : nst_fail(e, NST_EMEM, "style: out of memory");
    float *x = s ? NULL : encode(r, framed, &strip, e);
    nst_tiling t;

    nst_image_destroy(&framed);
    if (!x)
        return s ? s : NST_EMEM;
    nst_budget_tiling(r, &strip, NST_USE_STATS, r->layout[r->scale].arena, &t);
    if (!(s = part_of(r, i, p, &part, e)) && !(s = nst_region_make(&g, r, part, w, h, e))) {
        tie(r, stats, &g, w, h, strip.from);
        s = nst_windows_sum(r, x, &strip, t, nst_windows_count(t), stats, e);
    }
    nst_free(part);
    nst_region_clear(&g);
    nst_free(x);
    return s;
}

/* r->picture moved to the colours of the pictures, each by its share. */
static nst_status recolor(nst_run *r, nst_image *const *pictures, nst_error *e)
{
    nst_image *first = NULL, *one = NULL;
    size_t n = (size_t)r->picture->width * (size_t)r->picture->height;
    nst_status s = NST_OK;

    if (r->s->color != NST_COLOR_MATCH || r->s->color_strength <= 0)
        return NST_OK;
    if (r->guided || r->parts)
        return nst_regions_recolor(r, pictures, e);
    if (r->n_styles == 1)
        return nst_image_recolor(r->picture, pictures[0], r->s->color_strength, e);
    if (!(first = nst_image_copy(r->picture)))
        return nst_fail(e, NST_EMEM, "recolouring: out of memory");
    for (int c = 0; c < 3; c++)
        memset(r->picture->plane[c], 0, n * sizeof(float));
    for (int i = 0; i < r->n_styles && !s; i++) {
        if (!(one = nst_image_copy(first)))
            s = nst_fail(e, NST_EMEM, "recolouring: out of memory");
        else if (!(s = nst_image_recolor(one, pictures[i], r->s->color_strength, e)))
            for (int c = 0; c < 3; c++)
                nst_vec_axpy(&r->cpu, n, (float)r->share[i], one->plane[c], r->picture->plane[c]);
        nst_image_destroy(&one);
    }
    nst_image_destroy(&first);
    return s;
}

struct target_job {
    nst_run *r;
    nst_stats **stats; /* [row][style] */
    nst_status status[NST_STYLE_ROWS];
    nst_error error[NST_STYLE_ROWS];
};

static void target_rows(void *arg, int worker, int begin, int end)
{
    struct target_job *j = arg;
    nst_run *r = j->r;
    const double whole = 1;

    (void)worker;
    for (int row = begin; row < end; row++) {
        /* a region has one style, all of it */
        const nst_stats *const *of = (const nst_stats *const *)j->stats + row * r->n_styles;
        int one = r->guided ? row / r->n_layers : 0;

        j->status[row] = nst_style_create(&r->target[row], r->cpu.k, (nst_style_loss_kind)r->s->style_loss,
                                          (nst_layer_norm)r->s->layer_norm, of + one, r->guided ? &whole : r->share,
                                          r->guided ? 1 : r->n_styles, &j->error[row]);
    }
}

/* stats [style][row] -> r->target[row] */
static nst_status style_targets(nst_run *r, nst_stats **stats, nst_error *e)
{
    struct target_job job = { .r = r };
    nst_status s = NST_OK;

    if (!(job.stats = nst_calloc((size_t)r->n_styles, NST_STYLE_ROWS * sizeof *job.stats)))
        return nst_fail(e, NST_EMEM, "style targets: out of memory");
    for (int row = 0; row < r->n_style; row++)
        for (int i = 0; i < r->n_styles; i++)
            job.stats[row * r->n_styles + i] = stats[i * NST_STYLE_ROWS + row];
    nst_par_for(r->cpu.threads, r->n_style, target_rows, &job);
    for (int row = 0; row < r->n_style && !s; row++)
        if ((s = job.status[row]))
            nst_fail(e, s, "%s", job.error[row].text);
    nst_free(job.stats);
    return s;
}

static nst_status content_targets(nst_run *r, nst_error *e)
{
    float *x = encode(r, r->picture, &r->strip, e);
    double square[NST_MODEL_LAYERS] = { 0 };
    nst_status s = x ? nst_windows_keep(r, x, square, e) : NST_EMEM;

    nst_free(x);
    if ((s = nst_across_agree(r, s, e)))
        return s;
    nst_across_sum(r, square, NST_MODEL_LAYERS);
    for (int i = 0; i < r->n_keep; i++) {
        bool by_target = r->s->layer_norm == NST_NORM_TARGET && square[i] > 0;
        int layer = r->keep[i].layer, w, h;
        double n;

        nst_graph_layer_size(r->graph, layer, r->w, r->h, &w, &h);
        n = (double)nst_graph_channels(r->graph, layer) * w * h;
        if (r->s->content_loss == NST_CONTENT_ROOT)
            n = 2 * sqrt(n);
        r->unit[i] = r->s->content_weight * r->keep[i].weight / (by_target ? square[i] : n);
    }
    return s;
}

/* The same for a device that computes style losses. */
static nst_status hand_over(const nst_run *r, nst_error *e)
{
    nst_status s = NST_OK;

    for (int row = 0; row < r->n_style && nst_run_apart(r) && !s; row++)
        s = nst_graph_target(r->graph, r->style[row].layer, r->guided ? row / r->n_layers : 0, r->target[row], e);
    return s;
}

/* The content's regions, for the statistics of the picture. */
static nst_status regions(nst_run *r, nst_error *e)
{
    for (int i = 0; i < r->n_styles && r->guided; i++) {
        float *place;
        nst_status s = nst_region_place(r, i, r->w - 2 * r->margin, r->h - 2 * r->margin, &place, e);

        if (!s)
            s = nst_region_make(&r->region[i], r, place, r->w, r->h, e);
        nst_free(place);
        if (s)
            return s;
        for (int row = i * r->n_layers; row < (i + 1) * r->n_layers; row++) {
            r->stats[row]->map = nst_region_at(&r->region[i], r, r->style[row].layer, r->w, r->h, r->strip.from);
            r->stats[row]->map.number = i;
        }
    }
    return NST_OK;
}

/* Of r->picture before its margin is added. */
static nst_status keep_alpha(nst_run *r, nst_error *e)
{
    size_t n = (size_t)r->picture->width * (size_t)r->picture->height;

    if (r->picture->channels < 4 || nst_across_rank(r)) /* rank 0 makes the result */
        return NST_OK;
    if (!(r->alpha = nst_alloc(n * sizeof *r->alpha)))
        return nst_fail(e, NST_EMEM, "alpha: out of memory");
    memcpy(r->alpha, r->picture->plane[3], n * sizeof *r->alpha);
    return NST_OK;
}

bool nst_run_spends(const nst_run *r, int scale)
{
    bool spends = r->content->spend && scale == r->plan.scales - 1 && !strcmp(r->net.device, "cpu") &&
                  r->s->color != NST_COLOR_CONTENT && r->init != r->content;

    for (int i = 0; i < r->n_styles; i++)
        spends = spends && r->styles[i] != r->content;
    return spends;
}

/* The content picture has said all it has to say.  Its owner let us. */
static nst_status spend(nst_run *r, nst_error *e)
{
    nst_image *content = (nst_image *)(uintptr_t)r->content;
    nst_status s;

    if (!nst_run_spends(r, r->scale) || !content->plane[0])
        return NST_OK;
    if ((s = nst_run_sum_inputs(r, e)))
        return s;
    nst_free(content->plane[0]);
    memset(content->plane, 0, sizeof content->plane);
    return NST_OK;
}

nst_status nst_run_targets(nst_run *r, nst_error *e)
{
    nst_image **pictures = nst_calloc((size_t)r->n_styles, sizeof *pictures);
    nst_stats **stats = nst_calloc((size_t)r->n_styles, NST_STYLE_ROWS * sizeof *stats);
    bool masked = r->guided || r->parts; /* their statistics are not kept for later runs */
    nst_status s = NST_OK;

    r->targets = r->scale;
    nst_graph_release(r->graph);
    nst_budget_leave_room(r, r->scale);
    r->w = r->plan.width[r->scale] + 2 * r->margin;
    r->h = r->plan.height[r->scale] + 2 * r->margin;
    r->strip = nst_strip_own(r, r->w, r->h);
    if (!pictures || !stats)
        s = nst_fail(e, NST_EMEM, "style targets: out of memory");
    for (int i = 0; i < r->n_styles && !s; i++) {
        s = style_picture(r, i, &pictures[i], e);
        for (int row = 0; row < r->n_style && !s; row++)
            if (!r->guided || row / r->n_layers == i)
                s = nst_stats_create(&stats[i * NST_STYLE_ROWS + row], r->stats[row]->c, e);
        if (!s && r->n_style && (masked || !nst_styles_find(r, pictures[i], &stats[i * NST_STYLE_ROWS])) &&
            !(s = style_stats(r, i, pictures[i], &stats[i * NST_STYLE_ROWS], e)) && !masked)
            nst_styles_keep(r, pictures[i], &stats[i * NST_STYLE_ROWS]);
    }
    if (!s && !(s = nst_image_resize_seen(&r->picture, r->content, r->w - 2 * r->margin, r->h - 2 * r->margin, e)) &&
        !(s = recolor(r, pictures, e)) && !(s = keep_alpha(r, e)))
        s = nst_margin_add(&r->picture, r->margin, e);
    for (int i = 0; i < r->n_styles && pictures; i++)
        nst_image_destroy(&pictures[i]);
    s = s ? s : nst_across_agree(r, spend(r, e), e);
    if (!(s = nst_across_agree(r, s, e))) {
        for (int i = 0; i < r->n_styles * NST_STYLE_ROWS; i++)
            if (stats[i])
                nst_across_stats(r, stats[i]);
        if (!(s = style_targets(r, stats, e)) && !(s = hand_over(r, e)))
            s = regions(r, e);
        s = nst_across_agree(r, s, e);
    }
    if (!s)
        s = content_targets(r, e);
    for (int i = 0; i < r->n_styles; i++)
        for (int row = 0; stats && row < NST_STYLE_ROWS; row++)
            nst_stats_destroy(&stats[i * NST_STYLE_ROWS + row]);
    nst_free(pictures);
    nst_free(stats);
    return s;
}
