/* matconvnet.c: weights from MatConvNet's MATLAB files: a cell array "layers" of structs, each with a name and its
 * weights [3][3][in][out], the first dimension nearest. */
#include "model/formats/matfile.h"
#include "model/formats/readers.h"
#include "model/tensors.h"

#include <stdio.h>
#include <string.h>

#define LAYERS_MAX 256
#define FIELDS_MAX 64
/* The most that zlib can make of a byte, and a little. */
#define BLOWN_UP 1100

struct reader {
    nst_weights w;
    nst_mat_stream *s;
    unsigned char *copy[2 * LAYERS_MAX]; /* what was packed */
    int copies;
    int last;     /* 10 * block + index of the last convolution */
    bool ordered; /* they came one after the other so far */
};

/* A layer on its way: its numbers may come before its name. */
struct layer {
    char name[32];
    nst_stored t[2];
    bool there[2];
};

static nst_status damaged(const struct reader *r, nst_error *e)
{
    return nst_fail(e, NST_EFORMAT, "%s: is a damaged or truncated MATLAB file", r->w.path);
}

/* A short text of ASCII, as MATLAB keeps it in bytes or pairs of them. */
static bool read_text(struct reader *r, const nst_mat_array *a, char *text, size_t room)
{
    unsigned char raw[64];
    nst_mat_element e;
    size_t n, each;

    if (!nst_mat_element_open(r->s, a->end, &e))
        return false;
    each = e.type == NST_MAT_UINT16 ? 2 : 1;
    n = e.bytes / each;
    if (a->class != NST_MAT_CHAR || n >= room || e.bytes > sizeof raw || !nst_mat_get(r->s, &e, raw, e.bytes))
        return true; /* no name of a convolution */
    for (size_t i = 0; i < n; i++)
        text[i] = raw[i * each] > 32 && raw[i * each] < 127 ? (char)raw[i * each] : '?';
    text[n] = 0;
    return true;
}

/* What cannot be a convolution's is not unpacked into memory: MatConvNet's fully connected layers are 7x7 and 1x1. */
static bool may_be(const nst_mat_array *a, bool bias)
{
    return bias ? a->dims == 2 && (a->shape[0] == 1 || a->shape[1] == 1)
                : a->dims <= 4 && a->shape[0] == 3 && a->shape[1] == 3;
}

static nst_status take_numbers(struct reader *r, const nst_mat_array *a, struct layer *l, bool bias, nst_error *e)
{
    nst_stored *t = &l->t[bias];
    const uint64_t *d = a->shape;
    nst_mat_element data;
    unsigned char *copy;

    if (l->there[bias])
        return damaged(r, e);
    *t = (nst_stored){ .dims = bias ? 1 : 4, .exact = true, .type = "no float" };
    l->there[bias] = true;
    if (!may_be(a, bias) || a->complex) {
        t->dims = a->dims > 4 ? a->dims : 2; /* which is neither a weight's nor a bias's */
        return NST_OK;
    }
    if (!nst_mat_element_open(r->s, a->end, &data))
        return damaged(r, e);
    if (data.type == NST_MAT_SINGLE)
        t->number = NST_F32;
    else if (data.type == NST_MAT_DOUBLE)
        t->number = NST_F64;
    t->bytes = data.bytes;
    if (bias) {
        t->shape[0] = d[0] == 1 ? d[1] : d[0]; /* a row or a column */
        t->stride[0] = 1;
    } else {
        const uint64_t shape[4] = { d[3], d[2], d[0], d[1] }, stride[4] = { 9 * d[2], 9, 1, 3 }; /* 32 and 4 bits */

        memcpy(t->shape, shape, sizeof shape);
        memcpy(t->stride, stride, sizeof stride);
    }
    if (nst_mat_place(r->s, &data, &t->at))
        return NST_OK;
    if (data.bytes / BLOWN_UP > r->w.map_bytes || r->copies == 2 * LAYERS_MAX)
        return nst_fail(e, NST_EFORMAT, "%s: an array is larger than the file can hold", r->w.path);
    copy = nst_alloc(data.bytes ? data.bytes : 1);
    if (!copy)
        return nst_fail(e, NST_EMEM, "%s: out of memory", r->w.path);
    t->id = r->copies;
    t->at = 0;
    r->copy[r->copies++] = copy;
    return nst_mat_get(r->s, &data, copy, data.bytes) ? NST_OK : damaged(r, e);
}

