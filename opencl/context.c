/* context.c: a device opened: its context, queue and kernels; buffers; failures by their names. */
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
#define GROUP 64 /* items of a work group at most: two of NVIDIA's warps, one of AMD's waves */

/* ---- failures ---- */

static const struct {
    cl_int code;
    const char *name;
} names[] = {
#define X(name) { name, #name },
    X(CL_DEVICE_NOT_FOUND) X(CL_DEVICE_NOT_AVAILABLE) X(CL_COMPILER_NOT_AVAILABLE) X(CL_MEM_OBJECT_ALLOCATION_FAILURE)
    X(CL_OUT_OF_RESOURCES) X(CL_OUT_OF_HOST_MEMORY) X(CL_PROFILING_INFO_NOT_AVAILABLE) X(CL_MAP_FAILURE)
    X(CL_BUILD_PROGRAM_FAILURE) X(CL_MISALIGNED_SUB_BUFFER_OFFSET) X(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST)
    X(CL_INVALID_VALUE) X(CL_INVALID_DEVICE) X(CL_INVALID_CONTEXT) X(CL_INVALID_COMMAND_QUEUE)
    X(CL_INVALID_MEM_OBJECT) X(CL_INVALID_BINARY) X(CL_INVALID_BUILD_OPTIONS) X(CL_INVALID_PROGRAM)
    X(CL_INVALID_PROGRAM_EXECUTABLE) X(CL_INVALID_KERNEL_NAME) X(CL_INVALID_KERNEL) X(CL_INVALID_ARG_INDEX)
    X(CL_INVALID_ARG_VALUE) X(CL_INVALID_ARG_SIZE) X(CL_INVALID_KERNEL_ARGS) X(CL_INVALID_WORK_DIMENSION)
    X(CL_INVALID_WORK_GROUP_SIZE) X(CL_INVALID_WORK_ITEM_SIZE) X(CL_INVALID_EVENT_WAIT_LIST) X(CL_INVALID_EVENT)
    X(CL_INVALID_OPERATION) X(CL_INVALID_BUFFER_SIZE) X(CL_INVALID_GLOBAL_WORK_SIZE)
#undef X
};

const char *nst_cl_name(cl_int code)
{
    for (size_t i = 0; i < NST_COUNT(names); i++)
        if (names[i].code == code)
            return names[i].name;
    return NULL;
}

nst_status nst_cl_fail(const nst_cl *cl, cl_int code, const char *doing, nst_error *e)
{
    const char *name = nst_cl_name(code);
    char number[32];

    snprintf(number, sizeof number, "code %d", (int)code);
    if (code == CL_MEM_OBJECT_ALLOCATION_FAILURE || code == CL_OUT_OF_HOST_MEMORY)
        return nst_fail(e, NST_EMEM, "%s: out of memory while %s (%s), a smaller size needs less", cl->label, doing,
                        name);
    /* what a driver says when a card was reset, unplugged or crashed */
    if (code == CL_DEVICE_NOT_AVAILABLE || code == CL_INVALID_COMMAND_QUEUE || code == CL_INVALID_CONTEXT ||
        code == CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST || code == -9999)
        return nst_fail(e, NST_EDEVICE, "%s: the driver gave up while %s (%s)", cl->label, doing,
                        name ? name : number);
    return nst_fail(e, NST_EDEVICE, "%s: %s failed (%s)", cl->label, doing, name ? name : number);
}

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

/* A driver that hangs would be waited for by clFinish for ever.  So events are asked how far they are, and the driver has
 * a minute, and the time that its work takes at a speed below any device's. */
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
    snprintf(doing, sizeof doing, "kernel %s", kernel_names[kernel]);
    return nst_cl_fail(cl, code, doing, e);
}

/* ---- opening ---- */

