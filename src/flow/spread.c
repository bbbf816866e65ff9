/* spread.c: vectors that little speaks for take over what is known around them: a clear sky moves with the ground.
 *
 * Pull: weighted means of two by two, and of these again, until one is left.  Push: back down, each takes DOUBT of the
 * mean above it beside its own.  (Gortler et al. 1996, "The Lumigraph".) */
#include "flow/flow.h"

#include <string.h>

#define DOUBT .1f /* a weight of so much counts as much as what is around it */

/* A grid of vectors with their weights. */
struct grid {
    int nx, ny;
    float *weight, *u, *v;
};

static void pull(const struct grid *fine, struct grid *coarse)
{
    for (int y = 0; y < coarse->ny; y++)
        for (int x = 0; x < coarse->nx; x++) {
            float sum = 0, u = 0, v = 0;
            int n = 0, at = y * coarse->nx + x;

            for (int k = 0; k < 4; k++) {
                int fx = 2 * x + k % 2, fy = 2 * y + k / 2, i = fy * fine->nx + fx;

                if (fx >= fine->nx || fy >= fine->ny)
                    continue;
                n++;
                sum += fine->weight[i];
                u += fine->weight[i] * fine->u[i];
                v += fine->weight[i] * fine->v[i];
            }
            coarse->weight[at] = sum / (float)n;
            coarse->u[at] = u / sum;
            coarse->v[at] = v / sum;
        }
}

static void push(const struct grid *coarse, struct grid *fine)
{
    for (int y = 0; y < fine->ny; y++)
        for (int x = 0; x < fine->nx; x++) {
            int i = y * fine->nx + x;
            float cx = ((float)x - .5f) / 2, cy = ((float)y - .5f) / 2, own = fine->weight[i];
            float u = nst_flow_at(coarse->u, coarse->nx, coarse->ny, cx, cy);
            float v = nst_flow_at(coarse->v, coarse->nx, coarse->ny, cx, cy);

            fine->u[i] = (own * fine->u[i] + DOUBT * u) / (own + DOUBT);
            fine->v[i] = (own * fine->v[i] + DOUBT * v) / (own + DOUBT);
        }
}

size_t nst_flow_spread_room(int nx, int ny)
{
    size_t n = 0;

    while (nx > 1 || ny > 1) {
        nx = (nx + 1) / 2, ny = (ny + 1) / 2;
        n += 3 * (size_t)nx * (size_t)ny;
    }
    return n;
}

void nst_flow_spread(int nx, int ny, const float *weight, float *u, float *v, float *room)
{
    struct grid grid[32] = { { nx, ny, (float *)(uintptr_t)weight, u, v } };
    int n = 1;

    for (; grid[n - 1].nx > 1 || grid[n - 1].ny > 1; n++) {
        struct grid *g = &grid[n];
        size_t all;

        g->nx = (grid[n - 1].nx + 1) / 2, g->ny = (grid[n - 1].ny + 1) / 2;
        all = (size_t)g->nx * (size_t)g->ny;
        g->weight = room, g->u = room + all, g->v = room + 2 * all;
        room += 3 * all;
        pull(&grid[n - 1], g);
    }
    while (--n > 0)
        push(&grid[n], &grid[n - 1]);
}
