/* evaluate.c: the losses at x and their gradient: statistics, losses, backward, total variation. */
#include "engine/run.h"

#include <math.h>

struct style_job {
    nst_run *r;
    double loss[NST_STYLE_ROWS];
    nst_status status[NST_STYLE_ROWS];
    nst_error error[NST_STYLE_ROWS];
};

/* A region counts by its area, so that style and content weigh against each other everywhere the same, and by its share
 * of the blend, which is 1 when all are equal. */
static double row_weight(const nst_run *r, int row)
{
    double each = r->s->layer_norm == NST_NORM_TARGET ? 1. / r->n_layers : 1;
    double weight = r->s->style_weight * r->style[row].weight;

    if (r->guided)
        each *= r->region[row / r->n_layers].area * r->share[row / r->n_layers] * r->n_styles;
    return weight * each;
}

/* Layers side by side, the deepest first: they have the most channels, and whoever computes the last should not begin it late. */
static void style_rows(void *arg, int worker, int begin, int end)
{
    struct style_job *j = arg;
    nst_run *r = j->r;

    (void)worker;
    for (int item = begin; item < end; item++) {
        int i = r->n_style - 1 - item;

        j->status[i] = nst_style_loss(r->target[i], r->stats[i], row_weight(r, i), &j->loss[i], r->a[i], r->b[i],
                                      &j->error[i]);
    }
}

nst_status nst_run_style_losses(nst_run *r, nst_progress *p, nst_error *e)
{
    struct style_job job = { .r = r };
    double at = nst_now();

    nst_par_for(r->cpu.threads, r->n_style, style_rows, &job);
    r->clock.losses = nst_now() - at;
    for (int i = 0; i < r->n_layers; i++)
        p->style[i] = 0;
    for (int i = 0; i < r->n_style; i++) {
        if (job.status[i])
            return nst_fail(e, job.status[i], "%s", job.error[i].text);
        p->style[i % r->n_layers] += job.loss[i];
        p->total += job.loss[i];
    }
    return NST_OK;
}

static void to_float(const double *from, float *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (float)from[i];
}

/* Where the gradient of a row's loss goes; more [n_style]: places for further regions of a tap. */
static nst_tap_gradient *place(const nst_run *r, int row, nst_tap_gradient *tap, nst_tap_gradient *more)
{
    nst_tap_gradient *first = &tap[r->style[row].layer], *put = first;

    if (row >= r->n_layers) { /* behind the first region's, in front of the others' */
        put = &more[row];
        put->next = first->next;
        first->next = put;
    }
    put->map = r->stats[row]->map;
    return put;
}

static nst_status style_gradients(nst_run *r, nst_progress *p, nst_tap_gradient *tap, nst_tap_gradient *more,
                                  nst_error *e)
{
    nst_status s = nst_run_style_losses(r, p, e);

    if (s)
        return s;
    for (int i = 0; i < r->n_style; i++) {
        nst_tap_gradient *put = place(r, i, tap, more);
        size_t c = (size_t)r->stats[i]->c;

        to_float(r->a[i], r->fa[i], c * c);
        to_float(r->b[i], r->fb[i], c);
        put->a = r->fa[i];
        put->b = r->fb[i];
    }
    return NST_OK;
}

/* Whether losses are computed where the features are: not those of several ranks, whose sums are all ranks'. */
static bool own_losses(const nst_run *r)
{
    return nst_graph_has_losses(r->graph) && !r->comm;
}

/* Style losses, too: not Wasserstein-2, whose inverses are the host's. */
bool nst_run_apart(const nst_run *r)
{
    return own_losses(r) && r->s->style_loss != NST_STYLE_W2;
}

/* loss [n_style]: written by the end of the second pass. */
static nst_status styles_apart(nst_run *r, double *loss, nst_tap_gradient *tap, nst_tap_gradient *more, nst_error *e)
{
    nst_status s = NST_OK;

    r->clock.losses = 0;
    for (int i = 0; i < r->n_style && !s; i++) {
        place(r, i, tap, more)->own = true;
        s = nst_graph_style_loss(r->graph, r->style[i].layer, r->target[i], r->stats[i], row_weight(r, i), &loss[i], e);
    }
    return s;
}

/* L = w Q / S, Q = sum d^2, S = sum |d| + 1e-8: dL/dd = w (2 d / S - Q / S^2 sign d), which a device that has losses
 * works out by itself. */
