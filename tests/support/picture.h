/* picture.h: what the tests of pictures share: a folder of their own, files in it, pictures to put there. */
#ifndef NST_TESTS_PICTURE_H
#define NST_TESTS_PICTURE_H

#include "image/image.h"
#include "suite.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder_name[512];

/* Each test works in an empty folder of TMPDIR, which is its current one.  A folder in memory saves the waits for the
 * disk of all that is written safely. */
static inline void enter_folder(void)
{
    const char *where = getenv("TMPDIR");

    snprintf(folder_name, sizeof folder_name, "%.480s/nst-test-XXXXXX", where && *where == '/' ? where : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder_name));
    ck_assert_int_eq(chdir(folder_name), 0);
}

static inline int count_files(void)
{
    DIR *d = opendir(".");
    int n = 0;

    ck_assert_ptr_nonnull(d);
    for (struct dirent *entry = readdir(d); entry; entry = readdir(d))
        n += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
    closedir(d);
    return n;
}

static inline void leave_folder(void)
{
    DIR *d = opendir(".");

    ck_assert_ptr_nonnull(d);
    for (struct dirent *entry = readdir(d); entry; entry = readdir(d))
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") && unlink(entry->d_name))
            rmdir(entry->d_name);
    closedir(d);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(rmdir(folder_name), 0);
}

/* Whether there is a device that is always full, rather than a file of its name. */
static inline int is_full_device_here(void)
{
    struct stat st;

    return stat("/dev/full", &st) == 0 && S_ISCHR(st.st_mode) && access("/dev/full", W_OK) == 0;
}

static inline void put_file(const char *name, const void *data, size_t bytes)
{
    FILE *f = fopen(name, "wb");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(data, 1, bytes, f), bytes);
    ck_assert_int_eq(fclose(f), 0);
}

/* The whole file; nst_free it. */
static inline unsigned char *get_file(const char *name, size_t *bytes)
{
    FILE *f = fopen(name, "rb");
    unsigned char *data;
    struct stat st;

    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fstat(fileno(f), &st), 0);
    *bytes = (size_t)st.st_size;
    data = nst_alloc(*bytes);
    ck_assert_ptr_nonnull(data);
    ck_assert_uint_eq(fread(data, 1, *bytes, f), *bytes);
    fclose(f);
    return data;
}

/* Where `what` first stands in data, or NULL. */
static inline unsigned char *find_bytes(unsigned char *data, size_t bytes, const char *what, size_t n)
{
    for (size_t i = 0; i + n <= bytes; i++)
        if (!memcmp(data + i, what, n))
            return data + i;
    return NULL;
}

static inline nst_image *new_image(int w, int h, int channels)
{
    nst_error e = { "" };
    nst_image *image;

    ck_assert_msg(nst_image_create(&image, w, h, channels, &e) == NST_OK, "%s", e.text);
    return image;
}

static inline float *at(nst_image *image, int c, int x, int y)
{
    return &image->plane[c][(size_t)y * (size_t)image->width + (size_t)x];
}

/* Whole steps of 1/max that look random; the same on each machine. */
static inline nst_image *noise_image(int w, int h, int channels, unsigned max)
{
    nst_image *image = new_image(w, h, channels);
    uint32_t seed = 12345;

    for (size_t i = 0; i < (size_t)w * (size_t)h * (size_t)channels; i++) {
        seed = seed * 1664525u + 1013904223u;
        image->plane[0][i] = (float)((seed >> 8) % (max + 1)) / (float)max;
    }
    return image;
}

/* Soft waves of each colour, between 0.1 and 0.9. */
static inline nst_image *smooth_image(int w, int h, int channels)
{
    nst_image *image = new_image(w, h, channels);

    for (int c = 0; c < channels; c++)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
                *at(image, c, x, y) = (float)(0.5 + 0.4 * sin(0.1 * (c + 1) * x + 0.07 * (3 - c) * y + c));
    return image;
}

