/* masked_run.h: losses and gradient of a run at one x, for tests of styles in regions and of pictures with alpha. */
#ifndef NST_MASKED_RUN_H
#define NST_MASKED_RUN_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/run.h"
#include "../support/scene.h"

/* Columns from..to - 1 are white, three columns beside them grey. */
static inline nst_image *stripe(int w, int h, int from, int to)
{
    nst_image *p = NULL;

    ck_assert(nst_image_create(&p, w, h, 3, NULL) == NST_OK);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                float beside = x >= from - 3 && x < to + 3 ? .5f : 0;

                p->plane[c][y * w + x] = x >= from && x < to ? 1 : beside;
            }
    return p;
}

static inline nst_model *model(void)
{
    static nst_model *m;

    if (!m)
        ck_assert(nst_model_open(&m, "small", NULL) == NST_OK);
    return m;
}

static inline nst_settings *settings(const char *preset, int size)
{
    nst_settings *s = NULL;

    ck_assert(nst_settings_create(&s, preset, NULL) == NST_OK);
    s->size = size;
    s->size_rule = NST_SIZE_LONGEST;
    s->scales = 1;
    s->color = NST_COLOR_STYLE;
    s->pooling = NST_POOL_AVERAGE; /* smooth: a step does not take a maximum elsewhere, nor does rounding */
    strcpy(s->device, "auto");
    return s;
}

struct run {
    nst_run r;
    nst_progress p;
};

/* Losses and gradient at the content with noise, plus step times direction (the gradient of another call, or NULL). */
static inline void evaluate(struct run *t, const nst_settings *s, const nst_image *content,
                            const nst_image *const *styles,
                     int n_styles, double step, const float *direction)
{
    nst_random random = { 7 };
    nst_error e = { "" };
    size_t n;

    *t = (struct run){ .r = { .job = { .settings = s, .model = model(), .content = content, .styles = styles,
                                       .n_styles = n_styles } } };
    ck_assert_msg(nst_run_open(&t->r, &e) == NST_OK, "%s", e.text);
    ck_assert_msg(nst_run_targets(&t->r, &e) == NST_OK, "%s", e.text);
    n = 3 * (size_t)t->r.w * (size_t)t->r.h;
    t->r.state.x = nst_calloc(n, sizeof *t->r.state.x);
    t->r.state.dx = nst_calloc(n, sizeof *t->r.state.dx);
    nst_start(s, &t->r.setup.space, t->r.targets.picture, NULL, 0, t->r.h, t->r.state.x);
    for (size_t i = 0; i < n; i++)
        t->r.state.x[i] += .1f * (t->r.setup.high[0] - t->r.setup.low[0]) * (nst_random_uniform(&random) - .5f) +
                     (direction ? (float)step * direction[i] : 0);
    ck_assert_msg(nst_run_evaluate(&t->r, &t->p, &e) == NST_OK, "%s", e.text);
}

static inline double difference(const nst_run *a, const nst_run *b)
{
    double d = 0, n = 0;

    ck_assert(a->w == b->w && a->h == b->h);
    for (size_t i = 0; i < 3 * (size_t)a->w * (size_t)a->h; i++) {
        d += pow((double)a->state.dx[i] - (double)b->state.dx[i], 2);
        n += pow((double)a->state.dx[i], 2);
    }
    return sqrt(d / n);
}

#endif
