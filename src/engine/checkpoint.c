/* checkpoint.c: a run between two iterations, written whole into a file from which it goes on. */
#include "engine/checkpoint.h"

#include <string.h>

const char *const nst_checkpoint_names[NST_CHECKPOINT_TENSORS] = {
    [NST_KEPT_X] = "x",               [NST_KEPT_OPTIMIZER] = "optimizer", [NST_KEPT_RHO] = "rho",
    [NST_KEPT_INPUTS] = "inputs",     [NST_KEPT_SETTINGS] = "settings",   [NST_KEPT_STATE] = "state",
    [NST_KEPT_NOTE] = "note",         [NST_KEPT_SUM] = "sum",
};
const char *const nst_checkpoint_types[NST_CHECKPOINT_TENSORS] = {
    [NST_KEPT_X] = "F32",      [NST_KEPT_OPTIMIZER] = "F32", [NST_KEPT_RHO] = "F64",  [NST_KEPT_INPUTS] = "U64",
    [NST_KEPT_SETTINGS] = "U8", [NST_KEPT_STATE] = "U8",     [NST_KEPT_NOTE] = "U8",  [NST_KEPT_SUM] = "U64",
};

static const nst_field fields[] = {
#define ROW(field, kind, min, max) \
    { #field, NST_FIELD_##kind, offsetof(nst_saved, field), sizeof((nst_saved *)0)->field, min, max }
    ROW(simd, TEXT, 0, 0),
    ROW(on_cpu, INT, 0, 1),
    ROW(styles, INT, 1, 100000),
    ROW(width, INT, 1, 2 * NST_MAX_SIDE),
    ROW(height, INT, 1, 2 * NST_MAX_SIDE),
    ROW(margin, INT, 0, 65535),
    ROW(scale, INT, 0, NST_MAX_LAYERS - 1),
    ROW(iteration, INT, 1, 10000000),
    ROW(done, INT, 1, INT32_MAX),
    ROW(best, REAL, -1e300, 1e300),
    ROW(best_before, REAL, -1e300, 1e300),
    ROW(elapsed, REAL, 0, 1e12),
    ROW(spent, REAL, 0, 1e12),
    ROW(loss, REAL, -1e300, 1e300),
    ROW(planned, INT, 1, 10000000),
    ROW(style_weight, REAL, 0, 1e300),
    ROW(tv_weight, REAL, 0, 1e300),
    ROW(limit, BITS, 0, 0),
    ROW(history, INT, 1, 1000),
    ROW(optim.step, INT, 0, INT32_MAX),
    ROW(optim.averaged, INT, 0, INT32_MAX),
    ROW(optim.pairs, INT, 0, 1000),
    ROW(optim.arrays, INT, 0, 2003),
    ROW(optim.diagonal, REAL, 0, 1e300),
#undef ROW
};

const nst_field *nst_saved_fields(int *n)
{
    *n = (int)NST_COUNT(fields);
    return fields;
}

/* ---- what the run was given ----------------------------------------------------------------- */

static void add_int(nst_sum *s, int v)
{
    unsigned char b[4] = { (unsigned char)v, (unsigned char)(v >> 8), (unsigned char)(v >> 16),
                           (unsigned char)(v >> 24) };

    nst_sum_add(s, b, sizeof b);
}

static void add_mask(nst_sum *s, const nst_mask *m)
{
    if (!m->weight)
        return;
    add_int(s, m->w);
    add_int(s, m->h);
    nst_sum_add(s, m->weight, (size_t)m->w * (size_t)m->h * sizeof(float));
}

static uint64_t image_sum(const nst_image *image)
{
    nst_sum s;

    nst_sum_begin(&s);
    add_int(&s, image->width);
    add_int(&s, image->height);
    add_int(&s, image->channels);
    for (int c = 0; c < image->channels; c++)
        nst_sum_add(&s, image->plane[c], (size_t)image->width * (size_t)image->height * sizeof(float));
    add_mask(&s, &image->place);
    add_mask(&s, &image->part);
    return nst_sum_end(&s);
}

static uint64_t model_sum(const nst_model *m)
{
    nst_sum s;

    nst_sum_begin(&s);
    add_int(&s, m->input.bgr);
    nst_sum_add(&s, m->input.mean, sizeof m->input.mean);
    nst_sum_add(&s, m->input.std, sizeof m->input.std);
    for (int i = 0; i < m->layers; i++) {
        const nst_layer *l = &m->layer[i];

        nst_sum_add(&s, l->name, strlen(l->name));
        add_int(&s, l->in);
        add_int(&s, l->out);
        nst_sum_add(&s, l->weight, (size_t)l->out * (size_t)l->in * 9 * sizeof(float));
        nst_sum_add(&s, l->bias, (size_t)l->out * sizeof(float));
    }
    return nst_sum_end(&s);
}

void nst_checkpoint_inputs(const nst_run *r, uint64_t *sums)
{
    sums[0] = model_sum(r->job.model);
    nst_model_release_pages(r->job.model);
    sums[1] = image_sum(r->job.content);
    for (int i = 0; i < r->job.n_styles; i++)
        sums[2 + i] = image_sum(r->job.styles[i]);
}

nst_status nst_run_sum_inputs(nst_run *r, nst_error *e)
{
    if (r->sums)
        return NST_OK;
    r->sums = nst_calloc(2 + (size_t)r->job.n_styles, sizeof *r->sums);
    if (!r->sums)
        return nst_fail(e, NST_EMEM, "checkpoint: out of memory");
    nst_checkpoint_inputs(r, r->sums);
    return NST_OK;
}

/* ---- writing ----------------------------------------------------------------------------------- */

struct writer {
    nst_run *r;
    nst_saved saved;
    char settings[8192], state[2048];
    const char *note;
    size_t bytes[NST_CHECKPOINT_TENSORS];
    FILE *f;
    nst_sum sum;
};

static void put(struct writer *w, const void *p, size_t bytes)
{
    nst_sum_add(&w->sum, p, bytes);
    fwrite(p, 1, bytes, w->f);
}

static void put_words(struct writer *w, const uint64_t *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char b[8];

        for (int k = 0; k < 8; k++)
            b[k] = (unsigned char)(v[i] >> 8 * k);
        put(w, b, sizeof b);
    }
}

