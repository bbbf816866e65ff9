/* still.c: where nothing moves, the flow is exactly 0, so that what is painted there can stay as it is.
 *
 * A pixel is quiet where two frames differ by no more than noise.  That alone says little: a clear sky is quiet while
 * the camera turns.  So a whole region of quiet pixels is decided at once, by those of its pixels whose surroundings
 * have enough texture to show motion in each direction: still it is when the flow that was found there is next to
 * nothing.  A region without any, as a cartoon's ground, is still when it surrounds all else. */
#include "flow/flow.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "image/image.h"

#define REACH 2            /* pixels to each side of a neighbourhood */
#define NOISE_LEAST (1.2f / 255)
#define NOISE_MOST .03f
#define MARGIN 1.5f        /* neighbourhoods' noise over the frames' typical one */
#define BLOCK 8
#define WITNESS .6f        /* texture that shows motion, over the noise, which itself has .4 of it */
#define LEAST_SHARE .002   /* of a region's pixels that bear witness */
#define LEAST_WITNESSES 12
#define LENGTH .1f         /* pixels: median of the vectors that were found where nothing moves */
#define DRIFT .05f         /* the same of u and of v */
#define EDGE_SHARE .75     /* of the picture's edge: where no witness is, who holds so much of it is the ground */

struct settle {
    int w, h;
    float *differs;        /* [h][w] mean difference of a channel */
    float *around;         /* [h][w] its mean in a neighbourhood */
    float *texture;        /* [h][w] gradient's weaker direction, in brightness 0..1 a pixel */
    float *values;         /* [h][w] room to sort in */
    int *region;           /* [h][w] 0: not quiet; else its region, from 1 */
    int *queue;            /* [h][w] */
};

static void difference(const struct settle *s, const nst_image *a, const nst_image *b)
{
    for (size_t i = 0; i < (size_t)s->w * (size_t)s->h; i++) {
        float sum = 0;

        for (int c = 0; c < 3; c++)
            sum += fabsf(a->plane[c][i] - b->plane[c][i]);
        s->differs[i] = sum / 3;
    }
}

/* Mean of a neighbourhood, cut at the edges: across into tmp, then down. */
static void box(const float *in, int w, int h, float *tmp, float *out)
{
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            int from = x > REACH ? x - REACH : 0, to = x + REACH < w ? x + REACH : w - 1;
            float sum = 0;

            for (int k = from; k <= to; k++)
                sum += in[(size_t)y * (size_t)w + (size_t)k];
            tmp[(size_t)y * (size_t)w + (size_t)x] = sum / (float)(to - from + 1);
        }
    for (int y = 0; y < h; y++) {
        int from = y > REACH ? y - REACH : 0, to = y + REACH < h ? y + REACH : h - 1;

        for (int x = 0; x < w; x++) {
            float sum = 0;

            for (int k = from; k <= to; k++)
                sum += tmp[(size_t)k * (size_t)w + (size_t)x];
            out[(size_t)y * (size_t)w + (size_t)x] = sum / (float)(to - from + 1);
        }
    }
}

static float grey(const nst_image *p, size_t i)
{
    return .299f * p->plane[0][i] + .587f * p->plane[1][i] + .114f * p->plane[2][i];
}

