/* wavelet.h: what the channels of the built-in model mean; for the model itself, its calibration and its tests. */
#ifndef NST_WAVELET_H
#define NST_WAVELET_H

#include "model.h"

#define NST_WAVELET_CHANNELS 320 /* no layer has more */
#define NST_WAVELET_DIRECTIONS 8 /* k pi / 8; colours use every second one */

typedef enum nst_family {
    NST_LOW = 0, /* low pass */
    NST_EDGE,    /* first derivative along a direction */
    NST_LINE,    /* second derivative along a direction */
    NST_HESSIAN, /* second derivatives: direction 0, 1, 2 is xx, xy, yy */
    NST_THIRD,   /* third derivative along a direction */
    NST_FOURTH,  /* fourth derivative along a direction */
    NST_ENERGY,  /* blurred rectified wavelet of a finer scale */
    NST_SCATTER, /* derivative of a luma energy */
    NST_FAMILY_COUNT
} nst_family;

/* Channels PLUS and MINUS of a pair are the positive and the negative part of one signal. */
enum { NST_BOTH = 0, NST_PLUS, NST_MINUS };

typedef struct nst_channel {
    int family;    /* nst_family */
    int colour;    /* 0 luma, 1 red-green, 2 yellow-blue */
    int direction; /* k pi / 8 */
    int along;     /* SCATTER: direction of the derivative */
    int sign;      /* NST_PLUS, NST_MINUS, or NST_BOTH for the sum of both */
    int block, of; /* ENERGY: the block and family whose energy it is */
    bool content;  /* a copy for the content loss, which no later layer reads */
    float gain;    /* the channel is gain * the plain formula's value ... */
    float threshold; /* ... less this, of a content copy */
} nst_channel;

/* Block and index of layer i (from 0); false past the last. */
bool nst_wavelet_place(int i, int *block, int *index);
/* The channels of layer i of the built-in model into c[NST_WAVELET_CHANNELS]; their number, 0 past the last layer. */
int nst_wavelet_channels(int i, nst_channel *c);
/* The built-in model; plain: with every gain 1, for calibration. */
nst_status nst_wavelet_build(nst_model **out, bool plain, nst_error *e);

#endif
