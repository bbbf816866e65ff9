/* tiff.c: TIFF files in and out; the only file that knows libtiff. */
#include "image/format.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#ifdef HAVE_TIFF
#include <tiffio.h>

#define LINEAR_RAW 34892 /* the photometric of raw files without a mosaic */
#define PAGES_MAX 64 /* that are looked at for the main picture, and as many within each */
#define BLOCK_MAX ((tmsize_t)1 << 30) /* bytes that libtiff may allocate for one thing */
#define TILE_SPARE ((uint64_t)1 << 22) /* pixels of a tile beyond the picture's: small pictures have large ones */

struct job {
    TIFF *t;
    FILE *f;
    const char *label;
    nst_error *e;
    char text[160];      /* libtiff's first complaint */

    int width, height;
    uint16_t bits, samples, photometric, planar, orientation;
    bool floats, tiled;
    nst_samples kind;    /* what rows are handed on as */
    bool premultiplied;
    uint16_t *map[3];    /* a palette, libtiff's */
    bool narrow;         /* its numbers end at 255 */
    double above, all, largest; /* floating point: samples beyond white, and the largest */

    uint8_t *band;       /* [band_rows][width][samples] as the file has them */
    int band_rows, y;    /* y: the row that comes next */
    uint8_t *piece;      /* one tile or strip, where it is not the band itself */
    void *row;           /* [width][colors + alpha] for nst_color_row */
    nst_color *color;
    nst_rows *rows;
};

/* ---- libtiff's way to the file --------------------------------------------------- */

static tmsize_t get(thandle_t h, void *to, tmsize_t bytes)
{
    struct job *j = h;

    return (tmsize_t)fread(to, 1, (size_t)bytes, j->f);
}

static tmsize_t put(thandle_t h, void *from, tmsize_t bytes)
{
    struct job *j = h;

    return (tmsize_t)fwrite(from, 1, (size_t)bytes, j->f);
}

static toff_t seek(thandle_t h, toff_t to, int whence)
{
    struct job *j = h;
    off_t here;

    if (to > INT64_MAX || fseeko(j->f, (off_t)to, whence) || (here = ftello(j->f)) < 0)
        return (toff_t)-1;
    return (toff_t)here;
}

static int leave_open(thandle_t h)
{
    (void)h;
    return 0;
}

static toff_t bytes_of(thandle_t h)
{
    struct job *j = h;
    long long n = nst_file_bytes(j->f);

    return n > 0 ? (toff_t)n : 0;
}

static int complain(TIFF *t, void *arg, const char *module, const char *format, va_list args)
{
    struct job *j = arg;

    (void)t;
    (void)module;
    if (!*j->text)
        vsnprintf(j->text, sizeof j->text, format, args);
    for (char *p = j->text; *p; p++)
        if ((unsigned char)*p < ' ')
            *p = ' ';
    return 1; /* and nobody else is told */
}

static int ignore(TIFF *t, void *arg, const char *module, const char *format, va_list args)
{
    (void)t;
    (void)arg;
    (void)module;
    (void)format;
    (void)args;
    return 1;
}

static TIFF *open_tiff(struct job *j, const char *mode)
{
    TIFFOpenOptions *o = TIFFOpenOptionsAlloc();

    if (!o)
        return NULL;
    TIFFOpenOptionsSetErrorHandlerExtR(o, complain, j);
    TIFFOpenOptionsSetWarningHandlerExtR(o, ignore, j);
    TIFFOpenOptionsSetMaxSingleMemAlloc(o, BLOCK_MAX);
#if TIFFLIB_VERSION >= 20240911
    TIFFOpenOptionsSetMaxCumulatedMemAlloc(o, 2 * BLOCK_MAX);
#endif
    j->t = TIFFClientOpenExt("TIFF", mode, j, get, put, seek, leave_open, bytes_of, NULL, NULL, o);
    TIFFOpenOptionsFree(o);
    return j->t;
}

/* ---- reading: what kind it is ------------------------------------------------------ */

