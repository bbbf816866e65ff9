/* nst.h: the public interface of libnst, neural style transfer by optimisation
 * (Gatys, Ecker & Bethge, CVPR 2016).
 *
 * The library never prints, never exits and never reads the environment.  A
 * function that can fail returns nst_status and describes the failure in the
 * caller's nst_error (which may be NULL).  On failure every out-parameter is
 * NULL and nothing half-written is left on disk.  Objects come from
 * create/open/read and go by destroy/close, which take the address of the
 * pointer, accept NULL and leave NULL.
 *
 * Threads: several may call the library at the same time with different
 * objects; one object, and what is made from it, belongs to one thread at a
 * time.  Keras' files are read one at a time, since libhdf5 has usually no
 * locks: a host that calls libhdf5 itself must not do so in another thread
 * while nst_model_open runs.
 *
 * The host's locale changes nothing: numbers have a decimal point.  A process
 * that was forked after its parent had painted paints with one thread, since
 * OpenMP's are not there; before that, fork freely.
 *
 * Texts in nst_error may hold names from files and archives: control
 * characters and bytes that are no UTF-8 are shown as \x1b in them.
 */
#ifndef NST_H
#define NST_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define NST_API __attribute__((visibility("default")))
#else
#define NST_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum nst_status {
    NST_OK = 0,
    NST_EARG,         /* an option or argument is out of range or contradicts another */
    NST_EIO,          /* a file cannot be opened, read or written */
    NST_EFORMAT,      /* a file is damaged or is not what it should be */
    NST_EMEM,         /* out of memory */
    NST_EUNSUPPORTED, /* this build or this machine lacks what was asked for */
    NST_EDIVERGED,    /* the optimisation met a NaN or an infinity */
    NST_EDEVICE,      /* a device or its driver failed: its compiler, a kernel, the card itself */
    NST_STATUS_COUNT
} nst_status;

/* What went wrong: "object: fact, expectation", no capital, no full stop. */
typedef struct nst_error {
    char text[512];
} nst_error;

/* A short name for a status, "out of memory" for NST_EMEM.  Never NULL. */
NST_API const char *nst_status_text(nst_status s);

/* "0.1.0" */
NST_API const char *nst_version(void);

/* ---- pictures ---------------------------------------------------------- */

/* A picture in sRGB: planar float [channels][height][width], nominal range
 * [0,1], channel order R G B and, with four channels, A (not premultiplied). */
typedef struct nst_image nst_image;

/* One kind of picture file. */
typedef struct nst_format {
    const char *name;     /* "jpeg", as nst_write_options takes it */
    const char *label;    /* "JPEG" */
    const char *suffixes; /* ".jpg .jpeg" */
    int bits;             /* the most that a sample has: 8, 16 or 32 */
    int quality;          /* 1: nst_write_options' jpeg_quality counts */
    int built;            /* 1: this build reads and writes it */
} nst_format;

/* PNG, JPEG, TIFF, WebP, PPM, PFM, by index from 0; NULL past the last. */
NST_API const nst_format *nst_format_at(int i);
/* The one that the suffix of a file's name stands for, built or not; NULL: none. */
NST_API const nst_format *nst_format_of(const char *path);
/* What this build reads and writes, in words, into out, which is returned: "PNG, JPEG or PPM"; with suffixes
 * ".png, .jpg, .jpeg or .ppm". */
NST_API const char *nst_format_list(int suffixes, char *out, size_t bytes);

/* The size at which a picture is needed: its longest side, its shortest side,
 * or the larger picture of both; 0 says nothing of that side.  A file with more
 * than twice as many pixels a side is made smaller while it is read, to
 * exactly that size, as nst_image_resize would do it (Lanczos, linear light),
 * in the memory of the smaller picture.  Any other is read as it is. */
typedef struct nst_fit {
    int longest, shortest;
    size_t most; /* bytes that it may take in memory: a picture that takes more is NST_EMEM by its file's first bytes,
                    before the others are read; 0: as many as are free */
} nst_fit;

