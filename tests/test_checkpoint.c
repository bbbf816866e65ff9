/* test_checkpoint.c: a run that is interrupted and goes on paints the bytes of one that is not; a checkpoint that is damaged,
 * foreign or forged is a sentence. */
#include <fcntl.h>
#include <unistd.h>

#include "engine/checkpoint.h"
#include "model/model.h"
#include "picture.h"

static nst_model *model;
static nst_image *content, *style[2];

/* A network of VGG19's shape with a sixteenth of its channels: a run takes milliseconds, so that hundreds may. */
static void make_inputs(void)
{
    char path[512];

    snprintf(path, sizeof path, "%s/tests/golden/tiny.safetensors", getenv("SRCDIR") ? getenv("SRCDIR") : ".");
    ck_assert_int_eq(nst_model_open(&model, path, NULL), NST_OK);
    content = smooth_image(70, 55, 4);
    style[0] = noise_image(48, 50, 3, 255);
    style[1] = smooth_image(61, 48, 3);
}

static void drop_inputs(void)
{
    nst_model_close(&model);
    nst_image_destroy(&content);
    nst_image_destroy(&style[0]);
    nst_image_destroy(&style[1]);
}

/* Two small scales of 4 and 3 iterations. */
static nst_settings *settings(const char *preset)
{
    nst_settings *s;

    ck_assert_int_eq(nst_settings_create(&s, preset, NULL), NST_OK);
    s->size = 54; /* 54x42 and 42x33: a side of 32 is the least */
    s->size_rule = NST_SIZE_LONGEST;
    s->margin /= 2;
    s->scales = 2;
    s->scale_step = 1.3;
    s->min_size = 32;
    s->first_iterations = 4;
    s->iterations = 3;
    s->history = 3; /* so that its ring goes round */
    strcpy(s->style_blend, "2,1");
    return s;
}

struct watch {
    int at;       /* iteration that writes the checkpoint; -1: none, and the first is the last */
    bool stop;    /* and is the last */
    int louder;   /* iteration after which the style counts more */
    int calls;
    double total; /* of the last iteration */
};

static int watch(void *arg, const nst_progress *p)
{
    struct watch *w = arg;
    nst_error e = { "" };

    w->calls++;
    if (p->done == w->louder) {
        ck_assert_int_eq(nst_progress_strength(p, 101, &e), NST_EARG);
        ck_assert_int_eq(nst_progress_strength(p, 80, &e), NST_OK);
    }
    w->total = p->total;
    if (p->done == w->at) {
        ck_assert_msg(nst_progress_checkpoint(p, "run.nst", "a note\nof two lines", &e) == NST_OK, "%s", e.text);
        return w->stop;
    }
    return w->at < 0;
}

static nst_image *paint(const nst_settings *s, struct watch *w)
{
    nst_error e = { "" };
    nst_image *out;

    ck_assert_msg(nst_transfer(s, model, content, (const nst_image *const *)style, 2, NULL, watch, w, &out, &e) == NST_OK,
                  "%s", e.text);
    return out;
}

static nst_status resume(nst_image **out, struct watch *w, nst_error *e)
{
    nst_checkpoint *c;
    nst_status s = nst_checkpoint_open(&c, "run.nst", e);

    *out = NULL;
    if (!s)
        s = nst_transfer_resume(c, model, content, (const nst_image *const *)style, 2, watch, w, out, e);
    nst_checkpoint_close(&c);
    return s;
}

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

/* What was pressed on the way is part of the way: the strength, changed before the checkpoint and, in the run that goes on,
 * not again.  And it does change the picture. */
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

/* ---- what must fail ----------------------------------------------------------------------------- */

static unsigned char *checkpoint(size_t *bytes)
{
    nst_settings *s = settings("nst");
    struct watch w = { .at = 3, .stop = true };
    nst_image *early = paint(s, &w);

    nst_image_destroy(&early);
    nst_settings_destroy(&s);
    return get_file("run.nst", bytes);
}

