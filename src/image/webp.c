/* webp.c: WebP files in and out; the only file that knows libwebp. */
#include "image/format.h"

#include <errno.h>
#include <string.h>

#ifdef HAVE_WEBP
#include <webp/decode.h>
#include <webp/demux.h>
#include <webp/encode.h>

#define BYTES_MAX 0x7fffffffLL /* of a file, which is held in memory */

/* ---- reading ------------------------------------------------------------------ */

static nst_status load(uint8_t **data, size_t *bytes, FILE *f, const char *label, nst_error *e)
{
    long long n = nst_file_bytes(f);

    if (n < 0 || n > BYTES_MAX)
        return nst_fail(e, NST_EFORMAT, "%s: %lld bytes are too many for a WebP file", label, n);
    *bytes = (size_t)n;
    if (!(*data = nst_alloc(*bytes)))
        return nst_fail(e, NST_EMEM, "%s: out of memory for a file of %zu bytes", label, *bytes);
    if (fread(*data, 1, *bytes, f) < *bytes)
        return ferror(f) ? nst_fail(e, NST_EIO, "%s: cannot read: %s", label, strerror(errno))
                         : nst_fail(e, NST_EFORMAT, "%s: truncated, expected a whole WebP file", label);
    return NST_OK;
}

static nst_status blame(VP8StatusCode code, const char *label, nst_error *e)
{
    switch (code) {
    case VP8_STATUS_OUT_OF_MEMORY:
        return nst_fail(e, NST_EMEM, "%s: out of memory", label);
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
        return nst_fail(e, NST_EFORMAT, "%s: truncated, expected a whole WebP file", label);
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        return nst_fail(e, NST_EUNSUPPORTED, "%s: a kind of WebP that libwebp does not know", label);
    default:
        return nst_fail(e, NST_EFORMAT, "%s: damaged WebP file", label);
    }
}

/* All samples at once: libwebp keeps a whole picture while it decodes. */
static nst_status decode(const uint8_t *data, size_t bytes, uint8_t **samples, WebPBitstreamFeatures *info,
                         const char *label, nst_error *e)
{
    WebPDecoderConfig config;
    VP8StatusCode code;
    size_t stride, all;
    nst_status s;

    if (!WebPInitDecoderConfig(&config))
        return nst_fail(e, NST_EUNSUPPORTED, "%s: libwebp is another version than this build's", label);
    if ((code = WebPGetFeatures(data, bytes, info)) != VP8_STATUS_OK)
        return blame(code, label, e);
    if (info->has_animation)
        return nst_fail(e, NST_EUNSUPPORTED, "%s: an animation, expected a single picture", label);
    if ((s = nst_image_check((size_t)info->width, (size_t)info->height, label, e)))
        return s;
    /* lossy: the modes of 16x16 pixels take more than a bit (RFC 6386, 11.2); without loss one colour takes nothing */
    if (info->format == 1 && (size_t)info->width * (size_t)info->height / 2048 > bytes)
        return nst_fail(e, NST_EFORMAT, "%s: truncated, %zu bytes cannot hold %d x %d pixels", label, bytes,
                        info->width,
                        info->height);
    stride = (size_t)info->width * (info->has_alpha ? 4 : 3);
    all = stride * (size_t)info->height;
    if (!nst_memory_fits(2 * all) || !(*samples = nst_alloc(all)))
        return nst_fail(e, NST_EMEM, "%s: out of memory for %d x %d pixels, which WebP needs all at once", label,
                        info->width, info->height);
    config.output.colorspace = info->has_alpha ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = *samples;
    config.output.u.RGBA.stride = (int)stride;
    config.output.u.RGBA.size = all;
    code = WebPDecode(data, bytes, &config);
    WebPFreeDecBuffer(&config.output);
    return code == VP8_STATUS_OK ? NST_OK : blame(code, label, e);
}

/* What the file says beside its pixels; the profile points into d's data. */
static nst_status read_extras(WebPDemuxer *d, nst_samples *kind, int *orientation, const char *label, nst_error *e)
{
    WebPChunkIterator chunk;

    if (d && WebPDemuxGetChunk(d, "ICCP", 1, &chunk)) {
        kind->icc = chunk.chunk.bytes;
        kind->icc_bytes = chunk.chunk.size;
        WebPDemuxReleaseChunkIterator(&chunk);
    }
    if (d && WebPDemuxGetChunk(d, "EXIF", 1, &chunk)) {
        *orientation = nst_exif_orientation(chunk.chunk.bytes, chunk.chunk.size);
        WebPDemuxReleaseChunkIterator(&chunk);
    }
    return *orientation < 0 ? nst_fail(e, NST_EMEM, "%s: out of memory", label) : NST_OK;
}

