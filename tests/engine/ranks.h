/* ranks.h: ranks as threads of one process, and their communicator, which can be cut off. */
#ifndef NST_TESTS_RANKS_H
#define NST_TESTS_RANKS_H

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "engine/run.h"
#include "../support/suite.h"

#define RANKS 16

struct mail {
    void *data;
    size_t bytes;
    struct mail *next;
};

static struct {
    pthread_barrier_t barrier;
    pthread_mutex_t lock;
    pthread_cond_t news;
    double *v[RANKS];
    void *data;
    struct mail *box[RANKS][RANKS]; /* from, to */
    int ranks, broken;              /* broken: the rank whose sums fail, or -1 */
    int calls;
} net;

/* The same order of adding on each. */
static inline int sum(void *arg, double *v, size_t n)
{
    int rank = *(int *)arg;
    double *all = malloc((n + 1) * sizeof *all);

    net.v[rank] = v;
    pthread_barrier_wait(&net.barrier);
    for (size_t i = 0; i < n; i++) {
        all[i] = 0;
        for (int k = 0; k < net.ranks; k++)
            all[i] += net.v[k][i];
    }
    pthread_barrier_wait(&net.barrier);
    memcpy(v, all, n * sizeof *v);
    free(all);
    return net.broken >= 0;
}

static inline int broadcast(void *arg, void *data, size_t bytes, int root)
{
    if (*(int *)arg == root)
        net.data = data;
    pthread_barrier_wait(&net.barrier);
    if (*(int *)arg != root)
        memcpy(data, net.data, bytes);
    pthread_barrier_wait(&net.barrier);
    return 0;
}

static inline int exchange(void *arg, const nst_message *m, int n)
{
    int rank = *(int *)arg;

    pthread_mutex_lock(&net.lock);
    for (int i = 0; i < n; i++)
        if (m[i].send) {
            struct mail **end = &net.box[rank][m[i].peer], *one = malloc(sizeof *one);

            ck_assert(m[i].peer != rank && !m[i].receive);
            *one = (struct mail){ malloc(m[i].bytes), m[i].bytes, NULL };
            memcpy(one->data, m[i].send, m[i].bytes);
            while (*end)
                end = &(*end)->next;
            *end = one;
        }
    pthread_cond_broadcast(&net.news);
    for (int i = 0; i < n; i++)
        if (m[i].receive) {
            struct mail **box = &net.box[m[i].peer][rank], *one;

            while (!*box)
                pthread_cond_wait(&net.news, &net.lock);
            one = *box;
            *box = one->next;
            ck_assert(one->bytes == m[i].bytes);
            memcpy(m[i].receive, one->data, one->bytes);
            free(one->data);
            free(one);
        }
    pthread_mutex_unlock(&net.lock);
    return 0;
}

struct rank {
    pthread_t thread;
    int rank;
    nst_comm comm;
    void (*run)(struct rank *k);
    /* what it is given */
    const nst_settings *s;
    const nst_model *m;
    const nst_image *content, *const *styles;
    int n_styles;
    /* and what comes of it */
    nst_status status;
    nst_error error;
    nst_progress p;
    float *dx;     /* evaluate: [3][h][w], of rows own only */
    nst_row_range strip;
    int h, windows;
    nst_image *out;
    int stop_at, images;
};

static inline void *begin(void *arg)
{
    struct rank *k = arg;

    k->run(k);
    return NULL;
}

static inline void together(struct rank *k, int ranks)
{
    net.ranks = ranks;
    pthread_barrier_init(&net.barrier, NULL, (unsigned)ranks);
    pthread_mutex_init(&net.lock, NULL);
    pthread_cond_init(&net.news, NULL);
    for (int i = 0; i < ranks; i++) {
        if (i)
            k[i] = k[0];
        k[i].rank = i;
    }
    for (int i = 0; i < ranks; i++) {
        k[i].comm = (nst_comm){ i, ranks, 0, &k[i].rank, sum, exchange, broadcast };
        ck_assert(!pthread_create(&k[i].thread, NULL, begin, &k[i]));
    }
    for (int i = 0; i < ranks; i++)
        pthread_join(k[i].thread, NULL);
    pthread_barrier_destroy(&net.barrier);
    pthread_mutex_destroy(&net.lock);
    pthread_cond_destroy(&net.news);
}

#endif
