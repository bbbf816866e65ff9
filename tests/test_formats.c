/* test_formats.c: weight files of every format, made by the formats' real writers (make_models.py), give the same
 * numbers bit for bit; damaged ones give a sentence, whatever the damage. */
#include "picture.h"

#include "model/model.h"

#include <fcntl.h>

static const int widths[] = { 2, 3, 4, 4, 4 };
static const char *const names[] = { "conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1" };

/* As values() of make_models.py. */
static float value(uint64_t tensor, uint64_t k, bool is_short)
{
    uint64_t x = (k + tensor * 1000003) * 2654435761u & 0xffffffffu;
    int bits = is_short ? 8 : 24;

    x ^= x >> 15;
    x = x * 2246822519u & 0xffffffffu;
    return (float)(((double)(x >> (32 - bits)) - ldexp(1, bits - 1)) / ldexp(1, bits + 1));
}

static char *path_of(const char *name)
{
    static char path[4096];
    const char *folder = getenv("SRCDIR");

    snprintf(path, sizeof path, "%s/tests/models/%s", folder ? folder : ".", name);
    return path;
}

static void check_numbers(const nst_model *m, const char *file, bool is_short)
{
    ck_assert_int_eq(m->layers, 5);
    for (int i = 0, in = 3; i < 5; in = widths[i++]) {
        const nst_layer *l = &m->layer[i];

        ck_assert_str_eq(l->name, names[i]);
        ck_assert_int_eq(l->in, in);
        ck_assert_int_eq(l->out, widths[i]);
        for (int k = 0; k < l->in * l->out * 9; k++)
            ck_assert_msg(l->weight[k] == value((uint64_t)(2 * i), (uint64_t)k, is_short), "%s: weight %d of %s is %.9g, expected %.9g",
                          file, k, l->name, (double)l->weight[k], (double)value((uint64_t)(2 * i), (uint64_t)k, is_short));
        for (int k = 0; k < l->out; k++)
            ck_assert_msg(l->bias[k] == value((uint64_t)(2 * i + 1), (uint64_t)k, is_short), "%s: bias %d of %s is %.9g", file, k,
                          l->name, (double)l->bias[k]);
    }
}

/* ---- relatives of a VGG, of which something is folded ------------------------------------------------------------ */

enum { AS_IT_IS, NORMED, NORMED_KERAS, TO_CAFFE, NEARLY_CAFFE, CAFFE_255, SCALED, MINUS };

/* What the file's own first steps make of a picture from 0 to 1, for its first 3x3 convolution. */
static void front(int fold, const double *rgb, double *y)
{
    static const double nearly[3][3] = { { -.25, -.125, 254.75 }, { .0625, 255.25, .03125 }, { 255.5, .5, .25 } };
    static const double shift[3] = { -104.25, -116.75, -123.5 }, mean[3] = { 103.939, 116.779, 123.68 };

    for (int i = 0; i < 3; i++)
        switch (fold) {
        case NEARLY_CAFFE:
            y[i] = shift[i] + nearly[i][0] * rgb[0] + nearly[i][1] * rgb[1] + nearly[i][2] * rgb[2];
            break;
        case SCALED:
            y[i] = 255 * rgb[2 - i] / 127.5 - 1;
            break;
        case MINUS:
            y[i] = 1 - rgb[i];
            break;
        default:
            y[i] = 255 * rgb[2 - i] - mean[i];
        }
}

/* The first layer sees the same in a few colours, which are in no plane: so in all, and where the file's network has
 * zeros at the border this one has them, too. */
static void check_front(const nst_model *m, const char *file, int fold)
{
    static const double colours[][3] = { { 0, 0, 0 }, { 1, .25, .5 }, { .25, 1, 0 }, { .5, 0, 1 } };
    const nst_input *in = &m->input;

    for (size_t c = 0; c < NST_COUNT(colours); c++)
        for (int k = 0; k < m->layer[0].out * 9; k++) {
            const float *w = m->layer[0].weight + k / 9 * 27 + k % 9;
            double y[3], expected = 0, is = 0;

            front(fold, colours[c], y);
            for (int i = 0; i < 3; i++) {
                int colour = in->bgr ? 2 - i : i;

                expected += (double)value(0, (uint64_t)(k / 9 * 27 + 9 * i + k % 9), false) * y[i];
                is += (double)w[9 * i] * (colours[c][colour] - (double)in->mean[colour]) / (double)in->std[colour];
            }
            ck_assert_msg(fabs(is - expected) < 1e-4, "%s: tap %d sees %.9g of colour %zu, expected %.9g", file, k, is, c,
                          expected);
        }
    for (int k = 0; k < m->layer[0].out; k++)
        ck_assert(m->layer[0].bias[k] == value(1, (uint64_t)k, false));
}

