/* setup.c: from settings, model and pictures to a run that can start: checks, layers, plan, graph, memory. */
#include "engine/run.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The smallest picture that says anything about colours and texture. */
#define PICTURE_MIN 16

static nst_status check_pictures(const nst_run *r, nst_error *e)
{
    nst_status s = nst_image_check_there(r->content, "content picture", e);
    int w, h;

    for (int i = 0; i < r->n_styles && !s; i++)
        s = nst_image_check_there(r->styles[i], "style picture", e);
    if (!s && r->init)
        s = nst_image_check_there(r->init, "start picture", e);
    if (s)
        return s;
    nst_image_file_size(r->content, &w, &h);
    if (w < PICTURE_MIN || h < PICTURE_MIN)
        return nst_fail(e, NST_EFORMAT, "content picture: %d x %d pixels is too small, expected %d or more a side", w,
                        h, PICTURE_MIN);
    if (r->n_styles < 1)
        return nst_fail(e, NST_EARG, "no style picture is given, expected one or more");
    for (int i = 0; i < r->n_styles; i++)
        if (r->styles[i]->width < PICTURE_MIN || r->styles[i]->height < PICTURE_MIN)
            return nst_fail(e, NST_EFORMAT, "style picture %d: %d x %d pixels is too small, expected %d or more a side",
                            i + 1, r->styles[i]->width, r->styles[i]->height, PICTURE_MIN);
    if (r->s->init == NST_INIT_IMAGE && !r->init)
        return nst_fail(e, NST_EARG, "init: no start picture is given");
    return NST_OK;
}

/* The styles' shares of the blend, from "WEIGHT,...". */
static nst_status parse_blend(nst_run *r, nst_error *e)
{
    const char *text = r->s->style_blend;
    double sum = 0;
    int n = 0;

    if (!(r->share = nst_calloc((size_t)r->n_styles, sizeof *r->share)))
        return nst_fail(e, NST_EMEM, "settings: out of memory");
    while (*text && n < r->n_styles) {
        char *end;

        errno = 0;
        r->share[n] = nst_plain_number(text, &end);
        if (end == text || errno || !(r->share[n] >= 0 && r->share[n] <= 1e9) || (*end && *end != ',') ||
            (*end && !end[1]))
            return nst_fail(e, NST_EARG, "style blend \"%s\": number %d is not a weight of 0 or more",
                            r->s->style_blend, n + 1);
        sum += r->share[n++];
        text = *end ? end + 1 : end;
    }
    if (!n)
        while (n < r->n_styles)
            sum += r->share[n++] = 1;
    if (n != r->n_styles || *text)
        return nst_fail(e, NST_EARG, "style blend \"%s\": expected %d weight%s, one for each style picture",
                        r->s->style_blend, r->n_styles, r->n_styles > 1 ? "s" : "");
    if (!(sum > 0))
        return nst_fail(e, NST_EARG, "style blend \"%s\": all weights are 0", r->s->style_blend);
    for (int i = 0; i < n; i++)
        r->share[i] /= sum;
    return NST_OK;
}

static nst_status parse_layers(nst_run *r, nst_error *e)
{
    nst_status s;

    if (r->s->style_weight > 0 &&
        (s = nst_layers_parse(r->s->style_layers, r->model, r->style, NST_MODEL_LAYERS, &r->n_layers, e)))
        return s;
    r->n_style = r->n_layers;
    if (r->guided) { /* a row for each region */
        if (r->n_layers * r->n_styles > NST_STYLE_ROWS)
            return nst_fail(e, NST_EARG, "masks: %d regions in %d layers, expected at most %d altogether", r->n_styles,
                            r->n_layers, NST_STYLE_ROWS);
        r->n_style = r->n_layers * r->n_styles;
        for (int i = r->n_layers; i < r->n_style; i++)
            r->style[i] = r->style[i - r->n_layers];
        if (!(r->region = nst_calloc((size_t)r->n_styles, sizeof *r->region)))
            return nst_fail(e, NST_EMEM, "masks: out of memory");
    }
    if (r->s->content_weight > 0 &&
        (s = nst_layers_parse(r->s->content_layers, r->model, r->keep, NST_MODEL_LAYERS, &r->n_keep, e)))
        return s;
    return NST_OK;
}

