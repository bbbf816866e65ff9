/* sheet.c: a contact sheet: sheet OUT HEIGHT COLUMNS PICTURE... ; each picture at that height, in the middle of its
 * column; "-" for an empty place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/image.h"

enum { GAP = 6 };

static int columns_of(int n, int columns)
{
    return n < columns ? n : columns;
}

static nst_status load(nst_image **out, const char *path, int height, nst_error *e)
{
    nst_image *in = NULL;
    nst_status s = nst_image_read(&in, path, e);

    *out = NULL;
    if (!s)
        s = nst_image_resize(out, in, (int)((double)in->width * height / in->height + .5), height, e);
    nst_image_destroy(&in);
    return s;
}

static void paste(nst_image *sheet, const nst_image *in, int x, int y)
{
    for (int c = 0; c < 3; c++)
        for (int j = 0; j < in->height; j++)
            memcpy(sheet->plane[c] + (size_t)(y + j) * sheet->width + x, in->plane[c] + (size_t)j * in->width,
                   (size_t)in->width * sizeof(float));
}

int main(int argc, char **argv)
{
    int n = argc - 4, height = argc > 4 ? atoi(argv[2]) : 0, columns = argc > 4 ? columns_of(n, atoi(argv[3])) : 0;
    nst_image **in = height > 0 && columns > 0 ? calloc((size_t)n, sizeof *in) : NULL, *sheet = NULL;
    int *left = in ? calloc((size_t)columns + 1, sizeof *left) : NULL;
    nst_write_options o = { .jpeg_quality = 88 };
    nst_error e;

    if (!left) {
        fputs("usage: sheet OUT HEIGHT COLUMNS PICTURE...\n", stderr);
        return 2;
    }
    for (int i = 0; i < n; i++) {
        if (strcmp(argv[4 + i], "-") != 0 && load(&in[i], argv[4 + i], height, &e))
            goto fail;
        if (in[i] && in[i]->width + GAP > left[i % columns + 1])
            left[i % columns + 1] = in[i]->width + GAP;
    }
    for (int i = 0; i < columns; i++) /* widths to left edges */
        left[i + 1] += left[i];
    if (nst_image_create(&sheet, left[columns] + GAP, (n + columns - 1) / columns * (height + GAP) + GAP, 3, &e))
        goto fail;
    for (int c = 0; c < 3; c++)
        for (size_t i = 0; i < (size_t)sheet->width * sheet->height; i++)
            sheet->plane[c][i] = 1;
    for (int i = 0; i < n; i++)
        if (in[i])
            paste(sheet, in[i], (left[i % columns] + left[i % columns + 1] + GAP - in[i]->width) / 2,
                  i / columns * (height + GAP) + GAP);
    if (nst_image_write(sheet, argv[1], &o, &e))
        goto fail;
    nst_image_destroy(&sheet);
    for (int i = 0; i < n; i++)
        nst_image_destroy(&in[i]);
    free(in);
    free(left);
    return 0;

fail:
    fprintf(stderr, "sheet: %s\n", e.text);
    return 1;
}
