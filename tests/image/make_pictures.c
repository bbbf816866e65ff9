/* make_pictures.c: writes tests/data/pictures by libheif's and libjxl's own encoders; not part of the build.  Each
 * holds the picture that smooth_image(24, 16, 3 or 4) of picture.h is.  libheif 1.15 wrote them.
 * Of turned.heic it told the size as it is after the turn, which libheif 1.23 refuses to read, so 1.23 wrote that one.
 * In tests/data/pictures:
 *
 *     gcc -o make ../../image/make_pictures.c $(pkg-config --cflags --libs libheif libjxl) -lm && ./make && rm make */
#include <jxl/encode.h>
#include <libheif/heif.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { W = 24, H = 16 };

static int value(int c, int x, int y, int bits)
{
    return (int)lrint((0.5 + 0.4 * sin(0.1 * (c + 1) * x + 0.07 * (3 - c) * y + c)) * ((1 << bits) - 1));
}

static void need(int good, const char *what)
{
    if (!good) {
        fprintf(stderr, "make_pictures: %s\n", what);
        exit(1);
    }
}

/* turned: by 90 degrees, as a telephone is held. */
static void heif(const char *name, enum heif_compression_format kind, int bits, int alpha, int turned, int primaries,
                 int curve)
{
    static const enum heif_chroma chroma[2][2] = {
        { heif_chroma_interleaved_RGB, heif_chroma_interleaved_RGBA },
        { heif_chroma_interleaved_RRGGBB_LE, heif_chroma_interleaved_RRGGBBAA_LE },
    };
    struct heif_context *context = heif_context_alloc();
    struct heif_encoder *encoder;
    struct heif_encoding_options *o = heif_encoding_options_alloc();
    struct heif_color_profile_nclx nclx = { .version = 1, .color_primaries = primaries,
        .transfer_characteristics = curve, .matrix_coefficients = 6, .full_range_flag = 1 };
    struct heif_image *image;
    struct heif_image_handle *handle;
    struct heif_error e;
    int stride, wide = bits > 8, each = 3 + alpha;
    unsigned char *p;

    heif_image_create(W, H, heif_colorspace_RGB, chroma[wide][alpha], &image);
    heif_image_add_plane(image, heif_channel_interleaved, W, H, bits);
    p = heif_image_get_plane(image, heif_channel_interleaved, &stride);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int c = 0; c < each; c++) {
                int v = value(c, x, y, bits);

                if (wide)
                    memcpy(p + y * stride + 2 * (x * each + c), (unsigned char[]){ v & 255, v >> 8 }, 2);
                else
                    p[y * stride + x * each + c] = (unsigned char)v;
            }
    heif_image_set_nclx_color_profile(image, &nclx);
    need(heif_context_get_encoder_for_format(context, kind, &encoder).code == 0, "there is no such encoder");
    heif_encoder_set_lossy_quality(encoder, 100);
    heif_encoder_set_parameter(encoder, "chroma", "444");
    o->output_nclx_profile = &nclx;
    o->macOS_compatibility_workaround_no_nclx_profile = 0;
    o->image_orientation = turned ? heif_orientation_rotate_90_cw : heif_orientation_normal;
    e = heif_context_encode_image(context, image, encoder, o, &handle);
    need(e.code == 0, e.message);
    need(heif_context_write_to_file(context, name).code == 0, "cannot write");
    heif_context_free(context);
}

