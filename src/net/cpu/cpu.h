/* cpu.h: the device that is the CPU; what its files share of it. */
#ifndef NST_CPU_H
#define NST_CPU_H

#include "net/device.h"
#include "loss/style.h"
#include "ops/conv.h"

/* A layer's weights as the kernels read them. */
struct weights {
    float *forward, *backward; /* packed */
    float *bias, *zero;        /* [out], and as many zeros for the gradient */
    nst_conv_algorithm algorithm;
    bool fixed;                /* the user chose the algorithm */
};

struct cpu_device {
    nst_device base;
    nst_cpu cpu;
    bool average, replicate, guided;
    float scale[3], shift[3];
    int order[3];
    int count;
    struct weights w[NST_MODEL_LAYERS];
    size_t weight_bytes;
    unsigned char *arena;
    float *scratch;
    /* pack_on_demand: convolutions' weights are packed when they are used, into one place */
    const nst_model *model;    /* NULL: no pack_on_demand */
    float *packed;
    int packed_node;           /* whose they are, */
    bool packed_backward;      /* and which */
    const nst_loss_gradient *first_gradient; /* the first layer's, while its backward pass takes it along */
};

static inline struct cpu_device *of(const nst_device *d)
{
    return (struct cpu_device *)(uintptr_t)d;
}

/* A buffer of the arena; NULL where there is none. */
static inline float *floats(const struct cpu_device *d, size_t at)
{
    return at == NST_NONE ? NULL : (float *)(void *)(d->arena + at);
}

static inline uint16_t *masks(const struct cpu_device *d, size_t at)
{
    return at == NST_NONE ? NULL : (uint16_t *)(void *)(d->arena + at);
}

/* Row y of a buffer's first plane. */
static inline float *row_of(const struct cpu_device *d, size_t at, nst_row_buffer rows, int y, int w)
{
    return at == NST_NONE ? NULL : floats(d, at) + (ptrdiff_t)(y - rows.first) * w * NST_LANES;
}

/* cpu.c: the CPU as the device of a graph with these nodes. */
nst_status nst_cpu_create(nst_device **out, const nst_graph_options *o, const nst_node *nodes, int count, nst_error *e);

/* cpu_weights.c: entries of the device's table, as device.h says. */
size_t nst_cpu_weight_bytes(const nst_device *d);
size_t nst_cpu_on_demand_bytes(const nst_device *base, const nst_node *nodes, int count);
nst_status nst_cpu_pack_on_demand(nst_device *base, const nst_node *nodes, int count, const nst_model *m, nst_error *e);
/* Packs layer l as the weights of convolution i; false when there is no memory. */
bool nst_cpu_pack(struct cpu_device *d, int i, const nst_layer *l);
/* The packed weights of a convolution. */
const float *nst_cpu_weights(struct cpu_device *d, const nst_node *nodes, int i, bool backward);

/* cpu_loss_layers.c: entries of the device's table, as device.h says. */
nst_status nst_cpu_stats(nst_device *base, const nst_node *n, const nst_rect *core, nst_stats *s, nst_error *e);
void nst_cpu_drop(nst_saved_features *base);
nst_status nst_cpu_keep_room(nst_device *base, const nst_node *n, const nst_rect *core, nst_saved_features **out,
                             nst_error *e);
nst_status nst_cpu_keep(nst_device *base, const nst_node *n, const nst_rect *core, nst_saved_features **out,
                        nst_error *e);
nst_status nst_cpu_compare(nst_device *base, const nst_node *n, const nst_rect *core, const nst_saved_features *k,
                           double *square, double *absolute, nst_error *e);
nst_status nst_cpu_loss_gradient(nst_device *base, const nst_node *nodes, int i, bool last, const nst_rect *core,
                                 const nst_loss_gradient *t, double *distance, nst_error *e);
/* The gradient with respect to pooled features, taken back through the pooling to grad_features. */
void nst_cpu_unpool(struct cpu_device *d, const nst_node *n);

#endif