/* As norm() of make_models.py, in double. */
static void check_norms(const nst_model *m, const char *file, double epsilon)
{
    for (uint64_t i = 0; i < 5; i++) {
        const nst_layer *l = &m->layer[i];

        for (int o = 0; o < l->out; o++) {
            double v[4], scale, bias;

            for (uint64_t k = 0; k < 4; k++)
                v[k] = (double)(value(100 + 4 * i + k, (uint64_t)o, false) + (k == 0 || k == 3 ? 1.f : 0.f));
            scale = v[0] / sqrt(v[3] + epsilon);
            bias = ((double)value(2 * i + 1, (uint64_t)o, false) - v[2]) * scale + v[1];
            ck_assert_msg(fabs((double)l->bias[o] - bias) < 3e-7, "%s: bias %d of %s is %.9g, expected %.9g", file, o, l->name,
                          (double)l->bias[o], bias);
            for (int k = 0; k < l->in * 9; k++) {
                int at = o * l->in * 9 + k;
                double expected = scale * (double)value(2 * i, (uint64_t)at, false);

                ck_assert_msg(fabs((double)l->weight[at] - expected) < 1e-7, "%s: weight %d of %s is %.9g, expected %.9g", file, at,
                              l->name, (double)l->weight[at], expected);
            }
        }
    }
}

/* The numbers of every layer, those that nothing is folded into bit for bit. */
static void check_folded(nst_model *m, const char *file, int fold, bool is_short)
{
    static float weight[54];

    ck_assert_int_eq(m->layers, 5);
    if (fold == NORMED || fold == NORMED_KERAS) {
        check_norms(m, file, fold == NORMED ? 1e-5 : 1e-3);
        return;
    }
    if (fold != AS_IT_IS)
        check_front(m, file, fold);
    if (fold == NEARLY_CAFFE || fold == MINUS) { /* its own weights, for the look at the other layers */
        for (int k = 0; k < 54; k++)
            weight[k] = value(0, (uint64_t)k, false);
        m->layer[0].weight = weight;
    }
    check_numbers(m, file, is_short);
}

enum { ALWAYS, ZIP, HDF5 };

