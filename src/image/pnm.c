/* pnm.c: Netpbm's plain formats (PBM, PGM, PPM, in digits and in bytes) and PFM, which need no library. */
#include "image/format.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

struct job {
    FILE *f;
    const char *label;
    nst_error *e;
    int kind;             /* '1' to '6', 'F' colour and 'f' grey floats */
    int width, height, max;
    bool little;          /* floats: the first byte is the lowest */
    int samples;          /* a pixel */
    nst_float_range range; /* of floats */
    size_t row_bytes;     /* in the file; 0 where rows are digits */
    uint8_t *raw;         /* [row_bytes] */
    uint16_t *values;     /* [width][samples] */
    nst_color *color;     /* NULL for floats */
    nst_rows *rows;
};

/* ---- header ------------------------------------------------------------------- */

/* The next byte that is no part of a comment. */
static int next_byte(FILE *f)
{
    int c = getc(f);

    if (c == '#')
        while (c != '\n' && c != '\r' && c != EOF)
            c = getc(f);
    return c;
}

/* A whole number that ends with white space, which is taken too; -1: there is none, or it is above `most`. */
static int number(FILE *f, int most)
{
    int c, v = 0;

    do
        c = next_byte(f);
    while (c != EOF && isspace(c));
    if (!isdigit(c))
        return -1;
    for (; c != EOF && isdigit(c); c = next_byte(f)) {
        if (v > (most - (c - '0')) / 10)
            return -1;
        v = 10 * v + (c - '0');
    }
    return c == EOF || isspace(c) ? v : -1;
}

/* PFM's third word: its sign is the order of bytes.  Its value, a unit of brightness, is not used. */
static bool read_order(struct job *j)
{
    char word[32];
    size_t n = 0;
    int c = getc(j->f);

    while (c != EOF && isspace(c))
        c = getc(j->f);
    for (; c != EOF && !isspace(c) && n < sizeof word - 1; c = getc(j->f))
        word[n++] = (char)c;
    word[n] = 0;
    j->little = word[0] == '-';
    return n && isspace(c) && strspn(word, "+-.0123456789eE") == n && strpbrk(word, "123456789");
}

static nst_status truncated(const struct job *j, int rows)
{
    if (ferror(j->f))
        return nst_fail(j->e, NST_EIO, "%s: cannot read: %s", j->label, strerror(errno));
    return nst_fail(j->e, NST_EFORMAT, "%s: truncated after %d of %d rows", j->label, rows, j->height);
}

/* The width, the height and, where there is one, what the samples' size or order follows from. */
static bool read_numbers(struct job *j, bool floats, bool bits)
{
    j->width = number(j->f, 1000000000);
    if (j->width < 0)
        return false;
    j->height = number(j->f, 1000000000);
    if (j->height < 0)
        return false;
    if (floats || bits)
        return bits || read_order(j);
    j->max = number(j->f, 65535);
    return j->max >= 1;
}

/* Bytes of a row of so many samples; 0: they are digits. */
static size_t row_bytes(const struct job *j, size_t samples)
{
    if (j->kind == 'F' || j->kind == 'f')
        return 4 * samples;
    if (j->kind < '4')
        return 0;
    if (j->kind == '4')
        return (samples + 7) / 8;
    return j->max > 255 ? 2 * samples : samples;
}

static nst_status read_header(struct job *j)
{
    const char *third;
    bool floats, bits;
    long long here, end;
    size_t w, least;
    nst_status s;

    getc(j->f); /* P */
    j->kind = getc(j->f);
    floats = j->kind == 'F' || j->kind == 'f';
    bits = j->kind == '1' || j->kind == '4';
    j->samples = j->kind == 'F' || j->kind == '3' || j->kind == '6' ? 3 : 1;
    j->max = 1;
    third = floats ? "SCALE" : "65535";
    if (!read_numbers(j, floats, bits))
        return nst_fail(j->e, NST_EFORMAT, "%s: its header is damaged or cut, expected \"P%c WIDTH HEIGHT %s\"",
                        j->label, j->kind, bits ? "" : third);
    s = nst_image_check((size_t)j->width, (size_t)j->height, j->label, j->e);
    if (s)
        return s;
    w = (size_t)j->width * (size_t)j->samples;
    j->row_bytes = row_bytes(j, w);
    least = j->row_bytes;
    if (!least)
        least = bits ? w : 2 * w; /* a digit, and a space after all but the last */
    here = ftello(j->f);
    end = nst_file_bytes(j->f);
    if (end >= 0 && (size_t)(end - here) + 1 < least * (size_t)j->height)
        return nst_fail(j->e, NST_EFORMAT, "%s: truncated, %lld bytes cannot hold %d x %d pixels", j->label, end,
                        j->width,
                        j->height);
    return NST_OK;
}

