/* test_checkpoint_damage.c: a checkpoint that is damaged, foreign, forged, of other inputs, or that cannot be written
 * is a sentence. */
#include <fcntl.h>
#include <unistd.h>

#include "runs.h"

static unsigned char *checkpoint(size_t *bytes)
{
    nst_settings *s = settings("nst");
    struct watch w = { .at = 3, .stop = true };
    nst_image *early = paint(s, &w);

    nst_image_destroy(&early);
    nst_settings_destroy(&s);
    return get_file("run.nst", bytes);
}

static void refuse(nst_status status, const char *text)
{
    nst_error e = { "" };
    nst_checkpoint *c;
    nst_status s = nst_checkpoint_open(&c, "run.nst", &e);

    ck_assert_msg(s == status, "status %d (%s), expected %d, %s", s, e.text, status, text);
    ck_assert_ptr_null(c);
    ck_assert_msg(strstr(e.text, text) && !strncmp(e.text, "run.nst: ", 9), "\"%s\", expected \"%s\"", e.text, text);
}

START_TEST(every_damage_is_found)
{
    size_t bytes;
    unsigned char *data = checkpoint(&bytes);
    unsigned char *state = find_bytes(data, bytes, "preset=", 7);
    int fd = open("run.nst", O_RDWR); /* a byte is changed where it lies: writing the file thousands of times takes
                                         long */

    ck_assert_ptr_nonnull(state);
    ck_assert_int_ge(fd, 0);
    for (size_t i = 0; i < bytes; i += i < 1500 || data + i >= state ? 1 : 1009) { /* header and texts byte by byte */
        nst_error e = { "" };
        nst_checkpoint *c;

        unsigned char other = data[i] ^ (unsigned char)(1u << i % 8);

        ck_assert_int_eq(pwrite(fd, &other, 1, (off_t)i), 1);
        ck_assert_msg(nst_checkpoint_open(&c, "run.nst", &e) != NST_OK, "byte %zu", i);
        ck_assert_int_eq(pwrite(fd, &data[i], 1, (off_t)i), 1);
    }
    close(fd);
    for (size_t n = bytes; n-- > 0;) { /* ever shorter */
        nst_checkpoint *c;

        if (n > 1500 && n + 9 < bytes && n % 977)
            continue;
        ck_assert_int_eq(truncate("run.nst", (off_t)n), 0);
        ck_assert_msg(nst_checkpoint_open(&c, "run.nst", NULL) == NST_EFORMAT, "%zu bytes", n);
    }
    put_file("run.nst", data, bytes);
    ck_assert_int_eq(truncate("run.nst", (off_t)bytes + 8), 0);
    refuse(NST_EFORMAT, "damaged");
    nst_free(data);
}
END_TEST

/* The sum is made right again: what then holds is that every number is checked. */
static void sign(unsigned char *data, size_t bytes)
{
    nst_sum s;
    uint64_t sum;

    nst_sum_begin(&s);
    nst_sum_add(&s, data, bytes - 8);
    sum = nst_sum_end(&s);
    for (int k = 0; k < 8; k++)
        data[bytes - 8 + (size_t)k] = (unsigned char)(sum >> 8 * k);
    put_file("run.nst", data, bytes);
}

START_TEST(forged_ones_do_no_harm)
{
    static const char digits[] = "0129f-=\n";
    size_t bytes, opened = 0;
    unsigned char *data = checkpoint(&bytes), *texts = find_bytes(data, bytes, "preset=", 7);
    size_t end = bytes - 8;

    for (size_t i = 8; i < end; i += data + i < texts - 100 && i > 1500 ? 20011 : 7) {
        unsigned char was = data[i];
        struct watch w = { .at = -1 };
        nst_error e = { "" };
        nst_image *out;
        nst_status s;

        data[i] = (unsigned char)digits[i % (sizeof digits - 1)];
        sign(data, bytes);
        s = resume(&out, &w, &e);
        if (s == NST_OK || s == NST_EDIVERGED)
            opened++;
        else
            ck_assert_msg(*e.text && !strchr(e.text, '\n'), "byte %zu: \"%s\"", i, e.text);
        nst_image_destroy(&out);
        data[i] = was;
    }
    ck_assert_uint_gt(opened, 0); /* some bytes are a note's, or another seed */
    nst_free(data);
}
END_TEST

