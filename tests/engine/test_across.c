/* test_across.c: several ranks, here threads, paint one machine's picture: losses, gradients and whole runs for every
 * preset's losses and for more ranks than strips; all fail together.  Real messages: tests/cli/mpi.sh. */
#include <math.h>
#include <stdio.h>

#include "ranks.h"
#include "../support/scene.h"
#include "../support/source.h"

/* What issue 6 asks: losses to 1e-5, gradients to 1e-4 of their length. */
#define LOSS 1e-5
#define GRADIENT 1e-4

/* ---- one evaluation ------------------------------------------------------------------------------------------ */

static void evaluate(struct rank *k)
{
    nst_run r = { .job.settings = k->s, .job.model = k->m, .job.content = k->content, .job.styles = k->styles,
                  .job.n_styles = k->n_styles, .job.comm = k->comm.ranks ? &k->comm : NULL };
    nst_random random = { 7 };
    size_t own;

    ck_assert_msg(nst_run_open(&r, &k->error) == NST_OK, "%s", k->error.text);
    r.scale = r.setup.plan.scales - 1;
    ck_assert_msg(nst_run_targets(&r, &k->error) == NST_OK && nst_halo_open(&r, &k->error) == NST_OK, "%s",
                  k->error.text);
    own = (size_t)r.w * (size_t)(r.strip.own_to - r.strip.own);
    r.state.x = nst_calloc(own, 3 * sizeof *r.state.x);
    r.state.dx = nst_calloc(own, 3 * sizeof *r.state.dx);
    nst_start(&r.setup.s, &r.setup.space, r.targets.picture, NULL, r.strip.own, r.strip.own_to - r.strip.own,
              r.state.x);
    /* the same noise for any number of ranks */
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < r.h; y++)
            for (int x = 0; x < r.w; x++) {
                float noise = .05f * (r.setup.high[0] - r.setup.low[0]) * (nst_random_uniform(&random) - .5f);

                if (y >= r.strip.own && y < r.strip.own_to)
                    r.state.x[(size_t)c * own + (size_t)((y - r.strip.own) * r.w + x)] += noise;
            }
    ck_assert_msg(nst_run_evaluate(&r, &k->p, &k->error) == NST_OK, "%s", k->error.text);
    k->dx = malloc(3 * own * sizeof *k->dx + 1);
    memcpy(k->dx, r.state.dx, 3 * own * sizeof *k->dx);
    k->strip = r.strip;
    k->h = r.h;
    k->windows = nst_windows_count(r.setup.layout[r.scale].gradient);
    nst_run_close(&r);
}

static void same_loss(const char *what, double a, double b, double total)
{
    ck_assert_msg(fabs(a - b) <= LOSS * fmax(fabs(a), 2e-3 * total), "%s: %.9g alone, %.9g by ranks", what, a, b);
}

/* Number i of the whole gradient, wherever it is. */
static void compare(const char *name, const struct rank *one, const struct rank *many, int ranks)
{
    double square = 0, difference = 0;
    int rows = 0;

    for (int i = 0; i < ranks; i++) {
        const struct rank *k = &many[i];
        int own = k->strip.own_to - k->strip.own;

        ck_assert(k->p.total == many->p.total && (!own || k->strip.own == rows));
        rows += own;
        for (int c = 0; c < 3; c++)
            for (int y = 0; y < own; y++)
                for (int x = 0; x < one->strip.w; x++) {
                    double a = (double)one->dx[(c * one->h + k->strip.own + y) * one->strip.w + x];
                    double d = a - (double)k->dx[(c * own + y) * one->strip.w + x];

                    square += a * a;
                    difference += d * d;
                }
    }
    ck_assert(rows == one->h);
    same_loss(name, one->p.total, many->p.total, one->p.total);
    same_loss("content", one->p.content, many->p.content, one->p.total);
    same_loss("tv", one->p.tv, many->p.tv, one->p.total);
    for (int i = 0; i < one->p.style_layers; i++)
        same_loss("style", one->p.style[i], many->p.style[i], one->p.total);
    ck_assert_msg(sqrt(difference) <= GRADIENT * sqrt(square), "%s: gradients differ by %.3g of their length", name,
                  sqrt(difference / square));
    if (getenv("VERBOSE"))
        printf("%s, %d ranks: loss %.2g, gradient %.2g\n", name, ranks,
               fabs(one->p.total - many->p.total) / one->p.total, sqrt(difference / square));
}

/* ---- fixtures ------------------------------------------------------------------------------------------------- */

static nst_model *model;
static nst_image *content, *style[2];
static nst_settings *settings;

static void open_all(void)
{
    ck_assert(nst_model_open(&model, source_file("tests/data/golden/tiny.safetensors"), NULL) == NST_OK);
    content = picture(83, 117, 4, 3);
    style[0] = picture(75, 140, 3, 5);
    style[1] = picture(98, 67, 3, 9);
    net.broken = -1;
}

