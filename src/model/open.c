/* open.c: models by name, or by what a file's first bytes say: which reader takes it. */
#include "model/builtin/small.h"
#include "model/formats/readers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef nst_status open_fn(nst_model **out, const char *path, nst_error *e);

/* What people have under the name of a model, by its first bytes: a reader, or what to say. */
static const struct {
    const char *bytes;
    size_t n;
    open_fn *open;
    const char *what;
} formats[] = {
    { "\x80\2\x8a\x0a\x6c\xfc\x9c\x46", 8, nst_model_open_torch, NULL },
    { "PK\3\4", 4, nst_model_open_torchzip, NULL },
    { "\x89HDF\r\n\x1a\n", 8, nst_model_open_keras, NULL },
    { "MATLAB", 6, nst_model_open_matconvnet, NULL },
    { "\x80\2", 2, NULL, "a Python pickle that torch.save did not write" },
    { "\x89PNG", 4, NULL, "a PNG picture" },
    { "\xff\xd8\xff", 3, NULL, "a JPEG picture" },
    { "\x1f\x8b", 2, NULL, "a gzip file: unpack it first" },
    { "version https://g", 17, NULL, "a Git LFS pointer and not the file itself: git lfs pull brings that" },
    { "<!DOCTYPE", 9, NULL, "a web page: the download went wrong" },
    { "<html", 5, NULL, "a web page: the download went wrong" },
};

nst_status nst_model_open(nst_model **out, const char *name, nst_error *e)
{
    unsigned char head[32] = { 0 };
    struct stat st;
    size_t n;
    FILE *f;

    *out = NULL;
    if (!strcmp(name, "small"))
        return nst_model_open_small(out, e);
    if (stat(name, &st) || !S_ISREG(st.st_mode)) /* opening a pipe could wait for ever */
        return nst_fail(e, NST_EIO, "%s: cannot be opened: %s", name,
                        access(name, F_OK) ? strerror(errno) : "a folder or a device, expected a file of weights");
    f = fopen(name, "rb");
    if (!f)
        return nst_fail(e, NST_EIO, "%s: cannot be opened: %s", name, strerror(errno));
    n = fread(head, 1, sizeof head, f);
    fclose(f);
    for (size_t i = 0; i < NST_COUNT(formats); i++)
        if (n >= formats[i].n && !memcmp(head, formats[i].bytes, formats[i].n))
            return formats[i].open ? formats[i].open(out, name, e)
                : nst_fail(e, NST_EFORMAT, "%s: is %s", name, formats[i].what);
    if (n > 8 && head[8] == '{' && !memcmp(head + 4, "\0\0\0\0", 4))
        return nst_model_open_safetensors(out, name, e);
    if (n > 8 && head[0] == 0x08) /* protobuf has no magic; it begins with its first field: ONNX's version, ... */
        return nst_model_open_onnx(out, name, e);
    if (n > 8 && (head[0] == 0x0a || head[0] == 0x12 || (head[0] == 0xa2 && head[1] == 0x06)))
        return nst_model_open_caffe(out, name, e); /* ... Caffe's name of the network, or a layer */
    return nst_model_open_safetensors(out, name, e);
}
