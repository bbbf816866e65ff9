/* snapshot.c: a picture that one thread renews and others show.  Each of them gets a descriptor of its own: the file
 * that it reads stays the same when another picture takes its place. */
#include "cli/snapshot.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/clock.h"

#define SHARE 20 /* pictures take at most one second in so many */

int nst_snapshot_draw(const nst_image *image)
{
    nst_write_options o = { .jpeg_quality = 92, .format = "jpeg" };
    FILE *f = tmpfile();
    int fd = -1;

    if (f && nst_image_write_fd(image, fileno(f), "picture", &o, NULL) == NST_OK)
        fd = fcntl(fileno(f), F_DUPFD_CLOEXEC, 0);
    if (f)
        fclose(f);
    return fd;
}

void nst_snapshot_put(nst_snapshot *s, const nst_image *image)
{
    int fd = image ? nst_snapshot_draw(image) : -1, old;

    if (image && fd < 0)
        return;
    pthread_mutex_lock(&s->lock);
    old = s->file;
    s->file = fd;
    s->number += image != NULL;
    pthread_mutex_unlock(&s->lock);
    if (old >= 0)
        close(old);
}

bool nst_snapshot_due(const nst_snapshot *s)
{
    double since = nst_clock_now() - s->drawn;

    return since > 1 && since > SHARE * s->took;
}

void nst_snapshot_renew(nst_snapshot *s, const nst_progress *p)
{
    double began = nst_clock_now();
    nst_image *image;

    if (nst_progress_image(p, &image, NULL))
        return;
    nst_snapshot_put(s, image);
    nst_image_destroy(&image);
    s->drawn = nst_clock_now();
    s->took = s->drawn - began;
}

int nst_snapshot_file(nst_snapshot *s, int *number)
{
    int fd;

    pthread_mutex_lock(&s->lock);
    fd = s->file < 0 ? -1 : fcntl(s->file, F_DUPFD_CLOEXEC, 0);
    if (number)
        *number = s->number;
    pthread_mutex_unlock(&s->lock);
    return fd;
}

int nst_snapshot_number(nst_snapshot *s)
{
    int number;

    pthread_mutex_lock(&s->lock);
    number = s->number;
    pthread_mutex_unlock(&s->lock);
    return number;
}
