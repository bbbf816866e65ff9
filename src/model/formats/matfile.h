/* matfile.h: MATLAB's files of versions 5 to 7, element by element, packed ones while they are unpacked. */
#ifndef NST_MATFILE_H
#define NST_MATFILE_H

#include "base/base.h"

/* What is read, from its beginning to its end, once: bytes of the file as they are, or of what zlib unpacks from
 * them. */
typedef struct nst_mat_stream nst_mat_stream;

/* An element's tag; its data begins where the stream is, or lies in the tag itself. */
typedef struct nst_mat_element {
    unsigned type;
    uint32_t bytes;
    uint64_t end; /* where the stream is behind it */
    bool small;   /* the data is in the tag */
    unsigned char tag[4];
} nst_mat_element;

enum { NST_MAT_INT8 = 1, NST_MAT_UINT8 = 2, NST_MAT_UINT16 = 4, NST_MAT_INT32 = 5, NST_MAT_UINT32 = 6,
       NST_MAT_SINGLE = 7,
       NST_MAT_DOUBLE = 9, NST_MAT_MATRIX = 14, NST_MAT_PACKED = 15, NST_MAT_UTF8 = 16 };
enum { NST_MAT_CELL = 1, NST_MAT_STRUCT = 2, NST_MAT_CHAR = 4 };

/* The head of an array: an element that holds others. */
typedef struct nst_mat_array {
    unsigned class;  /* NST_MAT_CELL; 0: an empty one */
    bool complex;
    int dims;
    uint64_t shape[4]; /* ones behind the last; dims may be more */
    char name[32];   /* cut */
    uint64_t end;
} nst_mat_array;

/* A walk through file[0..bytes-1], which must outlive it; NULL: out of memory. */
nst_mat_stream *nst_mat_open(const unsigned char *file, size_t bytes);
void nst_mat_close(nst_mat_stream **s);
/* To the next variable, unpacked if need be, and reads its head; false at the end of the file, and where it is
 * broken. */
bool nst_mat_variable(nst_mat_stream *s, nst_mat_array *a);
/* All further ones are false when what they look at is damaged or ends too early.  limit: where the array around it
 * ends. */
bool nst_mat_element_open(nst_mat_stream *s, uint64_t limit, nst_mat_element *e);
bool nst_mat_array_open(nst_mat_stream *s, uint64_t limit, nst_mat_array *a);
/* The first n bytes of an element that was just opened. */
bool nst_mat_get(nst_mat_stream *s, const nst_mat_element *e, void *to, size_t n);
/* Goes on to that place. */
bool nst_mat_skip(nst_mat_stream *s, uint64_t to);
/* Where an element's data lies in the file; false when it is packed. */
bool nst_mat_place(const nst_mat_stream *s, const nst_mat_element *e, uint64_t *at);
/* Whether the walk ended because something is broken. */
bool nst_mat_broken(const nst_mat_stream *s);

#endif
