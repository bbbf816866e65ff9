/* strips.c: TIFF's strips and tiles as rows. */
#include "image/tiff/tiff.h"

#include <string.h>

/* Bytes of a sample in the band that parts are put together in. */
static size_t band_step(const nst_tiff *j)
{
    return nst_tiff_packed(j) ? 2 : j->tags.bits / 8u;
}

/* Bytes of n samples in a row of the file. */
static size_t packed_bytes(const nst_tiff *j, size_t n)
{
    return (n * j->tags.bits + 7) / 8;
}

/* A piece's rows, [rows][columns][each] samples, into the band's pixels from (x, sample) on. */
static void scatter(nst_tiff *j, int x, int sample, int each, int columns, int rows, int piece_columns)
{
    size_t step = band_step(j), pixel = j->tags.samples * step, n = (size_t)each;

    for (int y = 0; y < rows; y++) {
        const uint8_t *from = j->piece + (size_t)y * packed_bytes(j, (size_t)piece_columns * n);
        uint8_t *to = j->band + ((size_t)y * (size_t)j->width + (size_t)x) * pixel + (size_t)sample * step;

        for (size_t i = 0; i < (size_t)columns; i++, to += pixel)
            if (nst_tiff_packed(j))
                for (size_t k = 0; k < n; k++)
                    ((uint16_t *)(void *)to)[k] = (uint16_t)nst_tiff_unpack(j, from, i * n + k);
            else
                memcpy(to, from + i * n * step, n * step);
    }
}

/* Tiles, and planes one after another: a band of rows at once. */
static nst_status read_band(nst_tiff *j)
{
    int planes = j->tags.planar == PLANARCONFIG_SEPARATE ? j->tags.samples : 1, each = planes > 1 ? 1 : j->tags.samples;
    int rows = j->height - j->y < j->band_rows ? j->height - j->y : j->band_rows;
    uint32_t tw = (uint32_t)j->width;

    if (j->tags.tiled)
        TIFFGetField(j->t, TIFFTAG_TILEWIDTH, &tw);
    for (int s = 0; s < planes; s++)
        for (int64_t x = 0; x < j->width; x += tw) {
            int columns = j->width - x < (int64_t)tw ? (int)(j->width - x) : (int)tw;
            size_t bytes = packed_bytes(j, (size_t)tw * (size_t)each) * (size_t)(j->tags.tiled ? j->band_rows : rows);
            tmsize_t got;

            if (j->tags.tiled)
                got = TIFFReadTile(j->t, j->piece, (uint32_t)x, (uint32_t)j->y, 0, (uint16_t)s);
            else
                got = TIFFReadEncodedStrip(j->t, TIFFComputeStrip(j->t, (uint32_t)j->y, (uint16_t)s), j->piece,
                                           (tmsize_t)bytes);
            if (got < 0 || (size_t)got < bytes)
                return nst_tiff_damaged(j);
            scatter(j, (int)x, s, each, columns, rows, (int)tw);
        }
    return NST_OK;
}

static bool in_parts(const nst_tiff *j)
{
    return j->tags.tiled || (j->tags.planar == PLANARCONFIG_SEPARATE && j->tags.samples > 1);
}

/* Bytes of a row of the band. */
static size_t row_bytes(const nst_tiff *j)
{
    size_t n = (size_t)j->width * j->tags.samples;

    return in_parts(j) ? n * band_step(j) : packed_bytes(j, n);
}

/* The size of a tile, or of a strip where strips are put together from planes. */
static nst_status piece_size(nst_tiff *j, uint32_t *w, uint32_t *h)
{
    *w = (uint32_t)j->width;
    *h = 1;
    if (j->tags.tiled && (!TIFFGetField(j->t, TIFFTAG_TILELENGTH, h) || !TIFFGetField(j->t, TIFFTAG_TILEWIDTH, w)))
        return nst_tiff_damaged(j);
    if (!j->tags.tiled && in_parts(j))
        TIFFGetFieldDefaulted(j->t, TIFFTAG_ROWSPERSTRIP, h);
    if (!j->tags.tiled && *h > (uint32_t)j->height)
        *h = (uint32_t)j->height;
    if (!*h || *h > INT32_MAX || !*w || *w > INT32_MAX)
        return nst_fail(j->e, NST_EFORMAT, "%s: damaged TIFF file: tiles of %lu x %lu pixels", j->label,
                        (unsigned long)*w, (unsigned long)*h);
    return NST_OK;
}

