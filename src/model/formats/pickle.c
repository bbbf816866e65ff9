/* pickle.c: an interpreter of the few pickle opcodes that state dicts use.  What it works on is in pickle_values.c,
 * what the names in it mean in state_dict.c.
 *
 * An opcode makes at most one value, cell or memo entry (a tuple's values come off the stack; cells are counted), so
 * memory is bounded by the pickle's length.  Containers are numbers, never pointers followed by recursion: depth
 * costs nothing.
 */
#include "model/formats/pickle_values.h"

#include <string.h>

/* A VGG has 38 tensors and a pickle of 3 kB; checkpoints with an optimiser's state a few times that. */
#define PICKLE_MAX ((size_t)4 << 20)

static nst_status read_number(nst_pickle *k, size_t bytes, uint64_t *v, nst_error *e)
{
    *v = 0;
    if ((size_t)(k->end - k->p) < bytes)
        return nst_pickle_damaged(k, "it ends here", e);
    for (size_t i = 0; i < bytes; i++)
        *v |= (uint64_t)*k->p++ << 8 * i;
    return NST_OK;
}

/* A line of a GLOBAL: up to the newline, which is eaten. */
static nst_status read_line(nst_pickle *k, nst_value *v, nst_error *e)
{
    const unsigned char *end = memchr(k->p, '\n', (size_t)(k->end - k->p));

    if (!end || end - k->p > 255)
        return nst_pickle_damaged(k, "a name does not end", e);
    *v = (nst_value){ .kind = NST_KIND_STRING, .n = (uint32_t)(end - k->p), .u.s = (const char *)k->p };
    k->p = end + 1;
    return NST_OK;
}

/* The n values from number `from` of the stack on go into the container below them (and below the mark, if any). */
static nst_status append(nst_pickle *k, size_t from, size_t n, bool marked, bool pairs, nst_error *e)
{
    nst_value *v = k->stack.p;
    size_t at = from - (marked ? 1 : 0);
    nst_status s = NST_OK;

    if (at < 1 || v[at - 1].kind != (pairs ? NST_KIND_DICT : NST_KIND_LIST) || (pairs && n % 2))
        return nst_pickle_damaged(k,
                                  pairs ? "items for something that is no dict" : "items for something that is no list",
                                  e);
    for (size_t i = 0; i < n && !s; i += pairs ? 2 : 1) {
        if (v[from + i].kind == NST_KIND_MARK || (pairs && v[from + i + 1].kind == NST_KIND_MARK))
            return nst_pickle_damaged(k, "a mark among items", e);
        s = nst_pickle_add(k, v[at - 1], v[from + i], v[from + i + (pairs ? 1 : 0)], e);
    }
    k->stack.n = at;
    return s;
}

static nst_status put(nst_pickle *k, uint64_t at, nst_error *e)
{
    nst_value *v = k->stack.p;
    nst_status s;

    if (!k->stack.n || v[k->stack.n - 1].kind == NST_KIND_MARK)
        return nst_pickle_damaged(k, "nothing to remember", e);
    if (at >= (uint64_t)(k->p - k->start)) /* a writer counts up from 0 */
        return nst_pickle_damaged(k, "an absurd number in the memo", e);
    s = nst_pickle_grow(k, &k->memo, (size_t)at + 1, sizeof *v, e);
    if (s)
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
        return nst_pickle_damaged(k, "the memo has no such entry", e);
    return nst_pickle_push(k, v[at], e);
}

static nst_status push_string(nst_pickle *k, size_t length_bytes, nst_error *e)
{
    uint64_t n;
    nst_status s = read_number(k, length_bytes, &n, e);
    const unsigned char *p = k->p;

    if (s)
        return s;
    if (n > (uint64_t)(k->end - k->p) || n > UINT32_MAX)
        return nst_pickle_damaged(k, "a string is longer than the rest", e);
    k->p += n;
    return nst_pickle_push(k, (nst_value){ .kind = NST_KIND_STRING, .n = (uint32_t)n, .u.s = (const char *)p }, e);
}

/* One of four bytes has a sign, shorter ones have none. */
static nst_status push_number(nst_pickle *k, size_t bytes, nst_error *e)
{
    uint64_t v;
    nst_status s = read_number(k, bytes, &v, e);

    if (s)
        return s;
    return nst_pickle_push_int(k, NST_KIND_INT, bytes == 4 ? (int32_t)(uint32_t)v : (int64_t)v, e);
}

/* LONG1: a little-endian number of that many bytes; a larger one than ours is not needed for anything. */
static nst_status push_long(nst_pickle *k, nst_error *e)
{
    uint64_t n, v;
    nst_status s = read_number(k, 1, &n, e);

    if (s)
        return s;
    if (n > 8) {
        if (n > (uint64_t)(k->end - k->p))
            return nst_pickle_damaged(k, "it ends here", e);
        k->p += n;
        return nst_pickle_push_int(k, NST_KIND_OTHER, 0, e);
    }
    s = read_number(k, (size_t)n, &v, e);
    if (s)
        return s;
    if (n && n < 8 && v >> (8 * n - 1))
        v |= UINT64_MAX << 8 * n;
    return nst_pickle_push_int(k, NST_KIND_INT, (int64_t)v, e);
}

