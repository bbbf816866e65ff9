/* ops.h: the arithmetic of style transfer on plain arrays. */
#ifndef NST_OPS_H
#define NST_OPS_H

#include "../simd/kernels.h"
#include "base/base.h"

/* What computes: a kernel set and a number of threads.  Results depend on the set, never on the threads. */
typedef struct nst_cpu {
    const nst_kernels *k;
    int threads;
} nst_cpu;

/* ---- dispatch.c ---------------------------------------------------------- */

/* The fastest usable set, or the one of that name; NULL when there is none. */
const nst_kernels *nst_kernels_pick(const char *name);
/* Compiled sets, plain to fast; NULL past the last.  *usable says whether this machine runs it. */
const nst_kernels *nst_kernels_at(int i, bool *usable);

/* ---- vector.c: flat arrays, threaded; blocks of fixed length, so the same for any number of threads ---- */
double nst_vec_dot(const nst_cpu *cpu, size_t n, const float *x, const float *y);
double nst_vec_distance(const nst_cpu *cpu, size_t n, const float *x, const float *y); /* sum of squared differences */
double nst_vec_abs(const nst_cpu *cpu, size_t n, const float *x);
void nst_vec_axpy(const nst_cpu *cpu, size_t n, float a, const float *x, float *y);
void nst_vec_adam(const nst_cpu *cpu, size_t n, const nst_adam_args *a, const float *g, float *m, float *v, float *x);

/* ---- conv.c: 3x3 convolutions, stride 1, on blocked features (simd/kernels.h) ---- */

typedef enum nst_conv_algorithm {
    NST_CONV_IM2COL = 0, /* patches as a matrix, one product */
    NST_CONV_WINOGRAD4,  /* F(4x4,3x3): 4 times fewer multiplications */
    NST_CONV_WINOGRAD6,  /* F(6x6,3x3): 5 times fewer, less exact */
    NST_CONV_COUNT
} nst_conv_algorithm;

/* Channel blocks of c channels, and floats of a feature map [blocks][h][w][16]. */
static inline int nst_blocks(int c) { return (c + NST_LANES - 1) / NST_LANES; }

/* Weights packed for a set's tile, [panel][block of in][9][16][nr], from w [out][in][3][3].  backward: the
 * input gradient's filters: rotated by 180 degrees, in and out exchanged (pass out and in as they are in w). */
size_t nst_conv_pack_floats(const nst_kernels *k, int out, int in);
void nst_conv_pack(const nst_kernels *k, const float *w, int out, int in, bool backward, float *packed);

/* Where a result lies in what it is read from, and in the tiles that it is computed in. */
typedef struct nst_conv_place {
    int left, top;               /* of the result's corner in what is read, 0 when they are the same rectangle */
    int extra_cols, extra_rows;  /* what is read is so much larger than the result; zeros beyond it */
    int tile_x, tile_y;          /* Winograd: so much of the first tile lies before the result; even where that pools */
} nst_conv_place;

/* Rows of each array's planes where they are more than nst_conv says; 0: as many. */
typedef struct nst_conv_rows {
    int source, mask, result, pass, pooled;
} nst_conv_rows;

/* One convolution.  The source is read through its pass mask when it has one: as the gradient behind ReLU
 * (shift 0: source_w == w) or behind pooling and ReLU (shift 1: the source is the pooled gradient). */
typedef struct nst_conv {
    nst_conv_algorithm algorithm;
    int in, out;                 /* channel blocks */
    int w, h;                    /* of the result, and of the mask */
    const float *weight;         /* packed */
    const float *bias;           /* [out * 16, rounded up to nr] */
    float floor;                 /* 0: ReLU; -INFINITY: none */
    const float *source;         /* [in][source_h][source_w][16] */
    int source_w, source_h;
    nst_conv_place place;
    const uint16_t *mask;        /* [in][h + extra_rows][w + extra_cols] or NULL */
    int shift;
    float scale;                 /* of the gradient that passes */
    float *result;               /* [out][h][w][16] or NULL */
    uint16_t *pass;              /* [out][h][w] or NULL: pass masks of the result (behind the pooling if pooled) */
    float *pooled;               /* [out][pooled_h][pooled_w][16] or NULL */
    int pooled_w, pooled_h;      /* w / 2 rounded down or up */
    nst_conv_rows rows;
    bool average;                /* pooling by mean, of result or (shift 1) of source */
} nst_conv;

/* Floats of scratch for any of the fields that matter: algorithm, in, out, w, h. */
size_t nst_conv_scratch(const nst_cpu *cpu, const nst_conv *c);
void nst_conv_run(const nst_cpu *cpu, const nst_conv *c, float *scratch);

