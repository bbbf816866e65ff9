/* interrupt.h: Ctrl-C and its kin as a flag. */
#ifndef NST_INTERRUPT_H
#define NST_INTERRUPT_H

#include <stdbool.h>

/* From here on SIGINT, SIGTERM, SIGHUP and SIGUSR1 set a flag (unless they were ignored); the second one kills as
 * usual. say: the first one is answered on standard error. */
void nst_interrupt_watch(bool say);
/* While a file is written no number of signals stops it. */
void nst_interrupt_hold(void);
/* The signal that came, or 0. */
int nst_interrupt_pending(void);
/* Ends the process by that signal. */
void nst_interrupt_die(void);

#endif
