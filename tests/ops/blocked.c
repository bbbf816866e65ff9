/* blocked.c: features in the CPU's layout, made from planar maps and compared with them. */
#include "blocked.h"

#include <check.h>
#include <math.h>
#include <string.h>

size_t blocked_floats(int c, int h, int w)
{
    return (size_t)nst_blocks(c) * (size_t)h * (size_t)w * NST_LANES;
}

static size_t place(int h, int w, int c, int y, int x)
{
    return (((size_t)(c / NST_LANES) * (size_t)h + (size_t)y) * (size_t)w + (size_t)x) * NST_LANES +
           (size_t)(c % NST_LANES);
}

float blocked_at(const float *f, int h, int w, int c, int y, int x)
{
    return f[place(h, w, c, y, x)];
}

float *blocked_from(const oracle_map *m)
{
    float *f = oracle_alloc(blocked_floats(m->c, m->h, m->w));

    memset(f, 0, blocked_floats(m->c, m->h, m->w) * sizeof *f);
    for (int c = 0; c < m->c; c++)
        for (int y = 0; y < m->h; y++)
            for (int x = 0; x < m->w; x++)
                f[place(m->h, m->w, c, y, x)] = (float)*oracle_at(m, c, y, x);
    return f;
}

oracle_map blocked_random(int c, int h, int w, bool rectified)
{
    oracle_map m = oracle_map_create(c, h, w);

    for (size_t i = 0; i < (size_t)c * (size_t)h * (size_t)w; i++)
        m.v[i] = (double)oracle_random();
    if (rectified)
        oracle_relu(&m);
    return m;
}

void blocked_is(const char *what, const float *f, const oracle_map *m, double tolerance)
{
    for (int c = 0; c < nst_blocks(m->c) * NST_LANES; c++)
        for (int y = 0; y < m->h; y++)
            for (int x = 0; x < m->w; x++) {
                double right = c < m->c ? *oracle_at(m, c, y, x) : 0;
                double got = (double)blocked_at(f, m->h, m->w, c, y, x);

                if (!(fabs(got - right) <= (c < m->c ? tolerance : 0))) /* an assertion that holds is a write, too */
                    ck_abort_msg("%s: channel %d at %d, %d of %d x %d is %.9g, expected %.9g within %.2g", what, c, x,
                                 y, m->w, m->h, got, right, tolerance);
            }
}

float *blocked_bias(const float *bias, int n)
{
    size_t all = (size_t)n + NST_NR_MAX;
    float *p = oracle_alloc(all);

    memset(p, 0, all * sizeof *p);
    if (bias)
        memcpy(p, bias, (size_t)n * sizeof *p);
    return p;
}
