/* evaluate.c: the losses at x and their gradient: statistics, losses, backward, total variation, temporal losses. */
#include "engine/run.h"
#include "loss/tv.h"

#include <math.h>

struct style_job {
    nst_run *r;
    double loss[NST_STYLE_ROWS];
    nst_status status[NST_STYLE_ROWS];
};

/* A region counts by its area, so that style and content weigh against each other everywhere the same, and by its share
 * of the blend, which is 1 when all are equal. */
static double row_weight(const nst_run *r, int row)
{
    const nst_setup *u = &r->setup;
    double each = u->s.layer_norm == NST_NORM_TARGET ? 1. / u->n_layers : 1;
    double weight = u->s.style_weight * u->style[row].weight;

    if (u->has_content_masks)
        each *= r->targets.region[row / u->n_layers].area * u->blend[row / u->n_layers] * r->job.n_styles;
    return weight * each;
}

/* Layers side by side, the deepest first: they have the most channels, and whoever computes the last should not begin
 * it late. */
static void style_rows(void *arg, int worker, int begin, int end)
{
    struct style_job *j = arg;
    nst_run *r = j->r;

    (void)worker;
    for (int item = begin; item < end; item++) {
        int i = r->setup.n_style - 1 - item;

        j->status[i] = nst_style_loss(r->targets.style[i], r->eval.stats[i], row_weight(r, i), &j->loss[i],
                                      r->eval.grad_gram[i], r->eval.grad_mean[i], &r->eval.error[i]);
    }
}

/* From r->eval.stats: every style loss into p and its total, and their gradient. */
static nst_status style_losses(nst_run *r, nst_progress *p, nst_error *e)
{
    const nst_setup *u = &r->setup;
    struct style_job job = { .r = r };
    double at = nst_now();

    nst_par_for(u->cpu.threads, u->n_style, style_rows, &job);
    r->clock.losses = nst_now() - at;
    for (int i = 0; i < u->n_layers; i++)
        p->style[i] = 0;
    for (int i = 0; i < u->n_style; i++) {
        if (job.status[i])
            return nst_fail(e, job.status[i], "%s", r->eval.error[i].text);
        p->style[i % u->n_layers] += job.loss[i];
        p->total += job.loss[i];
    }
    return NST_OK;
}

static void to_float(const double *from, float *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (float)from[i];
}

/* Where the gradient of a row's loss goes; more [n_style]: places for further regions of a loss layer. */
static nst_loss_gradient *place(const nst_run *r, int row, nst_loss_gradient *gradient, nst_loss_gradient *more)
{
    nst_loss_gradient *first = &gradient[r->setup.style[row].layer], *put = first;

    if (row >= r->setup.n_layers) { /* behind the first region's, in front of the others' */
        put = &more[row];
        put->next = first->next;
        first->next = put;
    }
    put->map = r->eval.stats[row]->map;
    return put;
}

static nst_status style_gradients(nst_run *r, nst_progress *p, nst_loss_gradient *gradient, nst_loss_gradient *more,
                                  nst_error *e)
{
    nst_status s = style_losses(r, p, e);

    if (s)
        return s;
    for (int i = 0; i < r->setup.n_style; i++) {
        nst_loss_gradient *put = place(r, i, gradient, more);
        size_t c = (size_t)r->eval.stats[i]->c;

        to_float(r->eval.grad_gram[i], r->eval.gram_float[i], c * c);
        to_float(r->eval.grad_mean[i], r->eval.mean_float[i], c);
        put->a = r->eval.gram_float[i];
        put->b = r->eval.mean_float[i];
    }
    return NST_OK;
}

/* Whether losses are computed where the features are: not those of several ranks, whose sums are all ranks'. */
static bool own_losses(const nst_run *r)
{
    return nst_graph_has_losses(r->setup.graph) && !r->job.comm;
}

/* Style losses, too: not Wasserstein-2, whose inverses are the host's. */
bool nst_losses_on_device(const nst_run *r)
{
    return own_losses(r) && r->setup.s.style_loss != NST_STYLE_W2;
}

/* loss [n_style]: written by the end of the second pass. */
static nst_status styles_apart(nst_run *r, double *loss, nst_loss_gradient *gradient, nst_loss_gradient *more,
                               nst_error *e)
{
    const nst_setup *u = &r->setup;
    nst_status s = NST_OK;

    r->clock.losses = 0;
    for (int i = 0; i < u->n_style && !s; i++) {
        place(r, i, gradient, more)->device_coeffs = true;
        s = nst_graph_style_loss(u->graph, u->style[i].layer, r->targets.style[i], r->eval.stats[i], row_weight(r, i),
                                 &loss[i], e);
    }
    return s;
}

/* L = w Q / S, Q = sum d^2, S = sum |d| + 1e-8: dL/dd = w (2 d / S - Q / S^2 sign d), which a device that has losses
 * works out by itself. */
