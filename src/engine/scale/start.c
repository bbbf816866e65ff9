/* start.c: the picture that the optimisation starts from. */
#include "engine/scale/scale.h"

#include <math.h>

#define GOLDEN 0x9e3779b97f4a7c15u

static uint64_t next(nst_random *r)
{
    uint64_t z = r->state += GOLDEN;

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

/* The numbers from the nth on. */
static nst_random after(uint64_t seed, uint64_t n)
{
    return (nst_random){ seed + n * GOLDEN };
}

void nst_start(const nst_settings *s, const nst_affine *space, const nst_image *content, const nst_image *start, int y,
               int rows, float *x)
{
    const nst_image *from = s->init == NST_INIT_IMAGE && start ? start : content;
    size_t w = (size_t)content->width, all = w * (size_t)content->height, first = w * (size_t)y, n = w * (size_t)rows;
    const float *const rgb[3] = { from->plane[0] + first, from->plane[1] + first, from->plane[2] + first };
    bool normal = s->init == NST_INIT_RANDOM && s->init_sigma > 0;
    float share = s->init == NST_INIT_RANDOM ? 1 : (float)s->init_noise;

    if (!normal)
        nst_space_encode(space, rgb, n, x);
    if (!normal && share <= 0)
        return;
    for (size_t c = 0; c < 3; c++) {
        nst_random r = after(s->seed, (c * all + first) * (normal ? 2 : 1));

        for (size_t i = c * n; i < (c + 1) * n; i++) {
            float noise;

            if (normal) {
                x[i] = (float)s->init_sigma * nst_random_normal(&r);
                continue;
            }
            noise = (nst_random_uniform(&r) - space->mean[c]) / space->std[c];
            x[i] += share * (noise - x[i]);
        }
    }
}
