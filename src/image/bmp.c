/* bmp.c: BMP files in: a header, a palette or masks, and rows from the bottom up, which are handed on so and turned. */
#include "image/format.h"

#include <errno.h>
#include <string.h>

enum { RGB = 0, RLE8 = 1, RLE4 = 2, MASKS = 3, ALPHA_MASKS = 6 }; /* compressions; 4 and 5 hold JPEG and PNG */
enum { FILE_HEAD = 14, OLD_HEAD = 12, HEAD = 40, MASKED_HEAD = 56, LONGEST_HEAD = 124 };
#define EMBEDDED 0x4d424544u   /* a profile is in the file */
#define RLE_RATIO 128          /* pixels of a byte of runs; what they skip has no limit but this one, too */

struct job {
    FILE *f;
    const char *label;
    nst_error *e;
    uint8_t head[FILE_HEAD + LONGEST_HEAD];
    uint32_t head_bytes, compression;
    int width, height, bits;
    bool down;             /* rows from the top */
    uint32_t mask[4];      /* of red, green, blue, alpha */
    uint8_t palette[256][3];
    uint8_t *indices;      /* all of a picture in runs */
    uint8_t *raw, *row;    /* a row as the file has it, and [width][3 or 4] */
    uint8_t *icc;
    nst_samples kind;
    nst_rows *rows;
    nst_color *color;
};

static uint32_t number(const struct job *j, int at, int bytes)
{
    uint32_t v = 0;

    for (int i = bytes; i-- > 0;)
        v = v << 8 | j->head[at + i];
    return v;
}

static nst_status damaged(const struct job *j, const char *what)
{
    if (ferror(j->f))
        return nst_fail(j->e, NST_EIO, "%s: cannot read: %s", j->label, strerror(errno));
    return nst_fail(j->e, NST_EFORMAT, "%s: damaged BMP file: %s", j->label, what);
}

static nst_status truncated(const struct job *j, int rows)
{
    if (ferror(j->f))
        return damaged(j, "");
    return nst_fail(j->e, NST_EFORMAT, "%s: truncated after %d of %d rows", j->label, rows, j->height);
}

/* ---- header ------------------------------------------------------------------ */

static nst_status check_kind(struct job *j)
{
    static const struct { int bits; uint32_t compressions; } kinds[] = {
        { 1, 1 << RGB }, { 4, 1 << RGB | 1 << RLE4 }, { 8, 1 << RGB | 1 << RLE8 },
        { 16, 1 << RGB | 1 << MASKS | 1 << ALPHA_MASKS }, { 24, 1 << RGB },
        { 32, 1 << RGB | 1 << MASKS | 1 << ALPHA_MASKS },
    };

    for (size_t i = 0; i < NST_COUNT(kinds); i++)
        if (kinds[i].bits == j->bits && j->compression < 32 && kinds[i].compressions >> j->compression & 1)
            return NST_OK;
    return nst_fail(j->e, NST_EUNSUPPORTED, "%s: a BMP of %d bits and compression %lu, which is not read; most picture "
                    "programs export it as PNG", j->label, j->bits, (unsigned long)j->compression);
}

static nst_status check_size(struct job *j, int64_t width, int64_t height)
{
    long long bytes = nst_file_bytes(j->f);
    double least;
    nst_status s;

    j->down = height < 0;
    height = height < 0 ? -height : height;
    s = nst_image_check(width > 0 ? (size_t)width : 0, (size_t)height, j->label, j->e);
    if (s)
        return s;
    j->width = (int)width;
    j->height = (int)height;
    least = (double)j->width * j->height * j->bits / 8;
    if (j->compression == RLE8 || j->compression == RLE4)
        least = (double)j->width * j->height / RLE_RATIO / 8;
    if (bytes >= 0 && least > (double)bytes)
        return nst_fail(j->e, NST_EFORMAT, "%s: truncated, %lld bytes cannot hold %d x %d pixels", j->label, bytes,
                        j->width, j->height);
    return NST_OK;
}

/* Which bits are which colour: said, or as Windows has them. */
static nst_status read_masks(struct job *j)
{
    static const uint32_t usual[2][3] = { { 0x7c00, 0x3e0, 0x1f }, { 0xff0000, 0xff00, 0xff } };
    bool said = j->compression == MASKS || j->compression == ALPHA_MASKS;
    uint32_t seen = 0;
    size_t n = j->head_bytes >= MASKED_HEAD || j->compression == ALPHA_MASKS ? 4 : 3;

    /* behind the shortest header, in place within longer ones */
    if (said && j->head_bytes == HEAD && fread(j->head + FILE_HEAD + HEAD, 4, n, j->f) < n)
        return truncated(j, 0);
    for (size_t i = 0; i < n; i++) {
        if (i < 3 || said)
            j->mask[i] = said ? number(j, FILE_HEAD + HEAD + 4 * (int)i, 4) : usual[j->bits == 32][i];
        if (j->mask[i] & seen)
            return damaged(j, "its masks overlap");
        seen |= j->mask[i];
    }
    j->kind.alpha = j->mask[3] != 0;
    return NST_OK;
}

