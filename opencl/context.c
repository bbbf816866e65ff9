/* context.c: what is asked of a device that is open: buffers, kernels, and waits for them. */
#include "context.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PATIENCE 60.       /* seconds that a driver has, beside its work's */
#define SLOWEST 5e8        /* operations a second that any device makes */
#define NAP_LEAST 20000    /* nanoseconds between two questions */
#define NAP_MOST 500000
#define NAP_SHARE 32       /* naps grow by this part, so that none is much longer than a 32nd of the wait so far */

/* ---- memory ---- */

nst_status nst_cl_buffer(nst_cl *cl, size_t bytes, const char *what, cl_mem *out, nst_error *e)
{
    cl_int code = CL_SUCCESS;

    *out = NULL;
    if (bytes > cl->allocation)
        return nst_fail(e, NST_EMEM, "%s: %s take %.1f MB, the device gives at most %.1f MB at once; a smaller size "
                        "or window needs less", cl->label, what, (double)bytes / 1e6, (double)cl->allocation / 1e6);
    if (cl->used + bytes > cl->memory)
        return nst_fail(e, NST_EMEM, "%s: out of memory for %s: %.1f MB more than the %.1f MB that are in use, of "
                        "%.1f MB; a smaller size or window needs less", cl->label, what, (double)bytes / 1e6,
                        (double)cl->used / 1e6, (double)cl->memory / 1e6);
    if (nst_opencl_fault.buffer && --nst_opencl_fault.buffer == 0)
        code = CL_MEM_OBJECT_ALLOCATION_FAILURE;
    else
        *out = clCreateBuffer(cl->context, CL_MEM_READ_WRITE, bytes ? bytes : 4, NULL, &code);
    if (code != CL_SUCCESS)
        return nst_fail(e, code == CL_INVALID_CONTEXT ? NST_EDEVICE : NST_EMEM,
                        "%s: out of memory for %s, %.1f MB (%s); a smaller size or window needs less", cl->label, what,
                        (double)bytes / 1e6, nst_cl_name(code));
    cl->used += bytes;
    return NST_OK;
}

void nst_cl_release(nst_cl *cl, cl_mem *mem, size_t bytes)
{
    if (*mem && !cl->hung) {
        clReleaseMemObject(*mem);
        cl->used -= bytes;
    }
    *mem = NULL;
}

nst_status nst_cl_pin(nst_cl *cl, size_t bytes, const char *what, nst_pinned *out, nst_error *e)
{
    cl_int code;

    *out = (nst_pinned){ .bytes = bytes };
    out->mem = clCreateBuffer(cl->context, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, bytes, NULL, &code);
    if (code == CL_SUCCESS)
        out->at = clEnqueueMapBuffer(cl->queue, out->mem, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0, bytes, 0, NULL, NULL,
                                     &code);
    if (code == CL_SUCCESS)
        return NST_OK;
    out->at = NULL;
    nst_cl_unpin(cl, out);
    return nst_cl_fail(cl, code, what, e);
}

void nst_cl_unpin(nst_cl *cl, nst_pinned *p)
{
    if (p->at && !cl->hung)
        clEnqueueUnmapMemObject(cl->queue, p->mem, p->at, 0, NULL, NULL);
    if (p->mem && !cl->hung)
        clReleaseMemObject(p->mem);
    *p = (nst_pinned){ .bytes = 0 };
}

nst_status nst_cl_write(nst_cl *cl, const void *from, size_t bytes, nst_span to, nst_error *e)
{
    return nst_cl_send(cl, from, bytes, to, NULL, e);
}

nst_status nst_cl_send(nst_cl *cl, const void *from, size_t bytes, nst_span to, cl_event *done, nst_error *e)
{
    cl_int code = clEnqueueWriteBuffer(cl->queue, to.mem, CL_FALSE, to.at, bytes, from, 0, NULL, done);

    cl->counts.up += bytes;
    return code == CL_SUCCESS ? NST_OK : nst_cl_fail(cl, code, "writing to the device", e);
}

/* A driver that hangs would be waited for by clFinish for ever.  So events are asked how far they are, and the driver
 * has a minute, and the time that its work takes at a speed below any device's. */
