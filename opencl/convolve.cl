/* convolve.cl: the layers: the first, products' matrices and what becomes of them, our own product. */

/* ---- the first layer: from the picture, and back to it ---- */

/* x [3][xh][xw], where the layer's w x h positions begin at left, top; weight [out][3][9]; s, b, o: scale, shift and
 * plane of x of the network's three planes.  Global: 2x2 positions, channels / 4. */
kernel void first_forward(BUF(x), BUF(weight), BUF(bias), int out, int replicate, float s0, float s1, float s2,
                          float b0, float b1, float b2, int o0, int o1, int o2, int left, int top, int xw, int xh,
                          WRITE_PARAMETERS)
{
    int i = (int)get_global_id(0), across = (w + 1) >> 1;
    int y = i / across * 2, x = i % across * 2;
    float d[3][16];
    const float scale[3] = { s0, s1, s2 }, shift[3] = { b0, b1, b2 };
    const int order[3] = { o0, o1, o2 };

    if (y >= h)
        return;
    for (int p = 0; p < 3; p++)
        for (int k = 0; k < 16; k++) {
            int sy = y + k / 4 - 1, sx = x + k % 4 - 1;

            if (replicate)
                sy = clamp(sy, 0, h - 1), sx = clamp(sx, 0, w - 1);
            d[p][k] = sy < 0 || sx < 0 || sy >= h || sx >= w
                          ? 0 : scale[p] * FLOATS(x)[((size_t)order[p] * xh + top + sy) * xw + left + sx] + shift[p];
        }
    for (int o = 4 * (int)get_global_id(1); o < out && o < 4 * (int)get_global_id(1) + 4; o++) {
        global const float *k = FLOATS(weight) + o * 27;
        float b = FLOATS(bias)[o], v[4] = { b, b, b, b };

        for (int p = 0; p < 3; p++)
            for (int t = 0; t < 9; t++) {
                float g = k[p * 9 + t];
                int at = t / 3 * 4 + t % 3;

                v[0] += g * d[p][at];
                v[1] += g * d[p][at + 1];
                v[2] += g * d[p][at + 4];
                v[3] += g * d[p][at + 5];
            }
        WRITE_FOUR(v, o, y, x);
    }
}

/* dx [3][xh][xw] at x0, y0 from dy [out][h][w] through its mask.  With replicate a pixel of the border stands for the
 * padding next to it, too.  Global: positions. */
kernel void first_backward(BUF(dy), BUF(mask), BUF(weight), BUF(dx), int out, int replicate, float s0, float s1,
                           float s2, int o0, int o1, int o2, int x0, int y0, int xw, int xh, int w, int h)
{
    int i = (int)get_global_id(0), y = i / w, x = i % w;
    int top = y, left = x, bottom = y, right = x;
    size_t plane = (size_t)w * h, bytes = (size_t)((h + 1) >> 1) * ((w + 1) >> 1);
    size_t at = (size_t)(y0 + y) * xw + x0 + x, all = (size_t)xw * xh;
    float d0 = 0, d1 = 0, d2 = 0;

    if (y >= h)
        return;
    if (replicate)
        top -= y == 0, left -= x == 0, bottom += y == h - 1, right += x == w - 1;
    for (int o = 0; o < out; o++) {
        global const float *k = FLOATS(weight) + o * 27;

        for (int py = top; py <= bottom; py++)
            for (int px = left; px <= right; px++)
                for (int t = 0; t < 9; t++) {
                    float g = read_at(FLOATS(dy) + o * plane, BYTES(mask) + o * bytes, READ_MASKED, w, h, w, h,
                                      py - t / 3 + 1, px - t % 3 + 1);

                    d0 += g * k[t];
                    d1 += g * k[9 + t];
                    d2 += g * k[18 + t];
                }
    }
    FLOATS(dx)[o0 * all + at] = s0 * d0;
    FLOATS(dx)[o1 * all + at] = s1 * d1;
    FLOATS(dx)[o2 * all + at] = s2 * d2;
}

/* ---- weights: w [out][in][9] as the products want them; backward: rotated by 180 degrees, in, out exchanged ---- */

static void sides(int out, int in, int backward, int i, int *n, int *a, int *b, size_t *from)
{
    *n = backward ? in : out;        /* of the result */
    *a = i / *n, *b = i % *n;        /* channel that is read, channel that is made */
    *from = backward ? ((size_t)*a * in + *b) * 9 : ((size_t)*b * in + *a) * 9;
}

/* packed [read * 9 + tap][made] */
kernel void pack_patches(BUF(weight), BUF(packed), int out, int in, int backward)
{
    int i = (int)get_global_id(0), n, a, b;
    size_t from;

    if (i >= out * in)
        return;
    sides(out, in, backward, i, &n, &a, &b, &from);
    for (int t = 0; t < 9; t++)
        FLOATS(packed)[((size_t)a * 9 + t) * n + b] = FLOATS(weight)[from + (backward ? 8 - t : t)];
}

