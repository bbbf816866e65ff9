/* chunks.c: what a PNG says beside its pixels: colours, and how a camera was held. */
#include "image/png/png.h"

#include <string.h>

enum { UNSAID = 2 }; /* of H.273's numbers */

static bool read_chroma(nst_png *j, double chroma[8])
{
    return png_get_cHRM(j->png, j->info, &chroma[0], &chroma[1], &chroma[2], &chroma[3], &chroma[4], &chroma[5],
                        &chroma[6], &chroma[7]);
}

/* cICP (PNG 3), where it says something that we know. */
static bool read_cICP(nst_png *j, nst_samples *samples)
{
    png_unknown_chunkp chunk = NULL;
    int n = png_get_unknown_chunks(j->png, j->info, &chunk);
    nst_status s;
    bool known;

    j->apart = true;
    for (int i = 0; i < n; i++) {
        j->animated |= !memcmp(chunk[i].name, "acTL", 4);
        j->apart &= memcmp(chunk[i].name, "fcTL", 4) != 0;
    }
    while (n > 0 && (memcmp(chunk->name, "cICP", 4) || chunk->size != 4)) {
        chunk++;
        n--;
    }
    if (n < 1)
        return false;
    s = nst_cicp_check(chunk->data[1], j->path, j->e);
    if (s)
        nst_png_give_up(j, s);
    j->narrow = !chunk->data[3];
    known = nst_cicp_colors(chunk->data[0], chunk->data[1], samples);
    if (chunk->data[2])
        snprintf(j->colors, sizeof j->colors, "its cICP chunk says matrix %d, but PNG holds RGB, as which it is read",
                 chunk->data[2]);
    else if (!known && (chunk->data[0] != UNSAID || chunk->data[1] != UNSAID))
        snprintf(j->colors, sizeof j->colors, "its cICP chunk says primaries %d and curve %d, which nst does not know; "
                 "what else it says of its colours counts", chunk->data[0], chunk->data[1]);
    return known;
}

/* What the chunks say of the colours, the strongest first: cICP, iCCP, sRGB, cHRM and gAMA. */
void nst_png_colors(nst_png *j)
{
    int type = png_get_color_type(j->png, j->info), intent;
    nst_samples s = { .colors = type & PNG_COLOR_MASK_COLOR ? 3 : 1, .alpha = type & PNG_COLOR_MASK_ALPHA,
                      .bits = png_get_bit_depth(j->png, j->info) };
    double chroma[8];
    png_charp name;
    png_bytep icc;
    png_uint_32 bytes;
    int method;
    nst_status status;

    if (read_cICP(j, &s)) {
        /* the strongest: nothing else counts */
    } else if (png_get_iCCP(j->png, j->info, &name, &method, &icc, &bytes)) {
        s.icc = icc;
        s.icc_bytes = bytes;
    } else if (!png_get_sRGB(j->png, j->info, &intent)) {
        if (!png_get_gAMA(j->png, j->info, &s.gamma) || !(s.gamma > 0.01 && s.gamma < 100))
            s.gamma = 0;
        if (read_chroma(j, chroma))
            s.chroma = chroma;
    }
    status = nst_color_open(&j->color, &s, (int)png_get_image_width(j->png, j->info), j->path, j->e);
    if (status)
        nst_png_give_up(j, status);
}

static void take_orientation(nst_png *j, const png_byte *exif, size_t bytes)
{
    j->orientation = nst_exif_orientation(exif, bytes);
    if (j->orientation < 0)
        nst_png_give_up(j, nst_fail(j->e, NST_EMEM, "%s: out of memory", j->path));
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* As ImageMagick wrote it before there was eXIf: "\nexif\n      NUMBER\n" and so many bytes in hexadecimal, in
 * lines. */
static void read_raw_exif(nst_png *j, const char *text, size_t left)
{
    const char *end = text + left, *lines[3];
    size_t n = 0, bytes = 0;

    for (int i = 0; i < 3 && text; i++) {
        lines[i] = text;
        text = memchr(text, '\n', (size_t)(end - text));
        text = text ? text + 1 : NULL;
    }
    if (!text)
        return;
    for (const char *p = lines[2]; p < text; p++)
        if (*p >= '0' && *p <= '9' && bytes < 1 << 20)
            bytes = 10 * bytes + (size_t)(*p - '0');
    if (!bytes || bytes > (size_t)(end - text) / 2)
        return;
    j->exif = nst_calloc(bytes, 1);
    if (!j->exif)
        nst_png_give_up(j, nst_fail(j->e, NST_EMEM, "%s: out of memory", j->path));
    for (; text < end && n < 2 * bytes; text++)
        if (digit(*text) >= 0) {
            j->exif[n / 2] = (png_byte)(j->exif[n / 2] << 4 | digit(*text));
            n++;
        }
    if (n == 2 * bytes)
        take_orientation(j, j->exif, bytes);
}

void nst_png_exif(nst_png *j)
{
    png_textp text;
    int n = 0;
#ifdef PNG_eXIf_SUPPORTED
    png_uint_32 bytes;
    png_bytep exif;

    if (png_get_eXIf_1(j->png, j->info, &bytes, &exif)) {
        take_orientation(j, exif, bytes);
        return;
    }
#endif
    png_get_text(j->png, j->info, &text, &n);
    for (int i = 0; i < n && !j->exif; i++)
        if (!strcmp(text[i].key, "Raw profile type exif") || !strcmp(text[i].key, "Raw profile type APP1"))
            read_raw_exif(j, text[i].text, text[i].text_length);
}
