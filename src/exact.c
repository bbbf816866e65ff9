/* exact.c: the losses and their gradient once more in double, slowly, for the first two evaluations of L-BFGS on small
 * pictures.
 *
 * Without a line search the first step is 1 / |g|_1 long: the two gradients around it agree to about 1e-6, and their
 * difference decides how far the second step goes.  In single precision that difference is rounding by some percent,
 * and wrong altogether where rounding decides a maximum of a pool or a ReLU in one of the two. */
#include "run.h"

#include <math.h>
#include <string.h>

/* Multiply-adds of a forward pass up to which it is done: about a second for both evaluations. */
#define WORK_MAX 3e8

/* One convolution with its ReLU, and the pool behind it. */
struct level {
    const nst_layer *l;
    int w, h, pooled_w, pooled_h;
    bool pool;
    double *in, *f, *d;      /* [in][h+2][w+2] padded, [out][h][w] after the ReLU, its gradient */
    double *pooled;          /* [out][pooled_h][pooled_w] */
    int *from;               /* which position of f each maximum came from */
};

struct net {
    nst_run *r;
    int n;                   /* levels up to the last that a loss reads */
    struct level level[NST_MODEL_LAYERS];
    double *dpad;            /* the gradient of a padded input */
    struct level *now;
};

static size_t padded(const struct level *v)
{
    return (size_t)(v->w + 2) * (size_t)(v->h + 2);
}

static size_t plane(const struct level *v)
{
    return (size_t)v->w * (size_t)v->h;
}

/* The levels' sizes; returns the multiply-adds of a forward pass. */
static double lay_out(const nst_run *r, int w, int h, struct net *n)
{
    double work = 0;

    *n = (struct net){ .n = 0 };
    for (int i = 0; i < r->model->layers; i++)
        if (r->net.tap[i])
            n->n = i + 1;
    for (int i = 0; i < n->n; i++) {
        struct level *v = &n->level[i];

        v->l = &r->model->layer[i];
        v->w = w;
        v->h = h;
        v->pool = i + 1 < n->n && r->model->layer[i + 1].index == 1;
        if (v->pool) {
            w = v->pooled_w = (w + r->net.pool_ceil) / 2;
            h = v->pooled_h = (h + r->net.pool_ceil) / 2;
        }
        work += 9. * v->l->in * v->l->out * v->w * v->h;
    }
    return work;
}

bool nst_run_exact_fits(const nst_run *r, int w, int h)
{
    struct net n;

    return r->s->optimizer == NST_LBFGS && r->s->first_step <= 0 && !r->guided && r->margin == 0 && r->net.pooling == NST_POOL_MAX &&
           !r->net.bgr && r->s->content_loss != NST_CONTENT_SCALED && lay_out(r, w, h, &n) <= WORK_MAX;
}

size_t nst_run_exact_bytes(const nst_run *r, int w, int h)
{
    size_t bytes = 0, most = 0;
    struct net n;

    lay_out(r, w, h, &n);
    for (int i = 0; i < n.n; i++) {
        const struct level *v = &n.level[i];
        size_t in = (size_t)v->l->in * padded(v), out = (size_t)v->l->out;

        bytes += sizeof(double) * (in + 2 * out * plane(v));
        bytes += (sizeof(double) + sizeof(int)) * out * (size_t)v->pooled_w * (size_t)v->pooled_h;
        most = in > most ? in : most;
    }
    for (int i = 0; i < r->n_keep; i++)
        bytes += sizeof(double) * (size_t)n.level[r->keep[i].layer].l->out * plane(&n.level[r->keep[i].layer]);
    return bytes + sizeof(double) * (most + 3 * (size_t)w * (size_t)h);
}

