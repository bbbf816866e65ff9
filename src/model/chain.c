/* chain.c: which of a file's tensors are the chain of convolutions.  Names that differ in their numbers only are a
 * group ("module.basenet.slice#.#"), its numbers are the order; the group whose first convolution reads a picture and
 * whose next ones read what the one before gives, for the longest, is the chain.  No name means anything of itself. */
#include "model/tensors.h"

#include <string.h>

#define LAYERS_MAX 40

/* ---- groups ------------------------------------------------------------------------------------------------------ */

static bool is_norm(const nst_module *m)
{
    return m->part[NST_MEAN].name[0] || m->part[NST_VARIANCE].name[0] ||
        (m->part[NST_WEIGHT].name[0] && m->part[NST_WEIGHT].dims == 1);
}

static bool is_kernel(const nst_stored *t, uint64_t side)
{
    return t->name[0] && t->dims == 4 && t->shape[2] == side && t->shape[3] == side;
}

/* A 1x1 convolution of the picture, as programs have it that take any picture and make Caffe's of it. */
static bool is_front(const nst_module *m)
{
    return is_kernel(&m->part[NST_WEIGHT], 1) && m->part[NST_WEIGHT].shape[0] == 3 &&
        m->part[NST_WEIGHT].shape[1] == 3;
}

/* How many convolutions of modules begin..end-1 are a chain from the picture on. */
static int score(const nst_module *m, int begin, int end)
{
    uint64_t in = 3;
    int n = 0;

    for (int i = begin; i < end; i++) {
        const nst_stored *t = &m[i].part[NST_WEIGHT];

        if (is_norm(&m[i]) || (n == 0 && is_front(&m[i])))
            continue;
        if (!is_kernel(t, 3) || t->shape[1] != in)
            break;
        in = t->shape[0];
        n++;
    }
    return n;
}

static int end_of(const nst_weights *w, int begin)
{
    int end = begin;

    while (end < w->modules && !strcmp(w->module[end].text, w->module[begin].text))
        end++;
    return end;
}

/* The group with the longest chain, the first of them in the file: its length, modules *begin..*end-1. */
static int best_group(const nst_weights *w, int *begin, int *end)
{
    int best = -1, order = 0;

    for (int i = 0, next; i < w->modules; i = next) {
        int n;

        next = end_of(w, i);
        n = score(w->module, i, next);
        if (n > best || (n == best && w->module[i].order < order)) {
            best = n;
            order = w->module[i].order;
            *begin = i;
            *end = next;
        }
    }
    return best;
}

/* ---- what was found instead -------------------------------------------------------------------------------------- */

/* How many convolutions there are, *first in the file's order. */
static int convolutions(const nst_weights *w, const nst_stored **first)
{
    int n = 0, order = -1;

    *first = NULL;
    for (int i = 0; i < w->modules; i++) {
        const nst_stored *t = &w->module[i].part[NST_WEIGHT];

        if (!t->name[0] || t->dims != 4)
            continue;
        if (order < 0 || w->module[i].order < order) {
            order = w->module[i].order;
            *first = t;
        }
        n++;
    }
    return n;
}

static nst_status no_chain(const nst_weights *w, const nst_module *m, nst_error *e)
{
    const nst_stored *t;
    int n = convolutions(w, &t);
    size_t count;
    nst_status s;

    if (m && !t && m->part[NST_WEIGHT].name[0] && m->part[NST_WEIGHT].dims > 2)
        return nst_fail(e, NST_EFORMAT, "%s: tensor %s has %d dimensions, expected filters of 3 x 3", w->path,
                        m->part[NST_WEIGHT].name, m->part[NST_WEIGHT].dims);
    if (!t)
        return nst_fail(e, NST_EFORMAT, "%s: holds no convolution, expected a chain of 3x3 convolutions as VGG's",
                        w->path);
    s = nst_stored_count(w, t, &count, e);
    if (s)
        return s;
    return nst_fail(e, NST_EFORMAT, "%s: holds %d convolution%s of which the first, %s, is %llux%llu and reads %llu "
                    "channels%s; expected a chain of 3x3 convolutions from a picture's 3 channels, as VGG's", w->path,
                    n, n == 1 ? "" : "s", t->name, (unsigned long long)t->shape[2], (unsigned long long)t->shape[3],
                    (unsigned long long)t->shape[1], t->shape[2] == 7 && n > 10 ? ": a ResNet-like network" : "");
}

