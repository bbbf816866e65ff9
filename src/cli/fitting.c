/* fitting.c: which size would have fitted into memory: the plans of smaller ones are made until it is found. */
#include "cli/fitting.h"

#include <stdio.h>
#include <string.h>

enum { LEAST = 32, STEP = 16 };

static int longest(const nst_image *image)
{
    int w = nst_image_width(image), h = nst_image_height(image);

    return w > h ? w : h;
}

void nst_fitting_advise(const nst_settings *s, const nst_model *model, const nst_image *content,
                        const nst_image *const *style, int styles, nst_error *e)
{
    nst_settings smaller = *s;
    int low = LEAST / STEP - 1, high = ((s->size ? s->size : longest(content)) + STEP - 1) / STEP;
    size_t n = strlen(e->text);
    nst_error other;

    while (high - low > 1) { /* STEP * low fits, or is too small for anything; STEP * high does not */
        /* twice as large each time until one does not fit: plans of pictures far too large take longest */
        int middle = high - low > low ? 2 * low : low + (high - low) / 2;
        nst_status status;

        smaller.size = STEP * middle;
        status = nst_transfer_plan(&smaller, model, content, style, styles, NULL, &other);
        if (status && status != NST_EMEM && status != NST_EARG) /* nothing that a size would mend */
            return;
        if (status == NST_EMEM)
            high = middle;
        else
            low = middle; /* a side that becomes too small needs a larger size */
    }
    smaller.size = STEP * low;
    if (low < LEAST / STEP ||
        nst_transfer_plan(&smaller, model, content, style, styles, NULL, &other))
        snprintf(e->text + n, sizeof e->text - n, "; no smaller --size fits");
    else
        snprintf(e->text + n, sizeof e->text - n, "; --size %d fits", STEP * low);
}
