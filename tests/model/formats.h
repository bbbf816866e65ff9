/* formats.h: what the tests of weight files share: the files of tests/data/models, by their formats' real writers
 * (make_models.py), what stands in each, and what opening one may end in: a model, or a sentence. */
#ifndef NST_TESTS_FORMATS_H
#define NST_TESTS_FORMATS_H

#include "model/model.h"
#include "../support/picture.h"
#include "../support/source.h"

static inline const char *path_of(const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "tests/data/models/%s", name);
    return source_file(path);
}

enum { AS_IT_IS, NORMED, NORMED_KERAS, TO_CAFFE, NEARLY_CAFFE, CAFFE_255, SCALED, MINUS };

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
    { "torch-bn.pth", "torch.save, before zip", "torchvision", false, ALWAYS, NORMED,
      { "folded: 5 batch normalisations", NULL } },
    { "torch-slices.pth", "torch.save", "torchvision", false, ZIP, NORMED,
      { "ends: module.basenet.slice5.1 ", "folded: 5 batch normalisations" } },
    { "torch-pads.pth", "torch.save, before zip", "caffe", false, ALWAYS, TO_CAFFE,
      { "folded: the 1x1 convolution in front into the input", NULL } },
    { "torch-aux.pth", "torch.save, before zip", "its own", false, ALWAYS, NEARLY_CAFFE,
      { "folded: the 1x1 convolution in front into the input, and what that cannot hold into the weights of conv1_1",
        NULL } },
    { "onnx-keras.onnx", "ONNX", "caffe", false, ALWAYS, NORMED_KERAS,
      { "folded: 3 batch normalisations", "folded: 10 other steps" } },
    { "onnx-caffe.onnx", "ONNX", "caffe", false, ALWAYS, CAFFE_255, { "folded: the arithmetic in front into the input",
                                                                      NULL } },
    { "onnx-scaled.onnx", "ONNX", "its own", false, ALWAYS, SCALED,
      { "assumed: zeros around features; the file pads by reflection",
        "folded: the arithmetic in front into the input" } },
    { "onnx-minus.onnx", "ONNX", "its own", false, ALWAYS, MINUS,
      { "folded: the arithmetic in front into the input, and", NULL } },
};

/* Does this build read it?  Without its library there is a sentence that names that. */
static inline bool readable(int needs)
{
    static const char *const library[] = { [ZIP] = "no libzip", [HDF5] = "no HDF5" };

    return needs == ALWAYS || !strstr(nst_build_info(), library[needs]);
}

/* A failure is a status, no model and a sentence that begins with the file's name. */
static inline bool opens(const char *file, nst_error *e)
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

/* Refused, with these words. */
static inline void refuse_model(const char *file, const char *words)
{
    nst_error e = { "" };

    ck_assert_msg(!opens(file, &e), "%s is opened: expected \"%s\"", file, words);
    ck_assert_msg(strstr(e.text, words) != NULL, "\"%s\", expected \"%s\"", e.text, words);
}

#endif
