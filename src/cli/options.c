/* options.c: the options as one table.  arguments.c reads the command line by it; help.c and docs.c make the help, the
 * man page and the shells' completions from the same rows.  A row's help fits 49 columns, without a full stop. */
#include "cli/options.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define S(member) true, offsetof(nst_settings, member)
#define C(member) false, offsetof(nst_command, member)
#define BYTES(member) sizeof((nst_settings *)0)->member

#define LAYERS "NAME[:W],..."

const char *const nst_group_titles[NST_GROUP_COUNT] = {
    [NST_GROUP_MAIN] = "Main options",
    [NST_GROUP_LOSS] = "Losses, styles and the start",
    [NST_GROUP_RUN] = "Computation",
    [NST_GROUP_OUTPUT] = "Output",
    [NST_GROUP_COMMANDS] = "Options of commands",
};

const nst_option nst_options[] = {
    { "output", 'o', "FILE", NST_OPTION_PATH, C(output), 0, 0, NULL, NST_COMMON | NST_GROUP_MAIN,
      "the result's file: .png, .jpg, .tif, .webp",
      "The suffix chooses the format: .png, .jpg, .jpeg, .tif, .tiff, .webp, .ppm, .pnm or .pfm.  - is standard "
      "output, as PNG unless --format says otherwise.  Without this option the result goes to the current folder as "
      "PNG, named after the content and the styles with hyphens between.  nst never overwrites an input." },
    { "size", 's', "PIXELS|native", NST_OPTION_SIZE, S(size), 32, 65535, "native", NST_COMMON | NST_GROUP_MAIN,
      "longest side of the result; native: unchanged",
      "A smaller content picture is enlarged to it.  With native neither the content nor the styles are resampled." },
    { "iterations", 'n', "N", NST_OPTION_ROUNDS, S(iterations), 1, 1000000, NULL, NST_COMMON | NST_GROUP_MAIN,
      "steps of the optimiser at every scale", NULL },
    { "scales", 0, "N", NST_OPTION_INT, S(scales), 0, 32, NULL, NST_GROUP_MAIN,
      "number of sizes, coarse to fine; 0: as fit", NULL },
    { "time", 't', "DURATION", NST_OPTION_TIME, S(time_limit), 0, 1e8, NULL, NST_COMMON | NST_GROUP_MAIN,
      "time limit for painting: 90s, 5m, 1h30m",
      "nst measures how long iterations take and fits their number at all scales to the time, in the preset's "
      "proportions.  When the time is over the painting ends as it is, at the size that was asked for.  Another run "
      "makes another number of iterations, and so other bytes.  0: no limit." },
    { "until", 0, "SHARE", NST_OPTION_DOUBLE, S(until), 0, 1, NULL, NST_GROUP_MAIN,
      "end a scale when the loss settles: 0.01",
      "A scale ends when the best loss of its last ten iterations is not better by this share than that of the ten "
      "before.  0: never." },
    { "preset", 'p', "NAME", NST_OPTION_PATH, C(preset), 0, 0,
      "nst opengenus gatys neural-style neural-style-pt anishathalye neural-style-tf style-transfer-pytorch "
      "style-transfer-pytorch-2021 list",
      NST_COMMON | NST_GROUP_MAIN,
      "values to start from; list: show all presets",
      "A preset sets every other option: to nst's own values, or to those of a well-known program or article, so "
      "that its results can be reproduced (see PRESETS in the man page, or nst help NAME).  Options override the "
      "preset wherever they stand on the line." },
    { "config", 0, "FILE|none", NST_OPTION_PATH, C(config), 0, 0, "none", NST_COMMON | NST_GROUP_MAIN,
      "options from a file, not ~/.config/nst/config",
      "Lines are NAME = VALUE with the long names of options; options that take no value have yes or no.  # and ; "
      "begin comments.  A section [preset NAME] makes a preset of that name, which inherits another one by a line "
      "preset = NAME.  The file's values override the preset's, a chosen section's override the file's, and the "
      "command line overrides all.  none: no file is read." },
    { "model", 'm', "FILE|NAME|small", NST_OPTION_PATH, C(model), 0, 0, "small", NST_COMMON | NST_GROUP_MAIN,
      "the network's weights; small: the built-in ones",
      "A file of VGG19 or another chain of 3x3 convolutions: safetensors, what torch.save wrote (a state dict), "
      "Caffe's caffemodel, ONNX, Keras' HDF5 or MatConvNet's .mat.  The content tells the format, never the name.  "
      "Nothing in a pickle is executed.  NAME is one that nst model import gave.  Without this option nst takes what "
      "the variable NST_MODEL names, else the user's own vgg19, else small, the built-in model: a student of the VGG "
      "team's VGG16, with fewer channels and like it under CC BY 4.0 (see nst model info small)." },
    { "model-input", 0, "KIND", NST_OPTION_CHOICE, C(model_input), 0, 0, "auto torchvision caffe caffe-rgb",
      NST_GROUP_MAIN,
      "auto, torchvision, caffe or caffe-rgb",
      "The input for which the weights were trained, where nst does not find the right one: RGB from 0 to 1 over "
      "ImageNet's deviation (torchvision), BGR from 0 to 255 (caffe), or the same in the order RGB (caffe-rgb).  "
      "auto goes by the format and the names of the layers.  A wrong input paints badly, without any error." },

    { "strength", 'S', "0..100", NST_OPTION_DOUBLE, S(strength), 0, 100, NULL, NST_COMMON | NST_GROUP_MAIN,
      "0: hardly any style, 50: default, 100: all of it",
      "One dial over the weights.  0 leaves the content nearly as it is, with its own colours; 25 paints lightly; 50 "
      "is the preset's own balance; at 100 the style takes over and the content can still be recognised.  It "
      "multiplies the style's weight.  Below 50 it also shrinks --init-noise, --tv-weight and the share of --color "
      "match, and holds the content's pixels at conv1_1." },

    { "content-weight", 0, "X", NST_OPTION_DOUBLE, S(content_weight), 0, 1e15, NULL, NST_COMMON | NST_GROUP_LOSS,
      "weight of the content's shapes", NULL },
    { "style-weight", 0, "X", NST_OPTION_DOUBLE, S(style_weight), 0, 1e15, NULL, NST_COMMON | NST_GROUP_LOSS,
      "weight of the style", NULL },
    { "tv-weight", 0, "X", NST_OPTION_DOUBLE, S(tv_weight), 0, 1e15, NULL, NST_GROUP_LOSS,
      "weight of smoothness (total variation)", NULL },
    { "content-layers", 0, LAYERS, NST_OPTION_TEXT, S(content_layers), 0, BYTES(content_layers), NULL, NST_GROUP_LOSS,
      "layers of the content loss: conv4_2",
      "Layers with their weights, as conv3_1:0.5,conv4_1.  They are named conv1_1 to conv5_1 and read after their "
      "ReLU; relu1_1 means the same as conv1_1.  A layer without a weight has 1." },
    { "content-loss", 0, "KIND", NST_OPTION_CHOICE, S(content_loss), 0, 0, "mean root scaled", NST_GROUP_LOSS,
      "mean, root or scaled",
      "With d the differences between the content's features and the picture's, and n their number: mean is "
      "sum(d^2)/n, root is sum(d^2)/(2 sqrt(n)), scaled is sum(d^2)/sum(|d|)." },
    { "style-layers", 0, LAYERS, NST_OPTION_TEXT, S(style_layers), 0, BYTES(style_layers), NULL, NST_GROUP_LOSS,
      "layers of the style loss: conv1_1:0.5,conv2_1",
      "Layers with their weights, as for --content-layers.  The presets read conv1_1, conv2_1, conv3_1, conv4_1 and "
      "conv5_1." },
    { "style-loss", 0, "KIND", NST_OPTION_CHOICE, S(style_loss), 0, 0,
      "gram-raw gram gram-nm covariance w2 gram-scaled", NST_GROUP_LOSS,
      "gram[-raw|-nm|-scaled], covariance or w2",
      "The statistics of the features that are compared: Gram matrices as sums (gram-raw), divided by the number of "
      "positions (gram), or divided by the number of channels, too (gram-nm); gram with its squared differences over "
      "the absolute ones (gram-scaled); mean and centred covariance (covariance); or the Wasserstein-2 distance of "
      "the two normal distributions (w2)." },
    { "style-blend", 0, "WEIGHT,...", NST_OPTION_TEXT, S(style_blend), 0, BYTES(style_blend), NULL,
      NST_COMMON | NST_GROUP_LOSS,
      "weights of several styles, in their order",
      "Without it all styles weigh the same." },
    { "style-scale", 0, "X", NST_OPTION_DOUBLE, S(style_scale), 0.05, 20, NULL, NST_COMMON | NST_GROUP_LOSS,
      "brush size: the style's size over the result's", NULL },
    { "style-size", 0, "SIZE,...", NST_OPTION_TEXT, S(style_size), 0, BYTES(style_size), NULL, NST_GROUP_LOSS,
      "size of each style: 300 (pixels) or 0.5x",
      "One for each style, in their order: its longest side in pixels, or with an x a factor of --style-scale." },
    { "content-mask", 0, "FILE", NST_OPTION_PATHS, C(content_mask), 0, 0, "rest", NST_COMMON | NST_GROUP_LOSS,
      "white: where a style goes; one for each style",
      "May be given several times.  Each style is painted in its own region of the content, where its mask is "
      "white.  Grey mixes styles, so soft edges make soft borders.  The first mask is the first style's, and so on.  "
      "A style whose mask is rest, or the last one without a mask, gets what the others leave: two styles need one "
      "mask.  Where all masks are black there is no style.  A mask is a picture with the proportions of the "
      "content's, of any size.  --style-blend weighs the regions." },
    { "style-mask", 0, "FILE", NST_OPTION_PATHS, C(style_mask), 0, 0, "none", NST_GROUP_LOSS,
      "white: what of a style counts; one for each",
      "May be given several times, in the order of the styles.  none: all of the style counts, as without the "
      "option.  It may be used without --content-mask, to leave out a painting's frame, for example.  A mask has the "
      "proportions of its style's picture." },
    { "color", 0, "KIND", NST_OPTION_CHOICE, S(color), 0, 0, "style match content match-style",
      NST_COMMON | NST_GROUP_LOSS,
      "style, match, content or match-style",
      "Whose colours the result has.  style: the style's, as the losses bring them.  match: the "
      "content first gets the style's mean colour and covariance; then as style.  "
      "content: the content's; only the lightness is taken from the painting (CIE Lab).  match-style: the content's "
      "palette, because the style first takes on the content's mean and covariance." },
    { "color-strength", 0, "X", NST_OPTION_DOUBLE, S(color_strength), 0, 1, NULL, NST_GROUP_LOSS,
      "0 to 1: how much of the colour change is made",
      "0 is the same as --color style." },
    { "init", 0, "START", NST_OPTION_START, S(init), 0, 0, "content random", NST_COMMON | NST_GROUP_LOSS,
      "start from content, random, or a picture's file",
      "A picture is resampled to the first scale's size." },
    { "init-noise", 0, "X", NST_OPTION_DOUBLE, S(init_noise), 0, 1, NULL, NST_GROUP_LOSS,
      "0 to 1: noise mixed into the start", NULL },
    { "seed", 0, "N", NST_OPTION_SEED, S(seed), 0, 0, NULL, NST_GROUP_LOSS,
      "seed of the noise: same seed, same picture", NULL },

    { "optimizer", 0, "adam|lbfgs", NST_OPTION_CHOICE, S(optimizer), 0, 0, "adam lbfgs", NST_GROUP_RUN,
      "how the picture is changed: adam or lbfgs", NULL },
    { "learning-rate", 0, "X", NST_OPTION_DOUBLE, S(learning_rate), 0, 1e6, NULL, NST_GROUP_RUN,
      "length of a step; 0: as the optimiser needs",
      "With an --optimizer other than the preset's it is 0 unless this option is given." },
    { "history", 0, "N", NST_OPTION_INT, S(history), 1, 1000, NULL, NST_GROUP_RUN,
      "number of steps that L-BFGS remembers",
      "Each takes the memory of two pictures.  nst remembers fewer steps when memory is short, and reports it." },
    { "first-step", 0, "X", NST_OPTION_DOUBLE, S(first_step), 0, 1, NULL, NST_GROUP_RUN,
      "length of L-BFGS's first step; 0: as PyTorch's",
      "The root mean square of the first step at each scale; 1 is the range from black to white.  PyTorch's first "
      "step is so short that rounding decides the second." },
    { "average", 0, "X", NST_OPTION_DOUBLE, S(average), 0, 0.99999, NULL, NST_GROUP_RUN,
      "decay of the averaged picture; 0: no average", NULL },
    { "pooling", 0, "max|avg", NST_OPTION_CHOICE, S(pooling), 0, 0, "max avg", NST_GROUP_RUN,
      "how the network halves its features", NULL },
    { "margin", 0, "PIXELS", NST_OPTION_INT, S(margin), 0, 1024, NULL, NST_GROUP_RUN,
      "pixels painted beyond the sides, then cut off",
      "The pictures are continued by reflection.  Without a margin the zero padding of the convolutions paints a "
      "frame." },
    { "device", 0, "NAME", NST_OPTION_TEXT, S(device), 0, BYTES(device), "auto cpu opencl", NST_GROUP_RUN,
      "auto, cpu, opencl, opencl:N, or part of a name",
      "What computes; nst devices lists what there is.  auto takes a graphics card that OpenCL reaches, else the "
      "processor; when the card fails, the processor continues.  opencl is the first OpenCL device, cards first.  "
      "The picture is the same but for rounding." },
    { "conv", 0, "KIND", NST_OPTION_WORD, S(conv), 0, BYTES(conv), "auto im2col winograd4 winograd6", NST_GROUP_RUN,
      "auto, im2col, winograd4 or winograd6",
      "The algorithm of the convolutions." },
    { "simd", 0, "SET", NST_OPTION_WORD, S(simd), 0, BYTES(simd), "scalar avx2 avx512 neon", NST_GROUP_RUN,
      "kernels: scalar, avx2, avx512 or neon",
      "Without it nst takes the fastest set that the processor runs; nst --version names it." },
    { "memory", 0, "SIZE", NST_OPTION_BYTES, S(memory), 1 << 20, 1e18, NULL, NST_COMMON | NST_GROUP_RUN,
      "memory limit, as 2G (default: 75% of free)",
      "A picture that does not fit is computed in windows, with the same losses and the same picture but for "
      "rounding.  L-BFGS then remembers fewer steps.  --dry-run shows the outcome." },
    { "window", 0, "PIXELS", NST_OPTION_INT, S(window), 16, 65535, NULL, NST_GROUP_RUN,
      "side of the windows; default: by memory", NULL },
    { "threads", 'j', "N", NST_OPTION_INT, S(threads), 0, 1024, NULL, NST_COMMON | NST_GROUP_RUN,
      "number of threads; 0: one for each core", "The result is the same for any number." },

    { "save-every", 0, "N", NST_OPTION_INT, C(save_every), 1, 1000000, NULL, NST_COMMON | NST_GROUP_OUTPUT,
      "also save every N iterations: out-0050.png",
      "The numbered files lie beside the result." },
    { "preview", 0, NULL, NST_OPTION_FLAG, C(preview), 0, 0, NULL, NST_COMMON | NST_GROUP_OUTPUT,
      "show the painting in the terminal as it forms",
      "A few times a minute: as pixels where the terminal knows kitty's or iTerm's images or sixels, else as blocks "
      "of colour." },
    { "web", 0, NULL, NST_OPTION_FLAG, C(web), 0, 0, NULL, NST_COMMON | NST_GROUP_OUTPUT,
      "show the painting on a web page as it forms",
      "The page shows the picture beside the photograph, the losses and the time left.  It can pause and stop the "
      "run, and change its strength.  A server that ends with the painting serves it to this machine only." },
    { "web-port", 0, "PORT", NST_OPTION_INT, C(web_port), 1, 65535, NULL, NST_GROUP_OUTPUT,
      "port of http://127.0.0.1:PORT/ (default: 8642)",
      "Implies --web." },
    { "web-host", 0, "ADDRESS", NST_OPTION_PATH, C(web_host), 0, 0, "127.0.0.1 0.0.0.0", NST_GROUP_OUTPUT,
      "also serve other machines: 0.0.0.0",
      "Implies --web.  Whoever reaches that address can watch the painting, stop it and change it." },
    { "checkpoint", 0, "FILE", NST_OPTION_PATH, C(checkpoint), 0, 0, NULL,
      NST_COMMON | NST_GROUP_OUTPUT,
      "keep the run's state; nst resume FILE continues",
      "Every minute, and when Ctrl-C or a signal stops the run, nst writes the run's whole state to FILE.  FILE is "
      "always the last state or the one before, never half of one.  nst resume FILE continues to the same bytes as "
      "an uninterrupted run.  nst removes FILE when the painting is done." },
    { "checkpoint-every", 0, "SECONDS", NST_OPTION_INT, C(checkpoint_every), 1, 1000000, NULL, NST_GROUP_OUTPUT,
      "seconds between two states (default: 60)",
      "Writing takes at most a twentieth of the time, whatever this says." },
    { "log", 0, "FILE", NST_OPTION_PATH, C(log), 0, 0, NULL, NST_COMMON | NST_GROUP_OUTPUT,
      "write every iteration's losses, as JSON lines", NULL },
    { "quality", 0, "N", NST_OPTION_INT, C(quality), 1, 100, NULL, NST_GROUP_OUTPUT,
      "1-100 (default: JPEG 95, WebP lossless)", NULL },
    { "format", 0, "NAME", NST_OPTION_CHOICE, C(format), 0, 0, "auto png jpeg tiff webp ppm pfm", NST_GROUP_OUTPUT,
      "png, jpeg, tiff, webp, ppm, pfm; auto: by suffix",
      "The format of a result whose name does not tell it, as with --output -.  TIFF and WebP need their libraries "
      "in the build." },
    { "bits", 0, "8|16", NST_OPTION_CHOICE, C(bits), 0, 0, "8 16", NST_GROUP_OUTPUT,
      "bits a sample of PNG, TIFF or PPM (default: 8)", NULL },
    { "damaged", 0, NULL, NST_OPTION_FLAG, C(damaged), 0, 0, NULL, NST_GROUP_OUTPUT,
      "read what is there of damaged pictures",
      "Of a JPEG, PNG, TIFF or WebP file that is cut or spoilt nst takes the rows before the fault, or all that it can "
      "read, and says how much that is.  Without this option such a file ends the run." },
    { "dry-run", 0, NULL, NST_OPTION_FLAG, C(dry_run), 0, 0, NULL, NST_COMMON | NST_GROUP_OUTPUT,
      "print sizes, iterations, memory; paint nothing", NULL },
    { "quiet", 'q', NULL, NST_OPTION_FLAG, C(quiet), 0, 0, NULL, NST_COMMON | NST_GROUP_OUTPUT,
      "print nothing but errors", NULL },
    { "verbose", 'v', NULL, NST_OPTION_FLAG, C(verbose), 0, 0, NULL, NST_COMMON | NST_GROUP_OUTPUT,
      "print every iteration's losses, layer by layer", NULL },
    { "output-dir", 0, "FOLDER", NST_OPTION_PATH, C(output_dir), 0, 0, NULL, NST_GROUP_COMMANDS,
      "nst batch: folder of the results",
      "It is made if it is missing." },
    { "name", 0, "PATTERN", NST_OPTION_PATH, C(name), 0, 0, NULL, NST_GROUP_COMMANDS,
      "nst batch: results' names: {content}-{style}.png",
      "{content} and {style} are the files' names without their suffixes, {n} is the result's number." },
    { "keep-existing", 0, NULL, NST_OPTION_FLAG, C(keep_existing), 0, 0, NULL, NST_GROUP_COMMANDS,
      "nst batch: skip results that exist",
      "So the same command continues a batch that was stopped." },
    { "from", 0, "TIME", NST_OPTION_TIME, C(from), 0, 1e8, NULL, NST_GROUP_COMMANDS,
      "nst video: begin there: 90s, 1m30s",
      "Counted from the film's beginning." },
    { "to", 0, "TIME", NST_OPTION_TIME, C(to), 0, 1e8, NULL, NST_GROUP_COMMANDS,
      "nst video: end there", NULL },
    { "fps", 0, "N", NST_OPTION_DOUBLE, C(fps), 0.001, 1000, NULL, NST_GROUP_COMMANDS,
      "nst video: at most N pictures a second",
      "The others are left out; those that are painted keep their times.  Of a pattern of pictures or a photograph it "
      "is the number that make a second (25 without this option)." },
    { "passes", 0, "N", NST_OPTION_INT, C(passes), 1, 9, NULL, NST_GROUP_COMMANDS,
      "nst video: go N times through the film",
      "Forwards, then backwards, and so on: what comes into view gets the look that it will have." },
    { "frame-iterations", 0, "N", NST_OPTION_INT, C(frame_iterations), 1, 1000000, NULL, NST_GROUP_COMMANDS,
      "nst video: steps for pictures after a first one",
      "Without this option it is an eighth of --iterations, and at least 6." },
    { "temporal-weight", 0, "X", NST_OPTION_PATH, C(temporal_weight), 0, 0, NULL, NST_GROUP_COMMANDS,
      "nst video: weight of what was painted before",
      "Without this option it is 40000.  0: pictures start from the one before, and are not held to it." },
    { "flow", 0, "PATTERN", NST_OPTION_PATH, C(flow), 0, 0, NULL, NST_GROUP_COMMANDS,
      "nst video: motion from files: flow-%04d-%04d.flo",
      "Middlebury's .flo files instead of nst's own optical flow.  The first number is the picture that the flow "
      "begins at, the second the one where it ends, from 1; nst reads both directions between neighbours." },
    { "interpolate", 0, NULL, NST_OPTION_FLAG, C(interpolate), 0, 0, NULL, NST_GROUP_COMMANDS,
      "nst video: go from the first style to the last",
      "In equal steps over the film." },
    { "frames", 0, "N", NST_OPTION_INT, C(frames), 2, 1000000, NULL, NST_GROUP_COMMANDS,
      "nst video: a film of N pictures from a photograph", NULL },
    { "port", 0, "PORT", NST_OPTION_INT, C(port), 1, 65535, NULL, NST_GROUP_COMMANDS,
      "nst studio: its port (default: 8643)", NULL },
    { "host", 0, "ADDRESS", NST_OPTION_PATH, C(host), 0, 0, "127.0.0.1 0.0.0.0", NST_GROUP_COMMANDS,
      "nst studio: also serve other machines: 0.0.0.0",
      "The page asks them for a password, which nst prints.  What is sent can be read on the way: use it in a network "
      "that you trust." },
    { "folder", 0, "FOLDER", NST_OPTION_PATH, C(folder), 0, 0, NULL, NST_GROUP_COMMANDS,
      "nst studio: where its pictures go",
      "Without this option it is nst in the user's folder of pictures." },
    { "no-browser", 0, NULL, NST_OPTION_FLAG, C(no_browser), 0, 0, NULL, NST_GROUP_COMMANDS,
      "nst studio: print its address, open nothing", NULL },
    { "json", 0, NULL, NST_OPTION_FLAG, C(json), 0, 0, NULL, NST_GROUP_COMMANDS,
      "nst bench: print JSON instead of a table", NULL },
    { "half", 0, NULL, NST_OPTION_FLAG, C(half), 0, 0, NULL, NST_GROUP_COMMANDS,
      "nst model import, fetch: keep half precision", NULL },
    { "url", 0, "URL", NST_OPTION_PATH, C(url), 0, 0, NULL, NST_GROUP_COMMANDS,
      "nst model fetch: another address",
      "https:// or http://.  With a NAME that nst model fetch knows, the address is a mirror, and the published "
      "checksum must match.  Otherwise the file may be of any kind that nst model import reads; eight digits before "
      "its suffix, as in net-01234567.pth, are the first of its SHA-256." },
    { "version", 'V', NULL, NST_OPTION_FLAG, C(version), 0, 0, NULL, NST_COMMON | NST_GROUP_OUTPUT,
      "print version, kernels and libraries", NULL },
    { "help", 'h', NULL, NST_OPTION_FLAG, C(help), 0, 0, NULL, NST_COMMON | NST_GROUP_OUTPUT,
      "print this screen; nst help all: every option", NULL },
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
