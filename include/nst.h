/* nst.h: the public interface of libnst, neural style transfer by optimisation
 * (Gatys, Ecker & Bethge, CVPR 2016).
 *
 * The library never prints, never exits and never reads the environment.
 *
 * Failure.  A function that can fail returns nst_status and describes the
 * failure in the caller's nst_error, which may be NULL.  On failure every
 * out-parameter is NULL and nothing half-written is left on disk.  A comment
 * names the statuses that its function can return beside NST_OK.
 *
 * Ownership.  Objects come from create, open or read, and the caller gives them
 * back by destroy or close, which take the address of the pointer, accept a
 * pointer that is NULL, and leave NULL.  Strings that the library returns belong
 * to the library or to the object that was asked; nobody frees them.  Strings
 * and arrays that a caller passes are used during the call only.
 *
 * Threads.  Any number of threads may call the library at the same time, as long
 * as no thread changes, closes or destroys an object that another thread uses.
 *   - Several transfers may run at the same time.  They may share the model,
 *     the settings and the pictures, which they only read.  The exception is a
 *     picture given to nst_image_spend: one transfer may use it, once.
 *   - An nst_styles, and an nst_checkpoint, serve one transfer at a time.
 *   - Each thread needs an nst_error of its own.
 *   - Callbacks come in the thread that called the transfer.  nst_progress_*
 *     may be called there only, before the callback returns.
 *   - A transfer computes with settings.threads threads, and with threads = 0
 *     and memory = 0 it plans for the whole machine.  Programs that run several
 *     should set both.
 *   - nst_model_open reads HDF5 files one at a time, because libhdf5 is usually
 *     built without locks.  A host that calls libhdf5 itself must not do so in
 *     another thread meanwhile.
 *   - The library's own threads sleep when there is nothing to do, block all
 *     signals, and stay until the process ends.
 *   - A child of fork may use the library and starts threads of its own.
 *
 * Locale.  The host's locale changes nothing: numbers in texts have a decimal
 * point.
 *
 * Texts in nst_error may hold names from files and archives.  Control characters
 * and bytes that are no UTF-8 are shown as \x1b in them.
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
    NST_EIO,          /* a file cannot be opened, read or written, or other ranks are not reached */
    NST_EFORMAT,      /* a file is damaged or is not what it should be; a picture is too small or too large */
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

/* The version of the library: "0.1.0".  Never NULL. */
NST_API const char *nst_version(void);

/* ---- pictures ---------------------------------------------------------- */

/* A picture in sRGB: planar float [channels][height][width], nominal range
 * [0,1], channel order R G B and, with four channels, A (not premultiplied).
 * Sides are at most 65535 pixels, and a picture has at most 2^30 of them. */
typedef struct nst_image nst_image;

/* One kind of picture file. */
typedef struct nst_format {
    const char *name;     /* "jpeg", as nst_write_options takes it */
    const char *label;    /* "JPEG" */
    const char *suffixes; /* ".jpg .jpeg" */
    int bits;             /* the most bits a sample can have: 8, 16 or 32 */
    int quality;          /* 1: nst_write_options' jpeg_quality has an effect */
    int reads;            /* 1: this build reads it */
    int writes;           /* 1: this build writes it */
} nst_format;

/* The formats PNG, JPEG, TIFF, WebP, PPM and PFM, then those that are read only: HEIC, AVIF, JPEG XL, GIF and BMP; by
 * index from 0; NULL past the last. */
NST_API const nst_format *nst_format_at(int i);
/* The format that the suffix of a file's name stands for, whether this build has it or not; NULL when there is none. */
NST_API const nst_format *nst_format_of(const char *path);
/* Writes the names of what this build reads into out [bytes], which it returns: "PNG, JPEG or PPM"; with suffixes = 1
 * the suffixes of what it writes: ".png, .jpg, .jpeg or .ppm". */
NST_API const char *nst_format_list(int suffixes, char *out, size_t bytes);

