/* suite.h: what is the same in every test program's main. */
#ifndef NST_SUITE_H
#define NST_SUITE_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* Check writes a few bytes for each assertion that holds, to know the last one before a crash.  Tests that compare
 * pictures make millions of them. */
#define _mark_point(file, line) ((void)0)

/* Runs the tests that add() adds; the program's exit status. */
static inline int run_suite(const char *name, void (*add)(TCase *t))
{
    Suite *s = suite_create(name);
    TCase *t = tcase_create(name);
    SRunner *r;
    int failed;

    /* What is held here against memory, bytes and other kernel sets is the processor's, also where there is a card,
     * which device auto would take: OpenCL looks for drivers in a folder that is not there. */
    if (strncmp(name, "opencl", 6))
        setenv("OCL_ICD_VENDORS", "/nowhere", 1);
    tcase_set_timeout(t, 600); /* a hang, not a slow machine or a sanitizer */
    add(t);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}

#endif