static nst_status damaged(const struct job *j)
{
    if (ferror(j->f))
        return nst_fail(j->e, NST_EIO, "%s: cannot read: %s", j->label, strerror(errno));
    if (strstr(j->text, "memory"))
        return nst_fail(j->e, NST_EMEM, "%s: out of memory: %s", j->label, j->text);
    if (j->y)
        return nst_fail(j->e, NST_EFORMAT, "%s: damaged or truncated after %d of %d rows: %s", j->label, j->y,
                        j->height,
                        *j->text ? j->text : "unknown fault");
    return nst_fail(j->e, NST_EFORMAT, "%s: damaged or truncated TIFF file: %s", j->label,
                    *j->text ? j->text : "unknown fault");
}

static nst_status memory(const struct job *j)
{
    return nst_fail(j->e, NST_EMEM, "%s: out of memory for rows of %d pixels", j->label, j->width);
}

/* What the file's bytes cannot hold at the compression's greatest ratio is refused at once; others find out later. */
static nst_status check_bytes(struct job *j, uint16_t compression)
{
    double most = compression == COMPRESSION_NONE ? 1 : compression == COMPRESSION_PACKBITS ? 64
                : compression == COMPRESSION_DEFLATE || compression == COMPRESSION_ADOBE_DEFLATE ? 1032
                : compression == COMPRESSION_LZW ? 4096 : 0;
    double halved = j->photometric == PHOTOMETRIC_YCBCR ? 0.5 : 1; /* chroma may be left out, up to half of all */
    long long bytes = nst_file_bytes(j->f);

    if (most > 0 && bytes >= 0
        && (double)j->width * j->height * j->samples * j->bits / 8 * halved > (double)bytes * most)
        return nst_fail(j->e, NST_EFORMAT, "%s: truncated, %lld bytes cannot hold %d x %d pixels", j->label, bytes,
                        j->width, j->height);
    return NST_OK;
}

/* A tile is held whole: a small picture's may not be a large one's. */
static nst_status check_tile(struct job *j)
{
    uint32_t w = 0, h = 0;

    if (!j->tiled)
        return NST_OK;
    TIFFGetField(j->t, TIFFTAG_TILEWIDTH, &w);
    TIFFGetField(j->t, TIFFTAG_TILELENGTH, &h);
    if ((uint64_t)w * h > 4 * (uint64_t)j->width * (uint64_t)j->height + TILE_SPARE)
        return nst_fail(j->e, NST_EFORMAT, "%s: damaged TIFF file: tiles of %lu x %lu pixels for a picture of %d x %d",
                        j->label, (unsigned long)w, (unsigned long)h, j->width, j->height);
    return NST_OK;
}

/* ---- reading: which picture of several ---------------------------------------------------- */

/* The largest picture that is no thumbnail, of those looked at. */
struct page {
    uint64_t offset;
    double pixels; /* negative: a thumbnail */
    bool raw;
};

static void look(struct job *j, struct page *best)
{
    uint32_t w = 0, h = 0, kind = 0;
    uint16_t photometric = PHOTOMETRIC_RGB, old = 0;
    double pixels;

    TIFFGetField(j->t, TIFFTAG_IMAGEWIDTH, &w);
    TIFFGetField(j->t, TIFFTAG_IMAGELENGTH, &h);
    TIFFGetField(j->t, TIFFTAG_SUBFILETYPE, &kind);
    TIFFGetField(j->t, TIFFTAG_OSUBFILETYPE, &old);
    TIFFGetField(j->t, TIFFTAG_PHOTOMETRIC, &photometric);
    best->raw |= photometric == PHOTOMETRIC_CFA || photometric == LINEAR_RAW;
    if (kind & FILETYPE_MASK)
        return;
    pixels = (double)w * h;
    if ((kind & FILETYPE_REDUCEDIMAGE) || old == OFILETYPE_REDUCEDIMAGE) /* the smallest loss, if there is nothing else */
        pixels = -1 / (1 + pixels);
    if (!best->offset || pixels > best->pixels) {
        best->offset = TIFFCurrentDirOffset(j->t);
        best->pixels = pixels;
    }
}

