/* make_samples.c: makes the project's own pictures, so that a first run has something to paint: make_samples photo FILE
 * draws a lake town at sunset, make_samples painting FILE a painting in thick strokes; glass, ink,
 * waves and dots are more paintings, portrait one more photograph.
 * Nothing in them is found. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "canvas.h"
#include "subjects.h"

/* ---- the photograph: a town by a lake, drawn pixel by pixel from far to near ------------------------------- */

enum { PHOTO_W = 640, PHOTO_H = 480, FINE = 2 };

static const double shore = 0.66; /* of the height: water below */

static colour sky(double x, double y)
{
    double t = y / shore, glow = exp(-12 * ((x - .30) * (x - .30) + 1.6 * (y - .40) * (y - .40)));
    double cloud = fbm(x * 3 + 7, y * 9, 6), veil = smooth(.47, .72, cloud) * (.4 + .6 * t);
    colour c = mix(rgb(.16, .33, .62), rgb(.93, .78, .58), pow(t, 1.3));

    c = mix(c, rgb(1, .72, .38), .75 * glow);
    c = mix(c, mix(rgb(.98, .90, .82), rgb(.86, .45, .38), smooth(.5, .9, fbm(x * 5, y * 12 + 3, 4) + .4 * t - .1)), .8 * veil);
    return mix(c, rgb(1, .96, .80), smooth(.047, .041, hypot(x - .30, (y - .385) * .75)));
}

/* A range of mountains: height of its ridge at x, 0 at the shore. */
static double ridge(double x, double scale, double height, double seed)
{
    double n = 0, a = .5, f = scale;

    for (int i = 0; i < 6; i++, a *= .5, f *= 2.03)
        n += a * (1 - 2 * fabs(noise(x * f + seed, seed * 3.7) - .5));
    return height * (n * 1.5 - .15);
}

static colour mountains(double x, double y, colour c)
{
    for (int i = 0; i < 3; i++) {
        double far = 1 - i / 3., top = shore - ridge(x + i * 1.7, 1.6 + i, .34 - .09 * i, 11 + 5 * i);
        double depth = y - top;

        if (depth < 0)
            continue;
        double rock = fbm(x * 22 + i * 9, y * 30 + 2 * noise(x * 9, y * 9), 5), light = ridge(x + i * 1.7 - .006, 1.6 + i, .34 - .09 * i, 11 + 5 * i);
        double lit = smooth(-.012, .012, (shore - top) - light + .03 * (rock - .5));
        colour base = mix(rgb(.20, .22, .34), rgb(.55, .42, .40), lit * .7);

        if (i == 0)
            base = mix(base, mix(rgb(.62, .66, .80), rgb(1, .88, .80), lit), smooth(.14, .04, depth + .1 * (rock - .4)));
        if (i == 2)
            base = mix(mix(rgb(.07, .13, .10), rgb(.36, .36, .16), lit * smooth(.35, .65, rock)), base, .12);
        c = mix(base, rgb(.80, .70, .66), far * .42 * smooth(0, .22, y - shore + .3));
    }
    return c;
}

typedef struct house {
    double x, w, h, roof, base;
    colour wall, tiles;
    int floors, columns;
} house;

enum { HOUSES = 26 };
static house town[HOUSES];

static void build_town(uint64_t seed)
{
    static const float wall[6][3] = { { .93, .86, .70 }, { .87, .60, .42 }, { .80, .74, .70 },
                                      { .74, .40, .33 }, { .95, .78, .46 }, { .66, .72, .72 } };

    for (int i = 0; i < HOUSES; i++) {
        const float *w = wall[(int)(6 * uniform(&seed))];
        int front = i >= HOUSES / 2;
        double dark = .75 + .25 * uniform(&seed);

        town[i] = (house){ .x = .40 + .60 * (i % (HOUSES / 2) + .7 * uniform(&seed)) / (HOUSES / 2),
                           .w = .045 + .02 * uniform(&seed), .h = .05 + .06 * uniform(&seed) + (front ? 0 : .05),
                           .roof = .035 + .025 * uniform(&seed), .base = shore + .012 - (front ? 0 : .025),
                           .wall = rgb(w[0] * dark, w[1] * dark, w[2] * dark),
                           .tiles = mix(rgb(.62, .25, .16), rgb(.38, .22, .20), uniform(&seed)),
                           .floors = 2 + (int)(2 * uniform(&seed)), .columns = 2 + (int)(2 * uniform(&seed)) };
    }
    town[5] = (house){ .x = .66, .w = .042, .h = .23, .roof = .13, .base = shore, .wall = rgb(.86, .80, .70),
                       .tiles = rgb(.30, .34, .38), .floors = 5, .columns = 1 };
}

