/* ranks.c: several ranks share a film.  A scene starts afresh, so that it can be painted without the one before; the
 * film is a single process's to the byte.  Every rank decodes the film, looks for cuts in a part of it, and paints its
 * scenes into the folder of kept pictures, which all of them see. */
#include <sys/stat.h>
#include <unistd.h>

#include "cli/fail.h"
#include "cli/interrupt.h"
#include "cli/video/job.h"

#define MOST 131072 /* pictures: what follows belongs to the scene in which that one lies */
#define RANKS 1024

static double cut[MOST + 1]; /* by a picture's number: 1 where a scene begins */
static short owner[MOST + 1];

nst_status nst_share_check(nst_video *v, nst_error *e)
{
    const nst_comm *comm = v->comm;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (comm->ranks > RANKS)
        return fail(e, NST_EARG, "%d ranks, at most %d are taken", comm->ranks, RANKS);
    if (v->passes > 1 || v->s->time_limit > 0)
        return fail(e, NST_EARG, "video: several ranks go through a film once and to its end, expected no --%s",
                    v->passes > 1 ? "passes" : "time");
    if (v->c.web || v->c.web_port || v->c.web_host)
        return fail(e, NST_EARG, "video: several ranks show no page, expected no --web");
    if (!v->s->threads && comm->ranks_per_node > 1)
        v->s->threads = cores > comm->ranks_per_node ? (int)(cores / comm->ranks_per_node) : 1;
    v->c.quiet |= comm->rank > 0;
    return NST_OK;
}

nst_status nst_share_keep(nst_video *v, uint64_t identity, int argc, char **argv, nst_error *e)
{
    const nst_comm *comm = v->comm;
    nst_status s = comm->rank ? NST_OK : nst_kept_open(&v->kept, identity, argc, argv, e);
    struct stat st;

    nst_kept_share(&v->kept);
    s = nst_comm_agree(comm, s, e);
    if (s)
        return s;
    if (comm->rank && stat(v->kept.folder, &st))
        s = fail(e, NST_EIO, "%s: this folder of rank 0's is not seen here; name an --output that all ranks reach",
                 v->kept.folder);
    else if (comm->rank)
        s = nst_kept_join(&v->kept, identity, e);
    return nst_comm_agree(comm, s, e);
}

/* ---- scenes ------------------------------------------------------------------------------------------------------ */

/* Whether a scene begins at the picture `now`. */
static nst_status compare(const nst_video *v, const nst_image *now, const nst_image *before, long number, nst_error *e)
{
    nst_motion m = { 0 };
    nst_status s = nst_motion_flows(&m, now, before, v->c.flow, number, number - 1, v->s->threads, e);

    cut[number] = !s && m.change.cut;
    nst_motion_leave(&m);
    return s;
}

/* Looks for cuts at each nth picture, n being the number of ranks. */
static nst_status look(const nst_video *v, nst_source *source, long *count, nst_error *e)
{
    const nst_comm *comm = v->comm;
    nst_image *now = NULL, *before = NULL;
    nst_status s = NST_OK;

    while (!nst_interrupt_pending()) {
        bool mine, next;

        s = nst_source_step(source, e);
        if (s || source->at_end || source->number > MOST)
            break;
        *count = source->number;
        mine = source->number % comm->ranks == comm->rank;
        next = (source->number + 1) % comm->ranks == comm->rank;
        if (mine || next)
            s = nst_source_picture(source, &now, e);
        if (!s && mine && before)
            s = compare(v, now, before, source->number, e);
        nst_image_destroy(&before);
        before = now;
        now = NULL;
        if (s)
            break;
    }
    nst_image_destroy(&before);
    return s;
}

/* A scene after the other goes to the rank that has the fewest pictures. */
static void deal(nst_video *v, long count)
{
    static long load[RANKS];
    int to = 0;

    for (long n = 1; n <= count; n++) {
        for (int rank = 0; rank < v->comm->ranks && cut[n] > 0; rank++)
            to = load[rank] < load[to] ? rank : to;
        owner[n] = (short)to;
        load[to]++;
    }
    for (long n = count + 1; n <= MOST; n++)
        owner[n] = (short)to;
    v->own = load[v->comm->rank];
}

nst_status nst_share_deal(nst_video *v, nst_error *e)
{
    const nst_source *theirs = &v->source;
    nst_source source;
    long count = v->count < MOST ? v->count : MOST;
    nst_status s = NST_OK;

    if (!v->c.frames) { /* a photograph is a single scene */
        s = nst_source_open(&source, theirs->path, &v->range, 0,
                            theirs->width > theirs->height ? theirs->width : theirs->height, e);
        if (!s)
            s = look(v, &source, &count, e);
        nst_source_close(&source);
    }
    s = nst_comm_agree(v->comm, s, e);
    if (!s && v->comm->sum(v->comm->arg, cut, MOST + 1))
        s = fail(e, NST_EIO, "ranks do not reach each other");
    if (!s)
        deal(v, count);
    return s;
}

bool nst_share_mine(const nst_video *v, long number)
{
    return !v->comm || owner[number < MOST ? number : MOST] == v->comm->rank;
}

nst_status nst_share_end(nst_video *v, nst_status s, nst_error *e)
{
    double all[] = { v->stopped, (double)v->painted, (double)v->before };

    s = nst_comm_agree(v->comm, s, e);
    if (v->comm->sum(v->comm->arg, all, sizeof all / sizeof *all))
        return s ? s : fail(e, NST_EIO, "ranks do not reach each other");
    v->stopped = all[0] > 0;
    v->painted = (long)all[1];
    v->before = (long)all[2];
    return s;
}
