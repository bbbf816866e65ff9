/* transfer.c: the loop: scale by scale, losses and gradient, a step of the optimiser, a word to the caller. */
#include "engine/checkpoint.h"
#include "ops/vector.h"

#include <math.h>
#include <string.h>

nst_status nst_progress_strength(const nst_progress *p, double strength, nst_error *e)
{
    nst_run *r = (nst_run *)p->state;
    nst_settings s = *r->job.settings;

    if (!(strength >= 0 && strength <= 100))
        return nst_fail(e, NST_EARG, "strength: %g is out of range, expected 0 to 100", strength);
    s.strength = strength;
    nst_settings_balance(&s);
    r->setup.s.style_weight = s.style_weight;
    r->setup.s.tv_weight = s.tv_weight;
    nst_optim_forget(r->state.optim);
    nst_schedule_forget(&r->clock);
    return NST_OK;
}

/* ---- one scale --------------------------------------------------------------------------- */

/* Of x. */
static size_t floats(const nst_run *r)
{
    return 3 * (size_t)r->w * (size_t)(r->strip.own_to - r->strip.own);
}

static nst_status allocate(nst_run *r, float **x, nst_error *e)
{
    size_t n = floats(r);
    bool good = r->setup.layout[r->scale].last_finite;
    nst_status s = nst_halo_open(r, e);

    if (s)
        return s;
    r->state.dx = nst_calloc(n, sizeof *r->state.dx);
    if (good)
        r->state.last_finite = nst_calloc(n, sizeof *r->state.last_finite);
    *x = nst_calloc(n, sizeof **x);
    if (r->state.dx && (!good || r->state.last_finite) && *x)
        return NST_OK;
    return nst_fail(e, NST_EMEM, "%d x %d pixels: out of memory", r->w, r->h);
}

/* The first x. */
static nst_status start(nst_run *r, float *x, nst_error *e)
{
    const nst_setup *u = &r->setup;
    nst_image *picture = NULL;
    nst_status s = NST_OK;

    if (u->s.init == NST_INIT_IMAGE)
        s = nst_image_resize_seen(&picture, r->job.init, r->w - 2 * u->margin, r->h - 2 * u->margin, e);
    if (!s && picture)
        s = nst_margin_add(&picture, u->margin, e);
    if (!s)
        nst_start(&u->s, &u->space, r->targets.picture, picture, r->strip.own, r->strip.own_to - r->strip.own, x);
    nst_image_destroy(&picture);
    return s;
}

/* Scale r->scale is made ready: x from the start or from the scale before, whose optimiser is carried over. */
static nst_status enter(nst_run *r, nst_error *e)
{
    nst_state before = { .x = r->state.x };
    float *x = NULL;
    int w = r->w, h = r->h;
    nst_optim_options o;
    nst_status s;

    if (nst_plan_carries_optimizer(&r->setup)) { /* outlives its scale for as long as this one is made */
        before.optim = r->state.optim;
        r->state.optim = NULL;
    }
    r->state.x = NULL;
    nst_targets_free(r);
    nst_state_free(&r->state);
    s = nst_run_targets(r, e);
    if (s)
        s = nst_fall_back(r, s, e);
    if (s)
        goto end;
    s = nst_ranks_agree(&r->ranks, allocate(r, &x, e), e);
    if (s)
        goto end;
    if (before.x)
        s = nst_enlarge(r, before.optim ? nst_optim_result(before.optim, before.x) : before.x, w, h, x, e);
    else
        s = start(r, x, e);
    nst_image_destroy(&r->targets.picture); /* its colours have been said */
    o = nst_run_optim(r);
    if (!s)
        s = nst_optim_create(&r->state.optim, &o, floats(r), x, e);
    s = nst_ranks_agree(&r->ranks, s, e);
    if (!s && before.optim)
        s = nst_enlarge_optim(r, before.optim, w, h, e);
    if (s)
        goto end;
    r->state.x = x;
    x = NULL;

end:
    nst_state_free(&before);
    nst_free(x);
    return s;
}

static void begin_progress(const nst_run *r, nst_progress *p)
{
    const nst_setup *u = &r->setup;

    *p = (nst_progress){ .scales = u->plan.scales, .style_layers = u->n_layers, .state = r };
    for (int i = 0; i < u->n_layers; i++)
        p->style_name[i] = r->job.model->layer[u->style[i].layer].name;
    for (int i = 0; i < u->plan.scales; i++)
        p->total_iterations += u->plan.iterations[i];
}