nst_status nst_cl_wait(nst_cl *cl, cl_event event, const char *doing, nst_error *e)
{
    double most = nst_opencl_fault.hang ? .01 : PATIENCE + (cl->counts.flop - cl->waited) / SLOWEST, start = nst_now();
    struct timespec nap = { 0, NAP_LEAST };
    cl_int status = CL_QUEUED, code = clFlush(cl->queue);

    cl->counts.waits++;
    cl->waited = cl->counts.flop;
    while (code == CL_SUCCESS && status > CL_COMPLETE) {
        code = clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, NULL);
        if (nst_opencl_fault.hang)
            status = CL_RUNNING;
        if (code != CL_SUCCESS || status <= CL_COMPLETE)
            break;
        if (nst_now() - start > most) {
            cl->hung = !nst_opencl_fault.hang; /* in a test it is well, and what is left would be a leak */
            if (!cl->hung)
                clReleaseEvent(event);
            return nst_fail(e, NST_EDEVICE, "%s: the driver hangs: no answer for %.0f s while %s", cl->label,
                            ceil(nst_now() - start), doing);
        }
        nanosleep(&nap, NULL);
        nap.tv_nsec = nap.tv_nsec < NAP_MOST ? nap.tv_nsec + nap.tv_nsec / NAP_SHARE : NAP_MOST;
    }
    if (code == CL_SUCCESS && status == CL_COMPLETE)
        code = clWaitForEvents(1, &event); /* at once: what makes the memory ours, by the letter */
    clReleaseEvent(event);
    return code == CL_SUCCESS && status == CL_COMPLETE ? NST_OK : nst_cl_fail(cl, code ? code : status, doing, e);
}

nst_status nst_cl_read(nst_cl *cl, nst_span from, size_t bytes, void *to, bool wait, nst_error *e)
{
    cl_event done;
    cl_int code = clEnqueueReadBuffer(cl->queue, from.mem, CL_FALSE, from.at, bytes, to, 0, NULL, wait ? &done : NULL);

    cl->counts.down += bytes;
    if (code != CL_SUCCESS)
        return nst_cl_fail(cl, code, "reading from the device", e);
    return wait ? nst_cl_wait(cl, done, "computing", e) : NST_OK;
}

nst_status nst_cl_zero(nst_cl *cl, nst_span to, size_t bytes, nst_error *e)
{
    cl_float zero = 0;
    cl_int code = clEnqueueFillBuffer(cl->queue, to.mem, &zero, sizeof zero, to.at, bytes, 0, NULL, NULL);

    cl->counts.launches++;
    cl->counts.moved += bytes;
    return code == CL_SUCCESS ? NST_OK : nst_cl_fail(cl, code, "filling a buffer", e);
}

nst_status nst_cl_finish(nst_cl *cl, nst_error *e)
{
    cl_event done;
    cl_int code = clEnqueueMarkerWithWaitList(cl->queue, 0, NULL, &done);

    return code == CL_SUCCESS ? nst_cl_wait(cl, done, "computing", e) : nst_cl_fail(cl, code, "computing", e);
}

/* ---- kernels ---- */

static const char *const kernel_names[] = {
#define X(name) #name,
    NST_CL_KERNELS(X)
#undef X
};

const char *nst_cl_kernel_name(int kernel)
{
    return kernel_names[kernel];
}

static cl_int set_arguments(nst_cl *cl, cl_kernel k, const char *letters, va_list args)
{
    cl_int code = CL_SUCCESS;
    cl_uint at = 0;

    for (; *letters && code == CL_SUCCESS; letters++) {
        if (*letters == 's') {
            nst_span s = va_arg(args, nst_span);
            cl_ulong offset = s.at;

            code = clSetKernelArg(k, at++, sizeof s.mem, &s.mem);
            if (code == CL_SUCCESS)
                code = clSetKernelArg(k, at++, sizeof offset, &offset);
        } else if (*letters == 'i') {
            cl_int v = va_arg(args, int);

            code = clSetKernelArg(k, at++, sizeof v, &v);
        } else if (*letters == 'f') {
            cl_float v = (cl_float)va_arg(args, double);

            code = clSetKernelArg(k, at++, sizeof v, &v);
        } else {
            code = clSetKernelArg(k, at++, cl->group * sizeof(cl_float), NULL);
        }
    }
    return code;
}

nst_status nst_cl_run(nst_cl *cl, int kernel, size_t x, size_t y, size_t bytes, nst_error *e, const char *letters, ...)
{
    size_t global[2] = { (x + cl->group - 1) / cl->group * cl->group, y }, local[2] = { cl->group, 1 };
    char doing[64];
    cl_int code;
    va_list args;

    va_start(args, letters);
    code = set_arguments(cl, cl->kernel[kernel], letters, args);
    va_end(args);
    if (code == CL_SUCCESS)
        code = clEnqueueNDRangeKernel(cl->queue, cl->kernel[kernel], 2, NULL, global, local, 0, NULL, NULL);
    if (nst_opencl_fault.launch && --nst_opencl_fault.launch == 0)
        code = nst_opencl_fault.launch_code;
    cl->counts.launches++;
    cl->counts.moved += bytes;
    if (code == CL_SUCCESS)
        return NST_OK;
    snprintf(doing, sizeof doing, "kernel %s", nst_cl_kernel_name(kernel));
    return nst_cl_fail(cl, code, doing, e);
}
