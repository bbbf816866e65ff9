/* film.h: two frames whose motion is known, drawn by formula: a textured ground that is shifted, turned and enlarged,
 * and a textured disc before it, which moves by itself. */
#ifndef NST_TESTS_FILM_H
#define NST_TESTS_FILM_H

#include "flow/flow.h"
#include "image/image.h"
#include "../support/suite.h"

#include <math.h>

/* A motion of the ground: turned and enlarged about the middle, then shifted; and of the disc. */
typedef struct film {
    int w, h;
    double dx, dy, turn, zoom; /* pixels, radians, factor */
    double radius;             /* of the disc; 0: none */
    double disc_x, disc_y, disc_dx, disc_dy;
    double noise;              /* standard deviation, of each frame by itself */
    double brighter;           /* of the second frame */
    int seed;
    bool flat;                 /* ground and disc are of one colour each */
    double sky;                /* ground above this row, as frame 0 has it, is of one colour */
} film;

static inline double film_hash(int x, int y, int seed)
{
    uint32_t h = (uint32_t)x * 374761393u + (uint32_t)y * 668265263u + (uint32_t)seed * 2246822519u;

    h = (h ^ h >> 13) * 1274126177u;
    h = (h ^ h >> 16) * 2654435769u;
    return (double)(h >> 8) / (1 << 24);
}

/* Smooth noise between a lattice's random values. */
static inline double film_waves(double x, double y, int seed)
{
    int ix = (int)floor(x), iy = (int)floor(y);
    double fx = x - ix, fy = y - iy, top, bottom;

    fx = fx * fx * fx * (fx * (fx * 6 - 15) + 10), fy = fy * fy * fy * (fy * (fy * 6 - 15) + 10);
    top = film_hash(ix, iy, seed) * (1 - fx) + film_hash(ix + 1, iy, seed) * fx;
    bottom = film_hash(ix, iy + 1, seed) * (1 - fx) + film_hash(ix + 1, iy + 1, seed) * fx;
    return top * (1 - fy) + bottom * fy;
}

/* Details from 60 pixels down to 4. */
static inline double film_texture(double x, double y, int seed)
{
    static const double side[] = { 61, 23, 9.3, 4.1 }, share[] = { .35, .3, .2, .15 };
    double sum = 0;

    for (int k = 0; k < 4; k++)
        sum += share[k] * film_waves(x / side[k], y / side[k], seed * 7 + k);
    return sum;
}

/* Where the ground's point of frame 1 is in frame 2. */
static inline void film_moved(const film *f, double x, double y, double *mx, double *my)
{
    double cx = (f->w - 1) / 2., cy = (f->h - 1) / 2., rx = x - cx, ry = y - cy;

    *mx = cx + f->zoom * (cos(f->turn) * rx - sin(f->turn) * ry) + f->dx;
    *my = cy + f->zoom * (sin(f->turn) * rx + cos(f->turn) * ry) + f->dy;
}

/* And the way back. */
static inline void film_unmoved(const film *f, double x, double y, double *mx, double *my)
{
    double cx = (f->w - 1) / 2., cy = (f->h - 1) / 2., rx = (x - cx - f->dx) / f->zoom, ry = (y - cy - f->dy) / f->zoom;

    *mx = cx + cos(f->turn) * rx + sin(f->turn) * ry;
    *my = cy - sin(f->turn) * rx + cos(f->turn) * ry;
}

static inline bool film_on_disc(const film *f, double x, double y, int frame)
{
    double dx = x - f->disc_x - frame * f->disc_dx, dy = y - f->disc_y - frame * f->disc_dy;

    return f->radius > 0 && dx * dx + dy * dy < f->radius * f->radius;
}

static inline double film_normal(uint64_t *state)
{
    double sum = 0;

    for (int k = 0; k < 12; k++) { /* a sum of twelve is nearly normal */
        *state = *state * 6364136223846793005u + 1442695040888963407u;
        sum += (double)(*state >> 40) / (1 << 24);
    }
    return sum - 6;
}

/* Frame 0 or 1. */
static inline nst_image *film_frame(const film *f, int frame)
{
    uint64_t state = (uint64_t)(f->seed + 1) * 77 + (uint64_t)frame;
    nst_image *p = NULL;

    ck_assert_int_eq(nst_image_create(&p, f->w, f->h, 3, NULL), NST_OK);
    for (int y = 0; y < f->h; y++)
        for (int x = 0; x < f->w; x++)
            for (int c = 0; c < 3; c++) {
                double gx = x, gy = y, v;

                if (frame)
                    film_unmoved(f, x, y, &gx, &gy);
                if (film_on_disc(f, x, y, frame))
                    v = f->flat ? .3 + .2 * c : film_texture(x - frame * f->disc_dx, y - frame * f->disc_dy,
                                                             f->seed * 10 + 5 + c);
                else
                    v = f->flat || gy < f->sky ? .7 - .1 * c : film_texture(gx, gy, f->seed * 10 + c);
                v += f->noise * film_normal(&state) + frame * f->brighter;
                p->plane[c][y * f->w + x] = (float)nst_clamp_double(v, 0, 1);
            }
    return p;
}

/* The true flow of frame 0's pixel; false where the pixel is hidden or outside in frame 1. */
static inline bool film_truth(const film *f, int x, int y, double *u, double *v)
{
    double mx, my;
    bool disc = film_on_disc(f, x, y, 0);

    if (disc)
        mx = x + f->disc_dx, my = y + f->disc_dy;
    else
        film_moved(f, x, y, &mx, &my);
    *u = mx - x, *v = my - y;
    return mx >= 0 && my >= 0 && mx <= f->w - 1 && my <= f->h - 1 && (disc || !film_on_disc(f, mx, my, 1));
}

static inline nst_flow *film_flow(const nst_image *from, const nst_image *to, const nst_flow_options *o)
{
    nst_error e = { "" };
    nst_flow *flow;

    ck_assert_msg(!nst_flow_estimate(&flow, from, to, o, &e), "%s", e.text);
    return flow;
}

static inline film film_of(int w, int h)
{
    return (film){ .w = w, .h = h, .zoom = 1, .seed = 1 };
}

#endif