/* A scale's iterations from p->iteration + 1 on.  *stop: the caller has had enough. */
static nst_status iterate(nst_run *r, nst_progress *p, nst_progress_fn *tell, void *arg, bool *stop, nst_error *e)
{
    nst_setup *u = &r->setup;
    size_t n = floats(r);
    double sum;

    p->scale = r->scale + 1;
    p->width = u->plan.width[r->scale];
    p->height = u->plan.height[r->scale];
    p->iterations = u->plan.iterations[r->scale];
    if (r->state.last_finite)
        memcpy(r->state.last_finite, r->state.x, n * sizeof *r->state.x);
    while (p->iteration < p->iterations && !*stop) {
        bool over;
        double at = nst_now();
        nst_status s;

        p->iteration++;
        s = nst_run_evaluate(r, p, e);
        if (s) {
            s = nst_fall_back(r, s, e);
            if (!s)
                s = nst_run_evaluate(r, p, e);
        }
        if (s)
            return s;
        if (r->state.last_finite)
            memcpy(r->state.last_finite, r->state.x, n * sizeof *r->state.x);
        nst_optim_step(&u->cpu, r->state.optim, r->state.dx, r->state.x);
        p->done++;
        p->seconds = nst_now() - at;
        r->spent += p->seconds;
        p->elapsed = nst_now() - r->began;
        nst_schedule_count(&r->clock, u, r->scale, p);
        over = nst_ranks_schedule(&r->ranks, &u->plan, p, nst_schedule_over(&r->clock, u->s.time_limit, p));
        p->notice = *r->notice ? r->notice : NULL;
        *stop = nst_ranks_any(&r->ranks, tell && tell(arg, p));
        *r->notice = 0;
        if (!*stop && over)
            *stop = r->late = true;
    }
    sum = nst_vec_abs(&u->cpu, n, r->state.x);
    nst_ranks_sum(&r->ranks, &sum, 1);
    return nst_ranks_agree(&r->ranks, isfinite(sum) ? NST_OK
                               : nst_fail(e, NST_EDIVERGED, "the picture is not made of finite numbers"), e);
}

/* ---- the public calls ------------------------------------------------------------------------ */

nst_status nst_transfer_plan_across(const nst_settings *s, const nst_model *model, const nst_image *content,
                                    const nst_image *const *styles, int n_styles, const nst_comm *comm, nst_plan *plan,
                                    nst_error *e)
{
    nst_run r = { .job = { .settings = s, .model = model, .content = content, .styles = styles, .n_styles = n_styles,
                           .comm = comm } };
    nst_settings planned = *s;
    nst_error own;
    nst_status status;

    if (plan)
        *plan = (nst_plan){ 0 };
    e = e ? e : &own;
    if (planned.init == NST_INIT_IMAGE) /* the start picture does not change the plan */
        planned.init = NST_INIT_CONTENT;
    r.job.settings = &planned;
    status = nst_run_open(&r, e);
    if (status)
        return status;
    if (plan) {
        *plan = r.setup.plan;
        nst_plan_tell(&r.setup, plan);
        plan->seconds = nst_plan_seconds(&r.setup);
    }
    nst_run_close(&r);
    return status;
}

nst_status nst_transfer_plan(const nst_settings *s, const nst_model *model, const nst_image *content,
                             const nst_image *const *styles, int n_styles, nst_plan *plan, nst_error *e)
{
    return nst_transfer_plan_across(s, model, content, styles, n_styles, NULL, plan, e);
}

/* All scales, or what a checkpoint leaves of them. */
static nst_status paint(nst_run *r, const nst_checkpoint *c, nst_progress *p, nst_progress_fn *progress, void *arg,
                        nst_error *e)
{
    bool stop = false, entered = c != NULL;
    nst_status s = NST_OK;

    begin_progress(r, p);
    nst_schedule_begin(&r->clock, &r->setup.plan);
    r->began = nst_now();
    if (c) {
        s = nst_checkpoint_restore(c, r, p, e);
        if (!s) {
            r->began -= p->elapsed;
            nst_schedule_resume(&r->setup, r->scale, p);
        }
    }
    for (; r->scale < r->setup.plan.scales && !stop && !s; r->scale++) {
        if (!entered) {
            double at = nst_now();

            p->iteration = 0;
            s = enter(r, e);
            nst_schedule_enter(&r->clock, &r->setup, r->scale, nst_now() - at);
        }
        entered = false;
        if (!s)
            s = iterate(r, p, progress, arg, &stop, e);
    }
    return s;
}

