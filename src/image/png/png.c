/* png.c: PNG among the formats. */
#include "image/png/png.h"

#include <string.h>

static bool is_png(const uint8_t *head, size_t bytes)
{
    return bytes >= 8 && !memcmp(head, "\x89PNG\r\n\x1a\n", 8) && !(bytes >= 16 && !memcmp(head + 12, "CgBI", 4));
}

const nst_codec nst_codec_png = {
    .format = { "png", "PNG", ".png", .bits = 16, .reads = 1, .writes = 1 },
    .is = is_png, .read = nst_png_read, .write = nst_png_write, .heeds_damaged = true,
};
