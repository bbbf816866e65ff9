/* threads.c: threads, in one place: a pool that sleeps.
 *
 * The caller takes shares of its own work until none is left, and so do the pool's workers that are awake; then it
 * waits for those that are still at a share, and for no others.  A worker whose core is busy with another program
 * therefore delays nobody by coming late, as it would in a team that meets at the end of each loop (OpenMP's): one
 * other busy process made two threads of libgomp 2.6 times as slow.  Who waits watches for some
 * microseconds, since most loops follow each other at once, and then sleeps. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "base/base.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#define THREADS_MAX 1024
#define WATCH 100e-6 /* seconds */

struct work {
    nst_par_fn *fn;
    void *arg;
    int items, step;
    atomic_int next;        /* the first item that nobody has taken */
    int seats;              /* workers that may still join */
    int joined;             /* workers that did: the last one's number; the caller is 0 */
    atomic_int inside;      /* workers that are at it */
    struct work *following; /* in the pool's list */
};

static struct {
    pthread_mutex_t lock; /* of all that follows */
    pthread_cond_t begun, ended;
    struct work *first;   /* works that may be joined */
    int threads, asleep;
    atomic_uint count;    /* of works begun: what a worker watches */
    pid_t process;        /* a child of fork has no workers */
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER, .begun = PTHREAD_COND_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER };

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* One turn of a watch.  Each sixteenth offers the core to others: the thread that is waited for may be among them. */
static void turn(unsigned n)
{
    if (n % 16 == 0)
        sched_yield();
}

static void take(struct work *w, int worker)
{
    for (;;) {
        int begin = atomic_fetch_add(&w->next, w->step);

        if (begin >= w->items)
            return;
        w->fn(w->arg, worker, begin, begin + w->step < w->items ? begin + w->step : w->items);
    }
}

/* A work that has a seat and items left.  The lock is held. */
static struct work *find(void)
{
    for (struct work *w = pool.first; w; w = w->following)
        if (w->seats > 0 && atomic_load(&w->next) < w->items)
            return w;
    return NULL;
}

/* Waits without the lock, first awake.  The lock is held before and after. */
static void rest(void)
{
    unsigned seen = atomic_load(&pool.count);
    double until;

    pthread_mutex_unlock(&pool.lock);
    until = now() + WATCH;
    for (unsigned i = 1; atomic_load(&pool.count) == seen && now() < until; i++)
        turn(i);
    pthread_mutex_lock(&pool.lock);
    if (atomic_load(&pool.count) != seen)
        return;
    pool.asleep++;
    pthread_cond_wait(&pool.begun, &pool.lock);
    pool.asleep--;
}

static void *worker(void *unused)
{
    pthread_mutex_lock(&pool.lock);
    for (;;) {
        struct work *w = find();
        int number;

        if (!w) {
            rest();
            continue;
        }
        w->seats--;
        number = ++w->joined;
        atomic_fetch_add(&w->inside, 1);
        pthread_mutex_unlock(&pool.lock);
        take(w, number);
        pthread_mutex_lock(&pool.lock);
        if (atomic_fetch_sub(&w->inside, 1) == 1) /* from here on w may be gone */
            pthread_cond_broadcast(&pool.ended);
    }
    return unused;
}

/* As many workers as there can be of n.  Signals are for the host's threads.  The lock is held. */
static void hire(int n)
{
    sigset_t all, old;

    if (n > THREADS_MAX)
        n = THREADS_MAX;
    if (pool.threads >= n)
        return;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    while (pool.threads < n) {
        pthread_t t;

        if (pthread_create(&t, NULL, worker, NULL))
            break;
        pthread_detach(t);
        pool.threads++;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/* In a child of fork the workers are gone, and the lock may be held by nobody. */
static void after_fork(void)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

    pool.lock = lock;
    pool.begun = pool.ended = cond;
    pool.first = NULL;
    pool.threads = pool.asleep = 0;
    pool.process = getpid();
}

static void begin(struct work *w)
{
    int wake;

    if (pool.process != getpid()) {
        if (pool.process)
            after_fork();
        pool.process = getpid();
    }
    pthread_mutex_lock(&pool.lock);
    hire(w->seats);
    w->following = pool.first;
    pool.first = w;
    atomic_fetch_add(&pool.count, 1);
    wake = pool.asleep < w->seats ? pool.asleep : w->seats;
    for (int i = 0; i < wake; i++)
        pthread_cond_signal(&pool.begun);
    pthread_mutex_unlock(&pool.lock);
}

/* Nobody joins from here on; returns when all that did are done. */
static void end(struct work *w)
{
    struct work **p = &pool.first;
    double until;

    pthread_mutex_lock(&pool.lock);
    while (*p != w)
        p = &(*p)->following;
    *p = w->following;
    pthread_mutex_unlock(&pool.lock);
    until = atomic_load(&w->inside) ? now() + WATCH : 0;
    for (unsigned i = 1; atomic_load(&w->inside) && now() < until; i++)
        turn(i);
    pthread_mutex_lock(&pool.lock);
    while (atomic_load(&w->inside))
        pthread_cond_wait(&pool.ended, &pool.lock);
    pthread_mutex_unlock(&pool.lock);
}

/* About 8 shares a thread keep the last one short. */
static int share(int threads, int items)
{
    int n = items / (threads * 8);

    return n > 1 ? n : 1;
}

void nst_par_for(int threads, int items, nst_par_fn *fn, void *arg)
{
    if (items <= 0)
        return;
    if (threads > items)
        threads = items;
    if (threads > 1) {
        struct work w = { .fn = fn, .arg = arg, .items = items, .step = share(threads, items), .seats = threads - 1 };

        begin(&w);
        take(&w, 0);
        end(&w);
        return;
    }
    fn(arg, 0, 0, items);
}

int nst_par_online(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n > 0 ? (int)n : 1;
}

#ifdef __linux__
/* The cores' worth of time that a control group's file allows; n where it sets no limit. */
static int allowed(const char *folder, int n)
{
    char path[4200];
    double quota, period;
    FILE *f;

    snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", folder);
    f = fopen(path, "r");
    if (!f)
        return n;
    if (fscanf(f, "%lf %lf", &quota, &period) == 2 && quota > 0 && period > 0 && quota / period < n)
        n = quota < period ? 1 : (int)(quota / period + .5);
    fclose(f);
    return n;
}

/* By this process's control group and those above it (version 2). */
static int control_groups(int n)
{
    char line[4096] = "", *folder = NULL;
    FILE *f = fopen("/proc/self/cgroup", "r");

    while (f && !folder && fgets(line, sizeof line, f))
        folder = strncmp(line, "0::/", 4) ? NULL : line + 3;
    if (f)
        fclose(f);
    if (folder)
        folder[strcspn(folder, "\n")] = 0;
    while (folder && strchr(folder, '/')) {
        n = allowed(folder, n);
        *strrchr(folder, '/') = 0;
    }
    return allowed("", n); /* a container's own root */
}
#endif

int nst_par_cores(void)
{
    int n = nst_par_online();
#ifdef __linux__
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        n = CPU_COUNT(&set);
    n = control_groups(n);
#endif
    return n;
}
