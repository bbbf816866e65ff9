/* subjects.h: three more pictures for sheets: a portrait, a woodcut of waves, dots of pure colour; for make_samples.c alone. */
#ifndef NST_DATA_SUBJECTS_H
#define NST_DATA_SUBJECTS_H

#include "canvas.h"

/* ---- a portrait: relief under a lamp.  X, Y in heights of the picture, X from its middle --------------------- */

static inline double bump(double x, double y, double w, double h)
{
    return exp(-x * x / (w * w) - y * y / (h * h));
}

/* The head's depth towards the viewer; below 0 outside. */
static inline double relief(double x, double y)
{
    double jaw = y > .47 ? 1 - .30 * pow((y - .47) / .21, 2) : 1;
    double ex = x / (.150 * jaw), ey = (y - .455) / (y < .455 ? .235 : .215), inside = 1 - ex * ex - ey * ey, a = fabs(x);

    if (inside <= 0)
        return -1;
    double z = .15 * sqrt(inside);
    z += .030 * bump(x, 0, .020, 1) * smooth(.40, .52, y) * smooth(.560, .538, y) + .010 * bump(a - .024, y - .538, .012, .013);
    z -= .016 * bump(a - .060, y - .428, .036, .026);
    z += .008 * bump(a - .058, y - .388, .050, .014) + .008 * bump(a - .080, y - .510, .036, .036);
    z += .009 * bump(x, y - .598, .046, .016) - .005 * bump(x, y - .598, .050, .0035) + .010 * bump(x, y - .645, .036, .020);
    return z;
}

static inline colour eye(double x, double y, colour skin)
{
    double side = x < 0 ? -1 : 1, u = fabs(x) - .060, v = y - .430, lid = .0150 * (1 - pow(u / .034, 2)), r = hypot(u - .003 * side, v + .001);

    if (fabs(u) > .034)
        return skin;
    colour c = skin;
    if (v > -lid && v < .75 * lid) {
        c = mix(rgb(.90, .86, .82), rgb(.62, .56, .54), smooth(.006, -.012, v));
        c = mix(c, mix(rgb(.30, .46, .50), rgb(.10, .18, .22), smooth(.006, .0125, r)), smooth(.0135, .0120, r));
        c = mix(c, rgb(.03, .03, .04), smooth(.0064, .0052, r));
        c = mix(c, rgb(1, 1, 1), smooth(.0034, .0022, hypot(u + .004, v + .005)));
    }
    return mix(c, rgb(.16, .08, .06), .9 * smooth(.0042, .0012, fabs(v + lid)) + .35 * smooth(.003, 0, fabs(v - .75 * lid)));
}

static inline colour head(double x, double y, colour behind)
{
    const double e = .0015;
    double z = relief(x, y);

    if (z < 0)
        return behind;
    double dx = (relief(x + e, y) - relief(x - e, y)) / (2 * e), dy = (relief(x, y + e) - relief(x, y - e)) / (2 * e);
    double n = sqrt(1 + dx * dx + dy * dy), lit = fmax(0, (.52 * dx + .48 * dy + .70) / n), warm = fmax(0, (-.8 * dx + .1 * dy + .2) / n);
    double a = fabs(x), pores = fbm(x * 90, y * 90, 3) - .5;
    colour skin = mix(rgb(.86, .64, .52), rgb(.84, .42, .36), .5 * bump(a - .085, y - .515, .040, .034) + .25 * bump(x, y - .54, .03, .02));

    skin = mix(skin, rgb(.72, .25, .25), smooth(1.05, .8, hypot(x / .050, (y - .598) / (.0165 - .006 * bump(x, 0, .012, 1) * (y < .598)))));
    skin = mix(skin, rgb(.32, .08, .09), .8 * smooth(.0035, .001, fabs(y - .598 - .10 * a * a)) * smooth(.054, .046, a));
    skin = eye(x, y, skin);
    double brow = fabs(y - .388 + .010 * smooth(.02, .06, a) - .014 * smooth(.07, .10, a)), hair = noise(x * 400, y * 160);
    skin = mix(skin, rgb(.20, .11, .07), .85 * smooth(.0085, .004, brow + .004 * hair) * smooth(.022, .032, a) * smooth(.104, .090, a));
    skin = mix(skin, rgb(.25, .10, .08), .8 * smooth(.008, .004, hypot((a - .014) / 1.4, y - .5555)));
    double s = .10 + 1.02 * lit + .03 * pores;
    return rgb(skin.r * s + .06 * warm, skin.g * s * .99 + .03 * warm, skin.b * s * .97 + .01 + .10 * warm * (1 - lit));
}