/* The current page and what lies within it. */
static int look_into(struct job *j, struct page *best)
{
    uint64_t inside[PAGES_MAX], *list = NULL;
    uint16_t n = 0;

    if (!TIFFGetField(j->t, TIFFTAG_SUBIFD, &n, &list))
        n = 0;
    n = n < PAGES_MAX ? n : PAGES_MAX;
    if (n)
        memcpy(inside, list, n * sizeof *inside);
    look(j, best);
    for (int i = 0; i < n; i++)
        if (TIFFSetSubDirectory(j->t, inside[i]))
            look(j, best);
    return n;
}

/* The first page is the picture, unless it is a thumbnail or has others within it: then the largest that is none. */
static nst_status choose_page(struct job *j)
{
    struct page best = { 0 };
    uint8_t *version;
    uint16_t n;

    if (TIFFGetField(j->t, TIFFTAG_DNGVERSION, &version))
        best.raw = true;
    n = (uint16_t)look_into(j, &best);
    for (uint16_t i = 1; best.pixels < 0 || n; i++) {
        if (i == PAGES_MAX || !TIFFSetDirectory(j->t, i))
            break;
        look_into(j, &best);
    }
    if (best.raw)
        return nst_fail(j->e, NST_EUNSUPPORTED, "%s: a camera's raw file, expected a picture; a raw developer, such as "
                        "darktable or RawTherapee, makes a TIFF or JPEG of it", j->label);
    *j->text = 0;
    if (best.offset && best.offset != TIFFCurrentDirOffset(j->t) && !TIFFSetSubDirectory(j->t, best.offset))
        return damaged(j);
    return NST_OK;
}

static bool is_lab(const struct job *j)
{
    return j->photometric == PHOTOMETRIC_CIELAB || j->photometric == PHOTOMETRIC_ICCLAB;
}

static nst_status read_header(struct job *j)
{
    uint32_t w = 0, h = 0;
    uint16_t format, compression, extras = 0, *extra = NULL;
    nst_status s;

    TIFFGetField(j->t, TIFFTAG_IMAGEWIDTH, &w);
    TIFFGetField(j->t, TIFFTAG_IMAGELENGTH, &h);
    if ((s = nst_image_check(w, h, j->label, j->e)))
        return s;
    j->width = (int)w;
    j->height = (int)h;
    TIFFGetFieldDefaulted(j->t, TIFFTAG_BITSPERSAMPLE, &j->bits);
    TIFFGetFieldDefaulted(j->t, TIFFTAG_SAMPLESPERPIXEL, &j->samples);
    TIFFGetFieldDefaulted(j->t, TIFFTAG_PLANARCONFIG, &j->planar);
    TIFFGetFieldDefaulted(j->t, TIFFTAG_ORIENTATION, &j->orientation);
    TIFFGetFieldDefaulted(j->t, TIFFTAG_SAMPLEFORMAT, &format);
    TIFFGetFieldDefaulted(j->t, TIFFTAG_COMPRESSION, &compression);
    if (!TIFFGetField(j->t, TIFFTAG_PHOTOMETRIC, &j->photometric))
        return nst_fail(j->e, NST_EFORMAT, "%s: does not say what its samples mean, expected a photometric tag",
                        j->label);
    j->tiled = TIFFIsTiled(j->t);
    j->floats = format == SAMPLEFORMAT_IEEEFP;
    if (format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_VOID && !j->floats)
        return nst_fail(j->e, NST_EUNSUPPORTED, "%s: samples of %d bits, signed or complex, expected whole numbers from 0 "
                        "or floating point", j->label, j->bits);
    if (compression == COMPRESSION_JPEG && j->photometric == PHOTOMETRIC_YCBCR && j->planar == PLANARCONFIG_CONTIG) {
        TIFFSetField(j->t, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
        j->photometric = PHOTOMETRIC_RGB;
    }
    TIFFGetFieldDefaulted(j->t, TIFFTAG_EXTRASAMPLES, &extras, &extra);
    j->kind.colors = j->photometric == PHOTOMETRIC_RGB || is_lab(j) ? 3 : j->photometric == PHOTOMETRIC_SEPARATED ? 4 : 1;
    if (extras && extra && (*extra == EXTRASAMPLE_ASSOCALPHA || *extra == EXTRASAMPLE_UNASSALPHA)
        && j->samples > j->kind.colors) {
        j->kind.alpha = true;
        j->premultiplied = *extra == EXTRASAMPLE_ASSOCALPHA;
    }
    j->kind.bits = j->bits == 8 ? 8 : 16;
    return (s = check_tile(j)) ? s : check_bytes(j, compression);
}

/* The profile; libtiff keeps it. */
static void read_profile(struct job *j)
{
    uint32_t bytes = 0;
    void *icc = NULL;

    if (!is_lab(j) && TIFFGetField(j->t, TIFFTAG_ICCPROFILE, &bytes, &icc) && icc) {
        j->kind.icc = icc;
        j->kind.icc_bytes = bytes;
    }
}

/* Old writers filled palettes with bytes. */
static bool narrow(uint16_t *const map[3])
{
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < 256; i++)
            if (map[c][i] > 255)
                return false;
    return true;
}

