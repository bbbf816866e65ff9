/* caffe.c: weights from a caffemodel, which is a NetParameter of Caffe's caffe.proto in protobuf's wire format.
 *
 * Its messages are a handful of fields, given here by number, with the numbers read in place: protobuf-c would need
 * caffe.proto and its compiler for the build, and would copy the whole file into memory.
 */
#include "model/formats/protobuf.h"
#include "model/formats/readers.h"
#include "model/tensors.h"

#include <stdio.h>
#include <string.h>

/* NetParameter's two lists of layers, before and since 2014: where a layer keeps its name and blobs. */
enum { NET_OLD_LAYER = 2, NET_LAYER = 100, OLD_NAME = 4, OLD_BLOBS = 6, NAME = 1, BLOBS = 7 };
enum { BLOB_WIDTH = 4, BLOB_DATA = 5, BLOB_SHAPE = 7, BLOB_DOUBLES = 8, SHAPE_DIM = 1 };

static nst_status damaged(const nst_weights *w, const nst_wire *m, nst_error *e)
{
    return nst_fail(e, NST_EFORMAT, "%s: is damaged or truncated at byte %zu", w->path, (size_t)(m->p - w->map));
}

/* The shape of before 2014 is num, channels, height, width, with ones in front. */
static void set_shape(nst_stored *t, const uint64_t *old, const uint64_t *shape, int dims)
{
    if (dims) {
        t->dims = dims;
        memcpy(t->shape, shape, (size_t)(dims < 4 ? dims : 4) * sizeof *shape);
    } else if (old[0] == 1 && old[1] == 1 && old[2] == 1) {
        t->dims = 1;
        t->shape[0] = old[3];
    } else {
        t->dims = 4;
        memcpy(t->shape, old, sizeof t->shape);
    }
    nst_stored_rows(t);
}

static nst_status take_blob(nst_weights *w, nst_wire blob, const char *layer, bool bias, nst_error *e)
{
    uint64_t old[BLOB_WIDTH] = { 1, 1, 1, 1 }, shape[8];
    int dims = 0, chunks = 0;
    nst_stored t = { .exact = true };

    snprintf(t.name, sizeof t.name, "%s.%s", layer, bias ? "bias" : "weight");
    snprintf(t.type, sizeof t.type, "none");
    if (!nst_weights_wants(t.name))
        return NST_OK;
    while (nst_wire_next(&blob)) {
        if (blob.field >= 1 && blob.field <= BLOB_WIDTH && blob.type == NST_WIRE_NUMBER)
            old[blob.field - 1] = blob.number;
        if (blob.field == BLOB_SHAPE) {
            nst_wire list = nst_wire_enter(&blob);

            while (nst_wire_next(&list))
                if (list.field == SHAPE_DIM && !nst_wire_numbers(&list, shape, (int)NST_COUNT(shape), &dims))
                    return damaged(w, &list, e);
            if (list.broken)
                return damaged(w, &list, e);
        }
        if (blob.field != BLOB_DATA && blob.field != BLOB_DOUBLES)
            continue;
        if (blob.type != NST_WIRE_BYTES || chunks++)
            return nst_fail(e, NST_EUNSUPPORTED, "%s: the numbers of %s are not in one piece, expected them packed",
                            w->path, t.name);
        t.number = blob.field == BLOB_DATA ? NST_F32 : NST_F64;
        t.at = (uint64_t)(blob.data - w->map);
        t.bytes = blob.bytes;
    }
    if (blob.broken)
        return damaged(w, &blob, e);
    set_shape(&t, old, shape, dims);
    return nst_weights_add(w, &t, e);
}

static nst_status take_layer(nst_weights *w, nst_wire layer, unsigned name_field, unsigned blobs_field, nst_error *e)
{
    nst_wire walk = layer;
    char name[32] = "";
    int blobs = 0;

    while (nst_wire_next(&walk)) /* the name may come after the blobs */
        if (walk.field == name_field && walk.type == NST_WIRE_BYTES && walk.bytes < sizeof name) {
            memcpy(name, walk.data, walk.bytes);
            name[walk.bytes] = 0;
        }
    if (walk.broken)
        return damaged(w, &walk, e);
    while (nst_wire_next(&layer))
        if (layer.field == blobs_field && blobs < 2) {
            nst_status s = take_blob(w, nst_wire_enter(&layer), name, blobs++ == 1, e);

            if (s)
                return s;
        }
    return NST_OK;
}

nst_status nst_model_open_caffe(nst_model **out, const char *path, nst_error *e)
{
    nst_weights *w = nst_calloc(1, sizeof *w);
    nst_status s;
    nst_wire net;

    *out = NULL;
    if (!w)
        return nst_fail(e, NST_EMEM, "%s: out of memory", path);
    w->path = path;
    w->format = "Caffe";
    w->input = "caffe";
    w->why = "it is Caffe's format";
    s = nst_weights_map(w, e);
    if (!s) {
        net = (nst_wire){ .p = w->map, .end = w->map + w->map_bytes };
        while (!s && nst_wire_next(&net)) {
            if (net.field == NET_OLD_LAYER)
                s = take_layer(w, nst_wire_enter(&net), OLD_NAME, OLD_BLOBS, e);
            else if (net.field == NET_LAYER)
                s = take_layer(w, nst_wire_enter(&net), NAME, BLOBS, e);
        }
        if (!s && net.broken)
            s = damaged(w, &net, e);
        if (!s)
            s = nst_weights_finish(out, w, e);
    }
    nst_weights_close(w);
    nst_free(w);
    return s;
}
