/* test_gram_masked.c: weighted statistics of a rectangle and their gradient against naive sums in double, for every
 * kernel set. */
#include <math.h>

#include "engine/scale/scale.h"
#include "../support/suite.h"

static double random_at(nst_random *r)
{
    return (double)nst_random_uniform(r) - .3;
}

/* Features, a map over a rectangle of them, and what a loss asks of the weighted sums. */
struct masked {
    nst_cpu cpu;
    int c, fw, fh;
    nst_rect r;
    size_t ldm; /* of the map's rows */
    float *f, *df, *map, *a, *b, *scratch;
    size_t room; /* floats of scratch; CANARY behind them */
    double *gram, *sum;
};

#define CANARY 12345.0f

static size_t place(const struct masked *m, int channel, int x, int y)
{
    size_t row = (size_t)(channel / NST_LANES) * (size_t)m->fh + (size_t)y;

    return (row * (size_t)m->fw + (size_t)x) * NST_LANES + (size_t)(channel % NST_LANES);
}

static void fill(struct masked *m, uint64_t seed)
{
    nst_random random = { seed };
    size_t n = (size_t)nst_blocks(m->c) * NST_LANES * (size_t)m->fw * (size_t)m->fh;

    for (int ch = 0; ch < m->c; ch++)
        for (int y = 0; y < m->fh; y++)
            for (int x = 0; x < m->fw; x++)
                m->f[place(m, ch, x, y)] = (float)random_at(&random);
    for (size_t k = 0; k < m->ldm * (size_t)m->r.h; k++)
        m->map[k] = k % 5 ? nst_random_uniform(&random) : 0;
    for (int k = 0; k < m->c; k++) {
        m->b[k] = (float)random_at(&random);
        for (int l = 0; l <= k; l++)
            m->a[k * m->c + l] = m->a[l * m->c + k] = (float)random_at(&random);
    }
    for (size_t k = 0; k < n; k++)
        m->df[k] = 1;
}

static void create(struct masked *m)
{
    size_t n = (size_t)nst_blocks(m->c) * NST_LANES * (size_t)m->fw * (size_t)m->fh, c = (size_t)m->c;

    m->ldm = (size_t)m->r.w + 3;
    m->f = nst_calloc(n, sizeof *m->f);
    m->df = nst_calloc(n, sizeof *m->df);
    m->map = nst_calloc(m->ldm * (size_t)m->r.h, sizeof *m->map);
    m->a = nst_calloc(c * c, sizeof *m->a);
    m->b = nst_calloc(c, sizeof *m->b);
    m->room = nst_guided_scratch(&m->cpu, nst_blocks(m->c), m->fw, m->fh);
    m->scratch = nst_alloc((m->room + NST_LANES) * sizeof *m->scratch);
    m->gram = nst_calloc(c * c, sizeof *m->gram);
    m->sum = nst_calloc(c, sizeof *m->sum);
    ck_assert(m->f && m->df && m->map && m->a && m->b && m->scratch && m->gram && m->sum);
    for (int i = 0; i < NST_LANES; i++)
        m->scratch[m->room + (size_t)i] = CANARY;
}

/* Nothing wrote past the scratch that nst_guided_scratch asks for. */
static void check_scratch(const struct masked *m)
{
    for (int i = 0; i < NST_LANES; i++)
        ck_assert_msg(m->scratch[m->room + (size_t)i] == CANARY, "%d of %d columns: written past %zu floats", m->r.w,
                      m->fw, m->room);
}

static void destroy(struct masked *m)
{
    nst_free(m->f), nst_free(m->df), nst_free(m->map), nst_free(m->a), nst_free(m->b), nst_free(m->scratch);
    nst_free(m->gram), nst_free(m->sum);
}

/* Sums of map f and map f f^T, of the first channels with the last. */
static void check_sums(const struct masked *m)
{
    int c = m->c, checked = c < 16 ? c : 16;
    double allowed = 1e-5 * m->r.w * m->r.h;

    for (int k = 0; k < checked; k++) {
        double s = 0, g[16] = { 0 };

        for (int y = 0; y < m->r.h; y++)
            for (int x = 0; x < m->r.w; x++) {
                double w = (double)m->map[(size_t)y * m->ldm + (size_t)x];
                double fk = (double)m->f[place(m, k, m->r.x + x, m->r.y + y)];

                s += w * fk;
                for (int l = 0; l < checked; l++)
                    g[l] += w * fk * (double)m->f[place(m, c - 1 - l, m->r.x + x, m->r.y + y)];
            }
        ck_assert_msg(fabs(s - m->sum[k]) < allowed, "%s, %d channels: sum %g, not %g", m->cpu.k->name, c, m->sum[k],
                      s);
        for (int l = 0; l < checked; l++)
            ck_assert_msg(fabs(g[l] - m->gram[k * c + c - 1 - l]) < allowed, "%s, %d channels: %g, not %g",
                          m->cpu.k->name, c, m->gram[k * c + c - 1 - l], g[l]);
    }
}

/* 1, and within the rectangle map (a f + b), in the last channel. */
static void check_gradient(const struct masked *m)
{
    const nst_rect *r = &m->r;
    int c = m->c;

    for (int y = 0; y < m->fh; y += 3)
        for (int x = 0; x < m->fw; x += 5) {
            bool inside = x >= r->x && x < r->x + r->w && y >= r->y && y < r->y + r->h;
            double want = 1, w = inside ? (double)m->map[(size_t)(y - r->y) * m->ldm + (size_t)(x - r->x)] : 0;
            double got = (double)m->df[place(m, c - 1, x, y)];

            for (int l = 0; l < c && inside; l++)
                want += w * (double)m->a[(c - 1) * c + l] * (double)m->f[place(m, l, x, y)];
            want += w * (double)m->b[c - 1];
            ck_assert_msg(fabs(want - got) < 1e-5 * (1 + c), "%s, %d channels: gradient %g, not %g", m->cpu.k->name, c,
                          got, want);
        }
}

/* For every kernel set, in maps so wide that they are cut into bands, with edges inside of the features. */
START_TEST(sums_and_gradient)
{
    static const struct {
        int c, fw, fh;
        nst_rect r;
    } shapes[] = { { 5, 9, 7, { 1, 2, 7, 4 } }, { 64, 33, 21, { 0, 0, 33, 21 } }, { 130, 20, 11, { 3, 0, 17, 11 } },
                   { 64, 600, 60, { 8, 4, 590, 50 } },
                   /* its bands have more rows than bands of all columns, and more floats */
                   { 64, 530, 60, { 5, 3, 520, 50 } } };
    bool usable;

    for (int set = 0; nst_kernels_at(set, &usable); set++)
        for (size_t i = 0; usable && i < NST_COUNT(shapes); i++) {
            struct masked m = { .cpu = { .k = nst_kernels_at(set, NULL), .threads = 2 }, .c = shapes[i].c,
                                .fw = shapes[i].fw, .fh = shapes[i].fh, .r = shapes[i].r };

            create(&m);
            fill(&m, i + 1);
            nst_guided_add(&m.cpu, m.f, m.c, m.fw, m.fh, &m.r, m.map, m.ldm, m.gram, m.sum, m.scratch);
            nst_guided_gradient(&m.cpu, m.f, m.c, m.fw, m.fh, &m.r, m.map, m.ldm, m.a, m.b, m.df, m.scratch);
            check_sums(&m);
            check_gradient(&m);
            check_scratch(&m);
            destroy(&m);
        }
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, sums_and_gradient);
}

int main(void)
{
    return run_suite("gram masked", add);
}
