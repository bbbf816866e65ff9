/* lifetime.c: what of a run outlives a scale, and what is given up early. */
#include "engine/plan/plan.h"

#include <string.h>

bool nst_plan_carries_optimizer(const nst_setup *u)
{
    return u->s.optimizer == NST_ADAM || u->s.average > 0;
}

bool nst_plan_discards_content(const nst_setup *u, int scale)
{
    bool discards = u->job->content->discardable && scale == u->plan.scales - 1 && !strcmp(u->net.device, "cpu") &&
                  u->s.color != NST_COLOR_CONTENT && u->job->init != u->job->content;

    for (int i = 0; i < u->job->n_styles; i++)
        discards = discards && u->job->styles[i] != u->job->content;
    return discards;
}

nst_optim_options nst_plan_optim(const nst_setup *u, int pairs)
{
    const nst_settings *s = &u->s;
    double range = u->high[1] - u->low[1];
    nst_optim_options o = { .kind = s->optimizer, .learning_rate = s->learning_rate, .beta1 = s->beta1,
                            .beta2 = s->beta2, .average = s->average, .history = pairs,
                            .low = s->clamp ? u->low : NULL, .high = s->clamp ? u->high : NULL };

    o.first_step = s->first_step * range;
    if (o.learning_rate <= 0)
        o.learning_rate = s->optimizer == NST_LBFGS ? 1 : .02 * range;
    return o;
}
