/* list.c: platforms and devices: which there are and what they say of themselves. */
#include "context.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_PLATFORMS 16
#define MAX_DEVICES 32

nst_opencl_faults nst_opencl_fault;

bool nst_opencl_card_likely(void)
{
    if (nst_opencl_fault.card)
        return true;
#ifdef __linux__
    /* Mesa, Intel, AMD; AMD's compute; NVIDIA, Jetson; Mali; Adreno; PowerVR; Windows' subsystem */
    static const char *const nodes[] = { "/dev/dri", "/dev/kfd", "/dev/nvidiactl", "/dev/nvhost-gpu", "/dev/nvgpu",
                                         "/dev/mali0", "/dev/kgsl-3d0", "/dev/pvr_sync", "/dev/dxg" };

    for (size_t i = 0; i < NST_COUNT(nodes); i++)
        if (access(nodes[i], F_OK) == 0)
            return true;
    return false;
#else
    return true;
#endif
}

bool nst_cl_find(int i, cl_platform_id *platform, cl_device_id *device)
{
    cl_platform_id p[MAX_PLATFORMS];
    cl_device_id d[MAX_DEVICES];
    cl_uint np = 0, nd;
    int at = 0;

    if (i < 0 || (nst_opencl_fault.devices && i >= nst_opencl_fault.devices))
        return false;
    if (clGetPlatformIDs(MAX_PLATFORMS, p, &np) != CL_SUCCESS)
        return false;
    for (cl_uint k = 0; k < np && k < MAX_PLATFORMS; k++) {
        if (clGetDeviceIDs(p[k], CL_DEVICE_TYPE_ALL, MAX_DEVICES, d, &nd) != CL_SUCCESS)
            continue;
        nd = nd < MAX_DEVICES ? nd : MAX_DEVICES;
        if (i < at + (int)nd) {
            *platform = p[k], *device = d[i - at];
            return true;
        }
        at += (int)nd;
    }
    return false;
}

void nst_cl_text(cl_device_id d, cl_device_info what, char *out, size_t bytes)
{
    char text[1024];
    size_t n = 0, from = 0;

    *out = 0;
    if (clGetDeviceInfo(d, what, sizeof text, text, &n) != CL_SUCCESS || !n || n > sizeof text)
        return;
    text[n - 1] = 0;
    from = strspn(text, " \t\n"); /* some drivers pad their names with blanks */
    snprintf(out, bytes, "%s", text + from);
    for (n = strlen(out); n && strchr(" \t\n", out[n - 1]); n--)
        out[n - 1] = 0;
}

static size_t number(cl_device_id d, cl_device_info what)
{
    cl_ulong v = 0;

    return clGetDeviceInfo(d, what, sizeof v, &v, NULL) == CL_SUCCESS ? (size_t)v : 0;
}

bool nst_opencl_at(int i, nst_device_info *info)
{
    cl_platform_id p;
    cl_device_id d;
    cl_device_type type = 0;
    cl_uint units = 0;
    char driver[96], extensions[1024];

    *info = (nst_device_info){ .kind = NST_DEVICE_OTHER };
    if (!nst_cl_find(i, &p, &d))
        return false;
    clGetDeviceInfo(d, CL_DEVICE_TYPE, sizeof type, &type, NULL);
    clGetDeviceInfo(d, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units, &units, NULL);
    info->kind = NST_DEVICE_OTHER;
    if (type & CL_DEVICE_TYPE_GPU || nst_opencl_fault.card)
        info->kind = NST_DEVICE_GPU;
    else if (type & CL_DEVICE_TYPE_CPU)
        info->kind = NST_DEVICE_CPU;
    snprintf(info->device, sizeof info->device, "opencl:%d", i);
    nst_cl_text(d, CL_DEVICE_NAME, info->name, sizeof info->name);
    nst_cl_text(d, CL_DRIVER_VERSION, driver, sizeof driver);
    if (clGetPlatformInfo(p, CL_PLATFORM_NAME, sizeof info->platform, info->platform, NULL) != CL_SUCCESS)
        info->platform[0] = 0;
    nst_cl_text(d, CL_DEVICE_VERSION, info->driver, sizeof info->driver - sizeof driver);
    snprintf(info->driver + strlen(info->driver), sizeof info->driver - strlen(info->driver), ", driver %s", driver);
    nst_cl_text(d, CL_DEVICE_EXTENSIONS, extensions, sizeof extensions);
    snprintf(info->precisions, sizeof info->precisions, "single%s%s",
             number(d, CL_DEVICE_DOUBLE_FP_CONFIG) ? ", double" : "",
             strstr(extensions, "cl_khr_fp16") ? ", half" : "");
    info->units = (int)units;
    info->memory = number(d, CL_DEVICE_GLOBAL_MEM_SIZE);
    info->largest = number(d, CL_DEVICE_MAX_MEM_ALLOC_SIZE);
    return true;
}