START_TEST(foreign_files)
{
    static const char other[] = "{\"__metadata__\":{\"nst.checkpoint\":\"7 9.9.9\"}}"
        "                                                            ";
    size_t bytes;
    unsigned char *data = checkpoint(&bytes), head[8] = { sizeof other - 1 };
    nst_error e;
    nst_checkpoint *c;

    write_image(style[0], "a.png", NULL);
    ck_assert_int_eq(rename("a.png", "run.nst"), 0);
    refuse(NST_EFORMAT, "is not a checkpoint of nst");
    put_file("run.nst", "", 0);
    refuse(NST_EFORMAT, "is not a checkpoint of nst");
    memcpy(data, head, 8);
    memcpy(data + 8, other, sizeof other - 1);
    put_file("run.nst", data, 8 + sizeof other - 1);
    refuse(NST_EUNSUPPORTED, "another version of nst (7 9.9.9)");
    unlink("run.nst");
    refuse(NST_EIO, "cannot open");
    ck_assert_int_eq(nst_checkpoint_open(&c, "/", &e), NST_EIO);
    nst_free(data);
}
END_TEST

/* One pixel of one picture, the model, the number of pictures. */
START_TEST(other_inputs)
{
    struct watch w = { 0 };
    size_t bytes;
    nst_error e = { "" };
    nst_image *out;
    nst_checkpoint *c;

    nst_free(checkpoint(&bytes));
    *at(style[1], 2, 5, 5) += 1e-3f;
    ck_assert_int_eq(resume(&out, &w, &e), NST_EARG);
    ck_assert_msg(strstr(e.text, "the style picture 2 is not the one"), "%s", e.text);
    *at(style[1], 2, 5, 5) -= 1e-3f;
    *at(content, 3, 5, 5) += .5f;
    ck_assert_int_eq(resume(&out, &w, &e), NST_EARG);
    ck_assert_msg(strstr(e.text, "the content picture is not the one"), "%s", e.text);
    *at(content, 3, 5, 5) -= .5f;
    model->input.mean[0] += .1f;
    ck_assert_int_eq(resume(&out, &w, &e), NST_EARG);
    ck_assert_msg(strstr(e.text, "the model is not the one"), "%s", e.text);
    ck_assert_int_eq(nst_checkpoint_open(&c, "run.nst", &e), NST_OK);
    ck_assert_int_eq(nst_transfer_resume(c, model, content, (const nst_image *const *)style, 1, NULL, NULL, &out, &e),
                     NST_EARG);
    ck_assert_ptr_null(out);
    nst_checkpoint_close(&c);
}
END_TEST

static int write_badly(void *arg, const nst_progress *p)
{
    static char note[NST_CHECKPOINT_TEXT + 2];
    nst_error e = { "" };

    (void)arg;
    memset(note, 'n', sizeof note - 1);
    ck_assert_int_eq(nst_progress_checkpoint(p, "run.nst", note, &e), NST_EARG);
    ck_assert_int_eq(nst_progress_checkpoint(p, "no/folder/run.nst", NULL, &e), NST_EIO);
    if (is_full_device_here()) {
        ck_assert_int_eq(nst_progress_checkpoint(p, "/dev/full", NULL, &e), NST_EIO);
        ck_assert_msg(!strncmp(e.text, "/dev/full: cannot write", 23), "%s", e.text);
    }
    ck_assert_int_eq(count_files(), 0);
    return 1;
}

START_TEST(what_cannot_be_written)
{
    nst_settings *s = settings("nst");
    nst_image *out;

    ck_assert_int_eq(nst_transfer(s, model, content, (const nst_image *const *)style, 2, NULL, write_badly, NULL, &out,
                                  NULL),
                     NST_OK);
    nst_image_destroy(&out);
    nst_settings_destroy(&s);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_checked_fixture(t, make_inputs, drop_inputs);
    tcase_add_test(t, every_damage_is_found);
    tcase_add_test(t, forged_ones_do_no_harm);
    tcase_add_test(t, foreign_files);
    tcase_add_test(t, other_inputs);
    tcase_add_test(t, what_cannot_be_written);
}

int main(void)
{
    return run_tests("checkpoint damage", add);
}
