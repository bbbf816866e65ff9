/* row_reader.c: a picture that arrives row by row, from a file of any size: kept whole, or made smaller on the way. */
#include "image/image.h"

#include <string.h>

struct nst_rows {
    nst_image *image;       /* what is made of the rows */
    int next, height;       /* the row that comes next, and how many the file has */
    nst_resampler *smaller; /* NULL: the rows are kept as they are */
    float *row[4];          /* of the next row */
    float *room;            /* [channels][width] behind row, where rows are resampled */
};

/* How many times smaller, at most 1; 1 too where that is not worth a second resampling later: see nst_fit. */
static double ratio(const nst_fit *fit, int w, int h)
{
    int longest = w > h ? w : h, shortest = w < h ? w : h;
    double a, b;

    if (!fit || (fit->longest < 1 && fit->shortest < 1))
        return 1;
    a = (double)fit->longest / longest;
    b = (double)fit->shortest / shortest;
    a = a > b ? a : b;
    return a < 0.5 ? a : 1;
}

static int scaled(int side, double by)
{
    int v = (int)(side * by + 0.5);

    return v < 1 ? 1 : v;
}

nst_status nst_rows_open(nst_rows **out, int width, int height, int channels, const nst_fit *fit, const char *label,
                         nst_error *e)
{
    double by = ratio(fit, width, height);
    nst_rows *r;
    nst_status s;
    size_t bytes;

    *out = NULL;
    s = nst_image_check((size_t)width, (size_t)height, label, e);
    if (s)
        return s;
    bytes = (size_t)scaled(width, by) * (size_t)scaled(height, by) * (size_t)channels * sizeof(float);
    if (fit && fit->most && bytes > fit->most)
        return nst_fail(e, NST_EMEM, "%s: %d x %d pixels take %.2g GB, more than the %.2g GB of memory that a painting "
                        "has room for; a smaller --size, or a larger --memory", label, width, height,
                        (double)bytes / 1e9, (double)fit->most / 1e9);
    if (!nst_memory_fits(bytes))
        return nst_fail(e, NST_EMEM, "%s: %d x %d pixels need %.1f GB, more than is free", label, width, height,
                        (double)bytes / 1e9);
    r = nst_calloc(1, sizeof *r);
    if (!r)
        return nst_fail(e, NST_EMEM, "%s: out of memory", label);
    s = nst_image_alloc(&r->image, scaled(width, by), scaled(height, by), channels, label, e);
    if (s)
        goto fail;
    r->height = height;
    if (by < 1) {
        r->image->file_width = width;
        r->image->file_height = height;
        s = nst_resampler_open(&r->smaller, width, height, r->image, label, e);
        if (s)
            goto fail;
        r->room = nst_calloc((size_t)width, (size_t)channels * sizeof *r->room);
        if (!r->room) {
            s = nst_fail(e, NST_EMEM, "%s: out of memory for a row of %d pixels", label, width);
            goto fail;
        }
    }
    for (int c = 0; c < channels; c++)
        r->row[c] = by < 1 ? r->room + (size_t)c * (size_t)width : r->image->plane[c];
    *out = r;
    return NST_OK;

fail:
    nst_rows_close(&r);
    return s;
}

float *const *nst_rows_next(nst_rows *r)
{
    return r->row;
}

void nst_rows_put(nst_rows *r)
{
    r->next++;
    if (r->smaller)
        nst_resampler_row(r->smaller, (const float *const[4]){ r->row[0], r->row[1], r->row[2], r->row[3] });
    else if (r->next < r->image->height)
        for (int c = 0; c < r->image->channels; c++)
            r->row[c] += r->image->width;
}

nst_status nst_rows_finish(nst_rows **r, int orientation, nst_image **out, const char *label, nst_error *e)
{
    nst_status s = nst_image_orient((*r)->image, orientation, label, e);

    *out = NULL;
    if (!s) {
        *out = (*r)->image;
        (*r)->image = NULL;
    }
    nst_rows_close(r);
    return s;
}

int nst_rows_there(const nst_rows *r)
{
    return r->next;
}

/* The lower rows of all planes go. */
static void shorten(nst_image *image, int height)
{
    size_t row = (size_t)image->width * sizeof(float);

    for (int c = 1; c < image->channels; c++) {
        float *to = image->plane[c - 1] + (size_t)image->width * (size_t)height;

        memmove(to, image->plane[c], (size_t)height * row);
        image->plane[c] = to;
    }
    image->height = height;
}

bool nst_rows_cut(nst_rows *r)
{
    int there = r->next;
    double by = (double)r->image->height / r->height;

    if (!there)
        return false;
    while (r->smaller && r->next < r->height) /* the last row's colours, for the filter that reaches beyond it */
        nst_rows_put(r);
    if (there < r->height)
        shorten(r->image, scaled(there, by));
    if (r->smaller)
        r->image->file_height = there;
    return true;
}

void nst_rows_close(nst_rows **r)
{
    if (!*r)
        return;
    nst_resampler_close(&(*r)->smaller);
    nst_free((*r)->room);
    nst_image_destroy(&(*r)->image);
    nst_free(*r);
    *r = NULL;
}
