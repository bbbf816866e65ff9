/* safetensors_header.h: the header of a safetensors file. */
#ifndef NST_HEADER_H
#define NST_HEADER_H

#include "base/base.h"

typedef struct nst_tensor {
    char name[96];    /* longer names are cut to nothing a model needs; unprintable bytes become '?' */
    char dtype[8];    /* "F32" */
    int dims;
    uint64_t shape[8];
    uint64_t begin, end; /* bytes from the start of the data */
} nst_tensor;

typedef struct nst_header {
    const char *path;                                                 /* for messages */
    nst_status (*take)(void *arg, const nst_tensor *t, nst_error *e); /* called for each tensor, in order */
    void *arg;
    char input[16];       /* "nst.input" of the metadata, empty where it has none */
    char own[128];        /* "nst.own", likewise: an input that has no name */
    char origin[128];     /* "nst.origin", likewise */
    size_t data_at;       /* set by begin: where the data starts in the file */
    const char *p, *end;  /* what is left of the text */
} nst_header;

/* Checks the length field of a file of `bytes` bytes (8 or more). */
nst_status nst_header_begin(nst_header *h, const unsigned char *file, size_t bytes, nst_error *e);
/* Parses the text: one flat object, strictly; hands each tensor to take.  Allocates nothing. */
nst_status nst_header_parse(nst_header *h, nst_error *e);

#endif
