/* preset.c: what each program's defaults are, and which settings make sense. */
#include "engine/settings/settings.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SQRT2 1.4142135623730951
#define FIVE "conv1_1,conv2_1,conv3_1,conv4_1,conv5_1"

/* What no preset changes. */
#define BASE .min_size = 128, .strength = 50, .style_scale = 1, .color_strength = 1, .beta1 = .9, .device = "auto", \
    .conv = "auto"
#define COMMON BASE, .content_layers = "conv4_2"

static const struct preset {
    const char *summary;
    nst_settings s;
} presets[] = {
    { "coarse to fine, Wasserstein-2, content recoloured (the default)",
      { BASE, .preset = "nst", .size = 512, .size_enlarge = 1, .scales = 0, .iterations = 50,
        .scale_step = SQRT2, .content_weight = 1, .style_weight = 7,
        .tv_weight = .3, .content_layers = "conv4_2",
        .style_layers = "conv1_1:0.5,conv2_1:0.7,conv3_1:1,conv4_1:1.4,conv5_1:1.4",
        .style_loss = NST_STYLE_W2, .layer_norm = NST_NORM_TARGET, .tv = NST_TV_MEAN_SQUARES,
        .color = NST_COLOR_MATCH, .space = NST_SPACE_MODEL, .replicate = 1, .margin = 16, .optimizer = NST_LBFGS,
        .beta2 = .999,
        .history = 12, .first_step = .002, .init_noise = .25 } },
    /* The side that becomes the shorter one is cut to the longer one's length, as torchvision's Resize
     * of max(image.size) does. */
    { "the OpenGenus article: raw Gram matrices, Adam, style stretched to the content",
      { COMMON, .preset = "opengenus", .size = 400, .size_rule = NST_SIZE_SHORTEST, .scales = 1, .scale_step = SQRT2,
        .iterations = 2000, .content_weight = 1, .style_weight = 1e6,
        .style_layers = "conv1_1:1,conv2_1:0.8,conv3_1:0.5,conv4_1:0.3,conv5_1:0.1",
        .style_loss = NST_STYLE_GRAM_RAW, .style_fit = NST_FIT_STRETCH, .space = NST_SPACE_IMAGENET,
        .optimizer = NST_ADAM, .learning_rate = .003, .beta2 = .999, .history = 100 } },
    { "Gatys' own code: Gram matrices, L-BFGS, 512 then 800 pixels",
      { COMMON, .preset = "gatys", .size = 800, .size_rule = NST_SIZE_SHORTEST, .size_enlarge = 1, .scales = 2,
        .scale_step = 1.5625, .iterations = 200, .first_iterations = 500, .content_weight = 1,
        .style_weight = 1e3, .style_layers = FIVE, .style_loss = NST_STYLE_GRAM,
        .layer_norm = NST_NORM_INVERSE_SQUARE, .space = NST_SPACE_BGR255, .optimizer = NST_LBFGS,
        .beta2 = .999, .history = 100 } },
    { "jcjohnson/neural-style: Gram matrices over all elements, L-BFGS from noise",
      { COMMON, .preset = "neural-style", .size = 512, .size_enlarge = 1, .scales = 1, .scale_step = SQRT2,
        .iterations = 1000,
        .content_weight = 5, .style_weight = 100, .tv_weight = 1e-3, .style_layers = FIVE,
        .style_loss = NST_STYLE_GRAM_NM, .tv = NST_TV_HALF_SQUARES, .space = NST_SPACE_BGR256, .pool_ceil = 1,
        .optimizer = NST_LBFGS, .beta2 = .999, .history = 100, .init = NST_INIT_RANDOM, .init_sigma = .001 } },
    { "ProGamerGov/neural-style-pt: as neural-style, on 255, total variation of absolute differences",
      { COMMON, .preset = "neural-style-pt", .size = 512, .size_enlarge = 1, .scales = 1, .scale_step = SQRT2,
        .iterations = 1000, .content_weight = 5, .style_weight = 100, .tv_weight = 1e-3, .style_layers = FIVE,
        .style_loss = NST_STYLE_GRAM_NM, .tv = NST_TV_ABSOLUTE, .space = NST_SPACE_BGR255,
        .optimizer = NST_LBFGS, .beta2 = .999, .history = 100, .init = NST_INIT_RANDOM, .init_sigma = .001 } },
    { "anishathalye/neural-style: Gram matrices, Adam from noise, the content's own size",
      { COMMON, .preset = "anishathalye", .scales = 1, .scale_step = SQRT2, .iterations = 1000, .content_weight = 5,
        .style_weight = 500, .tv_weight = 100,
        .style_layers = "conv1_1:0.2,conv2_1:0.2,conv3_1:0.2,conv4_1:0.2,conv5_1:0.2",
        .style_loss = NST_STYLE_GRAM_NM, .tv = NST_TV_MEAN_SQUARES, .style_fit = NST_FIT_WIDTH,
        .space = NST_SPACE_RGB255, .pool_ceil = 1, .optimizer = NST_ADAM, .learning_rate = 10, .beta2 = .999,
        .history = 100, .init = NST_INIT_RANDOM, .init_sigma = .256 } },
    /* 1e4 * 0.2 / 5 layers * sum((G-A)^2) / (4 n^2 m^2) of matrices that are sums: 1e4 * 0.01 * mean((G-A)^2) of
     * ours, which are divided by m. */
    { "cysmith/neural-style-tf: Gram matrices, average pooling, L-BFGS from the content",
      { COMMON, .preset = "neural-style-tf", .size = 512, .scales = 1, .scale_step = SQRT2,
        .iterations = 1000, .content_weight = 5, .style_weight = 1e4, .tv_weight = 1e-3,
        .style_layers = "conv1_1:0.01,conv2_1:0.01,conv3_1:0.01,conv4_1:0.01,conv5_1:0.01",
        .style_loss = NST_STYLE_GRAM, .content_loss = NST_CONTENT_ROOT, .tv = NST_TV_ABSOLUTE,
        .style_fit = NST_FIT_STRETCH, .space = NST_SPACE_RGB255, .pooling = NST_POOL_AVERAGE, .pool_ceil = 1,
        .optimizer = NST_LBFGS, .beta2 = .999, .history = 10 } },
    { "crowsonkb/style-transfer-pytorch: Wasserstein-2, Adam, coarse to fine, averaged",
      { COMMON, .preset = "style-transfer-pytorch", .size = 512, .size_enlarge = 1, .scales = 0, .scale_step = SQRT2,
        .iterations = 500, .first_iterations = 1000, .content_weight = .015, .style_weight = 1, .tv_weight = 2,
        .style_layers = "conv1_1:0.75073313783,conv2_1:0.18768328446,conv3_1:0.046920821114,"
                        "conv4_1:0.011730205279,conv5_1:0.0029325513196",
        .style_loss = NST_STYLE_W2, .tv = NST_TV_NINE_POINT, .style_fit = NST_FIT_SHRINK,
        .space = NST_SPACE_RGB, .replicate = 1, .optimizer = NST_ADAM, .learning_rate = .02, .beta2 = .99,
        .average = .99, .history = 10, .clamp = 1 } },
    { "the same program in 2021: Gram matrices, losses over their own absolute differences",
      { COMMON, .preset = "style-transfer-pytorch-2021", .size = 512, .size_enlarge = 1, .scales = 0,
        .scale_step = SQRT2,
        .iterations = 500, .first_iterations = 1000, .content_weight = .015, .style_weight = 1, .tv_weight = 2,
        .style_layers = "conv1_1:0.75073313783,conv2_1:0.18768328446,conv3_1:0.046920821114,"
                        "conv4_1:0.011730205279,conv5_1:0.0029325513196",
        .style_loss = NST_STYLE_GRAM_SCALED, .content_loss = NST_CONTENT_SCALED, .tv = NST_TV_REPLICATED,
        .style_fit = NST_FIT_SHRINK, .space = NST_SPACE_RGB, .replicate = 1, .optimizer = NST_ADAM,
        .learning_rate = .02, .beta2 = .999, .average = .99, .history = 10, .clamp = 1 } },
};

