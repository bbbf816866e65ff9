/* options.c: the command line as one table; getopt's arrays, range errors and the text of a run's settings come from
 * it.  help.c and docs.c make the help, the man page and the shells' completions from the same rows. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define S(member) true, offsetof(nst_settings, member)
#define C(member) false, offsetof(nst_command, member)
#define BYTES(member) sizeof((nst_settings *)0)->member

#define LAYERS "NAME[:W],..."

const char *const nst_group_titles[NST_GROUP_COUNT] = {
    [NST_GROUP_MAIN] = "Main options",
    [NST_GROUP_LOSS] = "What is asked of the picture",
    [NST_GROUP_RUN] = "How it is computed",
    [NST_GROUP_OUTPUT] = "Output",
    [NST_GROUP_COMMANDS] = "For commands",
};

const nst_option nst_options[] = {
    { "output", 'o', "FILE", NST_OPTION_PATH, C(output), 0, 0, NULL, NST_COMMON | NST_GROUP_MAIN,
      "where the result goes: .png, .jpg or .jpeg",
      "Without it the result goes to the current folder, under the content's and the styles' names joined by a hyphen, "
      "as PNG.  An input is never overwritten." },
    { "size", 's', "PIXELS|native", NST_OPTION_SIZE, S(size), 32, 65535, "native", NST_COMMON | NST_GROUP_MAIN,
      "longest side of the result; native: as it is",
      "A smaller content picture is enlarged to it.  With native neither the content nor the styles are resampled." },
    { "iterations", 'n', "N", NST_OPTION_ROUNDS, S(iterations), 1, 1000000, NULL, NST_COMMON | NST_GROUP_MAIN,
      "steps of the optimiser, at every scale", NULL },
    { "scales", 0, "N", NST_OPTION_INT, S(scales), 0, 32, NULL, NST_GROUP_MAIN,
      "sizes to go through, coarse to fine; 0: as fit", NULL },
    { "preset", 'p', "NAME", NST_OPTION_PATH, C(preset), 0, 0,
      "nst opengenus gatys neural-style neural-style-pt anishathalye neural-style-tf style-transfer-pytorch list",
      NST_COMMON | NST_GROUP_MAIN, "values to start from; list: say which there are",
      "A preset gives every other option its value: the program's own, or those of a well-known program or article, so "
      "that its results can be had again (see PRESETS in the man page, or nst help NAME).  Options override it wherever "
      "they stand on the line." },
    { "model", 'm', "FILE|NAME|wavelet", NST_OPTION_PATH, C(model), 0, 0, "wavelet", NST_COMMON | NST_GROUP_MAIN,
      "the network's weights; wavelet: the built-in ones",
      "A file of VGG19 or another chain of 3x3 convolutions: safetensors, what torch.save wrote (a state dict), "
      "Caffe's caffemodel, ONNX, Keras' HDF5 or MatConvNet's .mat.  The format is known by the content, never by the "
      "name.  Nothing in a pickle is executed.  A NAME is one that nst model import gave.  Without this option it is "
      "what the variable NST_MODEL says, else the "
      "user's own vgg19, else the built-in model.  The built-in weights are computed at start-up: nothing in them was "
      "learned from pictures, and learned ones give richer results." },
    { "model-input", 0, "KIND", NST_OPTION_CHOICE, C(model_input), 0, 0, "auto torchvision caffe caffe-rgb",
      NST_GROUP_MAIN, "auto, torchvision, caffe or caffe-rgb",
      "The pictures that the weights were learned from, if the file is believed wrongly: RGB from 0 to 1 over "
      "ImageNet's deviation (torchvision), BGR from 0 to 255 (caffe), or the same in the order RGB (caffe-rgb).  auto goes by the "
      "format and the names of the layers.  A wrong one paints badly, without any error." },

    { "content-weight", 0, "X", NST_OPTION_DOUBLE, S(content_weight), 0, 1e15, NULL, NST_COMMON | NST_GROUP_LOSS,
      "how much the content's shapes count", NULL },
    { "style-weight", 0, "X", NST_OPTION_DOUBLE, S(style_weight), 0, 1e15, NULL, NST_COMMON | NST_GROUP_LOSS,
      "how much the style counts", NULL },
    { "tv-weight", 0, "X", NST_OPTION_DOUBLE, S(tv_weight), 0, 1e15, NULL, NST_GROUP_LOSS,
      "how much smoothness (total variation) counts", NULL },
    { "content-layers", 0, LAYERS, NST_OPTION_TEXT, S(content_layers), 0, BYTES(content_layers), NULL, NST_GROUP_LOSS,
      "where the content is read",
      "Layers with their weights, as conv3_1:0.5,conv4_1.  They are named conv1_1 to conv5_1, and read after their "
      "ReLU; relu1_1 means the same as conv1_1.  A layer's weight is 1 unless it is given." },
    { "style-layers", 0, LAYERS, NST_OPTION_TEXT, S(style_layers), 0, BYTES(style_layers), NULL, NST_GROUP_LOSS,
      "where the style is read", NULL },
    { "style-loss", 0, "KIND", NST_OPTION_CHOICE, S(style_loss), 0, 0, "gram-raw gram gram-nm covariance w2 gram-scaled",
      NST_GROUP_LOSS, "gram[-raw|-nm|-scaled], covariance or w2",
      "Which statistics of the features are compared: Gram matrices as sums (gram-raw), divided by the number of "
      "positions (gram), that with its squared differences over the absolute ones (gram-scaled), or divided by the "
      "number of channels, too (gram-nm); mean and centred covariance (covariance); or the "
      "Wasserstein-2 distance of the two normal distributions (w2, which needs LAPACK in the build)." },
    { "style-blend", 0, "WEIGHT,...", NST_OPTION_TEXT, S(style_blend), 0, BYTES(style_blend), NULL,
      NST_COMMON | NST_GROUP_LOSS, "shares of several styles, in their order", "Equal shares without it." },
    { "style-scale", 0, "X", NST_OPTION_DOUBLE, S(style_scale), 0.05, 20, NULL, NST_COMMON | NST_GROUP_LOSS,
      "the style's size over the result's: brush size", NULL },
    { "recolor", 0, "X", NST_OPTION_DOUBLE, S(recolor), 0, 1, NULL, NST_COMMON | NST_GROUP_LOSS,
      "0 to 1: content first takes the style's colours", NULL },
    { "init", 0, "START", NST_OPTION_START, S(init), 0, 0, "content random", NST_COMMON | NST_GROUP_LOSS,
      "content, random, or a picture's file",
      "What the painting starts from.  A picture is resampled to the first scale's size." },
    { "init-noise", 0, "X", NST_OPTION_DOUBLE, S(init_noise), 0, 1, NULL, NST_GROUP_LOSS,
      "0 to 1: noise mixed into the start", NULL },
    { "seed", 0, "N", NST_OPTION_SEED, S(seed), 0, 0, NULL, NST_GROUP_LOSS,
      "of the noise; the same seed, the same picture", NULL },

    { "optimizer", 0, "adam|lbfgs", NST_OPTION_CHOICE, S(optimizer), 0, 0, "adam lbfgs", NST_GROUP_RUN,
      "how the picture moves", NULL },
    { "learning-rate", 0, "X", NST_OPTION_DOUBLE, S(learning_rate), 0, 1e6, NULL, NST_GROUP_RUN,
      "length of its steps; 0: as the optimizer needs",
      "An --optimizer other than the preset's has 0 unless this is given." },
    { "history", 0, "N", NST_OPTION_INT, S(history), 1, 1000, NULL, NST_GROUP_RUN,
      "steps that L-BFGS remembers", "Each takes the memory of two pictures." },
    { "average", 0, "X", NST_OPTION_DOUBLE, S(average), 0, 0.99999, NULL, NST_GROUP_RUN,
      "decay of the averaged picture; 0: the last one", NULL },
    { "pooling", 0, "max|avg|auto", NST_OPTION_CHOICE, S(pooling), 0, 0, "max avg auto", NST_GROUP_RUN,
      "how the network halves its pictures",
      "auto takes the average for the built-in model and the maximum for learned weights." },
    { "margin", 0, "PIXELS", NST_OPTION_INT, S(margin), 0, 1024, NULL, NST_GROUP_RUN,
      "painted beyond the sides and cut off",
      "The pictures are continued by reflection.  Without it, the zero padding of the convolutions paints a frame." },
    { "conv", 0, "KIND", NST_OPTION_WORD, S(conv), 0, BYTES(conv), "auto im2col winograd4 winograd6", NST_GROUP_RUN,
      "auto, im2col, winograd4 or winograd6", "The algorithm of the convolutions." },
    { "simd", 0, "SET", NST_OPTION_WORD, S(simd), 0, BYTES(simd), "scalar avx2 avx512 neon", NST_GROUP_RUN,
      "kernels: scalar, avx2, avx512 or neon",
      "Without it the fastest set that the processor runs; nst --version names it." },
    { "threads", 'j', "N", NST_OPTION_INT, S(threads), 0, 1024, NULL, NST_COMMON | NST_GROUP_RUN,
      "0: one a core; the result is the same for any", NULL },

    { "save-every", 0, "N", NST_OPTION_INT, C(save_every), 1, 1000000, NULL, NST_COMMON | NST_GROUP_OUTPUT,
      "save every N iterations, too: out-0050.png", "The numbered files lie beside the result." },
    { "log", 0, "FILE", NST_OPTION_PATH, C(log), 0, 0, NULL, NST_COMMON | NST_GROUP_OUTPUT,
      "every iteration's losses, a JSON object a line", NULL },
    { "quality", 0, "N", NST_OPTION_INT, C(quality), 1, 100, NULL, NST_GROUP_OUTPUT, "of a JPEG result; 95", NULL },
    { "bits", 0, "8|16", NST_OPTION_CHOICE, C(bits), 0, 0, "8 16", NST_GROUP_OUTPUT,
      "a sample of a PNG result; 8", NULL },
    { "dry-run", 0, NULL, NST_OPTION_FLAG, C(dry_run), 0, 0, NULL, NST_COMMON | NST_GROUP_OUTPUT,
      "say sizes, iterations and memory, paint nothing", NULL },
    { "quiet", 'q', NULL, NST_OPTION_FLAG, C(quiet), 0, 0, NULL, NST_COMMON | NST_GROUP_OUTPUT,
      "say nothing but errors", NULL },
    { "verbose", 'v', NULL, NST_OPTION_FLAG, C(verbose), 0, 0, NULL, NST_COMMON | NST_GROUP_OUTPUT,
      "say every iteration's losses, layer by layer", NULL },
    { "json", 0, NULL, NST_OPTION_FLAG, C(json), 0, 0, NULL, NST_GROUP_COMMANDS,
      "nst bench: a JSON object instead of a table", NULL },
    { "half", 0, NULL, NST_OPTION_FLAG, C(half), 0, 0, NULL, NST_GROUP_COMMANDS,
      "nst model import, fetch: in half precision", NULL },
    { "url", 0, "URL", NST_OPTION_PATH, C(url), 0, 0, NULL, NST_GROUP_COMMANDS,
      "nst model fetch: another address",
      "https:// or http://.  With a NAME that nst model fetch knows, it is a mirror, and the published checksum holds.  Otherwise the "
      "file may be of any kind that nst model import reads; eight digits before its suffix, as in net-01234567.pth, are the first "
      "of its SHA-256." },
    { "version", 'V', NULL, NST_OPTION_FLAG, C(version), 0, 0, NULL, NST_COMMON | NST_GROUP_OUTPUT,
      "say version, kernels and libraries", NULL },
    { "help", 'h', NULL, NST_OPTION_FLAG, C(help), 0, 0, NULL, NST_COMMON | NST_GROUP_OUTPUT,
      "say this; nst help all: say everything", NULL },
};
const int nst_option_count = (int)COUNT(nst_options);

static nst_status wrong(nst_error *e, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    return NST_EARG;
}

bool nst_word_at(const char *words, int i, char *out, size_t bytes)
{
    while (words && *words) {
        size_t n = strcspn(words, " ");

        if (i-- == 0) {
            snprintf(out, bytes, "%.*s", (int)n, words);
            return true;
        }
        words += n + strspn(words + n, " ");
    }
    return false;
}

static int word_index(const char *words, const char *text)
{
    char word[64];

    for (int i = 0; nst_word_at(words, i, word, sizeof word); i++)
        if (!strcmp(word, text))
            return i;
    return -1;
}

/* "a, b or c" */
static const char *word_list(const char *words, char *out, size_t bytes)
{
    char word[64], next[64];

    *out = 0;
    for (int i = 0; nst_word_at(words, i, word, sizeof word); i++) {
        size_t used = strlen(out);
        bool last = !nst_word_at(words, i + 1, next, sizeof next);

        snprintf(out + used, bytes - used, "%s%s", !i ? "" : last ? " or " : ", ", word);
    }
    return out;
}