static void close_all(void)
{
    nst_settings_destroy(&settings);
    nst_model_close(&model);
    nst_image_destroy(&content);
    nst_image_destroy(&style[0]);
    nst_image_destroy(&style[1]);
}

static void use(const char *preset)
{
    ck_assert(nst_settings_create(&settings, preset, NULL) == NST_OK);
    settings->threads = 1;
    settings->size = 0;
    settings->scales = 1;
}

static struct rank task(void (*run)(struct rank *))
{
    return (struct rank){ .run = run, .s = settings, .m = model, .content = content,
                          .styles = (const nst_image *const *)style, .n_styles = 2 };
}

/* ---- tests ------------------------------------------------------------------------------------------------------ */

static const int counts[] = { 2, 3, 5, RANKS };

/* Every preset's losses and gradient, whole strips and strips in windows. */
START_TEST(every_preset)
{
    struct rank one, many[RANKS];

    use(nst_preset_name(_i));
    /* A maximum of two that are nearly the same goes over to the other by rounding: patches round alike everywhere. */
    strcpy(settings->conv, "im2col");
    one = task(evaluate);
    evaluate(&one);
    for (size_t i = 0; i < NST_COUNT(counts); i++) {
        settings->window = i == 1 ? 24 : 0;
        many[0] = task(evaluate);
        together(many, counts[i]);
        compare(nst_preset_name(_i), &one, many, counts[i]);
        for (int k = 0; k < counts[i]; k++)
            free(many[k].dx);
    }
    free(one.dx);
}
END_TEST

/* Each style in its region: masks that end within strips, and a part of a style. */
START_TEST(regions)
{
    struct rank one, many[RANKS];
    nst_image *mask = picture(83, 117, 3, 4), *part = picture(98, 67, 3, 6);

    use("opengenus");
    strcpy(settings->conv, "im2col");
    ck_assert(nst_image_set_region(style[0], mask, NULL, NULL) == NST_OK);
    ck_assert(nst_image_set_region(style[1], NULL, part, NULL) == NST_OK);
    one = task(evaluate);
    evaluate(&one);
    for (size_t i = 0; i < NST_COUNT(counts); i++) {
        settings->window = i == 1 ? 24 : 0;
        many[0] = task(evaluate);
        together(many, counts[i]);
        compare("regions", &one, many, counts[i]);
        for (int k = 0; k < counts[i]; k++)
            free(many[k].dx);
    }
    free(one.dx);
    nst_image_destroy(&mask);
    nst_image_destroy(&part);
}
END_TEST

static int each(void *arg, const nst_progress *p)
{
    struct rank *k = arg;

    k->p = *p;
    if (p->done == 2) { /* all ask for it; rank 0 gets it */
        nst_image *image = NULL;
        nst_error e = { "" };

        ck_assert_msg(nst_progress_image(p, &image, &e) == NST_OK, "%s", e.text);
        ck_assert(k->rank ? !image : image && nst_image_height(image) == p->height);
        k->images++;
        nst_image_destroy(&image);
    }
    return k->stop_at && p->done >= k->stop_at;
}

static void paint(struct rank *k)
{
    k->status = nst_transfer_across(k->s, k->m, k->content, k->styles, k->n_styles, NULL,
                                    k->comm.ranks ? &k->comm : NULL, each, k, &k->out, &k->error);
}

static double mean_difference(const nst_image *a, const nst_image *b)
{
    size_t n = (size_t)a->width * (size_t)a->height;
    double sum_of = 0;

    ck_assert(a->width == b->width && a->height == b->height && a->channels == b->channels);
    for (int c = 0; c < a->channels; c++)
        for (size_t i = 0; i < n; i++)
            sum_of += fabs((double)a->plane[c][i] - (double)b->plane[c][i]);
    return sum_of / ((double)n * a->channels);
}

/* Whole runs over two scales: L-BFGS (neural-style), Adam whose moments are carried over, its averaged picture and
 * Wasserstein-2 (style-transfer-pytorch), a margin and noise (nst), a random start (opengenus): alpha, the second
 * scale's start and the noise come from other ranks' rows.
 *
 * Three steps a scale leave what rounding makes of them, 1e-5 of 255 in the mean.  More steps leave more: where two
 * maxima are alike rounding decides which one it is.  nst and style-transfer-pytorch average, because a maximum stands
 * on that edge in their third or sixth step here, with some kernels. */
