/* runs.h: runs of milliseconds that can be interrupted and go on: what the tests of checkpoints share. */
#ifndef NST_TESTS_RUNS_H
#define NST_TESTS_RUNS_H

#include "engine/checkpoint.h"
#include "model/model.h"
#include "../support/picture.h"
#include "../support/source.h"

static nst_model *model;
static nst_image *content, *style[2];

/* A network of VGG19's shape with a sixteenth of its channels: a run takes milliseconds, so that hundreds may. */
static inline void make_inputs(void)
{
    ck_assert_int_eq(nst_model_open(&model, source_file("tests/data/golden/tiny.safetensors"), NULL), NST_OK);
    content = smooth_image(70, 55, 4);
    style[0] = noise_image(48, 50, 3, 255);
    style[1] = smooth_image(61, 48, 3);
}

static inline void drop_inputs(void)
{
    nst_model_close(&model);
    nst_image_destroy(&content);
    nst_image_destroy(&style[0]);
    nst_image_destroy(&style[1]);
}

/* Two small scales of 4 and 3 iterations. */
static inline nst_settings *settings(const char *preset)
{
    nst_settings *s;

    ck_assert_int_eq(nst_settings_create(&s, preset, NULL), NST_OK);
    s->size = 54; /* 54x42 and 42x33: a side of 32 is the least */
    s->size_rule = NST_SIZE_LONGEST;
    s->margin /= 2;
    s->scales = 2;
    s->scale_step = 1.3;
    s->min_size = 32;
    s->first_iterations = 4;
    s->iterations = 3;
    s->history = 3; /* so that its ring goes round */
    strcpy(s->style_blend, "2,1");
    return s;
}

struct watch {
    int at;       /* iteration that writes the checkpoint; -1: none, and the first is the last */
    bool stop;    /* and is the last */
    int louder;   /* iteration after which the style counts more */
    int calls;
    double total; /* of the last iteration */
};

static inline int watch(void *arg, const nst_progress *p)
{
    struct watch *w = arg;
    nst_error e = { "" };

    w->calls++;
    if (p->done == w->louder) {
        ck_assert_int_eq(nst_progress_strength(p, 101, &e), NST_EARG);
        ck_assert_int_eq(nst_progress_strength(p, 80, &e), NST_OK);
    }
    w->total = p->total;
    if (p->done == w->at) {
        ck_assert_msg(nst_progress_checkpoint(p, "run.nst", "a note\nof two lines", &e) == NST_OK, "%s", e.text);
        return w->stop;
    }
    return w->at < 0;
}

static inline nst_image *paint(const nst_settings *s, struct watch *w)
{
    nst_error e = { "" };
    nst_image *out;

    ck_assert_msg(nst_transfer(s, model, content, (const nst_image *const *)style, 2, NULL, watch, w, &out,
                               &e) == NST_OK,
                  "%s", e.text);
    return out;
}

static inline nst_status resume(nst_image **out, struct watch *w, nst_error *e)
{
    nst_checkpoint *c;
    nst_status s = nst_checkpoint_open(&c, "run.nst", e);

    *out = NULL;
    if (!s)
        s = nst_transfer_resume(c, model, content, (const nst_image *const *)style, 2, watch, w, out, e);
    nst_checkpoint_close(&c);
    return s;
}

#endif
