/* interrupt.c: a signal asks the run to end after its iteration, so that hours of work are kept. */
#include "cli/interrupt.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE 10    /* seconds */
#define ITERATIONS 20  /* of the time of one: the next scale's first, whose targets are computed before, takes longer */
#define LONGEST 100000 /* seconds */

/* SIGUSR1: batch systems can be asked for it before the time is up.  SIGXCPU comes when a limit of processor time is
 * reached, and again each second until the hard limit. */
static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGXCPU };
static volatile sig_atomic_t pending, loud;
static volatile sig_atomic_t wakes = -1;
static volatile sig_atomic_t patience; /* seconds from a signal to the end of a run that is stuck; 0: for ever */

static void note(int number)
{
    static const char text[] = "\nnst: finishing this iteration, then saving; press again to quit without saving\n";

    if (!pending && loud && write(STDERR_FILENO, text, sizeof text - 1) < 0)
        loud = 0;
    if (!pending)
        alarm((unsigned)patience);
    pending = number;
    if (wakes >= 0 && write(wakes, "", 1) < 0)
        wakes = -1;
}

static void give_up(int number)
{
    static const char text[] = "nst: the iteration does not end: stopped without a picture\n";

    (void)number;
    if (loud && write(STDERR_FILENO, text, sizeof text - 1) < 0)
        loud = 0;
    nst_interrupt_die(pending);
}

static void be_patient(int seconds)
{
    patience = seconds;
    alarm(pending ? (unsigned)seconds : 0);
}

static void install(int flags)
{
    struct sigaction old, new;

    memset(&new, 0, sizeof new);
    new.sa_handler = note;
    sigemptyset(&new.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        new.sa_flags = signals[i] == SIGXCPU ? flags & ~(int)SA_RESETHAND : flags;
        if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(signals[i], &new, NULL);
    }
}

void nst_interrupt_begin(void)
{
    /* the wrong way round but for messages: a picture from or to what is closed is a failure, not lost in silence */
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_WRONLY) != fd)
            break;
    signal(SIGPIPE, SIG_IGN);
#ifdef SIGXFSZ
    signal(SIGXFSZ, SIG_IGN);
#endif
}

void nst_interrupt_watch(bool say)
{
    struct sigaction end;

    memset(&end, 0, sizeof end);
    end.sa_handler = give_up;
    sigemptyset(&end.sa_mask);
    sigaction(SIGALRM, &end, NULL);
    loud = say;
    be_patient(PATIENCE);
    install((int)(SA_RESETHAND | SA_RESTART));
}

void nst_interrupt_pace(double seconds)
{
    double most = ITERATIONS * seconds;

    if (most > LONGEST)
        most = LONGEST;
    be_patient(most > PATIENCE ? (int)most : PATIENCE);
}

void nst_interrupt_at_ease(void)
{
    be_patient(0);
}

void nst_interrupt_hold(void)
{
    loud = 0;
    be_patient(0);
    install(SA_RESTART);
}

void nst_interrupt_free(void)
{
    loud = 0;
    be_patient(0);
    install(0);
}

void nst_interrupt_wakes(int fd)
{
    wakes = fd;
}

int nst_interrupt_pending(void)
{
    return pending;
}

void nst_interrupt_die(int number)
{
    signal(number, SIG_DFL);
    raise(number);
}
