/* test_formats_damage.c: weight files of every format, cut and changed at every byte, programs in a pickle, protobuf
 * without end, other files: a model or a sentence, whatever the damage. */
#include "formats.h"

#include <fcntl.h>

/* Cut at every byte: never a model.  But protobuf ends anywhere between two fields: a cut there leaves a shorter
 * chain, or only what is not needed goes. */
START_TEST(truncated)
{
    for (size_t i = 0; i < NST_COUNT(files); i++) {
        size_t bytes;
        unsigned char *data = get_file(path_of(files[i].file), &bytes);
        size_t step = bytes > 4096 ? 5 : 1;
        int between = 0;
        nst_error e;

        if (files[i].needs >= HDF5) /* libraries that take longer */
            step = 97;
        if (!strcmp(files[i].format, "Caffe"))
            between = 16;
        else if (!strcmp(files[i].format, "ONNX"))
            between = 4;
        if (!readable(files[i].needs)) {
            nst_free(data);
            continue;
        }
        put_file("cut", data, bytes);
        for (size_t n = bytes; n > 0;) {
            n = n > step ? n - step : 0;
            ck_assert_int_eq(truncate("cut", (off_t)n), 0);
            if (opens("cut", &e))
                ck_assert_msg(between-- > 0, "%s cut to %zu bytes is opened", files[i].file, n);
        }
        nst_free(data);
    }
}
END_TEST

/* Each byte of everything but the numbers changed in some ways: a model or a sentence, nothing else.
 * Not HDF5's: libhdf5 1.10 itself leaks then, and says so of its own at the end. */
START_TEST(changed)
{
    for (size_t i = 0; i < NST_COUNT(files); i++) {
        static const unsigned char with[] = { 0x55, 0xff, 0x80, 0x01 };
        size_t bytes, step = files[i].needs >= HDF5 ? 97 : 3;
        unsigned char *data = get_file(path_of(files[i].file), &bytes);
        nst_error e;
        int fd;

        put_file("changed", data, bytes);
        fd = open("changed", O_WRONLY);
        ck_assert_int_ge(fd, 0);
        for (size_t at = 0; readable(files[i].needs) && files[i].needs != HDF5 && at < bytes; at += step) {
            unsigned char bad = data[at] ^ with[at / step % NST_COUNT(with)];

            ck_assert_int_eq(pwrite(fd, &bad, 1, (off_t)at), 1);
            opens("changed", &e);
            ck_assert_int_eq(pwrite(fd, &data[at], 1, (off_t)at), 1);
        }
        close(fd);
        nst_free(data);
    }
}
END_TEST

/* A legacy file whose object is this pickle: refused, with these words. */
static void refuse_pickle(const void *pickle, size_t n, const char *words)
{
    static const unsigned char head[] =
        "\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\2M\xe9\3.\x80\2}q\0.";
    static const unsigned char keys[] = "\x80\2]q\0.";
    FILE *f = fopen("bad.pth", "wb");
    nst_error e = { "" };

    ck_assert_ptr_nonnull(f);
    fwrite(head, 1, sizeof head - 1, f);
    fwrite(pickle, 1, n, f);
    fwrite(keys, 1, sizeof keys - 1, f);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_msg(!opens("bad.pth", &e), "a bad pickle is opened: expected \"%s\"", words);
    ck_assert_msg(strstr(e.text, words) != NULL, "\"%s\", expected \"%s\"", e.text, words);
}
#define REFUSE(text, words) refuse_pickle(text, sizeof(text) - 1, words)

START_TEST(pickled_programs)
{
    REFUSE("\x80\2cos\nsystem\nX\4\0\0\0true\x85R.", "names os.system, which weights do not need");
    REFUSE("\x80\2cbuiltins\neval\nX\1\0\0\0" "1\x85R.", "names builtins.eval");
    REFUSE("\x80\4\x8c\5posix\x8c\6system\x93.", "names posix.system");
    REFUSE("\x80\2c__torch__\nVGG\n)\x81.", "names __torch__.VGG");
    REFUSE("\x80\2ctorch\nFloatStorage\n)R.", "a storage is called");
    REFUSE("\x80\2i__main__\nX\n.", "opcode 0x69");
    REFUSE("\x80\2P0\n.", "opcode 0x50");
}
END_TEST

START_TEST(pickled_nonsense)
{
    REFUSE("\x80\2.", "one value expected");
    REFUSE("\x80\2(.", "one value expected");
    REFUSE("\x80\2K\1K\2.", "one value expected");
    REFUSE("\x80\2K\1.", "holds no dict");
    REFUSE("\x80\2}.", "no convolution");
    REFUSE("\x80\2t.", "a mark is missing");
    REFUSE("\x80\2\x87.", "values are missing");
    REFUSE("\x80\2((\x86.", "a mark in a tuple");
    REFUSE("\x80\2]((e.", "no list");
    REFUSE("\x80\2](K\1(K\2e.", "no list");
    REFUSE("\x80\2K\1K\2s.", "a value is missing");
    REFUSE("\x80\2}(K\1u.", "no dict");
    REFUSE("\x80\2h\7.", "no such entry");
    REFUSE("\x80\2Nr\xff\xff\xff\x7f.", "absurd number in the memo");
    REFUSE("\x80\2X\xff\xff\xff\xff" "abc.", "longer than the rest");
    REFUSE("\x80\2\x8a\xff.", "it ends here");
    REFUSE("\x80\2N)R.", "no global");
    REFUSE("\x80\2NQ.", "a storage's description");
    REFUSE("\x80\2ctorch._utils\n_rebuild_tensor_v2\n)R.", "a tensor's storage");
    /* a storage whose view is no tuple: its text's address is not to be taken for a place among the values */
    REFUSE("\x80\2(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0000X\3\0\0\0cpuK\4X\3\0\0\0abctQ.",
           "a storage's view");
    /* an own list in itself, and a dict in itself */
    REFUSE("\x80\2]q\0h\0a.", "holds no dict");
    REFUSE("\x80\2}q\0X\1\0\0\0ah\0s.", "no convolution");
}
END_TEST