/* Reads a picture file, whose format is told by its first bytes: turned upright
 * by its EXIF orientation, converted to sRGB by its embedded ICC profile.  PFM
 * and TIFF's floating point are cut to [0,1].  A pipe is as good as a file. */
NST_API nst_status nst_image_read(nst_image **out, const char *path, nst_error *e);
/* The same, no larger than needed; fit may be NULL.  Interlaced PNG, progressive
 * JPEG, WebP and some TIFF files take the memory of the whole file's samples. */
NST_API nst_status nst_image_read_fit(nst_image **out, const char *path, const nst_fit *fit, nst_error *e);
/* The same from an open file descriptor, which stays open; label names it in the failure's text. */
NST_API nst_status nst_image_read_fd(nst_image **out, int fd, const char *label, const nst_fit *fit, nst_error *e);

typedef struct nst_write_options {
    int bits;            /* PNG, TIFF, PPM: 8 or 16 bits a sample; 0 means 8 */
    int jpeg_quality;    /* 1..100; 0 means 95 for JPEG, whose chroma is never subsampled, and lossless for WebP */
    const char *comment; /* NULL, or text stored in the file (PNG tEXt "Comment", JPEG COM, TIFF ImageDescription,
                            PPM comment) */
    const char *format;  /* NULL: by the suffix; or the name of a format */
} nst_write_options;

/* Writes a picture file by the suffix of path: to a temporary file beside it,
 * synced, then renamed, so that path is always either the old file or the whole
 * new one, with the old one's rights; a symbolic link stays one, even where its
 * file is not there yet; a device or pipe is written in place.  Temporary files
 * .nst-*.tmp that a killed process left there an hour ago are taken away.  PNG, TIFF and WebP keep alpha, the others lay what
 * is transparent on white.  o may be NULL. */
NST_API nst_status nst_image_write(const nst_image *image, const char *path,
                                   const nst_write_options *o, nst_error *e);
/* The same to an open file descriptor, which stays open; o->format says which, PNG when o is NULL. */
NST_API nst_status nst_image_write_fd(const nst_image *image, int fd, const char *label,
                                      const nst_write_options *o, nst_error *e);

/* A black (and, with four channels, transparent) picture.  channels 3 or 4. */
NST_API nst_status nst_image_create(nst_image **out, int width, int height, int channels, nst_error *e);
NST_API void nst_image_destroy(nst_image **image);
NST_API int nst_image_width(const nst_image *image);
NST_API int nst_image_height(const nst_image *image);
NST_API int nst_image_channels(const nst_image *image);
/* Plane c, [height][width]; valid as long as the picture. */
NST_API float *nst_image_plane(nst_image *image, int c);

/* Lets a painting whose content this is give its pixels' memory back, 12 or 16 bytes
 * a pixel, as soon as it has no more use for them; that may be never.  The size
 * stays, nst_image_plane then returns NULL.  The picture is good for one painting;
 * used once more it is NST_EARG. */
NST_API void nst_image_spend(nst_image *content);

/* Ties a style picture to a region (guided Gram matrices, Gatys et al. 2017):
 * it is painted where content_mask is white (NULL: everywhere), and only what
 * is white in style_mask (NULL: all of it) counts of it.  Grey is in between;
 * colours count by their luminance, transparency as black.  The masks are
 * copied; they have the proportions of the content and of the style picture,
 * any size.  If a style picture of a run has a content mask, all have, or all
 * but one, which gets what the others leave.  Where masks overlap both styles
 * pull; where all are black none does.  A region's style loss counts by its
 * share of the area, so that style and content weigh against each other
 * everywhere the same, and by its share of settings.style_blend.  NST_EMEM
 * leaves the picture as it was. */
NST_API nst_status nst_image_set_region(nst_image *style, const nst_image *content_mask, const nst_image *style_mask,
                                        nst_error *e);

/* ---- models ------------------------------------------------------------ */

/* A chain of 3x3 convolutions named conv{block}_{i}, with 2x2 pooling between
 * blocks: VGG19 up to conv5_1, or anything of that form. */