static void refuse(nst_status status, const char *text)
{
    nst_error e = { "" };
    nst_checkpoint *c;
    nst_status s = nst_checkpoint_open(&c, "run.nst", &e);

    ck_assert_msg(s == status, "status %d (%s), expected %d, %s", s, e.text, status, text);
    ck_assert_ptr_null(c);
    ck_assert_msg(strstr(e.text, text) && !strncmp(e.text, "run.nst: ", 9), "\"%s\", expected \"%s\"", e.text, text);
}

START_TEST(every_damage_is_found)
{
    size_t bytes;
    unsigned char *data = checkpoint(&bytes);
    unsigned char *state = find_bytes(data, bytes, "preset=", 7);
    int fd = open("run.nst", O_RDWR); /* a byte is changed where it lies: writing the file thousands of times takes long */

    ck_assert_ptr_nonnull(state);
    ck_assert_int_ge(fd, 0);
    for (size_t i = 0; i < bytes; i += i < 1500 || data + i >= state ? 1 : 1009) { /* header and texts byte by byte */
        nst_error e = { "" };
        nst_checkpoint *c;

        unsigned char other = data[i] ^ (unsigned char)(1u << i % 8);

        ck_assert_int_eq(pwrite(fd, &other, 1, (off_t)i), 1);
        ck_assert_msg(nst_checkpoint_open(&c, "run.nst", &e) != NST_OK, "byte %zu", i);
        ck_assert_int_eq(pwrite(fd, &data[i], 1, (off_t)i), 1);
    }
    close(fd);
    for (size_t n = bytes; n-- > 0;) { /* ever shorter */
        nst_checkpoint *c;

        if (n > 1500 && n + 9 < bytes && n % 977)
            continue;
        ck_assert_int_eq(truncate("run.nst", (off_t)n), 0);
        ck_assert_msg(nst_checkpoint_open(&c, "run.nst", NULL) == NST_EFORMAT, "%zu bytes", n);
    }
    put_file("run.nst", data, bytes);
    ck_assert_int_eq(truncate("run.nst", (off_t)bytes + 8), 0);
    refuse(NST_EFORMAT, "damaged");
    nst_free(data);
}
END_TEST

/* The sum is made right again: what then holds is that every number is checked. */
static void sign(unsigned char *data, size_t bytes)
{
    nst_sum s;
    uint64_t sum;

    nst_sum_begin(&s);
    nst_sum_add(&s, data, bytes - 8);
    sum = nst_sum_end(&s);
    for (int k = 0; k < 8; k++)
        data[bytes - 8 + (size_t)k] = (unsigned char)(sum >> 8 * k);
    put_file("run.nst", data, bytes);
}

START_TEST(forged_ones_do_no_harm)
{
    static const char digits[] = "0129f-=\n";
    size_t bytes, opened = 0;
    unsigned char *data = checkpoint(&bytes), *texts = find_bytes(data, bytes, "preset=", 7);
    size_t end = bytes - 8;

    for (size_t i = 8; i < end; i += data + i < texts - 100 && i > 1500 ? 20011 : 7) {
        unsigned char was = data[i];
        struct watch w = { .at = -1 };
        nst_error e = { "" };
        nst_image *out;
        nst_status s;

        data[i] = (unsigned char)digits[i % (sizeof digits - 1)];
        sign(data, bytes);
        if ((s = resume(&out, &w, &e)) == NST_OK || s == NST_EDIVERGED)
            opened++;
        else
            ck_assert_msg(*e.text && !strchr(e.text, '\n'), "byte %zu: \"%s\"", i, e.text);
        nst_image_destroy(&out);
        data[i] = was;
    }
    ck_assert_uint_gt(opened, 0); /* some bytes are a note's, or another seed */
    nst_free(data);
}
END_TEST

