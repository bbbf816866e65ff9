/* scale.c: pictures between libav's frames and nst's, by libswscale, which only this file knows.  Colours stay as they
 * are coded: the matrix and the range of the film's luma and chroma are undone and made again; its primaries are
 * neither converted nor forgotten. */
#include "cli/video/scale.h"

#include <libswscale/swscale.h>

#include "cli/fail.h"
#include "cli/video/av.h"

#define SYMBOLS(X)                                                                                                   \
    X(sws_freeContext) X(sws_getCachedContext) X(sws_getCoefficients) X(sws_scale) X(sws_setColorspaceDetails)
NST_LAZY(SWSCALE, SYMBOLS)

#define FLAGS (SWS_LANCZOS | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP)
#define HD 720 /* rows from which on an unnamed matrix is BT.709's */

nst_status nst_scaler_load(nst_error *e)
{
    return load(e);
}

void nst_scaler_close(nst_scaler *s)
{
    if (s->context)
        lib.sws_freeContext(s->context);
    if (s->rgb)
        nst_av.av_frame_free(&s->rgb);
    *s = (nst_scaler){ 0 };
}

/* The old names of formats with full range. */
static enum AVPixelFormat plain_format(enum AVPixelFormat format, int *full)
{
    switch (format) {
    case AV_PIX_FMT_YUVJ420P:
        *full = 1;
        return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ422P:
        *full = 1;
        return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ444P:
        *full = 1;
        return AV_PIX_FMT_YUV444P;
    case AV_PIX_FMT_YUVJ440P:
        *full = 1;
        return AV_PIX_FMT_YUV440P;
    default:
        return format;
    }
}

static const int *matrix(const AVFrame *frame)
{
    int kind = frame->colorspace;

    if (kind == AVCOL_SPC_UNSPECIFIED || kind == AVCOL_SPC_RGB || kind == AVCOL_SPC_RESERVED)
        kind = frame->height >= HD ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
    return lib.sws_getCoefficients(kind);
}

bool nst_scaler_is_yuv(int format)
{
    const AVPixFmtDescriptor *d = nst_av.av_pix_fmt_desc_get(format);

    return d && !(d->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL)) && d->nb_components >= 3;
}

/* A buffer of bytes R G B A. */
static nst_status make_rgb(nst_scaler *s, int width, int height, const char *label, nst_error *e)
{
    if (s->rgb && s->rgb->width == width && s->rgb->height == height)
        return NST_OK;
    nst_av.av_frame_free(&s->rgb);
    s->rgb = nst_av.av_frame_alloc();
    if (s->rgb) {
        s->rgb->format = AV_PIX_FMT_RGBA;
        s->rgb->width = width;
        s->rgb->height = height;
        if (nst_av.av_frame_get_buffer(s->rgb, 0) == 0)
            return NST_OK;
    }
    nst_av.av_frame_free(&s->rgb);
    return fail(e, NST_EMEM, "%s: out of memory for a picture of %d x %d pixels", label, width, height);
}

static nst_status convert(nst_scaler *s, const AVFrame *from, AVFrame *to, const char *label, nst_error *e)
{
    int from_full = from->color_range == AVCOL_RANGE_JPEG, to_full = to->color_range == AVCOL_RANGE_JPEG;
    enum AVPixelFormat from_format = plain_format(from->format, &from_full);
    enum AVPixelFormat to_format = plain_format(to->format, &to_full);
    const int *coefficients = matrix(nst_scaler_is_yuv(from_format) ? from : to);

    if (!nst_scaler_is_yuv(from_format))
        from_full = 1;
    if (!nst_scaler_is_yuv(to_format))
        to_full = 1;
    s->context = lib.sws_getCachedContext(s->context, from->width, from->height, from_format, to->width, to->height,
                                          to_format, FLAGS, NULL, NULL, NULL);
    if (!s->context)
        return fail(e, NST_EUNSUPPORTED, "%s: libswscale does not convert its pixels", label);
    lib.sws_setColorspaceDetails(s->context, coefficients, from_full, coefficients, to_full, 0, 1 << 16, 1 << 16);
    if (lib.sws_scale(s->context, (const uint8_t *const *)from->data, from->linesize, 0, from->height, to->data,
                      to->linesize) < to->height)
        return fail(e, NST_EFORMAT, "%s: a picture of %d x %d pixels cannot be converted", label, from->width,
                    from->height);
    return NST_OK;
}

