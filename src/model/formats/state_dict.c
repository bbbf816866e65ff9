/* state_dict.c: what torch.save's pickles name, storages, tensors in them, dicts of those, and which of it are a
 * model's weights.  No other name has a meaning. */
#include "model/formats/pickle_values.h"

#include <stdio.h>
#include <string.h>

#define STORAGES_MAX 1024
#define TENSORS_MAX 65536
#define DICTS_MAX 64
#define DEPTH_MAX 2 /* of dicts in dicts */

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

/* For a message: what can be printed of it. */
static const char *show(nst_value v, char *text, size_t room)
{
    size_t n = 0;

    for (; v.kind == NST_KIND_STRING && n < v.n && n + 1 < room; n++)
        text[n] = v.u.s[n] > 32 && v.u.s[n] < 127 ? v.u.s[n] : '?';
    text[n] = 0;
    return text;
}

nst_status nst_pickle_global(nst_pickle *k, nst_value module, nst_value name, nst_error *e)
{
    char a[64], b[64];

    for (size_t i = 0; i < NST_COUNT(globals); i++)
        if (nst_value_is(name, globals[i].name) &&
            (nst_value_is(module, globals[i].module) ||
             (globals[i].what == STORAGE && nst_value_is(module, "torch.cuda"))))
            return nst_pickle_push_int(k, NST_KIND_GLOBAL, (int64_t)i, e);
    return nst_fail(e, NST_EFORMAT,
                    "%s: names %s.%s, which weights do not need; nothing in it was executed, expected a "
                    "state dict", k->path, show(module, a, sizeof a), show(name, b, sizeof b));
}

/* Where a view begins in its storage. */
static nst_status view_offset(const nst_pickle *k, nst_value view, bool given, uint64_t count, uint32_t *at,
                              nst_error *e)
{
    nst_value offset = nst_pickle_item(k, view, 1), n = nst_pickle_item(k, view, 2);

    *at = 0;
    if (!given || view.kind == NST_KIND_NONE)
        return NST_OK;
    if (view.kind != NST_KIND_TUPLE || view.n != 3 || offset.kind != NST_KIND_INT || n.kind != NST_KIND_INT ||
        offset.u.i < 0 || n.u.i < 0 || (uint64_t)offset.u.i > UINT32_MAX || (uint64_t)offset.u.i > count ||
        (uint64_t)n.u.i > count - (uint64_t)offset.u.i)
        return nst_pickle_damaged(k, "a storage's view lies outside of it", e);
    *at = (uint32_t)offset.u.i;
    return NST_OK;
}

/* ("storage", class, key, location, count) and, in files from before 2018, a view: (its key, offset, count) or None. */
nst_status nst_pickle_storage(nst_pickle *k, nst_error *e)
{
    nst_value t, class, key, count;
    nst_status s = nst_pickle_pop(k, &t, e);
    uint32_t offset = 0;
    nst_storage *to;

    if (s)
        return s;
    if (t.kind != NST_KIND_TUPLE || t.n < 5 || t.n > 6 || !nst_value_is(nst_pickle_item(k, t, 0), "storage"))
        return nst_pickle_damaged(k, "a storage's description expected", e);
    class = nst_pickle_item(k, t, 1);
    key = nst_pickle_item(k, t, 2);
    count = nst_pickle_item(k, t, 4);
    if (class.kind != NST_KIND_GLOBAL || globals[class.u.i].what != STORAGE || key.kind != NST_KIND_STRING ||
        count.kind != NST_KIND_INT || count.u.i < 0)
        return nst_pickle_damaged(k, "a storage's type, key and length expected", e);
    s = view_offset(k, nst_pickle_item(k, t, 5), t.n == 6, (uint64_t)count.u.i, &offset, e);
    if (s)
        return s;
    to = k->storages.p;
    for (size_t i = 0; i < k->storages.n; i++) /* tensors may share one */
        if (to[i].key.n == key.n && !memcmp(to[i].key.u.s, key.u.s, key.n)) {
            if (to[i].count != (uint64_t)count.u.i || to[i].each != globals[class.u.i].each)
                return nst_pickle_damaged(k, "a storage is described in two ways", e);
            return nst_pickle_push(k, (nst_value){ .kind = NST_KIND_STORAGE, .n = offset, .u.i = (int64_t)i }, e);
        }
    if (k->storages.n == STORAGES_MAX)
        return nst_fail(e, NST_EFORMAT, "%s: has more than %d storages, expected a VGG", k->path, STORAGES_MAX);
    s = nst_pickle_grow(k, &k->storages, k->storages.n + 1, sizeof *to, e);
    if (s)
        return s;
    to = k->storages.p;
    to[k->storages.n] = (nst_storage){ key, globals[class.u.i].number, globals[class.u.i].each, (uint64_t)count.u.i,
                                       0 };
    return nst_pickle_push(k, (nst_value){ .kind = NST_KIND_STORAGE, .n = offset, .u.i = (int64_t)k->storages.n++ }, e);
}

