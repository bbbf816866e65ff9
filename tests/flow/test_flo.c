/* test_flo.c: Middlebury's .flo files: by their description, there and back, cut at every byte, forged. */
#include "flow/flow.h"
#include "../support/picture.h"

/* 3 x 2, by hand: 1.5 -2 at the first pixel, "not known" at the second, -0 and a denormal at the last. */
static const unsigned char sample[] = {
    'P', 'I', 'E', 'H', 3, 0, 0, 0, 2, 0, 0, 0,
    0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0,
    0xf9, 2, 0x15, 0x50, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0x80, 0x3f,
    0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0x80, 1, 0, 0, 0,
};

static void refuse(const char *name, nst_status status, const char *text)
{
    nst_error e = { "" };
    nst_flow *flow = (nst_flow *)&e;

    ck_assert_int_eq(nst_flow_read(&flow, name, &e), status);
    ck_assert(!flow);
    ck_assert_msg(strstr(e.text, text) && !strncmp(e.text, name, strlen(name)), "\"%s\", expected \"%s\"", e.text,
                  text);
}

START_TEST(read_sample)
{
    nst_error e = { "" };
    nst_flow *flow;
    size_t bytes;
    unsigned char *written;

    put_file("a.flo", sample, sizeof sample);
    ck_assert_msg(!nst_flow_read(&flow, "a.flo", &e), "%s", e.text);
    ck_assert(nst_flow_width(flow) == 3 && nst_flow_height(flow) == 2);
    ck_assert(flow->plane[0][0] == 1.5f && flow->plane[1][0] == -2);
    ck_assert(isnan(flow->plane[0][1]) && isnan(flow->plane[1][1]));
    ck_assert(flow->plane[0][2] == 0 && flow->plane[1][2] == 1);
    ck_assert(signbit(flow->plane[0][5]) && flow->plane[1][5] > 0 && flow->plane[1][5] < 1e-40f);
    ck_assert_msg(!nst_flow_write(flow, "b.flo", &e), "%s", e.text);
    written = get_file("b.flo", &bytes);
    ck_assert(bytes == sizeof sample);
    for (size_t i = 0; i < bytes; i++) /* but for the unknown pixel, of which both numbers are so */
        ck_assert(written[i] == sample[i] || (i >= 20 && i < 28));
    ck_assert(!memcmp(written + 20, written + 24, 4) && !memcmp(written + 20, sample + 20, 4));
    nst_free(written);
    nst_flow_destroy(&flow);
}
END_TEST

START_TEST(cut_short)
{
    for (size_t n = 0; n < sizeof sample; n++) {
        put_file("a.flo", sample, n);
        refuse("a.flo", NST_EFORMAT, n < 12 ? "is no flow file" : "truncated");
    }
}
END_TEST

static void forge(size_t at, uint32_t v, const char *text)
{
    unsigned char b[sizeof sample];

    memcpy(b, sample, sizeof b);
    for (size_t k = 0; k < 4; k++)
        b[at + k] = (unsigned char)(v >> 8 * k);
    put_file("a.flo", b, sizeof b);
    refuse("a.flo", NST_EFORMAT, text);
}

/* Sizes that are none, too large, and larger than the file: before memory is taken for them. */
START_TEST(forged)
{
    static const float numbers[] = { INFINITY, -INFINITY, NAN, 2e9f, -3e38f };
    nst_flow *flow;

    forge(4, 0, "0 x 2 pixels");
    forge(8, 0, "3 x 0 pixels");
    forge(4, 0xffffffff, "4294967295");
    forge(4, 65536, "65536");
    forge(4, 60000, "truncated: 60 bytes, expected 960012");
    forge(0, 0, "is no flow file");
    for (size_t i = 0; i < NST_COUNT(numbers); i++) {
        unsigned char b[sizeof sample];

        memcpy(b, sample, sizeof b);
        memcpy(b + 12, &numbers[i], 4);
        put_file("a.flo", b, sizeof b);
        ck_assert_int_eq(nst_flow_read(&flow, "a.flo", NULL), NST_OK);
        ck_assert(isnan(flow->plane[0][0]) && isnan(flow->plane[1][0]));
        nst_flow_destroy(&flow);
    }
    refuse("none.flo", NST_EIO, "No such file");
    ck_assert_int_eq(mkdir("d", 0700), 0);
    refuse("d", NST_EIO, "");
    ck_assert_int_eq(nst_flow_create(&flow, 2, 2, NULL), NST_OK);
    ck_assert_int_eq(nst_flow_write(flow, "none/a.flo", NULL), NST_EIO);
    nst_flow_destroy(&flow);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_checked_fixture(t, enter_folder, leave_folder);
    tcase_add_test(t, read_sample);
    tcase_add_test(t, cut_short);
    tcase_add_test(t, forged);
}

int main(void)
{
    return run_suite("flo", add);
}
