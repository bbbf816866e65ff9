/* weights.h: floor 3, from the tensors that a weight file holds to a model's layers; every reader of a format ends
 * here. */
#ifndef NST_WEIGHTS_H
#define NST_WEIGHTS_H

#include "model.h"

typedef enum nst_number { NST_NO_FLOAT = 0, NST_F16, NST_BF16, NST_F32, NST_F64 } nst_number;

/* A tensor in a file.  Weights have four dimensions out, in, height, width whatever their order in the file is: that
 * is in their strides.  Biases have one. */
typedef struct nst_stored {
    char name[64];      /* "conv1_1.weight", "features.0.bias"; longer names are cut to nothing a model needs */
    char type[16];      /* as the file calls it, for messages */
    nst_number number;
    int dims;           /* may be more than four: such a tensor is no convolution's */
    uint64_t shape[4];
    uint64_t stride[4]; /* numbers from one to the next; nst_stored_rows fills the usual ones in */
    uint64_t at, bytes; /* where it lies and how much room it has: of the map, or what the reader's fetch understands */
    bool exact;         /* its room must be full */
    int64_t id;         /* the reader's own */
} nst_stored;

/* One convolution of the file, as its tensors' names give it. */
typedef struct nst_found {
    int number;       /* N of features.N, 0 for those with names */
    int block, index; /* 3, 2 */
    nst_stored weight, bias;
} nst_found;

typedef struct nst_weights {
    const char *path, *format; /* "safetensors" */
    const char *input, *why;   /* which input and why; NULL: as the names say */
    /* The bytes of a tensor, *p good until the next call.  NULL: they lie in the map. */
    nst_status (*fetch)(void *arg, const nst_stored *t, const unsigned char **p, nst_error *e);
    void *arg;
    unsigned char *map; /* the file, when nst_weights_map was called */
    size_t map_bytes;
    nst_found found[2 * NST_MODEL_LAYERS];
    int count;
    bool named;         /* conv3_2 rather than numbers of torchvision's features */
} nst_weights;

/* Maps the whole file into memory, read-only; pages that nobody looks at cost nothing. */
nst_status nst_weights_map(nst_weights *w, nst_error *e);
/* What is left of the map; the model may have taken it. */
void nst_weights_close(nst_weights *w);

/* Strides of a tensor whose last dimension is the nearest. */
void nst_stored_rows(nst_stored *t);
/* Remembers a tensor when its name is a convolution's: "features.5.weight", "5.weight", "conv2_1.weight", with or
 * without "module." before it, or .bias. */
nst_status nst_weights_add(nst_weights *w, const nst_stored *t, nst_error *e);
/* Whether nst_weights_add would remember it. */
bool nst_weights_wants(const char *name);
/* Sorts what was found into layers and cuts what comes after conv5_1. */
nst_status nst_weights_arrange(nst_weights *w, nst_error *e);
/* Checks shapes and room of all that nst_weights_arrange left, brings the numbers in, makes the model. */
nst_status nst_weights_build(nst_model **out, nst_weights *w, nst_error *e);

/* Both, for a reader whose tensors need no look between the two. */
nst_status nst_weights_finish(nst_model **out, nst_weights *w, nst_error *e);

#endif
