/* exif.c: how a camera was held, read through libexif where there is one. */
#include "image.h"

#ifdef HAVE_LIBEXIF
#include <libexif/exif-data.h>

int nst_exif_orientation(const uint8_t *data, size_t bytes)
{
    ExifData *exif;
    ExifEntry *entry;
    int orientation = 1;

    if (bytes > 1u << 20 || !(exif = exif_data_new_from_data(data, (unsigned)bytes)))
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
