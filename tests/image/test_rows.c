/* test_rows.c: pictures that are made smaller while they are read are those that nst_image_resize makes of the
 * whole. */
#include "../support/picture.h"

static nst_image *read_fit(const char *name, nst_fit fit)
{
    nst_error e = { "" };
    nst_image *image;

    ck_assert_msg(nst_image_read_fit(&image, name, &fit, &e) == NST_OK, "%s", e.text);
    return image;
}

/* The file read at this fit is w x h, and the same as the whole one resampled to that. */
static void same_as_resized(const char *name, nst_fit fit, int w, int h, double tolerance)
{
    nst_image *whole = read_image(name), *small = read_fit(name, fit), *want;
    nst_error e = { "" };

    ck_assert_msg(small->width == w && small->height == h, "%s: %d x %d, expected %d x %d", name, small->width,
                  small->height, w, h);
    ck_assert_msg(nst_image_resize(&want, whole, w, h, &e) == NST_OK, "%s", e.text);
    same_image(want, small, tolerance);
    nst_image_destroy(&whole);
    nst_image_destroy(&small);
    nst_image_destroy(&want);
}

/* To the bit, but for PFM, whose rows come from the bottom up, so that sums round otherwise.  Every format, with and
 * without alpha, 8 and 16 bits; sides that divide and that do not; down to one pixel. */
START_TEST(same)
{
    static const nst_fit fits[] = { { .longest = 100 }, { .longest = 61 }, { .longest = 1 }, { .shortest = 40 } };
    static const int sizes[][2] = { { 100, 70 }, { 61, 43 }, { 1, 1 }, { 57, 40 } };
    const nst_format *format = nst_format_at(0);

    for (int i = 0; format; format = nst_format_at(++i))
        for (int channels = 3; channels <= 4 && format->writes; channels++)
            for (int bits = 8; bits <= 16; bits += 8) {
                nst_image *in = noise_image(300, 210, channels, 65535);
                char name[32];

                snprintf(name, sizeof name, "a.%s", format->name);
                write_image(in, name, &(nst_write_options){ .bits = bits });
                nst_image_destroy(&in);
                for (size_t k = 0; k < NST_COUNT(fits); k++)
                    same_as_resized(name, fits[k], sizes[k][0], sizes[k][1], format->bits == 32 ? 1e-5 : 0);
            }
}
END_TEST

/* A file that is not more than twice too large is read as it is: a run on it keeps its bits. */
START_TEST(near_is_whole)
{
    static const nst_fit fits[] = { { 0 }, { .longest = 150 }, { .longest = 1000 }, { .shortest = 105 },
                                    { .longest = 10, .shortest = 200 }, { .longest = -5 } };
    nst_image *in = noise_image(300, 210, 3, 255), *out;

    write_image(in, "a.png", NULL);
    for (size_t k = 0; k < NST_COUNT(fits); k++) {
        out = read_fit("a.png", fits[k]);
        same_image(in, out, 0);
        nst_image_destroy(&out);
    }
    nst_image_destroy(&in);
}
END_TEST

/* Opaque rows of a picture that is transparent elsewhere, and colours under what is transparent, are those of the
 * whole. */
START_TEST(partly_transparent)
{
    nst_image *in = noise_image(200, 160, 4, 255);

    for (int i = 0; i < 200 * 110; i++)
        in->plane[3][i] = i / 200 < 60;
    write_image(in, "a.png", NULL);
    same_as_resized("a.png", (nst_fit){ .longest = 50 }, 50, 40, 0);
    nst_image_destroy(&in);
}
END_TEST

/* Two steps (to the last scale's size while reading, to a smaller scale's from there) against one: what a smaller scale
 * sees differs by less than half an 8-bit step on average. */
