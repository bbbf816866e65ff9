/* onnx_graph.c: follows an ONNX graph from the picture along its convolutions.  What stands in front of the first one,
 * and between a convolution and its ReLU, becomes steps to be folded. */
#include "model/formats/onnx.h"

#include <string.h>

/* ---- what is not understood -------------------------------------------------------------------------------------- */

static nst_status refuse(const nst_onnx *r, const nst_onnx_node *n, const char *what, nst_error *e)
{
    char op[32];

    nst_onnx_text(&n->op, op, sizeof op);
    if (!r->w.count)
        return nst_fail(e, NST_EFORMAT, "%s: its graph begins with %s %s, expected a convolution", r->w.path, op, what);
    return nst_fail(e, NST_EFORMAT, "%s: behind conv%d_%d its graph has %s %s", r->w.path, r->block, r->index, op,
                    what);
}

/* An operation that is not followed: another one may read the same. */
static nst_status pass_by(nst_onnx *r, const nst_onnx_node *n, nst_error *e)
{
    if (!r->w.count)
        return refuse(r, n, "which nst does not know", e);
    if (!r->unknown.data)
        r->unknown = n->op;
    return NST_OK;
}

/* ---- convolutions and pools -------------------------------------------------------------------------------------- */

static nst_status add_front(nst_onnx *r, const nst_step *step, nst_error *e)
{
    if (r->w.fronts == NST_FRONT)
        return nst_fail(e, NST_EFORMAT, "%s: does more than %d things to the picture first", r->w.path, NST_FRONT);
    r->w.front[r->w.fronts++] = *step;
    return NST_OK;
}

/* A 1x1 convolution of the picture. */
static nst_status take_matrix(nst_onnx *r, const nst_onnx_node *n, nst_error *e)
{
    nst_step step = { .kind = NST_STEP_MATRIX };
    nst_status s = nst_onnx_conv_read(r, n, 1, 0, &step.part[NST_WEIGHT], &step.part[NST_BIAS], e);

    return s ? s : add_front(r, &step, e);
}

static nst_status take_conv(nst_onnx *r, const nst_onnx_node *n, nst_error *e)
{
    nst_found *c = &r->w.found[r->w.count];
    nst_onnx_attribute kernel;
    nst_status s;

    if (n->inputs < 2 || n->inputs > 3)
        return nst_fail(e, NST_EFORMAT, "%s: its convolution %d has %d inputs, expected picture, weight and bias",
                        r->w.path, r->w.count + 1, n->inputs);
    s = nst_onnx_attribute_read(r, n, "kernel_shape", &kernel, e);
    if (s)
        return s;
    if (!r->w.count && kernel.n && kernel.v[0] == 1 && !r->padded)
        return take_matrix(r, n, e);
    if (r->w.count && !r->positive)
        return refuse(r, n, "without a ReLU between", e);
    s = nst_onnx_conv_read(r, n, 3, r->padded ? 0 : 1, &c->weight, &c->bias, e);
    if (s)
        return s;
    c->block = r->block;
    c->index = ++r->index;
    c->without_bias = n->inputs == 2;
    r->w.count++;
    r->padded = r->positive = false;
    return NST_OK;
}

