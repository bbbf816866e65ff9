/* pickle.c: an interpreter of the few pickle opcodes that state dicts use, with a list of the globals they may name.
 *
 * An opcode makes at most one value, cell or memo entry (a tuple's values come off the stack; cells are counted), so
 * memory is bounded by the pickle's length.  Containers are numbers, never pointers followed by recursion: depth costs nothing.
 */
#include "pickle.h"

#include <stdio.h>
#include <string.h>

/* A VGG has 38 tensors and a pickle of 3 kB; checkpoints with an optimiser's state a few times that. */
#define PICKLE_MAX ((size_t)4 << 20)
#define STORAGES_MAX 1024
#define TENSORS_MAX 65536
#define CELLS_MAX ((size_t)1 << 20)
#define DICTS_MAX 64

enum { MAKE_DICT, MAKE_TENSOR, MAKE_PARAMETER, MAKE_SIZE, STORAGE };

/* All that may be named. */
static const struct {
    const char *module, *name;
    int what;
    nst_number number;
    unsigned each;
} globals[] = {
    { "collections", "OrderedDict", MAKE_DICT, NST_NO_FLOAT, 0 },
    { "torch._utils", "_rebuild_tensor", MAKE_TENSOR, NST_NO_FLOAT, 0 },
    { "torch._utils", "_rebuild_tensor_v2", MAKE_TENSOR, NST_NO_FLOAT, 0 },
    { "torch._utils", "_rebuild_parameter", MAKE_PARAMETER, NST_NO_FLOAT, 0 },
    { "torch", "Size", MAKE_SIZE, NST_NO_FLOAT, 0 },
    { "torch", "FloatStorage", STORAGE, NST_F32, 4 },
    { "torch", "HalfStorage", STORAGE, NST_F16, 2 },
    { "torch", "BFloat16Storage", STORAGE, NST_BF16, 2 },
    { "torch", "DoubleStorage", STORAGE, NST_F64, 8 },
    { "torch", "LongStorage", STORAGE, NST_NO_FLOAT, 8 },
    { "torch", "IntStorage", STORAGE, NST_NO_FLOAT, 4 },
    { "torch", "ShortStorage", STORAGE, NST_NO_FLOAT, 2 },
    { "torch", "CharStorage", STORAGE, NST_NO_FLOAT, 1 },
    { "torch", "ByteStorage", STORAGE, NST_NO_FLOAT, 1 },
    { "torch", "BoolStorage", STORAGE, NST_NO_FLOAT, 1 },
};

struct cell {
    nst_value key, value;
    uint32_t next; /* 0: the last */
};

struct container {
    uint32_t first, last;
};

struct tensor {
    uint32_t storage;
    uint64_t offset;
    int dims;
    uint64_t shape[4], stride[4];
};

/* An array that grows. */
struct pool {
    void *p;
    size_t n, room;
};

struct nst_pickle {
    const char *path;
    const unsigned char *start, *p, *end;
    struct pool stack, memo, values; /* nst_value */
    struct pool cells, containers, storages, tensors;
};

static nst_status grow(nst_pickle *k, struct pool *a, size_t n, size_t each, nst_error *e)
{
    size_t room = a->room ? a->room : 64;
    void *p;

    if (n <= a->room)
        return NST_OK;
    while (room < n)
        room *= 2;
    if (!(p = nst_calloc(room, each)))
        return nst_fail(e, NST_EMEM, "%s: out of memory", k->path);
    if (a->n)
        memcpy(p, a->p, a->n * each);
    nst_free(a->p);
    a->p = p;
    a->room = room;
    return NST_OK;
}

static nst_status damaged(const nst_pickle *k, const char *what, nst_error *e)
{
    return nst_fail(e, NST_EFORMAT, "%s: its pickle is damaged at byte %zu: %s", k->path, (size_t)(k->p - k->start),
                    what);
}

static nst_status push(nst_pickle *k, nst_value v, nst_error *e)
{
    nst_status s = grow(k, &k->stack, k->stack.n + 1, sizeof v, e);

    if (!s)
        ((nst_value *)k->stack.p)[k->stack.n++] = v;
    return s;
}

static nst_status push_int(nst_pickle *k, nst_kind kind, int64_t i, nst_error *e)
{
    return push(k, (nst_value){ .kind = (uint8_t)kind, .u.i = i }, e);
}

