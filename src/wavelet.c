/* wavelet.c: the built-in model: VGG19's shape, weights computed from formulas instead of learned.
 *
 * Oriented wavelets are carried through the ReLUs of a chain of 3x3 convolutions.  A signed signal x passes as
 * a pair of channels, x+ = max(x, 0) and x- = max(-x, 0), so that the next layer can have x = x+ - x- again.
 * Luma and two opponent colours; block b sees the scale 2^(b-1).
 *
 *   conv{b}_1     LOW      what the pools left of the picture
 *                 EDGE     its derivative along a direction
 *                 LINE     its second derivative (block 1 only)
 *                 THIRD    \ third and fourth derivatives along a direction: sharply oriented wavelets, odd and
 *                 FOURTH   / even, of the second derivatives that the block before carried
 *                 ENERGY   blurred rectified wavelets of finer scales: one Gram matrix ties scales together
 *                 SCATTER  derivatives of the last scale's luma energies (second order, as in scattering)
 *   conv{b}_2     LOW, the second derivatives HESSIAN (xx, xy, yy: any direction is their sum), ENERGY, smoothed; in
 *                 blocks 2 to 4 copies of conv{b}_1, less a threshold, for the content loss
 *   conv{b}_3     what conv{b}_2 carries on, smoothed once more, because a pool follows: with one smoothing alone it
 *                 sees level and upright lines better than others, and the picture fills with them
 *
 * Every value is rounded at most a few times, by single multiplications and divisions of IEEE floats; the only sums
 * are exact in double.  So no compiler, fused multiply-add or mathematical library can make the weights differ between
 * machines.  Gains (wavelet_gain.h) give every kind of channel unit mean energy on generated pictures.
 */
#include "wavelet.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define DIRECTIONS NST_WAVELET_DIRECTIONS

/* Single precision: products with the small binary fractions below are exact in double. */
static const float cosine[DIRECTIONS] = { 1, 0.92387953f, 0.70710678f, 0.38268343f,
                                          0, -0.38268343f, -0.70710678f, -0.92387953f };
static const float sine[DIRECTIONS] = { 0, 0.38268343f, 0.70710678f, 0.92387953f,
                                        1, 0.92387953f, 0.70710678f, 0.38268343f };
/* cos^2, 2 sin cos, sin^2: a second derivative along a direction from xx, xy, yy */
static const float steer[DIRECTIONS][3] = {
    { 1, 0, 0 },
    { 0.85355339f, 0.70710678f, 0.14644661f },
    { 0.5f, 1, 0.5f },
    { 0.14644661f, 0.70710678f, 0.85355339f },
    { 0, 0, 1 },
    { 0.14644661f, -0.70710678f, 0.85355339f },
    { 0.5f, -1, 0.5f },
    { 0.85355339f, -0.70710678f, 0.14644661f },
};

/* ImageNet's, as VGG19's learned weights expect */
static const float mean[3] = { 0.485f, 0.456f, 0.406f };
static const float std[3] = { 0.229f, 0.224f, 0.225f };

/* Luma, red against green, yellow against blue, of (rgb - mean) / std, each over a typical deviation. */
static const float opponent[3][3] = {
    { (float)(.299 * .229 / .25), (float)(.587 * .224 / .25), (float)(.114 * .225 / .25) },
    { (float)(.5 * .229 / .08), (float)(-.5 * .224 / .08), 0 },
    { (float)(.25 * .229 / .12), (float)(.25 * .224 / .12), (float)(-.5 * .225 / .12) },
};

typedef struct kernel {
    float at[9];
} kernel;

static const kernel delta = { { 0, 0, 0, 0, 1, 0, 0, 0, 0 } };
static const kernel blur = { { 1 / 16.f, 2 / 16.f, 1 / 16.f, 2 / 16.f, 4 / 16.f, 2 / 16.f, 1 / 16.f, 2 / 16.f,
                               1 / 16.f } };

/* The first derivative along direction k, after Scharr. */
static kernel first_derivative(int k)
{
    static const int x[9] = { -3, 0, 3, -10, 0, 10, -3, 0, 3 };
    static const int y[9] = { -3, -10, -3, 0, 0, 0, 3, 10, 3 };
    kernel d;

    for (int i = 0; i < 9; i++)
        d.at[i] = (float)(((double)cosine[k] * x[i] + (double)sine[k] * y[i]) / 32);
    return d;
}