static colour one_house(const house *b, double x, double y, colour c)
{
    double u = (x - b->x) / b->w, v = (b->base - y) / b->h, top = 1 + b->roof / b->h * (1 - fabs(2 * u - 1));

    if (u < -.06 || u > 1.06 || v < 0 || v > top || (v < 1 && (u < 0 || u > 1)))
        return c;
    if (v > 1)
        return mix(b->tiles, rgb(.95, .62, .40), (u < .5 ? .30 : 0) + .25 * (noise(x * 700, y * 260) - .5));
    double grain = .92 + .16 * noise(x * 300, y * 300), side = .72 + .36 * smooth(.8, .1, u);
    double cu = u * b->columns - floor(u * b->columns), cv = v * b->floors - floor(v * b->floors);

    c = rgb(b->wall.r * grain * side, b->wall.g * grain * side, b->wall.b * grain * side * .96);
    if (fabs(cu - .5) < .17 && fabs(cv - .55) < .24) {
        int lit = hash((int)(u * b->columns) + 31 * (int)(b->x * 999), (int)(v * b->floors)) % 4 == 0;

        c = lit ? rgb(1, .82, .42) : mix(rgb(.12, .14, .20), rgb(.45, .48, .55), .5 * cv);
    }
    return c;
}

static colour trees(double x, double y, colour c)
{
    for (int i = 0; i < 34; i++) {
        uint64_t s = 77 + 131 * (uint64_t)i;
        double tx = i < 20 ? .02 + .40 * uniform(&s) : .42 + .56 * uniform(&s), r = (i < 20 ? .020 : .011) + .022 * uniform(&s);
        double ty = shore - r * (.75 + .5 * uniform(&s)), d = hypot(x - tx, (y - ty) * .62) / r;
        double leaf = fbm(x * 60 + i, y * 60, 4);

        if (d + 1.1 * (leaf - .5) < 1 && y < shore + .01)
            c = mix(mix(rgb(.05, .12, .07), rgb(.55, .50, .16), smooth(.35, .75, leaf - .6 * (x - tx) / r - .5 * (y - ty) / r)),
                    rgb(.30, .12, .05), .5 * (i % 5 == 0));
    }
    return c;
}

static colour land(double x, double y)
{
    colour c = mountains(x, y, sky(x, y));

    for (int i = 0; i < HOUSES / 2; i++)
        c = one_house(&town[i], x, y, c);
    c = trees(x, y, c);
    for (int i = HOUSES / 2; i < HOUSES; i++)
        c = one_house(&town[i], x, y, c);
    return c;
}

static colour photo(double x, double y)
{
    if (y < shore + .012)
        return land(x, y);
    double depth = (y - shore) / (1 - shore);
    double wave = fbm(x * (30 - 20 * depth), y * (150 - 110 * depth), 4) - .5, mirror = 2 * shore - y + .01;
    colour c = land(x + .035 * wave * depth, fmax(.02, mirror + .10 * wave * (.3 + depth)));
    double path = exp(-90 * (x - .30 + .12 * wave) * (x - .30 + .12 * wave)) * smooth(.02, .2, wave + .05);

    c = mix(rgb(c.r * .80, c.g * .84, c.b * .90), rgb(.10, .20, .30), .25 + .35 * depth);
    c = mix(c, rgb(1, .80, .50), .8 * path);
    /* the near bank */
    double bank = .90 + .06 * fbm(x * 5, 3, 3) + .05 * x;
    if (y > bank - .03 * fbm(x * 90, y * 8, 3))
        c = mix(rgb(.10, .16, .06), mix(rgb(.48, .50, .14), rgb(.75, .30, .24), smooth(.66, .72, noise(x * 70, y * 60))),
                fbm(x * 50, y * 26, 4));
    return c;
}

/* ---- the painting: brush strokes along a stream function -------------------------------------------------- */

enum { PAINTING_W = 720, PAINTING_H = 576 };

static const struct swirl {
    double x, y, r, turn;
} swirls[] = { { .24, .26, .17, 1 }, { .62, .20, .13, -1 }, { .86, .36, .11, 1 }, { .45, .44, .09, -1 }, { .06, .52, .08, 1 } };

static double horizon(double x)
{
    return .66 + .05 * sin(5 * x + .6) + .03 * sin(13 * x);
}

/* Flow runs along its level lines, and so do the bands of colour. */
static double stream(double x, double y)
{
    double s = 1.1 * y + .05 * sin(7 * x + 3 * y) + .03 * sin(13 * x - 5 * y);

    for (size_t i = 0; i < sizeof swirls / sizeof *swirls; i++) {
        double d = hypot((x - swirls[i].x) * 1.25, y - swirls[i].y) / swirls[i].r;

        s += swirls[i].turn * .42 * swirls[i].r * 5 * exp(-d * d / 1.4);
    }
    return s;
}

