/* inputs.c: what a painting is made of: the model and the pictures that the command line names. */
#include "cli/inputs.h"

#include <string.h>

#include "cli/fail.h"
#include "cli/files.h"
#include "cli/masks.h"
#include "cli/models/models.h"

nst_status nst_inputs_open(nst_inputs *in, const nst_command *c, const nst_settings *settings, nst_error *e)
{
    nst_fit fit = nst_settings_fit(settings, NULL), style;
    nst_status s = NST_OK;

    fit.damaged = c->damaged;
    if (!in->model)
        s = nst_models_open(&in->model, c, e);
    if (!s)
        s = nst_files_read(&in->content, c->content, &fit, e);
    if (s)
        return s;
    style = nst_settings_fit(settings, in->content);
    style.damaged = c->damaged;
    for (int i = 0; i < c->styles; i++) {
        s = nst_files_read(&in->style[i], c->style[i], &style, e);
        if (s)
            return s;
    }
    s = nst_masks_read(c, in->style, &fit, &style, e);
    if (s)
        return s;
    return c->init ? nst_files_read(&in->init, c->init, &fit, e) : NST_OK;
}

void nst_inputs_leave(nst_inputs *in)
{
    for (int i = 0; i < NST_MAX_STYLES; i++)
        nst_image_destroy(&in->style[i]);
    nst_image_destroy(&in->content);
    nst_image_destroy(&in->init);
}

/* FNV-1a. */
static uint64_t mix(uint64_t sum, const void *data, size_t bytes)
{
    const unsigned char *at = data;

    for (size_t i = 0; i < bytes; i++)
        sum = (sum ^ at[i]) * 0x100000001b3u;
    return sum;
}

static uint64_t mix_picture(uint64_t sum, nst_image *picture)
{
    size_t n = picture ? (size_t)nst_image_width(picture) * (size_t)nst_image_height(picture) : 0;

    for (int c = 0; n && c < nst_image_channels(picture); c++)
        sum = mix(sum, nst_image_plane(picture, c), n * sizeof(float));
    return sum;
}

nst_status nst_inputs_same(const nst_inputs *in, int styles, const nst_settings *settings, const nst_comm *comm,
                           nst_error *e)
{
    const char *model = nst_model_describe(in->model);
    nst_settings s = *settings;
    char text[2048];
    uint64_t sum = 0xcbf29ce484222325u, of_first;

    s.threads = 0, s.memory = 0, *s.simd = 0; /* each machine's own */
    nst_options_describe(&s, text, sizeof text);
    sum = mix(mix(sum, text, strlen(text)), model, strlen(model));
    sum = mix_picture(mix_picture(sum, in->content), in->init);
    for (int i = 0; i < styles; i++)
        sum = mix_picture(sum, in->style[i]);
    of_first = sum;
    if (comm->broadcast(comm->arg, &of_first, sizeof of_first, 0) || of_first == sum)
        return NST_OK;
    return fail(e, NST_EARG, "pictures, model or options are not those of rank 0");
}