static nst_status read_webp(nst_image **out, FILE *f, const nst_fit *fit, const char *label, nst_error *e)
{
    uint8_t *data = NULL, *samples = NULL;
    WebPBitstreamFeatures info;
    WebPDemuxer *demuxer = NULL;
    nst_samples kind = { .colors = 3, .bits = 8 };
    nst_color *color = NULL;
    nst_rows *rows = NULL;
    int orientation = 1;
    size_t bytes = 0;
    nst_status s;

    *out = NULL;
    if ((s = load(&data, &bytes, f, label, e)) || (s = decode(data, bytes, &samples, &info, label, e)))
        goto end;
    demuxer = WebPDemux(&(WebPData){ data, bytes });
    kind.alpha = info.has_alpha;
    if ((s = read_extras(demuxer, &kind, &orientation, label, e))
        || (s = nst_color_open(&color, &kind, info.width, label, e))
        || (s = nst_rows_open(&rows, info.width, info.height, kind.alpha ? 4 : 3, fit, label, e)))
        goto end;
    for (int y = 0; y < info.height; y++) {
        nst_color_row(color, samples + (size_t)y * (size_t)info.width * (kind.alpha ? 4 : 3), nst_rows_next(rows));
        nst_rows_put(rows);
    }
    s = nst_rows_finish(&rows, orientation, out, label, e);

end:
    WebPDemuxDelete(demuxer);
    nst_color_close(&color);
    nst_rows_close(&rows);
    nst_free(samples);
    nst_free(data);
    return s;
}

/* ---- writing ------------------------------------------------------------------ */

static int put_bytes(const uint8_t *data, size_t bytes, const WebPPicture *p)
{
    return fwrite(data, 1, bytes, p->custom_ptr) == bytes;
}

static void fill(WebPPicture *p, const nst_image *in)
{
    for (int y = 0; y < in->height; y++)
        for (int x = 0; x < in->width; x++) {
            size_t at = (size_t)y * (size_t)in->width + (size_t)x;
            uint32_t v = in->channels == 4 ? nst_image_quantise(in->plane[3][at], 255) : 255;

            for (int c = 0; c < 3; c++)
                v = v << 8 | nst_image_quantise(in->plane[c][at], 255);
            p->argb[(size_t)y * (size_t)p->argb_stride + (size_t)x] = v;
        }
}

static nst_status write_webp(const nst_image *image, FILE *f, const char *label, const nst_write_options *o,
                             nst_error *e)
{
    WebPConfig config;
    WebPPicture p;
    nst_status s = NST_OK;

    if (image->width > WEBP_MAX_DIMENSION || image->height > WEBP_MAX_DIMENSION)
        return nst_fail(e, NST_EUNSUPPORTED, "%s: %d x %d pixels, but WebP's sides end at %d", label, image->width,
                        image->height, WEBP_MAX_DIMENSION);
    if (!WebPConfigInit(&config) || !WebPPictureInit(&p))
        return nst_fail(e, NST_EUNSUPPORTED, "%s: libwebp is another version than this build's", label);
    config.lossless = !o->jpeg_quality;
    config.exact = 1; /* colours that are transparent stay */
    config.quality = o->jpeg_quality ? (float)o->jpeg_quality : 75; /* of lossless: the effort */
    config.use_sharp_yuv = 1;
    p.use_argb = 1;
    p.width = image->width;
    p.height = image->height;
    p.writer = put_bytes;
    p.custom_ptr = f;
    if (!WebPPictureAlloc(&p)) {
        s = nst_fail(e, NST_EMEM, "%s: out of memory for %d x %d pixels", label, image->width, image->height);
    } else {
        fill(&p, image);
        if (!WebPEncode(&config, &p)) {
            if (p.error_code == VP8_ENC_ERROR_BAD_WRITE)
                s = nst_fail(e, NST_EIO, "%s: cannot write: %s", label, strerror(errno));
            else if (p.error_code == VP8_ENC_ERROR_OUT_OF_MEMORY ||
                     p.error_code == VP8_ENC_ERROR_BITSTREAM_OUT_OF_MEMORY)
                s = nst_fail(e, NST_EMEM, "%s: out of memory", label);
            else
                s = nst_fail(e, NST_EIO, "%s: libwebp cannot encode it, fault %d", label, p.error_code);
        }
    }
    WebPPictureFree(&p);
    return s;
}
#endif

static bool is_webp(const uint8_t *head, size_t bytes)
{
    return bytes >= 12 && !memcmp(head, "RIFF", 4) && !memcmp(head + 8, "WEBP", 4);
}

const nst_codec nst_codec_webp = {
    .format = { "webp", "WebP", ".webp", .bits = 8, .quality = 1,
#ifdef HAVE_WEBP
                .built = 1 }, .read = read_webp, .write = write_webp,
#else
                .built = 0 },
#endif
    .is = is_webp,
};
