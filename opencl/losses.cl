/* losses.cl: losses and their gradients where the features are: Gram matrices and covariances against their targets,
 * the distance to the content, total variation.  Pairs of floats are a number and what rounding lost of it. */

#define PAIRS(name) ((global float2 *)(name##_base + name##_at))

static float2 product_of(float2 a, float2 b)
{
    float p = a.x * b.x, rest = fma(a.x, b.x, -p) + (a.x * b.y + a.y * b.x), s = p + rest;

    return (float2)(s, rest - (s - p));
}

static float2 difference(float2 a, float2 b)
{
    float sum = a.x, rest = a.y - b.y;

    two_sum(&sum, &rest, -b.x);
    return (float2)(sum, rest);
}

/* ---- style: statistics G, s of the picture against a target T, t; by: one over what sums are divided by ---- */

#define STYLE_SQUARES 0    /* D = G by - T */
#define STYLE_COVARIANCE 1 /* D = G by - s s^T by^2 - T, and s by - t */
#define STYLE_SCALED 2     /* as squares, but D itself goes to a, for style_scaled */

/* gram, target [c][c] pairs, sum [c] and behind target its mean [c] pairs.  With d = D / unit, one over unit given:
 * a [c][c] = slope d, b [c] that covariances add, part [2][c] = each row's sums of d^2 and |d|.  Global: a group, c. */
kernel void style(BUF(gram), BUF(sum), BUF(target), BUF(a), BUF(b), BUF(part), local float *work, int kind, int c,
                  float by, float by_rest, float unit, float slope)
{
    int row = (int)get_global_id(1);
    size_t at = (size_t)row * c;
    float square = 0, square_rest = 0, absolute = 0, absolute_rest = 0, product = 0, product_rest = 0;
    float2 scale = (float2)(by, by_rest), mine = product_of(PAIRS(sum)[row], scale);

    for (int j = (int)get_local_id(0); j < c; j += (int)get_local_size(0)) {
        float2 v = product_of(PAIRS(gram)[at + j], scale), mean = product_of(PAIRS(sum)[j], scale);
        float d;

        if (kind == STYLE_COVARIANCE)
            v = difference(v, product_of(mine, mean));
        v = difference(v, PAIRS(target)[at + j]);
        d = (v.x + v.y) * unit;
        FLOATS(a)[at + j] = kind == STYLE_SCALED ? d : slope * d;
        two_sum(&square, &square_rest, d * d);
        two_sum(&absolute, &absolute_rest, fabs(d));
        two_sum(&product, &product_rest, d * mean.x);
    }
    square = group_sum(square + square_rest, work);
    absolute = group_sum(absolute + absolute_rest, work);
    product = group_sum(product + product_rest, work);
    if (get_local_id(0) == 0) {
        float2 v = difference(mine, PAIRS(target)[(size_t)c * c + row]);
        float d = kind == STYLE_COVARIANCE ? (v.x + v.y) * unit : 0;

        FLOATS(b)[row] = kind == STYLE_COVARIANCE ? slope / 2 * (d - 2 * product) : 0;
        FLOATS(part)[row] = square + d * d;
        FLOATS(part)[c + row] = absolute;
    }
}

/* The sum of n floats, in every item of the group. */
static float all_of(global const float *v, int n, local float *work)
{
    float sum = 0, rest = 0;

    for (int j = (int)get_local_id(0); j < n; j += (int)get_local_size(0))
        two_sum(&sum, &rest, v[j]);
    return group_total(sum + rest, work);
}

/* L = scale Q / S, Q = sum D^2, S = sum |D| + epsilon: a = slope (2 D / S - Q / S^2 sign D), D = d unit.
 * Global: a group, c. */
kernel void style_scaled(BUF(a), BUF(part), local float *work, int c, float unit, float slope, float epsilon)
{
    float square = all_of(FLOATS(part), c, work), absolute = all_of(FLOATS(part) + c, c, work);
    float sum = absolute * unit + epsilon, ratio = square * unit / sum * unit / sum;
    size_t at = (size_t)get_global_id(1) * c;

    for (int j = (int)get_local_id(0); j < c; j += (int)get_local_size(0)) {
        float d = FLOATS(a)[at + j];

        FLOATS(a)[at + j] = slope * (2 * (d * unit / sum) - ratio * (float)((d > 0) - (d < 0)));
    }
}

/* ---- content ---- */

/* part [groups][2][channels]: the sums of (f - kept)^2 and |f - kept| over the rectangle.  Global: groups, channels. */
kernel void compare(BUF(f), BUF(kept), BUF(part), local float *work, int fw, int fh, int x0, int y0, int width,
                    int count)
{
    int c = (int)get_group_id(1), channels = (int)get_num_groups(1), group = (int)get_group_id(0);
    float square = 0, square_rest = 0, absolute = 0, absolute_rest = 0;

    for (int i = (int)get_global_id(0); i < count; i += (int)get_global_size(0)) {
        float v = FLOATS(f)[((size_t)c * fh + y0 + i / width) * fw + x0 + i % width] -
                  FLOATS(kept)[(size_t)c * count + i];

        two_sum(&square, &square_rest, v * v);
        two_sum(&absolute, &absolute_rest, fabs(v));
    }
    square = group_sum(square + square_rest, work);
    absolute = group_sum(absolute + absolute_rest, work);
    if (get_local_id(0) == 0) {
        FLOATS(part)[2 * group * channels + c] = square;
        FLOATS(part)[(2 * group + 1) * channels + c] = absolute;
    }
}

