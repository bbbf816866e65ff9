/* test_graph.c: the network as a whole, on small random chains: statistics, content distances and gradients against
 * the oracle for every set and algorithm; finite differences; windows that add up to the picture and have its bits; the same
 * bits for any number of threads; nothing allocated while it runs. */
#include "chain.h"
#include "suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const algorithms[] = { "im2col", "winograd4", "winograd6" };
/* Largest error over largest value, after up to seven layers; about five times what was seen. */
static const double allowed[] = { 2e-6, 6e-6, 1.5e-5 };

static size_t pixels(const chain_shape *s)
{
    return 3 * (size_t)s->w * (size_t)s->h;
}

static nst_graph *graph(const chain *c, const nst_kernels *k, int threads, const char *conv)
{
    nst_graph_options o = c->options;
    nst_graph *g;
    nst_error e;

    o.cpu.k = k, o.cpu.threads = threads, o.conv = conv, o.device = "cpu";
    ck_assert_msg(nst_graph_create(&g, &o, &e) == NST_OK, "%s", e.text);
    return g;
}

/* By hand: the arm64 build has no style.c, which makes them. */
static nst_stats stats_create(int c)
{
    nst_stats s = { .c = c };

    s.gram = calloc((size_t)c * (size_t)c, sizeof *s.gram);
    s.sum = calloc((size_t)c, sizeof *s.sum);

    if (!s.gram || !s.sum)
        abort();
    return s;
}

static void stats_destroy(nst_stats *s)
{
    free(s->gram), free(s->sum);
}

/* What a loss could ask of every tap: random a (symmetric), b and scale, and content features. */
struct loss {
    nst_tap_gradient tap[NST_MODEL_LAYERS];
    float *a[NST_MODEL_LAYERS], *b[NST_MODEL_LAYERS];
    nst_kept *content[NST_MODEL_LAYERS];
    double distance[NST_MODEL_LAYERS];
};

/* Layer i is read by a Gram loss, a content loss or both. */
static bool has_gram(int i) { return i % 3 != 1; }
static bool has_content(int i) { return i % 3 != 2; }

static void loss_create(struct loss *l, const chain *c)
{
    memset(l, 0, sizeof *l);
    for (int i = 0; i < c->model.layers; i++) {
        int n = c->model.layer[i].out;

        l->a[i] = oracle_alloc((size_t)n * (size_t)n), l->b[i] = oracle_alloc((size_t)n);
        oracle_fill((size_t)n * (size_t)n, l->a[i]), oracle_fill((size_t)n, l->b[i]);
        for (int j = 0; j < n; j++)
            for (int k = 0; k <= j; k++)
                l->a[i][k * n + j] = l->a[i][j * n + k] /= (float)n;
        if (has_gram(i))
            l->tap[i].a = l->a[i], l->tap[i].b = i % 2 ? l->b[i] : NULL;
        if (has_content(i))
            l->tap[i].content_scale = .75;
    }
}

static void loss_keep(struct loss *l, const chain *c, nst_graph *g)
{
    for (int i = 0; i < c->model.layers; i++)
        if (has_content(i)) {
            ck_assert_int_eq(nst_graph_keep(g, i, &l->content[i], NULL), NST_OK);
            l->tap[i].content = l->content[i];
        }
}

static void loss_drop(struct loss *l)
{
    for (int i = 0; i < NST_MODEL_LAYERS; i++) {
        nst_kept_destroy(&l->content[i]);
        l->tap[i].content = NULL;
    }
}

static void loss_destroy(struct loss *l)
{
    loss_drop(l);
    for (int i = 0; i < NST_MODEL_LAYERS; i++)
        if (l->a[i])
            ck_assert(oracle_free(l->a[i]) && oracle_free(l->b[i]));
}

/* The same in double: the oracle's gradient with respect to x, and the distances. */
struct right {
    double *dx;
    double distance[NST_MODEL_LAYERS];
    oracle_map content[NST_MODEL_LAYERS];
};

