/* webp.c: WebP files in and out; the only file that knows libwebp. */
#include "image/format.h"

#include <errno.h>
#include <string.h>

#ifdef HAVE_WEBP
#include <webp/decode.h>
#include <webp/demux.h>
#include <webp/encode.h>

/* ---- reading ------------------------------------------------------------------ */

struct job {
    const char *label;
    nst_error *e;
    uint8_t *data;             /* the file */
    size_t bytes;
    WebPDemuxer *demuxer;
    WebPData frame;            /* the bits of the picture, or of an animation's first */
    int left, top, w, h;       /* where it lies, and its size */
    int there;                 /* rows of it that were decoded */
    bool animated;
    uint8_t *samples;          /* of the whole picture */
    nst_decoded decoded;
    nst_rows *rows;
};

static nst_status blame(const struct job *j, VP8StatusCode code)
{
    switch (code) {
    case VP8_STATUS_OUT_OF_MEMORY:
        return nst_fail(j->e, NST_EMEM, "%s: out of memory", j->label);
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
        if (j->there)
            return nst_fail(j->e, NST_EFORMAT, "%s: truncated after %d of %d rows", j->label, j->there, j->h);
        return nst_fail(j->e, NST_EFORMAT, "%s: truncated, expected a whole WebP file", j->label);
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        return nst_fail(j->e, NST_EUNSUPPORTED, "%s: a kind of WebP that libwebp does not know", j->label);
    default:
        return nst_fail(j->e, NST_EFORMAT, "%s: damaged WebP file", j->label);
    }
}

/* The file's only picture. */
static nst_status find_only(struct job *j, const WebPBitstreamFeatures *info)
{
    j->frame = (WebPData){ j->data, j->bytes };
    j->w = j->decoded.width = info->width;
    j->h = j->decoded.height = info->height;
    j->decoded.kind.alpha = info->has_alpha;
    return NST_OK;
}

/* An animation's first picture, which may be smaller than the animation. */
static nst_status find_first(struct job *j)
{
    WebPIterator first;

    if (!j->demuxer || !WebPDemuxGetFrame(j->demuxer, 1, &first))
        return blame(j, VP8_STATUS_NOT_ENOUGH_DATA);
    j->animated = true;
    j->frame = first.fragment;
    j->left = first.x_offset;
    j->top = first.y_offset;
    j->w = first.width;
    j->h = first.height;
    j->decoded.width = (int)WebPDemuxGetI(j->demuxer, WEBP_FF_CANVAS_WIDTH);
    j->decoded.height = (int)WebPDemuxGetI(j->demuxer, WEBP_FF_CANVAS_HEIGHT);
    j->decoded.kind.alpha = first.has_alpha || j->w != j->decoded.width || j->h != j->decoded.height;
    WebPDemuxReleaseIterator(&first);
    if (j->w < 1 || j->h < 1 || j->left < 0 || j->top < 0 || j->left + j->w > j->decoded.width ||
        j->top + j->h > j->decoded.height)
        return blame(j, VP8_STATUS_BITSTREAM_ERROR);
    return NST_OK;
}

/* Which picture, and whether its size can be true. */
static nst_status find(struct job *j)
{
    WebPDemuxState state;
    WebPBitstreamFeatures info;
    VP8StatusCode code = WebPGetFeatures(j->data, j->bytes, &info);
    nst_status s;

    if (code != VP8_STATUS_OK)
        return blame(j, code);
    j->demuxer = WebPDemuxPartial(&(WebPData){ j->data, j->bytes }, &state);
    s = info.has_animation ? find_first(j) : find_only(j, &info);
    if (!s)
        s = nst_image_check((size_t)j->decoded.width, (size_t)j->decoded.height, j->label, j->e);
    if (s)
        return s;
    code = WebPGetFeatures(j->frame.bytes, j->frame.size, &info);
    if (code != VP8_STATUS_OK)
        return blame(j, code);
    if (info.width != j->w || info.height != j->h)
        return blame(j, VP8_STATUS_BITSTREAM_ERROR);
    /* lossy: the modes of 16x16 pixels take more than a bit (RFC 6386, 11.2); without loss one colour takes nothing */
    if (info.format == 1 && (size_t)j->w * (size_t)j->h / 2048 > j->frame.size)
        return nst_fail(j->e, NST_EFORMAT, "%s: truncated, %zu bytes cannot hold %d x %d pixels", j->label,
                        j->frame.size, j->w, j->h);
    return nst_pixels_check((long long)j->bytes, j->decoded.width, j->decoded.height, j->label, j->e);
}

/* All samples at once: libwebp keeps a whole picture while it decodes.  By pieces, since rows are told of by that
 * alone. */
