/* onnx_checks.c: whether a node is what a VGG has in its place: its kernel, strides and pads, and its numbers. */
#include "model/formats/onnx.h"

#include <string.h>

/* What an operation of a VGG says of itself; what it does not say is by default so, or not looked at. */
static const struct {
    const char *op, *attribute;
    uint64_t value;
} expected[] = {
    { "Conv", "kernel_shape", 3 }, { "Conv", "strides", 1 }, { "Conv", "dilations", 1 }, { "Conv", "group", 1 },
    { "MaxPool", "kernel_shape", 2 }, { "MaxPool", "strides", 2 }, { "AveragePool", "kernel_shape", 2 },
    { "AveragePool", "strides", 2 },
};

static nst_status wrong(const nst_onnx *r, const char *op, const char *attribute, uint64_t v, uint64_t good,
                        nst_error *e)
{
    int n = nst_onnx_convolutions(r);
    bool resnet = !r->w.count && n > 10 && v == 7 && !strcmp(attribute, "kernel_shape");

    return nst_fail(e, NST_EFORMAT, "%s: holds %d convolution%s; behind the first %d of a chain a %s has %s of %llu%s, "
                    "expected %llu as VGG's", r->w.path, n, n == 1 ? "" : "s", r->w.count, op, attribute,
                    (unsigned long long)v, resnet ? " (a ResNet-like network)" : "", (unsigned long long)good);
}

nst_status nst_onnx_check(const nst_onnx *r, const nst_onnx_node *n, const char *op, uint64_t side, nst_error *e)
{
    for (size_t i = 0; i < NST_COUNT(expected); i++) {
        uint64_t good = !strcmp(expected[i].attribute, "kernel_shape") ? side : expected[i].value;
        nst_onnx_attribute a;
        nst_status s;

        if (strcmp(op, expected[i].op))
            continue;
        s = nst_onnx_attribute_read(r, n, expected[i].attribute, &a, e);
        if (s)
            return s;
        for (int k = 0; k < a.n; k++)
            if (a.v[k] != good)
                return wrong(r, op, expected[i].attribute, a.v[k], good, e);
    }
    return NST_OK;
}

/* The sides are padded once: by the convolution or before it. */
static nst_status check_pads(const nst_onnx *r, const nst_onnx_node *n, uint64_t pad, nst_error *e)
{
    nst_onnx_attribute a, same;
    nst_status s = nst_onnx_attribute_read(r, n, "pads", &a, e);

    if (!s)
        s = nst_onnx_attribute_read(r, n, "auto_pad", &same, e);
    if (s)
        return s;
    if (nst_wire_is(&same.text, "SAME_UPPER") || nst_wire_is(&same.text, "SAME_LOWER"))
        return pad ? NST_OK : wrong(r, "Conv", "pads", 1, 0, e);
    for (int k = 0; k < a.n; k++)
        if (a.v[k] != pad)
            return wrong(r, "Conv", "pads", a.v[k], pad, e);
    return NST_OK;
}

/* A tensor that the node needs; a convolution's bias may be none. */
static nst_status need(const nst_onnx *r, const nst_onnx_node *n, int input, nst_stored *t, nst_error *e)
{
    char name[NST_STORED_NAME];
    nst_status s = nst_onnx_tensor(r, &n->input[input], t, e);

    if (s || t->name[0])
        return s;
    return nst_fail(e, NST_EFORMAT, "%s: tensor %s, which convolution %d needs, is not in the file", r->w.path,
                    nst_onnx_text(&n->input[input], name, sizeof name), r->w.count + 1);
}

nst_status nst_onnx_conv_read(const nst_onnx *r, const nst_onnx_node *n, uint64_t side, uint64_t pad,
                              nst_stored *weight, nst_stored *bias, nst_error *e)
{
    nst_status s = nst_onnx_check(r, n, "Conv", side, e);

    if (!s)
        s = check_pads(r, n, pad, e);
    if (!s)
        s = need(r, n, 1, weight, e);
    if (!s && n->inputs > 2)
        s = need(r, n, 2, bias, e);
    return s;
}
