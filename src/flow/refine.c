/* refine.c: variational refinement (Brox, Bruhn, Papenberg & Weickert, ECCV 2004): the flow w + dw that makes
 *   sum  psi(|I(x + w + dw) - J(x)|^2) + GRADIENT psi(|grad I(x + w + dw) - grad J(x)|^2)
 *        + SMOOTH psi(|grad (w + dw)|^2)
 * least, psi(s) = sqrt(s + eps^2), I linearised at w.  Data terms are divided by the squares of the derivatives that
 * they are linear in (Zimmer, Bruhn & Weickert 2011), so that they are distances in pixels and strong edges do not
 * outweigh all else.  psi' is held for a few rounds of successive over-relaxation; pixels are relaxed like the squares
 * of a chessboard, so that none depends on the order of its own colour. */
#include "flow/flow.h"

#include <math.h>
#include <string.h>

#define ROUNDS 5         /* for which psi' is computed anew */
#define SWEEPS 6         /* of relaxation, in each */
#define RELAX 1.6f
#define SMOOTH 2.5f
#define BRIGHTNESS 1.f
#define GRADIENT 1.5f
#define EPS2 1e-4f       /* square of a distance in pixels */
#define FLAT2 1.f        /* square of a difference of brightness that noise makes: no evidence of motion */

enum { IX, IY, IZ, IXX, IXY, IYY, IXZ, IYZ, DU, DV, A11, A12, A22, B1, B2, LINK, MEAN, ARRAYS };

struct refine {
    const nst_level *from, *to;
    float *u, *v;
    float *a[ARRAYS];   /* [h][w] each */
    int w, h, colour;
};

/* The second picture at (x + u, y + v), bilinearly; false outside of it. */
static bool moved(const nst_level *l, float x, float y, float *out)
{
    float most_x = (float)(l->w - 1), most_y = (float)(l->h - 1);
    bool inside = x >= 0 && y >= 0 && x <= most_x && y <= most_y;
    float cx = nst_clamp(x, 0, most_x), cy = nst_clamp(y, 0, most_y);
    int ix = (int)cx, iy = (int)cy;
    float ax = cx - (float)ix, ay = cy - (float)iy;
    const float *p = l->grey + (size_t)iy * l->ld + ix, *q = p + l->ld; /* the border holds one more of each */
    float top = p[0] + ax * (p[1] - p[0]), bottom = q[0] + ax * (q[1] - q[0]);

    *out = top + ay * (bottom - top);
    return inside;
}

/* MEAN: mean of both pictures, of which derivatives are taken; IZ: their difference.  Pixels that left count nothing:
 * LINK is 0 for them until the links are made. */
static void warp_rows(void *arg, int worker, int begin, int end)
{
    struct refine *f = arg;

    (void)worker;
    for (int y = begin; y < end; y++)
        for (int x = 0; x < f->w; x++) {
            size_t i = (size_t)y * (size_t)f->w + (size_t)x;
            float here = f->from->grey[(size_t)y * f->from->ld + (size_t)x], there;
            bool inside = moved(f->to, (float)x + f->u[i], (float)y + f->v[i], &there);

            f->a[MEAN][i] = .5f * (here + there);
            f->a[IZ][i] = there - here;
            f->a[LINK][i] = inside;
        }
}

/* Differences of neighbours across and down; at the edges the inner one's. */
static float across(const struct refine *f, const float *a, int x, int y)
{
    const float *row = a + (size_t)y * (size_t)f->w;

    return .5f * (row[x + 1 < f->w ? x + 1 : x] - row[x ? x - 1 : x]);
}

static float down(const struct refine *f, const float *a, int x, int y)
{
    size_t w = (size_t)f->w;

    return .5f * (a[(size_t)(y + 1 < f->h ? y + 1 : y) * w + (size_t)x] - a[(size_t)(y ? y - 1 : y) * w + (size_t)x]);
}

