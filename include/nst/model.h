/* model.h: the network whose features are compared: built in or a file of weights.  Programs include nst.h. */
#ifndef NST_NST_MODEL_H
#define NST_NST_MODEL_H

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

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

#ifdef __cplusplus
}
#endif
#endif
