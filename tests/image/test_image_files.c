/* test_image_files.c: pictures that cannot be written, and a file that is replaced whole or not at all. */
#include "../support/picture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

/* ---- writing where it does not work -------------------------------------------- */

/* Refused with this status and text, and no file came or went. */
static void refuse_write(const char *name, const nst_write_options *o, nst_status status, const char *text)
{
    nst_image *in = noise_image(200, 200, 3, 255);
    nst_error e = { "" };
    int files = count_files();
    nst_status s = nst_image_write(in, name, o, &e);

    ck_assert_msg(s == status, "%s: status %d (%s), expected %d", name, s, e.text, status);
    ck_assert_msg(strstr(e.text, text) && !strncmp(e.text, name, strlen(name)), "\"%s\", expected \"%s\"", e.text,
                  text);
    ck_assert_int_eq(count_files(), files);
    nst_image_destroy(&in);
}

START_TEST(write_refusals)
{
    refuse_write("a.gif", NULL, NST_EUNSUPPORTED, "GIF, expected one of .png, .jpg, .jpeg");
    refuse_write("a.xcf", NULL, NST_EARG, "expected a name that ends in .png, .jpg, .jpeg");
    refuse_write("png", NULL, NST_EARG, "expected a name");
    refuse_write("./a.png/", NULL, NST_EARG, "expected a name");
    refuse_write("missing/a.png", NULL, NST_EIO, "cannot write: No such file or directory");
    put_file("file", "x", 1);
    refuse_write("file/a.png", NULL, NST_EIO, "cannot write: Not a directory");
    ck_assert_int_eq(mkdir("folder.png", 0777), 0);
    refuse_write("folder.png", NULL, NST_EIO, "is a directory");
    refuse_write("a.png", &(nst_write_options){ .bits = 12 }, NST_EARG, "expected 8 or 16");
    refuse_write("a.jpg", &(nst_write_options){ .jpeg_quality = 101 }, NST_EARG, "1 to 100");
}
END_TEST

/* A full device, which is written in place. */
START_TEST(full_device)
{
    static const char *const names[] = { "a.png", "a.jpg" };

    if (!is_full_device_here())
        return;
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(symlink("/dev/full", names[i]), 0);
        refuse_write(names[i], NULL, NST_EIO, "cannot write: No space left on device");
        ck_assert_int_eq(unlink(names[i]), 0);
    }
}
END_TEST

/* A disk that fills up while a file is written, by a limit on its length: the old file stays, nothing else is left.
 * Under the limit nothing is asserted, because Check reports through a file. */
START_TEST(full_disk)
{
    static const char *const names[] = { "a.png", "a.jpg" };
    nst_image *in = noise_image(200, 200, 3, 255);
    struct rlimit old, limit;

    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    limit = old;
    limit.rlim_cur = 2000;
    for (size_t i = 0; i < 2; i++) {
        unsigned char *data;
        nst_error e = { "" };
        nst_status s;
        size_t n;

        put_file(names[i], "old", 3);
        setrlimit(RLIMIT_FSIZE, &limit);
        s = nst_image_write(in, names[i], NULL, &e);
        setrlimit(RLIMIT_FSIZE, &old);
        ck_assert_int_eq(s, NST_EIO);
        ck_assert_ptr_nonnull(strstr(e.text, "cannot write: File too large"));
        ck_assert_int_eq(count_files(), (int)i + 1);
        data = get_file(names[i], &n);
        ck_assert(n == 3 && !memcmp(data, "old", 3));
        nst_free(data);
    }
    nst_image_destroy(&in);
}
END_TEST

/* A folder or an old file that may not be written is left alone (tried as a plain user when run by root). */
START_TEST(no_rights)
{
    bool root = geteuid() == 0;

    put_file("old.png", "old", 3);
    ck_assert_int_eq(chmod("old.png", 0444), 0);
    ck_assert_int_eq(mkdir("locked", 0555), 0);
    ck_assert_int_eq(chmod(".", 0777), 0);
    if (root)
        ck_assert_int_eq(seteuid(65534), 0);
    refuse_write("old.png", NULL, NST_EIO, "cannot write: Permission denied");
    refuse_write("locked/a.png", NULL, NST_EIO, "cannot write: Permission denied");
    if (root)
        ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

/* A file is replaced whole, keeps its rights, and a link to it stays a link; no other file is left. */
START_TEST(replaces)
{
    nst_image *in = noise_image(20, 20, 3, 255), *out;
    struct stat st;

    put_file("real.png", "old", 3);
    ck_assert_int_eq(chmod("real.png", 0640), 0);
    ck_assert_int_eq(symlink("real.png", "link.png"), 0);
    write_image(in, "link.png", NULL);
    ck_assert_int_eq(lstat("link.png", &st), 0);
    ck_assert(S_ISLNK(st.st_mode));
    ck_assert_int_eq(stat("real.png", &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0640);
    out = read_image("real.png");
    same_image(in, out, 0);
    ck_assert_int_eq(count_files(), 2);
    nst_image_destroy(&in);
    nst_image_destroy(&out);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, write_refusals);
    tcase_add_test(t, full_device);
    tcase_add_test(t, full_disk);
    tcase_add_test(t, no_rights);
    tcase_add_test(t, replaces);
}

int main(void)
{
    return run_tests("image_files", add);
}
