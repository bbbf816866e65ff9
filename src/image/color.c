/* color.c: from the colours that a file means to sRGB; the only file that knows lcms2. */
#include "image/image.h"

#include <math.h>
#include <string.h>

#ifdef HAVE_LCMS2
#include <lcms2.h>
#endif


struct nst_color {
    int width, colors, bits, stride; /* stride: samples a pixel, alpha included */
    bool alpha, lab;
    float *curve;      /* [1 << bits] sRGB value of each sample where gAMA asks for one, else NULL */
#ifdef HAVE_LCMS2
    cmsHTRANSFORM transform; /* NULL: the samples are sRGB already, or have no profile */
    int inks;                /* samples a pixel that the transform reads: `colors`, or 3 for grey in RGB */
    void *in;                /* [width][inks]: uint8_t or, for 16 bit, float */
    void *result;            /* [width][3]: uint16_t or, for 16 bit, float */
#endif
};

float nst_srgb_to_linear(float v)
{
    float a = fabsf(v);

    return copysignf(a <= 0.04045f ? a / 12.92f : powf((a + 0.055f) / 1.055f, 2.4f), v);
}

float nst_linear_to_srgb(float v)
{
    float a = fabsf(v);

    return copysignf(a <= 0.0031308f ? a * 12.92f : 1.055f * powf(a, 1 / 2.4f) - 0.055f, v);
}

/* The gamma that PNG writers put beside sRGB data, as libpng's own threshold has it. */
static bool srgb_gamma(double gamma)
{
    return fabs(gamma * 2.2 - 1) < 0.05;
}

/* ---- profiles: lcms2 ----------------------------------------------------- */

#ifdef HAVE_LCMS2

static bool srgb_chroma(const double *chroma)
{
    static const double srgb[8] = { 0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06 };

    for (int i = 0; i < 8; i++)
        if (fabs(chroma[i] - srgb[i]) > 0.002)
            return false;
    return true;
}

/* A profile of PNG's gAMA and cHRM; the sRGB curve where the gamma is sRGB's or not said. */
static cmsHPROFILE profile_of_chroma(const nst_samples *s)
{
    const double *c = s->chroma;
    cmsCIExyY white = { c[0], c[1], 1 };
    cmsCIExyYTRIPLE primaries = { { c[2], c[3], 1 }, { c[4], c[5], 1 }, { c[6], c[7], 1 } };
    double srgb[5] = { 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045 };
    cmsToneCurve *curve;
    cmsHPROFILE profile = NULL;

    if (s->gamma > 0 && !srgb_gamma(s->gamma))
        curve = cmsBuildGamma(NULL, 1 / s->gamma);
    else
        curve = cmsBuildParametricToneCurve(NULL, 4, srgb);
    if (curve) {
        profile = cmsCreateRGBProfile(&white, &primaries, (cmsToneCurve *[3]){ curve, curve, curve });
        cmsFreeToneCurve(curve);
    }
    return profile;
}

/* The profile that the file brings, if it fits its samples; NULL otherwise. */
static cmsHPROFILE profile_of_file(const nst_samples *s)
{
    cmsHPROFILE profile = NULL;
    cmsColorSpaceSignature kind;
    cmsProfileClassSignature use;

    if (s->lab)
        return cmsCreateLab4Profile(NULL);
    if (s->icc && s->icc_bytes && s->icc_bytes <= NST_PROFILE_MAX)
        profile = cmsOpenProfileFromMem(s->icc, (cmsUInt32Number)s->icc_bytes);
    else if (s->chroma && s->colors == 3 && !(srgb_chroma(s->chroma) && (s->gamma <= 0 || srgb_gamma(s->gamma))))
        profile = profile_of_chroma(s);
    if (!profile)
        return NULL;
    kind = cmsGetColorSpace(profile);
    use = cmsGetDeviceClass(profile);
    /* grey samples with an RGB profile: common in JPEG; the profile's grey axis is meant */
    if ((use == cmsSigInputClass || use == cmsSigDisplayClass || use == cmsSigOutputClass ||
         use == cmsSigColorSpaceClass) &&
        ((kind == cmsSigRgbData && s->colors != 4) || (kind == cmsSigGrayData && s->colors == 1) ||
            (kind == cmsSigCmykData && s->colors == 4)))
        return profile;
    cmsCloseProfile(profile);
    return NULL;
}

/* lcms2's name of n samples a pixel: 8 bit or float. */
static cmsUInt32Number layout(cmsHPROFILE profile, int bits)
{
    cmsColorSpaceSignature kind = cmsGetColorSpace(profile);
    cmsUInt32Number n = cmsChannelsOf(kind);
    cmsUInt32Number type = COLORSPACE_SH((cmsUInt32Number)_cmsLCMScolorSpace(kind)) | CHANNELS_SH(n);

    return type | (bits == 8 ? BYTES_SH(1u) : FLOAT_SH(1u) | BYTES_SH(4u));
}

