/* memory_layout.c: where each buffer of a window lies in the device's one arena.  A buffer has a first and a last step;
 * those that overlap in time must not in space. */
#include "net/device.h"

#define MAX_BUFFERS (8 * NST_MODEL_LAYERS)

struct buffer {
    size_t *where; /* the node's field */
    size_t bytes, offset;
    int first, last;
};

struct plan {
    struct buffer buffer[MAX_BUFFERS];
    int count;
    size_t limit; /* the arena lies in pieces of so many bytes, 0: in one */
};

static void add(struct plan *p, size_t *where, size_t bytes, int first, int last)
{
    p->buffer[p->count++] = (struct buffer){ where, (bytes + NST_ALIGN - 1) / NST_ALIGN * NST_ALIGN, 0, first, last };
}

static bool meet(const struct buffer *a, const struct buffer *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* Off the border between two pieces of the arena; one that fits into none begins at a border. */
static size_t within_piece(const struct plan *p, size_t offset, size_t bytes)
{
    if (p->limit && offset % p->limit && offset / p->limit != (offset + bytes - 1) / p->limit)
        offset += p->limit - offset % p->limit;
    return offset;
}

/* The largest first, each at the lowest place that is free during its life. */
static size_t place(struct plan *p)
{
    size_t top = 0;
    bool done[MAX_BUFFERS] = { false };

    for (int n = 0; n < p->count; n++) {
        struct buffer *b = NULL;
        bool moved = true;

        for (int i = 0; i < p->count; i++)
            if (!done[i] && (!b || p->buffer[i].bytes > b->bytes))
                b = &p->buffer[i];
        while (moved) {
            moved = false;
            for (int i = 0; i < p->count; i++) {
                const struct buffer *o = &p->buffer[i];

                if (done[i] && meet(o, b) && b->offset < o->offset + o->bytes && o->offset < b->offset + b->bytes)
                    b->offset = within_piece(p, o->offset + o->bytes, b->bytes), moved = true;
            }
        }
        done[b - p->buffer] = true;
        *b->where = b->offset;
        if (b->offset + b->bytes > top)
            top = b->offset + b->bytes;
    }
    return top;
}

static void no_buffers(nst_node *node, int count)
{
    for (int i = 0; i < count; i++) {
        nst_node *n = &node[i];
        nst_buffer *buffer[] = { &n->result, &n->pool, &n->pass, &n->grad_out };

        for (size_t k = 0; k < NST_COUNT(buffer); k++)
            buffer[k]->at = buffer[k]->carry = NST_NONE;
        n->grad_features = NST_NONE;
    }
}

/* Scratch that grows with the strips. */
struct scratch {
    const nst_device *device;
    size_t bytes;
    int h[NST_MODEL_LAYERS], back[NST_MODEL_LAYERS], offset[NST_MODEL_LAYERS];
};

static void add_scratch(const nst_node *node, int count, void *arg)
{
    struct scratch *s = arg;
    bool news = false;
    size_t bytes;

    for (int i = 0; i < count; i++) {
        int back = node[i].back.to - node[i].back.from;
        int offset = nst_rectangles_offset(&node[i], node[i].y, node[i].tiles.image_y0);

        news |= s->h[i] != node[i].h || s->back[i] != back || s->offset[i] != offset;
        s->h[i] = node[i].h, s->back[i] = back, s->offset[i] = offset;
    }
    if (news) {
        bytes = s->device->ops->scratch_bytes(s->device, node, count);
        if (bytes > s->bytes)
            s->bytes = bytes;
    }
}

/* The same of all strips of a column: what stays and what is carried lives from strip to strip. */
static size_t strips(const nst_device *d, nst_node *node, int count, bool ceil, const nst_window *win, nst_use use,
                     size_t *scratch)
{
    size_t (*features)(const nst_device *, int, int, int) = d->ops->feature_bytes;
    struct plan p = { .count = 0, .limit = d->ops->limit ? d->ops->limit(d) : 0 };
    struct scratch need = { .device = d };
    int end = 2 * count - 1;

    nst_rectangles_needed(node, count, ceil, win);
    no_buffers(node, count);
    nst_strips_room(node, count, ceil, use, win, add_scratch, &need);
    nst_strips_rows(node, count, ceil, use, win);
    for (int i = 0; i < count; i++) {
        nst_node *n = &node[i];
        int back = end - i, half = n->pooled ? n->pooled_w : n->w;

        if (nst_strips_stays(n, use)) {
            add(&p, &n->result.at, features(d, n->out, n->w, n->result.rows.count), 0, end);
        } else if (!n->pooled) {
            add(&p, &n->result.at, features(d, n->out, n->w, n->result.rows.count), i, i + 1);
            add(&p, &n->result.carry, features(d, n->out, n->w, n->result.carry_rows), 0, end);
        }
        if (n->pooled) {
            add(&p, &n->pool.at, features(d, n->out, half, n->pool.rows.count), i, i + 1);
            add(&p, &n->pool.carry, features(d, n->out, half, n->pool.carry_rows), 0, end);
        }
        if (use != NST_USE_GRADIENT)
            continue;
        add(&p, &n->pass.at, d->ops->mask_bytes(d, n->out, n->w, n->pass.rows.count), 0, end);
        add(&p, &n->grad_out.at, features(d, n->out, half, n->grad_out.rows.count), back - 1, back);
        add(&p, &n->grad_out.carry, features(d, n->out, half, n->grad_out.carry_rows), 0, end);
    }
    *scratch = need.bytes;
    return place(&p);
}

/* Sizes and offsets of every node for a window; returns the arena's bytes.  Steps: node i forward is step i,
 * backward 2 count - 1 - i.  Features of loss layers live as long as they are used. */
size_t nst_arena_plan(const nst_device *d, nst_node *node, int count, bool ceil, const nst_window *win, nst_use use,
                      size_t *scratch)
{
    const nst_device_ops *ops = d->ops;
    struct plan p = { .count = 0, .limit = ops->limit ? ops->limit(d) : 0 };
    int end = 2 * count - 1;
    bool backward = use == NST_USE_GRADIENT;

    nst_rectangles_tiles(d, node, count, ceil, win);
    if (win->strip)
        return strips(d, node, count, ceil, win, use, scratch);
    nst_rectangles_set(node, count, ceil, ops->rectangles, win);
    no_buffers(node, count);
    for (int i = 0; i < count; i++) {
        nst_node *n = &node[i];
        int back = end - i;
        size_t full = ops->feature_bytes(d, n->out, n->w, n->h);
        /* the first convolution does not pool by itself */
        bool whole = n->loss_layer || (i == 0 && n->pooled);
        size_t half = n->pooled ? ops->feature_bytes(d, n->out, n->pooled_w, n->pooled_h) : 0;
        int read_last = i + 1;

        if (whole && use != NST_USE_STATS)
            read_last = backward ? back : end;
        if (whole || !n->pooled)
            add(&p, &n->result.at, full, i, read_last);
        if (n->pooled)
            add(&p, &n->pool.at, half, i, i + 1);
        if (!backward)
            continue;
        add(&p, &n->pass.at, ops->mask_bytes(d, n->out, n->w, n->h), i, back);
        add(&p, &n->grad_out.at, n->pooled ? half : full, back - 1, back);
        if (n->pooled && whole)
            add(&p, &n->grad_features, full, back, back);
    }
    *scratch = ops->scratch_bytes(d, node, count);
    return place(&p);
}
