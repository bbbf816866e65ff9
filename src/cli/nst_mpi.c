/* nst_mpi.c: the program nst-mpi: one painting by several processes, on one machine or many, which reach each other by
 * MPI.  The communicator's three functions and its beginning and end are here; the rest is nst's and libnst's. */
#include <errno.h>
#include <mpi.h>
#include <string.h>

#include "cli/config.h"
#include "cli/fail.h"
#include "cli/interrupt.h"
#include "cli/paint.h"
#include "cli/video/video.h"

#define RANKS 1024
#define REQUESTS (8 * RANKS) /* of one exchange, which has 6 messages a rank, only a few of them longer than a part */
#define PART ((size_t)1 << 28) /* of anything that goes by one call, whose counts are ints */

static struct {
    MPI_Comm comm;
    double rows, sums; /* bytes that this rank sent to others; that it gave into sums */
    bool broken;
    MPI_Request request[REQUESTS];
} net;

static int failed(int result)
{
    if (result != MPI_SUCCESS)
        net.broken = true;
    return result != MPI_SUCCESS;
}

static int least(size_t n)
{
    return (int)(n < PART ? n : PART);
}

/* Summed by one rank and told to all: MPI_Allreduce may give each rank other last bits. */
static int sum(void *arg, double *v, size_t n)
{
    (void)arg;
    for (; n; v += least(n), n -= (size_t)least(n)) {
        int rank;

        MPI_Comm_rank(net.comm, &rank);
        if (failed(MPI_Reduce(rank ? v : MPI_IN_PLACE, v, least(n), MPI_DOUBLE, MPI_SUM, 0, net.comm)) ||
            failed(MPI_Bcast(v, least(n), MPI_DOUBLE, 0, net.comm)))
            return 1;
        net.sums += 8. * least(n);
    }
    return 0;
}

static int broadcast(void *arg, void *data, size_t bytes, int root)
{
    char *at = data;

    (void)arg;
    for (; bytes; at += least(bytes), bytes -= (size_t)least(bytes))
        if (failed(MPI_Bcast(at, least(bytes), MPI_BYTE, root, net.comm)))
            return 1;
    return 0;
}

/* One message, in parts, begun. */
static int begin(const nst_message *m, size_t *n)
{
    for (size_t at = 0; at < m->bytes; at += PART) {
        int bytes = least(m->bytes - at);
        MPI_Request *r;

        if (*n == REQUESTS)
            return failed(MPI_ERR_NO_MEM);
        r = &net.request[(*n)++];
        if (m->send)
            net.rows += bytes;
        if (failed(m->send ? MPI_Isend((const char *)m->send + at, bytes, MPI_BYTE, m->peer, 0, net.comm, r)
                           : MPI_Irecv((char *)m->receive + at, bytes, MPI_BYTE, m->peer, 0, net.comm, r)))
            return 1;
    }
    return 0;
}

/* MPI keeps the order of messages between two ranks. */
static int exchange(void *arg, const nst_message *m, int n)
{
    size_t begun = 0;

    (void)arg;
    for (int i = 0; i < n; i++)
        if (begin(&m[i], &begun))
            return 1;
    for (size_t i = 0; i < begun; i++) {
        MPI_Status done;

        if (failed(MPI_Wait(&net.request[i], &done)))
            return 1;
    }
    return 0;
}

