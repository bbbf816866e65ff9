/* desk.c: what is chosen, changed and queued.  Each function takes the lock, and writes down what it changed after it
 * has given it back: a page that waits for a disk holds up nobody else. */
#include "cli/studio/studio.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/fail.h"

#define S (&nst_the_studio)

/* One writer at a time: the newest desk is the last one in the file. */
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;

static void write_desk(void)
{
    char path[NST_PATH_BYTES];
    nst_job record = { .state = NST_JOB_QUEUED };
    nst_error e;

    pthread_mutex_lock(&writing);
    pthread_mutex_lock(&S->lock);
    record.desk = S->desk;
    pthread_mutex_unlock(&S->lock);
    nst_record_write(nst_folder_path(NST_FILE_DESK, 0, path), &record, &e); /* the next change tries again */
    pthread_mutex_unlock(&writing);
}

static nst_status write_job(const nst_job *job, nst_error *e)
{
    char path[NST_PATH_BYTES];
    nst_status s;

    pthread_mutex_lock(&writing);
    s = nst_record_write(nst_folder_path(NST_FILE_JOB, job->number, path), job, e);
    pthread_mutex_unlock(&writing);
    return s;
}

/* ---- the desk ---------------------------------------------------------------------------------------------------- */

/* These have the lock. */

static bool number(const char *text, double least, double most, double *v)
{
    char *end;

    if (!text || !*text || strspn(text, "0123456789.-") != strlen(text))
        return false;
    *v = strtod(text, &end);
    return !*end && *v >= least && *v <= most;
}

static bool choose(const nst_source *source)
{
    nst_desk *d = &S->desk;

    if (!source || (!source->photo && d->styles == NST_DESK_STYLES))
        return false;
    for (int i = 0; i < S->sources; i++)
        if (&S->source[i] == source)
            S->source[i].used = ++S->uses;
    S->list_changes++;
    if (!source->photo) {
        d->style[d->styles++] = (nst_desk_style){ source->number, 1, 0 };
    } else if (d->photo != source->number) {
        d->photo = source->number;
        for (int i = 0; i < d->styles; i++) /* they were painted on the other photograph */
            d->style[i].mask = 0;
        d->regions = false;
    }
    return true;
}

static bool take_away(int i)
{
    nst_desk *d = &S->desk;

    if (i >= d->styles)
        return false;
    memmove(&d->style[i], &d->style[i + 1], (size_t)(d->styles - i - 1) * sizeof *d->style);
    d->styles--;
    d->rest = d->rest == i ? -1 : d->rest > i ? d->rest - 1 : d->rest;
    d->regions = d->regions && d->styles;
    return true;
}

/* "1:0.5": style 1 weighs so much */
static bool blend(const char *value)
{
    int i = value[0] - '0';
    double v;

    if (!*value || value[1] != ':' || i < 0 || i >= S->desk.styles || !number(value + 2, 0, 100, &v))
        return false;
    S->desk.style[i].blend = v;
    return true;
}

static bool regions(bool on)
{
    nst_desk *d = &S->desk;

    if (on && !d->styles)
        return false;
    if (on && !d->regions)
        d->rest = d->styles > 1 ? d->styles - 1 : -1;
    d->regions = on;
    return true;
}

static bool set(const char *key, const char *value)
{
    nst_desk *d = &S->desk;
    double v = 0;
    bool good = number(value, -1, 1e6, &v);
    int n = (int)v;

    if (!strcmp(key, "photo") || !strcmp(key, "style")) {
        const nst_source *source = good ? nst_table_source(n) : NULL;

        return source && source->photo == !strcmp(key, "photo") && choose(source);
    }
    if (!strcmp(key, "blend"))
        return blend(value);
    if (!good)
        return false;
    if (!strcmp(key, "remove"))
        return v >= 0 && take_away(n);
    if (!strcmp(key, "regions"))
        return regions(v > 0);
    if (!strcmp(key, "rest"))
        return n < d->styles && (d->rest = n, true);
    if (!strcmp(key, "unmask"))
        return n >= 0 && n < d->styles && (d->style[n].mask = 0, true);
    if (!strcmp(key, "strength"))
        return v >= 0 && v <= 100 && (d->strength = v, true);
    if (!strcmp(key, "stroke"))
        return v >= .25 && v <= 4 && (d->stroke = v, true);
    if (!strcmp(key, "color"))
        return n >= 0 && n < NST_COLOR_COUNT && (d->color = n, true);
    if (!strcmp(key, "size"))
        return n >= 64 && n <= 8192 && (d->size = n, true);
    return false;
}

/* Pictures that somebody took out of the folder. */
static void drop_missing(void)
{
    nst_desk *d = &S->desk;

    if (!nst_table_source(d->photo))
        d->photo = 0;
    for (int i = d->styles - 1; i >= 0; i--)
        if (!nst_table_source(d->style[i].source))
            take_away(i);
}

