/* time_estimate.c: about how long a run takes, by how long a small picture takes here and now. */
#include "engine/run.h"

#include <math.h>

#define SIDE 192      /* of the picture that is timed: VGG19 takes 0.05 s on two cores of Zen 5 */
#define MOMENT 5e10   /* multiply-adds that are not worth the trouble */
#define TRAFFIC 1e10  /* bytes a second of vectors that come from memory */
#define INVERSES 3e-10 /* seconds by channels cubed: Wasserstein-2 */

/* Seconds of a unit of nst_graph_work; 0 when it cannot be told. */
static double measure(nst_run *r)
{
    int grid = nst_graph_grid(r->graph), side = (SIDE + grid - 1) / grid * grid;
    nst_window win = nst_window_whole(side, side);
    nst_tap_gradient tap[NST_MODEL_LAYERS] = { { 0 } };
    double distance[NST_MODEL_LAYERS] = { 0 }, seconds = 0;
    size_t n = (size_t)side * (size_t)side;
    float *x = nst_calloc(2 * n, 3 * sizeof *x);

    for (int i = 0; i < 2 && x; i++) { /* the first makes pages real */
        double start = nst_now();

        if (nst_graph_place_window(r->graph, &win, NST_USE_GRADIENT, NULL) ||
            nst_graph_forward(r->graph, &win, x, NULL) ||
            nst_graph_backward(r->graph, &win, tap, distance, x + 3 * n, NULL))
            break;
        seconds = i ? nst_now() - start : 0;
    }
    nst_free(x);
    nst_graph_release(r->graph);
    return seconds / (2 * nst_graph_work(r->graph, &win));
}

/* Seconds of an iteration beside the network: the optimiser's vectors, the style losses. */
static double beside(const nst_run *r, int scale, double pixels)
{
    int pairs = r->plan.iterations[scale] < r->layout[scale].pairs ? r->plan.iterations[scale] : r->layout[scale].pairs;
    double vectors = r->s->optimizer == NST_LBFGS ? 8 + 5. * pairs : 8, seconds = 12 * pixels * vectors / TRAFFIC;

    for (int i = 0; i < r->n_style && r->s->style_loss == NST_STYLE_W2; i++)
        seconds += INVERSES * pow(nst_graph_channels(r->graph, r->style[i].layer), 3) / fmin(r->cpu.threads, 2);
    return seconds;
}

double nst_run_seconds(nst_run *r)
{
    double work = 0, seconds = 0;

    for (int scale = 0; scale < r->plan.scales; scale++) {
        const nst_layout *l = &r->layout[scale];
        int w = r->plan.width[scale] + 2 * r->margin, h = r->plan.height[scale] + 2 * r->margin;
        nst_strip strip = nst_strip_own(r, w, h);
        int n = nst_windows_count(l->gradient);
        double both = nst_budget_work(r, &strip, l->gradient);
        double first = nst_windows_alike(l) ? both * (n - 1) / (n ? n : 1) : nst_budget_work(r, &strip, l->stats);

        work += r->plan.iterations[scale] * (2 * both + first) + both;
        seconds += r->plan.iterations[scale] * beside(r, scale, (double)w * (strip.own_to - strip.own));
        for (int i = 0; i < r->n_styles; i++) {
            nst_window style;
            int sw, sh;

            nst_run_style_size(r, scale, i, &sw, &sh);
            style = nst_window_whole(sw + 2 * r->margin, sh + 2 * r->margin);
            work += nst_graph_work(r->graph, &style) / nst_across_ranks(r);
        }
    }
    return work > MOMENT ? seconds + work * measure(r) : 0;
}