static nst_status read_palette(struct job *j)
{
    size_t each = j->head_bytes == OLD_HEAD ? 3 : 4, most = (size_t)1 << j->bits;
    size_t n = j->head_bytes == OLD_HEAD ? most : number(j, FILE_HEAD + 32, 4);
    uint8_t color[4];

    n = !n || n > most ? most : n;
    for (size_t i = 0; i < n; i++) {
        if (fread(color, 1, each, j->f) < each)
            return truncated(j, 0);
        for (int c = 0; c < 3; c++)
            j->palette[i][c] = color[2 - c];
    }
    return NST_OK;
}

/* An embedded profile; one that is not whole is none. */
static nst_status read_profile(struct job *j)
{
    uint32_t at, n;

    if (j->head_bytes < LONGEST_HEAD || number(j, FILE_HEAD + 56, 4) != EMBEDDED)
        return NST_OK;
    at = number(j, FILE_HEAD + 112, 4);
    n = number(j, FILE_HEAD + 116, 4);
    if (!n || n > NST_PROFILE_MAX || at > INT32_MAX)
        return NST_OK;
    j->icc = nst_alloc(n);
    if (!j->icc)
        return nst_fail(j->e, NST_EMEM, "%s: out of memory for its colour profile", j->label);
    if (!fseeko(j->f, (off_t)FILE_HEAD + (off_t)at, SEEK_SET) && fread(j->icc, 1, n, j->f) == n) {
        j->kind.icc = j->icc;
        j->kind.icc_bytes = n;
    }
    return NST_OK;
}

static nst_status read_header(struct job *j)
{
    bool old;
    nst_status s;

    if (fread(j->head, 1, FILE_HEAD + 4, j->f) < FILE_HEAD + 4)
        return truncated(j, 0);
    j->head_bytes = number(j, FILE_HEAD, 4);
    old = j->head_bytes == OLD_HEAD;
    if (!old && (j->head_bytes < HEAD || j->head_bytes > LONGEST_HEAD))
        return damaged(j, "its header has an unknown length");
    if (fread(j->head + FILE_HEAD + 4, 1, j->head_bytes - 4, j->f) < j->head_bytes - 4)
        return truncated(j, 0);
    j->bits = (int)number(j, FILE_HEAD + (old ? 10 : 14), 2);
    j->compression = old ? RGB : number(j, FILE_HEAD + 16, 4);
    s = check_kind(j);
    if (!s)
        s = check_size(j, old ? (int64_t)number(j, FILE_HEAD + 4, 2) : (int32_t)number(j, FILE_HEAD + 4, 4),
                          old ? (int64_t)number(j, FILE_HEAD + 6, 2) : (int32_t)number(j, FILE_HEAD + 8, 4));
    if (s)
        return s;
    j->kind = (nst_samples){ .colors = 3, .bits = 8 };
    if (j->bits == 16 || j->bits == 32)
        s = read_masks(j);
    else if (j->bits <= 8)
        s = read_palette(j);
    if (!s)
        s = read_profile(j);
    if (s)
        return s;
    if (fseeko(j->f, (off_t)number(j, 10, 4), SEEK_SET))
        return damaged(j, "it says that its pixels lie nowhere");
    return NST_OK;
}

/* ---- runs ---------------------------------------------------------------------- */

/* Pixel k of two in a byte. */
static int half(int byte, int k)
{
    return k % 2 ? byte & 15 : byte >> 4;
}

static void put_index(struct job *j, int *x, int y, int value)
{
    if (*x < j->width && y < j->height)
        j->indices[(size_t)y * (size_t)j->width + (size_t)(*x)++] = (uint8_t)value;
}

/* n pixels as they are, which end at an even number of bytes. */
static bool read_literal(struct job *j, int n, int *x, int y)
{
    int each = j->bits == 8 ? 1 : 2, bytes = (n + each - 1) / each, c = 0;

    for (int i = 0; i < bytes + bytes % 2; i++) {
        c = getc(j->f);
        if (c == EOF)
            return false;
        for (int k = 0; k < each && i * each + k < n; k++)
            put_index(j, x, y, each == 1 ? c : half(c, k));
    }
    return true;
}

/* Behind a 0: the end of a row, the end of all, a leap, or a literal.  False at the end, whichever it is. */
static bool read_escape(struct job *j, int code, int *x, int *y)
{
    int right, up;

    if (code == 0) {
        *x = 0;
        ++*y;
    } else if (code == 2) {
        right = getc(j->f);
        up = getc(j->f);
        if (right == EOF || up == EOF)
            return false;
        *x = *x + right < j->width ? *x + right : j->width; /* however often it leaps */
        *y += up;
    } else {
        return code != 1 && read_literal(j, code, x, *y);
    }
    return true;
}