/* True if the transform moves no colour of a coarse grid by half an 8-bit step: the profile is sRGB under
 * some name, and leaving the samples alone is more exact than converting them. */
static bool is_srgb(cmsHTRANSFORM t, bool eight)
{
    enum { STEPS = 6, COLORS = STEPS * STEPS * STEPS };
    float in[COLORS][3], out[COLORS][3];
    uint8_t in8[COLORS][3];
    uint16_t out16[COLORS][3];

    for (int i = 0; i < COLORS; i++)
        for (int c = 0, j = i; c < 3; c++, j /= STEPS) {
            in8[i][c] = (uint8_t)(j % STEPS * (255 / (STEPS - 1)));
            in[i][c] = in8[i][c] / 255.0f;
        }
    if (eight)
        cmsDoTransform(t, in8, out16, COLORS);
    else
        cmsDoTransform(t, in, out, COLORS);
    for (int i = 0; i < COLORS; i++)
        for (int c = 0; c < 3; c++)
            if (!(fabsf((eight ? out16[i][c] / 65535.0f : out[i][c]) - in[i][c]) < 0.5f / 255))
                return false;
    return true;
}

/* 8-bit samples go through lcms2's fast 16-bit paths, 16-bit ones through its plain float pipeline:
 * 12 megapixels in 0.14 s and 2.3 s. */
static nst_status open_transform(nst_color *c, const nst_samples *s, const char *label, nst_error *e)
{
    cmsHPROFILE from = profile_of_file(s), to;
    bool eight = s->bits == 8;
    size_t width = (size_t)c->width;

    if (!from)
        return NST_OK;
    to = cmsCreate_sRGBProfile();
    if (to) {
        c->inks = (int)cmsChannelsOf(cmsGetColorSpace(from));
        c->transform = cmsCreateTransform(from, layout(from, s->bits), to, eight ? TYPE_RGB_16 : TYPE_RGB_FLT,
                                          INTENT_RELATIVE_COLORIMETRIC,
                                          cmsFLAGS_BLACKPOINTCOMPENSATION | (eight ? 0 : cmsFLAGS_NOOPTIMIZE));
        cmsCloseProfile(to);
    }
    cmsCloseProfile(from);
    if (c->transform && c->inks == 3 && is_srgb(c->transform, eight)) {
        cmsDeleteTransform(c->transform);
        c->transform = NULL;
    }
    if (!c->transform) /* as with a profile that cannot be opened: what it cannot say is taken as sRGB */
        return NST_OK;
    c->in = nst_alloc(width * (size_t)c->inks * (eight ? 1 : sizeof(float)));
    c->result = nst_alloc(width * 3 * sizeof(float));
    if (!c->in || !c->result)
        return nst_fail(e, NST_EMEM, "%s: out of memory for a row of %d pixels", label, c->width);
    return NST_OK;
}

static void close_transform(nst_color *c)
{
    if (c->transform)
        cmsDeleteTransform(c->transform);
    nst_free(c->in);
    nst_free(c->result);
}

static void transform_row(nst_color *c, const void *samples, float *const rgba[4])
{
    const uint8_t *s8 = samples;
    const uint16_t *s16 = samples;
    bool spread = c->inks > c->colors; /* grey read as RGB */

    for (int x = 0; x < c->width; x++)
        for (int k = 0; k < c->inks; k++) {
            size_t from = (size_t)x * (size_t)c->stride + (size_t)(spread ? 0 : k);
            size_t to = (size_t)x * (size_t)c->inks + (size_t)k;

            if (c->bits == 8)
                ((uint8_t *)c->in)[to] = s8[from];
            else if (c->lab)
                ((float *)c->in)[to] = k ? (float)s16[from] / 257 - 128 : (float)s16[from] / 655.35f;
            else /* float CMYK counts in percent in lcms2 */
                ((float *)c->in)[to] = (float)s16[from] / (c->inks == 4 ? 655.35f : 65535.0f);
        }
    cmsDoTransform(c->transform, c->in, c->result, (cmsUInt32Number)c->width);
    for (int x = 0; x < c->width; x++)
        for (int k = 0; k < 3; k++)
            rgba[k][x] = c->bits == 8 ? ((uint16_t *)c->result)[3 * x + k] / 65535.0f
                                      : nst_clamp(((float *)c->result)[3 * x + k], 0, 1);
}

size_t nst_color_srgb_profile(void *out, size_t room)
{
    cmsHPROFILE profile = cmsCreate_sRGBProfile();
    cmsUInt32Number bytes = 0;

    if (!profile)
        return 0;
    if (!cmsSaveProfileToMem(profile, NULL, &bytes) || bytes > room || bytes < 128 ||
        !cmsSaveProfileToMem(profile, out, &bytes))
        bytes = 0;
    cmsCloseProfile(profile);
    if (bytes) /* the header's date of making, 2000-01-01: the same run writes the same file on any day */
        memcpy((char *)out + 24, "\x07\xd0\0\1\0\1\0\0\0\0\0\0", 12);
    return bytes;
}