/* (storage, offset, size, stride, ...) */
static nst_status make_tensor(nst_pickle *k, nst_value args, nst_error *e)
{
    nst_value storage = nst_pickle_item(k, args, 0), offset = nst_pickle_item(k, args, 1);
    nst_value shape = nst_pickle_item(k, args, 2), stride = nst_pickle_item(k, args, 3);
    struct tensor t = { 0 };
    nst_status s;

    if (storage.kind != NST_KIND_STORAGE || offset.kind != NST_KIND_INT || offset.u.i < 0 ||
        shape.kind != NST_KIND_TUPLE || stride.kind != NST_KIND_TUPLE || shape.n != stride.n)
        return nst_pickle_damaged(k, "a tensor's storage, offset, size and stride expected", e);
    t.storage = (uint32_t)storage.u.i;
    t.offset = (uint64_t)offset.u.i + storage.n; /* 63 and 32 bits */
    t.dims = shape.n > 64 ? 64 : (int)shape.n;
    for (uint32_t i = 0; i < shape.n; i++) {
        nst_value n = nst_pickle_item(k, shape, i), step = nst_pickle_item(k, stride, i);

        if (n.kind != NST_KIND_INT || step.kind != NST_KIND_INT || n.u.i < 0 || step.u.i < 0)
            return nst_pickle_damaged(k, "a tensor's size and stride are to be numbers", e);
        if (i < 4)
            t.shape[i] = (uint64_t)n.u.i, t.stride[i] = (uint64_t)step.u.i;
    }
    if (k->tensors.n == TENSORS_MAX)
        return nst_fail(e, NST_EFORMAT, "%s: has more than %d tensors, expected a VGG", k->path, TENSORS_MAX);
    s = nst_pickle_grow(k, &k->tensors, k->tensors.n + 1, sizeof t, e);
    if (s)
        return s;
    ((struct tensor *)k->tensors.p)[k->tensors.n] = t;
    return nst_pickle_push_int(k, NST_KIND_TENSOR, (int64_t)k->tensors.n++, e);
}

/* OrderedDict() and, from Python 2, OrderedDict([[key, value], ...]). */
static nst_status make_dict(nst_pickle *k, nst_value args, nst_error *e)
{
    nst_value list = nst_pickle_item(k, args, 0), pair, dict, both[2];
    uint32_t cell = 0;
    nst_status s;

    if (args.n > 1 || (args.n == 1 && list.kind != NST_KIND_LIST))
        return nst_pickle_damaged(k, "a dict's pairs expected", e);
    s = nst_pickle_container(k, NST_KIND_DICT, e);
    if (s)
        return s;
    dict = ((nst_value *)k->stack.p)[k->stack.n - 1];
    while (args.n && nst_pickle_next(k, list, &cell, &pair)) {
        uint32_t inner = 0;

        if (pair.kind == NST_KIND_TUPLE && pair.n == 2)
            both[0] = nst_pickle_item(k, pair, 0), both[1] = nst_pickle_item(k, pair, 1);
        else if (pair.kind != NST_KIND_LIST || !nst_pickle_next(k, pair, &inner, &both[0]) ||
                 !nst_pickle_next(k, pair, &inner, &both[1]))
            return nst_pickle_damaged(k, "a dict's pair expected", e);
        s = nst_pickle_add(k, dict, both[0], both[1], e);
        if (s)
            return s;
    }
    return NST_OK;
}

