/* across.c: a run by several ranks: which strip of the picture is whose, and what they tell each other.
 *
 * A rank owns rows of x, its gradient and the optimiser's vectors.  What it computes depends on a halo of the neighbours'
 * rows, which are fetched before, and gives gradients with respect to them, which are handed back after.  Statistics,
 * distances and dot products are summed over all ranks.  Decisions are made from numbers that are the same on each. */
#include "engine/run.h"

#include <string.h>

struct nst_across {
    float *x, *dx;        /* [3][to - from][w] of the strip */
    float *received;      /* parts of this rank's dx, from all others */
    nst_message *message; /* room for what one exchange sends and receives */
};

/* ---- strips -------------------------------------------------------------------------------------------- */

int nst_across_rank(const nst_run *r)
{
    return r->comm ? r->comm->rank : 0;
}

int nst_across_ranks(const nst_run *r)
{
    return r->comm ? r->comm->ranks : 1;
}

nst_strip nst_strip_at(const nst_run *r, int w, int h, int rank)
{
    int grid = nst_graph_grid(r->graph), ranks = nst_across_ranks(r);
    int all = nst_windows_cells(r, h - 2 * r->margin), strips = ranks < all ? ranks : all;
    bool first = rank == 0, last = rank + 1 == strips;
    nst_strip s = { w, h, h, h, h, h, h, h };
    nst_window win = { .picture_w = w, .picture_h = h, .core_x = r->margin, .core_w = w - 2 * r->margin };

    if (rank >= strips)
        return s;
    s.core = r->margin + (int)((long long)all * rank / strips) * grid;
    s.core_to = last ? h - r->margin : r->margin + (int)((long long)all * (rank + 1) / strips) * grid;
    s.own = first ? 0 : s.core;
    s.own_to = last ? h : s.core_to;
    win.core_y = s.core, win.core_h = s.core_to - s.core;
    nst_graph_reach(r->graph, &win);
    s.from = first ? 0 : win.y;
    s.to = last ? h : win.y + win.h;
    return s;
}

nst_strip nst_strip_own(const nst_run *r, int w, int h)
{
    return nst_strip_at(r, w, h, nst_across_rank(r));
}

static int larger(int a, int b) { return a > b ? a : b; }
static int smaller(int a, int b) { return a < b ? a : b; }

/* Floats of one plane's rows from..to-1. */
static size_t rows_of(const nst_strip *s, int from, int to)
{
    return (size_t)(to - from) * (size_t)s->w;
}

/* ---- agreement ----------------------------------------------------------------------------------------- */

static nst_status unreached(int rank, nst_error *e)
{
    return nst_fail(e, NST_EIO, "rank %d: the other ranks are not reached any more", rank);
}

nst_status nst_comm_agree(const nst_comm *comm, nst_status s, nst_error *e)
{
    struct {
        nst_status s;
        nst_error e;
    } said = { .s = s };
    double failed = s != NST_OK;

    if (!comm || comm->ranks < 2)
        return s;
    if (comm->sum(comm->arg, &failed, 1))
        return unreached(comm->rank, e);
    for (int root = 0; failed > 0 && root < comm->ranks; root++) {
        said.s = s;
        if (s && e)
            said.e = *e;
        if (comm->broadcast(comm->arg, &said, sizeof said, root))
            return unreached(comm->rank, e);
        if (said.s)
            return nst_fail(e, said.s, "rank %d: %.480s", root, said.e.text);
    }
    return NST_OK;
}

nst_status nst_across_agree(nst_run *r, nst_status s, nst_error *e)
{
    return r->cut_off ? unreached(r->comm->rank, e) : nst_comm_agree(r->comm, s, e);
}

void nst_across_sum(nst_run *r, double *v, size_t n)
{
    if (r->comm && !r->cut_off)
        r->cut_off = r->comm->sum(r->comm->arg, v, n) != 0;
}

