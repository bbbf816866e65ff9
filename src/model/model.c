/* model.c: models as data: checked, described, closed. */
#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

int nst_model_find(const nst_model *m, const char *name)
{
    for (int i = 0; i < m->layers; i++)
        if (!strcmp(name, m->layer[i].name))
            return i;
    return -1;
}

/* The index of the first number that is not finite, n when all are. */
static size_t find_wild(const float *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(v[i]))
            return i;
    return n;
}

static nst_status check_layer(const nst_layer *l, const nst_layer *before, const char *path, nst_error *e)
{
    int in = before ? before->out : 3;
    bool follows = before ? l->block == before->block && l->index == before->index + 1 : false;
    bool opens = l->index == 1 && l->block == (before ? before->block + 1 : 1);
    size_t weights = (size_t)l->out * (size_t)l->in * 9, at;

    if (!follows && !opens)
        return nst_fail(e, NST_EFORMAT, "%s: layer %s follows %s, one between them is missing", path, l->name,
                        before ? before->name : "the picture");
    if (l->in != in)
        return nst_fail(e, NST_EFORMAT, "%s: layer %s takes %d channels, expected %d", path, l->name, l->in, in);
    if (l->out < 1 || l->out > NST_MODEL_CHANNELS)
        return nst_fail(e, NST_EFORMAT, "%s: layer %s has %d filters, expected 1 to %d", path, l->name, l->out,
                        NST_MODEL_CHANNELS);
    if (!l->weight || !l->bias)
        return nst_fail(e, NST_EFORMAT, "%s: layer %s has no %s", path, l->name, l->weight ? "bias" : "weight");
    at = find_wild(l->weight, weights);
    if (at < weights)
        return nst_fail(e, NST_EFORMAT, "%s: weight %zu of layer %s is not a finite number", path, at, l->name);
    at = find_wild(l->bias, (size_t)l->out);
    if (at < (size_t)l->out)
        return nst_fail(e, NST_EFORMAT, "%s: bias %zu of layer %s is not a finite number", path, at, l->name);
    return NST_OK;
}

nst_status nst_model_check(const nst_model *m, const char *path, nst_error *e)
{
    nst_status s;

    if (m->layers < 1)
        return nst_fail(e, NST_EFORMAT, "%s: holds no convolution, expected a chain of 3x3 convolutions as VGG's",
                        path);
    for (int i = 0; i < m->layers; i++) {
        s = check_layer(&m->layer[i], i ? &m->layer[i - 1] : NULL, path, e);
        if (s)
            return s;
    }
    return NST_OK;
}

void nst_model_close(nst_model **model)
{
    nst_model *m = model ? *model : NULL;

    if (!m)
        return;
    *model = NULL;
    if (m->release)
        m->release(m->memory, m->bytes);
    nst_free(m->describe);
    nst_free(m);
}

const char *nst_model_describe(const nst_model *model)
{
    return model->describe;
}

const char *nst_model_format(const nst_model *model)
{
    return model->format;
}

const char *nst_model_layer(const nst_model *model, int i, int *in, int *out)
{
    if (i < 0 || i >= model->layers)
        return NULL;
    if (in)
        *in = model->layer[i].in;
    if (out)
        *out = model->layer[i].out;
    return model->layer[i].name;
}

/* ---- what the first layer expects ------------------------------------------------- */

#define CAFFE_MEAN { 123.68f / 255, 116.779f / 255, 103.939f / 255 }
#define CAFFE_STD { 1 / 255.f, 1 / 255.f, 1 / 255.f }

static const struct {
    const char *name, *text;
    nst_input input;
} inputs[] = {
    { "torchvision", "RGB from 0 to 1, minus the mean of ImageNet, over its deviation",
      { false, { .485f, .456f, .406f }, { .229f, .224f, .225f } } },
    { "caffe", "BGR from 0 to 255, minus the mean of ImageNet", { true, CAFFE_MEAN, CAFFE_STD } },
    { "caffe-rgb", "RGB from 0 to 255, minus the mean of ImageNet", { false, CAFFE_MEAN, CAFFE_STD } },
};

const char *nst_input_name(int i)
{
    return i >= 0 && i < (int)NST_COUNT(inputs) ? inputs[i].name : NULL;
}

const char *nst_input_text(int i)
{
    return i >= 0 && i < (int)NST_COUNT(inputs) ? inputs[i].text : NULL;
}

