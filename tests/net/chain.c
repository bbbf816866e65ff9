/* chain.c: a model's chain in double: convolution, ReLU, pooling between blocks, and back. */
#include "chain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const chain_shape chain_shapes[] = {
    { { { 8 } }, false, false, false, false, 5, 4 },
    { { { 8, 16 }, { 24 } }, false, false, false, true, 17, 13 },
    { { { 8 }, { 16 }, { 16 } }, false, true, false, false, 19, 21 },
    { { { 8 }, { 16 }, { 16 } }, true, true, true, true, 19, 21 },
    { { { 16 }, { 17, 8 }, { 24 } }, true, false, false, false, 22, 15 },
    { { { 3, 8 }, { 40 }, { 8, 8 } }, false, false, true, false, 25, 18 },
    { { { 8 }, { 8 }, { 16 }, { 16 } }, false, true, true, true, 23, 25 },
};

/* Float features are this close to the oracle's, relative to the largest, with the least exact algorithm. */
#define MARGIN 2e-5

static void build(chain *c, const chain_shape *s)
{
    nst_model *m = &c->model;
    int in = 3;

    for (int b = 0; b < 4; b++)
        for (int i = 0; i < 4 && s->out[b][i]; i++) {
            nst_layer *l = &m->layer[m->layers];
            size_t weights = (size_t)s->out[b][i] * (size_t)in * 9;
            float *w = oracle_alloc(weights), *bias = oracle_alloc((size_t)s->out[b][i]);

            snprintf(l->name, sizeof l->name, "conv%c_%c", (char)('1' + b), (char)('1' + i));
            l->block = b + 1, l->index = i + 1, l->in = in, l->out = s->out[b][i];
            oracle_fill(weights, w), oracle_fill((size_t)l->out, bias);
            for (size_t k = 0; k < weights; k++)
                w[k] *= sqrtf(6.f / (9.f * (float)in)); /* features stay of one size through ReLU */
            for (int k = 0; k < l->out; k++)
                bias[k] *= .2f;
            l->weight = w, l->bias = bias;
            in = l->out;
            c->options.loss_layer[m->layers++] = true;
        }
    c->options.model = m;
    c->options.pooling = s->average ? NST_POOL_AVERAGE : NST_POOL_MAX;
    c->options.pool_ceil = s->up, c->options.replicate = s->replicate, c->options.bgr = s->bgr;
    for (int i = 0; i < 3; i++)
        c->options.scale[i] = 1 + .25f * (float)i, c->options.shift[i] = .125f * (float)i - .25f;
}

static bool pool_before(const chain *c, int i)
{
    return i > 0 && c->model.layer[i].block != c->model.layer[i - 1].block;
}

static void forget(chain *c)
{
    for (int i = 0; i < c->model.layers; i++)
        oracle_map_destroy(&c->in[i]), oracle_map_destroy(&c->out[i]);
}

/* The network's plane i is plane i of x, or with bgr plane 2 - i, scaled and shifted as that plane of x is. */
static int plane_of(const chain_shape *s, int i)
{
    return s->bgr ? 2 - i : i;
}

/* Is float sure about each ReLU and each maximum? */
static bool clear_cut(const oracle_map *before, const chain_shape *s, bool pooled)
{
    double margin = MARGIN * oracle_largest(before);

    for (size_t i = 0; i < (size_t)before->c * (size_t)before->h * (size_t)before->w; i++)
        if (fabs(before->v[i]) < margin)
            return false;
    for (int c = 0; pooled && !s->average && c < before->c; c++)
        for (int y = 0; y < before->h; y += 2)
            for (int x = 0; x < before->w; x += 2)
                for (int k = 0; k < 4; k++)
                    for (int l = 0; l < k; l++) {
                        int ky = y + k / 2, kx = x + k % 2, ly = y + l / 2, lx = x + l % 2;
                        double a, b;

                        if (ky >= before->h || kx >= before->w || ly >= before->h || lx >= before->w)
                            continue;
                        a = *oracle_at(before, c, ky, kx), b = *oracle_at(before, c, ly, lx);
                        if (a > 0 && b > 0 && fabs(a - b) < margin)
                            return false;
                    }
    return true;
}

