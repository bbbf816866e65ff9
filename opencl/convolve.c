/* convolve.c: a 3x3 convolution on the device: patches or Winograd tiles as matrices, CLBlast's product, bias, ReLU,
 * pooling and masks on the way out.  A strip of rows at a time, so that the matrices stay small. */
#include "state.h"

#define STRIP (128u << 20) /* bytes of a strip's matrices, where one row does not need more */
#define TILE 64            /* sides of products are padded to multiples: CLBlast copies what is not */
/* Multiply-adds that a device does in the time of one byte from memory, for the choice of the algorithm: GPUs have
 * between 10 and 40. */
#define BALANCE 20.

struct conv {
    int layer, direction, algorithm;
    int in, out, w, h;
    nst_span source, gate;
    int mode, gate_w, gate_h, source_w, source_h, left, top;
    int lead_x, lead_y; /* of the first tile, before the result */
    nst_span result, pool, mask;
    int flags, pooled_w, pooled_h;
};

static size_t up_to(size_t n, size_t unit) { return (n + unit - 1) / unit * unit; }

/* ---- the plan ---- */

/* Seconds in units of a multiply-add: products and what they move. */
static double cost(int algorithm, int in, int out, int w, int h)
{
    double pixels = (double)up_to((size_t)w * (size_t)h, TILE);
    double tiles = (double)up_to((size_t)((w + 3) / 4) * (size_t)((h + 3) / 4), TILE);

    if (algorithm == NST_CL_WINOGRAD)
        return 36 * tiles * ((double)in * out + BALANCE * 4 * 2 * (in + out));
    return pixels * (9. * in * out + BALANCE * 4 * 2 * (9. * in + out));
}

static int choose(const nst_cl_device *d, int in, int out, int w, int h)
{
    if (d->algorithm != NST_CL_AUTO)
        return d->algorithm;
    return cost(NST_CL_WINOGRAD, in, out, w, h) < cost(NST_CL_IM2COL, in, out, w, h) ? NST_CL_WINOGRAD : NST_CL_IM2COL;
}

static size_t tiles_across(const struct conv *c) { return (size_t)(c->w + c->lead_x + 3) / 4; }
static size_t tiles_down(const struct conv *c) { return (size_t)(c->h + c->lead_y + 3) / 4; }

/* Rows of tiles, or of pixels (even), in a strip; its columns, padded. */
static int strip_rows(const nst_cl_device *d, const struct conv *c)
{
    size_t share = d->cl.memory / 8 < STRIP ? d->cl.memory / 8 : STRIP;
    size_t most = d->cl.allocation < share ? d->cl.allocation : share;
    size_t in = (size_t)c->in, out = (size_t)c->out, rows;

    if (c->algorithm == NST_CL_WINOGRAD) {
        rows = most / (36 * (in + out) * sizeof(float));
        rows = rows > TILE ? (rows - TILE) / tiles_across(c) : 0;
        return (int)nst_clamp_size(rows, 1, tiles_down(c));
    }
    rows = most / ((9 * in + out) * sizeof(float));
    rows = rows > TILE ? (rows - TILE) / (size_t)c->w / 2 * 2 : 0;
    return (int)nst_clamp_size(rows, 2, (size_t)c->h);
}

static size_t strip_ld(const struct conv *c, int rows)
{
    return up_to((size_t)rows * (c->algorithm == NST_CL_WINOGRAD ? tiles_across(c) : (size_t)c->w), TILE);
}

static size_t scratch_floats(const nst_cl_device *d, const struct conv *c)
{
    size_t ld = strip_ld(c, strip_rows(d, c));

    return ld * (c->algorithm == NST_CL_WINOGRAD ? 36 * (size_t)(c->in + c->out) : 9 * (size_t)c->in + (size_t)c->out);
}

/* ---- nodes as convolutions ---- */

/* What the node behind reads: its rectangle's corner and size. */
static nst_rect given(const nst_node *n)
{
    return n->pooled ? (nst_rect){ n->x / 2, n->y / 2, n->pooled_w, n->pooled_h }
                     : (nst_rect){ n->x, n->y, n->w, n->h };
}

static int forward_algorithm(const nst_cl_device *d, const nst_node *n)
{
    int w, h;

    nst_rectangles_measure(n, &w, &h);
    return choose(d, n->in, n->out, w, h);
}

