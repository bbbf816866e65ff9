/* matconvnet.c: weights from MatConvNet's MATLAB files: a cell array "layers" of structs, each with a name and its weights
 * [3][3][in][out], the first dimension nearest. */
#include "weights.h"

#ifdef HAVE_MATIO

#include <matio.h>
#include <stdio.h>
#include <string.h>

#define LAYERS_MAX 256
/* The most that zlib can make of a byte, and a little. */
#define BLOWN_UP 1100

struct reader {
    nst_weights w;
    mat_t *mat;
    matvar_t *layers, *tensor[2 * LAYERS_MAX];
    int tensors;
    unsigned char *scratch;
    size_t room;
};

/* A short text of ASCII, as MATLAB keeps it in bytes or pairs of them. */
static bool read_text(mat_t *mat, matvar_t *v, char *text, size_t room)
{
    size_t n = 1;

    if (!v || v->class_type != MAT_C_CHAR || v->rank != 2 || !v->dims || !nst_mul(v->dims[0], v->dims[1], &n) || n >= room ||
        Mat_VarReadDataAll(mat, v) || !v->data || v->data_size < 1 || v->data_size > 2 ||
        v->nbytes < n * (size_t)v->data_size)
        return false;
    for (size_t i = 0; i < n; i++) {
        unsigned c = v->data_size == 1 ? ((const uint8_t *)v->data)[i] : ((const uint16_t *)v->data)[i];

        text[i] = c > 32 && c < 127 ? (char)c : '?';
    }
    text[n] = 0;
    return true;
}

static nst_status take(struct reader *r, matvar_t *v, const char *layer, bool bias, nst_error *e)
{
    nst_stored t = { .dims = bias ? 1 : 4, .exact = true, .id = r->tensors };
    uint64_t d[4] = { 1, 1, 1, 1 };

    snprintf(t.name, sizeof t.name, "%s.%s", layer, bias ? "bias" : "weight");
    snprintf(t.type, sizeof t.type, "no float");
    if (!nst_weights_wants(t.name))
        return NST_OK;
    if (!v) /* the library leaves out what it cannot read */
        return nst_fail(e, NST_EFORMAT, "%s: tensor %s is missing: it is damaged or truncated", r->w.path, t.name);
    if (v->rank < 1 || v->rank > 4 || !v->dims || v->isComplex)
        return nst_fail(e, NST_EFORMAT, "%s: tensor %s has %d dimensions or is complex", r->w.path, t.name, v->rank);
    for (int i = 0; i < v->rank; i++)
        d[i] = v->dims[i];
    t.number = v->class_type == MAT_C_SINGLE || v->class_type == MAT_C_DOUBLE ? NST_F32 : NST_NO_FLOAT;
    t.bytes = sizeof(float);
    for (int i = 0; i < 4; i++)
        t.bytes = d[i] <= 65536 && t.bytes < (uint64_t)1 << 40 ? t.bytes * d[i] : 0;
    if (bias) {
        t.shape[0] = d[0] * d[1]; /* a row or a column */
        t.stride[0] = 1;
    } else {
        const uint64_t shape[4] = { d[3], d[2], d[0], d[1] }, stride[4] = { d[0] * d[1] * d[2], d[0] * d[1], 1, d[0] };

        memcpy(t.shape, shape, sizeof shape);
        memcpy(t.stride, stride, sizeof stride);
    }
    if (t.bytes / BLOWN_UP > r->w.map_bytes)
        return nst_fail(e, NST_EFORMAT, "%s: tensor %s is larger than the file can hold", r->w.path, t.name);
    r->tensor[r->tensors++] = v;
    return nst_weights_add(&r->w, &t, e);
}

/* A field of a struct of one element.  The library does not look itself whether a damaged file left a name or the data out. */
static matvar_t *field(matvar_t *layer, const char *name)
{
    unsigned n = Mat_VarGetNumberOfFields(layer);
    char *const *names = Mat_VarGetStructFieldnames(layer);

    if (!names || !layer->data || layer->rank != 2 || !layer->dims || layer->dims[0] != 1 || layer->dims[1] != 1)
        return NULL;
    for (unsigned i = 0; i < n; i++)
        if (!names[i])
            return NULL;
    return Mat_VarGetStructFieldByName(layer, name, 0);
}

