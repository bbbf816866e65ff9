/* preview.c: a small painting of what is chosen, in a thread of its own, begun anew whenever that changes.  It is
 * painted by the words that the large one gets, by the built-in model, at one scale and with few iterations: what it
 * reads is kept from one to the next. */
#include "cli/studio/studio.h"

#include <string.h>

#include "cli/clock.h"
#include "cli/config.h"
#include "cli/fail.h"
#include "cli/masks.h"

#define ITERATIONS 30
#define SETTLE .12 /* seconds: a slider that moves is waited for */
#define SHOWN .35  /* seconds from one picture to the next */
#define STACK (8 << 20) /* bytes: foreign decoders run here, whatever the first thread may have */

#define S (&nst_the_studio)

static struct preview {
    pthread_t thread;
    bool runs, end;      /* end: with the studio's lock */
    nst_model *model;
    nst_styles *known;
    struct kept {        /* a picture that was read, as it was asked for */
        int number;
        nst_fit fit;
        nst_image *image;
    } photo, style[NST_CHOSEN_STYLES];
    nst_line line;
    unsigned version;    /* of the choice that is painted */
    double shown;
} v;

/* ---- one preview ------------------------------------------------------------------------------------------------- */

/* The longest side.  A larger painting has finer strokes for its size, and so has its preview. */
static int preview_size(int size)
{
    if (size <= 384)
        return 144;
    if (size <= 640)
        return 160;
    if (size <= 900)
        return 176;
    return size <= 1300 ? 192 : 208;
}

static nst_status settings_of(const nst_job *job, nst_command *c, nst_settings **out, nst_error *e)
{
    nst_settings *s;
    nst_status status;

    if (!nst_words_make(&v.line, job, NULL))
        return fail(e, NST_EARG, "the names of the pictures are too long");
    *c = S->start.base;
    pthread_mutex_lock(&S->parsing);
    status = nst_options_parse_over(v.line.n, v.line.word, c, e);
    status = status ? status : nst_config_settings(v.line.n, v.line.word, c, out, e);
    pthread_mutex_unlock(&S->parsing);
    if (status)
        return status;
    s = *out;
    s->size = preview_size(job->choice.size);
    s->scales = 1;
    s->iterations = s->iterations < ITERATIONS ? s->iterations : ITERATIONS;
    s->first_iterations = 0;
    s->time_limit = 0;
    return NST_OK;
}

static bool same(const nst_fit *a, const nst_fit *b)
{
    return a->longest == b->longest && a->shortest == b->shortest;
}

static nst_status read_kept(struct kept *k, int number, const char *path, const nst_fit *fit, nst_error *e)
{
    nst_status s;

    if (k->image && k->number == number && same(&k->fit, fit))
        return nst_image_set_region(k->image, NULL, NULL, e);
    nst_image_destroy(&k->image);
    k->number = number;
    k->fit = *fit;
    s = nst_image_read_fit(&k->image, path, fit, e);
    return s;
}

/* The pictures of the words, which leave styles without a region out. */
static nst_status read_pictures(const nst_job *job, const nst_command *c, const nst_settings *s, nst_image **styles,
                                nst_error *e)
{
    nst_fit fit = nst_settings_fit(s, NULL), style;
    nst_status status = read_kept(&v.photo, job->choice.photo, c->content, &fit, e);

    if (status)
        return status;
    style = nst_settings_fit(s, v.photo.image);
    for (int i = 0, n = 0; i < job->choice.styles && n < c->styles; i++) {
        const nst_choice *choice = &job->choice;

        if (choice->regions && i != choice->rest && !choice->style[i].mask)
            continue;
        status = read_kept(&v.style[n], choice->style[i].source, c->style[n], &style, e);
        if (status)
            return status;
        styles[n] = v.style[n].image;
        n++;
    }
    return nst_masks_read(c, styles, &fit, &style, e);
}

static bool is_old(void)
{
    bool old;

    pthread_mutex_lock(&S->lock);
    old = v.end || S->choice_changes != v.version;
    pthread_mutex_unlock(&S->lock);
    return old;
}

