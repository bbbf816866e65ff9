/* studio.h: what the parts of `nst studio` share: the state, which the server has and every page shows, and its folder.
 *
 * The choice is a photograph, styles and the values of the controls.  Paint makes a job of it.  Sources are the
 * pictures that came in.  All of it is plain text in the folder, so that a killed studio goes on where it was. */
#ifndef NST_STUDIO_H
#define NST_STUDIO_H

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#include "cli/options.h"
#include "cli/paths.h"
#include "cli/snapshot.h"

#define NST_CHOSEN_STYLES 4
#define NST_SOURCES 256
#define NST_JOBS 512
#define NST_SHELF 4 /* sources 1 to 4 come with nst */

typedef struct nst_chosen_style {
    int source;
    double blend;
    int mask;       /* its file's number; 0: none */
} nst_chosen_style;

typedef struct nst_choice {
    int photo;      /* a source's number; 0: none */
    int styles;
    nst_chosen_style style[NST_CHOSEN_STYLES];
    double strength, stroke;
    int color, size;
    bool regions;   /* the masks count */
    int rest;       /* of regions: the style that gets everything else; -1: none, there the photograph stays */
} nst_choice;

typedef struct nst_source {
    int number;
    bool photo;          /* else a style */
    char suffix[8];
    int width, height;
    unsigned used;       /* when it was last chosen: the larger, the later */
} nst_source;

typedef enum nst_job_state { NST_JOB_QUEUED, NST_JOB_PAINTING, NST_JOB_DONE, NST_JOB_STOPPED, NST_JOB_FAILED,
                             NST_JOB_GONE, NST_JOB_STATES } nst_job_state;

typedef struct nst_job {
    int number;
    nst_job_state state;
    nst_choice choice;
    double seconds;      /* that it took */
    char error[256];
} nst_job;

/* How far the painting is. */
typedef struct nst_pace {
    int job, scale, scales, width, height, done, total;
    double left;
} nst_pace;

typedef struct nst_studio {
    pthread_mutex_t lock; /* of what follows, down to the next comment; never held while a picture is read or written */
    nst_choice choice;
    unsigned choice_changes, list_changes, uses;
    nst_source source[NST_SOURCES];
    int sources, last_source, last_mask;
    nst_job job[NST_JOBS];
    int jobs, last_job;
    nst_pace pace;
    struct {
        bool paused, stop, discard, quit;
    } wanted;             /* of the painter and, quit, of all */
    double asked;         /* when a page last asked for the state */
    unsigned previewed;   /* choice_changes of the preview that is shown, complete */
    char preview_error[256];
    pthread_cond_t changed; /* of the lock: what the preview shows is another, or the studio ends */
    /* with locks of their own */
    nst_snapshot live, preview;
    pthread_mutex_t parsing; /* getopt has one state for the whole process */
    struct {
        nst_command base;     /* of the command line that started the studio */
        nst_choice choice;    /* no pictures, the values of those options */
        char *words[64];      /* its options, which come before a job's own */
        int n_words;
        char folder[NST_PATH_BYTES - 256]; /* absolute */
        char token[33];
        char password[33];    /* that is asked for; "": none is */
    } start;                  /* what does not change */
} nst_studio;

/* table.c */
extern nst_studio nst_the_studio;
const nst_source *nst_table_source(int number); /* with the lock held; NULL */

/* ---- folder.c: the names of files, all made here ----------------------------------------------------------------- */

typedef enum nst_studio_file {
    NST_FILE_SOURCE,     /* sources/photo-0003.jpg */
    NST_FILE_VIEW,       /* .studio/view-0003.jpg: a source as the page shows it */
    NST_FILE_THUMB,      /* .studio/thumb-0003.jpg */
    NST_FILE_MASK,       /* .studio/mask-0003.png: of the choice */
    NST_FILE_RESULT,     /* nst-0003.png */
    NST_FILE_RESULT_VIEW,
    NST_FILE_RESULT_THUMB,
    NST_FILE_JOB,        /* .studio/job-0003 */
    NST_FILE_CHECKPOINT,
    NST_FILE_CHOICE,     /* .studio/choice */
    NST_FILE_LOCK,       /* .studio/lock */
    NST_FILE_ADDRESS,    /* studio.html, which leads to the page */
} nst_studio_file;

/* The path of one of these files; of a source its kind and suffix are taken from the table. */
const char *nst_folder_path(nst_studio_file kind, int number, char out[NST_PATH_BYTES]);
/* nst-0003-mask-1.png: of style i from 0. */
const char *nst_folder_job_mask(int job, int i, char out[NST_PATH_BYTES]);
/* Opens for reading; -1. */
int nst_folder_open(nst_studio_file kind, int number);
/* A copy of an open file's bytes under a name, whole or not at all. */
nst_status nst_folder_copy(int from, const char *to, nst_error *e);
/* Makes the folder, locks it for this process; *taken: another studio has it. */
nst_status nst_folder_begin(const char *named, bool *taken, nst_error *e);
/* Reads what lies there into the tables: sources, jobs, the choice. */
nst_status nst_folder_scan(nst_error *e);

