/* fuzz_checkpoint.c: the reader of checkpoints under libFuzzer, as fuzz_model.c says.  The sum at the end is made
 * right, or nothing behind it would ever be reached; what opens is resumed for an iteration. */
#include "engine/checkpoint.h"
#include "model/model.h"

#include "fuzz_file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static int enough(void *arg, const nst_progress *p)
{
    (void)arg, (void)p;
    return 1;
}

static void resume(nst_checkpoint *c)
{
    static nst_model *model;
    static nst_image *picture;
    nst_image *styles[2], *out = NULL;

    if (!model && (nst_model_open(&model, "small", NULL) || nst_image_create(&picture, 48, 48, 3, NULL)))
        abort();
    styles[0] = styles[1] = picture;
    nst_checkpoint_settings(c)->threads = 1;
    if (c->s.size <= 64 && c->s.style_scale < 2 && c->s.history <= 100)
        nst_transfer_resume(c, model, picture, (const nst_image *const *)styles, c->saved.styles == 1 ? 1 : 2, enough,
                            NULL, &out, NULL);
    nst_image_destroy(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const char *path;
    nst_checkpoint *c = NULL;
    nst_error e = { "" };
    unsigned char *whole;
    uint64_t v;
    nst_sum s;

    if (bytes < 8)
        return 0;
    whole = malloc(bytes);
    if (!whole)
        return 0;
    memcpy(whole, data, bytes - 8);
    nst_sum_begin(&s);
    nst_sum_add(&s, data, bytes - 8);
    v = nst_sum_end(&s);
    for (int k = 0; k < 8; k++)
        whole[bytes - 8 + (size_t)k] = (unsigned char)(v >> 8 * k);
    path = fuzz_file(whole, bytes);
    free(whole);
    if (!path)
        return 0;
    if (!nst_checkpoint_open(&c, path, &e) != !!c || (!c && strncmp(e.text, path, strlen(path))))
        __builtin_trap(); /* a checkpoint or a sentence */
    if (c)
        resume(c);
    nst_checkpoint_close(&c);
    return 0;
}
