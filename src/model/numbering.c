/* numbering.c: where a chain's pools stand, told from the numbers in its layers' names.
 *
 * "conv3_2", "conv32", "block3.conv2": a block and an index.  "features.5", "slice1.7": a number that is a part of the
 * name by itself is a place in a row of layers, where a convolution, its ReLU and sometimes a batch normalisation or a
 * padding take one each, and a pool one more.  "conv7": a mere count, which shows no pools.
 */
#include "model/tensors.h"

#include <string.h>

#define LAST 51 /* conv5_1: what comes behind is of no use */

/* How the names number a chain. */
struct names {
    const nst_place *place;
    int n, numbers;
    bool restarts; /* the places begin again in each part */
};

static int last(const struct names *c, int i)
{
    return c->numbers ? c->place[i].number[c->numbers - 1] : 0;
}

static bool same_part(const struct names *c, int i, int j)
{
    return c->numbers < 2 || !memcmp(c->place[i].number, c->place[j].number,
                                     (size_t)(c->numbers - 1) * sizeof *c->place[i].number);
}

/* Whether the last number stands by itself between dots: "features.5", "5". */
static bool is_place(const char *name)
{
    const char *dot = strrchr(name, '.');

    return *name && strspn(dot ? dot + 1 : name, "0123456789") == strlen(dot ? dot + 1 : name);
}

/* Puts it down until conv5_1 is there; false then. */
static bool put(nst_weights *w, int block, int index)
{
    if (w->count > NST_MODEL_LAYERS || 10 * block + index > LAST)
        return false;
    w->found[w->count].block = block;
    w->found[w->count++].index = index;
    return true;
}

bool nst_weights_complete(const nst_weights *w)
{
    const nst_found *l = w->count ? &w->found[w->count - 1] : NULL;

    return l && 10 * l->block + l->index == LAST;
}

/* ---- no pool is seen --------------------------------------------------------------------------------------------- */

/* VGG's own way: a block has more filters than the one before, but for the fifth, and the fourth is as long as the
 * third. */
static void guess(nst_weights *w, const nst_place *place, int n)
{
    int block = 1, index = 0, length[8] = { 0 };

    w->count = 0;
    for (int i = 0; i < n; i++) {
        bool grows = i && place[i].filters > place[i - 1].filters + place[i - 1].filters / 4;

        if ((grows && block < 4) || (block == 4 && index == length[3]))
            block++, index = 0;
        length[block]++;
        if (!put(w, block, ++index))
            break;
    }
    nst_weights_note(w, "assumed: a pool before each convolution with more filters, and after as many of block 4 as "
                     "block 3 has; the names show none");
}

static bool grows(const nst_place *place, int n)
{
    for (int i = 1; i < n; i++)
        if (place[i].filters > place[i - 1].filters + place[i - 1].filters / 4)
            return n >= 4;
    return false;
}

/* ---- places ------------------------------------------------------------------------------------------------------ */

/* Places from convolution i to the next, without that of a normalisation; 0: that cannot be told. */
static int step(const struct names *c, int i)
{
    if (c->restarts && !same_part(c, i, i + 1))
        return 0;
    return last(c, i + 1) - last(c, i) - (c->place[i].normed ? 1 : 0);
}

static bool has(const struct names *c, int size)
{
    for (int i = 0; i + 1 < c->n; i++)
        if (step(c, i) == size)
            return true;
    return false;
}

static bool all(const struct names *c, int size)
{
    for (int i = 0; i + 1 < c->n; i++)
        if (step(c, i) && step(c, i) != size)
            return false;
    return true;
}

/* Places that a convolution takes with what stands before the next one of its block: 2, 3 with a padding, 1 where
 * nothing else is counted.  Steps of 3 alone are torchvision's with a pool each, unless paddings are known of. */
static int unit_of(const struct names *c, int fronts)
{
    if (has(c, 2))
        return 2;
    if (has(c, 1))
        return all(c, 1) ? 1 : 2;
    return (has(c, 3) && has(c, 4)) || (fronts == 2 && (has(c, 3) || has(c, 4))) ? 3 : 2;
}

