/* jxl.c: JPEG XL pictures in; the only file that knows libjxl, which is loaded when it is first used. */
#include "image/format.h"

#include <string.h>

#ifdef HAVE_JXL
#include <jxl/decode.h>

#include "base/lazy.h"

#define SYMBOLS(X)                                                                                                   \
    X(JxlDecoderCloseInput)                                                                                          \
    X(JxlDecoderCreate)                                                                                              \
    X(JxlDecoderDestroy)                                                                                             \
    X(JxlDecoderGetBasicInfo)                                                                                        \
    X(JxlDecoderGetColorAsEncodedProfile)                                                                            \
    X(JxlDecoderGetColorAsICCProfile)                                                                                \
    X(JxlDecoderGetExtraChannelInfo)                                                                                 \
    X(JxlDecoderGetICCProfileSize)                                                                                   \
    X(JxlDecoderImageOutBufferSize)                                                                                  \
    X(JxlDecoderProcessInput)                                                                                        \
    X(JxlDecoderSetImageOutBuffer)                                                                                   \
    X(JxlDecoderSetInput)                                                                                            \
    X(JxlDecoderSetPreferredColorProfile)                                                                            \
    X(JxlDecoderSubscribeEvents)
NST_LAZY(JXL, SYMBOLS)

/* Up to 0.8 the functions that tell of colours had one more argument. */
#if JPEGXL_NUMERIC_VERSION < JPEGXL_COMPUTE_NUMERIC_VERSION(0, 9, 0)
#define NO_FORMAT NULL,
#else
#define NO_FORMAT
#endif

#define PIXEL_BYTES 64 /* that libjxl needs for a pixel while it decodes, beside the samples: four planes and more */

struct job {
    const char *label;
    nst_error *e;
    JxlDecoder *decoder;
    JxlBasicInfo info;
    JxlPixelFormat format;
    nst_decoded decoded;
    uint8_t *file, *icc, *samples;
    size_t bytes; /* of file */
    nst_rows *rows;
};

/* Sizes, before anything of that size is taken. */
static nst_status take_info(struct job *j, const nst_fit *fit)
{
    JxlExtraChannelInfo extra;
    nst_samples *kind = &j->decoded.kind;
    size_t pixels;
    nst_status s;

    if (lib.JxlDecoderGetBasicInfo(j->decoder, &j->info) != JXL_DEC_SUCCESS)
        return nst_fail(j->e, NST_EFORMAT, "%s: damaged JPEG XL file", j->label);
    s = nst_image_check(j->info.xsize, j->info.ysize, j->label, j->e);
    if (!s)
        s = nst_pixels_check((long long)j->bytes, (int)j->info.xsize, (int)j->info.ysize, j->label, j->e);
    if (s)
        return s;
    for (size_t i = 0; i < j->info.num_extra_channels; i++)
        if (lib.JxlDecoderGetExtraChannelInfo(j->decoder, i, &extra) == JXL_DEC_SUCCESS &&
            extra.type == JXL_CHANNEL_BLACK)
            return nst_fail(j->e, NST_EUNSUPPORTED, "%s: a JPEG XL in CMYK, which is not read, expected RGB or grey",
                            j->label);
    kind->colors = j->info.num_color_channels == 1 ? 1 : 3;
    kind->alpha = j->info.alpha_bits > 0;
    kind->bits = j->info.bits_per_sample > 8 ? 16 : 8;
    j->format = (JxlPixelFormat){ .num_channels = (uint32_t)(kind->colors + kind->alpha),
                                  .data_type = kind->bits == 8 ? JXL_TYPE_UINT8 : JXL_TYPE_UINT16,
                                  .endianness = JXL_NATIVE_ENDIAN };
    j->decoded.width = (int)j->info.xsize;
    j->decoded.height = (int)j->info.ysize;
    j->decoded.stride = (size_t)j->info.xsize * j->format.num_channels * (size_t)kind->bits / 8;
    pixels = (size_t)j->info.xsize * j->info.ysize;
    s = nst_rows_open(&j->rows, j->decoded.width, j->decoded.height, 3 + kind->alpha, fit, j->label, j->e);
    if (s)
        return s;
    if (!nst_memory_fits(pixels * PIXEL_BYTES))
        return nst_fail(j->e, NST_EMEM, "%s: out of memory for %d x %d pixels, which are needed all at once", j->label,
                        j->decoded.width, j->decoded.height);
    return NST_OK;
}

