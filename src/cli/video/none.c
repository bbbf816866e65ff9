/* none.c: `nst video` of a build without FFmpeg's libraries. */
#include "cli/fail.h"
#include "cli/video/video.h"

nst_status nst_video_run(int argc, char **argv, nst_error *e)
{
    (void)argc, (void)argv;
    return fail(e, NST_EUNSUPPORTED, "video: this nst was made without FFmpeg's libraries; build it where libavformat "
                "and libswscale are (Debian: libavformat-dev, libswscale-dev)");
}

nst_status nst_video_across(const nst_comm *comm, int argc, char **argv, nst_error *e)
{
    (void)comm;
    return nst_video_run(argc, argv, e);
}

nst_status nst_video_resume(int argc, char **argv, nst_error *e)
{
    return nst_video_run(argc, argv, e);
}
