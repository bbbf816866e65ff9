/* format.c: the table of picture formats, by index, by a file's suffix and in words. */
#include "image/format.h"

#include <string.h>

/* First those that are written, in the order of --format's words. */
static const nst_codec *const codecs[] = { &nst_codec_png, &nst_codec_jpeg, &nst_codec_tiff, &nst_codec_webp,
                                           &nst_codec_ppm, &nst_codec_pfm,  &nst_codec_heic, &nst_codec_avif,
                                           &nst_codec_jxl, &nst_codec_gif,  &nst_codec_bmp, &nst_codec_pgm };

const nst_codec *nst_codec_at(int i)
{
    return i >= 0 && i < (int)NST_COUNT(codecs) ? codecs[i] : NULL;
}

const nst_format *nst_format_at(int i)
{
    const nst_codec *c = nst_codec_at(i);

    return c ? &c->format : NULL;
}

const nst_format *nst_format_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    size_t n = dot ? strlen(dot) : 0;

    if (n < 2 || strchr(dot, ' '))
        return NULL;
    for (size_t i = 0; i < NST_COUNT(codecs); i++)
        for (const char *s = codecs[i]->format.suffixes; *s; s += strspn(s, " ")) {
            size_t m = strcspn(s, " ");

            if (m == n && nst_plain_alike(s, dot, n))
                return &codecs[i]->format;
            s += m;
        }
    return NULL;
}

const char *nst_format_list(int suffixes, char *out, size_t bytes)
{
    const char *words[4 * NST_COUNT(codecs)];
    int length[NST_COUNT(words)], n = 0;
    size_t at = 0;

    for (size_t i = 0; i < NST_COUNT(codecs); i++) {
        const nst_format *f = &codecs[i]->format;

        if (!suffixes && f->reads) {
            words[n] = f->label;
            length[n] = (int)strlen(words[n]);
            n++;
        }
        for (const char *s = f->suffixes; suffixes && f->writes && *s; s += length[n - 1], s += strspn(s, " ")) {
            words[n] = s;
            length[n++] = (int)strcspn(s, " ");
        }
    }
    if (bytes)
        *out = 0;
    for (int i = 0; i < n && at < bytes; i++) {
        const char *joint = i == n - 1 ? " or " : ", ";

        at += (size_t)snprintf(out + at, bytes - at, "%s%.*s", i ? joint : "", length[i], words[i]);
    }
    return out;
}
