/* window.c: rectangles of the picture that a graph is placed for. */
#include "net/device.h"

#include <string.h>

nst_window nst_window_whole(int w, int h)
{
    return (nst_window){ .picture_w = w, .picture_h = h, .w = w, .h = h, .core_w = w, .core_h = h };
}

bool nst_window_same_column(const nst_window *a, const nst_window *b)
{
    nst_window other = *a;

    other.y = b->y, other.h = b->h;
    return !memcmp(&other, b, sizeof other);
}