static struct conv forward_conv(const nst_cl_device *d, const nst_node *nodes, int i)
{
    const nst_node *n = &nodes[i], *from = &nodes[i - 1];
    nst_rect r = given(from);
    struct conv c = { .layer = i, .direction = NST_CL_FORWARD, .in = n->in, .out = n->out, .w = n->w, .h = n->h,
                      .source = nst_cl_span(d, from->pooled ? from->pool.at : from->result.at), .mode = NST_READ_PLAIN,
                      .gate_w = r.w, .gate_h = r.h, .source_w = r.w, .source_h = r.h, .left = n->x - r.x,
                      .top = n->y - r.y, .lead_x = nst_rectangles_offset(n, n->x, 0),
                      .lead_y = nst_rectangles_offset(n, n->y, n->tiles.image_y0),
                      .result = nst_cl_span(d, n->result.at),
                      .pool = nst_cl_span(d, n->pool.at), .mask = nst_cl_span(d, n->pass.at), .flags = NST_WRITE_RELU,
                      .pooled_w = n->pooled_w, .pooled_h = n->pooled_h };

    c.gate = c.source;
    c.flags |= (n->result.at != NST_NONE ? NST_WRITE_RESULT : 0) | (n->pooled ? NST_WRITE_POOL : 0) |
               (n->pass.at != NST_NONE ? NST_WRITE_MASK : 0) | (d->average ? NST_WRITE_AVERAGE : 0);
    c.algorithm = forward_algorithm(d, n);
    return c;
}

int nst_cl_conv_tile(const nst_device *base, const nst_node *nodes, int i)
{
    return forward_algorithm(nst_cl_of(base), &nodes[i]) == NST_CL_WINOGRAD ? 4 : 1;
}

static struct conv backward_conv(const nst_cl_device *d, const nst_node *nodes, int i)
{
    const nst_node *n = &nodes[i], *from = &nodes[i - 1];
    bool behind_pool = n->pooled && !n->loss_layer;
    nst_rect r = given(from);
    struct conv c = { .layer = i, .direction = NST_CL_BACKWARD, .in = n->out, .out = n->in, .w = r.w, .h = r.h,
                      .source = nst_cl_span(d, n->pooled && n->loss_layer ? n->grad_features : n->grad_out.at),
                      .gate = nst_cl_span(d, n->pass.at), .gate_w = n->w, .gate_h = n->h, .source_w = n->pooled_w,
                      .source_h = n->pooled_h, .left = r.x - n->x, .top = r.y - n->y,
                      .result = nst_cl_span(d, from->grad_out.at),
                      .flags = NST_WRITE_RESULT };

    c.pool = c.mask = c.result;
    c.mode = NST_READ_MASKED;
    if (behind_pool)
        c.mode = d->average ? NST_READ_AVERAGED : NST_READ_POOLED;
    c.algorithm = choose(d, c.in, c.out, c.w, c.h);
    return c;
}

size_t nst_cl_conv_scratch(const nst_cl_device *d, const nst_node *nodes, int i)
{
    struct conv f = forward_conv(d, nodes, i), b = backward_conv(d, nodes, i);
    size_t m = scratch_floats(d, &f), n = scratch_floats(d, &b);

    return (m > n ? m : n) * sizeof(float);
}

int nst_cl_conv_algorithm(const nst_cl_device *d, const nst_node *nodes, int i, bool backward)
{
    struct conv c = backward ? backward_conv(d, nodes, i) : forward_conv(d, nodes, i);

    return c.algorithm;
}

/* ---- running ---- */

/* The weights as this convolution's product wants them. */
static nst_status packed(nst_cl_device *d, const struct conv *c, nst_span *out, nst_error *e)
{
    nst_cl_weights *w = &d->w[c->layer];
    cl_mem *at = &w->packed[c->direction][c->algorithm];
    size_t pairs = (size_t)w->in * (size_t)w->out;
    size_t bytes = pairs * (c->algorithm == NST_CL_WINOGRAD ? 36 : 9) * sizeof(float);
    nst_status s;

    if (!*at) {
        s = nst_cl_buffer(&d->cl, bytes, "weights", at, e);
        if (s)
            return s;
        d->weight_bytes += bytes;
        d->weights_later -= bytes < d->weights_later ? bytes : d->weights_later;
        s = nst_cl_run(&d->cl, c->algorithm == NST_CL_WINOGRAD ? NST_CL_pack_winograd : NST_CL_pack_patches, pairs,
                       1, bytes + pairs * 36, e, "ssiii", (nst_span){ w->raw, 0 }, (nst_span){ *at, 0 }, w->out,
                       w->in, c->direction);
        if (s)
            return s;
    }
    *out = (nst_span){ *at, 0 };
    return NST_OK;
}

