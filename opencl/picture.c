/* picture.c: the picture on the device: a window's part of x goes up, its gradient and the losses come down. */
#include "state.h"

#include <string.h>

void nst_cl_variation(nst_device *base, const nst_variation *v, const nst_rect *of, double *loss)
{
    nst_cl_device *d = nst_cl_of(base);

    d->picture.tv_loss = v ? loss : NULL;
    if (v)
        d->picture.tv = *v, d->picture.tv_of = *of;
}

static void drop_slots(nst_cl_device *d)
{
    for (int i = 0; i < 2; i++) {
        if (d->picture.sent[i] && !d->cl.hung)
            clReleaseEvent(d->picture.sent[i]);
        d->picture.sent[i] = NULL;
        nst_cl_unpin(&d->cl, &d->picture.up[i]);
    }
    nst_cl_unpin(&d->cl, &d->picture.down);
}

void nst_cl_picture_drop(nst_cl_device *d)
{
    drop_slots(d);
    nst_cl_release(&d->cl, &d->picture.x, d->picture.bytes);
    nst_cl_release(&d->cl, &d->picture.dx, d->picture.bytes);
    d->picture.bytes = 0;
}

static nst_status make_picture(nst_cl_device *d, size_t bytes, nst_error *e)
{
    nst_status s;

    if (d->picture.bytes >= bytes)
        return NST_OK;
    s = nst_cl_finish(&d->cl, e);
    if (s)
        return s;
    nst_cl_picture_drop(d);
    s = nst_cl_buffer(&d->cl, bytes, "the picture", &d->picture.x, e);
    if (s)
        return s;
    s = nst_cl_buffer(&d->cl, bytes, "the picture", &d->picture.dx, e);
    if (s) {
        nst_cl_release(&d->cl, &d->picture.x, bytes);
        return s;
    }
    d->picture.bytes = bytes;
    return nst_cl_pin(&d->cl, bytes, "making room for the picture", &d->picture.down, e);
}

static int least(int a, int b) { return a < b ? a : b; }
static int most(int a, int b) { return a > b ? a : b; }

/* What node 0 sees, and what the variation reads: its rectangle and a pixel around it. */
static nst_rect needed(const nst_cl_device *d, const nst_node *first, const nst_window *win)
{
    nst_rect r = { first->x, first->y, first->w, first->h }, t = d->picture.tv_of;
    int right = r.x + r.w, bottom = r.y + r.h;

    if (!d->picture.tv_loss)
        return r;
    right = most(right, least(t.x + t.w + 1, win->picture_w));
    bottom = most(bottom, least(t.y + t.h + 1, win->picture_h));
    r.x = least(r.x, most(t.x - 1, 0)), r.y = least(r.y, most(t.y - 1, 0));
    r.w = right - r.x, r.h = bottom - r.y;
    return r;
}

/* Where row i of three planes of what is up lies in the picture. */
static size_t row_at(const nst_cl_device *d, const nst_window *win, size_t i)
{
    const nst_rect *r = &d->picture.rect;
    size_t h = (size_t)r->h;

    return (i / h * (size_t)win->picture_h + (size_t)r->y + i % h) * (size_t)win->picture_w + (size_t)r->x;
}

static bool busy(nst_cl_device *d, int i)
{
    cl_int status = CL_COMPLETE;

    if (d->picture.sent[i])
        clGetEventInfo(d->picture.sent[i], CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, NULL);
    return status > CL_COMPLETE;
}

/* A place that the driver does not read any more: with one window always the first, without waiting. */
static nst_status free_slot(nst_cl_device *d, int *slot, nst_error *e)
{
    cl_event first = d->picture.sent[0];
    nst_status s;

    *slot = busy(d, 0) ? 1 : 0;
    if (*slot && busy(d, 1)) {
        *slot = 0, d->picture.sent[0] = NULL;
        s = nst_cl_wait(&d->cl, first, "writing to the device", e);
        if (s)
            return s;
    }
    if (d->picture.sent[*slot])
        clReleaseEvent(d->picture.sent[*slot]);
    d->picture.sent[*slot] = NULL;
    return d->picture.up[*slot].at ? NST_OK
         : nst_cl_pin(&d->cl, d->picture.bytes, "making room for the picture", &d->picture.up[*slot], e);
}

nst_status nst_cl_upload(nst_cl_device *d, const nst_node *first, const nst_window *win, const float *x, nst_error *e)
{
    nst_cl_picture *p = &d->picture;
    size_t w, h, n;
    nst_status s;
    int slot;

    p->rect = needed(d, first, win);
    w = (size_t)p->rect.w, h = (size_t)p->rect.h, n = 3 * w * h;
    s = make_picture(d, n * sizeof(float), e);
    if (!s)
        s = free_slot(d, &slot, e);
    if (s)
        return s;
    for (size_t i = 0; i < 3 * h; i++)
        memcpy(p->up[slot].at + i * w, x + row_at(d, win, i), w * sizeof *x);
    return nst_cl_send(&d->cl, p->up[slot].at, n * sizeof(float), nst_cl_floats(p->x, 0), &p->sent[slot], e);
}

static nst_status add_variation(nst_cl_device *d, const nst_node *first, const nst_window *win, nst_error *e)
{
    const nst_cl_picture *p = &d->picture;
    const nst_rect *r = &p->rect, *t = &p->tv_of;
    int flags = (p->tv.absolute ? 1 : 0) | (p->tv.inner ? 2 : 0);
    size_t bytes = 4 * 3 * sizeof(float) * (size_t)r->w * (size_t)r->h;

    return nst_cl_run(&d->cl, NST_CL_variation, nst_cl_items(d, NST_CL_GROUPS), 3, bytes, e, "sssliffffiiiiiiiiiiiiii",
                      nst_cl_floats(p->x, 0), nst_cl_floats(p->dx, 0),
                      nst_cl_floats(d->losses.numbers, d->losses.variation_at), flags,
                      p->tv.across, p->tv.down, p->tv.diagonal, p->tv.ends, win->picture_w,
                      win->picture_h, r->x, r->y, r->w, r->h, first->x - r->x, first->y - r->y, first->w, first->h,
                      t->x - r->x, t->y - r->y, t->w, t->h);
}

nst_status nst_cl_download(nst_cl_device *d, const nst_node *first, const nst_window *win, float *dx, nst_error *e)
{
    size_t w = (size_t)d->picture.rect.w, h = (size_t)d->picture.rect.h, n = 3 * w * h;
    nst_status s = d->picture.tv_loss ? add_variation(d, first, win, e) : NST_OK;

    if (!s)
        s = nst_cl_ask_losses(d, e);
    if (!s)
        s = nst_cl_read(&d->cl, nst_cl_floats(d->picture.dx, 0), n * sizeof(float), d->picture.down.at, true, e);
    if (s)
        return s;
    nst_cl_add_losses(d);
    for (size_t i = 0; i < 3 * h; i++) {
        float *to = dx + row_at(d, win, i);

        for (size_t k = 0; k < w; k++)
            to[k] += d->picture.down.at[i * w + k];
    }
    return NST_OK;
}
