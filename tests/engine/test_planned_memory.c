/* test_planned_memory.c: what a painting takes is what was planned: the process's peak, a content picture that may be
 * spent, the least that will do; and the cores of windows cover a picture once. */
#include <math.h>

#include "windows.h"

/* A content picture that may be spent is empty afterwards, but where its colours are wanted at the end, and the result
 * is the same; the plan counts it as gone. */
START_TEST(spent)
{
    nst_settings *s = settings("nst");
    nst_image *content = picture(150, 117, 3, 3), *style = picture(90, 80, 3, 5), *given = nst_image_copy(content), *a;
    nst_image *b;
    nst_model *m = NULL;
    nst_plan whole, less;

    ck_assert(given && nst_model_open(&m, "small", NULL) == NST_OK);
    s->size = 150, s->scales = 2, s->iterations = 2, s->first_iterations = 2, s->optimizer = NST_ADAM;
    nst_image_allow_discard(given);
    ck_assert(nst_transfer_plan(s, m, content, (const nst_image *[]){ style }, 1, &whole, NULL) == NST_OK);
    ck_assert(nst_transfer_plan(s, m, given, (const nst_image *[]){ style }, 1, &less, NULL) == NST_OK);
    ck_assert(less.bytes < whole.bytes && nst_image_plane(given, 0));
    s->color = NST_COLOR_CONTENT;
    ck_assert(nst_transfer(s, m, given, (const nst_image *[]){ style }, 1, NULL, NULL, NULL, &a, NULL) == NST_OK);
    ck_assert(nst_image_plane(given, 0));
    nst_image_destroy(&a);
    s->color = NST_COLOR_MATCH;
    ck_assert(nst_transfer(s, m, content, (const nst_image *[]){ style }, 1, NULL, NULL, NULL, &a, NULL) == NST_OK);
    ck_assert(nst_transfer(s, m, given, (const nst_image *[]){ style }, 1, NULL, NULL, NULL, &b, NULL) == NST_OK);
    ck_assert(!memcmp(a->plane[0], b->plane[0], 3 * sizeof(float) * 150 * 117));
    ck_assert(!nst_image_plane(given, 0) && nst_image_width(given) == 150 && nst_image_plane(content, 0));
    nst_image_destroy(&a);
    nst_image_destroy(&b);
    nst_image_destroy(&given);
    nst_image_destroy(&content);
    nst_image_destroy(&style);
    nst_model_close(&m);
    nst_settings_destroy(&s);
}
END_TEST

/* Too little memory is one sentence with a number, and that number does. */
START_TEST(too_little)
{
    nst_settings *s = settings("nst");
    nst_image *content = picture(420, 280, 3, 3);
    nst_model *m = NULL;
    nst_plan plan;
    nst_error e = { "" };

    ck_assert(nst_model_open(&m, "small", NULL) == NST_OK);
    s->size = 420, s->scales = 0;
    s->memory = expected(s, m, content, (const nst_image *const *)&content, 1);
    ck_assert_msg(nst_transfer_plan(s, m, content, (const nst_image *const *)&content, 1, &plan, &e) == NST_OK, "%s",
                  e.text);
    ck_assert(plan.bytes <= s->memory && plan.windows[plan.scales - 1] > 4);
    for (int k = 1; k < 48; k++) { /* nor does more memory make a plan that takes more than there is */
        s->memory += s->memory / 40;
        ck_assert(nst_transfer_plan(s, m, content, (const nst_image *const *)&content, 1, &plan, NULL) == NST_OK);
        ck_assert_msg(plan.bytes <= s->memory, "%zu bytes planned of %zu", plan.bytes, (size_t)s->memory);
    }
    nst_image_destroy(&content);
    nst_model_close(&m);
    nst_settings_destroy(&s);
}
END_TEST

#ifndef SANITIZER_TAKES_MEMORY
/* Kilobytes of a row of /proc/self/status; 0 where there is none. */
static double status_row(const char *name)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    double v = 0;

    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, name, strlen(name)))
            v = strtod(line + strlen(name), NULL);
    if (f)
        fclose(f);
    return v;
}
#endif