START_TEST(foreign_files)
{
    static const char other[] = "{\"__metadata__\":{\"nst.checkpoint\":\"7 9.9.9\"}}                                                            ";
    size_t bytes;
    unsigned char *data = checkpoint(&bytes), head[8] = { sizeof other - 1 };
    nst_error e;
    nst_checkpoint *c;

    write_image(style[0], "a.png", NULL);
    ck_assert_int_eq(rename("a.png", "run.nst"), 0);
    refuse(NST_EFORMAT, "is not a checkpoint of nst");
    put_file("run.nst", "", 0);
    refuse(NST_EFORMAT, "is not a checkpoint of nst");
    memcpy(data, head, 8);
    memcpy(data + 8, other, sizeof other - 1);
    put_file("run.nst", data, 8 + sizeof other - 1);
    refuse(NST_EUNSUPPORTED, "another version of nst (7 9.9.9)");
    unlink("run.nst");
    refuse(NST_EIO, "cannot open");
    ck_assert_int_eq(nst_checkpoint_open(&c, "/", &e), NST_EIO);
    nst_free(data);
}
END_TEST

/* One pixel of one picture, the model, the number of pictures. */
START_TEST(other_inputs)
{
    struct watch w = { 0 };
    size_t bytes;
    nst_error e = { "" };
    nst_image *out;
    nst_checkpoint *c;

    nst_free(checkpoint(&bytes));
    *at(style[1], 2, 5, 5) += 1e-3f;
    ck_assert_int_eq(resume(&out, &w, &e), NST_EARG);
    ck_assert_msg(strstr(e.text, "the style picture 2 is not the one"), "%s", e.text);
    *at(style[1], 2, 5, 5) -= 1e-3f;
    *at(content, 3, 5, 5) += .5f;
    ck_assert_int_eq(resume(&out, &w, &e), NST_EARG);
    ck_assert_msg(strstr(e.text, "the content picture is not the one"), "%s", e.text);
    *at(content, 3, 5, 5) -= .5f;
    model->input.mean[0] += .1f;
    ck_assert_int_eq(resume(&out, &w, &e), NST_EARG);
    ck_assert_msg(strstr(e.text, "the model is not the one"), "%s", e.text);
    ck_assert_int_eq(nst_checkpoint_open(&c, "run.nst", &e), NST_OK);
    ck_assert_int_eq(nst_transfer_resume(c, model, content, (const nst_image *const *)style, 1, NULL, NULL, &out, &e),
                     NST_EARG);
    ck_assert_ptr_null(out);
    nst_checkpoint_close(&c);
}
END_TEST

static int write_badly(void *arg, const nst_progress *p)
{
    static char note[NST_CHECKPOINT_TEXT + 2];
    nst_error e = { "" };

    (void)arg;
    memset(note, 'n', sizeof note - 1);
    ck_assert_int_eq(nst_progress_checkpoint(p, "run.nst", note, &e), NST_EARG);
    ck_assert_int_eq(nst_progress_checkpoint(p, "no/folder/run.nst", NULL, &e), NST_EIO);
    if (access("/dev/full", W_OK) == 0) {
        ck_assert_int_eq(nst_progress_checkpoint(p, "/dev/full", NULL, &e), NST_EIO);
        ck_assert_msg(!strncmp(e.text, "/dev/full: cannot write", 23), "%s", e.text);
    }
    ck_assert_int_eq(count_files(), 0);
    return 1;
}

START_TEST(what_cannot_be_written)
{
    nst_settings *s = settings("nst");
    nst_image *out;

    ck_assert_int_eq(nst_transfer(s, model, content, (const nst_image *const *)style, 2, NULL, write_badly, NULL, &out, NULL),
                     NST_OK);
    nst_image_destroy(&out);
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
    tcase_add_test(t, every_damage_is_found);
    tcase_add_test(t, forged_ones_do_no_harm);
    tcase_add_test(t, foreign_files);
    tcase_add_test(t, other_inputs);
    tcase_add_test(t, what_cannot_be_written);
}

int main(void)
{
    return run_tests("checkpoint", add);
}