static const struct {
    const char *file, *format, *input;
    bool is_short;
    int needs, fold;
    const char *notes[2]; /* of which nst model info tells */
} files[] = {
    { "f32.safetensors", "safetensors", "torchvision", false, ALWAYS, AS_IT_IS, { NULL } },
    { "f16.safetensors", "safetensors", "torchvision", true, ALWAYS, AS_IT_IS, { NULL } },
    { "caffe-1.caffemodel", "Caffe", "caffe", false, ALWAYS, AS_IT_IS, { NULL } },
    { "caffe-2.caffemodel", "Caffe", "caffe", false, ALWAYS, AS_IT_IS, { NULL } },
    { "keras-1.h5", "Keras HDF5", "caffe", false, HDF5, AS_IT_IS, { NULL } },
    { "keras-2.h5", "Keras HDF5", "caffe", false, HDF5, AS_IT_IS, { NULL } },
    { "matconvnet-1.mat", "MatConvNet", "caffe-rgb", false, ALWAYS, AS_IT_IS, { NULL } },
    { "matconvnet-2.mat", "MatConvNet", "caffe-rgb", false, ALWAYS, AS_IT_IS, { NULL } },
    { "onnx-floats.onnx", "ONNX", "torchvision", false, ALWAYS, AS_IT_IS, { NULL } },
    { "onnx-raw.onnx", "ONNX", "torchvision", true, ALWAYS, AS_IT_IS, { NULL } },
    { "onnx-torch.onnx", "ONNX", "torchvision", false, ALWAYS, AS_IT_IS, { NULL } },
    { "torch-legacy.pth", "torch.save, before zip", "torchvision", false, ALWAYS, AS_IT_IS, { NULL } },
    { "torch-bfloat16.pth", "torch.save, before zip", "torchvision", true, ALWAYS, AS_IT_IS, { NULL } },
    { "torch-named.pth", "torch.save, before zip", "caffe", false, ALWAYS, AS_IT_IS, { NULL } },
    { "torch-python2.pth", "torch.save, before zip", "caffe", false, ALWAYS, AS_IT_IS, { NULL } },
    { "torch-zip.pth", "torch.save", "torchvision", false, ZIP, AS_IT_IS, { NULL } },
    { "torch-half.pth", "torch.save", "torchvision", true, ZIP, AS_IT_IS, { NULL } },
    { "torch-double.pth", "torch.save", "torchvision", false, ZIP, AS_IT_IS, { NULL } },
    { "torch-storage-views.pth", "torch.save, before zip", "torchvision", false, ALWAYS, AS_IT_IS, { NULL } },
    { "torch-strided-legacy.pth", "torch.save, before zip", "torchvision", false, ALWAYS, AS_IT_IS, { NULL } },
    { "torch-strided.pth", "torch.save", "torchvision", false, ZIP, AS_IT_IS, { NULL } },
    { "torch-views.pth", "torch.save", "torchvision", false, ZIP, AS_IT_IS, { NULL } },
    { "torch-checkpoint.pth", "torch.save", "torchvision", false, ZIP, AS_IT_IS, { NULL } },
    { "torch-bn.pth", "torch.save, before zip", "torchvision", false, ALWAYS, NORMED, { "folded: 5 batch normalisations", NULL } },
    { "torch-slices.pth", "torch.save", "torchvision", false, ZIP, NORMED,
      { "ends: module.basenet.slice5.1 ", "folded: 5 batch normalisations" } },
    { "torch-pads.pth", "torch.save, before zip", "caffe", false, ALWAYS, TO_CAFFE,
      { "folded: the 1x1 convolution in front into the input", NULL } },
    { "torch-aux.pth", "torch.save, before zip", "its own", false, ALWAYS, NEARLY_CAFFE,
      { "folded: the 1x1 convolution in front into the input, and what that cannot hold into the weights of conv1_1", NULL } },
    { "onnx-keras.onnx", "ONNX", "caffe", false, ALWAYS, NORMED_KERAS,
      { "folded: 3 batch normalisations", "folded: 10 other steps" } },
    { "onnx-caffe.onnx", "ONNX", "caffe", false, ALWAYS, CAFFE_255, { "folded: the arithmetic in front into the input", NULL } },
    { "onnx-scaled.onnx", "ONNX", "its own", false, ALWAYS, SCALED,
      { "assumed: zeros around features; the file pads by reflection", "folded: the arithmetic in front into the input" } },
    { "onnx-minus.onnx", "ONNX", "its own", false, ALWAYS, MINUS, { "folded: the arithmetic in front into the input, and", NULL } },
};

/* Does this build read it?  Without its library there is a sentence that names that. */
static bool readable(int needs)
{
    static const char *const library[] = { [ZIP] = "no libzip", [HDF5] = "no HDF5" };

    return needs == ALWAYS || !strstr(nst_build_info(), library[needs]);
}

/* Every file there is: names, shapes, numbers, format, input. */
START_TEST(same_numbers)
{
    for (size_t i = 0; i < NST_COUNT(files); i++) {
        nst_error e = { "" };
        nst_model *m = (nst_model *)&e;
        nst_status s = nst_model_open(&m, path_of(files[i].file), &e);

        if (!readable(files[i].needs)) {
            ck_assert_int_eq(s, NST_EUNSUPPORTED);
            ck_assert_ptr_null(m);
            ck_assert_msg(strstr(e.text, "this build of nst lacks") != NULL, "%s", e.text);
            continue;
        }
        ck_assert_msg(!s, "%s: %s", files[i].file, e.text);
        ck_assert_str_eq(nst_model_format(m), files[i].format);
        ck_assert_str_eq(nst_model_input(m), files[i].input);
        check_folded(m, files[i].file, files[i].fold, files[i].is_short);
        for (int k = 0; k < 2 && files[i].notes[k]; k++) {
            const char *note = nst_model_note(m, k);

            ck_assert_msg(note && !strncmp(note, files[i].notes[k], strlen(files[i].notes[k])), "%s: note %d is \"%s\"", files[i].file,
                          k, note ? note : "");
        }
        ck_assert(files[i].fold || !nst_model_note(m, 0) || strstr(files[i].file, ".onnx"));
        nst_model_close(&m);
        ck_assert_ptr_null(m);
    }
}
END_TEST

