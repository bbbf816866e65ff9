/* test_memory.c: no memory at any one point is a sentence, not a crash, a leak (under ASan) or half a result.  memory.c
 * is compiled into this program with an allocator that fails when told; the library's own copy is then not linked. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#endif
#include <stdlib.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

static long countdown = -1; /* allocations until the one that fails; below 0: none does */

static void *failing_alloc(size_t align, size_t bytes)
{
    return countdown >= 0 && countdown-- == 0 ? NULL : aligned_alloc(align, bytes);
}

#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__)
static void *failing_map(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
    return countdown >= 0 && countdown-- == 0 ? MAP_FAILED : mmap(at, bytes, protection, flags, fd, offset);
}
#define mmap failing_map
#endif
#define aligned_alloc failing_alloc
#include "base/memory.c"
#undef aligned_alloc
#undef mmap

#include "../support/picture.h"

typedef nst_status operation(nst_error *e);

/* Runs it with the first, second, ... allocation failing until it gets by without that one. */
static void starve(const char *name, operation *run)
{
    int files = count_files();
    long points = 0;

    for (;; points++) {
        nst_error e = { "" };
        nst_status s;

        countdown = points;
        s = run(&e);
        if (countdown >= 0) {
            countdown = -1;
            ck_assert_msg(s == NST_OK, "%s: %s", name, e.text);
            break;
        }
        ck_assert_msg(s == NST_EMEM, "%s, allocation %ld: status %d (%s)", name, points, s, e.text);
        ck_assert_msg(strstr(e.text, "out of memory"), "%s, allocation %ld: %s", name, points, e.text);
        ck_assert_int_eq(count_files(), files);
        ck_assert_msg(points < 1000, "%s never gets by", name);
    }
    ck_assert_msg(points > 0, "%s allocates nothing", name);
}

static nst_image *picture;

static nst_status read_one(const char *name, nst_error *e)
{
    nst_image *out = picture;
    nst_status s = nst_image_read(&out, name, e);

    ck_assert(!s == !!out);
    nst_image_destroy(&out);
    return s;
}

static const char *file; /* the one that is read or written */

static nst_status read_file(nst_error *e)
{
    return read_one(file, e);
}

/* The same, made smaller on the way. */
static nst_status read_smaller(nst_error *e)
{
    nst_image *out = picture;
    nst_status s = nst_image_read_fit(&out, file, &(nst_fit){ .longest = 10 }, e);

    ck_assert(!s == !!out);
    nst_image_destroy(&out);
    return s;
}

static nst_status write_file(nst_error *e)
{
    return nst_image_write(picture, file, NULL, e);
}

static nst_status resize(nst_error *e)
{
    nst_image *out;
    nst_status s = nst_image_resize(&out, picture, 20, 31, e);

    ck_assert(!s == !!out);
    nst_image_destroy(&out);
    return s;
}

static nst_status copy(nst_error *e)
{
    nst_image *out;
    nst_status s = nst_image_resize(&out, picture, picture->width, picture->height, e);

    ck_assert(!s == !!out);
    nst_image_destroy(&out);
    return s;
}

static nst_status turn(nst_error *e)
{
    nst_image *before = picture;
    nst_status s = nst_image_orient(picture, 6, "picture", e);

    ck_assert(!s || picture == before);
    return s;
}

/* Reading, writing, resampling and turning pictures. */
START_TEST(pictures)
{
    picture = noise_image(40, 30, 4, 255);
    for (int i = 0; nst_format_at(i); i++)
        if (nst_format_at(i)->writes) {
            char name[16];

            snprintf(name, sizeof name, "a.%s", nst_format_at(i)->name);
            file = name;
            write_image(picture, file, NULL);
            starve("write", write_file);
            starve("read", read_file);
            starve("read smaller", read_smaller);
        }
    starve("resize", resize);
    starve("copy", copy);
    starve("turn", turn);
    nst_image_destroy(&picture);
}
END_TEST

static nst_model *model;
static nst_settings *settings;

static nst_status open_model(nst_error *e)
{
    nst_model *out = model;
    nst_status s = nst_model_open(&out, "small", e);

    ck_assert(!s == !!out);
    nst_model_close(&out);
    return s;
}

static nst_status make_settings(nst_error *e)
{
    nst_settings *out = settings;
    nst_status s = nst_settings_create(&out, NULL, e);

    ck_assert(!s == !!out);
    nst_settings_destroy(&out);
    return s;
}

static nst_status paint(nst_error *e)
{
    const nst_image *styles[2] = { picture, picture };
    nst_image *out = picture;
    nst_status s = nst_transfer(settings, model, picture, styles, 2, NULL, NULL, NULL, &out, e);

    ck_assert(!s == !!out);
    nst_image_destroy(&out);
    return s;
}

static nst_image *masked;

/* A region for one style, of which a part counts, and the rest for the other. */
static nst_status paint_regions(nst_error *e)
{
    const nst_image *styles[2] = { masked, picture };
    nst_image *out = picture;
    nst_status s = nst_image_set_region(masked, picture, picture, e);

    if (s)
        return s;
    s = nst_transfer(settings, model, picture, styles, 2, NULL, NULL, NULL, &out, e);
    ck_assert(!s == !!out);
    nst_image_destroy(&out);
    return s;
}

/* The built-in model, the settings, and a whole run of two scales with two styles, by both optimisers, and one with
 * regions. */
START_TEST(painting)
{
    nst_error e = { "" };

    starve("model", open_model);
    starve("settings", make_settings);
    picture = noise_image(48, 48, 3, 255);
    ck_assert_int_eq(nst_model_open(&model, "small", &e), NST_OK);
    ck_assert_int_eq(nst_settings_create(&settings, NULL, &e), NST_OK);
    settings->size = 48;
    settings->min_size = 32;
    settings->scales = 2;
    settings->iterations = settings->first_iterations = 1;
    settings->threads = 1;
    strcpy(settings->style_layers, "conv1_1,conv2_1"); /* few: the run is repeated for each of its allocations */
    strcpy(settings->content_layers, "conv2_1");
    for (int optimizer = 0; optimizer < NST_OPTIMIZER_COUNT; optimizer++) {
        settings->optimizer = optimizer;
        starve("transfer", paint);
    }
    settings->scales = 1;
    masked = noise_image(40, 40, 3, 255);
    for (int k = 0; k < 2; k++) {
        settings->color = k ? NST_COLOR_MATCH_STYLE : NST_COLOR_MATCH;
        starve("regions", paint_regions);
    }
    nst_image_destroy(&masked);
    nst_settings_destroy(&settings);
    nst_model_close(&model);
    nst_image_destroy(&picture);
}
END_TEST

static void add(TCase *t)
{
    tcase_set_timeout(t, 1200); /* 300 runs, under sanitizers and beside others five minutes */
    tcase_add_test(t, painting);
    tcase_add_test(t, pictures);
}

int main(void)
{
    return run_tests("memory", add);
}
