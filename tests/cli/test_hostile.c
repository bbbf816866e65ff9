/* test_hostile.c: what tests/cli/hostile.sh cannot do from outside.  Alone: what a host program may do to the library:
 * fork, use a picture whose pixels are gone, open one file of weights by many threads at once.
 * test_hostile locale NAME...: in each of these locales; of the first, the decimal point is a comma.
 * test_hostile stuck: a run that never ends an iteration gets SIGTERM.
 * test_hostile CHECKPOINT CONTENT STYLE MODEL NOTE: a checkpoint of these whose note, the command line
 * of `nst resume`, is another's: \n stands for a line's end, and \xN at its end for N letters. */
#include <locale.h>
#include <nst.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/interrupt.h"
#include "../support/source.h"

enum { THREADS = 8, TIMES = 12, SIDE = 48 };

static const char *path;
static char note[65537];

static void *open_often(void *bad)
{
    for (int i = 0; i < TIMES; i++) {
        nst_model *m;
        nst_error e;

        if (nst_model_open(&m, path, &e)) {
            snprintf(bad, sizeof e.text, "%s", e.text);
            return bad;
        }
        nst_model_close(&m);
    }
    return NULL;
}

static int open_by_threads(void)
{
    static char bad[THREADS][sizeof ((nst_error *)0)->text];
    pthread_t t[THREADS];
    nst_model *m;
    int bad_threads = 0;

    path = source_file("tests/data/models/keras-1.h5");
    if (nst_model_open(&m, path, NULL) == NST_EUNSUPPORTED)
        return 77;
    nst_model_close(&m);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&t[i], NULL, open_often, bad[i]))
            return 99;
    for (int i = 0; i < THREADS; i++) {
        void *end;

        pthread_join(t[i], &end);
        if (end)
            printf("%s\n", (char *)end);
        bad_threads |= end != NULL;
    }
    return bad_threads;
}

/* ---- a host's own ways ------------------------------------------------------------------------------------------ */

static int failed;

static void check(bool good, const char *what, const char *said)
{
    if (good)
        return;
    printf("not ok: %s%s%s\n", what, *said ? ": " : "", said);
    failed = 1;
}

static nst_image *colours(int c, int step)
{
    nst_image *image;

    if (nst_image_create(&image, SIDE, SIDE, 3, NULL))
        exit(99);
    for (int i = 0; i < SIDE * SIDE; i++)
        nst_image_plane(image, c)[i] = (float)(i % step) / (float)step;
    return image;
}

/* Two iterations of a preset; content NULL: one of its own.  *sum: of the result's numbers, to know it by. */
static nst_status paint(const char *preset, const nst_image *content, double *sum, nst_error *e)
{
    nst_image *own = colours(0, 7), *style = colours(1, 11), *out = NULL;
    nst_settings *s = NULL;
    nst_model *m = NULL;
    nst_status status = nst_settings_create(&s, preset, e);

    *sum = 0;
    if (!status)
        status = nst_model_open(&m, "small", e);
    if (!status) {
        s->size = SIDE, s->scales = 1, s->iterations = 2, s->threads = 2;
        status = nst_transfer(s, m, content ? content : own, (const nst_image *const[]){ style }, 1, NULL, NULL, NULL,
                              &out, e);
    }
    for (int i = 0; !status && i < 3 * SIDE * SIDE; i++)
        *sum += (double)nst_image_plane(out, i / (SIDE * SIDE))[i % (SIDE * SIDE)] * (i % 101);
    nst_image_destroy(&own);
    nst_image_destroy(&style);
    nst_image_destroy(&out);
    nst_model_close(&m);
    nst_settings_destroy(&s);
    return status;
}

/* Without the threads of its parent, for which it would wait. */
static void use_child(void)
{
    double before, after;
    nst_error e = { "" };
    pid_t child;
    int end = 0;

    check(!paint("gatys", NULL, &before, &e), "a painting", e.text);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        alarm(60); /* two seconds are enough */
        _exit(paint("gatys", NULL, &after, &e) != NST_OK || after != before);
    }
    waitpid(child, &end, 0);
    check(WIFEXITED(end) && WEXITSTATUS(end) == 0, "a child that was forked after a painting paints the same", "");
}

static void refused(nst_status s, const char *what, nst_error *e)
{
    check(s == NST_EARG && strstr(e->text, "its pixels were given back"), what, e->text);
    *e->text = 0;
}

