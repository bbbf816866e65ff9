/* test_inverse.c: inverses of symmetric positive definite matrices, and what has none. */
#include "../loss/rough_features.h"
#include "ops/inverse.h"

static void fill(const nst_stats *s, double *m)
{
    int c = s->c, rows = (c + NST_LANES - 1) / NST_LANES * NST_LANES;

    for (int i = 0; i < rows; i++)
        for (int j = 0; j / NST_LANES <= i / NST_LANES; j++)
            m[nst_spd_at(i, j)] = i < c && j < c ? s->gram[i * c + j] : i == j;
}

/* A matrix times its inverse is 1, for one block, a group of blocks, more, and rows that fill no block; there is none
 * of what is not positive definite, or not a number. */
START_TEST(inverses)
{
    static const int sizes[] = { 1, 5, 16, 17, 40, 64, 80, 150 };
    static const double wrong[] = { NAN, -1, 0 };
    bool usable;

    for (int i = 0; nst_kernels_at(i, &usable); i++)
        for (size_t at = 0; usable && at < NST_COUNT(sizes); at++) {
            const nst_kernels *k = nst_kernels_at(i, NULL);
            int c = sizes[at];
            nst_stats *s = sums_of(rough(3, c, c + 9, 1), c, c + 9);
            double *m = nst_calloc(nst_spd_size(c), sizeof *m);
            double *scratch = nst_calloc(nst_spd_scratch(c), sizeof *scratch);

            fill(s, m);
            ck_assert(nst_spd_negative_inverse(k, c, m, scratch));
            for (int row = 0; row < c; row++)
                for (int j = 0; j < c; j++) {
                    double sum = row == j;

                    for (int l = 0; l < c; l++)
                        sum += s->gram[row * c + l] * m[l > j ? nst_spd_at(l, j) : nst_spd_at(j, l)];
                    ck_assert_msg(fabs(sum) < 1e-9, "%s, %d: %d, %d is off by %g", k->name, c, row, j, sum);
                }
            for (size_t bad = 0; bad < NST_COUNT(wrong); bad++) {
                fill(s, m);
                m[nst_spd_at(c - 1, c - 1)] = wrong[bad];
                ck_assert(!nst_spd_negative_inverse(k, c, m, scratch));
            }
            nst_free(m), nst_free(scratch);
            nst_stats_destroy(&s);
        }
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, inverses);
}

int main(void)
{
    return run_suite("inverse", add);
}
