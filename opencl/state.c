/* state.c: what the device's files share: where buffers lie, what is pending, the clock's marks. */
#include "state.h"

#include <string.h>

nst_span nst_cl_span(const nst_cl_device *d, size_t at)
{
    if (at == NST_NONE || !d->arena.pieces)
        return (nst_span){ d->scratch, 0 };
    return (nst_span){ d->arena.piece[at / d->arena.bytes], at % d->arena.bytes };
}

void nst_cl_drop_marks(nst_cl_device *d)
{
    for (int i = 0; i < d->marks && !d->cl.hung; i++)
        clReleaseEvent(d->mark[i].at);
    d->marks = 0;
}

void nst_cl_forget(nst_cl_device *d)
{
    memset(d->losses.pending, 0, sizeof d->losses.pending);
    for (int i = 0; i < nst_cl_styles(d); i++)
        d->losses.style[i].stats = NULL, d->losses.style[i].loss = NULL;
}

nst_status nst_cl_settle(nst_cl_device *d, nst_status s, int phase, int layer, nst_error *e)
{
    cl_int code = CL_SUCCESS;

    if (s)
        nst_cl_forget(d);
    if (phase == NST_CL_BEGIN)
        nst_cl_drop_marks(d);
    if (s || !d->profile || d->marks == NST_CL_MARKS)
        return s;
    d->mark[d->marks].phase = phase, d->mark[d->marks].layer = layer;
    code = clEnqueueMarkerWithWaitList(d->cl.queue, 0, NULL, &d->mark[d->marks].at);
    d->marks += code == CL_SUCCESS;
    return code == CL_SUCCESS ? NST_OK : nst_cl_fail(&d->cl, code, "measuring", e);
}

void nst_cl_timing(nst_device *base, nst_timing *t)
{
    nst_cl_device *d = nst_cl_of(base);
    cl_ulong before = 0, now;

    if (d->marks)
        memset(t, 0, (size_t)d->count * sizeof *t);
    for (int i = 0; i < d->marks; i++, before = now) {
        nst_timing *here = &t[d->mark[i].layer];
        double seconds;

        if (clGetEventProfilingInfo(d->mark[i].at, CL_PROFILING_COMMAND_END, sizeof now, &now, NULL) != CL_SUCCESS)
            break;
        seconds = (double)(now - before) * 1e-9;
        if (d->mark[i].phase == NST_CL_FORWARDS)
            here->forward += seconds;
        else if (d->mark[i].phase == NST_CL_STATS)
            here->stats += seconds;
        else if (d->mark[i].phase == NST_CL_LOSS_GRADIENTS)
            here->loss_gradient += seconds;
        else if (d->mark[i].phase == NST_CL_BACKWARDS)
            here->backward += seconds;
    }
    nst_cl_drop_marks(d);
}

nst_status nst_cl_gather(nst_cl_device *d, nst_span part, nst_span pairs, size_t parts, size_t n, bool add,
                         nst_error *e)
{
    return nst_cl_run(&d->cl, NST_CL_gather, n, 1, (parts + 2) * n * sizeof(float), e, "ssiii", part, pairs, (int)parts,
                      (int)n, add);
}
