/* test_graph_windows.c: the network on windows of a picture: their sums and gradients add up to the picture's, and the
 * features of a core have the whole picture's bits. */
#include "chain_loss.h"
#include "net/device.h"

static int least(int a, int b) { return a < b ? a : b; }

/* A core of step pixels a side, cut at the picture's sides. */
static nst_window cut(const chain_shape *s, int step, int x, int y)
{
    return (nst_window){ .picture_w = s->w, .picture_h = s->h, .core_x = x, .core_y = y,
                         .core_w = least(step, s->w - x), .core_h = least(step, s->h - y) };
}

static void create_stats(const chain *c, nst_stats *s)
{
    for (int i = 0; i < c->model.layers; i++)
        s[i] = stats_create(c->model.layer[i].out);
}

static void destroy_stats(const chain *c, nst_stats *s)
{
    for (int i = 0; i < c->model.layers; i++)
        stats_destroy(&s[i]);
}

/* Statistics and gradient of a window placed, added. */
static void add_window(nst_graph *g, const chain *c, const nst_window *w, struct loss *l, const float *x, nst_stats *s,
                       float *dx)
{
    ck_assert_int_eq(nst_graph_place(g, w->w, w->h, true, NULL), NST_OK);
    ck_assert_int_eq(nst_graph_forward(g, w, x, NULL), NST_OK);
    for (int i = 0; i < c->model.layers; i++)
        ck_assert_int_eq(nst_graph_stats(g, i, &s[i], NULL), NST_OK);
    ck_assert_int_eq(nst_graph_backward(g, w, l->gradient, l->distance, dx, NULL), NST_OK);
}

/* Each window of cores of step pixels a side with its halo; how many there are. */
static int add_windows(nst_graph *g, const chain *c, const chain_shape *s, int step, struct loss *l, const float *x,
                       nst_stats *stats, float *dx)
{
    int grid = nst_graph_grid(g), windows = 0;

    for (int cy = 0; cy < s->h; cy += step)
        for (int cx = 0; cx < s->w; cx += step, windows++) {
            nst_window w = cut(s, step, cx, cy);

            if (s->w - cx < grid || s->h - cy < grid) /* what is left over is no window of its own: the last core takes
                                                         it */
                continue;
            if (s->w - cx - w.core_w < grid)
                w.core_w = s->w - cx;
            if (s->h - cy - w.core_h < grid)
                w.core_h = s->h - cy;
            nst_graph_expand_halo(g, &w);
            ck_assert(w.x % grid == 0 && w.y % grid == 0);
            add_window(g, c, &w, l, x, stats, dx);
        }
    return windows;
}

