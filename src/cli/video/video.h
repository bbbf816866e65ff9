/* video.h: `nst video`: a film, painted picture by picture. */
#ifndef NST_VIDEO_VIDEO_H
#define NST_VIDEO_VIDEO_H

#include "cli/options.h"

/* `video [OPTION]... FILM STYLE...`.  When it fails with an empty e->text, all has been said. */
nst_status nst_video_run(int argc, char **argv, nst_error *e);
/* The same by several ranks, which make the call together: scenes are shared out.  Only rank 0 speaks and writes. */
nst_status nst_video_across(const nst_comm *comm, int argc, char **argv, nst_error *e);
/* `resume FOLDER [OPTION]...`: argv[1] is a folder that nst video left. */
nst_status nst_video_resume(int argc, char **argv, nst_error *e);

#endif
