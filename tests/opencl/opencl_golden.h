/* opencl_golden.h: the small model and pictures of tests/data/golden, for tests of the OpenCL device. */
#ifndef NST_TESTS_OPENCL_GOLDEN_H
#define NST_TESTS_OPENCL_GOLDEN_H

#include <stdlib.h>

#include "engine/run.h"
#include "opencl_test.h"
#include "../support/source.h"

static nst_model *model;
static nst_image *content, *start, *style;

static const char *path(const char *name)
{
    char text[256];

    snprintf(text, sizeof text, "tests/data/golden/%s", name);
    return source_file(text);
}

static inline void read_all(void)
{
    nst_error e;

    check_ok(nst_model_open(&model, path("tiny.safetensors"), &e), &e);
    check_ok(nst_image_read(&content, path("content-67x51.png"), &e), &e);
    check_ok(nst_image_read(&start, path("start-67x51.png"), &e), &e);
    check_ok(nst_image_read(&style, path("style-67x51.png"), &e), &e);
}

static inline void close_all(void)
{
    nst_model_close(&model);
    nst_image_destroy(&content), nst_image_destroy(&start), nst_image_destroy(&style);
}

#endif
