/* test_kernels.c: every kernel of every set that runs here, against naive loops in double (check_*.c, a file for each
 * kind of kernel); sets are whole, and the right one is picked. */
#include "check_kernels.h"
#include "ops/dispatch.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    void (*check)(const nst_kernels *k);
} kernels[] = {
#define X(member, type) { #member, check_##member },
    NST_KERNEL_LIST(X)
#undef X
};

/* Test _i: kernel _i of every set that this machine runs. */
START_TEST(kernel_agrees_with_the_oracle)
{
    bool usable;
    const nst_kernels *k = nst_kernels_at(0, &usable);

    for (int i = 0; k; k = nst_kernels_at(++i, &usable))
        if (usable) {
            oracle_seed((uint32_t)_i + 1);
            kernels[_i].check(k);
        }
}
END_TEST

/* No member is missing, and the tile is one that packing can hold. */
START_TEST(sets_are_whole)
{
    const nst_kernels *k = nst_kernels_at(0, NULL);

    for (int i = 0; k; k = nst_kernels_at(++i, NULL)) {
#define X(member, type) ck_assert_msg(k->member != NULL, "%s has no " #member, k->name);
        NST_KERNEL_LIST(X)
#undef X
        ck_assert(k->mr >= 1 && k->mr <= NST_MR_MAX);
        ck_assert(k->nr >= L && k->nr <= NST_NR_MAX && k->nr % L == 0);
    }
}
END_TEST

/* The fastest usable one is chosen; an unusable or unknown name gives none, a usable one itself. */
START_TEST(a_set_is_picked)
{
    bool usable;
    const nst_kernels *k = nst_kernels_at(0, &usable), *last = NULL;

    for (int i = 0; k; k = nst_kernels_at(++i, &usable)) {
        ck_assert_ptr_eq(nst_kernels_pick(k->name), usable ? k : NULL);
        ck_assert_str_eq(nst_simd_name(i), k->name);
        ck_assert_int_eq(nst_simd_usable(i), usable);
        last = usable ? k : last;
        if (i == 0)
            ck_assert(usable && strcmp(k->name, "scalar") == 0);
    }
    ck_assert_ptr_eq(nst_kernels_pick(NULL), last);
    ck_assert_ptr_eq(nst_kernels_pick(""), last);
    ck_assert_str_eq(nst_simd_chosen(), last->name);
    ck_assert_ptr_null(nst_kernels_pick("mmx"));
    ck_assert_ptr_null(nst_kernels_at(-1, &usable));
    ck_assert_ptr_null(nst_simd_name(99));
    ck_assert_int_eq(nst_simd_usable(99), 0);
}
END_TEST

static void tell_what_is_skipped(void)
{
    static const char *const known[] = { "scalar", "avx2", "avx512", "neon" };

    for (size_t n = 0; n < NST_COUNT(known); n++) {
        const char *why = "not compiled in";
        bool usable;
        const nst_kernels *k = nst_kernels_at(0, &usable);

        for (int i = 0; k; k = nst_kernels_at(++i, &usable))
            if (strcmp(k->name, known[n]) == 0)
                why = usable ? NULL : "this machine cannot run it";
        if (why)
            printf("skipped: kernel set %s: %s\n", known[n], why);
    }
}

static void add(TCase *t)
{
    tcase_add_test(t, sets_are_whole);
    tcase_add_test(t, a_set_is_picked);
    tcase_add_loop_test(t, kernel_agrees_with_the_oracle, 0, (int)NST_COUNT(kernels));
}

int main(void)
{
    tell_what_is_skipped();
    return run_suite("kernels", add);
}
