/* memory_needs.c: what a scale takes of memory beside its windows' arenas. */
#include "engine/plan/plan.h"
#include "engine/ranks/ranks.h"

/* Of program and libraries, measured. */
#define PROGRAM 11000000

static size_t floats(int w, int h, int planes)
{
    return (size_t)w * (size_t)h * (size_t)planes * sizeof(float);
}

static size_t most(size_t a, size_t b) { return a > b ? a : b; }

/* Bytes that stay for the whole run. */
static size_t constant(const nst_setup *u)
{
    size_t weights = u->pack_on_demand ? nst_graph_on_demand_bytes(u->graph) : nst_graph_weight_bytes(u->graph);
    size_t bytes = PROGRAM + weights +
                   (u->job->model->release_pages ? 0 : u->job->model->bytes);

    for (int i = -1; i < u->job->n_styles; i++) {
        const nst_image *p = i < 0 ? u->job->content : u->job->styles[i];

        bytes += floats(p->width, p->height, p->channels);
    }
    for (int i = 0; i < u->job->n_styles; i++) {
        const nst_image *p = u->job->styles[i];

        bytes += floats(p->place.w, p->place.h, 1) + floats(p->part.w, p->part.h, 1);
    }
    if (u->job->init)
        bytes += floats(u->job->init->width, u->job->init->height, u->job->init->channels);
    for (int i = 0; i < u->job->n_temporal; i++) {
        const nst_image *p = u->job->temporal[i].picture;

        bytes += floats(p->width, p->height, p->channels);
    }
    for (int i = 0; i < u->n_style; i++) {
        size_t c = (size_t)nst_graph_channels(u->graph, u->style[i].layer);

        /* picture's statistics, gradient, the styles' statistics, target; W2's matrices are 7 halves
         * more, with a border of scratch */
        bytes += c * c * (4 + 8 * (3 + (size_t)(u->has_content_masks ? 1 : u->job->n_styles)) +
                          (u->s.style_loss == NST_STYLE_W2 ? 28 : 0));
        bytes += u->s.style_loss == NST_STYLE_W2 ? 2048 * c : 0;
    }
    return bytes;
}

/* Of planes of the rows that a rank owns, and of those that it computes. */
static size_t owned(nst_row_range s, int planes) { return floats(s.w, s.own_to - s.own, planes); }
static size_t seen(nst_row_range s, int planes) { return floats(s.w, s.to - s.from, planes); }

/* The optimiser's arrays that a scale really touches. */
static size_t optimiser(const nst_setup *u, int scale, int pairs)
{
    int most = u->plan.iterations[scale] - 1;
    nst_optim_options o = nst_plan_optim(u, pairs <= most ? pairs : most);

    return nst_optim_bytes(&o, owned(nst_plan_rows(u, scale), 3) / sizeof(float));
}

/* Bytes of the styles' masks at all levels: of the content's regions and of one style picture's, as large; and while
 * they are made. */
static size_t masks(const nst_setup *u, int w, int h)
{
    return (u->has_content_masks ? floats(w, h, u->job->n_styles) / 3 * 4 : 0) +
           (u->has_content_masks || u->has_style_masks ? 3 * floats(w, h, 1) : 0);
}

/* Bytes of the content's features. */
static size_t kept(const nst_setup *u, nst_row_range s)
{
    size_t bytes = 0;

    for (int i = 0; i < u->n_content; i++) {
        int lw, lh;

        nst_graph_layer_size(u->graph, u->content_layer[i].layer, s.w, s.own_to - s.own, &lw, &lh);
        bytes += floats(lw, lh, nst_blocks(nst_graph_channels(u->graph, u->content_layer[i].layer)) * NST_LANES);
    }
    return bytes;
}

void nst_plan_leave_room(const nst_setup *u, int scale)
{
    int w, h, maps = (u->has_content_masks ? u->job->n_styles : 0) + (u->has_content_masks || u->has_style_masks);

    nst_plan_size(u, scale, &w, &h);
    nst_graph_leave_room(u->graph, kept(u, nst_plan_rows(u, scale)) + floats(w, h, maps) / 3 * 4);
}

static void hold(nst_need *n, size_t beside, size_t without)
{
    n->beside = most(n->beside, beside);
    n->without = most(n->without, without);
}

/* From the scale before until this one's picture stands: x, and an optimiser that is carried over. */
static size_t before(const nst_setup *u, int scale)
{
    if (!scale)
        return 0;
    return owned(nst_plan_rows(u, scale - 1), 3) +
           (nst_plan_carries_optimizer(u) ? optimiser(u, scale - 1, u->layout[scale - 1].pairs) : 0);
}

nst_need nst_plan_needs(const nst_setup *u, int scale, int pairs, bool good)
{
    nst_need n = { 0, 0 };
    size_t all = constant(u) + before(u, scale), styles = 0, content, features, given;
    nst_row_range strip = nst_plan_rows(u, scale);
    bool several = u->job->n_styles > 1 || u->has_content_masks;
    int w, h, planes = u->job->content->channels;

    nst_plan_size(u, scale, &w, &h);
    content = floats(w, h, planes), features = kept(u, strip);
    given = nst_plan_discards_content(u, scale) ? floats(u->job->content->width, u->job->content->height, planes) : 0;
    for (int i = 0; i < u->job->n_styles; i++) {
        int sw, sh, sc = u->job->styles[i]->channels;

        nst_style_size(u, scale, i, &sw, &sh);
        styles += floats(sw, sh, sc);
        if (sc == 4) /* while what is hidden is filled in */
            hold(&n, 0, all + styles + floats(sw, sh, 3));
        if (u->job->styles[i]->part.weight || sc == 4) /* while this style is computed: its mask, at all levels */
            hold(&n, all + styles + floats(sw, sh, 1) + floats(sw + 2 * u->margin, sh + 2 * u->margin, 3) / 9 * 13, 0);
        hold(&n, all + styles + seen(nst_rank_own_rows(u, sw + 2 * u->margin, sh + 2 * u->margin), 3),
             all + styles + floats(sw + 2 * u->margin, sh + 2 * u->margin, sc + 3));
    }
    all += masks(u, w, h);
    /* the content's: resized, recoloured, with its margin */
    if (planes == 4)
        hold(&n, 0, all + styles + content + floats(w, h, 3));
    hold(&n, 0, all + styles + content * (several && u->s.color == NST_COLOR_MATCH ? 3 : 2));
    all -= given;
    /* targets that x is held to, and one of them while it is resampled */
    all += (size_t)u->job->n_temporal * floats(w, h, 4);
    hold(&n, 0, u->job->n_temporal ? all + content + features + floats(w, h, 4) : 0);
    hold(&n, all + content + features + seen(strip, 3), 0);
    /* x, dx and good beside the content's colours; then the optimiser in their place, beside the one before */
    all += features + owned(strip, good ? 9 : 6) + sizeof(float) * nst_halo_floats(u, w, h);
    hold(&n, 0, all + content);
    hold(&n, 0, all + owned(strip, u->s.average > 0 ? 3 : 0) + (u->s.optimizer == NST_ADAM ? owned(strip, 6) : 0));
    all -= before(u, scale);
    all += optimiser(u, scale, pairs) + (planes == 4 ? floats(w, h, 1) : 0);
    hold(&n, all, all);
    return n;
}
