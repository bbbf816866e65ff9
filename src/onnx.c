/* onnx.c: weights from an ONNX file: the graph's own nodes say which tensor belongs to which layer, whatever its
 * name. */
#include "weights.h"
#include "wire.h"

#include <stdio.h>
#include <string.h>

/* Fields of onnx.proto's messages, by number. */
enum { MODEL_GRAPH = 7, GRAPH_NODE = 1, GRAPH_INITIALIZER = 5, NODE_INPUT = 1, NODE_OP = 4, NODE_ATTRIBUTE = 5 };
enum { ATTRIBUTE_NAME = 1, ATTRIBUTE_INT = 3, ATTRIBUTE_INTS = 8 };
enum { TENSOR_DIMS = 1, TENSOR_TYPE = 2, TENSOR_FLOATS = 4, TENSOR_NAME = 8, TENSOR_RAW = 9, TENSOR_DOUBLES = 10,
       TENSOR_EXTERNAL = 13, TENSOR_LOCATION = 14 };
enum { FLOAT = 1, FLOAT16 = 10, DOUBLE = 11, BFLOAT16 = 16 };

/* A convolution of the graph: the names of its weight and bias. */
struct conv {
    int block, index;
    const unsigned char *name[2];
    size_t bytes[2];
};

struct reader {
    nst_weights w;
    struct conv conv[NST_MODEL_LAYERS];
    int convs;
    int block, index; /* of the last one */
    bool ended;       /* nothing that we could use comes any more */
};

static nst_status damaged(const struct reader *r, const nst_wire *m, nst_error *e)
{
    return nst_fail(e, NST_EFORMAT, "%s: is damaged or truncated at byte %zu", r->w.path, (size_t)(m->p - r->w.map));
}

/* What a convolution and a pool of a VGG say of themselves; what they do not say is by default so, or not looked at. */
static const struct {
    const char *op, *attribute;
    uint64_t value;
} expected[] = {
    { "Conv", "kernel_shape", 3 }, { "Conv", "strides", 1 }, { "Conv", "dilations", 1 }, { "Conv", "pads", 1 },
    { "Conv", "group", 1 }, { "MaxPool", "kernel_shape", 2 }, { "MaxPool", "strides", 2 },
    { "AveragePool", "kernel_shape", 2 }, { "AveragePool", "strides", 2 },
};

static nst_status check_attribute(const struct reader *r, const char *op, nst_wire attribute, nst_error *e)
{
    nst_wire name = { .p = NULL };
    uint64_t v[8];
    int n = 0;

    while (nst_wire_next(&attribute)) {
        if (attribute.field == ATTRIBUTE_NAME)
            name = attribute;
        else if ((attribute.field == ATTRIBUTE_INT || attribute.field == ATTRIBUTE_INTS) &&
                 !nst_wire_numbers(&attribute, v, (int)NST_COUNT(v), &n))
            return damaged(r, &attribute, e);
    }
    if (attribute.broken)
        return damaged(r, &attribute, e);
    for (size_t i = 0; i < NST_COUNT(expected); i++)
        for (int k = 0; k < n && !strcmp(op, expected[i].op) && nst_wire_is(&name, expected[i].attribute); k++)
            if (v[k] != expected[i].value)
                return nst_fail(e, NST_EFORMAT, "%s: a %s has %s of %llu, expected %llu", r->w.path, op,
                                expected[i].attribute, (unsigned long long)v[k], (unsigned long long)expected[i].value);
    return NST_OK;
}

static nst_status add_conv(struct reader *r, const nst_wire *input, int inputs, nst_error *e)
{
    struct conv *c = &r->conv[r->convs];

    if (r->convs == NST_MODEL_LAYERS || 10 * r->block + r->index + 1 > 51) {
        r->ended = true;
        return NST_OK;
    }
    if (inputs != 3)
        return nst_fail(e, NST_EFORMAT, "%s: its convolution %d has %d inputs, expected picture, weight and bias",
                        r->w.path, r->convs + 1, inputs);
    *c = (struct conv){ r->block, ++r->index, { input[1].data, input[2].data }, { input[1].bytes, input[2].bytes } };
    r->convs++;
    return NST_OK;
}

static nst_status take_node(struct reader *r, nst_wire node, nst_error *e)
{
    static const char *const harmless[] = { "Relu", "Identity", "Constant", "Dropout" };
    nst_wire walk = node, input[3], op = { .p = NULL };
    const char *name = NULL;
    char text[32] = "";
    int inputs = 0;
    nst_status s;

    while (nst_wire_next(&walk)) {
        if (walk.field == NODE_INPUT && walk.type == NST_WIRE_BYTES && inputs < 3)
            input[inputs++] = walk;
        if (walk.field == NODE_OP)
            op = walk;
    }
    if (walk.broken)
        return damaged(r, &walk, e);
    for (size_t i = 0; i < NST_COUNT(expected); i++)
        if (nst_wire_is(&op, expected[i].op))
            name = expected[i].op;
    for (size_t i = 0; i < NST_COUNT(harmless); i++)
        if (nst_wire_is(&op, harmless[i]))
            return NST_OK;
    if (!name && r->convs) { /* what comes after the features; a normalisation among them is no VGG */
        r->ended = true;
        return nst_wire_is(&op, "BatchNormalization")
            ? nst_fail(e, NST_EFORMAT, "%s: has a batch normalisation, expected a VGG without", r->w.path) : NST_OK;
    }
    if (!name) {
        for (size_t i = 0; op.data && i < op.bytes && i + 1 < sizeof text; i++)
            text[i] = op.data[i] > 32 && op.data[i] < 127 ? (char)op.data[i] : '?';
        return nst_fail(e, NST_EFORMAT, "%s: its graph begins with %s, expected a convolution", r->w.path, text);
    }
    while (nst_wire_next(&node))
        if (node.field == NODE_ATTRIBUTE && (s = check_attribute(r, name, nst_wire_enter(&node), e)))
            return s;
    if (!strcmp(name, "Conv"))
        return add_conv(r, input, inputs, e);
    r->block++;
    r->index = 0;
    return NST_OK;
}

