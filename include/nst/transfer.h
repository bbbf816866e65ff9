/* transfer.h: paints one picture in the style of others.  Programs include nst.h. */
#ifndef NST_NST_TRANSFER_H
#define NST_NST_TRANSFER_H

#include "model.h"
#include "picture.h"
#include "settings.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NST_MAX_LAYERS 32

/* What a callback is told; valid until it returns. */
typedef struct nst_progress {
    int scale, scales;             /* from 1 */
    int width, height;             /* of this scale, pixels */
    int iteration, iterations;     /* from 1, of this scale */
    int done, total_iterations;    /* over all scales, this one included */
    double seconds;                /* this iteration */
    double elapsed, remaining;     /* seconds since the start; estimate to the end */
    double total, content, tv;     /* weighted losses before this iteration's update; total is their sum */
    double temporal;               /* the same, of nst_transfer_frame's targets together; 0 without */
    int style_layers;
    const char *style_name[NST_MAX_LAYERS];
    double style[NST_MAX_LAYERS];  /* weighted, layer by layer */
    const char *notice;            /* NULL, or a sentence: what happened since the last call; with device "auto" a card
                                      that failed, after which the run goes on with the processor */
    const void *state;             /* for the nst_progress_ functions */
} nst_progress;

/* Called after each iteration in the calling thread.  A nonzero return ends
 * the run after this iteration; the picture at that point is then the result. */
typedef int nst_progress_fn(void *arg, const nst_progress *p);

/* Makes the picture that would be kept if the run ended now (alpha included); the caller destroys it.  Only inside the
 * callback.  NST_EMEM; with several ranks also NST_EIO. */
NST_API nst_status nst_progress_image(const nst_progress *p, nst_image **out, nst_error *e);

/* Sets another strength (0..100) from the next iteration on, as in nst_settings.
 * What belongs to the start of a run (noise, colours, layers) stays.  Only inside
 * the callback.  NST_EARG when it is out of range. */
NST_API nst_status nst_progress_strength(const nst_progress *p, double strength, nst_error *e);

typedef struct nst_plan {
    int scales;
    int width[NST_MAX_LAYERS], height[NST_MAX_LAYERS], iterations[NST_MAX_LAYERS]; /* of each scale */
    int windows[NST_MAX_LAYERS]; /* in which each scale is computed, 1: in one piece */
    int window_width[NST_MAX_LAYERS], window_height[NST_MAX_LAYERS]; /* of the largest, without its halo */
    int history[NST_MAX_LAYERS]; /* L-BFGS's pairs, at most the setting's; 0 for Adam */
    size_t bytes;               /* estimate of the process's peak memory, within a tenth */
    double seconds;             /* estimate of the run's time, if the machine stays as busy as now, within a half;
                                   0: a moment */
} nst_plan;

/* Says in *plan what nst_transfer would do, without doing it.  To estimate the
 * time, it times a picture of 192 pixels.  With plan NULL the status tells
 * whether it could be done.  styles is [n_styles], 1 or more.
 * NST_EARG, NST_EFORMAT (a picture below 16 pixels a side), NST_EMEM,
 * NST_EUNSUPPORTED, NST_EDEVICE. */
NST_API nst_status nst_transfer_plan(const nst_settings *s, const nst_model *model, const nst_image *content,
                                     const nst_image *const *styles, int n_styles, nst_plan *plan, nst_error *e);

/* The size at which a run with these settings needs its content (content NULL)
 * or, once that is read, its styles: at most the last scale's.  The smaller
 * scales are then resampled from that one, whose sides may be a pixel off. */
NST_API nst_fit nst_settings_fit(const nst_settings *s, const nst_image *content);

/* Paints content in the style of styles [n_styles], 1 or more.  init is the start
 * picture (NST_INIT_IMAGE) or NULL.  progress may be NULL; arg is handed to it.
 * The caller destroys *out.  Nothing else is owned or changed (but see
 * nst_image_allow_discard).
 * The same settings, pictures and kernel set give the same result, bit for bit,
 * for any number of threads, as long as the memory gives the same windows and
 * history (other windows change rounding only).
 * NST_EARG, NST_EFORMAT (a picture below 16 pixels a side), NST_EMEM (the text
 * says how much memory would do), NST_EUNSUPPORTED, NST_EDEVICE, NST_EDIVERGED.
 * NST_EDIVERGED is the one failure that may leave a picture in *out: the last one
 * whose losses were finite. */
NST_API nst_status nst_transfer(const nst_settings *s, const nst_model *model, const nst_image *content,
                                const nst_image *const *styles, int n_styles, const nst_image *init,
                                nst_progress_fn *progress, void *arg, nst_image **out, nst_error *e);

/* Statistics of style pictures, kept from one run to the next: many contents in one style need them once. */
typedef struct nst_styles nst_styles;
/* Makes an empty one.  NST_EMEM. */
NST_API nst_status nst_styles_create(nst_styles **out, nst_error *e);
/* Gives it back. */
NST_API void nst_styles_destroy(nst_styles **s);
/* nst_transfer, which takes from known what it has of these styles at these
 * sizes, and leaves there what it computed.  The result has the same bits.  known
 * may be NULL.  It holds 16 pictures at one size each, for one model (the same
 * object) and one set of settings at a time; another one empties it.  The
 * statuses are nst_transfer's. */
NST_API nst_status nst_transfer_known(nst_styles *known, const nst_settings *s, const nst_model *model,
                                      const nst_image *content, const nst_image *const *styles, int n_styles,
                                      const nst_image *init, nst_progress_fn *progress, void *arg, nst_image **out,
                                      nst_error *e);

#ifdef __cplusplus
}
#endif
#endif
