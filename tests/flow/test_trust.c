/* test_trust.c: pictures pulled along a flow; which pixels of it count: what is hidden, what left, a motion's edge; and
 * where another scene begins. */
#include "film.h"

struct pair {
    nst_image *a, *b;
    nst_flow *there, *back; /* from a to b, from b to a */
};

static struct pair pair_of(const film *f, int half)
{
    nst_flow_options o = { .threads = 2, .half = half };
    struct pair p = { .a = film_frame(f, 0), .b = film_frame(f, 1) };

    p.there = film_flow(p.a, p.b, &o);
    p.back = film_flow(p.b, p.a, &o);
    return p;
}

static void drop(struct pair *p)
{
    nst_image_destroy(&p->a);
    nst_image_destroy(&p->b);
    nst_flow_destroy(&p->there);
    nst_flow_destroy(&p->back);
}

static nst_image *warped(const nst_image *picture, const nst_flow *flow)
{
    nst_error e = { "" };
    nst_image *out;

    ck_assert_msg(!nst_flow_warp(&out, picture, flow, &e), "%s", e.text);
    return out;
}

/* A flow of one vector. */
static nst_flow *even(int w, int h, float u, float v)
{
    nst_flow *f;

    ck_assert_int_eq(nst_flow_create(&f, w, h, NULL), NST_OK);
    for (int i = 0; i < w * h; i++)
        f->plane[0][i] = u, f->plane[1][i] = v;
    return f;
}

/* Whole pixels are the picture's own bits, halves are means, and what comes from outside does not count; a flow of 0
 * changes no bit; what is not known does not count. */
START_TEST(warp)
{
    film f = film_of(40, 30);
    nst_image *p = film_frame(&f, 0), *out;
    nst_flow *flow = even(40, 30, 3, -2);

    out = warped(p, flow);
    ck_assert(out->channels == 4 && out->width == 40 && out->height == 30);
    for (int y = 0; y < 30; y++)
        for (int x = 0; x < 40; x++) {
            bool in = x + 3 < 40 && y >= 2;

            ck_assert(out->plane[3][y * 40 + x] == in);
            for (int c = 0; c < 3; c++) /* outside: the nearest edge's */
                ck_assert(out->plane[c][y * 40 + x] ==
                          p->plane[c][(y < 2 ? 0 : y - 2) * 40 + (x + 3 < 40 ? x + 3 : 39)]);
        }
    nst_image_destroy(&out);
    nst_flow_destroy(&flow);
    flow = even(40, 30, .5f, 0);
    flow->plane[0][5] = NAN;
    out = warped(p, flow);
    ck_assert(fabsf(out->plane[1][0] - .5f * (p->plane[1][0] + p->plane[1][1])) < 1e-6f);
    ck_assert(out->plane[3][0] == 1 && out->plane[3][39] == .5f && out->plane[3][5] == 0); /* half of 39 is outside */
    ck_assert(out->plane[0][5] == p->plane[0][5]);
    nst_image_destroy(&out);
    nst_flow_destroy(&flow);
    flow = even(40, 30, 0, 0);
    out = warped(p, flow);
    ck_assert(!memcmp(out->plane[0], p->plane[0], 3 * 40 * 30 * sizeof(float)));
    nst_image_destroy(&out);
    nst_image_destroy(&p);
    nst_flow_destroy(&flow);
}
END_TEST

/* A picture's own alpha moves with it. */
START_TEST(warp_alpha)
{
    nst_flow *flow = even(20, 20, 4, 0);
    nst_image *p, *out;

    ck_assert_int_eq(nst_image_create(&p, 20, 20, 4, NULL), NST_OK);
    p->plane[3][10 * 20 + 10] = .75f;
    out = warped(p, flow);
    ck_assert(out->plane[3][10 * 20 + 6] == .75f && out->plane[3][10 * 20 + 10] == 0);
    nst_image_destroy(&out);
    nst_image_destroy(&p);
    nst_flow_destroy(&flow);
}
END_TEST

/* Shares of pixels: of those that the other frame does not show, how many count for nothing; of the others, more than a
 * pixel from an edge of the disc, how many count. */
