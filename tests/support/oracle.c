/* oracle.c: the judge of the arithmetic: naive, slow, obvious. */
#include "oracle.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void oracle_add(oracle_sum *s, double term)
{
    s->value += term;
    s->squares += term * term;
    s->terms++;
}

double oracle_tolerance(const oracle_sum *s)
{
    return 4 * (double)FLT_EPSILON * sqrt(s->terms) * sqrt(s->squares);
}

oracle_sum oracle_gemm(size_t kb, const float *a, size_t lda, const float *w, int nr, int r, int j)
{
    oracle_sum s = { 0 };

    for (size_t b = 0; b < kb; b++)
        for (int l = 0; l < 16; l++)
            oracle_add(&s, (double)a[b * lda + r * 16 + l] * w[(b * 16 + l) * nr + j]);
    return s;
}

oracle_sum oracle_gram_tile(size_t n, const float *a, const float *b, int i, int j)
{
    oracle_sum s = { 0 };

    for (size_t p = 0; p < n; p++)
        oracle_add(&s, (double)a[p * 16 + i] * b[p * 16 + j]);
    return s;
}

oracle_sum oracle_first(const float *const p[27], const float *w, int nr, int r, int j)
{
    oracle_sum s = { 0 };

    for (int k = 0; k < 27; k++)
        oracle_add(&s, (double)p[k][r] * w[k * nr + j]);
    return s;
}

oracle_sum oracle_dot(size_t n, const float *x, const float *y)
{
    oracle_sum s = { 0 };

    for (size_t i = 0; i < n; i++)
        oracle_add(&s, (double)x[i] * y[i]);
    return s;
}

oracle_sum oracle_distance(size_t n, const float *x, const float *y)
{
    oracle_sum s = { 0 };

    for (size_t i = 0; i < n; i++)
        oracle_add(&s, ((double)x[i] - y[i]) * ((double)x[i] - y[i]));
    return s;
}

oracle_sum oracle_abs(size_t n, const float *x)
{
    oracle_sum s = { 0 };

    for (size_t i = 0; i < n; i++)
        oracle_add(&s, fabs((double)x[i]));
    return s;
}

oracle_map oracle_map_create(int c, int h, int w)
{
    oracle_map m = { c, h, w, calloc((size_t)c * h * w + 1, sizeof(double)) };

    if (!m.v)
        abort();
    return m;
}

void oracle_map_destroy(oracle_map *m)
{
    free(m->v);
    m->v = NULL;
}

double *oracle_at(const oracle_map *m, int c, int y, int x)
{
    return m->v + ((size_t)c * m->h + y) * m->w + x;
}

double oracle_inner(const oracle_map *a, const oracle_map *b)
{
    double sum = 0;

    for (size_t i = 0; i < (size_t)a->c * a->h * a->w; i++)
        sum += a->v[i] * b->v[i];
    return sum;
}

double oracle_largest(const oracle_map *m)
{
    double most = 0;

    for (size_t i = 0; i < (size_t)m->c * m->h * m->w; i++)
        most = fmax(most, fabs(m->v[i]));
    return most;
}

static int clamp(int i, int n)
{
    if (i < 0)
        return 0;
    return i < n ? i : n - 1;
}

static bool inside(const oracle_map *m, int y, int x)
{
    return y >= 0 && y < m->h && x >= 0 && x < m->w;
}

/* What a filter at a pixel reads: of its taps those that lie on no zero of the border, and where in a plane. */
struct taps {
    int n, tap[9];
    size_t at[9];
};

static struct taps taps_at(const oracle_map *m, bool replicate, int y, int x)
{
    struct taps t = { 0 };

    for (int i = 0; i < 9; i++) {
        int fy = y + i / 3 - 1, fx = x + i % 3 - 1;

        if (replicate) {
            fy = clamp(fy, m->h);
            fx = clamp(fx, m->w);
        }
        if (!inside(m, fy, fx))
            continue;
        t.tap[t.n] = i;
        t.at[t.n++] = (size_t)fy * (size_t)m->w + (size_t)fx;
    }
    return t;
}

oracle_map oracle_conv(const oracle_map *in, const float *weight, const float *bias, int out, bool replicate)
{
    oracle_map m = oracle_map_create(out, in->h, in->w);
    size_t plane = (size_t)in->h * (size_t)in->w;

    for (size_t p = 0; p < plane; p++) {
        struct taps t = taps_at(in, replicate, (int)p / in->w, (int)p % in->w);

        for (int o = 0; o < out; o++) {
            const float *w = weight + o * in->c * 9;
            double sum = bias ? (double)bias[o] : 0;

            for (int i = 0; i < in->c; i++)
                for (int k = 0; k < t.n; k++)
                    sum += (double)w[i * 9 + t.tap[k]] * in->v[(size_t)i * plane + t.at[k]];
            m.v[(size_t)o * plane + p] = sum;
        }
    }
    return m;
}

/* What forward reads with a weight is given back with that weight. */
oracle_map oracle_conv_backward(const oracle_map *dout, const float *weight, int in, bool replicate)
{
    oracle_map m = oracle_map_create(in, dout->h, dout->w);
    size_t plane = (size_t)m.h * (size_t)m.w;

    for (size_t p = 0; p < plane; p++) {
        struct taps t = taps_at(&m, replicate, (int)p / m.w, (int)p % m.w);

        for (int o = 0; o < dout->c; o++) {
            const float *w = weight + o * in * 9;
            double d = dout->v[(size_t)o * plane + p];

            for (int i = 0; i < in; i++)
                for (int k = 0; k < t.n; k++)
                    m.v[(size_t)i * plane + t.at[k]] += (double)w[i * 9 + t.tap[k]] * d;
        }
    }
    return m;
}

