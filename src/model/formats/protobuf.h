/* protobuf.h: protobuf's wire format, field by field, in place: of a file of 575 MB only what is looked at is
 * read. */
#ifndef NST_WIRE_H
#define NST_WIRE_H

#include "base/base.h"

enum { NST_WIRE_NUMBER = 0, NST_WIRE_EIGHT = 1, NST_WIRE_BYTES = 2, NST_WIRE_FOUR = 5 };

/* A message, and its field at hand. */
typedef struct nst_wire {
    const unsigned char *p, *end;  /* what is left of it */
    unsigned field, type;          /* its number; NST_WIRE_... */
    uint64_t number;               /* of a NUMBER */
    const unsigned char *data;     /* of the others, */
    size_t bytes;                  /* which is this long */
    bool broken;                   /* the message ended badly */
} nst_wire;

/* To the next field; false at the end of the message, and where it is broken. */
bool nst_wire_next(nst_wire *w);
/* The message within the field at hand; empty and broken when it is no BYTES. */
nst_wire nst_wire_enter(const nst_wire *w);
/* Adds the field's numbers, one or packed, to v[0..*n-1], at most max in all; false when they do not fit. */
bool nst_wire_numbers(const nst_wire *w, uint64_t *v, int max, int *n);
/* Whether the field is this text. */
bool nst_wire_is(const nst_wire *w, const char *text);

#endif
