/* torch.c: weights from what torch.save wrote before it wrote zip files.
 *
 * The file: five pickles (a magic number, the protocol, the system, the object, a list of the storages' keys), then
 * the storages in the order of the keys, each after its length.
 */
#include "model/formats/pickle.h"
#include "model/formats/readers.h"

#include <string.h>

/* The first two pickles, as torch.save writes them with the pickle protocol that it uses unless it is told
 * otherwise. */
static const unsigned char begin[] = { 0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19,
                                       '.', 0x80, 2, 'M', 0xe9, 3, '.' };

struct reader {
    nst_weights w;
    nst_pickle *object;
    size_t at; /* what of the map is read */
};

static nst_status read_pickle(struct reader *r, nst_pickle **p, nst_error *e)
{
    size_t used;
    nst_status s = nst_pickle_read(p, r->w.path, r->w.map + r->at, r->w.map_bytes - r->at, &used, e);

    if (!s)
        r->at += used;
    return s;
}

static nst_status check_system(struct reader *r, nst_error *e)
{
    nst_pickle *system;
    nst_status s = read_pickle(r, &system, e);
    nst_value little;

    if (s)
        return s;
    little = nst_pickle_get(system, nst_pickle_root(system), "little_endian");
    if (little.kind == NST_KIND_BOOL && !little.u.i)
        s = nst_fail(e, NST_EUNSUPPORTED, "%s: was written on a big-endian machine; save it again on another",
                     r->w.path);
    nst_pickle_close(&system);
    return s;
}

static nst_storage *find(nst_storage *storages, size_t n, nst_value key)
{
    for (size_t i = 0; i < n && key.kind == NST_KIND_STRING; i++)
        if (storages[i].key.n == key.n && !memcmp(storages[i].key.u.s, key.u.s, key.n))
            return &storages[i];
    return NULL;
}

/* Where each storage lies, by adding up their lengths; all are 0 at first, which no storage's place is. */
static nst_status place(struct reader *r, const nst_pickle *keys, nst_error *e)
{
    size_t n;
    nst_storage *storages = nst_pickle_storages(r->object, &n);
    uint32_t cell = 0;
    nst_value key;

    while (nst_pickle_next(keys, nst_pickle_root(keys), &cell, &key)) {
        nst_storage *to = find(storages, n, key);
        uint64_t count = 0, left;

        if (!to || to->at)
            return nst_fail(e, NST_EFORMAT, "%s: its list of storages does not fit its tensors", r->w.path);
        if (r->w.map_bytes - r->at < 8)
            return nst_fail(e, NST_EFORMAT, "%s: ends where a storage is expected: it is truncated", r->w.path);
        for (int i = 0; i < 8; i++)
            count |= (uint64_t)r->w.map[r->at++] << 8 * i;
        if (count != to->count)
            return nst_fail(e, NST_EFORMAT, "%s: a storage has %llu numbers, expected %llu", r->w.path,
                            (unsigned long long)count, (unsigned long long)to->count);
        left = r->w.map_bytes - r->at;
        if (count > left / to->each)
            return nst_fail(e, NST_EFORMAT, "%s: a storage of %llu numbers of %u bytes has only %llu: it is truncated",
                            r->w.path, (unsigned long long)count, to->each, (unsigned long long)left);
        to->at = r->at;
        r->at += (size_t)count * to->each;
    }
    return NST_OK;
}

/* Turns places within a storage into places in the file. */
static nst_status resolve(const struct reader *r, nst_stored *t, nst_error *e)
{
    size_t n;
    const nst_storage *storages = nst_pickle_storages(r->object, &n);

    if (!t->name[0])
        return NST_OK;
    if (!storages[t->id].at)
        return nst_fail(e, NST_EFORMAT, "%s: the storage of tensor %s is not in it", r->w.path, t->name);
    t->at += storages[t->id].at;
    return NST_OK;
}

static nst_status read_all(struct reader *r, nst_error *e)
{
    nst_pickle *keys;
    nst_stored *t;
    nst_status s;

    if (r->w.map_bytes < sizeof begin || memcmp(r->w.map, begin, sizeof begin))
        return nst_fail(e, NST_EFORMAT, "%s: begins as torch.save's files do, but its protocol is not 1001", r->w.path);
    r->at = sizeof begin;
    s = check_system(r, e);
    if (!s)
        s = read_pickle(r, &r->object, e);
    if (!s)
        s = read_pickle(r, &keys, e);
    if (s)
        return s;
    s = place(r, keys, e);
    nst_pickle_close(&keys);
    if (!s)
        s = nst_pickle_tensors(r->object, &r->w, e);
    if (!s)
        s = nst_weights_arrange(&r->w, e);
    if (s)
        return s;
    t = nst_weights_tensor(&r->w, 0);
    for (int i = 0; t; t = nst_weights_tensor(&r->w, ++i)) {
        s = resolve(r, t, e);
        if (s)
            return s;
    }
    return NST_OK;
}

nst_status nst_model_open_torch(nst_model **out, const char *path, nst_error *e)
{
    struct reader *r = nst_calloc(1, sizeof *r);
    nst_status s;

    *out = NULL;
    if (!r)
        return nst_fail(e, NST_EMEM, "%s: out of memory", path);
    r->w.path = path;
    r->w.format = "torch.save, before zip";
    s = nst_weights_map(&r->w, e);
    if (!s)
        s = read_all(r, e);
    if (!s)
        s = nst_weights_build(out, &r->w, e);
    nst_pickle_close(&r->object);
    nst_weights_close(&r->w);
    nst_free(r);
    return s;
}