static bool allocate(struct net *n)
{
    size_t most = 0;

    for (int i = 0; i < n->n; i++) {
        struct level *v = &n->level[i];
        size_t in = (size_t)v->l->in * padded(v), out = (size_t)v->l->out;

        most = in > most ? in : most;
        if (!(v->in = nst_calloc(in, sizeof *v->in)) || !(v->f = nst_calloc(out * plane(v), sizeof *v->f)) ||
            !(v->d = nst_calloc(out * plane(v), sizeof *v->d)))
            return false;
        if (v->pool) {
            size_t pooled = out * (size_t)v->pooled_w * (size_t)v->pooled_h;

            if (!(v->pooled = nst_calloc(pooled, sizeof *v->pooled)) ||
                !(v->from = nst_calloc(pooled, sizeof *v->from)))
                return false;
        }
    }
    return (n->dpad = nst_calloc(most, sizeof *n->dpad)) != NULL;
}

static void release(struct net *n)
{
    for (int i = 0; i < n->n; i++) {
        nst_free(n->level[i].in);
        nst_free(n->level[i].f);
        nst_free(n->level[i].d);
        nst_free(n->level[i].pooled);
        nst_free(n->level[i].from);
    }
    nst_free(n->dpad);
}

/* ---- forward -------------------------------------------------------------------------------------------- */

/* to [w] += k from [w] */
NST_UNCHECKED static void add_row(double *to, const double *from, int w, double k)
{
    nst_check(to, (size_t)w * sizeof *to);
    nst_check(from, (size_t)w * sizeof *from);
    for (int x = 0; x < w; x++)
        to[x] += k * from[x];
}

static void filters(void *arg, int worker, int begin, int end)
{
    const struct level *v = ((struct net *)arg)->now;

    (void)worker;
    for (int o = begin; o < end; o++) {
        double *f = v->f + (size_t)o * plane(v);
        const float *weight = v->l->weight + (size_t)o * (size_t)v->l->in * 9;

        for (size_t i = 0; i < plane(v); i++)
            f[i] = (double)v->l->bias[o];
        for (int c = 0; c < v->l->in; c++)
            for (int y = 0; y < v->h; y++)
                for (int k = 0; k < 9; k++)
                    add_row(f + (size_t)y * (size_t)v->w,
                            v->in + (size_t)c * padded(v) + (size_t)(y + k / 3) * (size_t)(v->w + 2) + k % 3, v->w,
                            (double)weight[c * 9 + k]);
        for (size_t i = 0; i < plane(v); i++)
            f[i] = f[i] > 0 ? f[i] : 0;
    }
}

/* The first of the largest, row by row; windows at a rounded-up side hold what there is. */
static void pool(const struct level *v)
{
    size_t at = 0;

    for (int c = 0; c < v->l->out; c++) {
        const double *f = v->f + (size_t)c * plane(v);

        for (int y = 0; y < v->pooled_h; y++)
            for (int x = 0; x < v->pooled_w; x++, at++) {
                int best = 2 * y * v->w + 2 * x;

                for (int k = 1; k < 4; k++) {
                    int py = 2 * y + k / 2, px = 2 * x + k % 2;

                    if (py < v->h && px < v->w && f[py * v->w + px] > f[best])
                        best = py * v->w + px;
                }
                v->pooled[at] = f[best];
                v->from[at] = best;
            }
    }
}

/* Planes into the middle of padded ones, the border zeros or the nearest pixel. */
static void pad(const struct level *v, const double *planes, bool replicate)
{
    for (int c = 0; c < v->l->in; c++)
        for (int y = -1; y <= v->h; y++)
            for (int x = -1; x <= v->w; x++) {
                int iy = y < 0 ? 0 : y >= v->h ? v->h - 1 : y, ix = x < 0 ? 0 : x >= v->w ? v->w - 1 : x;
                bool inside = iy == y && ix == x;

                v->in[(size_t)c * padded(v) + (size_t)(y + 1) * (size_t)(v->w + 2) + (size_t)(x + 1)] =
                    inside || replicate ? planes[(size_t)c * plane(v) + (size_t)(iy * v->w + ix)] : 0;
            }
}

