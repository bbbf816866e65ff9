/* schedule.c: how long a run still takes, from what its iterations took; iterations fitted to a limit of time; the end
 * of a scale whose loss has settled.
 *
 * An iteration is the style losses on matrices of channels, the way of the weights through the cache, and a part that
 * goes with the pixels. */
#include "engine/plan/plan.h"

#include <math.h>

#define USUAL 2  /* iterations of a scale that are measured before the schedule is fitted to them */
#define EVERY 10 /* iterations a fit, and a look at the loss */
#define MEMORY 50 /* iterations whose mean tells of those to come: fewer follow every disturbance */
#define FORETOLD 3 /* iterations that a scale's foretold ones count as: its first may be disturbed */
#define NONE 1e300
/* pixels' worth of an iteration that each takes, however small: the packed weights pass through the cache */
#define WEIGHTS 1e4

/* What scale i works on, in pixels. */
static double work(const nst_setup *u, int i)
{
    return (double)(u->plan.width[i] + 2 * u->margin) * (u->plan.height[i] + 2 * u->margin);
}

/* Seconds of an iteration of scale i, from those of another. */
static double seconds_from(const nst_clock *c, const nst_setup *u, int other, int i)
{
    double fixed = fmin(c->fixed, c->iteration);

    return fixed + (c->iteration - fixed) * (work(u, i) + WEIGHTS) / (work(u, other) + WEIGHTS);
}

/* Seconds to prepare all scales after one. */
static double preparations(const nst_clock *c, const nst_setup *u, int scale)
{
    double sum = 0;

    for (int i = scale + 1; i < u->plan.scales; i++)
        sum += c->preparation * work(u, i) / work(u, scale);
    return sum;
}

static void total(const nst_plan *plan, nst_progress *p)
{
    p->total_iterations = 0;
    for (int i = 0; i < plan->scales; i++)
        p->total_iterations += plan->iterations[i];
}

/* The shares of the scales stay what the settings say; together they take what is left. */
static void fit(const nst_clock *c, nst_setup *u, int scale, const nst_progress *p)
{
    double spent = p->iteration * c->iteration, nominal = 0, share;

    for (int i = scale; i < u->plan.scales; i++)
        nominal += c->nominal[i] * seconds_from(c, u, scale, i);
    share = (u->s.time_limit - p->elapsed + spent - preparations(c, u, scale)) / nominal;
    for (int i = scale; i < u->plan.scales; i++) {
        double n = floor(c->nominal[i] * fmax(share, 0));

        u->plan.iterations[i] = (int)nst_clamp_double(n, 1, 1e7);
    }
    if (u->plan.iterations[scale] < p->iteration)
        u->plan.iterations[scale] = p->iteration;
}

/* Whether the best loss of the last EVERY iterations is hardly better than that of those before. */
static bool settled(nst_clock *c, double until, const nst_progress *p)
{
    bool still;

    c->best = fmin(c->best, p->total);
    if (p->iteration % EVERY)
        return false;
    still = c->best_before < NONE && c->best_before - c->best < until * fabs(c->best_before);
    c->best_before = c->best;
    c->best = NONE;
    return still;
}

void nst_schedule_begin(nst_clock *c, const nst_plan *plan)
{
    *c = (nst_clock){ .best = NONE, .best_before = NONE };
    for (int i = 0; i < plan->scales; i++)
        c->nominal[i] = plan->iterations[i];
}

void nst_schedule_resume(nst_setup *u, int scale, const nst_progress *p)
{
    int *n = &u->plan.iterations[scale];

    if (u->s.time_limit > 0 && *n <= p->iteration + USUAL) /* until the next fit */
        *n = p->iteration + USUAL + 1;
}

void nst_schedule_enter(nst_clock *c, const nst_setup *u, int scale, double seconds)
{
    if (scale > 0)
        c->iteration = seconds_from(c, u, scale - 1, scale);
    c->preparation = seconds;
    c->foretold = c->iteration > 0 ? FORETOLD : 0; /* a run that goes on knows nothing yet */
    c->measured = 0;
    c->best = c->best_before = NONE;
}

void nst_schedule_forget(nst_clock *c)
{
    c->best = c->best_before = NONE;
}

void nst_schedule_count(nst_clock *c, nst_setup *u, int scale, nst_progress *p)
{
    int known = ++c->measured + c->foretold;
    double weight = 1. / (known < MEMORY ? known : MEMORY); /* a mean, of the last MEMORY or so */

    c->iteration += weight * (p->seconds - c->iteration);
    c->fixed += weight * (c->losses - c->fixed);
    if (u->s.time_limit > 0 && (c->measured == USUAL || p->iteration % EVERY == 0))
        fit(c, u, scale, p);
    if (u->s.until > 0 && settled(c, u->s.until, p))
        u->plan.iterations[scale] = p->iteration;
    p->iterations = u->plan.iterations[scale];
    total(&u->plan, p);
    p->remaining = preparations(c, u, scale);
    for (int i = scale; i < u->plan.scales; i++)
        p->remaining += (u->plan.iterations[i] - (i == scale ? p->iteration : 0)) * seconds_from(c, u, scale, i);
    if (u->s.time_limit > 0)
        p->remaining = fmax(fmin(p->remaining, u->s.time_limit - p->elapsed), 0);
}

bool nst_schedule_over(const nst_clock *c, double time_limit, const nst_progress *p)
{
    return time_limit > 0 && p->elapsed + c->iteration > time_limit;
}
