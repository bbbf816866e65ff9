/* build.c: shapes and strides of the chain that was found become the layers of a model, its numbers floats. */
#define _DEFAULT_SOURCE /* madvise */
#include "model/tensors.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* More numbers in all than any VGG has by far. */
#define TOTAL_MAX ((size_t)1 << 28)

/* What a model from a file lives in: the mapping where its numbers are used in place, and copies. */
struct store {
    unsigned char *map;
    size_t map_bytes;
    float *copy;
};

static void release(void *memory, size_t bytes)
{
    struct store *s = memory;

    (void)bytes;
    if (s->map)
        munmap(s->map, s->map_bytes);
    nst_free(s->copy);
    nst_free(s);
}

#if defined(__linux__) && defined(MADV_DONTNEED)
static void rest(void *memory)
{
    struct store *s = memory;

    madvise(s->map, s->map_bytes, MADV_DONTNEED);
}
#else
#define rest NULL
#endif

/* ---- layers ------------------------------------------------------------------------------------------------------ */

static nst_status shape_layer(const nst_weights *w, const nst_found *c, nst_layer *l, size_t *numbers, nst_error *e)
{
    const nst_stored *t = &c->weight;
    size_t weights = 0, biases = 0;
    nst_status s;

    snprintf(l->name, sizeof l->name, "conv%d_%d", c->block, c->index);
    l->block = c->block;
    l->index = c->index;
    if (!t->name[0] || (!c->bias.name[0] && !c->steps && !c->without_bias))
        return nst_fail(e, NST_EFORMAT, "%s: layer %s has no %s", w->path, l->name, t->name[0] ? "bias" : "weight");
    if (t->dims != 4 || t->shape[2] != 3 || t->shape[3] != 3)
        return nst_fail(e, NST_EFORMAT, "%s: tensor %s has %d dimensions or a kernel that is not 3 x 3, expected "
                        "filters of 3 x 3", w->path, t->name, t->dims);
    if (c->bias.name[0] && c->bias.dims != 1)
        return nst_fail(e, NST_EFORMAT, "%s: tensor %s has %d dimensions, expected a number a filter", w->path,
                        c->bias.name, c->bias.dims);
    s = nst_stored_count(w, t, &weights, e);
    if (!s && c->bias.name[0])
        s = nst_stored_count(w, &c->bias, &biases, e);
    if (s)
        return s;
    l->out = (int)t->shape[0];
    l->in = (int)t->shape[1];
    if (c->bias.name[0] && biases != (size_t)l->out)
        return nst_fail(e, NST_EFORMAT, "%s: layer %s has %d filters but %zu biases", w->path, l->name, l->out, biases);
    *numbers += weights + (size_t)l->out;
    if (*numbers > TOTAL_MAX)
        return nst_fail(e, NST_EFORMAT, "%s: its layers are absurdly large", w->path);
    return NST_OK;
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

/* A model being made. */
struct build {
    nst_weights *w;
    nst_model *m;
    struct store *store;
    nst_input own;
    double matrix[9];
    bool mixes; /* the matrix is to be folded into the first layer */
};

static bool is_folded(const struct build *b, int i)
{
    return b->w->found[i].steps || b->w->found[i].without_bias || (i == 0 && b->mixes);
}

/* What of layer i is used where it lies in the file. */
static const float *in_place(const struct build *b, int i, const nst_stored *t)
{
    return is_folded(b, i) ? NULL : nst_stored_in_place(b->w, t);
}

static nst_status bring(const struct build *b, int i, const nst_stored *t, size_t n, const float **to, float **copy,
                        nst_error *e)
{
    nst_status s;

    *to = in_place(b, i, t);
    if (*to)
        return NST_OK;
    s = nst_stored_read(b->w, t, *copy, NULL, e);
    if (s)
        return s;
    *to = *copy;
    *copy += n;
    return NST_OK;
}

static nst_status bring_layer(const struct build *b, int i, float **copy, nst_error *e)
{
    const nst_found *c = &b->w->found[i];
    nst_layer *l = &b->m->layer[i];
    size_t n = (size_t)l->out * (size_t)l->in * 9, out = (size_t)l->out;
    float *own = *copy;
    nst_status s;

    if (!is_folded(b, i)) {
        s = bring(b, i, &c->weight, n, &l->weight, copy, e);
        return s ? s : bring(b, i, &c->bias, out, &l->bias, copy, e);
    }
    l->weight = own;
    l->bias = own + n;
    *copy += n + out;
    return nst_fold_layer(b->w, c, i == 0 && b->mixes ? b->matrix : NULL, own, own + n, e);
}

static void note_steps(nst_weights *w)
{
    int norms = 0, others = 0;

    for (int i = 0; i < w->count; i++)
        for (int k = 0; k < w->found[i].steps; k++) {
            bool norm = w->found[i].step[k].kind == NST_STEP_NORM;

            norms += norm;
            others += !norm;
        }
    if (norms)
        nst_weights_note(w, "folded: %d batch normalisation%s into the convolutions", norms, norms == 1 ? "" : "s");
    if (others)
        nst_weights_note(w, "folded: %d other step%s into the convolutions", others, others == 1 ? "" : "s");
}

static nst_status fill(struct build *b, nst_error *e)
{
    size_t all = 0, placed = 0;
    nst_weights *w = b->w;
    nst_model *m = b->m;
    float *copy;
    nst_status s = NST_OK;

    m->layers = w->count < NST_MODEL_LAYERS ? w->count : NST_MODEL_LAYERS;
    for (int i = 0; i < m->layers && !s; i++)
        s = shape_layer(w, &w->found[i], &m->layer[i], &all, e);
    note_steps(w);
    if (!s && w->fronts)
        s = nst_fold_front(w, &b->own, b->matrix, &b->mixes, e);
    if (s)
        return s;
    for (int i = 0; i < m->layers; i++) {
        const nst_layer *l = &m->layer[i];

        placed += in_place(b, i, &w->found[i].weight) ? (size_t)l->out * (size_t)l->in * 9 : 0;
        placed += in_place(b, i, &w->found[i].bias) ? (size_t)l->out : 0;
    }
    m->bytes = all * sizeof(float);
    b->store->copy = nst_calloc(all > placed ? all - placed : 1, sizeof(float));
    if (!b->store->copy)
        return nst_fail(e, NST_EMEM, "%s: out of memory for %zu numbers", w->path, all);
    copy = b->store->copy;
    for (int i = 0; i < m->layers; i++) {
        s = bring_layer(b, i, &copy, e);
        if (s)
            return s;
    }
    if (placed) {
        b->store->map = w->map;
        b->store->map_bytes = w->map_bytes;
        m->release_pages = placed == all ? rest : NULL;
        w->map = NULL;
    }
    return NST_OK;
}

/* Names tell the family where the file itself does not. */
static nst_status describe(nst_model *m, const nst_weights *w, nst_error *e)
{
    const char *slash = strrchr(w->path, '/');
    char text[512];
    size_t n = 0;
    const char *input = w->named ? "caffe" : "torchvision";
    nst_status s = NST_OK;

    if (w->own)
        nst_model_own_input(m, w->own);
    else
        s = nst_model_set_input(m, w->input ? w->input : input, e);
    if (s)
        return s;
    memcpy(m->note, w->note, sizeof m->note);
    if (w->why)
        m->input_why = w->why;
    else if (w->named)
        m->input_why = "its layers are named conv1_1 and so on, as in files that come from Caffe's";
    else
        m->input_why = "its layers are numbered, as torchvision's are; for a file that was converted from Caffe say "
                       "--model-input caffe";
    m->format = w->format;
    for (int i = 0; i < m->layers; i++)
        n += (size_t)m->layer[i].out * ((size_t)m->layer[i].in * 9 + 1);
    nst_plain_print(text, sizeof text, "%.200s: learned weights (%s), %d convolutions to %s, %.2f million numbers",
                    slash ? slash + 1 : w->path, w->format, m->layers, m->layer[m->layers - 1].name, (double)n / 1e6);
    m->describe = nst_strdup(text);
    if (!m->describe)
        return nst_fail(e, NST_EMEM, "%s: out of memory", w->path);
    return NST_OK;
}

nst_status nst_weights_build(nst_model **out, nst_weights *w, nst_error *e)
{
    nst_model *m = nst_calloc(1, sizeof *m);
    struct store *store = nst_calloc(1, sizeof *store);
    struct build b = { .w = w, .m = m, .store = store };
    nst_status s;

    *out = NULL;
    if (!m || !store) {
        nst_free(m);
        nst_free(store);
        return nst_fail(e, NST_EMEM, "%s: out of memory", w->path);
    }
    m->memory = store;
    m->release = release;
    s = fill(&b, e);
    if (!s)
        s = nst_model_check(m, w->path, e);
    if (!s)
        s = describe(m, w, e);
    if (s) {
        nst_model_close(&m);
        return s;
    }
    *out = m;
    return NST_OK;
}

nst_status nst_weights_finish(nst_model **out, nst_weights *w, nst_error *e)
{
    nst_status s = nst_weights_arrange(w, e);

    *out = NULL;
    return s ? s : nst_weights_build(out, w, e);
}
