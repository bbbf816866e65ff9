/* test_balance.c: the one dial moves a picture from its content to the style, further with every step, and 50 is the
 * preset; whose colours the result has; how large each style is. */
#include "engine/run.h"
#include "../support/picture.h"

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
    if (!strcmp(s->preset, "nst")) /* the larger layers would take most of the time */
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
static void distances(const nst_settings *s, const nst_model *m, nst_image *p, const nst_image *c,
                      const nst_image *style, double *content, double *styles)
{
    nst_settings look = *s;
    nst_progress first;
    nst_image *out = NULL;

    look.scales = look.iterations = look.first_iterations = 1;
    look.strength = 50;
    look.color = NST_COLOR_STYLE;
    look.init_noise = 0;
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
        ck_assert_msg(content[i] > content[i - 1], "content at %g: %g, at %g: %g", dial[i - 1], content[i - 1],
                      dial[i], content[i]);
        ck_assert_msg(styles[i] < styles[i - 1], "style at %g: %g, at %g: %g", dial[i - 1], styles[i - 1], dial[i],
                      styles[i]);
    }
    nst_image_destroy(&c);
    nst_image_destroy(&style);
    nst_settings_destroy(&s);
}

/* With every step of the dial the result lies further from the content and nearer to the style; at 0 it is the content,
 * but for a fiftieth of the range. */
START_TEST(further_and_further)
{
    nst_model *m = NULL;

    ck_assert_int_eq(nst_model_open(&m, "small", NULL), NST_OK);
    monotone("nst", m);
    nst_model_close(&m);
}
END_TEST

/* 50 changes no value of any preset; below, everything that moves the picture shrinks, above only the style's
 * weight grows, and more is more; a random start stays random. */
