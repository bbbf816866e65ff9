/* test_opencl_runs.c: whole runs on the first device that OpenCL reaches: ten iterations against the CPU's, and every
 * failure that can be provoked.  Programs and names: test_opencl_programs.c. */
#include <math.h>
#include <string.h>

#include "opencl_golden.h"
#include "../support/oracle.h"

static nst_settings *settings(const char *preset, const char *device)
{
    nst_settings *s;
    nst_error e;

    check_ok(nst_settings_create(&s, preset, &e), &e);
    s->size = 0, s->scales = 1, s->init = NST_INIT_CONTENT, s->threads = 2;
    snprintf(s->device, sizeof s->device, "%s", device);
    return s;
}

/* What a run said. */
struct heard {
    int calls, notices;
    char notice[700];
};

static int hear(void *arg, const nst_progress *p)
{
    struct heard *h = arg;

    h->calls++;
    if (p->notice) {
        h->notices++;
        snprintf(h->notice, sizeof h->notice, "%s", p->notice);
    }
    return 0;
}

static nst_status paint(const char *device, int iterations, struct heard *h, nst_image **out, nst_error *e)
{
    nst_settings *s = settings("opengenus", device);
    nst_status status;

    memset(h, 0, sizeof *h);
    s->iterations = iterations;
    status = nst_transfer(s, model, content, (const nst_image *const *)&style, 1, NULL, hear, h, out, e);
    nst_settings_destroy(&s);
    return status;
}

static void same_picture(const nst_image *a, const nst_image *b)
{
    size_t n = (size_t)a->width * (size_t)a->height;

    ck_assert(a->width == b->width && a->height == b->height);
    for (int c = 0; c < 3; c++)
        for (size_t i = 0; i < n; i++)
            ck_assert_msg(fabs((double)a->plane[c][i] - (double)b->plane[c][i]) <= 1. / 255, "plane %d at %zu: %g, %g",
                          c, i, (double)a->plane[c][i], (double)b->plane[c][i]);
}

/* Ten iterations of preset opengenus: the same picture to within 1/255. */
START_TEST(pictures_agree)
{
    nst_image *cpu, *device;
    struct heard h;
    nst_error e;

    check_ok(paint("cpu", 10, &h, &cpu, &e), &e);
    check_ok(paint("opencl", 10, &h, &device, &e), &e);
    ck_assert(h.calls == 10 && h.notices == 0);
    same_picture(device, cpu);
    nst_image_destroy(&cpu), nst_image_destroy(&device);
}
END_TEST

/* A picture whose first feature map is larger than the device's largest buffer is cut into windows, and nobody sees. */
START_TEST(large_pictures_are_cut)
{
    nst_image *small = content, *plain = style, *out[2];
    struct heard h;
    nst_error e;

    oracle_seed(9);
    check_ok(nst_image_create(&content, 400, 300, 3, &e), &e);
    check_ok(nst_image_create(&style, 400, 300, 3, &e), &e);
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < 400 * 300; i++) {
            content->plane[c][i] = .5f + .25f * oracle_random();
            style->plane[c][i] = .5f + .5f * oracle_random();
        }
    check_ok(paint("cpu", 2, &h, &out[0], &e), &e);
    nst_opencl_fault.allocation = 6 << 20; /* of 400 x 300 x 16 floats: 7.7 MB */
    check_ok(paint("opencl", 2, &h, &out[1], &e), &e);
    ck_assert_int_eq(h.calls, 2);
    same_picture(out[1], out[0]);
    nst_image_destroy(&out[0]), nst_image_destroy(&out[1]);
    nst_image_destroy(&content), nst_image_destroy(&style);
    content = small, style = plain;
}
END_TEST

/* ---- what can fail
 * ------------------------------------------------------------------------------------------------ */

/* Painting on the device fails with a status and a sentence that says all of these; nothing is given. */
static void fails(nst_status want, const char *a, const char *b)
{
    nst_image *out;
    struct heard h;
    nst_error e = { "" };
    nst_status s = paint("opencl:0", 3, &h, &out, &e);

    ck_assert_msg(s == want && strstr(e.text, a) && strstr(e.text, b), "status %d: %s", s, e.text);
    ck_assert_ptr_null(out);
}

/* Features larger than the largest buffer: the sentence says what to do. */
START_TEST(a_small_largest_buffer)
{
    nst_opencl_fault.allocation = 64 << 10;
    fails(NST_EMEM, "at most", "smaller");
}
END_TEST

START_TEST(little_memory)
{
    nst_opencl_fault.memory = 600 << 10;
    fails(NST_EMEM, "out of memory", "smaller");
    nst_opencl_fault.memory = 8 << 20; /* the weights fit, the smallest windows do not: it is not the process's
                                          memory */
    fails(NST_EMEM, "opencl:0", "and the device has");
}
END_TEST

/* The driver's own words about kernels that it does not compile. */
START_TEST(a_broken_source)
{
    nst_opencl_fault.source = "kernel void broken(global float *x) { x[0] = no_such_variable; }";
    fails(NST_EDEVICE, "CL_BUILD_PROGRAM_FAILURE", "no_such_variable");
    nst_opencl_fault.source = "kernel void other(global float *x) { x[0] = 1; }";
    fails(NST_EDEVICE, "first_forward", "CL_INVALID_KERNEL_NAME");
}
END_TEST

