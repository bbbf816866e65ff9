/* settings.h: everything that decides the result of a run, and presets of it.  Programs include nst.h. */
#ifndef NST_NST_SETTINGS_H
#define NST_NST_SETTINGS_H

#include <stdint.h>

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Which side settings.size measures. */
typedef enum nst_size_rule { NST_SIZE_LONGEST = 0, NST_SIZE_SHORTEST, NST_SIZE_RULE_COUNT } nst_size_rule;
/* The loss of a style layer.  F [c][n] are the picture's features at n = h w
 * positions, G is made of F, and T is the same of the style.  mean() is over the
 * c^2 numbers of a matrix. */
typedef enum nst_style_loss_kind {
    NST_STYLE_GRAM_RAW = 0, /* G = F F^T, loss mean((G-T)^2) / (c n)         (the article of OpenGenus)       */
    NST_STYLE_GRAM,         /* G = F F^T / n, loss mean((G-T)^2)             (Gatys' own code)                */
    NST_STYLE_GRAM_NM,      /* G = F F^T / (c n), loss mean((G-T)^2)         (neural-style)                   */
    NST_STYLE_COVARIANCE,   /* m = F's mean, C = F F^T / n - m m^T, loss: mean square of c^2 + c differences */
    NST_STYLE_W2,           /* squared Wasserstein-2 distance of the Gaussians (m, C) and (t, T), over c: |m-t|^2 +
                               tr(C + T - 2 (T^1/2 C T^1/2)^1/2)  (Dowson & Landau 1982; style-transfer-pytorch);
                               1.32 to 1.6 times that with the built-in model, which shows less of it than VGG16 */
    NST_STYLE_GRAM_SCALED,  /* G = F F^T / n, loss sum (G-T)^2 / sum |G-T|   (style-transfer-pytorch in 2021)  */
    NST_STYLE_LOSS_COUNT
} nst_style_loss_kind;
/* The loss of a content layer.  F are the picture's features, P the content's, both [c][h w]. */
typedef enum nst_content_loss_kind {
    NST_CONTENT_MEAN = 0,   /* mean((F-P)^2)                                                           */
    NST_CONTENT_ROOT,       /* sum (F-P)^2 / (2 sqrt(c h w))                (neural-style-tf)          */
    NST_CONTENT_SCALED,     /* sum (F-P)^2 / sum |F-P|                      (style-transfer-pytorch-2021) */
    NST_CONTENT_LOSS_COUNT
} nst_content_loss_kind;
/* Total variation of the optimised tensor, in the units of its space.  dx and dy are differences of neighbours. */
typedef enum nst_tv_kind {
    NST_TV_HALF_SQUARES = 0, /* sum of dx^2 and dy^2, / 2; last row and column left out (neural-style)  */
    NST_TV_NINE_POINT,       /* style-transfer-pytorch: sides 1/3, diagonals 1/12, replicate padded     */
    NST_TV_MEAN_SQUARES,     /* mean(dx^2) + mean(dy^2)                                                 */
    NST_TV_ABSOLUTE,         /* sum |dx| + sum |dy|                         (neural-style-pt, -tf)      */
    NST_TV_REPLICATED,       /* mean(dx^2 + dy^2), replicate padded         (style-transfer-pytorch-2021) */
    NST_TV_COUNT
} nst_tv_kind;
/* The space in which the picture is optimised: the order of its planes and its units. */
typedef enum nst_space {
    NST_SPACE_MODEL = 0, /* RGB [0,1]; the network normalises it as its own input says                 */
    NST_SPACE_IMAGENET,  /* RGB, minus (.485 .456 .406), over (.229 .224 .225)                         */
    NST_SPACE_BGR255,    /* BGR times 255, minus (103.939 116.779 123.68)                              */
    NST_SPACE_BGR256,    /* BGR times 256, minus the same                                              */
    NST_SPACE_RGB,       /* RGB [0,1]; the network normalises it by ImageNet's mean and deviation      */
    NST_SPACE_RGB255,    /* RGB times 255, minus (123.68 116.779 103.939)                              */
    NST_SPACE_COUNT
} nst_space;
/* Adam (Kingma & Ba 2015); L-BFGS (Liu & Nocedal 1989) without line search, as PyTorch's. */
typedef enum nst_optimizer { NST_ADAM = 0, NST_LBFGS, NST_OPTIMIZER_COUNT } nst_optimizer;
/* What the run starts from. */
typedef enum nst_init { NST_INIT_CONTENT = 0, NST_INIT_RANDOM, NST_INIT_IMAGE, NST_INIT_COUNT } nst_init;
/* How the network halves its features. */
typedef enum nst_pooling {
    NST_POOL_MAX = 0,
    NST_POOL_AVERAGE,
    NST_POOLING_COUNT
} nst_pooling;
/* The size of a style picture at a scale. */
typedef enum nst_style_fit {
    NST_FIT_SIDE = 0,        /* style_scale times size, by the content's size rule                     */
    NST_FIT_SHRINK,          /* the same, but a smaller style picture is never enlarged                */
    NST_FIT_STRETCH,         /* stretched to the content's width and height (the article)              */
    NST_FIT_WIDTH,           /* style_scale times the content's width, at native size too (anishathalye) */
    NST_STYLE_FIT_COUNT
} nst_style_fit;
/* Whose colours the result has. */
typedef enum nst_color_mode {
    NST_COLOR_STYLE = 0,     /* the style's, as the losses bring them                                   */
    NST_COLOR_MATCH,         /* the same, and the content first takes on the styles' mean and covariance */
    NST_COLOR_CONTENT,       /* result's CIE Lab lightness with the content's a and b, previews too      */
    NST_COLOR_MATCH_STYLE,   /* each style first takes on the content's mean and covariance              */
    NST_COLOR_COUNT
} nst_color_mode;
/* What the loss of a layer is divided by. */
typedef enum nst_layer_norm {
    NST_NORM_NONE = 0,
    NST_NORM_INVERSE_SQUARE, /* style layers: by channels^2 (Gatys)                                    */
    NST_NORM_TARGET,         /* each layer: by its target's own mean square; style also by the number of
                                layers (preset nst)                                                    */
    NST_NORM_COUNT
} nst_layer_norm;