static nst_status scaled_content(nst_run *r, nst_tap_gradient *tap, double *square, double *absolute, nst_error *e)
{
    bool apart = own_losses(r);
    nst_status s = nst_across_agree(r, nst_windows_compare(r, square, absolute, e), e);

    if (s)
        return s;
    nst_across_sum(r, square, NST_MODEL_LAYERS);
    nst_across_sum(r, absolute, NST_MODEL_LAYERS);
    for (int i = 0; i < r->n_keep; i++) {
        double weight = r->s->content_weight * r->keep[i].weight, sum = absolute[i] + 1e-8;
        nst_tap_gradient *t = &tap[r->keep[i].layer];

        t->content_scaled = apart;
        t->content_scale = apart ? weight : square[i] > 0 ? 2 * weight / sum : 0;
        t->content_sign = apart ? 0 : -weight * square[i] / (sum * sum);
    }
    return NST_OK;
}

/* Both passes.  square, absolute [n_keep]: what a scaled content loss is made of; distance as nst_windows_gradient's. */
static nst_status passes(nst_run *r, nst_progress *p, double *distance, double *square, double *absolute, nst_error *e)
{
    nst_tap_gradient tap[NST_MODEL_LAYERS] = { { 0 } }, more[NST_STYLE_ROWS] = { { 0 } };
    double loss[NST_STYLE_ROWS] = { 0 };
    bool apart = nst_run_apart(r);
    nst_status s;

    for (int i = 0; i < r->n_style; i++)
        r->stats[i]->stay = apart;
    if ((s = nst_across_agree(r, nst_windows_stats(r, e), e)))
        return s;
    for (int i = 0; i < r->n_style; i++)
        nst_across_stats(r, r->stats[i]);
    if ((s = nst_across_agree(r, apart ? styles_apart(r, loss, tap, more, e) : style_gradients(r, p, tap, more, e), e)))
        return s;
    for (int i = 0; i < r->n_keep; i++)
        tap[r->keep[i].layer].content_scale = 2 * r->unit[i];
    if (r->s->content_loss == NST_CONTENT_SCALED && (s = scaled_content(r, tap, square, absolute, e)))
        return s;
    if ((s = nst_across_agree(r, nst_windows_gradient(r, tap, distance, e), e)) || !apart)
        return s;
    for (int i = 0; i < r->n_style; i++) {
        p->style[i % r->n_layers] = loss[i] + (i < r->n_layers ? 0 : p->style[i % r->n_layers]);
        p->total += loss[i];
    }
    return NST_OK;
}

/* This rank's share. */
static double total_variation(const nst_run *r)
{
    const nst_strip *s = &r->strip;
    nst_tv_part part = { r->w, r->h, s->from, s->to - s->from, s->own, s->own_to };

    return nst_tv_rows(&r->cpu, r->s->tv, &part, nst_across_x(r), r->s->tv_weight, nst_across_dx(r));
}

nst_status nst_run_evaluate(nst_run *r, nst_progress *p, nst_error *e)
{
    double distance[NST_MODEL_LAYERS] = { 0 }, square[NST_MODEL_LAYERS] = { 0 }, absolute[NST_MODEL_LAYERS] = { 0 };
    bool vary = r->s->tv_weight > 0;
    nst_status s;

    p->total = p->content = p->tv = 0;
    nst_across_spread(r);
    nst_graph_variation(r->graph, r->s->tv, r->margin, r->s->tv_weight, vary && own_losses(r) ? &p->tv : NULL);
    s = passes(r, p, distance, square, absolute, e);
    nst_graph_variation(r->graph, 0, 0, 0, NULL);
    if (s)
        return s;
    if (vary && !own_losses(r))
        p->tv = total_variation(r);
    nst_across_collect(r);
    nst_across_sum(r, distance, NST_MODEL_LAYERS);
    nst_across_sum(r, &p->tv, 1);
    for (int i = 0; i < r->n_keep; i++)
        p->content += r->s->content_loss == NST_CONTENT_SCALED
            ? r->s->content_weight * r->keep[i].weight * square[i] / (absolute[i] + 1e-8)
            : r->unit[i] * distance[r->keep[i].layer];
    p->total += p->content + p->tv;
    return isfinite(p->total) ? NST_OK : nst_fail(e, NST_EDIVERGED, "the loss is not a finite number");
}