/* A failure is a status, no model and a sentence that begins with the file's name. */
static bool opens(const char *file, nst_error *e)
{
    nst_model *m = (nst_model *)e;
    nst_status s = nst_model_open(&m, file, e);

    if (!s) {
        ck_assert_int_ge(m->layers, 1);
        nst_model_close(&m);
        return true;
    }
    ck_assert_ptr_null(m);
    ck_assert_msg(!strncmp(e->text, file, strlen(file)) && strlen(e->text) > strlen(file) + 8 && !strchr(e->text, '\n'),
                  "\"%s\" is no sentence about %s", e->text, file);
    return false;
}

/* Cut at every byte: never a model.  But protobuf ends anywhere between two fields: a cut there leaves a shorter chain, or
 * only what is not needed goes. */
START_TEST(truncated)
{
    for (size_t i = 0; i < NST_COUNT(files); i++) {
        size_t bytes;
        unsigned char *data = get_file(path_of(files[i].file), &bytes);
        size_t step = files[i].needs >= HDF5 ? 97 : bytes > 4096 ? 5 : 1; /* libraries that take longer, and long files */
        int between = !strcmp(files[i].format, "Caffe") ? 16 : !strcmp(files[i].format, "ONNX") ? 4 : 0;
        nst_error e;

        if (!readable(files[i].needs)) {
            nst_free(data);
            continue;
        }
        put_file("cut", data, bytes);
        for (size_t n = bytes; n > 0;) {
            n = n > step ? n - step : 0;
            ck_assert_int_eq(truncate("cut", (off_t)n), 0);
            if (opens("cut", &e))
                ck_assert_msg(between-- > 0, "%s cut to %zu bytes is opened", files[i].file, n);
        }
        nst_free(data);
    }
}
END_TEST

/* Each byte of everything but the numbers changed in some ways: a model or a sentence, nothing else.
 * Not HDF5's: libhdf5 1.10 itself leaks then, and says so of its own at the end. */
START_TEST(changed)
{
    for (size_t i = 0; i < NST_COUNT(files); i++) {
        static const unsigned char with[] = { 0x55, 0xff, 0x80, 0x01 };
        size_t bytes, step = files[i].needs >= HDF5 ? 97 : 3;
        unsigned char *data = get_file(path_of(files[i].file), &bytes);
        nst_error e;
        int fd;

        put_file("changed", data, bytes);
        ck_assert_int_ge(fd = open("changed", O_WRONLY), 0);
        for (size_t at = 0; readable(files[i].needs) && files[i].needs != HDF5 && at < bytes; at += step) {
            unsigned char bad = data[at] ^ with[at / step % NST_COUNT(with)];

            ck_assert_int_eq(pwrite(fd, &bad, 1, (off_t)at), 1);
            opens("changed", &e);
            ck_assert_int_eq(pwrite(fd, &data[at], 1, (off_t)at), 1);
        }
        close(fd);
        nst_free(data);
    }
}
END_TEST

/* ---- what cannot be folded, and what is no chain ------------------------------------------------------------------ */

/* Refused, with these words. */
static void refuse_model(const char *file, const char *words)
{
    nst_error e = { "" };

    ck_assert_msg(!opens(file, &e), "%s is opened: expected \"%s\"", file, words);
    ck_assert_msg(strstr(e.text, words) != NULL, "\"%s\", expected \"%s\"", e.text, words);
}

