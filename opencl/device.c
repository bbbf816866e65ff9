/* device.c: the graph's device on OpenCL: features as [channel][h][w] in arenas no larger than the driver allows;
 * the picture goes up, its gradient and the losses come down, everything between stays there. */
#include "state.h"

#include <stdio.h>
#include <string.h>

#define ARENA_UNIT 4096 /* bytes: arenas are multiples */

/* ---- sizes ---- */

static size_t feature_bytes(const nst_device *d, int channels, int w, int h)
{
    (void)d;
    return (size_t)channels * (size_t)w * (size_t)h * sizeof(float);
}

static size_t mask_bytes(const nst_device *d, int channels, int w, int h)
{
    (void)d;
    return (size_t)channels * (size_t)((w + 1) / 2) * (size_t)((h + 1) / 2);
}

static size_t scratch_bytes(const nst_device *base, const nst_node *nodes, int count)
{
    const nst_cl_device *d = nst_cl_of(base);
    size_t most = 4;

    for (int i = 0; i < count; i++) {
        size_t loss = nodes[i].loss_layer ? nst_cl_loss_scratch(d, &nodes[i]) : 0;
        size_t conv = i ? nst_cl_conv_scratch(d, nodes, i) : 0;

        most = loss > most ? loss : most;
        most = conv > most ? conv : most;
    }
    return most;
}

static size_t limit(const nst_device *base)
{
    return nst_cl_of(base)->cl.allocation / ARENA_UNIT * ARENA_UNIT;
}

/* What the device's memory leaves for arena and scratch beside weights in every form, CLBlast's copies, the system. */
static size_t room(const nst_device *base, const nst_node *nodes, size_t kept)
{
    const nst_cl_device *d = nst_cl_of(base);
    size_t picture = 3 * sizeof(float) * (size_t)nodes[0].w * (size_t)nodes[0].h;
    size_t later = (kept > d->kept_bytes ? kept - d->kept_bytes : 0) + 2 * picture;
    size_t arenas = d->arena.pieces ? (size_t)(d->arena.pieces - 1) * d->arena.bytes + d->arena.last_bytes : 0;
    size_t beside;

    for (int i = 0; i < nst_cl_styles(d); i++)
        later += d->losses.style[i].c && !d->losses.style[i].target ? nst_cl_target_bytes(d->losses.style[i].c) : 0;
    beside = d->cl.used - arenas - d->scratch_bytes - 2 * d->picture.bytes + later + d->weights_later +
             d->cl.memory / 16;

    return beside < d->cl.memory ? d->cl.memory - beside : 0;
}

static void give_up_arenas(nst_cl_device *d)
{
    for (int i = 0; i < d->arena.pieces; i++)
        nst_cl_release(&d->cl, &d->arena.piece[i], i == d->arena.pieces - 1 ? d->arena.last_bytes : d->arena.bytes);
    nst_free(d->arena.piece);
    d->arena.piece = NULL, d->arena.pieces = 0;
    nst_cl_release(&d->cl, &d->scratch, d->scratch_bytes);
    d->scratch_bytes = 0;
}

static nst_status reserve(nst_device *base, size_t bytes, size_t scratch, nst_error *e)
{
    nst_cl_device *d = nst_cl_of(base);
    size_t most = limit(base), n = (bytes + most - 1) / most;
    nst_status s = nst_cl_finish(&d->cl, e);

    if (s)
        return s;
    give_up_arenas(d);
    d->arena.bytes = most;
    d->arena.piece = nst_calloc(n, sizeof *d->arena.piece);
    if (!d->arena.piece)
        return nst_fail(e, NST_EMEM, "features: out of memory");
    s = nst_cl_buffer(&d->cl, scratch, "the convolutions' matrices", &d->scratch, e);
    if (s)
        return s;
    d->scratch_bytes = scratch;
    for (size_t i = 0; i < n; i++) {
        size_t here = bytes - i * most < most ? bytes - i * most : most;

        s = nst_cl_buffer(&d->cl, here, "features", &d->arena.piece[i], e);
        if (s)
            return s;
        d->arena.pieces++, d->arena.last_bytes = here;
    }
    return NST_OK;
}

/* ---- nodes ---- */