/* ---- rows ---------------------------------------------------------------------- */

/* One sample in digits; -1: there is none. */
static int digit_sample(struct job *j)
{
    int c;

    if (j->kind != '1')
        return number(j->f, j->max);
    do
        c = next_byte(j->f);
    while (c != EOF && isspace(c));
    return c == '0' || c == '1' ? c - '0' : -1;
}

/* Sample i of the row; -1: there is none. */
static int sample(struct job *j, size_t i)
{
    if (j->kind < '4')
        return digit_sample(j);
    if (j->kind == '4')
        return j->raw[i / 8] >> (7 - i % 8) & 1;
    return j->max > 255 ? j->raw[2 * i] << 8 | j->raw[2 * i + 1] : j->raw[i];
}

static nst_status read_row(struct job *j, int y)
{
    size_t n = (size_t)j->width * (size_t)j->samples;

    if (j->row_bytes && fread(j->raw, 1, j->row_bytes, j->f) < j->row_bytes)
        return truncated(j, y);
    for (size_t i = 0; i < n; i++) {
        int v = sample(j, i);

        if (v < 0 && feof(j->f))
            return truncated(j, y);
        if (v < 0 || v > j->max)
            return nst_fail(j->e, NST_EFORMAT, "%s: row %d: sample %zu is not a number from 0 to %d", j->label, y + 1,
                            i + 1, j->max);
        if (j->kind == '1' || j->kind == '4')
            v = 1 - v; /* 1 is black */
        j->values[i] = (uint16_t)(((unsigned)v * 65535u + (unsigned)j->max / 2) / (unsigned)j->max);
    }
    nst_color_row(j->color, j->values, nst_rows_next(j->rows));
    return NST_OK;
}

/* PFM holds linear light. */
static nst_status read_floats(struct job *j, int y)
{
    float *const *to = nst_rows_next(j->rows);

    if (fread(j->raw, 1, j->row_bytes, j->f) < j->row_bytes)
        return truncated(j, y);
    for (int x = 0; x < j->width; x++)
        for (int c = 0; c < 3; c++) {
            const uint8_t *p = j->raw + 4 * ((size_t)x * (size_t)j->samples + (size_t)(c % j->samples));
            uint32_t bits = j->little ? p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24
                                      : p[3] | (uint32_t)p[2] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[0] << 24;
            float v;

            memcpy(&v, &bits, sizeof v);
            nst_float_count(&j->range, v);
            v = nst_clamp(v, 0, 1);
            to[c][x] = v < 1 ? nst_clamp(nst_linear_to_srgb(v), 0, 1) : 1; /* white exactly */
        }
    return NST_OK;
}

static nst_status read_pnm(nst_image **out, FILE *f, const nst_fit *fit, const char *label, nst_error *e)
{
    struct job j = { .f = f, .label = label, .e = e };
    nst_samples kind = { .bits = 16 };
    bool floats;
    nst_status s;

    *out = NULL;
    s = read_header(&j);
    if (s)
        return s;
    floats = j.kind == 'F' || j.kind == 'f';
    kind.colors = j.samples;
    j.raw = nst_alloc(j.row_bytes);
    j.values = nst_alloc((size_t)j.width * (size_t)j.samples * sizeof *j.values);
    if (!j.raw || !j.values)
        s = nst_fail(e, NST_EMEM, "%s: out of memory for a row of %d pixels", label, j.width);
    if (!s)
        s = nst_rows_open(&j.rows, j.width, j.height, 3, fit, label, e);
    if (!s && !floats)
        s = nst_color_open(&j.color, &kind, j.width, label, e);
    for (int y = 0; y < j.height && !s; y++) {
        s = floats ? read_floats(&j, y) : read_row(&j, y);
        if (!s)
            nst_rows_put(j.rows);
    }
    if (!s)
        s = nst_float_check(&j.range, label, e);
    if (!s)
        s = nst_rows_finish(&j.rows, floats ? 4 : 1, out, label, e); /* floats come from the bottom up */
    nst_color_close(&j.color);
    nst_rows_close(&j.rows);
    nst_free(j.raw);
    nst_free(j.values);
    return s;
}