/* The largest power of two that every kernel can have as its work group. */
static size_t group_size(const nst_cl *cl)
{
    size_t most = GROUP, size = 1;

    for (int i = 0; i < NST_CL_COUNT; i++) {
        size_t can = 0;

        if (clGetKernelWorkGroupInfo(cl->kernel[i], cl->id, CL_KERNEL_WORK_GROUP_SIZE, sizeof can, &can, NULL) ==
                CL_SUCCESS && can && can < most)
            most = can;
    }
    if (nst_opencl_fault.group && nst_opencl_fault.group < most)
        most = nst_opencl_fault.group;
    while (2 * size <= most)
        size *= 2;
    return size;
}

static nst_status open_kernels(nst_cl *cl, nst_error *e)
{
    cl_int code;

    for (int i = 0; i < NST_CL_COUNT; i++) {
        cl->kernel[i] = clCreateKernel(cl->program, kernel_names[i], &code);
        if (code != CL_SUCCESS)
            return nst_fail(e, NST_EDEVICE, "%s: kernel %s: %s", cl->label, kernel_names[i],
                            nst_cl_name(code) ? nst_cl_name(code) : "cannot be made");
    }
    cl->group = group_size(cl);
    return NST_OK;
}

nst_status nst_cl_open(nst_cl *cl, int index, const char *cache, bool profile, nst_error *e)
{
    nst_device_info info;
    cl_bool available = CL_TRUE, compiler = CL_TRUE;
    cl_int code;
    nst_error why;
    nst_status s;

    *cl = (nst_cl){ .group = 1 };
    if (!nst_cl_find(index, &cl->platform, &cl->id) || !nst_opencl_at(index, &info))
        return nst_fail(e, NST_EUNSUPPORTED, "device \"opencl:%d\": there is none of that number, see nst devices",
                        index);
    snprintf(cl->label, sizeof cl->label, "%s (%.100s)", info.device, info.name);
    cl->allocation = info.largest, cl->memory = info.memory;
    if (nst_opencl_fault.allocation && nst_opencl_fault.allocation < cl->allocation)
        cl->allocation = nst_opencl_fault.allocation;
    if (nst_opencl_fault.memory && nst_opencl_fault.memory < cl->memory)
        cl->memory = nst_opencl_fault.memory;
    clGetDeviceInfo(cl->id, CL_DEVICE_AVAILABLE, sizeof available, &available, NULL);
    clGetDeviceInfo(cl->id, CL_DEVICE_COMPILER_AVAILABLE, sizeof compiler, &compiler, NULL);
    if (!available || !compiler)
        return nst_fail(e, NST_EUNSUPPORTED, "%s: %s", cl->label,
                        available ? "its driver has no compiler" : "not available now");
    if (nst_cl_need_products(&why))
        return nst_fail(e, NST_EDEVICE, "%s: %s", cl->label, why.text); /* with auto the processor goes on */
    cl->context = clCreateContext(NULL, 1, &cl->id, NULL, NULL, &code);
    if (code != CL_SUCCESS) {
        s = nst_cl_fail(cl, code, "opening the device", e);
        goto fail;
    }
    cl->queue = clCreateCommandQueue(cl->context, cl->id, profile ? CL_QUEUE_PROFILING_ENABLE : 0, &code);
    if (code != CL_SUCCESS) {
        s = nst_cl_fail(cl, code, "opening the queue", e);
        goto fail;
    }
    if ((s = nst_cl_build(cl, cache, e)) || (s = open_kernels(cl, e)))
        goto fail;
    return NST_OK;

fail:
    nst_cl_close(cl);
    return s;
}

void nst_cl_close(nst_cl *cl)
{
    if (cl->hung) {
        *cl = (nst_cl){ .group = 1, .hung = true };
        return;
    }
    if (cl->queue)
        clFinish(cl->queue); /* nothing may still read what the caller frees */
    for (int i = 0; i < NST_CL_COUNT; i++)
        if (cl->kernel[i])
            clReleaseKernel(cl->kernel[i]);
    if (cl->program)
        clReleaseProgram(cl->program);
    if (cl->queue)
        clReleaseCommandQueue(cl->queue);
    if (cl->context)
        clReleaseContext(cl->context);
    *cl = (nst_cl){ .group = 1 };
}
