/* lab.c: CIE 1976 Lab of sRGB, and a picture that keeps another's colours. */
#include "image/image.h"

#include <math.h>

/* Linear sRGB (IEC 61966-2-1) to XYZ over the white of D65, and back. */
static const double to_xyz[3][3] = { { 0.4124564 / 0.95047, 0.3575761 / 0.95047, 0.1804375 / 0.95047 },
                                     { 0.2126729, 0.7151522, 0.0721750 },
                                     { 0.0193339 / 1.08883, 0.1191920 / 1.08883, 0.9503041 / 1.08883 } };
static const double from_xyz[3][3] = { { 3.2404542 * 0.95047, -1.5371385, -0.4985314 * 1.08883 },
                                       { -0.9692660 * 0.95047, 1.8760108, 0.0415560 * 1.08883 },
                                       { 0.0556434 * 0.95047, -0.2040259, 1.0572252 * 1.08883 } };
#define KNEE (6. / 29)

void nst_lab_from_srgb(const float rgb[3], double lab[3])
{
    double f[3], linear[3];

    for (int c = 0; c < 3; c++)
        linear[c] = (double)nst_srgb_to_linear(rgb[c]);
    for (int i = 0; i < 3; i++) {
        double t = to_xyz[i][0] * linear[0] + to_xyz[i][1] * linear[1] + to_xyz[i][2] * linear[2];

        f[i] = t > KNEE * KNEE * KNEE ? cbrt(t) : t / (3 * KNEE * KNEE) + 4. / 29;
    }
    lab[0] = 116 * f[1] - 16;
    lab[1] = 500 * (f[0] - f[1]);
    lab[2] = 200 * (f[1] - f[2]);
}

/* Not clipped: outside of [0,1] where sRGB has no such colour. */
void nst_lab_to_srgb(const double lab[3], float rgb[3])
{
    double y = (lab[0] + 16) / 116, f[3] = { y + lab[1] / 500, y, y - lab[2] / 200 }, xyz[3];

    for (int i = 0; i < 3; i++)
        xyz[i] = f[i] > KNEE ? f[i] * f[i] * f[i] : 3 * KNEE * KNEE * (f[i] - 4. / 29);
    for (int c = 0; c < 3; c++)
        rgb[c] = nst_linear_to_srgb(
            (float)(from_xyz[c][0] * xyz[0] + from_xyz[c][1] * xyz[1] + from_xyz[c][2] * xyz[2]));
}

static bool inside(const float rgb[3])
{
    const float slack = 1e-4f;

    for (int c = 0; c < 3; c++)
        if (!(rgb[c] >= -slack && rgb[c] <= 1 + slack))
            return false;
    return true;
}

/* One pixel: its lightness with colours ab of share.  Where sRGB has no such colour, the lightness gives way towards
 * the content's, at which there is one; the colours do not. */
static void keep(const float own[3], const float content[3], double share, float out[3])
{
    double lab[3], other[3], mixed[3], low = 0, high = 1;

    nst_lab_from_srgb(own, lab);
    nst_lab_from_srgb(content, other);
    for (int c = 1; c < 3; c++)
        mixed[c] = lab[c] + share * (other[c] - lab[c]);
    mixed[0] = lab[0];
    nst_lab_to_srgb(mixed, out);
    if (inside(out))
        return;
    for (int i = 0; i < 12; i++) { /* high is inside, low is not */
        double t = (low + high) / 2;

        mixed[0] = lab[0] + t * (other[0] - lab[0]);
        nst_lab_to_srgb(mixed, out);
        *(inside(out) ? &high : &low) = t;
    }
    mixed[0] = lab[0] + high * (other[0] - lab[0]);
    nst_lab_to_srgb(mixed, out);
}

void nst_image_keep_colors(nst_image *image, const nst_image *content, double share)
{
    size_t n = (size_t)image->width * (size_t)image->height;

    if (share <= 0)
        return;
    for (size_t i = 0; i < n; i++) {
        float own[3] = { image->plane[0][i], image->plane[1][i], image->plane[2][i] }, out[3];
        const float its[3] = { content->plane[0][i], content->plane[1][i], content->plane[2][i] };

        keep(own, its, share, out);
        for (int c = 0; c < 3; c++)
            image->plane[c][i] = nst_clamp(out[c], 0, 1);
    }
}