#else

size_t nst_color_srgb_profile(void *out, size_t room)
{
    (void)out;
    (void)room;
    return 0;
}
#endif

/* ---- rows ------------------------------------------------------------------ */

static nst_status open_curve(nst_color *c, double gamma, const char *label, nst_error *e)
{
    size_t n = (size_t)1 << c->bits;

    c->curve = nst_alloc(n * sizeof *c->curve);
    if (!c->curve)
        return nst_fail(e, NST_EMEM, "%s: out of memory", label);
    for (size_t i = 0; i < n; i++)
        c->curve[i] = nst_clamp(nst_linear_to_srgb((float)pow((double)i / (double)(n - 1), 1 / gamma)), 0, 1);
    return NST_OK;
}

static bool transformed(const nst_color *c)
{
#ifdef HAVE_LCMS2
    return c->transform != NULL;
#else
    (void)c;
    return false;
#endif
}

nst_status nst_color_open(nst_color **out, const nst_samples *s, int width, const char *label, nst_error *e)
{
    nst_color *c = nst_calloc(1, sizeof *c);
    nst_status status = NST_OK;

    *out = NULL;
    if (!c)
        return nst_fail(e, NST_EMEM, "%s: out of memory", label);
    c->width = width;
    c->colors = s->colors;
    c->bits = s->bits;
    c->alpha = s->alpha;
    c->lab = s->lab;
    c->stride = s->colors + s->alpha;
#ifdef HAVE_LCMS2
    status = open_transform(c, s, label, e);
    if (status)
        goto fail;
#endif
    if (s->lab && !transformed(c)) {
        status = nst_fail(e, NST_EUNSUPPORTED, "%s: in CIE Lab, which needs lcms2, expected RGB or a build with it",
                          label);
        goto fail;
    }
    if (!transformed(c) && !s->icc && s->colors != 4 && s->gamma > 0 && !srgb_gamma(s->gamma)) {
        status = open_curve(c, s->gamma, label, e);
        if (status)
            goto fail;
    }
    *out = c;
    return NST_OK;

fail:
    nst_color_close(&c);
    return status;
}

void nst_color_close(nst_color **c)
{
    if (!*c)
        return;
#ifdef HAVE_LCMS2
    close_transform(*c);
#endif
    nst_free((*c)->curve);
    nst_free(*c);
    *c = NULL;
}

/* Sample k of every pixel, as v / max or by the curve. */
static void sample_row(const nst_color *c, const void *samples, int k, float *out)
{
    const uint8_t *s8 = (const uint8_t *)samples + k;
    const uint16_t *s16 = (const uint16_t *)samples + k;
    const float *curve = k < c->colors ? c->curve : NULL;
    size_t n = (size_t)c->width, step = (size_t)c->stride;

    if (curve)
        for (size_t x = 0; x < n; x++)
            out[x] = curve[c->bits == 8 ? s8[x * step] : s16[x * step]];
    else if (c->bits == 8)
        for (size_t x = 0; x < n; x++)
            out[x] = (float)s8[x * step] / 255.0f;
    else
        for (size_t x = 0; x < n; x++)
            out[x] = (float)s16[x * step] / 65535.0f;
}

/* Without a profile: light left by the ink, times light left by the black. */
static void ink_row(const nst_color *c, const void *samples, float *const rgba[4])
{
    float max = c->bits == 8 ? 255 : 65535;

    for (int x = 0; x < c->width; x++) {
        float ink[4];

        for (int k = 0; k < 4; k++) {
            size_t i = (size_t)x * (size_t)c->stride + (size_t)k;

            ink[k] = (c->bits == 8 ? ((const uint8_t *)samples)[i] : ((const uint16_t *)samples)[i]) / max;
        }
        for (int k = 0; k < 3; k++)
            rgba[k][x] = (1 - ink[k]) * (1 - ink[3]);
    }
}

void nst_color_row(nst_color *c, const void *samples, float *const rgba[4])
{
    size_t bytes = (size_t)c->width * sizeof(float);

    if (c->alpha)
        sample_row(c, samples, c->colors, rgba[3]);
#ifdef HAVE_LCMS2
    if (c->transform) {
        transform_row(c, samples, rgba);
        return;
    }
#endif
    if (c->colors == 4) {
        ink_row(c, samples, rgba);
        return;
    }
    for (int k = 0; k < c->colors; k++)
        sample_row(c, samples, k, rgba[k]);
    if (c->colors == 1) {
        memcpy(rgba[1], rgba[0], bytes);
        memcpy(rgba[2], rgba[0], bytes);
    }
}
