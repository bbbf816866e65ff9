/* mem.c: the one place that asks the system for memory. */
#define _DEFAULT_SOURCE /* madvise */
#include "base.h"

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

void *nst_alloc(size_t bytes)
{
    if (bytes > SIZE_MAX - NST_ALIGN)
        return NULL;
    atomic_fetch_add(&allocations, 1);
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    /* Winograd's transforms write to 64 places that are far apart, each on a page of its own: with small pages
     * the processor's table of pages does not hold them.  Where the system has no huge ones nothing is lost. */
    if (bytes >= HUGE_LEAST && bytes <= SIZE_MAX - HUGE_PAGE) {
        void *p = aligned_alloc(HUGE_PAGE, (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);

        if (p)
            madvise(p, bytes, MADV_HUGEPAGE);
        return p;
    }
#endif
    /* aligned_alloc wants a multiple of the alignment, and not zero */
    return aligned_alloc(NST_ALIGN, bytes ? (bytes + NST_ALIGN - 1) / NST_ALIGN * NST_ALIGN : NST_ALIGN);
}

void *nst_calloc(size_t n, size_t each)
{
    size_t bytes;
    void *p;

    if (!nst_mul(n, each, &bytes) || !(p = nst_alloc(bytes)))
        return NULL;
    return memset(p, 0, bytes);
}

void nst_free(void *p)
{
    free(p);
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

/* The number behind a word in a file of the system, or with an empty word its first; -1 when there is none. */
static double number_in(const char *path, const char *word)
{
    FILE *f = fopen(path, "r");
    char line[256];
    double v = -1;

    while (f && v < 0 && fgets(line, sizeof line, f))
        if (!strncmp(line, word, strlen(word)) && sscanf(line + strlen(word), "%lf", &v) != 1)
            v = -1;
    if (f)
        fclose(f);
    return v;
}

size_t nst_memory_available(void)
{
    double bytes = 1024 * number_in("/proc/meminfo", "MemAvailable:");
    double most = number_in("/sys/fs/cgroup/memory.max", ""), taken = number_in("/sys/fs/cgroup/memory.stat", "anon ");

#ifdef _SC_PHYS_PAGES
    if (bytes < 0)
        bytes = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) / 2;
#endif
    if (most > 0 && taken >= 0 && most - taken < bytes)
        bytes = most - taken;
    return bytes > 0 ? (size_t)bytes : 0;
}

size_t nst_memory_own(void)
{
    double bytes = 1024 * number_in("/proc/self/status", "VmRSS:");

    return bytes > 0 ? (size_t)bytes : 0;
}