/* The size in pixels at which a picture is needed: its longest side, its
 * shortest side, or the larger picture of both; 0 leaves that side open.  A file
 * with more than twice as many pixels a side is made smaller while it is read,
 * to exactly that size, as nst_image_resize would do it (Lanczos, linear light),
 * in the memory of the smaller picture.  Any other file is read as it is. */
typedef struct nst_fit {
    int longest, shortest;
    size_t most; /* bytes that it may take in memory: a picture that takes more is NST_EMEM by its file's first bytes,
                    before the others are read; 0: as many as are free */
    int damaged; /* 1: what is there of a damaged JPEG, PNG, TIFF or WebP file is read, and nst_image_note says how
                    much; the picture ends where its rows do.  0: a damaged file is NST_EFORMAT */
} nst_fit;

/* Reads a picture file into *out.  The file's first bytes tell its format.  The
 * picture is turned upright by its EXIF orientation and converted to sRGB by its
 * embedded ICC profile.  PFM and TIFF's floating point are cut to [0,1].  path
 * may name a pipe.
 * NST_EIO, NST_EFORMAT, NST_EMEM, NST_EUNSUPPORTED. */
NST_API nst_status nst_image_read(nst_image **out, const char *path, nst_error *e);
/* The same, no larger than needed; fit may be NULL.  Interlaced PNG, progressive
 * JPEG, WebP, HEIC, AVIF, JPEG XL and some TIFF files take the memory of the whole file's samples. */
NST_API nst_status nst_image_read_fit(nst_image **out, const char *path, const nst_fit *fit, nst_error *e);
/* The same from an open file descriptor, which stays open; label names it in the error. */
NST_API nst_status nst_image_read_fd(nst_image **out, int fd, const char *label, const nst_fit *fit, nst_error *e);
/* What there is to say of a picture that was read: "a.gif: an animation, of which the first picture is taken", or how
 * much was there of a damaged one.  Lives as long as the picture.  NULL: nothing. */
NST_API const char *nst_image_note(const nst_image *image);

typedef struct nst_write_options {
    int bits;            /* PNG, TIFF, PPM: 8 or 16 bits a sample; 0 means 8 */
    int jpeg_quality;    /* 1..100; 0 means 95 for JPEG, whose chroma is never subsampled, and lossless for WebP */
    const char *comment; /* NULL, or text stored in the file (PNG tEXt "Comment", JPEG COM, TIFF ImageDescription,
                            PPM comment) */
    const char *format;  /* the name of a format; NULL: by the suffix */
} nst_write_options;

/* Writes a picture file in the format of path's suffix: to a temporary file
 * beside it, synced, then renamed.  So path is always either the old file or the
 * whole new one, with the old one's rights.  A symbolic link stays one, even
 * where its target does not exist; a device or pipe is written in place.  PNG, TIFF and WebP keep alpha; the others lay
 * what is transparent on white.  o may be NULL.
 * NST_EARG for unknown formats and values out of range, NST_EIO, NST_EMEM,
 * NST_EUNSUPPORTED. */
NST_API nst_status nst_image_write(const nst_image *image, const char *path,
                                   const nst_write_options *o, nst_error *e);
/* The same to an open file descriptor, which stays open; o->format names the format, PNG when o is NULL. */
NST_API nst_status nst_image_write_fd(const nst_image *image, int fd, const char *label,
                                      const nst_write_options *o, nst_error *e);

/* Makes a black (and, with four channels, transparent) picture.  channels is 3 or 4.
 * NST_EARG, NST_EFORMAT (too large), NST_EMEM. */
NST_API nst_status nst_image_create(nst_image **out, int width, int height, int channels, nst_error *e);
/* Gives a picture's memory back. */
NST_API void nst_image_destroy(nst_image **image);
/* Pixels in a row. */
NST_API int nst_image_width(const nst_image *image);
/* Rows. */
NST_API int nst_image_height(const nst_image *image);
/* 3, or 4 with alpha. */
NST_API int nst_image_channels(const nst_image *image);
/* Plane c, [height][width], to read and write; valid as long as the picture.  NULL when there is no such plane. */
NST_API float *nst_image_plane(nst_image *image, int c);

