/* notes.c: what a reader tells of a picture that it could read. */
#include "image/format.h"

void nst_note_animation(nst_image *image, const char *label)
{
    nst_fail(&image->note, NST_OK, "%s: an animation, of which the first picture is taken", label);
}

void nst_note_damage(nst_image *image, const char *label, int rows, int height)
{
    nst_fail(&image->note, NST_OK, "%s: damaged, %d of %d rows could be read", label, rows, height);
}

const char *nst_image_note(const nst_image *image)
{
    return *image->note.text ? image->note.text : NULL;
}
