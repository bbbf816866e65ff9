/* cpu_weights.c: the weights of the CPU's convolutions, packed as the kernels read them: all at once, or each when it
 * is used. */
#include "net/cpu/cpu.h"
#include "ops/conv_first.h"

#include <string.h>

static size_t most(size_t a, size_t b) { return a > b ? a : b; }

/* ---- all at once ---- */

bool nst_cpu_pack(struct cpu_device *d, int i, const nst_layer *l)
{
    const nst_kernels *k = d->cpu.k;
    struct weights *w = &d->w[i];
    /* biases are read a panel at a time, so round up past the largest */
    size_t pad = (size_t)(l->out > l->in ? l->out : l->in) + NST_NR_MAX;
    size_t forward_n = i ? nst_conv_pack_floats(k, l->out, l->in) : nst_first_pack_floats(k, l->out);
    size_t backward_n = i ? nst_conv_pack_floats(k, l->in, l->out) : 0;

    w->forward = nst_alloc(forward_n * sizeof(float));
    w->backward = nst_alloc(backward_n * sizeof(float));
    w->bias = nst_calloc(pad, sizeof(float));
    w->zero = nst_calloc(pad, sizeof(float));
    if (!w->forward || !w->backward || !w->bias || !w->zero)
        return false;
    if (i) {
        nst_conv_pack(k, l->weight, l->out, l->in, false, w->forward);
        nst_conv_pack(k, l->weight, l->out, l->in, true, w->backward);
    } else {
        nst_first_pack(k, l->weight, l->out, w->forward);
    }
    memcpy(w->bias, l->bias, (size_t)l->out * sizeof(float));
    d->weight_bytes += (forward_n + backward_n + 2 * pad) * sizeof(float);
    return true;
}

size_t nst_cpu_weight_bytes(const nst_device *d)
{
    return of(d)->weight_bytes;
}

/* ---- each when it is used ---- */

const float *nst_cpu_weights(struct cpu_device *d, const nst_node *nodes, int i, bool backward)
{
    const nst_layer *l;

    if (!d->model)
        return backward ? d->w[i].backward : d->w[i].forward;
    l = &d->model->layer[nodes[i].layer];
    if (d->packed_node != i || d->packed_backward != backward) {
        nst_conv_pack(d->cpu.k, l->weight, l->out, l->in, backward, d->packed);
        nst_model_release_pages(d->model);
    }
    d->packed_node = i, d->packed_backward = backward;
    return d->packed;
}

/* Of the packing that is largest, and of what it is made from, which is in memory meanwhile. */
static size_t packed_bytes(const nst_device *base, const nst_node *nodes, int count, size_t *from)
{
    size_t bytes = 0;

    *from = 0;
    for (int i = 1; i < count; i++) {
        int in = nodes[i].in, out = nodes[i].out;
        const nst_kernels *k = of(base)->cpu.k;

        bytes = most(bytes, sizeof(float) * most(nst_conv_pack_floats(k, out, in), nst_conv_pack_floats(k, in, out)));
        *from = most(*from, sizeof(float) * 9 * (size_t)in * (size_t)out);
    }
    return bytes;
}

size_t nst_cpu_on_demand_bytes(const nst_device *base, const nst_node *nodes, int count)
{
    size_t from, packed = packed_bytes(base, nodes, count, &from), bytes = of(base)->weight_bytes;

    for (int i = 1; i < count; i++)
        bytes -= sizeof(float) * (nst_conv_pack_floats(of(base)->cpu.k, nodes[i].out, nodes[i].in) +
                                  nst_conv_pack_floats(of(base)->cpu.k, nodes[i].in, nodes[i].out));
    return bytes + packed + from;
}

nst_status nst_cpu_pack_on_demand(nst_device *base, const nst_node *nodes, int count, const nst_model *m, nst_error *e)
{
    struct cpu_device *d = of(base);
    size_t from, bytes = packed_bytes(base, nodes, count, &from);

    for (int i = 1; i < count; i++) {
        nst_free(d->w[i].forward);
        nst_free(d->w[i].backward);
        d->w[i].forward = d->w[i].backward = NULL;
    }
    d->packed = nst_alloc(bytes);
    if (!d->packed)
        return nst_fail(e, NST_EMEM, "weights: out of memory");
    d->model = m, d->packed_node = 0;
    return NST_OK;
}
