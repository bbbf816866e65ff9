/* jpeg.c: JPEG among the formats. */
#include "image/jpeg/jpeg.h"

#include <string.h>

static bool is_jpeg(const uint8_t *head, size_t bytes)
{
    return bytes >= 3 && !memcmp(head, "\xff\xd8\xff", 3);
}

const nst_codec nst_codec_jpeg = {
    .format = { "jpeg", "JPEG", ".jpg .jpeg", .bits = 8, .quality = 1, .reads = 1, .writes = 1 },
    .is = is_jpeg, .read = nst_jpeg_read, .write = nst_jpeg_write, .heeds_damaged = true,
};
