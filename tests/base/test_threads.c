/* test_threads.c: nst_par_for does each item once, whoever else is at work, and waits for nobody without need. */
#include "base/base.h"
#include "../support/suite.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ITEMS = 1000, THREADS = 8 };

struct counts {
    atomic_int done[ITEMS];
    atomic_int at_work[THREADS]; /* callers of a worker's number at the same time */
    int threads;
    atomic_int faults;
};

static void count(void *arg, int worker, int begin, int end)
{
    struct counts *c = arg;

    if (worker < 0 || worker >= c->threads || atomic_fetch_add(&c->at_work[worker], 1) != 0)
        atomic_fetch_add(&c->faults, 1);
    for (int i = begin; i < end; i++)
        atomic_fetch_add(&c->done[i], 1);
    if (worker >= 0 && worker < THREADS)
        atomic_fetch_sub(&c->at_work[worker], 1);
}

/* Faults of one loop: items that were not done once, two threads of one number. */
static int faults(int threads, int items)
{
    struct counts c = { .threads = threads };
    int n;

    nst_par_for(threads, items, count, &c);
    n = atomic_load(&c.faults);
    for (int i = 0; i < ITEMS; i++)
        n += atomic_load(&c.done[i]) != (i < items);
    return n;
}

START_TEST(each_item_once)
{
    const int items[] = { 0, 1, 2, 7, 63, ITEMS };

    for (int turn = 0; turn < 200; turn++)
        for (int threads = 1; threads <= THREADS; threads++)
            for (int i = 0; i < (int)NST_COUNT(items); i++)
                ck_assert_int_eq(faults(threads, items[i]), 0);
}
END_TEST

static void inner(void *arg, int worker, int begin, int end)
{
    (void)worker;
    for (int i = begin; i < end; i++)
        atomic_fetch_add((atomic_int *)arg, faults(3, ITEMS));
}

START_TEST(loops_in_loops)
{
    atomic_int n = 0;

    nst_par_for(4, 50, inner, &n);
    ck_assert_int_eq(atomic_load(&n), 0);
}
END_TEST

static void *host(void *n)
{
    for (int turn = 0; turn < 300; turn++)
        atomic_fetch_add((atomic_int *)n, faults(1 + turn % THREADS, ITEMS));
    return NULL;
}

START_TEST(several_hosts)
{
    pthread_t t[4];
    atomic_int n = 0;

    for (int i = 0; i < (int)NST_COUNT(t); i++)
        ck_assert_int_eq(pthread_create(&t[i], NULL, host, &n), 0);
    for (int i = 0; i < (int)NST_COUNT(t); i++)
        pthread_join(t[i], NULL);
    ck_assert_int_eq(atomic_load(&n), 0);
}
END_TEST

static void wait_a_little(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

struct gate {
    atomic_int waiting;
    atomic_bool open;
};

static void wait_at_gate(void *arg, int worker, int begin, int end)
{
    struct gate *g = arg;

    (void)worker, (void)begin, (void)end;
    atomic_fetch_add(&g->waiting, 1);
    while (!atomic_load(&g->open))
        wait_a_little();
}

static void *hold_workers(void *gate)
{
    nst_par_for(THREADS, THREADS, wait_at_gate, gate);
    return NULL;
}

/* All workers are held by somebody else's loop, as by a busy core: the caller does all of its own. */
START_TEST(no_worker_is_waited_for)
{
    struct gate g = { 0, false };
    pthread_t t;

    ck_assert_int_eq(pthread_create(&t, NULL, hold_workers, &g), 0);
    while (atomic_load(&g.waiting) < THREADS)
        wait_a_little();
    ck_assert_int_eq(faults(THREADS, ITEMS), 0);
    ck_assert(!atomic_load(&g.open));
    atomic_store(&g.open, true);
    pthread_join(t, NULL);
}
END_TEST

/* Each of two items waits for the other: 0 when both came within ten seconds, and so two threads are at work. */
static void meet(void *arg, int worker, int begin, int end)
{
    struct gate *g = arg;

    (void)worker, (void)begin, (void)end;
    atomic_fetch_add(&g->waiting, 1);
    for (int i = 0; i < 10000 && atomic_load(&g->waiting) < 2; i++)
        wait_a_little();
}

static int childs_faults(void)
{
    struct gate g = { 0, false };
    double began = (double)time(NULL);

    nst_par_for(2, 2, meet, &g);
    return (double)time(NULL) - began > 8 ? 1 : faults(THREADS, ITEMS);
}

struct hosting {
    atomic_int here, faults;
    atomic_bool begun, enough;
};

static void all_meet(void *arg, int worker, int begin, int end)
{
    struct hosting *h = arg;

    (void)worker, (void)begin, (void)end;
    atomic_fetch_add(&h->here, 1);
    while (atomic_load(&h->here) < THREADS)
        wait_a_little();
}

static void *host_on(void *arg)
{
    struct hosting *h = arg;

    nst_par_for(THREADS, THREADS, all_meet, h);
    atomic_store(&h->begun, true);
    for (int turn = 0; !atomic_load(&h->enough); turn++)
        atomic_fetch_add(&h->faults, faults(1 + turn % THREADS, ITEMS));
    return NULL;
}

/* Forks while loops run in other threads: a child has none of the workers, and the lock may be anybody's.  No thread
 * begins or ends meanwhile: one that does holds a lock of AddressSanitizer's, which GCC 12's leaves locked in the
 * child. */
START_TEST(children_of_fork)
{
    pthread_t t;
    struct hosting h = { .faults = 0 };

    ck_assert_int_eq(pthread_create(&t, NULL, host_on, &h), 0);
    while (!atomic_load(&h.begun))
        wait_a_little();
    for (int i = 0; i < 20; i++) {
        int status;
        pid_t child = fork();

        ck_assert_int_ge(child, 0);
        if (!child) {
            alarm(20);
            _exit(childs_faults() != 0);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child's status is %d", status);
    }
    atomic_store(&h.enough, true);
    pthread_join(t, NULL);
    ck_assert_int_eq(atomic_load(&h.faults), 0);
}
END_TEST

static pthread_t tests_thread;
static atomic_int elsewhere, seen;

static void note(int number)
{
    (void)number;
    atomic_fetch_add(&seen, 1);
    if (!pthread_equal(pthread_self(), tests_thread))
        atomic_fetch_add(&elsewhere, 1);
}

/* A signal that the host blocks stays with the host: no worker takes it. */
START_TEST(signals_are_for_the_host)
{
    struct sigaction a = { .sa_handler = note };
    sigset_t one;

    tests_thread = pthread_self();
    ck_assert_int_eq(faults(THREADS, ITEMS), 0);
    sigaction(SIGUSR1, &a, NULL);
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &one, NULL);
    for (int turn = 0; turn < 200; turn++) {
        kill(getpid(), SIGUSR1);
        ck_assert_int_eq(faults(THREADS, ITEMS), 0);
    }
    pthread_sigmask(SIG_UNBLOCK, &one, NULL);
    ck_assert_int_eq(atomic_load(&seen), 1);
    ck_assert_int_eq(atomic_load(&elsewhere), 0);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, each_item_once);
    tcase_add_test(t, loops_in_loops);
    tcase_add_test(t, several_hosts);
    tcase_add_test(t, no_worker_is_waited_for);
    tcase_add_test(t, children_of_fork);
    tcase_add_test(t, signals_are_for_the_host);
}

int main(void)
{
    return run_suite("threads", add);
}
