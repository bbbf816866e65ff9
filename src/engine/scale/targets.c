/* targets.c: what the losses of one scale compare with, from the content and style pictures at its size. */
#include "engine/run.h"
#include "ops/vector.h"

#include <math.h>
#include <string.h>

void nst_targets_free(nst_run *r)
{
    const nst_setup *u = &r->setup;

    for (int i = 0; i < u->n_style; i++)
        nst_style_destroy(&r->targets.style[i]);
    for (int i = 0; i < u->n_content; i++) {
        for (int k = 0; r->targets.content[i] && k < nst_windows_count(u->layout[r->targets.scale].gradient); k++)
            nst_saved_features_destroy(&r->targets.content[i][k]);
        nst_free(r->targets.content[i]);
        r->targets.content[i] = NULL;
    }
    for (int i = 0; i < r->job.n_styles && r->targets.region; i++) {
        nst_region_clear(&r->targets.region[i]);
        for (int row = i * u->n_layers; row < (i + 1) * u->n_layers; row++)
            if (r->eval.stats[row])
                r->eval.stats[row]->map = (nst_map){ .weight = NULL };
    }
    nst_held_free(r);
    nst_image_destroy(&r->targets.picture);
}

/* The tensor of a picture's rows that a strip computes, freed by the caller; NULL when there is no memory. */
static float *encode(const nst_run *r, const nst_image *p, const nst_row_range *strip, nst_error *e)
{
    size_t n = (size_t)p->width * (size_t)(strip->to - strip->from), at = (size_t)p->width * (size_t)strip->from;
    const float *const rgb[3] = { p->plane[0] + at, p->plane[1] + at, p->plane[2] + at };
    float *x = nst_calloc(n, 3 * sizeof *x);

    if (x)
        nst_space_encode(&r->setup.space, rgb, n, x);
    else
        nst_fail(e, NST_EMEM, "%d x %d pixels: out of memory", p->width, p->height);
    return x;
}

/* A style picture at this scale's size, in the content's colours if these are asked for. */
static nst_status style_picture(const nst_run *r, int i, nst_image **out, nst_error *e)
{
    const nst_setup *u = &r->setup;
    nst_image *content = NULL;
    float *place = NULL, *part = NULL;
    nst_status s;
    int w, h, cw = r->w - 2 * u->margin, ch = r->h - 2 * u->margin;

    nst_style_size(u, r->scale, i, &w, &h);
    s = nst_image_resize_seen(out, r->job.styles[i], w, h, e);
    if (!s && u->s.color == NST_COLOR_MATCH_STYLE) {
        s = nst_image_resize_seen(&content, r->job.content, cw, ch, e);
        if (!s)
            s = nst_region_place(u, i, cw, ch, &place, e);
        if (!s)
            s = nst_region_part(u, i, w, h, &part, e);
        if (!s)
            s = nst_image_recolor_weighted(*out, part, content, place, u->s.color_strength, e);
    }
    nst_free(place);
    nst_free(part);
    nst_image_destroy(&content);
    return s;
}

/* Ties rows of statistics of a picture of w x h, rows first.., to a region. */
static void tie(const nst_run *r, nst_stats *const *stats, const nst_region *g, int w, int h, int first)
{
    const nst_setup *u = &r->setup;

    for (int row = 0; row < u->n_style; row++)
        if (stats[row])
            stats[row]->map = nst_region_at(g, u, u->style[row].layer, w, h, first);
}

/* The windows over which a style picture's statistics are summed. */
static nst_tiling style_tiling(const nst_run *r, const nst_row_range *strip)
{
    nst_tiling t;

    nst_plan_tiling(&r->setup, strip, NST_USE_STATS, r->setup.layout[r->scale].arena, &t);
    return t;
}

/* How much each pixel of style picture i, p at this scale's size, counts: its mask times its alpha; NULL: all of it. */
static nst_status part_of(const nst_setup *u, int i, const nst_image *p, float **out, nst_error *e)
{
    size_t n = (size_t)p->width * (size_t)p->height;
    double sum = 0;
    nst_status s = nst_region_part(u, i, p->width, p->height, out, e);

    if (s || !nst_image_see_through(p))
        return s;
    if (!*out)
        *out = nst_alloc(n * sizeof **out);
    if (!*out)
        return nst_fail(e, NST_EMEM, "alpha: out of memory");
    for (size_t k = 0; k < n; k++) {
        (*out)[k] = u->job->styles[i]->part.weight ? (*out)[k] * p->plane[3][k] : p->plane[3][k];
        sum += (double)(*out)[k];
    }
    if (sum > 0)
        return NST_OK;
    nst_free(*out);
    *out = NULL;
    return nst_fail(e, NST_EARG, "style picture %d: is transparent wherever its mask is white, expected a mask that is "
                    "white where something is visible", i + 1);
}

