/* model.h: a model as data: a chain of 3x3 convolutions. */
#ifndef NST_MODEL_H
#define NST_MODEL_H

#include "base/base.h"

#define NST_MODEL_LAYERS 20
#define NST_MODEL_NOTES 6
#define NST_NOTE_BYTES 200
#define NST_MODEL_CHANNELS 4096 /* of a layer at most: a Gram matrix of them is 64 MB */

typedef struct nst_layer {
    char name[16];       /* "conv3_2" */
    int block, index;    /* 3, 2: a 2x2 pool stands before index 1 of every block but the first */
    int in, out;         /* channels */
    const float *weight; /* [out][in][3][3] */
    const float *bias;   /* [out] */
    float w2_weight;     /* a student's: multiplies its Wasserstein-2 losses; else 0 */
} nst_layer;

/* The picture that the first layer expects: x = (rgb - mean) / std for rgb in
 * [0,1], channels R G B, or B G R when bgr. */
typedef struct nst_input {
    bool bgr;
    float mean[3], std[3]; /* in the order R G B */
} nst_input;

struct nst_model {
    char *describe;
    bool built_in;
    const char *format;                  /* "safetensors", "built in" */
    nst_input input;
    const char *input_name, *input_why;  /* "caffe", and a reason for people; NULL: its own, and the model was made for
                                            it */
    char input_text[160];                /* an own input of a file in words, else "" */
    char note[NST_MODEL_NOTES][NST_NOTE_BYTES]; /* what was folded or assumed while it was read */
    char origin[128];                    /* printable, without quotes; "" */
    int layers;
    nst_layer layer[NST_MODEL_LAYERS];
    void *memory;                        /* what the weights point into, freed by release */
    size_t bytes;
    void (*release)(void *memory, size_t bytes);
    void (*release_pages)(void *memory); /* gives back pages that come again when they are read; NULL: none do */
};

/* The weights will not be read for a while. */
static inline void nst_model_release_pages(const nst_model *m)
{
    if (m->release_pages)
        m->release_pages(m->memory);
}

/* The index of a layer by name, -1 when there is none. */
int nst_model_find(const nst_model *m, const char *name);
/* Checks that the layers form a chain (names in order, in == out before, first in 3) and that every
 * weight is finite; path goes into the message. */
nst_status nst_model_check(const nst_model *m, const char *path, nst_error *e);

/* Whether nst_model_set_input knows the name. */
bool nst_model_input_known(const char *name);
/* Input i of those that have a name, NULL past the last. */
const nst_input *nst_model_known_input(int i);
/* Gives the model an input that has none. */
void nst_model_own_input(nst_model *m, const nst_input *input);
/* An own input as a text without blanks, for a file, and back; false when it is damaged. */
#define NST_INPUT_BYTES 128
void nst_input_write(const nst_input *input, char text[NST_INPUT_BYTES]);
bool nst_input_read(nst_input *input, const char *text);

#endif
