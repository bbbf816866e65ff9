/* keras.c: weights from Keras' HDF5 files: a group block1_conv1 a layer, with its kernel [3][3][in][out] and its
 * bias. */
#include "model/formats/readers.h"
#include "model/tensors.h"

#ifdef HAVE_HDF5

#include <hdf5.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/lazy.h"

#define SYMBOLS(X)                                                                                                   \
    X(H5Dget_create_plist) X(H5Dget_space) X(H5Dget_storage_size) X(H5Dget_type) X(H5Dread) X(H5Eget_auto2)          \
    X(H5Eset_auto2) X(H5Fclose) X(H5Fopen) X(H5Iget_type) X(H5Lvisit) X(H5Oclose) X(H5Oopen) X(H5Pclose)             \
    X(H5Pcreate) X(H5Pget_external_count) X(H5Pget_filter2) X(H5Pget_layout) X(H5Pget_nfilters)                      \
    X(H5Pset_fclose_degree) X(H5Sclose) X(H5Sget_simple_extent_dims) X(H5Sget_simple_extent_ndims) X(H5Tclose)       \
    X(H5Tget_class) X(H5Tget_size) X(H5check_version) X(H5open) X(H5P_CLS_FILE_ACCESS_ID_g) X(H5T_IEEE_F32LE_g)
NST_LAZY(HDF5, SYMBOLS)
/* in what the header makes of H5F_ACC_RDONLY, H5P_FILE_ACCESS and H5T_IEEE_F32LE */
#define H5check_version lib.H5check_version
#define H5open lib.H5open
#define H5P_CLS_FILE_ACCESS_ID_g (*lib.H5P_CLS_FILE_ACCESS_ID_g)
#define H5T_IEEE_F32LE_g (*lib.H5T_IEEE_F32LE_g)

/* The most that deflate can make of a byte, and a little. */
#define BLOWN_UP 1100

struct reader {
    nst_weights w;
    hid_t file;
    nst_status status;
    nst_error *e;
    unsigned char *scratch;
    size_t room;
};

/* "model_weights/block3_conv2/block3_conv2/kernel:0": true with 3 and 2.  An optimiser's state has such names, too. */
static bool parse_path(const char *path, int *block, int *index)
{
    int end = 0;

    path = strncmp(path, "optimizer", 9) ? strstr(path, "block") : NULL;
    return path && sscanf(path, "block%1d_conv%1d%n", block, index, &end) == 2 &&
        (path[end] == '/' || path[end] == '_');
}

/* n numbers of so many bytes that lie in this file, all of them, as they are or packed by the library's own filters:
 * libhdf5 1.10 reads on behind those of a compact set that has fewer than its shape says. */
static bool lies_inside(hid_t set, uint64_t n, size_t size)
{
    hid_t how = lib.H5Dget_create_plist(set);
    bool good = how >= 0 && lib.H5Pget_external_count(how) == 0 && lib.H5Pget_layout(how) != H5D_VIRTUAL;
    bool chunked = good && lib.H5Pget_layout(how) == H5D_CHUNKED;
    int filters = chunked ? lib.H5Pget_nfilters(how) : 0;

    for (int i = 0; i < filters && good; i++) {
        unsigned flags, values[1];
        size_t count = 1;
        H5Z_filter_t filter = lib.H5Pget_filter2(how, (unsigned)i, &flags, &count, values, 0, NULL, NULL);

        good = filter == H5Z_FILTER_DEFLATE || filter == H5Z_FILTER_SHUFFLE || filter == H5Z_FILTER_FLETCHER32;
    }
    if (how >= 0)
        lib.H5Pclose(how);
    return good && size && n / (chunked ? BLOWN_UP : 1) <= lib.H5Dget_storage_size(set) / size;
}

static nst_status take(struct reader *r, hid_t set, int block, int index, nst_error *e)
{
    hsize_t d[4] = { 0 };
    hid_t space = lib.H5Dget_space(set), type = lib.H5Dget_type(set);
    size_t size = lib.H5Tget_size(type);
    int dims = lib.H5Sget_simple_extent_ndims(space);
    nst_stored t = { .dims = dims, .exact = true, .id = (int64_t)set };

    if (dims == 1 || dims == 4)
        lib.H5Sget_simple_extent_dims(space, d, NULL);
    t.number = lib.H5Tget_class(type) == H5T_FLOAT ? NST_F32 : NST_NO_FLOAT; /* the library converts */
    snprintf(t.type, sizeof t.type, "integer");
    lib.H5Tclose(type);
    lib.H5Sclose(space);
    if (dims != 1 && dims != 4)
        return NST_OK;
    snprintf(t.name, sizeof t.name, "conv%d_%d.%s", block, index, dims == 4 ? "weight" : "bias");
    t.bytes = sizeof(float);
    for (int i = 0; i < dims; i++)
        t.bytes = d[i] <= 65536 && t.bytes < (uint64_t)1 << 40 ? t.bytes * d[i] : 0;
    if (dims == 4) {
        const uint64_t shape[4] = { d[3], d[2], d[0], d[1] }, stride[4] = { 1, d[3], d[1] * d[2] * d[3], d[2] * d[3] };

        memcpy(t.shape, shape, sizeof shape);
        memcpy(t.stride, stride, sizeof stride);
    } else {
        t.shape[0] = d[0];
        t.stride[0] = 1;
    }
    if (!lies_inside(set, t.bytes / sizeof(float), size))
        return nst_fail(e, NST_EFORMAT, "%s: the numbers of %s are missing, in another file, or packed by an unknown "
                        "filter", r->w.path, t.name);
    return nst_weights_add(&r->w, &t, e);
}

