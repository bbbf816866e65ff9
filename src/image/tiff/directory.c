/* directory.c: which of a TIFF's pictures is read, and what its tags say of it. */
#include "image/tiff/tiff.h"

#include <string.h>

#define LINEAR_RAW 34892 /* the photometric of raw files without a mosaic */
#define PAGES_MAX 64 /* that are looked at for the main picture, and as many within each */
#define TILE_SPARE ((uint64_t)1 << 22) /* pixels of a tile beyond the picture's: small pictures have large ones */

/* Bytes that one byte of the file stands for at most; 0: not known. */
static double greatest_ratio(uint16_t compression)
{
    switch (compression) {
    case COMPRESSION_NONE:
        return 1;
    case COMPRESSION_PACKBITS:
        return 64;
    case COMPRESSION_DEFLATE:
    case COMPRESSION_ADOBE_DEFLATE:
        return 1032;
    case COMPRESSION_LZW:
        return 4096;
    default:
        return 0;
    }
}

/* What the file's bytes cannot hold at the compression's greatest ratio, where it has one, is refused at once. */
static nst_status check_bytes(nst_tiff *j, uint16_t compression)
{
    double most = greatest_ratio(compression);
    double halved = j->tags.photometric == PHOTOMETRIC_YCBCR ? 0.5 : 1; /* chroma may be left out, up to half of all */
    long long bytes = nst_file_bytes(j->f);

    if (most > 0 && bytes >= 0 && !(j->damaged && compression == COMPRESSION_NONE) &&
        (double)j->width * j->height * j->tags.samples * j->tags.bits / 8 * halved > (double)bytes * most)
        return nst_fail(j->e, NST_EFORMAT, "%s: truncated, %lld bytes cannot hold %d x %d pixels", j->label, bytes,
                        j->width, j->height);
    return nst_pixels_check(bytes, j->width, j->height, j->label, j->e);
}

/* A tile is held whole: a small picture's may not be a large one's. */
static nst_status check_tile(nst_tiff *j)
{
    uint32_t w = 0, h = 0;

    if (!j->tags.tiled)
        return NST_OK;
    TIFFGetField(j->t, TIFFTAG_TILEWIDTH, &w);
    TIFFGetField(j->t, TIFFTAG_TILELENGTH, &h);
    if ((uint64_t)w * h > 4 * (uint64_t)j->width * (uint64_t)j->height + TILE_SPARE)
        return nst_fail(j->e, NST_EFORMAT, "%s: damaged TIFF file: tiles of %lu x %lu pixels for a picture of %d x %d",
                        j->label, (unsigned long)w, (unsigned long)h, j->width, j->height);
    return NST_OK;
}

/* The largest picture that is no thumbnail, of those looked at. */
struct page {
    uint64_t offset;
    double pixels; /* negative: a thumbnail */
    bool raw;
};

static void look(nst_tiff *j, struct page *best)
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
    if ((kind & FILETYPE_REDUCEDIMAGE) || old == OFILETYPE_REDUCEDIMAGE) /* the largest, if there is nothing else */
        pixels = -1 / (1 + pixels);
    if (!best->offset || pixels > best->pixels) {
        best->offset = TIFFCurrentDirOffset(j->t);
        best->pixels = pixels;
    }
}

/* The current page and what lies within it. */
static int look_into(nst_tiff *j, struct page *best)
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
static nst_status choose_page(nst_tiff *j)
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
        return nst_tiff_damaged(j);
    return NST_OK;
}

static bool is_lab(const nst_tiff *j)
{
    return j->tags.photometric == PHOTOMETRIC_CIELAB || j->tags.photometric == PHOTOMETRIC_ICCLAB;
}

