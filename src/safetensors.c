/* safetensors.c: VGG weights from a safetensors file, mapped into memory and trusted in nothing.
 *
 * The file: 8 bytes of header length, little-endian; a JSON object that gives
 * each tensor's dtype, shape and place; the numbers, little-endian.
 */
#include "header.h"
#include "model.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a model from this file lives in: the mapping, and copies of what could not be used in place. */
struct store {
    unsigned char *map;
    size_t map_bytes;
    float *copy;
};

/* One convolution of the file, as its tensors' names give it. */
struct conv {
    bool named;        /* "conv3_2", else by number in torchvision's features */
    int number;        /* N of features.N */
    int block, index;  /* 3, 2 */
    nst_tensor weight, bias;
};

struct reader {
    const char *path;
    struct conv conv[2 * NST_MODEL_LAYERS];
    int convs;
    bool named;
    const unsigned char *data;
    size_t data_bytes;
};

static void release(void *memory, size_t bytes)
{
    struct store *s = memory;

    (void)bytes;
    if (s->map)
        munmap(s->map, s->map_bytes);
    nst_free(s->copy);
    nst_free(s);
}

static nst_status map_file(struct store *s, const char *path, nst_error *e)
{
    struct stat st;
    nst_status status = NST_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return nst_fail(e, NST_EIO, "%s: cannot be opened: %s", path, strerror(errno));
    if (fstat(fd, &st) != 0)
        status = nst_fail(e, NST_EIO, "%s: cannot be read: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        status = nst_fail(e, NST_EIO, "%s: is not a file", path);
    else if (st.st_size < 10)
        status = nst_fail(e, NST_EFORMAT, "%s: has %lld bytes, too few for a safetensors file", path,
                          (long long)st.st_size);
    else if ((uintmax_t)st.st_size > SIZE_MAX)
        status = nst_fail(e, NST_EMEM, "%s: is too large for this machine", path);
    if (!status) {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

        if (p == MAP_FAILED) {
            status = nst_fail(e, NST_EIO, "%s: cannot be mapped: %s", path, strerror(errno));
        } else {
            s->map = p;
            s->map_bytes = (size_t)st.st_size;
        }
    }
    close(fd);
    return status;
}

/* ---- which convolution a name belongs to ------------------------------------ */

/* Reads a number of up to three digits; NULL when there is none. */
static const char *digits(const char *p, int *v)
{
    int n = 0;

    for (*v = 0; isdigit((unsigned char)*p) && n < 3; n++)
        *v = *v * 10 + (*p++ - '0');
    return n && !isdigit((unsigned char)*p) ? p : NULL;
}

/* "features.5.weight", "5.weight", "conv2_1.weight": true, with the convolution and which of its tensors. */
static bool parse_name(const char *name, struct conv *c, bool *bias)
{
    const char *p = name;

    memset(c, 0, sizeof *c);
    if (!strncmp(p, "conv", 4)) {
        c->named = true;
        if (!(p = digits(p + 4, &c->block)) || *p++ != '_' || !(p = digits(p, &c->index)))
            return false;
    } else {
        if (!strncmp(p, "features.", 9))
            p += 9;
        if (!(p = digits(p, &c->number)))
            return false;
    }
    *bias = !strcmp(p, ".bias");
    return *bias || !strcmp(p, ".weight");
}

static struct conv *find(struct reader *r, const struct conv *c)
{
    for (int i = 0; i < r->convs; i++) {
        struct conv *o = &r->conv[i];

        if (o->number == c->number && o->block == c->block && o->index == c->index)
            return o;
    }
    return NULL;
}

/* Takes one tensor of the header: remembered when it is a convolution's, checked in any case. */
static nst_status take(void *arg, const nst_tensor *t, nst_error *e)
{
    struct reader *r = arg;
    struct conv c, *to;
    nst_tensor *slot;
    bool bias;

    if (t->begin > t->end || t->end > r->data_bytes)
        return nst_fail(e, NST_EFORMAT, "%s: tensor %s lies at bytes %llu to %llu, but the file holds %zu of data",
                        r->path, t->name, (unsigned long long)t->begin, (unsigned long long)t->end, r->data_bytes);
    if (!parse_name(t->name, &c, &bias))
        return NST_OK;
    if (r->convs && c.named != r->named)
        return nst_fail(e, NST_EFORMAT, "%s: tensor %s is named in another way than the ones before", r->path, t->name);
    if (!(to = find(r, &c))) {
        if (r->convs == (int)NST_COUNT(r->conv))
            return nst_fail(e, NST_EFORMAT, "%s: has more than %d layers, expected a VGG", r->path, r->convs);
        to = &r->conv[r->convs++];
        *to = c;
        r->named = c.named;
    }
    slot = bias ? &to->bias : &to->weight;
    if (slot->name[0])
        return nst_fail(e, NST_EFORMAT, "%s: tensor %s stands twice in the header", r->path, t->name);
    *slot = *t;
    return NST_OK;
}

/* ---- from tensors to layers -------------------------------------------------- */

/* Sorts by place in the network: a handful of rows. */
static void sort(struct reader *r)
{
    for (int i = 1; i < r->convs; i++)
        for (int j = i; j > 0; j--) {
            struct conv *a = &r->conv[j - 1], *b = &r->conv[j], t;
            int ka = a->number + 1000 * a->block + a->index, kb = b->number + 1000 * b->block + b->index;

            if (ka <= kb)
                break;
            t = *a, *a = *b, *b = t;
        }
}

/* Blocks from torchvision's numbering: a convolution and its ReLU take two places, a pool one more. */
static nst_status number_blocks(struct reader *r, nst_error *e)
{
    int block = 1, index = 1;

    if (r->named)
        return NST_OK;
    for (int i = 0; i < r->convs; i++) {
        struct conv *c = &r->conv[i];
        int step = i ? c->number - r->conv[i - 1].number : c->number + 2;

        if (c->weight.name[0] && c->weight.dims == 1)
            return nst_fail(e, NST_EFORMAT, "%s: tensor %s belongs to a batch normalisation, expected a VGG without",
                            r->path, c->weight.name);
        if (step == 3 && i)
            block++, index = 1;
        else if (i)
            index++;
        if (step != 2 && step != 3)
            return nst_fail(e, NST_EFORMAT, "%s: features.%d does not follow features.%d: a layer between is missing",
                            r->path, c->number, i ? r->conv[i - 1].number : -2);
        c->block = block;
        c->index = index;
    }
    return NST_OK;
}

/* Only what lies before or at conv5_1 is ever used. */
static void trim(struct reader *r)
{
    int n = 0;

    while (n < r->convs && n < NST_MODEL_LAYERS && 10 * r->conv[n].block + r->conv[n].index <= 51)
        n++;
    r->convs = n;
}

/* Bytes of a number; 0 for a dtype that is not a float. */
static size_t each(const nst_tensor *t)
{
    return !strcmp(t->dtype, "F64") ? 8 : !strcmp(t->dtype, "F32") ? 4
         : !strcmp(t->dtype, "F16") || !strcmp(t->dtype, "BF16") ? 2 : 0;
}

/* The numbers in t, after a check that its bytes are as many as its shape says. */
static nst_status count(const struct reader *r, const nst_tensor *t, const char *layer, const char *what, int dims,
                        size_t *n, nst_error *e)
{
    size_t bytes;

    if (!t->name[0])
        return nst_fail(e, NST_EFORMAT, "%s: layer %s has no %s", r->path, layer, what);
    if (t->dims != dims || (dims == 4 && (t->shape[2] != 3 || t->shape[3] != 3)))
        return nst_fail(e, NST_EFORMAT, "%s: tensor %s has %d dimensions or a kernel that is not 3 x 3, expected %s",
                        r->path, t->name, t->dims, dims == 4 ? "[out][in][3][3]" : "[out]");
    *n = 1;
    for (int i = 0; i < dims; i++) {
        if (t->shape[i] < 1 || t->shape[i] > 65536)
            return nst_fail(e, NST_EFORMAT, "%s: tensor %s has a side of %llu, expected 1 to 65536", r->path, t->name,
                            (unsigned long long)t->shape[i]);
        if (!nst_mul(*n, (size_t)t->shape[i], n))
            return nst_fail(e, NST_EFORMAT, "%s: tensor %s is absurdly large", r->path, t->name);
    }
    if (!each(t))
        return nst_fail(e, NST_EFORMAT, "%s: tensor %s is of type %s, expected F32, F16, BF16 or F64", r->path, t->name,
                        t->dtype);
    if (!nst_mul(*n, each(t), &bytes) || bytes != t->end - t->begin)
        return nst_fail(e, NST_EFORMAT, "%s: tensor %s has %llu bytes, its shape needs %zu numbers of %zu", r->path,
                        t->name, (unsigned long long)(t->end - t->begin), *n, each(t));
    return NST_OK;
}

/* Every pair of the layers' tensors must lie apart. */
static nst_status check_apart(const struct reader *r, nst_error *e)
{
    const nst_tensor *t[2 * NST_MODEL_LAYERS];
    int n = 0;

    for (int i = 0; i < r->convs; i++) {
        t[n++] = &r->conv[i].weight;
        t[n++] = &r->conv[i].bias;
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++)
            if (t[i]->begin < t[j]->end && t[j]->begin < t[i]->end)
                return nst_fail(e, NST_EFORMAT, "%s: tensors %s and %s overlap", r->path, t[j]->name, t[i]->name);
    return NST_OK;
}

/* ---- numbers -------------------------------------------------------------------- */

static bool little_endian(void)
{
    const uint16_t one = 1;

    return *(const unsigned char *)&one == 1;
}

/* IEEE 754 half to single (exact). */
static float from_half(unsigned h)
{
    uint32_t sign = (h & 0x8000u) << 16, exponent = h >> 10 & 31, fraction = h & 1023, bits;
    float v;

    if (exponent == 0) /* zero and subnormals: fraction * 2^-24 is exact in single */
        return (sign ? -1.f : 1.f) * (float)fraction * 0x1p-24f;
    bits = exponent == 31 ? sign | 0x7f800000u | fraction << 13 : sign | (exponent + 112) << 23 | fraction << 13;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static void convert(const nst_tensor *t, const unsigned char *p, size_t n, float *out)
{
    size_t b = each(t);

    for (size_t i = 0; i < n; i++, p += b) {
        uint64_t bits = 0;
        uint32_t single;
        double wide;

        for (size_t k = 0; k < b; k++)
            bits |= (uint64_t)p[k] << 8 * k;
        if (b == 8) {
            memcpy(&wide, &bits, sizeof wide);
            out[i] = (float)wide;
        } else if (b == 2 && t->dtype[0] == 'F') {
            out[i] = from_half((unsigned)bits);
        } else {
            single = (uint32_t)(b == 2 ? bits << 16 : bits);
            memcpy(&out[i], &single, sizeof single);
        }
    }
}

/* The mapped numbers themselves when they are floats of this machine, else NULL. */
static const float *in_place(const struct reader *r, const nst_tensor *t)
{
    const unsigned char *p = r->data + t->begin;

    return little_endian() && !strcmp(t->dtype, "F32") && (uintptr_t)p % sizeof(float) == 0
        ? (const float *)(const void *)p : NULL;
}

static const float *place(const struct reader *r, const nst_tensor *t, size_t n, float **copy)
{
    const float *p = in_place(r, t);

    if (p)
        return p;
    convert(t, r->data + t->begin, n, *copy);
    *copy += n;
    return *copy - n;
}

/* Fills the model's layers from the reader's convolutions. */
static nst_status build(nst_model *m, struct store *store, const struct reader *r, nst_error *e)
{
    size_t weights[NST_MODEL_LAYERS], biases[NST_MODEL_LAYERS], copied = 0;
    float *copy;
    nst_status s;

    m->layers = r->convs;
    for (int i = 0; i < r->convs; i++) {
        const struct conv *c = &r->conv[i];
        nst_layer *l = &m->layer[i];

        snprintf(l->name, sizeof l->name, "conv%d_%d", c->block, c->index);
        l->block = c->block;
        l->index = c->index;
        if ((s = count(r, &c->weight, l->name, "weight", 4, &weights[i], e)) ||
            (s = count(r, &c->bias, l->name, "bias", 1, &biases[i], e)))
            return s;
        l->out = (int)c->weight.shape[0];
        l->in = (int)c->weight.shape[1];
        if (biases[i] != (size_t)l->out)
            return nst_fail(e, NST_EFORMAT, "%s: layer %s has %d filters but %zu biases", r->path, l->name, l->out,
                            biases[i]);
        copied += (in_place(r, &c->weight) ? 0 : weights[i]) + (in_place(r, &c->bias) ? 0 : biases[i]);
    }
    if ((s = check_apart(r, e)))
        return s;
    if (!(store->copy = nst_calloc(copied ? copied : 1, sizeof *copy)))
        return nst_fail(e, NST_EMEM, "%s: out of memory for %zu numbers", r->path, copied);
    copy = store->copy;
    for (int i = 0; i < r->convs; i++) {
        m->layer[i].weight = place(r, &r->conv[i].weight, weights[i], &copy);
        m->layer[i].bias = place(r, &r->conv[i].bias, biases[i], &copy);
    }
    return NST_OK;
}

/* Names tell the family: torchvision's numbers take RGB over its deviations, Caffe's names BGR in 0..255. */
static nst_status describe(nst_model *m, const struct reader *r, nst_error *e)
{
    static const nst_input torchvision = { false, { .485f, .456f, .406f }, { .229f, .224f, .225f } };
    static const nst_input caffe = { true, { 123.68f / 255, 116.779f / 255, 103.939f / 255 },
                                     { 1 / 255.f, 1 / 255.f, 1 / 255.f } };
    const char *slash = strrchr(r->path, '/');
    char text[512];
    size_t n = 0;

    m->input = r->named ? caffe : torchvision;
    for (int i = 0; i < m->layers; i++)
        n += (size_t)m->layer[i].out * ((size_t)m->layer[i].in * 9 + 1);
    snprintf(text, sizeof text, "%.200s: learned weights (safetensors), %d convolutions to %s, "
             "%.2f million numbers, %s", slash ? slash + 1 : r->path, m->layers, m->layer[m->layers - 1].name,
             (double)n / 1e6,
             r->named ? "input as Caffe's (BGR, 0 to 255, minus mean)" : "input as torchvision's (RGB)");
    if (!(m->describe = nst_strdup(text)))
        return nst_fail(e, NST_EMEM, "%s: out of memory", r->path);
    return NST_OK;
}

nst_status nst_model_open_safetensors(nst_model **out, const char *path, nst_error *e)
{
    nst_model *m = nst_calloc(1, sizeof *m);
    struct reader *r = nst_calloc(1, sizeof *r);
    struct store *store = nst_calloc(1, sizeof *store);
    nst_header header = { .path = path, .take = take, .arg = r };
    nst_status s = NST_OK;

    *out = NULL;
    if (!m || !r || !store) {
        nst_free(store);
        s = nst_fail(e, NST_EMEM, "%s: out of memory", path);
        goto fail;
    }
    m->memory = store;
    m->release = release;
    r->path = path;
    if ((s = map_file(store, path, e)))
        goto fail;
    m->bytes = store->map_bytes;
    if ((s = nst_header_begin(&header, store->map, store->map_bytes, e)))
        goto fail;
    r->data = store->map + header.data_at;
    r->data_bytes = store->map_bytes - header.data_at;
    if ((s = nst_header_parse(&header, e)))
        goto fail;
    sort(r);
    if ((s = number_blocks(r, e)))
        goto fail;
    trim(r);
    if ((s = build(m, store, r, e)) || (s = nst_model_check(m, path, e)) || (s = describe(m, r, e)))
        goto fail;
    nst_free(r);
    *out = m;
    return NST_OK;

fail:
    nst_free(r);
    nst_model_close(&m);
    return s;
}
