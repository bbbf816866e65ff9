/* checked.h: loops whose accesses a sanitizer checks as ranges before they run, not one by one: most of what the
 * sanitizers' tests took was products. */
#ifndef NST_CHECKED_H
#define NST_CHECKED_H

#include <stddef.h>
#include <stdint.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NST_ADDRESS_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define NST_ADDRESS_SANITIZER
#endif

#if defined(__GNUC__)
#define NST_INLINE static inline __attribute__((always_inline)) /* into unchecked functions, too */
#else
#define NST_INLINE static inline
#endif

#ifdef NST_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>

#define NST_UNCHECKED __attribute__((no_sanitize("address", "undefined")))

/* Reads the first byte of n that must not be touched, if there is one: the sanitizer says where and whose. */
__attribute__((noinline, unused)) static void nst_check(const void *p, size_t n)
{
    const volatile char *bad = __asan_region_is_poisoned((void *)(uintptr_t)p, n);

    if (bad)
        (void)*bad;
}

/* Rows of n floats, as far from each other as ld says: not what lies between them, which is other data and much. */
__attribute__((noinline, unused)) static void nst_check_rows(const float *p, size_t rows, size_t ld, size_t n)
{
    for (size_t r = 0; r < rows; r++)
        nst_check(p + r * ld, n * sizeof *p);
}
#else
#define NST_UNCHECKED
#define nst_check(p, n) ((void)0)
#define nst_check_rows(p, rows, ld, n) ((void)0)
#endif

#endif
