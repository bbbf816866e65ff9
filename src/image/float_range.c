/* float_range.c: whether floating point goes from 0 to 1, or to 255, which would be white nearly everywhere. */
#include "image/format.h"

#include <math.h>

void nst_float_count(nst_float_range *r, double v)
{
    r->lit += v > 0;
    r->above += v > 1;
    r->largest = fmax(r->largest, v);
}

nst_status nst_float_check(const nst_float_range *r, const char *label, nst_error *e)
{
    if (r->above <= r->lit / 2)
        return NST_OK;
    return nst_fail(e, NST_EFORMAT, "%s: most of its samples are above 1, the largest %g, expected floating point from "
                    "0, black, to 1, white", label, r->largest);
}
