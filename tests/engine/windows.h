/* windows.h: what the tests of windows and of what they take share: settings that paint a picture as it is, and how
 * much memory is too little. */
#ifndef NST_TESTS_WINDOWS_H
#define NST_TESTS_WINDOWS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/run.h"
#include "../support/scene.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZER_TAKES_MEMORY
#define SLOW true /* each preset in windows or strips of one kind, memory in two steps of three, one run, no large
                     picture */
#else
#define SLOW false
#endif

static inline nst_settings *settings(const char *preset)
{
    nst_settings *s = NULL;

    ck_assert(nst_settings_create(&s, preset, NULL) == NST_OK);
    s->scales = 1;
    s->size = 0; /* as it is */
    s->threads = 2;
    return s;
}

/* Too little memory is one sentence with a number: the number. */
static inline size_t expected(const nst_settings *s, const nst_model *m, const nst_image *content,
                              const nst_image *const *styles, int n_styles)
{
    nst_settings poor = *s;
    nst_plan plan;
    nst_error e = { "" };
    const char *number;

    poor.memory = 1 << 20;
    ck_assert(nst_transfer_plan(&poor, m, content, styles, n_styles, &plan, &e) == NST_EMEM);
    number = strstr(e.text, "expected ");
    ck_assert_msg(number && strstr(e.text, "1 MB of memory are too few"), "%s", e.text);
    return strtoul(number + strlen("expected "), NULL, 10) * 1000000;
}

#endif
