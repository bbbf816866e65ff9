/* masks.c: the masks that the command line names, in the order of the styles. */
#include "cli/masks.h"

#include <string.h>

#include "cli/files.h"

/* Number i of a list; *out is NULL where there is none, or a word in its place. */
static nst_status read_one(nst_image **out, const nst_names *names, int i, const char *word, const nst_fit *fit,
                           nst_error *e)
{
    *out = NULL;
    if (i >= names->n || !strcmp(names->name[i], word))
        return NST_OK;
    return nst_files_read(out, names->name[i], fit, e);
}

static nst_status check(const nst_command *c, nst_error *e)
{
    int places = c->content_mask.n, parts = c->style_mask.n, n = c->styles;

    if (places > n || (places && places < n - 1)) {
        snprintf(e->text, sizeof e->text, "--content-mask: %d mask%s for %d style%s, expected one for each%s", places,
                 places > 1 ? "s" : "", n, n > 1 ? "s" : "", n > 1 ? ", or for all but the last" : "");
        return NST_EARG;
    }
    if (parts > n) {
        snprintf(e->text, sizeof e->text, "--style-mask: %d masks for %d style%s, expected one for each", parts, n,
                 n > 1 ? "s" : "");
        return NST_EARG;
    }
    return NST_OK;
}

nst_status nst_masks_read(const nst_command *c, nst_image *const *style, const nst_fit *content, const nst_fit *styles,
                          nst_error *e)
{
    nst_status s = check(c, e);

    for (int i = 0; i < c->styles && !s; i++) {
        nst_image *place = NULL, *part = NULL;

        s = read_one(&place, &c->content_mask, i, "rest", content, e);
        if (!s)
            s = read_one(&part, &c->style_mask, i, "none", styles, e);
        if (!s && (place || part))
            s = nst_image_set_region(style[i], place, part, e);
        nst_image_destroy(&place);
        nst_image_destroy(&part);
    }
    return s;
}
