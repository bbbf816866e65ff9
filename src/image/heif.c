/* heif.c: HEIC and AVIF pictures in; the only file that knows libheif, which is loaded when it is first used.  libheif
 * turns a picture upright itself, by the container's own marks, and EXIF's beside them says the same once more. */
#include "image/format.h"

#include <string.h>

#ifdef HAVE_HEIF
#include <libheif/heif.h>

#include "base/lazy.h"

#define SYMBOLS(X)                                                                                                   \
    X(heif_context_alloc)                                                                                            \
    X(heif_context_free)                                                                                             \
    X(heif_context_get_primary_image_handle)                                                                         \
    X(heif_context_read_from_memory_without_copy)                                                                    \
    X(heif_context_set_max_decoding_threads)                                                                         \
    X(heif_decode_image)                                                                                             \
    X(heif_decoding_options_alloc)                                                                                   \
    X(heif_decoding_options_free)                                                                                    \
    X(heif_image_get_bits_per_pixel_range)                                                                           \
    X(heif_image_get_height)                                                                                         \
    X(heif_image_get_plane)                                                                                          \
    X(heif_image_get_width)                                                                                          \
    X(heif_image_handle_get_color_profile_type)                                                                      \
    X(heif_image_handle_get_height)                                                                                  \
    X(heif_image_handle_get_luma_bits_per_pixel)                                                                     \
    X(heif_image_handle_get_nclx_color_profile)                                                                      \
    X(heif_image_handle_get_raw_color_profile)                                                                       \
    X(heif_image_handle_get_raw_color_profile_size)                                                                  \
    X(heif_image_handle_get_width)                                                                                   \
    X(heif_image_handle_has_alpha_channel)                                                                           \
    X(heif_image_handle_is_premultiplied_alpha)                                                                      \
    X(heif_image_handle_release)                                                                                     \
    X(heif_image_release)                                                                                            \
    X(heif_nclx_color_profile_free)
NST_LAZY(HEIF, SYMBOLS)

#define SAMPLE_COPIES 4 /* of a pixel's samples: libheif's planes before and after its conversion, and theirs to come */

struct job {
    const char *label;
    nst_error *e;
    struct heif_context *context;
    struct heif_image_handle *handle;
    struct heif_image *image;
    nst_decoded decoded;
    uint8_t *file, *icc;
    size_t bytes; /* of file */
    nst_rows *rows;
};

static nst_status blame(const struct job *j, struct heif_error error)
{
    size_t n = strnlen(error.message, 200);

    while (n && strchr(".\n", error.message[n - 1])) /* some end with a full stop or a new line; ours do not */
        n--;
    switch (error.code) {
    case heif_error_Memory_allocation_error:
        if (error.subcode == heif_suberror_Security_limit_exceeded)
            break;
        return nst_fail(j->e, NST_EMEM, "%s: out of memory: %.*s", j->label, (int)n, error.message);
    case heif_error_Unsupported_filetype:
    case heif_error_Unsupported_feature:
    case heif_error_Plugin_loading_error:
        return nst_fail(j->e, NST_EUNSUPPORTED, "%s: libheif cannot read it on this machine: %.*s", j->label,
                        (int)n, error.message);
    default:
        break;
    }
    return nst_fail(j->e, NST_EFORMAT, "%s: damaged or truncated: %.*s", j->label, (int)n, error.message);
}

/* Its colours: a profile, or numbers. */
static nst_status read_colors(struct job *j)
{
    enum heif_color_profile_type type = lib.heif_image_handle_get_color_profile_type(j->handle);
    struct heif_color_profile_nclx *nclx = NULL;
    nst_samples *kind = &j->decoded.kind;
    nst_status s = NST_OK;
    size_t n;

    if (type == heif_color_profile_type_rICC || type == heif_color_profile_type_prof) {
        n = lib.heif_image_handle_get_raw_color_profile_size(j->handle);
        if (!n || n > NST_PROFILE_MAX)
            return NST_OK;
        j->icc = nst_alloc(n);
        if (!j->icc)
            return nst_fail(j->e, NST_EMEM, "%s: out of memory for its colour profile", j->label);
        if (lib.heif_image_handle_get_raw_color_profile(j->handle, j->icc).code == heif_error_Ok) {
            kind->icc = j->icc;
            kind->icc_bytes = n;
        }
    } else if (type == heif_color_profile_type_nclx) {
        struct heif_error error = lib.heif_image_handle_get_nclx_color_profile(j->handle, &nclx);

        if (error.code == heif_error_Ok && nclx) {
            s = nst_cicp_check((int)nclx->transfer_characteristics, j->label, j->e);
            nst_cicp_colors((int)nclx->color_primaries, (int)nclx->transfer_characteristics, kind);
        }
        if (nclx) /* also when it failed: libheif 1.15 has made it before it finds a number that it does not know */
            lib.heif_nclx_color_profile_free(nclx);
    }
    return s;
}

