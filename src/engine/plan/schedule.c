/* schedule.c: how long a run still takes, from what its iterations took; iterations fitted to a limit of time; the end
 * of a scale whose loss has settled.
 *
 * An iteration is the style losses on matrices of channels, the way of the weights through the cache, and a part that
 * goes with the pixels. */
#include "engine/run.h"

#include <math.h>

#define USUAL 2  /* iterations of a scale that are measured before the schedule is fitted to them */
#define EVERY 10 /* iterations a fit, and a look at the loss */
#define MEMORY 50 /* iterations whose mean tells of those to come: fewer follow every disturbance */
#define FORETOLD 3 /* iterations that a scale's foretold ones count as: its first may be disturbed */
#define NONE 1e300
/* pixels' worth of an iteration that each takes, however small: the packed weights pass through the cache */
#define WEIGHTS 1e4

/* What scale i works on, in pixels. */
static double work(const nst_run *r, int i)
{
    const nst_setup *u = &r->setup;

    return (double)(u->plan.width[i] + 2 * u->margin) * (u->plan.height[i] + 2 * u->margin);
}

/* Seconds of an iteration of scale i, from those of another. */
static double seconds_from(const nst_run *r, int other, int i)
{
    const nst_clock *c = &r->clock;
    double fixed = fmin(c->fixed, c->iteration);

    return fixed + (c->iteration - fixed) * (work(r, i) + WEIGHTS) / (work(r, other) + WEIGHTS);
}

static double iteration_seconds(const nst_run *r, int i)
{
    return seconds_from(r, r->scale, i);
}

/* Seconds to prepare all scales after this one. */
static double preparations(const nst_run *r)
{
    double sum = 0;

    for (int i = r->scale + 1; i < r->setup.plan.scales; i++)
        sum += r->clock.preparation * work(r, i) / work(r, r->scale);
    return sum;
}

static void total(const nst_run *r, nst_progress *p)
{
    p->total_iterations = 0;
    for (int i = 0; i < r->setup.plan.scales; i++)
        p->total_iterations += r->setup.plan.iterations[i];
}

/* The shares of the scales stay what the settings say; together they take what is left. */
static void fit(nst_run *r, const nst_progress *p)
{
    nst_setup *u = &r->setup;
    nst_clock *c = &r->clock;
    double spent = p->iteration * c->iteration, nominal = 0, share;

    for (int i = r->scale; i < u->plan.scales; i++)
        nominal += c->nominal[i] * iteration_seconds(r, i);
    share = (u->s.time_limit - p->elapsed + spent - preparations(r)) / nominal;
    for (int i = r->scale; i < u->plan.scales; i++) {
        double n = floor(c->nominal[i] * fmax(share, 0));

        u->plan.iterations[i] = n < 1 ? 1 : n > 1e7 ? 10000000 : (int)n;
    }
    if (u->plan.iterations[r->scale] < p->iteration)
        u->plan.iterations[r->scale] = p->iteration;
}

/* Whether the best loss of the last EVERY iterations is hardly better than that of those before. */
static bool settled(nst_run *r, const nst_progress *p)
{
    nst_clock *c = &r->clock;
    bool still;

    c->best = fmin(c->best, p->total);
    if (p->iteration % EVERY)
        return false;
    still = c->best_before < NONE && c->best_before - c->best < r->setup.s.until * fabs(c->best_before);
    c->best_before = c->best;
    c->best = NONE;
    return still;
}

void nst_schedule_begin(nst_run *r)
{
    r->clock = (nst_clock){ .best = NONE, .best_before = NONE };
    for (int i = 0; i < r->setup.plan.scales; i++)
        r->clock.nominal[i] = r->setup.plan.iterations[i];
}

void nst_schedule_resume(nst_run *r, const nst_progress *p)
{
    int *n = &r->setup.plan.iterations[r->scale];

    if (r->setup.s.time_limit > 0 && *n <= p->iteration + USUAL) /* until the next fit */
        *n = p->iteration + USUAL + 1;
}

void nst_schedule_enter(nst_run *r, double seconds)
{
    nst_clock *c = &r->clock;

    if (r->scale > 0)
        c->iteration = seconds_from(r, r->scale - 1, r->scale);
    c->preparation = seconds;
    c->foretold = c->iteration > 0 ? FORETOLD : 0; /* a run that goes on knows nothing yet */
    c->measured = 0;
    c->best = c->best_before = NONE;
}

void nst_schedule_count(nst_run *r, nst_progress *p)
{
    nst_setup *u = &r->setup;
    nst_clock *c = &r->clock;
    int known = ++c->measured + c->foretold;
    double weight = 1. / (known < MEMORY ? known : MEMORY); /* a mean, of the last MEMORY or so */

    c->iteration += weight * (p->seconds - c->iteration);
    c->fixed += weight * (c->losses - c->fixed);
    if (u->s.time_limit > 0 && (c->measured == USUAL || p->iteration % EVERY == 0))
        fit(r, p);
    if (u->s.until > 0 && settled(r, p))
        u->plan.iterations[r->scale] = p->iteration;
    p->iterations = u->plan.iterations[r->scale];
    total(r, p);
    p->remaining = preparations(r);
    for (int i = r->scale; i < u->plan.scales; i++)
        p->remaining += (u->plan.iterations[i] - (i == r->scale ? p->iteration : 0)) * iteration_seconds(r, i);
    if (u->s.time_limit > 0)
        p->remaining = fmax(fmin(p->remaining, u->s.time_limit - p->elapsed), 0);
}

bool nst_schedule_over(const nst_run *r, const nst_progress *p)
{
    return r->setup.s.time_limit > 0 && p->elapsed + r->clock.iteration > r->setup.s.time_limit;
}