/* Samples that are taken as they are: whole numbers of 8 to 16 and 32 bits, floats of 16, 32 and 64.  Those that fill no
 * bytes only in whole rows. */
static bool plain_bits(const struct job *j)
{
    if (j->floats)
        return j->bits == 16 || j->bits == 32 || j->bits == 64;
    if (j->bits % 8)
        return j->bits > 8 && j->bits < 16 && !j->tiled && (j->planar == PLANARCONFIG_CONTIG || j->samples == 1);
    return j->bits == 8 || j->bits == 16 || j->bits == 32;
}

/* Kinds whose samples are taken as they are; the others go through libtiff's own conversion to 8 bits. */
static bool is_plain(struct job *j)
{
    switch (j->photometric) {
    case PHOTOMETRIC_PALETTE:
        if (j->bits != 8 || j->floats || j->samples < 1
            || !TIFFGetField(j->t, TIFFTAG_COLORMAP, &j->map[0], &j->map[1], &j->map[2]))
            return false;
        j->kind.colors = 3;
        j->kind.bits = 16;
        j->narrow = narrow(j->map);
        return true;
    case PHOTOMETRIC_CIELAB:
    case PHOTOMETRIC_ICCLAB:
        j->kind.lab = true;
        j->kind.bits = 16;
        return !j->floats && (j->bits == 8 || j->bits == 16) && j->samples >= 3;
    case PHOTOMETRIC_RGB:
    case PHOTOMETRIC_SEPARATED:
    case PHOTOMETRIC_MINISBLACK:
    case PHOTOMETRIC_MINISWHITE:
        return plain_bits(j) && j->samples >= j->kind.colors;
    default:
        return false;
    }
}

/* ---- reading: rows ------------------------------------------------------------------- */

/* A piece's rows, [rows][columns][each] samples of `step` bytes, into the band's pixels from (x, sample) on. */
static void scatter(struct job *j, int x, int sample, int each, int columns, int rows, int piece_columns, size_t step)
{
    size_t pixel = j->samples * step;

    for (int y = 0; y < rows; y++)
        for (int i = 0; i < columns; i++)
            memcpy(j->band + ((size_t)y * (size_t)j->width + (size_t)(x + i)) * pixel + (size_t)sample * step,
                   j->piece + ((size_t)y * (size_t)piece_columns + (size_t)i) * (size_t)each * step,
                   (size_t)each * step);
}

/* Tiles, and planes one after another: a band of rows at once. */
static nst_status read_band(struct job *j)
{
    int planes = j->planar == PLANARCONFIG_SEPARATE ? j->samples : 1, each = planes > 1 ? 1 : j->samples;
    int rows = j->height - j->y < j->band_rows ? j->height - j->y : j->band_rows;
    size_t step = j->bits / 8;
    uint32_t tw = (uint32_t)j->width;

    if (j->tiled)
        TIFFGetField(j->t, TIFFTAG_TILEWIDTH, &tw);
    for (int s = 0; s < planes; s++)
        for (int64_t x = 0; x < j->width; x += tw) {
            int columns = j->width - x < (int64_t)tw ? (int)(j->width - x) : (int)tw;
            size_t bytes = (size_t)tw * (size_t)each * step * (size_t)(j->tiled ? j->band_rows : rows);
            tmsize_t got;

            if (j->tiled)
                got = TIFFReadTile(j->t, j->piece, (uint32_t)x, (uint32_t)j->y, 0, (uint16_t)s);
            else
                got = TIFFReadEncodedStrip(j->t, TIFFComputeStrip(j->t, (uint32_t)j->y, (uint16_t)s), j->piece,
                                           (tmsize_t)bytes);
            if (got < 0 || (size_t)got < bytes)
                return damaged(j);
            scatter(j, (int)x, s, each, columns, rows, (int)tw, step);
        }
    return NST_OK;
}

