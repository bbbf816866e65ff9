/* tensors.h: from the tensors that a weight file holds to a model's layers; every reader of a format ends
 * here.  modules.c collects the tensors by their names, chain.c finds the chain among them, numbering.c tells its
 * blocks from the numbers in the names, stored.c reads a tensor's numbers, fold.c takes normalisations into
 * convolutions, and build.c builds the model. */
#ifndef NST_WEIGHTS_H
#define NST_WEIGHTS_H

#include "model/model.h"

#define NST_STORED_NAME 96
#define NST_STEPS 6 /* between a convolution and its ReLU */
#define NST_FRONT 8 /* between the picture and the first convolution */

typedef enum nst_number { NST_NO_FLOAT = 0, NST_F16, NST_BF16, NST_F32, NST_F64 } nst_number;

/* A tensor in a file.  Weights have four dimensions out, in, height, width whatever their order in the file is: that
 * is in their strides.  Biases have one. */
typedef struct nst_stored {
    char name[NST_STORED_NAME]; /* "conv1_1.weight", "features.0.bias"; empty: there is none; longer names are cut to
                                   nothing a model needs */
    char type[16];      /* as the file calls it, for messages */
    nst_number number;
    int dims;           /* may be more than four: such a tensor is no convolution's */
    uint64_t shape[4];
    uint64_t stride[4]; /* numbers from one to the next; nst_stored_rows fills the usual ones in */
    uint64_t at, bytes; /* where it lies and how much room it has: of the map, or what the reader's fetch understands */
    bool exact;         /* its room must be full */
    int64_t id;         /* the reader's own */
} nst_stored;

/* The tensors that belong to one name, whatever stands behind it. */
enum { NST_WEIGHT, NST_BIAS, NST_MEAN, NST_VARIANCE, NST_PARTS };

/* What is done to all pixels alike between two convolutions, or in front of the first. */
typedef enum nst_step_kind {
    NST_STEP_NORM,      /* batch normalisation: part[] are its weight, bias, mean and variance */
    NST_STEP_MUL, NST_STEP_DIV, NST_STEP_ADD, NST_STEP_SUB, /* by part[0], one number or one a channel */
    NST_STEP_FROM,      /* part[0] minus the features */
    NST_STEP_MATRIX,    /* a 1x1 convolution of the picture: part[] are its weight and bias */
    NST_STEP_REVERSE    /* R G B become B G R */
} nst_step_kind;

typedef struct nst_step {
    nst_step_kind kind;
    bool last;          /* the channels are the last dimension: of an ONNX graph's NHWC */
    double epsilon;
    nst_stored part[NST_PARTS];
} nst_step;

/* One convolution of the chain. */
typedef struct nst_found {
    int block, index; /* 3, 2 */
    nst_stored weight, bias;
    bool without_bias; /* which the file says */
    nst_step step[NST_STEPS];
    int steps;
} nst_found;

#define NST_NUMBERS 4 /* in a name, the last ones of it */

/* What one name stands for. */
typedef struct nst_module {
    char name[NST_STORED_NAME]; /* without ".weight" */
    char text[NST_STORED_NAME]; /* the same with # for each number: what a group has in common */
    int number[NST_NUMBERS], numbers;
    int order;                  /* in the file */
    nst_stored part[NST_PARTS];
} nst_module;

typedef struct nst_weights {
    const char *path, *format; /* "safetensors" */
    const char *input, *why;   /* which input and why; NULL: as the names say */
    const nst_input *own;      /* the input in numbers, where the file has one of its own */
    /* The bytes of a tensor, *p good until the next call.  NULL: they lie in the map. */
    nst_status (*fetch)(void *arg, const nst_stored *t, const unsigned char **p, nst_error *e);
    void *arg;
    unsigned char *map; /* the file, when nst_weights_map was called */
    size_t map_bytes;
    nst_module *module; /* all that nst_weights_add was given */
    int modules, room;
    nst_found found[NST_MODEL_LAYERS + 1];
    int count;
    nst_step front[NST_FRONT];
    int fronts;
    bool named;         /* conv3_2 rather than numbers of torchvision's features */
    char note[NST_MODEL_NOTES][NST_NOTE_BYTES];
    int notes;
} nst_weights;