static nst_status skip(nst_pickle *k, size_t n, nst_error *e)
{
    if ((size_t)(k->end - k->p) < n)
        return nst_pickle_damaged(k, "it ends here", e);
    k->p += n;
    return NST_OK;
}

static nst_status drop(nst_pickle *k, nst_error *e)
{
    nst_value v;

    return nst_pickle_pop(k, &v, e);
}

/* Opcodes with a number behind them, and those that work on what lies above a mark. */
static nst_status marked(nst_pickle *k, int op, nst_error *e)
{
    size_t from = 0, n = 0;
    nst_status s = nst_pickle_mark(k, &from, &n, e);

    if (s)
        return s;
    if (op != 't')
        return append(k, from, n, true, op == 'u', e);
    s = nst_pickle_tuple(k, n, e);
    if (s)
        return s;
    k->stack.n--;
    ((nst_value *)k->stack.p)[k->stack.n - 1] = ((nst_value *)k->stack.p)[k->stack.n]; /* over the mark */
    return NST_OK;
}

static nst_status global(nst_pickle *k, bool from_stack, nst_error *e)
{
    nst_value module, name;
    nst_status s;

    if (from_stack) {
        s = nst_pickle_pop(k, &name, e);
        if (!s)
            s = nst_pickle_pop(k, &module, e);
    } else {
        s = read_line(k, &module, e);
        if (!s)
            s = read_line(k, &name, e);
    }
    return s ? s : nst_pickle_global(k, module, name, e);
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
        return nst_pickle_push_int(k, NST_KIND_MARK, 0, e);
    case 'N':
        return nst_pickle_push_int(k, NST_KIND_NONE, 0, e);
    case 0x88: case 0x89: /* NEWTRUE, NEWFALSE */
        return nst_pickle_push_int(k, NST_KIND_BOOL, op == 0x88, e);
    case 'J': /* BININT */
        return push_number(k, 4, e);
    case 'K': /* BININT1 */
        return push_number(k, 1, e);
    case 'M': /* BININT2 */
        return push_number(k, 2, e);
    case 0x8a:
        return push_long(k, e);
    case 'G': /* BINFLOAT */
        s = skip(k, 8, e);
        return s ? s : nst_pickle_push_int(k, NST_KIND_OTHER, 0, e);
    case 'X': case 'T': /* BINUNICODE, BINSTRING */
        return push_string(k, 4, e);
    case 0x8c: case 'U': /* SHORT_BINUNICODE, SHORT_BINSTRING */
        return push_string(k, 1, e);
    case 'q': case 'r': case 'h': case 'j': /* BINPUT, LONG_BINPUT, BINGET, LONG_BINGET */
        s = read_number(k, op == 'q' || op == 'h' ? 1 : 4, &v, e);
        if (s)
            return s;
        return op == 'q' || op == 'r' ? put(k, v, e) : get(k, v, e);
    case 0x94: /* MEMOIZE */
        return put(k, k->memo.n, e);
    case ')': case 0x85: case 0x86: case 0x87: /* EMPTY_TUPLE, TUPLE1 to TUPLE3 */
        return nst_pickle_tuple(k, op == ')' ? 0 : (size_t)op - 0x84, e);
    case ']':
        return nst_pickle_container(k, NST_KIND_LIST, e);
    case '}':
        return nst_pickle_container(k, NST_KIND_DICT, e);
    case 't': case 'e': case 'u': /* TUPLE, APPENDS, SETITEMS */
        return marked(k, op, e);
    case 'a': case 's': /* APPEND, SETITEM */
        v = op == 'a' ? 1 : 2;
        return k->stack.n > v ? append(k, k->stack.n - v, v, false, op == 's', e)
                              : nst_pickle_damaged(k, "a value is missing", e);
    case 'c': case 0x93: /* GLOBAL, STACK_GLOBAL */
        return global(k, op == 0x93, e);
    case 'Q': /* BINPERSID */
        return nst_pickle_storage(k, e);
    case 'R': case 0x81: /* REDUCE, NEWOBJ */
        return nst_pickle_reduce(k, e);
    case 'b': /* BUILD: an OrderedDict's attributes */
        return drop(k, e);
    default:
        return nst_fail(e, NST_EFORMAT,
                        "%s: byte %zu of its pickle is opcode 0x%02x, which weights do not need; nothing "
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
            s = nst_pickle_damaged(k, "it ends here", e);
            break;
        }
        if (*k->p++ == '.') { /* STOP */
            if (k->stack.n != 1 || ((nst_value *)k->stack.p)[0].kind == NST_KIND_MARK)
                s = nst_pickle_damaged(k, "one value expected at its end", e);
            break;
        }
        s = step(k, k->p[-1], e);
        if (s)
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
