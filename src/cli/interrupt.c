/* interrupt.c: a signal asks the run to end after its iteration, so that hours of work are kept. */
#include "cli/interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* SIGUSR1: batch systems can be asked for it before the time is up. */
static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1 };
static volatile sig_atomic_t pending, loud;

static void note(int number)
{
    static const char text[] = "\nnst: finishing this iteration, then saving; once more to stop without\n";

    if (!pending && loud && write(STDERR_FILENO, text, sizeof text - 1) < 0)
        loud = 0;
    pending = number;
}

static void install(int flags)
{
    struct sigaction old, new;

    memset(&new, 0, sizeof new);
    new.sa_handler = note;
    new.sa_flags = flags;
    sigemptyset(&new.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(signals[i], &new, NULL);
}

void nst_interrupt_watch(bool say)
{
    loud = say;
    install((int)(SA_RESETHAND | SA_RESTART));
}

void nst_interrupt_hold(void)
{
    loud = 0;
    install(SA_RESTART);
}

int nst_interrupt_pending(void)
{
    return pending;
}

void nst_interrupt_die(void)
{
    signal(pending, SIG_DFL);
    raise(pending);
}