const char *nst_preset_name(int i)
{
    return i >= 0 && (size_t)i < NST_COUNT(presets) ? presets[i].s.preset : NULL;
}

const char *nst_preset_summary(int i)
{
    return i >= 0 && (size_t)i < NST_COUNT(presets) ? presets[i].summary : NULL;
}

nst_status nst_settings_create(nst_settings **out, const char *preset, nst_error *e)
{
    *out = NULL;
    for (size_t i = 0; i < NST_COUNT(presets); i++) {
        if (preset && strcmp(preset, presets[i].s.preset) != 0)
            continue;
        *out = nst_alloc(sizeof **out);
        if (!*out)
            return nst_fail(e, NST_EMEM, "settings: out of memory");
        **out = presets[i].s;
        return NST_OK;
    }
    return nst_fail(e, NST_EARG, "preset \"%s\": unknown, see nst --preset list", preset);
}

void nst_settings_destroy(nst_settings **s)
{
    if (!s)
        return;
    nst_free(*s);
    *s = NULL;
}

size_t nst_settings_memory(const nst_settings *s, size_t sharers)
{
    size_t available;

    if (s->memory)
        return (size_t)s->memory;
    available = nst_memory_available();
    return available ? nst_memory_own() + available / 4 * 3 / sharers : SIZE_MAX;
}

