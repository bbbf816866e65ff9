/* cicp.c: colours that files name by the numbers of ITU-T H.273: PNG's cICP, HEIF's nclx. */
#include "image/image.h"

enum { PQ = 16, HLG = 18 };

bool nst_cicp_colors(int primaries, int curve, nst_samples *s)
{
    static const struct { int code; double chroma[8]; } known[] = {
        { 1, { .3127, .3290, .64, .33, .30, .60, .15, .06 } },       /* BT.709, sRGB */
        { 5, { .3127, .3290, .64, .33, .29, .60, .15, .06 } },       /* BT.601, 625 lines */
        { 6, { .3127, .3290, .63, .34, .31, .595, .155, .07 } },     /* 525 lines */
        { 9, { .3127, .3290, .708, .292, .17, .797, .131, .046 } },  /* BT.2020 */
        { 12, { .3127, .3290, .68, .32, .265, .69, .15, .06 } },     /* Display P3 */
    };
    static const struct { int code; double gamma; } curves[] = {
        { 1, 0 }, { 4, 1 / 2.2 }, { 5, 1 / 2.8 }, { 6, 0 }, { 8, 1 }, { 13, 0 }, { 14, 0 }, { 15, 0 }
    };
    const double *chroma = NULL;

    for (size_t i = 0; i < NST_COUNT(known); i++)
        if (known[i].code == primaries)
            chroma = known[i].chroma;
    for (size_t i = 0; chroma && i < NST_COUNT(curves); i++)
        if (curves[i].code == curve) {
            s->chroma = chroma;
            s->gamma = curves[i].gamma;
            return true;
        }
    return false;
}

nst_status nst_cicp_check(int curve, const char *label, nst_error *e)
{
    if (curve != PQ && curve != HLG)
        return NST_OK;
    return nst_fail(e, NST_EUNSUPPORTED, "%s: of high dynamic range (%s), expected the colours of a usual display, "
                    "such as sRGB or Display P3", label, curve == PQ ? "PQ" : "HLG");
}