/* conv_select.c: the choice of an algorithm */
/* "im2col", "winograd4", "winograd6": what --conv accepts and nst bench prints. */
const char *nst_conv_name(nst_conv_algorithm a);
/* The algorithm that is fastest for this shape within a relative error of 1e-4. */
nst_conv_algorithm nst_conv_choose(const nst_cpu *cpu, int in, int out, int w, int h);
/* Sides of the tiles of results that are computed together, and round together; 1: each by itself. */
int nst_conv_tile(nst_conv_algorithm a);
#define NST_PATCH_COLS 28 /* of a block of im2col: 56 positions, which are 4 tiles of 14, 9.3 of 6 */

/* conv_io.c: what the algorithms share */
/* Rows y.., columns x.. of a source block into d [rows][cols][16]; zeros outside the picture. */
void nst_conv_read(const nst_kernels *k, const nst_conv *c, int block, int y, int x, int rows, int cols, float *d);
/* A finished strip s [rows][cols][16] (after bias and ReLU) at y, x, even where it is pooled: to result, pass and pooled,
 * cut at the result's sides.  s may be changed. */
void nst_conv_write(const nst_kernels *k, const nst_conv *c, int block, int y, int x, int rows, int cols, float *s);
#define NST_STRIP_COLS 64 /* a strip is not wider */

/* winograd.c */
size_t nst_winograd_scratch(const nst_cpu *cpu, const nst_conv *c);
void nst_winograd_run(const nst_cpu *cpu, const nst_conv *c, float *scratch);

/* ---- conv_first.c: the first layer, from and to the planar picture ---- */
typedef struct nst_first {
    int out;                     /* channels */
    int w, h;
    bool replicate;              /* border: the nearest pixel, or zeros */
    float scale[3], shift[3];    /* the network's plane i is scale[i] * x[order[i]] + shift[i] */
    int order[3];
    const float *weight;         /* [27][..] packed by nst_first_pack, then the gradient's [16 blocks][..] */
    const float *bias;
    size_t ldx, plane;           /* floats between rows and planes of x and dx */
    bool above, below;           /* x and dx go on beyond the first and the last row: read, and added to, as they are */
    int rows, pass_rows;         /* of the planes of y, dy and of pass where they are more than h; 0: as many */
    /* backward only, NULL for none: dy is a tap + b more than it says, a [out][out] symmetric, b [out] or NULL */
    const float *tap, *a, *b;    /* tap [out/16][h][w][16]: the features */
} nst_first;
size_t nst_first_pack_floats(const nst_kernels *k, int out);
void nst_first_pack(const nst_kernels *k, const float *w, int out, float *packed);
size_t nst_first_scratch(const nst_cpu *cpu, const nst_first *f);
/* y [out/16][h][w][16] after ReLU, pass masks (or NULL). */
void nst_first_forward(const nst_cpu *cpu, const nst_first *f, const float *x, float *y, uint16_t *pass,
                       float *scratch);
/* dx += gradient with respect to x, from dy [out/16][h][w][16] and the pass masks. */
void nst_first_backward(const nst_cpu *cpu, const nst_first *f, const float *dy, const uint16_t *pass, float *dx,
                        float *scratch);

/* ---- gram.c: statistics of blocked features and their gradient ---- */
/* A core inside a feature map of width fw: rows y..y+h-1, columns x..x+w-1. */
typedef struct nst_rect {
    int x, y, w, h;
} nst_rect;
size_t nst_gram_scratch(const nst_cpu *cpu, int blocks);
/* gram [c][c] += sum over the rectangle of f f^T, sum [c] += sum of f (NULL: not wanted); f [blocks][fh][fw][16]. */
void nst_gram_add(const nst_cpu *cpu, const float *f, int c, int fw, int fh, const nst_rect *r, double *gram,
                  double *sum, float *scratch);
/* df [blocks][fh][fw][16] (+)= a f + b over the rectangle, nothing elsewhere (add) or zeros elsewhere (!add). */
void nst_gram_gradient(const nst_cpu *cpu, const float *f, int c, int fw, int fh, const nst_rect *r, const float *a,
                       const float *b, bool add, float *df, float *scratch);
/* The same, adding, where df has dh rows and what is row r->y of f is row dy of it. */
void nst_gram_gradient_at(const nst_cpu *cpu, const float *f, int c, int fw, int fh, const nst_rect *r, const float *a,
                          const float *b, float *df, int dh, int dy, float *scratch);

/* a [c][c] as the weights of a gemm_tile: [panel][c padded to 16][nr]; nst_gram_pack_floats of them. */
size_t nst_gram_pack_floats(const nst_kernels *k, int c);
void nst_gram_pack(const nst_kernels *k, const float *a, int c, float *packed);

