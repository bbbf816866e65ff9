/* comm.c: what the ranks of a run tell each other: failures, sums, the schedule.  Alone it is nothing. */
#include "engine/ranks/ranks.h"

#include <string.h>

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

nst_status nst_ranks_agree(nst_ranks *r, nst_status s, nst_error *e)
{
    return r->cut_off ? unreached(r->comm->rank, e) : nst_comm_agree(r->comm, s, e);
}

void nst_ranks_sum(nst_ranks *r, double *v, size_t n)
{
    if (r->comm && !r->cut_off)
        r->cut_off = r->comm->sum(r->comm->arg, v, n) != 0;
}

bool nst_ranks_any(nst_ranks *r, bool v)
{
    double sum = v;

    nst_ranks_sum(r, &sum, 1);
    return sum > 0;
}

int nst_ranks_least(nst_ranks *r, int v)
{
    int least = v;

    for (int root = 0; r->comm && root < r->comm->ranks && !r->cut_off; root++) {
        int theirs = v;

        r->cut_off = r->comm->broadcast(r->comm->arg, &theirs, sizeof theirs, root) != 0;
        least = theirs < least ? theirs : least;
    }
    return least;
}

bool nst_ranks_schedule(nst_ranks *r, nst_plan *plan, nst_progress *p, bool over)
{
    struct {
        nst_plan plan;
        nst_progress p;
        bool over;
    } first = { *plan, *p, over };

    if (!r->comm || r->cut_off)
        return over;
    r->cut_off = r->comm->broadcast(r->comm->arg, &first, sizeof first, 0) != 0;
    memcpy(plan->iterations, first.plan.iterations, sizeof plan->iterations);
    p->iterations = first.p.iterations;
    p->total_iterations = first.p.total_iterations;
    p->seconds = first.p.seconds, p->elapsed = first.p.elapsed, p->remaining = first.p.remaining;
    return first.over;
}

void nst_ranks_stats(nst_ranks *r, nst_stats *s)
{
    nst_ranks_sum(r, &s->n, 1);
    nst_ranks_sum(r, s->sum, (size_t)s->c);
    nst_ranks_sum(r, s->gram, (size_t)s->c * (size_t)s->c);
}