static void right_create(struct right *r, const chain *c, const chain_shape *s, const struct loss *l)
{
    oracle_map d[NST_MODEL_LAYERS] = { { 0 } };

    r->dx = calloc(pixels(s), sizeof *r->dx);
    if (!r->dx)
        abort();
    for (int i = 0; i < c->model.layers; i++) {
        const oracle_map *f = &c->out[i];
        int n = f->c, positions = f->w * f->h;

        r->distance[i] = 0;
        d[i] = oracle_map_create(n, f->h, f->w);
        for (int j = 0; j < n; j++)
            for (int p = 0; p < positions; p++) {
                double v = 0, off = f->v[j * positions + p] - r->content[i].v[j * positions + p];

                for (int k = 0; has_gram(i) && k < n; k++)
                    v += (double)l->a[i][j * n + k] * f->v[k * positions + p];
                if (has_gram(i) && l->tap[i].b)
                    v += (double)l->b[i][j];
                if (has_content(i))
                    v += l->tap[i].content_scale * off, r->distance[i] += off * off;
                d[i].v[j * positions + p] = v;
            }
    }
    chain_backward(c, s, d, r->dx);
    for (int i = 0; i < c->model.layers; i++)
        oracle_map_destroy(&d[i]);
}

static void right_destroy(struct right *r)
{
    free(r->dx);
    for (int i = 0; i < NST_MODEL_LAYERS; i++)
        oracle_map_destroy(&r->content[i]);
}

static double largest(size_t n, const double *x)
{
    double most = 0;

    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs(x[i]));
    return most;
}

static void check_stats(const chain *c, nst_graph *g, double tolerance)
{
    for (int i = 0; i < c->model.layers; i++) {
        const oracle_map *f = &c->out[i];
        int n = f->c;
        nst_stats s = stats_create(n);
        double *gram = calloc((size_t)n * (size_t)n + (size_t)n, sizeof *gram), *sum = gram + n * n;

        if (!gram)
            abort();
        oracle_stats(f, 0, 0, f->w, f->h, gram, sum);
        ck_assert_int_eq(nst_graph_stats(g, i, &s, NULL), NST_OK);
        ck_assert_msg(s.n == (double)f->w * f->h, "%s: %g positions, expected %d x %d", c->model.layer[i].name, s.n,
                      f->w, f->h);
        for (int k = 0; k < n * n; k++)
            ck_assert_msg(fabs((double)s.gram[k] - gram[k]) <= tolerance * largest((size_t)n * (size_t)n, gram),
                          "%s: Gram %d is %.9g, expected %.9g", c->model.layer[i].name, k, (double)s.gram[k], gram[k]);
        for (int k = 0; k < n; k++)
            ck_assert(fabs((double)s.sum[k] - sum[k]) <= tolerance * largest((size_t)n, sum));
        stats_destroy(&s);
        free(gram);
    }
}

static void check_gradient(const char *what, const chain_shape *s, const float *got, const double *right,
                           double tolerance)
{
    double most = largest(pixels(s), right);

    for (size_t i = 0; i < pixels(s); i++)
        ck_assert_msg(fabs((double)got[i] - right[i]) <= tolerance * most,
                      "%s: gradient at %zu, %zu of plane %zu is %.9g, expected %.9g, the largest is %.3g", what,
                      i % (size_t)s->w, i / (size_t)s->w % (size_t)s->h, i / (size_t)s->w / (size_t)s->h,
                      (double)got[i], right[i], most);
}

/* ---- the oracle ---- */