/* The top of the stack, taken off. */
static nst_status pop(nst_pickle *k, nst_value *v, nst_error *e)
{
    *v = (nst_value){ .kind = NST_KIND_OTHER };
    if (!k->stack.n || ((nst_value *)k->stack.p)[k->stack.n - 1].kind == NST_KIND_MARK)
        return damaged(k, "a value is missing", e);
    *v = ((nst_value *)k->stack.p)[k->stack.n - 1];
    k->stack.n--;
    return NST_OK;
}

/* The values above the last mark, n of them from number *from of the stack; the mark itself lies below. */
static nst_status find_mark(const nst_pickle *k, size_t *from, size_t *n, nst_error *e)
{
    const nst_value *v = k->stack.p;

    for (size_t i = k->stack.n; i > 0; i--)
        if (v[i - 1].kind == NST_KIND_MARK) {
            *from = i;
            *n = k->stack.n - i;
            return NST_OK;
        }
    return damaged(k, "a mark is missing", e);
}

static nst_status read_number(nst_pickle *k, size_t bytes, uint64_t *v, nst_error *e)
{
    *v = 0;
    if ((size_t)(k->end - k->p) < bytes)
        return damaged(k, "it ends here", e);
    for (size_t i = 0; i < bytes; i++)
        *v |= (uint64_t)*k->p++ << 8 * i;
    return NST_OK;
}

/* ---- values ------------------------------------------------------------------ */

static nst_status make_container(nst_pickle *k, nst_kind kind, nst_error *e)
{
    nst_status s = grow(k, &k->containers, k->containers.n + 1, sizeof(struct container), e);

    return s ? s : push_int(k, kind, (int64_t)k->containers.n++, e);
}

