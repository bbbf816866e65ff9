/* options.h: the command line as a table (options.c), and read by it (arguments.c).  Knows nst.h's types but
 * calls nothing of the library, so that the build machine can make the man page from it. */
#ifndef NST_OPTIONS_H
#define NST_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "nst.h"

#define NST_MAX_STYLES 16

/* What an option says that comes again, in the order of the styles. */
typedef struct nst_names {
    const char *name[NST_MAX_STYLES];
    int n;
    int replaced; /* the next one begins anew: the command line's go before a file's */
} nst_names;

/* What the command line says beyond nst_settings.  Texts point into argv. */
typedef struct nst_command {
    const char *content, *style[NST_MAX_STYLES];
    int styles;
    char **operand; /* all that is no option, of which the first is content, and up to NST_MAX_STYLES more are styles */
    int operands;
    const char *config; /* NULL: the user's own, if there is one; "none" */
    const char *preset; /* NULL: the default one */
    const char *model;  /* NULL: the built-in one */
    int model_input;    /* index into "auto torchvision caffe caffe-rgb" */
    const char *output; /* NULL: made from the inputs' names */
    const char *init;   /* a picture to start from, or NULL */
    nst_names content_mask, style_mask;
    const char *log;
    const char *web_host;
    int preview;
    int web, web_port; /* 0: not said */
    const char *checkpoint;
    int checkpoint_every; /* seconds; 0: not said */
    int save_every; /* iterations; 0: never */
    int quality;    /* JPEG and WebP, 1..100; 0: not said */
    int format;     /* of the result: index into "auto png jpeg tiff webp ppm pfm" */
    int bits;       /* index into "8 16" */
    const char *output_dir, *name; /* nst batch */
    int keep_existing;             /* nst batch */
    int half;       /* nst model import and fetch: half precision */
    const char *url; /* nst model fetch; NULL: the one of the table */
    int port;         /* nst studio; 0: not said */
    const char *folder, *host; /* nst studio */
    int no_browser;   /* nst studio */
    double from, to, fps;        /* nst video: seconds, pictures a second; 0: not said */
    int frames;                  /* nst video: of a photograph; 0: not said */
    int passes;                  /* nst video; 0: not said */
    int frame_iterations;        /* nst video; 0: not said */
    int interpolate;             /* nst video */
    const char *flow;            /* nst video: a pattern of files, or NULL */
    const char *temporal_weight; /* nst video: a number; NULL: not said */
    int damaged;    /* what is there of damaged pictures is read */
    int quiet, verbose, dry_run, json, help, version;
} nst_command;

typedef enum nst_option_kind {
    NST_OPTION_FLAG,   /* int, set to 1 */
    NST_OPTION_INT,    /* int, min..max */
    NST_OPTION_SIZE,   /* int, min..max or "native", which is 0; says how the side is measured, too */
    NST_OPTION_ROUNDS, /* int, min..max; holds for the first scale as well */
    NST_OPTION_DOUBLE, /* double, min..max */
    NST_OPTION_TIME,   /* double, seconds, as 90, 90s, 5m, 1h30m; min..max */
    NST_OPTION_SEED,   /* uint64_t */
    NST_OPTION_BYTES,  /* uint64_t, a number with K, M, G or T behind it, powers of 1024 */
    NST_OPTION_CHOICE, /* int, index of the word in choices */
    NST_OPTION_WORD,   /* char [max], one of choices */
    NST_OPTION_TEXT,   /* char [max] */
    NST_OPTION_PATH,   /* const char *, a file or a word of choices */
    NST_OPTION_PATHS,  /* nst_names, each a file or a word of choices */
    NST_OPTION_START,  /* a word of choices, or a picture's file */
} nst_option_kind;

typedef enum nst_option_group {
    NST_GROUP_MAIN,
    NST_GROUP_LOSS,
    NST_GROUP_RUN,
    NST_GROUP_OUTPUT,
    NST_GROUP_COMMANDS,
    NST_GROUP_COUNT,
    NST_COMMON = 256 /* added to the group of an option that most people need: it stands in the short help, too */
} nst_option_group;
#define NST_GROUP(row) ((int)(row)->group & 255)

typedef struct nst_option {
    const char *name;
    char letter;          /* 0: none */
    const char *argument; /* what the help calls its value; NULL: takes none */
    nst_option_kind kind;
    bool setting;         /* offset is into nst_settings, else into nst_command */
    size_t offset;
    double min, max;
    const char *choices;  /* words with blanks between, or NULL */
    int group;            /* nst_option_group, and NST_COMMON */
    const char *help;     /* for one line of the help */
    const char *more;     /* further sentences for the man page, or NULL */
} nst_option;

extern const nst_option nst_options[];
extern const int nst_option_count;
extern const char *const nst_group_titles[NST_GROUP_COUNT];

/* The name of the first of several options that the command line has; NULL: it has none. */
typedef struct nst_said {
    bool said;
    const char *name;
} nst_said;
#define NST_SAID(...) (const nst_said[]){ __VA_ARGS__, { false, NULL } }
static inline const char *nst_first_said(const nst_said *options)
{
    while (options->name && !options->said)
        options++;
    return options->name;
}

/* At most so many rows; options.c checks it. */
#define NST_MAX_OPTIONS 200

/* By its long name; NULL. */
const nst_option *nst_options_find(const char *name);
/* The one that a misspelt long name most likely meant, or NULL. */
const nst_option *nst_options_nearest(const char *name);
/* Letters to change, put in, leave out or exchange with the next one, to make b (n letters, or it is 60) of a. */
int nst_options_edits(const char *a, const char *b, size_t n);
/* One option's value, as from a file: a flag takes yes or no.  With s NULL it sets what is in c and passes over
 * settings, with s the reverse. */
nst_status nst_options_set(const nst_option *r, const char *value, nst_command *c, nst_settings *s, nst_error *e);
/* After changes of s, which had this optimizer and learning rate before: a step length made for one optimiser is
 * nonsense for the other, so that a rate which was not changed with the optimiser is forgotten. */
void nst_options_settle(nst_settings *s, int optimizer, double rate);

/* Reads the command line.  Preset first, everything else over it: call it with settings NULL, which fills c
 * (and checks names only), then make the preset's settings and call it again with them, which fills those.
 * NST_EARG on wrong usage.  argv may be reordered. */
nst_status nst_options_parse(int argc, char **argv, nst_command *c, nst_settings *s, nst_error *e);

/* As with s NULL, over what is in c already. */
nst_status nst_options_parse_over(int argc, char **argv, nst_command *c, nst_error *e);

/* The settings as the options that would make them, for a picture's comment: at most bytes - 1 characters. */
void nst_options_describe(const nst_settings *s, char *text, size_t bytes);

/* Number i of a list of words with blanks between; false past the last. */
bool nst_word_at(const char *words, int i, char *out, size_t bytes);

#endif