/* The map from x to what the first convolution takes. */
static void network_input(const nst_run *r, nst_graph_options *o)
{
    static const nst_input imagenet = { false, { .485f, .456f, .406f }, { .229f, .224f, .225f } };
    const nst_input *in = r->s->space == NST_SPACE_MODEL ? &r->model->input : &imagenet;
    bool inside = r->s->space == NST_SPACE_MODEL || r->s->space == NST_SPACE_RGB;

    for (int c = 0; c < 3; c++) {
        o->scale[c] = inside ? 1 / in->std[c] : 1;
        o->shift[c] = inside ? -in->mean[c] / in->std[c] : 0;
    }
    o->bgr = inside && in->bgr;
}

static nst_status create_graph(nst_run *r, nst_error *e)
{
    const nst_settings *s = r->s;
    nst_graph_options o = { .model = r->model, .pool_ceil = s->pool_ceil, .replicate = s->replicate, .pooling = s->pooling,
                            .device = r->on_cpu && !strcmp(s->device, "auto") ? "cpu" : s->device, .cache = s->cache,
                            .conv = s->conv, .cpu = r->cpu };

    for (int i = 0; i < r->n_style; i++)
        o.tap[r->style[i].layer] = true;
    for (int i = 0; i < r->n_keep; i++)
        o.tap[r->keep[i].layer] = true;
    network_input(r, &o);
    o.maps = r->guided ? r->n_styles : r->parts;
    if (r->comm && s->content_loss == NST_CONTENT_SCALED && !strcmp(s->device, "auto"))
        o.device = "cpu";
    r->net = o;
    return nst_run_graph(r, e);
}

static nst_status create_stats(nst_run *r, nst_error *e)
{
    for (int i = 0; i < r->n_style; i++) {
        int c = nst_graph_channels(r->graph, r->style[i].layer);
        nst_status s = nst_stats_create(&r->stats[i], c, e);

        if (s)
            return s;
        r->a[i] = nst_calloc((size_t)c, (size_t)c * sizeof *r->a[i]);
        r->b[i] = nst_calloc((size_t)c, sizeof *r->b[i]);
        r->fa[i] = nst_calloc((size_t)c, (size_t)c * sizeof *r->fa[i]);
        r->fb[i] = nst_calloc((size_t)c, sizeof *r->fb[i]);
        if (!r->a[i] || !r->b[i] || !r->fa[i] || !r->fb[i])
            return nst_fail(e, NST_EMEM, "style loss of %d channels: out of memory", c);
    }
    return NST_OK;
}

/* The settings' margin, rounded up to the graph's grid; none where a picture is too small to lose its edges' remainders. */
static int margin(const nst_run *r)
{
    int grid = nst_graph_grid(r->graph), w, h;

    for (int scale = 0; scale < r->plan.scales; scale++) {
        if (r->plan.width[scale] < 3 * grid || r->plan.height[scale] < 3 * grid)
            return 0;
        for (int i = 0; i < r->n_styles; i++) {
            nst_run_style_size(r, scale, i, &w, &h);
            if (w < 3 * grid || h < 3 * grid)
                return 0;
        }
    }
    return (r->s->margin + grid - 1) / grid * grid;
}

/* A share of the machine's cores, and not more than this process may use. */
static int threads(const nst_run *r)
{
    int cores = nst_par_cores(), share = r->comm && r->comm->beside > 1 ? nst_par_online() / r->comm->beside : cores;

    return share < 1 ? 1 : share < cores ? share : cores;
}