static nst_status add_cell(nst_pickle *k, nst_value container, nst_value key, nst_value value, nst_error *e)
{
    size_t n = k->cells.n ? k->cells.n : 1; /* cell 0 is no cell */
    nst_status s = grow(k, &k->cells, n + 1, sizeof(struct cell), e);
    struct container *c;
    struct cell *cells;

    if (n == CELLS_MAX)
        return damaged(k, "absurdly many items", e);
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

/* The n top values become a tuple. */
static nst_status make_tuple(nst_pickle *k, size_t n, nst_error *e)
{
    nst_value t = { .kind = NST_KIND_TUPLE, .n = (uint32_t)n, .u.i = (int64_t)k->values.n };
    nst_status s;

    if (k->stack.n < n)
        return damaged(k, "a tuple's values are missing", e);
    if ((s = grow(k, &k->values, k->values.n + n, sizeof(nst_value), e)))
        return s;
    if (n)
        memcpy((nst_value *)k->values.p + k->values.n, (nst_value *)k->stack.p + k->stack.n - n, n * sizeof(nst_value));
    for (size_t i = 0; i < n; i++)
        if (((nst_value *)k->values.p)[k->values.n + i].kind == NST_KIND_MARK)
            return damaged(k, "a mark in a tuple", e);
    k->values.n += n;
    k->stack.n -= n;
    return push(k, t, e);
}

/* Value i of a tuple; OTHER when there is none, or it is no tuple. */
static nst_value item(const nst_pickle *k, nst_value tuple, size_t i)
{
    if (tuple.kind != NST_KIND_TUPLE || i >= tuple.n)
        return (nst_value){ .kind = NST_KIND_OTHER };
    return ((const nst_value *)k->values.p)[(size_t)tuple.u.i + i];
}

static bool is(nst_value v, const char *text)
{
    return v.kind == NST_KIND_STRING && v.n == strlen(text) && !memcmp(v.u.s, text, v.n);
}

/* A line of a GLOBAL: up to the newline, which is eaten. */
static nst_status read_line(nst_pickle *k, nst_value *v, nst_error *e)
{
    const unsigned char *end = memchr(k->p, '\n', (size_t)(k->end - k->p));

    if (!end || end - k->p > 255)
        return damaged(k, "a name does not end", e);
    *v = (nst_value){ .kind = NST_KIND_STRING, .n = (uint32_t)(end - k->p), .u.s = (const char *)k->p };
    k->p = end + 1;
    return NST_OK;
}

/* For a message: what can be printed of it. */
static const char *show(nst_value v, char *text, size_t room)
{
    size_t n = 0;

    for (; v.kind == NST_KIND_STRING && n < v.n && n + 1 < room; n++)
        text[n] = v.u.s[n] > 32 && v.u.s[n] < 127 ? v.u.s[n] : '?';
    text[n] = 0;
    return text;
}

static nst_status make_global(nst_pickle *k, nst_value module, nst_value name, nst_error *e)
{
    char a[64], b[64];

    for (size_t i = 0; i < NST_COUNT(globals); i++)
        if ((is(module, globals[i].module) || (globals[i].what == STORAGE && is(module, "torch.cuda"))) &&
            is(name, globals[i].name))
            return push_int(k, NST_KIND_GLOBAL, (int64_t)i, e);
    return nst_fail(e, NST_EFORMAT, "%s: names %s.%s, which weights do not need; nothing in it was executed, expected a "
                    "state dict", k->path, show(module, a, sizeof a), show(name, b, sizeof b));
}

/* Where a view begins in its storage. */
static nst_status view_offset(const nst_pickle *k, nst_value view, bool given, uint64_t count, uint32_t *at, nst_error *e)
{
    nst_value offset = item(k, view, 1), n = item(k, view, 2);

    *at = 0;
    if (!given || view.kind == NST_KIND_NONE)
        return NST_OK;
    if (view.kind != NST_KIND_TUPLE || view.n != 3 || offset.kind != NST_KIND_INT || n.kind != NST_KIND_INT || offset.u.i < 0 ||
        n.u.i < 0 || (uint64_t)offset.u.i > UINT32_MAX || (uint64_t)offset.u.i > count || (uint64_t)n.u.i > count - (uint64_t)offset.u.i)
        return damaged(k, "a storage's view lies outside of it", e);
    *at = (uint32_t)offset.u.i;
    return NST_OK;
}

/* ("storage", class, key, location, count) and, in files from before 2018, a view: (its key, offset, count) or None. */
static nst_status make_storage(nst_pickle *k, nst_error *e)
{
    nst_value t, class, key, count;
    nst_status s = pop(k, &t, e);
    uint32_t offset = 0;
    nst_storage *to;

    if (s)
        return s;
    if (t.kind != NST_KIND_TUPLE || t.n < 5 || t.n > 6 || !is(item(k, t, 0), "storage"))
        return damaged(k, "a storage's description expected", e);
    class = item(k, t, 1);
    key = item(k, t, 2);
    count = item(k, t, 4);
    if (class.kind != NST_KIND_GLOBAL || globals[class.u.i].what != STORAGE || key.kind != NST_KIND_STRING ||
        count.kind != NST_KIND_INT || count.u.i < 0)
        return damaged(k, "a storage's type, key and length expected", e);
    if ((s = view_offset(k, item(k, t, 5), t.n == 6, (uint64_t)count.u.i, &offset, e)))
        return s;
    to = k->storages.p;
    for (size_t i = 0; i < k->storages.n; i++) /* tensors may share one */
        if (to[i].key.n == key.n && !memcmp(to[i].key.u.s, key.u.s, key.n)) {
            if (to[i].count != (uint64_t)count.u.i || to[i].each != globals[class.u.i].each)
                return damaged(k, "a storage is described in two ways", e);
            return push(k, (nst_value){ .kind = NST_KIND_STORAGE, .n = offset, .u.i = (int64_t)i }, e);
        }
    if (k->storages.n == STORAGES_MAX)
        return nst_fail(e, NST_EFORMAT, "%s: has more than %d storages, expected a VGG", k->path, STORAGES_MAX);
    if ((s = grow(k, &k->storages, k->storages.n + 1, sizeof *to, e)))
        return s;
    to = k->storages.p;
    to[k->storages.n] = (nst_storage){ key, globals[class.u.i].number, globals[class.u.i].each, (uint64_t)count.u.i, 0 };
    return push(k, (nst_value){ .kind = NST_KIND_STORAGE, .n = offset, .u.i = (int64_t)k->storages.n++ }, e);
}

/* (storage, offset, size, stride, ...) */
static nst_status make_tensor(nst_pickle *k, nst_value args, nst_error *e)
{
    nst_value storage = item(k, args, 0), offset = item(k, args, 1), shape = item(k, args, 2), stride = item(k, args, 3);
    struct tensor t = { 0 };
    nst_status s;

    if (storage.kind != NST_KIND_STORAGE || offset.kind != NST_KIND_INT || offset.u.i < 0 ||
        shape.kind != NST_KIND_TUPLE || stride.kind != NST_KIND_TUPLE || shape.n != stride.n)
        return damaged(k, "a tensor's storage, offset, size and stride expected", e);
    t.storage = (uint32_t)storage.u.i;
    t.offset = (uint64_t)offset.u.i + storage.n; /* 63 and 32 bits */
    t.dims = shape.n > 64 ? 64 : (int)shape.n;
    for (uint32_t i = 0; i < shape.n; i++) {
        nst_value n = item(k, shape, i), step = item(k, stride, i);

        if (n.kind != NST_KIND_INT || step.kind != NST_KIND_INT || n.u.i < 0 || step.u.i < 0)
            return damaged(k, "a tensor's size and stride are to be numbers", e);
        if (i < 4)
            t.shape[i] = (uint64_t)n.u.i, t.stride[i] = (uint64_t)step.u.i;
    }
    if (k->tensors.n == TENSORS_MAX)
        return nst_fail(e, NST_EFORMAT, "%s: has more than %d tensors, expected a VGG", k->path, TENSORS_MAX);
    if ((s = grow(k, &k->tensors, k->tensors.n + 1, sizeof t, e)))
        return s;
    ((struct tensor *)k->tensors.p)[k->tensors.n] = t;
    return push_int(k, NST_KIND_TENSOR, (int64_t)k->tensors.n++, e);
}

/* OrderedDict() and, from Python 2, OrderedDict([[key, value], ...]). */
static nst_status make_dict(nst_pickle *k, nst_value args, nst_error *e)
{
    nst_value list = item(k, args, 0), pair, dict, both[2];
    uint32_t cell = 0;
    nst_status s;

    if (args.n > 1 || (args.n == 1 && list.kind != NST_KIND_LIST))
        return damaged(k, "a dict's pairs expected", e);
    if ((s = make_container(k, NST_KIND_DICT, e)))
        return s;
    dict = ((nst_value *)k->stack.p)[k->stack.n - 1];
    while (args.n && nst_pickle_next(k, list, &cell, &pair)) {
        uint32_t inner = 0;

        if (pair.kind == NST_KIND_TUPLE && pair.n == 2)
            both[0] = item(k, pair, 0), both[1] = item(k, pair, 1);
        else if (pair.kind != NST_KIND_LIST || !nst_pickle_next(k, pair, &inner, &both[0]) ||
                 !nst_pickle_next(k, pair, &inner, &both[1]))
            return damaged(k, "a dict's pair expected", e);
        if ((s = add_cell(k, dict, both[0], both[1], e)))
            return s;
    }
    return NST_OK;
}

/* A call that is no call: one of five things is made. */
static nst_status reduce(nst_pickle *k, nst_error *e)
{
    nst_value args, callee;
    nst_status s;

    if ((s = pop(k, &args, e)) || (s = pop(k, &callee, e)))
        return s;
    if (callee.kind != NST_KIND_GLOBAL || args.kind != NST_KIND_TUPLE)
        return damaged(k, "a call of something that is no global", e);
    switch (globals[callee.u.i].what) {
    case MAKE_DICT:
        return make_dict(k, args, e);
    case MAKE_TENSOR:
        return make_tensor(k, args, e);
    case MAKE_PARAMETER:
        if (item(k, args, 0).kind == NST_KIND_TENSOR)
            return push(k, item(k, args, 0), e);
        return damaged(k, "a parameter's tensor expected", e);
    case MAKE_SIZE:
        if (item(k, args, 0).kind == NST_KIND_TUPLE)
            return push(k, item(k, args, 0), e);
        return damaged(k, "a size's numbers expected", e);
    default:
        return damaged(k, "a storage is called", e);
    }
}

/* ---- opcodes ------------------------------------------------------------------- */

/* The n values from number `from` of the stack on go into the container below them (and below the mark, if any). */
static nst_status append(nst_pickle *k, size_t from, size_t n, bool marked, bool pairs, nst_error *e)
{
    nst_value *v = k->stack.p;
    size_t at = from - (marked ? 1 : 0);
    nst_status s = NST_OK;

    if (at < 1 || v[at - 1].kind != (pairs ? NST_KIND_DICT : NST_KIND_LIST) || (pairs && n % 2))
        return damaged(k, pairs ? "items for something that is no dict" : "items for something that is no list", e);
    for (size_t i = 0; i < n && !s; i += pairs ? 2 : 1) {
        if (v[from + i].kind == NST_KIND_MARK || (pairs && v[from + i + 1].kind == NST_KIND_MARK))
            return damaged(k, "a mark among items", e);
        s = add_cell(k, v[at - 1], v[from + i], v[from + i + (pairs ? 1 : 0)], e);
    }
    k->stack.n = at;
    return s;
}

static nst_status put(nst_pickle *k, uint64_t at, nst_error *e)
{
    nst_value *v = k->stack.p;
    nst_status s;

    if (!k->stack.n || v[k->stack.n - 1].kind == NST_KIND_MARK)
        return damaged(k, "nothing to remember", e);
    if (at >= (uint64_t)(k->p - k->start)) /* a writer counts up from 0 */
        return damaged(k, "an absurd number in the memo", e);
    if ((s = grow(k, &k->memo, (size_t)at + 1, sizeof *v, e)))
        return s;
    while (k->memo.n <= at)
        ((nst_value *)k->memo.p)[k->memo.n++].kind = NST_KIND_MARK; /* empty */
    ((nst_value *)k->memo.p)[at] = v[k->stack.n - 1];
    return NST_OK;
}

static nst_status get(nst_pickle *k, uint64_t at, nst_error *e)
{
    const nst_value *v = k->memo.p;

    if (at >= k->memo.n || v[at].kind == NST_KIND_MARK)
        return damaged(k, "the memo has no such entry", e);
    return push(k, v[at], e);
}

static nst_status push_string(nst_pickle *k, size_t length_bytes, nst_error *e)
{
    uint64_t n;
    nst_status s = read_number(k, length_bytes, &n, e);
    const unsigned char *p = k->p;

    if (s)
        return s;
    if (n > (uint64_t)(k->end - k->p) || n > UINT32_MAX)
        return damaged(k, "a string is longer than the rest", e);
    k->p += n;
    return push(k, (nst_value){ .kind = NST_KIND_STRING, .n = (uint32_t)n, .u.s = (const char *)p }, e);
}

/* LONG1: a little-endian number of that many bytes; a larger one than ours is not needed for anything. */
static nst_status push_long(nst_pickle *k, nst_error *e)
{
    uint64_t n, v;
    nst_status s;

    if ((s = read_number(k, 1, &n, e)))
        return s;
    if (n > 8) {
        if (n > (uint64_t)(k->end - k->p))
            return damaged(k, "it ends here", e);
        k->p += n;
        return push_int(k, NST_KIND_OTHER, 0, e);
    }
    if ((s = read_number(k, (size_t)n, &v, e)))
        return s;
    if (n && n < 8 && v >> (8 * n - 1))
        v |= UINT64_MAX << 8 * n;
    return push_int(k, NST_KIND_INT, (int64_t)v, e);
}

static nst_status skip(nst_pickle *k, size_t n, nst_error *e)
{
    if ((size_t)(k->end - k->p) < n)
        return damaged(k, "it ends here", e);
    k->p += n;
    return NST_OK;
}

static nst_status drop(nst_pickle *k, nst_error *e)
{
    nst_value v;

    return pop(k, &v, e);
}

/* Opcodes with a number behind them, and those that work on what lies above a mark. */
static nst_status marked(nst_pickle *k, int op, nst_error *e)
{
    size_t from = 0, n = 0;
    nst_status s = find_mark(k, &from, &n, e);

    if (s)
        return s;
    if (op != 't')
        return append(k, from, n, true, op == 'u', e);
    if ((s = make_tuple(k, n, e)))
        return s;
    k->stack.n--;
    ((nst_value *)k->stack.p)[k->stack.n - 1] = ((nst_value *)k->stack.p)[k->stack.n]; /* over the mark */
    return NST_OK;
}

static nst_status global(nst_pickle *k, bool from_stack, nst_error *e)
{
    nst_value module, name;
    nst_status s;

    if (from_stack ? (s = pop(k, &name, e)) || (s = pop(k, &module, e))
                   : (s = read_line(k, &module, e)) || (s = read_line(k, &name, e)))
        return s;
    return make_global(k, module, name, e);
}

static nst_status step(nst_pickle *k, int op, nst_error *e)
{
    uint64_t v;
    nst_status s;

    switch (op) {
    case 0x80: /* PROTO */
        return skip(k, 1, e);
    case 0x95: /* FRAME */
        return skip(k, 8, e);
    case '(': /* MARK */
        return push_int(k, NST_KIND_MARK, 0, e);
    case 'N':
        return push_int(k, NST_KIND_NONE, 0, e);
    case 0x88: case 0x89: /* NEWTRUE, NEWFALSE */
        return push_int(k, NST_KIND_BOOL, op == 0x88, e);
    case 'J': case 'K': case 'M': /* BININT, BININT1, BININT2 */
        if ((s = read_number(k, op == 'J' ? 4 : op == 'K' ? 1 : 2, &v, e)))
            return s;
        return push_int(k, NST_KIND_INT, op == 'J' ? (int32_t)(uint32_t)v : (int64_t)v, e);
    case 0x8a:
        return push_long(k, e);
    case 'G': /* BINFLOAT */
        return (s = skip(k, 8, e)) ? s : push_int(k, NST_KIND_OTHER, 0, e);
    case 'X': case 'T': /* BINUNICODE, BINSTRING */
        return push_string(k, 4, e);
    case 0x8c: case 'U': /* SHORT_BINUNICODE, SHORT_BINSTRING */
        return push_string(k, 1, e);
    case 'q': case 'r': case 'h': case 'j': /* BINPUT, LONG_BINPUT, BINGET, LONG_BINGET */
        if ((s = read_number(k, op == 'q' || op == 'h' ? 1 : 4, &v, e)))
            return s;
        return op == 'q' || op == 'r' ? put(k, v, e) : get(k, v, e);
    case 0x94: /* MEMOIZE */
        return put(k, k->memo.n, e);
    case ')': case 0x85: case 0x86: case 0x87: /* EMPTY_TUPLE, TUPLE1 to TUPLE3 */
        return make_tuple(k, op == ')' ? 0 : (size_t)op - 0x84, e);
    case ']':
        return make_container(k, NST_KIND_LIST, e);
    case '}':
        return make_container(k, NST_KIND_DICT, e);
    case 't': case 'e': case 'u': /* TUPLE, APPENDS, SETITEMS */
        return marked(k, op, e);
    case 'a': case 's': /* APPEND, SETITEM */
        v = op == 'a' ? 1 : 2;
        return k->stack.n > v ? append(k, k->stack.n - v, v, false, op == 's', e) : damaged(k, "a value is missing", e);
    case 'c': case 0x93: /* GLOBAL, STACK_GLOBAL */
        return global(k, op == 0x93, e);
    case 'Q': /* BINPERSID */
        return make_storage(k, e);
    case 'R': case 0x81: /* REDUCE, NEWOBJ */
        return reduce(k, e);
    case 'b': /* BUILD: an OrderedDict's attributes */
        return drop(k, e);
    default:
        return nst_fail(e, NST_EFORMAT, "%s: byte %zu of its pickle is opcode 0x%02x, which weights do not need; nothing "
                        "in it was executed", k->path, (size_t)(k->p - k->start) - 1, (unsigned)op);
    }
}

nst_status nst_pickle_read(nst_pickle **out, const char *path, const unsigned char *bytes, size_t n, size_t *used,
                           nst_error *e)
{
    nst_pickle *k = nst_calloc(1, sizeof *k);
    nst_status s = NST_OK;

    *out = NULL;
    if (!k)
        return nst_fail(e, NST_EMEM, "%s: out of memory", path);
    k->path = path;
    k->start = k->p = bytes;
    k->end = bytes + (n < PICKLE_MAX ? n : PICKLE_MAX);
    for (;;) {
        if (k->p == k->end) {
            s = damaged(k, "it ends here", e);
            break;
        }
        if (*k->p++ == '.') { /* STOP */
            if (k->stack.n != 1 || ((nst_value *)k->stack.p)[0].kind == NST_KIND_MARK)
                s = damaged(k, "one value expected at its end", e);
            break;
        }
        if ((s = step(k, k->p[-1], e)))
            break;
    }
    if (s) {
        nst_pickle_close(&k);
        return s;
    }
    *used = (size_t)(k->p - k->start);
    *out = k;
    return NST_OK;
}

void nst_pickle_close(nst_pickle **p)
{
    nst_pickle *k = *p;

    *p = NULL;
    if (!k)
        return;
    nst_free(k->stack.p);
    nst_free(k->memo.p);
    nst_free(k->values.p);
    nst_free(k->cells.p);
    nst_free(k->containers.p);
    nst_free(k->storages.p);
    nst_free(k->tensors.p);
    nst_free(k);
}

/* ---- what was in it ------------------------------------------------------------ */

nst_value nst_pickle_root(const nst_pickle *p)
{
    return ((const nst_value *)p->stack.p)[0];
}

static const struct cell *next_cell(const nst_pickle *p, nst_value container, uint32_t *cell)
{
    const struct cell *cells = p->cells.p;

    *cell = *cell ? cells[*cell].next : ((const struct container *)p->containers.p)[container.u.i].first;
    return *cell ? &cells[*cell] : NULL;
}

bool nst_pickle_next(const nst_pickle *p, nst_value list, uint32_t *cell, nst_value *v)
{
    const struct cell *c = list.kind == NST_KIND_LIST && *cell != UINT32_MAX ? next_cell(p, list, cell) : NULL;

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
        while ((c = next_cell(p, dict, &cell)))
            if (is(c->key, key))
                return c->value;
    return (nst_value){ .kind = NST_KIND_NONE };
}

nst_storage *nst_pickle_storages(nst_pickle *p, size_t *n)
{
    *n = p->storages.n;
    return p->storages.p;
}

static bool name_of(const struct cell *c, nst_stored *t)
{
    if (c->key.kind != NST_KIND_STRING || c->value.kind != NST_KIND_TENSOR || c->key.n >= sizeof t->name)
        return false;
    memcpy(t->name, c->key.u.s, c->key.n);
    t->name[c->key.n] = 0;
    return nst_weights_wants(t->name);
}

static bool has_layers(const nst_pickle *p, nst_value dict)
{
    const struct cell *c;
    uint32_t cell = 0;
    nst_stored t;

    while (dict.kind == NST_KIND_DICT && (c = next_cell(p, dict, &cell)))
        if (name_of(c, &t))
            return true;
    return false;
}

/* A checkpoint keeps the weights one dict further in, beside what else training needs. */
static nst_value find_layers(const nst_pickle *p)
{
    nst_value root = nst_pickle_root(p);
    const struct cell *c;
    uint32_t cell = 0;

    if (has_layers(p, root) || root.kind != NST_KIND_DICT)
        return root;
    for (int dicts = 0; dicts < DICTS_MAX && (c = next_cell(p, root, &cell)); dicts += c->value.kind == NST_KIND_DICT)
        if (has_layers(p, c->value))
            return c->value;
    return root;
}

nst_status nst_pickle_tensors(const nst_pickle *p, nst_weights *w, nst_error *e)
{
    nst_value dict = find_layers(p);
    const struct cell *c;
    uint32_t cell = 0;

    if (dict.kind != NST_KIND_DICT)
        return nst_fail(e, NST_EFORMAT, "%s: holds no dict of tensors, expected a state dict", p->path);
    while ((c = next_cell(p, dict, &cell))) {
        const struct tensor *from;
        const nst_storage *storage;
        nst_stored t = { 0 };
        uint64_t bytes;
        nst_status s;

        if (!name_of(c, &t))
            continue;
        from = (const struct tensor *)p->tensors.p + c->value.u.i;
        storage = (const nst_storage *)p->storages.p + from->storage;
        snprintf(t.type, sizeof t.type, "%s", storage->number ? "float" : "integer");
        t.number = storage->number;
        t.dims = from->dims;
        memcpy(t.shape, from->shape, sizeof t.shape);
        memcpy(t.stride, from->stride, sizeof t.stride);
        t.id = from->storage;
        if (storage->count > UINT64_MAX / 8 || from->offset > storage->count)
            return nst_fail(e, NST_EFORMAT, "%s: tensor %s begins behind the end of its storage", p->path, t.name);
        bytes = storage->count * storage->each;
        t.at = from->offset * storage->each;
        t.bytes = bytes - t.at;
        if ((s = nst_weights_add(w, &t, e)))
            return s;
    }
    return NST_OK;
}
