/* file_bytes.c: how long an open file is, which every format asks before it believes a header's sizes. */
#include "image/format.h"

#define FREE_PIXELS (1 << 26) /* a second's work */
#define PIXELS_OF_BYTE 8256   /* as of a PNG in black and white, where deflate's ratio is greatest */

long long nst_file_bytes(FILE *f)
{
    off_t here = ftello(f), end;

    if (here < 0 || fseeko(f, 0, SEEK_END))
        return -1;
    end = ftello(f);
    return end < 0 || fseeko(f, here, SEEK_SET) ? -1 : end;
}

nst_status nst_pixels_check(long long bytes, int width, int height, const char *label, nst_error *e)
{
    double pixels = (double)width * height;

    if (bytes < 0 || pixels <= FREE_PIXELS || pixels <= (double)bytes * PIXELS_OF_BYTE)
        return NST_OK;
    return nst_fail(e, NST_EFORMAT, "%s: %d x %d pixels in %lld bytes, expected at most 67 megapixels in so small a "
                    "file", label, width, height, bytes);
}
