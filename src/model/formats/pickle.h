/* pickle.h: what torch.save pickled, as plain values.  A pickle is a program; this is no machine for it. */
#ifndef NST_PICKLE_H
#define NST_PICKLE_H

#include "model/tensors.h"

typedef enum nst_kind {
    NST_KIND_NONE, NST_KIND_BOOL, NST_KIND_INT, NST_KIND_STRING, NST_KIND_TUPLE, NST_KIND_LIST, NST_KIND_DICT,
    NST_KIND_GLOBAL, NST_KIND_STORAGE, NST_KIND_TENSOR, NST_KIND_MARK, NST_KIND_OTHER
} nst_kind;

typedef struct nst_value {
    uint8_t kind; /* nst_kind */
    uint32_t n;   /* STRING: bytes; TUPLE: values; STORAGE: where its view begins, in numbers */
    union {
        int64_t i;     /* BOOL, INT; GLOBAL, LIST, DICT, STORAGE, TENSOR: its number; TUPLE: of its first value */
        const char *s; /* STRING: in the pickle's bytes, no zero at its end */
    } u;
} nst_value;

typedef struct nst_storage {
    nst_value key;     /* STRING */
    nst_number number; /* NST_NO_FLOAT: integers */
    unsigned each;     /* bytes of a number */
    uint64_t count;
    uint64_t at;       /* for the reader of the file: where it lies; 0 from here */
} nst_storage;

typedef struct nst_pickle nst_pickle;

/* Reads one pickle from bytes[0..n-1], which must outlive it; *used: its length.  Only opcodes and globals that state
 * dicts are made of, nothing is called, nothing imported; memory is at most a few times n. */
nst_status nst_pickle_read(nst_pickle **out, const char *path, const unsigned char *bytes, size_t n, size_t *used,
                           nst_error *e);
void nst_pickle_close(nst_pickle **p);
nst_value nst_pickle_root(const nst_pickle *p);
/* The value under a key of a DICT, NONE when there is none. */
nst_value nst_pickle_get(const nst_pickle *p, nst_value dict, const char *key);
/* Value i of a LIST, one after the other from 0: *cell is the walk's, 0 at first; false past the last. */
bool nst_pickle_next(const nst_pickle *p, nst_value list, uint32_t *cell, nst_value *v);
/* The storages that it names, in order. */
nst_storage *nst_pickle_storages(nst_pickle *p, size_t *n);
/* Adds the tensors of the root and, under names like "state_dict.features.0.weight", of the DICTs in it: id is the
 * storage, at counts from its beginning. */
nst_status nst_pickle_tensors(const nst_pickle *p, nst_weights *w, nst_error *e);

#endif
