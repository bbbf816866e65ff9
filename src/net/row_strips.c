/* row_strips.c: the rows of a picture that is computed from the top down in strips without halos.
 *
 * A convolution can compute row y when row y + 1 of what it reads is there, so each layer lags a row behind the one
 * before it, and a strip leaves the last rows of every layer for the next one; what is computed in tiles waits for a
 * whole one.  The gradient lags in the same way on its way back: VGG19's at the first layer is 149 rows behind the
 * picture, with tiles up to 245.  So long masks and the features that losses read stay in their buffers, which are
 * moved up by what a strip needs no more; all other buffers are shared in time as in windows, and a few rows of each
 * are carried over in a buffer of their own. */
#include "net/device.h"

/* Ends of the rows that are there when the first layer has computed so many: of features, of what the next layer reads,
 * of the gradient with respect to the latter, and with respect to features. */
struct frontier {
    int made[NST_MODEL_LAYERS], ready[NST_MODEL_LAYERS], back[NST_MODEL_LAYERS], grad[NST_MODEL_LAYERS];
    bool between; /* neither the picture's upper edge nor its lower one has a say: further down the same comes again */
};

static int behind(int n, int all, bool *between)
{
    *between = *between && n > 0 && n < all;
    if (n == all)
        return n;
    return n > 0 ? n - 1 : 0;
}

static void frontier(const nst_node *node, int count, bool ceil, int height, int y, struct frontier *f)
{
    int size[NST_MODEL_LAYERS], given[NST_MODEL_LAYERS];

    f->between = true;
    for (int i = 0; i < count; i++) {
        size[i] = i ? given[i - 1] : height;
        given[i] = node[i].pooled ? (size[i] + ceil) / 2 : size[i];
        f->made[i] = i ? behind(f->ready[i - 1], size[i], &f->between) : y;
        if (f->made[i] < size[i])
            f->made[i] -= nst_rectangles_offset(&node[i], f->made[i], node[i].tiles.image_y0);
        if (f->made[i] < 0)
            f->made[i] = 0;
        if (node[i].pooled && f->made[i] < size[i])
            f->made[i] -= f->made[i] % 2;
        f->between = f->between && f->made[i] > 0 && f->made[i] < size[i];
        f->ready[i] = f->made[i];
        if (node[i].pooled)
            f->ready[i] = f->made[i] == size[i] ? given[i] : f->made[i] / 2;
    }
    for (int i = count - 1; i >= 0; i--) {
        f->back[i] = i + 1 == count ? f->made[i] : behind(f->grad[i + 1], size[i + 1], &f->between);
        f->between = f->between && f->back[i] > 0;
        f->grad[i] = f->back[i];
        if (node[i].pooled)
            f->grad[i] = f->back[i] == given[i] && f->made[i] == size[i] ? size[i] : 2 * f->back[i];
    }
}

/* The first rows that are still needed where a strip begins, of each buffer of a node. */
struct first {
    int result, pool, pass, grad_out;
};

bool nst_strips_stays(const nst_node *n, nst_use use)
{
    return n->loss_layer && use != NST_USE_STATS;
}

static int least(int a, int b) { return a < b ? a : b; }
static int above(int n) { return n > 0 ? n - 1 : 0; }

static struct first first_rows(const nst_node *node, int count, int i, nst_use use, const struct frontier *f)
{
    int next = i + 1 < count ? above(f->made[i + 1]) : f->made[i];
    int back = i ? above(f->back[i - 1]) : f->grad[0];
    struct first r = { next, next, back, back };

    if (nst_strips_stays(&node[i], use))
        r.result = node[i].pooled || i + 1 == count ? f->grad[i] : least(f->grad[i], next);
    if (node[i].pooled)
        r.pass -= r.pass % 2, r.grad_out /= 2;
    return r;
}

static void begin_and_end(const nst_node *node, int count, bool ceil, const nst_window *win, struct frontier *a,
                          struct frontier *b)
{
    frontier(node, count, ceil, win->picture_h, win->y, a);
    frontier(node, count, ceil, win->picture_h, win->y + win->h, b);
}

void nst_strips_rows(nst_node *node, int count, bool ceil, nst_use use, const nst_window *win)
{
    struct frontier a, b;

    begin_and_end(node, count, ceil, win, &a, &b);
    for (int i = 0; i < count; i++) {
        nst_node *n = &node[i];
        struct first first = first_rows(node, count, i, use, &a);

        n->strip = true;
        n->y = a.made[i], n->h = b.made[i] - a.made[i];
        n->pooled_h = n->pooled ? b.ready[i] - a.ready[i] : 0;
        n->ready = b.ready[i];
        n->back = (nst_range){ a.back[i], b.back[i] };
        n->grad = (nst_range){ a.grad[i], b.grad[i] };
        n->result.rows.first = first.result, n->pool.rows.first = first.pool;
        n->pass.rows.first = first.pass, n->grad_out.rows.first = first.grad_out;
    }
}

static void raise(int *n, int to)
{
    if (*n < to)
        *n = to;
}

static int gcd(int a, int b) { return b ? gcd(b, a % b) : a; }

/* So many strips further down all layers' tiles and pairs of rows fall as before. */
static int period(const nst_node *node, int count, int strip)
{
    int rows = 1, stride = 1;

    for (int i = 0; i < count; i++) {
        int own = stride * node[i].tiles.size;

        rows *= own / gcd(own, rows);
        stride <<= node[i].pooled;
    }
    rows *= stride / gcd(stride, rows);
    return rows / gcd(rows, strip);
}

