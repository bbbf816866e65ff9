/* optimizer.c: Adam with iterate averaging, and L-BFGS without line search, on flat arrays. */
#include "ops/optimizer.h"
#include "ops/vector.h"

#include <math.h>
#include <string.h>

#define CURVATURE 1e-10 /* a pair with a smaller y.s is not kept */

struct nst_optim {
    nst_optim_options o;
    float low[3], high[3];
    size_t n;
    int step;            /* made so far */
    int averaged;        /* iterates in the average but the start */
    float *average;      /* [n] or NULL */
    float *m, *v;        /* Adam's moments [n] */

    /* L-BFGS: a ring of history + 1 pairs.  The pair at `head` is the one in the making: its s holds the step
     * just made, its y the gradient before that step. */
    float *s, *y;        /* [history + 1][n] */
    double *rho, *alpha; /* [history + 1] */
    int pairs, head;
    double diagonal;     /* of the initial Hessian's inverse */
};

/* ---- elementwise updates, in blocks of fixed length ------------------------------ */

enum { BLOCK = 16384 };

struct job {
    const nst_optim *s;
    size_t n;
    float *x, *y;
    const float *g;
    float a;
};

static void in_blocks(const nst_cpu *cpu, struct job *j, nst_par_fn *fn)
{
    nst_par_for(cpu->threads, (int)((j->n + BLOCK - 1) / BLOCK), fn, j);
}

static size_t range(const struct job *j, int begin, int end, size_t *to)
{
    *to = (size_t)end * BLOCK < j->n ? (size_t)end * BLOCK : j->n;
    return (size_t)begin * BLOCK;
}

/* x = a g */
static void scaled(void *arg, int worker, int begin, int end)
{
    const struct job *j = arg;
    size_t to, i = range(j, begin, end, &to);

    (void)worker;
    for (; i < to; i++)
        j->x[i] = j->a * j->g[i];
}

/* x = g - x */
static void difference(void *arg, int worker, int begin, int end)
{
    const struct job *j = arg;
    size_t to, i = range(j, begin, end, &to);

    (void)worker;
    for (; i < to; i++)
        j->x[i] = j->g[i] - j->x[i];
}

/* average += a (x - average) */
static void averaged(void *arg, int worker, int begin, int end)
{
    const struct job *j = arg;
    size_t to, i = range(j, begin, end, &to);

    (void)worker;
    for (; i < to; i++)
        j->y[i] += j->a * (j->x[i] - j->y[i]);
}

/* x kept in its plane's bounds */
static void clamped(void *arg, int worker, int begin, int end)
{
    const struct job *j = arg;
    size_t to, i = range(j, begin, end, &to);

    (void)worker;
    for (; i < to; i++) {
        size_t c = i / j->s->o.plane;

        j->x[i] = fminf(fmaxf(j->x[i], j->s->low[c]), j->s->high[c]);
    }
}

/* x += y, x kept in its bounds, and y becomes the step that was really made */
static void moved(void *arg, int worker, int begin, int end)
{
    const struct job *j = arg;
    size_t to, i = range(j, begin, end, &to);

    (void)worker;
    for (; i < to; i++) {
        size_t c = i / j->s->o.plane;
        float x = fminf(fmaxf(j->x[i] + j->y[i], j->s->low[c]), j->s->high[c]);

        j->y[i] = x - j->x[i];
        j->x[i] = x;
    }
}

/* ---- Adam ------------------------------------------------------------------------- */

static void adam_step(const nst_cpu *cpu, nst_optim *s, const float *g, float *x)
{
    double t = (double)s->step;
    nst_adam_args a = {
        .b1 = (float)s->o.beta1,
        .b2 = (float)s->o.beta2,
        .step = (float)(s->o.learning_rate / (1 - pow(s->o.beta1, t))),
        .root = (float)(1 / sqrt(1 - pow(s->o.beta2, t))),
        .eps = 1e-8f,
    };

    nst_vec_adam(cpu, s->n, &a, g, s->m, s->v, x);
    if (s->o.low)
        in_blocks(cpu, &(struct job){ .s = s, .n = s->n, .x = x }, clamped);
}

/* ---- L-BFGS (Nocedal & Wright, algorithm 7.4) --------------------------------------- */

/* A sum over this share of x, made one over all. */
static double over_all(const nst_optim *s, double sum)
{
    if (s->o.sum)
        s->o.sum(s->o.sum_arg, &sum, 1);
    return sum;
}

static double dot(const nst_cpu *cpu, const nst_optim *s, const float *x, const float *y)
{
    return over_all(s, nst_vec_dot(cpu, s->n, x, y));
}

