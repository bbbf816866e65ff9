/* onnx_messages.c: the messages of an ONNX file, read in place: nodes, their attributes, tensors by name. */
#include "model/formats/onnx.h"

#include <stdio.h>
#include <string.h>

/* Fields of onnx.proto's messages, by number. */
enum { GRAPH_NODE = 1, GRAPH_INITIALIZER = 5 };
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_OP = 4, NODE_ATTRIBUTE = 5 };
enum { ATTRIBUTE_NAME = 1, ATTRIBUTE_FLOAT = 2, ATTRIBUTE_INT = 3, ATTRIBUTE_TEXT = 4, ATTRIBUTE_TENSOR = 5,
       ATTRIBUTE_INTS = 8 };
enum { TENSOR_DIMS = 1, TENSOR_TYPE = 2, TENSOR_FLOATS = 4, TENSOR_INT64S = 7, TENSOR_NAME = 8, TENSOR_RAW = 9,
       TENSOR_DOUBLES = 10, TENSOR_EXTERNAL = 13, TENSOR_LOCATION = 14 };
enum { FLOAT = 1, INT64 = 7, FLOAT16 = 10, DOUBLE = 11, BFLOAT16 = 16 };

nst_status nst_onnx_damaged(const nst_onnx *r, const nst_wire *m, nst_error *e)
{
    return nst_fail(e, NST_EFORMAT, "%s: is damaged or truncated at byte %zu", r->w.path, (size_t)(m->p - r->w.map));
}

bool nst_onnx_same(const nst_wire *a, const nst_wire *b)
{
    return a->data && b->data && a->bytes && a->bytes == b->bytes && !memcmp(a->data, b->data, a->bytes);
}

const char *nst_onnx_text(const nst_wire *name, char *text, size_t room)
{
    size_t n = 0;

    for (; name->data && n < name->bytes && n + 1 < room; n++)
        text[n] = name->data[n] > 32 && name->data[n] < 127 ? (char)name->data[n] : '?';
    text[n] = 0;
    return text;
}

/* ---- nodes ------------------------------------------------------------------------------------------------------- */

nst_status nst_onnx_node_read(const nst_onnx *r, nst_wire node, nst_onnx_node *n, nst_error *e)
{
    *n = (nst_onnx_node){ .attributes = node };
    while (nst_wire_next(&node)) {
        if (node.type != NST_WIRE_BYTES)
            continue;
        if (node.field == NODE_INPUT && n->inputs++ < NST_ONNX_INPUTS)
            n->input[n->inputs - 1] = node;
        if (node.field == NODE_OUTPUT && !n->output.data)
            n->output = node;
        if (node.field == NODE_OP)
            n->op = node;
    }
    return node.broken ? nst_onnx_damaged(r, &node, e) : NST_OK;
}

static nst_status read_attribute(const nst_onnx *r, nst_wire field, const char *name, nst_onnx_attribute *a,
                                 nst_error *e)
{
    *a = (nst_onnx_attribute){ .n = 0 };
    while (nst_wire_next(&field)) {
        if (field.field == ATTRIBUTE_NAME)
            a->there = nst_wire_is(&field, name);
        else if (field.field == ATTRIBUTE_FLOAT && field.type == NST_WIRE_FOUR) {
            uint32_t bits = 0;

            for (int i = 0; i < 4; i++)
                bits |= (uint32_t)field.data[i] << 8 * i;
            memcpy(&a->real, &bits, sizeof bits);
        } else if ((field.field == ATTRIBUTE_INT || field.field == ATTRIBUTE_INTS) &&
                   !nst_wire_numbers(&field, a->v, (int)NST_COUNT(a->v), &a->n))
            return nst_onnx_damaged(r, &field, e);
        else if ((field.field == ATTRIBUTE_TEXT || field.field == ATTRIBUTE_TENSOR) && field.type == NST_WIRE_BYTES)
            a->text = field;
    }
    return field.broken ? nst_onnx_damaged(r, &field, e) : NST_OK;
}

nst_status nst_onnx_attribute_read(const nst_onnx *r, const nst_onnx_node *n, const char *name, nst_onnx_attribute *a,
                                   nst_error *e)
{
    nst_wire walk = n->attributes;
    nst_status s;

    a->there = false;
    while (nst_wire_next(&walk)) {
        if (walk.field != NODE_ATTRIBUTE)
            continue;
        s = read_attribute(r, nst_wire_enter(&walk), name, a, e);
        if (s || a->there)
            return s;
    }
    *a = (nst_onnx_attribute){ .n = 0 };
    return NST_OK;
}

int nst_onnx_convolutions(const nst_onnx *r)
{
    nst_wire walk = r->graph;
    int n = 0;

    while (nst_wire_next(&walk)) {
        nst_onnx_node node;

        if (walk.field == GRAPH_NODE && !nst_onnx_node_read(r, nst_wire_enter(&walk), &node, NULL))
            n += nst_wire_is(&node.op, "Conv");
    }
    return n;
}