static size_t row_bytes(const struct job *j)
{
    return ((size_t)j->width * j->samples * j->bits + 7) / 8;
}

/* Room for one row, or for a band and one of its pieces. */
static nst_status make_room(struct job *j)
{
    size_t row = row_bytes(j), band, piece;
    bool parts = j->tiled || (j->planar == PLANARCONFIG_SEPARATE && j->samples > 1);
    uint32_t h = 1, w = 0;

    if (j->tiled && (!TIFFGetField(j->t, TIFFTAG_TILELENGTH, &h) || !TIFFGetField(j->t, TIFFTAG_TILEWIDTH, &w)))
        return damaged(j);
    if (!j->tiled && parts)
        TIFFGetFieldDefaulted(j->t, TIFFTAG_ROWSPERSTRIP, &h);
    if (!j->tiled && h > (uint32_t)j->height)
        h = (uint32_t)j->height;
    if (!h || h > INT32_MAX || (j->tiled && (!w || w > INT32_MAX)))
        return nst_fail(j->e, NST_EFORMAT, "%s: damaged TIFF file: tiles of %lu x %lu pixels", j->label,
                        (unsigned long)w,
                        (unsigned long)h);
    j->band_rows = (int)h;
    piece = (size_t)(j->tiled ? TIFFTileSize(j->t) : parts ? TIFFStripSize(j->t) : TIFFScanlineSize(j->t));
    band = row;
    if (parts && !nst_mul(row, j->tiled && h > (uint32_t)j->height ? (uint32_t)j->height : h, &band))
        return memory(j);
    if (!nst_memory_fits(band) || !nst_memory_fits(piece))
        return memory(j);
    if (parts) { /* what is read must be what scatter takes */
        size_t each = j->planar == PLANARCONFIG_SEPARATE ? 1 : j->samples, want;

        if (!nst_mul((size_t)(j->tiled ? w : (uint32_t)j->width) * each * (j->bits / 8u), h, &want) || piece != want)
            return damaged(j);
        if (!(j->piece = nst_alloc(piece)))
            return memory(j);
    } else if (piece != row) {
        return damaged(j);
    }
    return (j->band = nst_alloc(band)) ? NST_OK : memory(j);
}

static float half(uint16_t v)
{
    int exponent = v >> 10 & 31;
    float fraction = (float)(v & 1023), a;

    if (exponent == 31)
        a = fraction > 0 ? NAN : INFINITY;
    else if (exponent)
        a = ldexpf(1024 + fraction, exponent - 25);
    else
        a = ldexpf(fraction, -24);
    return v >> 15 ? -a : a;
}

static unsigned float_sample(struct job *j, const uint8_t *from, size_t at)
{
    uint16_t h;
    double d;
    float v;

    if (j->bits == 16) {
        memcpy(&h, from + 2 * at, sizeof h);
        v = half(h);
    } else if (j->bits == 32) {
        memcpy(&v, from + 4 * at, sizeof v);
    } else {
        memcpy(&d, from + 8 * at, sizeof d);
        v = d > -1e30 && d < 1e30 ? (float)d : d > 0 ? INFINITY : 0;
    }
    j->all++;
    j->above += v > 1;
    j->largest = fmax(j->largest, (double)v);
    return nst_image_quantise(v, 65535);
}

/* A whole number of 9 to 15 bits, the highest first, as 16. */
static unsigned packed_sample(const struct job *j, const uint8_t *from, size_t at)
{
    size_t bit = at * j->bits;
    unsigned v = 0, max = (1u << j->bits) - 1;

    for (size_t i = bit / 8; i <= (bit + j->bits - 1) / 8; i++)
        v = v << 8 | from[i];
    v = v >> (7 - (bit + j->bits - 1) % 8) & max;
    return (v * 65535u + max / 2) / max;
}