/* ---- record.c: the choice and jobs as text files ----------------------------------------------------------------- */

nst_status nst_record_write(const char *path, const nst_job *job, nst_error *e);
/* False where there is none or it is damaged; what is out of range is as at the start. */
bool nst_record_read(const char *path, nst_job *job);
/* The choice at the start: no pictures. */
nst_choice nst_record_empty(void);

/* ---- choice.c: what is chosen; each takes the lock itself -------------------------------------------------------- */

/* Takes out what is no source any more. */
void nst_choice_check(void);
/* KEY=VALUE of a control; false when it is unknown or out of range. */
bool nst_choice_set(const char *key, const char *value);
/* Chooses a source. */
void nst_choice_add(int source);
/* The mask of style i is this one from now on. */
bool nst_choice_mask(int i, int mask);
/* All of it anew. */
void nst_choice_take(const nst_choice *c);
/* ---- jobs.c: what is queued and was painted; each takes the lock itself ------------------------------------------ */

/* Makes a job of the choice; its number, 0 with *e where that cannot be done. */
int nst_jobs_add(nst_error *e);
/* Chooses again what a job was made of. */
bool nst_jobs_again(int job);
/* A copy of a job, of the choice with number 0; false when there is none. */
bool nst_jobs_get(int number, nst_job *out);
/* A job's new state, which is written down. */
void nst_jobs_note(int number, nst_job_state state, double seconds, const char *error);
/* Takes a queued or finished job off the list, and its files off the folder; false when it cannot. */
bool nst_jobs_remove(int number);

/* ---- sources.c: pictures that come in ---------------------------------------------------------------------------- */

/* Reads and keeps a picture from an open file: its number, 0 with *e when it is none that can be painted from. */
int nst_sources_add(int fd, bool photo, nst_error *e);
/* Removes a picture that came in, with its files.  NST_EARG for one that comes with nst, or that a job needs which is
 * not done. */
nst_status nst_sources_remove(int number, nst_error *e);
/* The same as nst_sources_add of a mask, which the choice gets: its number. */
int nst_sources_mask(int fd, nst_error *e);
/* Pictures that come with the program, kept as numbers 1 to 4 when they are not there. */
nst_status nst_sources_begin(nst_error *e);
/* Files that the page shows of a picture: at most so many pixels a side. */
nst_status nst_sources_show(const char *picture, const char *view, const char *thumb, int *width, int *height,
                            nst_error *e);

/* ---- words.c: the command line that paints what is chosen -------------------------------------------------------- */

#define NST_LINE_WORDS 128
#define NST_LINE_TEXT 32768
typedef struct nst_line {
    char *word[NST_LINE_WORDS];
    int n;
    char text[NST_LINE_TEXT];
    size_t used;
} nst_line;

/* Words of a job (number 0: of the choice); the last ones are the pictures.  False: they are too long. */
bool nst_words_make(nst_line *line, const nst_job *job, const char *output);
/* As a shell takes them. */
void nst_words_quote(const nst_line *line, char *out, size_t bytes);

/* ---- wake.c: who waits for the state to change ------------------------------------------------------------------- */

nst_status nst_wake_begin(nst_error *e);
/* After a change, without the lock: whoever waits for one looks again. */
void nst_wake(void);
/* In the main thread, without the lock: returns after the next change or signal, or one since the last return. */
void nst_wake_wait(void);

/* ---- preview.c, painter.c ---------------------------------------------------------------------------------------- */

nst_status nst_preview_start(nst_error *e);
void nst_preview_end(void);
/* Paints what is queued until the studio is closed; in the main thread. */
void nst_painter_run(void);

/* ---- pages.c, state.c -------------------------------------------------------------------------------------------- */

struct nst_http_request;
int nst_pages_answer(const struct nst_http_request *r);
size_t nst_pages_room(const struct nst_http_request *r);
/* JSON into out: what changes all the time; what seldom changes. */
size_t nst_state_json(char *out, size_t bytes);
size_t nst_state_lists(char *out, size_t bytes);

/* handover.c: sends a photograph to the studio that has this folder already. */
nst_status nst_handover(const char *path, nst_error *e);

/* studio.c: `nst studio [OPTION]... [PHOTO]`. */
nst_status nst_studio_run(int argc, char **argv, nst_error *e);

#endif