bool nst_across_any(nst_run *r, bool v)
{
    double sum = v;

    nst_across_sum(r, &sum, 1);
    return sum > 0;
}

int nst_across_least(nst_run *r, int v)
{
    int least = v;

    for (int root = 0; root < nst_across_ranks(r) && r->comm && !r->cut_off; root++) {
        int theirs = v;

        r->cut_off = r->comm->broadcast(r->comm->arg, &theirs, sizeof theirs, root) != 0;
        least = smaller(least, theirs);
    }
    return least;
}

bool nst_across_schedule(nst_run *r, nst_progress *p, bool over)
{
    struct {
        nst_plan plan;
        nst_progress p;
        bool over;
    } first = { r->plan, *p, over };

    if (!r->comm || r->cut_off)
        return over;
    r->cut_off = r->comm->broadcast(r->comm->arg, &first, sizeof first, 0) != 0;
    memcpy(r->plan.iterations, first.plan.iterations, sizeof r->plan.iterations);
    p->iterations = first.p.iterations;
    p->total_iterations = first.p.total_iterations;
    p->seconds = first.p.seconds, p->elapsed = first.p.elapsed, p->remaining = first.p.remaining;
    return first.over;
}

void nst_across_stats(nst_run *r, nst_stats *s)
{
    nst_across_sum(r, &s->n, 1);
    nst_across_sum(r, s->sum, (size_t)s->c);
    nst_across_sum(r, s->gram, (size_t)s->c * (size_t)s->c);
}

/* ---- rows ---------------------------------------------------------------------------------------------- */

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

        m[c] = (nst_message){ peer, send ? at : NULL, send ? NULL : at, sizeof(float) * (size_t)(to - from) * (size_t)w };
    }
    return 3;
}

static void exchange(nst_run *r, const nst_message *m, int n)
{
    if (!r->cut_off)
        r->cut_off = r->comm->exchange(r->comm->arg, m, n) != 0;
}

/* Floats of this rank's dx that come from the others. */
static size_t received_floats(const nst_run *r, int w, int h)
{
    nst_strip own = nst_strip_own(r, w, h);
    size_t n = 0;

    for (int rank = 0; rank < nst_across_ranks(r); rank++) {
        nst_strip peer = nst_strip_at(r, w, h, rank);
        int from, to;

        if (rank != nst_across_rank(r) && common(own.own, own.own_to, peer.from, peer.to, &from, &to))
            n += 3 * rows_of(&own, from, to);
    }
    return n;
}

size_t nst_across_floats(const nst_run *r, int w, int h)
{
    nst_strip s = nst_strip_own(r, w, h);

    return r->comm ? 6 * rows_of(&s, s.from, s.to) + received_floats(r, w, h) : 0;
}

nst_status nst_across_open(nst_run *r, nst_error *e)
{
    nst_across *a;
    size_t n = rows_of(&r->strip, r->strip.from, r->strip.to);

    if (!r->comm)
        return NST_OK;
    if (!(r->across = a = nst_calloc(1, sizeof *a)) || !(a->x = nst_calloc(n, 3 * sizeof *a->x)) ||
        !(a->dx = nst_calloc(n, 3 * sizeof *a->dx)) ||
        !(a->received = nst_calloc(received_floats(r, r->w, r->h), sizeof *a->received)) ||
        !(a->message = nst_calloc((size_t)nst_across_ranks(r), 6 * sizeof *a->message)))
        return nst_fail(e, NST_EMEM, "%d x %d pixels: out of memory", r->w, r->strip.to - r->strip.from);
    return NST_OK;
}

void nst_across_close(nst_run *r)
{
    nst_across *a = r->across;

    r->across = NULL;
    if (!a)
        return;
    nst_free(a->x);
    nst_free(a->dx);
    nst_free(a->received);
    nst_free(a->message);
    nst_free(a);
}

const float *nst_across_x(const nst_run *r)
{
    return r->across ? r->across->x : r->x;
}