static void shares(const film *f, const struct pair *p, double *found, double *kept)
{
    nst_image *out = warped(p->b, p->there);
    nst_error e = { "" };
    double hidden = 0, hidden_found = 0, seen = 0, seen_kept = 0, u, v;

    ck_assert_msg(!nst_flow_weigh(out, p->there, p->back, &e), "%s", e.text);
    for (int y = 0; y < f->h; y++)
        for (int x = 0; x < f->w; x++) {
            float alpha = out->plane[3][y * f->w + x];

            ck_assert(alpha >= 0 && alpha <= 1);
            if (film_truth(f, x, y, &u, &v))
                seen++, seen_kept += alpha > .5f;
            else
                hidden++, hidden_found += alpha < .5f;
        }
    *found = hidden > 0 ? hidden_found / hidden : 1;
    *kept = seen_kept / seen;
    nst_image_destroy(&out);
}

/* On 2026-11-29 .94 to 1 were found and .92 to .99 kept. */
START_TEST(occlusion)
{
    static const struct { double dx, disc_dx, disc_dy, zoom; } motion[] = {
        { 0, 9, -4, 1 }, { 0, 24, 0, 1 }, { -5, 6, 0, 1 }, { 30, 30, 0, 1 }, { 0, 0, 0, 1.05 },
    };
    film f = film_of(256, 160);
    double found, kept;
    struct pair p;

    f.radius = 40, f.disc_x = 120, f.disc_y = 80, f.noise = _i % 2 * 2. / 255;
    f.dx = motion[_i / 2].dx, f.disc_dx = motion[_i / 2].disc_dx, f.disc_dy = motion[_i / 2].disc_dy;
    f.zoom = motion[_i / 2].zoom;
    if (f.zoom > 1)
        f.radius = 0;
    for (int half = 0; half < 2; half++) {
        p = pair_of(&f, half);
        shares(&f, &p, &found, &kept);
        printf("motion %d, noise %d, half %d: %.3f found, %.3f kept\n", _i / 2, _i % 2, half, found, kept);
        ck_assert_msg(found > .9 && kept > .9, "motion %d, half %d: %.3f found, %.3f kept", _i / 2, half, found, kept);
        drop(&p);
    }
}
END_TEST

/* The mean alpha of the outermost pixels of the sides that a pan, not quite straight, runs along: .05 pixels do not
 * make one side's new. */
START_TEST(sides)
{
    film f = film_of(256, 160);
    nst_image *out;
    struct pair p;
    double sum = 0;
    int n = 0;

    f.dx = _i % 2 ? .05 : 3.7, f.dy = _i % 2 ? 3.7 : .05;
    p = pair_of(&f, _i / 2);
    out = warped(p.b, p.there);
    ck_assert_int_eq(nst_flow_weigh(out, p.there, p.back, NULL), NST_OK);
    for (int k = 10; k < (_i % 2 ? f.h : f.w) - 10; k++, n += 2) {
        size_t first = _i % 2 ? (size_t)(k * f.w) : (size_t)k;
        size_t last = _i % 2 ? first + (size_t)f.w - 1 : first + (size_t)((f.h - 1) * f.w);

        sum += out->plane[3][first] + out->plane[3][last];
    }
    ck_assert_msg(sum / n > .9, "%.3f", sum / n);
    nst_image_destroy(&out);
    drop(&p);
}
END_TEST

/* Beside an unreliable pixel weights are soft; it has none itself. */
START_TEST(soft)
{
    nst_flow *there = even(30, 30, 0, 0), *back = even(30, 30, 0, 0);
    nst_image *p, *out;

    ck_assert_int_eq(nst_image_create(&p, 30, 30, 3, NULL), NST_OK);
    back->plane[0][15 * 30 + 15] = 5; /* they disagree here */
    out = warped(p, there);
    ck_assert_int_eq(nst_flow_weigh(out, there, back, NULL), NST_OK);
    ck_assert(out->plane[3][15 * 30 + 15] == 0);
    ck_assert(fabsf(out->plane[3][15 * 30 + 16] - 8 / 9.f) < 1e-6f);
    ck_assert(out->plane[3][15 * 30 + 17] == 1 && out->plane[3][0] == 1);
    nst_image_destroy(&out);
    for (int y = 0; y < 30; y++) /* both agree, and move apart at column 10 */
        for (int x = 0; x < 10; x++)
            there->plane[1][y * 30 + x] = 1, back->plane[1][y * 30 + x] = -1;
    back->plane[0][15 * 30 + 15] = 0;
    out = warped(p, there);
    ck_assert_int_eq(nst_flow_weigh(out, there, back, NULL), NST_OK);
    ck_assert(out->plane[3][8 * 30 + 9] == 0 && out->plane[3][8 * 30 + 10] == 0);
    ck_assert(out->plane[3][8 * 30 + 7] == 1 && out->plane[3][8 * 30 + 12] == 1);
    nst_image_destroy(&out);
    nst_image_destroy(&p);
    nst_flow_destroy(&there);
    nst_flow_destroy(&back);
}
END_TEST