/* torch-bn.pth with some bytes in the place of others, which stand in it once. */
static void refuse_instead(const void *bytes, const void *by, size_t n, const char *words)
{
    size_t all, found = 0, at = 0;
    unsigned char *data = get_file(path_of("torch-bn.pth"), &all);

    for (size_t i = 0; i + n <= all; i++)
        if (!memcmp(data + i, bytes, n))
            found++, at = i;
    ck_assert_uint_eq(found, 1);
    memcpy(data + at, by, n);
    put_file("bad.pth", data, all);
    nst_free(data);
    refuse_model("bad.pth", words);
}

START_TEST(variances)
{
    static const float bad[] = { -1, NAN, INFINITY, -1e-5f };
    float variance = value(107, 1, false) + 1; /* of features.4, the second filter's */

    for (size_t i = 0; i < NST_COUNT(bad); i++)
        refuse_instead(&variance, &bad[i], sizeof variance, "number 1 of features.4.running_var is ");
    refuse_instead("features.4.running_var", "features.4.running_vax", 22,
                   "features.4 is a batch normalisation without running_var: it cannot be folded");
    refuse_instead("features.4.running_mean", "features.4.running_near", 23, "without running_mean");
}
END_TEST

START_TEST(no_chain)
{
    refuse_model(path_of("torch-resnet.pth"), "holds 17 convolutions of which the first, conv1.weight, is 7x7 and reads 3 "
                "channels: a ResNet-like network; expected a chain of 3x3 convolutions");
    refuse_model(path_of("onnx-crop.onnx"), "begins with Slice of other than the channels' order, expected a convolution");
}
END_TEST

/* An input that has no name comes through nst's own files. */
START_TEST(own_input)
{
    nst_error e = { "" };
    nst_model *m, *again;

    ck_assert(!nst_model_open(&m, path_of("torch-aux.pth"), &e));
    ck_assert(!nst_model_save(m, "own.safetensors", 0, &e));
    ck_assert_msg(!nst_model_open(&again, "own.safetensors", &e), "%s", e.text);
    ck_assert_str_eq(nst_model_input(again), "its own");
    ck_assert_str_eq(nst_model_input_text(again), nst_model_input_text(m));
    ck_assert(!strncmp(nst_model_input_text(m), "BGR from 0 to 255, minus 122.93 116.59 104.53, over ", 52));
    ck_assert(again->input.bgr && m->input.bgr);
    for (int i = 0; i < 3; i++)
        ck_assert(again->input.mean[i] == m->input.mean[i] && again->input.std[i] == m->input.std[i]);
    check_front(again, "own.safetensors", NEARLY_CAFFE);
    ck_assert(!nst_model_set_input(again, "caffe", &e));
    ck_assert(!strncmp(nst_model_input_text(again), "BGR from 0 to 255, minus the mean", 33));
    nst_model_close(&m);
    nst_model_close(&again);
}
END_TEST

/* ---- what a pickle may not do --------------------------------------------------- */

/* A legacy file whose object is this pickle: refused, with these words. */
static void refuse_pickle(const void *pickle, size_t n, const char *words)
{
    static const unsigned char head[] = "\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\2M\xe9\3.\x80\2}q\0.";
    static const unsigned char keys[] = "\x80\2]q\0.";
    FILE *f = fopen("bad.pth", "wb");
    nst_error e = { "" };

    ck_assert_ptr_nonnull(f);
    fwrite(head, 1, sizeof head - 1, f);
    fwrite(pickle, 1, n, f);
    fwrite(keys, 1, sizeof keys - 1, f);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_msg(!opens("bad.pth", &e), "a bad pickle is opened: expected \"%s\"", words);
    ck_assert_msg(strstr(e.text, words) != NULL, "\"%s\", expected \"%s\"", e.text, words);
}
#define REFUSE(text, words) refuse_pickle(text, sizeof(text) - 1, words)

