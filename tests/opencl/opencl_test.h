/* opencl.h: what the tests of the OpenCL device share. */
#ifndef NST_TESTS_OPENCL_H
#define NST_TESTS_OPENCL_H

#include <check.h>
#include <stdio.h>

#include "../../opencl/opencl.h"

static inline void no_faults(void)
{
    nst_opencl_fault = (nst_opencl_faults){ 0 };
}

static inline void check_ok(nst_status s, const nst_error *e)
{
    ck_assert_msg(s == NST_OK, "%s", e->text);
}

/* Test cases after which no fault is left. */
static inline TCase *opencl_case(Suite *s, const char *name, void (*before)(void), void (*after)(void))
{
    TCase *t = tcase_create(name);

    tcase_add_checked_fixture(t, no_faults, no_faults);
    if (before)
        tcase_add_checked_fixture(t, before, after);
    suite_add_tcase(s, t);
    return t;
}

/* On the first device; 77 where there is none.  Without forks: a driver's threads do not survive one. */
static inline int run_opencl(const char *name, void (*add)(Suite *s))
{
    nst_device_info info;
    SRunner *r;
    int failed;

    if (!nst_opencl_at(0, &info)) {
        printf("skipped: OpenCL reaches no device here (Debian: pocl-opencl-icd makes the processor one)\n");
        return 77;
    }
    printf("%s: %s, %s\n", info.device, info.name, info.driver);

    Suite *s = suite_create(name);

    add(s);
    r = srunner_create(s);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}

#endif
