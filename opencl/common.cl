/* common.cl: what the kernels share.  The OpenCL device's kernels are common.cl, convolve.cl, loss_layers.cl and
 * losses.cl in this order, one program; matrix products are CLBlast's.  OpenCL C 1.2, single precision only.
 *
 * Feature maps lie as [channel][h][w].  A pass mask holds a byte for 2x2 positions, [channel][(h+1)/2][(w+1)/2]:
 * bit 2 (y % 2) + x % 2 says whether the gradient passes there.  Every buffer comes with its offset in bytes.
 * Work items beyond the end do nothing: global sizes are rounded up to the work groups'. */

#define BUF(name) global uchar *name##_base, ulong name##_at
#define FLOATS(name) ((global float *)(name##_base + name##_at))
#define BYTES(name) (name##_base + name##_at)

/* ---- reading: features, or a gradient behind ReLU, or behind pooling and ReLU ---- */

#define READ_PLAIN 0
#define READ_MASKED 1
#define READ_POOLED 2
#define READ_AVERAGED 3

/* Source of w x h positions a channel (its own sw x sh when pooled) at y, x; zero outside. */
static float read_at(global const float *s, global const uchar *mask, int mode, int w, int h, int sw, int sh, int y,
                     int x)
{
    float v;

    if (y < 0 || x < 0 || y >= h || x >= w)
        return 0;
    if (mode == READ_PLAIN)
        return s[(size_t)y * w + x];
    if (!(mask[(size_t)(y >> 1) * ((w + 1) >> 1) + (x >> 1)] >> ((y & 1) * 2 + (x & 1)) & 1))
        return 0;
    if (mode == READ_MASKED)
        return s[(size_t)y * w + x];
    if ((y >> 1) >= sh || (x >> 1) >= sw) /* an odd side that pooling left out */
        return 0;
    v = s[(size_t)(y >> 1) * sw + (x >> 1)];
    if (mode == READ_AVERAGED) {
        /* the mean of a window that an odd side cuts is of fewer positions: each had a larger share */
        v *= .25f;
        if (y == h - 1 && 2 * sh > h)
            v *= 2;
        if (x == w - 1 && 2 * sw > w)
            v *= 2;
    }
    return v;
}

/* ---- writing: 2x2 positions at an even y, x of one channel ---- */

#define WRITE_RELU 1
#define WRITE_RESULT 2
#define WRITE_POOL 4
#define WRITE_MASK 8
#define WRITE_AVERAGE 16

/* v: rows of two.  result, pool and mask are the channel's own. */
static void write_four(const float *v, int flags, int w, int h, int pw, int ph, int y, int x, global float *result,
                       global float *pool, global uchar *mask)
{
    float f[4];
    uint bits = 0;
    bool right = x + 1 < w, below = y + 1 < h;

    for (int i = 0; i < 4; i++)
        f[i] = flags & WRITE_RELU ? fmax(v[i], 0.f) : v[i];
    /* what an odd side misses repeats its neighbour: the mean of what there is, and never the first maximum */
    if (!right)
        f[1] = f[0], f[3] = f[2];
    if (!below)
        f[2] = f[0], f[3] = f[1];
    if (flags & WRITE_RESULT) {
        global float *at = result + (size_t)y * w + x;

        at[0] = f[0];
        if (right)
            at[1] = f[1];
        if (below)
            at[w] = f[2];
        if (right && below)
            at[w + 1] = f[3];
    }
    if (!(flags & WRITE_POOL) || flags & WRITE_AVERAGE) {
        for (int i = 0; i < 4; i++)
            bits |= (uint)(f[i] > 0) << i;
    } else {
        float most = fmax(fmax(f[0], f[1]), fmax(f[2], f[3]));

        for (int i = 3; i >= 0 && most > 0; i--)
            if (f[i] == most) /* the first of several stays */
                bits = 1u << i;
    }
    if (flags & WRITE_POOL) {
        if ((y >> 1) < ph && (x >> 1) < pw)
            pool[(size_t)(y >> 1) * pw + (x >> 1)] =
                flags & WRITE_AVERAGE ? .25f * ((f[0] + f[1]) + (f[2] + f[3]))
                                      : fmax(fmax(f[0], f[1]), fmax(f[2], f[3]));
        else
            bits = 0;
    }
    if (!right)
        bits &= 5;
    if (!below)
        bits &= 3;
    if (flags & WRITE_MASK)
        mask[(size_t)(y >> 1) * ((w + 1) >> 1) + (x >> 1)] = (uchar)bits;
}

#define WRITE_PARAMETERS BUF(result), BUF(pool), BUF(mask), int flags, int w, int h, int pw, int ph
#define WRITE_FOUR(v, c, y, x)                                                                                       \
    write_four(v, flags, w, h, pw, ph, y, x, FLOATS(result) + (size_t)(c) * h * w,                                   \
               FLOATS(pool) + (size_t)(c) * ph * pw,                                                                 \
               BYTES(mask) + (size_t)(c) * ((h + 1) >> 1) * ((w + 1) >> 1))
