/* test_hostile.c: what tests/hostile.sh cannot do from outside.  Alone: one model file opened by many threads at once, as a
 * host program may.  test_hostile CHECKPOINT CONTENT STYLE MODEL NOTE: a checkpoint of these whose note, the command line
 * of `nst resume`, is another's: \n stands for a line's end, and \xN at its end for N letters. */
#include <nst.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 8, TIMES = 12 };

static char path[512], note[65537];

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
    int failed = 0;

    snprintf(path, sizeof path, "%s/tests/models/keras-1.h5", getenv("SRCDIR") ? getenv("SRCDIR") : ".");
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
        failed |= end != NULL;
    }
    return failed;
}

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

    if (argc == 1)
        return open_by_threads();
    if (argc != 6)
        return 2;
    make_note(argv[5]);
    if ((status = nst_settings_create(&s, NULL, &e)) || (status = nst_model_open(&m, argv[4], &e)))
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