static nst_status decode(struct job *j, bool damaged)
{
    WebPDecoderConfig config;
    VP8StatusCode code;
    WebPIDecoder *decoder;
    size_t each = j->decoded.kind.alpha ? 4 : 3, all;
    uint8_t *at;

    if (!WebPInitDecoderConfig(&config))
        return nst_fail(j->e, NST_EUNSUPPORTED, "%s: libwebp is another version than this build's", j->label);
    j->decoded.stride = (size_t)j->decoded.width * each;
    all = j->decoded.stride * (size_t)j->decoded.height;
    j->samples = nst_memory_fits(2 * all) ? nst_calloc(all, 1) : NULL;
    if (!j->samples)
        return nst_fail(j->e, NST_EMEM, "%s: out of memory for %d x %d pixels, which WebP needs all at once", j->label,
                        j->decoded.width, j->decoded.height);
    j->decoded.samples = j->samples;
    at = j->samples + (size_t)j->top * j->decoded.stride + (size_t)j->left * each;
    config.output.colorspace = j->decoded.kind.alpha ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = at;
    config.output.u.RGBA.stride = (int)j->decoded.stride;
    config.output.u.RGBA.size = all - (size_t)(at - j->samples);
    decoder = WebPIDecode(NULL, 0, &config);
    if (!decoder)
        return nst_fail(j->e, NST_EMEM, "%s: out of memory", j->label);
    code = WebPIAppend(decoder, j->frame.bytes, j->frame.size);
    if (!WebPIDecGetRGB(decoder, &j->there, NULL, NULL, NULL))
        j->there = 0;
    WebPIDelete(decoder);
    WebPFreeDecBuffer(&config.output);
    return code == VP8_STATUS_OK || (damaged && j->there) ? NST_OK : blame(j, code);
}

/* What the file says beside its pixels; the profile points into the file. */
static nst_status read_extras(struct job *j)
{
    WebPChunkIterator chunk;

    if (j->demuxer && WebPDemuxGetChunk(j->demuxer, "ICCP", 1, &chunk)) {
        j->decoded.kind.icc = chunk.chunk.bytes;
        j->decoded.kind.icc_bytes = chunk.chunk.size;
        WebPDemuxReleaseChunkIterator(&chunk);
    }
    if (j->demuxer && WebPDemuxGetChunk(j->demuxer, "EXIF", 1, &chunk)) {
        j->decoded.orientation = nst_exif_orientation(chunk.chunk.bytes, chunk.chunk.size);
        WebPDemuxReleaseChunkIterator(&chunk);
    }
    return j->decoded.orientation < 0 ? nst_fail(j->e, NST_EMEM, "%s: out of memory", j->label) : NST_OK;
}

static nst_status read_all(struct job *j, FILE *f, const nst_fit *fit, nst_image **out)
{
    int channels, height;
    nst_status s = nst_load_file(&j->data, &j->bytes, f, "WebP", j->label, j->e);

    if (!s)
        s = find(j);
    if (s)
        return s;
    channels = j->decoded.kind.alpha ? 4 : 3;
    s = nst_rows_open(&j->rows, j->decoded.width, j->decoded.height, channels, fit, j->label, j->e);
    if (!s)
        s = decode(j, fit && fit->damaged);
    if (!s)
        s = read_extras(j);
    if (s)
        return s;
    height = j->decoded.height;
    if (j->there < j->h)
        j->decoded.height = j->top + j->there;
    s = nst_decoded_rows(&j->rows, &j->decoded, out, j->label, j->e);
    if (s)
        return s;
    if (j->there < j->h)
        nst_note_damage(*out, j->label, j->decoded.height, height);
    else if (j->animated)
        nst_note_animation(*out, j->label);
    return NST_OK;
}

static nst_status read_webp(nst_image **out, FILE *f, const nst_fit *fit, const char *label, nst_error *e)
{
    struct job j = { .label = label, .e = e, .decoded = { .kind = { .colors = 3, .bits = 8 }, .orientation = 1 } };
    nst_status s;

    *out = NULL;
    s = read_all(&j, f, fit, out);
    WebPDemuxDelete(j.demuxer);
    nst_rows_close(&j.rows);
    nst_free(j.samples);
    nst_free(j.data);
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
    .is = is_webp,
#ifdef HAVE_WEBP
    .format = { "webp", "WebP", ".webp", .bits = 8, .quality = 1, .reads = 1, .writes = 1 },
    .read = read_webp, .write = write_webp, .heeds_damaged = true,
#else
    .format = { "webp", "WebP", ".webp", .bits = 8, .quality = 1 },
#endif
};
