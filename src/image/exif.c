/* exif.c: how a camera was held, read through libexif where there is one. */
#include "image/image.h"

#ifdef HAVE_LIBEXIF
#include <string.h>

#include <libexif/exif-data.h>

#define BYTES_MAX ((size_t)1 << 20)

int nst_exif_orientation(const uint8_t *data, size_t bytes)
{
    static const uint8_t mark[6] = "Exif\0"; /* libexif wants it; JPEG has it, PNG has not, WebP may */
    bool marked = bytes >= sizeof mark && !memcmp(data, mark, sizeof mark);
    uint8_t *block = NULL;
    ExifData *exif;
    ExifEntry *entry;
    int orientation = 1;

    if (bytes > BYTES_MAX)
        return 1;
    if (!marked) {
        block = nst_alloc(sizeof mark + bytes);
        if (block) {
            memcpy(block, mark, sizeof mark);
            memcpy(block + sizeof mark, data, bytes);
        }
    }
    if (!marked && !block)
        return -1;
    exif = marked ? exif_data_new_from_data(data, (unsigned)bytes)
                  : exif_data_new_from_data(block, (unsigned)(sizeof mark + bytes));
    nst_free(block);
    if (!exif)
        return 1;
    entry = exif_content_get_entry(exif->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
    if (entry && entry->format == EXIF_FORMAT_SHORT && entry->components >= 1 && entry->size >= 2)
        orientation = exif_get_short(entry->data, exif_data_get_byte_order(exif));
    exif_data_unref(exif);
    return orientation >= 1 && orientation <= 8 ? orientation : 1;
}

#else

int nst_exif_orientation(const uint8_t *data, size_t bytes)
{
    (void)data;
    (void)bytes;
    return 1;
}
#endif
