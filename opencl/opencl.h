/* opencl.h: devices that OpenCL 1.2 reaches: which there are, and one of them as the graph's device. */
#ifndef NST_OPENCL_H
#define NST_OPENCL_H

#include "net/device.h"

/* Device i of all platforms' in their order, as the driver tells; false past the last.  device is "opencl:I". */
bool nst_opencl_at(int i, nst_device_info *info);

/* Whether the system has anything that looks like a graphics card's driver.  Cheap: asking OpenCL itself loads every
 * platform's compiler, for PoCL 60 MB and 0.2 s. */
bool nst_opencl_card_likely(void);

/* The graph's device on device `index`.  NST_EUNSUPPORTED when there is no such device or it cannot be used,
 * NST_EDEVICE when its driver fails, NST_EMEM; nothing is left behind then. */
nst_status nst_opencl_create(nst_device **out, const nst_graph_options *o, int index, const nst_node *nodes, int count,
                             nst_error *e);

/* For tests only: what devices do that are not here.  Zeros: nothing. */
typedef struct nst_opencl_faults {
    size_t allocation;   /* largest buffer, bytes */
    size_t memory;       /* of the device, bytes */
    size_t group;        /* largest work group */
    const char *source;  /* instead of the kernels */
    int gemm, gemm_code; /* the gemm-th product from now on fails with this code of CLBlast's; -1: every one */
    int buffer;          /* the buffer-th allocation from now on fails */
    int launch, launch_code; /* the launch-th kernel from now on fails with this code of OpenCL's */
    bool hang;           /* nothing ever ends, and patience is short */
    int devices;         /* so many of the devices are seen, -1: none; 0: all */
    bool card;           /* every device says that it is a graphics card */
    int builds, cached;  /* counted: programs built from source, programs taken from the cache */
} nst_opencl_faults;
extern nst_opencl_faults nst_opencl_fault;

#endif