/* The sum of n pairs, in every item of the group. */
static float all_pairs(global const float2 *v, int n, local float *work)
{
    float sum = 0, rest = 0;

    for (int j = (int)get_local_id(0); j < n; j += (int)get_local_size(0)) {
        two_sum(&sum, &rest, v[j].x);
        rest += v[j].y;
    }
    return group_total(sum + rest, work);
}

/* df over the rectangle += scale (f - kept) + sign sgn(f - kept), or, scaled, the gradient of scale Q / S with Q and
 * S - epsilon the sums that total [2][channels] has in pairs; part [groups][channels] the sums of (f - kept)^2.
 * Global: groups, channels. */
kernel void content(BUF(f), BUF(kept), BUF(df), BUF(part), BUF(total), local float *work, int scaled, float epsilon,
                    float scale, float sign, int fw, int fh, int x0, int y0, int width, int count)
{
    int c = (int)get_group_id(1), channels = (int)get_num_groups(1);
    float sum = 0, rest = 0;

    if (scaled) {
        float square = all_pairs(PAIRS(total), channels, work);
        float absolute = all_pairs(PAIRS(total) + channels, channels, work) + epsilon;

        sign = -scale * (square / absolute / absolute);
        scale = square > 0 ? 2 * scale / absolute : 0;
    }
    for (int i = (int)get_global_id(0); i < count; i += (int)get_global_size(0)) {
        size_t at = ((size_t)c * fh + y0 + i / width) * fw + x0 + i % width;
        float v = FLOATS(f)[at] - FLOATS(kept)[(size_t)c * count + i];

        FLOATS(df)[at] += scale * v + sign * (float)((v > 0) - (v < 0));
        two_sum(&sum, &rest, v * v);
    }
    sum = group_sum(sum + rest, work);
    if (get_local_id(0) == 0)
        FLOATS(part)[get_group_id(0) * channels + c] = sum;
}

/* ---- total variation ---- */

#define TV_ABSOLUTE 1 /* k |p - q| instead of k (p - q)^2 */
#define TV_INNER 2    /* no pair ends in the last row or column but those across it */

/* What a pair adds to the gradient with respect to p, and, counted, to the loss. */
static float pulled(float p, float q, float k, int kind, int counted, float *loss)
{
    float d = p - q;

    if (counted)
        *loss += kind & TV_ABSOLUTE ? k * fabs(d) : k * d * d;
    return kind & TV_ABSOLUTE ? k * (float)((d > 0) - (d < 0)) : 2 * k * d;
}

static int within(int x, int y, int left, int top, int w, int h)
{
    return x >= left && y >= top && x < left + w && y < top + h;
}

/* x, dx [3][rh][rw] of the rectangle at left, top of a picture of w x h; in its coordinates dx is valid in the
 * rectangle n and zero elsewhere, and the variation is wanted in the rectangle t: each pixel's gradient, and the pairs
 * whose upper, or left, pixel lies there.  k: a pair's weight across, down and on diagonals; ends: added in the first
 * and in the last row across, in the first and in the last column down.  part [3][groups].  Global: groups, 3. */
kernel void variation(BUF(x), BUF(dx), BUF(part), local float *work, int kind, float across, float down, float diagonal,
                      float ends, int w, int h, int left, int top, int rw, int rh, int nx, int ny, int nw, int nh,
                      int tx, int ty, int tw, int th)
{
    int plane = (int)get_global_id(1);
    global const float *from = FLOATS(x) + (size_t)plane * rw * rh;
    global float *to = FLOATS(dx) + (size_t)plane * rw * rh;
    float sum = 0, rest = 0;

    for (int i = (int)get_global_id(0); i < rw * rh; i += (int)get_global_size(0)) {
        int rx = i % rw, ry = i / rw, px = left + rx, py = top + ry;
        float d = within(rx, ry, nx, ny, nw, nh) ? to[i] : 0, p = from[i], loss = 0;

        if (within(rx, ry, tx, ty, tw, th)) {
            float ka = kind & TV_INNER && py == h - 1 ? 0 : across + ends * (float)((py == 0) + (py == h - 1));
            float kd = kind & TV_INNER && px == w - 1 ? 0 : down + ends * (float)((px == 0) + (px == w - 1));

            if (px + 1 < w)
                d += pulled(p, from[i + 1], ka, kind, 1, &loss);
            if (px > 0)
                d += pulled(p, from[i - 1], ka, kind, 0, &loss);
            if (py + 1 < h)
                d += pulled(p, from[i + rw], kd, kind, 1, &loss);
            if (py > 0)
                d += pulled(p, from[i - rw], kd, kind, 0, &loss);
            if (diagonal > 0) {
                if (px + 1 < w && py + 1 < h)
                    d += pulled(p, from[i + rw + 1], diagonal, kind, 1, &loss);
                if (px > 0 && py + 1 < h)
                    d += pulled(p, from[i + rw - 1], diagonal, kind, 1, &loss);
                if (px + 1 < w && py > 0)
                    d += pulled(p, from[i - rw + 1], diagonal, kind, 0, &loss);
                if (px > 0 && py > 0)
                    d += pulled(p, from[i - rw - 1], diagonal, kind, 0, &loss);
            }
            two_sum(&sum, &rest, loss);
        }
        to[i] = d;
    }
    sum = group_sum(sum + rest, work);
    if (get_local_id(0) == 0)
        FLOATS(part)[plane * (int)get_num_groups(0) + (int)get_group_id(0)] = sum;
}
