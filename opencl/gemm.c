/* gemm.c: matrix products by CLBlast, its failures by their names, and our own product where its kernels do not fit. */
#include "context.h"

#include <clblast_c.h>
#include <stdio.h>

#include "base/lazy.h"

#define SYMBOLS(X) X(CLBlastSgemm) X(CLBlastSgemmStridedBatched)
NST_LAZY(CLBLAST, SYMBOLS)

nst_status nst_cl_need_products(nst_error *e)
{
    return load(e);
}

static const struct {
    int code;
    const char *name;
} names[] = {
#define X(name) { CLBlast##name, #name },
    X(NotImplemented) X(InvalidMatrixA) X(InvalidMatrixB) X(InvalidMatrixC) X(InvalidDimension) X(InvalidLeadDimA)
    X(InvalidLeadDimB) X(InvalidLeadDimC) X(InsufficientMemoryA) X(InsufficientMemoryB) X(InsufficientMemoryC)
    X(InsufficientMemoryTemp) X(InvalidBatchCount) X(InvalidLocalMemUsage) X(DatabaseError) X(UnknownError)
    X(UnexpectedError)
#undef X
};

/* CLBlast's kernels do not fit a device with small work groups or little local memory; ours does. */
static bool unfit(int code)
{
    return code == CLBlastInvalidLocalNumDimensions || code == CLBlastInvalidLocalThreadsTotal ||
           code == CLBlastInvalidLocalThreadsDim || code == CLBlastInvalidLocalMemUsage || code == CLBlastDatabaseError;
}

static nst_status fail(const nst_cl *cl, int code, const nst_cl_gemm *g, nst_error *e)
{
    const char *name = NULL;

    if (code > -1000) /* OpenCL's own */
        return nst_cl_fail(cl, (cl_int)code, "a matrix product of CLBlast's", e);
    for (size_t i = 0; i < NST_COUNT(names); i++)
        if (names[i].code == code)
            name = names[i].name;
    return nst_fail(e, NST_EDEVICE, "%s: CLBlast's product of %zu x %zu x %zu failed (%s %d)", cl->label, g->m, g->n,
                    g->k, name ? name : "code", code);
}

/* c[n ldc + m] (+)= sum over k of a[m across + k lda] b[n beside + k ldb]. */
static nst_status own(nst_cl *cl, const nst_cl_gemm *g, size_t across, size_t lda, size_t beside, size_t ldb,
                      nst_error *e)
{
    return nst_cl_run(cl, NST_CL_product, g->m, (g->n + 3) / 4 * g->batch, 0, e, "sssiiiiiiiiiiii", g->a, g->b, g->c,
                      (int)g->m, (int)g->n, (int)g->k, (int)across, (int)lda, (int)beside, (int)ldb, (int)g->ldc,
                      (int)g->stride_a, (int)g->stride_b, (int)g->stride_c, g->add);
}

/* The code of a failure that a test has asked for, or 0. */
static int fault(void)
{
    int *left = &nst_opencl_fault.gemm;

    return *left < 0 || (*left && --*left == 0) ? nst_opencl_fault.gemm_code : 0;
}

static void count(nst_cl *cl, const nst_cl_gemm *g)
{
    cl->counts.products++;
    cl->counts.flop += 2. * (double)g->m * (double)g->n * (double)g->k * (double)g->batch;
    cl->counts.moved += 4 * g->batch * (g->m * g->k + g->n * g->k + g->m * g->n * (g->add ? 2 : 1));
}

/* In columns, as BLAS counts: C (m x n) = A (m x k) B (k x n) with B's transpose in memory.  That is the form which
 * CLBlast computes without copies where the sides are multiples of its tiles. */
nst_status nst_cl_product(nst_cl *cl, const nst_cl_gemm *g, nst_error *e)
{
    int code = fault();

    count(cl, g);
    if (!code && !cl->unfit)
        code = g->batch == 1
            ? lib.CLBlastSgemm(CLBlastLayoutColMajor, CLBlastTransposeNo, CLBlastTransposeYes, g->m, g->n, g->k, 1,
                           g->a.mem, g->a.at / 4, g->lda, g->b.mem, g->b.at / 4, g->ldb, g->add ? 1 : 0, g->c.mem,
                           g->c.at / 4, g->ldc, &cl->queue, NULL)
            : lib.CLBlastSgemmStridedBatched(CLBlastLayoutColMajor, CLBlastTransposeNo, CLBlastTransposeYes, g->m, g->n,
                                         g->k, 1, g->a.mem, g->a.at / 4, g->lda, g->stride_a, g->b.mem, g->b.at / 4,
                                         g->ldb, g->stride_b, g->add ? 1 : 0, g->c.mem, g->c.at / 4, g->ldc,
                                         g->stride_c, g->batch, &cl->queue, NULL);
    cl->unfit = cl->unfit || unfit(code);
    if (cl->unfit)
        return own(cl, g, 1, g->lda, 1, g->ldb, e);
    return code ? fail(cl, code, g, e) : NST_OK;
}

nst_status nst_cl_square(nst_cl *cl, const nst_cl_gemm *g, nst_error *e)
{
    int code = fault();
    nst_cl_gemm twice = *g;

    count(cl, g);
    if (!code && !cl->unfit)
        code = g->batch == 1
            ? lib.CLBlastSgemm(CLBlastLayoutRowMajor, CLBlastTransposeNo, CLBlastTransposeYes, g->m, g->m, g->k, 1,
                           g->a.mem, g->a.at / 4, g->lda, g->a.mem, g->a.at / 4, g->lda, 0, g->c.mem, g->c.at / 4,
                           g->m, &cl->queue, NULL)
            : lib.CLBlastSgemmStridedBatched(CLBlastLayoutRowMajor, CLBlastTransposeNo, CLBlastTransposeYes, g->m, g->m,
                                         g->k, 1, g->a.mem, g->a.at / 4, g->lda, g->stride_a, g->a.mem, g->a.at / 4,
                                         g->lda, g->stride_a, 0, g->c.mem, g->c.at / 4, g->m, g->stride_c, g->batch,
                                         &cl->queue, NULL);
    cl->unfit = cl->unfit || unfit(code);
    if (cl->unfit) {
        twice.n = g->m, twice.b = g->a, twice.stride_b = g->stride_a, twice.ldc = g->m;
        return own(cl, &twice, g->lda, 1, g->lda, 1, e);
    }
    return code ? fail(cl, code, g, e) : NST_OK;
}
