/* announce.c: what a painting says of itself before and after its run; report.c speaks during it. */
#include "cli/announce.h"

#include <math.h>
#include <string.h>

#include "cli/fail.h"
#include "cli/interrupt.h"
#include "cli/models/models.h"

static double megabytes(const nst_painting *p)
{
    return ceil((double)p->plan.bytes / 1e6);
}

/* ", in about 3 min", or nothing for a moment. */
static const char *about(double seconds, char *out, size_t bytes)
{
    if (seconds < 1)
        *out = 0;
    else if (seconds < 90)
        snprintf(out, bytes, ", in about %.0f s", seconds);
    else if (seconds < 5400)
        snprintf(out, bytes, ", in about %.0f min", seconds / 60);
    else
        snprintf(out, bytes, ", in about %.1f h", seconds / 3600);
    return out;
}

void nst_announce_dry(const nst_painting *p)
{
    const nst_plan *plan = &p->plan;
    char reason[512], time[64];

    for (int i = 0; i < plan->scales; i++) {
        printf("scale %d of %d: %dx%d, %d iterations", i + 1, plan->scales, plan->width[i], plan->height[i],
               plan->iterations[i]);
        if (plan->windows[i] > 1)
            printf(", in %d windows of %dx%d", plan->windows[i], plan->window_width[i], plan->window_height[i]);
        if (plan->history[i] && plan->history[i] < p->s->history)
            printf(", history %d instead of %d", plan->history[i], p->s->history);
        printf("\n");
    }
    if (p->s->time_limit > 0)
        printf("iterations will be fitted to %g seconds\n", p->s->time_limit);
    nst_say(stdout, "model: %s%s", nst_model_describe(p->in.model), nst_models_reason(&p->c, reason, sizeof reason));
    nst_say(stdout, "memory: about %.0f MB%s", megabytes(p), about(plan->seconds, time, sizeof time));
    nst_say(stdout, "result: %s", nst_paths_label(p->output));
}

/* A line where it is not the processor. */
static void say_device(const nst_painting *p)
{
    nst_device_info d;
    char why[256];

    if (nst_device_find(p->s->device, &d, why, sizeof why, NULL) == NST_OK && strcmp(d.device, "cpu"))
        nst_say(stderr, "nst: computed by %s, %s%s", d.device, d.name,
                strcmp(p->s->device, "auto") ? "" : ", a graphics card; --device cpu takes the processor");
}

void nst_announce_start(const nst_painting *p)
{
    const nst_plan *plan = &p->plan;
    char reason[512], time[64];
    int last = plan->scales - 1;

    nst_say(stderr, "nst: %s%s", nst_model_describe(p->in.model), nst_models_reason(&p->c, reason, sizeof reason));
    say_device(p);
    if (p->resumed.from)
        nst_say(stderr, "nst: goes on after iteration %d", nst_checkpoint_iteration(p->resumed.from));
    nst_say(stderr, "nst: %s will be %dx%d, painted in %d scale%s with about %.0f MB of memory%s",
            nst_paths_label(p->output), plan->width[plan->scales - 1], plan->height[plan->scales - 1], plan->scales,
            plan->scales > 1 ? "s" : "", megabytes(p), about(plan->seconds, time, sizeof time));
    if (plan->windows[last] > 1)
        nst_say(stderr, "nst: in %d windows of %dx%d%s", plan->windows[last], plan->window_width[last],
                plan->window_height[last], p->s->window ? "" : ", because of memory");
    if (plan->history[last] && plan->history[last] < p->s->history)
        nst_say(stderr, "nst: L-BFGS remembers %d steps instead of %d, because of memory", plan->history[last],
                p->s->history);
}

void nst_announce_end(const nst_painting *p)
{
    bool early = nst_interrupt_pending() || p->state.stopped;
    const char *how = early ? "stopped early, the picture so far is kept" : "done";

    nst_say(stderr, "nst: %s: %dx%d after %d iterations, %s", nst_paths_label(p->output), nst_image_width(p->result),
            nst_image_height(p->result), p->state.done, how);
    if (early && p->writer.path && !p->state.failed)
        nst_say(stderr, "nst: `nst resume %s` goes on", p->writer.path);
}
