/* paint.h: one painting: its files, its run, what is said and kept meanwhile.  `nst CONTENT STYLE...` is one;
 * commands that paint in other ways start from here, too. */
#ifndef NST_PAINT_H
#define NST_PAINT_H

#include "cli/checkpoint_file.h"
#include "cli/inputs.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "cli/preview.h"
#include "cli/report.h"
#include "cli/web.h"

/* A painting that goes on from a checkpoint. */
typedef struct nst_resumed {
    nst_checkpoint *from;     /* where it goes on, NULL: from the beginning */
    const char *path;         /* its file */
    bool own_output, own_log; /* this command line names it */
} nst_resumed;

/* How far it is, and what happened meanwhile. */
typedef struct nst_paint_state {
    int done;         /* iterations */
    bool result_kept; /* the picture so far is written, and the checkpoint says so */
    bool stopped;     /* by the page, or on some rank */
    bool unwritable;  /* the result could not be written, so that others could not, either */
    bool failed;      /* something beside the result could not be kept, and that has been said; the run goes on */
} nst_paint_state;

typedef struct nst_painting {
    nst_command c;
    nst_settings *s;
    const nst_comm *comm; /* several ranks, of which the first one speaks and writes; or NULL */
    nst_styles *known;    /* of styles that come again, or NULL; not owned */
    nst_inputs in;
    nst_image *result;
    nst_plan plan;
    nst_resumed resumed;
    nst_checkpoint_writer writer;
    char output[NST_PATH_BYTES], model_path[NST_PATH_BYTES];
    char comment[2048]; /* the settings, kept in the result */
    bool whole;         /* asked: a picture that is stopped early gets "-stopped" into its name */
    nst_paint_state state;
    FILE *log;
    nst_report report;
    nst_web *web;
    void (*watch)(const nst_progress *at, bool *stop); /* after each iteration; *stop: as the page's; or NULL */
    nst_preview preview;
} nst_painting;

/* From p->c, parsed once, and the same arguments again: p->s, what is said, and the result's comment. */
nst_status nst_paint_settings(nst_painting *p, int argc, char **argv, nst_error *e);
/* From p->c, p->s and p->from: what is said, and the result's comment. */
nst_status nst_paint_describe(nst_painting *p, nst_error *e);
/* Checks the output, reads the pictures that p->c names, paints, and writes the result; says so on standard error.
 * With --dry-run it says what it would do on standard output instead. */
nst_status nst_paint(nst_painting *p, nst_error *e);
/* Lets go of what belongs to one painting: pictures, plan, log.  Command, settings and model stay. */
void nst_paint_leave(nst_painting *p);
/* And of these. */
void nst_paint_close(nst_painting *p);

/* `nst [OPTION]... CONTENT STYLE...`, parsed once into c.  When it fails with an empty e->text, all has been said. */
nst_status nst_paint_run(const nst_command *c, int argc, char **argv, nst_error *e);
/* The same by one of several ranks, all of which call it with the same arguments and read the same files. */
nst_status nst_paint_across(const nst_command *c, const nst_comm *comm, int argc, char **argv, nst_error *e);

/* One line on standard error, after the progress line if that is open. */
void nst_paint_complain(nst_painting *p, const char *text);

#endif