typedef struct nst_model nst_model;

/* Opens "small" (the built-in model, a part of the library: a student of the
 * VGG team's VGG16, like it under CC BY 4.0) or a file of
 * weights, whose format is told by its content: safetensors, torch.save's two,
 * caffemodel, ONNX, Keras' HDF5, MatConvNet's .mat.  The chain is found by the
 * order of the numbers in the tensors' names, by their shapes, and in ONNX by
 * the graph; batch normalisations and what stands before the first convolution
 * are folded.  Damaged files
 * give a sentence, but for HDF5's, on which libhdf5 may crash: a program that
 * opens files of strangers does it in a child process first, as nst does. */
NST_API nst_status nst_model_open(nst_model **out, const char *name, nst_error *e);
NST_API void nst_model_close(nst_model **model);
/* One line that says what the model is, for people. */
NST_API const char *nst_model_describe(const nst_model *model);
/* The kind of file it came from, "safetensors"; "built in" for the built-in one.  Never NULL. */
NST_API const char *nst_model_format(const nst_model *model);
/* The name of layer i from 0, "conv1_1", NULL past the last; its channels into *in and *out, which may be NULL. */
NST_API const char *nst_model_layer(const nst_model *model, int i, int *in, int *out);

/* Which picture the first layer expects, by name, and in words; NULL past the
 * last.  "torchvision": RGB from 0 to 1, minus ImageNet's mean, over its
 * deviation; "caffe": BGR from 0 to 255, minus the mean; "caffe-rgb": the same
 * in the order RGB. */
NST_API const char *nst_input_name(int i);
NST_API const char *nst_input_text(int i);
/* The one that this model takes, and why that is believed: a wrong one paints
 * badly without any error.  A file whose first steps are no known input has
 * "its own". */
NST_API const char *nst_model_input(const nst_model *model);
NST_API const char *nst_model_input_why(const nst_model *model);
/* The input that this model takes in words, "its own" one of a file too. */
NST_API const char *nst_model_input_text(const nst_model *model);
/* Line i from 0 of what was folded or assumed while its file was read, "folded:
 * 13 batch normalisations into ..."; NULL past the last. */
NST_API const char *nst_model_note(const nst_model *model, int i);
/* Says it better than the file does.  NST_EARG for an unknown name, and for the built-in model. */
NST_API nst_status nst_model_set_input(nst_model *model, const char *input, nst_error *e);
/* What the weights were made from, in the words of who kept them: nst's own
 * program writes sha256:HEX,md5:HEX.  Empty where nobody did; it is written by
 * nst_model_save.  At most 127 ASCII characters but blanks, quotes and
 * backslashes, else NST_EARG. */
NST_API const char *nst_model_origin(const nst_model *model);
NST_API nst_status nst_model_set_origin(nst_model *model, const char *origin, nst_error *e);
/* Writes the layers, the input's name and the origin as a safetensors file in single (bit
 * for bit what is in memory) or half precision, whole or not at all; an old
 * file of that name is replaced.  NST_EARG for the built-in model. */
NST_API nst_status nst_model_save(const nst_model *model, const char *path, int half, nst_error *e);

/* ---- settings ---------------------------------------------------------- */

