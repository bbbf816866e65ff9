/* test_graph_running.c: what the network may not do: have other bits with other threads, allocate while it runs, take
 * nonsense. */
#include "chain_loss.h"

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
        ck_assert_int_eq(nst_graph_backward(g, &win, l.gradient, l.distance, dx, NULL), NST_OK);
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
        ck_assert_int_eq(nst_graph_backward(g, &win, l.gradient, l.distance, dx, NULL), NST_OK);
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
    memset(o.loss_layer, 0, sizeof o.loss_layer);
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
    tcase_add_test(t, threads_do_not_matter);
    tcase_add_test(t, running_allocates_nothing);
    tcase_add_test(t, nonsense_is_refused);
}

int main(void)
{
    return run_suite("graph running", add);
}
