/* conv_parts.h: what the algorithms of a convolution share. */
#ifndef NST_CONV_PARTS_H
#define NST_CONV_PARTS_H

#include "ops/conv.h"

#define NST_PATCH_COLS 28 /* of a block of im2col: 56 positions, which are 4 tiles of 14, 9.3 of 6 */

/* ---- conv_io.c ---- */

/* Rows y.., columns x.. of a source block into d [rows][cols][16]; zeros outside the picture. */
void nst_conv_read(const nst_kernels *k, const nst_conv *c, int block, int y, int x, int rows, int cols, float *d);
/* Where the source holds all of that as it is, with c->source_w * 16 floats a row; NULL: it has to be read. */
const float *nst_conv_source(const nst_conv *c, int block, int y, int x, int rows, int cols);
/* A finished strip s [rows][cols][16] (after bias and ReLU) at y, x, even where it is pooled: to result, pass and
 * pooled, cut at the result's sides.  s may be changed. */
void nst_conv_write(const nst_kernels *k, const nst_conv *c, int block, int y, int x, int rows, int cols, float *s);
/* Where a strip may be made in its place, with c->w * 16 floats a row; NULL: it has to be written. */
float *nst_conv_result(const nst_conv *c, int block, int y, int x, int rows, int cols);
/* The pass masks of a strip that was made in its place, if c asks for them. */
void nst_conv_pass(const nst_kernels *k, const nst_conv *c, int block, int y, int x, int rows, int cols);
#define NST_STRIP_COLS 64 /* a strip is not wider */

/* ---- winograd.c ---- */

size_t nst_winograd_scratch(const nst_cpu *cpu, const nst_conv *c);
void nst_winograd_run(const nst_cpu *cpu, const nst_conv *c, float *scratch);

#endif
