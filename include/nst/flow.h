/* flow.h: motion from one picture to another, as between frames of a film.  Programs include nst.h. */
#ifndef NST_NST_FLOW_H
#define NST_NST_FLOW_H

#include "picture.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Dense optical flow: where each pixel of one picture is in another of the same
 * size.  The pixel at (x, y) is at (x + u, y + v) there, in pixels, u to the
 * right, v down.  Sides are as a picture's. */
typedef struct nst_flow nst_flow;

/* Makes one that moves nothing: all 0.  NST_EFORMAT (size), NST_EMEM. */
NST_API nst_status nst_flow_create(nst_flow **out, int width, int height, nst_error *e);
/* Gives its memory back. */
NST_API void nst_flow_destroy(nst_flow **flow);
/* Pixels in a row. */
NST_API int nst_flow_width(const nst_flow *flow);
/* Rows. */
NST_API int nst_flow_height(const nst_flow *flow);
/* u (c = 0) or v (c = 1), [height][width], to read and write; valid as long as the flow.  NULL for another c. */
NST_API float *nst_flow_plane(nst_flow *flow, int c);

typedef struct nst_flow_options {
    int threads;  /* 0..1024; 0: one for each core that the process may use */
    int half;     /* 1: computed at half the size, in about a quarter of the time */
    double noise; /* 0..1: what two frames differ by where nothing moved, as the mean difference of a channel in a
                     small neighbourhood; such places have a flow of exactly 0.  0: found from the frames */
} nst_flow_options;

/* Finds where the pixels of `from` are in `to`, two pictures of one size, 16 pixels
 * a side or more.  Dense inverse search (Kroeger et al., ECCV 2016) with
 * variational refinement (Brox et al., ECCV 2004).  o may be NULL: all 0.  The same
 * pictures give the same flow, bit for bit, for any number of threads.
 * NST_EARG (sizes differ, options out of range), NST_EFORMAT (too small), NST_EMEM. */
NST_API nst_status nst_flow_estimate(nst_flow **out, const nst_image *from, const nst_image *to,
                                     const nst_flow_options *o, nst_error *e);
/* The same motion for pictures of another size: resampled, and its vectors scaled.  Zeros stay zeros where all
 * neighbours are.  NST_EFORMAT, NST_EMEM. */
NST_API nst_status nst_flow_resize(nst_flow **out, const nst_flow *flow, int width, int height, nst_error *e);

/* Reads Middlebury's .flo file.  Numbers above 1e9, which stand there for "not
 * known", become NAN; nst_flow_warp and nst_flow_weigh then count the pixel as
 * unknown.  NST_EIO, NST_EFORMAT, NST_EMEM. */
NST_API nst_status nst_flow_read(nst_flow **out, const char *path, nst_error *e);
/* Writes one, whole or not at all.  NST_EIO, NST_EMEM. */
NST_API nst_status nst_flow_write(const nst_flow *flow, const char *path, nst_error *e);

/* Pulls a picture along a flow: *out shows at (x, y) what `picture` has at
 * (x + u, y + v), bilinearly; where the flow is 0, the same bits.  With the flow
 * from frame 2 to frame 1 and the painted frame 1 it makes a painted frame 2.
 * *out has four channels.  Its alpha is 1 (or the picture's own alpha, moved in
 * the same way) times what of the pixel lies in the picture: .8 where its centre is
 * .2 pixels outside, 0 from a pixel on and where the flow is not known.  Outside are
 * the colours of the nearest edge.
 * NST_EARG (sizes differ), NST_EMEM. */
NST_API nst_status nst_flow_warp(nst_image **out, const nst_image *picture, const nst_flow *flow, nst_error *e);

/* Multiplies the alpha of warped, which nst_flow_warp made along `there`, by how far
 * the flow can be trusted: 0 where `there` and `back`, the flow from the other
 * picture to this one, disagree, so that the pixel is hidden in the other picture,
 * and 0 where a motion has its edge; 1 elsewhere, softened between (Ruder,
 * Dosovitskiy & Brox 2016).  NST_EARG (sizes differ, no alpha), NST_EMEM. */
NST_API nst_status nst_flow_weigh(nst_image *warped, const nst_flow *there, const nst_flow *back, nst_error *e);

/* How two successive frames differ. */
typedef struct nst_flow_change {
    double unreliable; /* 0..1: share of pixels whose motion both flows do not agree on, or which left the picture */
    double unexplained; /* 0..1: mean difference of a channel between a frame and the other one along the flow */
    double histogram;  /* 0..1: distance of their colour histograms; 0: the same colours, 1: none in common */
    int cut;           /* 1: another scene begins; no motion explains the difference */
} nst_flow_change;

/* Compares frames from and to; there is the flow from `from` to `to`, back the other one.  NST_EARG (sizes differ),
 * NST_EMEM. */
NST_API nst_status nst_flow_compare(nst_flow_change *out, const nst_image *from, const nst_image *to,
                                    const nst_flow *there, const nst_flow *back, nst_error *e);

#ifdef __cplusplus
}
#endif
#endif