static int find_input(const char *name)
{
    int i = 0;

    while (i < (int)NST_COUNT(inputs) && strcmp(inputs[i].name, name))
        i++;
    return i;
}

bool nst_model_input_known(const char *name)
{
    return nst_input_name(find_input(name)) != NULL;
}

const nst_input *nst_model_known_input(int i)
{
    return i >= 0 && i < (int)NST_COUNT(inputs) ? &inputs[i].input : NULL;
}

void nst_model_own_input(nst_model *m, const nst_input *input)
{
    /* from 0 to 255 is told in numbers of that range */
    double range = (double)(input->std[0] + input->std[1] + input->std[2]) < .1 ? 255 : 1;
    const float *a = input->mean, *b = input->std;

    m->input = *input;
    m->input_name = "its own";
    nst_plain_print(m->input_text, sizeof m->input_text,
                    "%s from 0 to %g, minus %.5g %.5g %.5g, over %.5g %.5g %.5g (red, green, blue)",
                    input->bgr ? "BGR" : "RGB", range, range * (double)a[0], range * (double)a[1],
                    range * (double)a[2], range * (double)b[0], range * (double)b[1], range * (double)b[2]);
}

void nst_input_write(const nst_input *input, char text[NST_INPUT_BYTES])
{
    const float *a = input->mean, *b = input->std;

    nst_plain_print(text, NST_INPUT_BYTES, "%s,%.9g,%.9g,%.9g,%.9g,%.9g,%.9g", input->bgr ? "BGR" : "RGB",
                    (double)a[0], (double)a[1], (double)a[2], (double)b[0], (double)b[1], (double)b[2]);
}

bool nst_input_read(nst_input *input, const char *text)
{
    float *a = input->mean, *b = input->std;
    char order[4];
    locale_t host = nst_plain_begin();
    int found = sscanf(text, "%3[RGB],%f,%f,%f,%f,%f,%f", order, &a[0], &a[1], &a[2], &b[0], &b[1], &b[2]);

    nst_plain_end(host);
    if (found != 7 || (strcmp(order, "RGB") && strcmp(order, "BGR")))
        return false;
    input->bgr = *order == 'B';
    for (int i = 0; i < 3; i++)
        if (!isfinite(a[i]) || !isfinite(b[i]) || !isfinite(1 / b[i]) || !isfinite(a[i] / b[i]))
            return false;
    return true;
}

const char *nst_model_input(const nst_model *model)
{
    return model->input_name;
}

const char *nst_model_input_text(const nst_model *model)
{
    for (size_t i = 0; i < NST_COUNT(inputs); i++)
        if (model->input_name && !strcmp(model->input_name, inputs[i].name))
            return inputs[i].text;
    return *model->input_text ? model->input_text : "the picture as it is";
}

const char *nst_model_note(const nst_model *model, int i)
{
    return i >= 0 && i < NST_MODEL_NOTES && *model->note[i] ? model->note[i] : NULL;
}

const char *nst_model_input_why(const nst_model *model)
{
    return model->input_why ? model->input_why : "the model was made for it";
}

const char *nst_model_origin(const nst_model *model)
{
    return model->origin;
}

nst_status nst_model_set_origin(nst_model *model, const char *origin, nst_error *e)
{
    size_t n = strlen(origin);

    for (size_t i = 0; i < n; i++) /* it goes into a text of JSON, which names are read from as they stand */
        if (origin[i] <= 32 || origin[i] > 126 || strchr("\"\\", origin[i]))
            return nst_fail(e, NST_EARG, "model origin: character %zu is a blank, quote or backslash, or no ASCII",
                            i + 1);
    if (n >= sizeof model->origin)
        return nst_fail(e, NST_EARG, "model origin: %zu characters, at most %zu are taken", n,
                        sizeof model->origin - 1);
    memcpy(model->origin, origin, n + 1);
    return NST_OK;
}

nst_status nst_model_set_input(nst_model *model, const char *input, nst_error *e)
{
    int i = find_input(input);

    if (!nst_input_name(i))
        return nst_fail(e, NST_EARG, "model input \"%s\": unknown, expected torchvision, caffe or caffe-rgb", input);
    if (model->built_in)
        return nst_fail(e, NST_EARG, "model input %s: the built-in model takes torchvision's", input);
    model->input = inputs[i].input;
    model->input_name = inputs[i].name;
    model->input_why = "it was asked for";
    return NST_OK;
}