/* The profile of what will come; what libjxl converts anyhow, it converts to sRGB. */
static nst_status take_colors(struct job *j)
{
    JxlColorEncoding encoding = { .color_space = j->decoded.kind.colors == 1 ? JXL_COLOR_SPACE_GRAY
                                                                             : JXL_COLOR_SPACE_RGB,
                                  .white_point = JXL_WHITE_POINT_D65, .primaries = JXL_PRIMARIES_SRGB,
                                  .transfer_function = JXL_TRANSFER_FUNCTION_SRGB,
                                  .rendering_intent = JXL_RENDERING_INTENT_RELATIVE }, original;
    JxlColorProfileTarget target = JXL_COLOR_PROFILE_TARGET_DATA;
    size_t n = 0;
    nst_status s;

    if (lib.JxlDecoderGetColorAsEncodedProfile(j->decoder, NO_FORMAT JXL_COLOR_PROFILE_TARGET_ORIGINAL, &original)
            == JXL_DEC_SUCCESS) {
        s = nst_cicp_check((int)original.transfer_function, j->label, j->e);
        if (s)
            return s;
    }
    if (!j->info.uses_original_profile)
        lib.JxlDecoderSetPreferredColorProfile(j->decoder, &encoding);
    if (lib.JxlDecoderGetICCProfileSize(j->decoder, NO_FORMAT target, &n) != JXL_DEC_SUCCESS || !n ||
        n > NST_PROFILE_MAX)
        return NST_OK;
    j->icc = nst_alloc(n);
    if (!j->icc)
        return nst_fail(j->e, NST_EMEM, "%s: out of memory for its colour profile", j->label);
    if (lib.JxlDecoderGetColorAsICCProfile(j->decoder, NO_FORMAT target, j->icc, n) == JXL_DEC_SUCCESS) {
        j->decoded.kind.icc = j->icc;
        j->decoded.kind.icc_bytes = n;
    }
    return NST_OK;
}

static nst_status give_room(struct job *j)
{
    size_t n = 0, all = j->decoded.stride * (size_t)j->decoded.height;

    if (!j->rows || lib.JxlDecoderImageOutBufferSize(j->decoder, &j->format, &n) != JXL_DEC_SUCCESS || n != all)
        return nst_fail(j->e, NST_EFORMAT, "%s: damaged JPEG XL file", j->label);
    if (!j->samples)
        j->samples = nst_alloc(n);
    if (!j->samples)
        return nst_fail(j->e, NST_EMEM, "%s: out of memory for %d x %d pixels", j->label, j->decoded.width,
                        j->decoded.height);
    j->decoded.samples = j->samples;
    lib.JxlDecoderSetImageOutBuffer(j->decoder, &j->format, j->samples, n);
    return NST_OK;
}

/* Up to the end of the first picture. */
static nst_status decode(struct job *j, const nst_fit *fit)
{
    nst_status s = NST_OK;

    while (!s)
        switch (lib.JxlDecoderProcessInput(j->decoder)) {
        case JXL_DEC_BASIC_INFO:
            s = take_info(j, fit);
            break;
        case JXL_DEC_COLOR_ENCODING:
            s = take_colors(j);
            break;
        case JXL_DEC_NEED_IMAGE_OUT_BUFFER:
            s = give_room(j);
            break;
        case JXL_DEC_FULL_IMAGE:
            return NST_OK;
        case JXL_DEC_NEED_MORE_INPUT:
            s = nst_fail(j->e, NST_EFORMAT, "%s: truncated, expected a whole JPEG XL file", j->label);
            break;
        default:
            s = nst_fail(j->e, NST_EFORMAT, "%s: damaged JPEG XL file", j->label);
        }
    return s;
}

static nst_status read_all(struct job *j, FILE *f, const nst_fit *fit, nst_image **out)
{
    nst_status s = load(j->e);

    if (!s)
        s = nst_load_file(&j->file, &j->bytes, f, "JPEG XL", j->label, j->e);
    if (s)
        return s;
    j->decoder = lib.JxlDecoderCreate(NULL);
    if (!j->decoder ||
        lib.JxlDecoderSubscribeEvents(j->decoder, JXL_DEC_BASIC_INFO | JXL_DEC_COLOR_ENCODING | JXL_DEC_FULL_IMAGE)
               != JXL_DEC_SUCCESS)
        return nst_fail(j->e, NST_EMEM, "%s: out of memory", j->label);
    lib.JxlDecoderSetInput(j->decoder, j->file, j->bytes);
    lib.JxlDecoderCloseInput(j->decoder);
    s = decode(j, fit);
    if (s)
        return s;
    if (j->decoded.kind.alpha && j->info.alpha_premultiplied)
        nst_decoded_unmultiply(j->samples, j->decoded.stride, &j->decoded.kind, j->decoded.width, j->decoded.height);
    s = nst_decoded_rows(&j->rows, &j->decoded, out, j->label, j->e);
    if (s)
        return s;
    if (j->info.have_animation)
        nst_note_animation(*out, j->label);
    return NST_OK;
}

static nst_status read_jxl(nst_image **out, FILE *f, const nst_fit *fit, const char *label, nst_error *e)
{
    struct job j = { .label = label, .e = e, .decoded.orientation = 1 }; /* libjxl turns it upright */
    nst_status s;

    *out = NULL;
    s = read_all(&j, f, fit, out);
    if (j.decoder)
        lib.JxlDecoderDestroy(j.decoder);
    nst_rows_close(&j.rows);
    nst_free(j.icc);
    nst_free(j.samples);
    nst_free(j.file);
    return s;
}
#endif

/* A bare stream, or one in boxes. */
static bool is_jxl(const uint8_t *head, size_t bytes)
{
    return (bytes >= 2 && !memcmp(head, "\xff\x0a", 2)) ||
        (bytes >= 12 && !memcmp(head, "\0\0\0\x0cJXL \r\n\x87\n", 12));
}

const nst_codec nst_codec_jxl = {
    .is = is_jxl,
#ifdef HAVE_JXL
    .format = { "jxl", "JPEG XL", ".jxl", .bits = 16, .reads = 1 },
    .read = read_jxl,
#else
    .format = { "jxl", "JPEG XL", ".jxl", .bits = 16 },
#endif
};
