/* transfer.c: the loop: scale by scale, losses and gradient, a step of the optimiser, a word to the caller. */
#include "checkpoint.h"

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

/* x as a picture, without the margin and with the content's alpha. */
static nst_status decode(const nst_run *r, const float *x, nst_image **out, nst_error *e)
{
    int w = r->w - 2 * r->margin, h = r->h - 2 * r->margin;
    size_t row = (size_t)w, plane = (size_t)r->w * (size_t)r->h;
    float *line = nst_alloc(3 * row * sizeof *line);
    nst_status s = line ? nst_image_create(out, w, h, r->content->channels, e)
                        : nst_fail(e, NST_EMEM, "%d x %d pixels: out of memory", w, h);

    for (int y = 0; y < h && !s; y++) {
        const float *from = x + (size_t)(y + r->margin) * (size_t)r->w + r->margin;
        float *to[3];

        for (size_t c = 0; c < 3; c++) {
            memcpy(line + c * row, from + c * plane, row * sizeof *line);
            to[c] = (*out)->plane[c] + (size_t)y * row;
        }
        nst_space_decode(&r->space, line, row, to);
    }
    if (!s && r->alpha)
        memcpy((*out)->plane[3], r->alpha, row * (size_t)h * sizeof *r->alpha);
    nst_free(line);
    if (!s && r->s->color == NST_COLOR_CONTENT && (s = keep_colors(r, *out, e)))
        nst_image_destroy(out);
    return s;
}

nst_status nst_progress_image(const nst_progress *p, nst_image **out, nst_error *e)
{
    const nst_run *r = p->state;

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
    nst_settings_balance(&s, r->model->wavelet);
    r->balanced.style_weight = s.style_weight;
    r->balanced.tv_weight = s.tv_weight;
    nst_optim_forget(r->optim);
    r->clock.best = r->clock.best_before = 1e300; /* none, as in schedule.c */
    return NST_OK;
}

/* ---- one scale --------------------------------------------------------------------------- */

/* The x of this scale from the picture that the scale before ended with, kept in [0,1]; dx is scratch. */
static void enlarge(const nst_run *r, const float *from, int w, int h, float *x)
{
    int m = r->margin, iw = w - 2 * m, ow = r->w - 2 * m, oh = r->h - 2 * m;
    float *large = r->dx + (size_t)r->w * (size_t)r->h;

    for (size_t c = 0; c < 3; c++) {
        const float *in = from + (c * (size_t)h + (size_t)m) * (size_t)w + m;
        float *out = x + c * (size_t)r->w * (size_t)r->h;

        for (int y = 0; y < h - 2 * m; y++)
            memcpy(r->dx + (size_t)y * (size_t)iw, in + (size_t)y * (size_t)w, (size_t)iw * sizeof *in);
        nst_plane_bicubic(r->dx, iw, h - 2 * m, large, ow, oh);
        for (int y = 0; y < oh; y++)
            for (int i = 0; i < ow; i++)
                out[(size_t)(y + m) * (size_t)r->w + (size_t)(i + m)] =
                    fminf(fmaxf(large[(size_t)y * (size_t)ow + (size_t)i], r->low[c]), r->high[c]);
        nst_margin_fill(out, r->w, r->h, m);
    }
}

/* Scale r->scale is made ready: x from the start or from the scale before, whose optimiser is carried over. */
static nst_status enter(nst_run *r, nst_error *e)
{
    float *before = r->x, *x = NULL;
    nst_optim *old = r->optim;
    nst_image *start = NULL;
    int w = r->w, h = r->h;
    nst_optim_options o;
    size_t n;
    nst_status s;

    if (nst_run_carries(r))
        r->optim = NULL; /* outlives its scale for as long as this one is made */
    else
        old = NULL;
    nst_run_leave(r);
    if ((s = nst_run_targets(r, e)) && (s = nst_run_give_way(r, s, e)))
        goto end;
    n = 3 * (size_t)r->w * (size_t)r->h;
    r->dx = nst_calloc(n, sizeof *r->dx);
    if (r->layout[r->scale].good)
        r->good = nst_calloc(n, sizeof *r->good);
    x = nst_calloc(n, sizeof *x);
    if (!r->dx || (r->layout[r->scale].good && !r->good) || !x) {
        s = nst_fail(e, NST_EMEM, "%d x %d pixels: out of memory", r->w, r->h);
        goto end;
    }
    if (before) {
        enlarge(r, old ? nst_optim_result(old, before) : before, w, h, x);
    } else {
        if (r->s->init == NST_INIT_IMAGE && ((s = nst_image_resize(&start, r->init, r->w - 2 * r->margin,
                                                                     r->h - 2 * r->margin, e)) ||
                                               (s = nst_margin_add(&start, r->margin, e))))
            goto end;
        nst_start(r->s, &r->space, r->picture, start, x);
    }
    r->exact_left = nst_run_exact_fits(r, r->w, r->h) ? 2 : 0;
    if (!r->exact_left)
        nst_image_destroy(&r->picture); /* its colours have been said */
    o = nst_run_optim(r);
    if ((s = nst_optim_create(&r->optim, &o, n, x, e)))
        goto end;
    if (old)
        nst_optim_carry(old, w, h, r->optim, r->w, r->h);
    r->x = x;
    x = NULL;
    nst_free(before);

end:
    nst_image_destroy(&start);
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
    size_t n = 3 * (size_t)r->w * (size_t)r->h;

    p->scale = r->scale + 1;
    p->width = r->plan.width[r->scale];
    p->height = r->plan.height[r->scale];
    p->iterations = r->plan.iterations[r->scale];
    if (r->good)
        memcpy(r->good, r->x, n * sizeof *r->x);
    while (p->iteration < p->iterations && !*stop) {
        bool usual = r->exact_left == 0;
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
        nst_schedule_count(r, p, usual);
        p->notice = *r->notice ? r->notice : NULL;
        *stop = tell && tell(arg, p);
        *r->notice = 0;
        if (!*stop && nst_schedule_over(r, p))
            *stop = r->late = true;
    }
    return isfinite(nst_vec_abs(&r->cpu, n, r->x)) ? NST_OK
         : nst_fail(e, NST_EDIVERGED, "the picture is not made of finite numbers");
}

/* ---- the public calls ------------------------------------------------------------------------ */

nst_status nst_transfer_plan(const nst_settings *s, const nst_model *model, const nst_image *content,
                             const nst_image *const *styles, int n_styles, nst_plan *plan, nst_error *e)
{
    nst_run r = { .s = s, .model = model, .content = content, .styles = styles, .n_styles = n_styles };
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
            status = enlarge_result(r, out, e);
    } else if (status == NST_EDIVERGED && r->good) {
        nst_error why = *e;

        if (decode(r, r->good, out, NULL) == NST_OK)
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