static void use_spent(void)
{
    nst_image *content = colours(0, 7), *style = colours(1, 11);
    nst_error e = { "" };
    double sum;

    nst_image_allow_discard(content);
    check(!paint(NULL, content, &sum, &e), "a painting that may discard its content", e.text);
    check(!nst_image_plane(content, 0), "it is spent", "");
    refused(paint(NULL, content, &sum, &e), "a spent content painted again", &e);
    refused(nst_image_write(content, "/dev/null", &(nst_write_options){ .format = "png" }, &e), "written", &e);
    refused(nst_image_write_fd(content, 1, "output", NULL, &e), "written to a descriptor", &e);
    refused(nst_image_set_region(style, content, NULL, &e), "as a mask", &e);
    nst_image_destroy(&content);
    nst_image_destroy(&style);
    nst_image_destroy(NULL);
    nst_model_close(NULL);
    nst_settings_destroy(NULL);
    nst_styles_destroy(NULL);
    nst_checkpoint_close(NULL);
}

static void use_locale(const char *name, double *sums)
{
    bool comma;
    nst_settings *s = NULL;
    nst_error e = { "" };
    const nst_format *format;

    if (!setlocale(LC_ALL, name)) {
        printf("no locale %s\n", name);
        exit(77);
    }
    comma = *localeconv()->decimal_point == ',';
    check(!nst_settings_create(&s, NULL, &e) && !nst_settings_set(s, "style_weight", "12.5", &e) &&
          s->style_weight == 12.5, "12.5 is a number", e.text);
    check(nst_settings_set(s, "style_weight", "12,5", &e) == NST_EARG && s->style_weight == 12.5, "12,5 is none", "");
    check(nst_settings_set(s, "strength", "1e9", &e) == NST_EARG && !strchr(e.text, ','), "sentences", e.text);
    nst_settings_destroy(&s);
    for (int i = 0; nst_preset_name(i); i++) {
        double sum;

        check(!paint(nst_preset_name(i), NULL, &sum, &e), nst_preset_name(i), e.text);
        check(sums[i] == 0 || sum == sums[i], nst_preset_name(i), "another picture than in the C locale");
        sums[i] = sum;
    }
    format = nst_format_of("X.TIFF");
    check(format && !strcmp(format->name, "tiff"), "X.TIFF is a TIFF file", "");
    check(comma == (*localeconv()->decimal_point == ','), "the locale stays", "");
}

/* Ends by the signal after ten seconds, or the test is lost. */
static int get_stuck(void)
{
    nst_interrupt_begin();
    nst_interrupt_watch(true);
    nst_interrupt_at_ease();
    nst_interrupt_pace(.3);
    raise(SIGTERM);
    for (int i = 0; i < 60; i++)
        sleep(1);
    return 1;
}

/* ---- checkpoints ------------------------------------------------------------------------------------------------ */

static void make_note(const char *text)
{
    size_t n = 0;

    for (; *text; text++) {
        bool end = !strncmp(text, "\\n", 2);

        if (!strncmp(text, "\\x", 2)) {
            memset(note + n, 'x', (size_t)atoi(text + 2));
            return;
        }
        note[n++] = end ? '\n' : *text;
        text += end;
    }
}

static int write_checkpoint(void *to, const nst_progress *p)
{
    nst_error e;

    if (nst_progress_checkpoint(p, to, note, &e))
        puts(e.text);
    return 1;
}

int main(int argc, char **argv)
{
    nst_image *content = NULL, *style = NULL, *out = NULL;
    nst_settings *s = NULL;
    nst_model *m = NULL;
    nst_error e = { "" };
    nst_fit fit;
    nst_status status;

    if (argc == 1) {
        int threads = open_by_threads();

        use_child();
        use_spent();
        return failed ? failed : threads;
    }
    if (argc == 2)
        return get_stuck();
    if (!strcmp(argv[1], "locale")) {
        double sums[64] = { 0 };

        for (int i = 1; i < argc; i++)
            use_locale(i == 1 ? "C" : argv[i], sums);
        return failed;
    }
    if (argc != 6)
        return 2;
    make_note(argv[5]);
    status = nst_settings_create(&s, NULL, &e);
    if (!status)
        status = nst_model_open(&m, argv[4], &e);
    if (status)
        goto end;
    s->size = 48, s->scales = 1, s->iterations = 3;
    fit = nst_settings_fit(s, NULL);
    status = nst_image_read_fit(&content, argv[2], &fit, &e);
    if (!status) {
        fit = nst_settings_fit(s, content);
        status = nst_image_read_fit(&style, argv[3], &fit, &e);
    }
    if (!status)
        status = nst_transfer(s, m, content, (const nst_image *const[]){ style }, 1, NULL, write_checkpoint, argv[1],
                              &out, &e);

end:
    if (status)
        puts(e.text);
    nst_image_destroy(&content);
    nst_image_destroy(&style);
    nst_image_destroy(&out);
    nst_model_close(&m);
    nst_settings_destroy(&s);
    return status != NST_OK;
}
