/* temporal.h: a frame of a film: painted so that it fits the frames before it.  Programs include nst.h. */
#ifndef NST_NST_TEMPORAL_H
#define NST_NST_TEMPORAL_H

#include "transfer.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NST_MAX_TEMPORAL 16

/* A picture that the result is held to: an earlier painted frame, warped by the
 * motion since (nst_flow_warp, nst_flow_weigh).  It adds to the loss
 *   weight * mean over 3 colours and all pixels of a (x - picture)^2,
 * x and picture in RGB [0,1] and a the picture's alpha, 0..1: how much the pixel
 * counts.  A picture of three channels counts everywhere.  (Ruder, Dosovitskiy &
 * Brox 2016, "Artistic style transfer for videos".)  At a scale of another size the
 * picture is resampled. */
typedef struct nst_temporal {
    const nst_image *picture;
    double weight; /* 0..1e30 */
} nst_temporal;

/* What a frame is painted with beside nst_transfer's arguments. */
typedef struct nst_frame {
    const nst_temporal *temporal; /* [n_temporal], or NULL */
    int n_temporal;               /* 0..NST_MAX_TEMPORAL */
    nst_styles *known;            /* or NULL: as nst_transfer_known's, so that all frames compute the styles once */
} nst_frame;

/* nst_transfer of a frame.  Usually settings.init is NST_INIT_IMAGE, init the
 * warped frame before, and settings.scales 1.  progress tells the temporal losses.
 * frame may be NULL.  nst_progress_checkpoint refuses a run that has temporal
 * targets (NST_EUNSUPPORTED).  The statuses are nst_transfer's. */
NST_API nst_status nst_transfer_frame(const nst_settings *s, const nst_model *model, const nst_image *content,
                                      const nst_image *const *styles, int n_styles, const nst_image *init,
                                      const nst_frame *frame, nst_progress_fn *progress, void *arg, nst_image **out,
                                      nst_error *e);

#ifdef __cplusplus
}
#endif
#endif