static inline colour portrait(double px, double py)
{
    double x = (px - .5) * .8 + .01, y = py + .02, a = fabs(x);
    double wall = fbm(x * 4 + 9, y * 4, 5);
    colour c = mix(mix(rgb(.44, .47, .40), rgb(.13, .17, .19), smooth(-.45, .40, x + .3 * (y - .4))), rgb(.60, .50, .34), .35 * smooth(.45, .7, wall));
    double strand = fbm(60 * x + 9 * sin(5 * y + 2 * x), 5 * y + 4 * a, 4), shine = bump(x + .09, y - .27, .08, .06) + .4 * bump(x - .14, y - .5, .03, .2);
    colour hair = mix(rgb(.13, .07, .05), rgb(.62, .33, .14), smooth(.35, .75, strand) * (.35 + .8 * shine));

    /* hair behind, neck, coat */
    if (hypot(x / .215, (y - .42) / .285) < 1 + .03 * (strand - .5) || (a < .205 + .02 * sin(14 * y) && y > .42 && y < .80 + .1 * (strand - .5)))
        c = hair;
    if (a < .078 + .10 * smooth(.70, .84, y) && y > .58)
        c = mix(rgb(.74, .52, .41), rgb(.28, .15, .13), .75 * smooth(-.06, .09, x) + .5 * smooth(.74, .66, y));
    double shoulder = .765 + .75 * a * a + .25 * smooth(.20, .42, a), fold = fbm(x * 7 + 2 * sin(9 * y), y * 3 + 7, 4);
    if (y > shoulder - .02 * smooth(.13, .10, a) && (a > .10 || y > .79 + .9 * (.10 - a))) {
        double rim = smooth(.05, 0, y - shoulder) * (x < 0);

        c = mix(mix(rgb(.06, .14, .30), rgb(.16, .40, .62), smooth(.35, .70, fold - .5 * x)), rgb(.70, .78, .80), .35 * rim);
        if (y < .832 + .9 * (.10 - a) && a < .14)
            c = mix(rgb(.92, .88, .78), rgb(.55, .50, .46), smooth(-.05, .1, x));
    }
    c = head(x, y, c);
    /* the fringe, parted on one side */
    double line = .300 + .9 * (x + .05) * (x + .05) * (x < -.05 ? 3.2 : 1.25) + .02 * (strand - .5);
    if (hypot(x / .195, (y - .40) / .262) < 1 && (y < line || a > .147 + .01 * strand))
        c = hair;
    return c;
}

/* ---- waves: a woodcut of crests behind one another, flat inks, dark lines, claws of foam ---------------------- */

static inline double crest(double x, int i)
{
    double p = 6.3 * x * (1.3 + .25 * i) + 1.9 * i, lean = p + .7 * sin(p);

    return .30 + .125 * i - (.075 + .012 * (i % 3)) * (sin(lean) + .25 * sin(2.3 * lean + i)) + .012 * (fbm(x * 26, i * 3.3, 3) - .5);
}

static inline colour waves(double x, double y)
{
    static const double ink[5][3] = { { .05, .12, .28 }, { .09, .26, .48 }, { .22, .47, .66 }, { .55, .74, .78 }, { .13, .35, .55 } };
    double paper = fbm(x * 40, y * 40, 4) - .5, cloud = fbm(x * 3, y * 8 + 4, 4);
    colour c = mix(mix(rgb(.94, .87, .70), rgb(.90, .72, .52), smooth(.15, .45, y)), rgb(.98, .94, .84), smooth(.50, .62, cloud));
    double sun = hypot((x - .72) * 1.25, y - .20);

    c = mix(c, rgb(.82, .24, .16), smooth(.092, .088, sun));
    for (int i = 0; i < 6; i++) {
        double top = crest(x, i), d = y - top, e = .004, slope = (crest(x + e, i) - crest(x - e, i)) / (2 * e);
        double deep = d / sqrt(1 + slope * slope), foam = .022 + .030 * smooth(.2, -.6, slope) + .022 * (fbm(x * 34, y * 34 + i, 3) - .4);

        if (d < 0)
            continue;
        double along = deep * 34 + 1.2 * sin(9 * x + i) + .8 * fbm(x * 6, y * 6, 2);
        const double *p = ink[(i + (int)floor(along / 1.6)) % 4];
        double line = fabs(along / 1.6 - floor(along / 1.6 + .5));

        c = mix(rgb(p[0], p[1], p[2]), rgb(.04, .07, .16), .8 * smooth(.10, .05, line));
        if (deep < foam)
            c = mix(rgb(.96, .94, .86), rgb(.66, .78, .80), smooth(.55, .62, noise(x * 90, y * 90)));
        c = mix(c, rgb(.04, .07, .16), smooth(.0045, .0022, fmin(fabs(deep), fabs(deep - foam))));
    }
    return rgb(c.r + .10 * paper, c.g + .10 * paper, c.b + .09 * paper);
}

/* ---- dots: light taken apart into touches of pure colour ------------------------------------------------------ */

static inline void draw_dots(canvas *k, colour (*what)(double x, double y))
{
    static const double pure[9][3] = { { .90, .16, .14 }, { .96, .52, .10 }, { .98, .86, .22 }, { .30, .66, .22 }, { .06, .46, .36 },
                                       { .12, .42, .80 }, { .16, .16, .56 }, { .56, .22, .58 }, { .97, .94, .86 } };
    uint64_t seed = 77;

    for (int j = 0; j < k->h; j++)
        for (int i = 0; i < k->w; i++)
            set(k, i, j, light(what((i + .5) / k->w, (j + .5) / k->h), .1));
    for (int n = 0; n < 52000; n++) {
        double x = uniform(&seed) * k->w, y = uniform(&seed) * k->h, r = 5 + 4.5 * uniform(&seed), best = 9;
        colour c = what(x / k->w, y / k->h), dot = c;

        for (int i = 0; i < 9; i++) { /* near in colour, and some chance */
            double d = hypot(hypot(pure[i][0] - c.r, pure[i][1] - c.g), pure[i][2] - c.b) + .55 * uniform(&seed);

            if (d < best) {
                best = d;
                dot = mix(rgb(pure[i][0], pure[i][1], pure[i][2]), c, .35);
            }
        }
        for (double v = -r; v <= r; v++)
            for (double u = -r; u <= r; u++)
                if (u * u + v * v < r * r)
                    dab(k, x + u, y + v, dot, .9, .8 * sqrt(1 - (u * u + v * v) / (r * r)));
    }
    varnish(k);
}

#endif