void oracle_relu(oracle_map *m)
{
    for (size_t i = 0; i < (size_t)m->c * m->h * m->w; i++)
        m->v[i] = fmax(m->v[i], 0);
}

void oracle_relu_backward(const oracle_map *y, oracle_map *d)
{
    for (size_t i = 0; i < (size_t)y->c * y->h * y->w; i++)
        if (!(y->v[i] > 0))
            d->v[i] = 0;
}

oracle_map oracle_pool(const oracle_map *in, bool average, bool up)
{
    oracle_map m = oracle_map_create(in->c, (in->h + up) / 2, (in->w + up) / 2);

    for (int c = 0; c < m.c; c++)
        for (int y = 0; y < m.h; y++)
            for (int x = 0; x < m.w; x++) {
                double most = -INFINITY, sum = 0;
                int n = 0;

                for (int k = 0; k < 4; k++)
                    if (inside(in, 2 * y + k / 2, 2 * x + k % 2)) {
                        double v = *oracle_at(in, c, 2 * y + k / 2, 2 * x + k % 2);

                        most = fmax(most, v);
                        sum += v;
                        n++;
                    }
                *oracle_at(&m, c, y, x) = average ? sum / n : most;
            }
    return m;
}

oracle_map oracle_pool_backward(const oracle_map *in, const oracle_map *dout, bool average, bool up)
{
    oracle_map m = oracle_map_create(in->c, in->h, in->w), pooled = oracle_pool(in, average, up);

    for (int c = 0; c < m.c; c++)
        for (int y = 0; y < dout->h; y++)
            for (int x = 0; x < dout->w; x++) {
                double d = *oracle_at(dout, c, y, x);
                int n = 0, taken = 0;

                for (int k = 0; k < 4; k++)
                    n += inside(in, 2 * y + k / 2, 2 * x + k % 2);
                for (int k = 0; k < 4; k++) {
                    int fy = 2 * y + k / 2, fx = 2 * x + k % 2;

                    if (!inside(in, fy, fx))
                        continue;
                    if (average)
                        *oracle_at(&m, c, fy, fx) = d / n;
                    else if (!taken && *oracle_at(in, c, fy, fx) == *oracle_at(&pooled, c, y, x)) {
                        *oracle_at(&m, c, fy, fx) = d;
                        taken = 1;
                    }
                }
            }
    oracle_map_destroy(&pooled);
    return m;
}

void oracle_stats(const oracle_map *m, int x, int y, int w, int h, double *gram, double *sum)
{
    for (int fy = y; fy < y + h; fy++)
        for (int fx = x; fx < x + w; fx++)
            for (int i = 0; i < m->c; i++) {
                sum[i] += *oracle_at(m, i, fy, fx);
                for (int j = 0; j < m->c; j++)
                    gram[i * m->c + j] += *oracle_at(m, i, fy, fx) * *oracle_at(m, j, fy, fx);
            }
}

static uint32_t state = 1;

void oracle_seed(uint32_t seed)
{
    state = seed * 2654435761u + 1;
}

/* A linear congruence, of which the high bits are used. */
float oracle_random(void)
{
    state = state * 747796405u + 2891336453u;
    return (float)(state >> 8) / (float)(1 << 23) - 1;
}

void oracle_fill(size_t n, float *x)
{
    for (size_t i = 0; i < n; i++)
        x[i] = oracle_random();
}

/* Before the array lie 64 bytes that begin with its length; around it a NaN of a pattern that no arithmetic makes. */
enum { GUARD = 64 };
static const uint32_t pattern = 0x7fc5a5a5;

float *oracle_alloc(size_t n)
{
    size_t total = 16 + GUARD + n + GUARD;
    char *p = aligned_alloc(64, (total * sizeof(float) + 63) / 64 * 64);
    float *v = (float *)p + 16;

    if (!p)
        abort();
    memcpy(p, &n, sizeof n);
    for (size_t i = 0; i < GUARD + n + GUARD; i++)
        memcpy(v + i, &pattern, sizeof pattern);
    return v + GUARD;
}

bool oracle_untouched(const float *p)
{
    return memcmp(p, &pattern, sizeof pattern) == 0;
}

bool oracle_free(float *p)
{
    char *base = (char *)(p - GUARD - 16);
    bool intact = true;
    size_t n;

    memcpy(&n, base, sizeof n);
    for (size_t i = 0; i < GUARD; i++)
        intact = intact && oracle_untouched(p - 1 - i) && oracle_untouched(p + n + i);
    free(base);
    return intact;
}

uint16_t *oracle_masks(size_t n)
{
    uint16_t *m = malloc((n + 2) * sizeof *m);

    if (!m)
        abort();
    memset(m, 0xa5, (n + 2) * sizeof *m);
    return m + 1;
}

bool oracle_masks_free(uint16_t *m, size_t n)
{
    bool intact = m[-1] == 0xa5a5 && m[n] == 0xa5a5;

    free(m - 1);
    return intact;
}