typedef enum nst_size_rule { NST_SIZE_LONGEST = 0, NST_SIZE_SHORTEST, NST_SIZE_RULE_COUNT } nst_size_rule;
typedef enum nst_style_loss_kind {
    NST_STYLE_GRAM_RAW = 0, /* F F^T, loss mean((G-T)^2) / (c h w)          (the article)              */
    NST_STYLE_GRAM,         /* F F^T / (h w), loss mean((G-T)^2)            (Gatys' own code)          */
    NST_STYLE_GRAM_NM,      /* F F^T / (c h w), loss mean((G-T)^2)          (neural-style)             */
    NST_STYLE_COVARIANCE,   /* mean and centred covariance, loss mean of their squared differences     */
    NST_STYLE_W2,           /* Wasserstein-2 between Gaussians              (style-transfer-pytorch)   */
    NST_STYLE_GRAM_SCALED,  /* F F^T / (h w), sum (G-T)^2 / sum |G-T|       (the same program in 2021) */
    NST_STYLE_LOSS_COUNT
} nst_style_loss_kind;
typedef enum nst_content_loss_kind {
    NST_CONTENT_MEAN = 0,   /* mean((F-P)^2)                                                           */
    NST_CONTENT_ROOT,       /* sum (F-P)^2 / (2 sqrt(c h w))                (neural-style-tf)          */
    NST_CONTENT_SCALED,     /* sum (F-P)^2 / sum |F-P|             (style-transfer-pytorch-2021) */
    NST_CONTENT_LOSS_COUNT
} nst_content_loss_kind;
typedef enum nst_tv_kind {
    NST_TV_HALF_SQUARES = 0, /* sum of squares / 2, last row and column left out (neural-style)        */
    NST_TV_NINE_POINT,       /* style-transfer-pytorch: sides 1/3, diagonals 1/12, replicate padded    */
    NST_TV_MEAN_SQUARES,     /* mean(dx^2) + mean(dy^2)                                                */
    NST_TV_ABSOLUTE,         /* sum |dx| + sum |dy|                        (neural-style-pt, -tf)      */
    NST_TV_REPLICATED,       /* mean(dx^2 + dy^2), replicate padded        (style-transfer-pytorch-2021) */
    NST_TV_COUNT
} nst_tv_kind;
typedef enum nst_space {
    NST_SPACE_MODEL = 0, /* optimised in RGB [0,1]; the network's own normalisation happens inside it  */
    NST_SPACE_IMAGENET,  /* RGB, minus (.485 .456 .406), over (.229 .224 .225)                         */
    NST_SPACE_BGR255,    /* BGR times 255, minus (103.939 116.779 123.68)                              */
    NST_SPACE_BGR256,    /* BGR times 256, minus the same                                              */
    NST_SPACE_RGB,       /* optimised in RGB [0,1]; ImageNet normalisation inside the network          */
    NST_SPACE_RGB255,    /* RGB times 255, minus (123.68 116.779 103.939)                              */
    NST_SPACE_COUNT
} nst_space;
typedef enum nst_optimizer { NST_ADAM = 0, NST_LBFGS, NST_OPTIMIZER_COUNT } nst_optimizer;
typedef enum nst_init { NST_INIT_CONTENT = 0, NST_INIT_RANDOM, NST_INIT_IMAGE, NST_INIT_COUNT } nst_init;
typedef enum nst_pooling {
    NST_POOL_MAX = 0,
    NST_POOL_AVERAGE,
    NST_POOLING_COUNT
} nst_pooling;
typedef enum nst_style_fit {
    NST_FIT_SIDE = 0,        /* style_scale times size, by the content's size rule                     */
    NST_FIT_SHRINK,          /* the same, but a smaller style picture is never enlarged                */
    NST_FIT_STRETCH,         /* stretched to the content's width and height (the article)              */
    NST_FIT_WIDTH,           /* style_scale times the content's width, at native size too (anishathalye) */
    NST_STYLE_FIT_COUNT
} nst_style_fit;
typedef enum nst_color_mode {
    NST_COLOR_STYLE = 0,     /* the losses alone decide, which bring the style's colours                */
    NST_COLOR_MATCH,         /* the same, and the content first takes on the styles' mean and covariance */
    NST_COLOR_CONTENT,       /* result's CIE Lab lightness with the content's a and b, previews too      */
    NST_COLOR_MATCH_STYLE,   /* each style first takes on the content's mean and covariance              */
    NST_COLOR_COUNT
} nst_color_mode;
typedef enum nst_layer_norm {
    NST_NORM_NONE = 0,
    NST_NORM_INVERSE_SQUARE, /* style layer weight divided by channels^2 (Gatys)                       */
    NST_NORM_TARGET,         /* each loss divided by its target's own mean square, style also by the
                                number of layers (our preset)                                          */
    NST_NORM_COUNT
} nst_layer_norm;

