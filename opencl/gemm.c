/* gemm.c: matrix products by CLBlast, and its failures by their names. */
#include "context.h"

#include <clblast_c.h>
#include <stdio.h>

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

static nst_status check(nst_cl *cl, CLBlastStatusCode code, const nst_cl_gemm *g, nst_error *e)
{
    const char *name = NULL;

    if (nst_opencl_fault.gemm && --nst_opencl_fault.gemm == 0)
        code = (CLBlastStatusCode)nst_opencl_fault.gemm_code;
    cl->counts.products++;
    cl->counts.flop += 2. * (double)g->m * (double)g->n * (double)g->k * (double)g->batch;
    cl->counts.moved += 4 * g->batch * (g->m * g->k + g->n * g->k + g->m * g->n * (g->add ? 2 : 1));
    if (code == CLBlastSuccess)
        return NST_OK;
    if ((int)code > -1000) /* OpenCL's own */
        return nst_cl_fail(cl, (cl_int)code, "a matrix product of CLBlast's", e);
    for (size_t i = 0; i < NST_COUNT(names); i++)
        if (names[i].code == (int)code)
            name = names[i].name;
    return nst_fail(e, NST_EDEVICE, "%s: CLBlast's product of %zu x %zu x %zu failed (%s %d)", cl->label, g->m, g->n,
                    g->k, name ? name : "code", (int)code);
}

/* In columns, as BLAS counts: C (m x n) = A (m x k) B (k x n) with B's transpose in memory.  That is the form which
 * CLBlast computes without copies where the sides are multiples of its tiles. */
nst_status nst_cl_product(nst_cl *cl, const nst_cl_gemm *g, nst_error *e)
{
    CLBlastStatusCode code;

    if (g->batch == 1)
        code = CLBlastSgemm(CLBlastLayoutColMajor, CLBlastTransposeNo, CLBlastTransposeYes, g->m, g->n, g->k, 1,
                            g->a.mem, g->a.at / 4, g->lda, g->b.mem, g->b.at / 4, g->ldb, g->add ? 1 : 0, g->c.mem,
                            g->c.at / 4, g->ldc, &cl->queue, NULL);
    else
        code = CLBlastSgemmStridedBatched(CLBlastLayoutColMajor, CLBlastTransposeNo, CLBlastTransposeYes, g->m, g->n,
                                          g->k, 1, g->a.mem, g->a.at / 4, g->lda, g->stride_a, g->b.mem, g->b.at / 4,
                                          g->ldb, g->stride_b, g->add ? 1 : 0, g->c.mem, g->c.at / 4, g->ldc,
                                          g->stride_c, g->batch, &cl->queue, NULL);
    return check(cl, code, g, e);
}

nst_status nst_cl_square(nst_cl *cl, const nst_cl_gemm *g, nst_error *e)
{
    CLBlastStatusCode code;

    if (g->batch == 1)
        code = CLBlastSgemm(CLBlastLayoutRowMajor, CLBlastTransposeNo, CLBlastTransposeYes, g->m, g->m, g->k, 1,
                            g->a.mem, g->a.at / 4, g->lda, g->a.mem, g->a.at / 4, g->lda, 0, g->c.mem, g->c.at / 4,
                            g->m, &cl->queue, NULL);
    else
        code = CLBlastSgemmStridedBatched(CLBlastLayoutRowMajor, CLBlastTransposeNo, CLBlastTransposeYes, g->m, g->m,
                                          g->k, 1, g->a.mem, g->a.at / 4, g->lda, g->stride_a, g->a.mem, g->a.at / 4,
                                          g->lda, g->stride_a, 0, g->c.mem, g->c.at / 4, g->m, g->stride_c, g->batch,
                                          &cl->queue, NULL);
    return check(cl, code, g, e);
}
