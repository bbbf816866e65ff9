/* context.h: inside of the OpenCL device: a context with its queue, program and buffers. */
#ifndef NST_OPENCL_CONTEXT_H
#define NST_OPENCL_CONTEXT_H

#include "opencl.h"

#define CL_TARGET_OPENCL_VERSION 120
#ifdef __APPLE__
#include <OpenCL/cl.h>
#else
#include <CL/cl.h>
#endif

#define NST_CL_KERNELS(X)                                                                                            \
    X(first_forward) X(first_backward) X(pack_patches) X(pack_winograd) X(patches) X(finish) X(winograd_in)          \
    X(winograd_out) X(unpool) X(pack_core) X(add_core) X(gather) X(sums) X(keep) X(content) X(compare) X(style)      \
    X(style_scaled) X(variation) X(product) X(peak)

enum {
#define X(name) NST_CL_##name,
    NST_CL_KERNELS(X)
#undef X
    NST_CL_COUNT
};

/* A place in a buffer, in bytes. */
typedef struct nst_span {
    cl_mem mem;
    size_t at;
} nst_span;

typedef struct nst_cl {
    char label[160];            /* "opencl:0 (NAME)", for messages */
    cl_platform_id platform;
    cl_device_id id;
    cl_context context;
    cl_command_queue queue;     /* in order */
    cl_program program;
    cl_kernel kernel[NST_CL_COUNT];
    size_t allocation, memory;  /* largest buffer, all memory, bytes */
    size_t group;               /* items of a work group, a power of two */
    bool unfit;                 /* CLBlast's kernels do not fit: our own product is used */
    bool hung;                  /* the driver does not answer any more: nothing is asked of it, and what it holds is
                                   left */
    double waited;              /* counts.flop at the last wait */
    size_t used;                /* bytes of buffers that live */
    nst_device_counts counts;
} nst_cl;

/* ---- list.c ---- */
/* Platform and device i of all platforms; false past the last. */
bool nst_cl_find(int i, cl_platform_id *platform, cl_device_id *device);
/* A text property of a device or its platform, cut to bytes; "" when the driver has none. */
void nst_cl_text(cl_device_id d, cl_device_info what, char *out, size_t bytes);

/* ---- failure.c ---- */
/* A failure of OpenCL's by its name; doing: "reading the gradient". */
nst_status nst_cl_fail(const nst_cl *cl, cl_int code, const char *doing, nst_error *e);
const char *nst_cl_name(cl_int code);

/* ---- context.c ---- */
/* Contents are undefined.  NST_EMEM with a sentence that says what it was for. */
nst_status nst_cl_buffer(nst_cl *cl, size_t bytes, const char *what, cl_mem *out, nst_error *e);
void nst_cl_release(nst_cl *cl, cl_mem *mem, size_t bytes);
/* Memory of the host's that the driver reaches fastest; bytes stay what they are until it is given back. */
typedef struct nst_pinned {
    cl_mem mem;
    float *at;
    size_t bytes;
} nst_pinned;
nst_status nst_cl_pin(nst_cl *cl, size_t bytes, const char *what, nst_pinned *out, nst_error *e);
void nst_cl_unpin(nst_cl *cl, nst_pinned *p);
/* Neither waits; from must stay as it is until the queue has been waited for. */
nst_status nst_cl_write(nst_cl *cl, const void *from, size_t bytes, nst_span to, nst_error *e);
/* The same; done, if not NULL, is to be released. */
nst_status nst_cl_send(nst_cl *cl, const void *from, size_t bytes, nst_span to, cl_event *done, nst_error *e);
/* Waits when wait, and so for everything before it. */
nst_status nst_cl_read(nst_cl *cl, nst_span from, size_t bytes, void *to, bool wait, nst_error *e);
nst_status nst_cl_zero(nst_cl *cl, nst_span to, size_t bytes, nst_error *e);
nst_status nst_cl_finish(nst_cl *cl, nst_error *e);
/* Waits for an event of the queue and releases it.  NST_EDEVICE when the driver does not answer for much longer than
 * its work can take. */
nst_status nst_cl_wait(nst_cl *cl, cl_event event, const char *doing, nst_error *e);
const char *nst_cl_kernel_name(int kernel);
/* Runs a kernel on x by y items, x rounded up to work groups.  Arguments by letter: s nst_span, i int, f double
 * (a float), l: local memory of a float an item.  bytes: what it moves, for the counts. */
nst_status nst_cl_run(nst_cl *cl, int kernel, size_t x, size_t y, size_t bytes, nst_error *e, const char *letters, ...);

/* ---- program.c ---- */
nst_status nst_cl_build(nst_cl *cl, const char *cache, nst_error *e);

/* ---- open.c ---- */
nst_status nst_cl_open(nst_cl *cl, int index, const char *cache, bool profile, nst_error *e);
void nst_cl_close(nst_cl *cl);

/* ---- gemm.c: CLBlast, row-major; every matrix starts at its span ---- */
/* Loads CLBlast; comes before the first product. */
nst_status nst_cl_need_products(nst_error *e);
/* c [n][ldc] (+)= sum over k of b[k][n] a[k][lda], m columns: `batch` products, strides in floats. */
typedef struct nst_cl_gemm {
    size_t m, n, k;
    nst_span a, b, c;
    size_t lda, ldb, ldc, stride_a, stride_b, stride_c, batch;
    bool add;
} nst_cl_gemm;
nst_status nst_cl_product(nst_cl *cl, const nst_cl_gemm *g, nst_error *e);
/* c [m][m] = a a^T for a [m][k] with row stride lda; batches as above. */
nst_status nst_cl_square(nst_cl *cl, const nst_cl_gemm *g, nst_error *e);

#endif