/* ---- inverse.c: symmetric positive definite matrices in double: the blocks of 16 x 16 on and below the diagonal, row by row,
 * each whole; rows beyond c belong to them, with something positive on the diagonal ---- */
/* Where the number at row i, column j lies; j / 16 <= i / 16. */
static inline size_t nst_spd_at(int i, int j)
{
    size_t row = (size_t)i / NST_LANES, column = (size_t)j / NST_LANES, square = NST_LANES * NST_LANES;

    return (row * (row + 1) / 2 + column) * square + (size_t)i % NST_LANES * NST_LANES + (size_t)j % NST_LANES;
}
/* Numbers of a matrix of c rows, and of the scratch. */
size_t nst_spd_size(int c);
size_t nst_spd_scratch(int c);
/* m becomes minus its inverse; false when it is not positive definite, or nearly not: then m is spoilt. */
bool nst_spd_negative_inverse(const nst_kernels *k, int c, double *m, double *scratch);

/* ---- gram_masked.c: the same with positions that count by a map of weights 0..1; map [r->h][ldm] begins at the rectangle ---- */
/* How much the positions of a layer of the whole picture count: [h][ld]; NULL: all the same. */
typedef struct nst_map {
    const float *weight;
    size_t ld;
    const struct nst_saved_features *device_copy; /* a device's copy of it, where that is apart from the host */
    size_t first;                 /* the float of that copy that weight points to */
    int number;                   /* which of its layer's maps */
} nst_map;
size_t nst_guided_scratch(const nst_cpu *cpu, int blocks, int w, int h);
/* gram += sum of map f f^T, sum += sum of map f. */
void nst_guided_add(const nst_cpu *cpu, const float *f, int c, int fw, int fh, const nst_rect *r, const float *map,
                    size_t ldm, double *gram, double *sum, float *scratch);
/* df += map (a f + b). */
void nst_guided_gradient(const nst_cpu *cpu, const float *f, int c, int fw, int fh, const nst_rect *r, const float *map,
                         size_t ldm, const float *a, const float *b, float *df, float *scratch);

/* ---- style.c: statistics, style losses, total variation ----------------- */

/* Statistics of one layer of one picture: sums over its n positions. */
typedef struct nst_stats {
    int c;        /* channels */
    double n;     /* positions summed so far; with a map, the sum of their weights */
    double *gram; /* [c][c] sum of f f^T, symmetric, both halves */
    double *sum;  /* [c] sum of f */
    nst_map map;  /* each term times its weight */
    struct nst_stats *next; /* of the same layer, by another map, or NULL */
    bool keep_on_device; /* on the device that sums them, for nst_graph_style_loss; gram and sum are not written */
} nst_stats;

nst_status nst_stats_create(nst_stats **out, int c, nst_error *e);
void nst_stats_destroy(nst_stats **s);
void nst_stats_clear(nst_stats *s);

/* What a style picture (or a blend of several) asks of one layer. */
typedef struct nst_style nst_style;

/* kind and norm as in nst.h.  stats[i] are blended with weights blend[i] (which sum to one) after each is
 * divided as its kind says.  k: what NST_STYLE_W2 computes with. */
nst_status nst_style_create(nst_style **out, const nst_kernels *k, nst_style_loss_kind kind, nst_layer_norm norm,
                            const nst_stats *const *stats, const double *blend, int n_styles, nst_error *e);
void nst_style_destroy(nst_style **s);

/* The loss of a picture with statistics s (the whole picture's), times weight, and its gradient:
 * dLoss/df[:, p] = a f[:, p] + b at every position p.
 *   height_width  positions of the layer in the whole picture (s->n)
 *   a [c][c] symmetric, b [c]: written
 * Allocates nothing.  NST_EDIVERGED when the statistics are not finite. */
nst_status nst_style_loss(nst_style *t, const nst_stats *s, double weight,
                          double *loss, double *a, double *b, nst_error *e);

/* What nst_style_loss computes of a picture of n positions, for devices that do it themselves: with D = G / by - second,
 * and for covariances, of the centred G, d = mean of the picture - mean, scale (sum D^2 + sum d^2); scaled: scale Q / S,
 * Q = sum D^2, S = sum |D| + epsilon.  Not for NST_STYLE_W2. */
typedef struct nst_style_terms {
    nst_style_loss_kind kind;
    int c;
    const double *second, *mean; /* [c][c], [c]; the target's */
    double by, scale, epsilon;
    double unit;                 /* about as large as second's numbers, never 0 */
} nst_style_terms;
void nst_style_terms_of(const nst_style *t, double n, double weight, nst_style_terms *out);

/* Total variation of x [3][h][w], times weight; its gradient is ADDED to dx. kind: nst_tv_kind,
 * formulas as in nst.h.  Allocates nothing. */
