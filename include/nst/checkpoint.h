/* checkpoint.h: a run that stops and goes on later.  Programs include nst.h. */
#ifndef NST_NST_CHECKPOINT_H
#define NST_NST_CHECKPOINT_H

#include "transfer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Writes the state of the run to a file from which nst_transfer_resume continues:
 * whole or not at all; an old file of that name is replaced.  Only inside the
 * callback.  The file holds the optimised picture, the optimiser's memory, all
 * settings, checksums of model and pictures, and note, the caller's own text (at
 * most 64 KiB, may be NULL); not the pictures and the model themselves.
 * NST_EARG (note too long), NST_EIO, NST_EMEM, NST_EUNSUPPORTED (several ranks). */
NST_API nst_status nst_progress_checkpoint(const nst_progress *p, const char *path, const char *note, nst_error *e);

typedef struct nst_checkpoint nst_checkpoint;

/* Opens and checks such a file.  NST_EIO, NST_EMEM; NST_EFORMAT when it is damaged
 * or something else, NST_EUNSUPPORTED when another version of nst wrote it. */
NST_API nst_status nst_checkpoint_open(nst_checkpoint **out, const char *path, nst_error *e);
/* Closes it. */
NST_API void nst_checkpoint_close(nst_checkpoint **c);
/* The run's settings, which belong to the checkpoint.  threads, simd, device,
 * memory and window may be changed.  Another value of these, except threads,
 * continues to a picture that is not the same bit for bit.  An empty simd and a
 * memory of 0 stand for what was used. */
NST_API nst_settings *nst_checkpoint_settings(nst_checkpoint *c);
/* The caller's text.  Never NULL. */
NST_API const char *nst_checkpoint_note(const nst_checkpoint *c);
/* Iterations that were made, over all scales. */
NST_API int nst_checkpoint_iteration(const nst_checkpoint *c);

/* The name of the kernel set that was used.  Never NULL. */
NST_API const char *nst_checkpoint_simd(const nst_checkpoint *c);

/* Continues to the picture that the uninterrupted nst_transfer makes of the same
 * model and pictures, bit for bit.  NST_EARG when one of them is another, NST_EIO
 * when the file is not readable any more, NST_EUNSUPPORTED when this machine lacks
 * the kernel set.  The rest is as nst_transfer's. */
NST_API nst_status nst_transfer_resume(const nst_checkpoint *c, const nst_model *model, const nst_image *content,
                                       const nst_image *const *styles, int n_styles, nst_progress_fn *progress,
                                       void *arg, nst_image **out, nst_error *e);

#ifdef __cplusplus
}
#endif
#endif
