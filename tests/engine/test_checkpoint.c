/* test_checkpoint.c: a run that is interrupted and goes on paints the bytes of one that is not.  Checkpoints that are
 * no good: test_checkpoint_damage.c. */
#include "runs.h"

/* A run that stops after an iteration, the first, the last of a scale and the last of all among them, and goes
 * on from its checkpoint: the picture's bytes and the last loss are those of the run that never stopped. */
static void compare(nst_settings *s)
{
    struct watch whole = { 0 };
    nst_image *want = paint(s, &whole);

    ck_assert_int_eq(whole.calls, 7);
    for (int at = 1; at <= 7; at += at == 1 || at == 5 ? 2 : 1) {
        struct watch first = { .at = at, .stop = true }, rest = { 0 };
        nst_error e = { "" };
        nst_image *early = paint(s, &first), *got;

        ck_assert_int_eq(first.calls, at);
        ck_assert_msg(resume(&got, &rest, &e) == NST_OK, "after %d: %s", at, e.text);
        ck_assert_int_eq(rest.calls, 7 - at);
        ck_assert_int_eq(got->width, want->width);
        ck_assert_int_eq(got->height, want->height);
        for (int c = 0; c < 4; c++)
            ck_assert_msg(!memcmp(got->plane[c], want->plane[c], (size_t)want->width * (size_t)want->height * 4),
                          "%s after %d: channel %d differs", s->preset, at, c);
        if (at < 7)
            ck_assert(!(rest.total < whole.total) && !(rest.total > whole.total));
        nst_image_destroy(&early);
        nst_image_destroy(&got);
    }
    nst_image_destroy(&want);
    nst_settings_destroy(&s);
}

START_TEST(the_same_bytes)
{
    static const char *const presets[] = { "nst", "opengenus", "neural-style", "style-transfer-pytorch" };

    for (size_t i = 0; i < NST_COUNT(presets); i++) {
        nst_settings *s = settings(presets[i]);

        compare(s);
    }
    nst_model_close(&model); /* and the run that most people have */
    ck_assert_int_eq(nst_model_open(&model, "small", NULL), NST_OK);
    compare(settings("nst"));
}
END_TEST

/* What was pressed on the way is part of the way: the strength, changed before the checkpoint and, in the run that
 * goes on, not again.  And it does change the picture. */
START_TEST(a_changed_strength)
{
    nst_settings *s = settings("nst");
    struct watch plain = { 0 }, whole = { .louder = 2 }, first = { .louder = 2, .at = 3, .stop = true }, rest = { 0 };
    nst_image *other = paint(s, &plain), *want = paint(s, &whole), *early = paint(s, &first), *got;
    nst_error e = { "" };

    ck_assert_msg(resume(&got, &rest, &e) == NST_OK, "%s", e.text);
    same_image(got, want, 0);
    ck_assert(memcmp(other->plane[0], want->plane[0], (size_t)want->width * (size_t)want->height * 4));
    nst_image_destroy(&other);
    nst_image_destroy(&want);
    nst_image_destroy(&early);
    nst_image_destroy(&got);
    nst_settings_destroy(&s);
}
END_TEST

/* In windows, whose number follows from the memory that was free when the run began. */
START_TEST(in_windows)
{
    nst_settings *s = settings("nst");

    s->window = 32;
    compare(s);
}
END_TEST

/* Another number of threads, an averaged L-BFGS, Adam on a start from noise: what no preset has. */
START_TEST(other_settings)
{
    nst_settings *s = settings("nst");

    s->average = .9;
    s->threads = 3;
    compare(s);
    s = settings("nst");
    s->optimizer = NST_ADAM;
    s->average = .9;
    s->init = NST_INIT_RANDOM;
    s->clamp = 1;
    compare(s);
}
END_TEST

/* Kernel sets differ in their last bits: the checkpoint remembers which one painted. */
START_TEST(the_kernel_set_is_kept)
{
    nst_settings *s = settings("nst");

    strcpy(s->simd, "scalar");
    compare(s);
}
END_TEST

/* Writing checkpoints changes nothing, and from any of them another run of another process could go on. */
START_TEST(writing_changes_nothing)
{
    nst_settings *s = settings("nst");
    struct watch plain = { 0 }, writing = { .at = 5 };
    nst_image *a = paint(s, &plain), *b = paint(s, &writing);
    nst_checkpoint *c;

    same_image(a, b, 0);
    ck_assert_int_eq(nst_checkpoint_open(&c, "run.nst", NULL), NST_OK);
    ck_assert_str_eq(nst_checkpoint_note(c), "a note\nof two lines");
    ck_assert_int_eq(nst_checkpoint_iteration(c), 5);
    ck_assert_str_eq(nst_checkpoint_settings(c)->style_layers, s->style_layers);
    nst_checkpoint_close(&c);
    ck_assert_int_eq(count_files(), 1);
    nst_image_destroy(&a);
    nst_image_destroy(&b);
    nst_settings_destroy(&s);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_checked_fixture(t, make_inputs, drop_inputs);
    tcase_add_test(t, the_same_bytes);
    tcase_add_test(t, other_settings);
    tcase_add_test(t, a_changed_strength);
    tcase_add_test(t, in_windows);
    tcase_add_test(t, the_kernel_set_is_kept);
    tcase_add_test(t, writing_changes_nothing);
}

int main(void)
{
    return run_tests("checkpoint", add);
}
