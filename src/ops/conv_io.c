/* conv_io.c: how the convolutions read their source and write their result: borders, masks, pooling. */
#include "ops/conv_parts.h"

#include <string.h>

static int least(int a, int b) { return a < b ? a : b; }

/* Rows of a plane. */
static size_t rows_of(int rows, int used) { return (size_t)(rows ? rows : used); }

/* The mean of a window that the picture's odd side cuts is of fewer positions: each had a larger share. */
static void gate(const nst_kernels *k, const nst_conv *c, int first, int last, int y, const float *line,
                 const uint16_t *mask, float *to)
{
    int w = c->w + c->place.extra_cols, h = c->h + c->place.extra_rows;
    bool cut_row = c->average && y == h - 1 && (c->source_h << c->shift) > h;
    bool cut_col = c->average && last == w && (c->source_w << c->shift) > w;
    float scale = cut_row ? 2 * c->scale : c->scale;

    k->gate((size_t)first, (size_t)(last - first), c->shift, scale, line, mask, to);
    if (cut_col)
        k->gate((size_t)(last - 1), 1, c->shift, 2 * scale, line, mask, to + (last - 1 - first) * NST_LANES);
}

void nst_conv_read(const nst_kernels *k, const nst_conv *c, int block, int y, int x, int rows, int cols, float *d)
{
    size_t row = (size_t)c->source_w * NST_LANES;
    int w = c->w + c->place.extra_cols, h = c->h + c->place.extra_rows;
    const float *from = c->source + (size_t)block * rows_of(c->rows.source, c->source_h) * row;
    const uint16_t *mask = c->mask ? c->mask + (size_t)block * rows_of(c->rows.mask, h) * (size_t)w : NULL;
    /* behind pooling an odd last row or column may have no source */
    int right = least(w, c->source_w << c->shift), bottom = least(h, c->source_h << c->shift);
    int first, last;

    x += c->place.left, y += c->place.top;
    first = x < 0 ? 0 : x, last = least(x + cols, right);
    for (int i = 0; i < rows; i++, d += (size_t)cols * NST_LANES) {
        int at = y + i;

        if (at < 0 || at >= bottom || first >= last) {
            memset(d, 0, (size_t)cols * NST_LANES * sizeof *d);
            continue;
        }
        const float *line = from + (size_t)(at >> c->shift) * row;
        float *to = d + (first - x) * NST_LANES;

        memset(d, 0, (size_t)(first - x) * NST_LANES * sizeof *d);
        if (mask)
            gate(k, c, first, last, at, line, mask + (size_t)at * (size_t)w, to);
        else
            memcpy(to, line + (size_t)first * NST_LANES, (size_t)(last - first) * NST_LANES * sizeof *d);
        memset(d + (last - x) * NST_LANES, 0, (size_t)(x + cols - last) * NST_LANES * sizeof *d);
    }
}

const float *nst_conv_source(const nst_conv *c, int block, int y, int x, int rows, int cols)
{
    x += c->place.left, y += c->place.top;
    if (c->mask || c->shift || x < 0 || y < 0 || x + cols > c->source_w || y + rows > c->source_h ||
        x + cols > c->w + c->place.extra_cols || y + rows > c->h + c->place.extra_rows)
        return NULL;
    return c->source + (((size_t)block * rows_of(c->rows.source, c->source_h) + (size_t)y) * (size_t)c->source_w +
                        (size_t)x) * NST_LANES;
}

static float *result_at(const nst_conv *c, int block, int y, int x)
{
    size_t row = (size_t)block * rows_of(c->rows.result, c->h) + (size_t)y;

    return c->result + (row * (size_t)c->w + (size_t)x) * NST_LANES;
}

static uint16_t *pass_at(const nst_conv *c, int block, int y, int x)
{
    return c->pass + ((size_t)block * rows_of(c->rows.pass, c->h) + (size_t)y) * (size_t)c->w + (size_t)x;
}

static float *pooled_at(const nst_conv *c, int block, int y, int x)
{
    size_t row = (size_t)block * rows_of(c->rows.pooled, c->pooled_h) + (size_t)y;

    return c->pooled + (row * (size_t)c->pooled_w + (size_t)x) * NST_LANES;
}

float *nst_conv_result(const nst_conv *c, int block, int y, int x, int rows, int cols)
{
    if (!c->result || c->pooled || x < 0 || y < 0 || x + cols > c->w || y + rows > c->h)
        return NULL;
    return result_at(c, block, y, x);
}

void nst_conv_pass(const nst_kernels *k, const nst_conv *c, int block, int y, int x, int rows, int cols)
{
    for (int r = 0; c->pass && r < rows; r++)
        k->mask((size_t)cols, result_at(c, block, y + r, x), pass_at(c, block, y + r, x));
}

/* Two rows of a strip, of which `rows` (1 or 2) and `cols` are inside the picture, to one row of pooled. */
static void pool(const nst_kernels *k, const nst_conv *c, int block, int y, int x, int rows, int cols, int ld,
                 float *s)
{
    uint16_t bits[2][NST_STRIP_COLS] = { { 0 } };
    int n = least((cols + 1) / 2, c->pooled_w - x / 2);
    float *second = s + (size_t)ld * NST_LANES;

    if (y / 2 < c->pooled_h && n > 0) {
        /* rounded up: what is missing repeats its neighbour, so that the mean is that of what there is; the
         * neighbour comes first and is the maximum of the two */
        if (rows == 1)
            memcpy(second, s, (size_t)cols * NST_LANES * sizeof *s);
        if (cols < 2 * n) {
            memcpy(s + (size_t)cols * NST_LANES, s + (size_t)(cols - 1) * NST_LANES, NST_LANES * sizeof *s);
            memcpy(second + (size_t)cols * NST_LANES, second + (size_t)(cols - 1) * NST_LANES, NST_LANES * sizeof *s);
        }
        (c->average ? k->pool_avg : k->pool_max)((size_t)n, s, second, pooled_at(c, block, y / 2, x / 2), bits[0],
                                                 bits[1]);
    }
    if (c->pass)
        for (int r = 0; r < rows; r++)
            memcpy(pass_at(c, block, y + r, x), bits[r], (size_t)cols * sizeof **bits);
}

void nst_conv_write(const nst_kernels *k, const nst_conv *c, int block, int y, int x, int rows, int cols, float *s)
{
    int up = y < 0 ? -y : 0, left = x < 0 ? -x : 0; /* before the result */
    int inside_rows = least(rows, c->h - y) - up, inside = least(cols, c->w - x) - left;

    if (inside <= 0)
        return;
    y += up, x += left;
    s += ((size_t)up * (size_t)cols + (size_t)left) * NST_LANES;
    for (int r = 0; r < inside_rows; r++) {
        float *line = s + (size_t)r * (size_t)cols * NST_LANES;

        if (c->result)
            memcpy(result_at(c, block, y + r, x), line, (size_t)inside * NST_LANES * sizeof *s);
        if (c->pooled) {
            if (r % 2 == 0)
                pool(k, c, block, y + r, x, least(2, inside_rows - r), inside, cols, line);
        } else if (c->pass) {
            k->mask((size_t)inside, line, pass_at(c, block, y + r, x));
        }
    }
}
