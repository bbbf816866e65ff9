/* bench.c: `nst bench`: the seconds, speed and error of each layer's convolution (bench_layers.c), the whole
 * iteration, the memory (bench_report.c). */
#include "cli/bench.h"
#include "cli/bench_parts.h"
#include "cli/models/models.h"
#include "cli/paths.h"

#include <math.h>
#include <string.h>

/* ---- weights of VGG19's shape, random: speed does not depend on their values ---- */

static void release(void *memory, size_t bytes)
{
    (void)bytes;
    nst_free(memory);
}

static nst_status random_model(nst_model **out, nst_error *e)
{
    static const struct { int block, layers, filters; } blocks[] = {
        { 1, 2, 64 }, { 2, 2, 128 }, { 3, 4, 256 }, { 4, 4, 512 }, { 5, 1, 512 },
    };
    nst_model *m = nst_calloc(1, sizeof *m);
    uint32_t state = 1;
    size_t n = 0, at = 0;
    int in = 3;
    float *w;

    *out = NULL;
    if (!m)
        return nst_fail(e, NST_EMEM, "random weights: out of memory");
    m->input = (nst_input){ false, { .485f, .456f, .406f }, { .229f, .224f, .225f } };
    for (size_t b = 0; b < NST_COUNT(blocks); b++)
        for (int i = 1; i <= blocks[b].layers; i++, in = blocks[b].filters) {
            nst_layer *l = &m->layer[m->layers++];

            *l = (nst_layer){ .block = blocks[b].block, .index = i, .in = in, .out = blocks[b].filters };
            snprintf(l->name, sizeof l->name, "conv%d_%d", l->block % 10, l->index % 10);
            n += (size_t)l->out * ((size_t)l->in * 9 + 1);
        }
    m->describe = nst_strdup("random weights of VGG19's shape");
    m->memory = w = nst_alloc(n * sizeof *w);
    m->release = release;
    if (!m->describe || !w) {
        nst_model_close(&m);
        return nst_fail(e, NST_EMEM, "random weights: out of memory");
    }
    for (int i = 0; i < m->layers; i++) {
        nst_layer *l = &m->layer[i];
        size_t taps = (size_t)l->out * (size_t)l->in * 9;
        float scale = sqrtf(6.f / (9.f * (float)l->in)); /* He: keeps the features' size from layer to layer */

        l->weight = w + at, at += taps;
        l->bias = w + at, at += (size_t)l->out;
        for (size_t k = 0; k < taps + (size_t)l->out; k++)
            (w + at - (size_t)l->out - taps)[k] = scale * uniform(&state) * (k < taps ? 1 : .05f);
    }
    *out = m;
    return NST_OK;
}

/* ---- the whole iteration: a run of the article's preset ---- */

struct watch {
    double least;
};

static int watch(void *arg, const nst_progress *p)
{
    struct watch *w = arg;

    if (p->iteration > 1)
        least(&w->least, p->seconds);
    return 0;
}

static nst_status measure_iteration(struct bench *b, const nst_settings *chosen, nst_error *e)
{
    nst_image *content = NULL, *style = NULL, *result = NULL;
    nst_settings *s = NULL;
    struct watch w = { INFINITY };
    uint32_t state = 5;
    nst_status status = nst_settings_create(&s, "opengenus", e);

    if (!status)
        status = nst_image_create(&content, b->size, b->size, 3, e);
    if (!status)
        status = nst_image_create(&style, b->size, b->size, 3, e);
    if (status)
        goto done;
    for (int c = 0; c < 3; c++)
        for (size_t i = 0; i < (size_t)b->size * (size_t)b->size; i++) {
            nst_image_plane(content, c)[i] = .5f + .5f * uniform(&state);
            nst_image_plane(style, c)[i] = .5f + .25f * uniform(&state);
        }
    s->size = 0, s->iterations = ROUNDS + 1, s->threads = chosen->threads;
    memcpy(s->simd, chosen->simd, sizeof s->simd);
    memcpy(s->conv, chosen->conv, sizeof s->conv);
    memcpy(s->device, b->device.device, sizeof b->device.device);
    memcpy(s->cache, b->cache, sizeof s->cache);
    status = nst_transfer(s, b->model, content, (const nst_image *const *)&style, 1, NULL, watch, &w, &result, e);
    b->iteration = w.least;

done:
    nst_image_destroy(&content);
    nst_image_destroy(&style);
    nst_image_destroy(&result);
    nst_settings_destroy(&s);
    return status;
}

nst_status nst_bench(const nst_command *c, const nst_settings *s, nst_error *e)
{
    struct bench b = { .size = s->size ? s->size : 512 };
    nst_status status;

    b.cpu.threads = s->threads ? s->threads : nst_par_cores();
    b.cpu.k = nst_kernels_pick(s->simd[0] ? s->simd : NULL);
    if (!b.cpu.k)
        return nst_fail(e, NST_EUNSUPPORTED, "kernel set \"%s\": not for this machine, see nst --version", s->simd);
    status = nst_device_find(s->device, &b.device, NULL, 0, e);
    if (status)
        return status;
    b.apart = strcmp(b.device.device, "cpu") != 0;
    nst_paths_cache(b.cache, sizeof b.cache);
    status = c->model ? nst_models_open(&b.model, c, e) : random_model(&b.model, e);
    if (status)
        return status;
    b.rows = b.model->layers;
    if (!b.apart)
        status = nst_bench_peak(&b, e);
    if (!status)
        status = nst_bench_layers(&b, s, e);
    if (!status)
        status = measure_iteration(&b, s, e);
    if (!status)
        (c->json ? nst_bench_json : nst_bench_table)(&b);
    nst_model_close(&b.model);
    return status;
}