/* Room for one row, or for a band and one of its pieces. */
static nst_status make_room(nst_tiff *j)
{
    size_t row = row_bytes(j), band = row, piece, want;
    size_t each = j->tags.planar == PLANARCONFIG_SEPARATE ? 1 : j->tags.samples;
    uint32_t w, h;
    nst_status s = piece_size(j, &w, &h);

    if (s)
        return s;
    j->band_rows = (int)h;
    if (in_parts(j)) {
        piece = (size_t)(j->tags.tiled ? TIFFTileSize(j->t) : TIFFStripSize(j->t));
        if (!nst_mul(row, h > (uint32_t)j->height ? (uint32_t)j->height : h, &band))
            return nst_tiff_no_memory(j);
        /* what is read must be what scatter takes */
        if (!nst_mul(packed_bytes(j, w * each), h, &want) || piece != want)
            return nst_tiff_damaged(j);
        if (nst_memory_fits(band) && nst_memory_fits(piece))
            j->piece = nst_alloc(piece);
        if (!j->piece)
            return nst_tiff_no_memory(j);
    } else if ((size_t)TIFFScanlineSize(j->t) != row) {
        return nst_tiff_damaged(j);
    }
    if (nst_memory_fits(band))
        j->band = nst_alloc(band);
    return j->band ? NST_OK : nst_tiff_no_memory(j);
}

/* After a fault: whether the rows before it are what is wanted. */
static bool keep_there(nst_tiff *j)
{
    return j->damaged && !ferror(j->f) && !strstr(j->text, "memory") && nst_rows_cut(j->rows);
}

static nst_status read_plain(nst_tiff *j)
{
    size_t row = row_bytes(j);
    nst_status s = make_room(j);

    if (s)
        return s;
    j->row = nst_calloc((size_t)j->width * (size_t)(j->kind.colors + j->kind.alpha), 2);
    if (!j->row)
        return nst_tiff_no_memory(j);
    while (j->y < j->height) {
        int rows = j->height - j->y < j->band_rows ? j->height - j->y : j->band_rows;

        s = NST_OK;
        if (j->piece)
            s = read_band(j);
        else if (TIFFReadScanline(j->t, j->band, (uint32_t)j->y, 0) < 0)
            s = nst_tiff_damaged(j);
        if (s)
            return keep_there(j) ? NST_OK : s;
        for (int i = 0; i < rows; i++, j->y++)
            nst_tiff_row(j, j->band + (size_t)i * row);
    }
    return nst_float_check(&j->range, j->label, j->e);
}

static nst_status read_rgba(nst_tiff *j, TIFFRGBAImage *image)
{
    uint32_t h = (uint32_t)j->height, all = h;
    size_t bytes;

    if (j->tags.tiled)
        TIFFGetField(j->t, TIFFTAG_TILELENGTH, &h);
    else
        TIFFGetFieldDefaulted(j->t, TIFFTAG_ROWSPERSTRIP, &h);
    j->band_rows = (int)(h && h < all ? h : all);
    if (!nst_mul((size_t)j->width * 4, (size_t)j->band_rows, &bytes) || !nst_memory_fits(bytes))
        return nst_tiff_no_memory(j);
    j->band = nst_alloc(bytes);
    if (j->band)
        j->row = nst_calloc((size_t)j->width, 4);
    if (!j->row)
        return nst_tiff_no_memory(j);
    image->req_orientation = image->orientation; /* rows as the file has them */
    while (j->y < j->height) {
        int rows = j->height - j->y < j->band_rows ? j->height - j->y : j->band_rows;

        image->row_offset = j->y;
        memset(j->band, 0, bytes);
        if (!TIFFRGBAImageGet(image, (uint32_t *)(void *)j->band, (uint32_t)j->width, (uint32_t)rows))
            return keep_there(j) ? NST_OK : nst_tiff_damaged(j);
        for (int i = 0; i < rows; i++, j->y++)
            nst_tiff_rgba_row(j, (uint32_t *)(void *)j->band + (size_t)i * (size_t)j->width);
    }
    return NST_OK;
}

static nst_status open_rows(nst_tiff *j, const nst_fit *fit)
{
    nst_status s = nst_color_open(&j->color, &j->kind, j->width, j->label, j->e);

    return s ? s : nst_rows_open(&j->rows, j->width, j->height, j->kind.alpha ? 4 : 3, fit, j->label, j->e);
}

nst_status nst_tiff_pixels(nst_tiff *j, const nst_fit *fit)
{
    TIFFRGBAImage image;
    char text[1024] = "";
    nst_status s;

    if (nst_tiff_is_plain(j)) {
        nst_tiff_profile(j);
        s = open_rows(j, fit);
        return s ? s : read_plain(j);
    }
    if (j->tags.floats || !TIFFRGBAImageOK(j->t, text) || !TIFFRGBAImageBegin(&image, j->t, 1, text))
        return nst_fail(j->e, NST_EUNSUPPORTED, "%s: a kind of TIFF that is not read: %.200s", j->label,
                        *text ? text : "samples of an unusual kind");
    j->kind = (nst_samples){ .colors = 3, .alpha = image.alpha != 0, .bits = 8 };
    if (j->tags.photometric != PHOTOMETRIC_SEPARATED)
        nst_tiff_profile(j);
    s = open_rows(j, fit);
    if (!s)
        s = read_rgba(j, &image);
    TIFFRGBAImageEnd(&image);
    return s;
}