static inline void write_image(const nst_image *image, const char *name, const nst_write_options *o)
{
    nst_error e = { "" };

    ck_assert_msg(nst_image_write(image, name, o, &e) == NST_OK, "%s", e.text);
}

static inline nst_image *read_image(const char *name)
{
    nst_error e = { "" };
    nst_image *image;

    ck_assert_msg(nst_image_read(&image, name, &e) == NST_OK, "%s", e.text);
    ck_assert_ptr_nonnull(image);
    return image;
}

/* What --damaged reads of a file. */
static inline nst_image *read_damaged(const char *name)
{
    nst_image *out = NULL;
    nst_error e = { "" };

    ck_assert_msg(nst_image_read_fit(&out, name, &(nst_fit){ .damaged = 1 }, &e) == NST_OK, "%s", e.text);
    return out;
}

/* The file is refused with this status and a sentence that starts with its name and holds `text`.  It gives the advice
 * of --damaged where that reads something, and nowhere else. */
static inline void refuse_file(const char *name, nst_status status, const char *text)
{
    nst_error e = { "" };
    nst_image *image = (nst_image *)&e;
    nst_status s = nst_image_read(&image, name, &e);

    ck_assert_msg(s == status, "%s: status %d (%s), expected %d", name, s, e.text, status);
    ck_assert_ptr_null(image);
    ck_assert_msg(strstr(e.text, text) && !strncmp(e.text, name, strlen(name)), "\"%s\", expected \"%s\"", e.text,
                  text);
    ck_assert_msg(!strchr(e.text, '\n') && e.text[strlen(e.text) - 1] != '.', "\"%s\" is not our kind of sentence",
                  e.text);
    s = nst_image_read_fit(&image, name, &(nst_fit){ .damaged = 1 }, NULL);
    ck_assert_msg(!s == (strstr(e.text, "; --damaged reads what is there") != NULL), "%s: with --damaged status %d",
                  e.text, s);
    nst_image_destroy(&image);
}

/* Same shape, and no sample further away than `tolerance`. */
static inline void same_image(const nst_image *a, const nst_image *b, double tolerance)
{
    ck_assert_int_eq(a->width, b->width);
    ck_assert_int_eq(a->height, b->height);
    ck_assert_int_eq(a->channels, b->channels);
    for (int c = 0; c < a->channels; c++)
        for (int i = 0; i < a->width * a->height; i++)
            ck_assert_msg(fabs((double)a->plane[c][i] - b->plane[c][i]) <= tolerance,
                          "channel %d, x %d, y %d: %.6f and %.6f", c, i % a->width, i / a->width,
                          (double)a->plane[c][i], (double)b->plane[c][i]);
}

/* Writes the picture (and takes it), halves the file and reads it: the sentence counts the rows, more than least and
 * fewer than most of them there. */
static inline void cut_by_half(const char *name, nst_image *in, int least, int most)
{
    int height = in->height, row = 0, rows = 0;
    nst_image *out;
    unsigned char *data;
    nst_error e;
    size_t n;

    write_image(in, name, NULL);
    nst_image_destroy(&in);
    data = get_file(name, &n);
    put_file(name, data, n / 2);
    nst_free(data);
    ck_assert_int_eq(nst_image_read(&out, name, &e), NST_EFORMAT);
    ck_assert_msg(!strncmp(e.text, name, strlen(name)) &&
                  sscanf(e.text + strlen(name), ": truncated after %d of %d rows", &row, &rows) == 2, "%s", e.text);
    ck_assert_int_eq(rows, height);
    ck_assert_msg(row > least && row < most, "%s", e.text);
}

static void (*in_folders)(TCase *t);

static inline void add_in_folders(TCase *t)
{
    tcase_add_checked_fixture(t, enter_folder, leave_folder);
    in_folders(t);
}

/* As run_suite, each test in a folder of its own. */
static inline int run_tests(const char *name, void (*add)(TCase *t))
{
    in_folders = add;
    return run_suite(name, add_in_folders);
}

#endif