START_TEST(pickles)
{
    char *deep = nst_alloc(2 << 20);
    size_t n = 0;

    /* programs */
    REFUSE("\x80\2cos\nsystem\nX\4\0\0\0true\x85R.", "names os.system, which weights do not need");
    REFUSE("\x80\2cbuiltins\neval\nX\1\0\0\0" "1\x85R.", "names builtins.eval");
    REFUSE("\x80\4\x8c\5posix\x8c\6system\x93.", "names posix.system");
    REFUSE("\x80\2c__torch__\nVGG\n)\x81.", "names __torch__.VGG");
    REFUSE("\x80\2ctorch\nFloatStorage\n)R.", "a storage is called");
    REFUSE("\x80\2i__main__\nX\n.", "opcode 0x69");
    REFUSE("\x80\2P0\n.", "opcode 0x50");
    /* nonsense */
    REFUSE("\x80\2.", "one value expected");
    REFUSE("\x80\2(.", "one value expected");
    REFUSE("\x80\2K\1K\2.", "one value expected");
    REFUSE("\x80\2K\1.", "holds no dict");
    REFUSE("\x80\2}.", "no convolution");
    REFUSE("\x80\2t.", "a mark is missing");
    REFUSE("\x80\2\x87.", "values are missing");
    REFUSE("\x80\2((\x86.", "a mark in a tuple");
    REFUSE("\x80\2]((e.", "no list");
    REFUSE("\x80\2](K\1(K\2e.", "no list");
    REFUSE("\x80\2K\1K\2s.", "a value is missing");
    REFUSE("\x80\2}(K\1u.", "no dict");
    REFUSE("\x80\2h\7.", "no such entry");
    REFUSE("\x80\2Nr\xff\xff\xff\x7f.", "absurd number in the memo");
    REFUSE("\x80\2X\xff\xff\xff\xff" "abc.", "longer than the rest");
    REFUSE("\x80\2\x8a\xff.", "it ends here");
    REFUSE("\x80\2N)R.", "no global");
    REFUSE("\x80\2NQ.", "a storage's description");
    REFUSE("\x80\2ctorch._utils\n_rebuild_tensor_v2\n)R.", "a tensor's storage");
    /* a storage whose view is no tuple: its text's address is not to be taken for a place among the values */
    REFUSE("\x80\2(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0000X\3\0\0\0cpuK\4X\3\0\0\0abctQ.", "a storage's view");
    /* an own list in itself, and a dict in itself */
    REFUSE("\x80\2]q\0h\0a.", "holds no dict");
    REFUSE("\x80\2}q\0X\1\0\0\0ah\0s.", "no convolution");
    /* a list of many pairs made into a dict again and again: memory stays bounded */
    n = 0;
    n += (size_t)sprintf(deep, "\x80\2ccollections\nOrderedDict\nq");
    memcpy(deep + n, "\0](", 3), n += 3;
    for (int i = 0; i < 50000; i++)
        memcpy(deep + n, "NN\x86", 3), n += 3;
    memcpy(deep + n, "e\x85q\1", 4), n += 4;
    for (int i = 0; i < 50000; i++)
        memcpy(deep + n, "h\0h\1R", 5), n += 5;
    deep[n++] = '.';
    refuse_pickle(deep, n, "absurdly many items");
    /* deep nesting: tuples in tuples, marks on marks */
    n = 2;
    memcpy(deep, "\x80\2)", 3);
    memset(deep + 3, '\x85', 1 << 20);
    n = 3 + (1 << 20);
    deep[n++] = '.';
    refuse_pickle(deep, n, "holds no dict");
    memset(deep + 2, '(', 1 << 20);
    deep[2 + (1 << 20)] = '.';
    refuse_pickle(deep, 3 + (1 << 20), "one value expected");
    nst_free(deep);
}
END_TEST

/* ---- what protobuf may not do ---------------------------------------------------- */

static void refuse_bytes(const void *bytes, size_t n, const char *words)
{
    nst_error e = { "" };

    put_file("bad.pb", bytes, n);
    ck_assert_msg(!opens("bad.pb", &e), "bad protobuf is opened: expected \"%s\"", words);
    ck_assert_msg(strstr(e.text, words) != NULL, "\"%s\", expected \"%s\"", e.text, words);
}
#define REFUSE_PB(text, words) refuse_bytes(text, sizeof(text) - 1, words)

