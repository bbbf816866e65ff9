/* halo.c: the neighbours' rows, when several ranks paint a picture.
 *
 * A rank owns rows of x, its gradient and the optimiser's vectors.  What it computes depends on a halo of the
 * neighbours' rows, which are fetched before, and gives gradients with respect to them, which are handed back after.
 * Statistics, distances and dot products are summed over all ranks.  Decisions are made from numbers that are the same
 * on each. */
#include "engine/run.h"
#include "ops/vector.h"

#include <string.h>

struct nst_halo {
    float *x, *dx;        /* [3][to - from][w] of the strip */
    float *received;      /* parts of this rank's dx, from all others */
    nst_message *message; /* room for what one exchange sends and receives */
};

static int larger(int a, int b) { return a > b ? a : b; }
static int smaller(int a, int b) { return a < b ? a : b; }

/* Floats of one plane's rows from..to-1. */
static size_t rows_of(const nst_row_range *s, int from, int to)
{
    return (size_t)(to - from) * (size_t)s->w;
}

/* Rows that two ranges have in common, from and to; false when there are none. */
static bool common(int a, int a_to, int b, int b_to, int *from, int *to)
{
    *from = larger(a, b);
    *to = smaller(a_to, b_to);
    return *from < *to;
}

/* Messages for rows from..to-1 of planes [3][rows][w] whose first row is row `first`; returns how many. */
static int tell(nst_message *m, int peer, bool send, float *planes, int w, int first, int rows, int from, int to)
{
    for (size_t c = 0; c < 3; c++) {
        float *at = planes + (c * (size_t)rows + (size_t)(from - first)) * (size_t)w;

        m[c] = (nst_message){ peer, send ? at : NULL, send ? NULL : at,
                              sizeof(float) * (size_t)(to - from) * (size_t)w };
    }
    return 3;
}

static void exchange(nst_run *r, const nst_message *m, int n)
{
    if (!r->ranks.cut_off)
        r->ranks.cut_off = r->job.comm->exchange(r->job.comm->arg, m, n) != 0;
}

/* Floats of this rank's dx that come from the others. */
static size_t received_floats(const nst_setup *u, int w, int h)
{
    nst_row_range own = nst_rank_own_rows(u, w, h);
    size_t n = 0;

    for (int rank = 0; rank < nst_rank_count(u); rank++) {
        nst_row_range peer = nst_rank_rows(u, w, h, rank);
        int from, to;

        if (rank != nst_rank_own(u) && common(own.own, own.own_to, peer.from, peer.to, &from, &to))
            n += 3 * rows_of(&own, from, to);
    }
    return n;
}

size_t nst_halo_floats(const nst_setup *u, int w, int h)
{
    nst_row_range s = nst_rank_own_rows(u, w, h);

    return u->job->comm ? 6 * rows_of(&s, s.from, s.to) + received_floats(u, w, h) : 0;
}

nst_status nst_halo_open(nst_run *r, nst_error *e)
{
    nst_halo *a;
    size_t n = rows_of(&r->strip, r->strip.from, r->strip.to);

    if (!r->job.comm)
        return NST_OK;
    a = nst_calloc(1, sizeof *a);
    r->state.halo = a;
    if (a)
        a->x = nst_calloc(n, 3 * sizeof *a->x);
    if (a && a->x)
        a->dx = nst_calloc(n, 3 * sizeof *a->dx);
    if (a && a->dx)
        a->received = nst_calloc(received_floats(&r->setup, r->w, r->h), sizeof *a->received);
    if (a && a->received)
        a->message = nst_calloc((size_t)nst_rank_count(&r->setup), 6 * sizeof *a->message);
    if (!a || !a->message)
        return nst_fail(e, NST_EMEM, "%d x %d pixels: out of memory", r->w, r->strip.to - r->strip.from);
    return NST_OK;
}

void nst_halo_close(nst_halo **halo)
{
    nst_halo *a = *halo;

    *halo = NULL;
    if (!a)
        return;
    nst_free(a->x);
    nst_free(a->dx);
    nst_free(a->received);
    nst_free(a->message);
    nst_free(a);
}

const float *nst_halo_x(const nst_run *r)
{
    return r->state.halo ? r->state.halo->x : r->state.x;
}

float *nst_halo_dx(const nst_run *r)
{
    return r->state.halo ? r->state.halo->dx : r->state.dx;
}

