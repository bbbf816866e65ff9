/* threads.c: threads, in one place.  Without OpenMP everything runs in the caller's thread. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "base/base.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#endif
#ifdef _OPENMP
#include <omp.h>
#endif

/* Shares are handed out as threads become free: on a laptop one core is often slower or busy with something
 * else, and a fixed half each would wait for it.  About 8 shares a thread keep the last one short. */
static int share(int threads, int items)
{
    int n = items / (threads * 8);

    return n > 1 ? n : 1;
}

#ifdef _OPENMP
/* A process that was forked after a parallel region has none of the threads that libgomp waits for: it works alone. */
static atomic_bool alone;

static void be_alone(void)
{
    atomic_store(&alone, true);
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, be_alone);
}

/* Whether there may be a parallel region. */
static bool may_part(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, watch_forks);
    return !atomic_load(&alone);
}
#endif

void nst_par_for(int threads, int items, nst_par_fn *fn, void *arg)
{
    if (items <= 0)
        return;
    if (threads > items)
        threads = items;
#ifdef _OPENMP
    if (threads > 1 && may_part()) {
        atomic_int next = 0;
        int step = share(threads, items);

#pragma omp parallel num_threads(threads)
        {
            int worker = omp_get_thread_num();
            int begin;

            while ((begin = atomic_fetch_add(&next, step)) < items)
                fn(arg, worker, begin, begin + step < items ? begin + step : items);
        }
        return;
    }
#else
    (void)share;
#endif
    fn(arg, 0, 0, items);
}

int nst_par_online(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n > 0 ? (int)n : 1;
}

int nst_par_cores(void)
{
#ifdef __linux__
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return CPU_COUNT(&set);
#endif
    return nst_par_online();
}
