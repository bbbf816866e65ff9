/* losses.c: losses on the device: style targets, what becomes of the sums that stay, the content's distance, and the
 * numbers that the host reads in the end. */
#include "state.h"

/* As in losses.cl */
enum { SQUARES = 0, COVARIANCE, SCALED };

static size_t channels(const nst_cl_device *d, int layer)
{
    return (size_t)nst_cl_style_at(d, layer, 0)->c;
}

/* ---- places in numbers, in floats ---- */

static size_t distance_at(const nst_cl_device *d, int layer) { return d->losses.content_at[layer]; }
static size_t total_at(const nst_cl_device *d, int layer)
{
    return distance_at(d, layer) + NST_CL_PARTS * channels(d, layer);
}

static double sum_of(const float *v, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (double)v[i];
    return sum;
}

/* ---- style ---- */

static void to_pair(double v, float *pair)
{
    pair[0] = (float)v;
    pair[1] = (float)(v - (double)pair[0]);
}

size_t nst_cl_target_bytes(int n)
{
    size_t c = (size_t)n;

    return 2 * (c * c + c) * sizeof(float);
}

nst_status nst_cl_target(nst_device *base, const nst_node *n, int number, const nst_style *t, nst_error *e)
{
    nst_cl_device *d = nst_cl_of(base);
    size_t c = (size_t)n->out, bytes = nst_cl_target_bytes(n->out);
    cl_mem *target = &nst_cl_style_at(d, n->layer, number)->target;
    nst_style_terms terms;
    float *pairs;
    nst_status s = NST_OK;

    if (!*target)
        s = nst_cl_buffer(&d->cl, bytes, "style targets", target, e);
    if (s)
        return s;
    pairs = nst_alloc(bytes);
    if (!pairs)
        return nst_fail(e, NST_EMEM, "style targets: out of memory");
    nst_style_terms_of(t, 1, 1, &terms);
    for (size_t i = 0; i < c * c; i++)
        to_pair(terms.second[i], pairs + 2 * i);
    for (size_t i = 0; i < c; i++)
        to_pair(terms.mean[i], pairs + 2 * (c * c + i));
    s = nst_cl_write(&d->cl, pairs, bytes, nst_cl_floats(*target, 0), e);
    if (!s)
        s = nst_cl_finish(&d->cl, e);
    nst_free(pairs);
    return s;
}

/* Of a loss, in the kernel's numbers. */
static int formula(nst_style_loss_kind kind)
{
    if (kind == NST_STYLE_COVARIANCE)
        return COVARIANCE;
    return kind == NST_STYLE_GRAM_SCALED ? SCALED : SQUARES;
}

nst_status nst_cl_style_loss(nst_device *base, const nst_node *n, const nst_style *t, const nst_stats *stats,
                             double weight, double *loss, nst_error *e)
{
    nst_cl_device *d = nst_cl_of(base);
    nst_cl_style *at = nst_cl_style_at(d, n->layer, stats->map.number);
    size_t c = (size_t)n->out, square = c * c;
    nst_span a = nst_cl_floats(d->losses.ask, at->ask), b = nst_cl_floats(d->losses.ask, at->ask + square);
    nst_span part = nst_cl_floats(d->losses.numbers, at->numbers), gram = nst_cl_floats(d->losses.sums, at->sums);
    nst_span sum = nst_cl_floats(d->losses.sums, at->sums + 2 * square);
    nst_style_terms terms;
    float by[2];
    int kind;
    nst_status s;

    nst_style_terms_of(t, stats->n, weight, &terms);
    kind = formula(terms.kind);
    to_pair(1 / terms.by, by);
    s = nst_cl_run(&d->cl, NST_CL_style, nst_cl_items(d, 1), c, 5 * square * sizeof(float), e, "ssssssliiffff", gram,
                   sum, nst_cl_floats(at->target, 0), a, b, part, kind, (int)c, (double)by[0], (double)by[1],
                   1 / terms.unit, 4 * terms.scale / terms.by * terms.unit);
    if (!s && kind == SCALED)
        s = nst_cl_run(&d->cl, NST_CL_style_scaled, nst_cl_items(d, 1), c, 2 * square * sizeof(float), e, "sslifff", a,
                       part, (int)c, terms.unit, 2 * terms.scale / terms.by, terms.epsilon);
    at->shifted = kind == COVARIANCE;
    at->loss = loss, at->terms = terms;
    return nst_cl_settle(d, s, NST_CL_STATS, n->layer, e);
}