/* What is not said has the first colour.  A file that ends early ends the picture. */
static nst_status read_runs(struct job *j)
{
    size_t n = (size_t)j->width * (size_t)j->height;
    int x = 0, y = 0, count, value;

    j->indices = nst_memory_fits(n) ? nst_calloc(n, 1) : NULL;
    if (!j->indices)
        return nst_fail(j->e, NST_EMEM, "%s: out of memory for %d x %d pixels", j->label, j->width, j->height);
    while (y < j->height) {
        count = getc(j->f);
        value = getc(j->f);
        if (value == EOF)
            return truncated(j, y);
        for (int i = 0; i < count; i++)
            put_index(j, &x, y, j->bits == 8 ? value : half(value, i));
        if (!count && !read_escape(j, value, &x, &y))
            return value == 1 ? NST_OK : truncated(j, y);
    }
    return NST_OK;
}

/* ---- rows ---------------------------------------------------------------------- */

static uint8_t masked(uint32_t pixel, uint32_t mask)
{
    uint64_t v = pixel & mask, max = mask;

    if (!mask)
        return 0;
    while (!(max & 1)) {
        max >>= 1;
        v >>= 1;
    }
    return (uint8_t)((v * 255 + max / 2) / max);
}

static int index_at(const struct job *j, const uint8_t *from, int x)
{
    if (j->bits == 8)
        return from[x];
    if (j->bits == 4)
        return half(from[x / 2], x);
    return from[x / 8] >> (7 - x % 8) & 1;
}

static void convert(struct job *j, const uint8_t *from)
{
    size_t each = j->kind.alpha ? 4 : 3;

    for (int x = 0; x < j->width; x++) {
        uint8_t *to = j->row + (size_t)x * each;
        const uint8_t *p = from + (size_t)x * ((size_t)j->bits / 8);

        if (j->indices) {
            memcpy(to, j->palette[from[x]], 3);
        } else if (j->bits <= 8) {
            memcpy(to, j->palette[index_at(j, from, x)], 3);
        } else if (j->bits == 24) {
            for (int c = 0; c < 3; c++)
                to[c] = p[2 - c];
        } else {
            uint32_t pixel = p[0] | (uint32_t)p[1] << 8;

            if (j->bits == 32)
                pixel |= (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
            for (size_t c = 0; c < each; c++)
                to[c] = masked(pixel, j->mask[c]);
        }
    }
    nst_color_row(j->color, j->row, nst_rows_next(j->rows));
    nst_rows_put(j->rows);
}

static nst_status read_rows(struct job *j)
{
    size_t bytes = ((size_t)j->width * (size_t)j->bits + 31) / 32 * 4;
    nst_status s;

    j->row = nst_alloc((size_t)j->width * 4);
    j->raw = nst_alloc(bytes);
    if (!j->row || !j->raw)
        return nst_fail(j->e, NST_EMEM, "%s: out of memory for a row of %d pixels", j->label, j->width);
    if (j->compression == RLE8 || j->compression == RLE4) {
        s = read_runs(j);
        if (s)
            return s;
    }
    for (int y = 0; y < j->height; y++) {
        if (!j->indices && fread(j->raw, 1, bytes, j->f) < bytes)
            return truncated(j, y);
        convert(j, j->indices ? j->indices + (size_t)y * (size_t)j->width : j->raw);
    }
    return NST_OK;
}

static nst_status read_bmp(nst_image **out, FILE *f, const nst_fit *fit, const char *label, nst_error *e)
{
    struct job j = { .f = f, .label = label, .e = e };
    nst_status s;

    *out = NULL;
    s = read_header(&j);
    if (!s)
        s = nst_rows_open(&j.rows, j.width, j.height, 3 + j.kind.alpha, fit, label, e);
    if (!s)
        s = nst_color_open(&j.color, &j.kind, j.width, label, e);
    if (!s)
        s = read_rows(&j);
    if (!s)
        s = nst_rows_finish(&j.rows, j.down ? 1 : 4, out, label, e);
    nst_color_close(&j.color);
    nst_rows_close(&j.rows);
    nst_free(j.icc);
    nst_free(j.indices);
    nst_free(j.raw);
    nst_free(j.row);
    return s;
}

/* Its second header's length, too: two letters are soon the same. */
static bool is_bmp(const uint8_t *head, size_t bytes)
{
    return bytes >= FILE_HEAD + 4 && !memcmp(head, "BM", 2) && head[FILE_HEAD] >= OLD_HEAD &&
        head[FILE_HEAD] <= LONGEST_HEAD && !head[FILE_HEAD + 1] && !head[FILE_HEAD + 2] && !head[FILE_HEAD + 3];
}

const nst_codec nst_codec_bmp = {
    .format = { "bmp", "BMP", ".bmp .dib", .bits = 8, .reads = 1 }, .is = is_bmp, .read = read_bmp,
};