/* Everything but what the result is made from, which takes its place. */
static void let_go(nst_run *r)
{
    nst_state all = r->state;

    r->state = (nst_state){ .x = all.x, .alpha = all.alpha };
    if (nst_optim_result(all.optim, all.x) != all.x) {
        r->state.optim = all.optim;
        all.optim = NULL;
    }
    all.x = all.alpha = NULL;
    nst_targets_free(r);
    nst_state_free(&all);
    nst_graph_release(r->setup.graph);
}

/* r is asked for, and closed. */
static nst_status transfer(nst_run *r, const nst_checkpoint *c, nst_progress_fn *progress, void *arg, nst_image **out,
                           nst_error *e)
{
    nst_progress p;
    nst_error own;
    nst_status status;

    *out = NULL;
    e = e ? e : &own;
    status = nst_run_open(r, e);
    if (status)
        return status;
    status = paint(r, c, &p, progress, arg, e);
    if (!status) {
        let_go(r);
        status = nst_result_decode(r, r->state.optim ? nst_optim_result(r->state.optim, r->state.x) : r->state.x, out,
                                   e);
        if (!status && r->late) /* time ended before the last scale began: the size is what was asked for */
            status = nst_ranks_agree(&r->ranks, *out ? nst_result_enlarge(r, out, e) : NST_OK, e);
    } else if (status == NST_EDIVERGED && r->state.last_finite) {
        nst_error why = *e;

        if (nst_result_decode(r, r->state.last_finite, out, e) == NST_OK)
            nst_fail(e, NST_EDIVERGED, "scale %d, iteration %d: %s; the picture before it is kept, a smaller learning "
                     "rate or style weight may help", p.scale, p.iteration, why.text);
    }
    nst_run_close(r);
    return status;
}

nst_status nst_transfer_known(nst_styles *known, const nst_settings *s, const nst_model *model,
                              const nst_image *content, const nst_image *const *styles, int n_styles,
                              const nst_image *init, nst_progress_fn *progress, void *arg, nst_image **out,
                              nst_error *e)
{
    nst_run r = { .job = { .settings = s, .model = model, .content = content, .init = init, .styles = styles,
                           .n_styles = n_styles, .style_cache = known } };

    return transfer(&r, NULL, progress, arg, out, e);
}

nst_status nst_transfer_frame(const nst_settings *s, const nst_model *model, const nst_image *content,
                              const nst_image *const *styles, int n_styles, const nst_image *init,
                              const nst_frame *frame, nst_progress_fn *progress, void *arg, nst_image **out,
                              nst_error *e)
{
    nst_run r = { .job = { .settings = s, .model = model, .content = content, .init = init, .styles = styles,
                           .n_styles = n_styles } };

    if (frame) {
        r.job.style_cache = frame->known;
        r.job.temporal = frame->temporal;
        r.job.n_temporal = frame->n_temporal;
    }
    return transfer(&r, NULL, progress, arg, out, e);
}

nst_status nst_transfer_across(const nst_settings *s, const nst_model *model, const nst_image *content,
                               const nst_image *const *styles, int n_styles, const nst_image *init,
                               const nst_comm *comm, nst_progress_fn *progress, void *arg, nst_image **out,
                               nst_error *e)
{
    nst_run r = { .job = { .settings = s, .model = model, .content = content, .init = init, .styles = styles,
                           .n_styles = n_styles, .comm = comm } };

    return transfer(&r, NULL, progress, arg, out, e);
}

nst_status nst_transfer(const nst_settings *s, const nst_model *model, const nst_image *content,
                        const nst_image *const *styles, int n_styles, const nst_image *init,
                        nst_progress_fn *progress, void *arg, nst_image **out, nst_error *e)
{
    return nst_transfer_known(NULL, s, model, content, styles, n_styles, init, progress, arg, out, e);
}

nst_status nst_transfer_resume(const nst_checkpoint *c, const nst_model *model, const nst_image *content,
                               const nst_image *const *styles, int n_styles, nst_progress_fn *progress, void *arg,
                               nst_image **out, nst_error *e)
{
    /* the start lies behind: any picture will do for it */
    nst_run r = { .job = { .settings = &c->s, .model = model, .content = content, .init = content, .styles = styles,
                           .n_styles = n_styles, .simd = c->saved.simd, .on_cpu = c->saved.on_cpu,
                           .limit = (size_t)c->saved.limit } };

    *out = NULL;
    if (!*c->s.simd && !nst_kernels_pick(c->saved.simd))
        return nst_fail(e, NST_EUNSUPPORTED, "%s: was painted with kernel set %s, which this machine or build does not "
                        "have; another set goes on to a picture that is not the same bit for bit", c->path,
                        c->saved.simd);
    return transfer(&r, c, progress, arg, out, e);
}