/* What the file says before anything is decoded. */
static nst_status read_header(struct job *j, const nst_fit *fit)
{
    int w = lib.heif_image_handle_get_width(j->handle), h = lib.heif_image_handle_get_height(j->handle);
    size_t each;
    nst_status s = nst_image_check(w > 0 ? (size_t)w : 0, h > 0 ? (size_t)h : 0, j->label, j->e);

    if (!s)
        s = nst_pixels_check((long long)j->bytes, w, h, j->label, j->e);
    if (s)
        return s;
    j->decoded.width = w;
    j->decoded.height = h;
    j->decoded.kind.colors = 3;
    j->decoded.kind.alpha = lib.heif_image_handle_has_alpha_channel(j->handle);
    j->decoded.kind.bits = lib.heif_image_handle_get_luma_bits_per_pixel(j->handle) > 8 ? 16 : 8;
    s = read_colors(j);
    if (!s)
        s = nst_rows_open(&j->rows, w, h, 3 + j->decoded.kind.alpha, fit, j->label, j->e);
    if (s)
        return s;
    each = (size_t)(3 + j->decoded.kind.alpha) * (size_t)j->decoded.kind.bits / 8 * SAMPLE_COPIES;
    if (!nst_memory_fits((size_t)w * (size_t)h * each))
        return nst_fail(j->e, NST_EMEM, "%s: out of memory for %d x %d pixels, which are needed all at once", j->label,
                        w, h);
    return NST_OK;
}

/* 10 or 12 bits, the low byte first, become 16 in this machine's order, in place. */
static void widen(const struct job *j, uint8_t *samples, size_t stride, int bits)
{
    size_t n = (size_t)j->decoded.width * (size_t)(3 + j->decoded.kind.alpha);
    unsigned max = (1u << bits) - 1;

    for (int y = 0; y < j->decoded.height; y++) {
        uint8_t *row = samples + (size_t)y * stride;

        for (size_t i = 0; i < n; i++) {
            unsigned v = (row[2 * i] | (unsigned)row[2 * i + 1] << 8) & max;

            ((uint16_t *)(void *)row)[i] = (uint16_t)((v * 65535u + max / 2) / max);
        }
    }
}

static nst_status decode(struct job *j)
{
    bool wide = j->decoded.kind.bits == 16, alpha = j->decoded.kind.alpha;
    enum heif_chroma narrow_kind = alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB;
    enum heif_chroma wide_kind = alpha ? heif_chroma_interleaved_RRGGBBAA_LE : heif_chroma_interleaved_RRGGBB_LE;
    struct heif_decoding_options *o = lib.heif_decoding_options_alloc();
    struct heif_error error;
    int stride = 0, bits;
    uint8_t *samples;

    if (!o)
        return nst_fail(j->e, NST_EMEM, "%s: out of memory", j->label);
    o->convert_hdr_to_8bit = 0;
    error = lib.heif_decode_image(j->handle, &j->image, heif_colorspace_RGB, wide ? wide_kind : narrow_kind, o);
    lib.heif_decoding_options_free(o);
    if (error.code != heif_error_Ok)
        return blame(j, error);
    samples = lib.heif_image_get_plane(j->image, heif_channel_interleaved, &stride);
    bits = lib.heif_image_get_bits_per_pixel_range(j->image, heif_channel_interleaved);
    if (!samples || lib.heif_image_get_width(j->image, heif_channel_interleaved) != j->decoded.width ||
        lib.heif_image_get_height(j->image, heif_channel_interleaved) != j->decoded.height ||
        stride < j->decoded.width * (3 + alpha) * (wide ? 2 : 1) || (wide ? bits < 9 || bits > 16 : bits != 8))
        return nst_fail(j->e, NST_EFORMAT, "%s: damaged: its picture is not what its header says", j->label);
    if (wide)
        widen(j, samples, (size_t)stride, bits);
    if (alpha && lib.heif_image_handle_is_premultiplied_alpha(j->handle))
        nst_decoded_unmultiply(samples, (size_t)stride, &j->decoded.kind, j->decoded.width, j->decoded.height);
    j->decoded.samples = samples;
    j->decoded.stride = (size_t)stride;
    return NST_OK;
}