static bool features(chain *c, const chain_shape *s)
{
    bool sure = true;

    for (int i = 0; i < c->model.layers; i++) {
        const nst_layer *l = &c->model.layer[i];

        if (i == 0) {
            c->in[0] = oracle_map_create(3, s->h, s->w);
            for (int p = 0; p < 3; p++)
                for (int k = 0; k < s->w * s->h; k++) {
                    int from = plane_of(s, p);

                    c->in[0].v[p * s->w * s->h + k] = (double)c->options.scale[from] * c->x[from * s->w * s->h + k] +
                                                      (double)c->options.shift[from];
                }
        } else if (pool_before(c, i)) {
            c->in[i] = oracle_pool(&c->out[i - 1], s->average, s->up);
        } else {
            c->in[i] = oracle_map_create(c->out[i - 1].c, c->out[i - 1].h, c->out[i - 1].w);
            memcpy(c->in[i].v, c->out[i - 1].v,
                   (size_t)c->in[i].c * (size_t)c->in[i].h * (size_t)c->in[i].w * sizeof(double));
        }
        c->out[i] = oracle_conv(&c->in[i], l->weight, l->bias, l->out, i == 0 && s->replicate);
        sure = sure && clear_cut(&c->out[i], s, i + 1 < c->model.layers && pool_before(c, i + 1));
        oracle_relu(&c->out[i]);
    }
    return sure;
}

void chain_picture(chain *c, const chain_shape *s, const float *x)
{
    forget(c);
    memcpy(c->x, x, 3 * (size_t)s->w * (size_t)s->h * sizeof *x);
    features(c, s);
}

chain *chain_create(const chain_shape *s)
{
    chain *c = calloc(1, sizeof *c);

    if (!c)
        abort();
    build(c, s);
    c->x = oracle_alloc(3 * (size_t)s->w * (size_t)s->h);
    for (int attempt = 0; attempt < 1000; attempt++) {
        oracle_fill(3 * (size_t)s->w * (size_t)s->h, c->x);
        if (features(c, s))
            return c;
        forget(c);
    }
    abort(); /* the shape is too large for the margin */
}

void chain_destroy(chain *c)
{
    forget(c);
    for (int i = 0; i < c->model.layers; i++) {
        oracle_free((float *)(uintptr_t)c->model.layer[i].weight);
        oracle_free((float *)(uintptr_t)c->model.layer[i].bias);
    }
    oracle_free(c->x);
    free(c);
}

void chain_backward(const chain *c, const chain_shape *s, oracle_map *d, double *dx)
{
    for (int i = c->model.layers - 1; i >= 0; i--) {
        const nst_layer *l = &c->model.layer[i];

        oracle_relu_backward(&c->out[i], &d[i]);
        oracle_map back = oracle_conv_backward(&d[i], l->weight, l->in, i == 0 && s->replicate);

        if (pool_before(c, i)) {
            oracle_map full = oracle_pool_backward(&c->out[i - 1], &back, s->average, s->up);

            oracle_map_destroy(&back);
            back = full;
        }
        for (size_t k = 0; i > 0 && k < (size_t)back.c * (size_t)back.h * (size_t)back.w; k++)
            d[i - 1].v[k] += back.v[k];
        for (int p = 0; i == 0 && p < 3; p++)
            for (int k = 0; k < s->w * s->h; k++)
                dx[plane_of(s, p) * s->w * s->h + k] = (double)c->options.scale[plane_of(s, p)] *
                                                       back.v[p * s->w * s->h + k];
        oracle_map_destroy(&back);
    }
}
