/* pickle_values.c: what an unpickled program works on: a stack of values, tuples, lists and dicts. */
#include "model/formats/pickle_values.h"

#include <string.h>

#define CELLS_MAX ((size_t)1 << 20)

nst_status nst_pickle_grow(nst_pickle *k, struct pool *a, size_t n, size_t each, nst_error *e)
{
    size_t room = a->room ? a->room : 64;
    void *p;

    if (n <= a->room)
        return NST_OK;
    while (room < n)
        room *= 2;
    p = nst_calloc(room, each);
    if (!p)
        return nst_fail(e, NST_EMEM, "%s: out of memory", k->path);
    if (a->n)
        memcpy(p, a->p, a->n * each);
    nst_free(a->p);
    a->p = p;
    a->room = room;
    return NST_OK;
}

nst_status nst_pickle_damaged(const nst_pickle *k, const char *what, nst_error *e)
{
    return nst_fail(e, NST_EFORMAT, "%s: its pickle is damaged at byte %zu: %s", k->path, (size_t)(k->p - k->start),
                    what);
}

nst_status nst_pickle_push(nst_pickle *k, nst_value v, nst_error *e)
{
    nst_status s = nst_pickle_grow(k, &k->stack, k->stack.n + 1, sizeof v, e);

    if (!s)
        ((nst_value *)k->stack.p)[k->stack.n++] = v;
    return s;
}

nst_status nst_pickle_push_int(nst_pickle *k, nst_kind kind, int64_t i, nst_error *e)
{
    return nst_pickle_push(k, (nst_value){ .kind = (uint8_t)kind, .u.i = i }, e);
}

nst_status nst_pickle_pop(nst_pickle *k, nst_value *v, nst_error *e)
{
    *v = (nst_value){ .kind = NST_KIND_OTHER };
    if (!k->stack.n || ((nst_value *)k->stack.p)[k->stack.n - 1].kind == NST_KIND_MARK)
        return nst_pickle_damaged(k, "a value is missing", e);
    *v = ((nst_value *)k->stack.p)[k->stack.n - 1];
    k->stack.n--;
    return NST_OK;
}

nst_status nst_pickle_mark(const nst_pickle *k, size_t *from, size_t *n, nst_error *e)
{
    const nst_value *v = k->stack.p;

    for (size_t i = k->stack.n; i > 0; i--)
        if (v[i - 1].kind == NST_KIND_MARK) {
            *from = i;
            *n = k->stack.n - i;
            return NST_OK;
        }
    return nst_pickle_damaged(k, "a mark is missing", e);
}

nst_status nst_pickle_container(nst_pickle *k, nst_kind kind, nst_error *e)
{
    nst_status s = nst_pickle_grow(k, &k->containers, k->containers.n + 1, sizeof(struct container), e);

    return s ? s : nst_pickle_push_int(k, kind, (int64_t)k->containers.n++, e);
}

nst_status nst_pickle_add(nst_pickle *k, nst_value container, nst_value key, nst_value value, nst_error *e)
{
    size_t n = k->cells.n ? k->cells.n : 1; /* cell 0 is no cell */
    nst_status s = nst_pickle_grow(k, &k->cells, n + 1, sizeof(struct cell), e);
    struct container *c;
    struct cell *cells;

    if (n == CELLS_MAX)
        return nst_pickle_damaged(k, "absurdly many items", e);
    if (s)
        return s;
    cells = k->cells.p;
    c = (struct container *)k->containers.p + container.u.i;
    cells[n] = (struct cell){ key, value, 0 };
    if (c->last)
        cells[c->last].next = (uint32_t)n;
    else
        c->first = (uint32_t)n;
    c->last = (uint32_t)n;
    k->cells.n = n + 1;
    return NST_OK;
}

nst_status nst_pickle_tuple(nst_pickle *k, size_t n, nst_error *e)
{
    nst_value t = { .kind = NST_KIND_TUPLE, .n = (uint32_t)n, .u.i = (int64_t)k->values.n };
    nst_status s;

    if (k->stack.n < n)
        return nst_pickle_damaged(k, "a tuple's values are missing", e);
    s = nst_pickle_grow(k, &k->values, k->values.n + n, sizeof(nst_value), e);
    if (s)
        return s;
    if (n)
        memcpy((nst_value *)k->values.p + k->values.n, (nst_value *)k->stack.p + k->stack.n - n, n * sizeof(nst_value));
    for (size_t i = 0; i < n; i++)
        if (((nst_value *)k->values.p)[k->values.n + i].kind == NST_KIND_MARK)
            return nst_pickle_damaged(k, "a mark in a tuple", e);
    k->values.n += n;
    k->stack.n -= n;
    return nst_pickle_push(k, t, e);
}

nst_value nst_pickle_item(const nst_pickle *k, nst_value tuple, size_t i)
{
    if (tuple.kind != NST_KIND_TUPLE || i >= tuple.n)
        return (nst_value){ .kind = NST_KIND_OTHER };
    return ((const nst_value *)k->values.p)[(size_t)tuple.u.i + i];
}

bool nst_value_is(nst_value v, const char *text)
{
    return v.kind == NST_KIND_STRING && v.n == strlen(text) && !memcmp(v.u.s, text, v.n);
}

nst_value nst_pickle_root(const nst_pickle *p)
{
    return ((const nst_value *)p->stack.p)[0];
}

const struct cell *nst_pickle_cell(const nst_pickle *p, nst_value container, uint32_t *cell)
{
    const struct cell *cells = p->cells.p;

    *cell = *cell ? cells[*cell].next : ((const struct container *)p->containers.p)[container.u.i].first;
    return *cell ? &cells[*cell] : NULL;
}

bool nst_pickle_next(const nst_pickle *p, nst_value list, uint32_t *cell, nst_value *v)
{
    const struct cell *c = list.kind == NST_KIND_LIST && *cell != UINT32_MAX ? nst_pickle_cell(p, list, cell) : NULL;

    if (c)
        *v = c->value;
    else
        *cell = UINT32_MAX;
    return c;
}

nst_value nst_pickle_get(const nst_pickle *p, nst_value dict, const char *key)
{
    const struct cell *c;
    uint32_t cell = 0;

    if (dict.kind == NST_KIND_DICT)
        for (c = nst_pickle_cell(p, dict, &cell); c; c = nst_pickle_cell(p, dict, &cell))
            if (nst_value_is(c->key, key))
                return c->value;
    return (nst_value){ .kind = NST_KIND_NONE };
}