static nst_status read_all(struct job *j, FILE *f, const nst_fit *fit, nst_image **out)
{
    struct heif_error error;
    nst_status s = load(j->e);

    if (!s)
        s = nst_load_file(&j->file, &j->bytes, f, "HEIF", j->label, j->e);
    if (s)
        return s;
    j->context = lib.heif_context_alloc();
    if (!j->context)
        return nst_fail(j->e, NST_EMEM, "%s: out of memory", j->label);
    lib.heif_context_set_max_decoding_threads(j->context, 0); /* none of its own */
    error = lib.heif_context_read_from_memory_without_copy(j->context, j->file, j->bytes, NULL);
    if (error.code == heif_error_Ok)
        error = lib.heif_context_get_primary_image_handle(j->context, &j->handle);
    if (error.code != heif_error_Ok)
        return blame(j, error);
    s = read_header(j, fit);
    if (!s)
        s = decode(j);
    if (!s)
        s = nst_decoded_rows(&j->rows, &j->decoded, out, j->label, j->e);
    if (s)
        return s;
    if (!memcmp(j->file + 8, "avis", 4) || !memcmp(j->file + 8, "msf1", 4) || !memcmp(j->file + 8, "hevc", 4))
        nst_note_animation(*out, j->label);
    return NST_OK;
}

static nst_status read_heif(nst_image **out, FILE *f, const nst_fit *fit, const char *label, nst_error *e)
{
    struct job j = { .label = label, .e = e, .decoded.orientation = 1 };
    nst_status s;

    *out = NULL;
    s = read_all(&j, f, fit, out);
    if (j.image)
        lib.heif_image_release(j.image);
    if (j.handle)
        lib.heif_image_handle_release(j.handle);
    if (j.context)
        lib.heif_context_free(j.context);
    nst_rows_close(&j.rows);
    nst_free(j.icc);
    nst_free(j.file);
    return s;
}
#endif

/* Whether the first box names one of these kinds, of four letters each, among those that the file is. */
static bool is_kind(const uint8_t *head, size_t bytes, const char *kinds)
{
    size_t end;

    if (bytes < 16 || memcmp(head + 4, "ftyp", 4))
        return false;
    end = (size_t)head[2] << 8 | head[3];
    end = head[0] || head[1] || end > bytes ? bytes : end;
    for (size_t at = 8; at + 4 <= end; at += at == 8 ? 8 : 4) /* behind the first one stands its version */
        for (const char *k = kinds; *k; k += 4)
            if (!memcmp(head + at, k, 4))
                return true;
    return false;
}

static bool is_avif(const uint8_t *head, size_t bytes)
{
    return is_kind(head, bytes, "avifavis");
}

static bool is_heic(const uint8_t *head, size_t bytes)
{
    return is_kind(head, bytes, "heicheixhevchevxheimheishevmhevsmif1msf1") && !is_kind(head, bytes, "avifaviscrx ");
}

#ifdef HAVE_HEIF
#define READS .reads = 1
#define READ .read = read_heif
#else
#define READS .reads = 0
#define READ .read = NULL
#endif
const nst_codec nst_codec_heic = {
    .format = { "heic", "HEIC", ".heic .heif .hif", .bits = 16, READS }, .is = is_heic, READ,
};
const nst_codec nst_codec_avif = {
    .format = { "avif", "AVIF", ".avif", .bits = 16, READS }, .is = is_avif, READ,
};