static void check_parts(const chain *c, const nst_stats *all, const nst_stats *parts)
{
    for (int i = 0; i < c->model.layers; i++) {
        size_t n = (size_t)all[i].c;

        ck_assert_msg(all[i].n == parts[i].n, "%s: %g positions in the picture, %g in its windows",
                      c->model.layer[i].name, all[i].n, parts[i].n);
        check_numbers("Gram in windows", c->model.layer[i].name, n * n, parts[i].gram, all[i].gram,
                      chain_tolerance(c, 0));
    }
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
    chain_shape small = *s;
    struct loss l;
    nst_graph *g;
    chain *c;

    small.w = small.h = 4; /* weights only: float against float needs no margin */
    oracle_seed(31);
    c = chain_create(&small);
    g = graph(c, nst_kernels_pick(NULL), 2, "im2col");
    oracle_fill(pixels(s), x);
    loss_create(&l, c);
    for (int i = 0; i < c->model.layers; i++)
        l.gradient[i].content_scale = 0; /* content features are of one window */
    memset(dx, 0, pixels(s) * sizeof *dx);
    memset(sum, 0, pixels(s) * sizeof *sum);
    create_stats(c, all), create_stats(c, parts);
    add_window(g, c, &whole, &l, x, all, dx);
    ck_assert(add_windows(g, c, s, 2 * nst_graph_grid(g) * 4, &l, x, parts, sum) > 1);
    check_parts(c, all, parts);
    for (size_t i = 0; i < pixels(s); i++)
        right[i] = (double)dx[i];
    check_gradient("windows", s, sum, right, chain_tolerance(c, 0));
    destroy_stats(c, all), destroy_stats(c, parts);
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

/* Each loss layer's features in the core of the window just run against those that were kept of the same core. */
static void same_bits(const chain *c, nst_graph *g, nst_saved_features *const *kept)
{
    for (int i = 0; i < c->model.layers; i++) {
        double square = 0, absolute = 0;

        ck_assert_int_eq(nst_graph_compare(g, i, kept[i], &square, &absolute, NULL), NST_OK);
        ck_assert_msg(square == 0 && absolute == 0, "%s: the features are %g off the whole picture's",
                      c->model.layer[i].name, absolute);
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

/* The window again where only its rows of the picture are there, as on a rank. */
static void run_rows(nst_graph *g, const chain_shape *s, nst_window win, const float *x)
{
    size_t from = (size_t)win.y, count = (size_t)win.h, w = (size_t)s->w;
    float *rows = oracle_alloc(3 * count * w);

    for (size_t plane = 0; plane < 3; plane++)
        memcpy(rows + plane * count * w, x + (plane * (size_t)s->h + from) * w, count * w * sizeof *x);
    win.picture_h = win.h, win.core_y -= win.y, win.image_y0 = win.y, win.image_h = s->h, win.y = 0;
    run_window(g, &win, rows);
    ck_assert(oracle_free(rows));
}

static void check_core(nst_graph *g, const chain *c, const chain_shape *s, nst_window whole, const float *x)
{
    nst_window win = whole;
    nst_saved_features *kept[NST_MODEL_LAYERS];
    nst_stats want[NST_MODEL_LAYERS], got[NST_MODEL_LAYERS];

    nst_graph_expand_halo(g, &win);
    ck_assert(win.w < s->w || win.h < s->h);
    run_window(g, &whole, x);
    for (int i = 0; i < c->model.layers; i++)
        ck_assert_int_eq(nst_graph_keep(g, i, &kept[i], NULL), NST_OK);
    run_window(g, &win, x);
    same_bits(c, g, kept);
    sum_core(g, c, want);
    run_rows(g, s, win, x);
    sum_core(g, c, got);
    for (int i = 0; i < c->model.layers; i++) {
        size_t n = (size_t)want[i].c;

        ck_assert_msg(want[i].n == got[i].n && !memcmp(want[i].gram, got[i].gram, n * n * sizeof *want->gram),
                      "%s: rows of the picture have other features", c->model.layer[i].name);
        nst_saved_features_destroy(&kept[i]);
    }
    destroy_stats(c, want), destroy_stats(c, got);
}

/* The features of a core have the whole picture's bits, wherever it lies and whatever the tiles: in a window no larger
 * than they need; with the picture's sides nearer than a tile; and where only some rows of the picture are there, as
 * on a rank. */
START_TEST(windows_have_the_bits)
{
    static const chain_shape shape[] = {
        { { { 8, 8 }, { 16, 8 }, { 8, 8, 16 }, { 8 } }, false, false, false, false, 203, 187 },
        { { { 8 }, { 16, 8, 8, 16 }, { 8 } }, true, true, true, true, 171, 150 },
    };
    static const struct { int x, y, w, h; } core[] = { { 80, 80, 8, 16 }, { 0, 96, 16, 8 }, { 104, 16, 24, 24 },
                                                       { 160, 144, 0, 0 } };
    const chain_shape *s = &shape[_i / 3];
    chain_shape small = *s;
    float *x = oracle_alloc(pixels(s));
    nst_graph *g;
    chain *c;

    small.w = small.h = 4;
    oracle_seed((uint32_t)_i + 41);
    c = chain_create(&small);
    g = graph(c, nst_kernels_pick(NULL), 2, algorithms[_i % 3]);
    oracle_fill(pixels(s), x);
    for (size_t k = 0; k < NST_COUNT(core); k++) {
        nst_window whole = nst_window_whole(s->w, s->h);

        whole.core_x = core[k].x, whole.core_y = core[k].y;
        whole.core_w = core[k].w ? core[k].w : s->w - core[k].x;
        whole.core_h = core[k].h ? core[k].h : s->h - core[k].y;
        check_core(g, c, s, whole, x);
    }
    nst_graph_destroy(&g);
    chain_destroy(c);
    ck_assert(oracle_free(x));
}
END_TEST

static int below(int n) { return (int)((oracle_random() + 1) / 2 * (float)n) % n; }

/* Layers with tiles and pools of any kind, none after the last, which a loss reads; returns the grid. */
static int draw_nodes(nst_node *node, int count)
{
    static const int sizes[] = { 1, 4, 6 };
    int grid = 1;

    for (int i = 0; i < count; i++) {
        int size = sizes[below(3)];

        node[i] = (nst_node){ .pooled = i && i + 1 < count && grid < 16 && !below(3), .w = 40,
                              .tiles = { size, below(size), 40, 40, 0 } };
        node[i].loss_layer = i + 1 == count || (!node[i].pooled && !below(3));
        grid <<= node[i].pooled;
    }
    return grid;
}

static void count_strip(const nst_node *node, int count, void *arg)
{
    (void)node;
    (void)count;
    *(int *)arg += 1;
}

static void at_least(int *n, int to)
{
    *n = *n < to ? to : *n;
}

/* The rooms of one strip after the other, by the rows that each computes and those that the next begins with. */
static void want_room(nst_node *want, int count, bool ceil, nst_use use, nst_window win)
{
    nst_node now[NST_MODEL_LAYERS], next[NST_MODEL_LAYERS];

    for (win.y = 0; win.y < win.picture_h; win.y += win.strip) {
        nst_window behind = win;

        win.h = least(win.strip, win.picture_h - win.y);
        behind.y = win.y + win.h, behind.h = least(win.strip, win.picture_h - behind.y);
        memcpy(now, want, sizeof now);
        memcpy(next, want, sizeof next);
        nst_strips_rows(now, count, ceil, use, &win);
        nst_strips_rows(next, count, ceil, use, &behind);
        for (int i = 0; i < count; i++) {
            at_least(&want[i].result.rows.count, now[i].y + now[i].h - now[i].result.rows.first);
            at_least(&want[i].pool.rows.count, now[i].ready - now[i].pool.rows.first);
            at_least(&want[i].pass.rows.count, now[i].y + now[i].h - now[i].pass.rows.first);
            at_least(&want[i].grad_out.rows.count, now[i].back.to - now[i].grad_out.rows.first);
            at_least(&want[i].result.carry_rows, now[i].y + now[i].h - next[i].result.rows.first);
            at_least(&want[i].pool.carry_rows, now[i].ready - next[i].pool.rows.first);
            at_least(&want[i].grad_out.carry_rows, now[i].back.to - next[i].grad_out.rows.first);
        }
    }
}

/* Strips that repeat others are left out, and the room is the same as that of all of them. */
START_TEST(strips_that_repeat)
{
    int seen = 0, all = 0;

    oracle_seed((uint32_t)_i + 7);
    for (int trial = 0; trial < 300; trial++) {
        nst_node node[NST_MODEL_LAYERS] = { { 0 } }, want[NST_MODEL_LAYERS];
        int count = 2 + below(15), grid = draw_nodes(node, count);
        nst_window win = { .picture_w = 40, .picture_h = grid + below(4000), .strip = grid * (1 + below(9)) };
        bool ceil = below(2);
        nst_use use = (nst_use)below(3);

        memcpy(want, node, sizeof want);
        want_room(want, count, ceil, use, win);
        nst_strips_room(node, count, ceil, use, &win, count_strip, &seen);
        all += (win.picture_h + win.strip - 1) / win.strip;
        for (int i = 0; i < count; i++) {
            nst_buffer *made = node[i].pooled ? &node[i].pool : &node[i].result; /* the other one is not used */
            nst_buffer *wanted = node[i].pooled ? &want[i].pool : &want[i].result;

            ck_assert_int_eq(made->rows.count, wanted->rows.count);
            ck_assert_int_eq(made->carry_rows, wanted->carry_rows);
            ck_assert_int_eq(node[i].pass.rows.count, want[i].pass.rows.count);
            ck_assert_int_eq(node[i].grad_out.rows.count, want[i].grad_out.rows.count);
            ck_assert_int_eq(node[i].grad_out.carry_rows, want[i].grad_out.carry_rows);
        }
    }
    ck_assert(seen < all / 2);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_loop_test(t, strips_that_repeat, 0, 4);
    tcase_add_loop_test(t, windows_add_up, 0, 3);
    tcase_add_loop_test(t, windows_have_the_bits, 0, 6);
}

int main(void)
{
    return run_suite("graph windows", add);
}
