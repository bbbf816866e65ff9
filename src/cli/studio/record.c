/* record.c: the choice and jobs as text files, a word and its numbers a line.  They are read again after a crash, and
 * anybody may have changed them: what is out of range is left as at the start. */
#include "cli/studio/studio.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/fail.h"

static const char *const states[NST_JOB_STATES] = { "queued", "painting", "done", "stopped", "failed", "gone" };

nst_choice nst_record_empty(void)
{
    return nst_the_studio.start.choice;
}

static void print(FILE *f, const nst_job *job)
{
    const nst_choice *c = &job->choice;

    fprintf(f, "state %s\nphoto %d\n", states[job->state], c->photo);
    for (int i = 0; i < c->styles; i++)
        fprintf(f, "style %d %.9g %d\n", c->style[i].source, c->style[i].blend, c->style[i].mask);
    fprintf(f, "strength %.9g\nstroke %.9g\ncolor %d\nsize %d\nregions %d\nrest %d\nseconds %.1f\n", c->strength,
            c->stroke, c->color, c->size, c->regions, c->rest, job->seconds);
    if (*job->error)
        fprintf(f, "error %s\n", job->error);
}

nst_status nst_record_write(const char *path, const nst_job *job, nst_error *e)
{
    char beside[NST_PATH_BYTES + 8];
    bool good;
    FILE *f;

    snprintf(beside, sizeof beside, "%s.new", path);
    unlink(beside);
    f = fopen(beside, "wx"); /* not through a link that lies there */
    if (f)
        print(f, job);
    good = f && fflush(f) == 0 && fsync(fileno(f)) == 0;
    if (f)
        good = fclose(f) == 0 && good;
    if (good && rename(beside, path) == 0)
        return NST_OK;
    return fail(e, NST_EIO, "%s: %s", path, strerror(errno));
}

static bool within(double v, double least, double most)
{
    return v >= least && v <= most;
}

static void read_style(nst_choice *c, const char *value)
{
    nst_chosen_style s;

    if (c->styles < NST_CHOSEN_STYLES && sscanf(value, "%d %lf %d", &s.source, &s.blend, &s.mask) == 3 &&
        within(s.source, 1, 99999) && within(s.blend, 0, 100) && s.mask >= 0)
        c->style[c->styles++] = s;
}

static void read_number(nst_job *job, const char *key, double v)
{
    nst_choice *c = &job->choice;

    if (!strcmp(key, "photo") && within(v, 0, 99999))
        c->photo = (int)v;
    else if (!strcmp(key, "strength") && within(v, 0, 100))
        c->strength = v;
    else if (!strcmp(key, "stroke") && within(v, .05, 20))
        c->stroke = v;
    else if (!strcmp(key, "color") && within(v, 0, NST_COLOR_COUNT - 1))
        c->color = (int)v;
    else if (!strcmp(key, "size") && within(v, 32, 65535))
        c->size = (int)v;
    else if (!strcmp(key, "regions"))
        c->regions = v > 0;
    else if (!strcmp(key, "rest") && within(v, -1, NST_CHOSEN_STYLES - 1))
        c->rest = (int)v;
    else if (!strcmp(key, "seconds") && within(v, 0, 1e9))
        job->seconds = v;
}

static void read_line(nst_job *job, const char *key, const char *value)
{
    double v;

    if (!strcmp(key, "state")) {
        for (int i = 0; i < NST_JOB_STATES; i++)
            if (!strcmp(states[i], value))
                job->state = (nst_job_state)i;
    } else if (!strcmp(key, "style")) {
        read_style(&job->choice, value);
    } else if (!strcmp(key, "error")) {
        snprintf(job->error, sizeof job->error, "%.255s", value);
    } else if (sscanf(value, "%lf", &v) == 1) {
        read_number(job, key, v);
    }
}

bool nst_record_read(const char *path, nst_job *job)
{
    FILE *f = fopen(path, "r");
    char line[512], key[16], value[400];

    *job = (nst_job){ .state = NST_JOB_GONE, .choice = nst_record_empty() };
    if (!f)
        return false;
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "%15s %399[^\n]", key, value) == 2)
            read_line(job, key, value);
    fclose(f);
    if (job->choice.rest >= job->choice.styles)
        job->choice.rest = -1;
    return true;
}
