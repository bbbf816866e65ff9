/* painter.c: paints the queue, one job after the other, by the code and the words of the command line, so that both
 * make the same bytes.  It runs in the main thread, which gets the signals; the server's threads only leave wishes
 * (pause, stop) in the state.  A job that was being painted when the studio ended goes on from its checkpoint. */
#include "cli/studio/studio.h"

#include <string.h>
#include <unistd.h>

#include "cli/clock.h"
#include "cli/fail.h"
#include "cli/interrupt.h"
#include "cli/paint.h"
#include "cli/resume.h"

#define FIRST_CHECKPOINT 3 /* seconds: a short painting has one, too */
#define CHECKPOINTS 15
#define WATCHED 5 /* seconds after which a page that asks nothing is gone */

#define S (&nst_the_studio)

static nst_painting p;
static nst_line line;
static double begun;

/* After each iteration: tells how far it is, and waits while it is paused. */
static void watch(const nst_progress *at, bool *stop)
{
    bool paused, watched;

    if (nst_snapshot_due(&S->live)) {
        pthread_mutex_lock(&S->lock);
        watched = nst_clock_now() - S->asked < WATCHED;
        pthread_mutex_unlock(&S->lock);
        if (watched)
            nst_snapshot_renew(&S->live, at);
    }
    if (p.writer.last > 0)
        p.writer.every = CHECKPOINTS;
    pthread_mutex_lock(&S->lock);
    S->pace = (nst_pace){ S->pace.job, at->scale, at->scales, at->width, at->height, at->done, at->total_iterations,
                          at->remaining };
    pthread_mutex_unlock(&S->lock);
    do {
        pthread_mutex_lock(&S->lock);
        paused = S->wanted.paused;
        *stop = S->wanted.stop || S->wanted.discard || S->wanted.quit;
        pthread_mutex_unlock(&S->lock);
        paused = paused && !*stop && !nst_interrupt_pending();
        if (paused)
            nst_wake_wait();
    } while (paused);
}

/* From the beginning. */
static nst_status begin_job(const nst_job *job, const char *output, nst_error *e)
{
    nst_status s;

    if (!nst_words_make(&line, job, output))
        return fail(e, NST_EARG, "the names of the pictures are too long");
    memset(&p, 0, sizeof p);
    p.c = S->start.base;
    pthread_mutex_lock(&S->parsing);
    s = nst_options_parse_over(line.n, line.word, &p.c, e);
    s = s ? s : nst_paint_settings(&p, line.n, line.word, e);
    pthread_mutex_unlock(&S->parsing);
    return s;
}

/* From its checkpoint. */
static nst_status resume_job(const char *checkpoint, const char *output, nst_error *e)
{
    static char out[NST_PATH_BYTES + 16];
    char *words[] = { "resume", out, "--", (char *)checkpoint, NULL };
    nst_status s;

    snprintf(out, sizeof out, "--output=%s", output);
    memset(&p, 0, sizeof p);
    pthread_mutex_lock(&S->parsing);
    s = nst_resume_open(&p, 4, words, e);
    pthread_mutex_unlock(&S->parsing);
    return s;
}

static nst_status paint(const nst_job *job, nst_error *e)
{
    static char output[NST_PATH_BYTES], checkpoint[NST_PATH_BYTES];
    nst_status s = NST_EIO;

    nst_folder_path(NST_FILE_RESULT, job->number, output);
    nst_folder_path(NST_FILE_CHECKPOINT, job->number, checkpoint);
    if (access(checkpoint, F_OK) == 0) {
        s = resume_job(checkpoint, output, e);
        if (s) { /* by another version of nst, say: it begins anew */
            nst_paint_close(&p);
            unlink(checkpoint);
        }
    }
    s = s ? begin_job(job, output, e) : NST_OK;
    p.c.checkpoint = checkpoint;
    p.c.checkpoint_every = FIRST_CHECKPOINT;
    p.c.quiet = 1;
    p.report.quiet = true;
    p.watch = watch;
    s = s ? s : nst_paint(&p, e);
    if (!s && p.result)
        nst_snapshot_put(&S->live, p.result);
    nst_paint_close(&p);
    return s;
}

static bool next_job(nst_job *job)
{
    bool found = false;

    pthread_mutex_lock(&S->lock);
    for (int i = 0; i < S->jobs && !found; i++)
        if (S->job[i].state == NST_JOB_PAINTING || S->job[i].state == NST_JOB_QUEUED) {
            *job = S->job[i];
            found = true;
        }
    if (found) {
        S->wanted.stop = S->wanted.discard = false;
        S->pace = (nst_pace){ .job = job->number };
    }
    pthread_mutex_unlock(&S->lock);
    return found;
}

static void end_job(const nst_job *job, nst_status s, const char *error)
{
    char result[NST_PATH_BYTES], view[NST_PATH_BYTES], thumb[NST_PATH_BYTES], checkpoint[NST_PATH_BYTES];
    double seconds = job->seconds + nst_clock_now() - begun;
    nst_job_state painted;
    bool stop, discard, quit;
    nst_error e = { "" };

    pthread_mutex_lock(&S->lock);
    stop = S->wanted.stop, discard = S->wanted.discard, quit = S->wanted.quit || nst_interrupt_pending();
    S->wanted.paused = false;
    pthread_mutex_unlock(&S->lock);
    painted = stop ? NST_JOB_STOPPED : NST_JOB_DONE;
    if (!s && quit && !discard && access(nst_folder_path(NST_FILE_CHECKPOINT, job->number, checkpoint), F_OK) == 0) {
        nst_jobs_note(job->number, NST_JOB_PAINTING, seconds, NULL); /* the next studio goes on */
    } else if (s || discard) {
        nst_jobs_note(job->number, NST_JOB_FAILED, seconds, s ? error : "discarded");
    } else {
        s = nst_sources_show(nst_folder_path(NST_FILE_RESULT, job->number, result),
                             nst_folder_path(NST_FILE_RESULT_VIEW, job->number, view),
                             nst_folder_path(NST_FILE_RESULT_THUMB, job->number, thumb), NULL, NULL, &e);
        nst_jobs_note(job->number, s ? NST_JOB_FAILED : painted, seconds, e.text);
        unlink(nst_folder_path(NST_FILE_CHECKPOINT, job->number, checkpoint));
    }
    pthread_mutex_lock(&S->lock);
    S->pace = (nst_pace){ 0 };
    pthread_mutex_unlock(&S->lock);
    if (discard)
        nst_jobs_remove(job->number);
}

void nst_painter_run(void)
{
    nst_job job;
    nst_error why;

    for (;;) {
        bool quit;

        pthread_mutex_lock(&S->lock);
        quit = S->wanted.quit;
        pthread_mutex_unlock(&S->lock);
        if (quit || nst_interrupt_pending())
            return;
        if (!next_job(&job)) {
            nst_wake_wait();
            continue;
        }
        *why.text = 0;
        begun = nst_clock_now();
        nst_jobs_note(job.number, NST_JOB_PAINTING, job.seconds, NULL);
        end_job(&job, paint(&job, &why), why.text);
    }
}
