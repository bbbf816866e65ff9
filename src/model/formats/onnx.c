/* onnx.c: weights from an ONNX file: the graph's own nodes say which tensor belongs to which layer, whatever its
 * name. */
#include "model/formats/onnx.h"
#include "model/formats/readers.h"

/* Fields of onnx.proto's messages, by number. */
enum { MODEL_GRAPH = 7, GRAPH_NODE = 1, GRAPH_INPUT = 11 };
enum { VALUE_NAME = 1, VALUE_TYPE = 2, TYPE_TENSOR = 1, TYPE_SHAPE = 2, SHAPE_DIM = 1, DIM_VALUE = 1 };

/* ---- the graph --------------------------------------------------------------------------------------------------- */

/* Dimension `at` of an input's shape, 0 where it is not said. */
static uint64_t side_of(nst_wire value, int at)
{
    static const unsigned path[] = { VALUE_TYPE, TYPE_TENSOR, TYPE_SHAPE };
    nst_wire in = value;

    for (size_t i = 0; i < NST_COUNT(path); i++) {
        while (nst_wire_next(&in) && in.field != path[i])
            ;
        if (in.broken || in.field != path[i])
            return 0;
        in = nst_wire_enter(&in);
    }
    while (nst_wire_next(&in))
        if (in.field == SHAPE_DIM && at-- == 0) {
            nst_wire dim = nst_wire_enter(&in);

            return nst_wire_next(&dim) && dim.field == DIM_VALUE && dim.type == NST_WIRE_NUMBER ? dim.number : 0;
        }
    return 0;
}

/* The picture: the first input that is no tensor, as old files name those among the inputs, too. */
static nst_status begin(nst_onnx *r, nst_error *e)
{
    nst_wire walk = r->graph;

    while (nst_wire_next(&walk) && !r->at.data) {
        nst_wire value = nst_wire_enter(&walk), name = value, tensor;
        bool found = false;
        nst_status s;

        if (walk.field != GRAPH_INPUT)
            continue;
        while (nst_wire_next(&name) && name.field != VALUE_NAME)
            ;
        if (name.field != VALUE_NAME || name.type != NST_WIRE_BYTES)
            continue;
        s = nst_onnx_find(r, &name, &tensor, &found, e);
        if (s)
            return s;
        if (found)
            continue;
        r->at = name;
        r->last = side_of(value, 3) == 3 && side_of(value, 1) != 3;
    }
    return walk.broken ? nst_onnx_damaged(r, &walk, e) : NST_OK;
}

static nst_status take_graph(nst_onnx *r, nst_error *e)
{
    nst_wire walk = r->graph;
    char op[32];
    nst_status s = begin(r, e);

    if (r->last) {
        r->w.input = "caffe";
        r->w.why = "its pictures are NHWC, as Keras' are, whose VGGs come from Caffe's";
    }
    while (!s && nst_wire_next(&walk))
        if (walk.field == GRAPH_NODE && !r->ended)
            s = nst_onnx_follow(r, nst_wire_enter(&walk), e);
    if (!s && walk.broken)
        s = nst_onnx_damaged(r, &walk, e);
    if (!s && !r->w.count)
        s = nst_fail(e, NST_EFORMAT, "%s: holds %d convolutions, but none that reads the picture; expected a chain of "
                     "3x3 convolutions as VGG's", r->w.path, nst_onnx_convolutions(r));
    if (!s && !nst_weights_complete(&r->w) && r->unknown.data)
        nst_weights_note(&r->w, "ends: behind conv%d_%d its graph goes on with %s", r->block, r->index,
                         nst_onnx_text(&r->unknown, op, sizeof op));
    return s;
}

static nst_status read_all(nst_onnx *r, nst_error *e)
{
    nst_wire model = { .p = r->w.map, .end = r->w.map + r->w.map_bytes };
    int graphs = 0;
    nst_status s = NST_OK;

    while (!s && nst_wire_next(&model))
        if (model.field == MODEL_GRAPH && !graphs++) {
            r->graph = nst_wire_enter(&model);
            s = take_graph(r, e);
        }
    if (!s && model.broken)
        s = nst_onnx_damaged(r, &model, e);
    return !s && !graphs ? nst_fail(e, NST_EFORMAT, "%s: is no ONNX file: it has no graph", r->w.path) : s;
}

nst_status nst_model_open_onnx(nst_model **out, const char *path, nst_error *e)
{
    nst_onnx *r = nst_calloc(1, sizeof *r);
    nst_status s;

    *out = NULL;
    if (!r)
        return nst_fail(e, NST_EMEM, "%s: out of memory", path);
    r->w.path = path;
    r->w.format = "ONNX";
    r->w.input = "torchvision";
    r->w.why = "models in ONNX's format take what torchvision's take";
    r->block = 1;
    s = nst_weights_map(&r->w, e);
    if (!s)
        s = read_all(r, e);
    if (!s)
        s = nst_weights_build(out, &r->w, e);
    nst_weights_close(&r->w);
    nst_free(r);
    return s;
}