/* Shape _i: statistics of every layer, content distances and the gradient behind all of them. */
START_TEST(the_whole_agrees)
{
    const chain_shape *s = &chain_shapes[_i];
    nst_window win = nst_window_whole(s->w, s->h);
    float *other = oracle_alloc(pixels(s)), *dx = oracle_alloc(pixels(s));
    struct right r;
    struct loss l;

    oracle_seed((uint32_t)_i + 1);
    oracle_fill(pixels(s), other);

    chain *c = chain_create(s);
    float *x = oracle_alloc(pixels(s));

    memset(&r, 0, sizeof r);
    memcpy(x, c->x, pixels(s) * sizeof *x);
    loss_create(&l, c);
    chain_picture(c, s, other);
    for (int i = 0; i < c->model.layers; i++)
        r.content[i] = c->out[i], c->out[i].v = NULL;
    chain_picture(c, s, x);
    right_create(&r, c, s, &l);
    for (int set = 0; nst_kernels_at(set, NULL); set++)
        for (size_t a = 0; nst_simd_usable(set) && a < NST_COUNT(algorithms); a++) {
            nst_graph *g = graph(c, nst_kernels_at(set, NULL), 1 + _i % 2, algorithms[a]);
            char what[64];

            snprintf(what, sizeof what, "%s %s", nst_simd_name(set), algorithms[a]);
            ck_assert_int_eq(nst_graph_place(g, s->w, s->h, true, NULL), NST_OK);
            ck_assert_int_eq(nst_graph_forward(g, &win, other, NULL), NST_OK);
            loss_keep(&l, c, g);
            ck_assert_int_eq(nst_graph_forward(g, &win, x, NULL), NST_OK);
            check_stats(c, g, allowed[a]);
            memset(l.distance, 0, sizeof l.distance);
            memset(dx, 0, pixels(s) * sizeof *dx);
            ck_assert_int_eq(nst_graph_backward(g, &win, l.tap, l.distance, dx, NULL), NST_OK);
            for (int i = 0; i < c->model.layers; i++) {
                ck_assert_msg(fabs(l.distance[i] - r.distance[i]) <= allowed[a] * r.distance[i],
                              "%s %s: distance %.9g, expected %.9g", what, c->model.layer[i].name, l.distance[i],
                              r.distance[i]);
                if (has_content(i)) {
                    const oracle_map *f = &r.content[i];
                    double square = 0;

                    for (int k = 0; k < f->c * f->w * f->h; k++)
                        square += f->v[k] * f->v[k];
                    ck_assert(fabs(nst_kept_square(l.content[i]) - square) <= allowed[a] * square);
                }
            }
            check_gradient(what, s, dx, r.dx, allowed[a]);
            loss_drop(&l);
            nst_graph_destroy(&g);
            ck_assert_ptr_null(g);
        }
    loss_destroy(&l);
    right_destroy(&r);
    chain_destroy(c);
    ck_assert(oracle_free(other) && oracle_free(dx) && oracle_free(x));
}
END_TEST

/* Only the layers that a loss reads, and nothing behind the last of them; a layer that no loss asks anything of
 * gives nothing. */
START_TEST(few_taps_agree)
{
    static const chain_shape s = { { { 8, 8 }, { 16, 16 }, { 8 } }, false, true, false, false, 19, 14 };
    static const int taps[][2] = { { 0, 0 }, { 1, 1 }, { 1, 3 }, { 2, 2 }, { 0, 4 }, { 3, 3 } };
    nst_window win = nst_window_whole(s.w, s.h);
    float *dx = oracle_alloc(pixels(&s));
    struct right r;
    struct loss l;

    oracle_seed(11);

    chain *c = chain_create(&s);

    for (size_t t = 0; t < NST_COUNT(taps); t++)
        for (int empty = 0; empty < 2; empty++) {
            oracle_map d[NST_MODEL_LAYERS] = { { 0 } };

            memset(c->options.tap, 0, sizeof c->options.tap);
            memset(&r, 0, sizeof r);
            loss_create(&l, c);
            r.dx = calloc(pixels(&s), sizeof *r.dx);
            for (int i = 0; i < c->model.layers; i++) {
                bool on = i == taps[t][0] || i == taps[t][1];
                int n = c->out[i].c, positions = c->out[i].w * c->out[i].h;

                c->options.tap[i] = on;
                on = on && !(empty && i == taps[t][1]);
                l.tap[i] = (nst_tap_gradient){ .a = on ? l.a[i] : NULL, .b = on ? l.b[i] : NULL };
                d[i] = oracle_map_create(n, c->out[i].h, c->out[i].w);
                for (int j = 0; on && j < n; j++)
                    for (int p = 0; p < positions; p++) {
                        d[i].v[j * positions + p] = (double)l.b[i][j];
                        for (int k = 0; k < n; k++)
                            d[i].v[j * positions + p] += (double)l.a[i][j * n + k] * c->out[i].v[k * positions + p];
                    }
            }
            chain_backward(c, &s, d, r.dx);

            nst_graph *g = graph(c, nst_kernels_pick(NULL), 2, "im2col");

            ck_assert_int_eq(nst_graph_place(g, s.w, s.h, true, NULL), NST_OK);
            ck_assert_int_eq(nst_graph_forward(g, &win, c->x, NULL), NST_OK);
            memset(dx, 0, pixels(&s) * sizeof *dx);
            ck_assert_int_eq(nst_graph_backward(g, &win, l.tap, l.distance, dx, NULL), NST_OK);
            check_gradient("few taps", &s, dx, r.dx, allowed[0]);
            nst_graph_destroy(&g);
            for (int i = 0; i < c->model.layers; i++)
                oracle_map_destroy(&d[i]);
            loss_destroy(&l);
            right_destroy(&r);
        }
    chain_destroy(c);
    ck_assert(oracle_free(dx));
}
END_TEST

