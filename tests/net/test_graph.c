/* test_graph.c: the network as a whole, on small random chains: statistics, content distances and gradients against
 * the oracle for every set and algorithm; finite differences.  Windows: test_graph_windows.c; threads, memory and
 * refusals: test_graph_running.c. */
#include "chain_loss.h"

#include <stdio.h>

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
                if (has_gram(i) && l->gradient[i].b)
                    v += (double)l->b[i][j];
                if (has_content(i))
                    v += l->gradient[i].content_scale * off, r->distance[i] += off * off;
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
        check_numbers("Gram", c->model.layer[i].name, (size_t)n * (size_t)n, s.gram, gram, tolerance);
        check_numbers("sums", c->model.layer[i].name, (size_t)n, s.sum, sum, tolerance);
        stats_destroy(&s);
        free(gram);
    }
}

/* ---- the oracle ---- */

/* Content distances, and the squares of the features that were kept. */
static void check_content(const chain *c, const struct loss *l, const struct right *r, double tolerance)
{
    for (int i = 0; i < c->model.layers; i++) {
        const oracle_map *f = &r->content[i];
        double square = 0;

        check_numbers("distance", c->model.layer[i].name, 1, &l->distance[i], &r->distance[i], tolerance);
        if (!has_content(i))
            continue;
        for (int k = 0; k < f->c * f->w * f->h; k++)
            square += f->v[k] * f->v[k];
        ck_assert(fabs(nst_saved_features_square(l->content[i]) - square) <= tolerance * square);
    }
}

/* One graph: content features from other, then everything at c->x. */
static void check_graph(nst_graph *g, const chain *c, const chain_shape *s, const char *what, const float *other,
                        struct loss *l, const struct right *r, double tolerance)
{
    nst_window win = nst_window_whole(s->w, s->h);
    float *dx = oracle_alloc(pixels(s));

    ck_assert_int_eq(nst_graph_place(g, s->w, s->h, true, NULL), NST_OK);
    ck_assert_int_eq(nst_graph_forward(g, &win, other, NULL), NST_OK);
    loss_keep(l, c, g);
    ck_assert_int_eq(nst_graph_forward(g, &win, c->x, NULL), NST_OK);
    check_stats(c, g, tolerance);
    memset(l->distance, 0, sizeof l->distance);
    memset(dx, 0, pixels(s) * sizeof *dx);
    ck_assert_int_eq(nst_graph_backward(g, &win, l->gradient, l->distance, dx, NULL), NST_OK);
    check_content(c, l, r, tolerance);
    check_gradient(what, s, dx, r->dx, tolerance);
    loss_drop(l);
    ck_assert(oracle_free(dx));
}

/* Shape _i: statistics of every layer, content distances and the gradient behind all of them. */
START_TEST(the_whole_agrees)
{
    const chain_shape *s = &chain_shapes[_i];
    float *other = oracle_alloc(pixels(s)), *x = oracle_alloc(pixels(s));
    struct right r = { .dx = NULL };
    struct loss l;
    chain *c;

    oracle_seed((uint32_t)_i + 1);
    oracle_fill(pixels(s), other);
    c = chain_create(s);
    memcpy(x, c->x, pixels(s) * sizeof *x);
    loss_create(&l, c);
    chain_picture(c, s, other);
    for (int i = 0; i < c->model.layers; i++)
        r.content[i] = c->out[i], c->out[i].v = NULL;
    chain_picture(c, s, x);
    right_create(&r, c, s, &l);
    for (int set = 0; nst_kernels_at(set, NULL); set++)
        for (int a = 0; nst_simd_usable(set) && a < (int)NST_COUNT(algorithms); a++) {
            nst_graph *g = graph(c, nst_kernels_at(set, NULL), 1 + _i % 2, algorithms[a]);
            char what[64];

            snprintf(what, sizeof what, "%s %s", nst_simd_name(set), algorithms[a]);
            check_graph(g, c, s, what, other, &l, &r, chain_tolerance(c, a));
            nst_graph_destroy(&g);
            ck_assert_ptr_null(g);
        }
    loss_destroy(&l);
    right_destroy(&r);
    chain_destroy(c);
    ck_assert(oracle_free(other) && oracle_free(x));
}
END_TEST

/* What a loss asks of a layer by a and b, in double: dLoss/dout. */
static void ask(const chain *c, const struct loss *l, int i, oracle_map *d)
{
    const oracle_map *f = &c->out[i];
    int n = f->c, positions = f->w * f->h;

    for (int j = 0; j < n; j++)
        for (int p = 0; p < positions; p++) {
            double v = (double)l->b[i][j];

            for (int k = 0; k < n; k++)
                v += (double)l->a[i][j * n + k] * f->v[k * positions + p];
            d->v[j * positions + p] = v;
        }
}

