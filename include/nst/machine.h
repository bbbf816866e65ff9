/* machine.h: what computes here: devices, kernel sets, libraries.  Programs include nst.h. */
#ifndef NST_NST_MACHINE_H
#define NST_NST_MACHINE_H

#include <stddef.h>

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum nst_device_kind { NST_DEVICE_CPU = 0, NST_DEVICE_GPU, NST_DEVICE_OTHER } nst_device_kind;

typedef struct nst_device_info {
    char device[16];        /* how nst_settings.device names it: "cpu", "opencl:0" */
    char name[128];         /* "NVIDIA GeForce ..." */
    char platform[128];     /* of OpenCL; "" for "cpu" */
    char driver[192];       /* its OpenCL's and its own version; for "cpu" the kernel sets, the chosen one first */
    char precisions[32];    /* "single, double, half" */
    int kind;               /* nst_device_kind; a CPU may be a device of OpenCL's, too */
    int units;              /* compute units, cores */
    size_t memory, largest; /* bytes: all of it, and the largest buffer; 0 for "cpu" */
} nst_device_info;

/* Describes device i in *info: 0 is "cpu", then all that OpenCL reaches.  Returns 1, or 0 past the last. */
NST_API int nst_device_at(int i, nst_device_info *info);
/* Describes in *info the device that a name means here, and says in why [why_bytes], which may be NULL, for "auto" the
 * reason in a line ("no graphics card is reached by OpenCL").  NST_EUNSUPPORTED where there is no such device or the
 * build has no OpenCL, NST_EARG where several devices have the name. */
NST_API nst_status nst_device_find(const char *name, nst_device_info *info, char *why, size_t why_bytes, nst_error *e);

/* Kernel sets that were compiled in, plain to fast, by index from 0; NULL past the last. */
NST_API const char *nst_simd_name(int i);
/* 1 if this machine can run kernel set i. */
NST_API int nst_simd_usable(int i);
/* The kernel set that is chosen when none is asked for.  Never NULL. */
NST_API const char *nst_simd_chosen(void);
/* The libraries in this build: "libpng 1.6.39, ...".  Never NULL. */
NST_API const char *nst_build_info(void);

#ifdef __cplusplus
}
#endif
#endif
