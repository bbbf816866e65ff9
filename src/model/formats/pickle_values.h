/* pickle_values.h: between pickle.c, pickle_values.c and state_dict.c: what a pickle builds, before anyone
 * else sees it.  What fails says at which byte. */
#ifndef NST_PICKLE_VALUES_H
#define NST_PICKLE_VALUES_H

#include "model/formats/pickle.h"

/* Lists and dicts are chains of cells; a list's have no key. */
struct cell {
    nst_value key, value;
    uint32_t next; /* 0: the last */
};

struct container {
    uint32_t first, last;
};

struct tensor {
    uint32_t storage;
    uint64_t offset;
    int dims;
    uint64_t shape[4], stride[4];
};

/* An array that grows. */
struct pool {
    void *p;
    size_t n, room;
};

struct nst_pickle {
    const char *path;
    const unsigned char *start, *p, *end; /* p: the byte that comes next */
    struct pool stack, memo, values; /* nst_value; values: the tuples' */
    struct pool cells, containers, storages, tensors;
};

/* NST_EFORMAT: the pickle is damaged at the byte that comes next. */
nst_status nst_pickle_damaged(const nst_pickle *k, const char *what, nst_error *e);
/* Room for n things of `each` bytes; new ones are 0. */
nst_status nst_pickle_grow(nst_pickle *k, struct pool *a, size_t n, size_t each, nst_error *e);

/* ---- the stack: pickle_values.c ---- */

nst_status nst_pickle_push(nst_pickle *k, nst_value v, nst_error *e);
nst_status nst_pickle_push_int(nst_pickle *k, nst_kind kind, int64_t i, nst_error *e);
/* The top of the stack, taken off; a mark is none. */
nst_status nst_pickle_pop(nst_pickle *k, nst_value *v, nst_error *e);
/* The values above the last mark, n of them from number *from of the stack; the mark itself lies below. */
nst_status nst_pickle_mark(const nst_pickle *k, size_t *from, size_t *n, nst_error *e);

/* ---- values: pickle_values.c ---- */

/* A new LIST or DICT on the stack, and one more value in it (in a list under no key). */
nst_status nst_pickle_container(nst_pickle *k, nst_kind kind, nst_error *e);
nst_status nst_pickle_add(nst_pickle *k, nst_value container, nst_value key, nst_value value, nst_error *e);
/* The n top values become a tuple. */
nst_status nst_pickle_tuple(nst_pickle *k, size_t n, nst_error *e);
/* Value i of a tuple; OTHER when there is none, or it is no tuple. */
nst_value nst_pickle_item(const nst_pickle *k, nst_value tuple, size_t i);
/* A LIST's or DICT's cells, one after the other: *cell is the walk's, 0 at first; NULL past the last. */
const struct cell *nst_pickle_cell(const nst_pickle *k, nst_value container, uint32_t *cell);
bool nst_value_is(nst_value v, const char *text);

/* ---- what torch's names mean: state_dict.c ---- */

/* GLOBAL: pushes the one of that name, if weights need it. */
nst_status nst_pickle_global(nst_pickle *k, nst_value module, nst_value name, nst_error *e);
/* BINPERSID: a storage's description becomes the STORAGE. */
nst_status nst_pickle_storage(nst_pickle *k, nst_error *e);
/* REDUCE: a call that is no call; one of five things is made of its arguments. */
nst_status nst_pickle_reduce(nst_pickle *k, nst_error *e);

#endif
