/* jobs.c: what is queued and was painted.  Each function takes the lock, and writes files after giving it back. */
#include "cli/studio/studio.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/fail.h"

#define S (&nst_the_studio)

/* One writer at a time: the newest state of a job is the last one in its file. */
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;

static nst_status write_job(const nst_job *job, nst_error *e)
{
    char path[NST_PATH_BYTES];
    nst_status s;

    pthread_mutex_lock(&writing);
    s = nst_record_write(nst_folder_path(NST_FILE_JOB, job->number, path), job, e);
    pthread_mutex_unlock(&writing);
    return s;
}

static nst_job *find_job(int number)
{
    for (int i = 0; i < S->jobs; i++)
        if (S->job[i].number == number)
            return &S->job[i];
    return NULL;
}

bool nst_jobs_get(int number, nst_job *out)
{
    const nst_job *job;

    pthread_mutex_lock(&S->lock);
    job = number ? find_job(number) : NULL;
    *out = job ? *job : (nst_job){ .choice = S->choice };
    pthread_mutex_unlock(&S->lock);
    return job || !number;
}

static nst_status is_paintable(const nst_choice *c, nst_error *e)
{
    int painted = 0;

    if (!c->photo)
        return fail(e, NST_EARG, "choose a photograph first");
    if (!c->styles)
        return fail(e, NST_EARG, "choose a painting first");
    for (int i = 0; i < c->styles; i++)
        painted += !c->regions || i == c->rest || c->style[i].mask;
    return painted ? NST_OK : fail(e, NST_EARG, "brush a region first: nothing of the photograph is to be painted");
}

/* Masks go beside the result, where the command line finds them. */
static nst_status copy_masks(const nst_job *job, nst_error *e)
{
    char path[NST_PATH_BYTES];
    nst_status s = NST_OK;

    for (int i = 0; i < job->choice.styles && !s; i++) {
        int mask = job->choice.regions ? job->choice.style[i].mask : 0;
        int fd = mask ? nst_folder_open(NST_FILE_MASK, mask) : -1;

        if (fd < 0)
            continue;
        s = nst_folder_copy(fd, nst_folder_job_mask(job->number, i, path), e);
        close(fd);
    }
    return s;
}

int nst_jobs_add(nst_error *e)
{
    nst_job job = { 0 };
    bool room;

    pthread_mutex_lock(&S->lock);
    room = S->jobs < NST_JOBS;
    job.choice = S->choice;
    if (room)
        job.number = ++S->last_job;
    pthread_mutex_unlock(&S->lock);
    if (!room) {
        fail(e, NST_EARG, "the gallery has %d pictures; remove some first", NST_JOBS);
        return 0;
    }
    if (is_paintable(&job.choice, e) || copy_masks(&job, e) || write_job(&job, e))
        return 0;
    pthread_mutex_lock(&S->lock);
    room = S->jobs < NST_JOBS;
    if (room)
        S->job[S->jobs++] = job;
    S->list_changes++;
    pthread_mutex_unlock(&S->lock);
    nst_wake();
    return room ? job.number : 0;
}

bool nst_jobs_again(int number)
{
    char path[NST_PATH_BYTES], to[NST_PATH_BYTES];
    nst_job job;
    nst_error e;

    if (!number || !nst_jobs_get(number, &job))
        return false;
    for (int i = 0; i < job.choice.styles; i++) {
        int fd = job.choice.regions ? open(nst_folder_job_mask(number, i, path), O_RDONLY | O_CLOEXEC) : -1, mask;

        job.choice.style[i].mask = 0;
        if (fd < 0)
            continue;
        pthread_mutex_lock(&S->lock);
        mask = ++S->last_mask;
        pthread_mutex_unlock(&S->lock);
        if (!nst_folder_copy(fd, nst_folder_path(NST_FILE_MASK, mask, to), &e))
            job.choice.style[i].mask = mask;
        close(fd);
    }
    nst_choice_take(&job.choice);
    return true;
}

void nst_jobs_note(int number, nst_job_state state, double seconds, const char *error)
{
    nst_job *job, copy = { 0 };
    nst_error e;

    pthread_mutex_lock(&S->lock);
    job = find_job(number);
    if (job) {
        job->state = state;
        job->seconds = seconds;
        snprintf(job->error, sizeof job->error, "%s", error ? error : "");
        copy = *job;
    }
    S->list_changes++;
    pthread_mutex_unlock(&S->lock);
    if (copy.number)
        write_job(&copy, &e);
}

static void remove_files(int number)
{
    static const nst_studio_file kinds[] = { NST_FILE_JOB, NST_FILE_CHECKPOINT, NST_FILE_RESULT, NST_FILE_RESULT_VIEW,
                                             NST_FILE_RESULT_THUMB };
    char path[NST_PATH_BYTES];

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        unlink(nst_folder_path(kinds[i], number, path));
    for (int i = 0; i < NST_CHOSEN_STYLES; i++)
        unlink(nst_folder_job_mask(number, i, path));
}

bool nst_jobs_remove(int number)
{
    nst_job *job;
    bool good;

    pthread_mutex_lock(&S->lock);
    job = find_job(number);
    good = job && job->state != NST_JOB_PAINTING;
    if (good) {
        memmove(job, job + 1, (size_t)(&S->job[S->jobs] - job - 1) * sizeof *job);
        S->jobs--;
        S->list_changes++;
    }
    pthread_mutex_unlock(&S->lock);
    if (good)
        remove_files(number);
    return good;
}