/* ---- the check ----------------------------------------------------------- */

/* One row a field, with its range: all of nst_settings, which a test sees to. */
static const nst_field fields[] = {
#define BYTES(field) sizeof((nst_settings *)0)->field
#define ROW(field, kind, min, max) { #field, NST_FIELD_##kind, offsetof(nst_settings, field), BYTES(field), min, max }
#define TEXT(field) ROW(field, TEXT, 0, 0)
    TEXT(preset),
    ROW(size, INT, 0, 65535),
    ROW(size_rule, INT, 0, NST_SIZE_RULE_COUNT - 1),
    ROW(size_enlarge, INT, 0, 1),
    ROW(scales, INT, 0, NST_MAX_LAYERS),
    ROW(min_size, INT, 32, 65535),
    ROW(scale_step, REAL, 1.01, 100),
    ROW(iterations, INT, 1, 10000000),
    ROW(first_iterations, INT, 0, 10000000),
    ROW(strength, REAL, 0, 100),
    ROW(time_limit, REAL, 0, 1e9),
    ROW(until, REAL, 0, 1),
    ROW(content_weight, REAL, 0, 1e30),
    ROW(style_weight, REAL, 0, 1e30),
    ROW(tv_weight, REAL, 0, 1e30),
    TEXT(content_layers),
    TEXT(style_layers),
    ROW(style_loss, INT, 0, NST_STYLE_LOSS_COUNT - 1),
    ROW(content_loss, INT, 0, NST_CONTENT_LOSS_COUNT - 1),
    ROW(layer_norm, INT, 0, NST_NORM_COUNT - 1),
    ROW(tv, INT, 0, NST_TV_COUNT - 1),
    TEXT(style_blend),
    ROW(style_fit, INT, 0, NST_STYLE_FIT_COUNT - 1),
    ROW(style_scale, REAL, .01, 100),
    TEXT(style_size),
    ROW(color, INT, 0, NST_COLOR_COUNT - 1),
    ROW(color_strength, REAL, 0, 1),
    ROW(space, INT, 0, NST_SPACE_COUNT - 1),
    ROW(pooling, INT, 0, NST_POOLING_COUNT - 1),
    ROW(pool_ceil, INT, 0, 1),
    ROW(replicate, INT, 0, 1),
    ROW(margin, INT, 0, 1024),
    ROW(optimizer, INT, 0, NST_OPTIMIZER_COUNT - 1),
    ROW(learning_rate, REAL, 0, 1e6),
    ROW(beta1, REAL, 0, .999999),
    ROW(beta2, REAL, 0, .999999),
    ROW(average, REAL, 0, .999999),
    ROW(history, INT, 1, 1000),
    ROW(first_step, REAL, 0, 1),
    ROW(clamp, INT, 0, 1),
    ROW(init, INT, 0, NST_INIT_COUNT - 1),
    ROW(init_noise, REAL, 0, 1),
    ROW(init_sigma, REAL, 0, 1000),
    ROW(seed, BITS, 0, 0),
    ROW(memory, BITS, 0, 0),
    ROW(window, INT, 0, 65535),
    ROW(threads, INT, 0, 1024),
    TEXT(simd),
    TEXT(device),
    TEXT(cache),
    TEXT(conv),
#undef TEXT
#undef ROW
#undef BYTES
};

