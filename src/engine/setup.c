/* setup.c: from settings, model and pictures to a run that can start: checks, layers, plan, graph, memory. */
#include "engine/run.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The smallest picture that says anything about colours and texture. */
#define PICTURE_MIN 16

static nst_status check_pictures(const nst_setup *u, nst_error *e)
{
    const nst_job *j = u->job;
    nst_status s = nst_image_check_there(j->content, "content picture", e);
    int w, h;

    for (int i = 0; i < j->n_styles && !s; i++)
        s = nst_image_check_there(j->styles[i], "style picture", e);
    if (!s && j->init)
        s = nst_image_check_there(j->init, "start picture", e);
    if (s)
        return s;
    nst_image_file_size(j->content, &w, &h);
    if (w < PICTURE_MIN || h < PICTURE_MIN)
        return nst_fail(e, NST_EFORMAT, "content picture: %d x %d pixels is too small, expected %d or more a side", w,
                        h, PICTURE_MIN);
    if (nst_image_invisible(j->content))
        return nst_fail(e, NST_EARG, "content picture: is transparent all over, expected something visible");
    if (u->job->n_styles < 1)
        return nst_fail(e, NST_EARG, "no style picture is given, expected one or more");
    for (int i = 0; i < u->job->n_styles; i++)
        if (u->job->styles[i]->width < PICTURE_MIN || u->job->styles[i]->height < PICTURE_MIN)
            return nst_fail(e, NST_EFORMAT, "style picture %d: %d x %d pixels is too small, expected %d or more a side",
                            i + 1, u->job->styles[i]->width, u->job->styles[i]->height, PICTURE_MIN);
    if (u->s.init == NST_INIT_IMAGE && !u->job->init)
        return nst_fail(e, NST_EARG, "init: no start picture is given");
    return NST_OK;
}

/* The largest standard deviation of the channels of what counts of a style picture. */
static double spread(const nst_image *p, const float *part)
{
    size_t n = (size_t)p->width * (size_t)p->height;
    double most = 0;

    for (int c = 0; c < 3; c++) {
        double all = 0, sum = 0, squares = 0;

        for (size_t i = 0; i < n; i++) {
            double v = (double)p->plane[c][i], weight = part ? (double)part[i] : 1;

            if (p->channels == 4)
                weight *= (double)p->plane[3][i];
            if (weight <= 0)
                continue;
            all += weight, sum += weight * v, squares += weight * v * v;
        }
        if (all > 0)
            most = fmax(most, squares / all - sum / all * (sum / all));
    }
    return sqrt(most);
}

/* The noise in the start is to become what the styles' brushwork varies by.  Where they vary by less, as a single
 * colour does, nothing takes it away again: its standard deviation, .289 of its share, stays within theirs. */
static nst_status limit_noise(nst_setup *u, nst_error *e)
{
    double most = 0;

    if (u->s.init_noise <= 0)
        return NST_OK;
    for (int i = 0; i < u->job->n_styles; i++) {
        const nst_image *p = u->job->styles[i];
        float *part;
        nst_status s = nst_region_part(u, i, p->width, p->height, &part, e);

        if (s)
            return s;
        most = fmax(most, spread(p, part));
        nst_free(part);
    }
    u->s.init_noise = fmin(u->s.init_noise, most * sqrt(12));
    return NST_OK;
}

/* The styles' shares of the blend, from "WEIGHT,...". */
static nst_status parse_blend(nst_setup *u, nst_error *e)
{
    const char *text = u->s.style_blend;
    double sum = 0;
    int n = 0;

    u->blend = nst_calloc((size_t)u->job->n_styles, sizeof *u->blend);
    if (!u->blend)
        return nst_fail(e, NST_EMEM, "settings: out of memory");
    while (*text && n < u->job->n_styles) {
        char *end;

        errno = 0;
        u->blend[n] = nst_plain_number(text, &end);
        if (end == text || errno || !(u->blend[n] >= 0 && u->blend[n] <= 1e9) || (*end && *end != ',') ||
            (*end && !end[1]))
            return nst_fail(e, NST_EARG, "style blend \"%s\": number %d is not a weight of 0 or more",
                            u->s.style_blend, n + 1);
        sum += u->blend[n++];
        text = *end ? end + 1 : end;
    }
    if (!n)
        while (n < u->job->n_styles)
            sum += u->blend[n++] = 1;
    if (n != u->job->n_styles || *text)
        return nst_fail(e, NST_EARG, "style blend \"%s\": expected %d weight%s, one for each style picture",
                        u->s.style_blend, u->job->n_styles, u->job->n_styles > 1 ? "s" : "");
    if (!(sum > 0))
        return nst_fail(e, NST_EARG, "style blend \"%s\": all weights are 0", u->s.style_blend);
    for (int i = 0; i < n; i++)
        u->blend[i] /= sum;
    return NST_OK;
}