/* The numbers of a tensor: where they are. */
static nst_status take_numbers(struct reader *r, nst_wire tensor, nst_stored *t, nst_error *e)
{
    uint64_t shape[8], type = 0;
    int dims = 0, chunks = 0;

    snprintf(t->type, sizeof t->type, "other");
    while (nst_wire_next(&tensor)) {
        if (tensor.field == TENSOR_DIMS && !nst_wire_numbers(&tensor, shape, (int)NST_COUNT(shape), &dims))
            return damaged(r, &tensor, e);
        if (tensor.field == TENSOR_TYPE && tensor.type == NST_WIRE_NUMBER)
            type = tensor.number;
        if (tensor.field == TENSOR_EXTERNAL || (tensor.field == TENSOR_LOCATION && tensor.number))
            return nst_fail(e, NST_EUNSUPPORTED, "%s: keeps its numbers in another file; save it with them inside",
                            r->w.path);
        if (tensor.field != TENSOR_FLOATS && tensor.field != TENSOR_RAW && tensor.field != TENSOR_DOUBLES)
            continue;
        if (tensor.type != NST_WIRE_BYTES || chunks++)
            return nst_fail(e, NST_EUNSUPPORTED, "%s: the numbers of %s are not in one piece", r->w.path, t->name);
        t->at = (uint64_t)(tensor.data - r->w.map);
        t->bytes = tensor.bytes;
    }
    t->number = type == FLOAT ? NST_F32 : type == FLOAT16 ? NST_F16 : type == DOUBLE ? NST_F64
              : type == BFLOAT16 ? NST_BF16 : NST_NO_FLOAT;
    t->dims = dims;
    memcpy(t->shape, shape, (size_t)(dims < 4 ? dims : 4) * sizeof *shape);
    nst_stored_rows(t);
    return nst_weights_add(&r->w, t, e);
}

static nst_status take_initializer(struct reader *r, nst_wire tensor, nst_error *e)
{
    nst_wire walk = tensor, name = { .p = NULL };

    while (nst_wire_next(&walk))
        if (walk.field == TENSOR_NAME && walk.type == NST_WIRE_BYTES)
            name = walk;
    if (walk.broken)
        return damaged(r, &walk, e);
    for (int i = 0; i < 2 * r->convs; i++) {
        const struct conv *c = &r->conv[i / 2];
        nst_stored t = { .exact = true };
        nst_status s;

        if (!name.data || name.bytes != c->bytes[i % 2] || memcmp(name.data, c->name[i % 2], name.bytes))
            continue;
        snprintf(t.name, sizeof t.name, "conv%d_%d.%s", c->block, c->index, i % 2 ? "bias" : "weight");
        if ((s = take_numbers(r, tensor, &t, e)))
            return s;
    }
    return NST_OK;
}

/* First the nodes, which are in the order of the computation, then the tensors that they name. */
static nst_status take_graph(struct reader *r, nst_wire graph, nst_error *e)
{
    nst_wire again = graph;
    nst_status s;

    while (nst_wire_next(&graph))
        if (graph.field == GRAPH_NODE && !r->ended && (s = take_node(r, nst_wire_enter(&graph), e)))
            return s;
    if (graph.broken)
        return damaged(r, &graph, e);
    while (nst_wire_next(&again))
        if (again.field == GRAPH_INITIALIZER && (s = take_initializer(r, nst_wire_enter(&again), e)))
            return s;
    return NST_OK;
}

nst_status nst_model_open_onnx(nst_model **out, const char *path, nst_error *e)
{
    struct reader *r = nst_calloc(1, sizeof *r);
    nst_status s;
    nst_wire model;
    int graphs = 0;

    *out = NULL;
    if (!r)
        return nst_fail(e, NST_EMEM, "%s: out of memory", path);
    r->w = (nst_weights){ .path = path, .format = "ONNX", .input = "torchvision",
                          .why = "models in ONNX's format take what torchvision's take" };
    r->block = 1;
    if (!(s = nst_weights_map(&r->w, e))) {
        model = (nst_wire){ .p = r->w.map, .end = r->w.map + r->w.map_bytes };
        while (!s && nst_wire_next(&model))
            if (model.field == MODEL_GRAPH && !graphs++)
                s = take_graph(r, nst_wire_enter(&model), e);
        if (!s && model.broken)
            s = damaged(r, &model, e);
        if (!s)
            s = nst_weights_finish(out, &r->w, e);
    }
    nst_weights_close(&r->w);
    nst_free(r);
    return s;
}