/* ---- tensors.c ---- */

/* Maps the whole file into memory, read-only; pages that nobody looks at cost nothing. */
nst_status nst_weights_map(nst_weights *w, nst_error *e);
/* Gives back what nst_weights_add keeps and what is left of the map; the model may have taken that. */
void nst_weights_close(nst_weights *w);
/* A line for `nst model info`; what does not fit is left out. */
void nst_weights_note(nst_weights *w, const char *format, ...) NST_PRINTF(2, 3);
/* Tensor i of all that the chain needs, NULL past the last; some have no name, which the file does not have. */
nst_stored *nst_weights_tensor(nst_weights *w, int i);
/* ---- modules.c ---- */

/* Remembers a tensor whose name ends in .weight, .bias, .running_mean or .running_var; others are none of a
 * convolution's. */
nst_status nst_weights_add(nst_weights *w, const nst_stored *t, nst_error *e);
/* Whether nst_weights_add would remember it. */
bool nst_weights_wants(const char *name);
/* Whether the name is one of a VGG's own: "conv3_2.weight", "features.5.bias", "5.bias". */
bool nst_weights_is_vgg(const char *name);
/* Groups of names together, each in the order of its numbers. */
void nst_modules_sort(nst_weights *w);

/* ---- chain.c ---- */

/* Finds the chain: the longest one among names that differ in their numbers only, up to conv5_1. */
nst_status nst_weights_arrange(nst_weights *w, nst_error *e);

/* ---- numbering.c ---- */

/* What numbering.c needs to know of a convolution, in the order of the chain. */
typedef struct nst_place {
    const char *name;    /* "module.basenet.slice1.0" */
    const int *number;   /* the numbers in it, `numbers` of them in all names alike */
    bool normed;         /* a batch normalisation has the place behind it */
    uint64_t filters;
} nst_place;

/* Blocks and indices of n convolutions into w->found; fronts: places that a 1x1 convolution and what stands behind it
 * take before the first, 0 without one. */
nst_status nst_weights_number(nst_weights *w, const nst_place *place, int n, int numbers, int fronts, nst_error *e);
/* Whether the last one found is conv5_1. */
bool nst_weights_complete(const nst_weights *w);

/* ---- stored.c ---- */

/* Strides of a tensor whose last dimension is the nearest. */
void nst_stored_rows(nst_stored *t);
/* How many numbers t has, after a check that its room holds what its shape and strides need; at most dims
 * dimensions. */
nst_status nst_stored_count(const nst_weights *w, const nst_stored *t, size_t *n, nst_error *e);
/* The mapped numbers themselves when they are floats of this machine in our order, else NULL. */
const float *nst_stored_in_place(const nst_weights *w, const nst_stored *t);
/* Its numbers in the order of its dimensions, into either of the two. */
nst_status nst_stored_read(const nst_weights *w, const nst_stored *t, float *single, double *wide, nst_error *e);

/* ---- fold.c ---- */

/* What the steps in front of the first convolution mean: input is to be what it expects, matrix [3][3] what is left to
 * be folded into its weights.  *folds: whether anything is. */
nst_status nst_fold_front(nst_weights *w, nst_input *input, double matrix[9], bool *folds, nst_error *e);
/* A convolution's numbers with its steps folded in, and the matrix, which may be NULL; in double. */
nst_status nst_fold_layer(const nst_weights *w, const nst_found *c, const double *matrix, float *weight, float *bias,
                          nst_error *e);

/* ---- build.c ---- */

/* Checks shapes and room of all that nst_weights_arrange left, brings the numbers in, makes the model. */
nst_status nst_weights_build(nst_model **out, nst_weights *w, nst_error *e);
/* Arranges and builds, for a reader whose tensors need no look between the two. */
nst_status nst_weights_finish(nst_model **out, nst_weights *w, nst_error *e);

#endif