START_TEST(values)
{
    for (int i = 0; nst_preset_name(i); i++) {
        nst_settings *s = small(nst_preset_name(i)), t = *s;
        double before = 0;

        ck_assert(s->strength == 50);
        nst_settings_balance(&t);
        ck_assert(t.style_weight == s->style_weight && t.tv_weight == s->tv_weight &&
                  t.color_strength == s->color_strength &&
                  t.init_noise == s->init_noise && t.content_weight == s->content_weight);
        for (int k = 0; k <= 100; k += 5) {
            t = *s;
            t.strength = k;
            nst_settings_balance(&t);
            ck_assert(t.style_weight > before && isfinite(t.style_weight) && t.strength == 50);
            ck_assert(t.color_strength <= s->color_strength && t.init_noise <= s->init_noise &&
                      t.tv_weight <= s->tv_weight);
            ck_assert(k < 50 || (t.color_strength == s->color_strength && t.init_noise == s->init_noise &&
                                 t.tv_weight == s->tv_weight));
            ck_assert(k > 0 || ((t.color_strength == 0 || s->color != NST_COLOR_MATCH) &&
                                (t.init_noise == 0 || s->init == NST_INIT_RANDOM)));
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

/* Pictures that nst_progress_image gives, and the last one. */
struct seen {
    nst_image *preview;
};

static int look_at(void *arg, const nst_progress *p)
{
    struct seen *s = arg;

    nst_image_destroy(&s->preview);
    ck_assert_int_eq(nst_progress_image(p, &s->preview, NULL), NST_OK);
    return 0;
}

static double off(const nst_image *p, const nst_image *c)
{
    double worst = 0;

    for (int i = 0; i < SIDE * SIDE; i++) {
        double lab[3], want[3];

        nst_lab_from_srgb((float[3]){ p->plane[0][i], p->plane[1][i], p->plane[2][i] }, lab);
        nst_lab_from_srgb((float[3]){ c->plane[0][i], c->plane[1][i], c->plane[2][i] }, want);
        worst = fmax(worst, hypot(lab[1] - want[1], lab[2] - want[2]));
    }
    return worst;
}

static double mean(const nst_image *p, int c)
{
    double sum = 0;

    for (int i = 0; i < SIDE * SIDE; i++)
        sum += (double)p->plane[c][i] / (SIDE * SIDE);
    return sum;
}

/* color content: result and previews have the content's a and b; without strength it is color style, bit for bit;
 * match-style gives the content's mean colour, match and style the style's, though the losses alone have moved it. */
START_TEST(colours)
{
    nst_settings *s;
    nst_image *c, *style, *out[NST_COLOR_COUNT], *none;
    struct seen seen = { NULL };
    nst_model *m = NULL;

    s = small("nst");
    c = content_image(), style = style_image();
    ck_assert_int_eq(nst_model_open(&m, "small", NULL), NST_OK);
    s->seed = 5;
    s->iterations = s->first_iterations = 25; /* after 15 the colours are still on their way */
    for (s->color = 0; s->color < NST_COLOR_COUNT; s->color++)
        out[s->color] = paint(s, m, c, style, look_at, &seen);
    s->color = NST_COLOR_CONTENT;
    none = paint(s, m, c, style, look_at, &seen);
    ck_assert_msg(off(none, c) < .2 && off(seen.preview, c) < .2, "%g, %g", off(none, c), off(seen.preview, c));
    ck_assert_msg(off(out[NST_COLOR_STYLE], c) > 10, "%g", off(out[NST_COLOR_STYLE], c));
    nst_image_destroy(&none);
    s->color_strength = 0;
    none = paint(s, m, c, style, NULL, NULL);
    same_image(none, out[NST_COLOR_STYLE], 0);
    for (int k = 0; k < 3; k++) {
        double to_style = fabs(mean(out[NST_COLOR_MATCH], k) - mean(style, k));
        double to_content = fabs(mean(out[NST_COLOR_MATCH_STYLE], k) - mean(c, k));

        ck_assert_msg(to_style < .06 && to_content < .06, "channel %d: %g from the style, %g from the content", k,
                      to_style, to_content);
    }
    for (int k = 0; k < NST_COLOR_COUNT; k++)
        nst_image_destroy(&out[k]);
    nst_image_destroy(&none);
    nst_image_destroy(&seen.preview);
    nst_image_destroy(&c);
    nst_image_destroy(&style);
    nst_settings_destroy(&s);
    nst_model_close(&m);
}
END_TEST

/* Each style has its own size: pixels, or a factor of the common scale; anything else is refused by the list's text. */
START_TEST(sizes)
{
    static const char *const bad[] = { "40", "40,40,40", "40,", ",40", "31,40", "0.5,40", "nanx,40", "1x,x", "-1x,1x",
                                       "1xx,1x", "1e9x,1x" };
    nst_settings *s = small("nst");
    nst_image *c = content_image(), *style = new_image(100, 50, 3);
    const nst_image *styles[2] = { style, style };
    nst_run r = { .job = { .content = c, .styles = styles, .n_styles = 2 } };
    nst_error e;
    int w, h;

    ck_assert_int_eq(nst_model_open((nst_model **)&r.job.model, "small", NULL), NST_OK);
    r.job.settings = s;
    s->style_scale = 2;
    strcpy(s->style_size, "80,0.75x");
    ck_assert_msg(nst_run_open(&r, &e) == NST_OK, "%s", e.text);
    nst_style_size(&r.setup, 0, 0, &w, &h);
    ck_assert_msg(w == 80 && h == 40, "%d x %d", w, h);
    nst_style_size(&r.setup, 0, 1, &w, &h); /* 0.75 of 2 of the content's 64 */
    ck_assert_msg(w == 96 && h == 48, "%d x %d", w, h);
    nst_run_close(&r);
    for (size_t i = 0; i < NST_COUNT(bad); i++) {
        r.job.settings = s;
        strcpy(s->style_size, bad[i]);
        ck_assert_msg(nst_run_open(&r, &e) == NST_EARG, "%s", bad[i]);
        ck_assert_msg(!strncmp(e.text, "style size \"", 12), "%s", e.text);
    }
    nst_model_close((nst_model **)&r.job.model);
    nst_image_destroy(&c);
    nst_image_destroy(&style);
    nst_settings_destroy(&s);
}
END_TEST

/* Style losses of a picture, by layer. */
static int style_losses(nst_style_loss_kind kind, const nst_model *m, double *loss)
{
    nst_settings *s = small("nst");
    nst_image *c = content_image(), *style = style_image(), *p;
    nst_progress first;

    s->iterations = s->first_iterations = 1;
    s->style_loss = (int)kind;
    p = paint(s, m, c, style, last, &first);
    for (int i = 0; i < first.style_layers; i++)
        loss[i] = first.style[i];
    nst_image_destroy(&p);
    nst_image_destroy(&c);
    nst_image_destroy(&style);
    nst_settings_destroy(&s);
    return first.style_layers;
}

/* A student's Wasserstein-2 losses are multiplied by its layers' w2_weight.  Gram losses are not. */
START_TEST(student_counts_more)
{
    static const nst_style_loss_kind kinds[] = { NST_STYLE_W2, NST_STYLE_GRAM };
    nst_model *m = NULL;

    ck_assert_int_eq(nst_model_open(&m, "small", NULL), NST_OK);
    for (size_t k = 0; k < NST_COUNT(kinds); k++) {
        double student[NST_MODEL_LAYERS], plain[NST_MODEL_LAYERS];
        float weight[NST_MODEL_LAYERS];
        int n = style_losses(kinds[k], m, student);

        ck_assert_int_eq(n, 2);
        for (int i = 0; i < m->layers; i++)
            weight[i] = m->layer[i].w2_weight, m->layer[i].w2_weight = 0;
        ck_assert_int_eq(style_losses(kinds[k], m, plain), n);
        for (int i = 0; i < n; i++) { /* conv1_1 and conv2_1 are layers 0 and 2 */
            double expected = kinds[k] == NST_STYLE_W2 ? plain[i] * (double)weight[2 * i] : plain[i];

            ck_assert_double_gt(plain[i], 0);
            ck_assert_double_eq_tol(student[i] / expected, 1, 1e-9);
        }
        for (int i = 0; i < m->layers; i++)
            m->layer[i].w2_weight = weight[i];
    }
    nst_model_close(&m);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, student_counts_more);
    tcase_add_test(t, further_and_further);
    tcase_add_test(t, values);
    tcase_add_test(t, range);
    tcase_add_test(t, colours);
    tcase_add_test(t, sizes);
}

int main(void)
{
    return run_tests("balance", add);
}