nst_status nst_pickle_reduce(nst_pickle *k, nst_error *e)
{
    nst_value args, callee;
    nst_status s = nst_pickle_pop(k, &args, e);

    if (!s)
        s = nst_pickle_pop(k, &callee, e);
    if (s)
        return s;
    if (callee.kind != NST_KIND_GLOBAL || args.kind != NST_KIND_TUPLE)
        return nst_pickle_damaged(k, "a call of something that is no global", e);
    switch (globals[callee.u.i].what) {
    case MAKE_DICT:
        return make_dict(k, args, e);
    case MAKE_TENSOR:
        return make_tensor(k, args, e);
    case MAKE_PARAMETER:
        if (nst_pickle_item(k, args, 0).kind == NST_KIND_TENSOR)
            return nst_pickle_push(k, nst_pickle_item(k, args, 0), e);
        return nst_pickle_damaged(k, "a parameter's tensor expected", e);
    case MAKE_SIZE:
        if (nst_pickle_item(k, args, 0).kind == NST_KIND_TUPLE)
            return nst_pickle_push(k, nst_pickle_item(k, args, 0), e);
        return nst_pickle_damaged(k, "a size's numbers expected", e);
    default:
        return nst_pickle_damaged(k, "a storage is called", e);
    }
}

/* ---- what was in it ------------------------------------------------------------ */

nst_storage *nst_pickle_storages(nst_pickle *p, size_t *n)
{
    *n = p->storages.n;
    return p->storages.p;
}

/* The dicts of one pickle on their way. */
struct dict {
    const nst_pickle *p;
    nst_weights *w;
    int dicts; /* looked at so far */
};

/* "state_dict." and "features.0.weight": what is too long is no name of a layer. */
static bool name_of(const char *before, const struct cell *c, char name[NST_STORED_NAME])
{
    size_t n = strlen(before);

    if (c->key.kind != NST_KIND_STRING || c->key.n + n + 1 >= NST_STORED_NAME)
        return false;
    memcpy(name, before, n);
    memcpy(name + n, c->key.u.s, c->key.n);
    name[n + c->key.n] = 0;
    for (size_t i = n; i < n + c->key.n; i++)
        if (name[i] <= 32 || name[i] > 126)
            name[i] = '?';
    return true;
}

static nst_status take_tensor(const struct dict *d, const char *name, const struct cell *c, nst_error *e)
{
    const struct tensor *from = (const struct tensor *)d->p->tensors.p + c->value.u.i;
    const nst_storage *storage = (const nst_storage *)d->p->storages.p + from->storage;
    nst_stored t = { .number = storage->number, .dims = from->dims, .id = from->storage };

    if (!nst_weights_wants(name))
        return NST_OK;
    memcpy(t.name, name, strlen(name) + 1);
    snprintf(t.type, sizeof t.type, "%s", storage->number ? "float" : "integer");
    memcpy(t.shape, from->shape, sizeof t.shape);
    memcpy(t.stride, from->stride, sizeof t.stride);
    if (storage->count > UINT64_MAX / 8 || from->offset > storage->count)
        return nst_fail(e, NST_EFORMAT, "%s: tensor %s begins behind the end of its storage", d->p->path, t.name);
    t.at = from->offset * storage->each;
    t.bytes = storage->count * storage->each - t.at;
    return nst_weights_add(d->w, &t, e);
}

/* The tensors of a dict and of those in it: a checkpoint keeps the weights one or two dicts further in, beside what
 * else training needs. */
static nst_status take_dict(struct dict *d, nst_value dict, const char *before, int depth, nst_error *e)
{
    uint32_t cell = 0;
    nst_status s = NST_OK;

    while (!s) {
        const struct cell *c = nst_pickle_cell(d->p, dict, &cell);
        char name[NST_STORED_NAME];

        if (!c)
            break;
        if (!name_of(before, c, name))
            continue;
        if (c->value.kind == NST_KIND_TENSOR)
            s = take_tensor(d, name, c, e);
        if (c->value.kind != NST_KIND_DICT || depth == DEPTH_MAX || d->dicts++ >= DICTS_MAX ||
            strlen(name) + 2 > sizeof name)
            continue;
        strcat(name, ".");
        s = take_dict(d, c->value, name, depth + 1, e);
    }
    return s;
}

nst_status nst_pickle_tensors(const nst_pickle *p, nst_weights *w, nst_error *e)
{
    struct dict d = { p, w, 0 };
    nst_value root = nst_pickle_root(p);

    if (root.kind != NST_KIND_DICT)
        return nst_fail(e, NST_EFORMAT, "%s: holds no dict of tensors, expected a state dict", p->path);
    return take_dict(&d, root, "", 0, e);
}