/* The chain breaks within the group. */
static nst_status broken(const nst_weights *w, const nst_stored *t, int n, nst_error *e)
{
    const nst_stored *first;
    int all = convolutions(w, &first);

    if (t->dims != 4)
        return nst_fail(e, NST_EFORMAT, "%s: tensor %s has %d dimensions, expected filters of 3 x 3", w->path, t->name,
                        t->dims);
    return nst_fail(e, NST_EFORMAT, "%s: holds %d convolution%s of which the first %d are a chain, but %s is "
                    "%llux%llu, expected 3 x 3 as VGG's", w->path, all, all == 1 ? "" : "s", n, t->name,
                    (unsigned long long)t->shape[2], (unsigned long long)t->shape[3]);
}

/* ---- the chain --------------------------------------------------------------------------------------------------- */

/* What is being made of a group. */
struct chain {
    nst_weights *w;
    nst_module *conv[LAYERS_MAX + 1], *norm[LAYERS_MAX + 1];
    int count;
    bool more;        /* than LAYERS_MAX */
    nst_status end;   /* what is wrong where the chain breaks, which does not matter behind its end */
    nst_error why;
    int front_number; /* the last number of the name of the 1x1 convolution in front, -1 without one */
    bool norms;       /* the group has batch normalisations of its own */
};

static int last_number(const nst_module *m)
{
    return m->numbers ? m->number[m->numbers - 1] : 0;
}

static nst_status check_norm(const nst_weights *w, const nst_module *m, nst_error *e)
{
    for (int i = NST_MEAN; i <= NST_VARIANCE; i++)
        if (!m->part[i].name[0])
            return nst_fail(e, NST_EFORMAT, "%s: %s is a batch normalisation without %s: it cannot be folded", w->path,
                            m->name, i == NST_MEAN ? "running_mean" : "running_var");
    return NST_OK;
}

static void set_step(nst_step *to, nst_step_kind kind, const nst_module *m)
{
    *to = (nst_step){ .kind = kind, .epsilon = 1e-5 };
    memcpy(to->part, m->part, sizeof to->part);
}

/* A batch normalisation of the group: of the picture, or of the convolution whose place is the one before. */
static nst_status take_norm(struct chain *c, nst_module *m, nst_error *e)
{
    nst_weights *w = c->w;
    const nst_module *conv = c->count ? c->conv[c->count - 1] : NULL;
    nst_status s = check_norm(w, m, e);
    int behind;

    if (s)
        return s;
    if (!conv) {
        if (w->fronts == NST_FRONT || m->part[NST_MEAN].dims != 1 || m->part[NST_MEAN].shape[0] != 3)
            return nst_fail(e, NST_EFORMAT, "%s: the batch normalisation %s stands before the first convolution, but "
                            "is none of a picture's 3 channels", w->path, m->name);
        set_step(&w->front[w->fronts++], NST_STEP_NORM, m);
        c->front_number = last_number(m);
        return NST_OK;
    }
    behind = last_number(m) - last_number(conv);
    if (c->norm[c->count - 1] || (behind != 1 && !(behind <= 0 && last_number(m) == 0)))
        return nst_fail(e, NST_EFORMAT, "%s: the batch normalisation %s does not stand directly behind the convolution "
                        "%s: it cannot be folded", w->path, m->name, conv->name);
    c->norm[c->count - 1] = m;
    c->norms = true;
    return NST_OK;
}

/* The modules of the group up to where it breaks. */
static void collect(struct chain *c, int begin, int end)
{
    nst_weights *w = c->w;

    for (int i = begin; i < end && !c->end; i++) {
        nst_module *m = &w->module[i];

        if (is_norm(m)) {
            c->end = take_norm(c, m, &c->why);
        } else if (!c->count && is_front(m) && w->fronts < NST_FRONT) {
            set_step(&w->front[w->fronts++], NST_STEP_MATRIX, m);
            c->front_number = last_number(m);
        } else if (c->count >= 2 && m->part[NST_WEIGHT].dims == 2) {
            return; /* a classifier in the same row */
        } else if (c->count == LAYERS_MAX) {
            c->more = true;
            return;
        } else if (m->part[NST_WEIGHT].name[0] && !is_kernel(&m->part[NST_WEIGHT], 3)) {
            c->end = broken(w, &m->part[NST_WEIGHT], c->count, &c->why);
        } else {
            c->conv[c->count++] = m;
        }
    }
}

