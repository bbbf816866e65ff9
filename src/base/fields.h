/* fields.h: a struct as lines of text, name=value, and back to the same bits. */
#ifndef NST_FIELDS_H
#define NST_FIELDS_H

#include "base/base.h"

typedef enum nst_field_kind {
    NST_FIELD_INT,  /* int, min..max */
    NST_FIELD_REAL, /* double, min..max; in text its 64 bits as 16 hexadecimal digits */
    NST_FIELD_BITS, /* uint64_t, any; in text the same */
    NST_FIELD_TEXT, /* char [bytes], ended by a zero; no control characters in it */
} nst_field_kind;

/* One row a field. */
typedef struct nst_field {
    const char *name;
    nst_field_kind kind;
    size_t offset, bytes;
    double min, max;
} nst_field;

/* Whether every field is in its range; NST_EARG names the first that is not. */
nst_status nst_fields_check(const nst_field *rows, int n, const void *base, nst_error *e);
/* One line a row, in their order, into text [room]; *bytes without the zero at the end.  NST_EARG when there is no room
 * or a text holds control characters. */
nst_status nst_fields_write(const nst_field *rows, int n, const void *base, char *text, size_t room, size_t *bytes,
                            nst_error *e);
/* Reads exactly such lines: every row, in their order, in its range, and nothing else.  path begins the error's text.
 * NST_EFORMAT leaves base partly filled. */
nst_status nst_fields_read(const nst_field *rows, int n, void *base, const char *text, size_t bytes, const char *path,
                           nst_error *e);
/* Sets the field of that name from a text as people write it: a whole number, a number, or the text itself.  NST_EARG,
 * and nothing is changed, for an unknown name and for a value that is none or out of range. */
nst_status nst_fields_set(const nst_field *rows, int n, void *base, const char *name, const char *value, nst_error *e);

#endif
