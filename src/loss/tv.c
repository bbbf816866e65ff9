/* tv.c: total variation of the picture, five kinds, and its gradient. */
#include "loss/tv.h"

struct job {
    const float *x;
    float *dx;
    size_t w, h;             /* of the picture */
    size_t first, rows;      /* of it in x and dx */
    size_t from, to;         /* whose pairs count */
    double weight;
    double (*plane)(const struct job *j, const float *x, float *dx);
    double sum[3];
};

/* Sum of k (p - q)^2 over n pairs, and its gradient with respect to both. */
static double pairs(const float *p, const float *q, float *dp, float *dq, size_t n, double k)
{
    double sum = 0;
    float k2 = (float)(2 * k);

    for (size_t i = 0; i < n; i++) {
        float d = p[i] - q[i];

        sum += (double)d * d;
        dp[i] += k2 * d;
        dq[i] -= k2 * d;
    }
    return k * sum;
}

static double half_squares(const struct job *j, const float *x, float *dx)
{
    size_t w = j->w;
    double sum = 0, k = j->weight / 2;

    for (size_t y = j->from; y < j->to && y + 1 < j->h; y++, x += w, dx += w) {
        sum += pairs(x, x + 1, dx, dx + 1, w - 1, k);
        sum += pairs(x, x + w, dx, dx + w, w - 1, k);
    }
    return sum;
}

static double mean_squares(const struct job *j, const float *x, float *dx)
{
    size_t w = j->w, h = j->h;
    double sum = 0, across = w > 1 ? j->weight / (3. * (double)h * (double)(w - 1)) : 0;
    double down = h > 1 ? j->weight / (3. * (double)(h - 1) * (double)w) : 0;

    for (size_t y = j->from; y < j->to; y++, x += w, dx += w) {
        sum += pairs(x, x + 1, dx, dx + 1, w - 1, across);
        if (y + 1 < h)
            sum += pairs(x, x + w, dx, dx + w, w, down);
    }
    return sum;
}

/* The same of k |p - q|. */
static double absolutes(const float *p, const float *q, float *dp, float *dq, size_t n, double k)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        float d = p[i] - q[i], slope = (float)k * (float)((d > 0) - (d < 0));

        sum += d < 0 ? -(double)d : (double)d;
        dp[i] += slope;
        dq[i] -= slope;
    }
    return k * sum;
}

static double absolute(const struct job *j, const float *x, float *dx)
{
    size_t w = j->w, h = j->h;
    double sum = 0;

    for (size_t y = j->from; y < j->to; y++, x += w, dx += w) {
        sum += absolutes(x, x + 1, dx, dx + 1, w - 1, j->weight);
        if (y + 1 < h)
            sum += absolutes(x, x + w, dx, dx + w, w, j->weight);
    }
    return sum;
}

static double replicated(const struct job *j, const float *x, float *dx)
{
    size_t w = j->w, h = j->h;
    double sum = 0, k = j->weight / (3. * (double)h * (double)w);

    for (size_t y = j->from; y < j->to; y++, x += w, dx += w) {
        sum += pairs(x, x + 1, dx, dx + 1, w - 1, k);
        if (y + 1 < h)
            sum += pairs(x, x + w, dx, dx + w, w, k);
    }
    return sum;
}

/* Diagonals over the replicate-padded picture: between rows p and q (the same row beyond the edge), the
 * pairs inside, then the two that padding makes at the ends, which are differences down. */
static double diagonals(const float *p, const float *q, float *dp, float *dq, size_t w, double k)
{
    double sum = pairs(p, q + 1, dp, dq + 1, w - 1, k) + pairs(q, p + 1, dq, dp + 1, w - 1, k);

    if (p != q)
        sum += pairs(p, q, dp, dq, 1, 2 * k) + pairs(p + w - 1, q + w - 1, dp + w - 1, dq + w - 1, 1, 2 * k);
    return sum;
}

static double nine_point(const struct job *j, const float *x, float *dx)
{
    size_t w = j->w, h = j->h;
    double side = 2 * j->weight / 3 / (3. * (double)h * (double)w), sum;
    double diagonal = 2 * j->weight / 12 / (3. * (double)(h + 1) * (double)(w + 1));

    sum = j->from ? 0 : diagonals(x, x, dx, dx, w, diagonal); /* above the first row */
    for (size_t y = j->from; y < j->to; y++, x += w, dx += w) {
        size_t next = y + 1 < h ? w : 0;

        sum += pairs(x, x + 1, dx, dx + 1, w - 1, side);
        if (next)
            sum += pairs(x, x + w, dx, dx + w, w, side);
        sum += diagonals(x, x + next, dx, dx + next, w, diagonal);
    }
    return sum;
}

/* A thread a plane: neighbours write to each other's gradients, and planes are independent. */
static void planes(void *arg, int worker, int begin, int end)
{
    struct job *j = arg;

    (void)worker;
    for (int c = begin; c < end; c++) {
        size_t at = ((size_t)c * j->rows + j->from - j->first) * j->w;

        j->sum[c] = j->plane(j, j->x + at, j->dx + at);
    }
}

double nst_tv_loss(const nst_cpu *cpu, int kind, const float *x, int w, int h, double weight, float *dx)
{
    return nst_tv_rows(cpu, kind, &(nst_tv_part){ w, h, 0, h, 0, h }, x, weight, dx);
}

double nst_tv_rows(const nst_cpu *cpu, int kind, const nst_tv_part *p, const float *x, double weight, float *dx)
{
    static double (*const kinds[])(const struct job *, const float *, float *) = {
        [NST_TV_HALF_SQUARES] = half_squares, [NST_TV_NINE_POINT] = nine_point,
        [NST_TV_MEAN_SQUARES] = mean_squares, [NST_TV_ABSOLUTE] = absolute,
        [NST_TV_REPLICATED] = replicated,
    };
    _Static_assert(NST_COUNT(kinds) == NST_TV_COUNT, "every kind has its function");
    struct job j = { .x = x, .dx = dx, .w = (size_t)p->w, .h = (size_t)p->h, .first = (size_t)p->first,
                     .rows = (size_t)p->rows, .from = (size_t)p->from, .to = (size_t)p->to, .weight = weight,
                     .plane = kinds[kind] };

    if (p->from >= p->to)
        return 0;
    nst_par_for(cpu->threads, 3, planes, &j);
    return j.sum[0] + j.sum[1] + j.sum[2];
}

nst_variation nst_tv_pairs(int kind, int w, int h, double weight)
{
    double all = weight / (3. * (double)h * (double)w);
    nst_variation v = { .across = all, .down = all };

    if (kind == NST_TV_HALF_SQUARES) {
        v.across = v.down = weight / 2, v.inner = true;
    } else if (kind == NST_TV_ABSOLUTE) {
        v.across = v.down = weight, v.absolute = true;
    } else if (kind == NST_TV_MEAN_SQUARES) {
        v.across = w > 1 ? weight / (3. * (double)h * (double)(w - 1)) : 0;
        v.down = h > 1 ? weight / (3. * (double)(h - 1) * (double)w) : 0;
    } else if (kind == NST_TV_NINE_POINT) {
        v.across = v.down = 2 * all / 3;
        v.diagonal = weight / 6 / (3. * (double)(h + 1) * (double)(w + 1));
        v.ends = 2 * v.diagonal;
    }
    return v;
}