/* Everything that decides a run's result, plus how it is computed.  Made by
 * nst_settings_create from a preset, then changed field by field. */
typedef struct nst_settings {
    char preset[32];

    /* sizes and schedule */
    int size;               /* side of the result in pixels, by size_rule; 0: native, no picture is resampled */
    int size_rule;          /* nst_size_rule */
    int size_enlarge;       /* 0: size is cut to the content's longest side; 1: a smaller content is enlarged */
    int scales;             /* number of scales, coarse to fine; 0: as many as fit above min_size */
    int min_size;           /* the coarsest scale is not smaller than this, pixels */
    double scale_step;      /* ratio of one scale to the one before, > 1 */
    int iterations;         /* at each scale but the first */
    int first_iterations;   /* at the first scale of several; 0: as iterations */

    double time_limit;      /* > 0: seconds from which the run ends as it is; until then the iterations of the scales are
                               fitted to it, in the proportions above; its bytes are then not reproducible */
    double until;           /* > 0: a scale ends when its best loss of ten iterations is not better by this share than
                               that of the ten before */

    /* loss */
    double strength;          /* 0..100, the one dial: a hint of the style to all of it.  50: the other values as they are;
                                 below, style_weight, tv_weight, init_noise and a matched content's color_strength shrink towards nothing and
                                 conv1_1 holds the content's pixels, above, style_weight grows */
    double content_weight, style_weight, tv_weight;
    char content_layers[128]; /* NAME[:WEIGHT],... */
    char style_layers[256];   /* the same */
    int style_loss;           /* nst_style_loss_kind */
    int content_loss;         /* nst_content_loss_kind */
    int layer_norm;           /* nst_layer_norm */
    int tv;                   /* nst_tv_kind */
    char style_blend[256];    /* WEIGHT,... one a style; "" is equal; normalised to sum one */
    int style_fit;            /* nst_style_fit */
    double style_scale;         /* style pictures' side over the result's */
    char style_size[256];     /* SIZE,... one a style: its longest side in pixels ("300") or a factor of style_scale
                                 ("0.5x"), both for the last scale; "" is 1x for all */
    int color;                /* nst_color_mode: whose colours the result has */
    double color_strength;    /* 0..1: how much of color's change is made */

    /* the optimised tensor and the network */
    int space;              /* nst_space */
    int pooling;            /* nst_pooling */
    int pool_ceil;          /* 1: odd sides are rounded up, not down */
    int replicate;          /* 1: the first convolution replicates the border, 0: zeros */
    int margin;             /* pictures are continued by reflection for so many pixels (rounded up to 2^pools), which are
                               painted but neither counted nor kept; none on very small pictures */

    /* optimiser */
    int optimizer;          /* nst_optimizer */
    double learning_rate;   /* Adam: step in units of the space; L-BFGS: step factor; 0: 0.02 of the range
                               of a channel for Adam, 1 for L-BFGS */
    double beta1, beta2;    /* Adam */
    double average;         /* decay of the averaged iterate that is shown and kept; 0: none */
    int history;            /* L-BFGS pairs */
    double first_step;      /* 0..1: root mean square of L-BFGS's first step at each scale, in the range of a channel;
                               0: min(1, 1/|gradient|_1), as PyTorch's, which is so short that rounding decides the
                               second */
    int clamp;              /* 1: the picture is kept in [0,1] after each step */

    /* start */
    int init;               /* nst_init */
    double init_noise;      /* 0..1: share of uniform noise mixed into the first start */
    double init_sigma;      /* > 0: a random start is normal with this deviation in units of the space, mean 0;
                               0: uniform in [0,1] RGB */
    uint64_t seed;

    /* machine */
    uint64_t memory;        /* bytes that the process may take at its peak; 0: three quarters of what is free.  Decides
                               windows and L-BFGS's history, and so the last bits of the result */
    int window;             /* pictures are computed in windows of about so many pixels a side; 0: chosen */
    int threads;            /* 0: one for each core that the process may use */
    char simd[16];          /* kernel set by name; "": the fastest that runs here */
    char device[64];        /* what computes: "auto" takes a graphics card where there is one, else the CPU; "cpu";
                               "opencl" (the first device, cards first), "opencl:N", or a part of a device's name */
    char cache[512];        /* folder for programs that devices' drivers compile; "": they are compiled each time */
    char conv[16];          /* convolution algorithm: "auto", "im2col", "winograd4", "winograd6" */
} nst_settings;

