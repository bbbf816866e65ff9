/* nodes.c: the chain of convolutions up to the last one that a loss reads. */
#include "net/device.h"

nst_status nst_nodes_chain(nst_node *node, int *count, const nst_graph_options *o, nst_error *e)
{
    const nst_model *m = o->model;

    *count = 0;
    for (int i = 0; i < m->layers; i++) {
        node[i] = (nst_node){ .layer = i, .in = m->layer[i].in, .out = m->layer[i].out,
                               .loss_layer = o->loss_layer[i] };
        node[i].pooled = i + 1 < m->layers && m->layer[i + 1].block != m->layer[i].block;
        if (o->loss_layer[i])
            *count = i + 1; /* nothing after the last loss layer is computed */
    }
    if (!*count)
        return nst_fail(e, NST_EARG, "graph: no layer is read by a loss, expected at least one");
    node[*count - 1].pooled = false;
    return NST_OK;
}