static nst_status first_forward(nst_cl_device *d, const nst_node *n, nst_error *e)
{
    const nst_rect *r = &d->picture.rect;
    size_t four = (size_t)((n->w + 1) / 2) * (size_t)((n->h + 1) / 2), pixels = (size_t)n->w * (size_t)n->h;
    int flags = NST_WRITE_RELU | NST_WRITE_RESULT | (n->pooled ? NST_WRITE_POOL : 0) |
                (n->pass.at != NST_NONE ? NST_WRITE_MASK : 0) | (d->average ? NST_WRITE_AVERAGE : 0);

    d->cl.counts.flop += 54. * n->out * (double)pixels;
    return nst_cl_run(&d->cl, NST_CL_first_forward, four, (size_t)(n->out + 3) / 4, (size_t)(n->out + 3) * pixels * 4,
                      e, "sssiiffffffiiiiiiisssiiiii", (nst_span){ d->picture.x, 0 }, (nst_span){ d->w[0].raw, 0 },
                      (nst_span){ d->w[0].bias, 0 }, n->out, d->replicate, (double)d->scale[0], (double)d->scale[1],
                      (double)d->scale[2], (double)d->shift[0], (double)d->shift[1], (double)d->shift[2], d->order[0],
                      d->order[1], d->order[2], n->x - r->x, n->y - r->y, r->w, r->h,
                      nst_cl_span(d, n->result.at), nst_cl_span(d, n->pool.at), nst_cl_span(d, n->pass.at), flags,
                      n->w, n->h, n->pooled_w, n->pooled_h);
}

static nst_status first_backward(nst_cl_device *d, const nst_node *n, nst_error *e)
{
    const nst_rect *r = &d->picture.rect;
    size_t pixels = (size_t)n->w * (size_t)n->h;
    nst_status s = n->pooled && !n->loss_layer ? nst_cl_unpool(d, n, e) : NST_OK;

    if (s)
        return s;
    d->cl.counts.flop += 54. * n->out * (double)pixels;
    return nst_cl_run(&d->cl, NST_CL_first_backward, pixels, 1, (size_t)(n->out + 3) * pixels * 4, e,
                      "ssssiifffiiiiiiiii", nst_cl_span(d, n->pooled ? n->grad_features : n->grad_out.at),
                      nst_cl_span(d, n->pass.at), (nst_span){ d->w[0].raw, 0 }, (nst_span){ d->picture.dx, 0 }, n->out,
                      d->replicate, (double)d->scale[0], (double)d->scale[1], (double)d->scale[2], d->order[0],
                      d->order[1], d->order[2], n->x - r->x, n->y - r->y, r->w, r->h, n->w, n->h);
}

static nst_status forward(nst_device *base, const nst_node *nodes, int i, const nst_window *win, const float *x,
                          nst_error *e)
{
    nst_cl_device *d = nst_cl_of(base);
    nst_status s = i ? nst_cl_conv_forward(d, nodes, i, e) : nst_cl_upload(d, nodes, win, x, e);

    if (i == 0)
        s = nst_cl_settle(d, s, NST_CL_BEGIN, 0, e);
    if (!s && i == 0)
        s = first_forward(d, &nodes[0], e);
    if (!s && i == d->count - 1)
        clFlush(d->cl.queue); /* the device starts while the host goes on */
    return nst_cl_settle(d, s, NST_CL_FORWARDS, i, e);
}

static nst_status backward(nst_device *base, const nst_node *nodes, int i, const nst_window *win, float *dx,
                           nst_error *e)
{
    nst_cl_device *d = nst_cl_of(base);
    nst_status s = i ? nst_cl_conv_backward(d, nodes, i, e) : first_backward(d, &nodes[0], e);

    s = nst_cl_settle(d, s, NST_CL_BACKWARDS, i, e);
    if (!s && i == 0) {
        s = nst_cl_download(d, nodes, win, dx, e);
        if (s)
            nst_cl_forget(d);
    }
    return s;
}

/* ---- questions ---- */

static size_t weight_bytes(const nst_device *d)
{
    return nst_cl_of(d)->weight_bytes;
}

static const char *algorithm_name(const nst_device *base, const nst_node *nodes, int i, bool behind)
{
    if (i == 0)
        return "direct";
    return nst_cl_conv_algorithm(nst_cl_of(base), nodes, i, behind) == NST_CL_WINOGRAD ? "winograd4" : "im2col";
}

static const char *label(const nst_device *d)
{
    return nst_cl_of(d)->cl.label;
}

static const nst_device_counts *counts(const nst_device *d)
{
    return &nst_cl_of(d)->cl.counts;
}

