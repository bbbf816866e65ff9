/* memory.c: the one place that asks the system for memory. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* madvise, MAP_ANONYMOUS */
#endif
#include "base/base.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

#define HUGE_PAGE ((size_t)2 << 20)
#define HUGE_LEAST (4 * HUGE_PAGE) /* smaller arrays would mostly round up */

static atomic_size_t allocations;

bool nst_mul(size_t a, size_t b, size_t *out)
{
    if (b && a > SIZE_MAX / b)
        return false;
    *out = a * b;
    return true;
}

bool nst_add(size_t a, size_t b, size_t *out)
{
    if (a > SIZE_MAX - b)
        return false;
    *out = a + b;
    return true;
}

/* Large arrays are mapped by themselves: malloc keeps what a scale gives back in pieces that the next, larger scale
 * cannot use (20 MB of a 512-pixel run).  A head before each array says how it came.  AddressSanitizer watches malloc's
 * arrays only, so under it all come from there. */
struct head {
    size_t mapped; /* bytes of the mapping, or 0: from malloc */
};

static void *after_head(void *p, size_t mapped)
{
    if (!p)
        return NULL;
    ((struct head *)p)->mapped = mapped;
    return (char *)p + NST_ALIGN;
}

#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__)
#define MAPPED_LEAST ((size_t)1 << 20)

/* On a huge page's boundary where the array is large enough for such pages: Winograd's transforms write to 64 places
 * that are far apart, each on a page of its own, and with small pages the processor's table of pages does not hold
 * them. */
static void *map(size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), align = bytes >= HUGE_LEAST ? HUGE_PAGE : page;
    size_t all = (bytes + page - 1) / page * page, lead;
    char *p = mmap(NULL, all + align - page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        return NULL;
    lead = (align - (size_t)(uintptr_t)p % align) % align;
    if (lead)
        munmap(p, lead);
    if (align - page - lead)
        munmap(p + lead + all, align - page - lead);
#ifdef MADV_HUGEPAGE
    if (align == HUGE_PAGE)
        madvise(p + lead, all, MADV_HUGEPAGE); /* where the system has none, nothing is lost */
#endif
    return after_head(p + lead, all);
}
#else
#define MAPPED_LEAST SIZE_MAX
static void *map(size_t bytes) { return after_head(NULL, bytes); }
#endif

/* *zero: whether the bytes are zero already. */
static void *get(size_t bytes, bool *zero)
{
    *zero = bytes >= MAPPED_LEAST;
    if (bytes > SIZE_MAX - 2 * HUGE_PAGE)
        return NULL;
    atomic_fetch_add(&allocations, 1);
    if (*zero)
        return map(bytes + NST_ALIGN);
    return after_head(aligned_alloc(NST_ALIGN, (bytes + 2 * NST_ALIGN - 1) / NST_ALIGN * NST_ALIGN), 0);
}

void *nst_alloc(size_t bytes)
{
    bool zero;

    return get(bytes, &zero);
}

void *nst_calloc(size_t n, size_t each)
{
    size_t bytes;
    bool zero;
    void *p;

    if (!nst_mul(n, each, &bytes))
        return NULL;
    p = get(bytes, &zero);
    if (!p)
        return NULL;
    return zero ? p : memset(p, 0, bytes);
}

void nst_free(void *p)
{
    struct head *h = p ? (struct head *)(void *)((char *)p - NST_ALIGN) : NULL;

#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__)
    if (h && h->mapped) {
        munmap(h, h->mapped);
        return;
    }
#endif
    free(h);
}

char *nst_strdup(const char *s)
{
    size_t bytes = strlen(s) + 1;
    char *copy = nst_alloc(bytes);

    return copy ? memcpy(copy, s, bytes) : NULL;
}

size_t nst_alloc_count(void)
{
    return atomic_load(&allocations);
}

size_t nst_memory_available(void)
{
    double bytes = 1024 * nst_number_in("/proc/meminfo", "MemAvailable:");

#ifdef _SC_PHYS_PAGES
    if (bytes < 0)
        bytes = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) / 2;
#endif
    bytes = nst_cgroup_room("/proc/self/cgroup", "/sys/fs/cgroup", bytes);
    return bytes > 0 ? (size_t)bytes : 0;
}

size_t nst_memory_own(void)
{
    double bytes = 1024 * nst_number_in("/proc/self/status", "VmRSS:");

    return bytes > 0 ? (size_t)bytes : 0;
}