/* Lab as 16 bits, 0 to 100 and -128 to 127: what ICC takes. */
static unsigned lab_sample(const struct job *j, unsigned v, size_t k)
{
    bool wide = j->bits == 16, is_signed = k && j->photometric == PHOTOMETRIC_CIELAB;

    if (is_signed)
        v ^= wide ? 0x8000 : 0x80;
    if (!wide)
        return v * 257;
    if (!k && j->photometric == PHOTOMETRIC_CIELAB)
        return v;
    v = (v * 257 + 128) >> 8;
    return v < 65535 ? v : 65535;
}

/* Sample k of pixel x of a row, as 8 or 16 bits. */
static unsigned sample(struct job *j, const uint8_t *from, size_t x, size_t k)
{
    size_t at = x * j->samples + k;
    unsigned v;

    if (j->floats)
        return float_sample(j, from, at);
    if (j->bits % 8)
        return packed_sample(j, from, at);
    if (j->bits == 32)
        return (unsigned)((((const uint32_t *)(const void *)from)[at] + (uint64_t)32768) / 65537);
    v = j->bits == 8 ? from[at] : ((const uint16_t *)(const void *)from)[at];
    if (j->kind.lab && k < 3)
        return lab_sample(j, v, k);
    return j->bits == 8 && j->kind.bits == 16 ? v * 257 : v;
}

/* What the palette says of a pixel. */
static unsigned mapped(const struct job *j, const uint8_t *from, size_t x, size_t k)
{
    unsigned v = j->map[k][from[x * j->samples]];

    return j->narrow ? v * 257 : v;
}

static void convert(struct job *j, const uint8_t *from)
{
    size_t colors = (size_t)j->kind.colors, each = colors + j->kind.alpha;
    unsigned max = j->kind.bits == 8 ? 255 : 65535;

    for (size_t x = 0; x < (size_t)j->width; x++) {
        unsigned alpha = j->kind.alpha ? sample(j, from, x, j->map[0] ? 1 : colors) : max;

        for (size_t k = 0; k < each; k++) {
            unsigned v = k == colors ? alpha : j->map[0] ? mapped(j, from, x, k) : sample(j, from, x, k);

            if (j->photometric == PHOTOMETRIC_MINISWHITE && k < colors)
                v = max - v;
            if (j->premultiplied && k < colors)
                v = alpha && v < alpha ? (unsigned)(((uint64_t)v * max + alpha / 2) / alpha) : alpha ? max : 0;
            if (max == 255)
                ((uint8_t *)j->row)[x * each + k] = (uint8_t)v;
            else
                ((uint16_t *)j->row)[x * each + k] = (uint16_t)v;
        }
    }
    nst_color_row(j->color, j->row, nst_rows_next(j->rows));
    nst_rows_put(j->rows);
}

static nst_status read_plain(struct job *j)
{
    size_t row = row_bytes(j);
    nst_status s;

    if ((s = make_room(j)))
        return s;
    if (!(j->row = nst_calloc((size_t)j->width * (size_t)(j->kind.colors + j->kind.alpha), 2)))
        return memory(j);
    while (j->y < j->height) {
        int rows = j->height - j->y < j->band_rows ? j->height - j->y : j->band_rows;

        if (j->piece && (s = read_band(j)))
            return s;
        if (!j->piece && TIFFReadScanline(j->t, j->band, (uint32_t)j->y, 0) < 0)
            return damaged(j);
        for (int i = 0; i < rows; i++, j->y++)
            convert(j, j->band + (size_t)i * row);
    }
    if (j->above > j->all / 2)
        return nst_fail(j->e, NST_EFORMAT, "%s: most of its samples are above 1, the largest %g, expected floating point "
                        "from 0, black, to 1, white", j->label, j->largest);
    return NST_OK;
}

/* ---- reading: through libtiff's conversion to 8 bits, premultiplied ----------------------- */

static void convert_rgba(struct job *j, const uint32_t *from)
{
    uint8_t *to = j->row;

    for (int x = 0; x < j->width; x++) {
        unsigned rgba[4] = { TIFFGetR(from[x]), TIFFGetG(from[x]), TIFFGetB(from[x]), TIFFGetA(from[x]) }, a = rgba[3];

        for (int k = 0; k < 3 && j->kind.alpha; k++)
            rgba[k] = a && rgba[k] < a ? (rgba[k] * 255 + a / 2) / a : a ? 255 : 0;
        for (int k = 0; k < 3 + j->kind.alpha; k++)
            *to++ = (uint8_t)rgba[k];
    }
    nst_color_row(j->color, j->row, nst_rows_next(j->rows));
    nst_rows_put(j->rows);
}