float *nst_across_dx(const nst_run *r)
{
    return r->across ? r->across->dx : r->dx;
}

void nst_across_spread(nst_run *r)
{
    nst_across *a = r->across;
    const nst_strip *s = &r->strip;
    int rows = s->to - s->from, own = s->own_to - s->own, n = 0, from, to;

    if (!a)
        return;
    for (size_t c = 0; c < 3; c++)
        memcpy(a->x + (c * (size_t)rows + (size_t)(s->own - s->from)) * (size_t)s->w,
               r->x + c * (size_t)own * (size_t)s->w, rows_of(s, 0, own) * sizeof *r->x);
    for (int rank = 0; rank < nst_across_ranks(r); rank++) {
        nst_strip peer = nst_strip_at(r, r->w, r->h, rank);

        if (rank == nst_across_rank(r))
            continue;
        if (common(s->own, s->own_to, peer.from, peer.to, &from, &to))
            n += tell(a->message + n, rank, true, r->x, s->w, s->own, own, from, to);
        if (common(s->from, s->to, peer.own, peer.own_to, &from, &to))
            n += tell(a->message + n, rank, false, a->x, s->w, s->from, rows, from, to);
    }
    exchange(r, a->message, n);
}

/* dx += what has come, in the order of ranks. */
static void add_received(nst_run *r)
{
    const nst_strip *s = &r->strip;
    const float *in = r->across->received;
    int from, to;

    for (int rank = 0; rank < nst_across_ranks(r); rank++) {
        nst_strip peer = nst_strip_at(r, r->w, r->h, rank);

        if (rank == nst_across_rank(r) || !common(s->own, s->own_to, peer.from, peer.to, &from, &to))
            continue;
        for (size_t c = 0; c < 3; c++, in += rows_of(s, from, to))
            nst_vec_axpy(&r->cpu, rows_of(s, from, to), 1, in,
                         r->dx + c * rows_of(s, s->own, s->own_to) + rows_of(s, s->own, from));
    }
}

void nst_across_collect(nst_run *r)
{
    nst_across *a = r->across;
    const nst_strip *s = &r->strip;
    int rows = s->to - s->from, own = s->own_to - s->own, n = 0, from, to;
    float *in = a ? a->received : NULL;

    if (!a)
        return;
    for (size_t c = 0; c < 3; c++)
        memcpy(r->dx + c * (size_t)own * (size_t)s->w,
               a->dx + (c * (size_t)rows + (size_t)(s->own - s->from)) * (size_t)s->w,
               rows_of(s, 0, own) * sizeof *r->dx);
    for (int rank = 0; rank < nst_across_ranks(r); rank++) {
        nst_strip peer = nst_strip_at(r, r->w, r->h, rank);

        if (rank == nst_across_rank(r))
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

void nst_across_fetch(nst_run *r, const float *own, int w, int h, const int *from, const int *to, float *rows)
{
    int me = nst_across_rank(r), n = 0, a, b;
    nst_strip mine = nst_strip_own(r, w, h);

    for (int rank = 0; rank < nst_across_ranks(r); rank++) {
        nst_strip peer = nst_strip_at(r, w, h, rank);
        nst_message *m = r->across->message + n;

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
        n = (int)(m - r->across->message);
    }
    exchange(r, r->across->message, n);
}

const float *nst_across_rows(nst_run *r, int rank, const float *own, float *buffer)
{
    nst_strip s = nst_strip_at(r, r->w, r->h, rank);
    nst_message m = { .bytes = 3 * rows_of(&s, s.own, s.own_to) * sizeof *own };
    int me = nst_across_rank(r);

    if (me == rank && me == 0)
        return own;
    m.peer = me ? 0 : rank;
    m.send = me ? own : NULL;
    m.receive = me ? NULL : buffer;
    if ((me == rank || me == 0) && m.bytes)
        exchange(r, &m, 1);
    return me ? NULL : buffer;
}