/* The smaller eigenvalue's root of the mean of grad grad' in a neighbourhood.  products: [3][h][w] of room. */
static void texture(const struct settle *s, const nst_image *p, float *products)
{
    size_t w = (size_t)s->w, n = w * (size_t)s->h;
    float *xx = products, *xy = products + n, *yy = products + 2 * n;

    for (int y = 0; y < s->h; y++)
        for (int x = 0; x < s->w; x++) {
            size_t i = (size_t)y * w + (size_t)x;
            float gx = .5f * (grey(p, x + 1 < s->w ? i + 1 : i) - grey(p, x ? i - 1 : i));
            float gy = .5f * (grey(p, y + 1 < s->h ? i + w : i) - grey(p, y ? i - w : i));

            xx[i] = gx * gx, xy[i] = gx * gy, yy[i] = gy * gy;
        }
    for (int k = 0; k < 3; k++)
        box(products + (size_t)k * n, s->w, s->h, s->values, products + (size_t)k * n);
    for (size_t i = 0; i < n; i++) {
        float half = .5f * (xx[i] - yy[i]), least = .5f * (xx[i] + yy[i]) - sqrtf(half * half + xy[i] * xy[i]);

        s->texture[i] = least > 0 ? sqrtf(least) : 0;
    }
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

static float median(float *v, size_t n)
{
    qsort(v, n, sizeof *v, by_value);
    return v[n / 2];
}

/* What frames typically differ by along the flow: the median of blocks' means. */
static float typical_noise(const struct settle *s, const nst_flow *f, const nst_image *a, const nst_image *b)
{
    size_t blocks = 0;
    float noise;

    for (int y = 0; y + BLOCK <= s->h; y += BLOCK)
        for (int x = 0; x + BLOCK <= s->w; x += BLOCK) {
            float sum = 0;

            for (int k = 0; k < BLOCK * BLOCK; k++) {
                int px = x + k % BLOCK, py = y + k / BLOCK;
                size_t i = (size_t)py * (size_t)s->w + (size_t)px;

                for (int c = 0; c < 3; c++)
                    sum += fabsf(a->plane[c][i] - nst_flow_at(b->plane[c], s->w, s->h, (float)px + f->plane[0][i],
                                                              (float)py + f->plane[1][i]));
            }
            s->values[blocks++] = sum / (3 * BLOCK * BLOCK);
        }
    noise = MARGIN * median(s->values, blocks);
    if (noise < NOISE_LEAST)
        return NOISE_LEAST;
    return noise < NOISE_MOST ? noise : NOISE_MOST;
}

/* Gives every quiet pixel that is reached from one its number; s->queue [0..n) are they. */
static int flood(const struct settle *s, int begin, int number, float noise)
{
    int n = 0;

    s->queue[n++] = begin;
    s->region[begin] = number;
    for (int k = 0; k < n; k++) {
        int i = s->queue[k], x = i % s->w, y = i / s->w;
        const int to[] = { x ? i - 1 : i, x + 1 < s->w ? i + 1 : i, y ? i - s->w : i, y + 1 < s->h ? i + s->w : i };

        for (int side = 0; side < 4; side++)
            if (!s->region[to[side]] && s->around[to[side]] <= noise) {
                s->region[to[side]] = number;
                s->queue[n++] = to[side];
            }
    }
    return n;
}

/* Whether most of the picture's edge belongs to the region. */
static bool is_ground(const struct settle *s, int n)
{
    int edge = 0;

    for (int k = 0; k < n; k++) {
        int x = s->queue[k] % s->w, y = s->queue[k] / s->w;

        edge += !x || !y || x == s->w - 1 || y == s->h - 1;
    }
    return edge >= EDGE_SHARE * 2 * (s->w + s->h - 2);
}

/* Of the region in the queue: medians of what its witnesses say. */
static bool is_still(const struct settle *s, const nst_flow *f, int n, float noise)
{
    size_t witnesses = 0;

    for (int kind = 0; kind < 3; kind++) {
        witnesses = 0;
        for (int k = 0; k < n; k++) {
            int i = s->queue[k];
            float u = f->plane[0][i], v = f->plane[1][i];
            const float says[] = { sqrtf(u * u + v * v), u, v };

            if (s->texture[i] > WITNESS * noise)
                s->values[witnesses++] = says[kind];
        }
        if (witnesses < LEAST_WITNESSES || (double)witnesses < LEAST_SHARE * n)
            return is_ground(s, n);
        if (fabsf(median(s->values, witnesses)) > (kind ? DRIFT : LENGTH))
            return false;
    }
    return true;
}

/* Pixels beside a still region whose neighbourhood alone is not quiet, because of what moves there. */
static void grow(const struct settle *s, nst_flow *f, float noise)
{
    for (int y = 0; y < s->h; y++)
        for (int x = 0; x < s->w; x++) {
            int i = y * s->w + x;
            bool beside = false;

            for (int dy = -REACH; dy <= REACH && !s->region[i] && s->differs[i] <= noise; dy++)
                for (int dx = -REACH; dx <= REACH; dx++) {
                    int nx = x + dx, ny = y + dy;

                    beside = beside || (nx >= 0 && ny >= 0 && nx < s->w && ny < s->h &&
                                        s->region[ny * s->w + nx] < 0);
                }
            if (beside)
                f->plane[0][i] = f->plane[1][i] = 0;
        }
}

static void settle(const struct settle *s, nst_flow *f, float noise)
{
    int number = 0;

    for (int i = 0; i < s->w * s->h; i++) {
        int n;

        if (s->region[i] || s->around[i] > noise)
            continue;
        n = flood(s, i, ++number, noise);
        if (!is_still(s, f, n, noise))
            continue;
        for (int k = 0; k < n; k++) {
            f->plane[0][s->queue[k]] = f->plane[1][s->queue[k]] = 0;
            s->region[s->queue[k]] = -number; /* still */
        }
    }
    grow(s, f, noise);
}

nst_status nst_flow_settle(nst_flow *flow, const nst_image *from, const nst_image *to, double noise, nst_error *e)
{
    struct settle s = { .w = flow->width, .h = flow->height };
    size_t n = (size_t)s.w * (size_t)s.h;
    float *memory = nst_calloc(n, 7 * sizeof *memory);
    float least;

    s.region = nst_calloc(n, 2 * sizeof *s.region);
    if (!memory || !s.region) {
        nst_free(memory);
        nst_free(s.region);
        return nst_fail(e, NST_EMEM, "flow of %d x %d pixels: out of memory", s.w, s.h);
    }
    s.queue = s.region + n;
    s.differs = memory, s.around = memory + n, s.texture = memory + 2 * n, s.values = memory + 3 * n;
    difference(&s, from, to);
    box(s.differs, s.w, s.h, s.values, s.around);
    texture(&s, from, memory + 4 * n);
    least = noise > 0 ? (float)noise : typical_noise(&s, flow, from, to);
    settle(&s, flow, least);
    nst_free(memory);
    nst_free(s.region);
    return NST_OK;
}