/* Loss layers at two layers; of the second nothing is asked where it is empty. */
static void few_loss_layers(chain *c, const chain_shape *s, const int at[2], bool empty)
{
    nst_window win = nst_window_whole(s->w, s->h);
    oracle_map d[NST_MODEL_LAYERS] = { { 0 } };
    float *dx = oracle_alloc(pixels(s));
    double *right = calloc(pixels(s), sizeof *right);
    struct loss l;
    nst_graph *g;

    ck_assert_ptr_nonnull(right);
    loss_create(&l, c);
    for (int i = 0; i < c->model.layers; i++) {
        bool on = i == at[0] || i == at[1];

        c->options.loss_layer[i] = on;
        on = on && !(empty && i == at[1]);
        l.gradient[i] = (nst_loss_gradient){ .a = on ? l.a[i] : NULL, .b = on ? l.b[i] : NULL };
        d[i] = oracle_map_create(c->out[i].c, c->out[i].h, c->out[i].w);
        if (on)
            ask(c, &l, i, &d[i]);
    }
    chain_backward(c, s, d, right);
    g = graph(c, nst_kernels_pick(NULL), 2, "im2col");
    ck_assert_int_eq(nst_graph_place(g, s->w, s->h, true, NULL), NST_OK);
    ck_assert_int_eq(nst_graph_forward(g, &win, c->x, NULL), NST_OK);
    memset(dx, 0, pixels(s) * sizeof *dx);
    ck_assert_int_eq(nst_graph_backward(g, &win, l.gradient, l.distance, dx, NULL), NST_OK);
    check_gradient("few loss layers", s, dx, right, chain_tolerance(c, 0));
    nst_graph_destroy(&g);
    for (int i = 0; i < c->model.layers; i++)
        oracle_map_destroy(&d[i]);
    loss_destroy(&l);
    free(right);
    ck_assert(oracle_free(dx));
}

/* Only the layers that a loss reads, and nothing behind the last of them; a layer that no loss asks anything of
 * gives nothing. */
START_TEST(few_loss_layers_agree)
{
    static const chain_shape s = { { { 8, 8 }, { 16, 16 }, { 8 } }, false, true, false, false, 19, 14 };
    static const int at[][2] = { { 0, 0 }, { 1, 1 }, { 1, 3 }, { 2, 2 }, { 0, 4 }, { 3, 3 } };
    chain *c;

    oracle_seed(11);
    c = chain_create(&s);
    for (size_t t = 0; t < NST_COUNT(at); t++)
        for (int empty = 0; empty < 2; empty++) {
            memset(c->options.loss_layer, 0, sizeof c->options.loss_layer);
            few_loss_layers(c, &s, at[t], empty);
        }
    chain_destroy(c);
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
            for (int k = 0; l->gradient[i].b && k < n; k++)
                loss += (double)l->b[i][k] * (double)s.sum[k];
            stats_destroy(&s);
        }
    memset(l->distance, 0, sizeof l->distance);
    ck_assert_int_eq(nst_graph_backward(g, win, l->gradient, l->distance, dx, NULL), NST_OK);
    for (int i = 0; i < c->model.layers; i++)
        loss += l->gradient[i].content_scale * l->distance[i] / 2;
    return loss;
}

/* Along one direction, half of it the gradient's, or it may by chance be flat. */
static void check_slope(nst_graph *g, const chain *c, const chain_shape *s, struct loss *l, const float *dx)
{
    const float step = 1e-3f;
    nst_window win = nst_window_whole(s->w, s->h);
    float *rest = oracle_alloc(pixels(s)), *v = oracle_alloc(pixels(s)), *x = oracle_alloc(pixels(s));
    double up, down, slope = 0, size = 0;

    oracle_fill(pixels(s), v);
    memset(rest, 0, pixels(s) * sizeof *rest);
    for (size_t i = 0; i < pixels(s); i++)
        size = fmax(size, fabs((double)dx[i]));
    for (size_t i = 0; i < pixels(s); i++)
        v[i] += dx[i] / (float)size, slope += (double)v[i] * (double)dx[i];
    for (size_t i = 0; i < pixels(s); i++)
        x[i] = c->x[i] + step * v[i];
    up = value(g, c, &win, l, x, rest);
    for (size_t i = 0; i < pixels(s); i++)
        x[i] = c->x[i] - step * v[i];
    down = value(g, c, &win, l, x, rest);
    ck_assert_msg(fabs((up - down) / (2 * (double)step) - slope) <= .02 * fabs(slope), "slope %.6g, expected %.6g",
                  (up - down) / (2 * (double)step), slope);
    ck_assert(oracle_free(rest) && oracle_free(v) && oracle_free(x));
}

START_TEST(finite_differences_agree)
{
    const chain_shape *s = &chain_shapes[_i];
    nst_window win = nst_window_whole(s->w, s->h);
    float *dx = oracle_alloc(pixels(s)), *other = oracle_alloc(pixels(s));
    struct loss l;
    nst_graph *g;
    chain *c;

    oracle_seed(21);
    c = chain_create(s);
    g = graph(c, nst_kernels_pick(NULL), 2, "im2col");
    loss_create(&l, c);
    oracle_fill(pixels(s), other);
    memset(dx, 0, pixels(s) * sizeof *dx);
    ck_assert_int_eq(nst_graph_place(g, s->w, s->h, true, NULL), NST_OK);
    ck_assert_int_eq(nst_graph_forward(g, &win, other, NULL), NST_OK);
    loss_keep(&l, c, g);
    value(g, c, &win, &l, c->x, dx);
    for (int trial = 0; trial < 5; trial++)
        check_slope(g, c, s, &l, dx);
    loss_destroy(&l);
    nst_graph_destroy(&g);
    chain_destroy(c);
    ck_assert(oracle_free(dx) && oracle_free(other));
}
END_TEST

static void add(TCase *t)
{
    tcase_add_loop_test(t, the_whole_agrees, 0, (int)NST_COUNT(chain_shapes));
    tcase_add_test(t, few_loss_layers_agree);
    tcase_add_loop_test(t, finite_differences_agree, 1, (int)NST_COUNT(chain_shapes));
}

int main(void)
{
    return run_suite("graph", add);
}
