/* transfer.c: the loop: scale by scale, losses and gradient, a step of the optimiser, a word to the caller. */
#include "engine/checkpoint.h"

#include <math.h>
#include <string.h>

/* ---- pictures from x ---------------------------------------------------------------- */

/* The content's colours for a result of any scale. */
static nst_status keep_colors(const nst_run *r, nst_image *out, nst_error *e)
{
    nst_image *content = NULL;
    nst_status s = nst_image_resize(&content, r->content, out->width, out->height, e);

    if (!s)
        nst_image_keep_colors(out, content, r->s->color_strength);
    nst_image_destroy(&content);
    return s;
}

/* Rows own..own_to-1 of x without the margin, into out. */
static void decode_rows(const nst_run *r, const float *x, const nst_strip *s, float *line, nst_image *out)
{
    size_t row = (size_t)out->width, plane = (size_t)(s->own_to - s->own) * (size_t)r->w;

    for (int y = s->own; y < s->own_to; y++) {
        const float *from = x + (size_t)(y - s->own) * (size_t)r->w + r->margin;
        float *to[3];

        if (y < r->margin || y >= r->h - r->margin)
            continue;
        for (size_t c = 0; c < 3; c++) {
            memcpy(line + c * row, from + c * plane, row * sizeof *line);
            to[c] = out->plane[c] + (size_t)(y - r->margin) * row;
        }
        nst_space_decode(&r->space, line, row, to);
    }
}

/* Floats of the largest strip but rank 0's. */
static size_t largest_strip(const nst_run *r)
{
    int rows = 0;

    for (int i = 1; i < nst_across_ranks(r); i++) {
        nst_strip s = nst_strip_at(r, r->w, r->h, i);

        rows = s.own_to - s.own > rows ? s.own_to - s.own : rows;
    }
    return 3 * (size_t)rows * (size_t)r->w;
}

/* x as a picture, without the margin and with the content's alpha; on rank 0, elsewhere NULL. */
static nst_status decode(nst_run *r, const float *x, nst_image **out, nst_error *e)
{
    int w = r->w - 2 * r->margin, h = r->h - 2 * r->margin;
    bool first = nst_across_rank(r) == 0;
    float *line = nst_calloc((size_t)w, 3 * sizeof *line), *buffer = NULL;
    nst_status s = NST_OK;

    *out = NULL;
    if (!line || (r->comm && first && !(buffer = nst_calloc(largest_strip(r), sizeof *buffer))))
        s = nst_fail(e, NST_EMEM, "%d x %d pixels: out of memory", w, h);
    else if (first)
        s = nst_image_create(out, w, h, r->content->channels, e);
    s = nst_across_agree(r, s, e);
    for (int rank = 0; rank < nst_across_ranks(r) && !s; rank++) {
        nst_strip strip = nst_strip_at(r, r->w, r->h, rank);
        const float *rows = nst_across_rows(r, rank, x, buffer);

        if (rows)
            decode_rows(r, rows, &strip, line, *out);
    }
    if (!s && first && r->alpha)
        memcpy((*out)->plane[3], r->alpha, (size_t)w * (size_t)h * sizeof *r->alpha);
    if (!s) { /* in agreement until here */
        if (first && r->s->color == NST_COLOR_CONTENT)
            s = keep_colors(r, *out, e);
        s = nst_across_agree(r, s, e);
    }
    if (s)
        nst_image_destroy(out);
    nst_free(line);
    nst_free(buffer);
    return s;
}

nst_status nst_progress_image(const nst_progress *p, nst_image **out, nst_error *e)
{
    nst_run *r = (nst_run *)p->state;

    *out = NULL;
    return decode(r, nst_optim_result(r->optim, r->x), out, e);
}

nst_status nst_progress_strength(const nst_progress *p, double strength, nst_error *e)
{
    nst_run *r = (nst_run *)p->state;
    nst_settings s = *r->asked;

    if (!(strength >= 0 && strength <= 100))
        return nst_fail(e, NST_EARG, "strength: %g is out of range, expected 0 to 100", strength);
    s.strength = strength;
    nst_settings_balance(&s);
    r->balanced.style_weight = s.style_weight;
    r->balanced.tv_weight = s.tv_weight;
    nst_optim_forget(r->optim);
    r->clock.best = r->clock.best_before = 1e300; /* none, as in schedule.c */
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
    bool good = r->layout[r->scale].good;
    nst_status s = nst_across_open(r, e);

    if (s)
        return s;
    r->dx = nst_calloc(n, sizeof *r->dx);
    if (good)
        r->good = nst_calloc(n, sizeof *r->good);
    *x = nst_calloc(n, sizeof **x);
    return r->dx && (!good || r->good) && *x ? NST_OK : nst_fail(e, NST_EMEM, "%d x %d pixels: out of memory", r->w, r->h);
}

