/* flo_file.c: Middlebury's .flo files (Baker et al. 2011): "PIEH", width and height as 32-bit integers, then u and v of
 * each pixel as 32-bit floats, row by row, all of it with the lowest byte first.  More than 1e9 means "not known". */
#include "flow/flow.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "image/image.h"

#define UNKNOWN 1e9f
#define WRITTEN_UNKNOWN 1e10f /* as Middlebury's own program writes it */
#define HEADER 12

static uint32_t word(const unsigned char *b)
{
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void put_word(unsigned char *b, uint32_t v)
{
    for (int k = 0; k < 4; k++)
        b[k] = (unsigned char)(v >> 8 * k);
}

/* A number of the file; what stands for nothing is NAN.  Larger than any picture is nothing, too. */
static float known(uint32_t bits)
{
    float v;

    memcpy(&v, &bits, sizeof v);
    return fabsf(v) <= UNKNOWN ? v : NAN;
}

static nst_status read_rows(nst_flow *flow, FILE *f, const char *path, nst_error *e)
{
    size_t w = (size_t)flow->width;
    unsigned char *row = nst_calloc(w, 8);
    nst_status s = NST_OK;

    if (!row)
        return nst_fail(e, NST_EMEM, "%s: out of memory", path);
    for (int y = 0; y < flow->height && !s; y++) {
        if (fread(row, 8, w, f) != w) {
            s = ferror(f) ? nst_fail(e, NST_EIO, "%s: cannot read: %s", path, strerror(errno))
                          : nst_fail(e, NST_EFORMAT, "%s: truncated after %d of %d rows", path, y, flow->height);
            break;
        }
        for (size_t x = 0; x < w; x++) {
            float u = known(word(row + 8 * x)), v = known(word(row + 8 * x + 4));
            bool both = !isnan(u) && !isnan(v);

            flow->plane[0][(size_t)y * w + x] = both ? u : NAN;
            flow->plane[1][(size_t)y * w + x] = both ? v : NAN;
        }
    }
    nst_free(row);
    return s;
}

/* The size, which the file's length has to bear out before memory is taken for it. */
static nst_status read_header(FILE *f, const char *path, int *w, int *h, nst_error *e)
{
    unsigned char b[HEADER];
    uint32_t width, height;
    long long bytes, expected;
    nst_status s;

    if (fread(b, 1, HEADER, f) != HEADER || memcmp(b, "PIEH", 4))
        return ferror(f) ? nst_fail(e, NST_EIO, "%s: cannot read: %s", path, strerror(errno))
                         : nst_fail(e, NST_EFORMAT, "%s: is no flow file, expected PIEH at its begin", path);
    width = word(b + 4), height = word(b + 8);
    if (!width || !height)
        return nst_fail(e, NST_EFORMAT, "%s: a flow of %u x %u pixels, expected 1 or more a side", path,
                        (unsigned)width, (unsigned)height);
    s = nst_image_check(width, height, path, e);
    if (s)
        return s;
    *w = (int)width, *h = (int)height;
    if (fseeko(f, 0, SEEK_END)) /* a pipe: the rows will tell */
        return NST_OK;
    bytes = (long long)ftello(f);
    expected = HEADER + 8LL * (long long)width * (long long)height;
    if (bytes < expected)
        return nst_fail(e, NST_EFORMAT, "%s: truncated: %lld bytes, expected %lld for %d x %d pixels", path, bytes,
                        expected, *w, *h);
    return fseeko(f, HEADER, SEEK_SET) ? nst_fail(e, NST_EIO, "%s: cannot read: %s", path, strerror(errno)) : NST_OK;
}

nst_status nst_flow_read(nst_flow **out, const char *path, nst_error *e)
{
    FILE *f = fopen(path, "rb");
    int w = 0, h = 0;
    nst_status s;

    *out = NULL;
    if (!f)
        return nst_fail(e, NST_EIO, "%s: %s", path, strerror(errno));
    s = read_header(f, path, &w, &h, e);
    if (!s)
        s = nst_flow_create(out, w, h, e);
    if (!s) {
        s = read_rows(*out, f, path, e);
        if (s)
            nst_flow_destroy(out);
    }
    fclose(f);
    return s;
}

struct writer {
    const nst_flow *flow;
    unsigned char *row;
};

static nst_status write_all(void *arg, FILE *f, nst_error *e)
{
    struct writer *w = arg;
    size_t width = (size_t)w->flow->width;
    unsigned char header[HEADER] = { 'P', 'I', 'E', 'H' };

    (void)e; /* f's errors are looked at by whoever opened it */
    put_word(header + 4, (uint32_t)w->flow->width);
    put_word(header + 8, (uint32_t)w->flow->height);
    fwrite(header, 1, HEADER, f);
    for (int y = 0; y < w->flow->height; y++) {
        for (size_t x = 0; x < width; x++)
            for (size_t c = 0; c < 2; c++) {
                float v = w->flow->plane[c][(size_t)y * width + x];
                uint32_t bits;

                if (!(fabsf(v) <= UNKNOWN))
                    v = WRITTEN_UNKNOWN;
                memcpy(&bits, &v, sizeof bits);
                put_word(w->row + 8 * x + 4 * c, bits);
            }
        fwrite(w->row, 8, width, f);
    }
    return NST_OK;
}

nst_status nst_flow_write(const nst_flow *flow, const char *path, nst_error *e)
{
    struct writer w = { flow, nst_calloc((size_t)flow->width, 8) };
    nst_status s;

    if (!w.row)
        return nst_fail(e, NST_EMEM, "%s: out of memory", path);
    s = nst_whole_write(path, write_all, &w, e);
    nst_free(w.row);
    return s;
}
