/* color_space.c: the affine map between RGB in [0,1] and the tensor that is optimised. */
#include "ops/color_space.h"

static const nst_affine maps[] = {
    [NST_SPACE_MODEL] = { { 0, 1, 2 }, { 0, 0, 0 }, { 1, 1, 1 } },
    [NST_SPACE_IMAGENET] = { { 0, 1, 2 }, { .485f, .456f, .406f }, { .229f, .224f, .225f } },
    [NST_SPACE_BGR255] = { { 2, 1, 0 }, { 103.939f / 255, 116.779f / 255, 123.68f / 255 },
                           { 1 / 255.f, 1 / 255.f, 1 / 255.f } },
    [NST_SPACE_BGR256] = { { 2, 1, 0 }, { 103.939f / 256, 116.779f / 256, 123.68f / 256 },
                           { 1 / 256.f, 1 / 256.f, 1 / 256.f } },
    [NST_SPACE_RGB] = { { 0, 1, 2 }, { 0, 0, 0 }, { 1, 1, 1 } },
    [NST_SPACE_RGB255] = { { 0, 1, 2 }, { 123.68f / 255, 116.779f / 255, 103.939f / 255 },
                           { 1 / 255.f, 1 / 255.f, 1 / 255.f } },
};
_Static_assert(NST_COUNT(maps) == NST_SPACE_COUNT, "every space has its map");

void nst_space_affine(int space, nst_affine *a)
{
    *a = maps[space];
}

void nst_space_encode(const nst_affine *a, const float *const rgb[3], size_t n, float *x)
{
    for (int c = 0; c < 3; c++) {
        const float *in = rgb[a->order[c]];
        float *out = x + (size_t)c * n;

        for (size_t i = 0; i < n; i++)
            out[i] = (in[i] - a->mean[c]) / a->std[c];
    }
}

void nst_space_decode(const nst_affine *a, const float *x, size_t n, float *const rgb[3])
{
    for (int c = 0; c < 3; c++) {
        const float *in = x + (size_t)c * n;
        float *out = rgb[a->order[c]];

        for (size_t i = 0; i < n; i++)
            out[i] = nst_clamp(in[i] * a->std[c] + a->mean[c], 0, 1);
    }
}