static void forward(struct net *n, const float *x)
{
    const nst_graph_options *o = &n->r->net;
    struct level *first = &n->level[0];

    for (size_t i = 0; i < 3 * plane(first); i++) /* dpad is scratch that is large enough */
        n->dpad[i] = (double)o->scale[i / plane(first)] * (double)x[i] + (double)o->shift[i / plane(first)];
    pad(first, n->dpad, o->replicate);
    for (int i = 0; i < n->n; i++) {
        struct level *v = &n->level[i], *before = i ? &n->level[i - 1] : NULL;

        if (before)
            pad(v, before->pool ? before->pooled : before->f, false);
        n->now = v;
        nst_par_for(n->r->cpu.threads, v->l->out, filters, n);
        if (v->pool)
            pool(v);
    }
}

/* ---- losses at the taps ------------------------------------------------------------------------------------ */

static void statistics(const struct level *v, nst_stats *s)
{
    nst_stats_clear(s);
    s->n = (double)plane(v);
    for (int i = 0; i < s->c; i++) {
        const double *f = v->f + (size_t)i * plane(v);

        for (size_t p = 0; p < plane(v); p++)
            s->sum[i] += f[p];
        for (int j = 0; j <= i; j++) {
            const double *g = v->f + (size_t)j * plane(v);
            double sum = 0;

            for (size_t p = 0; p < plane(v); p++)
                sum += f[p] * g[p];
            s->gram[i * s->c + j] = s->gram[j * s->c + i] = sum;
        }
    }
}

static nst_status style(struct net *n, nst_progress *p, nst_error *e)
{
    nst_run *r = n->r;

    for (int i = 0; i < r->n_style; i++)
        statistics(&n->level[r->style[i].layer], r->stats[i]);
    return nst_run_style_losses(r, p, e);
}

/* d += a f + b */
static void style_gradient(const struct level *v, const double *a, const double *b)
{
    int c = v->l->out;

    for (int i = 0; i < c; i++) {
        double *d = v->d + (size_t)i * plane(v);

        for (size_t p = 0; p < plane(v); p++)
            d[p] += b[i];
        for (int j = 0; j < c; j++)
            for (size_t p = 0; p < plane(v); p++)
                d[p] += a[i * c + j] * v->f[(size_t)j * plane(v) + p];
    }
}

/* Weight of the sum of squares between the features and the content's, and its gradient. */
static double content(const struct level *v, const double *want, double unit)
{
    double sum = 0;

    for (size_t i = 0; i < (size_t)v->l->out * plane(v); i++) {
        double d = v->f[i] - want[i];

        sum += d * d;
        v->d[i] += 2 * unit * d;
    }
    return unit * sum;
}

/* ---- backward ------------------------------------------------------------------------------------------------ */

static void channels(void *arg, int worker, int begin, int end)
{
    const struct net *n = arg;
    const struct level *v = n->now;

    (void)worker;
    for (int c = begin; c < end; c++) {
        double *d = n->dpad + (size_t)c * padded(v);

        memset(d, 0, padded(v) * sizeof *d);
        for (int o = 0; o < v->l->out; o++) {
            const float *weight = v->l->weight + ((size_t)o * (size_t)v->l->in + (size_t)c) * 9;

            for (int y = 0; y < v->h; y++)
                for (int k = 0; k < 9; k++)
                    add_row(d + (size_t)(y + k / 3) * (size_t)(v->w + 2) + k % 3,
                            v->d + (size_t)o * plane(v) + (size_t)y * (size_t)v->w, v->w, (double)weight[k]);
        }
    }
}