/* The normalisation among begin..end-1 whose numbers are the convolution's. */
static nst_module *partner(const nst_weights *w, const nst_module *conv, int begin, int end)
{
    for (int i = begin; i < end; i++) {
        nst_module *m = &w->module[i];

        if (m->numbers == conv->numbers && !memcmp(m->number, conv->number, (size_t)m->numbers * sizeof *m->number) &&
            m->part[NST_VARIANCE].name[0] && m->part[NST_VARIANCE].dims == 1 &&
            m->part[NST_VARIANCE].shape[0] == conv->part[NST_WEIGHT].shape[0])
            return m;
    }
    return NULL;
}

/* Normalisations under names of their own, bn1_1 for conv1_1: a group that has one for each convolution. */
static void find_norms(struct chain *c)
{
    const nst_weights *w = c->w;
    nst_module *norm[LAYERS_MAX + 1] = { NULL };

    if (c->norms || !c->count || !c->conv[0]->numbers)
        return;
    for (int begin = 0, end; begin < w->modules; begin = end) {
        int n = 0;

        end = end_of(w, begin);
        while (n < c->count) {
            norm[n] = partner(w, c->conv[n], begin, end);
            if (!norm[n])
                break;
            n++;
        }
        if (n < c->count)
            continue;
        memcpy(c->norm, norm, sizeof norm);
        return;
    }
}

static nst_status number(struct chain *c, nst_error *e)
{
    nst_weights *w = c->w;
    nst_place place[LAYERS_MAX + 1];

    for (int i = 0; i < c->count; i++) {
        const nst_module *m = c->conv[i];
        const nst_stored *t = &m->part[NST_WEIGHT];

        place[i] = (nst_place){ m->name, m->number, c->norms && c->norm[i], t->dims == 4 ? t->shape[0] : 0 };
    }
    return nst_weights_number(w, place, c->count, c->conv[0]->numbers,
                              c->front_number < 0 ? 0 : last_number(c->conv[0]) - c->front_number, e);
}

/* From what was collected and numbered into w->found, with a look at what the layers lack. */
static nst_status keep(struct chain *c, nst_error *e)
{
    nst_weights *w = c->w;

    for (int i = 0; i < w->count; i++) {
        nst_found *to = &w->found[i];
        const nst_module *m = c->conv[i];

        to->weight = m->part[NST_WEIGHT];
        to->bias = m->part[NST_BIAS];
        if (!to->weight.name[0]) {
            const nst_stored *other = NULL;

            for (int k = 0; k < w->modules && !other; k++)
                if (strcmp(w->module[k].text, m->text) && w->module[k].part[NST_WEIGHT].name[0])
                    other = &w->module[k].part[NST_WEIGHT];
            return nst_fail(e, NST_EFORMAT, "%s: layer conv%d_%d (%s) has no weight%s%s%s", w->path, to->block,
                            to->index, m->name, other ? "; " : "", other ? other->name : "",
                            other ? " is named in another way" : "");
        }
        if (c->norm[i])
            set_step(&to->step[to->steps++], NST_STEP_NORM, c->norm[i]);
    }
    return NST_OK;
}

nst_status nst_weights_arrange(nst_weights *w, nst_error *e)
{
    struct chain c = { .w = w, .front_number = -1 };
    const nst_stored *first;
    int begin = 0, end = 0, n;
    nst_status s;

    if (!w->modules)
        return no_chain(w, NULL, e);
    nst_modules_sort(w);
    n = best_group(w, &begin, &end);
    if (n < 1 || (n == 1 && end - begin == 1 && convolutions(w, &first) > 2))
        return no_chain(w, &w->module[begin], e);
    collect(&c, begin, end);
    if (!c.count)
        return nst_fail(e, c.end, "%s", c.why.text);
    find_norms(&c);
    s = number(&c, e);
    if (s)
        return s;
    if (c.end && w->count == c.count && !nst_weights_complete(w))
        return nst_fail(e, c.end, "%s", c.why.text);
    if (c.more && w->count > NST_MODEL_LAYERS)
        return nst_fail(e, NST_EFORMAT, "%s: has more than %d layers, expected a VGG", w->path, LAYERS_MAX);
    if (w->count > NST_MODEL_LAYERS)
        w->count = NST_MODEL_LAYERS;
    return keep(&c, e);
}
