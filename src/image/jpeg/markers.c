/* markers.c: what a JPEG says beside its pixels: profile, how a camera was held, and that it is sRGB. */
#include "image/jpeg/jpeg.h"

#include <string.h>

static const char icc_mark[12] = "ICC_PROFILE", exif_mark[6] = "Exif\0";

static bool starts_with(jpeg_saved_marker_ptr m, int marker, const char *mark, size_t n)
{
    return m->marker == marker && m->data_length >= n && !memcmp(m->data, mark, n);
}

/* The ICC profile, cut into numbered segments of any order: put together in j->icc.  Returns its length; 0 when
 * there is none or it is not whole. */
size_t nst_jpeg_icc(nst_jpeg *j)
{
    size_t head = sizeof icc_mark + 2, bytes = 0, at = 0;
    int count = 0, seen = 0;

    for (jpeg_saved_marker_ptr m = j->in.marker_list; m; m = m->next)
        if (starts_with(m, JPEG_APP0 + 2, icc_mark, sizeof icc_mark) && m->data_length >= head) {
            if (seen++ && m->data[head - 1] != count)
                return 0;
            count = m->data[head - 1];
            bytes += m->data_length - head;
        }
    if (!bytes || seen != count)
        return 0;
    j->icc = nst_alloc(bytes);
    if (!j->icc)
        nst_jpeg_give_up(j, nst_fail(j->e, NST_EMEM, "%s: out of memory for its colour profile", j->path));
    for (int i = 1; i <= count; i++) {
        jpeg_saved_marker_ptr m = j->in.marker_list;

        while (m && !(starts_with(m, JPEG_APP0 + 2, icc_mark, sizeof icc_mark) && m->data_length >= head &&
                      m->data[head - 2] == i))
            m = m->next;
        if (!m || m->data_length - head > bytes - at) /* a number missing or given twice */
            return 0;
        memcpy(j->icc + at, m->data + head, m->data_length - head);
        at += m->data_length - head;
    }
    return at;
}

void nst_jpeg_exif(nst_jpeg *j)
{
    for (jpeg_saved_marker_ptr m = j->in.marker_list; m; m = m->next)
        if (starts_with(m, JPEG_APP0 + 1, exif_mark, sizeof exif_mark)) {
            j->orientation = nst_exif_orientation(m->data, m->data_length);
            return;
        }
}

/* Says that the samples are sRGB: a profile where lcms2 can make one, else EXIF's ColorSpace. */
void nst_jpeg_tag(nst_jpeg *j)
{
    static const char exif[] = "Exif\0\0"
        "II*\0\10\0\0\0"                                      /* little-endian, first directory at 8 */
        "\1\0" "\x69\x87" "\4\0" "\1\0\0\0" "\x1a\0\0\0" "\0\0\0\0" /* one entry: the Exif directory at 26 */
        "\1\0" "\x01\xa0" "\3\0" "\1\0\0\0" "\1\0\0\0" "\0\0\0";    /* one entry: ColorSpace = 1, sRGB */
    size_t head = sizeof icc_mark + 2, bytes;

    j->icc = nst_alloc(NST_JPEG_MARKER_MAX);
    if (!j->icc)
        nst_jpeg_give_up(j, nst_fail(j->e, NST_EMEM, "%s: out of memory", j->path));
    bytes = nst_color_srgb_profile(j->icc + head, NST_JPEG_MARKER_MAX - head);
    memcpy(j->icc, icc_mark, sizeof icc_mark);
    j->icc[head - 2] = j->icc[head - 1] = 1; /* segment 1 of 1 */
    if (bytes)
        jpeg_write_marker(&j->out, JPEG_APP0 + 2, j->icc, (unsigned)(head + bytes));
    else
        jpeg_write_marker(&j->out, JPEG_APP0 + 1, (const JOCTET *)exif, sizeof exif);
}