/* Without a word to the other ranks. */
static nst_status open_alone(nst_run *r, nst_error *e)
{
    nst_status s;

    if ((s = nst_settings_check(r->s, e)))
        return s;
    r->asked = r->s;
    r->balanced = *r->s;
    nst_settings_balance(&r->balanced);
    r->s = &r->balanced;
    if ((s = check_pictures(r, e)) || (s = nst_regions_check(r, e)) || (s = parse_layers(r, e)) ||
        (s = parse_blend(r, e)) ||
        (s = nst_scales_check(r->s, r->content, e)) ||
        (s = nst_scales_plan(r->s, r->content->width, r->content->height, &r->plan, e)) ||
        (s = nst_run_style_scales(r, e)))
        return s;
    r->cpu.threads = r->s->threads ? r->s->threads : threads(r);
    if (!(r->cpu.k = nst_kernels_pick(r->s->simd[0] ? r->s->simd : r->simd)))
        return nst_fail(e, NST_EUNSUPPORTED, "kernel set \"%s\": unknown, not compiled in, or not for this machine",
                        r->s->simd);
    nst_space_affine(r->s->space, &r->space);
    for (int c = 0; c < 3; c++) {
        r->low[c] = (0 - r->space.mean[c]) / r->space.std[c];
        r->high[c] = (1 - r->space.mean[c]) / r->space.std[c];
    }
    if ((s = create_graph(r, e)))
        return s;
    if (r->comm && r->s->content_loss == NST_CONTENT_SCALED && !nst_graph_on_cpu(r->graph))
        return nst_fail(e, NST_EUNSUPPORTED, "device %s: does not compute this preset's content loss for several ranks, "
                        "expected cpu", r->s->device);
    return create_stats(r, e);
}

nst_status nst_run_open(nst_run *r, nst_error *e)
{
    nst_status s;

    if (r->comm && r->comm->ranks < 2)
        r->comm = NULL;
    if (!(s = nst_across_agree(r, open_alone(r, e), e))) {
        r->margin = margin(r);
        s = nst_run_budget(r, e);
    }
    if (s)
        nst_run_close(r);
    return s;
}

void nst_run_close(nst_run *r)
{
    nst_run_leave(r);
    for (int i = 0; i < r->n_style; i++) {
        nst_stats_destroy(&r->stats[i]);
        nst_free(r->a[i]);
        nst_free(r->b[i]);
        nst_free(r->fa[i]);
        nst_free(r->fb[i]);
        r->a[i] = r->b[i] = NULL;
        r->fa[i] = r->fb[i] = NULL;
    }
    nst_graph_destroy(&r->graph);
    nst_free(r->region);
    r->region = NULL;
    nst_free(r->share);
    nst_free(r->style_scale);
    nst_free(r->x);
    nst_free(r->sums);
    r->share = r->style_scale = NULL;
    r->x = NULL;
    r->sums = NULL;
}

bool nst_run_carries(const nst_run *r)
{
    return r->s->optimizer == NST_ADAM || r->s->average > 0;
}

static void sum(void *arg, double *v, size_t n)
{
    nst_across_sum(arg, v, n);
}

nst_optim_options nst_run_optim(const nst_run *r)
{
    const nst_settings *s = r->s;
    nst_optim_options o = { .kind = s->optimizer, .learning_rate = s->learning_rate, .beta1 = s->beta1,
                            .beta2 = s->beta2, .average = s->average, .history = r->layout[r->scale].pairs,
                            .low = s->clamp ? r->low : NULL, .high = s->clamp ? r->high : NULL,
                            .plane = (size_t)r->w * (size_t)(r->strip.own_to - r->strip.own) };

    o.first_step = s->first_step * (r->high[1] - r->low[1]);
    if (r->comm)
        o.sum = sum, o.sum_arg = (void *)r;
    if (o.learning_rate <= 0)
        o.learning_rate = s->optimizer == NST_LBFGS ? 1 : .02 * (r->high[1] - r->low[1]);
    return o;
}