static nst_status number(const nst_option *r, const char *text, bool whole, double *v, nst_error *e)
{
    char *end;

    errno = 0;
    *v = strtod(text, &end);
    if (end == text || *end || errno || strpbrk(text, "xXnN") || !(*v >= r->min && *v <= r->max) ||
        (whole && *v != (double)(long)*v))
        return wrong(e, "--%s: \"%s\" is not a %snumber from %g to %.10g%s", r->name, text, whole ? "whole " : "",
                     r->min, r->max, r->kind == NST_OPTION_SIZE ? ", nor \"native\"" : "");
    return NST_OK;
}

static nst_status seed(const nst_option *r, const char *text, uint64_t *v, nst_error *e)
{
    char *end;

    errno = 0;
    *v = strtoull(text, &end, 10);
    if (strspn(text, "0123456789") != strlen(text) || end == text || errno)
        return wrong(e, "--%s: \"%s\" is not a whole number from 0 to %" PRIu64, r->name, text, UINT64_MAX);
    return NST_OK;
}

/* One option's value into its place.  s is NULL in the first pass, which only looks at what is not a setting. */
static nst_status apply(const nst_option *r, const char *text, nst_command *c, nst_settings *s, nst_error *e)
{
    char *place = r->setting ? (char *)s + r->offset : (char *)c + r->offset;
    char list[200];
    nst_status status;
    double v;
    int i;

    if (r->setting != (s != NULL))
        return NST_OK;
    if (r->argument && !*text)
        return wrong(e, "--%s: its value is empty, expected %s", r->name, r->argument);
    switch (r->kind) {
    case NST_OPTION_FLAG:
        *(int *)place = 1;
        return NST_OK;
    case NST_OPTION_SIZE:
        if (!strcmp(text, "native")) {
            s->size = 0;
            return NST_OK;
        }
        s->size_rule = NST_SIZE_LONGEST;
        s->size_enlarge = 1;
        /* fall through */
    case NST_OPTION_INT:
    case NST_OPTION_ROUNDS:
        if ((status = number(r, text, true, &v, e)))
            return status;
        *(int *)place = (int)v;
        if (r->kind == NST_OPTION_ROUNDS)
            s->first_iterations = 0;
        return NST_OK;
    case NST_OPTION_DOUBLE:
        return number(r, text, false, (double *)place, e);
    case NST_OPTION_SEED:
        return seed(r, text, (uint64_t *)place, e);
    case NST_OPTION_CHOICE:
    case NST_OPTION_WORD:
        if ((i = word_index(r->choices, text)) < 0)
            return wrong(e, "--%s: \"%s\" is not %s", r->name, text, word_list(r->choices, list, sizeof list));
        if (r->kind == NST_OPTION_CHOICE)
            *(int *)place = i;
        else
            snprintf(place, (size_t)r->max, "%s", text);
        return NST_OK;
    case NST_OPTION_TEXT:
        if (strlen(text) >= (size_t)r->max)
            return wrong(e, "--%s: %zu characters, at most %g are taken", r->name, strlen(text), r->max - 1);
        snprintf(place, (size_t)r->max, "%s", text);
        return NST_OK;
    case NST_OPTION_PATH:
        *(const char **)place = text;
        return NST_OK;
    case NST_OPTION_START:
        i = word_index(r->choices, text);
        *(int *)place = i < 0 ? NST_INIT_IMAGE : i;
        c->init = i < 0 ? text : NULL;
        return NST_OK;
    }
    return NST_OK;
}