static nst_flow_change change_of(const struct pair *p)
{
    nst_error e = { "" };
    nst_flow_change change;

    ck_assert_msg(!nst_flow_compare(&change, p->a, p->b, p->there, p->back, &e), "%s", e.text);
    printf("unreliable %.3f, unexplained %.3f, histogram %.3f, cut %d\n", change.unreliable, change.unexplained,
           change.histogram, change.cut);
    return change;
}

/* Another ground is a cut, in the same colours too; fast motion, noise, a flash, a flat cartoon and a near
 * thing that passes are none. */
START_TEST(cuts)
{
    film f = film_of(200, 130), other = f;
    struct pair p;

    for (int seed = 2; seed < 6; seed++) {
        p = pair_of(&f, _i);
        other.seed = seed;
        nst_image_destroy(&p.b);
        p.b = film_frame(&other, 1);
        nst_flow_destroy(&p.there);
        nst_flow_destroy(&p.back);
        p.there = film_flow(p.a, p.b, &(nst_flow_options){ .half = _i });
        p.back = film_flow(p.b, p.a, &(nst_flow_options){ .half = _i });
        ck_assert(change_of(&p).cut);
        drop(&p);
    }
    for (int kind = 0; kind < 7; kind++) {
        film g = f;

        g.noise = 3. / 255;
        g.dx = kind == 0 ? 30 : 0, g.dy = kind == 0 ? 20 : 0;
        g.turn = kind == 1 ? .15 : 0;
        g.zoom = kind == 2 ? 1.2 : 1;
        g.brighter = kind == 3 ? .25 : 0;
        g.flat = kind == 4;
        g.radius = kind == 4 || kind == 5 ? 50 : 0, g.disc_x = 80, g.disc_y = 60, g.disc_dx = kind == 4 ? 8 : 30;
        if (kind == 6) /* on 2026-11-29 unreliable was .58 and unexplained .07 */
            g.radius = 60, g.disc_x = 40, g.disc_y = 65, g.disc_dx = 60;
        p = pair_of(&g, _i);
        ck_assert_msg(!change_of(&p).cut, "kind %d", kind);
        drop(&p);
    }
}
END_TEST

START_TEST(refused)
{
    nst_flow *one = even(20, 20, 0, 0), *other = even(21, 20, 0, 0);
    nst_flow_change change;
    nst_error e = { "" };
    nst_image *p, *out;

    ck_assert_int_eq(nst_image_create(&p, 20, 20, 3, NULL), NST_OK);
    ck_assert(nst_flow_warp(&out, p, other, &e) == NST_EARG && !out);
    ck_assert_str_eq(e.text, "flow: is of 21 x 20 pixels and the picture of 20 x 20, expected one size");
    ck_assert(nst_flow_weigh(p, one, one, &e) == NST_EARG && strstr(e.text, "has no alpha"));
    out = warped(p, one);
    ck_assert_int_eq(nst_flow_weigh(out, one, other, &e), NST_EARG);
    ck_assert_int_eq(nst_flow_weigh(out, other, one, &e), NST_EARG);
    ck_assert_int_eq(nst_flow_compare(&change, p, p, one, other, &e), NST_EARG);
    nst_image_destroy(&p);
    ck_assert_int_eq(nst_image_create(&p, 21, 20, 3, NULL), NST_OK);
    ck_assert_int_eq(nst_flow_compare(&change, out, p, one, one, &e), NST_EARG);
    nst_image_destroy(&p);
    nst_image_destroy(&out);
    nst_flow_destroy(&one);
    nst_flow_destroy(&other);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, warp);
    tcase_add_test(t, warp_alpha);
    tcase_add_loop_test(t, occlusion, 0, 10);
    tcase_add_loop_test(t, sides, 0, 4);
    tcase_add_test(t, soft);
    tcase_add_loop_test(t, cuts, 0, 2);
    tcase_add_test(t, refused);
}

int main(void)
{
    return run_suite("trust", add);
}
