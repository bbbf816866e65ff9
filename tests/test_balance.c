/* test_balance.c: the one dial moves a picture from its content to the style, further with every step, and 50 is the preset. */
#include "picture.h"
#include "run.h"

#define SIDE 64
static const double dial[] = { 0, 25, 50, 75, 100 };

/* Discs on a slope of colour against stripes of other colours. */
static nst_image *content_image(void)
{
    nst_image *p = new_image(SIDE, SIDE, 3);

    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            bool disc = (x - 20) * (x - 20) + (y - 26) * (y - 26) < 180 || (x > 37 && x < 57 && y > 17 && y < 53);

            *at(p, 0, x, y) = disc ? .85f : .2f + .002f * (float)y;
            *at(p, 1, x, y) = disc ? .7f : .4f;
            *at(p, 2, x, y) = disc ? .3f : .7f - .003f * (float)y;
        }
    return p;
}

static nst_image *style_image(void)
{
    nst_image *p = new_image(SIDE, SIDE, 3);

    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            float s = (float)(.5 + .5 * sin(.5 * x + 3 * sin(.06 * y)));

            *at(p, 0, x, y) = .9f * s;
            *at(p, 1, x, y) = .3f * s + .1f;
            *at(p, 2, x, y) = .5f - .4f * s;
        }
    return p;
}

static nst_settings *small(const char *preset)
{
    nst_settings *s = NULL;

    ck_assert_int_eq(nst_settings_create(&s, preset, NULL), NST_OK);
    s->size = SIDE;
    s->scales = 1;
    s->iterations = s->first_iterations = 15;
    s->seed = 3;
    s->threads = 1;
    if (!strcmp(s->style_layers, "auto")) /* eigenvalues of the larger layers would take most of the time */
        strcpy(s->style_layers, "conv1_1:0.5,conv2_1:0.7");
    return s;
}

static nst_image *paint(const nst_settings *s, const nst_model *m, const nst_image *c, const nst_image *style,
                        nst_progress_fn *fn, void *arg)
{
    nst_image *out = NULL;
    nst_error e = { "" };

    ck_assert_msg(nst_transfer(s, m, c, &style, 1, NULL, fn, arg, &out, &e) == NST_OK, "%s", e.text);
    return out;
}

static int last(void *arg, const nst_progress *p)
{
    *(nst_progress *)arg = *p;
    return 0;
}

/* How far a picture is from content and style by the preset's own losses at strength 50, as the start of a run. */
static void distances(const nst_settings *s, const nst_model *m, nst_image *p, const nst_image *c, const nst_image *style,
                      double *content, double *styles)
{
    nst_settings look = *s;
    nst_progress first;
    nst_image *out = NULL;

    look.scales = look.iterations = look.first_iterations = 1;
    look.strength = 50;
    look.recolor = look.init_noise = 0;
    look.init = NST_INIT_IMAGE;
    ck_assert_int_eq(nst_transfer(&look, m, c, &style, 1, p, last, &first, &out, NULL), NST_OK);
    *content = first.content;
    *styles = 0;
    for (int i = 0; i < first.style_layers; i++)
        *styles += first.style[i];
    nst_image_destroy(&out);
}

static double difference(const nst_image *a, const nst_image *b)
{
    double sum = 0;

    for (int i = 0; i < 3 * SIDE * SIDE; i++)
        sum += fabs((double)a->plane[0][i] - b->plane[0][i]) / (3 * SIDE * SIDE);
    return sum;
}

static void monotone(const char *preset, const nst_model *m)
{
    nst_settings *s = small(preset);
    nst_image *c = content_image(), *style = style_image();
    double content[NST_COUNT(dial)], styles[NST_COUNT(dial)];

    for (size_t i = 0; i < NST_COUNT(dial); i++) {
        nst_image *p;

        s->strength = dial[i];
        p = paint(s, m, c, style, NULL, NULL);
        distances(s, m, p, c, style, &content[i], &styles[i]);
        if (i == 0)
            ck_assert_msg(difference(p, c) < .02, "mean difference at 0: %g", difference(p, c));
        printf("%s, strength %g: content %.4g, style %.4g\n", preset, dial[i], content[i], styles[i]);
        nst_image_destroy(&p);
    }
    fflush(stdout);
    for (size_t i = 1; i < NST_COUNT(dial); i++) {
        ck_assert_msg(content[i] > content[i - 1], "content at %g: %g, at %g: %g", dial[i - 1], content[i - 1], dial[i], content[i]);
        ck_assert_msg(styles[i] < styles[i - 1], "style at %g: %g, at %g: %g", dial[i - 1], styles[i - 1], dial[i], styles[i]);
    }
    nst_image_destroy(&c);
    nst_image_destroy(&style);
    nst_settings_destroy(&s);
}

/* With every step of the dial the result lies further from the content and nearer to the style; at 0 it is the content, but
 * for a fiftieth of the range. */
START_TEST(further_and_further)
{
    nst_model *m = NULL;

    ck_assert_int_eq(nst_model_open(&m, "wavelet", NULL), NST_OK);
    monotone("nst", m);
    nst_model_close(&m);
}
END_TEST

/* 50 changes no value of any preset, of any model; below, everything that moves the picture shrinks, above only the style's
 * weight grows, and more is more; a random start stays random. */
START_TEST(values)
{
    for (int i = 0; nst_preset_name(i); i++)
        for (int wavelet = 0; wavelet < 2; wavelet++) {
            nst_settings *s = small(nst_preset_name(i)), t = *s;
            double before = 0;

            ck_assert(s->strength == 50);
            nst_settings_balance(&t, wavelet);
            ck_assert(t.style_weight == s->style_weight && t.tv_weight == s->tv_weight && t.recolor == s->recolor &&
                      t.init_noise == s->init_noise && t.content_weight == s->content_weight);
            for (int k = 0; k <= 100; k += 5) {
                t = *s;
                t.strength = k;
                nst_settings_balance(&t, wavelet);
                ck_assert(t.style_weight > before && isfinite(t.style_weight) && t.strength == 50);
                ck_assert(t.recolor <= s->recolor && t.init_noise <= s->init_noise && t.tv_weight <= s->tv_weight);
                ck_assert(k < 50 || (t.recolor == s->recolor && t.init_noise == s->init_noise && t.tv_weight == s->tv_weight));
                ck_assert(k > 0 || (t.recolor == 0 && (t.init_noise == 0 || s->init == NST_INIT_RANDOM)));
                ck_assert(t.content_weight == s->content_weight);
                before = t.style_weight;
            }
            nst_settings_destroy(&s);
        }
}
END_TEST

/* A strength outside of 0 to 100 is refused, by name. */
START_TEST(range)
{
    static const double bad[] = { -1, 100.5, NAN };
    nst_settings *s = small("nst");
    nst_error e;

    for (size_t i = 0; i < NST_COUNT(bad); i++) {
        s->strength = bad[i];
        ck_assert_int_eq(nst_settings_check(s, &e), NST_EARG);
        ck_assert_msg(!strncmp(e.text, "strength: ", 10), "%s", e.text);
    }
    nst_settings_destroy(&s);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, further_and_further);
    tcase_add_test(t, values);
    tcase_add_test(t, range);
}

int main(void)
{
    return run_tests("balance", add);
}
