/* open.c: a device opened: its context and queue, the program and its kernels; and closed. */
#include "context.h"

#include <stdio.h>
#include <string.h>

#define GROUP 64 /* items of a work group at most: two of NVIDIA's warps, one of AMD's waves */

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
        cl->kernel[i] = clCreateKernel(cl->program, nst_cl_kernel_name(i), &code);
        if (code != CL_SUCCESS)
            return nst_fail(e, NST_EDEVICE, "%s: kernel %s: %s", cl->label, nst_cl_kernel_name(i),
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
    s = nst_cl_build(cl, cache, e);
    if (!s)
        s = open_kernels(cl, e);
    if (s)
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