double nst_tv_loss(const nst_cpu *cpu, int kind, const float *x, int w, int h, double weight, float *dx);
/* The share of rows from..to-1 of a w x h picture, whose pairs with the row below count, too: x and dx [3][rows][w] hold
 * the picture from row `first` on, row `to` with them where the picture has it. */
typedef struct nst_tv_part {
    int w, h, first, rows, from, to;
} nst_tv_part;
double nst_tv_rows(const nst_cpu *cpu, int kind, const nst_tv_part *p, const float *x, double weight, float *dx);

/* A kind in a picture of w x h as weights of pairs of neighbours, across, down and on both diagonals. */
typedef struct nst_variation {
    double across, down, diagonal;
    double ends;   /* added across in the first and in the last row, down in the first and in the last column */
    bool absolute; /* |p - q| instead of its square */
    bool inner;    /* no pair across in the last row, none down in the last column */
} nst_variation;
nst_variation nst_tv_pairs(int kind, int w, int h, double weight);

/* ---- optimizer.c: Adam and L-BFGS on flat arrays -------------------------- */

typedef struct nst_optim nst_optim;

typedef struct nst_optim_options {
    int kind;                       /* nst_optimizer */
    double learning_rate, beta1, beta2;
    double average;                 /* decay of the averaged iterate; 0: none */
    int history;                    /* L-BFGS pairs */
    double first_step;              /* L-BFGS: the first step's root mean square in units of x; 0: by 1/|g|_1 */
    const float *low, *high;        /* [n / plane] bounds of each plane of x, or NULL: clamped after each step */
    size_t plane;                   /* floats a plane */
    void (*sum)(void *arg, double *v, size_t n); /* when x is a share of a longer vector: adds v over all of them; or NULL */
    void *sum_arg;
} nst_optim_options;

/* For n numbers.  x0 [n] is the start (it enters the average).  Adam as torch.optim.Adam (eps 1e-8 after
 * bias correction); L-BFGS as torch.optim.LBFGS without line search: first step min(1, 1/|g|_1) * rate, or as
 * long as first_step says, later rate; a pair is kept only if y.s > 1e-10; initial Hessian y.s / y.y. */
nst_status nst_optim_create(nst_optim **out, const nst_optim_options *o, size_t n, const float *x0, nst_error *e);
void nst_optim_destroy(nst_optim **s);
/* One step: x [n] moves against gradient g [n].  Allocates nothing. */
void nst_optim_step(const nst_cpu *cpu, nst_optim *s, const float *g, float *x);
/* The averaged iterate when there is one, else x itself. */
const float *nst_optim_result(const nst_optim *s, const float *x);
/* Bytes that nst_optim_create will allocate. */
size_t nst_optim_bytes(const nst_optim_options *o, size_t n);
/* For the next scale: Adam's step counter goes over to `to`, and its moments are the caller's to resample. */
void nst_optim_carry(const nst_optim *from, nst_optim *to);
/* Adam's first (0) or second (1, not negative) moment [n]; NULL for L-BFGS. */
float *nst_optim_moment(const nst_optim *s, int i);

/* What a checkpoint keeps of an optimiser between two steps, beside its arrays. */
typedef struct nst_optim_state {
    int step, averaged;
    int pairs;       /* L-BFGS: complete ones */
    int arrays;      /* of n floats: the average, Adam's m and v, L-BFGS's s and y of each pair, oldest first, and last
                        those of the pair in the making */
    double diagonal; /* L-BFGS: of the initial Hessian's inverse */
} nst_optim_state;
void nst_optim_state_get(const nst_optim *s, nst_optim_state *state);
/* Into an optimiser that was just created with the same options; the arrays are then to be filled.  False, and it is
 * of no use, when the state cannot be one of its kind. */
bool nst_optim_state_set(nst_optim *s, const nst_optim_state *state);
float *nst_optim_array(nst_optim *s, int i); /* [n], i < arrays */
double *nst_optim_rho(nst_optim *s, int i);  /* 1 / y.s of pair i < pairs */
/* The loss is another one from now on: L-BFGS forgets what it knows of its curvature. */
void nst_optim_forget(nst_optim *s);

/* ---- color_space.c: the affine map between RGB [0,1] and the optimised tensor ---- */

/* x[i] = (rgb[order[i]] - mean[i]) / std[i] */
typedef struct nst_affine {
    int order[3];
    float mean[3], std[3];
} nst_affine;
void nst_space_affine(int space, nst_affine *a);                              /* nst_space: the tensor's own map */
void nst_space_encode(const nst_affine *a, const float *const rgb[3], size_t n, float *x);  /* x [3][n] */
void nst_space_decode(const nst_affine *a, const float *x, size_t n, float *const rgb[3]);  /* clipped to [0,1] */

#endif
