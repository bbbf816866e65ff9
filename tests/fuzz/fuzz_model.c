/* fuzz_model.c: the readers of weight files under libFuzzer: CC=clang ./configure --enable-fuzzing --enable-sanitize,
 * make tests/fuzz/fuzz_model, tests/fuzz/fuzz_model FOLDER.  FOLDER holds files to start from, as
 * tests/data/models does.  NST_FUZZ=hdf5 (or a name below) gives all the time to one reader; tests/fuzz/fuzz.sh shares
 * it among all. */
#include "model/model.h"

#include "fuzz_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
size_t LLVMFuzzerMutate(uint8_t *data, size_t bytes, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t room, unsigned seed);

/* What a reader's files begin with: as open.c, which is what is tested, but for formats without a magic number. */
static const struct {
    const char *name, *magic;
    size_t n;
} readers[] = {
    { "hdf5", "\x89HDF\r\n\x1a\n", 8 }, { "mat", "MATLAB", 6 }, { "torchzip", "PK\3\4", 4 },
    { "torch", "\x80\2\x8a\x0a\x6c\xfc\x9c\x46", 8 }, { "onnx", "\x08", 1 }, { "caffe", "\x0a", 1 },
    { "caffe", "\xa2\x06", 2 },
    { "safetensors", "", 0 },
};

/* Whether the input is for the reader that NST_FUZZ names, if any. */
static int is_for(const char *reader, const uint8_t *data, size_t bytes)
{
    for (size_t i = 0; reader && i < NST_COUNT(readers); i++)
        if (bytes >= readers[i].n && !memcmp(data, readers[i].magic, readers[i].n))
            return !strcmp(readers[i].name, reader);
    return !reader;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const char *path;
    nst_model *m = NULL;
    nst_error e = { "" };
    nst_status s;

    if (!is_for(getenv("NST_FUZZ"), data, bytes))
        return -1;
    path = fuzz_file(data, bytes);
    if (!path)
        return 0;
    s = nst_model_open(&m, path, &e);
    if (!s != !!m || (s && strncmp(e.text, path, strlen(path)))) /* a model or a sentence */
        __builtin_trap();
    for (int i = 0; m && i < m->layers; i++) {
        const nst_layer *l = &m->layer[i];

        for (int k = 0; k < l->in * l->out * 9; k++)
            if (!isfinite(l->weight[k]))
                __builtin_trap();
    }
    nst_model_close(&m);
    return 0;
}

static uint32_t le(const uint8_t *p, int n)
{
    uint32_t v = 0;

    while (n--)
        v = v << 8 | p[n];
    return v;
}

/* Puts the checksums of a zip file's directory right, so that what lies behind them is reached. */
static void mend_zip(uint8_t *data, size_t n)
{
    for (size_t at = 0; at + 46 <= n; at++) {
        size_t local = le(data + at + 42, 4), size = le(data + at + 20, 4), begin;

        if (memcmp(data + at, "PK\1\2", 4) || local > n || n - local < 30)
            continue;
        begin = local + 30 + le(data + local + 26, 2) + le(data + local + 28, 2);
        if (begin <= n && size <= n - begin) {
            uint32_t crc = (uint32_t)crc32(0, data + begin, (uInt)size);

            for (int i = 0; i < 4; i++)
                data[at + 16 + (size_t)i] = (uint8_t)(crc >> 8 * i);
        }
    }
}

/* Stays with the reader that is asked for. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t room, unsigned seed)
{
    const char *reader = getenv("NST_FUZZ");
    size_t n = LLVMFuzzerMutate(data, bytes, room);

    for (size_t i = 0; reader && i < NST_COUNT(readers); i++)
        if (!strcmp(reader, readers[i].name) && n >= readers[i].n && !is_for(reader, data, n))
            memcpy(data, readers[i].magic, readers[i].n);
    if (n > 4 && !memcmp(data, "PK\3\4", 4) && seed % 8)
        mend_zip(data, n);
    return n;
}