/* ---- tensors ----------------------------------------------------------------------------------------------------- */

static nst_number number(uint64_t type)
{
    switch (type) {
    case FLOAT:
        return NST_F32;
    case FLOAT16:
        return NST_F16;
    case DOUBLE:
        return NST_F64;
    case BFLOAT16:
        return NST_BF16;
    default:
        return NST_NO_FLOAT;
    }
}

/* The numbers of a tensor: where they are. */
static nst_status take_numbers(const nst_onnx *r, nst_wire tensor, nst_stored *t, nst_error *e)
{
    uint64_t shape[8], type = 0;
    int dims = 0, chunks = 0;

    snprintf(t->type, sizeof t->type, "other");
    while (nst_wire_next(&tensor)) {
        if (tensor.field == TENSOR_DIMS && !nst_wire_numbers(&tensor, shape, (int)NST_COUNT(shape), &dims))
            return nst_onnx_damaged(r, &tensor, e);
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
    if (tensor.broken)
        return nst_onnx_damaged(r, &tensor, e);
    t->number = number(type);
    t->exact = true;
    t->dims = dims;
    memcpy(t->shape, shape, (size_t)(dims < 4 ? dims : 4) * sizeof *shape);
    nst_stored_rows(t);
    return NST_OK;
}

/* Whether this initializer or Constant node has the name; *tensor is its message then. */
static nst_status is_tensor(const nst_onnx *r, const nst_wire *field, const nst_wire *name, nst_wire *tensor, bool *is,
                            nst_error *e)
{
    nst_wire walk = nst_wire_enter(field);
    nst_onnx_attribute value;
    nst_onnx_node node;
    nst_status s;

    *is = false;
    *tensor = walk;
    if (field->field == GRAPH_INITIALIZER) {
        while (nst_wire_next(&walk))
            if (walk.field == TENSOR_NAME && walk.type == NST_WIRE_BYTES)
                *is = nst_onnx_same(&walk, name);
        return walk.broken ? nst_onnx_damaged(r, &walk, e) : NST_OK;
    }
    if (field->field != GRAPH_NODE)
        return NST_OK;
    s = nst_onnx_node_read(r, walk, &node, e);
    if (s || !nst_wire_is(&node.op, "Constant") || !nst_onnx_same(&node.output, name))
        return s;
    s = nst_onnx_attribute_read(r, &node, "value", &value, e);
    if (s)
        return s;
    *is = value.there && value.text.data;
    *tensor = nst_wire_enter(&value.text);
    return NST_OK;
}

nst_status nst_onnx_find(const nst_onnx *r, const nst_wire *name, nst_wire *tensor, bool *found, nst_error *e)
{
    nst_wire walk = r->graph;
    nst_status s;

    *found = false;
    while (nst_wire_next(&walk)) {
        s = is_tensor(r, &walk, name, tensor, found, e);
        if (s || *found)
            return s;
    }
    return walk.broken ? nst_onnx_damaged(r, &walk, e) : NST_OK;
}

nst_status nst_onnx_tensor(const nst_onnx *r, const nst_wire *name, nst_stored *t, nst_error *e)
{
    nst_wire tensor;
    bool found;
    nst_status s;

    *t = (nst_stored){ .dims = 0 };
    s = nst_onnx_find(r, name, &tensor, &found, e);
    if (s || !found)
        return s;
    nst_onnx_text(name, t->name, sizeof t->name);
    return take_numbers(r, tensor, t, e);
}

nst_status nst_onnx_integers(const nst_onnx *r, const nst_wire *name, int64_t *v, int max, int *n, nst_error *e)
{
    nst_wire tensor;
    uint64_t type = 0, raw[8];
    bool found;
    int count = 0;
    nst_status s;

    *n = -1;
    s = nst_onnx_find(r, name, &tensor, &found, e);
    if (s || !found)
        return s;
    while (nst_wire_next(&tensor)) {
        if (tensor.field == TENSOR_TYPE && tensor.type == NST_WIRE_NUMBER)
            type = tensor.number;
        if (tensor.field == TENSOR_INT64S && !nst_wire_numbers(&tensor, raw, (int)NST_COUNT(raw), &count))
            return NST_OK;
        if (tensor.field == TENSOR_RAW && tensor.type == NST_WIRE_BYTES && tensor.bytes % 8 == 0 &&
            tensor.bytes / 8 <= NST_COUNT(raw))
            for (count = 0; count < (int)(tensor.bytes / 8); count++) {
                raw[count] = 0;
                for (int k = 0; k < 8; k++)
                    raw[count] |= (uint64_t)tensor.data[8 * count + k] << 8 * k;
            }
    }
    if (tensor.broken)
        return nst_onnx_damaged(r, &tensor, e);
    if (type != INT64 || count > max)
        return NST_OK;
    for (int i = 0; i < count; i++)
        v[i] = (int64_t)raw[i];
    *n = count;
    return NST_OK;
}
