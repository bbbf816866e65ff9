/* torch_zip.c: weights from the zip files of today's torch.save: NAME/data.pkl and the storages NAME/data/0, 1, ...,
 * none of them compressed. */
#include "model/formats/pickle.h"
#include "model/formats/readers.h"

#ifdef HAVE_LIBZIP

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zip.h>

#define PICKLE_MAX ((size_t)4 << 20)
#define ENTRIES_MAX 65536

struct reader {
    nst_weights w;
    zip_t *zip;
    nst_pickle *pickle;
    char folder[128]; /* "archive/" */
    uint64_t bytes;   /* of the whole file */
    unsigned char *text; /* the pickle */
    unsigned char *scratch;
    size_t room;
    int64_t loaded; /* the storage in the scratch; -1: none */
};

static nst_status fail_zip(const struct reader *r, const char *entry, zip_error_t *z, nst_error *e)
{
    return nst_fail(e, NST_EFORMAT, "%s: %s cannot be read: %s", r->w.path, entry, zip_error_strerror(z));
}

static nst_status open_zip(struct reader *r, nst_error *e)
{
    int code = 0;
    struct stat st;
    zip_error_t z;
    nst_status s;
    zip_int64_t n;

    if (stat(r->w.path, &st))
        return nst_fail(e, NST_EIO, "%s: cannot be read: %s", r->w.path, strerror(errno));
    r->bytes = (uint64_t)st.st_size;
    r->zip = zip_open(r->w.path, ZIP_RDONLY, &code);
    if (!r->zip) {
        zip_error_init_with_code(&z, code);
        s = nst_fail(e, NST_EFORMAT, "%s: cannot be opened as a zip file: %s", r->w.path, zip_error_strerror(&z));
        zip_error_fini(&z);
        return s;
    }
    n = zip_get_num_entries(r->zip, 0);
    if (n > ENTRIES_MAX)
        return nst_fail(e, NST_EFORMAT, "%s: has %lld entries, expected what torch.save writes", r->w.path,
                        (long long)n);
    for (zip_int64_t i = 0; i < n; i++) {
        const char *name = zip_get_name(r->zip, (zip_uint64_t)i, ZIP_FL_ENC_RAW);
        const char *slash = name ? strchr(name, '/') : NULL;

        if (slash && !strcmp(slash, "/data.pkl") && slash - name < (ptrdiff_t)sizeof r->folder - 1) {
            memcpy(r->folder, name, (size_t)(slash - name) + 1);
            return NST_OK;
        }
    }
    return nst_fail(e, NST_EFORMAT, "%s: is a zip file without data.pkl, expected what torch.save writes", r->w.path);
}

/* The whole entry into the scratch, after its folder's name and up to max bytes; its checksum is looked at, too. */
static nst_status read_entry(struct reader *r, const char *name, uint64_t max, uint64_t *bytes, nst_error *e)
{
    const zip_uint64_t need = ZIP_STAT_INDEX | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
    char entry[256];
    unsigned char end;
    zip_stat_t st;
    zip_file_t *f;
    nst_status s = NST_OK;
    zip_int64_t got;

    *bytes = 0;
    snprintf(entry, sizeof entry, "%s%s", r->folder, name);
    if (zip_stat(r->zip, entry, ZIP_FL_ENC_RAW, &st))
        return fail_zip(r, entry, zip_get_error(r->zip), e);
    if ((st.valid & need) != need || st.comp_method != ZIP_CM_STORE || st.size != st.comp_size)
        return nst_fail(e, NST_EFORMAT, "%s: %s is compressed, expected a zip file as torch.save writes it", r->w.path,
                        entry);
    if (st.size > max || st.size > r->bytes || st.size > SIZE_MAX)
        return nst_fail(e, NST_EFORMAT, "%s: %s has %llu bytes, expected at most %llu", r->w.path, entry,
                        (unsigned long long)st.size, (unsigned long long)(max < r->bytes ? max : r->bytes));
    if (st.size > r->room) {
        nst_free(r->scratch);
        r->room = 0;
        r->scratch = nst_alloc((size_t)st.size);
        if (!r->scratch)
            return nst_fail(e, NST_EMEM, "%s: out of memory for %s", r->w.path, entry);
        r->room = (size_t)st.size;
    }
    f = zip_fopen_index(r->zip, st.index, 0);
    if (!f)
        return fail_zip(r, entry, zip_get_error(r->zip), e);
    while (*bytes < st.size) {
        got = zip_fread(f, r->scratch + *bytes, st.size - *bytes);
        if (got <= 0)
            break;
        *bytes += (uint64_t)got;
    }
    if (*bytes < st.size || zip_fread(f, &end, 1) != 0) /* at the end the checksum is looked at */
        s = fail_zip(r, entry, zip_file_get_error(f), e);
    zip_fclose(f);
    return s;
}