/* The second derivative along direction k. */
static kernel second_derivative(int k)
{
    static const int xx[9] = { 1, -2, 1, 6, -12, 6, 1, -2, 1 };
    static const int xy[9] = { 2, 0, -2, 0, 0, 0, -2, 0, 2 };
    static const int yy[9] = { 1, 6, 1, -2, -12, -2, 1, 6, 1 };
    kernel d;

    for (int i = 0; i < 9; i++)
        d.at[i] = (float)(((double)steer[k][0] * xx[i] + (double)steer[k][1] * xy[i] + (double)steer[k][2] * yy[i])
                          / 8);
    return d;
}

/* ---- what a channel computes ----------------------------------------------- */

typedef struct list {
    int n;
    nst_channel at[NST_WAVELET_CHANNELS];
} list;

/* One channel's weights being written. */
typedef struct row {
    const list *before; /* the layer's inputs; NULL: the picture */
    float *weight;      /* [inputs][9], zero so far */
    nst_channel out;
} row;

static void put(const row *r, const nst_channel *in, const kernel *k, float factor)
{
    for (int i = 0; i < r->before->n; i++) {
        const nst_channel *c = &r->before->at[i];

        if (c->family != in->family || c->colour != in->colour || c->direction != in->direction ||
            c->along != in->along || c->content || c->sign != in->sign || c->block != in->block || c->of != in->of)
            continue;
        float ratio = r->out.gain / c->gain;
        for (int j = 0; j < 9; j++) {
            float v = k->at[j] * factor;

            r->weight[i * 9 + j] = v * ratio;
        }
        return;
    }
    assert(!"a channel's source is missing");
}

/* factor * kernel of the signed signal that a pair carries, or of its negative for a MINUS row */
static void put_signed(const row *r, nst_channel in, const kernel *k, float factor)
{
    float s = r->out.sign == NST_MINUS ? -factor : factor;

    in.sign = NST_PLUS;
    put(r, &in, k, s);
    in.sign = NST_MINUS;
    put(r, &in, k, -s);
}

static void put_colour(const row *r, const kernel *k)
{
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 9; j++) {
            float v = k->at[j] * opponent[r->out.colour][i];

            r->weight[i * 9 + j] = (r->out.sign == NST_MINUS ? -v : v) * r->out.gain;
        }
}

static void put_steered(const row *r, const kernel *k)
{
    for (int i = 0; i < 3; i++)
        put_signed(r, (nst_channel){ .family = NST_HESSIAN, .colour = r->out.colour, .direction = i }, k,
                   steer[r->out.direction][i]);
}

/* conv{b}_1 */
static void fill_first(const row *r, int block)
{
    nst_channel c = r->out;
    kernel d1 = first_derivative(c.direction), d2 = second_derivative(c.direction);
    kernel along = first_derivative(c.along);
    nst_channel low = { .family = NST_LOW, .colour = c.colour };

    switch (c.family) {
    case NST_LOW:
    case NST_EDGE:
        if (block == 1)
            put_colour(r, c.family == NST_LOW ? &delta : &d1);
        else
            put_signed(r, low, c.family == NST_LOW ? &delta : &d1, 1);
        break;
    case NST_LINE:
        put_colour(r, &d2);
        break;
    case NST_THIRD:
        put_steered(r, &d1);
        break;
    case NST_FOURTH:
        put_steered(r, &d2);
        break;
    case NST_ENERGY:
        put(r, &c, &delta, 1);
        break;
    case NST_SCATTER:
        for (int i = 0; i < 4; i++) {
            int odd = block == 2 ? NST_EDGE : NST_THIRD, even = block == 2 ? NST_LINE : NST_FOURTH;
            nst_channel in = { .family = NST_ENERGY, .direction = c.direction, .block = block - 1,
                               .sign = i % 2 ? NST_MINUS : NST_PLUS, .of = i < 2 ? odd : even };

            put(r, &in, &along, c.sign == NST_MINUS ? -1 : 1);
        }
        break;
    }
}

