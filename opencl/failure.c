/* failure.c: OpenCL's failures by their names, and as sentences. */
#include "context.h"

#include <stdio.h>

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
