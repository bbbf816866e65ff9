/* weights.c: names, shapes and strides of a file's tensors become the layers of a model, its numbers floats. */
#define _DEFAULT_SOURCE /* madvise */
#include "weights.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* More filters in a layer than any VGG has by far; more numbers in all, too. */
#define SIDE_MAX 16384
#define TOTAL_MAX ((size_t)1 << 28)

/* What a model from a file lives in: the mapping where its numbers are used in place, and copies. */
struct store {
    unsigned char *map;
    size_t map_bytes;
    float *copy;
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

#if defined(__linux__) && defined(MADV_DONTNEED)
static void rest(void *memory)
{
    struct store *s = memory;

    madvise(s->map, s->map_bytes, MADV_DONTNEED);
}
#else
#define rest NULL
#endif

nst_status nst_weights_map(nst_weights *w, nst_error *e)
{
    struct stat st;
    nst_status status = NST_OK;
    int fd = open(w->path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return nst_fail(e, NST_EIO, "%s: cannot be opened: %s", w->path, strerror(errno));
    if (fstat(fd, &st) != 0)
        status = nst_fail(e, NST_EIO, "%s: cannot be read: %s", w->path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        status = nst_fail(e, NST_EIO, "%s: is not a file", w->path);
    else if (st.st_size < 10)
        status = nst_fail(e, NST_EFORMAT, "%s: has %lld bytes, too few for a file of weights", w->path,
                          (long long)st.st_size);
    else if ((uintmax_t)st.st_size > SIZE_MAX)
        status = nst_fail(e, NST_EMEM, "%s: is too large for this machine", w->path);
    if (!status) {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

        if (p == MAP_FAILED) {
            status = nst_fail(e, NST_EIO, "%s: cannot be mapped: %s", w->path, strerror(errno));
        } else {
            w->map = p;
            w->map_bytes = (size_t)st.st_size;
        }
    }
    close(fd);
    return status;
}

void nst_weights_close(nst_weights *w)
{
    if (w->map)
        munmap(w->map, w->map_bytes);
    w->map = NULL;
}

void nst_stored_rows(nst_stored *t)
{
    uint64_t stride = 1;

    for (int i = (t->dims < 4 ? t->dims : 4) - 1; i >= 0; i--) {
        t->stride[i] = stride;
        stride *= t->shape[i]; /* may wrap; count() looks at the shape before anyone uses it */
    }
}

/* ---- names --------------------------------------------------------------------- */

/* Reads a number of up to three digits; NULL when there is none. */
static const char *digits(const char *p, int *v)
{
    int n = 0;

    for (*v = 0; isdigit((unsigned char)*p) && n < 3; n++)
        *v = *v * 10 + (*p++ - '0');
    return n && !isdigit((unsigned char)*p) ? p : NULL;
}

/* "features.5.weight", "5.weight", "conv2_1.weight": true, with the convolution and which of its tensors. */
static bool parse_name(const char *name, nst_found *c, bool *named, bool *bias)
{
    const char *p = name;

    memset(c, 0, sizeof *c);
    if (!strncmp(p, "module.", 7)) /* of a network that was spread over several cards */
        p += 7;
    if ((*named = !strncmp(p, "conv", 4))) {
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

bool nst_weights_wants(const char *name)
{
    nst_found c;
    bool named, bias;

    return parse_name(name, &c, &named, &bias);
}

static nst_found *find(nst_weights *w, const nst_found *c)
{
    for (int i = 0; i < w->count; i++) {
        nst_found *o = &w->found[i];

        if (o->number == c->number && o->block == c->block && o->index == c->index)
            return o;
    }
    return NULL;
}

nst_status nst_weights_add(nst_weights *w, const nst_stored *t, nst_error *e)
{
    nst_found c, *to;
    nst_stored *slot;
    bool named, bias;

    if (!parse_name(t->name, &c, &named, &bias))
        return NST_OK;
    if (w->count && named != w->named)
        return nst_fail(e, NST_EFORMAT, "%s: tensor %s is named in another way than the ones before", w->path, t->name);
    if (!(to = find(w, &c))) {
        if (w->count == (int)NST_COUNT(w->found))
            return nst_fail(e, NST_EFORMAT, "%s: has more than %d layers, expected a VGG", w->path, w->count);
        to = &w->found[w->count++];
        *to = c;
        w->named = named;
    }
    slot = bias ? &to->bias : &to->weight;
    if (slot->name[0])
        return nst_fail(e, NST_EFORMAT, "%s: tensor %s stands in it twice", w->path, t->name);
    *slot = *t;
    return NST_OK;
}

/* ---- from tensors to layers -------------------------------------------------- */

/* Sorts by place in the network: a handful of rows. */
static void sort(nst_weights *w)
{
    for (int i = 1; i < w->count; i++)
        for (int j = i; j > 0; j--) {
            nst_found *a = &w->found[j - 1], *b = &w->found[j], t;
            int ka = a->number + 1000 * a->block + a->index, kb = b->number + 1000 * b->block + b->index;

            if (ka <= kb)
                break;
            t = *a, *a = *b, *b = t;
        }
}

/* Blocks from torchvision's numbering: a convolution and its ReLU take two places, a pool one more. */
static nst_status number_blocks(nst_weights *w, nst_error *e)
{
    int block = 1, index = 1;

    if (w->named)
        return NST_OK;
    for (int i = 0; i < w->count; i++) {
        nst_found *c = &w->found[i];
        int step = i ? c->number - w->found[i - 1].number : c->number + 2;

        if (c->weight.name[0] && c->weight.dims == 1)
            return nst_fail(e, NST_EFORMAT, "%s: tensor %s belongs to a batch normalisation, expected a VGG without",
                            w->path, c->weight.name);
        if (step == 3 && i)
            block++, index = 1;
        else if (i)
            index++;
        if (step != 2 && step != 3)
            return nst_fail(e, NST_EFORMAT, "%s: features.%d does not follow features.%d: a layer between is missing",
                            w->path, c->number, i ? w->found[i - 1].number : -2);
        c->block = block;
        c->index = index;
    }
    return NST_OK;
}

nst_status nst_weights_arrange(nst_weights *w, nst_error *e)
{
    nst_status s;
    int n = 0;

    sort(w);
    if ((s = number_blocks(w, e)))
        return s;
    while (n < w->count && n < NST_MODEL_LAYERS && 10 * w->found[n].block + w->found[n].index <= 51)
        n++;
    w->count = n;
    return NST_OK;
}

static size_t each(nst_number number)
{
    return number == NST_F64 ? 8 : number == NST_F32 ? 4 : number == NST_NO_FLOAT ? 0 : 2;
}

/* The numbers in t, after a check that its room holds what its shape and strides need. */
static nst_status count(const nst_weights *w, const nst_stored *t, const char *layer, const char *what, int dims,
                        size_t *n, nst_error *e)
{
    uint64_t last = 0;

    if (!t->name[0])
        return nst_fail(e, NST_EFORMAT, "%s: layer %s has no %s", w->path, layer, what);
    if (t->dims != dims || (dims == 4 && (t->shape[2] != 3 || t->shape[3] != 3)))
        return nst_fail(e, NST_EFORMAT, "%s: tensor %s has %d dimensions or a kernel that is not 3 x 3, expected %s",
                        w->path, t->name, t->dims, dims == 4 ? "filters of 3 x 3" : "a number a filter");
    *n = 1;
    for (int i = 0; i < dims; i++) {
        if (t->shape[i] < 1 || t->shape[i] > SIDE_MAX)
            return nst_fail(e, NST_EFORMAT, "%s: tensor %s has a side of %llu, expected 1 to %d", w->path, t->name,
                            (unsigned long long)t->shape[i], SIDE_MAX);
        if (t->stride[i] > TOTAL_MAX)
            return nst_fail(e, NST_EFORMAT, "%s: tensor %s has a stride of %llu, which is absurd", w->path, t->name,
                            (unsigned long long)t->stride[i]);
        last += (t->shape[i] - 1) * t->stride[i]; /* 14 + 28 bits, four times */
        if (!nst_mul(*n, (size_t)t->shape[i], n))
            *n = SIZE_MAX;
    }
    if (*n > TOTAL_MAX)
        return nst_fail(e, NST_EFORMAT, "%s: tensor %s is absurdly large", w->path, t->name);
    if (t->number == NST_NO_FLOAT)
        return nst_fail(e, NST_EFORMAT, "%s: tensor %s is of type %s, expected floating-point numbers", w->path,
                        t->name, t->type);
    if (t->bytes / each(t->number) <= last || (t->exact && t->bytes != (last + 1) * each(t->number)))
        return nst_fail(e, NST_EFORMAT, "%s: tensor %s has %llu bytes, its shape needs %llu numbers of %zu", w->path,
                        t->name, (unsigned long long)t->bytes, (unsigned long long)last + 1, each(t->number));
    return NST_OK;
}

static nst_status shape_layer(const nst_weights *w, const nst_found *c, nst_layer *l, size_t *numbers, nst_error *e)
{
    size_t weights, biases;
    nst_status s;

    snprintf(l->name, sizeof l->name, "conv%d_%d", c->block, c->index);
    l->block = c->block;
    l->index = c->index;
    if ((s = count(w, &c->weight, l->name, "weight", 4, &weights, e)) ||
        (s = count(w, &c->bias, l->name, "bias", 1, &biases, e)))
        return s;
    l->out = (int)c->weight.shape[0];
    l->in = (int)c->weight.shape[1];
    if (biases != (size_t)l->out)
        return nst_fail(e, NST_EFORMAT, "%s: layer %s has %d filters but %zu biases", w->path, l->name, l->out, biases);
    *numbers += weights + biases;
    if (*numbers > TOTAL_MAX)
        return nst_fail(e, NST_EFORMAT, "%s: its layers are absurdly large", w->path);
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

static float convert(nst_number number, const unsigned char *p)
{
    size_t b = each(number);
    uint64_t bits = 0;
    uint32_t single;
    double wide;
    float v;

    for (size_t k = 0; k < b; k++)
        bits |= (uint64_t)p[k] << 8 * k;
    if (number == NST_F16)
        return from_half((unsigned)bits);
    if (number == NST_F64) {
        memcpy(&wide, &bits, sizeof wide);
        return (float)wide;
    }
    single = (uint32_t)(number == NST_BF16 ? bits << 16 : bits);
    memcpy(&v, &single, sizeof v);
    return v;
}

/* All of t in the order out, in, height, width. */
static void gather(const nst_stored *t, const unsigned char *p, float *out)
{
    uint64_t n[4] = { t->shape[0], 1, 1, 1 }, step[4] = { t->stride[0], 0, 0, 0 };
    size_t b = each(t->number);

    for (int i = 1; i < t->dims; i++)
        n[i] = t->shape[i], step[i] = t->stride[i];
    for (uint64_t o = 0; o < n[0]; o++)
        for (uint64_t i = 0; i < n[1]; i++)
            for (uint64_t y = 0; y < n[2]; y++)
                for (uint64_t x = 0; x < n[3]; x++)
                    *out++ = convert(t->number, p + (o * step[0] + i * step[1] + y * step[2] + x * step[3]) * b);
}

/* The mapped numbers themselves when they are floats of this machine in our order, else NULL. */
static const float *in_place(const nst_weights *w, const nst_stored *t)
{
    const unsigned char *p;
    nst_stored rows = *t;

    if (w->fetch || !little_endian() || t->number != NST_F32)
        return NULL;
    p = w->map + t->at;
    nst_stored_rows(&rows);
    return (uintptr_t)p % sizeof(float) == 0 && !memcmp(rows.stride, t->stride, (size_t)t->dims * sizeof *t->stride)
        ? (const float *)(const void *)p : NULL;
}

static nst_status bring(const nst_weights *w, const nst_stored *t, const float **to, float **copy, nst_error *e)
{
    const unsigned char *p = NULL;
    nst_status s;
    size_t n = 1;

    if ((*to = in_place(w, t)))
        return NST_OK;
    if (!w->fetch)
        p = w->map + t->at;
    else if ((s = w->fetch(w->arg, t, &p, e)))
        return s;
    for (int i = 0; i < t->dims; i++)
        n *= (size_t)t->shape[i];
    gather(t, p, *copy);
    *to = *copy;
    *copy += n;
    return NST_OK;
}

static nst_status fill(nst_model *m, struct store *store, nst_weights *w, nst_error *e)
{
    size_t all = 0, placed = 0;
    float *copy;
    nst_status s;

    m->layers = w->count;
    for (int i = 0; i < w->count; i++)
        if ((s = shape_layer(w, &w->found[i], &m->layer[i], &all, e)))
            return s;
    for (int i = 0; i < w->count; i++) {
        const nst_layer *l = &m->layer[i];

        placed += in_place(w, &w->found[i].weight) ? (size_t)l->out * (size_t)l->in * 9 : 0;
        placed += in_place(w, &w->found[i].bias) ? (size_t)l->out : 0;
    }
    m->bytes = all * sizeof(float);
    if (!(store->copy = nst_calloc(all > placed ? all - placed : 1, sizeof(float))))
        return nst_fail(e, NST_EMEM, "%s: out of memory for %zu numbers", w->path, all);
    copy = store->copy;
    for (int i = 0; i < w->count; i++)
        if ((s = bring(w, &w->found[i].weight, &m->layer[i].weight, &copy, e)) ||
            (s = bring(w, &w->found[i].bias, &m->layer[i].bias, &copy, e)))
            return s;
    if (placed) {
        store->map = w->map;
        store->map_bytes = w->map_bytes;
        m->rest = placed == all ? rest : NULL;
        w->map = NULL;
    }
    return NST_OK;
}

/* Names tell the family where the file itself does not. */
static nst_status describe(nst_model *m, const nst_weights *w, nst_error *e)
{
    const char *slash = strrchr(w->path, '/');
    char text[512];
    size_t n = 0;
    nst_status s;

    if ((s = nst_model_set_input(m, w->input ? w->input : w->named ? "caffe" : "torchvision", e)))
        return s;
    m->input_why = w->input ? w->why : w->named
        ? "its layers are named conv1_1 and so on, as in files that come from Caffe's"
        : "its layers are numbered, as torchvision's; if it was converted from Caffe's, say --model-input caffe";
    m->format = w->format;
    for (int i = 0; i < m->layers; i++)
        n += (size_t)m->layer[i].out * ((size_t)m->layer[i].in * 9 + 1);
    snprintf(text, sizeof text, "%.200s: learned weights (%s), %d convolutions to %s, %.2f million numbers",
             slash ? slash + 1 : w->path, w->format, m->layers, m->layer[m->layers - 1].name, (double)n / 1e6);
    if (!(m->describe = nst_strdup(text)))
        return nst_fail(e, NST_EMEM, "%s: out of memory", w->path);
    return NST_OK;
}

nst_status nst_weights_build(nst_model **out, nst_weights *w, nst_error *e)
{
    nst_model *m = nst_calloc(1, sizeof *m);
    struct store *store = nst_calloc(1, sizeof *store);
    nst_status s;

    *out = NULL;
    if (!m || !store) {
        nst_free(m);
        nst_free(store);
        return nst_fail(e, NST_EMEM, "%s: out of memory", w->path);
    }
    m->memory = store;
    m->release = release;
    if ((s = fill(m, store, w, e)) || (s = nst_model_check(m, w->path, e)) || (s = describe(m, w, e))) {
        nst_model_close(&m);
        return s;
    }
    *out = m;
    return NST_OK;
}

nst_status nst_weights_finish(nst_model **out, nst_weights *w, nst_error *e)
{
    nst_status s = nst_weights_arrange(w, e);

    *out = NULL;
    return s ? s : nst_weights_build(out, w, e);
}
