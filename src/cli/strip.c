/* strip.c: pictures of a film for a page, as many however long the film is: each nth one, and n doubles when there is
 * no room. */
#include "cli/strip.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/snapshot.h"

/* Every second one; the first stays. */
static void thin(nst_strip *s)
{
    for (int i = 0; i < s->n; i++)
        if (i % 2)
            close(s->at[i].file);
        else
            s->at[i / 2] = s->at[i];
    s->n = (s->n + 1) / 2;
    s->every *= 2;
}

void nst_strip_add(nst_strip *s, long number, const nst_image *picture)
{
    int file;

    if (s->seen++ % s->every)
        return;
    file = nst_snapshot_draw(picture);
    if (file < 0)
        return;
    pthread_mutex_lock(&s->lock);
    s->at[s->n].number = number;
    s->at[s->n++].file = file;
    if (s->n == NST_STRIP)
        thin(s);
    pthread_mutex_unlock(&s->lock);
}

void nst_strip_clear(nst_strip *s)
{
    pthread_mutex_lock(&s->lock);
    while (s->n)
        close(s->at[--s->n].file);
    s->seen = 0;
    s->every = 1;
    pthread_mutex_unlock(&s->lock);
}

int nst_strip_file(nst_strip *s, long number)
{
    int fd = -1;

    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < s->n && fd < 0; i++)
        if (s->at[i].number == number)
            fd = fcntl(s->at[i].file, F_DUPFD_CLOEXEC, 0);
    pthread_mutex_unlock(&s->lock);
    return fd;
}

void nst_strip_numbers(nst_strip *s, char *out, size_t room)
{
    size_t n = 0;

    *out = 0;
    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < s->n && n + 24 < room; i++)
        n += (size_t)snprintf(out + n, room - n, "%s%ld", i ? "," : "", s->at[i].number);
    pthread_mutex_unlock(&s->lock);
}