/* This rank's share of the statistics of style picture i at every style layer, added to stats[row] but those that are
 * NULL. */
static nst_status style_stats(nst_run *r, int i, const nst_image *p, nst_stats **stats, nst_error *e)
{
    const nst_setup *u = &r->setup;
    nst_region g = { .area = 0 };
    float *part = NULL;
    int w = p->width + 2 * u->margin, h = p->height + 2 * u->margin;
    nst_row_range strip = nst_rank_own_rows(u, w, h);
    nst_image *framed = nst_image_copy(p);
    nst_status s = framed ? nst_margin_add(&framed, u->margin, e) : nst_fail(e, NST_EMEM, "style: out of memory");
    float *x = s ? NULL : encode(r, framed, &strip, e);
    nst_tiling t;

    nst_image_destroy(&framed);
    if (!x)
        return s ? s : NST_EMEM;
    t = style_tiling(r, &strip);
    s = part_of(u, i, p, &part, e);
    if (!s)
        s = nst_region_make(&g, u, part, w, h, e);
    if (!s) {
        tie(r, stats, &g, w, h, strip.from);
        s = nst_windows_sum(r, x, &strip, t, nst_windows_count(t), stats, e);
    }
    nst_free(part);
    nst_region_clear(&g);
    nst_free(x);
    return s;
}

/* The same from the cache where that has them, and then into it.  With masks nothing is kept for later runs. */
static nst_status known_stats(nst_run *r, int i, const nst_image *p, nst_stats **stats, nst_error *e)
{
    const nst_setup *u = &r->setup;
    nst_row_range strip = nst_rank_own_rows(u, p->width + 2 * u->margin, p->height + 2 * u->margin);
    uint64_t key;
    nst_status s;

    if (!r->job.style_cache || u->has_content_masks || u->has_style_masks)
        return style_stats(r, i, p, stats, e);
    nst_styles_begin(r->job.style_cache, r->job.model, &u->s);
    key = nst_styles_key(p, style_tiling(r, &strip), u->margin, u->n_style);
    if (nst_styles_find(r->job.style_cache, key, u->n_style, stats))
        return NST_OK;
    s = style_stats(r, i, p, stats, e);
    if (!s)
        nst_styles_keep(r->job.style_cache, key, u->n_style, stats);
    return s;
}

/* r->targets.picture moved to the colours of the pictures, each by its share. */
static nst_status recolor(nst_run *r, nst_image *const *pictures, nst_error *e)
{
    const nst_setup *u = &r->setup;
    nst_image *first = NULL, *one = NULL;
    size_t n = (size_t)r->targets.picture->width * (size_t)r->targets.picture->height;
    nst_status s = NST_OK;

    if (u->s.color != NST_COLOR_MATCH || u->s.color_strength <= 0)
        return NST_OK;
    if (u->has_content_masks || u->has_style_masks)
        return nst_regions_recolor(u, r->targets.picture, pictures, e);
    if (r->job.n_styles == 1)
        return nst_image_recolor(r->targets.picture, pictures[0], u->s.color_strength, e);
    first = nst_image_copy(r->targets.picture);
    if (!first)
        return nst_fail(e, NST_EMEM, "recolouring: out of memory");
    for (int c = 0; c < 3; c++)
        memset(r->targets.picture->plane[c], 0, n * sizeof(float));
    for (int i = 0; i < r->job.n_styles && !s; i++) {
        one = nst_image_copy(first);
        if (!one)
            s = nst_fail(e, NST_EMEM, "recolouring: out of memory");
        else
            s = nst_image_recolor(one, pictures[i], u->s.color_strength, e);
        for (int c = 0; c < 3 && !s; c++)
            nst_vec_axpy(&u->cpu, n, (float)u->blend[i], one->plane[c], r->targets.picture->plane[c]);
        nst_image_destroy(&one);
    }
    nst_image_destroy(&first);
    return s;
}

