/* tensors.c: the tensors that a reader collects of a file: the mapped file, notes, the tensors of the chain. */
#include "model/tensors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

nst_status nst_weights_map(nst_weights *w, nst_error *e)
{
    struct stat st;
    nst_status status = NST_OK;
    int fd = open(w->path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return nst_fail(e, NST_EIO, "%s: cannot be opened: %s", w->path, strerror(errno));
    if (fstat(fd, &st) != 0)
        status = nst_fail(e, NST_EIO, "%s: cannot be read: %s", w->path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        status = nst_fail(e, NST_EIO, "%s: is not a file", w->path);
    else if (st.st_size < 10)
        status = nst_fail(e, NST_EFORMAT, "%s: has %lld bytes, too few for a file of weights", w->path,
                          (long long)st.st_size);
    else if ((uintmax_t)st.st_size > SIZE_MAX)
        status = nst_fail(e, NST_EMEM, "%s: is too large for this machine", w->path);
    if (!status) {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

        if (p == MAP_FAILED) {
            status = nst_fail(e, NST_EIO, "%s: cannot be mapped: %s", w->path, strerror(errno));
        } else {
            w->map = p;
            w->map_bytes = (size_t)st.st_size;
        }
    }
    close(fd);
    return status;
}

void nst_weights_close(nst_weights *w)
{
    if (w->map)
        munmap(w->map, w->map_bytes);
    w->map = NULL;
    nst_free(w->module);
    w->module = NULL;
    w->modules = w->room = 0;
}

void nst_weights_note(nst_weights *w, const char *format, ...)
{
    va_list list;

    if (w->notes == NST_MODEL_NOTES)
        return;
    va_start(list, format);
    vsnprintf(w->note[w->notes++], NST_NOTE_BYTES, format, list);
    va_end(list);
}

static nst_stored *tensor_of_steps(nst_step *step, int steps, int *i)
{
    if (*i < steps * NST_PARTS)
        return &step[*i / NST_PARTS].part[*i % NST_PARTS];
    *i -= steps * NST_PARTS;
    return NULL;
}

nst_stored *nst_weights_tensor(nst_weights *w, int i)
{
    nst_stored *t = tensor_of_steps(w->front, w->fronts, &i);

    for (int k = 0; k < w->count && !t; k++) {
        nst_found *c = &w->found[k];

        if (i < 2)
            return i ? &c->bias : &c->weight;
        i -= 2;
        t = tensor_of_steps(c->step, c->steps, &i);
    }
    return t;
}
