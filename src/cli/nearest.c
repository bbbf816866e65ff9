/* nearest.c: which option somebody meant who misspelt it. */
#include <string.h>

#include "cli/options.h"

/* Damerau 1964. */
int nst_options_edits(const char *a, const char *b, size_t n)
{
    int row[3][64] = { { 0 } }, *before = row[0], *last = row[1], *now = row[2];

    if (n >= 60)
        return 60;
    for (size_t j = 0; j <= n; j++)
        last[j] = (int)j;
    for (size_t i = 1; a[i - 1]; i++) {
        int *spare = before;

        now[0] = (int)i;
        for (size_t j = 1; j <= n; j++) {
            int best = last[j - 1] + (a[i - 1] != b[j - 1]);

            best = last[j] + 1 < best ? last[j] + 1 : best;
            best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
        before = last, last = now, now = spare;
    }
    return last[n];
}

const nst_option *nst_options_nearest(const char *name)
{
    const nst_option *best = NULL;
    size_t n = strcspn(name, "= ");
    int least = 3;

    if (n < 4)
        least = 1;
    else if (n < 10)
        least = 2;
    for (int i = 0; i < nst_option_count; i++) {
        int d = nst_options_edits(nst_options[i].name, name, n);

        if (d < least || (d == least && !best)) {
            best = &nst_options[i];
            least = d;
        }
    }
    return best;
}
