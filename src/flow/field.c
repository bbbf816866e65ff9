/* field.c: a flow in memory: made, resampled, given back. */
#include "flow/flow.h"

#include <math.h>
#include <string.h>

#include "image/image.h"

nst_status nst_flow_create(nst_flow **out, int width, int height, nst_error *e)
{
    size_t n = (size_t)width * (size_t)height;
    nst_flow *f;
    nst_status s;

    *out = NULL;
    if (width < 1 || height < 1)
        return nst_fail(e, NST_EFORMAT, "flow: %d x %d pixels, expected 1 or more a side", width, height);
    s = nst_image_check((size_t)width, (size_t)height, "flow", e);
    if (s)
        return s;
    f = nst_calloc(1, sizeof *f);
    if (f)
        f->plane[0] = nst_calloc(n, 2 * sizeof(float));
    if (!f || !f->plane[0]) {
        nst_free(f);
        return nst_fail(e, NST_EMEM, "flow of %d x %d pixels: out of memory", width, height);
    }
    f->width = width, f->height = height, f->plane[1] = f->plane[0] + n;
    *out = f;
    return NST_OK;
}

void nst_flow_destroy(nst_flow **flow)
{
    if (!flow || !*flow)
        return;
    nst_free((*flow)->plane[0]);
    nst_free(*flow);
    *flow = NULL;
}

int nst_flow_width(const nst_flow *flow) { return flow->width; }
int nst_flow_height(const nst_flow *flow) { return flow->height; }

float *nst_flow_plane(nst_flow *flow, int c)
{
    return c == 0 || c == 1 ? flow->plane[c] : NULL;
}

float nst_flow_at(const float *plane, int w, int h, float x, float y)
{
    float cx = nst_clamp(x, 0, (float)(w - 1)), cy = nst_clamp(y, 0, (float)(h - 1));
    int x0 = (int)cx, y0 = (int)cy;
    int x1 = x0 + 1 < w ? x0 + 1 : x0, y1 = y0 + 1 < h ? y0 + 1 : y0;
    float fx = cx - (float)x0, fy = cy - (float)y0;
    const float *a = plane + (size_t)y0 * (size_t)w, *b = plane + (size_t)y1 * (size_t)w;
    float top = a[x0] + fx * (a[x1] - a[x0]), bottom = b[x0] + fx * (b[x1] - b[x0]);

    return top + fy * (bottom - top);
}

void nst_flow_double(const float *const from[2], int w, int h, float *const to[2], int w2, int h2)
{
    for (int c = 0; c < 2; c++)
        for (int y = 0; y < h2; y++)
            for (int x = 0; x < w2; x++)
                to[c][(size_t)y * (size_t)w2 + (size_t)x] =
                    2 * nst_flow_at(from[c], w, h, ((float)x - .5f) / 2, ((float)y - .5f) / 2);
}

nst_status nst_flow_resize(nst_flow **out, const nst_flow *flow, int width, int height, nst_error *e)
{
    nst_status s = nst_flow_create(out, width, height, e);

    if (s)
        return s;
    for (int c = 0; c < 2; c++) {
        float across = (float)flow->width / (float)width, down = (float)flow->height / (float)height;
        float scale = c ? 1 / down : 1 / across;

        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                (*out)->plane[c][(size_t)y * (size_t)width + (size_t)x] =
                    scale * nst_flow_at(flow->plane[c], flow->width, flow->height, ((float)x + .5f) * across - .5f,
                                        ((float)y + .5f) * down - .5f);
    }
    return NST_OK;
}