static void make_getopt(char *letters, struct option *names)
{
    *letters++ = ':'; /* a missing value is told from an unknown option, and getopt itself prints nothing */
    for (int i = 0; i < nst_option_count; i++) {
        const nst_option *r = &nst_options[i];

        names[i] = (struct option){ r->name, r->argument ? required_argument : no_argument, NULL, 256 + i };
        if (r->letter) {
            *letters++ = r->letter;
            if (r->argument)
                *letters++ = ':';
        }
    }
    *letters = 0;
    names[nst_option_count] = (struct option){ 0 };
}

static const nst_option *find(int code)
{
    if (code >= 256)
        return &nst_options[code - 256];
    for (int i = 0; i < nst_option_count; i++)
        if (nst_options[i].letter && nst_options[i].letter == code)
            return &nst_options[i];
    return NULL;
}

static nst_status misused(int code, const char *word, nst_error *e)
{
    const nst_option *r = find(optopt);

    if (code == ':' && r)
        return wrong(e, "--%s: its value is missing, expected %s", r->name, r->argument);
    if (r && !r->argument && optopt >= 256)
        return wrong(e, "--%s: takes no value", r->name);
    if (optopt && optopt < 256)
        return wrong(e, "unknown option -%c", optopt);
    return wrong(e, "unknown or ambiguous option %s", word);
}