const nst_field *nst_settings_fields(int *n)
{
    *n = (int)NST_COUNT(fields);
    return fields;
}

nst_status nst_settings_set(nst_settings *s, const char *field, const char *value, nst_error *e)
{
    return nst_fields_set(fields, (int)NST_COUNT(fields), s, field, value, e);
}

nst_status nst_settings_check(const nst_settings *s, nst_error *e)
{
    nst_status status = nst_fields_check(fields, (int)NST_COUNT(fields), s, e);

    if (status)
        return status;
    if (s->size && s->size < 32)
        return nst_fail(e, NST_EARG, "size: %d pixels is too small, expected 32 or more", s->size);
    if (s->content_weight == 0 && s->style_weight == 0)
        return nst_fail(e, NST_EARG, "content and style weight are both 0: nothing would be painted");
    return NST_OK;
}

/* ---- layer lists ----------------------------------------------------------- */

/* The name and weight of text's first item; false when the weight is no number. */
static bool item(const char *text, size_t n, char *name, size_t room, double *weight)
{
    const char *colon = memchr(text, ':', n);
    size_t letters = colon ? (size_t)(colon - text) : n;
    char number[32], *end;

    *weight = 1;
    snprintf(name, room, "%.*s", (int)(letters < room ? letters : room - 1), text);
    if (!strncmp(name, "relu", 4)) /* features are read after the ReLU: the two names mean the same */
        memcpy(name, "conv", 4);
    if (!colon)
        return true;
    n -= letters + 1;
    if (n == 0 || n >= sizeof number)
        return false;
    memcpy(number, colon + 1, n);
    number[n] = 0;
    errno = 0;
    *weight = nst_plain_number(number, &end);
    return end != number && !*end && !errno && isfinite(*weight) && *weight >= 0;
}

nst_status nst_layers_parse(const char *text, const nst_model *m, nst_layer_weight *out, int max, int *n,
                            nst_error *e)
{
    *n = 0;
    for (;;) {
        size_t letters = strcspn(text, ",");
        nst_layer_weight row;
        char name[32];

        if (!item(text, letters, name, sizeof name, &row.weight))
            return nst_fail(e, NST_EARG, "layer \"%.*s\": the weight is not a number of 0 or more",
                            (int)(letters < 64 ? letters : 64), text);
        row.layer = nst_model_find(m, name);
        if (row.layer < 0)
            return nst_fail(e, NST_EARG, "layer \"%s\": the model has no such layer, its layers are %s to %s", name,
                            m->layer[0].name, m->layer[m->layers - 1].name);
        for (int i = 0; i < *n; i++)
            if (out[i].layer == row.layer)
                return nst_fail(e, NST_EARG, "layer \"%s\": named twice", name);
        if (*n == max)
            return nst_fail(e, NST_EARG, "layers \"%.64s\": more than %d", text, max);
        out[(*n)++] = row;
        if (!text[letters])
            return NST_OK;
        text += letters + 1;
    }
}
