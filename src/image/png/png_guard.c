/* png_guard.c: libpng's failures: its longjmp is caught here. */
#include "image/png/png.h"

#include <string.h>

void nst_png_fail(png_structp png, png_const_charp text)
{
    nst_png *j = png_get_error_ptr(png);

    snprintf(j->text, sizeof j->text, "%s", text);
    png_longjmp(png, 1);
}

void nst_png_warn(png_structp png, png_const_charp text)
{
    nst_png *j = png_get_error_ptr(png);

    j->spoilt |= j->damaged && strstr(text, "CRC error");
}

/* Runs steps(j) and catches libpng's longjmp: false when it came or j->status says so.  Holds no variable of its
 * own, so that nothing can be clobbered. */
bool nst_png_guarded(nst_png *j, void (*steps)(nst_png *))
{
    if (setjmp(png_jmpbuf(j->png)))
        return false;
    steps(j);
    return j->status == NST_OK;
}

/* Ends the steps with a failure that has its sentence already. */
void nst_png_give_up(nst_png *j, nst_status s)
{
    j->status = s;
    png_longjmp(j->png, 1);
}