nst_status nst_options_parse(int argc, char **argv, nst_command *c, nst_settings *s, nst_error *e)
{
    char letters[2 * COUNT(nst_options) + 2];
    struct option names[COUNT(nst_options) + 1];
    int optimizer = s ? s->optimizer : 0;
    double rate = s ? s->learning_rate : 0;
    nst_status status;
    int code;

    if (!s)
        *c = (nst_command){ 0 };
    make_getopt(letters, names);
    optind = 1;
    opterr = 0;
    while (optopt = 0, (code = getopt_long(argc, argv, letters, names, NULL)) != -1) {
        if (code == '?' || code == ':')
            return misused(code, argv[optind - 1], e);
        if ((status = apply(find(code), optarg ? optarg : "", c, s, e)))
            return status;
    }
    if (s) { /* a step length made for one optimiser is nonsense for the other */
        if (s->optimizer != optimizer && s->learning_rate == rate)
            s->learning_rate = 0;
        return NST_OK;
    }
    if (argc - optind - 1 > NST_MAX_STYLES)
        return wrong(e, "%d styles, at most %d are taken", argc - optind - 1, NST_MAX_STYLES);
    if (optind < argc)
        c->content = argv[optind++];
    while (optind < argc)
        c->style[c->styles++] = argv[optind++];
    return NST_OK;
}