/* Where pixel (x, y) of a picture [h][w] lies in one that is turned to the right by so many quarters. */
static size_t turned(int x, int y, int w, int h, int turn)
{
    switch (turn) {
    case 1:
        return (size_t)x * (size_t)h + (size_t)(h - 1 - y);
    case 2:
        return (size_t)(h - 1 - y) * (size_t)w + (size_t)(w - 1 - x);
    case 3:
        return (size_t)(w - 1 - x) * (size_t)h + (size_t)y;
    default:
        return (size_t)y * (size_t)w + (size_t)x;
    }
}

static void unpack(const AVFrame *rgb, int turn, nst_image *out)
{
    for (int c = 0; c < 3; c++) {
        float *plane = nst_image_plane(out, c);

        for (int y = 0; y < rgb->height; y++) {
            const uint8_t *row = rgb->data[0] + (ptrdiff_t)y * rgb->linesize[0];

            for (int x = 0; x < rgb->width; x++) {
                int alpha = row[4 * x + 3], value = row[4 * x + c] * alpha + 255 * (255 - alpha);

                plane[turned(x, y, rgb->width, rgb->height, turn)] = (float)value / (255 * 255);
            }
        }
    }
}

nst_status nst_scaler_picture(nst_scaler *s, const AVFrame *frame, int width, int height, int turn, nst_image **out,
                              const char *label, nst_error *e)
{
    bool lying = turn % 2 != 0;
    nst_status status = make_rgb(s, lying ? height : width, lying ? width : height, label, e);

    *out = NULL;
    if (!status)
        status = convert(s, frame, s->rgb, label, e);
    if (!status)
        status = nst_image_create(out, width, height, 3, e);
    if (!status)
        unpack(s->rgb, turn, *out);
    return status;
}

static void pack(nst_image *picture, AVFrame *rgb)
{
    for (int c = 0; c < 4; c++) {
        const float *plane = nst_image_plane(picture, c); /* NULL: it has no alpha */

        for (int y = 0; y < rgb->height; y++) {
            uint8_t *row = rgb->data[0] + (ptrdiff_t)y * rgb->linesize[0];

            for (int x = 0; x < rgb->width; x++) {
                float v = plane ? plane[(size_t)y * (size_t)rgb->width + (size_t)x] : 1;

                row[4 * x + c] = (uint8_t)nst_scaler_byte(v);
            }
        }
    }
}

nst_status nst_scaler_frame(nst_scaler *s, nst_image *picture, AVFrame *frame, const char *label, nst_error *e)
{
    nst_status status = make_rgb(s, frame->width, frame->height, label, e);

    if (status)
        return status;
    pack(picture, s->rgb);
    return convert(s, s->rgb, frame, label, e);
}

nst_status nst_scaler_resize(nst_image **picture, int width, int height, const char *label, nst_error *e)
{
    nst_scaler from = { 0 }, to = { 0 };
    nst_image *resized = NULL;
    nst_status s = make_rgb(&from, nst_image_width(*picture), nst_image_height(*picture), label, e);

    if (!s) {
        pack(*picture, from.rgb);
        s = nst_scaler_picture(&to, from.rgb, width, height, 0, &resized, label, e);
    }
    if (!s) {
        nst_image_destroy(picture);
        *picture = resized;
    }
    nst_scaler_close(&from);
    nst_scaler_close(&to);
    return s;
}
