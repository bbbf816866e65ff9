/* gif.c: the first picture of GIF files; the only file that knows giflib. */
#include "image/format.h"

#include <errno.h>
#include <string.h>

#ifdef HAVE_GIF
#include <gif_lib.h>

#define MAX_RATIO 4096 /* pixels of a byte of LZW, and more than it can hold */

struct job {
    FILE *f;
    const char *label;
    nst_error *e;
    GifFileType *gif;
    int clear;         /* the colour that is transparent, or -1 */
    bool covers;       /* the picture is as large as the screen that it is shown on */
    uint8_t *indices;  /* [height][width] of the picture, which is smaller than the screen or as large */
    nst_rows *rows;
    nst_color *color;
    uint8_t *row;      /* [screen's width][4] */
};

static int get(GifFileType *gif, GifByteType *to, int bytes)
{
    struct job *j = gif->UserData;

    return (int)fread(to, 1, (size_t)bytes, j->f);
}

static nst_status damaged(const struct job *j)
{
    if (ferror(j->f))
        return nst_fail(j->e, NST_EIO, "%s: cannot read: %s", j->label, strerror(errno));
    if (j->gif && (j->gif->Error == D_GIF_ERR_NOT_ENOUGH_MEM))
        return nst_fail(j->e, NST_EMEM, "%s: out of memory", j->label);
    return nst_fail(j->e, NST_EFORMAT, "%s: damaged or truncated GIF file", j->label);
}

/* A block beside pictures: what is transparent. */
static bool read_extension(struct job *j)
{
    GifByteType *block;
    GraphicsControlBlock control;
    int code;

    if (DGifGetExtension(j->gif, &code, &block) != GIF_OK)
        return false;
    if (code == GRAPHICS_EXT_FUNC_CODE && block && DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK)
        j->clear = control.TransparentColor;
    while (block)
        if (DGifGetExtensionNext(j->gif, &block) != GIF_OK)
            return false;
    return true;
}

/* Goes to the next picture; false at the end, and where the rest is damaged. */
static bool find_picture(struct job *j)
{
    GifRecordType type;

    for (;;) {
        if (DGifGetRecordType(j->gif, &type) != GIF_OK)
            return false;
        if (type == IMAGE_DESC_RECORD_TYPE)
            return true;
        if (type != EXTENSION_RECORD_TYPE || !read_extension(j))
            return false;
    }
}

/* Sizes are checked before anything of that size is taken. */
static nst_status read_header(struct job *j, const nst_fit *fit)
{
    const GifImageDesc *d = &j->gif->Image;
    int w = j->gif->SWidth, h = j->gif->SHeight;
    long long bytes = nst_file_bytes(j->f);
    nst_samples kind = { .colors = 3, .bits = 8 };
    nst_status s;

    if (DGifGetImageDesc(j->gif) != GIF_OK)
        return damaged(j);
    if (w < 1 || h < 1) { /* some writers leave it out */
        w = j->gif->SWidth = d->Left + d->Width;
        h = j->gif->SHeight = d->Top + d->Height;
    }
    s = nst_image_check((size_t)w, (size_t)h, j->label, j->e);
    if (s)
        return s;
    if (d->Width < 1 || d->Height < 1 || d->Left < 0 || d->Top < 0 || d->Left + d->Width > w || d->Top + d->Height > h)
        return nst_fail(j->e, NST_EFORMAT, "%s: damaged GIF file: its picture lies outside of it", j->label);
    if (!d->ColorMap && !j->gif->SColorMap)
        return nst_fail(j->e, NST_EFORMAT, "%s: damaged GIF file: it has no colours", j->label);
    /* the screen's pixels cost time, too, where no picture covers them */
    if (bytes >= 0 && (double)w * h > (double)bytes * MAX_RATIO)
        return nst_fail(j->e, NST_EFORMAT, "%s: truncated, %lld bytes cannot hold %d x %d pixels", j->label, bytes, w,
                        h);
    j->covers = d->Width == w && d->Height == h;
    kind.alpha = j->clear >= 0 || !j->covers;
    s = nst_rows_open(&j->rows, w, h, 3 + kind.alpha, fit, j->label, j->e);
    if (!s)
        s = nst_color_open(&j->color, &kind, w, j->label, j->e);
    if (s)
        return s;
    j->row = nst_alloc((size_t)w * 4);
    j->indices = nst_alloc((size_t)d->Width * (size_t)d->Height);
    if (!j->row || !j->indices)
        return nst_fail(j->e, NST_EMEM, "%s: out of memory for %d x %d pixels", j->label, w, h);
    return NST_OK;
}

