/* status.h: how functions of libnst tell of failure.  Programs include nst.h. */
#ifndef NST_NST_STATUS_H
#define NST_NST_STATUS_H

#if defined(__GNUC__)
#define NST_API __attribute__((visibility("default")))
#else
#define NST_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum nst_status {
    NST_OK = 0,
    NST_EARG,         /* an option or argument is out of range or contradicts another */
    NST_EIO,          /* a file cannot be opened, read or written, or other ranks are not reached */
    NST_EFORMAT,      /* a file is damaged or is not what it should be; a picture is too small or too large */
    NST_EMEM,         /* out of memory */
    NST_EUNSUPPORTED, /* this build or this machine lacks what was asked for */
    NST_EDIVERGED,    /* the optimisation met a NaN or an infinity */
    NST_EDEVICE,      /* a device or its driver failed: its compiler, a kernel, the card itself */
    NST_STATUS_COUNT
} nst_status;

/* What went wrong: "object: fact, expectation", no capital, no full stop. */
typedef struct nst_error {
    char text[512];
} nst_error;

/* A short name for a status, "out of memory" for NST_EMEM.  Never NULL. */
NST_API const char *nst_status_text(nst_status s);

/* The version of the library: "0.1.0".  Never NULL. */
NST_API const char *nst_version(void);

#ifdef __cplusplus
}
#endif
#endif