static double style_loss(const nst_style_terms *t, const float *part)
{
    size_t c = (size_t)t->c;
    double square = sum_of(part, c) * t->unit * t->unit, absolute = sum_of(part + c, c) * t->unit + t->epsilon;

    return t->kind == NST_STYLE_GRAM_SCALED ? t->scale * square / absolute : t->scale * square;
}

/* ---- content ---- */

nst_status nst_cl_compare(nst_device *base, const nst_node *n, const nst_rect *core, const nst_saved_features *k,
                          double *square, double *absolute, nst_error *e)
{
    nst_cl_device *d = nst_cl_of(base);
    size_t c = (size_t)n->out, all = (size_t)core->w * (size_t)core->h;
    bool more = d->losses.pending[n->layer].square != NULL;
    nst_span part = nst_cl_floats(d->losses.part, 0);
    nst_status s = nst_cl_run(&d->cl, NST_CL_compare, nst_cl_items(d, NST_CL_PARTS), c, 2 * c * all * sizeof(float), e,
                              "sssliiiiii", nst_cl_span(d, n->result.at), nst_cl_kept_span(k, 0), part, n->w, n->h,
                              core->x, core->y, core->w, (int)all);

    if (!s)
        s = nst_cl_gather(d, part, nst_cl_floats(d->losses.numbers, total_at(d, n->layer)), NST_CL_PARTS, 2 * c,
                          more, e);
    d->losses.pending[n->layer].square = square, d->losses.pending[n->layer].absolute = absolute;
    return nst_cl_settle(d, s, NST_CL_LOSS_GRADIENTS, n->layer, e);
}

nst_status nst_cl_content(nst_cl_device *d, const nst_node *n, const nst_rect *core, const nst_loss_gradient *t,
                          nst_span df, double *distance, nst_error *e)
{
    size_t c = (size_t)n->out, all = (size_t)core->w * (size_t)core->h;

    d->losses.pending[n->layer].distance = distance;
    return nst_cl_run(&d->cl, NST_CL_content, nst_cl_items(d, NST_CL_PARTS), c, 4 * c * all * sizeof(float), e,
                      "ssssslifffiiiiii", nst_cl_span(d, n->result.at), nst_cl_kept_span(t->content, 0), df,
                      nst_cl_floats(d->losses.numbers, distance_at(d, n->layer)),
                      nst_cl_floats(d->losses.numbers, total_at(d, n->layer)),
                      t->content_scaled, 1e-8, t->content_scale, t->content_sign, n->w, n->h, core->x,
                      core->y, core->w, (int)all);
}

/* ---- the numbers ---- */

static nst_status ask(nst_cl_device *d, size_t at, size_t n, nst_error *e)
{
    return nst_cl_read(&d->cl, nst_cl_floats(d->losses.numbers, at), n * sizeof(float), d->losses.told.at + at, false,
                       e);
}

nst_status nst_cl_ask_losses(nst_cl_device *d, nst_error *e)
{
    nst_status s = d->picture.tv_loss ? ask(d, d->losses.variation_at, 3 * NST_CL_GROUPS, e) : NST_OK;

    for (int i = 0; i < nst_cl_styles(d) && !s; i++)
        if (d->losses.style[i].loss)
            s = ask(d, d->losses.style[i].numbers, 2 * (size_t)d->losses.style[i].c, e);
    for (int i = 0; i < d->count && !s; i++) {
        size_t c = channels(d, i);

        if (d->losses.pending[i].distance)
            s = ask(d, distance_at(d, i), NST_CL_PARTS * c, e);
        if (!s && d->losses.pending[i].square)
            s = ask(d, total_at(d, i), 4 * c, e);
    }
    return s;
}

void nst_cl_add_losses(nst_cl_device *d)
{
    if (d->picture.tv_loss)
        *d->picture.tv_loss += sum_of(d->losses.told.at + d->losses.variation_at, 3 * NST_CL_GROUPS);
    for (int i = 0; i < nst_cl_styles(d); i++)
        if (d->losses.style[i].loss)
            *d->losses.style[i].loss =
                style_loss(&d->losses.style[i].terms, d->losses.told.at + d->losses.style[i].numbers);
    for (int i = 0; i < d->count; i++) {
        size_t c = channels(d, i);

        if (d->losses.pending[i].distance)
            *d->losses.pending[i].distance += sum_of(d->losses.told.at + distance_at(d, i), NST_CL_PARTS * c);
        if (d->losses.pending[i].square) {
            *d->losses.pending[i].square += sum_of(d->losses.told.at + total_at(d, i), 2 * c);
            *d->losses.pending[i].absolute += sum_of(d->losses.told.at + total_at(d, i) + 2 * c, 2 * c);
        }
    }
    nst_cl_forget(d);
}
