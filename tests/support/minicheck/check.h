/* check.h: as much of Check's interface as the arithmetic's tests use, in one header without a library, so that
 * cross-aarch64.sh can build them where there is no Check for the other machine.  Every failure ends the program. */
#ifndef NST_MINICHECK_H
#define NST_MINICHECK_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void mini_fn(int _i);
typedef struct mini_test {
    const char *name;
    mini_fn *run;
    int begin, end;
} mini_test;
typedef struct TCase {
    mini_test test[64];
    int n;
} TCase;
typedef struct Suite {
    TCase *tcase[16];
    int n;
} Suite;
typedef Suite SRunner;

#define START_TEST(name)          \
    static void name##_run(int);  \
    static const mini_test name = { #name, name##_run, 0, 1 }; \
    static void name##_run(int _i) \
    {                             \
        (void)_i;
#define END_TEST }

static inline void mini_fail(const char *file, int line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(EXIT_FAILURE);
}

#define ck_assert_msg(what, ...) ((what) ? (void)0 : mini_fail(__FILE__, __LINE__, __VA_ARGS__))
#define ck_abort_msg(...) mini_fail(__FILE__, __LINE__, __VA_ARGS__)
#define ck_assert(what) ck_assert_msg(what, "%s", #what)
#define ck_assert_int_eq(a, b) ck_assert_msg((a) == (b), "%s == %s", #a, #b)
#define ck_assert_uint_eq(a, b) ck_assert_msg((a) == (b), "%s == %s", #a, #b)
#define ck_assert_ptr_eq(a, b) ck_assert_msg((a) == (b), "%s == %s", #a, #b)
#define ck_assert_ptr_null(a) ck_assert_msg((a) == NULL, "%s is NULL", #a)
#define ck_assert_ptr_nonnull(a) ck_assert_msg((a) != NULL, "%s is not NULL", #a)
#define ck_assert_str_eq(a, b) ck_assert_msg(strcmp(a, b) == 0, "%s is %s", #a, #b)

static inline TCase *tcase_create(const char *name)
{
    (void)name;
    return calloc(1, sizeof(TCase));
}

static inline Suite *suite_create(const char *name)
{
    (void)name;
    return calloc(1, sizeof(Suite));
}

static inline void mini_add(TCase *t, mini_test test, int begin, int end)
{
    test.begin = begin, test.end = end;
    t->test[t->n++] = test;
}

#define tcase_set_timeout(t, seconds) ((void)(t), (void)(seconds))
#define tcase_add_test(t, test) mini_add(t, test, 0, 1)
#define tcase_add_loop_test(t, test, begin, end) mini_add(t, test, begin, end)
#define suite_add_tcase(s, t) ((s)->tcase[(s)->n++] = (t))
#define srunner_create(s) (s)
#define CK_NORMAL 0
#define CK_ENV 0

static inline void srunner_run_all(SRunner *r, int mode)
{
    (void)mode;
    for (int i = 0; i < r->n; i++)
        for (int j = 0; j < r->tcase[i]->n; j++)
            for (int k = r->tcase[i]->test[j].begin; k < r->tcase[i]->test[j].end; k++) {
                printf("%s %d\n", r->tcase[i]->test[j].name, k);
                fflush(stdout);
                r->tcase[i]->test[j].run(k);
            }
}

static inline int srunner_ntests_failed(SRunner *r)
{
    (void)r;
    return 0; /* a failure does not come this far */
}

static inline void srunner_free(SRunner *r)
{
    for (int i = 0; i < r->n; i++)
        free(r->tcase[i]);
    free(r);
}

#endif
