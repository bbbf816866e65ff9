/* setup.h: what a run was asked, and what that means for this model and these pictures: the data that everything is
 * planned from.  Nothing here knows of a scale that is being painted. */
#ifndef NST_SETUP_H
#define NST_SETUP_H

#include "engine/settings/settings.h"
#include "ops/color_space.h"
#include "ops/dispatch.h"

/* What a run was asked.  Nothing is owned. */
typedef struct nst_job {
    const nst_settings *settings; /* as the caller gave them */
    const nst_model *model;
    const nst_image *content, *init;
    const nst_image *const *styles;
    int n_styles;
    nst_styles *style_cache;      /* or NULL */
    const nst_temporal *temporal; /* [n_temporal] */
    int n_temporal;
    const char *simd;             /* the kernel set where the settings name none; NULL: the fastest */
    bool on_cpu;                  /* where the settings leave the device to us, it is the CPU */
    size_t limit;                 /* a checkpoint's bytes of memory, or 0 */
    const nst_comm *comm;         /* NULL: alone */
} nst_job;

/* A picture cut into windows: columns and rows, as even as the graph's grid allows; or columns of strips so high. */
typedef struct nst_tiling {
    int nx, ny;
    int strip; /* 0: windows */
} nst_tiling;

/* The rows of a picture that a rank works on; w and rows with the margin.  Alone: all. */
typedef struct nst_row_range {
    int w;
    int own, own_to;   /* of x: all ranks' are the picture */
    int core, core_to; /* whose features are counted: all ranks' are the picture without its margin */
    int from, to;      /* that those depend on: what is computed, the others' rows at both ends included */
    int h;             /* all ranks' rows */
} nst_row_range;

/* What a scale makes of the memory that it may take: memory_plan.c. */
typedef struct nst_layout {
    nst_tiling stats, gradient; /* of the picture in the two passes */
    int pairs;                  /* that L-BFGS remembers */
    bool last_finite;           /* the last picture whose losses were finite is kept */
    size_t arena;               /* bytes that a window may take, of a style picture too */
    size_t bytes;               /* estimate of the process's peak */
} nst_layout;

/* Rows of the style losses at most: style layers, times styles where each has its region. */
#define NST_STYLE_ROWS 80

/* Made by setup.c, the layouts by memory_plan.c; from then on only a device that fails and the schedule change it. */
typedef struct nst_setup {
    const nst_job *job;
    nst_settings s;           /* balanced: as they are for this model, with the strength worked in */
    nst_cpu cpu;
    nst_affine space;
    float low[3], high[3];    /* of the planes of x */
    nst_layer_weight style[NST_STYLE_ROWS], content_layer[NST_MODEL_LAYERS]; /* rows of the style and content losses */
    int n_style, n_content;
    int n_layers;             /* style layers; row i is of layer i % n_layers, of style i / n_layers */
    bool has_content_masks;   /* each style has its region */
    bool has_style_masks;     /* of some styles only a part counts */
    double *blend;            /* [n_styles] shares, which sum to one */
    double *style_scale;      /* [n_styles] of each, as settings.style_scale */
    nst_plan plan;
    nst_graph_options net;    /* what graph was made from; its model is the job's */
    nst_graph *graph;
    size_t limit;             /* bytes that the process may take */
    bool pack_on_demand;      /* weights are packed when they are used: nst_graph_pack_on_demand */
    bool inexact_halo;        /* windows' halos are too small for the whole picture's tiles: nst_window */
    nst_layout layout[NST_MAX_LAYERS]; /* by scale */
    int margin;               /* pixels around every picture, a multiple of the graph's grid */
} nst_setup;

#endif