/* ---- finite differences: the gradient is that of the statistics and distances that the graph itself gives ---- */

static double value(nst_graph *g, const chain *c, const nst_window *win, struct loss *l, const float *x, float *dx)
{
    double loss = 0;

    ck_assert_int_eq(nst_graph_forward(g, win, x, NULL), NST_OK);
    for (int i = 0; i < c->model.layers; i++)
        if (has_gram(i)) {
            int n = c->model.layer[i].out;
            nst_stats s = stats_create(n);

            ck_assert_int_eq(nst_graph_stats(g, i, &s, NULL), NST_OK);
            for (int k = 0; k < n * n; k++)
                loss += (double)l->a[i][k] * (double)s.gram[k] / 2;
            for (int k = 0; l->tap[i].b && k < n; k++)
                loss += (double)l->b[i][k] * (double)s.sum[k];
            stats_destroy(&s);
        }
    memset(l->distance, 0, sizeof l->distance);
    ck_assert_int_eq(nst_graph_backward(g, win, l->tap, l->distance, dx, NULL), NST_OK);
    for (int i = 0; i < c->model.layers; i++)
        loss += l->tap[i].content_scale * l->distance[i] / 2;
    return loss;
}

START_TEST(finite_differences_agree)
{
    const chain_shape *s = &chain_shapes[_i];
    nst_window win = nst_window_whole(s->w, s->h);
    float *dx = oracle_alloc(pixels(s)), *rest = oracle_alloc(pixels(s)), *v = oracle_alloc(pixels(s));
    float *x = oracle_alloc(pixels(s));
    const float step = 1e-3f;
    struct loss l;

    oracle_seed(21);

    chain *c = chain_create(s);
    nst_graph *g = graph(c, nst_kernels_pick(NULL), 2, "im2col");

    loss_create(&l, c);
    oracle_fill(pixels(s), v);
    memset(dx, 0, pixels(s) * sizeof *dx);
    memset(rest, 0, pixels(s) * sizeof *rest);
    ck_assert_int_eq(nst_graph_place(g, s->w, s->h, true, NULL), NST_OK);
    ck_assert_int_eq(nst_graph_forward(g, &win, v, NULL), NST_OK);
    loss_keep(&l, c, g);
    value(g, c, &win, &l, c->x, dx);
    for (int trial = 0; trial < 5; trial++) {
        double up, down, slope = 0;

        oracle_fill(pixels(s), v);
        /* half along the gradient, or a random direction may by chance be flat */
        double size = 0;

        for (size_t i = 0; i < pixels(s); i++)
            size = fmax(size, fabs((double)dx[i]));
        for (size_t i = 0; i < pixels(s); i++)
            v[i] += dx[i] / (float)size, slope += (double)v[i] * (double)dx[i];
        for (size_t i = 0; i < pixels(s); i++)
            x[i] = c->x[i] + step * v[i];
        up = value(g, c, &win, &l, x, rest);
        for (size_t i = 0; i < pixels(s); i++)
            x[i] = c->x[i] - step * v[i];
        down = value(g, c, &win, &l, x, rest);
        ck_assert_msg(fabs((up - down) / (2 * (double)step) - slope) <= .02 * fabs(slope), "slope %.6g, expected %.6g",
                      (up - down) / (2 * (double)step), slope);
    }
    loss_destroy(&l);
    nst_graph_destroy(&g);
    chain_destroy(c);
    ck_assert(oracle_free(dx) && oracle_free(rest) && oracle_free(v) && oracle_free(x));
}
END_TEST

