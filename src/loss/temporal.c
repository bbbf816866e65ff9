/* temporal.c: a weighted sum of squared differences of two pictures and its gradient: L = k a (x - t)^2,
 * dL/dx = 2 k a (x - t).  (The temporal loss of Ruder, Dosovitskiy & Brox 2016.) */
#include "loss/temporal.h"

#define BLOCK ((size_t)8192) /* pixels that are summed by themselves, so that threads change no rounding */

struct job {
    const nst_hold *hold;
    const float *x;
    float *dx;
    size_t n;
    double sum[3];
};

/* A thread a plane. */
static void planes(void *arg, int worker, int begin, int end)
{
    struct job *j = arg;

    (void)worker;
    for (int c = begin; c < end; c++) {
        size_t at = (size_t)c * j->n;
        const float *x = j->x + at, *t = j->hold->target + at, *share = j->hold->share;
        float *dx = j->dx + at, twice = (float)(2 * j->hold->scale[c]);
        double all = 0;

        for (size_t from = 0; from < j->n; from += BLOCK) {
            size_t to = from + BLOCK < j->n ? from + BLOCK : j->n;
            double sum = 0;

            for (size_t i = from; i < to; i++) {
                float d = x[i] - t[i], weighted = share[i] * d;

                sum += (double)weighted * d;
                dx[i] += twice * weighted;
            }
            all += sum;
        }
        j->sum[c] = j->hold->scale[c] * all;
    }
}

double nst_hold_loss(const nst_cpu *cpu, const nst_hold *h, const float *x, size_t n, float *dx)
{
    struct job j = { .hold = h, .x = x, .dx = dx, .n = n };

    nst_par_for(cpu->threads, 3, planes, &j);
    return j.sum[0] + j.sum[1] + j.sum[2];
}