struct target_job {
    nst_run *r;
    nst_stats **stats; /* [row][style] */
    nst_status status[NST_STYLE_ROWS];
};

static void target_rows(void *arg, int worker, int begin, int end)
{
    struct target_job *j = arg;
    nst_run *r = j->r;
    const nst_setup *u = &r->setup;
    const double whole = 1;

    (void)worker;
    for (int row = begin; row < end; row++) {
        /* a region has one style, all of it */
        const nst_stats *const *of = (const nst_stats *const *)j->stats + row * r->job.n_styles;
        int one = u->has_content_masks ? row / u->n_layers : 0;

        j->status[row] = nst_style_create(&r->targets.style[row], u->cpu.k, (nst_style_loss_kind)u->s.style_loss,
                                          (nst_layer_norm)u->s.layer_norm, of + one,
                                          u->has_content_masks ? &whole : u->blend,
                                          u->has_content_masks ? 1 : r->job.n_styles, &r->eval.error[row]);
    }
}

/* stats [style][row] -> r->targets.style[row] */
static nst_status style_targets(nst_run *r, nst_stats **stats, nst_error *e)
{
    const nst_setup *u = &r->setup;
    struct target_job job = { .r = r };
    nst_status s = NST_OK;

    job.stats = nst_calloc((size_t)r->job.n_styles, NST_STYLE_ROWS * sizeof *job.stats);
    if (!job.stats)
        return nst_fail(e, NST_EMEM, "style targets: out of memory");
    for (int row = 0; row < u->n_style; row++)
        for (int i = 0; i < r->job.n_styles; i++)
            job.stats[row * r->job.n_styles + i] = stats[i * NST_STYLE_ROWS + row];
    nst_par_for(u->cpu.threads, u->n_style, target_rows, &job);
    for (int row = 0; row < u->n_style && !s; row++) {
        s = job.status[row];
        if (s)
            nst_fail(e, s, "%s", r->eval.error[row].text);
    }
    nst_free(job.stats);
    return s;
}

static nst_status content_targets(nst_run *r, nst_error *e)
{
    const nst_setup *u = &r->setup;
    float *x = encode(r, r->targets.picture, &r->strip, e);
    double square[NST_MODEL_LAYERS] = { 0 };
    nst_status s = x ? nst_windows_keep(r, x, square, e) : NST_EMEM;

    nst_free(x);
    s = nst_ranks_agree(&r->ranks, s, e);
    if (s)
        return s;
    nst_ranks_sum(&r->ranks, square, NST_MODEL_LAYERS);
    for (int i = 0; i < u->n_content; i++) {
        bool by_target = u->s.layer_norm == NST_NORM_TARGET && square[i] > 0;
        int layer = u->content_layer[i].layer, w, h;
        double n;

        nst_graph_layer_size(u->graph, layer, r->w, r->h, &w, &h);
        n = (double)nst_graph_channels(u->graph, layer) * w * h;
        if (u->s.content_loss == NST_CONTENT_ROOT)
            n = 2 * sqrt(n);
        r->targets.content_scale[i] = u->s.content_weight * u->content_layer[i].weight / (by_target ? square[i] : n);
    }
    return s;
}

/* The same for a device that computes style losses. */
static nst_status hand_over(const nst_run *r, nst_error *e)
{
    const nst_setup *u = &r->setup;
    nst_status s = NST_OK;

    for (int row = 0; row < u->n_style && nst_losses_on_device(r) && !s; row++)
        s = nst_graph_target(u->graph, u->style[row].layer, u->has_content_masks ? row / u->n_layers : 0,
                             r->targets.style[row], e);
    return s;
}

/* The content's regions, for the statistics of the picture. */
static nst_status regions(nst_run *r, nst_error *e)
{
    const nst_setup *u = &r->setup;

    for (int i = 0; i < r->job.n_styles && u->has_content_masks; i++) {
        float *place;
        nst_status s = nst_region_place(u, i, r->w - 2 * u->margin, r->h - 2 * u->margin, &place, e);

        if (!s)
            s = nst_region_make(&r->targets.region[i], u, place, r->w, r->h, e);
        nst_free(place);
        if (s)
            return s;
        for (int row = i * u->n_layers; row < (i + 1) * u->n_layers; row++) {
            r->eval.stats[row]->map = nst_region_at(&r->targets.region[i], u, u->style[row].layer, r->w, r->h,
                                                    r->strip.from);
            r->eval.stats[row]->map.number = i;
        }
    }
    return NST_OK;
}