static float *pair(const nst_optim *s, float *base, int i)
{
    return base + (size_t)i * s->n;
}

/* Finishes the pair in the making with the new gradient and keeps it when the curvature is positive. */
static void remember(const nst_cpu *cpu, nst_optim *s, const float *g)
{
    float *y = pair(s, s->y, s->head), *step = pair(s, s->s, s->head);
    double ys;

    in_blocks(cpu, &(struct job){ .n = s->n, .x = y, .g = g }, difference);
    ys = dot(cpu, s, y, step);
    if (!(ys > CURVATURE))
        return;
    s->rho[s->head] = 1 / ys;
    s->diagonal = ys / dot(cpu, s, y, y);
    s->head = (s->head + 1) % (s->o.history + 1);
    if (s->pairs < s->o.history)
        s->pairs++;
}

/* d = -H g over the kept pairs. */
static void direction(const nst_cpu *cpu, const nst_optim *s, const float *g, float *d)
{
    int ring = s->o.history + 1;

    in_blocks(cpu, &(struct job){ .n = s->n, .x = d, .g = g, .a = -1 }, scaled);
    for (int k = 1; k <= s->pairs; k++) {
        int i = (s->head - k + ring) % ring;

        s->alpha[i] = s->rho[i] * dot(cpu, s, pair(s, s->s, i), d);
        nst_vec_axpy(cpu, s->n, (float)-s->alpha[i], pair(s, s->y, i), d);
    }
    in_blocks(cpu, &(struct job){ .n = s->n, .x = d, .g = d, .a = (float)s->diagonal }, scaled);
    for (int k = s->pairs; k >= 1; k--) {
        int i = (s->head - k + ring) % ring;
        double beta = s->rho[i] * dot(cpu, s, pair(s, s->y, i), d);

        nst_vec_axpy(cpu, s->n, (float)(s->alpha[i] - beta), pair(s, s->s, i), d);
    }
}

/* The first step's factor.  PyTorch's is so short that the two gradients around it differ by their rounding; one of a
 * given length makes a pair that means something. */
static double first_step(const nst_cpu *cpu, const nst_optim *s, const float *g)
{
    double norm;

    if (s->o.first_step > 0) {
        norm = sqrt(dot(cpu, s, g, g) / over_all(s, (double)s->n));
        return norm > 0 ? s->o.first_step / norm : 1;
    }
    norm = over_all(s, nst_vec_abs(cpu, s->n, g));
    return norm > 1 ? 1 / norm : 1;
}

static void lbfgs_step(const nst_cpu *cpu, nst_optim *s, const float *g, float *x)
{
    double t = s->o.learning_rate;
    float *d;

    if (s->step > 1) {
        remember(cpu, s, g);
    } else {
        t *= first_step(cpu, s, g);
    }
    d = pair(s, s->s, s->head);
    direction(cpu, s, g, d);
    memcpy(pair(s, s->y, s->head), g, s->n * sizeof *g);
    if (t < 1 || t > 1)
        in_blocks(cpu, &(struct job){ .n = s->n, .x = d, .g = d, .a = (float)t }, scaled);
    if (s->o.low)
        in_blocks(cpu, &(struct job){ .s = s, .n = s->n, .x = x, .y = d }, moved);
    else
        nst_vec_axpy(cpu, s->n, 1, d, x);
}

/* ---- both ------------------------------------------------------------------------- */

void nst_optim_step(const nst_cpu *cpu, nst_optim *s, const float *g, float *x)
{
    s->step++;
    (s->o.kind == NST_ADAM ? adam_step : lbfgs_step)(cpu, s, g, x);
    if (s->average) {
        /* a running mean with weights decay^age that sum to one, the start included */
        double d = s->o.average, a = (1 - d) / (1 - pow(d, (double)++s->averaged + 1));

        in_blocks(cpu, &(struct job){ .n = s->n, .x = x, .y = s->average, .a = (float)a }, averaged);
    }
}

const float *nst_optim_result(const nst_optim *s, const float *x)
{
    return s->average ? s->average : x;
}

/* Floats of all arrays; 0 when that overflows. */
static size_t floats(const nst_optim_options *o, size_t n)
{
    size_t arrays = (o->kind == NST_ADAM ? 2 : 2 * ((size_t)o->history + 1)) + (o->average > 0), all;

    return nst_mul(arrays, n, &all) && all <= SIZE_MAX / sizeof(float) ? all : 0;
}

size_t nst_optim_bytes(const nst_optim_options *o, size_t n)
{
    return floats(o, n) * sizeof(float);
}