/* Since 2015 weights is a cell of both, before that there are filters and biases. */
static nst_status take_layer(struct reader *r, matvar_t *layer, nst_error *e)
{
    matvar_t *weights, *filters, *biases;
    char name[32];
    nst_status s;

    if (!layer || layer->class_type != MAT_C_STRUCT ||
        !read_text(r->mat, field(layer, "name"), name, sizeof name))
        return nst_fail(e, NST_EFORMAT, "%s: a layer without a name: it is damaged, truncated, or not MatConvNet's",
                        r->w.path);
    weights = field(layer, "weights");
    filters = field(layer, "filters");
    biases = field(layer, "biases");
    if (weights && weights->class_type == MAT_C_CELL && weights->data && weights->rank == 2 && weights->dims && weights->dims[0] * weights->dims[1] == 2) {
        filters = Mat_VarGetCell(weights, 0);
        biases = Mat_VarGetCell(weights, 1);
    }
    return (s = take(r, filters, name, false, e)) ? s : take(r, biases, name, true, e);
}

/* Floats of this machine or doubles become little-endian floats, which is what the bytes of a tensor are. */
static nst_status fetch(void *arg, const nst_stored *t, const unsigned char **p, nst_error *e)
{
    struct reader *r = arg;
    matvar_t *v = r->tensor[t->id];
    size_t n = (size_t)t->bytes / sizeof(float), each = v->class_type == MAT_C_DOUBLE ? sizeof(double) : sizeof(float);

    if (n > INT32_MAX || n * each > r->room) {
        nst_free(r->scratch);
        r->room = 0;
        if (n > INT32_MAX || !(r->scratch = nst_alloc(n * each)))
            return nst_fail(e, NST_EMEM, "%s: out of memory for %s", r->w.path, t->name);
        r->room = n * each;
    }
    if (Mat_VarReadDataLinear(r->mat, v, r->scratch, 0, 1, (int)n))
        return nst_fail(e, NST_EFORMAT, "%s: the numbers of %s cannot be read: it is damaged", r->w.path, t->name);
    for (size_t i = 0; i < n; i++) {
        double wide;
        float single;
        uint32_t bits;

        memcpy(each == sizeof wide ? (void *)&wide : (void *)&single, r->scratch + i * each, each);
        if (each == sizeof wide)
            single = (float)wide;
        memcpy(&bits, &single, sizeof bits);
        for (size_t k = 0; k < 4; k++)
            r->scratch[4 * i + k] = (unsigned char)(bits >> 8 * k);
    }
    *p = r->scratch;
    return NST_OK;
}

static nst_status read_all(struct reader *r, nst_model **out, nst_error *e)
{
    nst_status s;
    size_t n;

    if ((s = nst_weights_map(&r->w, e))) /* for the file's size */
        return s;
    if (!(r->mat = Mat_Open(r->w.path, MAT_ACC_RDONLY)))
        return nst_fail(e, NST_EFORMAT, "%s: is a damaged or truncated MATLAB file", r->w.path);
    if (!(r->layers = Mat_VarReadInfo(r->mat, "layers")) || r->layers->class_type != MAT_C_CELL || r->layers->rank != 2 || !r->layers->data || !r->layers->dims)
        return nst_fail(e, NST_EFORMAT, "%s: has no cell array \"layers\", expected a file of MatConvNet", r->w.path);
    if (!nst_mul(r->layers->dims[0], r->layers->dims[1], &n) || n > LAYERS_MAX)
        return nst_fail(e, NST_EFORMAT, "%s: has more than %d layers, expected a VGG", r->w.path, LAYERS_MAX);
    for (size_t i = 0; i < n && !s; i++)
        s = take_layer(r, Mat_VarGetCell(r->layers, (int)i), e);
    return s ? s : nst_weights_finish(out, &r->w, e);
}

nst_status nst_model_open_matconvnet(nst_model **out, const char *path, nst_error *e)
{
    struct reader *r = nst_calloc(1, sizeof *r);
    nst_status s;

    *out = NULL;
    if (!r)
        return nst_fail(e, NST_EMEM, "%s: out of memory", path);
    r->w = (nst_weights){ .path = path, .format = "MatConvNet", .fetch = fetch, .arg = r, .input = "caffe-rgb",
                          .why = "MatConvNet's VGGs take Caffe's pictures in the order RGB" };
    s = read_all(r, out, e);
    Mat_VarFree(r->layers);
    if (r->mat)
        Mat_Close(r->mat);
    nst_weights_close(&r->w);
    nst_free(r->scratch);
    nst_free(r);
    return s;
}

#else

nst_status nst_model_open_matconvnet(nst_model **out, const char *path, nst_error *e)
{
    *out = NULL;
    return nst_fail(e, NST_EUNSUPPORTED, "%s: is a MATLAB file, as MatConvNet writes; this build of nst lacks matio, which "
                    "reads it", path);
}

#endif