/* Presets, by index from 0; NULL past the last.  The first is the default. */
NST_API const char *nst_preset_name(int i);
NST_API const char *nst_preset_summary(int i);

/* The preset's values; NULL is the default preset.  NST_EARG if unknown. */
NST_API nst_status nst_settings_create(nst_settings **out, const char *preset, nst_error *e);
NST_API void nst_settings_destroy(nst_settings **s);
/* The same as assigning to a field, for languages that do not see the struct:
 * nst_settings_set(s, "style_weight", "12.5", e).  Choices are their numbers.
 * NST_EARG, and s is as it was, for an unknown field or a value that is none or
 * out of its range. */
NST_API nst_status nst_settings_set(nst_settings *s, const char *field, const char *value, nst_error *e);

/* ---- transfer ---------------------------------------------------------- */

#define NST_MAX_LAYERS 32

typedef struct nst_progress {
    int scale, scales;             /* from 1 */
    int width, height;             /* of this scale */
    int iteration, iterations;     /* from 1, of this scale */
    int done, total_iterations;    /* over all scales, this one included */
    double seconds;                /* this iteration */
    double elapsed, remaining;     /* seconds since the start; estimate to the end */
    double total, content, tv;     /* weighted losses before this iteration's update; total is their sum */
    int style_layers;
    const char *style_name[NST_MAX_LAYERS];
    double style[NST_MAX_LAYERS];  /* weighted */
    const char *notice;            /* NULL, or a sentence: what happened since the last call; with device "auto" a card
                                      that failed, after which the run goes on with the processor */
    const void *state;             /* for nst_progress_image */
} nst_progress;

/* Called after each iteration in the calling thread.  A nonzero return ends
 * the run after this iteration; the best picture so far is then the result. */
typedef int nst_progress_fn(void *arg, const nst_progress *p);

/* The picture as it would be kept if the run ended now (alpha included). Only inside the callback. */
NST_API nst_status nst_progress_image(const nst_progress *p, nst_image **out, nst_error *e);

/* Another strength from the next iteration on, as nst_settings has it, but for
 * what belongs to the start of a run (noise, colours, layers).  Only inside the
 * callback.  NST_EARG when it is not from 0 to 100. */
NST_API nst_status nst_progress_strength(const nst_progress *p, double strength, nst_error *e);

typedef struct nst_plan {
    int scales;
    int width[NST_MAX_LAYERS], height[NST_MAX_LAYERS], iterations[NST_MAX_LAYERS]; /* of each scale */
    int windows[NST_MAX_LAYERS]; /* that each scale is computed in, 1: in one piece */
    int window_width[NST_MAX_LAYERS], window_height[NST_MAX_LAYERS]; /* of the largest, without its halo */
    int history[NST_MAX_LAYERS]; /* L-BFGS's pairs, at most the setting's; 0 for Adam */
    size_t bytes;               /* estimate of the process's peak memory, within a tenth */
    double seconds;             /* about how long it takes if the machine stays as busy as now, within a half; 0: a moment */
} nst_plan;

/* What nst_transfer would do, without doing it. */
NST_API nst_status nst_transfer_plan(const nst_settings *s, const nst_model *model, const nst_image *content,
                                     const nst_image *const *styles, int n_styles, nst_plan *plan, nst_error *e);

/* The size at which a run with these settings needs its content (content NULL)
 * or, once that is there, its styles: at most the last scale's.  The smaller
 * scales are then resampled from that one, whose sides may be a pixel off. */
