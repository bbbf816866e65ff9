/* conv_select.c: the algorithms of 3x3 convolutions by name, by their tiles and by what they cost. */
#include "ops/conv_parts.h"

#define FEW_BLOCKS 8 /* 128 channels */

static const char *const algorithms[] = {
    [NST_CONV_IM2COL] = "im2col",
    [NST_CONV_WINOGRAD4] = "winograd4",
    [NST_CONV_WINOGRAD6] = "winograd6",
};
_Static_assert(NST_COUNT(algorithms) == NST_CONV_COUNT, "every algorithm has its name");

const char *nst_conv_name(nst_conv_algorithm a)
{
    return algorithms[a];
}

int nst_conv_tile(nst_conv_algorithm a)
{
    if (a == NST_CONV_WINOGRAD6)
        return 6;
    return a == NST_CONV_WINOGRAD4 ? 4 : 1;
}

/* Positions that gemm_tile multiplies for n: the last ones are an even number, and no fewer than 4 where a tile has
 * these. */
static int multiplied(const nst_cpu *cpu, int n)
{
    int mr = cpu->k->mr, last = n % mr, even = last && last < 4 ? 4 : (last + 1) / 2 * 2;

    return n - last + (even < mr ? even : mr);
}

/* Costs in floating-point operations, transforms weighted by what they were measured to take beside a product
 * (Zen 5, both AVX sets): the product at its peak, a tile's transforms at about a third of it. */
static double winograd_cost(const nst_cpu *cpu, int in, int out, int w, int h, bool six)
{
    int m = six ? 6 : 4, points = (m + 2) * (m + 2);
    double tiles = (double)((w + m - 1) / m) * ((h + m - 1) / m);
    double whole = multiplied(cpu, (int)tiles);
    double product = 2. * points * whole * (in * NST_LANES) * (out * NST_LANES);
    double transforms = tiles * (in * (six ? 24000. : 10000.) + out * (six ? 18000. : 8000.));
    double filters = (double)in * NST_LANES * out * (six ? 12000. : 4000.);

    return product + transforms + filters;
}

static double im2col_cost(const nst_cpu *cpu, int in, int out, int w, int h)
{
    double rows = (h + 1) / 2, cols = w < NST_PATCH_COLS ? w : NST_PATCH_COLS;
    double blocks = (w + NST_PATCH_COLS - 1) / NST_PATCH_COLS;
    double whole = multiplied(cpu, (int)(2 * cols));

    return 2. * 9 * rows * blocks * whole * (in * NST_LANES) * (out * NST_LANES + 8.);
}

nst_conv_algorithm nst_conv_choose(const nst_cpu *cpu, int in, int out, int w, int h)
{
    double direct = im2col_cost(cpu, in, out, w, h);
    double tiles = (double)((w + 5) / 6) * ((h + 5) / 6);
    double four = winograd_cost(cpu, in, out, w, h, false), six = winograd_cost(cpu, in, out, w, h, true);

    if (direct < four && direct < six)
        return NST_CONV_IM2COL;
    /* F(6x6) is less exact, so it has to pay, and L-BFGS without a line search feels the difference in its first steps
     * on small pictures.  With few channels it is nearly as exact as F(4x4) and begins at about 160 pixels; with many
     * it waits for larger layers (VGG19's from about 200 pixels on). */
    if (six < .95 * four && (tiles * in * out >= 20000 || (in <= FEW_BLOCKS && tiles >= 700)))
        return NST_CONV_WINOGRAD6;
    return NST_CONV_WINOGRAD4;
}