static double field(double x, double y)
{
    return y - horizon(x) + .10 * sin(3 * x + 8 * y) * (y - .6) + .02 * sin(17 * x);
}

static void flow(double x, double y, double *dx, double *dy)
{
    const double e = 1e-3;
    double (*f)(double, double) = y < horizon(x) ? stream : field;
    double gx = (f(x + e, y) - f(x - e, y)) / 1.25, gy = f(x, y + e) - f(x, y - e), n = hypot(gx, gy) + 1e-9;

    *dx = gy / n;
    *dy = -gx / n;
}

static colour band(const float (*p)[3], int n, double t)
{
    double u = (t - floor(t)) * n;
    int i = (int)u % n, k = (i + 1) % n;
    double f = smooth(.35, .65, u - floor(u));

    return mix(rgb(p[i][0], p[i][1], p[i][2]), rgb(p[k][0], p[k][1], p[k][2]), f);
}

static colour subject(double x, double y)
{
    static const float night[7][3] = { { .05, .10, .36 }, { .08, .24, .58 }, { .16, .47, .72 }, { .55, .78, .80 },
                                       { .10, .32, .62 }, { .22, .16, .46 }, { .07, .17, .45 } };
    static const float earth[7][3] = { { .78, .50, .10 }, { .90, .70, .20 }, { .42, .46, .12 }, { .12, .27, .18 },
                                       { .66, .22, .10 }, { .86, .42, .12 }, { .16, .20, .30 } };
    if (y >= horizon(x))
        return band(earth, 7, 6.5 * field(x, y) + .6 * noise(x * 4, y * 5));
    colour c = band(night, 7, 3.2 * stream(x, y) + .25 * noise(x * 5, y * 5));

    for (size_t i = 0; i < sizeof swirls / sizeof *swirls; i++) {
        double d = hypot((x - swirls[i].x) * 1.25, y - swirls[i].y) / swirls[i].r;
        double ring = .5 + .5 * cos(15 * d);

        c = mix(c, mix(rgb(.98, .86, .36), rgb(.93, .48, .12), smooth(.1, .6, d) * ring), smooth(.78, .25, d) * (.45 + .55 * ring));
        c = mix(c, rgb(1, .97, .78), smooth(.22, .10, d));
    }
    return mix(c, rgb(.90, .46, .22), .7 * smooth(.13, .0, horizon(x) - y));
}

/* A stroke: bristles side by side, each with its own tint and load of paint, along the flow from (x, y). */
static void stroke(canvas *k, double x, double y, double radius, double length, colour c, uint64_t *seed)
{
    float tint[128], load[128];
    int bristles = (int)fmin(127, 2 * radius);
    double run = uniform(seed) - .5;

    for (int i = 0; i <= bristles; i++) {
        tint[i] = (float)(.22 * (uniform(seed) - .5) + .10 * run);
        load[i] = (float)(.35 + .65 * uniform(seed));
    }
    for (double s = 0; s < length; s += .5) {
        double dx, dy, taper = smooth(0, .12, s / length) * smooth(1, .7, s / length);

        flow(x / k->w, y / k->h, &dx, &dy);
        for (int i = 0; i <= bristles; i++) {
            double side = 2. * i / bristles - 1, edge = 1 - side * side;
            double dry = noise(i * 1.7 + 100 * run, s * .05);

            if (edge < .15 * (1 - taper) || (s / length > .55 && dry * load[i] < .25))
                continue;
            dab(k, x - dy * side * radius * (.6 + .4 * taper), y + dx * side * radius * (.6 + .4 * taper), light(c, tint[i]),
                .75, load[i] * (.4 + .6 * sqrt(edge)) * radius / 8);
        }
        x += .5 * dx;
        y += .5 * dy;
    }
}

static void draw_painting(canvas *k)
{
    static const struct {
        int strokes;
        double radius, length, wild;
    } coats[] = { { 1500, 17, 170, .03 }, { 3200, 10, 130, .05 }, { 5200, 6, 90, .07 }, { 2600, 3.5, 60, .09 } };
    uint64_t seed = 2024;

    for (size_t i = 0; i < sizeof coats / sizeof *coats; i++)
        for (int n = 0; n < coats[i].strokes; n++) {
            double x = (1.1 * uniform(&seed) - .07) * k->w, y = (1.1 * uniform(&seed) - .05) * k->h;
            double u = x / k->w, v = y / k->h, wild = coats[i].wild;
            colour c = subject(u, v);
            double radius = coats[i].radius * (.7 + .6 * uniform(&seed));

            c = rgb(c.r + wild * 2 * (uniform(&seed) - .5), c.g + wild * 2 * (uniform(&seed) - .5),
                    c.b + wild * 2 * (uniform(&seed) - .5));
            if (i == 3 && v > horizon(u) + .03 && n % 4 == 0) /* poppies */
                c = rgb(.88, .10 + .1 * uniform(&seed), .08);
            stroke(k, x, y, radius, coats[i].length * (.6 + .8 * uniform(&seed)), c, &seed);
        }
    varnish(k);
}

