/* tiff_write.c: TIFF files out. */
#include "image/tiff/tiff.h"

#include <errno.h>
#include <string.h>

static void write_tags(nst_tiff *j, const nst_image *in, const nst_write_options *o)
{
    uint16_t compression = TIFFIsCODECConfigured(COMPRESSION_ADOBE_DEFLATE) ? COMPRESSION_ADOBE_DEFLATE
        : COMPRESSION_LZW;

    TIFFSetField(j->t, TIFFTAG_IMAGEWIDTH, (uint32_t)in->width);
    TIFFSetField(j->t, TIFFTAG_IMAGELENGTH, (uint32_t)in->height);
    TIFFSetField(j->t, TIFFTAG_BITSPERSAMPLE, j->tags.bits);
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

static void write_row(nst_tiff *j, const nst_image *in, size_t y)
{
    size_t n = (size_t)in->width, each = (size_t)in->channels;

    for (size_t c = 0; c < each; c++)
        for (size_t x = 0; x < n; x++) {
            float v = in->plane[c][y * n + x];

            if (j->tags.bits == 16)
                ((uint16_t *)j->row)[x * each + c] = (uint16_t)nst_image_quantise(v, 65535);
            else
                ((uint8_t *)j->row)[x * each + c] = (uint8_t)nst_image_quantise(v, 255);
        }
}

nst_status nst_tiff_write(const nst_image *image, FILE *f, const char *label, const nst_write_options *o,
                             nst_error *e)
{
    enum { PROFILE_MAX = 65536 };
    nst_tiff j = { .f = f, .label = label, .e = e, .tags.bits = o->bits == 16 ? 16 : 8 };
    size_t row = (size_t)image->width * (size_t)image->channels * (j.tags.bits / 8u), icc;
    bool big = row * (size_t)image->height > (size_t)3 << 30, good = false; /* above 4 GiB only BigTIFF can count */

    j.row = nst_alloc(row);
    j.band = nst_alloc(PROFILE_MAX);
    if (j.row && j.band && nst_tiff_open(&j, big ? "w8" : "w")) {
        write_tags(&j, image, o);
        icc = nst_color_srgb_profile(j.band, PROFILE_MAX);
        if (icc)
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
