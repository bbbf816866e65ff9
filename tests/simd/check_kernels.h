/* check_kernels.h: what the checks of kernels share.  A check is given a set, and compares one of its kernels with
 * naive loops in double: outputs start as NaN, stand between guards, and may be off by what theory says of a float
 * sum. */
#ifndef NST_TESTS_CHECK_KERNELS_H
#define NST_TESTS_CHECK_KERNELS_H

#include "ops/dispatch.h"
#include "../support/oracle.h"
#include "../support/suite.h"

#include <math.h>

enum { L = NST_LANES };

/* One for each kernel of the list: check_products.c, check_winograd.c, check_layers.c, check_flat.c.  A kernel without
 * one does not link. */
#define X(member, type) void check_##member(const nst_kernels *k);
NST_KERNEL_LIST(X)
#undef X

/* What a float result may differ by. */
static inline void close_to(const nst_kernels *k, const char *what, double got, double expected, double tolerance)
{
    ck_assert_msg(fabs(got - expected) <= tolerance, "%s %s: %.9g, expected %.9g within %.2g", k->name, what, got,
                  expected, tolerance);
}

static inline void sum_is(const nst_kernels *k, const char *what, double got, const oracle_sum *s)
{
    close_to(k, what, got, s->value, oracle_tolerance(s));
}

static inline float *filled(size_t n)
{
    float *p = oracle_alloc(n);

    oracle_fill(n, p);
    return p;
}

static inline void release(float *p)
{
    ck_assert_msg(oracle_free(p), "a float outside of the array was written");
}

#endif
