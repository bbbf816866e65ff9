/* wavelet_channels.c: which channels the layers of the built-in model have, in order, and their gains. */
#include "wavelet.h"
#include "wavelet_gain.h"

#include <assert.h>
#include <string.h>

#define DIRECTIONS NST_WAVELET_DIRECTIONS
#define SCALES 2 /* a block sees the energies of so many finer ones */

typedef struct list {
    int n;
    nst_channel at[NST_WAVELET_CHANNELS];
} list;

static void add(list *l, nst_channel c)
{
    assert(l->n < NST_WAVELET_CHANNELS);
    l->at[l->n++] = c;
}

static void add_pair(list *l, nst_channel c)
{
    c.sign = NST_PLUS;
    add(l, c);
    c.sign = NST_MINUS;
    add(l, c);
}

/* Direction steps: luma has all directions, a colour every second one. */
static int step(int colour)
{
    return colour ? 2 : 1;
}

static void add_directions(list *l, int family, int colour, int by)
{
    for (int k = 0; k < DIRECTIONS; k += by)
        add_pair(l, (nst_channel){ .family = family, .colour = colour, .direction = k });
}

static void list_first(int block, const list *before, list *l)
{
    l->n = 0;
    for (int c = 0; c < 3; c++) {
        add_pair(l, (nst_channel){ .family = NST_LOW, .colour = c });
        add_directions(l, NST_EDGE, c, step(c));
        if (block == 1) {
            add_directions(l, NST_LINE, c, 2);
        } else {
            add_directions(l, NST_THIRD, c, step(c));
            add_directions(l, NST_FOURTH, c, step(c));
        }
    }
    if (block == 1)
        return;
    for (int i = 0; i < before->n; i++)
        if (before->at[i].family == NST_ENERGY && before->at[i].block + SCALES >= block)
            add(l, before->at[i]);
    for (int k = 0; k < DIRECTIONS; k += 2)
        for (int j = 0; j < DIRECTIONS; j += 2)
            add_pair(l, (nst_channel){ .family = NST_SCATTER, .direction = k, .along = j });
}

/* Energies of a block: luma by direction and sign, colours by direction. */
static void list_energies(int block, const list *before, list *l)
{
    for (int i = 0; i < before->n; i++) {
        nst_channel c = before->at[i];
        bool odd = c.family == (block == 1 ? NST_EDGE : NST_THIRD);
        bool even = c.family == (block == 1 ? NST_LINE : NST_FOURTH);

        if (c.colour ? odd && c.sign == NST_PLUS : odd || even)
            add(l, (nst_channel){ .family = NST_ENERGY, .colour = c.colour, .direction = c.direction,
                                  .sign = c.colour ? NST_BOTH : c.sign, .block = block, .of = c.family });
    }
}

static void list_second(int block, const list *before, list *l)
{
    l->n = 0;
    for (int c = 0; c < 3; c++) {
        add_pair(l, (nst_channel){ .family = NST_LOW, .colour = c });
        for (int k = 0; k < 3; k++)
            add_pair(l, (nst_channel){ .family = NST_HESSIAN, .colour = c, .direction = k });
    }
    for (int i = 0; i < before->n; i++)
        if (before->at[i].family == NST_ENERGY && before->at[i].block + SCALES > block)
            add(l, before->at[i]);
    list_energies(block, before, l);
}

static const struct {
    int block, index;
} chain[] = { { 1, 1 }, { 1, 2 }, { 1, 3 }, { 2, 1 }, { 2, 2 }, { 2, 3 }, { 3, 1 },
              { 3, 2 }, { 3, 3 }, { 4, 1 }, { 4, 2 }, { 4, 3 }, { 5, 1 } };

/* ---- content --------------------------------------------------------------------
 * conv2_2, conv3_2 and conv4_2 also hold copies of the layer before, less a threshold, which the content loss reads.
 * What the content does not show strongly is zero there, and where it is zero NST_CONTENT_PRESENT asks for nothing: a
 * flat sky takes the style's swirls, while an edge must stay.  In block 2 it is letters and eyes that stay.  What is
 * carried on to the pool stands before them (nst_layer.content), with a gain so small that what shares a block with them
 * does not count. */

#define FINEST_CONTENT 2 /* up to COARSE_CONTENT only luma's wavelets are content: shapes, not the photograph's grain */
#define COARSE_CONTENT 4
#define CARRIED (1 / 1024.f)
#define ENERGIES_IN_CONTENT 0.5f /* gain: the style is to change them */

static bool in_content(int block, const nst_channel *c)
{
    return block == COARSE_CONTENT || (c->colour == 0 && c->family != NST_LOW && c->family < NST_ENERGY);
}

static float threshold(int block, const nst_channel *c)
{
    if (block < COARSE_CONTENT)
        return block == FINEST_CONTENT ? .35f : .25f;
    return c->family == NST_LOW ? .15f : c->family >= NST_ENERGY ? .3f : .36f;
}

/* One gain for all directions and both signs of a kind, so that the model has no preferred direction. */
static float gain(int layer, const nst_channel *c)
{
    for (size_t i = 0; i < NST_COUNT(gains); i++)
        if (gains[i].layer == layer && gains[i].family == c->family && gains[i].colour == c->colour &&
            gains[i].block == c->block && gains[i].of == c->of)
            return gains[i].gain;
    return 1;
}

static void add_content(int layer, const list *before, list *l)
{
    int block = chain[layer].block;

    for (int i = 0; i < l->n; i++)
        l->at[i].gain *= CARRIED;
    for (int i = 0; i < before->n; i++) {
        nst_channel c = before->at[i];

        if (!in_content(block, &c))
            continue;
        c.content = true;
        c.gain = gain(layer - 1, &c) * (c.family >= NST_ENERGY ? ENERGIES_IN_CONTENT : 1);
        c.threshold = threshold(block, &c);
        add(l, c);
    }
}

static void list_smooth(const list *before, list *l)
{
    l->n = 0;
    for (int i = 0; i < before->n; i++)
        if (!before->at[i].content)
            add(l, before->at[i]);
}

static void list_layer(int layer, const list *before, list *l)
{
    int block = chain[layer].block, index = chain[layer].index;

    if (index == 1)
        list_first(block, before, l);
    else if (index == 2)
        list_second(block, before, l);
    else
        list_smooth(before, l);
    for (int i = 0; i < l->n; i++)
        l->at[i].gain = gain(layer, &l->at[i]);
    if (index == 2 && block >= FINEST_CONTENT && block <= COARSE_CONTENT)
        add_content(layer, before, l);
}

bool nst_wavelet_place(int i, int *block, int *index)
{
    if (i < 0 || i >= (int)NST_COUNT(chain))
        return false;
    *block = chain[i].block;
    *index = chain[i].index;
    return true;
}

int nst_wavelet_channels(int i, nst_channel *c)
{
    list l[2] = { { 0 } };

    if (i < 0 || i >= (int)NST_COUNT(chain))
        return 0;
    for (int k = 0; k <= i; k++)
        list_layer(k, &l[(k + 1) % 2], &l[k % 2]);
    memcpy(c, l[i % 2].at, (size_t)l[i % 2].n * sizeof *c);
    return l[i % 2].n;
}
