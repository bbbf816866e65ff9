/* held.c: the pictures that a run is held to (nst_temporal): the painted frames before, at a scale's size. */
#include "engine/run.h"
#include "loss/temporal.h"

/* Of one target at this scale, margin included; what lies in the margin does not count. */
struct nst_held {
    float *target; /* [3][h][w], in x's units */
    float *share;  /* [h][w] */
    nst_hold hold;
};

nst_status nst_held_check(const nst_setup *u, nst_error *e)
{
    const nst_job *j = u->job;

    if (j->n_temporal < 0 || j->n_temporal > NST_MAX_TEMPORAL)
        return nst_fail(e, NST_EARG, "temporal targets: %d are given, expected 0 to %d", j->n_temporal,
                        NST_MAX_TEMPORAL);
    if (j->n_temporal && !j->temporal)
        return nst_fail(e, NST_EARG, "temporal targets: %d are announced, none are given", j->n_temporal);
    for (int i = 0; i < j->n_temporal; i++) {
        const nst_temporal *t = &j->temporal[i];

        if (!t->picture)
            return nst_fail(e, NST_EARG, "temporal target %d: has no picture", i + 1);
        if (!(t->weight >= 0 && t->weight <= 1e30))
            return nst_fail(e, NST_EARG, "temporal target %d: weight %g is out of range, expected 0 to 1e30", i + 1,
                            t->weight);
        if (nst_image_check_there(t->picture, "temporal target", e))
            return NST_EARG;
    }
    return NST_OK;
}

static float share_of(float a)
{
    if (!(a > 0)) /* NAN, too */
        return 0;
    return a < 1 ? a : 1;
}

/* The rows of a picture of u's margin around them: planes of x in its units, and alpha.  What does not count is not
 * looked at: it may be anything. */
static void fill(const nst_setup *u, const nst_image *p, int w, struct nst_held *held)
{
    size_t plane = (size_t)w * (size_t)(p->height + 2 * u->margin);

    for (int y = 0; y < p->height; y++) {
        size_t from = (size_t)y * (size_t)p->width;
        size_t to = (size_t)(y + u->margin) * (size_t)w + (size_t)u->margin;

        for (size_t i = 0; i < (size_t)p->width; i++) {
            float share = p->channels == 4 ? share_of(p->plane[3][from + i]) : 1;

            held->share[to + i] = share;
            if (share <= 0)
                continue;
            for (size_t c = 0; c < 3; c++)
                held->target[c * plane + to + i] =
                    (p->plane[u->space.order[c]][from + i] - u->space.mean[c]) / u->space.std[c];
        }
    }
}

static nst_status make(const nst_run *r, const nst_temporal *t, struct nst_held *held, nst_error *e)
{
    const nst_setup *u = &r->setup;
    int w = r->w - 2 * u->margin, h = r->h - 2 * u->margin;
    size_t n = (size_t)r->w * (size_t)r->h;
    const nst_image *at_size = t->picture;
    nst_image *resized = NULL;
    nst_status s = NST_OK;

    held->target = nst_calloc(n, 3 * sizeof *held->target);
    held->share = nst_calloc(n, sizeof *held->share);
    if (!held->target || !held->share)
        return nst_fail(e, NST_EMEM, "temporal target: out of memory");
    if (t->picture->width != w || t->picture->height != h) {
        s = nst_image_resize(&resized, t->picture, w, h, e);
        at_size = resized;
    }
    if (!s)
        fill(u, at_size, r->w, held);
    nst_image_destroy(&resized);
    held->hold = (nst_hold){ .target = held->target, .share = held->share };
    for (int c = 0; c < 3; c++) { /* a difference in x's units is one of RGB's over the deviation */
        double std = (double)u->space.std[c];

        held->hold.scale[c] = t->weight * std * std / (3. * w * h);
    }
    return s;
}

nst_status nst_held_create(nst_run *r, nst_error *e)
{
    nst_status s = NST_OK;

    if (!r->job.n_temporal)
        return NST_OK;
    r->targets.held = nst_calloc((size_t)r->job.n_temporal, sizeof *r->targets.held);
    if (!r->targets.held)
        return nst_fail(e, NST_EMEM, "temporal target: out of memory");
    for (int i = 0; i < r->job.n_temporal && !s; i++)
        s = make(r, &r->job.temporal[i], &r->targets.held[i], e);
    return s;
}

void nst_held_free(nst_run *r)
{
    for (int i = 0; i < r->job.n_temporal && r->targets.held; i++) {
        nst_free(r->targets.held[i].target);
        nst_free(r->targets.held[i].share);
    }
    nst_free(r->targets.held);
    r->targets.held = NULL;
}

double nst_held_losses(const nst_run *r)
{
    size_t n = (size_t)r->w * (size_t)r->h;
    double sum = 0;

    for (int i = 0; i < r->job.n_temporal; i++)
        sum += nst_hold_loss(&r->setup.cpu, &r->targets.held[i].hold, r->state.x, n, r->state.dx);
    return sum;
}
