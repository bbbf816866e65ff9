/* known.c: a model and what is published of its file, known by its checksum, by what it was made from, or by its
 * name. */
#include "cli/models/known.h"

#include "cli/models/guard.h"
#include "cli/models/places.h"

#include <string.h>

/* What import and fetch note in a model: the checksums of what it was made from. */
static bool read_origin(const nst_model *m, nst_sums *sums)
{
    return sscanf(nst_model_origin(m), "sha256:%64[0-9a-f],md5:%32[0-9a-f]", sums->sha256, sums->md5) == 2;
}

/* Two families of files look the same, torchvision's and those converted from Caffe's: what is published tells them
 * apart, by the checksum or, where that is not to be computed before each run, by its first digits in the file's
 * name. */
nst_status nst_known_open(nst_known *o, const char *path, const nst_command *c, bool thoroughly, nst_error *e)
{
    nst_sums origin = { "", "" };
    nst_error ignored;
    nst_status s = nst_guard_try(path, e);

    if (!s)
        s = nst_model_open(&o->m, path, e);
    if (s)
        return s;
    if (thoroughly && strcmp(path, "small") && nst_sums_here() && !nst_sums_file(path, &o->sums, &ignored))
        o->source = nst_sources_known(o->sums.sha256, o->sums.md5);
    if (!o->source && thoroughly && read_origin(o->m, &origin)) {
        o->source = nst_sources_known(origin.sha256, origin.md5);
        o->kept = o->source != NULL;
    }
    if (o->source && !o->kept) {
        snprintf(o->why, sizeof o->why, "its checksum is that of %s, %s", o->source->file, o->source->what);
    } else if (!o->source) {
        o->source = nst_sources_marked(nst_paths_base(path));
        if (o->source) {
            o->named = true; /* neural-style-pt's installation saves it again under the same name */
            snprintf(o->why, sizeof o->why, "its name is that of %s, %s", o->source->file, o->source->what);
        }
    }
    if (c->model_input)
        s = nst_model_set_input(o->m, nst_input_name(c->model_input - 1), e);
    else if (o->source && o->source->input && !o->kept)
        s = nst_model_set_input(o->m, o->source->input, e);
    if (c->model_input || !o->source || !o->source->input || o->kept)
        snprintf(o->why, sizeof o->why, "%s", nst_model_input_why(o->m));
    if (s)
        nst_model_close(&o->m);
    return s;
}

nst_status nst_known_named(nst_known *o, const char *named, const nst_command *c, nst_error *e)
{
    char path[NST_PATH_BYTES];
    nst_status s = nst_places_find(named, path, sizeof path, e);

    *o = (nst_known){ .m = NULL };
    return s ? s : nst_known_open(o, path, c, true, e);
}

/* The layers of VGG19 and VGG16 up to conv5_1, by their numbers of convolutions in blocks 1 to 4. */
static bool has_blocks(const nst_model *m, const char *blocks)
{
    int i = 0;

    for (int b = 0; b < 5; b++)
        for (int k = 0; k < (b < 4 ? blocks[b] - '0' : 1); k++, i++) {
            char name[32];
            const char *own = nst_model_layer(m, i, NULL, NULL);

            snprintf(name, sizeof name, "conv%d_%d", b + 1, k + 1);
            if (!own || strcmp(own, name))
                return false;
        }
    return !nst_model_layer(m, i, NULL, NULL);
}

const char *nst_known_likeness(const nst_model *m)
{
    if (has_blocks(m, "2244"))
        return "vgg19";
    return has_blocks(m, "2233") ? "vgg16" : NULL;
}