/* Of r->targets.picture before its margin is added. */
static nst_status keep_alpha(nst_run *r, nst_error *e)
{
    size_t n = (size_t)r->targets.picture->width * (size_t)r->targets.picture->height;

    if (r->targets.picture->channels < 4 || nst_rank_own(&r->setup)) /* rank 0 makes the result */
        return NST_OK;
    if (r->state.alpha) /* from before a device failed */
        return NST_OK;
    r->state.alpha = nst_alloc(n * sizeof *r->state.alpha);
    if (!r->state.alpha)
        return nst_fail(e, NST_EMEM, "alpha: out of memory");
    memcpy(r->state.alpha, r->targets.picture->plane[3], n * sizeof *r->state.alpha);
    return NST_OK;
}

/* The content picture has said all it has to say.  Its owner let us. */
static nst_status discard_content(nst_run *r, nst_error *e)
{
    nst_image *content = (nst_image *)(uintptr_t)r->job.content;
    nst_status s;

    if (!nst_plan_discards_content(&r->setup, r->scale) || !content->plane[0])
        return NST_OK;
    s = nst_run_sum_inputs(r, e);
    if (s)
        return s;
    nst_free(content->plane[0]);
    memset(content->plane, 0, sizeof content->plane);
    return NST_OK;
}

nst_status nst_run_targets(nst_run *r, nst_error *e)
{
    const nst_setup *u = &r->setup;
    nst_image **pictures = nst_calloc((size_t)r->job.n_styles, sizeof *pictures);
    nst_stats **stats = nst_calloc((size_t)r->job.n_styles, NST_STYLE_ROWS * sizeof *stats);
    nst_status s = NST_OK;

    r->targets.scale = r->scale;
    nst_graph_release(u->graph);
    nst_plan_leave_room(u, r->scale);
    r->w = u->plan.width[r->scale] + 2 * u->margin;
    r->h = u->plan.height[r->scale] + 2 * u->margin;
    r->strip = nst_rank_own_rows(u, r->w, r->h);
    if (!pictures || !stats)
        s = nst_fail(e, NST_EMEM, "style targets: out of memory");
    for (int i = 0; i < r->job.n_styles && !s; i++) {
        s = style_picture(r, i, &pictures[i], e);
        for (int row = 0; row < u->n_style && !s; row++)
            if (!u->has_content_masks || row / u->n_layers == i)
                s = nst_stats_create(&stats[i * NST_STYLE_ROWS + row], r->eval.stats[row]->c, e);
        if (!s && u->n_style)
            s = known_stats(r, i, pictures[i], &stats[i * NST_STYLE_ROWS], e);
    }
    if (!s)
        s = nst_image_resize_seen(&r->targets.picture, r->job.content, r->w - 2 * u->margin, r->h - 2 * u->margin, e);
    if (!s)
        s = recolor(r, pictures, e);
    if (!s)
        s = keep_alpha(r, e);
    if (!s)
        s = nst_margin_add(&r->targets.picture, u->margin, e);
    for (int i = 0; i < r->job.n_styles && pictures; i++)
        nst_image_destroy(&pictures[i]);
    s = nst_ranks_agree(&r->ranks, s ? s : discard_content(r, e), e); /* one agreement, whoever failed where */
    if (!s) {
        for (int i = 0; i < r->job.n_styles * NST_STYLE_ROWS; i++)
            if (stats[i])
                nst_ranks_stats(&r->ranks, stats[i]);
        s = style_targets(r, stats, e);
        if (!s)
            s = hand_over(r, e);
        if (!s)
            s = regions(r, e);
        s = nst_ranks_agree(&r->ranks, s, e);
    }
    if (!s)
        s = content_targets(r, e);
    if (!s)
        s = nst_held_create(r, e);
    for (int i = 0; i < r->job.n_styles; i++)
        for (int row = 0; stats && row < NST_STYLE_ROWS; row++)
            nst_stats_destroy(&stats[i * NST_STYLE_ROWS + row]);
    nst_free(pictures);
    nst_free(stats);
    return s;
}
