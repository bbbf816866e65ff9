/* wake.c: wakes who waits for the state to change, so that an idle studio sleeps.  The preview's thread waits by a
 * condition variable.  The main thread has to hear of signals, too, whose handler may not use one: it waits for a byte
 * in a pipe, which either puts there. */
#include "cli/studio/studio.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "cli/fail.h"
#include "cli/interrupt.h"

#define S (&nst_the_studio)

static int ends[2] = { -1, -1 };

nst_status nst_wake_begin(nst_error *e)
{
    if (pipe(ends))
        return fail(e, NST_EIO, "studio: no pipe: %s", strerror(errno));
    for (int i = 0; i < 2; i++) { /* a full pipe wakes as well as one more byte */
        fcntl(ends[i], F_SETFD, FD_CLOEXEC);
        fcntl(ends[i], F_SETFL, O_NONBLOCK);
    }
    nst_interrupt_wakes(ends[1]);
    return NST_OK;
}

void nst_wake(void)
{
    ssize_t full = write(ends[1], "", 1);

    (void)full;
    pthread_mutex_lock(&S->lock);
    pthread_cond_broadcast(&S->changed);
    pthread_mutex_unlock(&S->lock);
}

void nst_wake_wait(void)
{
    struct pollfd byte = { .fd = ends[0], .events = POLLIN };
    char taken[64];

    poll(&byte, 1, -1);
    while (read(ends[0], taken, sizeof taken) > 0)
        continue;
}