/* Little-endian, whatever this machine is. */
static void put_floats(struct writer *w, const float *v, size_t n)
{
    unsigned char b[16384];

    while (n) {
        size_t count = n < sizeof b / 4 ? n : sizeof b / 4;

        for (size_t i = 0; i < count; i++) {
            uint32_t bits;

            memcpy(&bits, &v[i], sizeof bits);
            for (int k = 0; k < 4; k++)
                b[4 * i + (size_t)k] = (unsigned char)(bits >> 8 * k);
        }
        put(w, b, 4 * count);
        v += count;
        n -= count;
    }
}

/* Blanks make it, with its length's 8 bytes, a multiple of 64. */
static void put_header(struct writer *w)
{
    int pairs = w->saved.optim.pairs;
    char shape[NST_CHECKPOINT_TENSORS][64], text[2048];
    size_t at = 0;
    uint64_t length;
    int n = snprintf(text, sizeof text, "{\"__metadata__\":{\"nst.checkpoint\":\"%d %s\"}", NST_CHECKPOINT_FORMAT,
                     nst_version());

    snprintf(shape[NST_KEPT_X], 64, "3,%d,%d", w->saved.height, w->saved.width);
    snprintf(shape[NST_KEPT_OPTIMIZER], 64, "%d,3,%d,%d", w->saved.optim.arrays, w->saved.height, w->saved.width);
    snprintf(shape[NST_KEPT_RHO], 64, "%d", pairs);
    for (int i = NST_KEPT_INPUTS; i <= NST_KEPT_SUM; i++)
        snprintf(shape[i], 64, "%zu", w->bytes[i] / (strcmp(nst_checkpoint_types[i], "U8") ? 8 : 1));
    for (int i = 0; i < NST_CHECKPOINT_TENSORS; i++) {
        n += snprintf(text + n, sizeof text - (size_t)n,
                      ",\"%s\":{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
                      nst_checkpoint_names[i], nst_checkpoint_types[i], shape[i], at, at + w->bytes[i]);
        at += w->bytes[i];
    }
    text[n++] = '}';
    while ((n + 8) % 64)
        text[n++] = ' ';
    length = (uint64_t)n;
    put_words(w, &length, 1);
    put(w, text, (size_t)n);
}