static nst_status patches(nst_cl_device *d, const struct conv *c, nst_span weights, int y, int rows, nst_error *e)
{
    size_t count = (size_t)rows * (size_t)c->w, ld = up_to(count, TILE), k = 9 * (size_t)c->in;
    nst_span matrix = { d->scratch, 0 }, m = { d->scratch, k * ld * sizeof(float) };
    nst_cl_gemm g = { .m = ld, .n = (size_t)c->out, .k = k, .a = matrix, .lda = ld, .b = weights,
                      .ldb = (size_t)c->out, .c = m, .ldc = ld, .batch = 1 };
    size_t across = (size_t)(c->w + 1) / 2;
    nst_status s = nst_cl_run(&d->cl, NST_CL_patches, ld, (size_t)c->in, (k + (size_t)c->in) * ld * sizeof(float), e,
                              "ssiiiiiiisiiiii", c->source, c->gate, c->mode, c->gate_w, c->gate_h, c->source_w,
                              c->source_h, c->left, c->top, matrix, c->w, y, (int)count, (int)ld, c->in);

    if (!s)
        s = nst_cl_product(&d->cl, &g, e);
    if (s)
        return s;
    return nst_cl_run(&d->cl, NST_CL_finish, across * (size_t)((rows + 1) / 2), (size_t)c->out,
                      2 * (size_t)c->out * ld * sizeof(float), e, "ssiiiiisssiiiii", m,
                      (nst_span){ d->w[c->layer].bias, 0 }, c->direction == NST_CL_FORWARD, y, rows, (int)ld, c->out,
                      c->result, c->pool, c->mask, c->flags, c->w, c->h, c->pooled_w, c->pooled_h);
}

static nst_status winograd(nst_cl_device *d, const struct conv *c, nst_span weights, int y, int rows, nst_error *e)
{
    size_t tiles = (size_t)rows * tiles_across(c), ld = up_to(tiles, TILE);
    size_t in = (size_t)c->in, out = (size_t)c->out;
    nst_span v = { d->scratch, 0 }, m = { d->scratch, 36 * in * ld * sizeof(float) };
    nst_cl_gemm g = { .m = ld, .n = out, .k = in, .a = v, .lda = ld, .stride_a = in * ld, .b = weights, .ldb = out,
                      .stride_b = in * out, .c = m, .ldc = ld, .stride_c = out * ld, .batch = 36 };
    nst_status s = nst_cl_run(&d->cl, NST_CL_winograd_in, ld, in, 52 * in * ld * sizeof(float), e, "ssiiiiiiisiiiiiii",
                              c->source, c->gate, c->mode, c->gate_w, c->gate_h, c->source_w, c->source_h, c->left,
                              c->top, v, c->w, c->lead_x, c->lead_y, y, (int)tiles, (int)ld, c->in);

    if (!s)
        s = nst_cl_product(&d->cl, &g, e);
    if (s)
        return s;
    return nst_cl_run(&d->cl, NST_CL_winograd_out, tiles, out, 52 * out * ld * sizeof(float), e, "ssiiiiiiisssiiiii", m,
                      (nst_span){ d->w[c->layer].bias, 0 }, c->direction == NST_CL_FORWARD, c->lead_x, c->lead_y, y,
                      (int)tiles, (int)ld, c->out, c->result, c->pool, c->mask, c->flags, c->w, c->h, c->pooled_w,
                      c->pooled_h);
}

static nst_status run(nst_cl_device *d, const struct conv *c, nst_error *e)
{
    int rows = strip_rows(d, c), all = c->algorithm == NST_CL_WINOGRAD ? (int)tiles_down(c) : c->h;
    nst_span weights;
    nst_status s = packed(d, c, &weights, e);

    for (int y = 0; y < all && !s; y += rows)
        s = (c->algorithm == NST_CL_WINOGRAD ? winograd : patches)
                (d, c, weights, y, all - y < rows ? all - y : rows, e);
    return s;
}

nst_status nst_cl_conv_forward(nst_cl_device *d, const nst_node *nodes, int i, nst_error *e)
{
    struct conv c = forward_conv(d, nodes, i);

    return run(d, &c, e);
}

nst_status nst_cl_conv_backward(nst_cl_device *d, const nst_node *nodes, int i, nst_error *e)
{
    struct conv c = backward_conv(d, nodes, i);

    return run(d, &c, e);
}