static nst_status read_pickle(struct reader *r, nst_error *e)
{
    uint64_t n;
    size_t used;
    nst_status s;

    if (!read_entry(r, "byteorder", 16, &n, NULL) && n >= 3 && !memcmp(r->scratch, "big", 3))
        return nst_fail(e, NST_EUNSUPPORTED, "%s: was written on a big-endian machine; save it again on another",
                        r->w.path);
    s = read_entry(r, "data.pkl", PICKLE_MAX, &n, e);
    if (s)
        return s;
    r->text = r->scratch; /* strings of the pickle point into it: it is not to be the scratch of the next entry */
    r->scratch = NULL;
    r->room = 0;
    return nst_pickle_read(&r->pickle, r->w.path, r->text, (size_t)n, &used, e);
}

static nst_status fetch(void *arg, const nst_stored *t, const unsigned char **p, nst_error *e)
{
    struct reader *r = arg;
    size_t n;
    const nst_storage *storage = nst_pickle_storages(r->pickle, &n) + t->id;
    uint64_t bytes, expected = storage->count * storage->each;
    char name[64];
    nst_status s;

    if (t->id == r->loaded) { /* tensors may share one */
        *p = r->scratch + t->at;
        return NST_OK;
    }
    r->loaded = -1;
    if (storage->key.n > 32)
        return nst_fail(e, NST_EFORMAT, "%s: the storage of %s has an absurd name", r->w.path, t->name);
    snprintf(name, sizeof name, "data/%.*s", (int)storage->key.n, storage->key.u.s);
    s = read_entry(r, name, expected, &bytes, e);
    if (s)
        return s;
    if (bytes != expected)
        return nst_fail(e, NST_EFORMAT, "%s: %s%s has %llu bytes, expected %llu", r->w.path, r->folder, name,
                        (unsigned long long)bytes, (unsigned long long)expected);
    r->loaded = t->id;
    *p = r->scratch + t->at;
    return NST_OK;
}

nst_status nst_model_open_torchzip(nst_model **out, const char *path, nst_error *e)
{
    struct reader *r = nst_calloc(1, sizeof *r);
    nst_status s;

    *out = NULL;
    if (!r)
        return nst_fail(e, NST_EMEM, "%s: out of memory", path);
    r->w.path = path;
    r->w.format = "torch.save";
    r->w.fetch = fetch;
    r->w.arg = r;
    r->loaded = -1;
    s = open_zip(r, e);
    if (!s)
        s = read_pickle(r, e);
    if (!s)
        s = nst_pickle_tensors(r->pickle, &r->w, e);
    if (!s)
        s = nst_weights_finish(out, &r->w, e);
    nst_weights_close(&r->w);
    nst_pickle_close(&r->pickle);
    nst_free(r->text);
    nst_free(r->scratch);
    if (r->zip)
        zip_discard(r->zip);
    nst_free(r);
    return s;
}

#else

nst_status nst_model_open_torchzip(nst_model **out, const char *path, nst_error *e)
{
    *out = NULL;
    return nst_fail(e, NST_EUNSUPPORTED,
                    "%s: is a zip file, as torch.save writes; this build of nst lacks libzip, which "
                    "reads it", path);
}

#endif
