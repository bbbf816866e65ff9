/* loss_layers.cl: what losses read of a layer, statistics and content, and the gradients that they ask for.
 *
 * Sums come as pairs of floats, a sum and what rounding lost of it: from here on nothing may be contracted. */
#pragma OPENCL FP_CONTRACT OFF

/* sum, with what it lost to rounding in rest (Knuth's two-sum) */
static void two_sum(float *sum, float *rest, float v)
{
    float s = *sum + v, back = s - *sum;

    *rest += (*sum - (s - back)) + (v - back);
    *sum = s;
}

/* The work group's sum of v, valid in its first item.  The group's size is a power of two. */
static float group_sum(float v, local float *work)
{
    int i = (int)get_local_id(0);

    barrier(CLK_LOCAL_MEM_FENCE); /* of a sum before */
    work[i] = v;
    for (int half_size = (int)get_local_size(0) / 2; half_size > 0; half_size /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (i < half_size)
            work[i] += work[i + half_size];
    }
    return i ? 0 : work[0];
}

/* The same, valid in every item. */
static float group_total(float v, local float *work)
{
    group_sum(v, work);
    barrier(CLK_LOCAL_MEM_FENCE);
    return work[0];
}

/* The gradient behind pooling, taken back to dresult; from here on it passes wherever the feature is above 0.
 * Global: 2x2 positions, channels. */
kernel void unpool(BUF(source), BUF(gate), BUF(result), BUF(dresult), int mode, int w, int h, int sw, int sh,
                   int channels)
{
    int i = (int)get_global_id(0), c = (int)get_global_id(1), across = (w + 1) >> 1;
    int y = i / across * 2, x = i % across * 2;
    uint bits = 0;

    if (y >= h || c >= channels)
        return;
    for (int k = 0; k < 4; k++) {
        int ry = y + k / 2, rx = x + k % 2;
        size_t at = ((size_t)c * h + ry) * w + rx;

        if (ry < h && rx < w) {
            FLOATS(dresult)[at] = read_at(FLOATS(source) + (size_t)c * sh * sw,
                                          BYTES(gate) + (size_t)c * ((h + 1) >> 1) * across, mode, w, h, sw, sh, ry,
                                          rx);
            bits |= (uint)(FLOATS(result)[at] > 0) << k;
        }
    }
    BYTES(gate)[((size_t)c * ((h + 1) >> 1) + (y >> 1)) * across + (x >> 1)] = (uchar)bits;
}

/* How much position i of a rectangle of so many columns counts: map [..][ldm] begins there; ldm 0: all the same. */
static float weight_at(global const float *map, int ldm, int width, int i)
{
    return ldm ? map[(size_t)(i / width) * ldm + i % width] : 1;
}

/* Positions start.. of a rectangle of f [channel][fh][fw] times sqrt(map), `count` of them, packed to p [channel][ld],
 * zeros behind.  Global: ld, channels. */
kernel void pack_core(BUF(f), BUF(p), BUF(map), int ldm, int fw, int fh, int x0, int y0, int width, int start,
                      int count, int ld, int channels)
{
    int i = (int)get_global_id(0), c = (int)get_global_id(1);

    if (i >= ld || c >= channels)
        return;
    FLOATS(p)[(size_t)c * ld + i] =
        i < count ? sqrt(weight_at(FLOATS(map), ldm, width, start + i)) *
                        FLOATS(f)[((size_t)c * fh + y0 + (start + i) / width) * fw + x0 + (start + i) % width] : 0;
}

/* df over the same positions += sqrt(map) q [channel][ld] (if any) + map b[channel] (if any).
 * Global: count, channels. */
kernel void add_core(BUF(df), BUF(q), BUF(b), BUF(map), int ldm, int has_q, int has_b, int fw, int fh, int x0, int y0,
                     int width, int start, int count, int ld, int channels)
{
    int i = (int)get_global_id(0), c = (int)get_global_id(1);
    float v = 0, root;

    if (i >= count || c >= channels)
        return;
    root = sqrt(weight_at(FLOATS(map), ldm, width, start + i));
    if (has_q)
        v += root * FLOATS(q)[(size_t)c * ld + i];
    if (has_b)
        v += root * (root * FLOATS(b)[c]);
    FLOATS(df)[((size_t)c * fh + y0 + (start + i) / width) * fw + x0 + (start + i) % width] += v;
}

/* gram [n][2] (+)= sum over parts of part [parts][n], as a sum and its rest.  Global: n. */
kernel void gather(BUF(part), BUF(gram), int parts, int n, int add)
{
    int i = (int)get_global_id(0);
    float sum = 0, rest = 0;

    if (i >= n)
        return;
    if (add)
        sum = FLOATS(gram)[2 * (size_t)i], rest = FLOATS(gram)[2 * (size_t)i + 1];
    for (int k = 0; k < parts; k++)
        two_sum(&sum, &rest, FLOATS(part)[(size_t)k * n + i]);
    FLOATS(gram)[2 * (size_t)i] = sum;
    FLOATS(gram)[2 * (size_t)i + 1] = rest;
}

/* part [groups][channels] = sums of map f over the rectangle.  Global: groups, channels. */
kernel void sums(BUF(f), BUF(part), BUF(map), int ldm, local float *work, int fw, int fh, int x0, int y0, int width,
                 int count)
{
    int c = (int)get_group_id(1), channels = (int)get_num_groups(1);
    global const float *from = FLOATS(f) + (size_t)c * fh * fw;
    float sum = 0, rest = 0;

    for (int i = (int)get_global_id(0); i < count; i += (int)get_global_size(0))
        two_sum(&sum, &rest,
                weight_at(FLOATS(map), ldm, width, i) * from[(size_t)(y0 + i / width) * fw + x0 + i % width]);
    sum = group_sum(sum + rest, work);
    if (get_local_id(0) == 0)
        FLOATS(part)[get_group_id(0) * channels + c] = sum;
}

/* kept [channel][count] = f over the rectangle; part [groups][channels] its sums of squares.
 * Global: groups, channels. */
kernel void keep(BUF(f), BUF(kept), BUF(part), local float *work, int fw, int fh, int x0, int y0, int width, int count)
{
    int c = (int)get_group_id(1), channels = (int)get_num_groups(1);
    global const float *from = FLOATS(f) + (size_t)c * fh * fw;
    float sum = 0, rest = 0;

    for (int i = (int)get_global_id(0); i < count; i += (int)get_global_size(0)) {
        float v = from[(size_t)(y0 + i / width) * fw + x0 + i % width];

        FLOATS(kept)[(size_t)c * count + i] = v;
        two_sum(&sum, &rest, v * v);
    }
    sum = group_sum(sum + rest, work);
    if (get_local_id(0) == 0)
        FLOATS(part)[get_group_id(0) * channels + c] = sum;
}
