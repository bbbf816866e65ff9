/* threads.c: threads, in one place: a pool whose threads sleep when there is nothing to do.
 *
 * A loop's items are taken in shares.  The caller takes shares until none is left, and so do the workers that are
 * awake; then the caller waits for the workers that are still at a share, and for no others.  So a worker that comes
 * late, because another program has its core, delays nobody.  Each thread begins with a region of its own, and goes on
 * with what is left of the others': the same part of a picture in loop after loop, which its core's cache still has.
 * OpenMP's teams meet at the end of each loop: one other busy process made two threads of libgomp 2.6 times as slow.  A
 * thread that waits spins for a while, since most loops follow each other at once, and then sleeps. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "base/base.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#define WORKERS_MAX 1024
#define REGIONS_MAX 32
#define STACK (1 << 20) /* bytes: else as many as the process has for its first thread, which may be few */
#define SPIN 500e-6 /* seconds: with 100e-6, a default run on two idle cores took 5 % longer */

/* Consecutive items.  Two counters in one cache line would go back and forth between cores. */
struct region {
    _Alignas(64) atomic_int next; /* the first item that nobody has taken */
    int end;
};

struct loop {
    nst_par_fn *fn;
    void *arg;
    int share;           /* items */
    int regions;         /* one for each thread, as far as there are REGIONS_MAX */
    struct region region[REGIONS_MAX];
    int wanted;          /* workers that may still join */
    int joined;          /* workers that did: the last one's number; the caller is 0 */
    atomic_int active;   /* workers that are at a share */
    struct loop *other;  /* in the pool's list */
};

static struct {
    pthread_mutex_t lock; /* of all that follows */
    pthread_cond_t begun, ended;
    struct loop *first;   /* loops that may be joined */
    int workers, asleep;
    atomic_uint count;    /* of loops begun: what a worker that spins looks at */
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER, .begun = PTHREAD_COND_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER };

/* Turn n of a spin.  Each sixteenth offers the core to others: the thread that is waited for may be among them. */
static void spin(unsigned n)
{
    if (n % 16 == 0)
        sched_yield();
}

static void run_shares(struct loop *l, int worker)
{
    for (int i = 0; i < l->regions; i++) {
        struct region *r = &l->region[(worker + i) % l->regions];

        while (atomic_load(&r->next) < r->end) {
            int begin = atomic_fetch_add(&r->next, l->share), end = begin + l->share;

            if (begin < r->end)
                l->fn(l->arg, worker, begin, end < r->end ? end : r->end);
        }
    }
}

static bool has_items(const struct loop *l)
{
    for (int i = 0; i < l->regions; i++)
        if (atomic_load(&l->region[i].next) < l->region[i].end)
            return true;
    return false;
}

/* A loop that wants a worker and has items left.  The lock is held. */
static struct loop *find(void)
{
    for (struct loop *l = pool.first; l; l = l->other)
        if (l->wanted > 0 && has_items(l))
            return l;
    return NULL;
}

/* Waits for a loop to begin, without the lock.  The lock is held before and after. */
static void wait_for_loop(void)
{
    unsigned seen = atomic_load(&pool.count);
    double until;

    pthread_mutex_unlock(&pool.lock);
    until = nst_now() + SPIN;
    for (unsigned i = 1; atomic_load(&pool.count) == seen && nst_now() < until; i++)
        spin(i);
    pthread_mutex_lock(&pool.lock);
    if (atomic_load(&pool.count) != seen)
        return;
    pool.asleep++;
    pthread_cond_wait(&pool.begun, &pool.lock);
    pool.asleep--;
}

static void *work(void *unused)
{
    pthread_mutex_lock(&pool.lock);
    for (;;) {
        struct loop *l = find();
        int number;

        if (!l) {
            wait_for_loop();
            continue;
        }
        l->wanted--;
        number = ++l->joined;
        atomic_fetch_add(&l->active, 1);
        pthread_mutex_unlock(&pool.lock);
        run_shares(l, number);
        pthread_mutex_lock(&pool.lock);
        if (atomic_fetch_sub(&l->active, 1) == 1) /* from here on the loop may be gone */
            pthread_cond_broadcast(&pool.ended);
    }
    return unused;
}

/* As many of n workers as can be started.  Signals are for the host's threads.  The lock is held. */
static void start_workers(int n)
{
    sigset_t all, old;
    pthread_attr_t attributes;

    if (n > WORKERS_MAX)
        n = WORKERS_MAX;
    if (pool.workers >= n || pthread_attr_init(&attributes))
        return;
    pthread_attr_setstacksize(&attributes, STACK);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    while (pool.workers < n) {
        pthread_t t;

        if (pthread_create(&t, &attributes, work, NULL))
            break;
        pthread_detach(t);
        pool.workers++;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attributes);
}

/* In a child of fork the workers are gone, and the lock may be held by nobody. */
static void renew_pool(void)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

    pool.lock = lock;
    pool.begun = pool.ended = cond;
    pool.first = NULL;
    pool.workers = pool.asleep = 0;
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, renew_pool);
}

static void begin(struct loop *l)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int wake;

    pthread_once(&once, watch_forks);
    pthread_mutex_lock(&pool.lock);
    start_workers(l->wanted);
    l->other = pool.first;
    pool.first = l;
    atomic_fetch_add(&pool.count, 1);
    wake = pool.asleep < l->wanted ? pool.asleep : l->wanted;
    for (int i = 0; i < wake; i++)
        pthread_cond_signal(&pool.begun);
    pthread_mutex_unlock(&pool.lock);
}

/* Nobody joins from here on; returns when all that did are done. */
static void end(struct loop *l)
{
    struct loop **p = &pool.first;
    double until;

    pthread_mutex_lock(&pool.lock);
    while (*p != l)
        p = &(*p)->other;
    *p = l->other;
    pthread_mutex_unlock(&pool.lock);
    until = atomic_load(&l->active) ? nst_now() + SPIN : 0;
    for (unsigned i = 1; atomic_load(&l->active) && nst_now() < until; i++)
        spin(i);
    pthread_mutex_lock(&pool.lock);
    while (atomic_load(&l->active))
        pthread_cond_wait(&pool.ended, &pool.lock);
    pthread_mutex_unlock(&pool.lock);
}

/* About 8 shares a thread keep the last one short. */
static int share_of(int threads, int items)
{
    int n = items / (threads * 8);

    return n > 1 ? n : 1;
}

static void divide(struct loop *l, int threads, int items)
{
    l->share = share_of(threads, items);
    l->regions = threads < REGIONS_MAX ? threads : REGIONS_MAX;
    for (int i = 0; i < l->regions; i++) {
        atomic_init(&l->region[i].next, (int)((long long)items * i / l->regions));
        l->region[i].end = (int)((long long)items * (i + 1) / l->regions);
    }
}

void nst_par_for(int threads, int items, nst_par_fn *fn, void *arg)
{
    if (items <= 0)
        return;
    if (threads > items)
        threads = items;
    if (threads > 1) {
        struct loop l;

        l.fn = fn;
        l.arg = arg;
        l.wanted = threads - 1;
        l.joined = 0;
        atomic_init(&l.active, 0);
        divide(&l, threads, items);
        begin(&l);
        run_shares(&l, 0);
        end(&l);
        return;
    }
    fn(arg, 0, 0, items);
}

int nst_par_online(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n > 0 ? (int)n : 1;
}

int nst_par_cores(void)
{
    int n = nst_par_online();
#ifdef __linux__
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        n = CPU_COUNT(&set);
#endif
    return nst_cgroup_cores("/proc/self/cgroup", "/sys/fs/cgroup", n);
}
