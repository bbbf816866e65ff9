/* lifetime.c: what of a run outlives a scale, and what is given up early. */
#include "engine/run.h"

#include <string.h>

bool nst_run_carries(const nst_run *r)
{
    return r->s->optimizer == NST_ADAM || r->s->average > 0;
}

bool nst_run_spends(const nst_run *r, int scale)
{
    bool spends = r->content->spend && scale == r->plan.scales - 1 && !strcmp(r->net.device, "cpu") &&
                  r->s->color != NST_COLOR_CONTENT && r->init != r->content;

    for (int i = 0; i < r->n_styles; i++)
        spends = spends && r->styles[i] != r->content;
    return spends;
}

nst_optim_options nst_plan_optim(const nst_run *r, int pairs)
{
    const nst_settings *s = r->s;
    double range = r->high[1] - r->low[1];
    nst_optim_options o = { .kind = s->optimizer, .learning_rate = s->learning_rate, .beta1 = s->beta1,
                            .beta2 = s->beta2, .average = s->average, .history = pairs,
                            .low = s->clamp ? r->low : NULL, .high = s->clamp ? r->high : NULL };

    o.first_step = s->first_step * range;
    if (o.learning_rate <= 0)
        o.learning_rate = s->optimizer == NST_LBFGS ? 1 : .02 * range;
    return o;
}