/* ---- windows ---- */

static int least(int a, int b) { return a < b ? a : b; }

/* A core of step pixels a side, cut at the picture's sides. */
static nst_window cut(const chain_shape *s, int step, int x, int y)
{
    return (nst_window){ .picture_w = s->w, .picture_h = s->h, .core_x = x, .core_y = y,
                         .core_w = least(step, s->w - x), .core_h = least(step, s->h - y) };
}

/* Statistics and gradients of windows with a halo add up to those of the whole picture. */
START_TEST(windows_add_up)
{
    static const chain_shape some[] = {
        { { { 8, 8 }, { 16 } }, false, false, false, false, 67, 51 },
        { { { 8 }, { 16 } }, true, true, true, true, 45, 38 },
        { { { 8 }, { 16, 8 }, { 8 } }, false, true, true, false, 71, 66 },
    };
    const chain_shape *s = &some[_i];
    nst_window whole = nst_window_whole(s->w, s->h);
    float *x = oracle_alloc(pixels(s)), *dx = oracle_alloc(pixels(s)), *sum = oracle_alloc(pixels(s));
    nst_stats all[NST_MODEL_LAYERS], parts[NST_MODEL_LAYERS];
    double *right = calloc(pixels(s), sizeof *right);
    struct loss l;

    /* weights only: float against float needs no margin */
    chain_shape small = *s;

    small.w = small.h = 4;
    oracle_seed(31);

    chain *c = chain_create(&small);
    nst_graph *g = graph(c, nst_kernels_pick(NULL), 2, "im2col");
    int grid = nst_graph_grid(g), step = 2 * grid * 4, windows = 0;

    oracle_fill(pixels(s), x);
    loss_create(&l, c);
    memset(dx, 0, pixels(s) * sizeof *dx);
    memset(sum, 0, pixels(s) * sizeof *sum);
    ck_assert_int_eq(nst_graph_place(g, s->w, s->h, true, NULL), NST_OK);
    ck_assert_int_eq(nst_graph_forward(g, &whole, x, NULL), NST_OK);
    for (int i = 0; i < c->model.layers; i++) {
        l.tap[i].content_scale = 0; /* content features are of one window */
        all[i] = stats_create(c->model.layer[i].out), parts[i] = stats_create(c->model.layer[i].out);
        ck_assert_int_eq(nst_graph_stats(g, i, &all[i], NULL), NST_OK);
    }
    ck_assert_int_eq(nst_graph_backward(g, &whole, l.tap, l.distance, dx, NULL), NST_OK);
    for (int cy = 0; cy < s->h; cy += step)
        for (int cx = 0; cx < s->w; cx += step, windows++) {
            nst_window w = cut(s, step, cx, cy);

            /* what is left over is no window of its own: the last core takes it */
            if (s->w - cx < step || s->h - cy < step) {
                if (s->w - cx < grid || s->h - cy < grid)
                    continue;
            }
            if (s->w - cx - w.core_w < grid)
                w.core_w = s->w - cx;
            if (s->h - cy - w.core_h < grid)
                w.core_h = s->h - cy;
            nst_graph_reach(g, &w);
            ck_assert(w.x % grid == 0 && w.y % grid == 0);
            ck_assert_int_eq(nst_graph_place(g, w.w, w.h, true, NULL), NST_OK);
            ck_assert_int_eq(nst_graph_forward(g, &w, x, NULL), NST_OK);
            for (int i = 0; i < c->model.layers; i++)
                ck_assert_int_eq(nst_graph_stats(g, i, &parts[i], NULL), NST_OK);
            ck_assert_int_eq(nst_graph_backward(g, &w, l.tap, l.distance, sum, NULL), NST_OK);
        }
    ck_assert(windows > 1);
    for (int i = 0; i < c->model.layers; i++) {
        size_t n = (size_t)all[i].c;
        double most = 0;

        ck_assert_msg(all[i].n == parts[i].n, "%s: %g positions in the picture, %g in its windows",
                      c->model.layer[i].name, all[i].n, parts[i].n);
        for (size_t k = 0; k < n * n; k++)
            most = fmax(most, fabs((double)all[i].gram[k]));
        for (size_t k = 0; k < n * n; k++)
            ck_assert_msg(fabs((double)all[i].gram[k] - (double)parts[i].gram[k]) <= allowed[0] * most,
                          "%s: Gram %zu is %.9g, in windows %.9g", c->model.layer[i].name, k, (double)all[i].gram[k],
                          (double)parts[i].gram[k]);
        stats_destroy(&all[i]), stats_destroy(&parts[i]);
    }
    for (size_t i = 0; i < pixels(s); i++)
        right[i] = (double)dx[i];
    check_gradient("windows", s, sum, right, allowed[0]);
    free(right);
    loss_destroy(&l);
    nst_graph_destroy(&g);
    chain_destroy(c);
    ck_assert(oracle_free(x) && oracle_free(dx) && oracle_free(sum));
}
END_TEST