START_TEST(protobuf)
{
    REFUSE_PB("\x0a\3VGG\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "damaged or truncated"); /* a number without end */
    REFUSE_PB("\x0a\3VGG\xa2\x06\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", "damaged or truncated"); /* a length of 2^64 - 1 */
    REFUSE_PB("\x0a\3VGG\x13\x13\x13\x13\x13", "damaged or truncated"); /* groups in groups */
    REFUSE_PB("\x0a\3VGG\0\0\0\0\0", "damaged or truncated"); /* field 0 */
    REFUSE_PB("\x0a\3VGG\x0a\3VGG", "no convolution");
    REFUSE_PB("\x0a\3VGG\xa2\x06\x2d\x0a\7" "conv1_1\x3a\x22\x3a\x12\x0a\x10\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x80\x80\x80\x80\x10\3\3"
              "\x2a\x0c" "abcdabcdabcd", "side of 9223372036854775807"); /* a shape that lies */
    REFUSE_PB("\x0a\3VGG\xa2\x06\x20\x0a\7" "conv1_1\x3a\x15\x3a\5\x0a\3\2\3\3\x2a\x0c" "abcdabcdabcd", "dimensions");
    REFUSE_PB("\x0a\3VGG\xa2\x06\x19\x0a\7" "conv1_1\x3a\x0e\x2d" "abcd\x2d" "abcd\x2d" "abc", "not in one piece");
    REFUSE_PB("\x08\7\x3a\x08\x0a\6\x22\4" "Gemm", "begins with Gemm");
    REFUSE_PB("\x08\7\x3a\x08\x0a\6\x22\4" "Conv", "convolution 1 has 0 inputs");
    REFUSE_PB("\x08\7\x3a\4\x0a\6\x22\4" "Conv", "damaged or truncated");
}
END_TEST

/* ---- the file is something else ------------------------------------------------ */

static void refuse_text(const char *text, size_t n, const char *words)
{
    nst_error e = { "" };

    put_file("other", text, n);
    ck_assert(!opens("other", &e));
    ck_assert_msg(strstr(e.text, words) != NULL, "\"%s\", expected \"%s\"", e.text, words);
}

START_TEST(others)
{
    nst_error e = { "" };

    refuse_text("<!DOCTYPE html><html></html>", 28, "web page");
    refuse_text("version https://git-lfs.github.com/spec/v1\n", 43, "Git LFS");
    refuse_text("\x80\2}q\0.          ", 16, "pickle that torch.save did not write");
    refuse_text("\xff\xd8\xff\xe0          ", 14, "JPEG");
    refuse_text("", 0, "too few");
    refuse_text("hello, world, this is text", 26, "is not");
    ck_assert(!opens("no such file", &e));
    ck_assert_msg(strstr(e.text, "No such file") != NULL, "%s", e.text);
    ck_assert(!opens("/dev/null", &e));
}
END_TEST

/* --model-input: what a name means, and that the built-in model keeps its own. */
START_TEST(inputs)
{
    nst_error e = { "" };
    nst_model *m;

    ck_assert(!nst_model_open(&m, path_of("f32.safetensors"), &e));
    ck_assert(!m->input.bgr && m->input.std[0] == .229f);
    ck_assert(!nst_model_set_input(m, "caffe", &e));
    ck_assert(m->input.bgr && m->input.std[0] == 1 / 255.f && m->input.mean[0] == 123.68f / 255);
    ck_assert_str_eq(nst_model_input(m), "caffe");
    ck_assert_int_eq(nst_model_set_input(m, "jpeg", &e), NST_EARG);
    ck_assert_str_eq(nst_model_input(m), "caffe");
    ck_assert_ptr_null(nst_model_layer(m, 5, NULL, NULL));
    ck_assert_ptr_null(nst_model_layer(m, -1, NULL, NULL));
    nst_model_close(&m);
    ck_assert(!nst_model_open(&m, "small", &e));
    ck_assert_int_eq(nst_model_set_input(m, "caffe", &e), NST_EARG);
    ck_assert_str_eq(nst_model_format(m), "built in");
    nst_model_close(&m);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, same_numbers);
    tcase_add_test(t, truncated);
    tcase_add_test(t, changed);
    tcase_add_test(t, variances);
    tcase_add_test(t, no_chain);
    tcase_add_test(t, own_input);
    tcase_add_test(t, pickles);
    tcase_add_test(t, protobuf);
    tcase_add_test(t, others);
    tcase_add_test(t, inputs);
}

int main(void)
{
    return run_tests("formats", add);
}