static nst_status read_header(nst_tiff *j)
{
    uint32_t w = 0, h = 0;
    uint16_t format, compression, extras = 0, *extra = NULL;
    nst_status s;

    TIFFGetField(j->t, TIFFTAG_IMAGEWIDTH, &w);
    TIFFGetField(j->t, TIFFTAG_IMAGELENGTH, &h);
    s = nst_image_check(w, h, j->label, j->e);
    if (s)
        return s;
    j->width = (int)w;
    j->height = (int)h;
    TIFFGetFieldDefaulted(j->t, TIFFTAG_BITSPERSAMPLE, &j->tags.bits);
    TIFFGetFieldDefaulted(j->t, TIFFTAG_SAMPLESPERPIXEL, &j->tags.samples);
    TIFFGetFieldDefaulted(j->t, TIFFTAG_PLANARCONFIG, &j->tags.planar);
    TIFFGetFieldDefaulted(j->t, TIFFTAG_ORIENTATION, &j->tags.orientation);
    TIFFGetFieldDefaulted(j->t, TIFFTAG_SAMPLEFORMAT, &format);
    TIFFGetFieldDefaulted(j->t, TIFFTAG_COMPRESSION, &compression);
    if (!TIFFGetField(j->t, TIFFTAG_PHOTOMETRIC, &j->tags.photometric))
        return nst_fail(j->e, NST_EFORMAT, "%s: does not say what its samples mean, expected a photometric tag",
                        j->label);
    j->tags.tiled = TIFFIsTiled(j->t);
    j->tags.floats = format == SAMPLEFORMAT_IEEEFP;
    j->tags.is_signed = format == SAMPLEFORMAT_INT;
    if (format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_VOID && !j->tags.floats && !j->tags.is_signed)
        return nst_fail(j->e, NST_EUNSUPPORTED, "%s: samples of %d bits that are complex numbers, expected whole ones "
                        "or floating point", j->label, j->tags.bits);
    if (compression == COMPRESSION_JPEG && j->tags.photometric == PHOTOMETRIC_YCBCR &&
        j->tags.planar == PLANARCONFIG_CONTIG) {
        TIFFSetField(j->t, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
        j->tags.photometric = PHOTOMETRIC_RGB;
    }
    TIFFGetFieldDefaulted(j->t, TIFFTAG_EXTRASAMPLES, &extras, &extra);
    j->kind.colors = 1;
    if (j->tags.photometric == PHOTOMETRIC_RGB || is_lab(j))
        j->kind.colors = 3;
    else if (j->tags.photometric == PHOTOMETRIC_SEPARATED)
        j->kind.colors = 4;
    if (extras && extra && (*extra == EXTRASAMPLE_ASSOCALPHA || *extra == EXTRASAMPLE_UNASSALPHA) &&
        j->tags.samples > j->kind.colors) {
        j->kind.alpha = true;
        j->premultiplied = *extra == EXTRASAMPLE_ASSOCALPHA;
    }
    j->kind.bits = j->tags.bits == 8 && !j->tags.is_signed ? 8 : 16;
    s = check_tile(j);
    return s ? s : check_bytes(j, compression);
}

nst_status nst_tiff_find(nst_tiff *j)
{
    nst_status s = choose_page(j);

    return s ? s : read_header(j);
}

void nst_tiff_profile(nst_tiff *j)
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

/* Samples that are taken as they are: whole numbers of 8 to 16 and 32 bits, floats of 16, 32 and 64. */
static bool plain_bits(const nst_tiff *j)
{
    if (j->tags.floats)
        return j->tags.bits == 16 || j->tags.bits == 32 || j->tags.bits == 64;
    return (j->tags.bits >= 8 && j->tags.bits <= 16) || j->tags.bits == 32;
}

bool nst_tiff_is_plain(nst_tiff *j)
{
    switch (j->tags.photometric) {
    case PHOTOMETRIC_PALETTE:
        if (j->tags.bits != 8 || j->tags.floats || j->tags.is_signed || j->tags.samples < 1 ||
            !TIFFGetField(j->t, TIFFTAG_COLORMAP, &j->map[0], &j->map[1], &j->map[2]))
            return false;
        j->kind.colors = 3;
        j->kind.bits = 16;
        j->narrow = narrow(j->map);
        return true;
    case PHOTOMETRIC_CIELAB:
    case PHOTOMETRIC_ICCLAB:
        j->kind.lab = true;
        j->kind.bits = 16;
        return !j->tags.floats && !j->tags.is_signed && (j->tags.bits == 8 || j->tags.bits == 16) &&
            j->tags.samples >= 3;
    case PHOTOMETRIC_RGB:
    case PHOTOMETRIC_SEPARATED:
    case PHOTOMETRIC_MINISBLACK:
    case PHOTOMETRIC_MINISWHITE:
        return plain_bits(j) && j->tags.samples >= j->kind.colors;
    default:
        return false;
    }
}
