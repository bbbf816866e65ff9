/* test_regions.c: styles in regions: weighted statistics and their gradient against naive sums for every kernel set. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

/* ---- the arithmetic ---- */

static double random_at(nst_random *r)
{
    return (double)nst_random_uniform(r) - .3;
}

/* Sums of map f f^T, map f and map (a f + b) over a rectangle equal the naive ones in double, for every kernel set, in maps
 * so wide that they are cut into bands, with edges inside of the features. */
START_TEST(sums_and_gradient)
{
    static const struct {
        int c, fw, fh;
        nst_rect r;
    } shapes[] = { { 5, 9, 7, { 1, 2, 7, 4 } }, { 64, 33, 21, { 0, 0, 33, 21 } }, { 130, 20, 11, { 3, 0, 17, 11 } },
                   { 64, 600, 60, { 8, 4, 590, 50 } } };
    bool usable;

    for (int set = 0; nst_kernels_at(set, &usable); set++)
        for (size_t i = 0; usable && i < sizeof shapes / sizeof *shapes; i++) {
            const nst_cpu cpu = { .k = nst_kernels_at(set, &usable), .threads = 2 };
            nst_rect r = shapes[i].r;
            int c = shapes[i].c, fw = shapes[i].fw, fh = shapes[i].fh, checked = c < 16 ? c : 16;
            size_t n = (size_t)nst_blocks(c) * NST_LANES * (size_t)fw * (size_t)fh, ldm = (size_t)r.w + 3;
            float *f = nst_calloc(n, sizeof *f), *df = nst_calloc(n, sizeof *df), *map = nst_calloc(ldm * (size_t)r.h, 4);
            float *a = nst_calloc((size_t)c * (size_t)c, sizeof *a), *b = nst_calloc((size_t)c, sizeof *b);
            float *scratch = nst_alloc(nst_guided_scratch(&cpu, nst_blocks(c), fw, fh) * sizeof(float));
            double *gram = nst_calloc((size_t)c * (size_t)c, sizeof *gram), *sum = nst_calloc((size_t)c, sizeof *sum);
            nst_random random = { i + 1 };

#define AT(ch, x, y) \
    ((((size_t)((ch) / NST_LANES) * (size_t)fh + (size_t)(y)) * (size_t)fw + (size_t)(x)) * NST_LANES + (size_t)((ch) % NST_LANES))
            for (int ch = 0; ch < c; ch++)
                for (int y = 0; y < fh; y++)
                    for (int x = 0; x < fw; x++)
                        f[AT(ch, x, y)] = (float)random_at(&random);
            for (size_t k = 0; k < ldm * (size_t)r.h; k++)
                map[k] = k % 5 ? nst_random_uniform(&random) : 0;
            for (int k = 0; k < c; k++) {
                b[k] = (float)random_at(&random);
                for (int l = 0; l <= k; l++)
                    a[k * c + l] = a[l * c + k] = (float)random_at(&random);
            }
            for (size_t k = 0; k < n; k++)
                df[k] = 1;
            nst_guided_add(&cpu, f, c, fw, fh, &r, map, ldm, gram, sum, scratch);
            nst_guided_gradient(&cpu, f, c, fw, fh, &r, map, ldm, a, b, df, scratch);
            for (int k = 0; k < checked; k++) {
                double s = 0, g[16] = { 0 };

                for (int y = 0; y < r.h; y++)
                    for (int x = 0; x < r.w; x++) {
                        double w = (double)map[(size_t)y * ldm + (size_t)x], fk = (double)f[AT(k, r.x + x, r.y + y)];

                        s += w * fk;
                        for (int l = 0; l < checked; l++)
                            g[l] += w * fk * (double)f[AT(c - 1 - l, r.x + x, r.y + y)];
                    }
                ck_assert_msg(fabs(s - sum[k]) < 1e-5 * r.w * r.h, "%s shape %zu: sum %g, not %g", cpu.k->name, i, sum[k], s);
                for (int l = 0; l < checked; l++)
                    ck_assert_msg(fabs(g[l] - gram[k * c + c - 1 - l]) < 1e-5 * r.w * r.h, "%s shape %zu: %g, not %g",
                                  cpu.k->name, i, gram[k * c + c - 1 - l], g[l]);
            }
            for (int y = 0; y < fh; y += 3)
                for (int x = 0; x < fw; x += 5) {
                    bool inside = x >= r.x && x < r.x + r.w && y >= r.y && y < r.y + r.h;
                    double want = 1, w = inside ? (double)map[(size_t)(y - r.y) * ldm + (size_t)(x - r.x)] : 0;

                    for (int l = 0; l < c && inside; l++)
                        want += w * (double)a[(c - 1) * c + l] * (double)f[AT(l, x, y)];
                    want += w * (double)b[c - 1];
                    ck_assert_msg(fabs(want - (double)df[AT(c - 1, x, y)]) < 1e-5 * (1 + c), "%s shape %zu: gradient %g, not %g",
                                  cpu.k->name, i, (double)df[AT(c - 1, x, y)], want);
                }
            nst_free(f), nst_free(df), nst_free(map), nst_free(a), nst_free(b), nst_free(scratch);
            nst_free(gram), nst_free(sum);
        }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("regions");
    TCase *t = tcase_create("all");
    SRunner *runner = srunner_create(s);
    int failed;

    tcase_add_test(t, sums_and_gradient);
    suite_add_tcase(s, t);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