/* G g: 3 to 6 */
static void filter_line(float g0, float g1, float g2, float *u)
{
    float s = -1.f / 6 * (g0 + g2), m = -1.f / 6 * g1, p = 1.f / 24 * g0 + 1.f / 6 * g2, q = 1.f / 12 * g1;

    u[0] = .25f * g0;
    u[1] = s + m;
    u[2] = s - m;
    u[3] = p + q;
    u[4] = p - q;
    u[5] = g2;
}

/* Winograd F(4x4,3x3) (Lavin & Gray 2016): packed [36][read][made] = G g G^T */
kernel void pack_winograd(BUF(weight), BUF(packed), int out, int in, int backward)
{
    int i = (int)get_global_id(0), n, a, b;
    float g[9], half_way[3][6], u[6];
    size_t from, plane = (size_t)out * in;

    if (i >= out * in)
        return;
    sides(out, in, backward, i, &n, &a, &b, &from);
    for (int t = 0; t < 9; t++)
        g[t] = FLOATS(weight)[from + (backward ? 8 - t : t)];
    for (int c = 0; c < 3; c++)
        filter_line(g[c], g[3 + c], g[6 + c], half_way[c]);
    for (int r = 0; r < 6; r++) {
        filter_line(half_way[0][r], half_way[1][r], half_way[2][r], u);
        for (int c = 0; c < 6; c++)
            FLOATS(packed)[(r * 6 + c) * plane + i] = u[c];
    }
}

/* ---- convolutions ---- */

/* gw x gh is the source's size before pooling; the result's corner lies at left, top of it. */
#define READ_PARAMETERS BUF(source), BUF(gate), int mode, int gw, int gh, int sw, int sh, int left, int top
#define READ(c, y, x)                                                                                        \
    read_at(FLOATS(source) + (size_t)(c) * (mode < READ_POOLED ? (size_t)gh * gw : (size_t)sh * sw),          \
            BYTES(gate) + (size_t)(c) * ((gh + 1) >> 1) * ((gw + 1) >> 1), mode, gw, gh, sw, sh, (y) + top, (x) + left)

/* Patches of rows y0.. as a matrix: column p of `count`, ld floats a row; to [channel * 9 + tap][ld].
 * Global: ld, channels. */
kernel void patches(READ_PARAMETERS, BUF(to), int w, int y0, int count, int ld, int channels)
{
    int p = (int)get_global_id(0), c = (int)get_global_id(1), y = y0 + p / w, x = p % w;

    if (p >= ld || c >= channels)
        return;
    for (int t = 0; t < 9; t++)
        FLOATS(to)[((size_t)c * 9 + t) * ld + p] = p < count ? READ(c, y + t / 3 - 1, x + t % 3 - 1) : 0;
}

/* Products m [channel][ld] of rows y0.. to features.  Global: 2x2 positions of the rows, channels. */
kernel void finish(BUF(m), BUF(bias), int biased, int y0, int rows, int ld, int channels, WRITE_PARAMETERS)
{
    int i = (int)get_global_id(0), c = (int)get_global_id(1), across = (w + 1) >> 1;
    int r = i / across * 2, x = i % across * 2;
    float v[4], b = 0;

    if (r >= rows || c >= channels)
        return;
    if (biased)
        b = FLOATS(bias)[c];
    for (int k = 0; k < 4; k++) {
        int ry = r + k / 2, rx = x + k % 2;

        v[k] = ry < rows && rx < w ? FLOATS(m)[(size_t)c * ld + (size_t)ry * w + rx] + b : 0;
    }
    WRITE_FOUR(v, c, y0 + r, x);
}

/* B^T d, in place with a stride */
static void in_line(float *d, int by)
{
    float d0 = d[0], d1 = d[by], d2 = d[2 * by], d3 = d[3 * by], d4 = d[4 * by], d5 = d[5 * by];
    float a = d4 - 4 * d2, b = d3 - 4 * d1, c = d4 - d2, e = 2 * (d3 - d1);

    d[0] = 4 * d0 + (d4 - 5 * d2);
    d[by] = a + b;
    d[2 * by] = a - b;
    d[3 * by] = c + e;
    d[4 * by] = c - e;
    d[5 * by] = 4 * d1 + (d5 - 5 * d3);
}

/* A^T m: 6 to the first 4, in place with a stride */
static void out_line(float *m, int by)
{
    float s1 = m[by] + m[2 * by], d1 = m[by] - m[2 * by], s2 = m[3 * by] + m[4 * by], d2 = m[3 * by] - m[4 * by];

    m[0] = m[0] + s1 + s2;
    m[by] = d1 + 2 * d2;
    m[2 * by] = s1 + 4 * s2;
    m[3 * by] = d1 + 8 * d2 + m[5 * by];
}