static void run_window(nst_graph *g, const nst_window *win, const float *x)
{
    ck_assert_int_eq(nst_graph_place_window(g, win, NST_USE_FEATURES, NULL), NST_OK);
    ck_assert_int_eq(nst_graph_forward(g, win, x, NULL), NST_OK);
}

/* Each tap's features in the core of the window just run against those that were kept of the same core. */
static void same_bits(const chain *c, nst_graph *g, nst_kept *const *kept)
{
    for (int i = 0; i < c->model.layers; i++) {
        double square = 0, absolute = 0;

        ck_assert_int_eq(nst_graph_compare(g, i, kept[i], &square, &absolute, NULL), NST_OK);
        ck_assert_msg(square == 0 && absolute == 0, "%s: the features are %g off the whole picture's", c->model.layer[i].name,
                      absolute);
    }
}

/* The core's sums of the window just run; windows of the same rectangles add up in the same order. */
static void sum_core(nst_graph *g, const chain *c, nst_stats *sums)
{
    for (int i = 0; i < c->model.layers; i++) {
        sums[i] = stats_create(c->model.layer[i].out);
        ck_assert_int_eq(nst_graph_stats(g, i, &sums[i], NULL), NST_OK);
    }
}

/* The features of a core have the whole picture's bits, wherever it lies and whatever the tiles: in a window no larger than
 * they need; with the picture's sides nearer than a tile; and where only some rows of the picture are there, as on a rank. */
START_TEST(windows_have_the_bits)
{
    static const chain_shape shape[] = {
        { { { 8, 8 }, { 16, 8 }, { 8, 8, 16 }, { 8 } }, false, false, false, false, 203, 187 },
        { { { 8 }, { 16, 8, 8, 16 }, { 8 } }, true, true, true, true, 171, 150 },
    };
    static const struct { int x, y, w, h; } core[] = { { 80, 80, 8, 16 }, { 0, 96, 16, 8 }, { 104, 16, 24, 24 }, { 160, 144, 0, 0 } };
    const chain_shape *s = &shape[_i / 3];
    chain_shape small = *s;
    float *x = oracle_alloc(pixels(s)), *rows = oracle_alloc(pixels(s));

    small.w = small.h = 4;
    oracle_seed((uint32_t)_i + 41);

    chain *c = chain_create(&small);
    nst_graph *g = graph(c, nst_kernels_pick(NULL), 2, algorithms[_i % 3]);

    oracle_fill(pixels(s), x);
    for (size_t k = 0; k < NST_COUNT(core); k++) {
        nst_window whole = nst_window_whole(s->w, s->h), win, part;
        nst_kept *kept[NST_MODEL_LAYERS];
        nst_stats want[NST_MODEL_LAYERS], got[NST_MODEL_LAYERS];
        size_t from, count, w = (size_t)s->w;

        whole.core_x = core[k].x, whole.core_y = core[k].y;
        whole.core_w = core[k].w ? core[k].w : s->w - core[k].x, whole.core_h = core[k].h ? core[k].h : s->h - core[k].y;
        win = whole;
        nst_graph_reach(g, &win);
        ck_assert(win.w < s->w || win.h < s->h);
        run_window(g, &whole, x);
        for (int i = 0; i < c->model.layers; i++)
            ck_assert_int_eq(nst_graph_keep(g, i, &kept[i], NULL), NST_OK);
        run_window(g, &win, x);
        same_bits(c, g, kept);
        sum_core(g, c, want);

        part = win;
        from = (size_t)win.y, count = (size_t)win.h;
        part.picture_h = win.h, part.y = 0, part.core_y -= win.y, part.above = win.y, part.all_h = s->h;
        for (size_t plane = 0; plane < 3; plane++)
            memcpy(rows + plane * count * w, x + (plane * (size_t)s->h + from) * w, count * w * sizeof *x);
        run_window(g, &part, rows);
        sum_core(g, c, got);
        for (int i = 0; i < c->model.layers; i++) {
            size_t n = (size_t)want[i].c;

            ck_assert_msg(want[i].n == got[i].n && !memcmp(want[i].gram, got[i].gram, n * n * sizeof *want->gram),
                          "%s: rows of the picture have other features", c->model.layer[i].name);
            stats_destroy(&want[i]), stats_destroy(&got[i]);
            nst_kept_destroy(&kept[i]);
        }
    }
    nst_graph_destroy(&g);
    chain_destroy(c);
    ck_assert(oracle_free(x) && oracle_free(rows));
}
END_TEST

