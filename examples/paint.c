/* paint.c: the smallest program on libnst: paint CONTENT STYLE RESULT
 *   cc -o paint paint.c $(pkg-config --cflags --libs nst) */
#include <nst.h>
#include <stdio.h>

/* Called after each iteration; anything but 0 would end the run and keep the picture so far. */
static int tell(void *arg, const nst_progress *p)
{
    (void)arg;
    fprintf(stderr, "\r%d of %d, %.0f s left ", p->done, p->total_iterations, p->remaining);
    return 0;
}

int main(int argc, char **argv)
{
    nst_settings *settings = NULL;
    nst_model *model = NULL;
    nst_image *content = NULL, *style = NULL, *result = NULL;
    nst_error e = { "expected CONTENT STYLE RESULT" };
    int failed = argc != 4 || nst_settings_create(&settings, NULL, &e) || nst_model_open(&model, "small", &e) ||
                 nst_image_read(&content, argv[1], &e) || nst_image_read(&style, argv[2], &e);

    if (!failed) {
        const nst_image *styles[] = { style };

        settings->size = 128; /* pixels of the longest side; every other field has its preset's value */
        failed = nst_transfer(settings, model, content, styles, 1, NULL, tell, NULL, &result, &e) ||
                 nst_image_write(result, argv[3], NULL, &e);
    }
    if (failed)
        fprintf(stderr, "paint: %s\n", e.text);
    nst_image_destroy(&result); /* each accepts what was never made */
    nst_image_destroy(&style);
    nst_image_destroy(&content);
    nst_model_close(&model);
    nst_settings_destroy(&settings);
    return failed;
}