/* Tiles from row of tiles y0 on, the first of all lead_x, lead_y before the result: v [36][channel][ld] = B^T d B.
 * Global: ld, channels. */
kernel void winograd_in(READ_PARAMETERS, BUF(v), int w, int lead_x, int lead_y, int y0, int tiles, int ld, int channels)
{
    int t = (int)get_global_id(0), c = (int)get_global_id(1), across = (w + lead_x + 3) >> 2;
    int y = (y0 + t / across) * 4 - lead_y - 1, x = t % across * 4 - lead_x - 1;
    float d[36];

    if (t >= ld || c >= channels)
        return;
    for (int i = 0; i < 36; i++)
        d[i] = t < tiles ? READ(c, y + i / 6, x + i % 6) : 0;
    for (int i = 0; i < 6; i++)
        in_line(d + i, 6);
    for (int i = 0; i < 6; i++)
        in_line(d + 6 * i, 1);
    for (int i = 0; i < 36; i++)
        FLOATS(v)[((size_t)i * channels + c) * ld + t] = d[i];
}

/* m [36][channel][ld] to features: A^T m A, bias, ReLU, pooling.  Global: tiles, channels. */
kernel void winograd_out(BUF(m), BUF(bias), int biased, int lead_x, int lead_y, int y0, int tiles, int ld, int channels,
                         WRITE_PARAMETERS)
{
    int t = (int)get_global_id(0), c = (int)get_global_id(1), across = (w + lead_x + 3) >> 2;
    int y = (y0 + t / across) * 4 - lead_y, x = t % across * 4 - lead_x;
    float d[36], b = 0;

    if (t >= tiles || c >= channels)
        return;
    if (biased)
        b = FLOATS(bias)[c];
    for (int i = 0; i < 36; i++)
        d[i] = FLOATS(m)[((size_t)i * channels + c) * ld + t];
    for (int i = 0; i < 6; i++)
        out_line(d + i, 6);
    for (int i = 0; i < 4; i++)
        out_line(d + 6 * i, 1);
    for (int k = 0; k < 4; k++) {
        int r = k / 2 * 2, q = k % 2 * 2;
        float v[4] = { d[6 * r + q] + b, d[6 * r + q + 1] + b, d[6 * r + q + 6] + b, d[6 * r + q + 7] + b };

        if (y + r >= 0 && x + q >= 0 && y + r < h && x + q < w)
            WRITE_FOUR(v, c, y + r, x + q);
    }
}

/* ---- where CLBlast's kernels do not fit: c[n][m] (+)= sum over k of a b, four rows of c an item ---- */

/* Global: m, (n + 3) / 4 for each of the batch. */
kernel void product(BUF(a), BUF(b), BUF(c), int m, int n, int k, int across, int lda, int beside, int ldb, int ldc,
                    int stride_a, int stride_b, int stride_c, int add)
{
    int i = (int)get_global_id(0), fours = (n + 3) / 4;
    int batch = (int)get_global_id(1) / fours, j = (int)get_global_id(1) % fours * 4;
    global const float *pa = FLOATS(a) + (size_t)batch * stride_a + (size_t)i * across;
    global const float *pb = FLOATS(b) + (size_t)batch * stride_b;
    global float *pc = FLOATS(c) + (size_t)batch * stride_c;
    float v[4] = { 0, 0, 0, 0 };

    if (i >= m)
        return;
    for (int q = 0; q < k; q++) {
        float x = pa[(size_t)q * lda];

        for (int r = 0; r < 4; r++)
            v[r] += x * pb[(size_t)min(j + r, n - 1) * beside + (size_t)q * ldb];
    }
    for (int r = 0; r < 4 && j + r < n; r++)
        pc[(size_t)(j + r) * ldc + i] = add ? pc[(size_t)(j + r) * ldc + i] + v[r] : v[r];
}

/* ---- the ceiling: multiply-adds that never leave the registers, for nst bench ---- */

kernel void peak(BUF(to), int rounds)
{
    float a = (float)get_global_id(0) * 1e-9f;
    float4 m = (float4)(.9999f), b = (float4)(a + .125f);
    float4 v0 = b, v1 = b + 1, v2 = b + 2, v3 = b + 3, v4 = b + 4, v5 = b + 5, v6 = b + 6, v7 = b + 7;

    for (int r = 0; r < rounds; r++) {
        v0 = mad(v0, m, b), v1 = mad(v1, m, b), v2 = mad(v2, m, b), v3 = mad(v3, m, b);
        v4 = mad(v4, m, b), v5 = mad(v5, m, b), v6 = mad(v6, m, b), v7 = mad(v7, m, b);
    }
    v0 += v1 + v2 + v3 + v4 + v5 + v6 + v7;
    FLOATS(to)[get_global_id(0)] = v0.x + v0.y + v0.z + v0.w;
}