/* Since 2015 weights is a cell of both, before that there are filters and biases. */
static nst_status take_field(struct reader *r, const char *field, const nst_mat_array *a, struct layer *l, nst_error *e)
{
    nst_status s = NST_OK;

    if (!strcmp(field, "name"))
        return read_text(r, a, l->name, sizeof l->name) ? NST_OK : damaged(r, e);
    if (!strcmp(field, "filters") || !strcmp(field, "biases"))
        return a->class ? take_numbers(r, a, l, *field == 'b', e) : NST_OK;
    if (strcmp(field, "weights") || a->class != NST_MAT_CELL || a->dims != 2 || a->shape[0] * a->shape[1] != 2)
        return NST_OK;
    for (int i = 0; i < 2 && !s; i++) {
        nst_mat_array inner;

        if (!nst_mat_array_open(r->s, a->end, &inner))
            return damaged(r, e);
        if (inner.class)
            s = take_numbers(r, &inner, l, i == 1, e);
        if (!s && !nst_mat_skip(r->s, inner.end))
            s = damaged(r, e);
    }
    return s;
}

/* The names of a struct's fields, n of them, each in `each` bytes. */
static nst_status read_fields(struct reader *r, const nst_mat_array *a, char names[FIELDS_MAX][65], int *n,
                              nst_error *e)
{
    unsigned char length[4], text[64 * FIELDS_MAX];
    nst_mat_element el;
    size_t each;

    if (!nst_mat_element_open(r->s, a->end, &el) || el.bytes != 4 || !nst_mat_get(r->s, &el, length, 4) ||
        !nst_mat_skip(r->s, el.end) || !nst_mat_element_open(r->s, a->end, &el))
        return damaged(r, e);
    each = length[0];
    if (each < 1 || each > 64 || length[1] || length[2] || length[3] || el.bytes % each ||
        el.bytes / each > FIELDS_MAX ||
        !nst_mat_get(r->s, &el, text, el.bytes) || !nst_mat_skip(r->s, el.end))
        return damaged(r, e);
    *n = (int)(el.bytes / each);
    memset(names, 0, FIELDS_MAX * sizeof *names);
    for (int i = 0; i < *n; i++)
        memcpy(names[i], text + (size_t)i * each, each);
    return NST_OK;
}

static nst_status add(struct reader *r, struct layer *l, nst_error *e)
{
    int block = 0, index = 0;
    nst_status s = NST_OK;

    for (int i = 0; i < 2 && !s; i++) {
        nst_stored *t = &l->t[i];
        char name[sizeof t->name];

        snprintf(name, sizeof name, "%s.%s", l->name, i ? "bias" : "weight");
        if (!nst_weights_is_vgg(name))
            return NST_OK;
        if (!l->there[i])
            return nst_fail(e, NST_EFORMAT, "%s: tensor %s is missing: it is damaged or truncated", r->w.path, name);
        memcpy(t->name, name, sizeof name);
        s = nst_weights_add(&r->w, t, e);
    }
    if (sscanf(l->name, "conv%1d_%1d", &block, &index) == 2) {
        r->ordered &= 10 * block + index > r->last;
        r->last = 10 * block + index;
    }
    return s;
}