/* The gradient of level i's input, from dpad to what lies before it: a pool, a level, or x. */
static void hand_back(struct net *n, int i)
{
    const struct level *v = &n->level[i], *before = i ? &n->level[i - 1] : NULL;

    for (int c = 0; c < v->l->in; c++)
        for (int y = -1; y <= v->h; y++)
            for (int x = -1; x <= v->w; x++) {
                int iy = y < 0 ? 0 : y >= v->h ? v->h - 1 : y, ix = x < 0 ? 0 : x >= v->w ? v->w - 1 : x;
                bool inside = iy == y && ix == x;
                double d = n->dpad[(size_t)c * padded(v) + (size_t)(y + 1) * (size_t)(v->w + 2) + (size_t)(x + 1)];
                size_t at = (size_t)c * plane(v) + (size_t)(iy * v->w + ix);

                if (before && !inside)
                    continue;
                if (before)
                    before->d[before->pool ? (size_t)c * plane(before) + (size_t)before->from[at] : at] += d;
                else if (inside || n->r->net.replicate)
                    n->r->exact[at] += d * (double)n->r->net.scale[c];
            }
}

static void backward(struct net *n)
{
    for (int i = n->n - 1; i >= 0; i--) {
        struct level *v = &n->level[i];

        for (size_t k = 0; k < (size_t)v->l->out * plane(v); k++)
            v->d[k] = v->f[k] > 0 ? v->d[k] : 0;
        n->now = v;
        nst_par_for(n->r->cpu.threads, v->l->in, channels, n);
        hand_back(n, i);
    }
}

/* ---- together -------------------------------------------------------------------------------------------------- */

/* The content's features at the layers that are kept: kept[row], each allocated. */
static bool keep(struct net *n, double **kept)
{
    nst_run *r = n->r;
    size_t pixels = (size_t)r->w * (size_t)r->h;
    const float *const rgb[3] = { r->picture->plane[0], r->picture->plane[1], r->picture->plane[2] };
    float *x = nst_calloc(pixels, 3 * sizeof *x);
    bool good = x != NULL;

    if (good) {
        nst_space_encode(&r->space, rgb, pixels, x);
        forward(n, x);
    }
    for (int i = 0; i < r->n_keep && good; i++) {
        const struct level *v = &n->level[r->keep[i].layer];
        size_t count = (size_t)v->l->out * plane(v);

        if ((good = (kept[i] = nst_calloc(count, sizeof **kept)) != NULL))
            memcpy(kept[i], v->f, count * sizeof **kept);
    }
    nst_free(x);
    return good;
}

nst_status nst_run_evaluate_exact(nst_run *r, nst_progress *p, nst_error *e)
{
    size_t n3 = 3 * (size_t)r->w * (size_t)r->h;
    double *kept[NST_MODEL_LAYERS] = { NULL };
    nst_status s = NST_OK;
    struct net n;

    lay_out(r, r->w, r->h, &n);
    n.r = r;
    p->total = p->content = p->tv = 0;
    if (!(r->exact = nst_calloc(n3, sizeof *r->exact)) || !allocate(&n) || !keep(&n, kept)) {
        s = nst_fail(e, NST_EMEM, "%d x %d pixels: out of memory", r->w, r->h);
        goto end;
    }
    forward(&n, r->x);
    if ((s = style(&n, p, e)))
        goto end;
    for (int i = 0; i < r->n_style; i++)
        style_gradient(&n.level[r->style[i].layer], r->a[i], r->b[i]);
    for (int i = 0; i < r->n_keep; i++)
        p->content += content(&n.level[r->keep[i].layer], kept[i], r->unit[i]);
    backward(&n);
    for (size_t i = 0; i < n3; i++)
        r->dx[i] = (float)r->exact[i];
    if (r->s->tv_weight > 0)
        p->tv = nst_tv_loss(&r->cpu, r->s->tv, r->x, r->w, r->h, r->s->tv_weight, r->dx);
    p->total += p->content + p->tv;
    if (!isfinite(p->total))
        s = nst_fail(e, NST_EDIVERGED, "the loss is not a finite number");

end:
    release(&n);
    for (int i = 0; i < r->n_keep; i++)
        nst_free(kept[i]);
    nst_free(r->exact);
    r->exact = NULL;
    return s;
}