static nst_status read_rgba(struct job *j, TIFFRGBAImage *image)
{
    uint32_t h = (uint32_t)j->height, all = h;
    size_t bytes;

    if (j->tiled)
        TIFFGetField(j->t, TIFFTAG_TILELENGTH, &h);
    else
        TIFFGetFieldDefaulted(j->t, TIFFTAG_ROWSPERSTRIP, &h);
    j->band_rows = (int)(h && h < all ? h : all);
    if (!nst_mul((size_t)j->width * 4, (size_t)j->band_rows, &bytes) || !nst_memory_fits(bytes)
        || !(j->band = nst_alloc(bytes)) || !(j->row = nst_calloc((size_t)j->width, 4)))
        return memory(j);
    image->req_orientation = image->orientation; /* rows as the file has them */
    while (j->y < j->height) {
        int rows = j->height - j->y < j->band_rows ? j->height - j->y : j->band_rows;

        image->row_offset = j->y;
        memset(j->band, 0, bytes);
        if (!TIFFRGBAImageGet(image, (uint32_t *)(void *)j->band, (uint32_t)j->width, (uint32_t)rows))
            return damaged(j);
        for (int i = 0; i < rows; i++, j->y++)
            convert_rgba(j, (uint32_t *)(void *)j->band + (size_t)i * (size_t)j->width);
    }
    return NST_OK;
}

static nst_status open_rows(struct job *j, const nst_fit *fit)
{
    nst_status s = nst_color_open(&j->color, &j->kind, j->width, j->label, j->e);

    return s ? s : nst_rows_open(&j->rows, j->width, j->height, j->kind.alpha ? 4 : 3, fit, j->label, j->e);
}

static nst_status read_pixels(struct job *j, const nst_fit *fit)
{
    TIFFRGBAImage image;
    char text[1024] = "";
    nst_status s;

    if (is_plain(j)) {
        read_profile(j);
        return (s = open_rows(j, fit)) ? s : read_plain(j);
    }
    if (j->floats || !TIFFRGBAImageOK(j->t, text) || !TIFFRGBAImageBegin(&image, j->t, 1, text))
        return nst_fail(j->e, NST_EUNSUPPORTED, "%s: a kind of TIFF that is not read: %.200s", j->label,
                        *text ? text : "samples of an unusual kind");
    j->kind = (nst_samples){ .colors = 3, .alpha = image.alpha != 0, .bits = 8 };
    if (j->photometric != PHOTOMETRIC_SEPARATED)
        read_profile(j);
    if (!(s = open_rows(j, fit)))
        s = read_rgba(j, &image);
    TIFFRGBAImageEnd(&image);
    return s;
}

static nst_status read_tiff(nst_image **out, FILE *f, const nst_fit *fit, const char *label, nst_error *e)
{
    struct job j = { .f = f, .label = label, .e = e };
    nst_status s;

    *out = NULL;
    if (!open_tiff(&j, "rm"))
        s = damaged(&j);
    else if (!(s = choose_page(&j)) && !(s = read_header(&j)) && !(s = read_pixels(&j, fit)))
        s = nst_rows_finish(&j.rows, j.orientation, out, label, e);
    nst_color_close(&j.color);
    nst_rows_close(&j.rows);
    nst_free(j.band);
    nst_free(j.piece);
    nst_free(j.row);
    if (j.t)
        TIFFClose(j.t);
    return s;
}

/* ---- writing -------------------------------------------------------------------------- */