START_TEST(two_steps)
{
    nst_image *in = noise_image(800, 600, 3, 255), *soft = smooth_image(800, 600, 3), *once, *twice, *middle;
    nst_error e = { "" };
    double sum = 0;

    for (int i = 0; i < 3 * 800 * 600; i++)
        in->plane[0][i] = 0.5f * in->plane[0][i] + 0.5f * soft->plane[0][i];
    ck_assert_int_eq(nst_image_resize(&once, in, 100, 75, &e), NST_OK);
    ck_assert_int_eq(nst_image_resize(&middle, in, 200, 150, &e), NST_OK);
    ck_assert_int_eq(nst_image_resize(&twice, middle, 100, 75, &e), NST_OK);
    for (int i = 0; i < 3 * 100 * 75; i++)
        sum += fabs((double)once->plane[0][i] - twice->plane[0][i]) / (3 * 100 * 75);
    ck_assert_msg(sum < 0.5 / 255, "mean difference %.5f", sum);
    nst_image_destroy(&in);
    nst_image_destroy(&soft);
    nst_image_destroy(&once);
    nst_image_destroy(&middle);
    nst_image_destroy(&twice);
}
END_TEST

/* A run that asks for its fit gets the result's size for the content, by either rule, and the style's for its own. */
START_TEST(settings_fit)
{
    nst_image *content = new_image(800, 400, 3);
    nst_settings *s;
    nst_fit fit;

    ck_assert_int_eq(nst_settings_create(&s, NULL, NULL), NST_OK);
    s->size = 300;
    s->size_rule = NST_SIZE_LONGEST;
    s->style_fit = NST_FIT_SIDE;
    s->style_scale = 0.5;
    fit = nst_settings_fit(s, NULL);
    ck_assert(fit.longest == 300 && fit.shortest == 0);
    fit = nst_settings_fit(s, content);
    ck_assert(fit.longest == 150 && fit.shortest == 32);
    s->size_rule = NST_SIZE_SHORTEST;
    fit = nst_settings_fit(s, NULL);
    ck_assert(fit.longest == 0 && fit.shortest == 300);
    s->style_fit = NST_FIT_STRETCH; /* to 600 x 300, half of it */
    fit = nst_settings_fit(s, content);
    ck_assert(fit.longest == 0 && fit.shortest == 300);
    s->size = 0;
    fit = nst_settings_fit(s, content);
    ck_assert(fit.longest == 0 && fit.shortest == 0);
    nst_settings_destroy(&s);
    nst_image_destroy(&content);
}
END_TEST

/* Into a descriptor and out of it again, from where it stands, which stays open. */
START_TEST(descriptors)
{
    nst_image *in = noise_image(30, 20, 4, 255), *out;
    nst_error e = { "" };
    const nst_format *format = nst_format_at(0);

    for (int i = 0; format; format = nst_format_at(++i)) {
        FILE *f = tmpfile();
        nst_write_options o = { .format = format->name };
        nst_status s;

        ck_assert_ptr_nonnull(f);
        s = nst_image_write_fd(in, fileno(f), "stdout", &o, &e);
        ck_assert_msg(s == (format->writes ? NST_OK : NST_EUNSUPPORTED), "%s: %s", format->name, e.text);
        rewind(f);
        if (!s) {
            ck_assert_msg(nst_image_read_fd(&out, fileno(f), "stdin", NULL, &e) == NST_OK, "%s", e.text);
            ck_assert_int_eq(out->width, 30);
            nst_image_destroy(&out);
            ck_assert_int_ge(fileno(f), 0);
        }
        ck_assert_int_eq(fclose(f), 0);
    }
    ck_assert_int_eq(nst_image_read_fd(&out, -1, "stdin", NULL, &e), NST_EIO);
    ck_assert_ptr_null(out);
    ck_assert_int_eq(nst_image_write_fd(in, -1, "stdout", NULL, &e), NST_EIO);
    ck_assert_int_eq(nst_image_write_fd(in, 1, "stdout", &(nst_write_options){ .format = "xcf" }, &e), NST_EARG);
    nst_image_destroy(&in);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, same);
    tcase_add_test(t, near_is_whole);
    tcase_add_test(t, partly_transparent);
    tcase_add_test(t, two_steps);
    tcase_add_test(t, settings_fit);
    tcase_add_test(t, descriptors);
}

int main(void)
{
    return run_tests("rows", add);
}