static void first_rows(void *arg, int worker, int begin, int end)
{
    struct refine *f = arg;

    (void)worker;
    for (int y = begin; y < end; y++)
        for (int x = 0; x < f->w; x++) {
            size_t i = (size_t)y * (size_t)f->w + (size_t)x;

            f->a[IX][i] = across(f, f->a[MEAN], x, y);
            f->a[IY][i] = down(f, f->a[MEAN], x, y);
            f->a[IXZ][i] = across(f, f->a[IZ], x, y);
            f->a[IYZ][i] = down(f, f->a[IZ], x, y);
        }
}

static void second_rows(void *arg, int worker, int begin, int end)
{
    struct refine *f = arg;

    (void)worker;
    for (int y = begin; y < end; y++)
        for (int x = 0; x < f->w; x++) {
            size_t i = (size_t)y * (size_t)f->w + (size_t)x;

            f->a[IXX][i] = across(f, f->a[IX], x, y);
            f->a[IXY][i] = down(f, f->a[IX], x, y);
            f->a[IYY][i] = down(f, f->a[IY], x, y);
        }
}

/* Adds a linear term (r + gx du + gy dv)^2, times k over the square of its derivatives, to the equations of pixel i. */
static void add_term(struct refine *f, size_t i, float k, float r, float gx, float gy)
{
    f->a[A11][i] += k * gx * gx;
    f->a[A12][i] += k * gx * gy;
    f->a[A22][i] += k * gy * gy;
    f->a[B1][i] -= k * gx * r;
    f->a[B2][i] -= k * gy * r;
}

/* The data terms' equations.  LINK says whether the pixel counts, and is kept. */
static void data_rows(void *arg, int worker, int begin, int end)
{
    struct refine *f = arg;

    (void)worker;
    for (size_t i = (size_t)begin * (size_t)f->w; i < (size_t)end * (size_t)f->w; i++) {
        float du = f->a[DU][i], dv = f->a[DV][i], ix = f->a[IX][i], iy = f->a[IY][i];
        float ixx = f->a[IXX][i], ixy = f->a[IXY][i], iyy = f->a[IYY][i];
        float n = 1 / (ix * ix + iy * iy + FLAT2), nx = 1 / (ixx * ixx + ixy * ixy + FLAT2);
        float ny = 1 / (ixy * ixy + iyy * iyy + FLAT2), r, rx, ry, k;

        f->a[A11][i] = f->a[A12][i] = f->a[A22][i] = f->a[B1][i] = f->a[B2][i] = 0;
        if (f->a[MEAN][i] <= 0)
            continue;
        r = f->a[IZ][i] + ix * du + iy * dv;
        add_term(f, i, BRIGHTNESS * n / sqrtf(r * r * n + EPS2), f->a[IZ][i], ix, iy);
        rx = f->a[IXZ][i] + ixx * du + ixy * dv;
        ry = f->a[IYZ][i] + ixy * du + iyy * dv;
        k = GRADIENT / sqrtf(rx * rx * nx + ry * ry * ny + EPS2);
        add_term(f, i, k * nx, f->a[IXZ][i], ixx, ixy);
        add_term(f, i, k * ny, f->a[IYZ][i], ixy, iyy);
    }
}

/* psi' of the smoothness at each pixel, into LINK. */
static void smooth_rows(void *arg, int worker, int begin, int end)
{
    struct refine *f = arg;
    size_t w = (size_t)f->w;

    (void)worker;
    for (int y = begin; y < end; y++)
        for (int x = 0; x < f->w; x++) {
            size_t i = (size_t)y * w + (size_t)x, r = x + 1 < f->w ? i + 1 : i, d = y + 1 < f->h ? i + w : i;
            float u = f->u[i] + f->a[DU][i], v = f->v[i] + f->a[DV][i];
            float ux = f->u[r] + f->a[DU][r] - u, uy = f->u[d] + f->a[DU][d] - u;
            float vx = f->v[r] + f->a[DV][r] - v, vy = f->v[d] + f->a[DV][d] - v;

            f->a[LINK][i] = SMOOTH / sqrtf(ux * ux + uy * uy + vx * vx + vy * vy + EPS2);
        }
}