/* A student shows less of a distance than its teacher, so its style losses count more. */
static void weigh_student(nst_setup *u)
{
    for (int i = 0; i < u->n_layers; i++) {
        double weight = (double)u->job->model->layer[u->style[i].layer].w2_weight;

        if (weight > 0)
            u->style[i].weight *= weight;
    }
}

static nst_status parse_layers(nst_setup *u, nst_error *e)
{
    nst_status s = NST_OK;

    if (u->s.style_weight > 0)
        s = nst_layers_parse(u->s.style_layers, u->job->model, u->style, NST_MODEL_LAYERS, &u->n_layers, e);
    if (s)
        return s;
    if (u->s.style_loss == NST_STYLE_W2)
        weigh_student(u);
    u->n_style = u->n_layers;
    if (u->has_content_masks) { /* a row for each region */
        if (u->n_layers * u->job->n_styles > NST_STYLE_ROWS)
            return nst_fail(e, NST_EARG, "masks: %d regions in %d layers, expected at most %d altogether",
                            u->job->n_styles, u->n_layers, NST_STYLE_ROWS);
        u->n_style = u->n_layers * u->job->n_styles;
        for (int i = u->n_layers; i < u->n_style; i++)
            u->style[i] = u->style[i - u->n_layers];
    }
    if (u->s.content_weight > 0)
        s = nst_layers_parse(u->s.content_layers, u->job->model, u->content_layer, NST_MODEL_LAYERS, &u->n_content, e);
    return s;
}

/* The map from x to what the first convolution takes. */
static void network_input(const nst_setup *u, nst_graph_options *o)
{
    static const nst_input imagenet = { false, { .485f, .456f, .406f }, { .229f, .224f, .225f } };
    const nst_input *in = u->s.space == NST_SPACE_MODEL ? &u->job->model->input : &imagenet;
    bool inside = u->s.space == NST_SPACE_MODEL || u->s.space == NST_SPACE_RGB;

    for (int c = 0; c < 3; c++) {
        o->scale[c] = inside ? 1 / in->std[c] : 1;
        o->shift[c] = inside ? -in->mean[c] / in->std[c] : 0;
    }
    o->bgr = inside && in->bgr;
}

static nst_status create_graph(nst_run *r, nst_error *e)
{
    nst_setup *u = &r->setup;
    const nst_settings *s = &u->s;
    nst_graph_options o = { .model = r->job.model, .pool_ceil = s->pool_ceil, .replicate = s->replicate,
                            .pooling = s->pooling, .device = s->device, .cache = s->cache, .conv = s->conv,
                            .cpu = u->cpu };

    if (r->job.on_cpu && !strcmp(s->device, "auto"))
        o.device = "cpu";
    for (int i = 0; i < u->n_style; i++)
        o.loss_layer[u->style[i].layer] = true;
    for (int i = 0; i < u->n_content; i++)
        o.loss_layer[u->content_layer[i].layer] = true;
    network_input(u, &o);
    o.maps = u->has_content_masks ? r->job.n_styles : u->has_style_masks;
    if (r->job.comm && s->content_loss == NST_CONTENT_SCALED && !strcmp(s->device, "auto"))
        o.device = "cpu";
    u->net = o;
    return nst_run_graph(r, e);
}

static nst_status create_eval(nst_run *r, nst_error *e)
{
    const nst_setup *u = &r->setup;
    size_t regions = (size_t)r->job.n_styles;

    if (u->has_content_masks) {
        r->targets.region = nst_calloc(regions, sizeof *r->targets.region);
        if (!r->targets.region)
            return nst_fail(e, NST_EMEM, "masks: out of memory");
    }
    r->eval.error = nst_calloc((size_t)u->n_style + 1, sizeof *r->eval.error);
    if (!r->eval.error)
        return nst_fail(e, NST_EMEM, "style losses: out of memory");
    for (int i = 0; i < u->n_style; i++) {
        int c = nst_graph_channels(u->graph, u->style[i].layer);
        nst_status s = nst_stats_create(&r->eval.stats[i], c, e);

        if (s)
            return s;
        r->eval.grad_gram[i] = nst_calloc((size_t)c, (size_t)c * sizeof *r->eval.grad_gram[i]);
        r->eval.grad_mean[i] = nst_calloc((size_t)c, sizeof *r->eval.grad_mean[i]);
        r->eval.gram_float[i] = nst_calloc((size_t)c, (size_t)c * sizeof *r->eval.gram_float[i]);
        r->eval.mean_float[i] = nst_calloc((size_t)c, sizeof *r->eval.mean_float[i]);
        if (!r->eval.grad_gram[i] || !r->eval.grad_mean[i] || !r->eval.gram_float[i] || !r->eval.mean_float[i])
            return nst_fail(e, NST_EMEM, "style loss of %d channels: out of memory", c);
    }
    return NST_OK;
}

/* The settings' margin, rounded up to the graph's grid; none where a picture is too small to lose its edges'
 * remainders. */
