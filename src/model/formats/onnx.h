/* onnx.h: between onnx.c, onnx_graph.c, which follows the graph, onnx_checks.c, which says whether a node is one of a
 * VGG's, and onnx_messages.c below them all. */
#ifndef NST_ONNX_H
#define NST_ONNX_H

#include "model/formats/protobuf.h"
#include "model/tensors.h"

#define NST_ONNX_INPUTS 5

/* A node as far as it is looked at; names are wires of bytes, empty where there are none. */
typedef struct nst_onnx_node {
    nst_wire op, input[NST_ONNX_INPUTS], output;
    int inputs;
    nst_wire attributes; /* the node, to be walked again for them */
} nst_onnx_node;

/* An attribute: numbers, a text, or both empty. */
typedef struct nst_onnx_attribute {
    uint64_t v[8];
    int n;
    float real;
    nst_wire text;
    bool there;
} nst_onnx_attribute;

typedef struct nst_onnx {
    nst_weights w;
    nst_wire graph;
    nst_wire at;      /* the name of what the network has computed so far */
    nst_wire unknown; /* an operation that reads it and is not followed */
    bool last;        /* its channels are the last dimension */
    bool padded;      /* its sides are padded by one */
    bool positive;    /* it has passed a ReLU since the last convolution */
    bool ended;       /* nothing that we could use comes any more */
    bool reflects;    /* some padding is none of zeros, which has been noted */
    int block, index; /* of the last convolution */
} nst_onnx;

/* ---- onnx_messages.c ---- */

nst_status nst_onnx_damaged(const nst_onnx *r, const nst_wire *m, nst_error *e);
nst_status nst_onnx_node_read(const nst_onnx *r, nst_wire node, nst_onnx_node *n, nst_error *e);
/* Attribute `name` of the node; a->there is false without one. */
nst_status nst_onnx_attribute_read(const nst_onnx *r, const nst_onnx_node *n, const char *name, nst_onnx_attribute *a,
                                   nst_error *e);
/* Whether both are the same name. */
bool nst_onnx_same(const nst_wire *a, const nst_wire *b);
/* What can be printed of a name. */
const char *nst_onnx_text(const nst_wire *name, char *text, size_t room);
/* The message of the tensor of that name. */
nst_status nst_onnx_find(const nst_onnx *r, const nst_wire *name, nst_wire *tensor, bool *found, nst_error *e);
/* The tensor of that name, an initializer or a Constant node's; *t has no name where there is none. */
nst_status nst_onnx_tensor(const nst_onnx *r, const nst_wire *name, nst_stored *t, nst_error *e);
/* The same for up to max integers; *n is -1 where there are none or others. */
nst_status nst_onnx_integers(const nst_onnx *r, const nst_wire *name, int64_t *v, int max, int *n, nst_error *e);
/* How many convolutions the graph has. */
int nst_onnx_convolutions(const nst_onnx *r);

/* ---- onnx_checks.c ---- */

/* Refuses a Conv, MaxPool or AveragePool whose attributes are not a VGG's; its kernel has `side` rows and columns. */
nst_status nst_onnx_check(const nst_onnx *r, const nst_onnx_node *n, const char *op, uint64_t side, nst_error *e);
/* The same of a convolution, whose sides are padded by `pad` unless they were before it; then its numbers.  *bias is
 * left as it is where it has none. */
nst_status nst_onnx_conv_read(const nst_onnx *r, const nst_onnx_node *n, uint64_t side, uint64_t pad,
                              nst_stored *weight, nst_stored *bias, nst_error *e);

/* ---- onnx_graph.c ---- */

/* Follows the graph from its input along one node, which is the next in the order of computation. */
nst_status nst_onnx_follow(nst_onnx *r, nst_wire node, nst_error *e);

#endif