static nst_status take_pool(nst_onnx *r, const nst_onnx_node *n, nst_error *e)
{
    nst_status s = nst_onnx_check(r, n, nst_wire_is(&n->op, "MaxPool") ? "MaxPool" : "AveragePool", 2, e);

    r->block++;
    r->index = 0;
    return s;
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

static nst_status add_step(nst_onnx *r, const nst_onnx_node *n, const nst_step *step, nst_error *e)
{
    nst_found *c = r->w.count ? &r->w.found[r->w.count - 1] : NULL;

    if (!c)
        return add_front(r, step, e);
    if (r->positive)
        return refuse(r, n, "behind a ReLU, which cannot be folded", e);
    if (c->steps == NST_STEPS)
        return refuse(r, n, "as one step too many to be folded", e);
    c->step[c->steps++] = *step;
    return NST_OK;
}

static nst_status take_norm(nst_onnx *r, const nst_onnx_node *n, nst_error *e)
{
    static const int part[] = { NST_WEIGHT, NST_BIAS, NST_MEAN, NST_VARIANCE };
    nst_step step = { .kind = NST_STEP_NORM, .epsilon = 1e-5 };
    nst_onnx_attribute a;
    nst_status s = nst_onnx_attribute_read(r, n, "epsilon", &a, e);

    if (s)
        return s;
    if (a.there)
        step.epsilon = (double)a.real;
    for (int i = 0; i < 4; i++) {
        s = nst_onnx_tensor(r, &n->input[i + 1], &step.part[part[i]], e);
        if (s)
            return s;
        if (!step.part[part[i]].name[0])
            return refuse(r, n, i == 3 ? "without a variance in the file" : "without its numbers in the file", e);
    }
    if (r->last)
        return refuse(r, n, "of NHWC", e);
    return add_step(r, n, &step, e);
}

/* By a tensor; where the other side is computed it is no step. */
static nst_status take_arithmetic(nst_onnx *r, const nst_onnx_node *n, bool *followed, nst_error *e)
{
    static const struct { const char *op; nst_step_kind kind; } kinds[] = {
        { "Mul", NST_STEP_MUL }, { "Div", NST_STEP_DIV }, { "Add", NST_STEP_ADD }, { "Sub", NST_STEP_SUB },
    };
    bool first = nst_onnx_same(&n->input[0], &r->at);
    nst_step step = { .last = r->last };
    nst_status s;

    for (size_t i = 0; i < NST_COUNT(kinds); i++)
        if (nst_wire_is(&n->op, kinds[i].op))
            step.kind = kinds[i].kind;
    s = nst_onnx_tensor(r, &n->input[first ? 1 : 0], &step.part[0], e);
    if (s)
        return s;
    *followed = step.part[0].name[0] && !(step.kind == NST_STEP_DIV && !first) && !(r->w.count && r->positive);
    if (!*followed)
        return pass_by(r, n, e);
    if (step.kind == NST_STEP_SUB && !first)
        step.kind = NST_STEP_FROM;
    return add_step(r, n, &step, e);
}

/* ---- dimensions -------------------------------------------------------------------------------------------------- */

static bool is_channel(const nst_onnx *r, int64_t axis)
{
    return r->last ? axis == 3 || axis == -1 : axis == 1 || axis == -3;
}

static nst_status take_transpose(nst_onnx *r, const nst_onnx_node *n, bool *followed, nst_error *e)
{
    static const uint64_t to_first[4] = { 0, 3, 1, 2 }, to_last[4] = { 0, 2, 3, 1 };
    nst_onnx_attribute a;
    nst_status s = nst_onnx_attribute_read(r, n, "perm", &a, e);

    if (s)
        return s;
    if (a.n == 4 && !memcmp(a.v, to_first, sizeof to_first) && (r->last || !r->w.fronts))
        r->last = false;
    else if (a.n == 4 && !memcmp(a.v, to_last, sizeof to_last) && !r->last)
        r->last = true;
    else if (!r->w.count)
        return refuse(r, n, "of other dimensions than NHWC and NCHW", e);
    else
        *followed = false;
    return *followed ? NST_OK : pass_by(r, n, e);
}

/* By one at each side, or by nothing. */
static nst_status take_pad(nst_onnx *r, const nst_onnx_node *n, nst_error *e)
{
    int64_t v[8] = { 0 };
    int count = 0, from = r->last ? 1 : 2;
    bool ones = true, zeros = true;
    nst_onnx_attribute a;
    nst_status s = nst_onnx_attribute_read(r, n, "pads", &a, e);

    if (s)
        return s;
    for (int i = 0; i < a.n; i++)
        v[i] = a.v[i] < 1000 ? (int64_t)a.v[i] : -1;
    count = a.n;
    if (!a.there)
        s = nst_onnx_integers(r, &n->input[1], v, 8, &count, e);
    if (s)
        return s;
    for (int i = 0; i < 8; i++) {
        int at = i % 4;

        ones &= v[i] == (at == from || at == from + 1);
        zeros &= v[i] == 0;
    }
    if (count != 8 || !(ones || zeros) || (ones && r->padded))
        return refuse(r, n, "by other than one pixel", e);
    s = nst_onnx_attribute_read(r, n, "mode", &a, e);
    if (s)
        return s;
    if (ones && a.there && !nst_wire_is(&a.text, "constant") && !r->reflects) {
        nst_weights_note(&r->w, "assumed: zeros around features; the file pads by %s",
                         nst_wire_is(&a.text, "reflect") ? "reflection" : "its border");
        r->reflects = true;
    }
    r->padded |= ones;
    return NST_OK;
}

/* Gather by 2, 1, 0: R G B become B G R. */
static nst_status take_gather(nst_onnx *r, const nst_onnx_node *n, nst_error *e)
{
    nst_onnx_attribute axis;
    int64_t v[3];
    int count;
    nst_status s = nst_onnx_attribute_read(r, n, "axis", &axis, e);

    if (!s)
        s = nst_onnx_integers(r, &n->input[1], v, 3, &count, e);
    if (s)
        return s;
    if (axis.n != 1 || !is_channel(r, (int64_t)axis.v[0]) || count != 3 || v[0] != 2 || v[1] != 1 || v[2] != 0)
        return refuse(r, n, "of other than channels 2, 1, 0", e);
    return add_front(r, &(nst_step){ .kind = NST_STEP_REVERSE }, e);
}

/* Slice with a step of -1 over the channels is the same; with 1 from 0 on it is nothing. */
static nst_status take_slice(nst_onnx *r, const nst_onnx_node *n, nst_error *e)
{
    int64_t start[4], axis[4], step[4];
    int starts, axes, steps, reversed = 0;
    nst_status s = nst_onnx_integers(r, &n->input[1], start, 4, &starts, e);

    if (!s)
        s = nst_onnx_integers(r, &n->input[3], axis, 4, &axes, e);
    if (!s)
        s = nst_onnx_integers(r, &n->input[4], step, 4, &steps, e);
    if (s)
        return s;
    for (int i = 0; i < steps && starts == steps && axes == steps; i++) {
        if (step[i] == -1 && is_channel(r, axis[i]))
            reversed++;
        else if (step[i] != 1 || start[i])
            steps = -1;
    }
    if (steps < 1 || starts != steps || axes != steps || reversed != 1)
        return refuse(r, n, "of other than the channels' order", e);
    return add_front(r, &(nst_step){ .kind = NST_STEP_REVERSE }, e);
}

/* ---- nodes ------------------------------------------------------------------------------------------------------- */

static bool is_one_of(const nst_wire *op, const char *const *names)
{
    while (*names && !nst_wire_is(op, *names))
        names++;
    return *names != NULL;
}

/* Whether the node reads what has been computed so far; the very first one does where the graph does not name its
 * input. */
static bool reads(const nst_onnx *r, const nst_onnx_node *n)
{
    int most = n->inputs < 2 ? n->inputs : 2; /* the features, or a tensor before them */

    for (int i = 0; i < most; i++)
        if (nst_onnx_same(&n->input[i], &r->at))
            return true;
    return !r->at.data;
}

static nst_status take(nst_onnx *r, const nst_onnx_node *n, bool *followed, nst_error *e)
{
    static const char *const same[] = { "Identity", "Dropout", "Cast", NULL };
    static const char *const arithmetic[] = { "Mul", "Div", "Add", "Sub", NULL };
    static const char *const pools[] = { "MaxPool", "AveragePool", NULL };

    *followed = true;
    if (nst_wire_is(&n->op, "Conv"))
        return take_conv(r, n, e);
    if (is_one_of(&n->op, same))
        return NST_OK;
    if (nst_wire_is(&n->op, "Transpose"))
        return take_transpose(r, n, followed, e);
    if (r->padded)
        return refuse(r, n, "behind a padding", e);
    if (is_one_of(&n->op, arithmetic))
        return take_arithmetic(r, n, followed, e);
    if (nst_wire_is(&n->op, "BatchNormalization"))
        return take_norm(r, n, e);
    if (nst_wire_is(&n->op, "Pad"))
        return take_pad(r, n, e);
    if (nst_wire_is(&n->op, "Relu") && r->w.count) {
        r->positive = true;
        return NST_OK;
    }
    if (is_one_of(&n->op, pools) && r->w.count)
        return take_pool(r, n, e);
    if (nst_wire_is(&n->op, "Gather") && !r->w.count)
        return take_gather(r, n, e);
    if (nst_wire_is(&n->op, "Slice") && !r->w.count)
        return take_slice(r, n, e);
    *followed = false;
    return nst_wire_is(&n->op, "Shape") ? NST_OK : pass_by(r, n, e);
}

nst_status nst_onnx_follow(nst_onnx *r, nst_wire node, nst_error *e)
{
    nst_onnx_node n;
    bool followed;
    nst_status s = nst_onnx_node_read(r, node, &n, e);

    if (s || nst_wire_is(&n.op, "Constant") || !reads(r, &n))
        return s;
    /* What comes behind conv5_1 and its own steps is of no use. */
    if (nst_weights_complete(&r->w) && (r->positive || nst_wire_is(&n.op, "Conv"))) {
        r->ended = true;
        return NST_OK;
    }
    if (r->w.count == NST_MODEL_LAYERS && nst_wire_is(&n.op, "Conv")) {
        r->ended = true;
        return NST_OK;
    }
    s = take(r, &n, &followed, e);
    if (s || !followed)
        return s;
    r->at = n.output.data ? n.output : (nst_wire){ .p = NULL };
    r->unknown = (nst_wire){ .p = NULL };
    return NST_OK;
}
