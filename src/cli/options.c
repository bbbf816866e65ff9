/* options.c: the options as one table.  arguments.c reads the command line by it; help.c and docs.c make the help, the
 * man page and the shells' completions from the same rows. */
#include "cli/options.h"

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
      "where the result goes: .png, .jpg, .tif, .webp...",
      "The suffix says the format: .png, .jpg, .jpeg, .tif, .tiff, .webp, .ppm, .pnm or .pfm.  - is standard output, as PNG "
      "unless --format says otherwise.  Without it the result goes to the current folder, under the content's and the styles' names joined by a hyphen, "
      "as PNG.  An input is never overwritten." },
    { "size", 's', "PIXELS|native", NST_OPTION_SIZE, S(size), 32, 65535, "native", NST_COMMON | NST_GROUP_MAIN,
      "longest side of the result; native: as it is",
      "A smaller content picture is enlarged to it.  With native neither the content nor the styles are resampled." },
    { "iterations", 'n', "N", NST_OPTION_ROUNDS, S(iterations), 1, 1000000, NULL, NST_COMMON | NST_GROUP_MAIN,
      "steps of the optimiser, at every scale", NULL },
    { "scales", 0, "N", NST_OPTION_INT, S(scales), 0, 32, NULL, NST_GROUP_MAIN,
      "sizes to go through, coarse to fine; 0: as fit", NULL },
    { "time", 't', "DURATION", NST_OPTION_TIME, S(time_limit), 0, 1e8, NULL, NST_COMMON | NST_GROUP_MAIN,
      "paint for so long: 90s, 5m, 1h30m",
      "The iterations of all scales are made more or fewer, in the proportions that they have, from what iterations take on "
      "this machine; when the time is over the painting ends as it is, with the size that was asked for.  Another run "
      "gives another number of iterations, so other bytes.  0: no limit." },
    { "until", 0, "SHARE", NST_OPTION_DOUBLE, S(until), 0, 1, NULL, NST_GROUP_MAIN,
      "end a scale when the loss settles: 0.01",
      "A scale ends when the best loss of its last ten iterations is not better by this share than that of the ten "
      "before.  0: never." },
    { "preset", 'p', "NAME", NST_OPTION_PATH, C(preset), 0, 0,
      "nst opengenus gatys neural-style neural-style-pt anishathalye neural-style-tf style-transfer-pytorch "
      "style-transfer-pytorch-2021 list",
      NST_COMMON | NST_GROUP_MAIN, "values to start from; list: say which there are",
      "A preset gives every other option its value: the program's own, or those of a well-known program or article, so "
      "that its results can be had again (see PRESETS in the man page, or nst help NAME).  Options override it wherever "
      "they stand on the line." },
    { "config", 0, "FILE|none", NST_OPTION_PATH, C(config), 0, 0, "none", NST_COMMON | NST_GROUP_MAIN,
      "options from a file, not ~/.config/nst/config",
      "Lines are NAME = VALUE with the long names of options; those that take no value have yes or no.  # and ; begin "
      "comments.  A section [preset NAME] makes a preset of that name, which inherits another by a line preset = NAME.  "
      "A preset's values give way to the file's, these to a section's that is chosen, and all to the command line.  none: "
      "no file is read." },
    { "model", 'm', "FILE|NAME|small", NST_OPTION_PATH, C(model), 0, 0, "small", NST_COMMON | NST_GROUP_MAIN,
      "the network's weights; small: the built-in ones",
      "A file of VGG19 or another chain of 3x3 convolutions: safetensors, what torch.save wrote (a state dict), "
      "Caffe's caffemodel, ONNX, Keras' HDF5 or MatConvNet's .mat.  The format is known by the content, never by the "
      "name.  Nothing in a pickle is executed.  A NAME is one that nst model import gave.  Without this option it is "
      "what the variable NST_MODEL says, else the "
      "user's own vgg19, else small, the built-in model: a student of the VGG team's VGG16, with fewer channels and like it "
      "under CC BY 4.0 (nst model info small tells more)." },
    { "model-input", 0, "KIND", NST_OPTION_CHOICE, C(model_input), 0, 0, "auto torchvision caffe caffe-rgb",
      NST_GROUP_MAIN, "auto, torchvision, caffe or caffe-rgb",
      "The pictures that the weights were learned from, if the file is believed wrongly: RGB from 0 to 1 over "
      "ImageNet's deviation (torchvision), BGR from 0 to 255 (caffe), or the same in the order RGB (caffe-rgb).  auto goes by the "
      "format and the names of the layers.  A wrong one paints badly, without any error." },

    { "strength", 'S', "0..100", NST_OPTION_DOUBLE, S(strength), 0, 100, NULL, NST_COMMON | NST_GROUP_MAIN,
      "from a hint of the style to all of it; 50",
      "One dial over the weights: 0 leaves the content nearly as it is, with its own colours, 25 paints lightly, 50 is the "
      "preset's own balance, at 100 the style takes over and the content can still be told.  It multiplies the style's "
      "weight; below 50 it also shrinks --init-noise, --tv-weight and the share of --color match, and holds the content at conv1_1, its very "
      "pixels." },

    { "content-weight", 0, "X", NST_OPTION_DOUBLE, S(content_weight), 0, 1e15, NULL, NST_COMMON | NST_GROUP_LOSS,
      "how much the content's shapes count", NULL },
    { "style-weight", 0, "X", NST_OPTION_DOUBLE, S(style_weight), 0, 1e15, NULL, NST_COMMON | NST_GROUP_LOSS,
      "how much the style counts", NULL },
    { "tv-weight", 0, "X", NST_OPTION_DOUBLE, S(tv_weight), 0, 1e15, NULL, NST_GROUP_LOSS,
      "how much smoothness (total variation) counts", NULL },
    { "content-layers", 0, LAYERS, NST_OPTION_TEXT, S(content_layers), 0, BYTES(content_layers), NULL, NST_GROUP_LOSS,
      "where the content is read: conv4_2",
      "Layers with their weights, as conv3_1:0.5,conv4_1.  They are named conv1_1 to conv5_1, and read after their "
      "ReLU; relu1_1 means the same as conv1_1.  A layer's weight is 1 unless it is given." },
    { "content-loss", 0, "KIND", NST_OPTION_CHOICE, S(content_loss), 0, 0, "mean root scaled", NST_GROUP_LOSS,
      "mean, root or scaled",
      "What differences of the content's features count: their squares' mean (mean); their sum over twice the root of the "
      "features' number (root); or over the absolute differences (scaled)." },
    { "style-layers", 0, LAYERS, NST_OPTION_TEXT, S(style_layers), 0, BYTES(style_layers), NULL, NST_GROUP_LOSS,
      "where the style is read, as conv1_1:0.5,conv2_1",
      "Layers with their weights, as for --content-layers.  The presets read conv1_1, conv2_1, conv3_1, conv4_1 and conv5_1." },
    { "style-loss", 0, "KIND", NST_OPTION_CHOICE, S(style_loss), 0, 0, "gram-raw gram gram-nm covariance w2 gram-scaled",
      NST_GROUP_LOSS, "gram[-raw|-nm|-scaled], covariance or w2",
      "Which statistics of the features are compared: Gram matrices as sums (gram-raw), divided by the number of "
      "positions (gram), that with its squared differences over the absolute ones (gram-scaled), or divided by the "
      "number of channels, too (gram-nm); mean and centred covariance (covariance); or the "
      "Wasserstein-2 distance of the two normal distributions (w2)." },
    { "style-blend", 0, "WEIGHT,...", NST_OPTION_TEXT, S(style_blend), 0, BYTES(style_blend), NULL,
      NST_COMMON | NST_GROUP_LOSS, "shares of several styles, in their order", "Equal shares without it." },
    { "style-scale", 0, "X", NST_OPTION_DOUBLE, S(style_scale), 0.05, 20, NULL, NST_COMMON | NST_GROUP_LOSS,
      "the style's size over the result's: brush size", NULL },
    { "style-size", 0, "SIZE,...", NST_OPTION_TEXT, S(style_size), 0, BYTES(style_size), NULL, NST_GROUP_LOSS,
      "of each style: 300 (pixels) or 0.5x",
      "One for each style, in their order: its longest side in pixels, or with an x a factor of --style-scale." },
    { "content-mask", 0, "FILE", NST_OPTION_PATHS, C(content_mask), 0, 0, "rest", NST_COMMON | NST_GROUP_LOSS,
      "white: where a style goes; one each",
      "May be given several times.  Each style is painted in its own region of the content, where its mask is white; "
      "grey mixes, so that soft edges make soft borders.  The first mask is the first style's, and so on.  A style "
      "whose mask is rest, or the last one without a mask, gets what the others leave: two styles need one mask.  "
      "Where all masks are black there is no style.  A mask is a picture with the proportions of the content's, of any "
      "size.  --style-blend weighs the regions." },
    { "style-mask", 0, "FILE", NST_OPTION_PATHS, C(style_mask), 0, 0, "none", NST_GROUP_LOSS,
      "white: what of a style counts; one each",
      "May be given several times, in the order of the styles; none: all of it, as without the option.  It may be used "
      "without --content-mask, to leave out a painting's frame, say.  A mask has the proportions of its style's picture." },
    { "color", 0, "KIND", NST_OPTION_CHOICE, S(color), 0, 0, "style match content match-style", NST_COMMON | NST_GROUP_LOSS,
      "style, match, content or match-style",
      "Whose colours the result has.  style: the style's, as the losses bring them; match: the same, and the content first takes on "
      "the style's mean colour and its covariance, so that nothing of its own is left; content: the content's, of the painting only the "
      "lightness is kept (CIE Lab); match-style: the content's palette, since the style first takes on the content's mean and "
      "covariance." },
    { "color-strength", 0, "X", NST_OPTION_DOUBLE, S(color_strength), 0, 1, NULL, NST_GROUP_LOSS,
      "0 to 1: how much of that is done", "0 is as --color style." },
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
      "steps that L-BFGS remembers", "Each takes the memory of two pictures: fewer where it is short." },
    { "first-step", 0, "X", NST_OPTION_DOUBLE, S(first_step), 0, 1, NULL, NST_GROUP_RUN,
      "L-BFGS's first step at each scale; 0: PyTorch's",
      "Its root mean square, 1 being the range from black to white.  PyTorch's is so short that rounding decides the second." },
    { "average", 0, "X", NST_OPTION_DOUBLE, S(average), 0, 0.99999, NULL, NST_GROUP_RUN,
      "decay of the averaged picture; 0: the last one", NULL },
    { "pooling", 0, "max|avg", NST_OPTION_CHOICE, S(pooling), 0, 0, "max avg", NST_GROUP_RUN,
      "how the network halves its pictures", NULL },
    { "margin", 0, "PIXELS", NST_OPTION_INT, S(margin), 0, 1024, NULL, NST_GROUP_RUN,
      "painted beyond the sides and cut off",
      "The pictures are continued by reflection.  Without it, the zero padding of the convolutions paints a frame." },
    { "device", 0, "NAME", NST_OPTION_TEXT, S(device), 0, BYTES(device), "auto cpu opencl", NST_GROUP_RUN,
      "auto, cpu, opencl, opencl:N, or part of a name",
      "What computes; nst devices names what there is.  auto takes a graphics card that OpenCL reaches, else the "
      "processor; where the card fails it goes on with the processor.  opencl is the first device of OpenCL's, cards "
      "first.  The same picture comes out, but for rounding." },
    { "conv", 0, "KIND", NST_OPTION_WORD, S(conv), 0, BYTES(conv), "auto im2col winograd4 winograd6", NST_GROUP_RUN,
      "auto, im2col, winograd4 or winograd6", "The algorithm of the convolutions." },
    { "simd", 0, "SET", NST_OPTION_WORD, S(simd), 0, BYTES(simd), "scalar avx2 avx512 neon", NST_GROUP_RUN,
      "kernels: scalar, avx2, avx512 or neon",
      "Without it the fastest set that the processor runs; nst --version names it." },
    { "memory", 0, "SIZE", NST_OPTION_BYTES, S(memory), 1 << 20, 1e18, NULL, NST_COMMON | NST_GROUP_RUN,
      "taken at most, as 2G; else 3/4 of what is free",
      "Where the whole picture does not fit it is computed in windows, with the same losses and the same picture but for "
      "rounding; L-BFGS then remembers fewer steps.  --dry-run says what comes of it." },
    { "window", 0, "PIXELS", NST_OPTION_INT, S(window), 16, 65535, NULL, NST_GROUP_RUN,
      "side of windows to compute in; else by memory", NULL },
    { "threads", 'j', "N", NST_OPTION_INT, S(threads), 0, 1024, NULL, NST_COMMON | NST_GROUP_RUN,
      "0: one a core; the result is the same for any", NULL },

    { "save-every", 0, "N", NST_OPTION_INT, C(save_every), 1, 1000000, NULL, NST_COMMON | NST_GROUP_OUTPUT,
      "save every N iterations, too: out-0050.png", "The numbered files lie beside the result." },
    { "preview", 0, NULL, NST_OPTION_FLAG, C(preview), 0, 0, NULL, NST_COMMON | NST_GROUP_OUTPUT,
      "show the painting as it forms in the terminal",
      "A few times a minute, as pixels where the terminal knows kitty's or iTerm's images or sixels, else as blocks of colour." },
    { "web", 0, NULL, NST_OPTION_FLAG, C(web), 0, 0, NULL, NST_COMMON | NST_GROUP_OUTPUT,
      "show the painting as it forms on a web page",
      "The page shows the picture beside the photograph, the losses and the time that is left; it pauses, stops and keeps, and "
      "changes the strength of the running job.  It is served to this machine only, by a server that ends with the painting." },
    { "web-port", 0, "PORT", NST_OPTION_INT, C(web_port), 1, 65535, NULL, NST_GROUP_OUTPUT,
      "where: http://127.0.0.1:PORT/; 8642", "Implies --web." },
    { "web-host", 0, "ADDRESS", NST_OPTION_PATH, C(web_host), 0, 0, "127.0.0.1 0.0.0.0", NST_GROUP_OUTPUT,
      "serve other machines, too: 0.0.0.0",
      "Implies --web.  Whoever reaches that address can look on, stop the painting and change it." },
    { "checkpoint", 0, "FILE", NST_OPTION_PATH, C(checkpoint), 0, 0, NULL,
      NST_COMMON | NST_GROUP_OUTPUT,
      "kept while painting; nst resume FILE goes on",
      "Every minute, and when the run is stopped by Ctrl-C or a signal, the run's whole state is written to FILE, which is "
      "always the last state or the one before, never half of one.  nst resume FILE goes on to the very bytes that an "
      "uninterrupted run paints.  FILE goes away when the painting is done." },
    { "checkpoint-every", 0, "SECONDS", NST_OPTION_INT, C(checkpoint_every), 1, 1000000, NULL, NST_GROUP_OUTPUT,
      "how often; 60",
      "Writing takes at most a twentieth of the time, however often it is asked for." },
    { "log", 0, "FILE", NST_OPTION_PATH, C(log), 0, 0, NULL, NST_COMMON | NST_GROUP_OUTPUT,
      "every iteration's losses, a JSON object a line", NULL },
    { "quality", 0, "N", NST_OPTION_INT, C(quality), 1, 100, NULL, NST_GROUP_OUTPUT,
      "of a JPEG or WebP result; 95, and lossless", NULL },
    { "format", 0, "NAME", NST_OPTION_CHOICE, C(format), 0, 0, "auto png jpeg tiff webp ppm pfm", NST_GROUP_OUTPUT,
      "png, jpeg, tiff, webp, ppm, pfm; auto: by suffix",
      "Says the format where a name does not, as with --output -.  TIFF and WebP need their libraries in the build." },
    { "bits", 0, "8|16", NST_OPTION_CHOICE, C(bits), 0, 0, "8 16", NST_GROUP_OUTPUT,
      "a sample of a PNG, TIFF or PPM result; 8", NULL },
    { "dry-run", 0, NULL, NST_OPTION_FLAG, C(dry_run), 0, 0, NULL, NST_COMMON | NST_GROUP_OUTPUT,
      "say sizes, iterations and memory, paint nothing", NULL },
    { "quiet", 'q', NULL, NST_OPTION_FLAG, C(quiet), 0, 0, NULL, NST_COMMON | NST_GROUP_OUTPUT,
      "say nothing but errors", NULL },
    { "verbose", 'v', NULL, NST_OPTION_FLAG, C(verbose), 0, 0, NULL, NST_COMMON | NST_GROUP_OUTPUT,
      "say every iteration's losses, layer by layer", NULL },
    { "output-dir", 0, "FOLDER", NST_OPTION_PATH, C(output_dir), 0, 0, NULL, NST_GROUP_COMMANDS,
      "nst batch: where results go; made if missing", NULL },
    { "name", 0, "PATTERN", NST_OPTION_PATH, C(name), 0, 0, NULL, NST_GROUP_COMMANDS,
      "nst batch: results' names: {content}-{style}.png", "{content} and {style} are the files' names without their ends, "
      "{n} is the result's number." },
    { "keep-existing", 0, NULL, NST_OPTION_FLAG, C(keep_existing), 0, 0, NULL, NST_GROUP_COMMANDS,
      "nst batch: results that are there stay", "So a batch that was stopped goes on." },
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
_Static_assert(COUNT(nst_options) <= NST_MAX_OPTIONS, "getopt's arrays hold all options");

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
