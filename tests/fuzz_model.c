/* fuzz_model.c: the readers of weight files under libFuzzer: CC=clang ./configure --enable-fuzzing --enable-sanitize
 * --disable-openmp, make tests/fuzz_model, tests/fuzz_model FOLDER.  FOLDER holds files to start from, as tests/models
 * does.  HDF5 and MATLAB files are left out: what is behind their first bytes is a library's. */
#include "model.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static char path[64];
    static int fd = -1;
    nst_model *m = NULL;
    nst_error e = { "" };
    nst_status s;

    if (fd < 0) { /* one file for all, in memory where there is such a folder */
        snprintf(path, sizeof path, "%s/nst-fuzz-%ld", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", (long)getpid());
        if ((fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600)) < 0)
            abort();
    }
    if ((bytes && (data[0] == 0x89 || data[0] == 'M')) || ftruncate(fd, 0) || pwrite(fd, data, bytes, 0) != (ssize_t)bytes)
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