void nst_desk_check(void)
{
    pthread_mutex_lock(&S->lock);
    drop_missing();
    pthread_mutex_unlock(&S->lock);
}

bool nst_desk_set(const char *key, const char *value)
{
    bool good;

    pthread_mutex_lock(&S->lock);
    good = value && set(key, value);
    S->desk_changes += good;
    pthread_mutex_unlock(&S->lock);
    if (good)
        write_desk();
    return good;
}

void nst_desk_choose(int source)
{
    pthread_mutex_lock(&S->lock);
    S->desk_changes += choose(nst_table_source(source));
    pthread_mutex_unlock(&S->lock);
    write_desk();
}

bool nst_desk_mask(int i, int mask)
{
    bool good;

    pthread_mutex_lock(&S->lock);
    good = i >= 0 && i < S->desk.styles;
    if (good)
        S->desk.style[i].mask = mask;
    S->desk_changes += good;
    pthread_mutex_unlock(&S->lock);
    write_desk();
    return good;
}

/* ---- jobs -------------------------------------------------------------------------------------------------------- */

static nst_job *find_job(int number)
{
    for (int i = 0; i < S->jobs; i++)
        if (S->job[i].number == number)
            return &S->job[i];
    return NULL;
}

bool nst_desk_job(int number, nst_job *out)
{
    const nst_job *job;

    pthread_mutex_lock(&S->lock);
    job = number ? find_job(number) : NULL;
    *out = job ? *job : (nst_job){ .desk = S->desk };
    pthread_mutex_unlock(&S->lock);
    return job || !number;
}

static nst_status is_paintable(const nst_desk *d, nst_error *e)
{
    int painted = 0;

    if (!d->photo)
        return fail(e, NST_EARG, "choose a photograph first");
    if (!d->styles)
        return fail(e, NST_EARG, "choose a painting first");
    for (int i = 0; i < d->styles; i++)
        painted += !d->regions || i == d->rest || d->style[i].mask;
    return painted ? NST_OK : fail(e, NST_EARG, "brush a region first: nothing of the photograph is to be painted");
}

/* Masks go beside the result, where the command line finds them. */
static nst_status copy_masks(const nst_job *job, nst_error *e)
{
    char path[NST_PATH_BYTES];
    nst_status s = NST_OK;

    for (int i = 0; i < job->desk.styles && !s; i++) {
        int fd = job->desk.regions && job->desk.style[i].mask ? nst_folder_open(NST_FILE_MASK, job->desk.style[i].mask)
                                                              : -1;

        if (fd < 0)
            continue;
        s = nst_folder_copy(fd, nst_folder_job_mask(job->number, i, path), e);
        close(fd);
    }
    return s;
}

int nst_desk_paint(nst_error *e)
{
    nst_job job = { 0 };
    bool room;

    pthread_mutex_lock(&S->lock);
    room = S->jobs < NST_JOBS;
    job.desk = S->desk;
    if (room)
        job.number = ++S->last_job;
    pthread_mutex_unlock(&S->lock);
    if (!room) {
        fail(e, NST_EARG, "the gallery has %d pictures; remove some first", NST_JOBS);
        return 0;
    }
    if (is_paintable(&job.desk, e) || copy_masks(&job, e) || write_job(&job, e))
        return 0;
    pthread_mutex_lock(&S->lock);
    room = S->jobs < NST_JOBS;
    if (room)
        S->job[S->jobs++] = job;
    S->list_changes++;
    pthread_mutex_unlock(&S->lock);
    return room ? job.number : 0;
}

bool nst_desk_again(int number)
{
    char path[NST_PATH_BYTES], to[NST_PATH_BYTES];
    nst_job job;
    nst_error e;

    if (!number || !nst_desk_job(number, &job))
        return false;
    for (int i = 0; i < job.desk.styles; i++) {
        int fd = job.desk.regions ? open(nst_folder_job_mask(number, i, path), O_RDONLY | O_CLOEXEC) : -1, mask;

        job.desk.style[i].mask = 0;
        if (fd < 0)
            continue;
        pthread_mutex_lock(&S->lock);
        mask = ++S->last_mask;
        pthread_mutex_unlock(&S->lock);
        if (!nst_folder_copy(fd, nst_folder_path(NST_FILE_MASK, mask, to), &e))
            job.desk.style[i].mask = mask;
        close(fd);
    }
    pthread_mutex_lock(&S->lock);
    S->desk = job.desk;
    drop_missing();
    S->desk_changes++;
    pthread_mutex_unlock(&S->lock);
    write_desk();
    return true;
}

void nst_desk_note(int number, nst_job_state state, double seconds, const char *error)
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
    for (int i = 0; i < NST_DESK_STYLES; i++)
        unlink(nst_folder_job_mask(number, i, path));
}

bool nst_desk_remove(int number)
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