static bool create_moments(nst_optim *s)
{
    s->m = nst_calloc(s->n, sizeof *s->m);
    if (s->m)
        s->v = nst_calloc(s->n, sizeof *s->v);
    return s->v != NULL;
}

static bool create_pairs(nst_optim *s)
{
    size_t ring = (size_t)s->o.history + 1, bytes;

    if (!nst_mul(ring, s->n * sizeof *s->s, &bytes))
        return false;
    s->s = nst_alloc(bytes); /* not cleared: pages that a short run never reaches are never real memory */
    if (s->s)
        s->y = nst_alloc(bytes);
    if (s->y)
        s->rho = nst_calloc(ring, sizeof *s->rho);
    if (s->rho)
        s->alpha = nst_calloc(ring, sizeof *s->alpha);
    return s->alpha != NULL;
}

nst_status nst_optim_create(nst_optim **out, const nst_optim_options *o, size_t n, const float *x0, nst_error *e)
{
    nst_optim *s = nst_calloc(1, sizeof *s);
    bool good = s && (!n || floats(o, n));

    *out = NULL;
    if (good) {
        s->o = *o;
        s->n = n;
        s->diagonal = 1;
        for (int c = 0; o->low && c < 3; c++) {
            s->low[c] = o->low[c];
            s->high[c] = o->high[c];
        }
    }
    if (good && o->average > 0) {
        s->average = nst_calloc(n, sizeof *x0);
        good = s->average != NULL;
        if (good)
            memcpy(s->average, x0, n * sizeof *x0);
    }
    if (good)
        good = o->kind == NST_ADAM ? create_moments(s) : create_pairs(s);
    if (!good) {
        nst_optim_destroy(&s);
        return nst_fail(e, NST_EMEM, "optimiser: out of memory, it needs %.0f MB",
                        (double)nst_optim_bytes(o, n) / 1e6);
    }
    *out = s;
    return NST_OK;
}

void nst_optim_destroy(nst_optim **p)
{
    nst_optim *s = *p;

    *p = NULL;
    if (!s)
        return;
    nst_free(s->average);
    nst_free(s->m);
    nst_free(s->v);
    nst_free(s->s);
    nst_free(s->y);
    nst_free(s->rho);
    nst_free(s->alpha);
    nst_free(s);
}

void nst_optim_carry(const nst_optim *from, nst_optim *to)
{
    if (from->o.kind == NST_ADAM && to->o.kind == NST_ADAM)
        to->step = from->step;
}

float *nst_optim_moment(const nst_optim *s, int i)
{
    return i ? s->v : s->m;
}

/* ---- state for a checkpoint ---------------------------------------------------------- */

void nst_optim_state_get(const nst_optim *s, nst_optim_state *state)
{
    /* the pairs that are kept, and from the first step on the one in the making */
    int pairs = s->o.kind == NST_LBFGS && s->step ? s->pairs + 1 : 0;

    *state = (nst_optim_state){ .step = s->step, .averaged = s->averaged, .pairs = s->pairs, .diagonal = s->diagonal,
                                .arrays = (s->average != NULL) + (s->o.kind == NST_ADAM ? 2 : 2 * pairs) };
}

bool nst_optim_state_set(nst_optim *s, const nst_optim_state *state)
{
    nst_optim_state now;

    if (state->step < 0 || state->averaged < 0 || state->pairs < 0 || state->pairs > s->o.history ||
        (s->o.kind == NST_ADAM ? state->pairs != 0 : state->pairs >= state->step && state->pairs))
        return false;
    s->step = state->step;
    s->averaged = state->averaged;
    s->pairs = s->head = state->pairs; /* where in the ring a pair lies makes no difference */
    s->diagonal = state->diagonal;
    nst_optim_state_get(s, &now);
    return now.arrays == state->arrays;
}

float *nst_optim_array(nst_optim *s, int i)
{
    int ring = s->o.history + 1;

    if (s->average && i-- == 0)
        return s->average;
    if (s->o.kind == NST_ADAM)
        return i ? s->v : s->m;
    return pair(s, i % 2 ? s->y : s->s, (s->head - s->pairs + i / 2 + ring) % ring);
}

double *nst_optim_rho(nst_optim *s, int i)
{
    int ring = s->o.history + 1;

    return &s->rho[(s->head - s->pairs + i + ring) % ring];
}

void nst_optim_forget(nst_optim *s)
{
    if (s->o.kind != NST_LBFGS)
        return;
    s->step = s->pairs = s->head = 0;
    s->diagonal = 1;
}