static void open_net(nst_comm *c)
{
    MPI_Comm machine;

    /* Failures are returned and told; what cannot be returned from, a rank that was killed, mpirun ends. */
    MPI_Comm_dup(MPI_COMM_WORLD, &net.comm);
    MPI_Comm_set_errhandler(net.comm, MPI_ERRORS_RETURN);
    *c = (nst_comm){ .sum = sum, .exchange = exchange, .broadcast = broadcast };
    MPI_Comm_rank(net.comm, &c->rank);
    MPI_Comm_size(net.comm, &c->ranks);
    MPI_Comm_split_type(net.comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
    MPI_Comm_size(machine, &c->ranks_per_node);
    MPI_Comm_free(&machine);
}

static nst_status check(const nst_command *c, int ranks, nst_error *e)
{
    if (ranks > RANKS)
        return fail(e, NST_EARG, "%d ranks, at most %d are taken", ranks, RANKS);
    if (c->checkpoint || c->checkpoint_every)
        return fail(e, NST_EARG, "--checkpoint: several ranks write none; --save-every N keeps the picture every N "
                                 "iterations");
    if (c->web || c->web_port || c->web_host || c->preview)
        return fail(e, NST_EARG, "--web, --preview: nst-mpi has neither");
    if (nst_paths_streams(c))
        return fail(e, NST_EARG, "-: standard input reaches one rank only, expected files that all ranks can read");
    return NST_OK;
}

static void say_help(void)
{
    puts("usage: mpirun [-n RANKS] nst-mpi [OPTION]... CONTENT STYLE...\n"
         "Paints as nst does, by several processes that share the picture.  Options are nst's (nst --help), but for\n"
         "--checkpoint, --web and --preview; --save-every N keeps the picture every N iterations.\n"
         "nst-mpi video FILM STYLE... -o FILM shares a film's scenes out; --output is a name that all ranks reach.");
}

static void say_version(void)
{
    char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int n = 0;

    MPI_Get_library_version(text, &n);
    text[strcspn(text, "\n")] = 0;
    printf("nst-mpi %s\n%s\n%s\n", nst_version(), nst_build_info(), text);
}

/* Bytes of the rank that has most of them. */
static void say_traffic(const nst_comm *c)
{
    double most[2] = { net.rows, net.sums };

    if (!failed(MPI_Reduce(c->rank ? most : MPI_IN_PLACE, most, 2, MPI_DOUBLE, MPI_MAX, 0, net.comm)) && !c->rank)
        nst_say(stderr, "nst: %d ranks; of one of them %.0f bytes of rows went to others, %.0f into sums", c->ranks,
                most[0], most[1]);
}

static nst_status run(int argc, char **argv, const nst_comm *comm, nst_error *e)
{
    nst_command c;
    nst_status s;

    if (argc > 1 && !strcmp(argv[1], "video"))
        return nst_video_across(comm, argc - 1, argv + 1, e);
    s = nst_comm_agree(comm, nst_config_parse(argc, argv, &c, e), e);
    if (s)
        return s;
    if (c.help || c.version) {
        if (!comm->rank)
            (c.help ? say_help : say_version)();
        return NST_OK;
    }
    s = check(&c, comm->ranks, e);
    if (!s)
        s = nst_paint_across(&c, comm, argc, argv, e);
    if (s)
        return s;
    if (c.verbose && !c.quiet)
        say_traffic(comm);
    return NST_OK;
}

int main(int argc, char **argv)
{
    nst_error e = { "" };
    nst_comm comm;
    nst_status s;
    int provided, code, signal;

    nst_interrupt_begin();
    if (MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS) {
        nst_say(stderr, "nst-mpi: MPI does not start");
        return EXIT_FAILED;
    }
    open_net(&comm);
    s = run(argc, argv, &comm, &e);
    if (s && *e.text && (!comm.rank || net.broken))
        nst_say(stderr, "nst-mpi: %s", e.text);
    code = nst_exit_status(s);
    if (net.broken)
        MPI_Abort(MPI_COMM_WORLD, code);
    if (!comm.rank && (fflush(stdout) || ferror(stdout)) && !s) {
        nst_say(stderr, "nst-mpi: standard output: %s", strerror(errno));
        code = EXIT_FAILED;
    }
    signal = nst_interrupt_pending(); /* all end as those that it reached */
    MPI_Allreduce(MPI_IN_PLACE, &signal, 1, MPI_INT, MPI_MAX, net.comm);
    MPI_Comm_free(&net.comm);
    MPI_Finalize();
    return signal ? 128 + signal : code;
}
