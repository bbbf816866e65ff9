/* file_bytes.c: how long an open file is, which every format asks before it believes a header's sizes. */
#include "image/format.h"

long long nst_file_bytes(FILE *f)
{
    off_t here = ftello(f), end;

    if (here < 0 || fseeko(f, 0, SEEK_END))
        return -1;
    end = ftello(f);
    return end < 0 || fseeko(f, here, SEEK_SET) ? -1 : end;
}