/* distance 0: without loss. */
static void jxl(const char *name, int bits, int colors, int alpha, float distance, int frames, JxlOrientation turned)
{
    static unsigned char file[1 << 16], pixels[W * H * 8];
    JxlEncoder *encoder = JxlEncoderCreate(NULL);
    JxlEncoderFrameSettings *settings = JxlEncoderFrameSettingsCreate(encoder, NULL);
    JxlPixelFormat format = { (unsigned)(colors + alpha), bits == 8 ? JXL_TYPE_UINT8 : JXL_TYPE_UINT16,
                              JXL_LITTLE_ENDIAN, 0 };
    JxlBasicInfo info;
    JxlColorEncoding color;
    unsigned char *next = file;
    size_t left = sizeof file, n = 0;
    FILE *f;

    JxlEncoderInitBasicInfo(&info);
    info.xsize = W;
    info.ysize = H;
    info.bits_per_sample = (unsigned)bits;
    info.num_color_channels = (unsigned)colors;
    info.num_extra_channels = (unsigned)alpha;
    info.alpha_bits = alpha ? (unsigned)bits : 0;
    info.uses_original_profile = distance == 0;
    info.orientation = turned;
    if (frames > 1) {
        info.have_animation = JXL_TRUE;
        info.animation.tps_numerator = 10;
        info.animation.tps_denominator = 1;
    }
    need(JxlEncoderSetBasicInfo(encoder, &info) == JXL_ENC_SUCCESS, "basic info");
    JxlColorEncodingSetToSRGB(&color, colors == 1);
    JxlEncoderSetColorEncoding(encoder, &color);
    JxlEncoderSetFrameDistance(settings, distance);
    JxlEncoderSetFrameLossless(settings, distance == 0);
    for (int frame = 0; frame < frames; frame++) {
        JxlFrameHeader header;

        n = 0;
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                for (int c = 0; c < colors + alpha; c++) {
                    int v = value(c < colors ? c : 3, x, y, bits);

                    v = frame ? (1 << bits) - 1 - v : v;
                    pixels[n++] = (unsigned char)v;
                    if (bits > 8)
                        pixels[n++] = (unsigned char)(v >> 8);
                }
        if (frames > 1) {
            JxlEncoderInitFrameHeader(&header);
            header.duration = 1;
            JxlEncoderSetFrameHeader(settings, &header);
        }
        need(JxlEncoderAddImageFrame(settings, &format, pixels, n) == JXL_ENC_SUCCESS, "frame");
    }
    JxlEncoderCloseInput(encoder);
    need(JxlEncoderProcessOutput(encoder, &next, &left) == JXL_ENC_SUCCESS, "output");
    f = fopen(name, "wb");
    need(f && fwrite(file, 1, (size_t)(next - file), f) == (size_t)(next - file), "cannot write");
    fclose(f);
    JxlEncoderDestroy(encoder);
}

int main(void)
{
    heif("plain.heic", heif_compression_HEVC, 8, 0, 0, 1, 13);
    heif("alpha.heic", heif_compression_HEVC, 8, 1, 0, 1, 13);
    heif("turned.heic", heif_compression_HEVC, 8, 0, 1, 1, 13);
    heif("ten.heic", heif_compression_HEVC, 10, 0, 0, 1, 13);
    heif("p3.heic", heif_compression_HEVC, 8, 0, 0, 12, 13);
    heif("pq.heic", heif_compression_HEVC, 10, 0, 0, 9, 16);
    heif("plain.avif", heif_compression_AV1, 8, 0, 0, 1, 13);
    heif("alpha.avif", heif_compression_AV1, 8, 1, 0, 1, 13);
    heif("twelve.avif", heif_compression_AV1, 12, 0, 0, 1, 13);
    /* animated.avif is by Pillow 13, since libheif 1.15 writes no animations: plain.avif, and the same turned by 180
     * degrees (quality 100, 4:4:4). */
    jxl("plain.jxl", 8, 3, 0, 0, 1, JXL_ORIENT_IDENTITY);
    jxl("alpha16.jxl", 16, 3, 1, 0, 1, JXL_ORIENT_IDENTITY);
    jxl("grey.jxl", 8, 1, 0, 0, 1, JXL_ORIENT_IDENTITY);
    jxl("lossy.jxl", 8, 3, 0, 0.1f, 1, JXL_ORIENT_IDENTITY);
    jxl("animated.jxl", 8, 3, 0, 0, 2, JXL_ORIENT_IDENTITY);
    jxl("turned.jxl", 8, 3, 0, 0, 1, JXL_ORIENT_ROTATE_90_CW);
    return 0;
}
