/* job.h: what the parts of `nst video` share. */
#ifndef NST_VIDEO_JOB_H
#define NST_VIDEO_JOB_H

#include "cli/options.h"
#include "cli/paths.h"
#include "cli/video/kept.h"
#include "cli/video/motion.h"
#include "cli/video/source.h"
#include "cli/web.h"

/* What the one says who resumes a painting. */
typedef struct nst_video_resumed {
    nst_command own;             /* with an output, that is replaced whatever it is */
    char output[NST_PATH_BYTES]; /* beside the folder */
} nst_video_resumed;

typedef struct nst_video {
    nst_command c;
    nst_settings *s;      /* of the first picture and of each after a cut */
    nst_settings next;    /* of the others */
    nst_settings rough;   /* of what comes into view in these */
    nst_film_range range;
    double weight;        /* of the temporal loss; 0: none */
    int passes;
    char output[NST_PATH_BYTES], model_path[NST_PATH_BYTES];
    char comment[2048];
    bool to_film;         /* else pictures in a folder or by a pattern */
    const nst_comm *comm; /* of several ranks that share the film, or NULL */
    const nst_video_resumed *resumed; /* or NULL */

    nst_model *model;
    nst_styles *known, *known_next, *known_rough; /* for these settings */
    nst_image *style[NST_MAX_STYLES];
    nst_source source;
    nst_source mask[NST_MAX_STYLES]; /* films of masks */
    nst_kept kept;

    /* how far it is */
    double began;         /* by the clock */
    int pass;
    long number;          /* of the picture that is painted */
    long count;           /* of all, about or, once a pass has ended, exactly; 0: unknown */
    long own;             /* of all, this rank's; 0: all */
    long painted, before; /* in this process; before it */
    struct {
        double spent;     /* seconds on those that were painted from another one */
        long pictures;    /* of them */
        double iteration; /* seconds that one takes, later pictures' */
    } pace;
    bool stopped;
    nst_web *web;         /* or NULL */
    struct {
        bool terminal, open;
        double at;        /* when it was written, by the clock */
    } line;               /* of progress */
} nst_video;

/* ---- the command (video.c) ---- */

/* Paints what the command line says.  resumed: of `nst resume`, or NULL.  comm: of ranks that share the
 * work, or NULL. */
nst_status nst_video_begin(int argc, char **argv, const nst_video_resumed *resumed, const nst_comm *comm, nst_error *e);

/* ---- the command line (arguments.c) ---- */

/* Reads the command line, with v->resumed. */
nst_status nst_video_arguments(nst_video *v, int argc, char **argv, nst_error *e);
/* Settings of the pictures after a first one, once the film's size is known. */
void nst_video_settle(nst_video *v);

/* ---- several ranks (ranks.c): all make these calls, with v->comm ---- */

/* What several ranks cannot do; each one's share of the machine. */
nst_status nst_share_check(nst_video *v, nst_error *e);
/* nst_kept_open of a folder that all see. */
nst_status nst_share_keep(nst_video *v, uint64_t identity, int argc, char **argv, nst_error *e);
/* Finds the scenes, and says whose they are. */
nst_status nst_share_deal(nst_video *v, nst_error *e);
/* Whether this rank paints a picture; without v->comm it does. */
bool nst_share_mine(const nst_video *v, long number);
/* The outcome, and counts, of all ranks. */
nst_status nst_share_end(nst_video *v, nst_status s, nst_error *e);

/* ---- painting (painter.c) ---- */

/* The picture `now`, the film's number v->number, from scratch. */
nst_status nst_painter_first(nst_video *v, const nst_image *now, nst_image **out, nst_error *e);
/* What the same is started from: `painted`, the one before, as m->warped has it; and where that says nothing, the
 * film's, in the colours of the painted one and painted roughly. */
nst_status nst_painter_start(nst_video *v, nst_image *now, const nst_image *painted, const nst_motion *m,
                             nst_image **out, nst_error *e);
/* The same, started from `start` and held to m->warped. */
nst_status nst_painter_next(nst_video *v, const nst_image *now, const nst_image *start, const nst_motion *m,
                            nst_image **out, nst_error *e);

/* ---- masks (film_masks.c) ---- */

/* Reads still masks and opens films of them. */
nst_status nst_video_masks_open(nst_video *v, nst_error *e);
/* The masks for the picture at v->source, where there are films of them. */
nst_status nst_video_masks_step(nst_video *v, nst_error *e);

/* ---- passes (passes.c) ---- */

/* Paints what is not there yet; v->stopped: not all. */
nst_status nst_video_paint(nst_video *v, nst_error *e);

/* ---- the output (assemble.c) ---- */

/* Makes the output of the pictures that are kept; *n: how many. */
nst_status nst_video_assemble(const nst_video *v, long *n, nst_error *e);
/* Whether its pictures, where it is no film, would have names of pictures that are read: NST_EARG. */
nst_status nst_video_check_apart(const nst_video *v, nst_error *e);
/* With v->resumed: NST_EIO where there is a file in the output's place that this painting did not leave. */
nst_status nst_video_check_left(const nst_video *v, nst_error *e);

/* ---- what is said (progress.c) ---- */

void nst_video_progress(nst_video *v, const nst_progress *at);
/* A line on standard error, after the progress line if that is open. */
void nst_video_tell(nst_video *v, const char *text);
/* Seconds to the end, by the pictures that were painted so far; -1: not known. */
double nst_video_left(const nst_video *v);

/* ---- the page (page.c); but for the first all may be called without one ---- */

/* Opens it where the command line asks for it. */
nst_status nst_video_page_open(nst_video *v, nst_error *e);
/* Picture v->number is going to be painted, of which `now` is what the film shows. */
void nst_video_page_begin(const nst_video *v, const nst_image *now);
/* It is painted. */
void nst_video_page_end(const nst_video *v, long number, const nst_image *film, const nst_image *painted);
void nst_video_page_close(nst_video *v);

#endif