/* The first x. */
static nst_status start(nst_run *r, float *x, nst_error *e)
{
    nst_image *picture = NULL;
    nst_status s = NST_OK;

    if (r->s->init == NST_INIT_IMAGE && !(s = nst_image_resize(&picture, r->init, r->w - 2 * r->margin,
                                                                r->h - 2 * r->margin, e)))
        s = nst_margin_add(&picture, r->margin, e);
    if (!s)
        nst_start(r->s, &r->space, r->picture, picture, r->strip.own, r->strip.own_to - r->strip.own, x);
    nst_image_destroy(&picture);
    return s;
}

/* Scale r->scale is made ready: x from the start or from the scale before, whose optimiser is carried over. */
static nst_status enter(nst_run *r, nst_error *e)
{
    float *before = r->x, *x = NULL;
    nst_optim *old = r->optim;
    int w = r->w, h = r->h;
    nst_optim_options o;
    nst_status s;

    if (nst_run_carries(r))
        r->optim = NULL; /* outlives its scale for as long as this one is made */
    else
        old = NULL;
    nst_run_leave(r);
    if ((s = nst_run_targets(r, e)) && (s = nst_run_give_way(r, s, e)))
        goto end;
    if ((s = nst_across_agree(r, allocate(r, &x, e), e)))
        goto end;
    if (before)
        s = nst_enlarge(r, old ? nst_optim_result(old, before) : before, w, h, x, e);
    else
        s = start(r, x, e);
    nst_image_destroy(&r->picture); /* its colours have been said */
    o = nst_run_optim(r);
    if (!s)
        s = nst_optim_create(&r->optim, &o, floats(r), x, e);
    if ((s = nst_across_agree(r, s, e)) || (old && (s = nst_enlarge_optim(r, old, w, h, e))))
        goto end;
    r->x = x;
    x = NULL;
    nst_free(before);

end:
    nst_optim_destroy(&old);
    nst_free(x);
    return s;
}

static void begin_progress(const nst_run *r, nst_progress *p)
{
    *p = (nst_progress){ .scales = r->plan.scales, .style_layers = r->n_layers, .state = r };
    for (int i = 0; i < r->n_layers; i++)
        p->style_name[i] = r->model->layer[r->style[i].layer].name;
    for (int i = 0; i < r->plan.scales; i++)
        p->total_iterations += r->plan.iterations[i];
}

/* A scale's iterations from p->iteration + 1 on.  *stop: the caller has had enough. */
static nst_status iterate(nst_run *r, nst_progress *p, nst_progress_fn *tell, void *arg, bool *stop, nst_error *e)
{
    size_t n = floats(r);
    double sum;

    p->scale = r->scale + 1;
    p->width = r->plan.width[r->scale];
    p->height = r->plan.height[r->scale];
    p->iterations = r->plan.iterations[r->scale];
    if (r->good)
        memcpy(r->good, r->x, n * sizeof *r->x);
    while (p->iteration < p->iterations && !*stop) {
        bool over;
        double at = nst_now();
        nst_status s;

        p->iteration++;
        if ((s = nst_run_evaluate(r, p, e)) &&
            ((s = nst_run_give_way(r, s, e)) || (s = nst_run_evaluate(r, p, e))))
            return s;
        if (r->good)
            memcpy(r->good, r->x, n * sizeof *r->x);
        nst_optim_step(&r->cpu, r->optim, r->dx, r->x);
        p->done++;
        p->seconds = nst_now() - at;
        r->spent += p->seconds;
        p->elapsed = nst_now() - r->began;
        nst_schedule_count(r, p);
        over = nst_across_schedule(r, p, nst_schedule_over(r, p));
        p->notice = *r->notice ? r->notice : NULL;
        *stop = nst_across_any(r, tell && tell(arg, p));
        *r->notice = 0;
        if (!*stop && over)
            *stop = r->late = true;
    }
    sum = nst_vec_abs(&r->cpu, n, r->x);
    nst_across_sum(r, &sum, 1);
    return nst_across_agree(r, isfinite(sum) ? NST_OK
                               : nst_fail(e, NST_EDIVERGED, "the picture is not made of finite numbers"), e);
}

/* ---- the public calls ------------------------------------------------------------------------ */