static nst_status write_all(void *arg, FILE *f, nst_error *e)
{
    struct writer *w = arg;
    nst_run *r = w->r;
    size_t n = 3 * (size_t)r->w * (size_t)r->h;
    uint64_t sum;

    (void)e; /* what the disk says is asked by the caller */
    w->f = f;
    nst_sum_begin(&w->sum);
    put_header(w);
    put_floats(w, r->state.x, n);
    for (int i = 0; i < w->saved.optim.arrays; i++)
        put_floats(w, nst_optim_array(r->state.optim, i), n);
    for (int i = 0; i < w->saved.optim.pairs; i++) {
        uint64_t bits;

        memcpy(&bits, nst_optim_rho(r->state.optim, i), sizeof bits);
        put_words(w, &bits, 1);
    }
    put_words(w, r->sums, 2 + (size_t)r->job.n_styles);
    put(w, w->settings, w->bytes[NST_KEPT_SETTINGS]);
    put(w, w->state, w->bytes[NST_KEPT_STATE]);
    put(w, w->note, w->bytes[NST_KEPT_NOTE]);
    sum = nst_sum_end(&w->sum);
    put_words(w, &sum, 1);
    return NST_OK;
}

/* The texts, and how long everything is. */
static nst_status prepare(struct writer *w, const nst_progress *p, nst_error *e)
{
    nst_run *r = w->r;
    const nst_setup *u = &r->setup;
    size_t *bytes = w->bytes, n = 3 * (size_t)r->w * (size_t)r->h;
    const nst_field *rows;
    nst_status status;
    int count;

    w->saved = (nst_saved){ .on_cpu = nst_graph_on_cpu(u->graph), .styles = r->job.n_styles, .width = r->w,
                            .height = r->h, .margin = u->margin, .scale = r->scale,
                            .iteration = p->iteration, .done = p->done,
                            .elapsed = p->elapsed, .spent = r->spent, .loss = p->total,
                            .best = r->clock.best, .best_before = r->clock.best_before,
                            .planned = u->plan.iterations[r->scale], .style_weight = u->s.style_weight,
                            .tv_weight = u->s.tv_weight, .limit = u->limit,
                            .history = u->layout[r->scale].pairs };
    snprintf(w->saved.simd, sizeof w->saved.simd, "%s", u->cpu.k->name);
    nst_optim_state_get(r->state.optim, &w->saved.optim);
    rows = nst_settings_fields(&count);
    status = nst_fields_write(rows, count, r->job.settings, w->settings, sizeof w->settings,
                              &bytes[NST_KEPT_SETTINGS], e);
    if (status)
        return status;
    rows = nst_saved_fields(&count);
    status = nst_fields_write(rows, count, &w->saved, w->state, sizeof w->state, &bytes[NST_KEPT_STATE], e);
    if (status)
        return status;
    bytes[NST_KEPT_X] = n * sizeof(float);
    bytes[NST_KEPT_OPTIMIZER] = (size_t)w->saved.optim.arrays * n * sizeof(float);
    bytes[NST_KEPT_RHO] = (size_t)w->saved.optim.pairs * 8;
    bytes[NST_KEPT_INPUTS] = (2 + (size_t)r->job.n_styles) * 8;
    bytes[NST_KEPT_NOTE] = strlen(w->note);
    bytes[NST_KEPT_SUM] = 8;
    return NST_OK;
}

nst_status nst_progress_checkpoint(const nst_progress *p, const char *path, const char *note, nst_error *e)
{
    nst_run *r = (nst_run *)p->state;
    struct writer *w;
    nst_status s;

    if (r->job.comm)
        return nst_fail(e, NST_EUNSUPPORTED, "%s: several ranks write no checkpoints", path);
    if (r->job.n_temporal)
        return nst_fail(e, NST_EUNSUPPORTED, "%s: a frame that is held to others writes no checkpoints", path);
    if (note && strlen(note) > NST_CHECKPOINT_TEXT)
        return nst_fail(e, NST_EARG, "%s: the note has %zu bytes, at most %d are kept", path, strlen(note),
                        NST_CHECKPOINT_TEXT);
    s = nst_run_sum_inputs(r, e);
    if (s)
        return s;
    w = nst_calloc(1, sizeof *w);
    if (!w)
        return nst_fail(e, NST_EMEM, "%s: out of memory", path);
    w->r = r;
    w->note = note ? note : "";
    s = prepare(w, p, e);
    if (!s)
        s = nst_whole_write(path, write_all, w, e);
    nst_free(w);
    return s;
}