static nst_status scaled_content(nst_run *r, nst_loss_gradient *gradient, double *square, double *absolute,
                                 nst_error *e)
{
    const nst_setup *u = &r->setup;
    bool on_device = own_losses(r);
    nst_status s = nst_ranks_agree(&r->ranks, nst_windows_compare(r, nst_halo_x(r), square, absolute, e), e);

    if (s)
        return s;
    nst_ranks_sum(&r->ranks, square, NST_MODEL_LAYERS);
    nst_ranks_sum(&r->ranks, absolute, NST_MODEL_LAYERS);
    for (int i = 0; i < u->n_content; i++) {
        double weight = u->s.content_weight * u->content_layer[i].weight, sum = absolute[i] + 1e-8;
        nst_loss_gradient *t = &gradient[u->content_layer[i].layer];

        t->content_scaled = on_device;
        if (on_device) {
            t->content_scale = weight;
            t->content_sign = 0;
        } else {
            t->content_scale = square[i] > 0 ? 2 * weight / sum : 0;
            t->content_sign = -weight * square[i] / (sum * sum);
        }
    }
    return NST_OK;
}

/* Both passes.  square, absolute [n_content]: what a scaled content loss is made of; distance as
 * nst_windows_gradient's. */
static nst_status passes(nst_run *r, nst_progress *p, double *distance, double *square, double *absolute, nst_error *e)
{
    const nst_setup *u = &r->setup;
    nst_loss_gradient gradient[NST_MODEL_LAYERS] = { { 0 } }, more[NST_STYLE_ROWS] = { { 0 } };
    double loss[NST_STYLE_ROWS] = { 0 };
    bool on_device = nst_losses_on_device(r);
    nst_status s;

    for (int i = 0; i < u->n_style; i++)
        r->eval.stats[i]->keep_on_device = on_device;
    s = nst_ranks_agree(&r->ranks, nst_windows_stats(r, nst_halo_x(r), e), e);
    if (s)
        return s;
    for (int i = 0; i < u->n_style; i++)
        nst_ranks_stats(&r->ranks, r->eval.stats[i]);
    s = on_device ? styles_apart(r, loss, gradient, more, e) : style_gradients(r, p, gradient, more, e);
    s = nst_ranks_agree(&r->ranks, s, e);
    if (s)
        return s;
    for (int i = 0; i < u->n_content; i++)
        gradient[u->content_layer[i].layer].content_scale = 2 * r->targets.content_scale[i];
    if (u->s.content_loss == NST_CONTENT_SCALED)
        s = scaled_content(r, gradient, square, absolute, e);
    if (s)
        return s;
    s = nst_ranks_agree(&r->ranks, nst_windows_gradient(r, nst_halo_x(r), nst_halo_dx(r), gradient, distance, e), e);
    if (s || !on_device)
        return s;
    for (int i = 0; i < u->n_style; i++) {
        p->style[i % u->n_layers] = loss[i] + (i < u->n_layers ? 0 : p->style[i % u->n_layers]);
        p->total += loss[i];
    }
    return NST_OK;
}

/* This rank's share. */
static double total_variation(const nst_run *r)
{
    const nst_setup *u = &r->setup;
    const nst_row_range *s = &r->strip;
    nst_tv_part part = { r->w, r->h, s->from, s->to - s->from, s->own, s->own_to };

    return nst_tv_rows(&u->cpu, u->s.tv, &part, nst_halo_x(r), u->s.tv_weight, nst_halo_dx(r));
}

nst_status nst_run_evaluate(nst_run *r, nst_progress *p, nst_error *e)
{
    const nst_setup *u = &r->setup;
    double distance[NST_MODEL_LAYERS] = { 0 }, square[NST_MODEL_LAYERS] = { 0 }, absolute[NST_MODEL_LAYERS] = { 0 };
    bool vary = u->s.tv_weight > 0;
    nst_status s;

    p->total = p->content = p->tv = p->temporal = 0;
    nst_halo_exchange(r);
    nst_graph_variation(u->graph, u->s.tv, u->margin, u->s.tv_weight, vary && own_losses(r) ? &p->tv : NULL);
    s = passes(r, p, distance, square, absolute, e);
    nst_graph_variation(u->graph, 0, 0, 0, NULL);
    if (s)
        return s;
    if (vary && !own_losses(r))
        p->tv = total_variation(r);
    p->temporal = nst_held_losses(r);
    nst_halo_reduce(r);
    nst_ranks_sum(&r->ranks, distance, NST_MODEL_LAYERS);
    nst_ranks_sum(&r->ranks, &p->tv, 1);
    for (int i = 0; i < u->n_content; i++)
        p->content += u->s.content_loss == NST_CONTENT_SCALED
            ? u->s.content_weight * u->content_layer[i].weight * square[i] / (absolute[i] + 1e-8)
            : r->targets.content_scale[i] * distance[u->content_layer[i].layer];
    p->total += p->content + p->tv + p->temporal;
    return isfinite(p->total) ? NST_OK : nst_fail(e, NST_EDIVERGED, "the loss is not a finite number");
}
