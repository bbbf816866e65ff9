/* test_base.c: what everything stands on: failures are told, sizes do not overflow, each item is done once. */
#include "base/base.h"
#include "../support/suite.h"

#include <stdlib.h>
#include <string.h>

/* A failure returns its own status and fills the text; without a place for the text it still returns. */
START_TEST(failure_is_a_value_and_a_sentence)
{
    nst_error e;

    ck_assert_int_eq(nst_fail(&e, NST_EFORMAT, "%s: %d filters, expected %d", "w", 3, 4), NST_EFORMAT);
    ck_assert_str_eq(e.text, "w: 3 filters, expected 4");
    ck_assert_int_eq(nst_fail(NULL, NST_EIO, "x"), NST_EIO);
}
END_TEST

/* A text longer than its place is cut, not written past it. */
START_TEST(long_text_is_cut)
{
    char text[2000];
    nst_error e;

    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = 0;
    nst_fail(&e, NST_EIO, "%s", text);
    ck_assert_uint_eq(strlen(e.text), sizeof e.text - 1);
}
END_TEST

/* Every status has a text, and so has a number that is none. */
START_TEST(every_status_has_a_text)
{
    for (int s = 0; s <= NST_STATUS_COUNT; s++)
        ck_assert_uint_gt(strlen(nst_status_text((nst_status)s)), 0);
}
END_TEST

/* A product or sum of sizes that overflows is refused and leaves its place untouched. */
START_TEST(sizes_are_checked)
{
    size_t out = 7;

    ck_assert(!nst_mul(SIZE_MAX / 2, 3, &out));
    ck_assert(!nst_add(SIZE_MAX, 1, &out));
    ck_assert_uint_eq(out, 7);
    ck_assert(nst_mul(6, 7, &out));
    ck_assert_uint_eq(out, 42);
    ck_assert_ptr_null(nst_calloc(SIZE_MAX / 2, 4));
}
END_TEST

/* Memory is aligned for the widest vectors, and counted. */
START_TEST(memory_is_aligned_and_counted)
{
    size_t before = nst_alloc_count();
    void *p = nst_alloc(1);

    ck_assert_ptr_nonnull(p);
    ck_assert_uint_eq((uintptr_t)p % NST_ALIGN, 0);
    ck_assert_uint_eq(nst_alloc_count(), before + 1);
    nst_free(p);
}
END_TEST

struct seen {
    unsigned char times[1000];
};

static void mark(void *arg, int worker, int begin, int end)
{
    struct seen *s = arg;

    (void)worker;
    for (int i = begin; i < end; i++)
        s->times[i]++;
}

/* Every item is done exactly once, for any number of threads and items. */
START_TEST(each_item_once)
{
    for (int threads = 1; threads <= 5; threads++)
        for (int items = 0; items <= 1000; items += 37) {
            struct seen s = { { 0 } };

            nst_par_for(threads, items, mark, &s);
            for (int i = 0; i < 1000; i++)
                ck_assert_int_eq(s.times[i], i < items);
        }
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, failure_is_a_value_and_a_sentence);
    tcase_add_test(t, long_text_is_cut);
    tcase_add_test(t, every_status_has_a_text);
    tcase_add_test(t, sizes_are_checked);
    tcase_add_test(t, memory_is_aligned_and_counted);
    tcase_add_test(t, each_item_once);
}

int main(void)
{
    return run_suite("base", add);
}