/* A list of many pairs made into a dict again and again: memory stays bounded. */
START_TEST(pickles_that_grow)
{
    char *deep = nst_alloc(2 << 20);
    size_t n = (size_t)sprintf(deep, "\x80\2ccollections\nOrderedDict\nq");
    memcpy(deep + n, "\0](", 3), n += 3;
    for (int i = 0; i < 50000; i++)
        memcpy(deep + n, "NN\x86", 3), n += 3;
    memcpy(deep + n, "e\x85q\1", 4), n += 4;
    for (int i = 0; i < 50000; i++)
        memcpy(deep + n, "h\0h\1R", 5), n += 5;
    deep[n++] = '.';
    refuse_pickle(deep, n, "absurdly many items");
    nst_free(deep);
}
END_TEST

/* Tuples in tuples, marks on marks. */
START_TEST(pickles_that_nest)
{
    char *deep = nst_alloc(2 << 20);
    size_t n = 3 + (1 << 20);

    memcpy(deep, "\x80\2)", 3);
    memset(deep + 3, '\x85', 1 << 20);
    deep[n++] = '.';
    refuse_pickle(deep, n, "holds no dict");
    memset(deep + 2, '(', 1 << 20);
    deep[2 + (1 << 20)] = '.';
    refuse_pickle(deep, 3 + (1 << 20), "one value expected");
    nst_free(deep);
}
END_TEST

static void refuse_bytes(const void *bytes, size_t n, const char *words)
{
    nst_error e = { "" };

    put_file("bad.pb", bytes, n);
    ck_assert_msg(!opens("bad.pb", &e), "bad protobuf is opened: expected \"%s\"", words);
    ck_assert_msg(strstr(e.text, words) != NULL, "\"%s\", expected \"%s\"", e.text, words);
}
#define REFUSE_PB(text, words) refuse_bytes(text, sizeof(text) - 1, words)

START_TEST(protobuf)
{
    REFUSE_PB("\x0a\3VGG\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
              "damaged or truncated"); /* a number without end */
    REFUSE_PB("\x0a\3VGG\xa2\x06\xff\xff\xff\xff\xff\xff\xff\xff\xff\1",
              "damaged or truncated"); /* a length of 2^64 - 1 */
    REFUSE_PB("\x0a\3VGG\x13\x13\x13\x13\x13", "damaged or truncated"); /* groups in groups */
    REFUSE_PB("\x0a\3VGG\0\0\0\0\0", "damaged or truncated"); /* field 0 */
    REFUSE_PB("\x0a\3VGG\x0a\3VGG", "no convolution");
    REFUSE_PB("\x0a\3VGG\xa2\x06\x2d\x0a\7" "conv1_1\x3a\x22\x3a\x12\x0a\x10"
              "\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x80\x80\x80\x80\x10\3\3"
              "\x2a\x0c" "abcdabcdabcd", "side of 9223372036854775807"); /* a shape that lies */
    REFUSE_PB("\x0a\3VGG\xa2\x06\x20\x0a\7" "conv1_1\x3a\x15\x3a\5\x0a\3\2\3\3\x2a\x0c" "abcdabcdabcd", "dimensions");
    REFUSE_PB("\x0a\3VGG\xa2\x06\x19\x0a\7" "conv1_1\x3a\x0e\x2d" "abcd\x2d" "abcd\x2d" "abc", "not in one piece");
    REFUSE_PB("\x08\7\x3a\x08\x0a\6\x22\4" "Gemm", "begins with Gemm");
    REFUSE_PB("\x08\7\x3a\x08\x0a\6\x22\4" "Conv", "convolution 1 has 0 inputs");
    REFUSE_PB("\x08\7\x3a\4\x0a\6\x22\4" "Conv", "damaged or truncated");
}
END_TEST

static void refuse_text(const char *text, size_t n, const char *words)
{
    nst_error e = { "" };

    put_file("other", text, n);
    ck_assert(!opens("other", &e));
    ck_assert_msg(strstr(e.text, words) != NULL, "\"%s\", expected \"%s\"", e.text, words);
}

START_TEST(others)
{
    nst_error e = { "" };

    refuse_text("<!DOCTYPE html><html></html>", 28, "web page");
    refuse_text("version https://git-lfs.github.com/spec/v1\n", 43, "Git LFS");
    refuse_text("\x80\2}q\0.          ", 16, "pickle that torch.save did not write");
    refuse_text("\xff\xd8\xff\xe0          ", 14, "JPEG");
    refuse_text("", 0, "too few");
    refuse_text("hello, world, this is text", 26, "is not");
    ck_assert(!opens("no such file", &e));
    ck_assert_msg(strstr(e.text, "No such file") != NULL, "%s", e.text);
    ck_assert(!opens("/dev/null", &e));
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, truncated);
    tcase_add_test(t, changed);
    tcase_add_test(t, pickled_programs);
    tcase_add_test(t, pickled_nonsense);
    tcase_add_test(t, pickles_that_grow);
    tcase_add_test(t, pickles_that_nest);
    tcase_add_test(t, protobuf);
    tcase_add_test(t, others);
}

int main(void)
{
    return run_tests("formats damage", add);
}
