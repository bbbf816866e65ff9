/* interrupt.h: Ctrl-C and its kin as a flag. */
#ifndef NST_INTERRUPT_H
#define NST_INTERRUPT_H

#include <stdbool.h>

/* First of all in main: descriptors 0 to 2 are there, since a file that got one of these numbers would take in what is
 * said; and a reader that has gone or a file that may not grow is a failure to write, never the end of the process. */
void nst_interrupt_begin(void);
/* From here on SIGINT, SIGTERM, SIGHUP, SIGUSR1 and SIGXCPU set a flag (unless they were ignored); the second one kills
 * as usual. say: the first one is answered on standard error. */
void nst_interrupt_watch(bool say);
/* An iteration begins, and the last one took so many seconds.  A run that is stuck is ended by the signal, its picture
 * lost: one in which no iteration ends within ten seconds of it, or within twenty such times where these are longer.
 * From nst_interrupt_watch on it is ten seconds. */
void nst_interrupt_pace(double seconds);
/* An iteration has ended, and what follows it may take as long as it likes. */
void nst_interrupt_at_ease(void);
/* While a file is written no number of signals stops it. */
void nst_interrupt_hold(void);
/* While a pipe is written, whose reader may never take it: a signal ends the writing as a failure. */
void nst_interrupt_free(void);
/* From here on the first signal also writes a byte into this file, for who waits by poll.  -1: no longer. */
void nst_interrupt_wakes(int fd);
/* The signal that came, or 0. */
int nst_interrupt_pending(void);
/* Ends the process by a signal. */
void nst_interrupt_die(int number);

#endif