/* ---- threads, memory, refusals ---- */

/* The same bits of statistics, distances and gradient for 1, 2, 3 and 7 threads; and again when run again. */
START_TEST(threads_do_not_matter)
{
    static const chain_shape s = { { { 16, 16 }, { 40 }, { 144 } }, false, false, false, false, 67, 51 };
    static const int numbers[] = { 1, 2, 3, 7, 1 };
    chain_shape small = s;
    nst_window win = nst_window_whole(s.w, s.h);
    float *x = oracle_alloc(pixels(&s)), *first = oracle_alloc(pixels(&s)), *dx = oracle_alloc(pixels(&s));
    double before[NST_MODEL_LAYERS] = { 0 };
    struct loss l;

    small.w = small.h = 4;
    oracle_seed(41);

    chain *c = chain_create(&small);

    oracle_fill(pixels(&s), x);
    loss_create(&l, c);
    for (size_t t = 0; t < NST_COUNT(numbers); t++) {
        nst_graph *g = graph(c, nst_kernels_pick(NULL), numbers[t], "auto");

        ck_assert_int_eq(nst_graph_place(g, s.w, s.h, true, NULL), NST_OK);
        memset(dx, 0, pixels(&s) * sizeof *dx);
        oracle_fill(pixels(&s), dx);
        ck_assert_int_eq(nst_graph_forward(g, &win, first, NULL), NST_OK); /* NaN the first time: must leave no trace */
        memset(first, 0, t ? 0 : pixels(&s) * sizeof *first);
        ck_assert_int_eq(nst_graph_forward(g, &win, x, NULL), NST_OK);
        loss_keep(&l, c, g);
        memset(dx, 0, pixels(&s) * sizeof *dx);
        memset(l.distance, 0, sizeof l.distance);
        ck_assert_int_eq(nst_graph_backward(g, &win, l.tap, l.distance, dx, NULL), NST_OK);
        if (t == 0)
            memcpy(first, dx, pixels(&s) * sizeof *dx), memcpy(before, l.distance, sizeof before);
        for (size_t i = 0; i < pixels(&s); i++)
            ck_assert_msg(memcmp(&first[i], &dx[i], sizeof *dx) == 0, "%d threads: gradient %zu is %.9g, was %.9g",
                          numbers[t], i, (double)dx[i], (double)first[i]);
        ck_assert(memcmp(before, l.distance, sizeof before) == 0);
        loss_drop(&l);
        nst_graph_destroy(&g);
    }
    loss_destroy(&l);
    chain_destroy(c);
    ck_assert(oracle_free(x) && oracle_free(first) && oracle_free(dx));
}
END_TEST