static int describe_one(const nst_option *r, const nst_settings *s, char *text, size_t bytes)
{
    const char *place = (const char *)s + r->offset;
    char word[64] = "picture";

    switch (r->kind) {
    case NST_OPTION_SIZE:
        if (s->size == 0)
            return snprintf(text, bytes, " --size native");
        /* fall through */
    case NST_OPTION_INT:
    case NST_OPTION_ROUNDS:
        return snprintf(text, bytes, " --%s %d", r->name, *(const int *)place);
    case NST_OPTION_DOUBLE:
        return snprintf(text, bytes, " --%s %.9g", r->name, *(const double *)place);
    case NST_OPTION_SEED:
        return snprintf(text, bytes, " --%s %" PRIu64, r->name, *(const uint64_t *)place);
    case NST_OPTION_CHOICE:
    case NST_OPTION_START:
        nst_word_at(r->choices, *(const int *)place, word, sizeof word);
        return snprintf(text, bytes, " --%s %s", r->name, word);
    case NST_OPTION_WORD:
    case NST_OPTION_TEXT:
        return *place ? snprintf(text, bytes, " --%s %s", r->name, place) : 0;
    case NST_OPTION_FLAG:
    case NST_OPTION_PATH:
        break;
    }
    return 0;
}

void nst_options_describe(const nst_settings *s, char *text, size_t bytes)
{
    size_t used = (size_t)snprintf(text, bytes, "--preset %s", s->preset);

    for (int i = 0; i < nst_option_count && used < bytes; i++)
        if (nst_options[i].setting && strcmp(nst_options[i].name, "threads")) /* which never change the result */
            used += (size_t)describe_one(&nst_options[i], s, text + used, bytes - used);
}