static void write_tags(struct job *j, const nst_image *in, const nst_write_options *o)
{
    uint16_t compression = TIFFIsCODECConfigured(COMPRESSION_ADOBE_DEFLATE) ? COMPRESSION_ADOBE_DEFLATE
        : COMPRESSION_LZW;

    TIFFSetField(j->t, TIFFTAG_IMAGEWIDTH, (uint32_t)in->width);
    TIFFSetField(j->t, TIFFTAG_IMAGELENGTH, (uint32_t)in->height);
    TIFFSetField(j->t, TIFFTAG_BITSPERSAMPLE, j->bits);
    TIFFSetField(j->t, TIFFTAG_SAMPLESPERPIXEL, in->channels);
    TIFFSetField(j->t, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_RGB);
    TIFFSetField(j->t, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(j->t, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
    if (in->channels == 4)
        TIFFSetField(j->t, TIFFTAG_EXTRASAMPLES, 1, (uint16_t[]){ EXTRASAMPLE_UNASSALPHA });
    if (TIFFIsCODECConfigured(compression)) {
        TIFFSetField(j->t, TIFFTAG_COMPRESSION, compression);
        TIFFSetField(j->t, TIFFTAG_PREDICTOR, PREDICTOR_HORIZONTAL);
    }
    TIFFSetField(j->t, TIFFTAG_ROWSPERSTRIP, TIFFDefaultStripSize(j->t, 0));
    if (o->comment)
        TIFFSetField(j->t, TIFFTAG_IMAGEDESCRIPTION, o->comment);
}

static void write_row(struct job *j, const nst_image *in, size_t y)
{
    size_t n = (size_t)in->width, each = (size_t)in->channels;

    for (size_t c = 0; c < each; c++)
        for (size_t x = 0; x < n; x++) {
            float v = in->plane[c][y * n + x];

            if (j->bits == 16)
                ((uint16_t *)j->row)[x * each + c] = (uint16_t)nst_image_quantise(v, 65535);
            else
                ((uint8_t *)j->row)[x * each + c] = (uint8_t)nst_image_quantise(v, 255);
        }
}

static nst_status write_tiff(const nst_image *image, FILE *f, const char *label, const nst_write_options *o,
                             nst_error *e)
{
    enum { PROFILE_MAX = 65536 };
    struct job j = { .f = f, .label = label, .e = e, .bits = o->bits == 16 ? 16 : 8 };
    size_t row = (size_t)image->width * (size_t)image->channels * (j.bits / 8u), icc;
    bool big = row * (size_t)image->height > (size_t)3 << 30, good = false; /* above 4 GiB only BigTIFF can count */

    j.row = nst_alloc(row);
    j.band = nst_alloc(PROFILE_MAX);
    if (j.row && j.band && open_tiff(&j, big ? "w8" : "w")) {
        write_tags(&j, image, o);
        if ((icc = nst_color_srgb_profile(j.band, PROFILE_MAX)))
            TIFFSetField(j.t, TIFFTAG_ICCPROFILE, (uint32_t)icc, j.band);
        good = true;
        for (int y = 0; y < image->height && good; y++) {
            write_row(&j, image, (size_t)y);
            good = TIFFWriteScanline(j.t, j.row, (uint32_t)y, 0) >= 0;
        }
        good = good && TIFFFlush(j.t);
        TIFFClose(j.t);
        good = good && !*j.text;
    }
    nst_free(j.band);
    if (!j.row || !j.band || (!good && strstr(j.text, "memory")))
        return nst_free(j.row), nst_fail(e, NST_EMEM, "%s: out of memory", label);
    nst_free(j.row);
    if (good)
        return NST_OK;
    return nst_fail(e, NST_EIO, "%s: cannot write: %s", label, ferror(f) || !*j.text ? strerror(errno) : j.text);
}
#endif

static bool is_tiff(const uint8_t *head, size_t bytes) /* classic and BigTIFF, of both orders; not Canon's raw files */
{
    return bytes >= 4 && !(bytes >= 10 && !memcmp(head + 8, "CR", 2)) && (!memcmp(head, "II*\0", 4) || !memcmp(head, "MM\0*", 4) || !memcmp(head, "II+\0", 4)
                          || !memcmp(head, "MM\0+", 4));
}

const nst_codec nst_codec_tiff = {
    .format = { "tiff", "TIFF", ".tif .tiff", .bits = 16,
#ifdef HAVE_TIFF
                .built = 1 }, .read = read_tiff, .write = write_tiff, .seeks = true,
#else
                .built = 0 },
#endif
    .is = is_tiff,
};