static int each_iteration(void *arg, const nst_progress *p)
{
    (void)arg;
    if (is_old())
        return 1;
    if (nst_clock_now() - v.shown > SHOWN && p->done > 3 && p->done < p->total_iterations) {
        nst_snapshot_renew(&S->preview, p);
        v.shown = nst_clock_now();
    }
    return 0;
}

static nst_status paint(const nst_job *job, nst_error *e)
{
    nst_image *styles[NST_MAX_STYLES] = { NULL }, *result = NULL;
    nst_settings *s = NULL;
    nst_command c;
    nst_status status = settings_of(job, &c, &s, e);

    v.shown = nst_clock_now();
    status = status ? status : read_pictures(job, &c, s, styles, e);
    if (!status && !is_old())
        status = nst_transfer_known(v.known, s, v.model, v.photo.image, (const nst_image *const *)styles, c.styles,
                                    NULL, each_iteration, NULL, &result, e);
    if (!status && result && !is_old())
        nst_snapshot_put(&S->preview, result);
    nst_image_destroy(&result);
    nst_settings_destroy(&s);
    return status;
}

/* ---- the thread -------------------------------------------------------------------------------------------------- */

/* What is chosen, once it rests; false: the studio ends. */
static bool next(nst_job *job)
{
    unsigned seen;
    bool end;

    pthread_mutex_lock(&S->lock);
    while (!v.end && S->choice_changes == v.version)
        pthread_cond_wait(&S->changed, &S->lock);
    do {
        seen = S->choice_changes;
        pthread_mutex_unlock(&S->lock);
        nst_clock_rest(SETTLE);
        pthread_mutex_lock(&S->lock);
    } while (!v.end && S->choice_changes != seen);
    *job = (nst_job){ .choice = S->choice };
    v.version = seen;
    end = v.end;
    pthread_mutex_unlock(&S->lock);
    return !end;
}

static bool is_whole(const nst_choice *choice)
{
    bool painted = false;

    for (int i = 0; i < choice->styles; i++)
        painted |= !choice->regions || i == choice->rest || choice->style[i].mask;
    return choice->photo && painted;
}

static void *run(void *arg)
{
    nst_job job;

    (void)arg;
    while (next(&job)) {
        nst_error e = { "" };
        nst_status s = is_whole(&job.choice) ? paint(&job, &e) : NST_OK;

        if (!is_whole(&job.choice))
            nst_snapshot_put(&S->preview, NULL);
        pthread_mutex_lock(&S->lock);
        if (S->choice_changes == v.version) {
            S->previewed = v.version;
            snprintf(S->preview_error, sizeof S->preview_error, "%.255s", s ? e.text : "");
        }
        pthread_mutex_unlock(&S->lock);
    }
    return NULL;
}

nst_status nst_preview_start(nst_error *e)
{
    nst_status s = nst_model_open(&v.model, "small", e);
    pthread_attr_t attributes;

    s = s ? s : nst_styles_create(&v.known, e);
    if (s)
        return s;
    pthread_mutex_lock(&S->lock);
    S->choice_changes++; /* what is chosen already is painted at once */
    pthread_mutex_unlock(&S->lock);
    if (!pthread_attr_init(&attributes)) {
        pthread_attr_setstacksize(&attributes, STACK);
        v.runs = pthread_create(&v.thread, &attributes, run, NULL) == 0;
        pthread_attr_destroy(&attributes);
    }
    return v.runs ? NST_OK : fail(e, NST_EMEM, "studio: no thread for the preview");
}

void nst_preview_end(void)
{
    pthread_mutex_lock(&S->lock);
    v.end = true;
    pthread_mutex_unlock(&S->lock);
    nst_wake();
    if (v.runs)
        pthread_join(v.thread, NULL);
    v.runs = false;
    nst_image_destroy(&v.photo.image);
    for (int i = 0; i < NST_CHOSEN_STYLES; i++)
        nst_image_destroy(&v.style[i].image);
    nst_styles_destroy(&v.known);
    nst_model_close(&v.model);
}
