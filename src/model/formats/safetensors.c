/* safetensors.c: weights from a safetensors file, mapped into memory and trusted in nothing.
 *
 * The file: 8 bytes of header length, little-endian; a JSON object that gives
 * each tensor's dtype, shape and place; the numbers, little-endian.
 */
#include "model/formats/readers.h"
#include "model/formats/safetensors_header.h"
#include "model/tensors.h"

#include <stdio.h>
#include <string.h>

struct reader {
    nst_weights w;
    nst_header header;
};

static nst_number number(const char *dtype)
{
    static const char *const names[] = { [NST_F16] = "F16", [NST_BF16] = "BF16", [NST_F32] = "F32", [NST_F64] = "F64" };

    for (int i = NST_NO_FLOAT + 1; i < (int)NST_COUNT(names); i++)
        if (!strcmp(dtype, names[i]))
            return (nst_number)i;
    return NST_NO_FLOAT;
}

/* Takes one tensor of the header: remembered when it is a convolution's, checked in any case. */
static nst_status take(void *arg, const nst_tensor *t, nst_error *e)
{
    struct reader *r = arg;
    nst_weights *w = &r->w;
    size_t data_bytes = w->map_bytes - r->header.data_at;
    nst_stored s = { .number = number(t->dtype), .dims = t->dims, .exact = true };

    if (t->begin > t->end || t->end > data_bytes)
        return nst_fail(e, NST_EFORMAT, "%s: tensor %s lies at bytes %llu to %llu, but the file holds %zu of data",
                        w->path, t->name, (unsigned long long)t->begin, (unsigned long long)t->end, data_bytes);
    if (!nst_weights_wants(t->name))
        return NST_OK;
    snprintf(s.name, sizeof s.name, "%s", t->name);
    snprintf(s.type, sizeof s.type, "%s", t->dtype);
    s.at = r->header.data_at + t->begin;
    s.bytes = t->end - t->begin;
    for (int i = 0; i < t->dims && i < 4; i++)
        s.shape[i] = t->shape[i];
    nst_stored_rows(&s);
    return nst_weights_add(w, &s, e);
}

/* Every pair of the layers' tensors must lie apart. */
static nst_status check_apart(nst_weights *w, nst_error *e)
{
    const nst_stored *a = nst_weights_tensor(w, 0), *b;

    for (int i = 0; a; a = nst_weights_tensor(w, ++i))
        for (int j = 0; j < i && a->name[0]; j++) {
            b = nst_weights_tensor(w, j);
            if (b->name[0] && a->at < b->at + b->bytes && b->at < a->at + a->bytes)
                return nst_fail(e, NST_EFORMAT, "%s: tensors %s and %s overlap", w->path, b->name, a->name);
        }
    return NST_OK;
}

nst_status nst_model_open_safetensors(nst_model **out, const char *path, nst_error *e)
{
    struct reader *r = nst_calloc(1, sizeof *r);
    nst_input own;
    nst_status s;

    *out = NULL;
    if (!r)
        return nst_fail(e, NST_EMEM, "%s: out of memory", path);
    r->w.path = path;
    r->w.format = "safetensors";
    r->header = (nst_header){ .path = path, .take = take, .arg = r };
    s = nst_weights_map(&r->w, e);
    if (!s)
        s = nst_header_begin(&r->header, r->w.map, r->w.map_bytes, e);
    if (!s)
        s = nst_header_parse(&r->header, e);
    if (!s)
        s = nst_weights_arrange(&r->w, e);
    if (!s)
        s = check_apart(&r->w, e);
    if (!s) {
        if (nst_model_input_known(r->header.input)) {
            r->w.input = r->header.input;
            r->w.why = "the file says so";
        } else if (nst_input_read(&own, r->header.own)) {
            r->w.own = &own;
            r->w.why = "the file says so";
        }
        s = nst_weights_build(out, &r->w, e);
        if (!s)
            nst_model_set_origin(*out, r->header.origin, &(nst_error){ "" }); /* what it cannot be is left out */
    }
    nst_weights_close(&r->w);
    nst_free(r);
    return s;
}
