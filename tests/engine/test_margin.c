/* test_margin.c: what is painted around the pictures goes on by reflection and comes off again. */
#include <stdlib.h>
#include <string.h>

#include "engine/run.h"
#include "../support/suite.h"

static nst_image *ramp(int w, int h, int channels)
{
    nst_image *p = NULL;

    ck_assert(nst_image_create(&p, w, h, channels, NULL) == NST_OK);
    for (int c = 0; c < channels; c++)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
                p->plane[c][y * w + x] = (float)(100 * c + 10 * y + x);
    return p;
}

/* Every pixel of the margin is the one that lies opposite of the side, also where the margin is wider than the
 * picture. */
START_TEST(reflection)
{
    static const int margins[] = { 1, 3, 16 };
    const int w = 7, h = 5;

    for (size_t k = 0; k < NST_COUNT(margins); k++) {
        int m = margins[k];
        nst_image *p = ramp(w, h, 4);

        ck_assert(nst_margin_add(&p, m, NULL) == NST_OK);
        ck_assert(p->width == w + 2 * m && p->height == h + 2 * m && p->channels == 4);
        for (int y = -m; y < h + m; y++)
            for (int x = -m; x < w + m; x++) {
                int i = abs(x) % (2 * (w - 1)), j = abs(y) % (2 * (h - 1));

                i = i < w ? i : 2 * (w - 1) - i;
                j = j < h ? j : 2 * (h - 1) - j;
                ck_assert(p->plane[3][(y + m) * p->width + x + m] == (float)(300 + 10 * j + i));
            }
        nst_image_destroy(&p);
    }
}
END_TEST

/* Off again, every bit is as before; a margin of 0 does nothing at all. */
START_TEST(there_and_back)
{
    nst_image *p = ramp(9, 6, 3), *q = ramp(9, 6, 3), *same = p;

    ck_assert(nst_margin_add(&p, 0, NULL) == NST_OK && p == same);
    ck_assert(nst_margin_add(&p, 4, NULL) == NST_OK);
    ck_assert(nst_margin_cut(&p, 4, NULL) == NST_OK);
    ck_assert(p->width == 9 && p->height == 6);
    for (int c = 0; c < 3; c++)
        ck_assert(!memcmp(p->plane[c], q->plane[c], 9 * 6 * sizeof(float)));
    nst_image_destroy(&p);
    nst_image_destroy(&q);
}
END_TEST

static nst_image *paint(int margin)
{
    nst_image *content = ramp(61, 53, 3), *out = NULL;
    nst_settings *s = NULL;
    nst_model *m = NULL;
    nst_error e = { "" };

    for (int c = 0; c < 3; c++)
        for (int i = 0; i < 61 * 53; i++)
            content->plane[c][i] = (float)((i * (7 + c)) % 256) / 255;
    ck_assert(nst_settings_create(&s, NULL, &e) == NST_OK && nst_model_open(&m, "small", &e) == NST_OK);
    s->size = 96;
    s->min_size = 60; /* two scales, both with room for a margin */
    s->iterations = s->first_iterations = 2;
    s->margin = margin;
    ck_assert_msg(nst_transfer(s, m, content, (const nst_image *[]){ content }, 1, NULL, NULL, NULL, &out,
                               &e) == NST_OK,
                  "%s", e.text);
    nst_image_destroy(&content);
    nst_settings_destroy(&s);
    nst_model_close(&m);
    return out;
}

/* A run with a margin gives a picture of the same size as one without, another one, and none that fails. */
START_TEST(transfer)
{
    nst_image *with = paint(16), *without = paint(0);

    ck_assert(with->width == 96 && with->width == without->width && with->height == without->height);
    ck_assert(memcmp(with->plane[0], without->plane[0], 64 * sizeof(float)) != 0);
    nst_image_destroy(&with);
    nst_image_destroy(&without);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, reflection);
    tcase_add_test(t, there_and_back);
    tcase_add_test(t, transfer);
}

int main(void)
{
    return run_suite("margin", add);
}
