/* ranks.h: a run by several processes, on one machine or many.  Programs include nst.h. */
#ifndef NST_NST_RANKS_H
#define NST_NST_RANKS_H

#include "transfer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A message that two ranks exchange: rows of the picture. */
typedef struct nst_message {
    int peer;                   /* the other rank */
    const void *send;           /* [bytes] that go there, or NULL */
    void *receive;              /* [bytes] room for what comes from there, or NULL */
    size_t bytes;
} nst_message;

/* How the ranks of a run, 0 to ranks - 1, reach each other.  Every rank makes the
 * same calls in the same order, in the thread that called the transfer.  A function
 * returns 0, or nonzero on communication failure; the run then stops. */
typedef struct nst_comm {
    int rank, ranks;
    int ranks_per_node;         /* ranks on this one's machine, itself included; 0 means 1.  Memory and cores that
                                   the settings leave open are divided by it */
    void *arg;
    /* v [n] becomes the sum over all ranks, the same bits on each. */
    int (*sum)(void *arg, double *v, size_t n);
    /* Sends and receives m [n] at once; between two ranks the nth message sent is the nth received. */
    int (*exchange)(void *arg, const nst_message *m, int n);
    /* data [bytes] of rank root goes to all. */
    int (*broadcast)(void *arg, void *data, size_t bytes, int root);
} nst_comm;

/* nst_transfer by several ranks, each with the same settings and pictures.  The
 * picture is the same, but for rounding, for any number of them.  Each holds a
 * strip of it; *out is the picture on rank 0 and NULL elsewhere.  progress is
 * called on each rank after each iteration, and all stop when one of them says so.
 * Inside it, all ranks or none call nst_progress_image, with *out as here;
 * checkpoints are refused (NST_EUNSUPPORTED).  All ranks fail together, with
 * "rank 2: ...".  comm NULL: nst_transfer.
 * The statuses are nst_transfer's, and NST_EIO when ranks do not reach each other. */
NST_API nst_status nst_transfer_across(const nst_settings *s, const nst_model *model, const nst_image *content,
                                       const nst_image *const *styles, int n_styles, const nst_image *init,
                                       const nst_comm *comm, nst_progress_fn *progress, void *arg, nst_image **out,
                                       nst_error *e);
/* Says what it would do, as nst_transfer_plan; windows and bytes are this rank's. */
NST_API nst_status nst_transfer_plan_across(const nst_settings *s, const nst_model *model, const nst_image *content,
                                            const nst_image *const *styles, int n_styles, const nst_comm *comm,
                                            nst_plan *plan, nst_error *e);
/* Agrees on the outcome of something that each rank did by itself, as reading a file.  Returns s where no rank failed;
 * else every rank returns the status of the first that did, with "rank 2: ..." in e.  NST_EIO when ranks do not reach
 * each other. */
NST_API nst_status nst_comm_agree(const nst_comm *comm, nst_status s, nst_error *e);

#ifdef __cplusplus
}
#endif
#endif