static bool read_line(struct job *j, int y)
{
    size_t w = (size_t)j->gif->Image.Width;

    return DGifGetLine(j->gif, j->indices + (size_t)y * w, (int)w) == GIF_OK;
}

/* Interlaced rows come in four passes. */
static bool read_lines(struct job *j)
{
    static const int first[] = { 0, 4, 2, 1 }, step[] = { 8, 8, 4, 2 };
    int h = j->gif->Image.Height;

    if (!j->gif->Image.Interlace) {
        for (int y = 0; y < h; y++)
            if (!read_line(j, y))
                return false;
        return true;
    }
    for (int pass = 0; pass < 4; pass++)
        for (int y = first[pass]; y < h; y += step[pass])
            if (!read_line(j, y))
                return false;
    return true;
}

/* Row y of the screen: the picture's part of it in its colours, the rest transparent. */
static void put_row(struct job *j, int y)
{
    const GifImageDesc *d = &j->gif->Image;
    const ColorMapObject *map = d->ColorMap ? d->ColorMap : j->gif->SColorMap;
    bool alpha = j->clear >= 0 || !j->covers, inside = y >= d->Top && y < d->Top + d->Height;
    size_t each = alpha ? 4 : 3;

    memset(j->row, 0, (size_t)j->gif->SWidth * each);
    for (int x = 0; x < d->Width && inside; x++) {
        int i = j->indices[(size_t)(y - d->Top) * (size_t)d->Width + (size_t)x];
        uint8_t *to = j->row + (size_t)(d->Left + x) * each;

        if (i < map->ColorCount) {
            to[0] = map->Colors[i].Red;
            to[1] = map->Colors[i].Green;
            to[2] = map->Colors[i].Blue;
        }
        if (alpha)
            to[3] = i == j->clear ? 0 : 255;
    }
    nst_color_row(j->color, j->row, nst_rows_next(j->rows));
    nst_rows_put(j->rows);
}

static nst_status read_all(struct job *j, const nst_fit *fit, nst_image **out)
{
    int error = 0;
    nst_status s;

    j->gif = DGifOpen(j, get, &error);
    if (!j->gif)
        return error == D_GIF_ERR_NOT_ENOUGH_MEM ? nst_fail(j->e, NST_EMEM, "%s: out of memory", j->label) : damaged(j);
    if (!find_picture(j))
        return damaged(j);
    s = read_header(j, fit);
    if (s)
        return s;
    if (!read_lines(j))
        return damaged(j);
    for (int y = 0; y < j->gif->SHeight; y++)
        put_row(j, y);
    s = nst_rows_finish(&j->rows, 1, out, j->label, j->e);
    if (s)
        return s;
    if (find_picture(j))
        nst_note_animation(*out, j->label);
    return NST_OK;
}

static nst_status read_gif(nst_image **out, FILE *f, const nst_fit *fit, const char *label, nst_error *e)
{
    struct job j = { .f = f, .label = label, .e = e, .clear = NO_TRANSPARENT_COLOR };
    nst_status s;

    *out = NULL;
    s = read_all(&j, fit, out);
    if (j.gif)
        DGifCloseFile(j.gif, NULL);
    nst_color_close(&j.color);
    nst_rows_close(&j.rows);
    nst_free(j.indices);
    nst_free(j.row);
    return s;
}
#endif

static bool is_gif(const uint8_t *head, size_t bytes)
{
    return bytes >= 6 && (!memcmp(head, "GIF87a", 6) || !memcmp(head, "GIF89a", 6));
}

const nst_codec nst_codec_gif = {
    .is = is_gif,
#ifdef HAVE_GIF
    .format = { "gif", "GIF", ".gif", .bits = 8, .reads = 1 },
    .read = read_gif,
#else
    .format = { "gif", "GIF", ".gif", .bits = 8 },
#endif
};
