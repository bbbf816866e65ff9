/* pixels.c: pixels between GIMP's drawables, which may have any precision and colour space, and libnst's pictures,
 * which are planes of sRGB.  Babl converts; a row at a time, so that memory holds each picture once. */
#include "pixels.h"

/* libnst's order: RGB, and A where there is one. */
static const Babl *format_of(int channels)
{
    return babl_format(channels == 4 ? "R'G'B'A float" : "R'G'B' float");
}

static GeglRectangle row_of(const GeglRectangle *part, int y)
{
    return (GeglRectangle){ part->x, part->y + y, part->width, 1 };
}

nst_status nst_pixels_read(GimpDrawable *from, const GeglRectangle *part, nst_image **out, nst_error *e)
{
    int channels = gimp_drawable_has_alpha(from) ? 4 : 3;
    size_t width = (size_t)part->width;
    nst_status s = nst_image_create(out, part->width, part->height, channels, e);
    GeglBuffer *buffer;
    float *row;

    if (s)
        return s;
    buffer = gimp_drawable_get_buffer(from);
    row = g_new(float, width * (size_t)channels);
    for (int y = 0; y < part->height; y++) {
        GeglRectangle here = row_of(part, y);

        gegl_buffer_get(buffer, &here, 1, format_of(channels), row, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        for (int c = 0; c < channels; c++) {
            float *to = nst_image_plane(*out, c) + (size_t)y * width;

            for (size_t x = 0; x < width; x++) /* what is wider than sRGB is cut, as in files */
                to[x] = CLAMP(row[x * (size_t)channels + (size_t)c], 0, 1);
        }
    }
    g_free(row);
    g_object_unref(buffer);
    return NST_OK;
}

nst_status nst_pixels_selection(GimpImage *image, GimpDrawable *drawable, const GeglRectangle *part, nst_image **out,
                                nst_error *e)
{
    GeglBuffer *buffer = gimp_drawable_get_buffer(GIMP_DRAWABLE(gimp_image_get_selection(image)));
    size_t width = (size_t)part->width;
    nst_status s = nst_image_create(out, part->width, part->height, 3, e);
    gboolean whole = gimp_selection_is_empty(image);
    GeglRectangle there = *part;
    int x0 = 0, y0 = 0;

    gimp_drawable_get_offsets(drawable, &x0, &y0);
    there.x += x0;
    there.y += y0;
    for (int y = 0, selected = 1; !s && !whole && y < part->height; y++) {
        GeglRectangle here = row_of(&there, y);
        float *grey = nst_image_plane(*out, 0) + (size_t)y * width;

        gegl_buffer_get(buffer, &here, 1, babl_format("Y float"), grey, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
        for (size_t x = 0; x < width; x++)
            selected &= grey[x] >= 1;
        for (int c = 1; c < 3; c++)
            memcpy(nst_image_plane(*out, c) + (size_t)y * width, grey, width * sizeof *grey);
        whole = y + 1 == part->height && selected;
    }
    if (whole)
        nst_image_destroy(out);
    g_object_unref(buffer);
    return s;
}

void nst_pixels_write(nst_image *picture, GimpLayer *to)
{
    int channels = nst_image_channels(picture), height = nst_image_height(picture);
    GeglRectangle all = { 0, 0, nst_image_width(picture), height };
    size_t width = (size_t)all.width;
    GeglBuffer *buffer = gimp_drawable_get_buffer(GIMP_DRAWABLE(to));
    float *row = g_new(float, width * (size_t)channels);

    for (int y = 0; y < height; y++) {
        GeglRectangle here = row_of(&all, y);

        for (int c = 0; c < channels; c++) {
            const float *from = nst_image_plane(picture, c) + (size_t)y * width;

            for (size_t x = 0; x < width; x++)
                row[x * (size_t)channels + (size_t)c] = from[x];
        }
        gegl_buffer_set(buffer, &here, 0, format_of(channels), row, GEGL_AUTO_ROWSTRIDE);
    }
    g_free(row);
    g_object_unref(buffer);
}