START_TEST(whole_run)
{
    static const char *const presets[] = { "opengenus", "nst", "neural-style", "style-transfer-pytorch" };
    struct rank one, many[RANKS];

    use(presets[_i]);
    strcpy(settings->conv, "im2col");
    settings->size = 117, settings->scales = 2, settings->iterations = settings->first_iterations = _i == 2 ? 5 : 3;
    if (_i == 0)
        settings->init = NST_INIT_RANDOM;
    if (_i == 1)
        settings->init_noise = .3;
    if (_i == 1 || _i == 3)
        settings->pooling = NST_POOL_AVERAGE;
    one = task(paint);
    paint(&one);
    ck_assert_msg(one.status == NST_OK, "%s", one.error.text);
    for (size_t i = 1; i < NST_COUNT(counts); i += 2) { /* an odd number, and more than strips */
        double d;

        many[0] = task(paint);
        together(many, counts[i]);
        for (int k = 0; k < counts[i]; k++) {
            ck_assert_msg(many[k].status == NST_OK, "%s", many[k].error.text);
            ck_assert((k == 0) == (many[k].out != NULL) && many[k].images == 1);
        }
        d = mean_difference(one.out, many[0].out);
        printf("%s, %d ranks: pictures differ by %.3g of 255 in the mean, losses by %.2g\n", presets[_i], counts[i],
               255 * d, fabs(many[0].p.total - one.p.total) / one.p.total);
        ck_assert_msg(d < .001 / 255, "%s: pictures differ by %g of 255 in the mean", presets[_i], 255 * d);
        nst_image_destroy(&many[0].out);
    }
    nst_image_destroy(&one.out);
}
END_TEST

/* One rank that wants to stop stops all, and the picture so far is there. */
START_TEST(stopped)
{
    struct rank many[RANKS];

    use("nst");
    settings->iterations = 50;
    many[0] = task(paint);
    many[0].stop_at = 3; /* copied to each: rank 0 alone is as good as all */
    together(many, 3);
    for (int k = 0; k < 3; k++)
        ck_assert(many[k].status == NST_OK && many[k].p.done == 3);
    ck_assert(many[0].out != NULL);
    nst_image_destroy(&many[0].out);
}
END_TEST

static void paint_or_fail(struct rank *k)
{
    nst_settings own = *k->s;

    if (k->rank == 2)
        own.memory = 1 << 20; /* of a machine that has too little */
    k->s = &own;
    paint(k);
}

/* All five ranks return the failure of rank 2, named. */
static void rank_2_failed(const struct rank *many, nst_status status, const char *what)
{
    for (int k = 0; k < 5; k++) {
        ck_assert(many[k].status == status && !many[k].out);
        ck_assert_msg(strstr(many[k].error.text, "rank 2: ") && strstr(many[k].error.text, what), "%s",
                      many[k].error.text);
    }
}

/* A rank that cannot even begin. */
START_TEST(one_fails)
{
    struct rank many[RANKS];

    use("nst");
    many[0] = task(paint_or_fail);
    together(many, 5);
    rank_2_failed(many, NST_EMEM, "too few");
}
END_TEST

/* Style picture 0 of rank 2 is transparent where its mask is white. That is noticed when targets are made. */
static nst_image *hidden;

static void paint_or_fail_later(struct rank *k)
{
    const nst_image *const mine[2] = { hidden, k->styles[1] };

    if (k->rank == 2)
        k->styles = mine;
    paint(k);
}

/* A rank that fails while targets are made takes part in as many agreements as the others do.  Otherwise this hangs. */
START_TEST(one_fails_later)
{
    nst_image *mask = picture(75, 140, 3, 4);
    struct rank many[RANKS];

    use("nst");
    hidden = picture(75, 140, 4, 5);
    for (int i = 0; i < 75 * 140; i++) {
        float left = i % 75 < 30;

        mask->plane[0][i] = mask->plane[1][i] = mask->plane[2][i] = left;
        hidden->plane[3][i] = 1 - left;
    }
    ck_assert(nst_image_set_region(style[0], NULL, mask, NULL) == NST_OK);
    ck_assert(nst_image_set_region(hidden, NULL, mask, NULL) == NST_OK);
    many[0] = task(paint_or_fail_later);
    together(many, 5);
    rank_2_failed(many, NST_EARG, "transparent");
    nst_image_destroy(&mask);
    nst_image_destroy(&hidden);
}
END_TEST

/* A network that breaks: every rank returns, with a sentence. */
START_TEST(cut_off)
{
    struct rank many[RANKS];

    use("nst");
    net.broken = 1;
    many[0] = task(paint);
    together(many, 3);
    for (int k = 0; k < 3; k++)
        ck_assert(many[k].status == NST_EIO && !many[k].out && strstr(many[k].error.text, "not reached"));
}
END_TEST

static void add(TCase *t)
{
    int presets = 0;

    while (nst_preset_name(presets))
        presets++;
    tcase_add_checked_fixture(t, open_all, close_all);
    tcase_add_loop_test(t, every_preset, 0, presets);
    tcase_add_test(t, regions);
    tcase_add_loop_test(t, whole_run, 0, 4);
    tcase_add_test(t, stopped);
    tcase_add_test(t, one_fails);
    tcase_add_test(t, one_fails_later);
    tcase_add_test(t, cut_off);
}

int main(void) { return run_suite("across", add); }