static nst_status peak(nst_device *base, double *flops, nst_error *e)
{
    nst_cl_device *d = nst_cl_of(base);
    size_t items = 1u << 16;
    int rounds = 256;
    cl_mem to;
    nst_status s = nst_cl_buffer(&d->cl, items * sizeof(float), "a measurement", &to, e);

    *flops = 0;
    if (s)
        return s;
    for (int i = 0; i < 5 && !s; i++) {
        double start = nst_now(), speed;

        s = nst_cl_run(&d->cl, NST_CL_peak, items, 1, 0, e, "si", (nst_span){ to, 0 }, rounds);
        if (!s)
            s = nst_cl_finish(&d->cl, e);
        if (!s) {
            speed = 2. * 4 * 8 * rounds * (double)items / (nst_now() - start);
            *flops = speed > *flops ? speed : *flops;
            if (nst_now() - start < .05) /* long enough for the clock and for a card's own to rise */
                rounds *= 4;
        }
    }
    nst_cl_release(&d->cl, &to, items * sizeof(float));
    return s;
}

/* ---- creation ---- */

static void destroy(nst_device *base)
{
    nst_cl_device *d = nst_cl_of(base);

    if (d->cl.queue && !d->cl.hung)
        clFinish(d->cl.queue);
    give_up_arenas(d);
    nst_cl_drop_marks(d);
    nst_cl_picture_drop(d);
    nst_cl_unpin(&d->cl, &d->losses.told);
    for (int i = 0; i < d->count; i++) {
        nst_cl_weights *w = &d->w[i];

        nst_cl_release(&d->cl, &w->raw, 0);
        nst_cl_release(&d->cl, &w->bias, 0);
        for (int k = 0; k < 2 * NST_CL_ALGORITHMS; k++)
            nst_cl_release(&d->cl, &w->packed[k / NST_CL_ALGORITHMS][k % NST_CL_ALGORITHMS], 0);
    }
    for (int i = 0; i < nst_cl_styles(d); i++)
        nst_cl_release(&d->cl, &d->losses.style[i].target, 0);
    nst_cl_release(&d->cl, &d->losses.sums, 0);
    nst_cl_release(&d->cl, &d->losses.ask, 0);
    nst_cl_release(&d->cl, &d->losses.numbers, 0);
    nst_cl_release(&d->cl, &d->losses.part, 0);
    nst_cl_close(&d->cl);
    nst_free(d->losses.style);
    nst_free(d->losses.host);
    nst_free(d);
}

static const nst_device_ops ops = {
    .name = "opencl",
    .rectangles = true,
    .pairs = true,
    .feature_bytes = feature_bytes,
    .mask_bytes = mask_bytes,
    .scratch_bytes = scratch_bytes,
    .limit = limit,
    .room = room,
    .reserve = reserve,
    .forward = forward,
    .backward = backward,
    .loss_gradient = nst_cl_loss_gradient,
    .stats = nst_cl_stats,
    .target = nst_cl_target,
    .style_loss = nst_cl_style_loss,
    .variation = nst_cl_variation,
    .collect = nst_cl_collect,
    .keep = nst_cl_keep,
    .map = nst_cl_map,
    .compare = nst_cl_compare,
    .drop = nst_cl_drop,
    .weight_bytes = weight_bytes,
    .algorithm = algorithm_name,
    .tile = nst_cl_conv_tile,
    .label = label,
    .counts = counts,
    .timing = nst_cl_timing,
    .peak = peak,
    .destroy = destroy,
};

static nst_status choose(nst_cl_device *d, const char *name, nst_error *e)
{
    d->algorithm = NST_CL_AUTO;
    if (!name || !*name || strcmp(name, "auto") == 0)
        return NST_OK;
    if (strcmp(name, "im2col") == 0)
        d->algorithm = NST_CL_IM2COL;
    else if (strcmp(name, "winograd4") == 0)
        d->algorithm = NST_CL_WINOGRAD;
    else
        return nst_fail(e, NST_EARG, "convolution \"%s\": not known to OpenCL devices, expected auto, im2col or "
                        "winograd4", name);
    return NST_OK;
}