void nst_halo_exchange(nst_run *r)
{
    const nst_setup *u = &r->setup;
    nst_halo *a = r->state.halo;
    const nst_row_range *s = &r->strip;
    int rows = s->to - s->from, own = s->own_to - s->own, n = 0, from, to;

    if (!a)
        return;
    for (size_t c = 0; c < 3; c++)
        memcpy(a->x + (c * (size_t)rows + (size_t)(s->own - s->from)) * (size_t)s->w,
               r->state.x + c * (size_t)own * (size_t)s->w, rows_of(s, 0, own) * sizeof *r->state.x);
    for (int rank = 0; rank < nst_rank_count(u); rank++) {
        nst_row_range peer = nst_rank_rows(u, r->w, r->h, rank);

        if (rank == nst_rank_own(u))
            continue;
        if (common(s->own, s->own_to, peer.from, peer.to, &from, &to))
            n += tell(a->message + n, rank, true, r->state.x, s->w, s->own, own, from, to);
        if (common(s->from, s->to, peer.own, peer.own_to, &from, &to))
            n += tell(a->message + n, rank, false, a->x, s->w, s->from, rows, from, to);
    }
    exchange(r, a->message, n);
}

/* dx += what has come, in the order of ranks. */
static void add_received(nst_run *r)
{
    const nst_setup *u = &r->setup;
    const nst_row_range *s = &r->strip;
    const float *in = r->state.halo->received;
    int from, to;

    for (int rank = 0; rank < nst_rank_count(u); rank++) {
        nst_row_range peer = nst_rank_rows(u, r->w, r->h, rank);

        if (rank == nst_rank_own(u) || !common(s->own, s->own_to, peer.from, peer.to, &from, &to))
            continue;
        for (size_t c = 0; c < 3; c++, in += rows_of(s, from, to))
            nst_vec_axpy(&u->cpu, rows_of(s, from, to), 1, in,
                         r->state.dx + c * rows_of(s, s->own, s->own_to) + rows_of(s, s->own, from));
    }
}

void nst_halo_reduce(nst_run *r)
{
    const nst_setup *u = &r->setup;
    nst_halo *a = r->state.halo;
    const nst_row_range *s = &r->strip;
    int rows = s->to - s->from, own = s->own_to - s->own, n = 0, from, to;
    float *in = a ? a->received : NULL;

    if (!a)
        return;
    for (size_t c = 0; c < 3; c++)
        memcpy(r->state.dx + c * (size_t)own * (size_t)s->w,
               a->dx + (c * (size_t)rows + (size_t)(s->own - s->from)) * (size_t)s->w,
               rows_of(s, 0, own) * sizeof *r->state.dx);
    for (int rank = 0; rank < nst_rank_count(u); rank++) {
        nst_row_range peer = nst_rank_rows(u, r->w, r->h, rank);

        if (rank == nst_rank_own(u))
            continue;
        if (common(s->from, s->to, peer.own, peer.own_to, &from, &to))
            n += tell(a->message + n, rank, true, a->dx, s->w, s->from, rows, from, to);
        if (common(s->own, s->own_to, peer.from, peer.to, &from, &to)) {
            n += tell(a->message + n, rank, false, in, s->w, from, to - from, from, to);
            in += 3 * rows_of(s, from, to);
        }
    }
    exchange(r, a->message, n);
    add_received(r);
}

void nst_halo_fetch(nst_run *r, const float *own, int w, int h, const int *from, const int *to, float *rows)
{
    const nst_setup *u = &r->setup;
    int me = nst_rank_own(u), n = 0, a, b;
    nst_row_range mine = nst_rank_own_rows(u, w, h);

    for (int rank = 0; rank < nst_rank_count(u); rank++) {
        nst_row_range peer = nst_rank_rows(u, w, h, rank);
        nst_message *m = r->state.halo->message + n;

        if (rank == me) {
            if (common(mine.own, mine.own_to, from[me], to[me], &a, &b))
                for (size_t c = 0; c < 3; c++)
                    memcpy(rows + (c * (size_t)(to[me] - from[me]) + (size_t)(a - from[me])) * (size_t)w,
                           own + c * rows_of(&mine, mine.own, mine.own_to) + rows_of(&mine, mine.own, a),
                           rows_of(&mine, a, b) * sizeof *rows);
            continue;
        }
        if (common(mine.own, mine.own_to, from[rank], to[rank], &a, &b))
            m += tell(m, rank, true, (float *)own, w, mine.own, mine.own_to - mine.own, a, b);
        if (common(from[me], to[me], peer.own, peer.own_to, &a, &b))
            m += tell(m, rank, false, rows, w, from[me], to[me] - from[me], a, b);
        n = (int)(m - r->state.halo->message);
    }
    exchange(r, r->state.halo->message, n);
}

const float *nst_halo_gather(nst_run *r, int rank, const float *own, float *buffer)
{
    nst_row_range s = nst_rank_rows(&r->setup, r->w, r->h, rank);
    nst_message m = { .bytes = 3 * rows_of(&s, s.own, s.own_to) * sizeof *own };
    int me = nst_rank_own(&r->setup);

    if (me == rank && me == 0)
        return own;
    m.peer = me ? 0 : rank;
    m.send = me ? own : NULL;
    m.receive = me ? NULL : buffer;
    if ((me == rank || me == 0) && m.bytes)
        exchange(r, &m, 1);
    return me ? NULL : buffer;
}