NST_API nst_fit nst_settings_fit(const nst_settings *s, const nst_image *content);

/* Paints content in the style of styles[0..n_styles-1].  init is the start
 * picture (NST_INIT_IMAGE) or NULL.  Nothing is owned or changed but *out,
 * which the caller destroys.  Same settings, same pictures, same kernel set:
 * same result, bit for bit, for any number of threads, as long as the memory
 * gives the same windows and history (other windows change rounding only).
 * NST_EMEM says how much would do.  NST_EDIVERGED is the
 * one failure that may leave a picture in *out: the last one whose losses
 * were finite. */
NST_API nst_status nst_transfer(const nst_settings *s, const nst_model *model, const nst_image *content,
                                const nst_image *const *styles, int n_styles, const nst_image *init,
                                nst_progress_fn *progress, void *arg, nst_image **out, nst_error *e);

/* What was computed of style pictures, kept from one run to the next: many contents in one style need it once. */
typedef struct nst_styles nst_styles;
NST_API nst_status nst_styles_create(nst_styles **out, nst_error *e);
NST_API void nst_styles_destroy(nst_styles **s);
/* nst_transfer, which takes what known has of these styles at these sizes, and
 * leaves there what it had to compute; known may be NULL.  The same bits.  It
 * holds 16 pictures at one size each, and for one model and one set of
 * settings at a time; the model must be the same object. */
NST_API nst_status nst_transfer_known(nst_styles *known, const nst_settings *s, const nst_model *model,
                                      const nst_image *content, const nst_image *const *styles, int n_styles,
                                      const nst_image *init, nst_progress_fn *progress, void *arg, nst_image **out,
                                      nst_error *e);

/* ---- across machines ----------------------------------------------------- */

/* One of the rows that ranks hand to each other. */
typedef struct nst_message {
    int peer;                   /* the other rank */
    const void *send;           /* bytes that go there, or NULL */
    void *receive;              /* where bytes from there come to, or NULL */
    size_t bytes;
} nst_message;

/* How the ranks of a run, 0 to ranks - 1, reach each other; every rank makes the same calls in the same order.  Each
 * returns 0, or something else when the others are not reached, after which the run ends. */
typedef struct nst_comm {
    int rank, ranks;
    int beside;                 /* ranks that share this one's machine, itself included; 0: 1.  Memory and cores that
                                   the settings leave open are divided by it */
    void *arg;
    /* v [n] becomes the sum over all ranks, the same bits on each. */
    int (*sum)(void *arg, double *v, size_t n);
    /* Sends and receives at once; between two ranks the nth message sent is the nth received. */
    int (*exchange)(void *arg, const nst_message *m, int n);
    /* Bytes of rank root go to all. */
    int (*broadcast)(void *arg, void *data, size_t bytes, int root);
} nst_comm;

/* nst_transfer by several ranks, each with the same settings and pictures: to rounding the same picture for any number of
 * them.  Each holds a strip of the picture; *out is the picture on rank 0 and NULL elsewhere.  progress is called on
 * each after each iteration, and all stop when one of them says so; nst_progress_image inside it is to be called by all
 * or none, with *out as here; checkpoints are not written (NST_EUNSUPPORTED).  All fail together: "rank 2: ...".
 * comm NULL: nst_transfer. */
NST_API nst_status nst_transfer_across(const nst_settings *s, const nst_model *model, const nst_image *content,
                                       const nst_image *const *styles, int n_styles, const nst_image *init,
                                       const nst_comm *comm, nst_progress_fn *progress, void *arg, nst_image **out,
                                       nst_error *e);
/* What it would do; windows and bytes are this rank's. */
NST_API nst_status nst_transfer_plan_across(const nst_settings *s, const nst_model *model, const nst_image *content,
                                            const nst_image *const *styles, int n_styles, const nst_comm *comm,
                                            nst_plan *plan, nst_error *e);