/* conv{b}_2 */
static void fill_second(const row *r, int block)
{
    nst_channel c = r->out, in = { .family = c.of, .colour = c.colour, .direction = c.direction, .sign = c.sign };
    kernel dx = first_derivative(0), dy = first_derivative(DIRECTIONS / 2);

    if (c.family == NST_LOW) {
        put(r, &c, &blur, 1);
    } else if (c.family == NST_HESSIAN) {
        nst_channel edge = { .family = NST_EDGE, .colour = c.colour,
                             .direction = c.direction == 2 ? DIRECTIONS / 2 : 0 };

        put_signed(r, edge, c.direction == 0 ? &dx : &dy, 1);
    } else if (c.block < block) {
        put(r, &c, &delta, 1);
    } else if (c.sign == NST_BOTH) {
        in.sign = NST_PLUS;
        put(r, &in, &blur, 1);
        in.sign = NST_MINUS;
        put(r, &in, &blur, 1);
    } else {
        put(r, &in, &blur, 1);
    }
}

/* ---- the chain -------------------------------------------------------------- */

static void fill_layer(const nst_layer *layer, const list *before, const list *l, float *weight, float *bias)
{
    for (int i = 0; i < l->n; i++) {
        row r = { before, weight + (size_t)i * layer->in * 9, l->at[i] };

        if (layer->index == 1)
            fill_first(&r, layer->block);
        else if (r.out.content)
            put(&r, &r.out, &delta, 1);
        else if (layer->index == 2)
            fill_second(&r, layer->block);
        else
            put(&r, &r.out, &blur, 1);
        bias[i] = -r.out.threshold;
    }
}

static void release(void *memory, size_t bytes)
{
    (void)bytes;
    nst_free(memory);
}

/* Names, shapes and, in memory order, where each layer's numbers lie from; their count. */
static size_t shape(nst_model *m)
{
    nst_channel c[NST_WAVELET_CHANNELS];
    size_t n = 0;
    int block, index;

    for (int i = 0; nst_wavelet_place(i, &block, &index); i++) {
        nst_layer *l = &m->layer[m->layers++];

        l->block = block;
        l->index = index;
        snprintf(l->name, sizeof l->name, "conv%d_%d", l->block, l->index);
        l->in = i ? m->layer[i - 1].out : 3;
        l->out = nst_wavelet_channels(i, c);
        while (l->content < l->out && !c[l->content].content)
            l->content++;
        l->content %= l->out; /* without any of its own a layer's channels are all content */
        n += (size_t)l->out * ((size_t)l->in * 9 + 1);
    }
    return n;
}

static void fill(nst_model *m, bool plain)
{
    float *at = m->memory;
    list l[2] = { { 0 } };

    for (int i = 0; i < m->layers; i++) {
        nst_layer *layer = &m->layer[i];

        l[i % 2].n = nst_wavelet_channels(i, l[i % 2].at);
        for (int k = 0; plain && k < l[i % 2].n; k++)
            l[i % 2].at[k].gain = 1;
        layer->weight = at;
        layer->bias = at + (size_t)layer->out * layer->in * 9;
        fill_layer(layer, &l[(i + 1) % 2], &l[i % 2], at, at + (size_t)layer->out * layer->in * 9);
        at += (size_t)layer->out * ((size_t)layer->in * 9 + 1);
    }
}

nst_status nst_wavelet_build(nst_model **out, bool plain, nst_error *e)
{
    nst_model *m = nst_calloc(1, sizeof *m);
    size_t n;

    *out = NULL;
    if (!m)
        return nst_fail(e, NST_EMEM, "built-in model: out of memory");
    n = shape(m);
    m->bytes = n * sizeof(float);
    m->memory = nst_calloc(n, sizeof(float));
    m->describe = nst_strdup("built-in wavelet model (weights computed from formulas, nothing learned)");
    m->release = release;
    m->wavelet = true;
    memcpy(m->input.mean, mean, sizeof mean);
    memcpy(m->input.std, std, sizeof std);
    if (!m->memory || !m->describe) {
        nst_free(m->memory);
        nst_free(m->describe);
        nst_free(m);
        return nst_fail(e, NST_EMEM, "built-in model: out of memory");
    }
    fill(m, plain);
    *out = m;
    return NST_OK;
}

nst_status nst_model_open_wavelet(nst_model **out, nst_error *e)
{
    return nst_wavelet_build(out, false, e);
}