/* ---- two more, for the README's picture: stained glass and an ink drawing ------------------------------------- */

/* Cells around scattered points, lead between them, light from behind. */
static colour glass(double x, double y)
{
    static const float pane[8][3] = { { .85, .12, .14 }, { .96, .62, .10 }, { .10, .30, .70 }, { .08, .52, .42 },
                                      { .98, .86, .42 }, { .46, .12, .46 }, { .12, .62, .80 }, { .90, .36, .14 } };
    double u = x * 17 + 1.5 * noise(x * 3, y * 3), v = y * 13 + 1.5 * noise(x * 3 + 9, y * 3), first = 9, second = 9;
    uint32_t owner = 0;

    for (int j = -1; j <= 1; j++)
        for (int i = -1; i <= 1; i++) {
            int cx = (int)floor(u) + i, cy = (int)floor(v) + j;
            uint32_t h = hash(cx, cy);
            double d = hypot(cx + .1 + .8 * (h % 997) / 997. - u, cy + .1 + .8 * (h / 997 % 991) / 991. - v);

            if (d < first) {
                second = first;
                first = d;
                owner = h;
            } else if (d < second) {
                second = d;
            }
        }
    const float *p = pane[owner / 7 % 8];
    double bright = .55 + .6 * fbm(u * 1.5 + owner % 13, v * 1.5, 4) + .2 * smooth(.5, 0, first);

    return mix(rgb(.05, .05, .06), rgb(p[0] * bright, p[1] * bright, p[2] * bright), smooth(.05, .10, second - first));
}

/* Black, red and blue hatching along the painting's flow on cream paper, denser where it is dark. */
static colour ink(double x, double y)
{
    colour paper = mix(rgb(.95, .90, .78), rgb(.90, .83, .68), fbm(x * 8, y * 8, 5));
    double tone = smooth(.30, .70, fbm(x * 4 + 3, y * 4 + 5, 3)), wobble = .35 * (fbm(x * 30, y * 30, 2) - .5);
    double line = fabs(sin(150 * stream(x, y) + 6 * wobble)), cross = fabs(sin(190 * (x - y + .06 * sin(9 * y)) + 6 * wobble));
    double black = smooth(.12, -.02, line - .75 * (1 - tone)) * (.75 + .25 * noise(x * 400, y * 400));
    double red = smooth(.05, -.02, cross - .6 * smooth(.45, .15, tone));

    paper = mix(paper, rgb(.74, .16, .10), .85 * red);
    return mix(paper, rgb(.07, .07, .12), black);
}

static void draw(canvas *k, colour (*at)(double x, double y))
{
    for (int j = 0; j < k->h; j++)
        for (int i = 0; i < k->w; i++)
            set(k, i, j, at((i + .5) / k->w, (j + .5) / k->h));
}

int main(int argc, char **argv)
{
    const char *what = argc == 3 ? argv[1] : "";
    canvas k = { 0 };

    if (!strcmp(what, "photo")) {
        stretch(&k, FINE * PHOTO_W, FINE * PHOTO_H);
        build_town(5);
        draw(&k, photo);
    } else if (!strcmp(what, "painting")) {
        stretch(&k, FINE * PAINTING_W, FINE * PAINTING_H);
        draw_painting(&k);
    } else if (!strcmp(what, "glass") || !strcmp(what, "ink")) {
        stretch(&k, FINE * PAINTING_W, FINE * PAINTING_H);
        draw(&k, *what == 'g' ? glass : ink);
    } else if (!strcmp(what, "portrait")) {
        stretch(&k, FINE * PAINTING_H, FINE * PAINTING_W);
        draw(&k, portrait);
    } else if (!strcmp(what, "waves")) {
        stretch(&k, FINE * PAINTING_W, FINE * PAINTING_H);
        draw(&k, waves);
    } else if (!strcmp(what, "dots")) {
        stretch(&k, FINE * PAINTING_W, FINE * PAINTING_H);
        draw_dots(&k, subject);
    } else {
        fputs("usage: make_samples photo|portrait|painting|glass|ink|waves|dots FILE\n", stderr);
        return 2;
    }
    return hang(&k, FINE, argv[2]);
}
