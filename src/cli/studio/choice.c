/* choice.c: what is chosen: a photograph, styles, the values of the controls.  Each function takes the lock, and writes
 * down what it changed after it has given it back: a page that waits for a disk holds up nobody else. */
#include "cli/studio/studio.h"

#include <stdlib.h>
#include <string.h>

#define S (&nst_the_studio)

/* One writer at a time: the newest choice is the last one in the file. */
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;

static void pass_on(void)
{
    char path[NST_PATH_BYTES];
    nst_job record = { .state = NST_JOB_QUEUED };
    nst_error e;

    nst_wake();
    pthread_mutex_lock(&writing);
    pthread_mutex_lock(&S->lock);
    record.choice = S->choice;
    pthread_mutex_unlock(&S->lock);
    nst_record_write(nst_folder_path(NST_FILE_CHOICE, 0, path), &record, &e); /* the next change tries again */
    pthread_mutex_unlock(&writing);
}

/* ---- changes, with the lock -------------------------------------------------------------------------------------- */

static bool number(const char *text, double least, double most, double *v)
{
    char *end;

    if (!text || !*text || strspn(text, "0123456789.-") != strlen(text))
        return false;
    *v = strtod(text, &end);
    return !*end && *v >= least && *v <= most;
}

static bool is_chosen(const nst_source *style)
{
    bool found = false;

    for (int i = 0; i < S->choice.styles; i++)
        found |= S->choice.style[i].source == style->number;
    return found;
}

static bool choose(const nst_source *source)
{
    nst_choice *c = &S->choice;
    bool again = source && !source->photo && is_chosen(source); /* a file that was dropped twice */

    if (!source || (!source->photo && !again && c->styles == NST_CHOSEN_STYLES))
        return false;
    for (int i = 0; i < S->sources; i++)
        if (&S->source[i] == source)
            S->source[i].used = ++S->uses;
    S->list_changes++;
    if (again)
        return true;
    if (!source->photo) {
        c->style[c->styles++] = (nst_chosen_style){ source->number, 1, 0 };
    } else if (c->photo != source->number) {
        c->photo = source->number;
        for (int i = 0; i < c->styles; i++) /* they were painted on the other photograph */
            c->style[i].mask = 0;
        c->regions = false;
    }
    return true;
}

static bool take_away(int i)
{
    nst_choice *c = &S->choice;

    if (i >= c->styles)
        return false;
    memmove(&c->style[i], &c->style[i + 1], (size_t)(c->styles - i - 1) * sizeof *c->style);
    c->styles--;
    if (c->rest == i)
        c->rest = -1;
    else if (c->rest > i)
        c->rest--;
    c->regions = c->regions && c->styles;
    return true;
}

/* "1:0.5": style 1 weighs so much */
static bool blend(const char *value)
{
    int i = value[0] - '0';
    double v;

    if (!*value || value[1] != ':' || i < 0 || i >= S->choice.styles || !number(value + 2, 0, 100, &v))
        return false;
    S->choice.style[i].blend = v;
    return true;
}

static bool regions(bool on)
{
    nst_choice *c = &S->choice;

    if (on && !c->styles)
        return false;
    if (on && !c->regions)
        c->rest = c->styles > 1 ? c->styles - 1 : -1;
    c->regions = on;
    return true;
}

/* A control's new value, where it is in its range. */
static bool keep(double *control, double v, double least, double most)
{
    if (v < least || v > most)
        return false;
    *control = v;
    return true;
}

static bool keep_whole(int *control, double v, int least, int most)
{
    if (v < least || v > most)
        return false;
    *control = (int)v;
    return true;
}

static bool unmask(int i)
{
    if (i < 0 || i >= S->choice.styles)
        return false;
    S->choice.style[i].mask = 0;
    return true;
}

static bool set(const char *key, const char *value)
{
    nst_choice *c = &S->choice;
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
        return keep_whole(&c->rest, v, -1, c->styles - 1);
    if (!strcmp(key, "unmask"))
        return unmask(n);
    if (!strcmp(key, "strength"))
        return keep(&c->strength, v, 0, 100);
    if (!strcmp(key, "stroke"))
        return keep(&c->stroke, v, .25, 4);
    if (!strcmp(key, "color"))
        return keep_whole(&c->color, v, 0, NST_COLOR_COUNT - 1);
    if (!strcmp(key, "size"))
        return keep_whole(&c->size, v, 64, 8192);
    return false;
}

/* Pictures that are gone. */
static bool drop_missing(void)
{
    nst_choice *c = &S->choice;
    bool dropped = c->photo && !nst_table_source(c->photo);

    if (dropped)
        c->photo = 0;
    for (int i = c->styles - 1; i >= 0; i--)
        if (!nst_table_source(c->style[i].source))
            dropped |= take_away(i);
    return dropped;
}

void nst_choice_check(void)
{
    bool dropped;

    pthread_mutex_lock(&S->lock);
    dropped = drop_missing();
    S->choice_changes += dropped;
    pthread_mutex_unlock(&S->lock);
    if (dropped)
        pass_on();
}

bool nst_choice_set(const char *key, const char *value)
{
    bool good;

    pthread_mutex_lock(&S->lock);
    good = value && set(key, value);
    S->choice_changes += good;
    pthread_mutex_unlock(&S->lock);
    if (good)
        pass_on();
    return good;
}

void nst_choice_add(int source)
{
    pthread_mutex_lock(&S->lock);
    S->choice_changes += choose(nst_table_source(source));
    pthread_mutex_unlock(&S->lock);
    pass_on();
}

bool nst_choice_mask(int i, int mask)
{
    bool good;

    pthread_mutex_lock(&S->lock);
    good = i >= 0 && i < S->choice.styles;
    if (good)
        S->choice.style[i].mask = mask;
    S->choice_changes += good;
    pthread_mutex_unlock(&S->lock);
    pass_on();
    return good;
}

void nst_choice_take(const nst_choice *c)
{
    pthread_mutex_lock(&S->lock);
    S->choice = *c;
    drop_missing();
    S->choice_changes++;
    pthread_mutex_unlock(&S->lock);
    pass_on();
}