/* Everything that decides a run's result, and how it is computed.  Made by
 * nst_settings_create from a preset, then changed field by field.  The loss is
 * content_weight * (sum over content layers of W * loss) + style_weight * (sum
 * over style layers of W * loss) + tv_weight * total variation, where W is the
 * layer's own weight.  All weights are 0..1e30.  nst_transfer checks every range
 * and returns NST_EARG. */
typedef struct nst_settings {
    char preset[32];

    /* sizes and schedule */
    int size;               /* 32..65535: side of the result in pixels, by size_rule; 0: native, no picture is
                               resampled */
    int size_rule;          /* nst_size_rule */
    int size_enlarge;       /* 0: size is cut to the content's longest side; 1: a smaller content is enlarged */
    int scales;             /* 0..32: number of scales, coarse to fine; 0: as many as fit above min_size */
    int min_size;           /* 32..65535: the coarsest scale is not smaller than this, pixels */
    double scale_step;      /* 1.01..100: ratio of one scale's side to the one before */
    int iterations;         /* 1..1e7: at each scale but the first */
    int first_iterations;   /* 0..1e7: at the first scale of several; 0: as iterations */

    double time_limit;      /* 0..1e9 seconds: the run ends then; until then the iterations of the scales are fitted to
                               it, in the proportions above; its bytes are not reproducible.  0: no limit */
    double until;           /* 0..1: a scale ends when its best loss of ten iterations is not better by this share than
                               that of the ten before.  0: never */

    /* loss */
    double strength;          /* 0..100, the one dial: from a hint of the style to all of it.  50 leaves the other
                                 values as they are.  Below 50, style_weight, tv_weight, init_noise and a matched
                                 content's color_strength shrink towards 0, and conv1_1 holds the content's pixels;
                                 above, style_weight grows */
    double content_weight, style_weight, tv_weight;
    char content_layers[128]; /* NAME[:WEIGHT],... */
    char style_layers[256];   /* the same */
    int style_loss;           /* nst_style_loss_kind */
    int content_loss;         /* nst_content_loss_kind */
    int layer_norm;           /* nst_layer_norm */
    int tv;                   /* nst_tv_kind */
    char style_blend[256];    /* WEIGHT,... one a style, 0..1e9; "" is equal; normalised to sum one */
    int style_fit;            /* nst_style_fit */
    double style_scale;       /* 0.01..100: style pictures' side over the result's */
    char style_size[256];     /* SIZE,... one a style: its longest side in pixels ("300") or a factor of style_scale
                                 ("0.5x"), both for the last scale; "" is 1x for all */
    int color;                /* nst_color_mode: whose colours the result has */
    double color_strength;    /* 0..1: how much of color's change is made */

    /* the optimised tensor and the network */
    int space;              /* nst_space */
    int pooling;            /* nst_pooling */
    int pool_ceil;          /* 1: odd sides are rounded up, not down */
    int replicate;          /* 1: the first convolution replicates the border, 0: zeros */
    int margin;             /* 0..1024: pictures are continued by reflection for so many pixels (rounded up to 2^pools),
                               which are painted but neither counted nor kept; none on very small pictures */

    /* optimiser */
    int optimizer;          /* nst_optimizer */
    double learning_rate;   /* 0..1e6.  Adam: step in units of the space; L-BFGS: step factor.  0: 0.02 of the range
                               of a channel for Adam, 1 for L-BFGS */
    double beta1, beta2;    /* 0 to 0.999999: Adam's decays */
    double average;         /* 0 to 0.999999: decay of the averaged iterate that is shown and kept; 0: none */
    int history;            /* 1..1000: L-BFGS pairs */
    double first_step;      /* 0..1: root mean square of L-BFGS's first step at each scale, in the range of a channel;
                               0: min(1, 1/|gradient|_1), as PyTorch's, which is so short that rounding decides the
                               second */
    int clamp;              /* 1: the picture is kept in [0,1] after each step */

    /* start */
    int init;               /* nst_init */
    double init_noise;      /* 0..1: share of uniform noise mixed into the first start */
    double init_sigma;      /* 0..1000: a random start is normal with this deviation in units of the space, mean 0;
                               0: uniform in [0,1] RGB */
    uint64_t seed;

    /* machine */
    uint64_t memory;        /* bytes that the process may take at its peak; 0: three quarters of what is free.  Decides
                               windows and L-BFGS's history, and so the last bits of the result */
    int window;             /* 0..65535: pictures are computed in windows of about so many pixels a side; 0: chosen */
    int threads;            /* 0..1024; 0: one for each core that the process may use */
    char simd[16];          /* kernel set by name; "": the fastest that runs here */
    char device[64];        /* what computes: "auto" takes a graphics card where there is one, else the CPU; "cpu";
                               "opencl" (the first device, cards first), "opencl:N", or a part of a device's name */
    char cache[512];        /* folder for programs that devices' drivers compile; "": they are compiled each time */
    char conv[16];          /* convolution algorithm: "auto", "im2col", "winograd4", "winograd6" */
} nst_settings;

/* Presets, by index from 0; NULL past the last.  The first is the default. */
NST_API const char *nst_preset_name(int i);
/* The same preset in a line; NULL past the last. */
NST_API const char *nst_preset_summary(int i);

/* Makes a preset's values; NULL is the default preset.  NST_EARG if it is unknown, NST_EMEM. */
NST_API nst_status nst_settings_create(nst_settings **out, const char *preset, nst_error *e);
/* Gives settings back. */
NST_API void nst_settings_destroy(nst_settings **s);
/* Does the same as assigning to a field, for languages that do not see the
 * struct: nst_settings_set(s, "style_weight", "12.5", e).  Enumerations are given
 * as numbers.  NST_EARG for an unknown field and for a value that is no number or
 * out of range; s is then as it was. */
NST_API nst_status nst_settings_set(nst_settings *s, const char *field, const char *value, nst_error *e);

#ifdef __cplusplus
}
#endif
#endif