/* Failures of products and kernels by their names, whenever they come. */
START_TEST(failures_have_names)
{
    static const int at[] = { 1, 5, 40 };

    for (size_t i = 0; i < NST_COUNT(at); i++) {
        no_faults();
        nst_opencl_fault.gemm = at[i], nst_opencl_fault.gemm_code = -1009;
        fails(NST_EDEVICE, "CLBlast", "InsufficientMemoryC");
        nst_opencl_fault.gemm = at[i], nst_opencl_fault.gemm_code = -2039;
        fails(NST_EDEVICE, "CLBlast", "UnexpectedError");
        nst_opencl_fault.gemm = at[i], nst_opencl_fault.gemm_code = -4;
        fails(NST_EMEM, "CLBlast", "CL_MEM_OBJECT_ALLOCATION_FAILURE");
        nst_opencl_fault.launch = at[i], nst_opencl_fault.launch_code = -5;
        fails(NST_EDEVICE, "kernel ", "CL_OUT_OF_RESOURCES");
        nst_opencl_fault.launch = at[i], nst_opencl_fault.launch_code = -2;
        fails(NST_EDEVICE, "the driver gave up", "CL_DEVICE_NOT_AVAILABLE");
    }
}
END_TEST

/* The first buffer that cannot be had, the fifth, and so on until there are no more: every one that fails is heard
 * of. */
START_TEST(no_buffer)
{
    int failed = 0;

    for (int i = 1; i < 40; i += 4) {
        nst_image *out;
        struct heard h;
        nst_error e = { "" };
        nst_status s;

        no_faults();
        nst_opencl_fault.buffer = i;
        s = paint("opencl:0", 1, &h, &out, &e);
        ck_assert_msg((s == NST_OK) == (nst_opencl_fault.buffer > 0), "buffer %d: status %d, %d to go: %s", i, s,
                      nst_opencl_fault.buffer, e.text);
        nst_image_destroy(&out);
        if (s == NST_OK) /* so many there are not */
            continue;
        ck_assert_msg(strstr(e.text, "CL_MEM_OBJECT_ALLOCATION_FAILURE"), "%s", e.text);
        failed++;
    }
    ck_assert_int_ge(failed, 3);
}
END_TEST

/* A driver that does not answer: after its patience, which is short here, one line. */
START_TEST(a_driver_that_hangs)
{
    nst_opencl_fault.hang = true;
    fails(NST_EDEVICE, "opencl:0", "the driver hangs: no answer");
}
END_TEST

/* With auto a card that fails gives way to the processor, once and with a sentence: the picture is that of the
 * processor, but for the rounding of the iterations before. */
START_TEST(auto_goes_on)
{
    static const struct { int gemm, launch, buffer; bool source, hang, masked; } when[] = {
        { 3, 0, 0, false, false, false },    /* statistics of the style */
        { 150, 0, 0, false, false, false },  /* an iteration */
        { 0, 200, 0, false, false, false },
        { 0, 0, 5, false, false, false },    /* weights */
        { 0, 0, 0, true, false, false },     /* the compiler */
        { 0, 0, 0, false, true, false },     /* a driver that hangs */
        { 3, 0, 0, false, false, true },     /* with a region: statistics of the style */
        { 150, 0, 0, false, false, true },
    };
    nst_image *cpu, *device;
    struct heard h;
    nst_error e;

    if (when[_i].masked) /* the picture's own brightness says where, and what counts */
        check_ok(nst_image_set_region(style, content, style, &e), &e);

    check_ok(paint("cpu", 5, &h, &cpu, &e), &e);
    nst_opencl_fault = (nst_opencl_faults){ .card = true, .gemm = when[_i].gemm, .gemm_code = -4,
                                            .launch = when[_i].launch, .launch_code = -2, .buffer = when[_i].buffer,
                                            .source = when[_i].source ? "broken" : NULL,
                                            .hang = when[_i].hang };
    check_ok(paint("auto", 5, &h, &device, &e), &e);
    ck_assert_int_eq(h.calls, 5);
    ck_assert_int_eq(h.notices, 1);
    ck_assert_msg(strstr(h.notice, "opencl:0") && strstr(h.notice, "going on with the processor"), "%s", h.notice);
    same_picture(device, cpu);
    nst_image_destroy(&cpu), nst_image_destroy(&device);
}
END_TEST

static void add(Suite *s)
{
    TCase *t = opencl_case(s, "runs", read_all, close_all);

    tcase_add_test(t, pictures_agree);
    tcase_add_test(t, large_pictures_are_cut);
    tcase_add_test(t, a_small_largest_buffer);
    tcase_add_test(t, little_memory);
    tcase_add_test(t, a_broken_source);
    tcase_add_test(t, failures_have_names);
    tcase_add_test(t, no_buffer);
    tcase_add_test(t, a_driver_that_hangs);
    tcase_add_loop_test(t, auto_goes_on, 0, 8);
}

int main(void)
{
    return run_opencl("opencl runs", add);
}