/* Allows a transfer whose content this is to free the picture's pixels (12 or 16
 * bytes each) once it no longer needs them; that may be never.  The size stays;
 * nst_image_plane then returns NULL.  The picture serves one transfer; a second
 * one is NST_EARG. */
NST_API void nst_image_spend(nst_image *content);

/* Ties a style picture to a region (guided Gram matrices: Gatys et al., CVPR
 * 2017).  The style is painted where content_mask is white (NULL: everywhere),
 * and only what is white in style_mask (NULL: all of it) counts of it.  Grey is in
 * between; colours count by their luminance, transparency as black.  A style
 * picture's own alpha is such a style_mask, too.  The masks are copied.  They
 * have the proportions of the content and of the style
 * picture, at any size.
 * If a style picture of a run has a content mask, all have, or all but one, which
 * gets what the others leave.  Where masks overlap both styles pull; where all
 * are black none does.  A region's style loss counts by its share of the area, so
 * that style and content have the same balance everywhere, and by its share of
 * settings.style_blend.
 * NST_EMEM leaves the picture as it was. */
NST_API nst_status nst_image_set_region(nst_image *style, const nst_image *content_mask, const nst_image *style_mask,
                                        nst_error *e);

/* ---- models ------------------------------------------------------------ */

/* A chain of 3x3 convolutions named conv{block}_{i}, with 2x2 pooling between
 * blocks: VGG19 up to conv5_1, or anything of that form. */
typedef struct nst_model nst_model;

/* Opens "small" or a file of weights.  "small" is the built-in model, a part of
 * the library: a student of the VGG team's VGG16, like it under CC BY 4.0.  A
 * file's content tells its format: safetensors, torch.save's two, caffemodel,
 * ONNX, Keras' HDF5, MatConvNet's .mat.  The chain is found by the order of the
 * numbers in the tensors' names, by their shapes, and in ONNX by the graph.  Batch
 * normalisations and what stands before the first convolution are folded.
 * Damaged files give an error, except HDF5 files, on which libhdf5 may crash: a
 * program that opens files of strangers should try them in a child process
 * first, as nst does.
 * NST_EIO, NST_EFORMAT, NST_EMEM, NST_EUNSUPPORTED. */
NST_API nst_status nst_model_open(nst_model **out, const char *name, nst_error *e);
/* Gives a model's memory back. */
NST_API void nst_model_close(nst_model **model);
/* One line that says what the model is, for people.  Never NULL. */
NST_API const char *nst_model_describe(const nst_model *model);
/* The format of its file, "safetensors"; "built in" for the built-in model.  Never NULL. */
NST_API const char *nst_model_format(const nst_model *model);
/* The name of layer i from 0, "conv1_1"; NULL past the last.  Its channels go to *in and *out, which may be NULL. */
NST_API const char *nst_model_layer(const nst_model *model, int i, int *in, int *out);

/* The inputs that a first layer can expect, by index from 0; NULL past the last.
 * "torchvision": RGB from 0 to 1, minus ImageNet's mean, over its deviation;
 * "caffe": BGR from 0 to 255, minus the mean; "caffe-rgb": the same in the order
 * RGB. */
NST_API const char *nst_input_name(int i);
/* The same input in words. */
NST_API const char *nst_input_text(int i);
/* The name of the input that this model expects.  A file whose first steps are no
 * known input has "its own".  A wrong input paints badly without any error. */
NST_API const char *nst_model_input(const nst_model *model);
/* Why that is believed.  Never NULL. */
NST_API const char *nst_model_input_why(const nst_model *model);
/* The input that this model expects in words, also where it is "its own".  Never NULL. */
NST_API const char *nst_model_input_text(const nst_model *model);
/* Line i from 0 of what was folded or assumed while the file was read, "folded:
 * 13 batch normalisations into ..."; NULL past the last. */
NST_API const char *nst_model_note(const nst_model *model, int i);
/* Overrides the input that was found in the file.  NST_EARG for an unknown name, and for the built-in model. */
NST_API nst_status nst_model_set_input(nst_model *model, const char *input, nst_error *e);
/* What the weights were made from, in the words of whoever kept them: nst's own
 * program writes sha256:HEX,md5:HEX.  "" where nobody did. */