/* The plan's bytes are the process's peak, within a tenth: scale by scale with L-BFGS, Adam, and in windows.  Each in a
 * process of its own. */
START_TEST(peak)
{
#ifdef SANITIZER_TAKES_MEMORY
    printf("skipped: peak, a sanitizer takes memory of its own\n");
#else
    nst_settings *s = settings("nst");
    nst_image *content = picture(560, 420, 3, 3), *style = picture(420, 560, 3, 5);
    nst_model *m = NULL;
    nst_plan plan;
    double high;

    ck_assert(nst_model_open(&m, "small", NULL) == NST_OK);
    s->size = 560, s->scales = _i == 1 ? 1 : 0, s->optimizer = _i == 1 ? NST_ADAM : NST_LBFGS;
    s->learning_rate = 0;
    s->iterations = s->first_iterations = 3;
    s->memory = _i == 2 ? 150000000 : 0;
    ck_assert(nst_transfer_plan(s, m, content, (const nst_image *[]){ style }, 1, &plan, NULL) == NST_OK);
    ck_assert((plan.windows[plan.scales - 1] > 1) == (_i == 2));
    nst_image_destroy(&content);
    content = picture(560, 420, 3, 3);
    {
        nst_image *out = NULL;

        ck_assert(nst_transfer(s, m, content, (const nst_image *[]){ style }, 1, NULL, NULL, NULL, &out,
                               NULL) == NST_OK);
        nst_image_destroy(&out);
    }
    high = 1024 * status_row("VmHWM:");
    printf("plan %.0f MB, peak %.0f MB\n", (double)plan.bytes / 1e6, high / 1e6);
    if (high > 0)
        ck_assert_msg(fabs((double)plan.bytes - high) < .1 * high, "planned %.1f MB, %.1f MB taken",
                      (double)plan.bytes / 1e6, high / 1e6);
    nst_image_destroy(&content);
    nst_image_destroy(&style);
    nst_model_close(&m);
    nst_settings_destroy(&s);
#endif
}
END_TEST

/* Cores cover a picture once, on the grid, whatever its size. */
START_TEST(cores)
{
    nst_settings *s = settings("nst");
    nst_image *content = picture(80, 80, 3, 3);
    nst_model *m = NULL;
    nst_run r = { .job.settings = s, .job.content = content, .job.styles = (const nst_image *const *)&content,
                  .job.n_styles = 1 };

    ck_assert(nst_model_open(&m, "small", NULL) == NST_OK);
    r.job.model = m;
    ck_assert(nst_run_open(&r, NULL) == NST_OK);
    for (int w = 90; w < 140; w += 7) {
        nst_row_range all = { w, 0, w, r.setup.margin, w - r.setup.margin, 0, w, w };
        int finest = nst_windows_finest(&r.setup, &all).nx;

        for (int nx = 1; nx <= finest; nx++) {
            int at = r.setup.margin;

            for (int i = 0; i < nx; i++) {
                nst_window win = nst_windows_at(&r.setup, &all, (nst_tiling){ nx, 1, 0 }, i);

                ck_assert(win.core_x == at && win.core_w > 0 && win.core_x % nst_graph_grid(r.setup.graph) == 0);
                ck_assert(win.x >= 0 && win.x <= win.core_x && win.x % nst_graph_grid(r.setup.graph) == 0);
                ck_assert(win.x + win.w <= w && win.x + win.w >= win.core_x + win.core_w);
                at += win.core_w;
            }
            ck_assert(at == w - r.setup.margin);
        }
    }
    nst_run_close(&r);
    nst_image_destroy(&content);
    nst_model_close(&m);
    nst_settings_destroy(&s);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, spent);
    tcase_add_loop_test(t, peak, 0, 3);
    tcase_add_test(t, too_little);
    tcase_add_test(t, cores);
}

int main(void)
{
    return run_suite("planned memory", add);
}