static nst_status take_layer(struct reader *r, const nst_mat_array *a, nst_error *e)
{
    char names[FIELDS_MAX][65];
    struct layer l = { .name = "" };
    int n = 0, before = r->copies, first = r->w.modules;
    nst_status s;

    if (a->class != NST_MAT_STRUCT || a->dims != 2 || a->shape[0] != 1 || a->shape[1] != 1)
        return nst_fail(e, NST_EFORMAT, "%s: a layer is no struct, expected a file of MatConvNet", r->w.path);
    s = read_fields(r, a, names, &n, e);
    if (s)
        return s;
    for (int i = 0; i < n; i++) {
        nst_mat_array field;

        if (!nst_mat_array_open(r->s, a->end, &field))
            return damaged(r, e);
        s = take_field(r, names[i], &field, &l, e);
        if (s)
            return s;
        if (!nst_mat_skip(r->s, field.end))
            return damaged(r, e);
    }
    s = add(r, &l, e);
    if (s)
        return s;
    while (r->w.modules == first && r->copies > before) /* of no use */
        nst_free(r->copy[--r->copies]);
    return NST_OK;
}

static nst_status take_layers(struct reader *r, const nst_mat_array *layers, nst_error *e)
{
    size_t n;
    nst_status s;

    if (layers->class != NST_MAT_CELL || layers->dims != 2)
        return nst_fail(e, NST_EFORMAT, "%s: has no cell array \"layers\", expected a file of MatConvNet", r->w.path);
    if (!nst_mul((size_t)layers->shape[0], (size_t)layers->shape[1], &n) || n > LAYERS_MAX)
        return nst_fail(e, NST_EFORMAT, "%s: has more than %d layers, expected a VGG", r->w.path, LAYERS_MAX);
    r->ordered = true;
    for (size_t i = 0; i < n && !(r->ordered && r->last >= 51); i++) { /* what comes behind conv5_1 is not unpacked */
        nst_mat_array layer;

        if (!nst_mat_array_open(r->s, layers->end, &layer))
            return damaged(r, e);
        s = take_layer(r, &layer, e);
        if (s)
            return s;
        if (!nst_mat_skip(r->s, layer.end))
            return damaged(r, e);
    }
    return NST_OK;
}

static nst_status fetch(void *arg, const nst_stored *t, const unsigned char **p, nst_error *e)
{
    const struct reader *r = arg;

    (void)e;
    *p = r->copies ? r->copy[t->id] : r->w.map + t->at;
    return NST_OK;
}

static nst_status read_all(struct reader *r, nst_model **out, nst_error *e)
{
    nst_mat_array a;
    nst_status s = nst_weights_map(&r->w, e);

    if (s)
        return s;
    if (r->w.map_bytes < 128 || memcmp(r->w.map + 126, "IM", 2) || r->w.map[125] != 1)
        return nst_fail(e, NST_EUNSUPPORTED,
                        "%s: is no little-endian MATLAB file of version 5 to 7; save it again with -v7",
                        r->w.path);
    r->s = nst_mat_open(r->w.map, r->w.map_bytes);
    if (!r->s)
        return nst_fail(e, NST_EMEM, "%s: out of memory", r->w.path);
    while (nst_mat_variable(r->s, &a)) {
        if (strcmp(a.name, "layers"))
            continue;
        s = take_layers(r, &a, e);
        return s ? s : nst_weights_finish(out, &r->w, e);
    }
    return nst_mat_broken(r->s) ? damaged(r, e)
        : nst_fail(e, NST_EFORMAT, "%s: has no cell array \"layers\", expected a file of MatConvNet", r->w.path);
}

nst_status nst_model_open_matconvnet(nst_model **out, const char *path, nst_error *e)
{
    struct reader *r = nst_calloc(1, sizeof *r);
    nst_status s;

    *out = NULL;
    if (!r)
        return nst_fail(e, NST_EMEM, "%s: out of memory", path);
    r->w.path = path;
    r->w.format = "MatConvNet";
    r->w.fetch = fetch;
    r->w.arg = r;
    r->w.input = "caffe-rgb";
    r->w.why = "MatConvNet's VGGs take Caffe's pictures in the order RGB";
    s = read_all(r, out, e);
    nst_mat_close(&r->s);
    for (int i = 0; i < r->copies; i++)
        nst_free(r->copy[i]);
    nst_weights_close(&r->w);
    nst_free(r);
    return s;
}