NST_API const char *nst_model_origin(const nst_model *model);
/* Sets it, for nst_model_save.  At most 127 ASCII characters except blanks, quotes and backslashes, else NST_EARG. */
NST_API nst_status nst_model_set_origin(nst_model *model, const char *origin, nst_error *e);
/* Writes the layers, the input and the origin as a safetensors file, whole or not
 * at all; an old file of that name is replaced.  half = 0: single precision, bit
 * for bit what is in memory; 1: half precision.
 * NST_EARG for the built-in model and for numbers too large for half precision,
 * NST_EIO, NST_EMEM. */
NST_API nst_status nst_model_save(const nst_model *model, const char *path, int half, nst_error *e);

/* ---- settings ---------------------------------------------------------- */

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
                               tr(C + T - 2 (T^1/2 C T^1/2)^1/2)  (Dowson & Landau 1982; style-transfer-pytorch) */
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

/* ---- transfer ---------------------------------------------------------- */

#define NST_MAX_LAYERS 32

/* What a callback is told; valid until it returns. */
typedef struct nst_progress {
    int scale, scales;             /* from 1 */
    int width, height;             /* of this scale, pixels */
    int iteration, iterations;     /* from 1, of this scale */
    int done, total_iterations;    /* over all scales, this one included */
    double seconds;                /* this iteration */
    double elapsed, remaining;     /* seconds since the start; estimate to the end */
    double total, content, tv;     /* weighted losses before this iteration's update; total is their sum */
    int style_layers;
    const char *style_name[NST_MAX_LAYERS];
    double style[NST_MAX_LAYERS];  /* weighted, layer by layer */
    const char *notice;            /* NULL, or a sentence: what happened since the last call; with device "auto" a card
                                      that failed, after which the run goes on with the processor */
    const void *state;             /* for the nst_progress_ functions */
} nst_progress;

/* Called after each iteration in the calling thread.  A nonzero return ends
 * the run after this iteration; the picture at that point is then the result. */
typedef int nst_progress_fn(void *arg, const nst_progress *p);

/* Makes the picture that would be kept if the run ended now (alpha included); the caller destroys it.  Only inside the
 * callback.  NST_EMEM; with several ranks also NST_EIO. */
NST_API nst_status nst_progress_image(const nst_progress *p, nst_image **out, nst_error *e);

/* Sets another strength (0..100) from the next iteration on, as in nst_settings.
 * What belongs to the start of a run (noise, colours, layers) stays.  Only inside
 * the callback.  NST_EARG when it is out of range. */
NST_API nst_status nst_progress_strength(const nst_progress *p, double strength, nst_error *e);

typedef struct nst_plan {
    int scales;
    int width[NST_MAX_LAYERS], height[NST_MAX_LAYERS], iterations[NST_MAX_LAYERS]; /* of each scale */
    int windows[NST_MAX_LAYERS]; /* in which each scale is computed, 1: in one piece */
    int window_width[NST_MAX_LAYERS], window_height[NST_MAX_LAYERS]; /* of the largest, without its halo */
    int history[NST_MAX_LAYERS]; /* L-BFGS's pairs, at most the setting's; 0 for Adam */
    size_t bytes;               /* estimate of the process's peak memory, within a tenth */
    double seconds;             /* estimate of the run's time, if the machine stays as busy as now, within a half;
                                   0: a moment */
} nst_plan;

/* Says in *plan what nst_transfer would do, without doing it.  To estimate the
 * time, it times a picture of 192 pixels.  styles is [n_styles], 1 or more.
 * NST_EARG, NST_EFORMAT (a picture below 16 pixels a side), NST_EMEM,
 * NST_EUNSUPPORTED, NST_EDEVICE. */
NST_API nst_status nst_transfer_plan(const nst_settings *s, const nst_model *model, const nst_image *content,
                                     const nst_image *const *styles, int n_styles, nst_plan *plan, nst_error *e);

/* The size at which a run with these settings needs its content (content NULL)
 * or, once that is read, its styles: at most the last scale's.  The smaller
 * scales are then resampled from that one, whose sides may be a pixel off. */
