/* fuzz_image.c: the readers of pictures under libFuzzer: CC=clang ./configure --enable-fuzzing --enable-sanitize,
 * make tests/fuzz/fuzz_image, tests/fuzz/fuzz_image FOLDER.  FOLDER holds small pictures to start from; PNG checksums
 * are put right after most mutations, so that what lies behind them is reached.  What can be read is a style's mask,
 * too. */
#include "image/format.h"

#include "fuzz_file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
size_t LLVMFuzzerMutate(uint8_t *data, size_t bytes, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t room, unsigned seed);

/* Either mask may be refused. */
static void use(const nst_image *image)
{
    static nst_image *style;
    nst_error e = { "" };

    if (!style && nst_image_create(&style, 24, 20, 3, NULL))
        abort();
    if (nst_image_set_region(style, image, NULL, &e) && strlen(e.text) < 4)
        __builtin_trap();
    nst_image_set_region(style, NULL, image, NULL);
    nst_image_set_region(style, NULL, NULL, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const nst_codec *c = nst_codec_at(0);
    const char *path;
    nst_fit fit = { .longest = bytes % 2 ? 20 : 0, .damaged = bytes / 2 % 2 }; /* made smaller, --damaged: half each */
    nst_image *image;
    nst_error e = { "" };
    nst_status s;

    for (int i = 1; c && !c->is(data, bytes < NST_HEAD ? bytes : NST_HEAD); i++)
        c = nst_codec_at(i);
    if (!c || !c->read)
        return -1;
    path = fuzz_file(data, bytes);
    if (!path)
        return -1;
    s = nst_image_read_fit(&image, path, &fit, &e);
    if (!s != !!image || (s && strncmp(e.text, path, strlen(path)))) /* a picture or a sentence */
        __builtin_trap();
    if (image) {
        size_t n = (size_t)image->width * (size_t)image->height * (size_t)image->channels;

        for (size_t k = 0; k < n; k++)
            if (!(image->plane[0][k] >= 0 && image->plane[0][k] <= 1))
                __builtin_trap();
        use(image);
    }
    nst_image_destroy(&image);
    return 0;
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t room, unsigned seed)
{
    size_t n = LLVMFuzzerMutate(data, bytes, room), at = 8;

    if (n < 20 || memcmp(data + 1, "PNG", 3) || seed % 8 == 0)
        return n;
    memcpy(data, "\x89PNG\r\n\x1a\n", 8);
    while (n - at >= 12 && be32(data + at) <= n - at - 12) {
        size_t length = be32(data + at);
        uint32_t crc = (uint32_t)crc32(0, data + at + 4, (uInt)length + 4);

        for (int i = 0; i < 4; i++)
            data[at + 8 + length + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
        at += length + 12;
    }
    return n;
}