nst_status nst_transfer_plan_across(const nst_settings *s, const nst_model *model, const nst_image *content,
                                    const nst_image *const *styles, int n_styles, const nst_comm *comm, nst_plan *plan,
                                    nst_error *e)
{
    nst_run r = { .s = s, .model = model, .content = content, .styles = styles, .n_styles = n_styles, .comm = comm };
    nst_settings planned = *s;
    nst_error own;
    nst_status status;

    *plan = (nst_plan){ 0 };
    e = e ? e : &own;
    if (planned.init == NST_INIT_IMAGE) /* the start picture does not change the plan */
        planned.init = NST_INIT_CONTENT;
    r.s = &planned;
    if ((status = nst_run_open(&r, e)))
        return status;
    *plan = r.plan;
    nst_budget_tell(&r, plan);
    plan->seconds = nst_run_seconds(&r);
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
    nst_schedule_begin(r);
    r->began = nst_now();
    if (c && !(s = nst_checkpoint_restore(c, r, p, e))) {
        r->began -= p->elapsed;
        nst_schedule_resume(r, p);
    }
    for (; r->scale < r->plan.scales && !stop && !s; r->scale++) {
        if (!entered) {
            double at = nst_now();

            p->iteration = 0;
            s = enter(r, e);
            nst_schedule_enter(r, nst_now() - at);
        }
        entered = false;
        if (!s)
            s = iterate(r, p, progress, arg, &stop, e);
    }
    return s;
}

static nst_status enlarge_result(const nst_run *r, nst_image **out, nst_error *e)
{
    int last = r->plan.scales - 1;
    nst_image *large;
    nst_status s;

    if (nst_image_width(*out) == r->plan.width[last] && nst_image_height(*out) == r->plan.height[last])
        return NST_OK;
    s = nst_image_resize(&large, *out, r->plan.width[last], r->plan.height[last], e);
    nst_image_destroy(out);
    *out = large;
    return s;
}

/* Everything but what the result is made from, which takes its place. */
static void let_go(nst_run *r)
{
    nst_optim *optim = r->optim;
    float *alpha = r->alpha;

    r->alpha = NULL;
    if (nst_optim_result(optim, r->x) != r->x)
        r->optim = NULL;
    else
        optim = NULL;
    nst_run_leave(r);
    nst_graph_release(r->graph);
    r->optim = optim, r->alpha = alpha;
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
    if ((status = nst_run_open(r, e)))
        return status;
    if (!(status = paint(r, c, &p, progress, arg, e))) {
        let_go(r);
        status = decode(r, r->optim ? nst_optim_result(r->optim, r->x) : r->x, out, e);
        if (!status && r->late) /* time ended before the last scale began: the size is what was asked for */
            status = nst_across_agree(r, *out ? enlarge_result(r, out, e) : NST_OK, e);
    } else if (status == NST_EDIVERGED && r->good) {
        nst_error why = *e;

        if (decode(r, r->good, out, e) == NST_OK)
            nst_fail(e, NST_EDIVERGED, "scale %d, iteration %d: %s; the picture before it is kept, a smaller learning "
                     "rate or style weight may help", p.scale, p.iteration, why.text);
    }
    nst_run_close(r);
    return status;
}

nst_status nst_transfer_known(nst_styles *known, const nst_settings *s, const nst_model *model, const nst_image *content,
                              const nst_image *const *styles, int n_styles, const nst_image *init,
                              nst_progress_fn *progress, void *arg, nst_image **out, nst_error *e)
{
    nst_run r = { .s = s, .model = model, .content = content, .init = init, .styles = styles, .n_styles = n_styles,
                  .known = known };

    return transfer(&r, NULL, progress, arg, out, e);
}

nst_status nst_transfer_across(const nst_settings *s, const nst_model *model, const nst_image *content,
                               const nst_image *const *styles, int n_styles, const nst_image *init, const nst_comm *comm,
                               nst_progress_fn *progress, void *arg, nst_image **out, nst_error *e)
{
    nst_run r = { .s = s, .model = model, .content = content, .init = init, .styles = styles, .n_styles = n_styles,
                  .comm = comm };

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
    nst_run r = { .s = &c->s, .model = model, .content = content, .init = content, .styles = styles,
                  .n_styles = n_styles, .simd = c->saved.simd, .on_cpu = c->saved.on_cpu,
                  .limit = (size_t)c->saved.limit };

    *out = NULL;
    if (!*c->s.simd && !nst_kernels_pick(c->saved.simd))
        return nst_fail(e, NST_EUNSUPPORTED, "%s: was painted with kernel set %s, which this machine or build does not "
                        "have; another set goes on to a picture that is not the same bit for bit", c->path,
                        c->saved.simd);
    return transfer(&r, c, progress, arg, out, e);
}
