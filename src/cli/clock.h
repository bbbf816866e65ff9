/* clock.h: seconds of a clock that only runs forward, and a rest. */
#ifndef NST_CLOCK_H
#define NST_CLOCK_H

double nst_clock_now(void);
void nst_clock_rest(double seconds);

#endif
