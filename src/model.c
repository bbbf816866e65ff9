/* model.c: models as data: opened by name or by what a file's first bytes say, checked, described, closed. */
#include "model.h"

#include <errno.h>
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
    if ((at = find_wild(l->weight, weights)) < weights)
        return nst_fail(e, NST_EFORMAT, "%s: weight %zu of layer %s is not a finite number", path, at, l->name);
    if ((at = find_wild(l->bias, (size_t)l->out)) < (size_t)l->out)
        return nst_fail(e, NST_EFORMAT, "%s: bias %zu of layer %s is not a finite number", path, at, l->name);
    return NST_OK;
}

nst_status nst_model_check(const nst_model *m, const char *path, nst_error *e)
{
    nst_status s;

    if (m->layers < 1)
        return nst_fail(e, NST_EFORMAT, "%s: holds no convolution named as VGG's are, expected features.0.weight "
                        "or conv1_1.weight", path);
    for (int i = 0; i < m->layers; i++)
        if ((s = check_layer(&m->layer[i], i ? &m->layer[i - 1] : NULL, path, e)))
            return s;
    return NST_OK;
}

/* What people have under the name of a model and this build does not read, by its first bytes. */
static const struct {
    const char *bytes;
    size_t n;
    const char *what;
} foreign[] = {
    { "PK\3\4", 4, "a zip file, as torch.save writes" },
    { "\x80\2\x8a\x0a\x6c\xfc\x9c\x46", 8, "a legacy PyTorch file" },
    { "\x89HDF\r\n\x1a\n", 8, "an HDF5 file" },
    { "MATLAB", 6, "a MATLAB file" },
    { "\x89PNG", 4, "a PNG picture" },
    { "\xff\xd8\xff", 3, "a JPEG picture" },
};

nst_status nst_model_open(nst_model **out, const char *name, nst_error *e)
{
    unsigned char head[16] = { 0 };
    size_t n;
    FILE *f;

    *out = NULL;
    if (!strcmp(name, "wavelet"))
        return nst_model_open_wavelet(out, e);
    if (!(f = fopen(name, "rb")))
        return nst_fail(e, NST_EIO, "%s: cannot be opened: %s", name, strerror(errno));
    n = fread(head, 1, sizeof head, f);
    fclose(f);
    for (size_t i = 0; i < NST_COUNT(foreign); i++)
        if (n >= foreign[i].n && !memcmp(head, foreign[i].bytes, foreign[i].n))
            return nst_fail(e, NST_EUNSUPPORTED, "%s: is %s, expected a safetensors file", name, foreign[i].what);
    return nst_model_open_safetensors(out, name, e);
}

void nst_model_close(nst_model **model)
{
    nst_model *m = *model;

    *model = NULL;
    if (!m)
        return;
    if (m->release)
        m->release(m->memory, m->bytes);
    nst_free(m->describe);
    nst_free(m);
}

const char *nst_model_describe(const nst_model *model)
{
    return model->describe;
}
