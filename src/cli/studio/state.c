/* state.c: the state as JSON, for the page.  Two texts: what changes all the time, and the lists of pictures and
 * paintings, which the page asks for again when their number of changes is another. */
#include "cli/studio/studio.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "cli/clock.h"

#define S (&nst_the_studio)

struct text {
    char *out;
    size_t n, room;
};

static void add(struct text *t, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(t->out + t->n, t->room - t->n, format, args);
    va_end(args);
    if (n >= 0)
        t->n += (size_t)n < t->room - t->n ? (size_t)n : t->room - t->n - 1;
}

static void add_quoted(struct text *t, const char *from)
{
    add(t, "\"");
    for (; *from; from++)
        if ((unsigned char)*from < 32 || *from == '"' || *from == '\\' || *from == '<')
            add(t, "\\u%04x", (unsigned char)*from);
        else
            add(t, "%c", *from);
    add(t, "\"");
}

static void add_choice(struct text *t, const nst_choice *c)
{
    add(t, "{\"photo\":%d,\"strength\":%g,\"stroke\":%g,\"color\":%d,\"size\":%d,\"regions\":%s,\"rest\":%d,"
           "\"styles\":[", c->photo, c->strength, c->stroke, c->color, c->size, c->regions ? "true" : "false", c->rest);
    for (int i = 0; i < c->styles; i++)
        add(t, "%s{\"source\":%d,\"blend\":%g,\"mask\":%d}", i ? "," : "", c->style[i].source, c->style[i].blend,
            c->style[i].mask);
    add(t, "]}");
}

size_t nst_state_json(char *out, size_t bytes)
{
    struct text t = { out, 0, bytes };
    int live = nst_snapshot_number(&S->live), preview = nst_snapshot_number(&S->preview), shown, left = 0;

    shown = nst_snapshot_file(&S->preview, NULL);
    if (shown >= 0)
        close(shown);
    pthread_mutex_lock(&S->lock);
    S->asked = nst_clock_now();
    for (int i = 0; i < S->jobs; i++)
        left += S->job[i].state == NST_JOB_QUEUED || S->job[i].state == NST_JOB_PAINTING;
    add(&t, "{\"version\":\"%.8s\",\"choice\":", S->start.token);
    add_choice(&t, &S->choice);
    add(&t, ",\"changes\":%u,\"lists\":%u,\"queued\":%d,\"preview\":{\"number\":%d,\"shown\":%s,\"done\":%s,\"error\":",
        S->choice_changes, S->list_changes, left, preview, shown >= 0 ? "true" : "false",
        S->previewed == S->choice_changes ? "true" : "false");
    add_quoted(&t, S->preview_error);
    add(&t, "},\"paused\":%s,\"job\":{\"number\":%d,\"picture\":%d,\"scale\":%d,\"scales\":%d,\"width\":%d,"
            "\"height\":%d,\"done\":%d,\"total\":%d,\"left\":%.1f}}\n", S->wanted.paused ? "true" : "false",
        S->pace.job, live, S->pace.scale, S->pace.scales, S->pace.width, S->pace.height, S->pace.done, S->pace.total,
        S->pace.left);
    pthread_mutex_unlock(&S->lock);
    return t.n;
}

static void add_job(struct text *t, const nst_job *job, bool first)
{
    static const char *const words[NST_JOB_STATES] = { "queued", "painting", "done", "stopped", "failed", "gone" };

    add(t, "%s{\"number\":%d,\"state\":\"%s\",\"seconds\":%.1f,\"error\":", first ? "" : ",", job->number,
        words[job->state], job->seconds);
    add_quoted(t, job->error);
    add(t, ",\"choice\":");
    add_choice(t, &job->choice);
    add(t, "}");
}

/* A result that the user took away is no longer shown. */
static bool is_there(const nst_job *job)
{
    char path[NST_PATH_BYTES];

    return (job->state != NST_JOB_DONE && job->state != NST_JOB_STOPPED) ||
           access(nst_folder_path(NST_FILE_RESULT, job->number, path), F_OK) == 0;
}

size_t nst_state_lists(char *out, size_t bytes)
{
    static nst_job jobs[NST_JOBS]; /* the caller sees to it that one asks at a time */
    struct text t = { out, 0, bytes };
    bool first = true;
    int n;

    pthread_mutex_lock(&S->lock);
    add(&t, "{\"lists\":%u,\"folder\":", S->list_changes);
    add_quoted(&t, S->start.folder);
    add(&t, ",\"tiff\":%s,\"sources\":[", nst_format_of("x.tif")->writes ? "true" : "false");
    for (int i = 0; i < S->sources; i++)
        add(&t, "%s{\"number\":%d,\"photo\":%s,\"width\":%d,\"height\":%d,\"used\":%u,"
            "\"removable\":%s}", i ? "," : "",
            S->source[i].number, S->source[i].photo ? "true" : "false", S->source[i].width, S->source[i].height,
            S->source[i].used, S->source[i].number > NST_SHELF ? "true" : "false");
    n = S->jobs;
    memcpy(jobs, S->job, sizeof jobs);
    pthread_mutex_unlock(&S->lock);
    add(&t, "],\"jobs\":[");
    for (int i = 0; i < n; i++)
        if (is_there(&jobs[i])) {
            add_job(&t, &jobs[i], first);
            first = false;
        }
    add(&t, "]}\n");
    return t.n;
}