NST_API nst_fit nst_settings_fit(const nst_settings *s, const nst_image *content);

/* Paints content in the style of styles [n_styles], 1 or more.  init is the start
 * picture (NST_INIT_IMAGE) or NULL.  progress may be NULL; arg is handed to it.
 * The caller destroys *out.  Nothing else is owned or changed (but see
 * nst_image_spend).
 * The same settings, pictures and kernel set give the same result, bit for bit,
 * for any number of threads, as long as the memory gives the same windows and
 * history (other windows change rounding only).
 * NST_EARG, NST_EFORMAT (a picture below 16 pixels a side), NST_EMEM (the text
 * says how much memory would do), NST_EUNSUPPORTED, NST_EDEVICE, NST_EDIVERGED.
 * NST_EDIVERGED is the one failure that may leave a picture in *out: the last one
 * whose losses were finite. */
NST_API nst_status nst_transfer(const nst_settings *s, const nst_model *model, const nst_image *content,
                                const nst_image *const *styles, int n_styles, const nst_image *init,
                                nst_progress_fn *progress, void *arg, nst_image **out, nst_error *e);

/* Statistics of style pictures, kept from one run to the next: many contents in one style need them once. */
typedef struct nst_styles nst_styles;
/* Makes an empty one.  NST_EMEM. */
NST_API nst_status nst_styles_create(nst_styles **out, nst_error *e);
/* Gives it back. */
NST_API void nst_styles_destroy(nst_styles **s);
/* nst_transfer, which takes from known what it has of these styles at these
 * sizes, and leaves there what it computed.  The result has the same bits.  known
 * may be NULL.  It holds 16 pictures at one size each, for one model (the same
 * object) and one set of settings at a time; another one empties it.  The
 * statuses are nst_transfer's. */
NST_API nst_status nst_transfer_known(nst_styles *known, const nst_settings *s, const nst_model *model,
                                      const nst_image *content, const nst_image *const *styles, int n_styles,
                                      const nst_image *init, nst_progress_fn *progress, void *arg, nst_image **out,
                                      nst_error *e);

/* ---- across machines ----------------------------------------------------- */

/* A message that two ranks exchange: rows of the picture. */
typedef struct nst_message {
    int peer;                   /* the other rank */
    const void *send;           /* [bytes] that go there, or NULL */
    void *receive;              /* [bytes] room for what comes from there, or NULL */
    size_t bytes;
} nst_message;

/* How the ranks of a run, 0 to ranks - 1, reach each other.  Every rank makes the
 * same calls in the same order, in the thread that called the transfer.  A function
 * returns 0, or nonzero on communication failure; the run then stops. */
typedef struct nst_comm {
    int rank, ranks;
    int beside;                 /* ranks on this one's machine, itself included; 0 means 1.  Memory and cores that
                                   the settings leave open are divided by it */
    void *arg;
    /* v [n] becomes the sum over all ranks, the same bits on each. */
    int (*sum)(void *arg, double *v, size_t n);
    /* Sends and receives m [n] at once; between two ranks the nth message sent is the nth received. */
    int (*exchange)(void *arg, const nst_message *m, int n);
    /* data [bytes] of rank root goes to all. */
    int (*broadcast)(void *arg, void *data, size_t bytes, int root);
} nst_comm;

/* nst_transfer by several ranks, each with the same settings and pictures.  The
 * picture is the same, but for rounding, for any number of them.  Each holds a
 * strip of it; *out is the picture on rank 0 and NULL elsewhere.  progress is
 * called on each rank after each iteration, and all stop when one of them says so.
 * Inside it, all ranks or none call nst_progress_image, with *out as here;
 * checkpoints are refused (NST_EUNSUPPORTED).  All ranks fail together, with
 * "rank 2: ...".  comm NULL: nst_transfer.
 * The statuses are nst_transfer's, and NST_EIO when ranks do not reach each other. */
