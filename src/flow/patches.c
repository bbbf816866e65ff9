/* patches.c: dense inverse search (Kroeger, Timofte, Dai & Van Gool, ECCV 2016): patches of the first picture, half
 * overlapping, are each moved by Gauss-Newton steps until they fit the second; a pixel then takes the mean of the
 * patches that cover it, by how well they fit it.
 *
 * A patch t with gradient g fits at w where sum (I(x + w) - t(x))^2 is least, means taken out.  Inverse: the step is
 * dw = -H^-1 sum g r, H = sum g g', r the difference, so that H is the first picture's and computed once.  A patch
 * begins at the coarser level's flow; then it tries its neighbours' results, so that a good one spreads.  Each round
 * reads the round before, and so does not depend on the order of patches.  Last, patches without texture take over
 * their surroundings' flow (spread.c). */
#include "flow/flow.h"

#include <math.h>
#include <string.h>

#define SIDE 8
#define PIXELS (SIDE * SIDE)
#define STEP 4
#define ROUNDS 3
#define ITERATIONS 12
#define ENOUGH 1e-4f  /* square of a step that ends the search */
#define DAMPING 16.f  /* added to H: a patch without texture stays where it began */
#define LEAST_KNOWN 1e-3f
#define TEXTURE 4.f   /* square of the gradient's weaker direction at which half of what a patch says is believed */

struct search {
    const nst_level *from, *to;
    float *u, *v;               /* the dense flow */
    int nx, ny;                 /* patches */
    float *was[2], *is[2];      /* their flow, [ny][nx] */
    float *known;               /* how much each says of motion, above 0 to 1 */
    bool first;
};

struct patch {
    float t[PIXELS], gx[PIXELS], gy[PIXELS]; /* gradient without its mean */
    float a, b, c;                           /* H^-1 = (a b, b c) */
    float known;
    int x, y;
};

static int count(int side) { return (side - SIDE + STEP - 1) / STEP + 1; }

/* Where patch i begins: the last one ends with the picture. */
static int place(int i, int side)
{
    return i * STEP < side - SIDE ? i * STEP : side - SIDE;
}

/* n pixels of a row at (x, y) off the grid, which is cut to what the border holds. */
static void sample(const nst_level *l, float x, float y, int n, int rows, float *out)
{
    float cx = nst_clamp(x, -(float)SIDE, (float)l->w), cy = nst_clamp(y, -(float)SIDE, (float)l->h);
    float fx = floorf(cx), fy = floorf(cy), ax = cx - fx, ay = cy - fy;
    float w00 = (1 - ax) * (1 - ay), w01 = ax * (1 - ay), w10 = (1 - ax) * ay, w11 = ax * ay;

    for (int j = 0; j < rows; j++) {
        const float *p = l->grey + ((ptrdiff_t)fy + j) * (ptrdiff_t)l->ld + (ptrdiff_t)fx, *q = p + l->ld;

        for (int i = 0; i < n; i++)
            out[j * n + i] = w00 * p[i] + w01 * p[i + 1] + w10 * q[i] + w11 * q[i + 1];
    }
}

static void take_mean(float *v)
{
    float sum = 0;

    for (int i = 0; i < PIXELS; i++)
        sum += v[i];
    sum /= PIXELS;
    for (int i = 0; i < PIXELS; i++)
        v[i] -= sum;
}

static void prepare(struct patch *p, const nst_level *l, int x, int y)
{
    float xx = DAMPING, xy = 0, yy = DAMPING, det, least;

    p->x = x, p->y = y;
    for (int j = 0; j < SIDE; j++) {
        const float *row = l->grey + (ptrdiff_t)(y + j) * (ptrdiff_t)l->ld + x;

        for (int i = 0; i < SIDE; i++) {
            p->t[j * SIDE + i] = row[i];
            p->gx[j * SIDE + i] = .5f * (row[i + 1] - row[i - 1]);
            p->gy[j * SIDE + i] = .5f * (row[i + (ptrdiff_t)l->ld] - row[i - (ptrdiff_t)l->ld]);
        }
    }
    take_mean(p->t);
    take_mean(p->gx);
    take_mean(p->gy);
    for (int i = 0; i < PIXELS; i++) {
        xx += p->gx[i] * p->gx[i];
        xy += p->gx[i] * p->gy[i];
        yy += p->gy[i] * p->gy[i];
    }
    det = xx * yy - xy * xy;
    p->a = yy / det, p->b = -xy / det, p->c = xx / det;
    least = (.5f * (xx + yy) - sqrtf(.25f * (xx - yy) * (xx - yy) + xy * xy) - DAMPING) / PIXELS;
    p->known = least * least / (least * least + TEXTURE * TEXTURE);
}

/* How badly it fits at w; r is the difference. */
static float misfit(const struct patch *p, const nst_level *to, const float w[2], float *r)
{
    float sum = 0;

    sample(to, (float)p->x + w[0], (float)p->y + w[1], SIDE, SIDE, r);
    take_mean(r);
    for (int i = 0; i < PIXELS; i++) {
        r[i] -= p->t[i];
        sum += r[i] * r[i];
    }
    return sum;
}

/* Moves w, whose misfit is `best`, to where the patch fits. */
static void descend(const struct patch *p, const nst_level *to, float w[2], float *r, float best)
{
    const float begin[2] = { w[0], w[1] };

    for (int k = 0; k < ITERATIONS; k++) {
        float sx = 0, sy = 0, step[2], next[2], now;

        for (int i = 0; i < PIXELS; i++) {
            sx += p->gx[i] * r[i];
            sy += p->gy[i] * r[i];
        }
        step[0] = -(p->a * sx + p->b * sy), step[1] = -(p->b * sx + p->c * sy);
        next[0] = w[0] + step[0], next[1] = w[1] + step[1];
        if (fabsf(next[0] - begin[0]) > SIDE || fabsf(next[1] - begin[1]) > SIDE)
            return;
        now = misfit(p, to, next, r);
        if (!(now < best))
            return;
        best = now;
        w[0] = next[0], w[1] = next[1];
        if (step[0] * step[0] + step[1] * step[1] < ENOUGH)
            return;
    }
}