static nst_status upload_layer(nst_cl_device *d, int i, const nst_layer *l, nst_error *e)
{
    size_t weights = (size_t)l->out * (size_t)l->in * 9 * sizeof(float), bias = (size_t)l->out * sizeof(float);
    nst_cl_weights *w = &d->w[i];
    nst_status s;

    w->in = l->in, w->out = l->out;
    s = nst_cl_buffer(&d->cl, weights, "weights", &w->raw, e);
    if (!s)
        s = nst_cl_buffer(&d->cl, bias, "weights", &w->bias, e);
    if (!s)
        s = nst_cl_write(&d->cl, l->weight, weights, (nst_span){ w->raw, 0 }, e);
    if (!s)
        s = nst_cl_write(&d->cl, l->bias, bias, (nst_span){ w->bias, 0 }, e);
    if (s)
        return s;
    d->weight_bytes += weights + bias;
    d->weights_later += i ? 8 * weights : 0; /* Winograd's, forward and backward */
    return NST_OK;
}

static nst_status make_loss_layers(nst_cl_device *d, const nst_node *nodes, nst_error *e)
{
    size_t ask = 0, most = 0;
    nst_status s;

    d->losses.style = nst_calloc((size_t)d->count, (size_t)d->losses.maps * sizeof *d->losses.style);
    if (!d->losses.style)
        return nst_fail(e, NST_EMEM, "statistics: out of memory");
    for (int i = 0; i < d->count; i++) {
        size_t c = (size_t)nodes[i].out;

        if (!nodes[i].loss_layer)
            continue;
        for (int k = 0; k < d->losses.maps; k++) {
            *nst_cl_style_at(d, i, k) = (nst_cl_style){ .c = nodes[i].out, .ask = ask, .sums = d->losses.sums_floats,
                                                        .numbers = d->losses.numbers_floats };
            ask += c * c + c, d->losses.sums_floats += 2 * (c * c + c), d->losses.numbers_floats += 2 * c;
        }
        d->losses.content_at[i] = d->losses.numbers_floats, d->losses.numbers_floats += (NST_CL_PARTS + 4) * c;
        most = c > most ? c : most;
    }
    d->losses.variation_at = d->losses.numbers_floats, d->losses.numbers_floats += 3 * NST_CL_GROUPS;
    d->losses.part_floats = 2 * NST_CL_PARTS * most;
    s = nst_cl_buffer(&d->cl, d->losses.sums_floats * sizeof(float), "statistics", &d->losses.sums, e);
    if (!s)
        s = nst_cl_buffer(&d->cl, ask * sizeof(float), "statistics", &d->losses.ask, e);
    if (!s)
        s = nst_cl_buffer(&d->cl, d->losses.numbers_floats * sizeof(float), "losses", &d->losses.numbers, e);
    if (!s)
        s = nst_cl_buffer(&d->cl, d->losses.part_floats * sizeof(float), "losses", &d->losses.part, e);
    if (!s)
        s = nst_cl_pin(&d->cl, d->losses.numbers_floats * sizeof(float), "making room for the losses", &d->losses.told,
                       e);
    if (s)
        return s;
    d->losses.host = nst_alloc(d->losses.sums_floats * sizeof(float));
    if (!d->losses.host)
        return nst_fail(e, NST_EMEM, "statistics: out of memory");
    return NST_OK;
}

nst_status nst_opencl_create(nst_device **out, const nst_graph_options *o, int index, const nst_node *nodes, int count,
                             nst_error *e)
{
    nst_cl_device *d = nst_calloc(1, sizeof *d);
    nst_status s;

    *out = NULL;
    if (!d)
        return nst_fail(e, NST_EMEM, "opencl: out of memory");
    d->base.ops = &ops;
    d->average = o->pooling == NST_POOL_AVERAGE, d->replicate = o->replicate, d->profile = o->profile;
    d->losses.maps = o->maps > 1 ? o->maps : 1;
    for (int i = 0; i < 3; i++) {
        d->order[i] = o->bgr ? 2 - i : i;
        d->scale[i] = o->scale[d->order[i]], d->shift[i] = o->shift[d->order[i]];
    }
    s = choose(d, o->conv, e);
    if (!s)
        s = nst_cl_open(&d->cl, index, o->cache, o->profile, e);
    if (s)
        goto fail;
    for (int i = 0; i < count; i++, d->count = i) {
        s = upload_layer(d, i, &o->model->layer[nodes[i].layer], e);
        if (s) {
            d->count = i + 1;
            goto fail;
        }
    }
    s = make_loss_layers(d, nodes, e);
    if (!s)
        s = nst_cl_finish(&d->cl, e);
    if (s)
        goto fail;
    *out = &d->base;
    return NST_OK;

fail:
    destroy(&d->base);
    return s;
}