/* ---- writing -------------------------------------------------------------------- */

/* The comment's lines after the first line of the header. */
static void write_comment(FILE *f, const char *text)
{
    if (!text)
        return;
    fputs("# ", f);
    for (; *text; text++)
        putc(*text == '\n' || *text == '\r' ? ' ' : *text, f);
    putc('\n', f);
}

static nst_status finish(FILE *f, const char *label, nst_error *e)
{
    return ferror(f) ? nst_fail(e, NST_EIO, "%s: cannot write: %s", label, strerror(errno)) : NST_OK;
}

static nst_status write_ppm(const nst_image *image, FILE *f, const char *label, const nst_write_options *o,
                            nst_error *e)
{
    unsigned max = o->bits == 16 ? 65535 : 255;
    size_t n = (size_t)image->width, bytes = max > 255 ? 2 : 1;
    uint8_t *row = nst_alloc(3 * n * bytes);

    if (!row)
        return nst_fail(e, NST_EMEM, "%s: out of memory for a row of %d pixels", label, image->width);
    fputs("P6\n", f);
    write_comment(f, o->comment);
    fprintf(f, "%d %d\n%u\n", image->width, image->height, max);
    for (size_t y = 0; y < (size_t)image->height && !ferror(f); y++) {
        for (size_t i = 0; i < 3 * n; i++) {
            unsigned v = nst_image_quantise(nst_image_flat(image, (int)(i % 3), y * n + i / 3), max);

            if (bytes == 2)
                row[2 * i] = (uint8_t)(v >> 8);
            row[bytes * i + bytes - 1] = (uint8_t)v;
        }
        fwrite(row, bytes, 3 * n, f);
    }
    nst_free(row);
    return finish(f, label, e);
}

static nst_status write_pfm(const nst_image *image, FILE *f, const char *label, const nst_write_options *o,
                            nst_error *e)
{
    size_t n = (size_t)image->width;
    uint8_t *row = nst_alloc(12 * n);

    (void)o;
    if (!row)
        return nst_fail(e, NST_EMEM, "%s: out of memory for a row of %d pixels", label, image->width);
    fprintf(f, "PF\n%d %d\n-1.0\n", image->width, image->height);
    for (size_t y = (size_t)image->height; y-- > 0 && !ferror(f);) {
        for (size_t i = 0; i < 3 * n; i++) {
            float v = nst_srgb_to_linear(nst_image_flat(image, (int)(i % 3), y * n + i / 3));
            uint32_t bits;

            memcpy(&bits, &v, sizeof bits);
            for (int k = 0; k < 4; k++)
                row[4 * i + (size_t)k] = (uint8_t)(bits >> 8 * k);
        }
        fwrite(row, 12, n, f);
    }
    nst_free(row);
    return finish(f, label, e);
}

static bool begins(const uint8_t *head, size_t bytes, const char *digits)
{
    return bytes >= 3 && head[0] == 'P' && head[1] && strchr(digits, head[1]) && (isspace(head[2]) || head[2] == '#');
}

static bool is_ppm(const uint8_t *head, size_t bytes)
{
    return begins(head, bytes, "36");
}

static bool is_pgm(const uint8_t *head, size_t bytes)
{
    return begins(head, bytes, "1245");
}

static bool is_pfm(const uint8_t *head, size_t bytes)
{
    return bytes >= 3 && head[0] == 'P' && (head[1] == 'F' || head[1] == 'f') && isspace(head[2]);
}

const nst_codec nst_codec_ppm = {
    .format = { "ppm", "PPM", ".ppm .pnm", .bits = 16, .reads = 1, .writes = 1 },
    .is = is_ppm, .read = read_pnm, .write = write_ppm,
};
const nst_codec nst_codec_pfm = {
    .format = { "pfm", "PFM", ".pfm", .bits = 32, .reads = 1, .writes = 1 },
    .is = is_pfm, .read = read_pnm, .write = write_pfm,
};
/* Without colours, which are never written. */
const nst_codec nst_codec_pgm = {
    .format = { "pgm", "PGM", ".pgm .pbm", .bits = 16, .reads = 1 }, .is = is_pgm, .read = read_pnm,
};