/* For each link of the file; soft links and links to other files are not followed. */
static herr_t visit(hid_t group, const char *path, const H5L_info_t *link, void *arg)
{
    struct reader *r = arg;
    int block, index;
    hid_t object;

    if (link->type != H5L_TYPE_HARD || !parse_path(path, &block, &index))
        return 0;
    object = lib.H5Oopen(group, path, H5P_DEFAULT);
    if (object < 0) {
        r->status = nst_fail(r->e, NST_EFORMAT, "%s: the numbers of conv%d_%d cannot be read: it is damaged",
                             r->w.path, block, index);
        return 1;
    }
    if (lib.H5Iget_type(object) != H5I_DATASET) {
        lib.H5Oclose(object);
        return 0;
    }
    r->status = take(r, object, block, index, r->e); /* stays open until the file is closed */
    return r->status ? 1 : 0;
}

static nst_status fetch(void *arg, const nst_stored *t, const unsigned char **p, nst_error *e)
{
    struct reader *r = arg;

    if (t->bytes > r->room) {
        nst_free(r->scratch);
        r->room = 0;
        r->scratch = nst_alloc((size_t)t->bytes);
        if (!r->scratch)
            return nst_fail(e, NST_EMEM, "%s: out of memory for %s", r->w.path, t->name);
        r->room = (size_t)t->bytes;
    }
    if (lib.H5Dread((hid_t)t->id, H5T_IEEE_F32LE, H5S_ALL, H5S_ALL, H5P_DEFAULT, r->scratch) < 0)
        return nst_fail(e, NST_EFORMAT, "%s: the numbers of %s cannot be read: it is damaged", r->w.path, t->name);
    *p = r->scratch;
    return NST_OK;
}

static nst_status read_all(struct reader *r, nst_model **out, nst_error *e)
{
    hid_t access = lib.H5Pcreate(H5P_FILE_ACCESS);

    lib.H5Pset_fclose_degree(access, H5F_CLOSE_STRONG); /* closes what is open in it */
    r->file = lib.H5Fopen(r->w.path, H5F_ACC_RDONLY, access);
    lib.H5Pclose(access);
    if (r->file < 0)
        return nst_fail(e, NST_EFORMAT, "%s: is a damaged or truncated HDF5 file", r->w.path);
    if (lib.H5Lvisit(r->file, H5_INDEX_NAME, H5_ITER_NATIVE, visit, r) < 0)
        return nst_fail(e, NST_EFORMAT, "%s: its groups are damaged", r->w.path);
    return r->status ? r->status : nst_weights_finish(out, &r->w, e);
}

/* libhdf5 is usually built without locks of its own: one of our threads in it at a time. */
static pthread_mutex_t in_library = PTHREAD_MUTEX_INITIALIZER;

nst_status nst_model_open_keras(nst_model **out, const char *path, nst_error *e)
{
    struct reader *r;
    H5E_auto2_t printer;
    void *printer_data;
    nst_error why;
    nst_status s = load(&why);

    *out = NULL;
    if (s)
        return nst_fail(e, s, "%s: %s", path, why.text);
    r = nst_calloc(1, sizeof *r);
    if (!r)
        return nst_fail(e, NST_EMEM, "%s: out of memory", path);
    r->w.path = path;
    r->w.format = "Keras HDF5";
    r->w.fetch = fetch;
    r->w.arg = r;
    r->w.input = "caffe";
    r->w.why = "Keras' VGGs come from Caffe's";
    r->e = e;
    r->file = -1;
    pthread_mutex_lock(&in_library);
    lib.H5Eget_auto2(H5E_DEFAULT, &printer, &printer_data); /* which would write to standard error */
    lib.H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    s = read_all(r, out, e);
    if (r->file >= 0)
        lib.H5Fclose(r->file);
    lib.H5Eset_auto2(H5E_DEFAULT, printer, printer_data);
    pthread_mutex_unlock(&in_library);
    nst_weights_close(&r->w);
    nst_free(r->scratch);
    nst_free(r);
    return s;
}

#else

nst_status nst_model_open_keras(nst_model **out, const char *path, nst_error *e)
{
    *out = NULL;
    return nst_fail(e, NST_EUNSUPPORTED, "%s: is an HDF5 file, as Keras writes; this build of nst lacks libhdf5, which "
                    "reads it", path);
}

#endif