/* The last strip from `first`, which is one, on that ends between the picture's edges.  Few below it do not. */
static int last_between(const nst_node *node, int count, bool ceil, const nst_window *win, int first)
{
    int i = (win->picture_h - 1) / win->strip;
    struct frontier end;

    for (; i > first; i--) {
        frontier(node, count, ceil, win->picture_h, least((i + 1) * win->strip, win->picture_h), &end);
        if (end.between)
            break;
    }
    return i;
}

/* Pictures have up to thousands of strips.  Between the edges one is like that a period above it: those are left
 * out. */
void nst_strips_room(nst_node *node, int count, bool ceil, nst_use use, const nst_window *win,
                     void (*each)(const nst_node *node, int count, void *arg), void *arg)
{
    nst_window strip = *win;
    int alike = 0, all = period(node, count, win->strip);

    for (int i = 0; i < count; i++) {
        node[i].result.rows.count = node[i].pool.rows.count = node[i].pass.rows.count = node[i].grad_out.rows.count = 0;
        node[i].result.carry_rows = node[i].pool.carry_rows = node[i].grad_out.carry_rows = 0;
    }
    for (strip.y = 0; strip.y < win->picture_h; strip.y += win->strip) {
        struct frontier a, b;

        strip.h = least(win->strip, win->picture_h - strip.y);
        begin_and_end(node, count, ceil, &strip, &a, &b);
        nst_strips_rows(node, count, ceil, use, &strip);
        each(node, count, arg);
        for (int i = 0; i < count; i++) {
            nst_node *n = &node[i];
            struct first from = first_rows(node, count, i, use, &a), to = first_rows(node, count, i, use, &b);

            raise(&n->result.rows.count, b.made[i] - from.result);
            raise(&n->pool.rows.count, b.ready[i] - from.pool);
            raise(&n->pass.rows.count, b.made[i] - from.pass);
            raise(&n->grad_out.rows.count, b.back[i] - from.grad_out);
            raise(&n->result.carry_rows, b.made[i] - to.result);
            raise(&n->pool.carry_rows, b.ready[i] - to.pool);
            raise(&n->grad_out.carry_rows, b.back[i] - to.grad_out);
        }
        alike = a.between && b.between ? alike + 1 : 0;
        if (alike == all)
            strip.y = last_between(node, count, ceil, win, strip.y / win->strip) * win->strip;
    }
}

void nst_strips_shift(nst_device *d, const nst_node *node, int count, bool ceil, nst_use use, const nst_window *win)
{
    nst_window before = *win;
    struct frontier a, b;

    if (!win->y)
        return;
    before.y -= win->strip, before.h = win->strip;
    begin_and_end(node, count, ceil, &before, &a, &b);
    for (int i = 0; i < count; i++) {
        const nst_node *n = &node[i];
        struct first from = first_rows(node, count, i, use, &a), to = first_rows(node, count, i, use, &b);
        nst_move m = { .w = n->w, .channels = n->out };

        if (nst_strips_stays(n, use)) {
            m.from = m.to = n->result.at, m.from_rows = m.to_rows = n->result.rows.count;
            m.from_row = to.result - from.result, m.count = b.made[i] - to.result;
            d->ops->move(d, &m);
        }
        if (use == NST_USE_GRADIENT) {
            m.from = m.to = n->pass.at, m.from_rows = m.to_rows = n->pass.rows.count;
            m.from_row = to.pass - from.pass, m.count = b.made[i] - to.pass, m.mask = true;
            d->ops->move(d, &m);
        }
    }
}

/* One buffer's rows out of (save) or into it. */
static void carry(nst_device *d, const nst_node *n, int w, const nst_buffer *b, int from, int end, bool save)
{
    nst_move in = { .from = b->carry, .to = b->at, .from_rows = b->carry_rows, .to_rows = b->rows.count,
                    .to_row = from - b->rows.first, .count = end - from, .w = w, .channels = n->out };
    nst_move out = { .from = b->at, .to = b->carry, .from_rows = b->rows.count, .to_rows = b->carry_rows,
                     .from_row = from - b->rows.first, .count = end - from, .w = w, .channels = n->out };

    if (end > from)
        d->ops->move(d, save ? &out : &in);
}

static void carry_all(nst_device *d, const nst_node *node, int count, int i, nst_use use, const struct frontier *f,
                      bool forward, bool save)
{
    const nst_node *n = &node[i];
    struct first first = first_rows(node, count, i, use, f);
    int half = n->pooled ? n->pooled_w : n->w;

    if (!forward)
        carry(d, n, half, &n->grad_out, first.grad_out, f->back[i], save);
    else if (n->pooled)
        carry(d, n, half, &n->pool, first.pool, f->ready[i], save);
    else if (!nst_strips_stays(n, use))
        carry(d, n, n->w, &n->result, first.result, f->made[i], save);
}

void nst_strips_restore(nst_device *d, const nst_node *node, int count, int i, bool ceil, nst_use use,
                        const nst_window *win, bool forward)
{
    struct frontier f;

    frontier(node, count, ceil, win->picture_h, win->y, &f);
    carry_all(d, node, count, i, use, &f, forward, false);
}

void nst_strips_save(nst_device *d, const nst_node *node, int count, int i, bool ceil, nst_use use,
                     const nst_window *win, bool forward)
{
    struct frontier f;

    frontier(node, count, ceil, win->picture_h, win->y + win->h, &f);
    if (win->y + win->h < win->picture_h)
        carry_all(d, node, count, i, use, &f, forward, true);
}