/* The best of where a patch may begin: the coarser flow and no motion at first, then its neighbours' results. */
static float choose(const struct search *s, const struct patch *p, int i, int j, float w[2], float *r)
{
    float best, other[PIXELS];

    if (s->first) {
        size_t at = (size_t)(p->y + SIDE / 2) * (size_t)s->from->w + (size_t)(p->x + SIDE / 2);

        w[0] = s->u[at], w[1] = s->v[at];
    } else {
        w[0] = s->was[0][j * s->nx + i], w[1] = s->was[1][j * s->nx + i];
    }
    best = misfit(p, s->to, w, r);
    for (int k = 0; k < 9; k++) {
        int x = i + k % 3 - 1, y = j + k / 3 - 1;
        float try[2] = { 0, 0 }, now;

        if (x < 0 || y < 0 || x >= s->nx || y >= s->ny || (s->first != (k == 4)))
            continue;
        if (!s->first)
            try[0] = s->was[0][y * s->nx + x], try[1] = s->was[1][y * s->nx + x];
        now = misfit(p, s->to, try, other);
        if (now < .95f * best) { /* rounding and noise alone move nobody */
            best = now;
            w[0] = try[0], w[1] = try[1];
            memcpy(r, other, sizeof other);
        }
    }
    return best;
}

static void search_rows(void *arg, int worker, int begin, int end)
{
    struct search *s = arg;

    (void)worker;
    for (int j = begin; j < end; j++)
        for (int i = 0; i < s->nx; i++) {
            struct patch p;
            float w[2], r[PIXELS], best;

            prepare(&p, s->from, place(i, s->from->w), place(j, s->from->h));
            best = choose(s, &p, i, j, w, r);
            descend(&p, s->to, w, r, best);
            s->known[j * s->nx + i] = p.known > LEAST_KNOWN ? p.known : LEAST_KNOWN;
            s->is[0][j * s->nx + i] = w[0];
            s->is[1][j * s->nx + i] = w[1];
        }
}

/* Adds what patch i of row j says of row y: sums of weights and of weighted vectors. */
static void cover(const struct search *s, int i, int j, int y, float *weight, float *u, float *v)
{
    int x = place(i, s->from->w);
    float pu = s->was[0][j * s->nx + i], pv = s->was[1][j * s->nx + i], there[SIDE];
    const float *here = s->from->grey + (size_t)y * s->from->ld + x;

    sample(s->to, (float)x + pu, (float)y + pv, SIDE, 1, there);
    for (int k = 0; k < SIDE; k++) {
        float off = fabsf(there[k] - here[k]), k_weight = 1 / (off > 1 ? off : 1);

        weight[x + k] += k_weight;
        u[x + k] += k_weight * pu;
        v[x + k] += k_weight * pv;
    }
}

/* The sums of a row stand in the flow itself and, weights, in the row's own place of s->is, which is large enough. */
static void cover_rows(void *arg, int worker, int begin, int end)
{
    struct search *s = arg;
    int w = s->from->w;

    (void)worker;
    for (int y = begin; y < end; y++) {
        float *u = s->u + (size_t)y * (size_t)w, *v = s->v + (size_t)y * (size_t)w;
        float *weight = s->is[0] + (size_t)y * (size_t)w;

        memset(u, 0, (size_t)w * sizeof *u);
        memset(v, 0, (size_t)w * sizeof *v);
        memset(weight, 0, (size_t)w * sizeof *weight);
        for (int j = 0; j < s->ny; j++) {
            int top = place(j, s->from->h);

            for (int i = 0; i < s->nx && top <= y && y < top + SIDE; i++)
                cover(s, i, j, y, weight, u, v);
        }
        for (int x = 0; x < w; x++) {
            u[x] /= weight[x];
            v[x] /= weight[x];
        }
    }
}

nst_status nst_flow_search(const nst_level *from, const nst_level *to, int threads, float *u, float *v, nst_error *e)
{
    struct search s = { .from = from, .to = to, .u = u, .v = v, .nx = count(from->w), .ny = count(from->h) };
    size_t patches = (size_t)s.nx * (size_t)s.ny, pixels = (size_t)from->w * (size_t)from->h;
    size_t room = pixels > 2 * patches ? pixels : 2 * patches, spread = nst_flow_spread_room(s.nx, s.ny);
    float *memory = nst_calloc(3 * patches + room + spread, sizeof *memory);

    if (!memory)
        return nst_fail(e, NST_EMEM, "flow of %d x %d pixels: out of memory", from->w, from->h);
    s.was[0] = memory, s.was[1] = memory + patches;
    s.known = memory + 2 * patches;
    s.is[0] = memory + 3 * patches, s.is[1] = s.is[0] + patches;
    for (int round = 0; round < ROUNDS; round++) {
        s.first = !round;
        nst_par_for(threads, s.ny, search_rows, &s);
        memcpy(s.was[0], s.is[0], 2 * patches * sizeof *memory);
    }
    nst_flow_spread(s.nx, s.ny, s.known, s.was[0], s.was[1], memory + 3 * patches + room);
    nst_par_for(threads, from->h, cover_rows, &s);
    nst_free(memory);
    return NST_OK;
}
