/* vector.c: sums and updates over flat arrays, cut into blocks for threads. */
#include "ops/vector.h"

/* How an array is cut depends on its length alone, and the blocks' sums are added in their order: the same
 * bits for any number of threads.  64 blocks keep a dozen threads evenly busy and their sums on the stack;
 * below 16384 floats (64 KiB, a few microseconds) waking a thread costs more than it does. */
enum { BLOCKS = 64, SHORTEST = 16384 };

struct job {
    const nst_kernels *k;
    size_t n, length;
    const float *x, *g;
    float *y, *m, *v;
    float a;
    const nst_adam_args *adam;
    nst_dot_fn *pair;
    nst_abs_fn *one;
    double sum[BLOCKS];
};

/* Sets the length of a block, a multiple of a cache line, and returns how many there are. */
static int cut(struct job *j)
{
    size_t length = j->n / BLOCKS + (j->n % BLOCKS != 0);

    length = (length + NST_LANES - 1) / NST_LANES * NST_LANES;
    j->length = length > SHORTEST ? length : SHORTEST;
    return (int)(j->n / j->length + (j->n % j->length != 0));
}

static size_t length_of(const struct job *j, int i)
{
    size_t left = j->n - (size_t)i * j->length;

    return left < j->length ? left : j->length;
}

static double total(const nst_cpu *cpu, struct job *j, nst_par_fn *fn)
{
    int blocks = cut(j);
    double sum = 0;

    nst_par_for(cpu->threads, blocks, fn, j);
    for (int i = 0; i < blocks; i++)
        sum += j->sum[i];
    return sum;
}

static void pair_sums(void *arg, int worker, int begin, int end)
{
    struct job *j = arg;

    (void)worker;
    for (int i = begin; i < end; i++) {
        size_t at = (size_t)i * j->length;

        j->sum[i] = j->pair(length_of(j, i), j->x + at, j->g + at);
    }
}

static void one_sums(void *arg, int worker, int begin, int end)
{
    struct job *j = arg;

    (void)worker;
    for (int i = begin; i < end; i++)
        j->sum[i] = j->one(length_of(j, i), j->x + (size_t)i * j->length);
}

static void axpy_blocks(void *arg, int worker, int begin, int end)
{
    struct job *j = arg;

    (void)worker;
    for (int i = begin; i < end; i++) {
        size_t at = (size_t)i * j->length;

        j->k->axpy(length_of(j, i), j->a, j->x + at, j->y + at);
    }
}

static void adam_blocks(void *arg, int worker, int begin, int end)
{
    struct job *j = arg;

    (void)worker;
    for (int i = begin; i < end; i++) {
        size_t at = (size_t)i * j->length;

        j->k->adam(length_of(j, i), j->adam, j->g + at, j->m + at, j->v + at, j->y + at);
    }
}

double nst_vec_dot(const nst_cpu *cpu, size_t n, const float *x, const float *y)
{
    struct job j = { .n = n, .x = x, .g = y, .pair = cpu->k->dot };

    return total(cpu, &j, pair_sums);
}

double nst_vec_distance(const nst_cpu *cpu, size_t n, const float *x, const float *y)
{
    struct job j = { .n = n, .x = x, .g = y, .pair = cpu->k->distance };

    return total(cpu, &j, pair_sums);
}

double nst_vec_abs(const nst_cpu *cpu, size_t n, const float *x)
{
    struct job j = { .n = n, .x = x, .one = cpu->k->abs_sum };

    return total(cpu, &j, one_sums);
}

void nst_vec_axpy(const nst_cpu *cpu, size_t n, float a, const float *x, float *y)
{
    struct job j = { .k = cpu->k, .n = n, .x = x, .y = y, .a = a };

    nst_par_for(cpu->threads, cut(&j), axpy_blocks, &j);
}

void nst_vec_adam(const nst_cpu *cpu, size_t n, const nst_adam_args *a, const float *g, float *m, float *v, float *x)
{
    struct job j = { .k = cpu->k, .n = n, .g = g, .y = x, .m = m, .v = v, .adam = a };

    nst_par_for(cpu->threads, cut(&j), adam_blocks, &j);
}