/* Adds what neighbour k pulls at pixel i: its weight, and its weighted difference. */
static void pull(const struct refine *f, size_t i, size_t k, float *all, float *pu, float *pv)
{
    float link = .5f * (f->a[LINK][i] + f->a[LINK][k]);

    *all += link;
    *pu += link * (f->u[k] + f->a[DU][k] - f->u[i]);
    *pv += link * (f->v[k] + f->a[DV][k] - f->v[i]);
}

static void relax_rows(void *arg, int worker, int begin, int end)
{
    struct refine *f = arg;
    size_t w = (size_t)f->w;

    (void)worker;
    for (int y = begin; y < end; y++)
        for (int x = (y + f->colour) % 2; x < f->w; x += 2) {
            size_t i = (size_t)y * w + (size_t)x;
            float all = 0, pu = 0, pv = 0, *du = &f->a[DU][i], *dv = &f->a[DV][i];

            if (x)
                pull(f, i, i - 1, &all, &pu, &pv);
            if (x + 1 < f->w)
                pull(f, i, i + 1, &all, &pu, &pv);
            if (y)
                pull(f, i, i - w, &all, &pu, &pv);
            if (y + 1 < f->h)
                pull(f, i, i + w, &all, &pu, &pv);
            *du += RELAX * ((f->a[B1][i] - f->a[A12][i] * *dv + pu) / (f->a[A11][i] + all) - *du);
            *dv += RELAX * ((f->a[B2][i] - f->a[A12][i] * *du + pv) / (f->a[A22][i] + all) - *dv);
        }
}

/* A step that leads out of what the linear terms hold for is cut. */
static void add_rows(void *arg, int worker, int begin, int end)
{
    struct refine *f = arg;

    (void)worker;
    for (size_t i = (size_t)begin * (size_t)f->w; i < (size_t)end * (size_t)f->w; i++) {
        f->u[i] += f->a[DU][i];
        f->v[i] += f->a[DV][i];
    }
}

static void solve(struct refine *f, int threads)
{
    size_t n = (size_t)f->w * (size_t)f->h;

    nst_par_for(threads, f->h, warp_rows, f);
    nst_par_for(threads, f->h, first_rows, f);
    nst_par_for(threads, f->h, second_rows, f);
    memcpy(f->a[MEAN], f->a[LINK], n * sizeof(float)); /* from here on: whether a pixel counts */
    memset(f->a[DU], 0, n * sizeof(float));
    memset(f->a[DV], 0, n * sizeof(float));
    for (int round = 0; round < ROUNDS; round++) {
        nst_par_for(threads, f->h, data_rows, f);
        nst_par_for(threads, f->h, smooth_rows, f);
        for (int sweep = 0; sweep < 2 * SWEEPS; sweep++) {
            f->colour = sweep % 2;
            nst_par_for(threads, f->h, relax_rows, f);
        }
    }
    nst_par_for(threads, f->h, add_rows, f);
}

nst_status nst_flow_refine(const nst_level *from, const nst_level *to, int threads, float *u, float *v, nst_error *e)
{
    struct refine f = { .from = from, .to = to, .u = u, .v = v, .w = from->w, .h = from->h };
    size_t n = (size_t)f.w * (size_t)f.h;
    float *memory = nst_calloc(n, ARRAYS * sizeof *memory);

    if (!memory)
        return nst_fail(e, NST_EMEM, "flow of %d x %d pixels: out of memory", f.w, f.h);
    for (int k = 0; k < ARRAYS; k++)
        f.a[k] = memory + (size_t)k * n;
    solve(&f, threads);
    nst_free(memory);
    return NST_OK;
}
