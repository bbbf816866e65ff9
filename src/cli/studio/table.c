/* table.c: the studio's state. */
#include "cli/studio/studio.h"

nst_studio nst_the_studio = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .changed = PTHREAD_COND_INITIALIZER,
    .parsing = PTHREAD_MUTEX_INITIALIZER,
    .live = NST_SNAPSHOT,
    .preview = NST_SNAPSHOT,
};

const nst_source *nst_table_source(int number)
{
    const nst_studio *s = &nst_the_studio;

    for (int i = 0; i < s->sources; i++)
        if (s->source[i].number == number)
            return &s->source[i];
    return NULL;
}
