/* chain.h: small random models, and the network they make as the oracle computes it. */
#ifndef NST_CHAIN_H
#define NST_CHAIN_H

#include "net/graph.h"
#include "../support/oracle.h"

/* What a test varies.  out[block][i] are channels, 0 ends. */
typedef struct chain_shape {
    int out[4][4];
    bool average, up, replicate, bgr;
    int w, h;
} chain_shape;

/* Every pooling and border, blocks of one to three layers, channels that fill no block of 16, odd sizes. */
extern const chain_shape chain_shapes[7];

typedef struct chain {
    nst_model model;
    nst_graph_options options; /* every layer is a loss layer */
    float *x;                  /* [3][h][w] */
    /* the oracle's: what layer i reads, what it gives */
    oracle_map in[NST_MODEL_LAYERS], out[NST_MODEL_LAYERS];
} chain;

/* A model and a picture such that no feature and no two features of a pooling window are so close to where the
 * gradient jumps that float could take the other side. */
chain *chain_create(const chain_shape *s);
void chain_destroy(chain *c);
/* Another picture for the same model: the oracle's features are computed again. */
void chain_picture(chain *c, const chain_shape *s, const float *x);

/* dLoss/dx [3][h][w] from dLoss/dout of each layer (changed), in double. */
void chain_backward(const chain *c, const chain_shape *s, oracle_map *d, double *dx);

#endif