static nst_status number_places(nst_weights *w, const struct names *c, int fronts, nst_error *e)
{
    int unit = unit_of(c, fronts), block = 1, index = 1;
    bool pools = !all(c, unit), parts = c->restarts && !pools;

    if (!c->restarts && !fronts && (last(c, 0) < 0 || last(c, 0) > unit || (last(c, 0) && !has(c, unit))))
        return nst_fail(e, NST_EFORMAT, "%s: %s is the first convolution: a layer before it is missing", w->path,
                        c->place[0].name);
    put(w, 1, 1);
    for (int i = 0; i + 1 < c->n; i++) {
        int size = step(c, i);

        if (size && size != unit && size != unit + 1)
            return nst_fail(e, NST_EFORMAT, "%s: %s does not follow %s: a layer between is missing", w->path,
                            c->place[i + 1].name, c->place[i].name);
        index++;
        if (size == unit + 1 || (!size && parts))
            block++, index = 1;
        if (!put(w, block, index))
            return NST_OK;
    }
    if (!pools && !c->restarts && grows(c->place, c->n))
        guess(w, c->place, c->n);
    return NST_OK;
}

/* Parts that follow each other have one row of places, or one each.  Where the first of them go on with the row and a
 * later one begins again, that one is no part of the chain. */
static nst_status number_rows(nst_weights *w, struct names *c, int fronts, nst_error *e)
{
    const char *more = NULL;
    int part = 1, n = 1;
    nst_status s;

    while (part < c->n && same_part(c, 0, part))
        part++;
    while (n < c->n && last(c, n) > last(c, n - 1))
        n++;
    if (n < c->n && n > part)
        more = c->place[n].name, c->n = n;
    c->restarts = n < c->n;
    s = number_places(w, c, fronts, e);
    if (!s && more && !nst_weights_complete(w))
        nst_weights_note(w, "ends: %s begins another row of numbers", more);
    return s;
}

/* ---- blocks and indices ------------------------------------------------------------------------------------------ */

/* How many numbers the last part of the name has. */
static int numbers_in(const char *name)
{
    const char *dot = strrchr(name, '.');
    int n = 0;

    for (const char *p = dot ? dot + 1 : name; *p; p++)
        n += *p >= '0' && *p <= '9' && !(p[1] >= '0' && p[1] <= '9');
    return n;
}

/* The block and the index that a name gives; false where it gives a count only. */
static bool block_of(const struct names *c, int i, bool pairs, int *block, int *index)
{
    int v = last(c, i);

    *block = pairs ? c->place[i].number[c->numbers - 2] : v / 10;
    *index = pairs ? v : v % 10;
    return pairs || (v >= 11 && v <= 99 && v % 10);
}

static nst_status number_named(nst_weights *w, const struct names *c)
{
    bool pairs = c->numbers >= 2 && (numbers_in(c->place[0].name) >= 2 || !same_part(c, 0, c->n - 1));
    int block, index, from_block = 0, from_index = 0;

    for (int i = 0; i < c->n; i++)
        if (!block_of(c, i, pairs, &block, &index)) {
            for (i = 0; i < c->n && put(w, 1, i + 1); i++)
                ;
            if (grows(c->place, c->n))
                guess(w, c->place, c->n);
            return NST_OK;
        }
    w->named = true;
    block_of(c, 0, pairs, &block, &index);
    if (block + index < 2 && block <= 1 && index <= 1) /* counted from 0 */
        from_block = 1 - block, from_index = 1 - index;
    for (int i = 0; i < c->n; i++) {
        block_of(c, i, pairs, &block, &index);
        if (!put(w, block + from_block, index + from_index))
            break;
    }
    return NST_OK;
}

nst_status nst_weights_number(nst_weights *w, const nst_place *place, int n, int numbers, int fronts, nst_error *e)
{
    struct names c = { .place = place, .n = n, .numbers = numbers };

    w->count = 0;
    if (is_place(place[0].name))
        return number_rows(w, &c, fronts, e);
    return number_named(w, &c);
}