NST_API nst_status nst_transfer_across(const nst_settings *s, const nst_model *model, const nst_image *content,
                                       const nst_image *const *styles, int n_styles, const nst_image *init,
                                       const nst_comm *comm, nst_progress_fn *progress, void *arg, nst_image **out,
                                       nst_error *e);
/* Says what it would do, as nst_transfer_plan; windows and bytes are this rank's. */
NST_API nst_status nst_transfer_plan_across(const nst_settings *s, const nst_model *model, const nst_image *content,
                                            const nst_image *const *styles, int n_styles, const nst_comm *comm,
                                            nst_plan *plan, nst_error *e);
/* Agrees on the outcome of something that each rank did by itself, as reading a file.  Returns s where no rank failed;
 * else every rank returns the status of the first that did, with "rank 2: ..." in e.  NST_EIO when ranks do not reach
 * each other. */
NST_API nst_status nst_comm_agree(const nst_comm *comm, nst_status s, nst_error *e);

/* ---- checkpoints --------------------------------------------------------- */

/* Writes the state of the run to a file from which nst_transfer_resume continues:
 * whole or not at all; an old file of that name is replaced.  Only inside the
 * callback.  The file holds the optimised picture, the optimiser's memory, all
 * settings, checksums of model and pictures, and note, the caller's own text (at
 * most 64 KiB, may be NULL); not the pictures and the model themselves.
 * NST_EARG (note too long), NST_EIO, NST_EMEM, NST_EUNSUPPORTED (several ranks). */
NST_API nst_status nst_progress_checkpoint(const nst_progress *p, const char *path, const char *note, nst_error *e);

typedef struct nst_checkpoint nst_checkpoint;

/* Opens and checks such a file.  NST_EIO, NST_EMEM; NST_EFORMAT when it is damaged
 * or something else, NST_EUNSUPPORTED when another version of nst wrote it. */
NST_API nst_status nst_checkpoint_open(nst_checkpoint **out, const char *path, nst_error *e);
/* Closes it. */
NST_API void nst_checkpoint_close(nst_checkpoint **c);
/* The run's settings, which belong to the checkpoint.  threads, simd, device,
 * memory and window may be changed.  Another value of these, except threads,
 * continues to a picture that is not the same bit for bit.  An empty simd and a
 * memory of 0 stand for what was used. */
NST_API nst_settings *nst_checkpoint_settings(nst_checkpoint *c);
/* The caller's text.  Never NULL. */
NST_API const char *nst_checkpoint_note(const nst_checkpoint *c);
/* Iterations that were made, over all scales. */
NST_API int nst_checkpoint_iteration(const nst_checkpoint *c);

/* The name of the kernel set that was used.  Never NULL. */
NST_API const char *nst_checkpoint_simd(const nst_checkpoint *c);

/* Continues to the picture that the uninterrupted nst_transfer makes of the same
 * model and pictures, bit for bit.  NST_EARG when one of them is another, NST_EIO
 * when the file is not readable any more, NST_EUNSUPPORTED when this machine lacks
 * the kernel set.  The rest is as nst_transfer's. */
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

/* Describes device i in *info: 0 is "cpu", then all that OpenCL reaches.  Returns 1, or 0 past the last. */
NST_API int nst_device_at(int i, nst_device_info *info);
/* Describes in *info the device that a name means here, and says in why [why_bytes], which may be NULL, for "auto" the
 * reason in a line ("no graphics card is reached by OpenCL").  NST_EUNSUPPORTED where there is no such device or the
 * build has no OpenCL, NST_EARG where several devices have the name. */
NST_API nst_status nst_device_find(const char *name, nst_device_info *info, char *why, size_t why_bytes, nst_error *e);

/* Kernel sets that were compiled in, plain to fast, by index from 0; NULL past the last. */
NST_API const char *nst_simd_name(int i);
/* 1 if this machine can run kernel set i. */
NST_API int nst_simd_usable(int i);
/* The kernel set that is chosen when none is asked for.  Never NULL. */
NST_API const char *nst_simd_chosen(void);
/* The libraries in this build: "libpng 1.6.39, ...".  Never NULL. */
NST_API const char *nst_build_info(void);

#ifdef __cplusplus
}
#endif
#endif
