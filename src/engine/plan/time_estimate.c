/* time_estimate.c: about how long a run takes, by how long a small picture takes here and now. */
#include "engine/plan/plan.h"

#include <math.h>

#define SIDE 192      /* of the picture that is timed: VGG19 takes 0.05 s on two cores of Zen 5 */
#define MOMENT 2e11   /* multiply-adds that are not worth the trouble: less than 2 s on two cores of Ice Lake */
#define TRAFFIC 1e10  /* bytes a second of vectors that come from memory */
#define INVERSES 3e-10 /* seconds by channels cubed: Wasserstein-2 */

/* Seconds of a unit of nst_graph_work; 0 when it cannot be told. */
static double measure(const nst_setup *u)
{
    int grid = nst_graph_grid(u->graph), side = (SIDE + grid - 1) / grid * grid;
    nst_window win = nst_window_whole(side, side);
    nst_loss_gradient gradient[NST_MODEL_LAYERS] = { { 0 } };
    double distance[NST_MODEL_LAYERS] = { 0 }, seconds = 0;
    size_t n = (size_t)side * (size_t)side;
    float *x = nst_calloc(2 * n, 3 * sizeof *x);

    for (int i = 0; i < 2 && x; i++) { /* the first makes pages real */
        double start = nst_now();

        if (nst_graph_place_window(u->graph, &win, NST_USE_GRADIENT, NULL) ||
            nst_graph_forward(u->graph, &win, x, NULL) ||
            nst_graph_backward(u->graph, &win, gradient, distance, x + 3 * n, NULL))
            break;
        seconds = i ? nst_now() - start : 0;
    }
    nst_free(x);
    nst_graph_release(u->graph);
    return seconds / (2 * nst_graph_work(u->graph, &win));
}

/* Seconds of an iteration beside the network: the optimiser's vectors, the style losses. */
static double beside(const nst_setup *u, int scale, double pixels)
{
    int pairs = u->plan.iterations[scale] < u->layout[scale].pairs ? u->plan.iterations[scale] : u->layout[scale].pairs;
    double vectors = u->s.optimizer == NST_LBFGS ? 8 + 5. * pairs : 8, seconds = 12 * pixels * vectors / TRAFFIC;

    for (int i = 0; i < u->n_style && u->s.style_loss == NST_STYLE_W2; i++)
        seconds += INVERSES * pow(nst_graph_channels(u->graph, u->style[i].layer), 3) / fmin(u->cpu.threads, 2);
    return seconds;
}

double nst_plan_seconds(const nst_setup *u)
{
    double work = 0, seconds = 0;

    for (int scale = 0; scale < u->plan.scales; scale++) {
        const nst_layout *l = &u->layout[scale];
        int w = u->plan.width[scale] + 2 * u->margin, h = u->plan.height[scale] + 2 * u->margin;
        nst_row_range strip = nst_rank_own_rows(u, w, h);
        int n = nst_windows_count(l->gradient);
        double both = nst_plan_work(u, &strip, l->gradient);
        double first = nst_windows_alike(l) ? both * (n - 1) / fmax(n, 1) : nst_plan_work(u, &strip, l->stats);

        work += u->plan.iterations[scale] * (2 * both + first) + both;
        seconds += u->plan.iterations[scale] * beside(u, scale, (double)w * (strip.own_to - strip.own));
        for (int i = 0; i < u->job->n_styles; i++) {
            nst_window style;
            int sw, sh;

            nst_style_size(u, scale, i, &sw, &sh);
            style = nst_window_whole(sw + 2 * u->margin, sh + 2 * u->margin);
            work += nst_graph_work(u->graph, &style) / nst_rank_count(u);
        }
    }
    return work > MOMENT ? seconds + work * measure(u) : 0;
}
