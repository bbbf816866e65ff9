/* tiff.c: TIFF among the formats: opened, handed to the files beside this one, and closed. */
#include "image/format.h"

#include <string.h>

#ifdef HAVE_TIFF
#include "image/tiff/tiff.h"

static nst_status read_tiff(nst_image **out, FILE *f, const nst_fit *fit, const char *label, nst_error *e)
{
    nst_tiff j = { .f = f, .label = label, .e = e, .damaged = fit && fit->damaged };
    nst_status s;

    *out = NULL;
    s = nst_tiff_open(&j, "rm") ? nst_tiff_find(&j) : nst_tiff_damaged(&j);
    if (!s)
        s = nst_tiff_pixels(&j, fit);
    if (!s)
        s = nst_rows_finish(&j.rows, j.tags.orientation, out, label, e);
    if (!s && j.y < j.height)
        nst_note_damage(*out, label, j.y, j.height);
    nst_color_close(&j.color);
    nst_rows_close(&j.rows);
    nst_free(j.band);
    nst_free(j.piece);
    nst_free(j.row);
    if (j.t)
        TIFFClose(j.t);
    return s;
}
#endif

/* Classic and BigTIFF, of both orders; not Canon's raw files. */
static bool is_tiff(const uint8_t *head, size_t bytes)
{
    static const char marks[][5] = { "II*\0", "MM\0*", "II+\0", "MM\0+" };
    bool canon = bytes >= 10 && !memcmp(head + 8, "CR", 2);

    for (size_t i = 0; i < NST_COUNT(marks) && bytes >= 4; i++)
        if (!memcmp(head, marks[i], 4))
            return !canon;
    return false;
}

const nst_codec nst_codec_tiff = {
    .is = is_tiff,
#ifdef HAVE_TIFF
    .format = { "tiff", "TIFF", ".tif .tiff", .bits = 16, .reads = 1, .writes = 1 },
    .read = read_tiff, .write = nst_tiff_write, .seeks = true, .heeds_damaged = true,
#else
    .format = { "tiff", "TIFF", ".tif .tiff", .bits = 16 },
#endif
};
