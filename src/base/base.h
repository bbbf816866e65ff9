/* base.h: what everything stands on: failure, memory, threads. */
#ifndef NST_BASE_H
#define NST_BASE_H

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#ifdef __APPLE__
#include <xlocale.h>
#endif

#include "nst.h"

#define NST_COUNT(a) (sizeof(a) / sizeof *(a))
#define NST_ALIGN 64

#if defined(__GNUC__)
#define NST_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define NST_PRINTF(f, a)
#endif

/* Fills e (which may be NULL) and returns s, so that a failure is one line.
 * A text that is too long is cut. */
nst_status nst_fail(nst_error *e, nst_status s, const char *format, ...) NST_PRINTF(3, 4);

/* ---- memory.c: the only file that calls malloc ------------------------- */

/* 64-byte aligned; NULL when there is none.  bytes 0 gives a valid pointer. */
void *nst_alloc(size_t bytes);
/* n * each bytes, zeroed; NULL also when the product overflows. */
void *nst_calloc(size_t n, size_t each);
void nst_free(void *p);
/* A copy of a string; NULL when there is no memory. */
char *nst_strdup(const char *s);
/* Product of sizes; false (and *out untouched) when it overflows. */
bool nst_mul(size_t a, size_t b, size_t *out);
bool nst_add(size_t a, size_t b, size_t *out);
/* Bytes that this process may still take, by the system and by its control group; 0 when that cannot be told. */
size_t nst_memory_available(void);
/* cgroup.c: `room`, or fewer bytes where a control group leaves fewer: of those that the file groups names, as
 * /proc/self/cgroup does, and of all above them in what is mounted, as /sys/fs/cgroup is. */
double nst_cgroup_room(const char *groups, const char *mounted, double room);
/* The same of processors: `cores`, or fewer where their time is limited; at least 1. */
int nst_cgroup_cores(const char *groups, const char *mounted, int cores);
/* The number behind a word in a file of the system, or with an empty word its first; -1 when there is none. */
double nst_number_in(const char *path, const char *word);
/* Bytes of memory that it has now; 0 when that cannot be told. */
size_t nst_memory_own(void);
/* Allocations made so far, for the test that an iteration makes none. */
size_t nst_alloc_count(void);

/* ---- error.c -------------------------------------------------------------- */

/* Seconds of a clock that only runs forward. */
double nst_now(void);

/* ---- plain.c: texts by the C locale, whatever the host's ------------------- */

/* strtod. */
double nst_plain_number(const char *text, char **end);
/* snprintf, for texts with numbers in them. */
int nst_plain_print(char *out, size_t bytes, const char *format, ...) NST_PRINTF(3, 4);
/* Whether two texts are the same in their first n bytes, but for ASCII's capitals. */
bool nst_plain_alike(const char *a, const char *b, size_t n);
/* This thread's locale is C's until the end, which gets what begin gave. */
locale_t nst_plain_begin(void);
void nst_plain_end(locale_t host);

/* ---- atomic_file.c: a file that is written whole or not at all ------------ */

/* Writes to f, whose errors are looked at afterwards. */
typedef nst_status nst_whole_fn(void *arg, FILE *f, nst_error *e);

/* Calls write for a new file beside path, which is synced and then renamed to it, with the old one's rights: path is
 * always the old file or the whole new one.  A symbolic link stays one, a device or pipe is written in place. */
nst_status nst_whole_write(const char *path, nst_whole_fn *write, void *arg, nst_error *e);

/* ---- checksum.c: a checksum, 64 bits ------------------------------------- */

/* Finds every change within 8 bytes, and any other but for one in 2^64; not made against people. */
typedef struct nst_sum {
    uint64_t h, bytes;
    unsigned char rest[8];
} nst_sum;
void nst_sum_begin(nst_sum *s);
void nst_sum_add(nst_sum *s, const void *data, size_t bytes);
uint64_t nst_sum_end(const nst_sum *s);

/* ---- threads.c: the only file that starts threads ------------------------ */

/* One share of the work: items begin..end-1, done by worker 0..threads-1
 * (which of several scratch buffers to use). */
typedef void nst_par_fn(void *arg, int worker, int begin, int end);

/* Runs fn over items 0..items-1 on up to `threads` threads, each item once.
 * Who does which item is not fixed: an item's result must not depend on it. */
void nst_par_for(int threads, int items, nst_par_fn *fn, void *arg);
/* How many threads to use when the user does not say: the cores that this process may run on. */
int nst_par_cores(void);
/* Of the machine. */
int nst_par_online(void);

/* v between the two; not a number: least. */
static inline float nst_clamp(float v, float least, float most)
{
    if (v < most)
        return v > least ? v : least;
    return v >= most ? most : least;
}
static inline double nst_clamp_double(double v, double least, double most)
{
    if (v < most)
        return v > least ? v : least;
    return v >= most ? most : least;
}
/* The same of whole numbers. */
static inline int nst_clamp_int(int n, int least, int most)
{
    if (n < least)
        return least;
    return n < most ? n : most;
}
static inline size_t nst_clamp_size(size_t n, size_t least, size_t most)
{
    if (n < least)
        return least;
    return n < most ? n : most;
}

#endif