/* Once placed, running allocates nothing; a smaller window allocates nothing either. */
START_TEST(running_allocates_nothing)
{
    const chain_shape *s = &chain_shapes[5];
    nst_window win = nst_window_whole(s->w, s->h), small = nst_window_whole(s->w - 2, s->h - 3);
    float *dx = oracle_alloc(pixels(s));
    struct loss l;

    oracle_seed(6);

    chain *c = chain_create(s);
    nst_graph *g = graph(c, nst_kernels_pick(NULL), 2, "auto");
    size_t bytes, less, count;

    loss_create(&l, c);
    memset(dx, 0, pixels(s) * sizeof *dx);
    ck_assert_int_eq(nst_graph_measure(g, s->w, s->h, true, &bytes, NULL), NST_OK);
    ck_assert_int_eq(nst_graph_measure(g, s->w, s->h, false, &less, NULL), NST_OK);
    ck_assert(less < bytes && nst_graph_weight_bytes(g) > 0);
    ck_assert_int_eq(nst_graph_place(g, s->w, s->h, true, NULL), NST_OK);
    count = nst_alloc_count();
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(nst_graph_forward(g, &win, c->x, NULL), NST_OK);
        ck_assert_int_eq(nst_graph_backward(g, &win, l.tap, l.distance, dx, NULL), NST_OK);
    }
    ck_assert_int_eq(nst_graph_place(g, small.w, small.h, true, NULL), NST_OK);
    ck_assert_int_eq(nst_graph_forward(g, &small, c->x, NULL), NST_OK);
    ck_assert_uint_eq(nst_alloc_count(), count);
    loss_destroy(&l);
    nst_graph_destroy(&g);
    chain_destroy(c);
    ck_assert(oracle_free(dx));
}
END_TEST

/* What cannot be is refused with a sentence, and nothing is left. */
START_TEST(nonsense_is_refused)
{
    const chain_shape *s = &chain_shapes[1];
    nst_window win = nst_window_whole(s->w, s->h);
    nst_graph_options o;
    nst_graph *g;
    nst_error e;
    size_t bytes;

    oracle_seed(2);

    chain *c = chain_create(s);

    o = c->options, o.cpu.k = nst_kernels_pick(NULL), o.cpu.threads = 1;
    o.conv = "fft";
    ck_assert_int_eq(nst_graph_create(&g, &o, &e), NST_EARG);
    ck_assert(g == NULL && strstr(e.text, "fft"));
    o.conv = NULL, o.device = "toaster";
    ck_assert_int_eq(nst_graph_create(&g, &o, &e), NST_EUNSUPPORTED);
    ck_assert(g == NULL && strstr(e.text, "toaster"));
    o.device = NULL;
    memset(o.tap, 0, sizeof o.tap);
    ck_assert_int_eq(nst_graph_create(&g, &o, &e), NST_EARG);
    ck_assert_ptr_null(g);

    g = graph(c, o.cpu.k, 1, NULL);
    ck_assert_int_eq(nst_graph_forward(g, &win, c->x, &e), NST_EARG); /* not placed */
    ck_assert_int_eq(nst_graph_measure(g, 1, 1, true, &bytes, &e), NST_EARG);
    ck_assert_int_eq(nst_graph_place(g, 0, -5, true, &e), NST_EARG);
    ck_assert_int_eq(nst_graph_place(g, s->w, s->h, true, &e), NST_OK);
    win = nst_window_whole(s->w + 2, s->h);
    ck_assert_int_eq(nst_graph_forward(g, &win, c->x, &e), NST_EARG);

    nst_stats wrong = stats_create(5);

    ck_assert_int_eq(nst_graph_stats(g, 0, &wrong, &e), NST_EARG);
    ck_assert(wrong.n == 0);
    stats_destroy(&wrong);
    nst_graph_destroy(&g);
    nst_graph_destroy(&g);
    chain_destroy(c);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_loop_test(t, the_whole_agrees, 0, (int)NST_COUNT(chain_shapes));
    tcase_add_test(t, few_taps_agree);
    tcase_add_loop_test(t, finite_differences_agree, 1, (int)NST_COUNT(chain_shapes));
    tcase_add_loop_test(t, windows_add_up, 0, 3);
    tcase_add_loop_test(t, windows_have_the_bits, 0, 6);
    tcase_add_test(t, threads_do_not_matter);
    tcase_add_test(t, running_allocates_nothing);
    tcase_add_test(t, nonsense_is_refused);
}

int main(void)
{
    return run_suite("graph", add);
}
