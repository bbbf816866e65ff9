/* test_base.c: what everything stands on: failures are told, sizes do not overflow, each item is done once. */
#include "base/base.h"
#include "../support/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static void put_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

/* The lowest limit of the group and of all above it holds, in both versions; a path that is the host's ends at the
 * root. */
START_TEST(control_groups)
{
    static const struct { const char *groups; double room; } kinds[] = {
        { "0::/a/b\n", 300 },                                /* a: 1000 - 700; b has none */
        { "0::/a\n", 300 },
        { "0::/\n", 5000 },                                  /* the root says max */
        { "0::/of/the/host\n", 5000 },
        { "5:cpu,cpuacct:/a\n4:hugetlb,memory:/c/d\n1:name=systemd:/a\n0::/\n", 150 }, /* d: 200 - 50; c: 4000 - 60 */
        { "4:memory:/c\n", 3940 },
        { "4:memory:/\n", 5000 },                            /* v1's huge number */
        { "", 5000 },
    };
    static const struct { const char *groups; int cores; } cores[] = {
        { "0::/\n", 8 },                     /* the root says max */
        { "0::/a\n", 4 },                    /* a: 350000 of 100000 */
        { "0::/a/b\n", 1 },                  /* b: a fifth of one */
        { "0::/of/the/host\n", 8 },
        { "5:cpu,cpuacct:/c/d\n0::/\n", 2 }, /* c: two; d has no limit */
        { "5:cpuset:/c\n", 8 },
    };
    char folder[] = "/tmp/nst-groups-XXXXXX", before[4096];

    ck_assert_ptr_nonnull(getcwd(before, sizeof before));
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(system("mkdir -p m/a/b m/memory/c/d m/cpu/c/d"), 0);
    put_text("m/memory.max", "max\n");
    put_text("m/memory.stat", "anon 10\n");
    put_text("m/a/memory.max", "1000\n");
    put_text("m/a/memory.stat", "file 9999\nanon 700\n");
    put_text("m/a/b/memory.max", "max\n");
    put_text("m/a/b/memory.stat", "anon 600\n");
    put_text("m/memory/memory.limit_in_bytes", "9223372036854771712\n");
    put_text("m/memory/memory.stat", "total_rss 80\n");
    put_text("m/memory/c/memory.limit_in_bytes", "4000\n");
    put_text("m/memory/c/memory.stat", "rss 1\ntotal_rss 60\n");
    put_text("m/memory/c/d/memory.limit_in_bytes", "200\n");
    put_text("m/memory/c/d/memory.stat", "rss 1\ntotal_rss 50\n");
    put_text("m/cpu.max", "max 100000\n");
    put_text("m/a/cpu.max", "350000 100000\n");
    put_text("m/a/b/cpu.max", "20000 100000\n");
    put_text("m/cpu/c/cpu.cfs_quota_us", "200000\n");
    put_text("m/cpu/c/cpu.cfs_period_us", "100000\n");
    put_text("m/cpu/c/d/cpu.cfs_quota_us", "-1\n");
    put_text("m/cpu/c/d/cpu.cfs_period_us", "100000\n");
    for (size_t i = 0; i < NST_COUNT(kinds); i++) {
        put_text("groups", kinds[i].groups);
        ck_assert_msg(nst_cgroup_room("groups", "m", 5000) == kinds[i].room, "%s: %g, expected %g", kinds[i].groups,
                      nst_cgroup_room("groups", "m", 5000), kinds[i].room);
    }
    ck_assert(nst_cgroup_room("none", "m", 7) == 7);
    for (size_t i = 0; i < NST_COUNT(cores); i++) {
        put_text("groups", cores[i].groups);
        ck_assert_int_eq(nst_cgroup_cores("groups", "m", 8), cores[i].cores);
    }
    ck_assert_int_eq(chdir(before), 0);
    snprintf(before, sizeof before, "rm -r %s", folder);
    ck_assert_int_eq(system(before), 0);
}
END_TEST

/* The ends count, what is not a number is the least. */
START_TEST(numbers_are_clamped)
{
    static const struct {
        int n, want;
    } whole[] = { { -9, -2 }, { -2, -2 }, { 0, 0 }, { 3, 3 }, { 4, 3 } };

    for (size_t i = 0; i < NST_COUNT(whole); i++) {
        ck_assert_int_eq(nst_clamp_int(whole[i].n, -2, 3), whole[i].want);
        ck_assert_uint_eq(nst_clamp_size((size_t)whole[i].n + 10, 8, 13), (size_t)whole[i].want + 10);
        ck_assert_float_eq(nst_clamp((float)whole[i].n, -2, 3), (float)whole[i].want);
        ck_assert_double_eq(nst_clamp_double(whole[i].n, -2, 3), whole[i].want);
    }
    ck_assert_float_eq(nst_clamp(NAN, -2, 3), -2);
    ck_assert_double_eq(nst_clamp_double(NAN, -2, 3), -2);
    ck_assert_double_eq(nst_clamp_double(INFINITY, -2, 3), 3);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, failure_is_a_value_and_a_sentence);
    tcase_add_test(t, long_text_is_cut);
    tcase_add_test(t, every_status_has_a_text);
    tcase_add_test(t, sizes_are_checked);
    tcase_add_test(t, memory_is_aligned_and_counted);
    tcase_add_test(t, control_groups);
    tcase_add_test(t, numbers_are_clamped);
}

int main(void)
{
    return run_suite("base", add);
}
