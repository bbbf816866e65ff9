/* readers.h: a reader for each format of weight files; open.c chooses by the file's first bytes. */
#ifndef NST_READERS_H
#define NST_READERS_H

#include "model/model.h"

nst_status nst_model_open_caffe(nst_model **out, const char *path, nst_error *e);
nst_status nst_model_open_keras(nst_model **out, const char *path, nst_error *e);
nst_status nst_model_open_matconvnet(nst_model **out, const char *path, nst_error *e);
nst_status nst_model_open_onnx(nst_model **out, const char *path, nst_error *e);
nst_status nst_model_open_safetensors(nst_model **out, const char *path, nst_error *e);
nst_status nst_model_open_torch(nst_model **out, const char *path, nst_error *e);
nst_status nst_model_open_torchzip(nst_model **out, const char *path, nst_error *e);

#endif