/* For what ranks do one by one, as reading a file: the first rank's failure becomes everyone's, "rank 2: ..." in e. */
NST_API nst_status nst_comm_agree(const nst_comm *comm, nst_status s, nst_error *e);

/* ---- checkpoints --------------------------------------------------------- */

/* Writes where the run stands to a file from which it can go on: whole or not
 * at all, an old file of that name is replaced.  Only inside the callback.  The
 * file holds the optimised picture, the optimiser's memory, all settings, sums
 * of model and pictures, and note (at most 64 KiB, may be NULL), the caller's
 * own text; not the pictures and the model themselves. */
NST_API nst_status nst_progress_checkpoint(const nst_progress *p, const char *path, const char *note, nst_error *e);

typedef struct nst_checkpoint nst_checkpoint;

/* Opens and checks such a file: NST_EFORMAT when it is damaged or something
 * else, NST_EUNSUPPORTED when another version of nst wrote it. */
NST_API nst_status nst_checkpoint_open(nst_checkpoint **out, const char *path, nst_error *e);
NST_API void nst_checkpoint_close(nst_checkpoint **c);
/* The run's settings.  threads, simd, device, memory and window may be
 * changed; but for threads, another one (an empty simd and a memory of 0 are what
 * was used) goes on to a picture that is not the same bit for bit. */
NST_API nst_settings *nst_checkpoint_settings(nst_checkpoint *c);
/* The caller's text.  Never NULL. */
NST_API const char *nst_checkpoint_note(const nst_checkpoint *c);
/* Iterations that were made, over all scales. */
NST_API int nst_checkpoint_iteration(const nst_checkpoint *c);

/* The kernel set that was used. */
NST_API const char *nst_checkpoint_simd(const nst_checkpoint *c);

/* Goes on to the picture that the uninterrupted nst_transfer makes of the same
 * model and pictures, bit for bit; NST_EARG when one of them is another.  The
 * rest is as nst_transfer's. */
NST_API nst_status nst_transfer_resume(const nst_checkpoint *c, const nst_model *model, const nst_image *content,
                                       const nst_image *const *styles, int n_styles, nst_progress_fn *progress,
                                       void *arg, nst_image **out, nst_error *e);

/* ---- machine ----------------------------------------------------------- */

typedef enum nst_device_kind { NST_DEVICE_CPU = 0, NST_DEVICE_GPU, NST_DEVICE_OTHER } nst_device_kind;

typedef struct nst_device_info {
    char device[16];        /* how nst_settings.device names it: "cpu", "opencl:0" */
    char name[128];         /* "NVIDIA GeForce ..." */
    char platform[128];     /* of OpenCL; "" for "cpu" */
    char driver[192];       /* its OpenCL's and its own version; for "cpu" the kernel sets, the chosen one first */
    char precisions[32];    /* "single, double, half" */
    int kind;               /* nst_device_kind; a CPU may be a device of OpenCL's, too */
    int units;              /* compute units, cores */
    size_t memory, largest; /* bytes: all of it, and the largest buffer; 0 for "cpu" */
} nst_device_info;

/* Device i: 0 is "cpu", then all that OpenCL reaches; 0 past the last. */
NST_API int nst_device_at(int i, nst_device_info *info);
/* What a name means here, and for "auto" in a line why ("no graphics card is reached by OpenCL").  why
 * [why_bytes] may be NULL.  NST_EUNSUPPORTED where there is no such device or the build has no OpenCL, NST_EARG where
 * several have the name. */
NST_API nst_status nst_device_find(const char *name, nst_device_info *info, char *why, size_t why_bytes, nst_error *e);

/* Kernel sets compiled in, plain to fast, by index from 0; NULL past the last. */
NST_API const char *nst_simd_name(int i);
/* 1 if this machine can run it. */
NST_API int nst_simd_usable(int i);
/* The one chosen when none is asked for. */
NST_API const char *nst_simd_chosen(void);
/* "OpenMP 201511, libpng 1.6.39, ..."; never NULL. */
NST_API const char *nst_build_info(void);

#ifdef __cplusplus
}
#endif
#endif
