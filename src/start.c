/* start.c: the picture that the optimisation starts from. */
#include "transfer.h"

#include <math.h>

static uint64_t next(nst_random *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

float nst_random_uniform(nst_random *r)
{
    return (float)(next(r) >> 40) * 0x1p-24f;
}

float nst_random_normal(nst_random *r)
{
    double u = ((double)(next(r) >> 40) + 1) * 0x1p-24, v = (double)(next(r) >> 40) * 0x1p-24;

    return (float)(sqrt(-2 * log(u)) * cos(6.283185307179586 * v));
}

void nst_start(const nst_settings *s, const nst_affine *space, const nst_image *content, const nst_image *start,
               float *x)
{
    const nst_image *from = s->init == NST_INIT_IMAGE && start ? start : content;
    const float *const rgb[3] = { from->plane[0], from->plane[1], from->plane[2] };
    size_t n = (size_t)content->width * (size_t)content->height;
    float share = s->init == NST_INIT_RANDOM ? 1 : (float)s->init_noise;
    nst_random r = { s->seed };

    if (s->init == NST_INIT_RANDOM && s->init_sigma > 0) {
        for (size_t i = 0; i < 3 * n; i++)
            x[i] = (float)s->init_sigma * nst_random_normal(&r);
        return;
    }
    nst_space_encode(space, rgb, n, x);
    if (share <= 0)
        return;
    for (size_t c = 0; c < 3; c++)
        for (size_t i = c * n; i < (c + 1) * n; i++) {
            float noise = (nst_random_uniform(&r) - space->mean[c]) / space->std[c];

            x[i] += share * (noise - x[i]);
        }
}