static int margin(const nst_setup *u)
{
    int grid = nst_graph_grid(u->graph), w, h;

    for (int scale = 0; scale < u->plan.scales; scale++) {
        if (u->plan.width[scale] < 3 * grid || u->plan.height[scale] < 3 * grid)
            return 0;
        for (int i = 0; i < u->job->n_styles; i++) {
            nst_style_size(u, scale, i, &w, &h);
            if (w < 3 * grid || h < 3 * grid)
                return 0;
        }
    }
    return (u->s.margin + grid - 1) / grid * grid;
}

/* A share of the machine's cores, and not more than this process may use. */
static int threads(const nst_setup *u)
{
    const nst_comm *comm = u->job->comm;
    int cores = nst_par_cores();
    int share = comm && comm->ranks_per_node > 1 ? nst_par_online() / comm->ranks_per_node : cores;

    return nst_clamp_int(share, 1, cores);
}

/* Without a word to the other ranks. */
static nst_status open_alone(nst_run *r, nst_error *e)
{
    nst_setup *u = &r->setup;
    nst_status s = nst_settings_check(r->job.settings, e);

    if (s)
        return s;
    u->s = *r->job.settings;
    nst_settings_balance(&u->s);
    s = check_pictures(u, e);
    if (!s)
        s = nst_regions_check(u, e);
    if (!s)
        s = limit_noise(u, e);
    if (!s)
        s = nst_held_check(u, e);
    if (!s)
        s = parse_layers(u, e);
    if (!s)
        s = parse_blend(u, e);
    if (!s)
        s = nst_scales_check(&u->s, r->job.content, e);
    if (!s)
        s = nst_scales_plan(&u->s, r->job.content->width, r->job.content->height, &u->plan, e);
    if (!s)
        s = nst_style_scales(u, e);
    if (s)
        return s;
    u->cpu.threads = u->s.threads ? u->s.threads : threads(u);
    u->cpu.k = nst_kernels_pick(u->s.simd[0] ? u->s.simd : r->job.simd);
    if (!u->cpu.k)
        return nst_fail(e, NST_EUNSUPPORTED, "kernel set \"%s\": unknown, not compiled in, or not for this machine",
                        u->s.simd);
    nst_space_affine(u->s.space, &u->space);
    for (int c = 0; c < 3; c++) {
        u->low[c] = (0 - u->space.mean[c]) / u->space.std[c];
        u->high[c] = (1 - u->space.mean[c]) / u->space.std[c];
    }
    s = create_graph(r, e);
    if (s)
        return s;
    if (r->job.comm && u->s.content_loss == NST_CONTENT_SCALED && !nst_graph_on_cpu(u->graph))
        return nst_fail(e, NST_EUNSUPPORTED,
                        "device %s: does not compute this preset's content loss for several ranks, "
                        "expected cpu", u->s.device);
    return create_eval(r, e);
}

nst_status nst_run_open(nst_run *r, nst_error *e)
{
    nst_setup *u = &r->setup;
    nst_status s;

    if (r->job.comm && r->job.comm->ranks < 2)
        r->job.comm = NULL;
    u->job = &r->job;
    r->ranks.comm = r->job.comm;
    s = nst_ranks_agree(&r->ranks, open_alone(r, e), e);
    if (!s) {
        u->margin = margin(u);
        s = nst_plan_memory(u, &r->ranks, e);
    }
    if (s)
        nst_run_close(r);
    return s;
}

void nst_state_free(nst_state *s)
{
    nst_optim_destroy(&s->optim);
    nst_halo_close(&s->halo);
    nst_free(s->x);
    nst_free(s->dx);
    nst_free(s->last_finite);
    nst_free(s->alpha);
    *s = (nst_state){ .x = NULL };
}

void nst_run_close(nst_run *r)
{
    nst_setup *u = &r->setup;

    nst_targets_free(r);
    nst_state_free(&r->state);
    for (int i = 0; i < u->n_style; i++) {
        nst_stats_destroy(&r->eval.stats[i]);
        nst_free(r->eval.grad_gram[i]);
        nst_free(r->eval.grad_mean[i]);
        nst_free(r->eval.gram_float[i]);
        nst_free(r->eval.mean_float[i]);
        r->eval.grad_gram[i] = r->eval.grad_mean[i] = NULL;
        r->eval.gram_float[i] = r->eval.mean_float[i] = NULL;
    }
    nst_free(r->eval.error);
    r->eval.error = NULL;
    nst_graph_destroy(&u->graph);
    nst_free(r->targets.region);
    r->targets.region = NULL;
    nst_free(u->blend);
    nst_free(u->style_scale);
    nst_free(r->sums);
    u->blend = u->style_scale = NULL;
    r->sums = NULL;
}

static void sum(void *arg, double *v, size_t n)
{
    nst_ranks_sum(arg, v, n);
}

nst_optim_options nst_run_optim(const nst_run *r)
{
    nst_optim_options o = nst_plan_optim(&r->setup, r->setup.layout[r->scale].pairs);

    o.plane = (size_t)r->w * (size_t)(r->strip.own_to - r->strip.own);
    if (r->job.comm)
        o.sum = sum, o.sum_arg = (void *)(uintptr_t)&r->ranks;
    return o;
}
