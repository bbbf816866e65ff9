/* palette.c: median cut (Heckbert 1982) of a histogram with five bits a channel: the box with the most weighted spread
 * is cut at its longest side's middle picture point until there are 256; a box's colour is its mean. */
#include "cli/video/palette.h"
#include "cli/video/scale.h"

#include <string.h>

#define BITS 5
#define STEPS (1 << BITS)
#define CELLS (STEPS * STEPS * STEPS)
#define COLORS 256

struct box {
    int least[3], most[3]; /* of R, G and B, both inside */
    uint64_t points;
};

/* The program has no heap; these live as long as it does. */
static struct {
    uint32_t points[CELLS];
    uint64_t sum[CELLS][3]; /* of 8-bit values */
    uint8_t color[CELLS];
} cell;

static int cell_of(const int v[3])
{
    return (v[0] >> (8 - BITS)) << 2 * BITS | (v[1] >> (8 - BITS)) << BITS | v[2] >> (8 - BITS);
}

static void read_point(nst_image *picture, size_t i, int v[3])
{
    for (int c = 0; c < 3; c++)
        v[c] = nst_scaler_byte(nst_image_plane(picture, c)[i]);
}

static void count(nst_image *picture)
{
    size_t n = (size_t)nst_image_width(picture) * (size_t)nst_image_height(picture);

    memset(&cell, 0, sizeof cell);
    for (size_t i = 0; i < n; i++) {
        int v[3], k;

        read_point(picture, i, v);
        k = cell_of(v);
        cell.points[k]++;
        for (int c = 0; c < 3; c++)
            cell.sum[k][c] += (uint64_t)v[c];
    }
}

/* Draws a box close around its points, and adds them by their place along an axis: line [STEPS]. */
static void add_up(struct box *b, int axis, uint64_t line[STEPS])
{
    struct box tight = { { STEPS, STEPS, STEPS }, { -1, -1, -1 }, 0 };
    int at[3];

    memset(line, 0, STEPS * sizeof *line);
    for (at[0] = b->least[0]; at[0] <= b->most[0]; at[0]++)
        for (at[1] = b->least[1]; at[1] <= b->most[1]; at[1]++)
            for (at[2] = b->least[2]; at[2] <= b->most[2]; at[2]++) {
                uint32_t points = cell.points[at[0] << 2 * BITS | at[1] << BITS | at[2]];

                if (!points)
                    continue;
                tight.points += points;
                line[at[axis]] += points;
                for (int c = 0; c < 3; c++) {
                    tight.least[c] = at[c] < tight.least[c] ? at[c] : tight.least[c];
                    tight.most[c] = at[c] > tight.most[c] ? at[c] : tight.most[c];
                }
            }
    *b = tight;
}

static int longest(const struct box *b)
{
    int axis = 1; /* green, which the eye sees best */

    for (int c = 0; c < 3; c += 2)
        if (b->most[c] - b->least[c] > b->most[axis] - b->least[axis])
            axis = c;
    return axis;
}

/* Its points times its length: a large box of few points gets colours, too. */
static double need(const struct box *b)
{
    int axis = longest(b);

    return (double)b->points * (b->most[axis] - b->least[axis]);
}

static void cut(struct box *b, struct box *other)
{
    int axis = longest(b), at = b->least[axis];
    uint64_t line[STEPS], half = 0;

    add_up(b, axis, line);
    while (at < b->most[axis] - 1 && 2 * (half + line[at]) < b->points)
        half += line[at++];
    *other = *b;
    b->most[axis] = at;
    other->least[axis] = at + 1;
    add_up(b, axis, line);
    add_up(other, axis, line);
}

static void paint_box(const struct box *b, int number, uint8_t *colors)
{
    uint64_t sum[3] = { 0 }, n = b->points ? b->points : 1;
    uint32_t argb = 0xff;
    int at[3];

    for (at[0] = b->least[0]; at[0] <= b->most[0]; at[0]++)
        for (at[1] = b->least[1]; at[1] <= b->most[1]; at[1]++)
            for (at[2] = b->least[2]; at[2] <= b->most[2]; at[2]++) {
                int k = at[0] << 2 * BITS | at[1] << BITS | at[2];

                cell.color[k] = (uint8_t)number;
                for (int c = 0; c < 3; c++)
                    sum[c] += cell.sum[k][c];
            }
    for (int c = 0; c < 3; c++)
        argb = argb << 8 | (uint32_t)((sum[c] + n / 2) / n);
    memcpy(colors + 4 * number, &argb, sizeof argb);
}

void nst_palette_fill(nst_image *picture, uint8_t *index, int stride, uint8_t *colors)
{
    static struct box box[COLORS];
    int w = nst_image_width(picture), h = nst_image_height(picture), n = 1;
    uint64_t line[STEPS];

    count(picture);
    memset(colors, 0, 4 * COLORS);
    box[0] = (struct box){ { 0, 0, 0 }, { STEPS - 1, STEPS - 1, STEPS - 1 }, 0 };
    add_up(&box[0], 0, line);
    while (n < COLORS) {
        int best = 0;

        for (int i = 1; i < n; i++)
            if (need(&box[i]) > need(&box[best]))
                best = i;
        if (need(&box[best]) <= 0)
            break;
        cut(&box[best], &box[n++]);
    }
    for (int i = 0; i < n; i++)
        paint_box(&box[i], i, colors);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            int v[3];

            read_point(picture, (size_t)y * (size_t)w + (size_t)x, v);
            index[(ptrdiff_t)y * stride + x] = cell.color[cell_of(v)];
        }
}
